"""The primitives of a dump, written: lengths, strings and integers. source.py reads them.

LEN   00nnnnnn | 01nnnnnn n8 | 80 n32 BE | 81 n64 BE
STR   LEN bytes | C0 i8 | C1 i16 | C2 i32 | C3 LEN(compressed) LEN(size) lzf
"""

from __future__ import annotations

from typing import NamedTuple

from minidis.persistence.rdb import versions
from minidis.persistence.rdb.lzf import Compress
from minidis.persistence.rdb.type_bytes import SINCE
from minidis.structures.limits import Limits
from minidis.structures.text import is_canonical_int

#: Redis looks for integers only in strings that can be 32 bits, and compresses only longer ones.
LONGEST_INTEGER = 11
SHORTEST_COMPRESSED = 21


class Target(NamedTuple):
    """What values are written for: the limits of nodes, compression, the version of the dump."""

    limits: Limits
    compress: Compress | None = None
    version: int = versions.DEFAULT

    def has(self, type_byte: int) -> bool:
        """Whether dumps of the version can contain this type.

        >>> [Target(Limits(), None, version).has(20) for version in (10, 11)]
        [False, True]
        """
        return SINCE.get(type_byte, 0) <= self.version


def _length(length: int) -> bytes:
    if length < 0x40:
        return bytes((length,))
    if length < 0x4000:
        return bytes((0x40 | length >> 8, length & 0xFF))
    if length < 1 << 32:
        return b"\x80" + length.to_bytes(4, "big")
    return b"\x81" + length.to_bytes(8, "big")


#: The encodings of the lengths that take one or two bytes.
LENGTHS = tuple(map(_length, range(0x4000)))


def encode_length(number: int) -> bytes:
    """A LEN in its shortest form."""
    return LENGTHS[number] if number < 0x4000 else _length(number)


def encode_integer(number: int) -> bytes:
    """A STR that is the decimal text of an integer, in its shortest form."""
    for form, width in ((b"\xc0", 1), (b"\xc1", 2), (b"\xc2", 4)):
        if -(1 << 8 * width - 1) <= number < 1 << 8 * width - 1:
            return form + number.to_bytes(width, "little", signed=True)
    text = b"%d" % number
    return encode_length(len(text)) + text


def encode_string(text: bytes, compress: Compress | None) -> bytes:
    """A STR in the form that Redis would choose; `compress` is None with rdbcompression off."""
    size = len(text)
    if size <= LONGEST_INTEGER:
        if is_canonical_int(text):
            return encode_integer(int(text))
    elif compress is not None and size >= SHORTEST_COMPRESSED:
        compressed = compress(text)
        if compressed is not None:
            return b"\xc3" + encode_length(len(compressed)) + encode_length(size) + compressed
    return encode_length(size) + text
