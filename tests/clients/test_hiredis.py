"""hiredis alone, on the bytes as the minidis server sends them."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.calls import PATIENCE
from tests.clients.backends import Backend

pytestmark = pytest.mark.slow

hiredis = pytest.importorskip("hiredis")


class Wire:
    """A socket; hiredis makes the requests and reads the replies."""

    def __init__(self, place: Backend) -> None:
        self.socket = socket.create_connection((place.host, place.port), PATIENCE)
        self.reader = hiredis.Reader(encoding="utf-8", errors="surrogateescape")

    def ask(self, *commands: str) -> list[Any]:
        """Send the commands in one go; their replies, and pushes that come in between."""
        packed = [hiredis.pack_command(tuple(line.split())) for line in commands]
        self.socket.sendall(b"".join(packed))
        return [self.next() for _ in commands]

    def next(self) -> Any:
        """The next reply."""
        while (reply := self.reader.gets()) is False:
            data = self.socket.recv(65536)
            assert data, "the server has closed the connection"
            self.reader.feed(data)
        return reply

    def next_in_pieces(self) -> Any:
        """The next reply, read byte by byte."""
        while (reply := self.reader.gets()) is False:
            self.reader.feed(self.socket.recv(1))
        return reply

    def close(self) -> None:
        self.socket.close()


@pytest.fixture
def wire(place: Backend) -> Iterator[Wire]:
    with closing(Wire(place)) as found:
        yield found


def test_replies_of_resp2(wire: Wire) -> None:
    assert wire.ask("SET a 1", "GET a", "INCR a", "GET no", "ECHO é") == ["OK", "1", 2, None, "é"]
    assert wire.ask("HSET h f v", "HGETALL h", "ZADD z 1.5 m", "ZRANGE z 0 -1 WITHSCORES") == [
        1, ["f", "v"], 1, ["m", "1.5"],
    ]  # fmt: skip
    assert wire.ask("BLPOP no 0.01", "LRANGE no 0 -1", "SMEMBERS no") == [None, [], []]
    wrong, unknown = wire.ask("LPUSH a 1", "NOSUCH")
    assert isinstance(wrong, hiredis.ReplyError) and str(wrong).startswith("WRONGTYPE ")
    assert isinstance(unknown, hiredis.ReplyError)


def test_replies_of_resp3(wire: Wire) -> None:
    (hello,) = wire.ask("HELLO 3")
    assert hello["proto"] == 3 and hello["modules"] == []
    wire.ask("HSET h f v", "SADD s a", "ZADD z 1.5 m")
    assert wire.ask("HGETALL h", "ZSCORE z m", "GET no", "SMEMBERS s") == [
        {"f": "v"}, 1.5, None, ["a"],
    ]  # fmt: skip
    (info,) = wire.ask("INFO server")
    assert info.startswith("# Server\r\n")
    assert wire.ask("CONFIG GET databases", "ZRANGE z 0 -1 WITHSCORES") == [
        {"databases": "16"}, [["m", 1.5]],
    ]  # fmt: skip


def test_pushes(wire: Wire, place: Backend) -> None:
    wire.ask("HELLO 3")
    (confirmed,) = wire.ask("SUBSCRIBE news")
    assert isinstance(confirmed, hiredis.PushNotification)
    place.execute("PUBLISH", "news", "hello")
    message = wire.next()
    assert isinstance(message, hiredis.PushNotification) and message == ["message", "news", "hello"]
    assert wire.ask("GET a", "CLIENT TRACKING ON", "GET a") == [None, "OK", None]
    place.execute("SET", "a", "1")
    assert wire.next() == ["invalidate", ["a"]]


def test_nested_replies_in_pieces(wire: Wire) -> None:
    wire.ask("XADD x 1-1 f v", "MULTI", "XRANGE x - +", "GET no", "XINFO STREAM x FULL")
    wire.socket.sendall(b"EXEC\r\n")
    entries, nothing, full = wire.next_in_pieces()
    assert entries == [["1-1", ["f", "v"]]] and nothing is None and len(full) % 2 == 0


@pytest.mark.parametrize("protocol", ["2", "3"])
def test_a_long_pipeline(wire: Wire, protocol: str) -> None:
    wire.ask(f"HELLO {protocol}")
    commands = [f"SET k{n} {n}" for n in range(5000)] + [f"GET k{n}" for n in range(5000)]
    assert wire.ask(*commands) == ["OK"] * 5000 + [str(n) for n in range(5000)]


def test_answers_do_not_wait_for_each_other(wire: Wire) -> None:
    """Several small packets are sent at once; a delay of 40 ms between them is easily had."""
    begin = time.monotonic()
    for _ in range(50):
        assert len(wire.ask(*["NOSUCH", "PING", "CLIENT GETNAME"] * 3)) == 9
    assert time.monotonic() - begin < 1.5


def test_a_large_value(wire: Wire, place: Backend) -> None:
    """8 MB each way, as bytes of every kind."""
    value = bytes(range(256)) * 32768
    wire.socket.sendall(hiredis.pack_command(("SET", "k", value)))
    assert wire.next() == "OK"
    assert place.execute("GET", "k") == value
    reader = hiredis.Reader()
    wire.socket.sendall(b"GET k\r\n")
    while (reply := reader.gets()) is False:
        reader.feed(wire.socket.recv(1 << 20))
    assert reply == value
