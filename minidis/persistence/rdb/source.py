"""The primitives of a dump: lengths, strings and numbers, read from a window on its bytes.

    LEN   00nnnnnn | 01nnnnnn n8 | 80 n32 BE | 81 n64 BE
    STR   LEN bytes | C0 i8 | C1 i16 | C2 i32 | C3 LEN(packed) LEN(size) lzf

A window, because a dump of many gigabytes is not read at once. `rest` says how many bytes lie
behind it; a read that needs them raises `MoreError`, and whoever feeds the window widens it and
begins the record again. A read that needs more than there is in the whole dump is corrupt at
once, so a declared length never allocates anything.
"""

from __future__ import annotations

import struct

from minidis.persistence.rdb.corrupt import CorruptError
from minidis.persistence.rdb.lzf import MAX_EXPANSION, decompress

#: What proto-max-bulk-len allows by default; a longer string is not unpacked from LZF.
MAX_UNPACKED = 512 << 20

#: First byte of a compressed string.
PACKED_FORM = 0xC3

_U32 = struct.Struct(">I")
_U64 = struct.Struct(">Q")
_I64 = struct.Struct("<q")
_F64 = struct.Struct("<d")


class MoreError(Exception):
    """The record goes on behind the window. `missing`: at least so many bytes more."""

    def __init__(self, missing: int) -> None:
        super().__init__(missing)
        self.missing = missing


class Source:
    """A window on the bytes of a dump, and a place in it."""

    __slots__ = ("data", "pos", "rest")

    def __init__(self, data: bytes, rest: int = 0) -> None:
        self.data = data
        self.pos = 0
        self.rest = rest

    def remaining(self) -> int:
        """Bytes from here to the end of the dump, seen or not."""
        return len(self.data) - self.pos + self.rest

    def byte(self) -> int:
        pos = self.pos
        if pos >= len(self.data):
            self._miss(pos + 1)
        self.pos = pos + 1
        return self.data[pos]

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        pos = self.pos
        end = pos + count
        if end > len(self.data):
            self._miss(end)
        self.pos = end
        return self.data[pos:end]

    def _miss(self, end: int) -> None:
        missing = end - len(self.data)
        if missing > self.rest:
            raise CorruptError(
                f"cut off or damaged: {end - self.pos} bytes are announced, "
                f"{self.remaining()} are left"
            )
        raise MoreError(missing)

    def length(self) -> int:
        """A LEN where only a length makes sense."""
        length = self._length_or_form()
        if length < 0:
            raise CorruptError("an encoded string stands where a length is expected")
        return length

    def count(self) -> int:
        """A LEN that counts things to come, each of at least one byte."""
        count = self.length()
        if count > self.remaining():
            raise CorruptError(f"{count} elements are announced in {self.remaining()} bytes")
        return count

    def _length_or_form(self) -> int:
        """A length, or ~form (negative) of an encoded string."""
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
        raise CorruptError(f"no length begins with byte {first:#04x}")

    def string(self) -> bytes:
        """A STR as bytes, however it is stored."""
        text = self.string_or_int()
        return text if isinstance(text, bytes) else b"%d" % text

    def string_or_int(self) -> bytes | int:
        """A STR; the integer forms stay integers."""
        length = self._length_or_form()
        if length >= 0:
            return self.take(length)
        form = ~length
        if form < 3:
            return int.from_bytes(self.take(1 << form), "little", signed=True)
        if form == 3:
            return self._packed_string()
        raise CorruptError(f"no string has the form {form}")

    def _packed_string(self) -> bytes:
        packed, size = self.length(), self.length()
        if size > min(MAX_UNPACKED, MAX_EXPANSION * packed):
            raise CorruptError(f"{packed} compressed bytes cannot stand for {size}")
        return decompress(self.take(packed), size)

    def integer64(self) -> int:
        return int(_I64.unpack(self.take(8))[0])

    def double(self) -> float:
        return not_nan(_F64.unpack(self.take(8))[0])


def short_packed_string(data: bytes, pos: int) -> tuple[bytes, int]:
    """A compressed string of which PACKED_FORM has been read, and where it ends.

    The way for strings with lengths of at most 14 bits that are whole in `data`; IndexError for
    all others.
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
    """A score kept as text. Python would also take underscores, Redis does not."""
    try:
        if b"_" in text:
            raise ValueError
        return not_nan(float(text))
    except CorruptError:
        raise
    except ValueError:
        raise CorruptError(f"{text[:40]!r} is not a score") from None
