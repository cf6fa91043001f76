"""One client after another: commands, order, waiting, messages, and how connections end."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

import minidis
from minidis.replies import Push
from minidis.server import connection
from minidis.server.resp_server import RespServer
from tests.calls import eventually
from tests.oracle.resp import pack
from tests.oracle.server import RealServer
from tests.server.conftest import Wire

Connect = Callable[[], Wire]
DB = minidis.Minidis[bytes]


def test_commands_and_errors(wire: Wire, db: DB) -> None:
    assert wire.ask("PING") == "PONG"
    assert wire.ask("SET k v", "GET k", "GET none", "INCR k", "nope") == [
        "OK", b"v", None, "ERR value is not an integer or out of range",
        "ERR unknown command 'nope', with args beginning with: ",
    ]  # fmt: skip
    assert db.get("k") == b"v"


def test_typed_and_inline_commands_at_once(wire: Wire) -> None:
    wire.send(b'SET k "a b"\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\nPING\n')
    assert [wire.receive() for _ in range(3)] == ["OK", b"a b", "PONG"]


def test_a_command_in_single_bytes(wire: Wire) -> None:
    for byte in pack([[b"SET", b"k", b"\r\n"], [b"GET", b"k"]]):
        wire.send(bytes([byte]))
    assert [wire.receive(), wire.receive()] == ["OK", b"\r\n"]


def test_a_long_pipeline_keeps_its_order(wire: Wire) -> None:
    count = 5000
    wire.send(pack([[b"INCR", b"n"], [b"LLEN", b"none"]] * count))
    replies = [wire.receive() for _ in range(2 * count)]
    assert replies[::2] == list(range(1, count + 1))
    assert set(replies[1::2]) == {0}


def test_values_of_many_megabytes(wire: Wire) -> None:
    value = bytes(range(256)) * 20_000
    wire.send(pack([[b"SET", b"k", value], [b"GET", b"k"], [b"STRLEN", b"k"]]))
    assert [wire.receive() for _ in range(3)] == ["OK", value, len(value)]


def test_resp3_and_back(wire: Wire) -> None:
    assert wire.ask("HSET h a 1", "HGETALL h") == [1, [b"a", b"1"]]
    assert wire.ask("HELLO 3")[b"proto"] == 3
    assert wire.ask("HGETALL h", "GET none", "SMEMBERS none") == [{b"a": b"1"}, None, set()]
    assert wire.ask("HELLO 2")[:2] == [b"server", b"redis"]
    assert wire.ask("HGETALL h") == [b"a", b"1"]


def test_a_protocol_error_ends_the_connection_after_the_answers(wire: Wire) -> None:
    wire.send(b"PING\r\n*1\r\nPING\r\nPING\r\n")
    assert wire.rest() == b"+PONG\r\n-ERR Protocol error: expected '$', got 'P'\r\n"


def test_a_protocol_error_that_nobody_wants_to_hear_of(connect: Connect) -> None:
    wire = connect()
    wire.say("CLIENT REPLY OFF")
    wire.socket.sendall(b"*1\r\nPING\r\n")
    assert wire.rest() == b""


@pytest.mark.parametrize("line", [b"POST / HTTP/1.1\r\n", b"host: localhost\r\n"])
def test_browsers_are_sent_away(wire: Wire, db: DB, line: bytes) -> None:
    wire.send(line + b"SET k v\r\n")
    assert wire.rest() == b""
    assert db.exists("k") == 0


def test_quit_and_what_follows_it(wire: Wire, db: DB) -> None:
    wire.send(b"QUIT\r\nSET k v\r\n")
    assert wire.rest() == b"+OK\r\n"
    assert db.exists("k") == 0


def test_replies_off_skipped_and_on(wire: Wire) -> None:
    wire.say("CLIENT REPLY OFF", "SET k v", "CLIENT REPLY ON", "GET k")
    assert [wire.receive(), wire.receive()] == ["OK", b"v"]
    wire.say("CLIENT REPLY SKIP", "GET k", "GET none")
    assert wire.receive() is None


def test_nothing_is_said_of_a_database_that_is_not_the_selected_one(connect: Connect) -> None:
    one, other = connect(), connect()
    assert one.ask("SELECT 1", "SET k v", "GET k") == ["OK", "OK", b"v"]
    assert other.ask("GET k") is None


# transactions and nulls --------------------------------------------------------------------------


def test_exec_has_nulls_as_its_commands_have_them(wire: Wire) -> None:
    wire.say("MULTI", "GET k", "BLPOP l 0", "LPOP l", "LPOP l 1", "EXEC")
    for line in (b"+OK\r\n", *[b"+QUEUED\r\n"] * 4):
        assert wire.socket.recv(len(line)) == line
    wire.say("QUIT")
    assert wire.rest() == b"*4\r\n$-1\r\n*-1\r\n$-1\r\n*-1\r\n+OK\r\n"


def test_watch_over_two_connections(connect: Connect) -> None:
    one, other = connect(), connect()
    assert one.ask("WATCH k", "MULTI", "SET k mine") == ["OK", "OK", "QUEUED"]
    other.ask("SET k theirs")
    one.say("EXEC", "QUIT")
    assert one.rest() == b"*-1\r\n+OK\r\n"


COMPARED = """
SET k v|GET k|GET none|MGET k none|STRLEN k|APPEND k w|TYPE k|TYPE none|OBJECT ENCODING k
RPUSH l a b c|LRANGE l 0 -1|LPOP l 2|LPOP none|LPOP none 1|LMPOP 1 none LEFT|LMPOP 1 l LEFT|LPOS l a
HSET h a 1|HGETALL h|HMGET h a b|HSCAN h 0|HRANDFIELD h 1 WITHVALUES|HINCRBYFLOAT h a 0.5|CONFIG GET timeout
SADD s a|SMEMBERS s|SMISMEMBER s a b|SSCAN s 0|SPOP none|SPOP none 1|SINTERCARD 1 s
ZADD z 1.5 a|ZSCORE z a|ZSCORE z b|ZRANGE z 0 -1 WITHSCORES|ZSCAN z 0|ZMSCORE z a b|ZPOPMIN z|ZPOPMIN none 1|ZMPOP 1 none MIN|ZINCRBY z 0.25 a|ZADD z INCR 1 a|ZRANK z b
BLPOP none 0.01|BLMOVE none b LEFT LEFT 0.01|BRPOPLPUSH none b 0.01|BZPOPMIN none 0.01|BLMPOP 0.01 1 none LEFT|BZMPOP 0.01 1 none MIN
MULTI|BLPOP none 0|BLMOVE none b LEFT LEFT 0|LPOP none 1|ZSCAN none 0|SET a|EXEC
MULTI|INCR n|GET n|EXEC|MULTI|DISCARD|EXEC
SORT none|LCS a b IDX|COPY none b|EXPIRETIME none|DUMP none|SUBSTR none 0 1|ECHO x|PING x
"""  # noqa: E501


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("lines", COMPARED.strip().splitlines())
def test_the_same_bytes_as_a_real_server(
    wire: Wire, real_server: RealServer, lines: str, protocol: int
) -> None:
    commands = ["FLUSHALL", *lines.split("|"), "QUIT"]
    if protocol == 3:
        assert wire.ask("HELLO 3")[b"proto"] == 3
    wire.say(*commands)
    theirs = Wire(f"unix:{real_server.path}")
    with contextlib.closing(theirs):
        if protocol == 3:
            theirs.ask("HELLO 3")
        theirs.say(*commands)
        assert wire.rest() == theirs.rest()


# commands that wait ------------------------------------------------------------------------------


def test_a_waiting_client_is_served_by_another_and_by_the_program(connect: Connect, db: DB) -> None:
    waiting, other = connect(), connect()
    waiting.say("BLPOP l 0", "PING")
    eventually(lambda: len(db.engine.observers.blocked) == 1)
    assert other.ask("RPUSH l a") == 1
    assert [waiting.receive(), waiting.receive()] == [[b"l", b"a"], "PONG"]
    waiting.say("BLPOP l 0")
    eventually(lambda: len(db.engine.observers.blocked) == 1)
    db.rpush("l", "b")
    assert waiting.receive() == [b"l", b"b"]


def test_the_program_is_served_by_a_client(wire: Wire, db: DB) -> None:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(db.session().blpop("l")))
    thread.start()
    eventually(lambda: len(db.engine.observers.blocked) == 1)
    wire.ask("RPUSH l a")
    thread.join(5)
    assert [list(reply) for reply in found] == [[b"l", b"a"]]


def test_nobody_waits_longer_than_asked(wire: Wire, db: DB) -> None:
    wire.say("BLPOP l 0.01", "QUIT")
    assert wire.rest() == b"*-1\r\n+OK\r\n"
    assert len(db.engine.observers.blocked) == 0


def test_who_goes_while_waiting_takes_nothing_with_it(wire: Wire, db: DB) -> None:
    wire.say("BLPOP l 0")
    eventually(lambda: len(db.engine.observers.blocked) == 1)
    wire.close()
    eventually(lambda: len(db.engine.observers.blocked) == 0)
    assert db.rpush("l", "a") == 1
    assert db.llen("l") == 1


def test_what_a_waiting_client_sends_is_kept_for_later(wire: Wire, db: DB) -> None:
    wire.say("BLPOP l 0")
    eventually(lambda: len(db.engine.observers.blocked) == 1)
    wire.say(*["INCR n"] * 500)
    wire.say("CLIENT REPLY SKIP", "PING", "GET n")
    assert db.get("n") is None
    db.rpush("l", "a")
    assert wire.receive() == [b"l", b"a"]
    assert [wire.receive() for _ in range(501)] == [*range(1, 501), b"500"]


def test_a_pause_holds_clients_until_its_end(connect: Connect) -> None:
    one, other = connect(), connect()
    assert one.ask("CLIENT PAUSE 20 WRITE") == "OK"
    other.say("GET k", "SET k v", "GET k", "GET none", "QUIT")
    assert other.rest() == b"$-1\r\n+OK\r\n$1\r\nv\r\n$-1\r\n+OK\r\n"


# messages ----------------------------------------------------------------------------------------


def test_messages_of_clients_and_of_the_program(connect: Connect, db: DB) -> None:
    listener, speaker = connect(), connect()
    assert listener.ask("SUBSCRIBE news") == [b"subscribe", b"news", 1]
    assert speaker.ask("PUBLISH news one") == 1
    assert db.publish("news", "two") == 1
    assert [listener.receive(), listener.receive()] == [
        [b"message", b"news", b"one"],
        [b"message", b"news", b"two"],
    ]


def test_replies_and_messages_keep_their_order_in_resp3(connect: Connect) -> None:
    wire = connect()
    wire.say("HELLO 3", "SUBSCRIBE a b", "GET k", "PUBLISH a x", "PUBLISH b y", "UNSUBSCRIBE a")
    wire.receive()
    found = [wire.receive() for _ in range(8)]
    pushes = [item.__class__ is Push for item in found]
    assert pushes == [True, True, False, False, True, False, True, True]
    assert found[4] == [b"message", b"a", b"x"]
    assert found[6] == [b"message", b"b", b"y"]


def test_messages_to_who_does_not_listen_come_after_the_answers_of_a_batch(
    connect: Connect,
) -> None:
    """In RESP3 invalidations may be redirected to a client that has subscribed to nothing."""
    reader, target = connect(), connect()
    number = target.ask("CLIENT ID")
    target.ask("HELLO 3")
    reader.ask(f"CLIENT TRACKING ON REDIRECT {number}")
    reader.ask("GET k")
    target.say("SET k 1", "GET k")
    assert [target.receive() for _ in range(3)] == ["OK", b"1", [b"invalidate", [b"k"]]]


def test_who_leaves_hears_nothing_any_more(connect: Connect, db: DB) -> None:
    listener = connect()
    listener.ask("SUBSCRIBE news")
    listener.close()
    eventually(lambda: db.publish("news", "x") == 0)


def test_invalidations_come_after_the_answer_they_invalidate(connect: Connect, db: DB) -> None:
    """A reader gets the old value before the invalidation by a write of another thread."""
    wire = connect()
    wire.ask("HELLO 3", "CLIENT TRACKING ON")
    writing = threading.Event()
    written = 0

    def write() -> None:
        nonlocal written
        while not writing.is_set():
            written += 1
            db.set("k", str(written))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        known: Any = None
        for _ in range(200):
            wire.say("GET k")
            while isinstance(found := wire.receive(), Push):
                known = None
            known = found
    finally:
        writing.set()
        thread.join()
    # The last write has invalidated what was read last, unless it was the last.
    db.set("k", "final")
    wire.say("PING")
    while (found := wire.receive()) != "PONG":
        known = None
    assert known is None


def test_an_unexpected_error_is_an_answer_and_a_report(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", reports.append)
    monkeypatch.setattr("minidis.keyspace.keyspace.Keyspace.string", lambda *_: 1 / 0)
    wire.ask("LPUSH l a")
    assert wire.ask("GET l", "PING") == ["ERR internal error: ZeroDivisionError", "PONG"]
    assert reports[0].exc_type is ZeroDivisionError


def test_who_says_no_more_is_answered_first(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "SLICE", 0.0)
    wire.send(pack([[b"INCR", b"n"]] * 20_000))
    wire.socket.shutdown(socket.SHUT_WR)
    assert wire.rest().endswith(b":19999\r\n:20000\r\n")


def test_who_says_no_more_does_not_wait(wire: Wire, db: DB) -> None:
    wire.say("PING", "BLPOP l 0")
    wire.socket.shutdown(socket.SHUT_WR)
    assert wire.rest() == b"+PONG\r\n"
    eventually(lambda: len(db.engine.observers.blocked) == 0)


def test_an_answer_that_cannot_be_written_ends_the_connection(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", reports.append)
    monkeypatch.setattr("minidis.keyspace.keyspace.Keyspace.string", lambda *_: object())
    wire, other = connect(), connect()
    wire.say("LPUSH l a", "GET l", "PING")
    assert wire.rest() == b""
    assert reports[0].exc_type is TypeError
    assert other.ask("PING") == "PONG"


def test_a_transaction_held_by_a_pause_answers_as_any_other(connect: Connect) -> None:
    one, other = connect(), connect()
    assert one.ask("CLIENT PAUSE 20 WRITE") == "OK"
    other.say("MULTI", "SET k v", "LPOP none 1", "SUBSCRIBE c", "EXEC", "QUIT")
    assert other.rest() == (
        b"+OK\r\n" + b"+QUEUED\r\n" * 3 + b"*3\r\n+OK\r\n*-1\r\n"
        b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n+OK\r\n"
    )


# how they end ------------------------------------------------------------------------------------


def test_a_killed_client_is_gone_at_once(connect: Connect, db: DB) -> None:
    victim, killer = connect(), connect()
    number = victim.ask("CLIENT ID")
    victim.ask("SUBSCRIBE news")
    assert killer.ask(f"CLIENT KILL ID {number}", "PUBLISH news x", f"CLIENT KILL ID {number}") == [
        1, 0, 0,
    ]  # fmt: skip
    assert victim.rest() == b""
    assert killer.ask(f"CLIENT KILL ID {killer.ask('CLIENT ID')} SKIPME no") == 1
    assert killer.rest() == b""


def test_the_program_may_kill_a_waiting_client(wire: Wire, db: DB) -> None:
    number = wire.ask("CLIENT ID")
    wire.say("BLPOP l 0")
    eventually(lambda: len(db.engine.observers.blocked) == 1)
    assert db.execute("CLIENT", "KILL", "ID", number) == 1
    assert len(db.engine.observers.blocked) == 0
    assert wire.rest() == b""


def test_client_list_knows_addresses_and_commands(connect: Connect, server: RespServer) -> None:
    one, other = connect(), connect()
    port = one.socket.getsockname()[1]
    one.ask("CLIENT SETNAME one", "GET k")
    text = other.ask("CLIENT LIST").decode()
    (line,) = [line for line in text.splitlines() if " name=one " in line]
    assert f" addr=127.0.0.1:{port} laddr={server.address} " in line
    assert " cmd=get " in line
    assert " idle=0 " in line


def test_many_commands_of_one_client_do_not_keep_others_waiting(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client yields after a slice; here after every batch."""
    monkeypatch.setattr(connection, "SLICE", 0.0)
    busy, other = connect(), connect()
    busy.ask("PING")
    count = 30_000
    data = pack([[b"INCR", b"n"]] * count)
    sender = threading.Thread(target=busy.send, args=(data,))
    sender.start()
    assert busy.receive() == 1
    seen = int(other.ask("GET n"))
    replies = [busy.receive() for _ in range(count - 1)]
    sender.join()
    assert seen < count == replies[-1]
