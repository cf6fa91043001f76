"""What clients may not do to the program: be too many, send too much, read nothing, do nothing."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from typing import Any

import pytest

import minidis
from minidis.server import connection
from minidis.server.resp_server import RespServer
from tests.calls import eventually
from tests.oracle.resp import pack
from tests.oracle.server import RealServer
from tests.server.conftest import Wire

Connect = Callable[[], Wire]
DB = minidis.Minidis[bytes]


def test_too_many_clients(connect: Connect, db: DB) -> None:
    db.execute("CONFIG", "SET", "maxclients", 2)
    one, two = connect(), connect()
    assert one.ask("PING") == two.ask("PING") == "PONG"
    assert connect().rest() == b"-ERR max number of clients reached\r\n"
    two.close()
    eventually(lambda: len(db.engine.server.connections) == 1)  # type: ignore[union-attr]
    assert connect().ask("PING") == "PONG"


def test_idle_clients_are_sent_away_and_busy_ones_stay(connect: Connect, db: DB) -> None:
    idle, waiting, listening = connect(), connect(), connect()
    assert idle.ask("PING") == "PONG"
    waiting.say("BLPOP l 0")
    listening.ask("SUBSCRIBE news")
    eventually(lambda: len(db.engine.observers.blocked) == 1)
    db.engine.settings.clients.set("idle", 0.02)  # CONFIG SET takes whole seconds
    assert idle.rest() == b""
    db.rpush("l", "a")
    db.publish("news", "x")
    assert waiting.receive() == [b"l", b"a"]
    assert listening.receive()[2] == b"x"
    late = connect()  # the timer is there for who comes later, too
    assert late.rest() == b""


def test_there_is_no_timer_while_nobody_can_be_idle(connect: Connect, db: DB) -> None:
    wire = connect()
    wire.ask("PING")
    servers = db.engine.server
    assert servers is not None
    assert servers._timer is None
    wire.ask("CONFIG SET timeout 100")
    eventually(lambda: servers._timer is not None)
    wire.ask("CONFIG SET timeout 0")
    eventually(lambda: servers._timer is None)


def test_the_system_probes_silent_clients(connect: Connect, db: DB) -> None:
    def keepalive() -> Any:
        (one,) = db.engine.server.connections  # type: ignore[union-attr]
        sock = one.transport.get_extra_info("socket")
        return sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)

    wire = connect()
    wire.ask("PING")
    assert keepalive() == 1
    wire.ask("CONFIG SET tcp-keepalive 0")
    wire.close()
    eventually(lambda: not db.engine.server.connections)  # type: ignore[union-attr]
    connect().ask("PING")
    assert keepalive() == 0


def test_strangers_are_refused_while_there_is_no_password(
    connect: Connect, db: DB, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "is_loopback", lambda peer: False)
    assert connect().rest().startswith(b"-DENIED Redis is running in protected mode because ")
    db.execute("CONFIG", "SET", "protected-mode", "no")
    assert connect().ask("PING") == "PONG"
    db.execute("CONFIG", "SET", "protected-mode", "yes", "requirepass", "secret")
    assert connect().ask("PING", "AUTH secret", "PING") == [
        "NOAUTH Authentication required.", "OK", "PONG",
    ]  # fmt: skip


def test_strangers_may_say_little_until_they_authenticate(connect: Connect, db: DB) -> None:
    db.execute("CONFIG", "SET", "requirepass", "secret")
    many = pack([[b"AUTH", b"secret"], [b"MSET", *[b"x"] * 12], [b"SET", b"big", b"v" * 20_000]])
    wire = connect()
    wire.send(many)
    assert [wire.receive() for _ in range(3)] == ["OK", "OK", "OK"]
    early = connect()
    early.send(many[many.index(b"*13") :])
    assert early.rest() == b"-ERR Protocol error: unauthenticated multibulk length\r\n"


def test_longest_word(wire: Wire) -> None:
    assert wire.ask("CONFIG SET proto-max-bulk-len 1mb") == "OK"
    wire.send(b"*2\r\n$4\r\nECHO\r\n$1048577\r\n")
    assert wire.rest() == b"-ERR Protocol error: invalid bulk length\r\n"


def test_a_command_that_is_too_large_closes(wire: Wire) -> None:
    assert wire.ask("CONFIG SET client-query-buffer-limit 1mb") == "OK"
    wire.send(b"*1000000\r\n")
    with pytest.raises(OSError):
        for _ in range(100):
            wire.send(b"$50000\r\n" + b"x" * 50_000 + b"\r\n")
        wire.receive()


def test_a_client_that_does_not_listen_is_cut_off(connect: Connect, db: DB) -> None:
    """Messages are not kept for ever for a subscriber that does not read."""
    db.execute("CONFIG", "SET", "client-output-buffer-limit", "pubsub 1mb 0 0")
    deaf, good = connect(), connect()
    deaf.ask("SUBSCRIBE news")
    good.ask("SUBSCRIBE news")
    message = b"x" * 100_000
    for _ in range(500):
        if db.publish("news", message) == 1:
            break
        assert good.receive()[2] == message
    else:
        pytest.fail("the deaf client is still there")


def test_a_soft_limit_needs_time(connect: Connect, db: DB) -> None:
    db.engine.settings.clients.output["pubsub"] = (0, 1000, 0)
    deaf = connect()
    deaf.ask("SUBSCRIBE news")
    eventually(lambda: db.publish("news", b"x" * 100_000) == 0)


def test_a_client_that_reads_nothing_is_not_worked_for(connect: Connect, db: DB) -> None:
    """It has asked for 400 MB and reads nothing: a few are made, and it gets all once it reads."""
    size, count = 200_000, 2000
    db.set("big", b"v" * size)
    slow, other = connect(), connect()
    slow.send(pack([[b"GET", b"big"], [b"INCR", b"n"]] * count))
    eventually(lambda: any(one.write_paused for one in db.engine.server.connections))  # type: ignore[union-attr]
    made = int(other.ask("GET n"))
    assert 0 < made < count // 10
    for number in range(1, 101):
        assert slow.receive() == b"v" * size
        assert slow.receive() == number


@pytest.mark.slow
def test_who_sends_a_whole_pipeline_before_it_reads_does_not_hang(wire: Wire, db: DB) -> None:
    """Its commands are taken, up to a limit, while its replies wait."""
    db.set("k", b"v" * 1000)
    count = 60_000
    wire.send(pack([[b"GET", b"k"]] * count))
    assert all(wire.receive() == b"v" * 1000 for _ in range(count))


def test_garbage_and_half_open_connections_do_no_harm(
    connect: Connect, db: DB, server: RespServer
) -> None:
    chance = random.Random(4)
    host, port = server.address.split(":")
    half_open = []
    for _ in range(300):
        guest = socket.create_connection((host, int(port)))
        guest.settimeout(5)
        guest.sendall(chance.randbytes(chance.randrange(1, 400)))
        if chance.random() < 0.5:
            guest.close()
        else:
            half_open.append(guest)
    assert connect().ask("SET k v", "GET k") == ["OK", b"v"]
    for guest in half_open:
        guest.close()
    eventually(lambda: len(db.engine.server.connections) == 1)  # type: ignore[union-attr]


def test_garbage_gets_the_answers_of_a_real_server(
    connect: Connect, real_server: RealServer
) -> None:
    chance = random.Random(7)
    pieces = [
        *(b"\r\n", b"*1", b"*2\r\n", b"$4\r\nPING\r\n", b"$0\r\n\r\n", b"$1\r\na\r\n", b"+a\r\n"),
        *(b"*0\r\n", b"$-1\r\n", b"*-1\r\n", b"*99999999999\r\n", b"'", b'"', b" ", b"\0", b"a"),
        *(b"ECHO ", b"\\x41", b"*1\r\n$4\r\nPING\r\n", b"ECHO x\r\n", b"\xff", b":1\r\n"),
    ]
    for _ in range(150):
        data = b"".join(chance.choices(pieces, k=chance.randrange(1, 9)))
        found = []
        for wire in (connect(), Wire(f"unix:{real_server.path}")):
            wire.send(data)
            wire.socket.shutdown(socket.SHUT_WR)
            found.append(wire.rest())
            wire.close()
        assert found[0] == found[1], data


def test_a_slow_client_costs_its_buffer_alone(connect: Connect) -> None:
    slow, other = connect(), connect()
    for byte in b"*2\r\n$4\r\nECHO\r\n$1":
        slow.send(bytes([byte]))
        assert other.ask("PING") == "PONG"
    slow.send(b"\r\nx\r\n")
    assert slow.receive() == b"x"


CONFIG = [
    ("maxclients", "0", "argument must be between 1 and 4294967295 inclusive"),
    ("timeout", "-1", "argument must be between 0 and 2147483647 inclusive"),
    ("tcp-keepalive", "x", "argument couldn't be parsed into an integer"),
    ("client-query-buffer-limit", "1", "argument must be between 1048576 and 9223372036854775807"),
    ("protected-mode", "maybe", "argument must be 'yes' or 'no'"),
    ("client-output-buffer-limit", "normal 1 2", "Wrong number of arguments in buffer limit"),
    ("client-output-buffer-limit", "none 1 2 3", "Invalid client class specified in buffer limit"),
    ("client-output-buffer-limit", "normal a 2 3", "Error in hard, soft or soft_seconds setting"),
]


@pytest.mark.parametrize(("name", "value", "sentence"), CONFIG)
def test_parameters_refuse_as_redis_does(
    db: DB, real_server: RealServer, name: str, value: str, sentence: str
) -> None:
    with pytest.raises(minidis.ResponseError) as raised:
        db.execute("CONFIG", "SET", name, value)
    assert sentence in str(raised.value)
    assert str(raised.value) == str(real_server.execute("CONFIG", "SET", name, value))


def test_parameters_are_shown_as_redis_does(db: DB, real_server: RealServer) -> None:
    names = ["maxclients", "timeout", "tcp-keepalive", "client-query-buffer-limit",
             "protected-mode", "client-output-buffer-limit"]  # fmt: skip
    theirs = {
        key: value
        for name in names
        for key, value in real_server.execute("CONFIG", "GET", name)
        if key != b"protected-mode"
    }
    ours = db.execute("CONFIG", "GET", *names)
    assert ours.pop(b"protected-mode") == b"yes"
    assert ours == theirs
    db.execute("CONFIG", "SET", "client-output-buffer-limit", "slave 1mb 2kb 3 pubsub 0 0 0")
    (limits,) = db.execute("CONFIG", "GET", "client-output-buffer-limit").values()
    assert limits == b"normal 0 0 0 slave 1048576 2048 3 pubsub 0 0 0"
