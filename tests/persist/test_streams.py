"""Streams in dumps: pictures, older and newer types, damage, and a real server."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

import minidis
from minidis.errors import RestoreError
from minidis.persistence import snapshot
from minidis.persistence.rdb.payload import dump_value, restore_value
from minidis.structures.limits import Limits
from minidis.structures.stream_groups import UNKNOWN
from minidis.structures.streams import SHIFT, Stream, id_text
from tests.persist.test_values import seal

LIMITS = Limits()

#: XADD 1000-1 a 1 b two; XADD 1000-2 a 3 b 4; XADD 1500-0 q r, without groups.
NODE = (
    "10 00000000000003e8 0000000000000001 4042 42000000 1900 0301 0001 0201 8161 02 8162 02 0001 "
    "0201 0001 0001 0101 83 74776f 04 0501  0201 0001 0101 0301 0401 0501 "
    "0001 c1f4 02 dfff 02 0101 8171 02 8172 02 0601 ff"
)
PAST = "43e8 01 00 00 03"
#: Group g, delivered up to 1000-1, which consumer c1 has not acknowledged.
GROUP = "01 01 67 43e8 01"
PENDING = "01 00000000000003e8 0000000000000001 c40a83fda1010000 01"
CONSUMER = "01 02 6331 c40a83fda1010000"
OWNED = "01 00000000000003e8 0000000000000001"
UNTOLD = "81 ffffffffffffffff"

TYPES = {
    15: f"0f 01 {NODE} 03 45dc 00 {GROUP} {PENDING} {CONSUMER} {OWNED}",
    19: f"13 01 {NODE} 03 45dc 00 {PAST} {GROUP} {UNTOLD} {PENDING} {CONSUMER} {OWNED}",
    21: f"15 01 {NODE} 03 45dc 00 {PAST} {GROUP} {UNTOLD} {PENDING} {CONSUMER} "
    f"c40a83fda1010000 {OWNED}",
}  # fmt: skip
ROWS = [
    (1000 << SHIFT | 1, b"a", b"1", b"b", b"two"),
    (1000 << SHIFT | 2, b"a", b"3", b"b", b"4"),
    (1500 << SHIFT, b"q", b"r"),
]


def restored(body: str) -> Stream:
    value = restore_value(seal(body), LIMITS)
    assert isinstance(value, Stream)
    value.check()
    return value


@pytest.mark.parametrize("kind", TYPES)
def test_all_types_are_read(kind: int) -> None:
    stream = restored(TYPES[kind])
    assert list(stream) == ROWS
    assert (stream.last_id, stream.max_deleted, stream.added) == (1500 << SHIFT, 0, 3)
    group = stream.groups[b"g"]
    assert group.last_id == 1000 << SHIFT | 1
    assert group.read == (1 if kind == 15 else UNKNOWN)  # it follows from the entries
    owner, time, count = group.pending[1000 << SHIFT | 1]
    assert owner is group.consumers[b"c1"]
    assert (time, count, owner.seen) == (0x1A1FD830AC4, 1, 0x1A1FD830AC4)


def test_what_is_written_is_what_redis_writes() -> None:
    stream = Stream()
    for row in ROWS:
        stream.append(row[0], row[1:], LIMITS)
    assert dump_value(stream, LIMITS) == seal(f"13 01 {NODE} 03 45dc 00 {PAST} 00")
    assert dump_value(restored(TYPES[19]), LIMITS) == seal(TYPES[19])


def test_deleted_entries_are_read_and_not_written() -> None:
    deleted = NODE.replace("0301 0001 0201 8161", "0201 0101 0201 8161").replace(
        "0201 0001 0101 0301", "0301 0001 0101 0301"
    )
    stream = restored(f"13 01 {deleted} 02 45dc 00 43e8 01 43e8 02 03 00")
    assert list(stream) == [ROWS[0], ROWS[2]]
    assert [(node.dead, node.last) for node in stream.nodes] == [(1, 1500 << SHIFT)]
    again = restore_value(dump_value(stream, LIMITS), LIMITS)
    assert isinstance(again, Stream)
    assert list(again) == list(stream)
    assert (again.max_deleted, again.added) == (1000 << SHIFT | 2, 3)


def test_an_empty_stream_is_a_value() -> None:
    stream = restored("13 00 00 05 00 00 00 05 00 07 00")
    assert (len(stream), stream.last_id, stream.max_deleted, stream.added) == (
        0, 5 << SHIFT, 5 << SHIFT, 7,
    )  # fmt: skip


def test_what_nobody_owns_stays_so() -> None:
    with minidis.open() as db:
        for number in (1, 2, 3):
            db.xadd("s", {"a": number}, f"{number}-0")
        db.xgroup_create("s", "g", 0)
        db.xreadgroup("g", "ann", {"s": ">"})
        db.xnack("s", "g", "FAIL", "1-0", "3-0")
        before = db.xpending_range("s", "g", "-", "+", 10)[0::2]
        db.restore("t", 0, db.dump("s") or b"")
        assert db.xpending_range("t", "g", "-", "+", 10)[0::2] == before
        assert [one[b"name"] for one in db.xinfo_consumers("t", "g")] == [b"ann"]
        db.xreadgroup("g", "", {"t": 0})  # a consumer may have no name, too
        db.restore("u", 0, db.dump("t") or b"")
        assert [one[b"name"] for one in db.xinfo_consumers("u", "g")] == [b"", b"ann"]


GOOD = TYPES[19]
DAMAGED = {
    "node key": GOOD.replace("10 00000000000003e8", "0f 000000000003e8", 1),
    "fewer entries": GOOD.replace("ff 03 45dc", "ff 02 45dc"),
    "last id": GOOD.replace("03 45dc 00", "03 05 00"),
    "wrong live count": GOOD.replace("0301 0001 0201 8161", "0201 0001 0201 8161"),
    "too many fields": GOOD.replace("0301 0001 0201 8161", "0301 0001 7f01 8161"),
    "negative fields": GOOD.replace("0301 0001 0201 8161", "0301 0001 dfff02 8161"),
    "wrong count of an entry": GOOD.replace("83 74776f 04 0501", "83 74776f 04 0601"),
    "ids descend": GOOD.replace("0201 0001 0101 0301", "0201 0001 0001 0301"),
    "not a listpack": GOOD.replace("42000000 1900", "43000000 1900"),
    "no owner": GOOD.replace(f"{CONSUMER} {OWNED}", f"{CONSUMER} 00"),
    "owned but not pending": GOOD.replace(PENDING, "00"),
    "owned twice": GOOD.replace(OWNED, f"02 {OWNED[2:]} {OWNED[2:]}"),
    "group twice": GOOD.replace(
        f"{GROUP} {UNTOLD}", f"02 01 67 00 00 00 00 00 {GROUP[3:]} {UNTOLD}"
    ),
    "consumer twice": GOOD.replace(CONSUMER, f"02 02 6331 c40a83fda1010000 00 {CONSUMER[3:]}"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_refused(name: str) -> None:
    assert DAMAGED[name] != GOOD
    with pytest.raises(RestoreError) as caught:
        restore_value(seal(DAMAGED[name]), LIMITS)
    assert caught.value.kind == "format"


def test_a_cut_at_any_place_is_refused() -> None:
    whole = bytes.fromhex(GOOD)
    for size in range(1, len(whole)):
        with pytest.raises(RestoreError):
            restore_value(seal(whole[:size]), LIMITS)


def test_flipped_bytes_are_refused_or_make_a_whole_stream() -> None:
    whole = bytearray.fromhex(GOOD)
    for at in range(1, len(whole)):
        for flip in (1, 0x80, 0xFF):
            changed = whole[:]
            changed[at] ^= flip
            try:
                value = restore_value(seal(bytes(changed)), LIMITS)
            except RestoreError:
                continue
            if isinstance(value, Stream):
                value.check()


# a real server ------------------------------------------------------------------------------------


def text(generator: random.Random) -> bytes:
    return generator.choice([
        b"", b"007", b"x" * generator.choice([1, 63, 64, 500, 5000]),
        b"%d" % generator.getrandbits(63),
        b"-%d" % generator.getrandbits(generator.randrange(1, 63)),
    ])  # fmt: skip


def fill(server: Any, generator: random.Random, key: str) -> None:
    """A stream with deletions, groups, consumers and pending entries."""
    run = server.execute_command
    last = 0
    for _ in range(generator.choice([0, 3, 60, 350])):
        last += generator.choice([1, 1, 1 << SHIFT, generator.getrandbits(70)])
        words = [text(generator) for _ in range(2 * generator.choice([1, 1, 2]))]
        run("XADD", key, id_text(last), *(words if generator.random() < 0.3 else [b"n", words[0]]))
    run("XADD", key, "MAXLEN", 300, "18000000000000000000-5", "n", "last")
    known = [row[0] for row in run("XRANGE", key, "-", "+")]
    for name in generator.sample(["g", "h", "1", ""], generator.randrange(4)):
        run("XGROUP", "CREATE", key, name, generator.choice([b"0", b"$", generator.choice(known)]))
        for _ in range(3):
            who = generator.choice(["ann", "bob", "7", ""])
            run("XREADGROUP", "GROUP", name, who, "COUNT", 9, "STREAMS", key, ">")
        run("XGROUP", "CREATECONSUMER", key, name, "idle")
        run("XACK", key, name, *generator.sample(known, min(len(known), 5)))
    for number in generator.sample(known, len(known) // 7):
        run("XDEL", key, number)


def facts(reply: Any) -> Any:
    """A reply with pairs as pairs, whatever made them."""
    if isinstance(reply, dict):
        return {facts(name): facts(value) for name, value in reply.items()}
    if isinstance(reply, (list, tuple)):
        return [facts(item) for item in reply]
    return reply.encode() if isinstance(reply, str) else reply


def full_info(execute: Any, key: str) -> Any:
    """XINFO STREAM FULL, without what depends on the nodes of a saved stream."""
    found = facts(execute("XINFO", "STREAM", key, "FULL", "COUNT", "0"))
    if not isinstance(found, dict):
        found = paired(found)
        found[b"groups"] = [paired(group) for group in found[b"groups"]]
        for group in found[b"groups"]:
            group[b"consumers"] = [paired(consumer) for consumer in group[b"consumers"]]
    return found


def paired(flat: Any) -> Any:
    return flat if isinstance(flat, dict) else dict(zip(flat[::2], flat[1::2], strict=True))


@pytest.fixture(params=range(6))
def filled(real_server: Any, request: pytest.FixtureRequest) -> Any:
    real_server.flushall()
    real_server.select(0)
    generator = random.Random(request.param)
    for number in range(4):
        fill(real_server, generator, f"stream:{number}")
    return real_server


def raw(server: Any) -> Any:
    """Commands without redis-py's opinions about replies."""

    def execute(*words: Any) -> Any:
        connection = server.connection_pool.get_connection()
        try:
            connection.send_command(*words)
            return connection.read_response()
        finally:
            server.connection_pool.release(connection)

    return execute


def test_its_streams_are_read_and_ours_by_it(filled: Any, tmp_path: Path) -> None:
    execute = raw(filled)
    before = {key: full_info(execute, key) for key in map("stream:{}".format, range(4))}
    filled.save()
    path = Path(filled.config_get("dir")["dir"], "dump.rdb")
    loaded = snapshot.load(path, LIMITS, now=0)
    with minidis.open() as db:
        for key in before:
            db.space.values[key.encode()] = loaded.databases[0].values[key.encode()]
            assert full_info(db.execute, key) == before[key]
        db.space.check()
    snapshot.save(path, loaded.databases, LIMITS, aux={}, version=11)
    filled.execute_command("DEBUG", "RELOAD", "NOSAVE")
    after = {key: full_info(execute, key) for key in before}
    assert after == before


def test_payloads_in_both_directions(filled: Any) -> None:
    execute = raw(filled)
    with minidis.open(rdb_version=11) as db:
        for key in map("stream:{}".format, range(4)):
            payload = filled.dump(key)
            db.restore(key, 0, payload)
            ours = db.dump(key)
            assert ours is not None
            filled.restore("again", 0, ours, replace=True)
            assert full_info(execute, "again") == full_info(db.execute, key)
            assert full_info(execute, key) == full_info(db.execute, key)
