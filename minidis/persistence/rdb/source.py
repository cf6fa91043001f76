"""The primitives of a dump, read from a window on its bytes: lengths, strings and numbers.

    LEN   00nnnnnn | 01nnnnnn n8 | 80 n32 BE | 81 n64 BE
    STR   LEN bytes | C0 i8 | C1 i16 | C2 i32 | C3 LEN(compressed) LEN(size) lzf

A dump of many gigabytes is read through a window. `rest` is the number of bytes behind the window.
A read that needs some of them raises `IncompleteError`; the decoder then waits for a larger window
and reads the record again. A read that needs more bytes than the whole dump has raises CorruptError
at once, so a declared length never causes an allocation.
"""

from __future__ import annotations

import struct

from minidis.errors import quoted
from minidis.persistence.rdb.corrupt import CorruptError
from minidis.persistence.rdb.lzf import MAX_EXPANSION, decompress

#: The default of proto-max-bulk-len; longer strings are not decompressed.
MAX_DECOMPRESSED = 512 << 20

#: First byte of a compressed string.
LZF_FORM = 0xC3

_U32 = struct.Struct(">I")
_U64 = struct.Struct(">Q")
_I64 = struct.Struct("<q")
_F64 = struct.Struct("<d")


class IncompleteError(Exception):
    """The record continues behind the window; at least `missing` more bytes are needed."""

    def __init__(self, missing: int) -> None:
        super().__init__(missing)
        self.missing = missing


class Source:
    """A window on the bytes of a dump, and a position in it."""

    __slots__ = ("data", "pos", "rest")

    def __init__(self, data: bytes, rest: int = 0) -> None:
        self.data = data
        self.pos = 0
        self.rest = rest

    def remaining(self) -> int:
        """Bytes from the position to the end of the dump, inside and behind the window."""
        return len(self.data) - self.pos + self.rest

    def byte(self) -> int:
        pos = self.pos
        if pos >= len(self.data):
            self._raise_short(pos + 1)
        self.pos = pos + 1
        return self.data[pos]

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        pos = self.pos
        end = pos + count
        if end > len(self.data):
            self._raise_short(end)
        self.pos = end
        return self.data[pos:end]

    def _raise_short(self, end: int) -> None:
        missing = end - len(self.data)
        if missing > self.rest:
            raise CorruptError(
                f"cut off or damaged: {end - self.pos} bytes are announced, "
                f"only {self.remaining()} are left"
            )
        raise IncompleteError(missing)

    def length(self) -> int:
        """A LEN; CorruptError for the special forms of a STR."""
        length = self._length_or_form()
        if length < 0:
            raise CorruptError("a string encoding where a length is expected")
        return length

    def count(self) -> int:
        """A LEN that is the number of following elements, each of at least one byte."""
        count = self.length()
        if count > self.remaining():
            raise CorruptError(
                f"{count} elements are announced, but only {self.remaining()} bytes are left"
            )
        return count

    def _length_or_form(self) -> int:
        """A length, or ~form (negative) for a special form of a STR."""
        first = self.byte()
        if first < 0x40:
            return first
        if first < 0x80:
            return (first & 0x3F) << 8 | self.byte()
        if first == 0x80:
            return int(_U32.unpack(self.take(4))[0])
        if first == 0x81:
            return int(_U64.unpack(self.take(8))[0])
        if first >= 0xC0:
            return ~(first & 0x3F)
        raise CorruptError(f"invalid length: first byte {first:#04x}")

    def string(self) -> bytes:
        """A STR as bytes."""
        text = self.string_or_int()
        return text if isinstance(text, bytes) else b"%d" % text

    def string_or_int(self) -> bytes | int:
        """A STR; an int if it is stored as an integer."""
        length = self._length_or_form()
        if length >= 0:
            return self.take(length)
        form = ~length
        if form < 3:
            return int.from_bytes(self.take(1 << form), "little", signed=True)
        if form == 3:
            return self._compressed_string()
        raise CorruptError(f"invalid string encoding {form}")

    def _compressed_string(self) -> bytes:
        packed, size = self.length(), self.length()
        if size > min(MAX_DECOMPRESSED, MAX_EXPANSION * packed):
            raise CorruptError(f"{packed} compressed bytes cannot stand for {size}")
        return decompress(self.take(packed), size)

    def integer64(self) -> int:
        return int(_I64.unpack(self.take(8))[0])

    def double(self) -> float:
        return not_nan(_F64.unpack(self.take(8))[0])


def short_compressed_string(data: bytes, pos: int) -> tuple[bytes, int]:
    """(string, end) of the compressed string at `pos`, behind its LZF_FORM byte.

    A fast path for strings that are complete in `data` and whose lengths have at most 14 bits.
    Raises IndexError for all others.
    """
    packed, pos = data[pos], pos + 1
    if packed >= 0x40:
        if packed >= 0x80:
            raise IndexError
        packed, pos = (packed & 0x3F) << 8 | data[pos], pos + 1
    size, pos = data[pos], pos + 1
    if size >= 0x40:
        if size >= 0x80:
            raise IndexError
        size, pos = (size & 0x3F) << 8 | data[pos], pos + 1
    end = pos + packed
    if end > len(data) or size > MAX_EXPANSION * packed:
        raise IndexError
    return decompress(data[pos:end], size), end


def not_nan(score: float) -> float:
    if score != score:
        raise CorruptError("a score is not a number")
    return score


def score_of_text(text: bytes) -> float:
    """A score stored as text. Unlike Python, Redis does not accept underscores."""
    try:
        if b"_" in text:
            raise ValueError
        return not_nan(float(text))
    except CorruptError:
        raise
    except ValueError:
        raise CorruptError(f"{quoted(text[:40])} is not a score") from None
