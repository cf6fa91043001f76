"""Streams above the prompt and MULTI in it, with a local database and with servers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest

import minidis
from minidis.api.subscription import Message, MonitoredCommand
from minidis.replies import Status
from minidis.server.resp_server import serve
from repl import streams
from repl.address import Address
from repl.backend import Backend, LocalBackend
from repl.remote_backend import RemoteBackend
from repl.streams import BackgroundStream
from tests.calls import eventually
from tests.oracle.server import RealServer

from .conftest import play

CTRL_C = "\x03"
SHOWN_ABOVE = "in an empty line ends it)"


@pytest.fixture(
    params=[
        "local",
        pytest.param("remote", marks=pytest.mark.slow),
        pytest.param("served", marks=pytest.mark.slow),
    ]
)
def kind(request: pytest.FixtureRequest) -> str:
    """A database in this process, a real server, a database served by minidis."""
    return str(request.param)


@pytest.fixture
def db(kind: str) -> Iterator[minidis.Minidis[bytes] | None]:
    """The database, unless it is a real server."""
    if kind == "remote":
        yield None
    else:
        with minidis.open() as found:
            yield found


@pytest.fixture
def backend(
    kind: str, db: minidis.Minidis[bytes], request: pytest.FixtureRequest
) -> Iterator[Backend]:
    """The backend; the tests below are the same for each kind."""
    if kind == "local":
        found: Backend = LocalBackend(db)
    elif kind == "served":
        port = serve(db, "127.0.0.1:0").address.rpartition(":")[2]
        found = RemoteBackend(Address(port=int(port)))
    else:
        server: RealServer = request.getfixturevalue("real_server")
        server.execute("FLUSHALL")
        found = RemoteBackend(Address(path=server.path))
    yield found
    found.close()


@pytest.fixture
def other(
    kind: str, db: minidis.Minidis[bytes], request: pytest.FixtureRequest
) -> Callable[..., Any]:
    """Runs commands as another client of the same database."""
    if kind == "remote":
        server: RealServer = request.getfixturevalue("real_server")
        return server.execute
    return db.session().execute


# MULTI -------------------------------------------------------------------------------------------


def test_multi_is_in_the_prompt(backend: Backend) -> None:
    shown = play(
        backend,
        ("> ", "WATCH w1 'w 2'\rMULTI\r"),
        ("(TX)> ", "SET a 1\r"),
        ("QUEUED", "HSET h f v\rLPUSH a x\rHGETALL h\r"),
        ("4 queued: SET a 1; HSET h f v; LPUSH a x; HGETALL h", ""),
        ("EXEC runs them, DISCARD drops them · watching w1 \"w 2\"", "EXEC\r"),
        ("1) SET a 1\n   OK\n2) HSET h f v\n   (integer) 1\n", ""),
        ("3) LPUSH a x\n   (error) WRONGTYPE", ""),
        ('4) HGETALL h\n   1) "f" => "v"\n(4 elements', "GET a\rexit\r"),
    )  # fmt: skip
    assert "(TX)" not in shown[shown.rindex("4 elements") :]


def test_an_aborted_transaction_is_announced(backend: Backend) -> None:
    play(
        backend,
        ("> ", "MULTI\rGETT a\r"),
        ("did you mean GET?", ""),
        ("EXEC will fail", "EXEC\r"),
        ("(error) EXECABORT", "MULTI\rSUBSCRIBE news\r"),
        ("SUBSCRIBE inside MULTI", "DISCARD\rexit\r"),
    )
    assert not backend.transaction.open


def test_a_watched_key_has_changed(backend: Backend, other: Callable[..., Any]) -> None:
    play(
        backend,
        ("> ", "WATCH a\r"),
        ("OK", lambda: other("SET", "a", "1")),
        ("", "MULTI\rINCR a\rEXEC\r"),
        ("(nil)\n(a watched key has changed: no command was run)", "exit\r"),
    )
    assert backend.run([b"GET", b"a"]) == b"1"


# streams -----------------------------------------------------------------------------------------


def test_messages_are_shown_above_the_prompt(backend: Backend, other: Callable[..., Any]) -> None:
    shown = play(
        backend,
        ("> ", "SET a half-typed\rSUBSCRIBE news other\r"),
        (SHOWN_ABOVE, "GET "),
        ("GET", lambda: other("PUBLISH", "news", "first 张三\x1b[2J")),
        ('┊ news => "first 张三\\x1b[2J"\n', lambda: other("PUBLISH", "other", "second")),
        ('┊ other => "second"\n', "a\r"),  # the partly typed line is still there
        ('"half-typed"', lambda: other("PUBLISH", "elsewhere", "x")),
        ("SUBSCRIBE news other: 2 · Ctrl-C stops it", CTRL_C),
        ("(SUBSCRIBE news other has ended: 2 messages)", "GET a\r"),
        ('"half-typed"', lambda: other("PUBLISH", "news", "too late")),
        ("> ", "exit\r"),
    )
    assert "elsewhere" not in shown and "too late" not in shown
    assert other("PUBSUB", "NUMSUB", "news")[1] == 0


def test_ctrl_c_in_a_line_clears_only_the_line(backend: Backend, other: Callable[..., Any]) -> None:
    play(
        backend,
        ("> ", "SUBSCRIBE news\r"),
        (SHOWN_ABOVE, "GET abc"),
        ("GET abc", CTRL_C),
        ("> ", lambda: other("PUBLISH", "news", "still here")),
        ('┊ news => "still here"', CTRL_C),
        ("has ended: 1 message)", CTRL_C + "ECHO back\r"),
        ('"back"', "exit\r"),
    )


def test_patterns_and_shard_channels(backend: Backend, other: Callable[..., Any]) -> None:
    def gone_on() -> None:
        # The shell says so when it has sent the command; the server may still have to run it.
        eventually(lambda: other("PUBSUB", "NUMPAT") == 1, "one pattern less")
        other("PUBLISH", "news", "gone")

    play(
        backend,
        ("> ", "PSUBSCRIBE n* 'a b*'\r"),
        (SHOWN_ABOVE, "SSUBSCRIBE shard\r"),
        (SHOWN_ABOVE, lambda: other("PUBLISH", "news", "1")),
        ('┊ n* news => "1"', lambda: other("SPUBLISH", "shard", "2")),
        ('┊ shard => "2"', lambda: other("PUBLISH", "a bc", "3")),
        ('┊ "a b*" "a bc" => "3"', "PUNSUBSCRIBE n*\r"),
        ('(PSUBSCRIBE "a b*" continues)', gone_on),
        ("", lambda: other("PUBLISH", "a b", "4")),
        ('┊ "a b*" "a b" => "4"', "PUNSUBSCRIBE\r"),
        ("has ended: 3 messages)", "SUNSUBSCRIBE shard\r"),
        ("has ended: 1 message)", "UNSUBSCRIBE\r"),
        ("no such subscription", ".stop\r"),
        ("no SUBSCRIBE or MONITOR is running", "exit\r"),
    )
    assert other("PUBSUB", "NUMPAT") == 0


def test_monitor_shows_what_others_do(backend: Backend, other: Callable[..., Any]) -> None:
    shown = play(
        backend,
        ("> ", "MONITOR\r"),
        (SHOWN_ABOVE, "MONITOR\r"),
        ("running already", lambda: other("SET", "a b", "1\n")),
        ('SET "a b" "1\\n"', "GET 'a b'\r"),
        ('] GET "a b"', ".stop\r"),
        ("(MONITOR has ended: 2 lines)", "SET after 1\r"),
        ("OK", "exit\r"),
    )
    assert "┊" not in shown[shown.index("has ended") :]


def test_monitor_hides_the_queries_of_the_shell(real_server: RealServer) -> None:
    real_server.execute("FLUSHALL")
    backend = RemoteBackend(Address(path=real_server.path))
    shown = play(
        backend,
        ("> ", "MONITOR\r"),
        (SHOWN_ABOVE, lambda: real_server.execute("SET", "some-key", "1")),
        ("SET some-key 1", "GET some-"),
        ("some-key  string", "\t"),
        ("key", "\r"),
        ("] GET some-key", "exit\r"),
    )
    assert " SCAN " not in shown and " TYPE " not in shown and " DBSIZE" not in shown
    backend.close()


def test_a_stream_that_fails_to_start(backend: Backend) -> None:
    play(
        backend,
        ("> ", "SUBSCRIBE\r"),
        ("(error) ERR wrong number of arguments for 'subscribe' command", "MONITOR x\r"),
        ("(error) ERR wrong number of arguments for 'monitor' command", "exit\r"),
    )


def test_a_lost_stream_is_reported(real_server: RealServer) -> None:
    backend = RemoteBackend(Address(path=real_server.path))
    play(
        backend,
        ("> ", "SUBSCRIBE news\r"),
        (SHOWN_ABOVE, lambda: real_server.execute("CLIENT", "KILL", "TYPE", "pubsub")),
        ("(SUBSCRIBE news has ended: the connection to", "ECHO back\r"),
        ('"back"', "exit\r"),
    )
    backend.close()


def test_exit_ends_the_streams(backend: Backend, other: Callable[..., Any]) -> None:
    play(backend, ("> ", "SUBSCRIBE news\r"), (SHOWN_ABOVE, "exit\r"))
    # A server needs time to notice the closed connection.
    eventually(lambda: other("PUBSUB", "NUMSUB", "news")[1] == 0)
    assert not [thread for thread in threading.enumerate() if "_read" in thread.name]


# a flood -----------------------------------------------------------------------------------------


class Flood:
    """A source of many messages."""

    kind = "SUBSCRIBE"
    names: ClassVar = {b"flood": None}

    def __init__(self, size: int) -> None:
        self.size = size
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[Any]:
        yield from range(self.size)
        self.closed.wait(10)

    def read(self, raw: int) -> Message[Any]:
        return Message("message", b"flood", None, b"%d" % raw)

    def unsubscribe(self, names: object) -> None:
        """Nothing to do."""

    def close(self) -> None:
        self.closed.set()


def test_a_flood_is_dropped_and_counted() -> None:
    batches: list[tuple[int, int]] = []
    last = threading.Event()

    def show(items: list[streams.Item], dropped: int) -> None:
        batches.append((len(items), dropped))
        assert isinstance(items[-1], Message)
        if items[-1].data == b"99999":
            last.set()

    stream = BackgroundStream(Flood(100_000), show, lambda *_: None)
    assert last.wait(10)  # the newest message is always shown
    stream.stop()
    assert sum(shown + dropped for shown, dropped in batches) == 100_000 == stream.received
    assert max(shown for shown, _ in batches) <= 50
    assert len(batches) < 50


# one line ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "shown", "json"),
    [
        (
            Message("message", b"news", None, "张\n".encode()),
            'news => "张\\n"',
            '{"channel": "news", "data": "张\\n"}',
        ),
        (
            Message("pmessage", b"a b", b"a*", b"\xff"),
            'a* "a b" => "\\xff"',
            '{"channel": "a b", "data": "\\\\xff", "pattern": "a*"}',
        ),
        (
            Message("message", b"__redis__:invalidate", None, [b"a"]),
            '__redis__:invalidate => ["a"]',
            '{"channel": "__redis__:invalidate", "data": ["a"]}',
        ),
    ],
)
def test_formatting_of_messages(item: streams.Item, shown: str, json: str) -> None:
    assert (streams.text(item), streams.for_json(item)) == (shown, json)


def test_formatting_of_monitored_commands() -> None:
    seen = MonitoredCommand(1700000000.5, 2, "127.0.0.1:9\x1b", [b"SET", b"a b", b"\x1b"])
    text = streams.text(seen)
    assert text.endswith('.500 [2 127.0.0.1:9\\x1b] SET "a b" "\\x1b"')
    assert '"words": ["SET", "a b", "\\u001b"]' in streams.for_json(seen)


def test_which_commands_are_stream_commands() -> None:
    assert streams.starts_stream([b"subscribe", b"x"]) and streams.ends_stream([b"PUnsubscribe"])
    assert not streams.is_stream_command([b"PUBLISH", b"x", b"y"])
    assert Status("OK") == "OK"
