"""Packed structures: small collections that a dump stores as one string.

    listpack   u32 total | u16 count | (encoding data backlen)* | FF        read and written
    intset     u32 width | u32 count | integers, ascending                  read and written
    ziplist    u32 total | u32 tail | u16 count | (prevlen encoding data)* | FF    read only
    zipmap     u8 count | (len field len free value)* | FF                         read only

All little endian. An integer and its decimal text are the same element, so the readers always
return bytes. They check everything that the format says: a damaged structure raises CorruptError
and never returns wrong data.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable

from minidis.persistence.rdb.corrupt import CorruptError
from minidis.structures.text import is_canonical_int

LISTPACK_HEADER = 6
#: The count does not fit into 16 bits, so readers must count the elements.
UNKNOWN_COUNT = 65535

_Append = Callable[[bytes], None]

_HEADER = struct.Struct("<IH")
_ZIPLIST_HEADER = struct.Struct("<IIH")
_U32 = struct.Struct("<I")
_TEXTS = tuple(b"%d" % number for number in range(128))


# ---------------------------------------------------------------------------- listpack, reading


def read_listpack(blob: bytes) -> list[bytes]:
    """The elements of a listpack.

    One loop with local names, since every element of every compact hash, list and sorted set of a
    dump is read here. Slices never raise, but the byte behind them is always read, so a truncated
    listpack causes an IndexError.
    """
    count = _open_listpack(blob)
    items: list[bytes] = []
    append, small = items.append, _TEXTS
    pos = LISTPACK_HEADER
    try:
        while True:
            code = blob[pos]
            if 0x80 <= code < 0xC0:
                end = pos + code - 0x7F
                append(blob[pos + 1 : end])
                if blob[end] != code - 0x7F:
                    raise CorruptError("listpack: wrong back length")
                pos = end + 1
                continue
            if code < 0x80:
                append(small[code])
                size = 1
            elif code < 0xE0:
                number = (code & 0x1F) << 8 | blob[pos + 1]
                append(b"%d" % (number if number < 4096 else number - 8192))
                size = 2
            elif code == 0xFF:
                break
            else:
                size = _read_long_entry(blob, pos, code, append)
            pos += size
            if size < 128:
                if blob[pos] != size:
                    raise CorruptError("listpack: wrong back length")
                pos += 1
            else:
                pos = _skip_backlen(blob, pos, size)
    except IndexError:
        raise CorruptError("listpack: an element exceeds the end") from None
    if pos != len(blob) - 1:
        raise CorruptError("listpack: the end marker is not the last byte")
    if count not in (UNKNOWN_COUNT, len(items)):
        raise CorruptError(f"listpack: {count} elements announced, {len(items)} found")
    return items


def _open_listpack(blob: bytes) -> int:
    if len(blob) < LISTPACK_HEADER + 1:
        raise CorruptError("listpack: shorter than an empty one")
    total, count = _HEADER.unpack_from(blob)
    if total != len(blob):
        raise CorruptError(f"listpack: {total} bytes announced, {len(blob)} found")
    return int(count)


#: First byte of an integer of fixed width -> how many bytes follow.
_LISTPACK_INTEGERS = {0xF1: 2, 0xF2: 3, 0xF3: 4, 0xF4: 8}


def _read_long_entry(blob: bytes, pos: int, code: int, append: _Append) -> int:
    """Append the element at `pos` and return the size of its encoding and data."""
    width = _LISTPACK_INTEGERS.get(code)
    if width:
        append(_integer(blob, pos + 1, width))
        return 1 + width
    if code < 0xF0:
        head, length = 2, (code & 0x0F) << 8 | blob[pos + 1]
    elif code == 0xF0:
        _need(blob, pos + 4)
        head, length = 5, _U32.unpack_from(blob, pos + 1)[0]
    else:
        raise CorruptError(f"listpack: invalid first byte {code:#04x} of an element")
    if pos + head + length >= len(blob):
        raise CorruptError("listpack: an element exceeds the end")
    append(blob[pos + head : pos + head + length])
    return head + length


def _need(blob: bytes, last: int) -> None:
    """Raise IndexError if the bytes end before `last`; slices and unpack_from do not."""
    if last >= len(blob):
        raise IndexError


def _integer(blob: bytes, pos: int, width: int) -> bytes:
    """The decimal text of a signed little endian integer."""
    _need(blob, pos + width - 1)
    return b"%d" % int.from_bytes(blob[pos : pos + width], "little", signed=True)


def _skip_backlen(blob: bytes, pos: int, size: int) -> int:
    expected = backlen(size)
    end = pos + len(expected)
    if blob[pos:end] != expected:
        raise CorruptError("listpack: wrong back length")
    return end


# ---------------------------------------------------------------------------- listpack, writing


def backlen(size: int) -> bytes:
    """The size of an element, which follows it for reading backward.

    Seven bits per byte, highest first; all but the first byte have their top bit set. The limits
    of two to four bytes are strict: 16383 would fit into 14 bits, but Redis uses three bytes.
    """
    if size <= 127:
        return bytes((size,))
    count = 2 + (size >= 16383) + (size >= 2097151) + (size >= 268435455)
    parts = [size >> 7 * shift & 0x7F | 0x80 for shift in range(count - 1, -1, -1)]
    parts[0] &= 0x7F
    return bytes(parts)


_SHORT_HEADS = tuple(bytes((0x80 | length,)) for length in range(64))
_BACKLENS = tuple(backlen(size) for size in range(66))
_SMALL_INTEGERS = tuple(bytes((number, 1)) for number in range(128))


def listpack_entry(element: bytes) -> bytes:
    """One element as it is stored in a listpack, including its back length."""
    length = len(element)
    if length <= 20 and is_canonical_int(element):
        return _integer_entry(int(element))
    if length < 64:
        return _SHORT_HEADS[length] + element + _BACKLENS[length + 1]
    if length < 4096:
        head = bytes((0xE0 | length >> 8, length & 0xFF))
    else:
        head = b"\xf0" + _U32.pack(length)
    return head + element + backlen(len(head) + length)


def _integer_entry(number: int) -> bytes:
    if 0 <= number < 128:
        return _SMALL_INTEGERS[number]
    if -4096 <= number < 4096:
        return bytes((0xC0 | number >> 8 & 0x1F, number & 0xFF, 2))
    code, width = next(
        (code, width)
        for code, width in _LISTPACK_INTEGERS.items()
        if -(1 << 8 * width - 1) <= number < 1 << 8 * width - 1
    )
    return bytes((code,)) + number.to_bytes(width, "little", signed=True) + bytes((width + 1,))


def write_listpack(elements: Iterable[bytes]) -> bytes:
    """A listpack of the elements."""
    return join_listpack([listpack_entry(element) for element in elements])


def join_listpack(entries: list[bytes]) -> bytes:
    """A listpack of elements that listpack_entry() has encoded."""
    body = b"".join(entries)
    header = _HEADER.pack(LISTPACK_HEADER + len(body) + 1, min(len(entries), UNKNOWN_COUNT))
    return header + body + b"\xff"


# -------------------------------------------------------------------------------------- intset

_INTSET_HEADER = struct.Struct("<II")
_INTSET_CODES = {2: "h", 4: "i", 8: "q"}


def read_intset(blob: bytes) -> list[bytes]:
    """The members of an intset, ascending."""
    if len(blob) < _INTSET_HEADER.size:
        raise CorruptError("intset: shorter than its header")
    width, count = _INTSET_HEADER.unpack_from(blob)
    if width not in _INTSET_CODES:
        raise CorruptError(f"intset: invalid integer width {width}")
    if count == 0 or len(blob) != _INTSET_HEADER.size + width * count:
        raise CorruptError(f"intset: {count} integers announced in {len(blob)} bytes")
    numbers = struct.unpack_from(f"<{count}{_INTSET_CODES[width]}", blob, _INTSET_HEADER.size)
    if any(map(int.__ge__, numbers, numbers[1:])):
        raise CorruptError("intset: not in ascending order")
    return [b"%d" % number for number in numbers]


def write_intset(members: Iterable[bytes]) -> bytes:
    """An intset of canonical integers, in the smallest width that fits all of them."""
    numbers = sorted(map(int, members))
    widest = max(-1 - numbers[0], numbers[-1])
    width = next(width for width in _INTSET_CODES if widest < 1 << 8 * width - 1)
    body = struct.pack(f"<{len(numbers)}{_INTSET_CODES[width]}", *numbers)
    return _INTSET_HEADER.pack(width, len(numbers)) + body


# ------------------------------------------------------------------------------------- ziplist

#: First byte of an integer of fixed width -> how many bytes follow.
_ZIPLIST_INTEGERS = {0xC0: 2, 0xD0: 4, 0xE0: 8, 0xF0: 3, 0xFE: 1}


def read_ziplist(blob: bytes) -> list[bytes]:
    """The elements of a ziplist."""
    if len(blob) < _ZIPLIST_HEADER.size + 1:
        raise CorruptError("ziplist: shorter than an empty one")
    total, tail, count = _ZIPLIST_HEADER.unpack_from(blob)
    if total != len(blob):
        raise CorruptError(f"ziplist: {total} bytes announced, {len(blob)} found")
    items: list[bytes] = []
    start = previous = 0
    pos = last = _ZIPLIST_HEADER.size
    try:
        while blob[pos] != 0xFF:
            start = last = pos
            pos = _skip_prevlen(blob, pos, previous)
            pos = _read_ziplist_entry(blob, pos, items.append)
            previous = pos - start
    except IndexError:
        raise CorruptError("ziplist: an element exceeds the end") from None
    if pos != len(blob) - 1:
        raise CorruptError("ziplist: the end marker is not the last byte")
    if tail != last:
        raise CorruptError("ziplist: the tail is not the last element")
    if count not in (UNKNOWN_COUNT, len(items)):
        raise CorruptError(f"ziplist: {count} elements announced, {len(items)} found")
    return items


def _skip_prevlen(blob: bytes, pos: int, previous: int) -> int:
    """Skip the field with the size of the previous element.

    Five bytes for a small size are valid: Redis does not shrink the field with that element.
    """
    long_form = blob[pos] == 0xFE
    stated = int.from_bytes(blob[pos + 1 : pos + 5], "little") if long_form else blob[pos]
    if stated != previous:
        raise CorruptError("ziplist: wrong size of a previous element")
    return pos + 5 if long_form else pos + 1


def _read_ziplist_entry(blob: bytes, pos: int, append: _Append) -> int:
    """Append the element at `pos` and return the position behind it."""
    code = blob[pos]
    width = _ZIPLIST_INTEGERS.get(code)
    if width:
        append(_integer(blob, pos + 1, width))
        return pos + 1 + width
    if 0xF1 <= code <= 0xFD:
        append(_TEXTS[(code & 0x0F) - 1])
        return pos + 1
    if code < 0x40:
        head, length = 1, code
    elif code < 0x80:
        head, length = 2, (code & 0x3F) << 8 | blob[pos + 1]
    elif code == 0x80:
        _need(blob, pos + 4)
        head, length = 5, int.from_bytes(blob[pos + 1 : pos + 5], "big")
    else:
        raise CorruptError(f"ziplist: no element begins with byte {code:#04x}")
    start = pos + head
    if start + length >= len(blob):
        raise CorruptError("ziplist: an element exceeds the end")
    append(blob[start : start + length])
    return start + length


# -------------------------------------------------------------------------------------- zipmap


def read_zipmap(blob: bytes) -> list[bytes]:
    """The elements of a zipmap: field, value, field, value, ..."""
    items: list[bytes] = []
    pos = 1
    try:
        while blob[pos] != 0xFF:
            pos = _read_zipmap_part(blob, pos, 0, items.append)
            pos = _read_zipmap_part(blob, pos, 1, items.append)
    except IndexError:
        raise CorruptError("zipmap: an element exceeds the end") from None
    if pos != len(blob) - 1:
        raise CorruptError("zipmap: the end marker is not the last byte")
    if blob[0] < 254 and blob[0] != len(items) // 2:
        raise CorruptError(f"zipmap: {blob[0]} fields announced, {len(items) // 2} found")
    return items


def _read_zipmap_part(blob: bytes, pos: int, free_bytes: int, append: _Append) -> int:
    """One field (free_bytes=0), or one value with its count of unused bytes (free_bytes=1)."""
    length, head = blob[pos], 1
    if length == 254:
        _need(blob, pos + 4)
        length, head = _U32.unpack_from(blob, pos + 1)[0], 5
    elif length == 255:
        raise CorruptError("zipmap: a value is missing")
    free = blob[pos + head] if free_bytes else 0
    start = pos + head + free_bytes
    if start + length + free >= len(blob):
        raise CorruptError("zipmap: an element exceeds the end")
    append(blob[start : start + length])
    return start + length + free
