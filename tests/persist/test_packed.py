"""Listpack, intset, ziplist, zipmap: byte for byte as Redis, and damage is always noticed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidis.persistence.rdb.corrupt import CorruptError
from minidis.persistence.rdb.packed import (
    backlen,
    listpack_entry,
    read_intset,
    read_listpack,
    read_ziplist,
    read_zipmap,
    write_intset,
    write_listpack,
)

LISTPACKS = [
    ([b"a", b"1", b"hello world"], "19000000 0300 8161 02 0101 8b68656c6c6f20776f726c64 0c ff"),
    ([b"c", b"-3", b"a", b"1"], "12000000 0400 8163 02 dffd 02 8161 02 0101 ff"),
    ([b"n", b"1000"], "0d000000 0200 816e 02 c3e8 02 ff"),
    ([], "07000000 0000 ff"),
]

#: Element, how its entry begins, how it ends: the borders of all forms.
ENTRIES = [
    (b"0", "00", "01"),
    (b"127", "7f", "01"),
    (b"128", "c080", "02"),
    (b"-1", "dfff", "02"),
    (b"4095", "cfff", "02"),
    (b"-4096", "d000", "02"),
    (b"4096", "f10010", "03"),
    (b"-32768", "f10080", "03"),
    (b"32768", "f2008000", "04"),
    (b"-8388608", "f2000080", "04"),
    (b"8388608", "f300008000", "05"),
    (b"2147483648", "f40000008000000000", "09"),
    (b"-9223372036854775808", "f40000000000000080", "09"),
    (b"9223372036854775808", "93393232", "3814"),
    (b"007", "83303037", "04"),
    (b"-0", "822d30", "03"),
    (b"+1", "822b31", "03"),
    (b"", "80", "01"),
    (b"x" * 63, "bf78", "40"),
    (b"x" * 64, "e04078", "42"),
    (b"x" * 125, "e07d78", "7f"),
    (b"x" * 126, "e07e78", "0180"),
    (b"x" * 4095, "efff78", "2081"),
    (b"x" * 4096, "f00010000078", "2085"),
    (b"x" * 16378, "f0fa3f000078", "00ffff"),
]


@pytest.mark.parametrize(("elements", "picture"), LISTPACKS)
def test_listpack_examples(elements: list[bytes], picture: str) -> None:
    assert write_listpack(elements) == bytes.fromhex(picture)
    assert read_listpack(bytes.fromhex(picture)) == elements


@pytest.mark.parametrize(("element", "begin", "end"), ENTRIES)
def test_listpack_entries(element: bytes, begin: str, end: str) -> None:
    entry = listpack_entry(element)
    assert entry.hex().startswith(begin)
    assert entry.hex().endswith(end)
    assert read_listpack(write_listpack([element, b"next"])) == [element, b"next"]


@pytest.mark.parametrize(
    ("size", "picture"),
    [
        (127, "7f"),
        (128, "0180"),
        (16382, "7ffe"),
        (16383, "00ffff"),
        (2097150, "7ffffe"),
        (2097151, "00ffffff"),
        (268435454, "7ffffffe"),
        (268435455, "00ffffffff"),
    ],
)
def test_back_lengths(size: int, picture: str) -> None:
    assert backlen(size).hex() == picture


_ELEMENTS = st.one_of(
    st.binary(max_size=80),
    st.integers(-(2**64), 2**64).map(lambda number: b"%d" % number),
    st.integers(0, 5000).map(lambda size: b"y" * size),
)


@given(st.lists(_ELEMENTS, max_size=20))
def test_listpack_round_trip(elements: list[bytes]) -> None:
    assert read_listpack(write_listpack(elements)) == elements


def test_listpack_of_unknown_count() -> None:
    elements = [b"%d" % (number & 7) for number in range(70_000)]
    packed = write_listpack(elements)
    assert packed[4:6] == b"\xff\xff"
    assert read_listpack(packed) == elements


@given(st.sets(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_intset_round_trip(numbers: set[int]) -> None:
    members = [b"%d" % number for number in sorted(numbers)]
    assert read_intset(write_intset(reversed(members))) == members


@pytest.mark.parametrize(
    ("members", "picture"),
    [
        ([b"1", b"2", b"300"], "02000000 03000000 0100 0200 2c01"),
        ([b"1", b"70000"], "04000000 02000000 01000000 70110100"),
        ([b"-5", b"1099511627776"], "08000000 02000000 fbffffffffffffff 0000000000010000"),
        ([b"-32768", b"32767"], "02000000 02000000 0080 ff7f"),
        ([b"32768"], "04000000 01000000 00800000"),
    ],
)
def test_intset_examples(members: list[bytes], picture: str) -> None:
    assert write_intset(members) == bytes.fromhex(picture)
    assert read_intset(bytes.fromhex(picture)) == members


def ziplist(*entries: str) -> bytes:
    """A ziplist of entries given without the length of the previous one."""
    body, last, previous = b"", 10, 0
    for entry in entries:
        last = 10 + len(body)
        whole = bytes((previous,)) if previous < 254 else b"\xfe" + previous.to_bytes(4, "little")
        whole += bytes.fromhex(entry)
        body, previous = body + whole, len(whole)
    head = (11 + len(body)).to_bytes(4, "little") + last.to_bytes(4, "little")
    return head + len(entries).to_bytes(2, "little") + body + b"\xff"


ZIPLISTS = [
    (ziplist(), []),
    (ziplist("f3", "f6"), [b"2", b"5"]),
    (ziplist("f1", "fd"), [b"0", b"12"]),
    (ziplist("fe80", "c00080", "f0000080"), [b"-128", b"-32768", b"-8388608"]),
    (ziplist("d000000080", "e00000000000000080"), [b"-2147483648", b"-9223372036854775808"]),
    (ziplist("0161", "4040" + "62" * 64, "80 00004000" + "63" * 16384, "0164"),
     [b"a", b"b" * 64, b"c" * 16384, b"d"]),
]  # fmt: skip


@pytest.mark.parametrize(("blob", "elements"), ZIPLISTS)
def test_ziplist_examples(blob: bytes, elements: list[bytes]) -> None:
    assert read_ziplist(blob) == elements


ZIPMAPS = [
    ("02 03 666f6f 03 00 626172 05 68656c6c6f 05 00 776f726c64 ff",
     [b"foo", b"bar", b"hello", b"world"]),
    ("01 03 666f6f 02 01 686921 ff", [b"foo", b"hi"]),
    ("00 ff", []),
    ("fe 01 61 fe 2c010000 00" + "62" * 300 + "ff", [b"a", b"b" * 300]),
]  # fmt: skip


@pytest.mark.parametrize(("picture", "words"), ZIPMAPS)
def test_zipmap_examples(picture: str, words: list[bytes]) -> None:
    assert read_zipmap(bytes.fromhex(picture)) == words


VALID: list[tuple[Callable[[bytes], list[bytes]], bytes]] = [
    *((read_listpack, bytes.fromhex(picture)) for _, picture in LISTPACKS),
    (read_listpack, write_listpack([b"x" * 200, b"99999", b"-5", b"4294967296", b"y" * 5000])),
    (read_intset, write_intset([b"1", b"2", b"300"])),
    *((read_ziplist, blob) for blob, _ in ZIPLISTS[:5]),
    *((read_zipmap, bytes.fromhex(picture)) for picture, _ in ZIPMAPS),
]


@pytest.mark.parametrize(("read", "blob"), VALID)
def test_every_cut_is_refused(read: Callable[[bytes], list[bytes]], blob: bytes) -> None:
    for size in range(len(blob)):
        with pytest.raises(CorruptError):
            read(blob[:size])
    with pytest.raises(CorruptError):
        read(blob + b"\xff")


@pytest.mark.parametrize(("read", "blob"), VALID)
def test_every_changed_byte_is_refused_or_read(
    read: Callable[[bytes], list[bytes]], blob: bytes
) -> None:
    for place in range(min(len(blob), 300)):
        for change in (0x01, 0x80, 0xFF, 0x40, 0x3F):
            changed = bytearray(blob)
            changed[place] ^= change
            with contextlib.suppress(CorruptError):
                assert all(isinstance(item, bytes) for item in read(bytes(changed)))


@given(st.sampled_from([read_listpack, read_ziplist, read_zipmap, read_intset]), st.binary())
def test_garbage_is_refused(read: Callable[[bytes], list[bytes]], blob: bytes) -> None:
    with contextlib.suppress(CorruptError):
        assert all(isinstance(item, bytes) for item in read(blob))


@pytest.mark.parametrize(
    ("read", "picture"),
    [
        (read_listpack, "0a000000 0100 8161 03 ff"),  # back length
        (read_listpack, "0a000000 0200 8161 02 ff"),  # count
        (read_listpack, "0b000000 0100 8161 02 ff"),  # total
        (read_listpack, "0a000000 0100 8161 02 fe"),  # terminator
        (read_listpack, "09000000 0100 f5 01 ff"),  # no such entry
        (read_intset, "02000000 02000000 0200 0100"),  # order
        (read_intset, "02000000 02000000 0100 0100"),  # twice
        (read_intset, "03000000 01000000 010000"),  # width
        (read_intset, "02000000 00000000"),  # empty
        (read_ziplist, "0f000000 0c000000 0200 00 f3 03 f6 ff"),  # previous length
        (read_ziplist, "0f000000 0a000000 0200 00 f3 02 f6 ff"),  # tail
        (read_ziplist, "0f000000 0c000000 0300 00 f3 02 f6 ff"),  # count
        (read_ziplist, "0f000000 0c000000 0200 00 f3 02 ef ff"),  # no such entry
        (read_zipmap, "02 03 666f6f 03 00 626172 ff"),  # count
        (read_zipmap, "01 03 666f6f ff"),  # value missing
    ],
)
def test_damage_is_named(read: Callable[[bytes], list[bytes]], picture: str) -> None:
    with pytest.raises(CorruptError):
        read(bytes.fromhex(picture))
