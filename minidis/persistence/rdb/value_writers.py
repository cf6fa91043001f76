"""Writing values to a dump: a function per type, from (value, target) to a Body.

They choose the form that a server would keep, unless the version of the target lacks it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from minidis.persistence.rdb.packed import (
    join_listpack,
    listpack_entry,
    write_intset,
    write_listpack,
)
from minidis.persistence.rdb.sink import Target, encode_integer, encode_length, encode_string
from minidis.persistence.rdb.type_bytes import (
    HASH,
    HASH_LISTPACK,
    LIST_QUICKLIST_2,
    PACKED,
    PLAIN,
    SET,
    SET_INTSET,
    SET_LISTPACK,
    STRING,
    ZSET_2,
    ZSET_LISTPACK,
)
from minidis.structures.lists import List
from minidis.structures.sorted_set import SortedSet
from minidis.structures.tables import Hash, Set

#: The type byte of a value, and the parts of its body.
Body = tuple[int, list[bytes]]

_F64 = struct.Struct("<d")


def write_string(value: bytes | int | bytearray, target: Target) -> Body:
    """A string."""
    if isinstance(value, int):
        return STRING, [encode_integer(value)]
    return STRING, [encode_string(bytes(value), target.compress)]


def write_list(value: List, target: Target) -> Body:
    """A list, in the nodes that Redis would have made."""
    nodes = list(_list_nodes(value, target.limits.list_max_listpack_size))
    parts = [encode_length(len(nodes))]
    for container, blob in nodes:
        parts += (encode_length(container), encode_string(blob, target.compress))
    return LIST_QUICKLIST_2, parts


#: list-max-listpack-size -1..-5 -> bytes of a node.
_NODE_BYTES = {-1: 4096, -2: 8192, -3: 16384, -4: 32768, -5: 65536}
#: The limit in bytes for nodes that are limited by their number of elements.
_SAFE_NODE_BYTES = 8192
#: Redis adds this to the size of an element to estimate its entry.
_NODE_ESTIMATE = 8
#: Elements of this size have a node of their own.
_PLAIN_BYTES = 1 << 30
_EMPTY_LISTPACK_BYTES = 7


def _list_nodes(value: List, fill: int) -> Iterator[tuple[int, bytes]]:
    """(kind, content) of each node that the list would have if RPUSH had filled it."""
    max_bytes = _SAFE_NODE_BYTES if fill >= 0 else _NODE_BYTES[max(fill, -5)]
    max_elements = max(fill, 1) if fill >= 0 else 1 << 62
    entries: list[bytes] = []
    size = _EMPTY_LISTPACK_BYTES
    for element in value:
        plain = len(element) >= _PLAIN_BYTES
        full = size + len(element) + _NODE_ESTIMATE > max_bytes or len(entries) >= max_elements
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


def write_set(value: Set, target: Target) -> Body:
    """A set: an intset, a listpack, or its members."""
    if value.encoding == "intset":
        return SET_INTSET, [encode_string(write_intset(value), target.compress)]
    if not value.expanded and target.has(SET_LISTPACK):
        return SET_LISTPACK, [encode_string(write_listpack(list(value)), target.compress)]
    parts = [encode_string(member, target.compress) for member in value]
    return SET, [encode_length(len(value)), *parts]


def write_hash(value: Hash, target: Target) -> Body:
    """A hash: a listpack, or its fields and values."""
    if not value.expanded:
        words = [word for pair in value.items() for word in pair]
        return HASH_LISTPACK, [encode_string(write_listpack(words), target.compress)]
    compress = target.compress
    parts = [encode_length(len(value))]
    for field, text in value.items():
        parts += (encode_string(field, compress), encode_string(text, compress))
    return HASH, parts


def write_sorted_set(value: SortedSet, target: Target) -> Body:
    """A sorted set: a listpack in ascending order, or its members and scores in descending order.

    Redis inserts into a skiplist faster in descending order.
    """
    pairs = list(value.items())
    if not value.expanded:
        words = [word for member, score in pairs for word in (member, score_text(score))]
        return ZSET_LISTPACK, [encode_string(write_listpack(words), target.compress)]
    parts = [encode_length(len(pairs))]
    for member, score in reversed(pairs):
        parts += (encode_string(member, target.compress), _F64.pack(score))
    return ZSET_2, parts


#: Integral scores up to here are integers in a listpack.
_LARGEST_INTEGER_SCORE = float((1 << 63) - 1) / 2


def score_text(score: float) -> bytes:
    """A score as an element of a listpack, where -0.0 becomes 0."""
    if -_LARGEST_INTEGER_SCORE <= score <= _LARGEST_INTEGER_SCORE and score == int(score):
        return b"%d" % int(score)
    return b"%.17g" % score
