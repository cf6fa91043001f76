"""HELLO, AUTH, RESET, QUIT, MONITOR and PING, from connections and from the program."""

from __future__ import annotations

from typing import Any

import pytest

from minidis import Minidis, ResponseError
from minidis.replies import NO_REPLY
from tests.commands.callers import connect


def error_of(session: Any, *words: Any) -> str:
    with pytest.raises(ResponseError) as caught:
        session.execute(*words)
    return str(caught.value)


# PING --------------------------------------------------------------------------------------------


def test_ping_while_listening_is_a_message_in_resp2_alone(db: Minidis[bytes]) -> None:
    session, client = connect(db)
    assert [session.ping(), session.ping("x")] == ["PONG", b"x"]
    db.engine.observers.channels.subscribe(client, b"news")
    assert [session.ping(), session.ping("x")] == [[b"pong", b""], [b"pong", b"x"]]
    client.protocol = 3
    assert [session.ping(), session.ping("x")] == ["PONG", b"x"]


# HELLO -------------------------------------------------------------------------------------------


def test_hello_tells_who_serves_and_chooses_the_protocol(db: Minidis[bytes]) -> None:
    session, client = connect(db)
    first = session.execute("HELLO")
    assert first == {
        b"server": b"redis", b"version": b"7.4.1", b"proto": 2, b"id": client.id,
        b"mode": b"standalone", b"role": b"master", b"modules": [],
    }  # fmt: skip
    assert session.execute("HELLO", 3) == {**first, b"proto": 3}
    assert client.protocol == 3
    assert session.execute("HELLO")[b"proto"] == 3
    assert session.execute("HELLO", 2, "SETNAME", "ann", "AUTH", "default", "x")[b"proto"] == 2
    assert (client.protocol, client.name) == (2, b"ann")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("x", "ERR Protocol version is not an integer or out of range"),
        ("03", "ERR Protocol version is not an integer or out of range"),
        ("AUTH a b", "ERR Protocol version is not an integer or out of range"),
        ("1", "NOPROTO unsupported protocol version"),
        ("4 FOO", "NOPROTO unsupported protocol version"),
        ("3 FOO", "ERR Syntax error in HELLO option 'FOO'"),
        ("3 auth a", "ERR Syntax error in HELLO option 'auth'"),
        ("3 SETNAME", "ERR Syntax error in HELLO option 'SETNAME'"),
        ("3 AUTH a x FOO", "ERR Syntax error in HELLO option 'FOO'"),
        ("3 FOO AUTH a x", "ERR Syntax error in HELLO option 'FOO'"),
        (
            "3 AUTH a x SETNAME é",
            "ERR Client names cannot contain spaces, newlines or special characters.",
        ),
        ("3 AUTH a x SETNAME b", "WRONGPASS invalid username-password pair or user is disabled."),
        ("3 SETNAME é AUTH a x",
         "ERR Client names cannot contain spaces, newlines or special characters."),
    ],
)  # fmt: skip
def test_hello_refuses_what_is_wrong_first(db: Minidis[bytes], words: str, message: str) -> None:
    session, client = connect(db)
    assert error_of(session, "HELLO", *words.split()) == message
    assert (client.protocol, client.name) == (2, b"")


def test_hello_needs_who_it_is_where_a_password_is_needed(db: Minidis[bytes]) -> None:
    db.execute("ACL", "SETUSER", "default", "resetpass", ">pw")
    session, client = connect(db)
    assert error_of(session, "HELLO", "3").startswith("NOAUTH HELLO must be called with the client")
    assert error_of(session, "HELLO", "3", "FOO") == "ERR Syntax error in HELLO option 'FOO'"
    assert error_of(session, "PING").startswith("NOAUTH ")
    assert client.protocol == 2
    assert session.execute("HELLO", 3, "AUTH", "default", "pw")[b"proto"] == 3
    assert session.ping() == "PONG"


def test_the_program_speaks_resp3_only(db: Minidis[bytes]) -> None:
    assert db.hello(3)[b"proto"] == db.hello()[b"proto"] == 3
    with pytest.raises(ResponseError, match=r"^NOPROTO "):
        db.hello(2)


# AUTH --------------------------------------------------------------------------------------------


def test_auth(db: Minidis[bytes]) -> None:
    session, client = connect(db)
    assert error_of(session, "AUTH", "x").startswith("ERR AUTH <password> called without any")
    assert error_of(session, "AUTH", "a", "b", "c") == "ERR syntax error"
    db.execute("ACL", "SETUSER", "ann", "on", ">one", ">two", "+@all", "~*")
    assert error_of(session, "AUTH", "ann", "three").startswith("WRONGPASS ")
    assert client.user is db.engine.users.default
    for password in ("one", "two"):
        assert session.execute("AUTH", "ann", password) == "OK"
        assert client.user is db.engine.users.get(b"ann")
    db.execute("ACL", "SETUSER", "default", "resetpass", ">pw")
    assert error_of(session, "AUTH", "one").startswith("WRONGPASS ")
    assert session.execute("AUTH", "pw") == "OK"
    assert client.user is db.engine.users.default


def test_a_wrong_password_is_logged(db: Minidis[bytes]) -> None:
    session, _ = connect(db, "10.0.0.7:4711")
    error_of(session, "AUTH", "ann", "x")
    error_of(session, "HELLO", "3", "AUTH", "bob", "x")
    entries = db.execute("ACL", "LOG")
    assert [(entry[b"reason"], entry[b"object"], entry[b"username"]) for entry in entries] == [
        (b"auth", b"HELLO", b"bob"),
        (b"auth", b"AUTH", b"ann"),
    ]
    assert b"addr=10.0.0.7:4711" in entries[0][b"client-info"]


def test_the_program_stays_trusted_whoever_it_says_it_is(db: Minidis[bytes]) -> None:
    db.execute("ACL", "SETUSER", "eve", "on", ">pw")
    assert db.auth("pw", "eve") == "OK"
    assert db.set("a", 1) == "OK"
    with pytest.raises(ResponseError, match=r"^WRONGPASS"):
        db.auth("other", "eve")


# RESET and QUIT ----------------------------------------------------------------------------------


def test_reset_makes_a_connection_as_new(db: Minidis[bytes]) -> None:
    db.execute("ACL", "SETUSER", "ann", "on", ">pw", "+@all", "~*", "&*")
    session, client = connect(db)
    session.execute("HELLO", 3, "AUTH", "ann", "pw", "SETNAME", "worker")
    session.select(5)
    session.watch("a")
    session.himport_prepare("1", "field")
    session.client_no_evict("ON")
    session.client_no_touch("ON")
    session.execute("MONITOR")
    db.engine.observers.channels.subscribe(client, b"news")
    db.engine.observers.channels.subscribe_pattern(client, b"n*")
    db.engine.observers.channels.subscribe_shard(client, b"shard")
    db.engine.observers.tracking.start(client)
    client.reply_mode = "off"
    session.multi()
    assert session.execute("RESET") == "RESET"
    assert session.client.queue is None and session.client.watch is None
    assert session.client.fieldsets is None
    assert session.space is db.engine.databases[0]
    assert (client.protocol, client.name, client.reply_mode) == (2, b"", "on")
    assert client.user is db.engine.users.default
    assert not (client.listening or client.monitors or client.tracking)
    assert not (client.no_evict or client.no_touch or db.engine.clients.monitors)
    assert not (db.engine.unit.observed or db.engine.unit.interest or session.needs_checks)
    assert db.engine.observers.channels.publish(b"news", b"x") == 0


def test_reset_leaves_other_monitors_alone(db: Minidis[bytes]) -> None:
    (one, _), (other, client) = connect(db), connect(db)
    one.execute("MONITOR")
    other.execute("MONITOR")
    one.reset()
    assert list(db.engine.clients.monitors) == [client]
    assert one.needs_checks, "another session still watches"


def test_after_reset_a_password_is_needed_again(db: Minidis[bytes]) -> None:
    db.execute("ACL", "SETUSER", "default", "resetpass", ">pw")
    session, _ = connect(db)
    session.auth("pw")
    assert session.execute("CLIENT", "ID") > 0
    assert session.reset() == "RESET"
    assert error_of(session, "CLIENT", "ID").startswith("NOAUTH ")


def test_reset_of_the_program(db: Minidis[bytes]) -> None:
    db.select(3)
    db.client_setname("me")
    db.multi()
    assert db.reset() == "RESET"
    assert db.client_getname() is None
    assert db.hello()[b"proto"] == 3
    assert b" db=0 " in db.client_info()


def test_quit_closes_after_its_answer_whatever_follows(db: Minidis[bytes]) -> None:
    for words in (["QUIT"], ["quit", "now", "please"]):
        session, client = connect(db)
        session.multi()
        assert session.execute(*words) == "OK"
        assert client.close_after_reply and not client.killed
    assert "use close() to close the database" in error_of(db, "QUIT")


# MONITOR -----------------------------------------------------------------------------------------


def test_monitor_enters_the_client_once(db: Minidis[bytes]) -> None:
    session, client = connect(db)
    assert not db.needs_checks
    assert session.execute("MONITOR") == "OK"
    assert client.monitors and list(db.engine.clients.monitors) == [client]
    assert db.needs_checks, "everybody's commands are shown"
    assert session.execute("MONITOR") is NO_REPLY
    assert "db.monitor()" in error_of(db, "MONITOR")


def test_monitor_cannot_begin_amid_a_transaction(db: Minidis[bytes]) -> None:
    session, client = connect(db)
    session.multi()
    session.execute("MONITOR")
    session.execute("PING")
    refused, pong = session.exec()
    assert str(refused) == "ERR MONITOR isn't allowed for DENY BLOCKING client"
    assert pong == "PONG" and not client.monitors and not db.engine.clients.monitors
