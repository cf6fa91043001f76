"""CLIENT: names, lists, kills, pauses, and who is woken."""

from __future__ import annotations

import re
from typing import Any

import pytest

import minidis
from minidis import Minidis, ResponseError
from minidis.clients.info import FLAGS
from minidis.replies import NO_REPLY, Verbatim
from tests.commands.callers import Blocked, Connection, connect
from tests.commands.test_connection import error_of

#: The fields of Redis 7.0 in their order, and the two of 7.2.
FIELDS = (  # noqa: SIM905
    "id addr laddr fd name age idle flags db sub psub ssub multi watch qbuf qbuf-free argv-mem "
    "multi-mem rbs rbp obl oll omem tot-mem events cmd user redir resp lib-name lib-ver"
).split()


def lines(text: bytes) -> list[dict[str, str]]:
    assert text.__class__ is Verbatim
    assert not text or text.endswith(b"\n")
    return [
        dict(field.split("=", 1) for field in line.split(" "))
        for line in text.decode().splitlines()
    ]


def me(session: Any) -> dict[str, str]:
    (line,) = lines(session.client_info())
    return line


# about oneself -----------------------------------------------------------------------------------


def test_ids_grow_and_are_never_used_again(db: Minidis[bytes]) -> None:
    first, _ = connect(db)
    number = first.client_id()
    first.end()
    second, _ = connect(db)
    assert second.client_id() == number + 1


@pytest.mark.parametrize("name", ["two words", "line\nend", "é", "\x7f", "\x00", " "])
def test_names_that_do_not_fit_into_a_line(db: Minidis[bytes], name: str) -> None:
    message = "ERR Client names cannot contain spaces, newlines or special characters."
    db.client_setname("before")
    assert error_of(db, "CLIENT", "SETNAME", name) == message
    assert db.client_getname() == b"before"
    for told in ("LIB-NAME", "lib-ver"):
        message = f"ERR {told} cannot contain spaces, newlines or special characters."
        assert error_of(db, "CLIENT", "SETINFO", told, name) == message


def test_name_and_library(db: Minidis[bytes]) -> None:
    assert db.client_setname("!~") == "OK"
    assert db.execute("CLIENT", "SETINFO", "lib-name", "redis-py(x_v1)") == "OK"
    assert db.client_setinfo("LIB-VER", "8.0") == "OK"
    assert error_of(db, "CLIENT", "SETINFO", "Lib", "x") == "ERR Unrecognized option 'Lib'"
    line = me(db)
    assert [line["name"], line["lib-name"], line["lib-ver"]] == ["!~", "redis-py(x_v1)", "8.0"]
    assert db.client_setname("") == "OK"
    assert db.client_getname() is None
    db.reset()
    assert me(db)["lib-name"] == "redis-py(x_v1)", "a library stays what it is"


def test_replies_on_off_skip(db: Minidis[bytes]) -> None:
    session, client = connect(db)
    modes = []
    for mode in ("skip", "off", "SKIP", "ON"):
        reply = session.execute("CLIENT", "REPLY", mode)
        assert reply == "OK" if mode == "ON" else reply is NO_REPLY
        modes.append(client.reply_mode)
    assert modes == ["skip next", "off", "off", "on"]
    assert error_of(session, "CLIENT", "REPLY", "x") == "ERR syntax error"
    assert db.client_reply("ON") == "OK"
    for mode in ("OFF", "SKIP"):
        assert "REPLY needs a connection" in error_of(db, "CLIENT", "REPLY", mode)
    assert db.client.reply_mode == "on"


# the line ----------------------------------------------------------------------------------------


def test_the_fields_are_those_of_redis_in_their_order(db: Minidis[bytes]) -> None:
    session, client = connect(db, "10.0.0.7:4711")
    session.select(2)
    line = me(session)
    assert list(line) == FIELDS
    expected = {
        "id": str(client.id), "addr": "10.0.0.7:4711", "laddr": "127.0.0.1:6379", "db": "2",
        "cmd": "client|info", "user": "default", "flags": "N", "resp": "2", "redir": "-1",
        "multi": "-1", "sub": "0", "name": "", "lib-name": "",
    }  # fmt: skip
    assert {name: line[name] for name in expected} == expected


def test_watched_keys_are_counted(db: Minidis[bytes]) -> None:
    session, _ = connect(db)
    db.watch("b", "other")
    session.watch("a", "b")
    assert me(session)["watch"] == "2"
    found = dict(line.split(":") for line in db.info("clients").decode().split("\r\n")[1:-1])
    assert (found["watching_clients"], found["total_watched_keys"]) == ("2", "3")
    session.unwatch()
    assert me(session)["watch"] == "0"


def test_ages_are_seconds() -> None:
    clock = minidis.ManualClock()
    with minidis.open(clock=clock) as db:
        session, client = connect(db)
        clock.advance(5.5)
        client.used = clock.now()
        clock.advance(3.5)
        (line,) = lines(db.client_list(client_id=[client.id]))
        assert (line["age"], line["idle"]) == ("9", "3")
        assert me(session)["idle"] == "0", "it is busy with this very command"


def test_flags_say_what_state_a_client_is_in(db: Minidis[bytes]) -> None:
    session, client = connect(db)
    client.kind = "unix"
    client.monitors = client.no_evict = client.no_touch = client.close_after_reply = True
    client.channels.add(b"news")
    tracking = db.engine.observers.tracking.start(client)
    tracking.broken = tracking.broadcasts = True
    tracking.redirect = 7
    session.watch("a")
    db.set("a", 1)
    (line,) = lines(db.client_list(client_id=[client.id]))
    assert (line["flags"], line["redir"], line["sub"]) == ("OPtRBdcUeT", "7", "1")
    assert set(line["flags"]) == set(FLAGS) - {"x", "b"}


def test_queued_and_waiting(db: Minidis[bytes]) -> None:
    waiting, queueing = db.session(), db.session()
    queueing.multi()
    queueing.get("a")
    call = Blocked(waiting, lambda: waiting.blpop("q"))
    first, second = lines(db.client_list(client_id=[waiting.client_id(), queueing.client.id]))
    assert (first["flags"], second["flags"], second["multi"]) == ("b", "x", "1")
    db.rpush("q", "x")
    call.over()
    assert me(waiting)["flags"] == "N"


# LIST --------------------------------------------------------------------------------------------


def test_list_shows_everybody_in_the_order_in_which_they_came(db: Minidis[bytes]) -> None:
    (one, _), other = connect(db), db.session()
    found = lines(one.client_list())
    assert [line["id"] for line in found] == [
        str(session.client.id) for session in (db, one, other)
    ]
    assert [line["addr"] for line in found][::2] == ["in-process:0"] * 2
    assert found[1]["cmd"] == "client|list"
    one.end()
    assert len(lines(db.client_list())) == 2


def test_list_by_type_and_by_id(db: Minidis[bytes]) -> None:
    (one, _), (two, client) = connect(db), connect(db)
    db.engine.observers.channels.subscribe(client, b"news")

    def ids(*words: Any) -> list[int]:
        return [int(line["id"]) for line in lines(db.execute("CLIENT", "LIST", *words))]

    assert ids("TYPE", "pubsub") == [two.client.id]
    assert ids("type", "NORMAL") == [db.client.id, one.client.id]
    assert ids("TYPE", "master") == ids("TYPE", "slave") == ids("TYPE", "replica") == []
    assert ids("ID", two.client.id, 0, one.client.id, 999, two.client.id) == [
        two.client.id, one.client.id, two.client.id,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("TYPE foo", "ERR Unknown client type 'foo'"),
        ("TYPE", "ERR syntax error"),
        ("ID", "ERR syntax error"),
        ("ID 1 x", "ERR Invalid client ID"),
        ("ID 1 TYPE normal", "ERR Invalid client ID"),
        ("TYPE normal ID 1", "ERR syntax error"),
        ("TYPE foo ID x", "ERR syntax error"),
        ("TYPE normal TYPE normal", "ERR syntax error"),
        ("FOO", "ERR syntax error"),
    ],
)
def test_lists_that_are_refused(db: Minidis[bytes], words: str, message: str) -> None:
    assert error_of(db, "CLIENT", "LIST", *words.split()) == message


# KILL --------------------------------------------------------------------------------------------


@pytest.fixture
def crowd(db: Minidis[bytes]) -> dict[str, Connection]:
    """Connections of several kinds; the one called `caller` has a session at `.session`."""
    found = {}
    for number, name in enumerate(("caller", "other", "listener", "ann")):
        session, client = connect(db, f"10.0.0.{number}:1000")
        client.local_address = f"10.0.1.{number % 2}:6379"
        client.keep = session  # type: ignore[attr-defined]
        found[name] = client
    db.engine.observers.channels.subscribe(found["listener"], b"news")
    db.execute("ACL", "SETUSER", "ann", "on", "nopass", "+@all")
    found["ann"].user = db.engine.users.get(b"ann")
    return found


def killed(crowd: dict[str, Connection]) -> str:
    return " ".join(
        name for name, client in crowd.items() if client.killed or client.close_after_reply
    )


@pytest.mark.parametrize(
    ("words", "reply", "gone"),
    [
        ("TYPE normal", 2, "other ann"),
        ("TYPE normal SKIPME no", 3, "caller other ann"),
        ("TYPE pubsub", 1, "listener"),
        ("TYPE slave", 0, ""),
        ("USER ann", 1, "ann"),
        ("USER default", 2, "other listener"),
        ("USER default TYPE pubsub", 1, "listener"),
        ("ADDR 10.0.0.1:1000", 1, "other"),
        ("ADDR 10.0.0.0:1000", 0, ""),
        ("ADDR 10.0.0.0:1000 SKIPME NO", 1, "caller"),
        ("LADDR 10.0.1.1:6379", 2, "other ann"),
        ("LADDR 10.0.1.1:6379 ADDR 10.0.0.3:1000", 1, "ann"),
        ("SKIPME yes", 3, "other listener ann"),
        ("ID 999", 0, ""),
        ("MAXAGE 100", 0, ""),
        ("10.0.0.1:1000", "OK", "other"),
        ("10.0.0.0:1000", "OK", "caller"),
    ],
)
def test_who_is_killed(crowd: dict[str, Connection], words: str, reply: Any, gone: str) -> None:
    caller = crowd["caller"]
    assert caller.owner is not None
    assert caller.owner.execute("CLIENT", "KILL", *words.split()) == reply
    assert killed(crowd) == gone
    assert not caller.killed, "it has its reply first"


def test_typed_kills(crowd: dict[str, Connection], db: Minidis[bytes]) -> None:
    assert db.client_kill(id=crowd["other"].id, skipme=False) == 1
    assert db.client_kill(type="PUBSUB", laddr="10.0.1.0:6379") == 1
    assert db.client_kill("10.0.0.3:1000") == "OK"
    assert killed(crowd) == "other listener ann"
    for call in (
        lambda: db.client_kill("10.0.0.1:1000", id=1),
        lambda: db.client_kill("10.0.0.1:1000", skipme=False),
    ):
        with pytest.raises(ResponseError, match=r"^ERR syntax error$"):
            call()
    with pytest.raises(ResponseError, match=r"^ERR wrong number of arguments for 'client\|kill'"):
        db.client_kill()


def test_kill_by_age() -> None:
    clock = minidis.ManualClock()
    with minidis.open(clock=clock) as db:
        (_old, one), _ = connect(db), clock.advance(10)
        (_new, two), _ = connect(db), clock.advance(5)
        assert db.client_kill(maxage=16) == 0
        assert db.client_kill(maxage=15) == 1
        assert [one.killed, two.killed] == [True, False]


def test_sessions_of_the_program_have_nothing_to_end_unless_they_wait(db: Minidis[bytes]) -> None:
    waiting = db.session()
    assert db.client_kill(id=waiting.client_id()) == 0
    assert db.client_kill(skipme=False) == 0
    assert error_of(db, "CLIENT", "KILL", "in-process:0") == "ERR No such client"
    call = Blocked(waiting, lambda: waiting.blpop("q"))
    assert db.client_kill(id=waiting.client.id) == 1
    assert isinstance(call.over(), minidis.MinidisError)
    assert waiting.ping() == "PONG"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("unknown", "ERR No such client"),
        ("ID", "ERR No such client"),
        ("ID x", "ERR client-id should be greater than 0"),
        ("ID 0", "ERR client-id should be greater than 0"),
        ("TYPE foo", "ERR Unknown client type 'foo'"),
        ("USER unknown", "ERR No such user 'unknown'"),
        ("USER unknown ID x", "ERR No such user 'unknown'"),
        ("ID x USER unknown", "ERR client-id should be greater than 0"),
        ("USER default SKIPME maybe", "ERR syntax error"),
        ("ID 1 ADDR", "ERR syntax error"),
        ("FOO 1", "ERR syntax error"),
        ("MAXAGE x", "ERR maxage is not an integer or out of range"),
        ("MAXAGE 0", "ERR maxage should be greater than 0"),
    ],
)
def test_kills_that_are_refused(db: Minidis[bytes], words: str, message: str) -> None:
    session, client = connect(db)
    assert error_of(session, "CLIENT", "KILL", *words.split()) == message
    assert not client.killed and not client.close_after_reply


# PAUSE and UNBLOCK -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("PAUSE x", "ERR timeout is not an integer or out of range"),
        ("PAUSE -1", "ERR timeout is negative"),
        ("PAUSE x FOO", "ERR CLIENT PAUSE mode must be WRITE or ALL"),
        ("Pause 1 ALL x", "ERR unknown subcommand or wrong number of arguments for 'Pause'. "
         "Try CLIENT HELP."),
        ("PAUSE", "ERR wrong number of arguments for 'client|pause' command"),
        ("UNBLOCK x", "ERR value is not an integer or out of range"),
        ("UNBLOCK x FOO", "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"),
        ("UNBLOCK 1 ERROR x", "ERR unknown subcommand or wrong number of arguments for 'UNBLOCK'. "
         "Try CLIENT HELP."),
        ("NO-EVICT x", "ERR syntax error"),
        ("NO-TOUCH x", "ERR syntax error"),
    ],
)  # fmt: skip
def test_calls_that_are_refused(db: Minidis[bytes], words: str, message: str) -> None:
    assert error_of(db, "CLIENT", *words.split()) == message
    assert db.engine.pause.until is None


def test_pause_says_until_when_and_for_whom() -> None:
    clock = minidis.ManualClock()
    with minidis.open(clock=clock) as db:
        now = clock.now()
        for words, pause in (("PAUSE 500 WRITE", (now + 500, True)),
                             ("PAUSE 300", (now + 500, False)),
                             ("UNPAUSE", None),
                             ("PAUSE 300 all", (now + 300, False)),
                             ("UNPAUSE", None),
                             ("PAUSE 9223372036854775807", (2**63 - 1, False))):  # fmt: skip
            assert db.execute("CLIENT", *words.split()) == "OK"
            held = db.engine.pause
            assert (held.until, held.writes_only) == (pause or (None, held.writes_only))
        db.client_unpause()
        assert db.client_pause(100, all=False) == "OK"
        held = db.engine.pause
        assert (held.until, held.writes_only) == (now + 100, True)


def test_paused_writes_wait_for_unpause(db: Minidis[bytes]) -> None:
    writer = db.session()
    db.client_pause(60_000, all=False)
    call = Blocked(writer, lambda: writer.set("a", 1))
    assert db.get("a") is None
    assert db.client_unpause() == "OK"
    assert [call.over(), db.get("a")] == ["OK", b"1"]


def test_unblock_as_by_the_timeout_or_with_an_error(db: Minidis[bytes]) -> None:
    waiting = db.session()
    number = waiting.client_id()
    assert db.client_unblock(number) == db.client_unblock(999) == db.client_unblock(-1) == 0
    for words, reply in ((["TIMEOUT"], None), ([], None)):
        call = Blocked(waiting, lambda: waiting.blpop("q"))
        assert db.execute("CLIENT", "UNBLOCK", number, *words) == 1
        assert call.over() == reply
    call = Blocked(waiting, lambda: waiting.blpop("q"))
    assert db.client_unblock(number, error=True) == 1
    assert str(call.over()) == "UNBLOCKED client unblocked via CLIENT UNBLOCK"


def test_no_touch_leaves_the_keys_idle() -> None:
    clock = minidis.ManualClock()
    with minidis.open(clock=clock) as db:
        db.set("a", 1)
        db.object_idletime("a")
        clock.advance(10)
        quiet = db.session()
        assert quiet.client_no_touch("ON") == "OK"
        quiet.get("a")
        assert db.object_idletime("a") == 10
        quiet.touch("a")
        assert db.object_idletime("a") == 0
        clock.advance(10)
        quiet.client_no_touch("OFF")
        quiet.get("a")
        assert db.object_idletime("a") == 0


# help --------------------------------------------------------------------------------------------


def test_help_names_every_subcommand(db: Minidis[bytes]) -> None:
    named = {line.split()[0] for line in db.client_help()[1:] if re.match(r"[A-Z]", line)}
    listed = {name.decode().partition("|")[2].upper() for name in
              db.command_list(pattern="client|*")}  # fmt: skip
    assert named == listed
