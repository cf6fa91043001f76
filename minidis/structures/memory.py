"""Estimates of the memory that a value takes, in bytes: a function per type, for types.py.

An estimate adds what Python reports for the containers of the structure (their sizes include free
slots, so they are exact) and the size of the elements: SAMPLES of them are measured, and their
average is multiplied by the number of elements, as MEMORY USAGE does in Redis. So the cost does not
depend on the size of the value, and a value whose elements differ a lot in size is estimated badly.

Objects that several values share are counted in each of them. What the memory allocator adds is
counted as rounding up to 16 bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import islice
from sys import getsizeof
from typing import Any, TypeVar

from minidis.structures.index import Index
from minidis.structures.lists import List
from minidis.structures.sorted_set import SortedSet
from minidis.structures.stream_groups import Consumer, ConsumerGroup
from minidis.structures.streams import Node, Stream
from minidis.structures.tables import Hash, Set, Table

#: Elements that are measured, as in MEMORY USAGE without SAMPLES.
SAMPLES = 5

T = TypeVar("T")


def size_of(value: Any) -> int:
    """The bytes of one object, without what it refers to."""
    return getsizeof(value) + 15 & ~15


#: An entry of the order of a sorted set: its tuple, and its place in a list of SortedList.
_ORDER_ENTRY = size_of((0.0, b"")) + 8
_SCORE = size_of(1.0)
_STREAM_ID = size_of(1 << 100)
#: A pending entry: the tuple (owner, time, deliveries), its id and its time.
_PENDING = size_of((None, 0, 0)) + _STREAM_ID + size_of(1 << 40)
_CONSUMER = size_of(Consumer(b"", 0)) + size_of(b"name") + size_of(1 << 40)
_EMPTY_IDS = size_of(Consumer(b"", 0).ids)


def _total(count: int, sample: Iterable[T], measure: Callable[[T], float]) -> int:
    """The bytes of `count` elements, by the average of a sample."""
    sizes = list(map(measure, sample))
    return round(count * sum(sizes) / len(sizes)) if sizes else 0


def _sample(elements: Sequence[T]) -> list[T]:
    """Up to SAMPLES elements at equal distances."""
    count = min(len(elements), SAMPLES)
    return [elements[at * len(elements) // count] for at in range(count)]


def string_memory(value: bytes | int | bytearray) -> int:
    """The bytes of a string, O(1)."""
    return size_of(value)


def list_memory(value: List) -> int:
    """The bytes of a list, O(1): some chunks, and an element from the middle of each."""
    chunks = value.chunks
    sample = _sample(chunks)
    elements = [chunk[len(chunk) // 2] for chunk in sample if chunk]
    total = size_of(value) + size_of(chunks) + _total(len(chunks), sample, size_of)
    return total + _total(len(value), elements, size_of)


def hash_memory(value: Hash) -> int:
    """The bytes of a hash, O(1)."""
    sample = _members(value, value.index)
    return _table_memory(value) + _total(
        len(value), sample, lambda field: size_of(field) + size_of(value[field])
    )


def set_memory(value: Set) -> int:
    """The bytes of a set, O(1)."""
    return _table_memory(value) + _total(len(value), _members(value, value.index), size_of)


def _table_memory(value: Table[Any]) -> int:
    return size_of(value) + _index_memory(value.index)


def sorted_set_memory(value: SortedSet) -> int:
    """The bytes of a sorted set, O(1)."""
    scores = value.scores
    total = size_of(value) + size_of(scores) + _index_memory(value.index)
    if value.order is not None:
        total += len(value.order) * _ORDER_ENTRY
    sample = _members(scores, value.index)
    return total + len(scores) * _SCORE + _total(len(scores), sample, size_of)


def _members(members: Collection[bytes], index: Index | None) -> list[bytes]:
    """A sample: from the index if there is one, since a dict passes deleted places one by one."""
    return list(islice(members, SAMPLES)) if index is None else _sample(index.items)


def _index_memory(index: Index | None) -> int:
    """The members of an index are those of its container, so only their places count."""
    if index is None:
        return 0
    total = size_of(index) + size_of(index.items)
    positions = index.positions
    return total if positions is None else total + size_of(positions) + 32 * len(positions)


def stream_memory(value: Stream) -> int:
    """The bytes of a stream, O(1): some nodes and an entry of each, some consumer groups."""
    nodes = value.nodes
    sample = _sample(nodes)
    total = size_of(value) + size_of(nodes) + size_of(value.starts) + size_of(value.groups)
    total += _total(len(nodes), sample, _node_memory) + _total(len(value), sample, _entry_memory)
    groups = value.groups
    return total + _total(
        len(groups), islice(groups, SAMPLES), lambda name: _group_memory(groups[name])
    )


def _node_memory(node: Node) -> int:
    """A node without its entries."""
    names = node.names
    total = size_of(node) + size_of(node.rows) + size_of(names)
    return total + _total(len(names), names[:SAMPLES], size_of)


def _entry_memory(node: Node) -> int:
    """An entry from the middle of a node, of which only SAMPLES fields are measured."""
    row = node.rows[len(node.rows) // 2]
    fields, values = row[1 : 2 * SAMPLES : 2], row[2 : 2 * SAMPLES + 1 : 2]
    # Stream.append() shares the field names of the node.
    shared = node.names and fields[0] is node.names[0]
    measured = sum(map(size_of, values if shared else fields + values))
    return size_of(row) + _STREAM_ID + measured * (len(row) // 2) // len(fields)


def _group_memory(group: ConsumerGroup) -> int:
    """A group; each pending entry is in the group and in the ids of its consumer."""
    pending, consumers = group.pending, group.consumers
    total = size_of(group) + 2 * size_of(pending) + size_of(consumers)
    return total + len(pending) * _PENDING + len(consumers) * (_CONSUMER + _EMPTY_IDS)
