"""Writing a dump, without touching a file: version 10, which Redis 7.0 and all newer ones read.

    REDIS0010 | (FA name text)* | (FE database | FB sizes | key*)* | FF | crc64
    key:      [FC deadline] [F8 idle | F9 freq] type key value

The lowest version that can carry the data: types 0, 2, 4, 5 and 11, 16, 17, 18, 19.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from minidis.persistence.rdb.checksum import crc64
from minidis.persistence.rdb.lzf import Packer
from minidis.persistence.rdb.packed import (
    join_listpack,
    listpack_entry,
    write_intset,
    write_listpack,
)
from minidis.persistence.rdb.streams import (
    STREAM_2,
    consumer_parts,
    entries_read,
    node_parts,
    pending_parts,
)
from minidis.persistence.rdb.types import (
    HASH,
    HASH_LISTPACK,
    LIST_QUICKLIST_2,
    PACKED,
    PLAIN,
    SET,
    SET_INTSET,
    STRING,
    ZSET_2,
    ZSET_LISTPACK,
    Value,
)
from minidis.structures.limits import Limits
from minidis.structures.lists import List
from minidis.structures.sorted_set import SortedSet
from minidis.structures.stream_groups import Group
from minidis.structures.streams import SEQUENCE, SHIFT, Stream
from minidis.structures.tables import Hash, Set
from minidis.structures.text import is_canonical_int

VERSION = 10
HEADER = b"REDIS%04d" % VERSION
#: Blocks of about this size are handed out, so that a file is not written in crumbs.
BLOCK = 1 << 20

IDLE, FREQ, AUX, RESIZEDB = b"\xf8", b"\xf9", b"\xfa", b"\xfb"
DEADLINE_MS, SELECTDB, EOF = b"\xfc", b"\xfe", b"\xff"

_I64 = struct.Struct("<q")
_F64 = struct.Struct("<d")


class DatabaseView(Protocol):
    """What is saved of a database: nobody may change it meanwhile."""

    @property
    def values(self) -> Mapping[bytes, Value]: ...
    @property
    def deadlines(self) -> Mapping[bytes, int]: ...
    @property
    def idle(self) -> Mapping[bytes, int] | None: ...
    @property
    def freq(self) -> Mapping[bytes, int] | None: ...


# ------------------------------------------------------------------------- lengths and strings


def _length(length: int) -> bytes:
    if length < 0x40:
        return bytes((length,))
    if length < 0x4000:
        return bytes((0x40 | length >> 8, length & 0xFF))
    if length < 1 << 32:
        return b"\x80" + length.to_bytes(4, "big")
    return b"\x81" + length.to_bytes(8, "big")


_LENGTHS = tuple(map(_length, range(0x4000)))


def length(number: int) -> bytes:
    """A LEN in its shortest form."""
    return _LENGTHS[number] if number < 0x4000 else _length(number)


def integer(number: int) -> bytes:
    """A string that is the text of this integer."""
    for form, width in ((b"\xc0", 1), (b"\xc1", 2), (b"\xc2", 4)):
        if -(1 << 8 * width - 1) <= number < 1 << 8 * width - 1:
            return form + number.to_bytes(width, "little", signed=True)
    text = b"%d" % number
    return length(len(text)) + text


#: Packs a string, or None.
Pack = Callable[[bytes], bytes | None]

#: Redis looks for integers only in texts that can be 32 bits, and compresses only longer ones.
LONGEST_INTEGER = 11
SHORTEST_PACKED = 21


def string(text: bytes, pack: Pack | None) -> bytes:
    """A STR in the form Redis would choose."""
    size = len(text)
    if size <= LONGEST_INTEGER:
        if is_canonical_int(text):
            return integer(int(text))
    elif pack is not None and size >= SHORTEST_PACKED:
        packed = pack(text)
        if packed is not None:
            return b"\xc3" + length(len(packed)) + length(size) + packed
    return length(size) + text


# ------------------------------------------------------------------------------------- values

_Parts = list[bytes]


def _write_list(value: List, limits: Limits, pack: Pack | None) -> _Parts:
    nodes = list(_list_nodes(value, limits.list_max_listpack_size))
    parts = [length(len(nodes))]
    for container, blob in nodes:
        parts += (length(container), string(blob, pack))
    return parts


#: list-max-listpack-size -1..-5 -> bytes of a node.
_NODE_BYTES = {-1: 4096, -2: 8192, -3: 16384, -4: 32768, -5: 65536}
#: A node limited by its number of elements has this limit besides.
_SAFE_NODE_BYTES = 8192
#: What Redis adds to an element when it asks whether it still fits.
_NODE_ESTIMATE = 8
#: Elements of this size are stored alone and unpacked.
_PLAIN_BYTES = 1 << 30
_EMPTY_LISTPACK_BYTES = 7


def _list_nodes(value: List, fill: int) -> Iterator[tuple[int, bytes]]:
    """The nodes a list would have, had it been filled by RPUSH."""
    most_bytes = _SAFE_NODE_BYTES if fill >= 0 else _NODE_BYTES[max(fill, -5)]
    most_elements = max(fill, 1) if fill >= 0 else 1 << 62
    entries: list[bytes] = []
    size = _EMPTY_LISTPACK_BYTES
    for element in value:
        plain = len(element) >= _PLAIN_BYTES
        full = size + len(element) + _NODE_ESTIMATE > most_bytes or len(entries) >= most_elements
        if entries and (plain or full):
            yield PACKED, join_listpack(entries)
            entries, size = [], _EMPTY_LISTPACK_BYTES
        if plain:
            yield PLAIN, element
            continue
        entry = listpack_entry(element)
        entries.append(entry)
        size += len(entry)
    if entries:
        yield PACKED, join_listpack(entries)


def _write_set(value: Set, limits: Limits, pack: Pack | None) -> _Parts:
    if not value.expanded:
        return [string(write_intset(value), pack)]
    return [length(len(value)), *(string(member, pack) for member in value)]


def _write_hash(value: Hash, limits: Limits, pack: Pack | None) -> _Parts:
    if not value.expanded:
        words = [word for pair in value.items() for word in pair]
        return [string(write_listpack(words), pack)]
    parts = [length(len(value))]
    for field, text in value.items():
        parts += (string(field, pack), string(text, pack))
    return parts


def _write_sorted_set(value: SortedSet, limits: Limits, pack: Pack | None) -> _Parts:
    """Compact from low to high; wide from high to low, which Redis can insert faster."""
    pairs = list(value.items())
    if not value.expanded:
        words = [word for member, score in pairs for word in (member, score_text(score))]
        return [string(write_listpack(words), pack)]
    parts = [length(len(pairs))]
    for member, score in reversed(pairs):
        parts += (string(member, pack), _F64.pack(score))
    return parts


#: Integral scores up to here stand as integers in a listpack.
_LARGEST_INTEGER_SCORE = float((1 << 63) - 1) / 2


def score_text(score: float) -> bytes:
    """A score as an element of a listpack; minus zero becomes 0 there."""
    if -_LARGEST_INTEGER_SCORE <= score <= _LARGEST_INTEGER_SCORE and score == int(score):
        return b"%d" % int(score)
    return b"%.17g" % score


def _id(number: int) -> bytes:
    return length(number >> SHIFT) + length(number & SEQUENCE)


def _write_stream(value: Stream, limits: Limits, pack: Pack | None) -> _Parts:
    parts = [length(len(value.nodes))]
    for key, blob in node_parts(value):
        parts += (string(key, pack), string(blob, pack))
    parts += (length(len(value)), _id(value.last_id), _id(value.first_id))
    parts += (_id(value.max_deleted), length(value.added), length(len(value.groups)))
    for name, group in sorted(value.groups.items()):
        parts += (string(name, pack), _id(group.last_id), length(entries_read(group)))
        parts += _group_parts(group, pack)
    return parts


def _group_parts(group: Group, pack: Pack | None) -> _Parts:
    parts = [length(len(group.pending))]
    for raw, deliveries in pending_parts(group):
        parts += (raw, length(deliveries))
    consumers = list(consumer_parts(group))
    parts.append(length(len(consumers)))
    for name, seen, ids in consumers:
        parts += (string(name, pack), seen, length(len(ids)), *ids)
    return parts


def _write_string(value: bytes | bytearray, limits: Limits, pack: Pack | None) -> _Parts:
    return [string(bytes(value), pack)]


def _write_int(value: int, limits: Limits, pack: Pack | None) -> _Parts:
    return [integer(value)]


def value_parts(value: Value, limits: Limits, pack: Pack | None) -> tuple[int, _Parts]:
    """The type byte of a value and its body."""
    if isinstance(value, int):
        return STRING, _write_int(value, limits, pack)
    if isinstance(value, bytes | bytearray):
        return STRING, _write_string(value, limits, pack)
    if isinstance(value, List):
        return LIST_QUICKLIST_2, _write_list(value, limits, pack)
    if isinstance(value, Hash):
        return HASH if value.expanded else HASH_LISTPACK, _write_hash(value, limits, pack)
    if isinstance(value, Set):
        return SET if value.expanded else SET_INTSET, _write_set(value, limits, pack)
    if isinstance(value, Stream):
        return STREAM_2, _write_stream(value, limits, pack)
    return (
        ZSET_2 if value.expanded else ZSET_LISTPACK,
        _write_sorted_set(value, limits, pack),
    )


# --------------------------------------------------------------------------------------- dump


class Encoder:
    """Makes one dump, handed out in blocks.

    `size` in bytes and `keys` of `total_keys` tell how far it has come.
    """

    def __init__(
        self,
        databases: Mapping[int, DatabaseView],
        limits: Limits,
        *,
        aux: Mapping[bytes, bytes | int],
        compression: bool = True,
        checksum: bool = True,
    ) -> None:
        self.size = 0
        self.keys = 0
        self.total_keys = sum(len(view.values) for view in databases.values())
        self._databases = databases
        self._limits = limits
        self._aux = aux
        self._pack = Packer().compress if compression else None
        self._checksum = checksum
        self._crc = 0

    def blocks(self) -> Iterator[bytes]:
        """The dump, in blocks of about a MiB."""
        yield self._sum(self._opening())
        for number in sorted(self._databases):
            view = self._databases[number]
            if view.values:
                yield self._sum(self._selection(number, view))
                yield from map(self._sum, self._records(view))
        yield self._sum(EOF)
        yield self._crc.to_bytes(8, "little")
        self.size += 8

    def _sum(self, block: bytes) -> bytes:
        if self._checksum:
            self._crc = crc64(block, self._crc)
        self.size += len(block)
        return block

    def _opening(self) -> bytes:
        parts = [HEADER]
        for name, text in self._aux.items():
            parts += (AUX, string(name, None))
            parts.append(integer(text) if isinstance(text, int) else string(text, None))
        return b"".join(parts)

    @staticmethod
    def _selection(number: int, view: DatabaseView) -> bytes:
        sizes = length(len(view.values)) + length(len(view.deadlines))
        return SELECTDB + length(number) + RESIZEDB + sizes

    def _records(self, view: DatabaseView) -> Iterator[bytes]:
        """The records of all keys.

        One loop with local names and no call for a short string under a key that is no number:
        this is most of most dumps. Sizes are counted roughly, just to end a block in time.
        """
        limits, pack = self._limits, self._pack
        heads, lengths, longest_key = _STRING_HEADS, _LENGTHS, SHORTEST_PACKED - 1
        prefix = _prefix_writer(view)
        parts: _Parts = []
        written = 0
        for number, (key, value) in enumerate(view.values.items(), self.keys + 1):
            if prefix is not None:
                parts.append(prefix(key))
            key_size = len(key)
            if type(value) is bytes and key >= _ABOVE_NUMBERS and key_size <= longest_key:
                size = len(value)
                if LONGEST_INTEGER < size <= longest_key:
                    parts += (heads[key_size], key, lengths[size], value)
                else:
                    parts += (heads[key_size], key, string(value, pack))
                written += size
            else:
                kind, body = value_parts(value, limits, pack)
                parts += (bytes((kind,)), string(key, pack), *body)
                written += sum(map(len, body))
            written += key_size
            if written >= BLOCK:
                self.keys = number
                yield b"".join(parts)
                parts, written = [], 0
        self.keys = number
        yield b"".join(parts)


#: Type byte and length of the key of a string.
_STRING_HEADS = tuple(bytes((STRING,)) + text for text in _LENGTHS[:SHORTEST_PACKED])
#: A text from here on does not begin as a number does.
_ABOVE_NUMBERS = b":"


def _prefix_writer(view: DatabaseView) -> Callable[[bytes], bytes] | None:
    """What stands before a key, as a function; None when no key of the database has anything."""
    deadlines, idle, freq = view.deadlines, view.idle or {}, view.freq or {}
    if not (deadlines or idle or freq):
        return None

    def prefix(key: bytes) -> bytes:
        deadline = deadlines.get(key)
        text = b"" if deadline is None else DEADLINE_MS + _I64.pack(deadline)
        if key in idle:
            return text + IDLE + length(idle[key])
        if key in freq:
            return text + FREQ + bytes((freq[key],))
        return text

    return prefix
