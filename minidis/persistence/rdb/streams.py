"""Streams in a dump: types 15, 19 and 21 are read, 19 or 21 is written.

    LEN nodes | (STR key, STR listpack)*      key: id of the master entry, 8 + 8 bytes, big endian
    LEN entries | LEN LEN last id
    LEN LEN first id | LEN LEN largest deleted id | LEN entries ever added          from 19 on
    LEN groups | (STR name | LEN LEN last id | [LEN entries read] | pending | consumers)*
    pending     LEN | (16 bytes id, i64 time, LEN deliveries)*
    consumers   LEN | (STR name, i64 seen, [i64 active, 21] LEN, 16 bytes id*)*

A listpack begins with a master entry, whose fields the other entries need not repeat:

    live dead n field*n 0 | (flags ms-difference seq-difference [n] (field value)* count)*

Type 19 does not contain `active`: when it is read, `active` is `seen`, as in Redis. A pending entry
without an owner (see XNACK) is written as one of a consumer "" whose `seen` is 0.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from minidis.persistence.rdb.corrupt import CorruptError
from minidis.persistence.rdb.lzf import Compress
from minidis.persistence.rdb.packed import read_listpack, write_listpack
from minidis.persistence.rdb.sink import Target, encode_length, encode_string
from minidis.persistence.rdb.source import Source
from minidis.persistence.rdb.type_bytes import (
    STREAM_LISTPACKS,
    STREAM_LISTPACKS_2,
    STREAM_LISTPACKS_3,
)
from minidis.structures.limits import Limits
from minidis.structures.listpack_sizes import signed
from minidis.structures.stream_groups import UNKNOWN, Consumer, ConsumerGroup
from minidis.structures.streams import MOST_ID, SEQUENCE, SHIFT, Node, Row, Stream

_DELETED, _SAME_FIELDS = 1, 2
_ID_SIZE = 16
_I64 = struct.Struct("<q")
#: An unknown number of entries read.
_UNKNOWN = SEQUENCE
#: Name of the consumer of pending entries without an owner.
_NO_CONSUMER = b""
#: The active-time of a consumer that has received nothing.
_NEVER = -1


# ------------------------------------------------------------------------------------- reading


def read_stream(source: Source, limits: Limits) -> Stream:
    """A stream of Redis 5 and 6."""
    return _read_stream(source, STREAM_LISTPACKS)


def read_stream_2(source: Source, limits: Limits) -> Stream:
    """A stream of Redis 7.0."""
    return _read_stream(source, STREAM_LISTPACKS_2)


def read_stream_3(source: Source, limits: Limits) -> Stream:
    """A stream of Redis 7.2."""
    return _read_stream(source, STREAM_LISTPACKS_3)


def _read_stream(source: Source, type_byte: int) -> Stream:
    nodes = [_read_node(source.string(), source.string()) for _ in range(source.count())]
    length, last_id = source.length(), _read_id(source)
    max_deleted, added = 0, length
    if type_byte != STREAM_LISTPACKS:
        _read_id(source)  # the first id: known from the entries
        max_deleted, added = _read_id(source), source.length()
    stream = Stream.load([node for node in nodes if node.rows], last_id, max_deleted, added)
    _check(stream, length)
    for _ in range(source.count()):
        name = source.string()
        if name in stream.groups:
            raise CorruptError("stream: a group appears twice")
        stream.groups[name] = _read_group(source, type_byte, stream)
    return stream


def _check(stream: Stream, length: int) -> None:
    if len(stream) != length:
        raise CorruptError(f"stream: {length} entries announced, {len(stream)} found")
    last = -1
    for node in stream.nodes:
        ids = [row[0] for row in node.rows]
        if not last < node.first <= ids[0] or any(map(int.__ge__, ids, ids[1:])):
            raise CorruptError("stream: the ids are not in ascending order")
        last = node.last
    if last > stream.last_id:
        raise CorruptError("stream: an entry has a larger id than the last id")


def _read_id(source: Source) -> int:
    return source.length() << SHIFT | source.length()


def _raw_id(source: Source) -> int:
    return int.from_bytes(source.take(_ID_SIZE), "big")


def _read_node(key: bytes, blob: bytes) -> Node:
    if len(key) != _ID_SIZE:
        raise CorruptError(f"stream: the key of a node has {len(key)} bytes")
    words = read_listpack(blob)
    try:
        return _node(int.from_bytes(key, "big"), words)
    except (ValueError, IndexError):
        raise CorruptError("stream: the entries of a node are inconsistent") from None


def _node(first: int, words: list[bytes]) -> Node:
    """The node of these elements. Raises ValueError or IndexError if they are inconsistent."""
    live, dead, count = map(int, words[:3])
    at = 4 + count
    node = Node(first, words[3 : at - 1])
    if count < 0 or int(words[at - 1]):
        raise ValueError
    gone: list[Row] = []
    while at < len(words):
        flags, row, at = _entry(node, words, at)
        (gone if flags & _DELETED else node.rows).append(row)
        node.last = max(node.last, row[0])
    if (live, dead) != (len(node.rows), len(gone)):
        raise CorruptError("stream: the entry counts of a node are wrong")
    return node.without(gone, node.rows)


def _entry(node: Node, words: list[bytes], at: int) -> tuple[int, Row, int]:
    """(flags, entry, position of the next one)."""
    flags, milliseconds, sequence = map(int, words[at : at + 3])
    start = at + 3
    if flags & _SAME_FIELDS:
        end = start + len(node.names)
        pairs = [part for pair in zip(node.names, words[start:end], strict=True) for part in pair]
    else:
        end = start + 1 + 2 * int(words[start])
        pairs = words[start + 1 : end]
    if int(words[end]) != end - at or not pairs:
        raise ValueError
    high = (node.first >> SHIFT) + milliseconds & SEQUENCE
    low = (node.first & SEQUENCE) + sequence & SEQUENCE
    return flags, (high << SHIFT | low, *pairs), end + 1


def _read_group(source: Source, type_byte: int, stream: Stream) -> ConsumerGroup:
    last_id = _read_id(source)
    read = stream.distance(last_id) if type_byte == STREAM_LISTPACKS else source.length()
    group = ConsumerGroup(last_id, UNKNOWN if read == _UNKNOWN else read)
    for _ in range(source.count()):
        number = _raw_id(source)
        group.pending[number] = (None, _I64.unpack(source.take(8))[0], source.length())
    for _ in range(source.count()):
        _read_consumer(source, type_byte, group)
    if any(record[0] is None for record in group.pending.values()):
        raise CorruptError("stream: a pending entry has no consumer")
    _remove_owner(group)
    return group


def _read_consumer(source: Source, type_byte: int, group: ConsumerGroup) -> None:
    name, seen = source.string(), _I64.unpack(source.take(8))[0]
    active = _I64.unpack(source.take(8))[0] if type_byte == STREAM_LISTPACKS_3 else seen
    if name in group.consumers:
        raise CorruptError("stream: a consumer appears twice")
    consumer = group.consumers[name] = Consumer(name, seen, active)
    for _ in range(source.count()):
        number = _raw_id(source)
        if number not in group.pending or group.pending[number][0] is not None:
            raise CorruptError("stream: an entry of a consumer is not pending, or owned twice")
        group.put(number, (consumer, *group.pending[number][1:]))


def _remove_owner(group: ConsumerGroup) -> None:
    """Pending entries of a consumer "" whose `seen` is 0 have no owner."""
    unowned = group.consumers.get(_NO_CONSUMER)
    if unowned is None or unowned.seen:
        return
    for number in list(unowned.ids):
        group.put(number, (None, *group.pending[number][1:]))
    del group.consumers[_NO_CONSUMER]


# ------------------------------------------------------------------------------------- writing


def write_stream(value: Stream, target: Target) -> tuple[int, list[bytes]]:
    """A stream with its consumer groups."""
    kind = STREAM_LISTPACKS_3 if target.has(STREAM_LISTPACKS_3) else STREAM_LISTPACKS_2
    compress = target.compress
    parts = [encode_length(len(value.nodes))]
    for key, blob in _node_parts(value):
        parts += (encode_string(key, compress), encode_string(blob, compress))
    parts += (encode_length(len(value)), _encode_id(value.last_id), _encode_id(value.first_id))
    parts += (
        _encode_id(value.max_deleted),
        encode_length(value.added),
        encode_length(len(value.groups)),
    )
    for name, group in sorted(value.groups.items()):
        parts += (
            encode_string(name, compress),
            _encode_id(group.last_id),
            encode_length(_entries_read(group)),
        )
        parts += _group_parts(group, kind, compress)
    return kind, parts


def _group_parts(group: ConsumerGroup, kind: int, compress: Compress | None) -> list[bytes]:
    parts = [encode_length(len(group.pending))]
    for raw, deliveries in _pending_parts(group):
        parts += (raw, encode_length(deliveries))
    consumers = list(_consumer_parts(group))
    parts.append(encode_length(len(consumers)))
    for name, seen, active, ids in consumers:
        times = (
            _I64.pack(seen) + _I64.pack(active) if kind == STREAM_LISTPACKS_3 else _I64.pack(seen)
        )
        parts += (encode_string(name, compress), times, encode_length(len(ids)), *ids)
    return parts


def _node_parts(stream: Stream) -> Iterator[tuple[bytes, bytes]]:
    """Key and listpack of each node, without deleted entries."""
    for node in stream.nodes:
        words = [b"%d" % len(node.rows), b"0", b"%d" % len(node.names), *node.names, b"0"]
        for row in node.rows:
            words += _entry_words(node, row)
        yield node.first.to_bytes(_ID_SIZE, "big"), write_listpack(words)


def _entry_words(node: Node, row: Row) -> list[bytes]:
    milliseconds = signed((row[0] >> SHIFT) - (node.first >> SHIFT))
    sequence = signed((row[0] & SEQUENCE) - (node.first & SEQUENCE))
    words = [b"%d" % milliseconds, b"%d" % sequence]
    size = len(node.names)
    if list(row[1::2]) == node.names:
        return [b"2", *words, *row[2::2], b"%d" % (size + 3)]
    size = len(row) // 2
    return [b"0", *words, b"%d" % size, *row[1:], b"%d" % (2 * size + 4)]


def _entries_read(group: ConsumerGroup) -> int:
    """group.read as a number in a dump."""
    return _UNKNOWN if group.read == UNKNOWN else group.read


def _pending_parts(group: ConsumerGroup) -> Iterator[tuple[bytes, int]]:
    """(id and time, deliveries) of each pending entry."""
    for number in group.pending.sorted():
        _, time, count = group.pending[number]
        yield _raw(number) + _I64.pack(time), count


def _consumer_parts(group: ConsumerGroup) -> Iterator[tuple[bytes, int, int, list[bytes]]]:
    """(name, seen, active, raw ids) of each consumer, and of _NO_CONSUMER if it is needed."""
    free = sorted(number for number, record in group.pending.items() if record[0] is None)
    if free and _NO_CONSUMER not in group.consumers:
        yield _NO_CONSUMER, 0, _NEVER, list(map(_raw, free))
        free = []
    for name, consumer in sorted(group.consumers.items()):
        ids: Iterable[int] = consumer.ids.sorted()
        if name == _NO_CONSUMER:
            ids = sorted([*ids, *free])
        yield name, consumer.seen, _active(consumer), list(map(_raw, ids))


def _active(consumer: Consumer) -> int:
    """When the consumer last received entries, as far as that is kept."""
    active: int = getattr(consumer, "active", consumer.seen)
    return active


def _raw(number: int) -> bytes:
    return (number & MOST_ID).to_bytes(_ID_SIZE, "big")


def _encode_id(number: int) -> bytes:
    return encode_length(number >> SHIFT) + encode_length(number & SEQUENCE)
