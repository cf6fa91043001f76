"""The longest common subsequence of two strings, with the same result as LCS of Redis.

Redis fills a table of lengths and follows it back from the end. Several subsequences can be the
longest, so the path decides; this module takes the same path, with one bit per cell:

    a cell (i, j) is "risen" when the length for a[:i], b[:j] is more than for a[:i], b[:j-1]

A row of bits is one Python integer, computed from the previous row by a few operations on whole
integers (the bit-parallel method: a carry runs through each run of bits, so the sum moves every
rise to the first position where the new byte matches). Where the bytes differ, Redis goes up if the
length above is greater than the one to the left; that is the case exactly in a risen cell.
"""

from typing import NamedTuple


class Match(NamedTuple):
    """A range that both strings have in common, including its ends."""

    a_start: int
    a_end: int
    b_start: int
    b_end: int
    length: int


class Common(NamedTuple):
    """A longest common subsequence, and its ranges from the end backward."""

    length: int
    text: bytes
    matches: list[Match]


def table_size(a: bytes, b: bytes) -> int:
    """The bytes of the table in Redis, which must not exceed proto-max-bulk-len."""
    return 4 * (len(a) + 1) * (len(b) + 1)


def lcs(a: bytes, b: bytes) -> Common:
    """A longest common subsequence.

    Takes O(len(a) * len(b) / 64) steps and len(a) * len(b) / 8 bytes, 1/32 of the table in Redis.
    The caller must limit the sizes.

    >>> lcs(b"ohmytext", b"mynewtext")
    ... # doctest: +NORMALIZE_WHITESPACE
    Common(length=6, text=b'mytext', matches=[Match(a_start=4, a_end=7, b_start=5, b_end=8,
    length=4), Match(a_start=2, a_end=3, b_start=0, b_end=1, length=2)])
    """
    matches = _stretches(a, b, _rows(a, b))
    text = b"".join(a[match.a_start : match.a_end + 1] for match in reversed(matches))
    return Common(len(text), text, matches)


def _rows(a: bytes, b: bytes) -> list[bytes]:
    """For each prefix of `a`: a bit per byte of `b`, 0 where the cell is risen."""
    size = len(b)
    everywhere = (1 << size) - 1
    places = dict.fromkeys(a, 0)
    for byte in places:
        places[byte] = int(_places(b, byte), 2)
    flat = everywhere
    rows = []
    for byte in a:
        here = flat & places[byte]
        flat = ((flat + here) | (flat - here)) & everywhere
        rows.append(flat.to_bytes(size // 8 + 1, "little"))
    return rows


def _places(b: bytes, byte: int) -> bytes:
    """Binary digits, the first byte of `b` last: 1 where it is this byte."""
    digits = bytearray(b"0" * 256)
    digits[byte] = ord("1")
    return b"0" + b.translate(bytes(digits))[::-1]


def _stretches(a: bytes, b: bytes, rows: list[bytes]) -> list[Match]:
    """Follow the table back from the end, and collect the diagonals."""
    matches = []
    i, j = len(a), len(b)
    run = 0
    while i and j:
        if a[i - 1] == b[j - 1]:
            run += 1
            i -= 1
            j -= 1
            continue
        if run:
            matches.append(Match(i, i + run - 1, j, j + run - 1, run))
            run = 0
        if rows[i - 1][(j - 1) >> 3] >> ((j - 1) & 7) & 1:
            j -= 1
        else:
            i -= 1
    if run:
        matches.append(Match(i, i + run - 1, j, j + run - 1, run))
    return matches
