"""What OBJECT ENCODING answers: the name of the representation Redis 7.0 would use for a value."""

from __future__ import annotations

from typing import Any

from minidis.structures.lists import List
from minidis.structures.sorted_set import SortedSet
from minidis.structures.streams import Stream
from minidis.structures.tables import Hash, Set
from minidis.structures.text import Text, is_canonical_int

#: Class -> (compact name, name once `wide`).
NAMES: dict[type, tuple[str, str]] = {
    List: ("quicklist", "quicklist"),
    Set: ("intset", "hashtable"),
    Hash: ("listpack", "hashtable"),
    SortedSet: ("listpack", "skiplist"),
    Stream: ("stream", "stream"),
}
LONGEST_EMBEDDED = 44  # bytes


def encoding_of(value: Any) -> str:
    """int, embstr, raw, quicklist, intset, hashtable, listpack, skiplist or stream."""
    kind = value.__class__
    if kind in NAMES:
        return NAMES[kind][value.expanded]
    if kind is int:
        return "int"
    if kind is bytearray:
        return "raw"
    if kind is not Text and is_canonical_int(value):
        return "int"
    return "embstr" if len(value) <= LONGEST_EMBEDDED else "raw"
