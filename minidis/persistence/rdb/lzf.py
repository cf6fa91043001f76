"""LZF, the compression of strings in dumps: a byte-aligned variant of LZ77.

    000LLLLL  then L+1 bytes               literals: 1..32 bytes as they are
    LLLDDDDD  DDDDDDDD                     copy L+2 bytes (3..8) from D+1 bytes back
    111DDDDD  LLLLLLLL  DDDDDDDD           copy L+9 bytes (9..264) from D+1 bytes back

A copy may overlap its own output: distance 1 repeats one byte.
"""

from __future__ import annotations

from collections.abc import Callable

from minidis.persistence.rdb.corrupt import CorruptError

#: Compresses a string; None when that does not make it shorter.
Compress = Callable[[bytes], bytes | None]

MAX_LITERALS = 32
MAX_MATCH = 264
MAX_DISTANCE = 8192
#: The densest item turns 3 bytes into 264; a larger announced size is invalid.
MAX_EXPANSION = 88


#: Up to this size, appending to bytes is faster than to a bytearray.
_SHORT = 1024

#: Control byte of a copy -> its length (9: another byte follows), and the start of its distance.
_COPY_LENGTHS = tuple((control >> 5) + 2 for control in range(256))
_COPY_DISTANCES = tuple(((control & 31) << 8) + 1 for control in range(256))


def decompress(data: bytes, size: int) -> bytes:
    """Decompress `data` to exactly `size` bytes. Raises CorruptError if it is anything else.

    Every item has at least two bytes, and the byte behind a slice is read or the position compared
    with the end, so truncated data causes an IndexError or a wrong size. Only long copies can
    produce much from little, so only they check whether the output exceeds `size`.
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
                raise CorruptError("LZF: a copy begins before the start of the string")
            stop = start + length
            if stop <= have:
                out += out[start:stop]
            else:
                out += (out[start:] * (length // (have - start) + 1))[:length]
            have += length
    except IndexError:
        raise CorruptError("LZF: the data ends inside an item") from None
    if pos != end or have != size:
        raise CorruptError(f"LZF: the data does not stand for the announced {size} bytes")
    return bytes(out)


# ------------------------------------------------------------------------------------- compressing

#: Redis stores a string compressed only if that saves at least this many bytes.
MIN_GAIN = 4
#: At most every fourth position is searched for, by the four bytes there, and a match is extended
#: to both sides. That finds all long repetitions, and some of the short ones.
STEP = 4
#: Up to this size bytes.find is faster than a table of all positions.
_SMALL = 2048
#: Larger strings are searched block by block, so that no distance is too large.
_BLOCK = MAX_DISTANCE

_LITERALS = tuple(bytes((size - 1,)) for size in range(1, MAX_LITERALS + 1))


def compress(data: bytes) -> bytes | None:
    """`data` compressed, or None if that would not save at least four bytes.

    >>> compress(b"x" * 64), compress(bytes(range(64)))
    (b'\\x03xxxx\\xe03\\x03', None)
    """
    size = len(data)
    if size <= _SMALL:
        out = None if _incompressible(data) else _compress_small(data)
    else:
        out = _compress_large(data)
    return bytes(out) if out is not None and len(out) <= size - MIN_GAIN else None


class AdaptiveCompressor:
    """compress() for the many strings of a dump, which skips strings that will hardly shrink.

    In Python the search costs more than writing the string uncompressed, and neighbours in a
    database are alike. So after `GIVE_UP_AFTER` short strings in a row that shrank by less than a
    quarter, only one of eight is tried, until one shrinks enough. Long strings are always tried.
    """

    __slots__ = ("_to_skip", "_tries_left")

    GIVE_UP_AFTER = 64
    SKIPPED = 7

    def __init__(self) -> None:
        self._tries_left = self.GIVE_UP_AFTER
        self._to_skip = 0

    def compress(self, data: bytes) -> bytes | None:
        """As compress(), but may return None without trying."""
        size = len(data)
        if size > _SMALL:
            return compress(data)
        if self._to_skip:
            self._to_skip -= 1
            return None
        packed = compress(data)
        if packed is not None and len(packed) <= size - (size >> 2):
            self._tries_left = self.GIVE_UP_AFTER
        elif self._tries_left:
            self._tries_left -= 1
        else:
            self._to_skip = self.SKIPPED
        return packed


def _incompressible(data: bytes) -> bool:
    """Whether a quick test shows that compressing cannot save enough.

    A copy repeats only bytes that occurred before, and costs two bytes; so it saves less than
    size - distinct bytes - 2. For random bytes this test takes a quarter of the time of a search;
    longer texts have too few distinct letters to be recognized by it.
    """
    size = len(data)
    if size > 32 and data.isascii():
        return False
    return size <= 128 and size - len(set(data)) - 3 < MIN_GAIN + (size + 31) // 32 - 1


def _compress_small(data: bytes) -> bytearray | None:
    """Compress a short string: bytes.find searches the first occurrence of every fourth position.

    The steps grow while nothing is found: the longer a string is without repetition, the less a
    repetition can save. Time matters more than size here, since every short string of a dump is
    tried.
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


def _compress_large(data: bytes) -> bytearray | None:
    """Compress a long string, block by block.

    A block without repetition is likely to be followed by more of them, so each one doubles the
    number of blocks that are skipped, and megabytes of random bytes take little time.
    """
    out = bytearray()
    done = start = 0
    skipped = 1
    while start < len(data):
        end = min(start + _BLOCK, len(data))
        before = done
        done = _compress_block(out, data, done, start, end)
        if done == before:
            start = end + (skipped - 1) * _BLOCK
            skipped *= 2
        else:
            start, skipped = end, 1
    if not done:
        return None
    _add_literals(out, data, done, len(data))
    return out


def _compress_block(out: bytearray, data: bytes, done: int, start: int, end: int) -> int:
    """Compress repetitions within data[start:end]; return how much of `data` is in `out`."""
    words = _words(data, start, end)
    count = len(words)
    # The first position of each word: the iteration goes backward, and later items overwrite.
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
    """The four bytes at every position of data[start:end], as integers."""
    count = max(end - start - STEP + 1, 0)
    words = [0] * count
    view = memoryview(data)
    for shift in range(min(STEP, count)):
        whole = (end - start - shift) // STEP * STEP
        words[shift::STEP] = view[start + shift : start + shift + whole].cast("I").tolist()
    return words


def _copy(out: bytearray, data: bytes, done: int, place: int, source: int) -> int:
    """Append literals from `done` and a copy from `source`, extended both ways; return its end."""
    while place > done and source > 0 and data[place - 1] == data[source - 1]:
        place -= 1
        source -= 1
    here = data[place : place + MAX_MATCH]
    there = data[source : source + len(here)]
    if here == there:
        length = len(here)
    else:
        # The lowest bit that differs is in the first byte that differs.
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
