"""Dump files: written whole or not at all, read in any portions, damaged ones refused."""

from __future__ import annotations

import gc
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from minidis.errors import FileError, RdbError
from minidis.persistence import snapshot
from minidis.persistence.rdb.checksum import crc64
from minidis.persistence.rdb.payload import Decoder, Encoder, Loaded
from minidis.structures.limits import Limits
from minidis.structures.lists import List
from minidis.structures.sorted_set import SortedSet
from minidis.structures.tables import Hash, Set

Contents = Callable[[Any], Any]
LIMITS = Limits()
AUX: dict[bytes, bytes | int] = {b"redis-ver": b"7.0.15", b"redis-bits": 64}

#: One list, a string with deadline, a number in database 3: as a 7.0 server writes them.
EXAMPLE = bytes.fromhex(
    "52454449533030 3130"
    "fa0972656469732d76657206372e302e3135 fa0a72656469732d62697473c040 fa056374696d65c25869016b"
    "fe00 fb0201 12016c0102 0d0d000000020081610281 6202ff fc2d637903a2010000 00016b0176"
    "fe03 fb0100 00016ec005 ff"
)


def sealed(body: bytes) -> bytes:
    return body + crc64(body).to_bytes(8, "little")


def view(
    values: dict[bytes, Any],
    deadlines: dict[bytes, int] | None = None,
    idle: dict[bytes, int] | None = None,
    freq: dict[bytes, int] | None = None,
) -> Any:
    return SimpleNamespace(values=values, deadlines=deadlines or {}, idle=idle, freq=freq)


def small() -> dict[int, Any]:
    """A value of every kind, deadlines, idle times: small enough to cut at every byte."""
    values = {
        b"text": b"v",
        b"12": 12,
        b"big": 2**40,
        b"packed": b"abc" * 20,
        b"long": b"x" * 70 + b"y",
        b"raw": bytearray(b"changed in place"),
        b"list": List.load([b"a", b"-1", b"x" * 70]),
        b"hash": Hash.load({b"f": b"v", b"n": b"1000"}, LIMITS),
        b"wide hash": Hash.load({b"f": b"v" * 65}, LIMITS),
        b"ints": Set.load([b"1", b"70000"], LIMITS),
        b"set": Set.load([b"a", b"b"], LIMITS),
        b"zset": SortedSet.load({b"m": 1.5, b"n": float("inf")}, LIMITS),
        b"wide zset": SortedSet.load({b"m" * 65: -0.5}, LIMITS),
    }
    deadlines = {b"text": 2_000_000_000_000, b"list": 2_000_000_000_001}
    return {
        0: view(values, deadlines, idle={b"text": 5, b"set": 100_000}),
        9: view({b"k": b"v"}, freq={b"k": 255}),
    }


def write(path: Path, databases: dict[int, Any] | None = None, **options: Any) -> bytes:
    databases = small() if databases is None else databases
    size = snapshot.save(path, databases, LIMITS, aux=AUX, **options)
    assert size == path.stat().st_size
    return path.read_bytes()


def decode(data: bytes, block: int = 1 << 20, **options: Any) -> Loaded:
    decoder = Decoder(len(data), LIMITS, **{"now": None, **options})
    place = 0
    wanted = decoder.feed(b"")
    while wanted:
        size = max(block, wanted)
        wanted = decoder.feed(data[place : place + size])
        place += size
    return decoder.loaded


# ------------------------------------------------------------------------------------- reading


def test_example(contents: Contents) -> None:
    loaded = decode(sealed(EXAMPLE))
    assert (loaded.version, loaded.checksum) == (10, "verified")
    assert loaded.aux[b"redis-ver"] == b"7.0.15"
    assert loaded.aux[b"redis-bits"] == b"64"
    deadline = int.from_bytes(bytes.fromhex("2d637903a2010000"), "little")
    assert contents(loaded) == {
        0: ({b"l": {"list": [b"a", b"b"]}, b"k": b"v"}, {b"k": deadline}, {}, {}),
        3: ({b"n": 5}, {}, {}, {}),
    }


def test_round_trip(tmp_path: Path, contents: Contents, plain: Callable[[Any], Any]) -> None:
    write(tmp_path / "dump.rdb")
    loaded = snapshot.load(tmp_path / "dump.rdb", LIMITS, now=0)
    expected = {
        number: (
            {key: plain(value) for key, value in database.values.items()},
            database.deadlines,
            database.idle or {},
            database.freq or {},
        )
        for number, database in small().items()
    }
    assert contents(loaded) == expected
    assert loaded.size == (tmp_path / "dump.rdb").stat().st_size


@pytest.mark.parametrize("block", [1, 2, 7, 100])
def test_any_portions(tmp_path: Path, block: int, contents: Contents) -> None:
    data = write(tmp_path / "dump.rdb")
    assert contents(decode(data, block)) == contents(decode(data))


def test_a_record_larger_than_the_window(
    tmp_path: Path, contents: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = random.Random(1)
    databases = {
        0: view(
            {
                b"huge": generator.randbytes(1 << 20),
                b"after": b"it",
                b"list": List.load([generator.randbytes(100) for _ in range(5000)]),
            }
        )
    }
    data = write(tmp_path / "dump.rdb", databases)
    monkeypatch.setattr(snapshot, "_WINDOW", 1000)
    loaded = snapshot.load(tmp_path / "dump.rdb", LIMITS, now=0)
    assert contents(loaded) == contents(decode(data))


def test_due_keys_are_dropped_and_counted_or_kept() -> None:
    deadline = int.from_bytes(bytes.fromhex("2d637903a2010000"), "little")
    for now, expired in [(None, 0), (0, 0), (deadline, 0), (deadline + 1, 1)]:
        loaded = decode(sealed(EXAMPLE), now=now)
        assert loaded.expired == expired
        assert (b"k" in loaded.databases[0].values) == (not expired)
        assert (b"k" in loaded.databases[0].deadlines) == (not expired)


def test_a_deadline_of_minus_one_is_none(contents: Contents) -> None:
    """As in Redis, whatever the type and whether due keys are dropped."""
    body = b"REDIS0010" + bytes.fromhex(
        "fe00 fcffffffffffffffff 00016101 62 fcffffffffffffffff 01016c 01 0161 ff"
    )
    for now in (None, 10**12):
        assert contents(decode(sealed(body), now=now)) == {
            0: ({b"a": b"b", b"l": {"list": [b"a"]}}, {}, {}, {})
        }


def test_seconds_and_interleaved_databases_and_slots(contents: Contents) -> None:
    body = b"REDIS0003" + bytes.fromhex(
        "fe01 fd01000000 00016101 62 fe00 000161c007 fe01 00016300 ff"
    )
    assert contents(decode(body)) == {
        0: ({b"a": 7}, {}, {}, {}),
        1: ({b"a": b"b", b"c": b""}, {b"a": 1000}, {}, {}),
    }
    body = b"REDIS0012" + bytes.fromhex("fe00 f4 05 01 00 00016101 62 ff")
    assert contents(decode(sealed(body))) == {0: ({b"a": b"b"}, {}, {}, {})}


def test_empty_collections_are_skipped(contents: Contents) -> None:
    body = b"REDIS0010" + bytes.fromhex("fe00 fc0000000000000000 010161 00 00016201 63 ff")
    assert contents(decode(sealed(body))) == {0: ({b"b": b"c"}, {}, {}, {})}


def test_what_follows_the_dump_is_left_alone() -> None:
    loaded = decode(sealed(EXAMPLE) + b"*1\r\n$4\r\nPING\r\n")
    assert loaded.size == len(EXAMPLE) + 8


REFUSED = {
    "stream": (b"fe00 1a016100", "type 26 (stream of Redis 8.6 or newer)"),
    "module": (b"fe00 07016100", "type 7 (value of module 'AAAAAAAAA')"),
    "field expiry": (
        b"fe00 180161 0038d360ba010000 01010166 0176",
        "type 24 (hash with field expiry)",
    ),
    "functions": (b"f50161", "function library"),
    "old functions": (b"f60161", "function library"),
    "module data": (b"f7 80 00000000", "data of module 'AAAAAAAAA'"),
    "unknown opcode": (b"f3", "243"),
    "unknown type": (b"fe00 08016100", "8 is neither"),
    "database": (b"fe10", "open with at least 17 databases"),
    "no database": (b"fe81ffffffffffffffff", "no server has a database 18446744073709551615"),
    "cut off": (b"fe00 000161 50", "cut off or damaged"),
    "key twice": (b"fe00 00016100 00016100", "twice"),
    "key twice, deadline": (b"fe00 00016100 fc000000000000000000016100", "twice"),
    "hostile string": (b"fe00 0001618200000000", "0x82"),
    "hostile length": (b"fe00 00016181ffffffffffffffff", "announced"),
    "hostile unpacking": (b"fe00 000161c301807fffffff00", "stand for"),
    "hostile set": (b"fe00 020161810000001000000000", "announced"),
}


@pytest.mark.parametrize(("body", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refusals_name_place_and_remedy(tmp_path: Path, body: bytes, message: str) -> None:
    path = tmp_path / "dump.rdb"
    data = sealed(b"REDIS0010" + bytes.fromhex(body.decode()) + b"\xff")
    path.write_bytes(data)
    with pytest.raises(RdbError) as caught:
        snapshot.load(path, LIMITS, now=0)
    error = caught.value
    assert message in str(error)
    assert str(path) in str(error)
    assert error.offset is not None
    assert error.remedy
    if b"fe00" in body:
        assert error.database == 0
        assert error.key == (None if "neither" in message else b"a")
    assert path.read_bytes() == data


@pytest.mark.parametrize(
    "header",
    [
        b"REDIS001x",
        b"REDIS\xb010 ",
        b"REDIS00\xb10",
        b"REDIS0013",
        b"REDIS0000",
        b"REDIS0080",
        b"VALKEY081",
        b"VALKEY011",
        b"VALKEY08x",
        b"VALKEY080"[:8] + b"\xb0",
    ],
)
def test_headers(header: bytes) -> None:
    with pytest.raises(RdbError):
        decode(sealed(header + b"\xff"))


@pytest.mark.parametrize("version", range(5, 13))
def test_a_flipped_version_does_not_switch_the_check_off(version: int) -> None:
    """Redis loads these: up to version 4 there was no checksum."""
    data = sealed(b"REDIS%04d" % version + bytes.fromhex("fe00 00016101 62 ff"))
    decode(data)
    for place in range(5, 9):
        for bit in range(8):
            changed = bytearray(data)
            changed[place] ^= 1 << bit
            with pytest.raises(RdbError):
                decode(bytes(changed))


def test_checksum_wrong_absent_or_not_yet_invented() -> None:
    with pytest.raises(RdbError, match="wrong checksum"):
        decode(EXAMPLE + b"12345678")
    assert decode(EXAMPLE + bytes(8)).checksum == "absent"
    assert decode(b"REDIS0004\xff").checksum == "absent"


def test_every_cut_is_refused(tmp_path: Path) -> None:
    data = write(tmp_path / "dump.rdb")
    for size in range(len(data)):
        with pytest.raises(RdbError):
            decode(data[:size])


def test_every_changed_byte_is_noticed(tmp_path: Path) -> None:
    data = write(tmp_path / "dump.rdb")
    for place in range(len(data)):
        for change in (0x01, 0x80, 0xFF):
            changed = bytearray(data)
            changed[place] ^= change
            with pytest.raises(RdbError):
                decode(bytes(changed))


@pytest.mark.slow
def test_every_changed_byte_under_a_right_checksum_gives_an_error_or_a_database(
    tmp_path: Path,
) -> None:
    data = write(tmp_path / "dump.rdb")[:-8]
    for place in range(len(data)):
        for byte in {0, 1, 0x40, 0x7F, 0x80, 0x81, 0xC0, 0xC3, 0xF0, 0xFA, 0xFE, 0xFF}:
            changed = bytearray(data)
            changed[place] = byte
            try:
                loaded = decode(sealed(bytes(changed)))
            except RdbError:
                continue
            for database in loaded.databases.values():
                for value in database.values.values():
                    if not isinstance(value, bytes | int | bytearray):
                        value.check()


def test_the_collector_is_off_while_loading_and_then_as_before(tmp_path: Path) -> None:
    write(tmp_path / "dump.rdb")
    seen: list[bool] = []
    for before in (True, False):
        (gc.enable if before else gc.disable)()
        try:
            snapshot.load(
                tmp_path / "dump.rdb",
                LIMITS,
                now=0,
                progress=lambda done, total: seen.append(gc.isenabled()),
            )
            assert gc.isenabled() == before
        finally:
            gc.enable()
    assert seen
    assert not any(seen)


def test_progress(tmp_path: Path) -> None:
    generator = random.Random(1)
    databases = {0: view({b"key:%d" % n: generator.randbytes(1000) for n in range(10_000)})}
    saved: list[tuple[int, int]] = []
    data = write(tmp_path / "d.rdb", databases, progress=lambda *step: saved.append(step))
    assert len(saved) > 5
    assert saved == sorted(saved)
    assert saved[-1] == (10_000, 10_000)
    read: list[tuple[int, int]] = []
    snapshot.load(tmp_path / "d.rdb", LIMITS, now=0, progress=lambda *step: read.append(step))
    assert len(read) > 1
    assert read[-1] == (len(data), len(data))


def test_a_missing_file_is_a_file_error(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="missing"):
        snapshot.load(tmp_path / "missing.rdb", LIMITS, now=0)
    with pytest.raises(FileError, match="nowhere"):
        snapshot.save(tmp_path / "nowhere" / "d.rdb", small(), LIMITS, aux={})


def test_a_file_that_shrinks_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "dump.rdb"
    path.write_bytes(EXAMPLE)
    fstat = os.fstat
    monkeypatch.setattr(os, "fstat", lambda file: SimpleNamespace(st_size=fstat(file).st_size + 9))
    with pytest.raises(RdbError, match="shorter"):
        snapshot.load(path, LIMITS, now=0)


# ------------------------------------------------------------------------------------- writing


def test_the_file_as_it_is_written(tmp_path: Path) -> None:
    databases = {
        0: view(
            {b"l": List.load([b"a", b"b"]), b"k": b"v"},
            {b"k": int.from_bytes(bytes.fromhex("2d637903a2010000"), "little")},
        ),
        2: view({}),
        3: view({b"n": 5}),
    }
    aux = {**AUX, b"ctime": 0x6B016958}
    snapshot.save(tmp_path / "d.rdb", databases, LIMITS, aux=aux)
    assert (tmp_path / "d.rdb").read_bytes() == sealed(EXAMPLE)


def test_options(tmp_path: Path) -> None:
    packed = write(tmp_path / "d.rdb", checksum=False)
    assert packed[-8:] == bytes(8)
    assert snapshot.load(tmp_path / "d.rdb", LIMITS, now=0).checksum == "absent"
    raw = write(tmp_path / "d.rdb", compression=False)
    assert len(raw) > len(packed)
    assert b"abc" * 20 in raw


class Boom(BaseException):
    """What no code expects."""


STEPS = ["write", "fsync", "replace"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), KeyboardInterrupt(), Boom()]
)
def test_a_failed_save_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    before = write(tmp_path / "dump.rdb")

    def fail(*_: Any) -> Any:
        raise error

    if step == "write":
        monkeypatch.setattr(snapshot, "_write_all", fail)
    else:
        monkeypatch.setattr(os, step, fail)
    expected = FileError if isinstance(error, OSError) else type(error)
    with pytest.raises(expected):
        snapshot.save(tmp_path / "dump.rdb", {0: view({b"new": b"value"})}, LIMITS, aux={})
    assert [path.name for path in tmp_path.iterdir()] == ["dump.rdb"]
    assert (tmp_path / "dump.rdb").read_bytes() == before


# A file object that the interrupt has orphaned closes itself, and says so.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_at_any_line_leaves_a_whole_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "dump.rdb"
    before, databases = write(path), {0: view({b"new": b"value"})}
    write(tmp_path / "after.rdb", databases)
    after = (tmp_path / "after.rdb").read_bytes()
    (tmp_path / "after.rdb").unlink()
    fatal, done = 0, False
    while not done:
        path.write_bytes(before)
        fatal += 1
        done = not _interrupted(fatal, lambda: write(path, databases))
        assert [entry.name for entry in tmp_path.iterdir()] == ["dump.rdb"]
        assert path.read_bytes() in (before, after)
    assert fatal > 50
    assert path.read_bytes() == after


def _interrupted(fatal: int, work: Callable[[], Any]) -> bool:
    """Run `work` and interrupt it at the given line of snapshot.py, rdb_write.py...

    Not inside the finally clause: nothing in Python can be protected there.
    """
    left = fatal

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal left
        if "persistence" not in frame.f_code.co_filename:
            return None
        if event == "line" and not _clearing(frame):
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def _clearing(frame: Any) -> bool:
    source = Path(frame.f_code.co_filename).read_text().splitlines()
    line = source[frame.f_lineno - 1]
    return "suppress" in line or "unlink" in line


def test_blocks_are_bounded() -> None:
    generator = random.Random(1)
    databases = {0: view({b"key:%d" % n: generator.randbytes(100) for n in range(40_000)})}
    blocks = list(Encoder(databases, LIMITS, aux=AUX).blocks())
    assert max(map(len, blocks)) < 2 << 20
    assert len(blocks) < 12
