"""The codecs of the value types: how a value is written to a dump, and which forms can be read.

This table is the last column of the rows in structures/types.py. A type is written in one form (or
two: compact and expanded), but read in every form that some version of Redis has written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from minidis.persistence.rdb import type_bytes, value_readers, value_writers, versions
from minidis.persistence.rdb.corrupt import CorruptError, module_name, unsupported_type
from minidis.persistence.rdb.sink import Target
from minidis.persistence.rdb.source import Source
from minidis.persistence.rdb.streams import read_stream, read_stream_2, read_stream_3, write_stream
from minidis.persistence.rdb.value_writers import Body
from minidis.structures import types
from minidis.structures.limits import Limits
from minidis.structures.lists import List
from minidis.structures.sorted_set import SortedSet
from minidis.structures.streams import Stream
from minidis.structures.tables import Hash, Set

#: What a key can hold. A string is bytes or, when its text is one, an int; changed in place it
#: is a bytearray.
Value = bytes | int | bytearray | List | Hash | Set | SortedSet | Stream

#: Reads the value that begins at the position of the source.
Reader = Callable[[Source, Limits], Value]


class Codec(NamedTuple):
    """How values of one type are stored."""

    #: (value, target) -> (type byte, parts of the body)
    write: Callable[[Any, Target], Body]
    #: type byte -> the function that reads the body behind it
    readers: dict[int, Reader]


CODECS: dict[types.ValueType, Codec] = {
    types.STRING: Codec(
        value_writers.write_string,
        {type_bytes.STRING: value_readers.read_string},
    ),
    types.LIST: Codec(
        value_writers.write_list,
        {
            type_bytes.LIST: value_readers.read_list,
            type_bytes.LIST_ZIPLIST: value_readers.read_list_ziplist,
            type_bytes.LIST_QUICKLIST: value_readers.read_quicklist,
            type_bytes.LIST_QUICKLIST_2: value_readers.read_quicklist_2,
        },
    ),
    types.SET: Codec(
        value_writers.write_set,
        {
            type_bytes.SET: value_readers.read_set,
            type_bytes.SET_INTSET: value_readers.read_set_intset,
            type_bytes.SET_LISTPACK: value_readers.read_set_listpack,
        },
    ),
    types.HASH: Codec(
        value_writers.write_hash,
        {
            type_bytes.HASH: value_readers.read_hash,
            type_bytes.HASH_ZIPMAP: value_readers.read_hash_zipmap,
            type_bytes.HASH_ZIPLIST: value_readers.read_hash_ziplist,
            type_bytes.HASH_LISTPACK: value_readers.read_hash_listpack,
            type_bytes.HASH_METADATA: value_readers.read_hash_metadata,
            type_bytes.HASH_LISTPACK_EX: value_readers.read_hash_listpack_ex,
        },
    ),
    types.ZSET: Codec(
        value_writers.write_sorted_set,
        {
            type_bytes.ZSET: value_readers.read_zset,
            type_bytes.ZSET_2: value_readers.read_zset_2,
            type_bytes.ZSET_ZIPLIST: value_readers.read_zset_ziplist,
            type_bytes.ZSET_LISTPACK: value_readers.read_zset_listpack,
        },
    ),
    types.STREAM: Codec(
        write_stream,
        {
            type_bytes.STREAM_LISTPACKS: read_stream,
            type_bytes.STREAM_LISTPACKS_2: read_stream_2,
            type_bytes.STREAM_LISTPACKS_3: read_stream_3,
        },
    ),
}

READERS: dict[int, Reader] = {
    byte: reader for codec in CODECS.values() for byte, reader in codec.readers.items()
}
_WRITERS = {kind: CODECS[value_type].write for kind, value_type in types.BY_CLASS.items()}


def write_value(value: Value, target: Target) -> Body:
    """The type byte of a value, and the parts of its body."""
    return _WRITERS[value.__class__](value, target)


def _reader(byte: int, version: int) -> Reader | None:
    """The reader for a type byte in a dump of this version; None if there is none."""
    if version >= versions.VALKEY and byte >= type_bytes.FIRST_OF_FAMILY:
        return None
    return READERS.get(byte)


def _unsupported(version: int) -> dict[int, str]:
    if version >= versions.VALKEY:
        return type_bytes.UNSUPPORTED_OF_VALKEY
    return type_bytes.UNSUPPORTED_OF_REDIS


def check_type_byte(byte: int, version: int) -> None:
    """Raise CorruptError, before the key is read, for a byte that no dump has in this place."""
    if _reader(byte, version) is None and byte not in _unsupported(version):
        raise CorruptError(f"{byte} is neither a type nor an opcode of a dump")


def read_value(source: Source, byte: int, limits: Limits, version: int) -> Value:
    """The value behind a type byte, in a dump of this version."""
    reader = _reader(byte, version)
    if reader is not None:
        return reader(source, limits)
    check_type_byte(byte, version)
    what = _unsupported(version)[byte]
    if byte == type_bytes.MODULE_2:
        what = f"{what} {module_name(source.length())!r}"
    raise unsupported_type(byte, what)
