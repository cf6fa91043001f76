"""Whole dumps, to and from a real server: values, deadlines, encodings."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from minidis.errors import RdbError
from minidis.persistence import snapshot
from minidis.structures.limits import Limits
from minidis.structures.lists import List
from minidis.structures.sorted_set import SortedSet
from minidis.structures.streams import Stream, id_text
from minidis.structures.tables import Hash, Set
from minidis.structures.types import encoding_of

pytestmark = pytest.mark.slow

LIMITS = Limits()
SIZES = [0, 1, 5, 11, 12, 20, 21, 44, 63, 64, 65, 127, 300, 4095, 4096, 9000, 20_000]
COUNTS = [1, 2, 127, 128, 129, 511, 512, 513, 1000]


def random_text(generator: random.Random) -> bytes:
    size = generator.choice(SIZES)
    kind = generator.randrange(4)
    if kind == 0:
        return b"%d" % generator.randint(
            -(2 ** generator.randrange(70)), 2 ** generator.randrange(70)
        )
    if kind == 1:
        return (b"%d," % generator.randrange(100) * size)[:size]
    if kind == 2:
        return bytes(generator.choices(b"abcdefgh", k=min(size, 500)))
    return generator.randbytes(size)


def short_text(generator: random.Random) -> bytes:
    return random_text(generator)[: generator.choice([10, 64, 64, 64, 65])]


def fill(server: Any, generator: random.Random) -> None:
    """Random keys of all kinds in three databases."""
    for database in (0, 3, 15):
        server.select(database)
        pipe = server.pipeline(transaction=False)
        for number in range(60):
            pipe.set(short_text(generator) + b":%d" % number, random_text(generator))
            count = generator.choice(COUNTS) if number % 9 == 0 else generator.randint(1, 20)
            words = [short_text(generator) for _ in range(count)]
            pipe.rpush(b"list:%d" % number, *words, random_text(generator))
            pipe.sadd(b"set:%d" % number, *words)
            pipe.sadd(b"ints:%d" % number, *(generator.randint(-(2**40), 2**60) for _ in words))
            pipe.hset(b"hash:%d" % number, mapping=dict(zip(words, reversed(words), strict=True)))
            scores = [generator.choice([1.5, -0.0, 2**62, 1e300, float("inf"), 3]) for _ in words]
            pipe.zadd(b"zset:%d" % number, dict(zip(words, scores, strict=True)))
            pipe.expire(generator.choice([b"list:%d", b"hash:%d", b"set:%d"]) % number, 10_000)
        pipe.execute()
    server.select(0)


def server_contents(server: Any) -> dict[int, dict[bytes, Any]]:
    """Everything the server has: value, encoding, deadline."""
    contents = {}
    for database in (0, 3, 15):
        server.select(database)
        contents[database] = {key: server_value(server, key) for key in server.scan_iter()}
    server.select(0)
    return contents


READ: dict[bytes, Callable[[Any, bytes], Any]] = {
    b"string": lambda server, key: server.get(key),
    b"list": lambda server, key: server.lrange(key, 0, -1),
    b"set": lambda server, key: server.smembers(key),
    b"hash": lambda server, key: server.hgetall(key),
    b"zset": lambda server, key: dict(server.zrange(key, 0, -1, withscores=True)),
    b"stream": lambda server, key: stream_of_server(server, key),
}


def stream_of_server(server: Any, key: bytes) -> Any:
    """Ids with their words, and the last id."""
    rows = server.execute_command("XRANGE", key, "-", "+")
    info = server.xinfo_stream(key)
    return [
        [number, *(word for pair in fields.items() for word in pair)] for number, fields in rows
    ], info["last-generated-id"]


def server_value(server: Any, key: bytes) -> Any:
    encoding = server.object("encoding", key)
    deadline = server.execute_command("PEXPIRETIME", key)
    value = READ[server.type(key)](server, key)
    return value, None if encoding in (b"embstr", b"raw") else encoding, deadline


def our_contents(loaded: Any) -> dict[int, dict[bytes, Any]]:
    return {
        number: {
            key: (*our_value(value), database.deadlines.get(key, -1))
            for key, value in database.values.items()
        }
        for number, database in loaded.databases.items()
    }


def our_value(value: Any) -> tuple[Any, bytes | None]:
    encoding = encoding_of(value)
    return our_elements(value), None if encoding in ("embstr", "raw") else encoding.encode()


def our_elements(value: Any) -> Any:
    if isinstance(value, int):
        return b"%d" % value
    if isinstance(value, List):
        return list(value)
    if isinstance(value, Hash):
        return dict(value)
    if isinstance(value, Set):
        return set(value)
    if isinstance(value, SortedSet):
        return dict(value.scores)
    if isinstance(value, Stream):
        return [[id_text(row[0]), *row[1:]] for row in value], id_text(value.last_id)
    return value


@pytest.fixture(params=[1, 2])
def full_server(real_server: Any, request: pytest.FixtureRequest) -> Any:
    real_server.flushall()
    fill(real_server, random.Random(request.param))
    return real_server


def dump_path(server: Any) -> Path:
    return Path(server.config_get("dir")["dir"], "dump.rdb")


@pytest.mark.parametrize("policy", ["noeviction", "allkeys-lru", "allkeys-lfu"])
def test_its_files_are_read(full_server: Any, policy: str) -> None:
    full_server.config_set("maxmemory-policy", policy)
    full_server.save()
    full_server.config_set("maxmemory-policy", "noeviction")
    loaded = snapshot.load(dump_path(full_server), LIMITS, now=int(time.time() * 1000))
    assert our_contents(loaded) == server_contents(full_server)
    assert loaded.checksum == "verified"
    if policy != "noeviction":
        noted = loaded.databases[0].idle if "lru" in policy else loaded.databases[0].freq
        assert noted.keys() == loaded.databases[0].values.keys()


@pytest.mark.parametrize("version", [10, 11])
@pytest.mark.parametrize("compression", [True, False])
def test_our_files_are_read(full_server: Any, compression: bool, version: int) -> None:
    before = server_contents(full_server)
    full_server.save()
    path = dump_path(full_server)
    loaded = snapshot.load(path, LIMITS, now=0)
    snapshot.save(path, loaded.databases, LIMITS, aux={}, compression=compression, version=version)
    full_server.execute_command("DEBUG", "RELOAD", "NOSAVE")
    assert server_contents(full_server) == before
    assert our_contents(snapshot.load(path, LIMITS, now=0)) == before


def test_our_files_are_about_as_small(full_server: Any, tmp_path: Path) -> None:
    full_server.save()
    loaded = snapshot.load(dump_path(full_server), LIMITS, now=0)
    size = snapshot.save(tmp_path / "ours.rdb", loaded.databases, LIMITS, aux={})
    assert size < 1.1 * dump_path(full_server).stat().st_size


SAMPLES = Path(os.environ.get("MINIDIS_SAMPLES", Path(__file__).parents[3] / "shared/samples/rdb"))
REFUSED = {
    "redis_40_with_module.rdb": "value of module",
    "redis_60_with_module_aux.rdb": "data of module",
}


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.rdb")), ids=lambda path: path.name)
def test_files_of_older_servers(path: Path, real_server: Any) -> None:
    if path.name in REFUSED:
        with pytest.raises(RdbError, match=REFUSED[path.name]):
            snapshot.load(path, LIMITS, now=0)
        return
    real_server.flushall()
    shutil.copyfile(path, dump_path(real_server))
    real_server.execute_command("DEBUG", "RELOAD", "NOSAVE")
    loaded = snapshot.load(path, LIMITS, now=int(time.time() * 1000))
    ours = our_contents(loaded)
    for number, its in server_contents(real_server).items():
        assert _values(ours.get(number, {})) == _values(its)


def _values(contents: dict[bytes, Any]) -> dict[bytes, Any]:
    """Without encodings: the server keeps a zipmap compact even if its values are too long."""
    return {key: (value, deadline) for key, (value, _, deadline) in contents.items()}
