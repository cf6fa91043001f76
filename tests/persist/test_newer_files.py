"""Files and payloads of Redis 7.4 and Valkey 9: what is read, what is refused and how; version 11.

The files in files/ were written by real servers.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import minidis
from minidis.errors import RestoreError
from minidis.persistence import snapshot
from minidis.persistence.rdb import value_writers
from minidis.persistence.rdb.payload import dump_value, restore_value
from minidis.persistence.rdb.sink import Target
from minidis.structures.limits import Limits
from minidis.structures.streams import Stream
from minidis.structures.tables import Set
from tests.persist.test_snapshot import decode, sealed
from tests.persist.test_values import hash_, seal

FILES = Path(__file__).with_name("files")
LIMITS = Limits()

#: f=v and g=w without deadlines: what HPERSIST leaves, in both forms.
PERSISTED = "19 c2ab892ea2010000 17 17000000 0600 8167 02 8177 02 0001 8166 02 8176 02 0001 ff"
PERSISTED_TABLE = "18 c2ab892ea2010000 02 00 0166 0176 00 0167 0177"
#: The deadline of g is 4102444800000.
EXPIRING = (
    "19 c2ab892ea2010000 1f 1f000000 0600 8167 02 8177 02 f400d8c32cbb030000 09"
    "8166 02 8176 02 0001 ff"
)
VALKEY_HASH = "16 02 0166 0176 ffffffffffffffff 0167 0177 00d8c32cbb030000"


def test_a_hash_after_hpersist_is_an_ordinary_hash() -> None:
    with minidis.open(FILES / "hash_after_hpersist_7.4.1.rdb", decode_responses=True) as db:
        assert db.hgetall("h") == {"g": "w", "f": "v"}
        assert db.object_encoding("h") == "listpack"
        assert db.get("s") == "1"
        assert sorted(db.keys()) == ["h", "s"]


def test_a_plain_file_of_valkey_9() -> None:
    path = FILES / "plain_valkey_9.1.2.rdb"
    loaded = snapshot.load(path, LIMITS, now=0)
    assert (loaded.version, loaded.checksum) == (80, "verified")
    assert loaded.aux[b"valkey-ver"] == b"9.1.2"
    with minidis.open(path, decode_responses=True) as db:
        assert db.get("s") == "1"
        assert db.zrange("z", 0, -1, withscores=True) == [("a", 0.1)]
        assert db.smembers("set") == {"a", "b"}
        assert db.xrange("x") == [["1-1", ["f", "v"]]]
        assert db.dbsize() == 4


REFUSED = {
    "hash_field_expiry_7.4.1.rdb": (
        'version 12, database 0, key "h": type 25 (hash with field expiry) is not supported yet. '
        "Remedy: run HPERSIST for its fields, or delete this key on the server and save again, or "
        "use a newer minidis"
    ),
    "hash_field_expiry_valkey_9.1.2.rdb": (
        'version 80 of Valkey, database 0, key "h": type 22 (hash with field expiry, of Valkey 9) '
        "is not supported yet. Remedy: run HPERSIST"
    ),
    "modules_7.4.1.rdb": (
        "version 12, database 0, key \"b\": type 7 (value of module 'MBbloom--') is not supported "
        "yet. Remedy: delete this key on the server and save again"
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_named(name: str) -> None:
    with pytest.raises(minidis.RdbError) as caught:
        minidis.open(FILES / name)
    assert REFUSED[name] in str(caught.value)
    assert str(FILES / name) in str(caught.value)


# types of one family only -------------------------------------------------------------------------


@pytest.mark.parametrize("body", [PERSISTED, PERSISTED_TABLE])
def test_both_forms_of_a_hash_without_deadlines(body: str, plain: Callable[[Any], Any]) -> None:
    expected = hash_({b"f": b"v", b"g": b"w"})
    for version in (10, 12):
        assert plain(restore_value(seal(body, version), LIMITS)) == plain(expected)
    with pytest.raises(RestoreError, match="is neither a type"):
        restore_value(seal(body, 80), LIMITS)


PAYLOADS = {
    "7.4": (EXPIRING, 12, "version 12: type 25 (hash with field expiry)"),
    "7.4, deadlines of a table": (
        PERSISTED_TABLE.replace("00 0167", "01 0167"),
        12,
        "version 12: type 24 (hash with field expiry)",
    ),
    "7.4-rc": (VALKEY_HASH, 12, "release candidate of Redis 7.4"),
    "Valkey 9": (VALKEY_HASH, 80, "version 80 of Valkey: type 22 (hash with field expiry, of"),
    "deadline that is none": (
        "19 0000000000000000 10 10000000 0300 8166 02 8176 02 8178 02 ff",
        12,
        "a field lacks its deadline",
    ),
    "field without deadline": (
        "19 0000000000000000 0a 0a000000 0100 8166 02 ff",
        12,
        "a field lacks its deadline",
    ),
    "field twice": (
        "18 0000000000000000 02 00 0166 0176 00 0166 0177",
        12,
        "a field appears twice",
    ),
    "Redis 8.8": ("1c 00", 12, "type 28 (array)"),
    "Valkey later": ("1c 00", 80, "28 is neither a type nor an opcode"),
}


@pytest.mark.parametrize(("body", "version", "message"), PAYLOADS.values(), ids=PAYLOADS)
def test_payloads_that_are_refused(body: str, version: int, message: str) -> None:
    with pytest.raises(RestoreError) as caught:
        restore_value(seal(body, version), LIMITS)
    assert message in str(caught.value)
    assert caught.value.kind == "format"
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("version", "ok"), [(0, True), (12, True), (13, False), (79, False), (80, True), (81, False)]
)
def test_versions_of_payloads(version: int, ok: bool) -> None:
    payload = seal("00 0568656c6c6f", version)
    if ok:
        assert restore_value(payload, LIMITS) == b"hello"
        return
    with pytest.raises(RestoreError, match=f"version {version}.*Remedy: use a newer") as caught:
        restore_value(payload, LIMITS)
    assert caught.value.kind == "checksum"


def test_restore_replies_as_a_server_and_the_cause_says_more(db: minidis.Minidis[bytes]) -> None:
    """The key is shown as text, what is not printable escaped."""
    with pytest.raises(minidis.ResponseError) as caught:
        db.restore(b"caf\xc3\xa9 \xff\n\x00", 0, seal(EXPIRING, 12))
    assert str(caught.value) == "ERR Bad data format"
    assert r'version 12, key "café \xff\n\x00": type 25 (hash with' in str(caught.value.__cause__)
    assert "Remedy: run HPERSIST" in str(caught.value.__cause__)
    with pytest.raises(minidis.ResponseError) as caught:
        db.restore("k", 0, seal("00 0161", 13))
    assert str(caught.value) == "ERR DUMP payload version or checksum are wrong"
    assert 'version 13, key "k": this version is not supported' in str(caught.value.__cause__)
    assert db.keys() == []


def test_a_file_names_the_key_as_text() -> None:
    body = bytes.fromhex("fe00 1a 07 2261625c0a00ff 00 ff")
    with pytest.raises(minidis.RdbError) as caught:
        decode(sealed(b"REDIS0012" + body))
    assert r'key "\"ab\\\n\x00\xff": type 26' in str(caught.value)
    body = bytes.fromhex("fe00 1a 407d" + 125 * "61" + "00 ff")
    with pytest.raises(minidis.RdbError) as caught:
        decode(sealed(b"REDIS0012" + body))
    assert f'key "{"a" * 100}"...: type 26' in str(caught.value)
    assert caught.value.key == b"a" * 125


# opcodes and auxiliary fields ---------------------------------------------------------------------


def test_slots_and_auxiliary_fields_of_valkey(contents: Callable[[Any], Any]) -> None:
    body = bytes.fromhex(
        "fa 0a76616c6b65792d766572 05392e312e32 fa 09736c6f742d696e666f 05372c312c30 fe00 fb0100"
        "f4 05 01 00 00016101 62 ff"
    )
    loaded = decode(sealed(b"VALKEY080" + body))
    assert contents(loaded) == {0: ({b"a": b"b"}, {}, {}, {})}
    assert loaded.aux == {b"valkey-ver": b"9.1.2", b"slot-info": b"7,1,0"}


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"VALKEY080", "migration of cluster slots, which is not supported. Remedy: save again"),
        (b"REDIS0012", "243 is not an opcode of Redis dumps"),
    ],
)
def test_slot_migrations_are_refused(header: bytes, message: str) -> None:
    with pytest.raises(minidis.RdbError) as caught:
        decode(sealed(header + bytes.fromhex("f3 0161 fe00 00016101 62 ff")))
    assert message in str(caught.value)


def test_a_function_library_is_refused_in_every_version() -> None:
    for header in (b"REDIS0010", b"REDIS0012", b"VALKEY080"):
        with pytest.raises(minidis.RdbError, match="function library"):
            decode(sealed(header + bytes.fromhex("f5 0161 ff")))


# version 11 ---------------------------------------------------------------------------------------


class PackedSet(Set):
    """A set in the listpack encoding."""

    __slots__ = ("listpack",)


def write_set(value: Set, version: int) -> bytes:
    type_byte, body = value_writers.write_set(value, Target(LIMITS, None, version))
    return bytes((type_byte,)) + b"".join(body)


def test_sets_in_a_listpack() -> None:
    value = Set.load([b"b", b"a"], LIMITS)
    assert write_set(value, 10) == bytes.fromhex("02 02 0162 0161")
    assert write_set(value, 11) == bytes.fromhex("14 0d 0d000000 0200 8162 02 8161 02 ff")
    numbers = Set.load([b"2", b"1"], LIMITS, listpack=True)  # there was a text among them
    assert write_set(numbers, 10) == bytes.fromhex("02 02 c002 c001")
    assert write_set(numbers, 11) == bytes.fromhex("14 0b 0b000000 0200 0201 0101 ff")
    value.expanded = True
    for version in (10, 11):
        assert write_set(value, version)[0] == 2
        assert write_set(Set.load([b"2", b"1"], LIMITS), version)[0] == 11


def test_streams_with_times_of_activity() -> None:
    stream = Stream()
    assert dump_value(stream, LIMITS, version=10)[0] == 19
    payload = dump_value(stream, LIMITS, version=11)
    assert payload == seal("15 00 00 0000 0000 0000 00 00", 11)


def test_the_version_is_a_parameter(tmp_path: Path) -> None:
    path = tmp_path / "dump.rdb"
    with minidis.open(path, rdb_version=11) as db:
        assert db.config_get("rdb-version") == {b"rdb-version": b"11"}
        db.xadd("x", {"f": "v"}, id="1-1")
        db.save()
        assert path.read_bytes().startswith(b"REDIS0011")
        payload = db.dump("x") or b""
        assert (payload[0], payload[-10:-8]) == (21, b"\x0b\0")
        db.config_set("rdb-version", 10)
        db.save()
        assert path.read_bytes().startswith(b"REDIS0010")
        assert (db.dump("x") or b"")[-10:-8] == b"\x0a\0"
        for wrong in (9, 12, 80, "x"):
            with pytest.raises(minidis.ResponseError, match="rdb-version"):
                db.config_set("rdb-version", wrong)
    with minidis.open(path) as db:
        assert db.config_get("rdb-version") == {b"rdb-version": b"10"}
        assert db.xlen("x") == 1
        assert db.restore("again", 0, payload) == "OK"
        assert db.xrange("again") == db.xrange("x")
