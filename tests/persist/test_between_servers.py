"""Files and payloads of every type and encoding, between minidis and real servers of four versions.

    server -> file -> minidis         server -> DUMP -> RESTORE in minidis
    minidis -> file -> server         minidis -> DUMP -> RESTORE in the server

The data of both sides is read by commands and compared. Version 10 cannot carry when a consumer was
last active; it is read as the time of its last command, as servers do.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import minidis
from minidis.persistence.rdb import value_writers
from tests.oracle.resp import Error, Map, Reply
from tests.oracle.run import our_reply, start_server
from tests.oracle.server import RealServer
from tests.oracle.servers import KINDS

pytestmark = pytest.mark.slow

Execute = Callable[..., Reply]
OLDEST = "redis-7.0"
NEWER = [kind for kind in KINDS if kind != OLDEST]
#: What minidis writes, and which servers read it.
WRITTEN = [(10, kind) for kind in KINDS] + [(11, kind) for kind in NEWER]
#: What a file of the server begins with.
HEADERS = {
    "redis-7.4": b"REDIS0012",
    "redis-7.0": b"REDIS0010",
    "valkey-9.1": b"VALKEY080",
    "valkey-8.1": b"REDIS0011",
}
DATABASES = (0, 3, 15)
DEADLINE = 4_102_444_800_000


# the data -----------------------------------------------------------------------------------------


def strings(generator: random.Random) -> Iterator[tuple[Any, ...]]:
    """Integers of every width, embstr and raw, compressible and not."""
    for number in (0, -1, 127, 128, -32769, 2**31 - 1, 2**31, -(2**63), 2**63 - 1):
        yield "SET", f"int:{number}", number
    for size in (0, 11, 20, 21, 44, 45, 63, 64, 5000, 20_000):
        yield "SET", f"random:{size}", generator.randbytes(size)
        yield "SET", f"repeated:{size}", (b"%d," % size * size)[:size]
    for text in (b"007", b"-0", b"+1", b" 1", b"1.0", str(2**63).encode(), b"\xff\x00\r\n", b""):
        yield "SET", b"text:" + text, text
    yield "APPEND", "appended", "12"
    yield "SETRANGE", "zeros", 3000, "x"
    yield "INCRBYFLOAT", "float", "0.1"


def lists(generator: random.Random) -> Iterator[tuple[Any, ...]]:
    """One node, several nodes, and elements that have a node of their own."""
    small = [b"", b"a", b"-1", b"4096", b"2147483648", b"-9223372036854775808", b"x" * 63]
    yield "RPUSH", "list:small", *small
    yield "RPUSH", "list:one", "1"
    for part in range(10):
        yield "RPUSH", "list:nodes", *(b"%d of %d" % (i, part) * (i % 9) for i in range(300))
    sizes = (5, 64, 4095, 4096, 8180, 9000, 5, 300_000, 16_400, 5)
    yield "RPUSH", "list:large", *(generator.randbytes(size) for size in sizes)
    yield "RPUSH", "list:one large", generator.randbytes(30_000)


def sets(generator: random.Random) -> Iterator[tuple[Any, ...]]:
    """Intset of each width, listpack and hashtable."""
    for bits in (15, 31, 62):
        yield "SADD", f"set:{bits} bits", *range(2**bits - 3, 2**bits), -5
    yield "SADD", "set:512", *range(512)
    yield "SADD", "set:513", *range(513)
    yield "SADD", "set:small", "b", "a", "10", "9", b"\xff\x00", "x" * 64
    yield "SADD", "set:long", "b", "a", "x" * 65
    yield "SADD", "set:128", *(f"m{number}" for number in range(128))
    yield "SADD", "set:129", *(f"m{number}" for number in range(129))
    yield "SADD", "set:of integers only", "2", "1", "x"
    yield "SREM", "set:of integers only", "x"


SCORES = (
    *("inf", "-inf", "-0", "0", "1e17", "-1e17", "1e300", "5e-324", "0.1", "1.5", "-3", "3.3e-7"),
    *("4611686018427387904", "9223372036854775807", "1e20", "123456789.123456789", "100", "4097"),
)


def sorted_sets(generator: random.Random) -> Iterator[tuple[Any, ...]]:
    """Listpack and skiplist, with scores that are easy to spoil."""
    pairs = [word for score in SCORES for word in (score, f"m{score}")]
    yield "ZADD", "zset:small", *pairs
    yield "ZADD", "zset:long", *pairs, "2", "x" * 65, "0.3", "", "7", "12"
    words = [word for i in range(129) for word in (repr(generator.uniform(-9, 9)), f"m{i}")]
    yield "ZADD", "zset:128", *words[:256]
    yield "ZADD", "zset:129", *words


def hashes(generator: random.Random) -> Iterator[tuple[Any, ...]]:
    """Listpack and hashtable."""
    yield "HSET", "hash:small", "f", "v", "n", "1000", "", "", b"\xff\x00", "x" * 64
    yield "HSET", "hash:long", "f", "x" * 65, "12", "-7", "z", "y" * 3000
    words = [word for i in range(513) for word in (f"f{i}", i)]
    yield "HSET", "hash:512", *words[:1024]
    yield "HSET", "hash:513", *words


def streams(generator: random.Random) -> Iterator[tuple[Any, ...]]:
    """Several nodes, other fields, deletions, groups, consumers, pending entries."""
    for key in ("stream", "stream:trimmed"):
        for i in range(1, 251):
            fields = ("a", i, "b", "x" * (i % 90)) if i % 7 else (f"f{i}", "v", "", i)
            yield "XADD", key, f"{i // 3}-{i}", *fields
        yield "XDEL", key, "0-1", "3-10", "3-11", "83-250"
        yield "XADD", key, "18000000000000000000-5", "last", "entry"
    yield "XTRIM", "stream:trimmed", "MAXLEN", 50
    yield from groups()
    yield "XGROUP", "CREATE", "stream:empty", "g", "$", "MKSTREAM"
    yield "XADD", "stream:emptied", "5-1", "f", "v"
    yield "XDEL", "stream:emptied", "5-1"
    yield "XADD", "stream:set", "5-1", "f", "v"
    yield "XSETID", "stream:set", "9-9", "ENTRIESADDED", 70, "MAXDELETEDID", "4-4"


def groups() -> Iterator[tuple[Any, ...]]:
    """Groups of the stream "stream", from its start, its middle and its end."""
    for name, start in (("g", "0"), ("", "40-120"), ("end", "$")):
        yield "XGROUP", "CREATE", "stream", name, start
        for consumer in ("ann", "bob", "ann", "7"):
            yield "XREADGROUP", "GROUP", name, consumer, "COUNT", 9, "STREAMS", "stream", ">"
        yield "XGROUP", "CREATECONSUMER", "stream", name, "idle"
    yield "XACK", "stream", "g", "0-2", "1-3", "1-4"
    yield "XCLAIM", "stream", "g", "bob", 0, "2-7", "TIME", 1_600_000_000_000, "RETRYCOUNT", 9
    yield "XDEL", "stream", "2-8"


def fill(execute: Execute) -> None:
    """Keys of all types, with deadlines, in several databases."""
    execute("FLUSHALL")
    for number in DATABASES:
        execute("SELECT", number)
        generator = random.Random(number)
        for kind in (strings, lists, sets, sorted_sets, hashes, streams):
            for words in kind(generator):
                reply = execute(*words)
                assert not isinstance(reply, Error), (words[:2], reply)
        for key in ("int:0", "list:nodes", "set:small", "hash:long", "zset:128", "stream"):
            assert execute("PEXPIREAT", key, DEADLINE + number) == 1


# reading it ---------------------------------------------------------------------------------------


def contents(execute: Execute, *, activity: bool) -> dict[tuple[int, bytes], Any]:
    """Type, deadline and value of every key. activity: with the times of active consumers."""
    found = {}
    for number in DATABASES:
        execute("SELECT", number)
        for key in execute("KEYS", "*"):
            found[number, key] = value_of(execute, key, activity=activity)
    return found


def value_of(execute: Execute, key: bytes, *, activity: bool) -> Any:
    kind = execute("TYPE", key)
    return str(kind), execute("PEXPIRETIME", key), READ[str(kind)](execute, key, activity)


def stream_of(execute: Execute, key: bytes, activity: bool) -> Any:
    info = named(execute("XINFO", "STREAM", key, "FULL", "COUNT", 0), activity)
    return execute("XRANGE", key, "-", "+"), info


#: Facts about the nodes, which are packed anew; and what is computed when it is asked.
NOT_DATA = {b"radix-tree-keys", b"radix-tree-nodes"}


def named(reply: Reply, activity: bool) -> Reply:
    """Maps as dicts, without what is not data."""
    if isinstance(reply, Map):
        left_out = NOT_DATA if activity else NOT_DATA | {b"active-time"}
        return {name: named(value, activity) for name, value in reply if name not in left_out}
    return [named(item, activity) for item in reply] if isinstance(reply, list) else reply


def scores_of(execute: Execute, key: bytes, activity: bool) -> Any:
    """Members in their order, with scores as text, so that -0 differs from 0."""
    reply = execute("ZRANGE", key, 0, -1, "WITHSCORES")
    return [(member, repr(float(score))) for member, score in reply]


READ: dict[str, Callable[[Execute, bytes, bool], Any]] = {
    "string": lambda execute, key, _: execute("GET", key),
    "list": lambda execute, key, _: execute("LRANGE", key, 0, -1),
    "set": lambda execute, key, _: sorted(execute("SMEMBERS", key)),
    "hash": lambda execute, key, _: dict(execute("HGETALL", key)),
    "zset": scores_of,
    "stream": stream_of,
}


def assert_same(ours: dict[Any, Any], real: dict[Any, Any]) -> None:
    """Compare key by key: the difference of a whole database is unreadable."""
    assert sorted(ours) == sorted(real)
    for key, value in real.items():
        assert ours[key] == value, key


# both sides ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def servers() -> Iterator[Callable[[str], RealServer]]:
    """The server of a kind, started when it is first needed; without it the test is skipped."""
    started: dict[str, RealServer | None] = {}

    def server(kind: str) -> RealServer:
        if kind not in started:
            started[kind] = start_server(kind=kind)
        found = started[kind]
        if found is None:
            pytest.skip(f"no {kind} on this machine (python -m tests.oracle.servers)")
        return found

    yield server
    for running in started.values():
        if running is not None:
            running.stop()


Servers = Callable[[str], RealServer]


def ours(db: minidis.Minidis[bytes]) -> Execute:
    def execute(*words: Any) -> Reply:
        return our_reply(
            db, [word if isinstance(word, bytes) else str(word).encode() for word in words]
        )

    return execute


def saved(server: RealServer) -> Path:
    """The file of a server, after SAVE."""
    assert server.execute("SAVE") == "OK"
    return Path(server.directory, "dump.rdb")


def reload(server: RealServer, path: Path) -> Reply:
    """Let the server load a file."""
    shutil.copyfile(path, Path(server.directory, "dump.rdb"))
    return server.execute("DEBUG", "RELOAD", "NOSAVE")


@pytest.fixture(scope="module")
def filled(servers: Servers) -> Servers:
    """The server of a kind, with the data."""

    def server(kind: str) -> RealServer:
        found = servers(kind)
        if kind == OLDEST:  # newer servers give large elements a node of their own by themselves
            assert found.execute("DEBUG", "QUICKLIST-PACKED-THRESHOLD", "8192b") == "OK"
        fill(found.execute)
        return found

    return server


# files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_its_file_is_read(kind: str, filled: Servers, tmp_path: Path) -> None:
    server = filled(kind)
    activity = kind != OLDEST
    real = contents(server.execute, activity=activity)
    path = shutil.copyfile(saved(server), tmp_path / "dump.rdb")
    assert path.read_bytes().startswith(HEADERS[kind])
    with minidis.open(path) as db:
        assert_same(contents(ours(db), activity=activity), real)
        for space in db.engine.databases:
            space.check()


@pytest.mark.parametrize(("version", "kind"), WRITTEN)
@pytest.mark.parametrize("plain", [False, True], ids=["packed", "plain nodes"])
def test_our_file_is_read(
    version: int,
    kind: str,
    plain: bool,
    servers: Servers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = servers(kind)
    if plain:
        monkeypatch.setattr(value_writers, "_PLAIN_BYTES", 8192)
    with minidis.open(tmp_path / "dump.rdb", rdb_version=version) as db:
        fill(ours(db))
        db.save()
        assert (tmp_path / "dump.rdb").read_bytes().startswith(b"REDIS%04d" % version)
        assert reload(server, tmp_path / "dump.rdb") == "OK"
        activity = version > 10
        assert_same(
            contents(ours(db), activity=activity), contents(server.execute, activity=activity)
        )


@pytest.mark.parametrize("kind", NEWER)
def test_its_file_reaches_the_oldest_server_through_minidis(
    kind: str, filled: Servers, servers: Servers, tmp_path: Path
) -> None:
    oldest, server = servers(OLDEST), filled(kind)
    path = shutil.copyfile(saved(server), tmp_path / "dump.rdb")
    with minidis.open(path) as db:
        db.save()
    assert reload(oldest, path) == "OK"
    assert_same(contents(oldest.execute, activity=False), contents(server.execute, activity=False))


def test_the_oldest_server_does_not_read_version_11(servers: Servers, tmp_path: Path) -> None:
    """So version 10 is the one that is written by default."""
    server = servers(OLDEST)
    with minidis.open(tmp_path / "dump.rdb", rdb_version=11) as db:
        db.set("k", "v")
        db.save()
        assert "Error trying to load the RDB dump" in reload(server, tmp_path / "dump.rdb")
        payload = db.dump("k") or b""
    refused = server.execute("RESTORE", "k", 0, payload, "REPLACE")
    assert refused == Error("ERR DUMP payload version or checksum are wrong")


# payloads -----------------------------------------------------------------------------------------


def transfer(source: Execute, target: Execute) -> None:
    """Copy all keys of all databases by DUMP and RESTORE."""
    target("FLUSHALL")
    for number in DATABASES:
        source("SELECT", number)
        target("SELECT", number)
        for key in source("KEYS", "*"):
            deadline = max(source("PEXPIRETIME", key), 0)
            assert target("RESTORE", key, deadline, source("DUMP", key), "ABSTTL") == "OK", key


@pytest.mark.parametrize("kind", KINDS)
def test_its_payloads_are_restored(kind: str, filled: Servers) -> None:
    server = filled(kind)
    activity = kind != OLDEST
    with minidis.open() as db:
        transfer(server.execute, ours(db))
        assert_same(
            contents(ours(db), activity=activity), contents(server.execute, activity=activity)
        )
        for space in db.engine.databases:
            space.check()


@pytest.mark.parametrize(("version", "kind"), WRITTEN)
def test_our_payloads_are_restored(version: int, kind: str, servers: Servers) -> None:
    server = servers(kind)
    with minidis.open(rdb_version=version) as db:
        fill(ours(db))
        transfer(ours(db), server.execute)
        activity = version > 10
        assert_same(
            contents(ours(db), activity=activity), contents(server.execute, activity=activity)
        )


# hashes with field expiry -------------------------------------------------------------------------


def expiring_hashes(server: RealServer) -> None:
    """A small and a large hash; one field of each has a deadline."""
    server.execute("FLUSHALL")
    server.execute("SELECT", 0)
    for key, size in (("small", 5), ("large", 600)):
        server.execute("HSET", key, *(word for i in range(size) for word in (f"f{i}", i)))
        assert server.execute("HPEXPIREAT", key, DEADLINE, "FIELDS", 1, "f1") == [1]


@pytest.mark.parametrize("kind", ["redis-7.4", "valkey-9.1"])
def test_after_hpersist_hashes_are_read(kind: str, servers: Servers, tmp_path: Path) -> None:
    server = servers(kind)
    expiring_hashes(server)
    for key in ("small", "large"):
        assert server.execute("HPERSIST", key, "FIELDS", 1, "f1") == [1]
    real = contents(server.execute, activity=True)
    path = shutil.copyfile(saved(server), tmp_path / "dump.rdb")
    with minidis.open(path) as db:
        assert_same(contents(ours(db), activity=True), real)
        transfer(server.execute, ours(db))
        assert_same(contents(ours(db), activity=True), real)


@pytest.mark.parametrize(
    ("kind", "key", "named_type"),
    [
        ("redis-7.4", "small", "version 12, {}: type 25 (hash with field expiry)"),
        ("redis-7.4", "large", "version 12, {}: type 24 (hash with field expiry)"),
        ("valkey-9.1", "small", "version 80 of Valkey, {}: type 22 (hash with field expiry, of"),
        ("valkey-9.1", "large", "version 80 of Valkey, {}: type 22 (hash with field expiry, of"),
    ],
)
def test_field_expiry_is_refused_by_name(
    kind: str, key: str, named_type: str, servers: Servers, tmp_path: Path
) -> None:
    server = servers(kind)
    expiring_hashes(server)
    server.execute("RENAME", key, "the key")
    server.execute("DEL", "small", "large")
    path = shutil.copyfile(saved(server), tmp_path / "dump.rdb")
    with pytest.raises(minidis.RdbError) as refused:
        minidis.open(path)
    assert named_type.format('database 0, key "the key"') in str(refused.value)
    with minidis.open() as db:
        with pytest.raises(minidis.ResponseError, match=r"^ERR Bad data format$") as caught:
            db.restore("the key", 0, server.execute("DUMP", "the key"))
        assert named_type.format('key "the key"') in str(caught.value.__cause__)
        assert db.dbsize() == 0
