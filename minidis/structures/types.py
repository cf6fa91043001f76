"""The value types: what TYPE, OBJECT ENCODING, DEBUG DIGEST and memory accounting know of a value.

To add a type, write its structure and append a row here; its class must have copy(), repair(),
check() and __len__() (see tables.py for their contract). How a value is written to an RDB file is
the last column of the row, but it is in persistence/rdb/types.py, keyed by the row: a codec
needs the RDB format, which this package must not import. A test fails while a row lacks its codec.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from minidis.structures.lists import List
from minidis.structures.memory import (
    hash_memory,
    list_memory,
    set_memory,
    sorted_set_memory,
    stream_memory,
    string_memory,
)
from minidis.structures.sorted_set import SortedSet
from minidis.structures.streams import Stream
from minidis.structures.tables import Hash, Set
from minidis.structures.text import Text, string_encoding
from minidis.structures.value_digests import (
    digest_hash,
    digest_list,
    digest_set,
    digest_sorted_set,
    digest_stream,
    digest_string,
)


class ValueType:
    """A type of value that a key can hold."""

    def __init__(
        self,
        name: str,
        classes: tuple[type, ...],
        encoding: Callable[[Any], str],
        number: int,
        digest: Callable[[int, Any], int],
        memory: Callable[[Any], int],
        *,
        collection: bool = True,
        may_be_empty: bool = False,
    ) -> None:
        #: the reply of TYPE
        self.name = name
        #: the exact Python classes of its values
        self.classes = classes
        #: value -> the reply of OBJECT ENCODING
        self.encoding = encoding
        #: the number of the type in DEBUG DIGEST
        self.number = number
        #: (digest, value) -> the digest continued with the value
        self.digest = digest
        #: value -> an estimate of its bytes in memory, at a cost that does not grow with the value
        self.memory = memory
        #: it changes in place and has copy(), repair() and check(); only strings do not
        self.collection = collection
        #: a key may hold an empty one; a collection for which this is False is deleted when emptied
        self.may_be_empty = may_be_empty


def _always(name: str) -> Callable[[Any], str]:
    """For types with one encoding."""
    return lambda value: name


def _compact_or(compact: str, expanded: str) -> Callable[[Any], str]:
    """For types that leave their compact encoding once they exceed the limits."""
    return lambda value: expanded if value.expanded else compact


# fmt: off
STRING = ValueType(
    "string", (bytes, int, bytearray, Text), string_encoding,
    0, digest_string, string_memory, collection=False, may_be_empty=True,
)
LIST = ValueType(
    "list", (List,), _compact_or("listpack", "quicklist"), 1, digest_list, list_memory
)
SET = ValueType("set", (Set,), attrgetter("encoding"), 2, digest_set, set_memory)
ZSET = ValueType(
    "zset", (SortedSet,), _compact_or("listpack", "skiplist"),
    3, digest_sorted_set, sorted_set_memory,
)
HASH = ValueType(
    "hash", (Hash,), _compact_or("listpack", "hashtable"), 4, digest_hash, hash_memory
)
STREAM = ValueType(
    "stream", (Stream,), _always("stream"), 6, digest_stream, stream_memory, may_be_empty=True
)
# fmt: on

#: All types, in the order in which they are listed to users.
VALUE_TYPES = (STRING, LIST, SET, HASH, ZSET, STREAM)

#: Class of a value -> its type.
BY_CLASS: dict[type, ValueType] = {
    kind: value_type for value_type in VALUE_TYPES for kind in value_type.classes
}
#: The same without strings. To test for one class of many, `value.__class__ in COLLECTIONS`.
COLLECTIONS: dict[type, ValueType] = {
    kind: value_type for kind, value_type in BY_CLASS.items() if value_type.collection
}


def type_of(value: Any) -> ValueType:
    """The type of a value; KeyError for an object that no key can hold."""
    return BY_CLASS[value.__class__]


def type_name(value: Any) -> str:
    """The reply of TYPE.

    >>> type_name(b"text"), type_name(Hash())
    ('string', 'hash')
    """
    return type_of(value).name


def is_collection(value: Any) -> bool:
    """Whether a value has copy(), repair() and check(); False for None as well."""
    return value.__class__ in COLLECTIONS


def is_empty(value: Any) -> bool:
    """Whether a value has no elements and its type does not allow that: its key must go.

    >>> is_empty(Hash()), is_empty(Stream()), is_empty(b"")
    (True, False, False)
    """
    value_type = COLLECTIONS.get(value.__class__)
    return value_type is not None and not value_type.may_be_empty and not len(value)


def encoding_of(value: Any) -> str:
    """The reply of OBJECT ENCODING: how Redis 7.4 would keep the value in memory.

    >>> encoding_of(b"text"), encoding_of(12), encoding_of(Hash())
    ('embstr', 'int', 'listpack')
    """
    return type_of(value).encoding(value)


def memory_of(value: Any) -> int:
    """An estimate of the bytes that a value takes in memory, see memory.py.

    >>> memory_of(b"") < memory_of(Hash()) < memory_of(b"x" * 10_000) < 11_000
    True
    """
    return type_of(value).memory(value)
