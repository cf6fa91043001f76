"""LZF, the compression inside dumps: a byte-aligned relative of LZ77.

    000LLLLL  then L+1 bytes               literals: 1..32 bytes as they are
    LLLDDDDD  DDDDDDDD                     copy L+2 bytes (3..8) from D+1 bytes back
    111DDDDD  LLLLLLLL  DDDDDDDD           copy L+9 bytes (9..264) from D+1 bytes back

A copy may overlap what it writes: distance 1 repeats one byte.
"""

from __future__ import annotations

from collections.abc import Callable

from minidis.persistence.rdb.corrupt import CorruptError

#: Compresses a string; None when that does not make it shorter.
Compress = Callable[[bytes], bytes | None]

MAX_LITERALS = 32
MAX_MATCH = 264
MAX_DISTANCE = 8192
#: The densest item turns 3 bytes into 264; a longer promise is a lie.
MAX_EXPANSION = 88


#: Up to this size, adding to immutable bytes is faster than to a bytearray.
_SHORT = 1024

#: Control byte of a copy -> its length (9: more follows), and what its distance begins with.
_COPY_LENGTHS = tuple((control >> 5) + 2 for control in range(256))
_COPY_DISTANCES = tuple(((control & 31) << 8) + 1 for control in range(256))


def decompress(data: bytes, size: int) -> bytes:
    """The `size` bytes that `data` stands for; CorruptError when it stands for anything else.

    Every item is at least two bytes long, and the byte after a slice is always looked at or the
    position compared with the end: a cut ends as IndexError or as a wrong size. Only long copies
    make much from little, so they alone look whether it is too much.
    """
    out: bytes | bytearray = b"" if size <= _SHORT else bytearray()
    pos, have, end = 0, 0, len(data)
    lengths, distances = _COPY_LENGTHS, _COPY_DISTANCES
    try:
        while pos < end:
            control = data[pos]
            pos += 1
            if control < 32:
                stop = pos + control + 1
                out += data[pos:stop]
                pos = stop
                have += control + 1
                continue
            length = lengths[control]
            if length == 9:
                length += data[pos]
                pos += 1
                if have > size:
                    break
            start = have - distances[control] - data[pos]
            pos += 1
            if start < 0:
                raise CorruptError("LZF: a copy from before the start of the string")
            stop = start + length
            if stop <= have:
                out += out[start:stop]
            else:
                out += (out[start:] * (length // (have - start) + 1))[:length]
            have += length
    except IndexError:
        raise CorruptError("LZF: the data ends inside an item") from None
    if pos != end or have != size:
        raise CorruptError(f"LZF: the data does not stand for the promised {size} bytes")
    return bytes(out)


# ------------------------------------------------------------------------------------- packing

#: Redis stores a string packed only when that saves at least this much.
LEAST_GAIN = 4
#: At most every fourth place is looked up, with the four bytes there; a match found is extended
#: to both sides. So long repetitions are found, and some of the short ones.
STEP = 4
#: Up to this size bytes.find is faster than a table of all places.
_SMALL = 2048
#: Larger strings are searched in blocks, so that no distance is too long.
_BLOCK = MAX_DISTANCE

_LITERALS = tuple(bytes((size - 1,)) for size in range(1, MAX_LITERALS + 1))


def compress(data: bytes) -> bytes | None:
    """`data` packed into at least four bytes less; None when that has not succeeded.

    >>> compress(b"x" * 64), compress(bytes(range(64)))
    (b'\\x03xxxx\\xe03\\x03', None)
    """
    size = len(data)
    if size <= _SMALL:
        out = None if _hopeless(data) else _pack_small(data)
    else:
        out = _pack_large(data)
    return bytes(out) if out is not None and len(out) <= size - LEAST_GAIN else None


class Packer:
    """compress() for the many strings of a dump, which gives up on those that do not gain.

    In Python a search costs more than writing the string raw, and neighbours in a database are
    alike. So after `PATIENCE` short strings in a row that gained less than a quarter, only one
    of eight is tried, until one gains. Long strings are always tried.
    """

    __slots__ = ("_patience", "_unseen")

    PATIENCE = 64
    UNSEEN = 7

    def __init__(self) -> None:
        self._patience = self.PATIENCE
        self._unseen = 0

    def compress(self, data: bytes) -> bytes | None:
        """As compress(), or None without looking."""
        size = len(data)
        if size > _SMALL:
            return compress(data)
        if self._unseen:
            self._unseen -= 1
            return None
        packed = compress(data)
        if packed is not None and len(packed) <= size - (size >> 2):
            self._patience = self.PATIENCE
        elif self._patience:
            self._patience -= 1
        else:
            self._unseen = self.UNSEEN
        return packed


def _hopeless(data: bytes) -> bool:
    """Is it certain, at a glance, that packing cannot gain?

    A copy holds only bytes that occurred before, and costs two bytes; so the gain is below
    size - distinct bytes - 2. Random bytes fail this in a quarter of the time of a search; longer
    texts have too few distinct letters to fail it.
    """
    size = len(data)
    if size > 32 and data.isascii():
        return False
    return size <= 128 and size - len(set(data)) - 3 < LEAST_GAIN + (size + 31) // 32 - 1


def _pack_small(data: bytes) -> bytearray | None:
    """Pack a short string: each fourth place asks bytes.find for its first occurrence.

    The steps grow while nothing is found: the longer a string is without repetition, the less
    there is to gain by one. Time matters more than size here, as every short string of a dump
    passes.
    """
    find, last = data.find, len(data) - STEP
    out = bytearray()
    done, place, step = 0, STEP, STEP
    while place <= last:
        source = find(data[place : place + STEP], 0, place + STEP - 1)
        if source < 0:
            place += step
            step += 1
            continue
        done = place = _copy(out, data, done, place, source)
        step = STEP
    if not done:
        return None
    _add_literals(out, data, done, len(data))
    return out


def _pack_large(data: bytes) -> bytearray | None:
    """Pack a long string, block by block.

    Blocks without any repetition are likely to be followed by such: each one doubles the number
    of blocks that are passed unseen, so that random megabytes cost little.
    """
    out = bytearray()
    done = start = 0
    skipped = 1
    while start < len(data):
        end = min(start + _BLOCK, len(data))
        before = done
        done = _pack_block(out, data, done, start, end)
        if done == before:
            start = end + (skipped - 1) * _BLOCK
            skipped *= 2
        else:
            start, skipped = end, 1
    if not done:
        return None
    _add_literals(out, data, done, len(data))
    return out


def _pack_block(out: bytearray, data: bytes, done: int, start: int, end: int) -> int:
    """Pack what repeats within data[start:end]; how far `out` has come."""
    words = _words(data, start, end)
    count = len(words)
    # The first place of each word: later entries of the iteration overwrite earlier ones.
    first = dict(zip(reversed(words), range(count - 1, -1, -1), strict=True))
    if len(first) == count:
        return done
    place = max(done - start, 0)
    while place < count:
        source = first[words[place]]
        if source >= place:
            place += STEP
            continue
        done = _copy(out, data, done, start + place, start + source)
        place = done - start
    return done


def _words(data: bytes, start: int, end: int) -> list[int]:
    """The four bytes at every place of data[start:end], as integers."""
    count = max(end - start - STEP + 1, 0)
    words = [0] * count
    view = memoryview(data)
    for shift in range(min(STEP, count)):
        whole = (end - start - shift) // STEP * STEP
        words[shift::STEP] = view[start + shift : start + shift + whole].cast("I").tolist()
    return words


def _copy(out: bytearray, data: bytes, done: int, place: int, source: int) -> int:
    """Add the literals from `done` and a copy from `source`, extended both ways; its end."""
    while place > done and source > 0 and data[place - 1] == data[source - 1]:
        place -= 1
        source -= 1
    here = data[place : place + MAX_MATCH]
    there = data[source : source + len(here)]
    if here == there:
        length = len(here)
    else:
        # The lowest bit that differs tells the first byte that does.
        differing = int.from_bytes(here, "little") ^ int.from_bytes(there, "little")
        length = (differing & -differing).bit_length() - 1 >> 3
    if place > done:
        _add_literals(out, data, done, place)
    distance = place - source - 1
    if length < 9:
        out += bytes((length - 2 << 5 | distance >> 8, distance & 0xFF))
    else:
        out += bytes((0xE0 | distance >> 8, length - 9, distance & 0xFF))
    return place + length


def _add_literals(out: bytearray, data: bytes, start: int, end: int) -> None:
    while end - start > MAX_LITERALS:
        out += _LITERALS[-1]
        out += data[start : start + MAX_LITERALS]
        start += MAX_LITERALS
    if end > start:
        out += _LITERALS[end - start - 1]
        out += data[start:end]
