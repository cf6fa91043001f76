"""Bounds of sorted set ranges: by rank, by score, by member.

Each kind of range is turned into a slice (start, stop) of ranks, counted from the lowest score,
`stop` excluded. Reading, counting, removing and storing all use these slices.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeAlias

from minidis import errors
from minidis.errors import DataError
from minidis.grammar.kinds import Integer, encode, integer
from minidis.structures.sorted_set import SortedSet

Slice: TypeAlias = tuple[int, int]
#: Returns the slice of a range in a sorted set; True: LIMIT counts from the highest score.
Range: TypeAlias = Callable[[SortedSet, bool], Slice]

#: The member of an entry (score, member).
_MEMBER = itemgetter(1)


def chosen_range(
    start: Any,
    end: Any,
    desc: bool,
    byscore: bool,
    bylex: bool,
    offset: Integer | None,
    num: Integer | None,
    withscores: bool = False,
) -> Range:
    """Build the range that the options of ZRANGE and ZRANGESTORE describe."""
    if byscore and bylex:
        raise errors.error(errors.SYNTAX)
    if not (byscore or bylex):
        # As in Redis, a count of -1 is no limit.
        if num is not None and integer(num) != -1:
            raise errors.error(errors.LIMIT_OF_RANKS)
        return rank_range(start, end)
    if bylex and withscores:
        raise errors.error(errors.SCORES_OF_TEXTS)
    low, high = (end, start) if desc else (start, end)
    return limited((score_range if byscore else text_range)(low, high), offset, num)


def limited(chosen: Range, offset: Integer | None, num: Integer | None) -> Range:
    """Apply LIMIT to a range: skip `offset` members, return at most `num` (all if negative)."""
    if offset is None and num is None:
        return chosen
    if offset is None or num is None:
        raise DataError("offset and num must be given together")
    skipped, most = integer(offset), integer(num)

    def find(zset: SortedSet, reverse: bool) -> Slice:
        start, stop = chosen(zset, reverse)
        size = stop - start - skipped
        if most >= 0:
            size = min(size, most)
        if skipped < 0 or size <= 0:
            return 0, 0
        first = stop - skipped - size if reverse else start + skipped
        return first, first + size

    return find


def range_members(zset: SortedSet, chosen: Range, reverse: bool, withscores: bool) -> list[Any]:
    """Return the members of a range, or (member, score) tuples, in the requested direction."""
    start, stop = chosen(zset, bool(reverse))
    entries = zset.ordered()[start:stop]
    if reverse:
        entries.reverse()
    if withscores:
        return [(member, score) for score, member in entries]
    return list(map(_MEMBER, entries))


# by rank -----------------------------------------------------------------------------------------


def rank_range(start: Any, stop: Any) -> Range:
    """A range from rank `start` to rank `stop`, inclusive; negative ranks count from the end."""
    first, last = integer(start), integer(stop)
    return lambda zset, reverse: rank_slice(len(zset), first, last, reverse)


def rank_slice(size: int, first: int, last: int, reverse: bool = False) -> Slice:
    """Convert inclusive ranks of a set with `size` members to a slice."""
    if first < 0:
        first += size
        if first < 0:
            first = 0
    if last < 0:
        last += size
    last += 1
    if last > size:
        last = size
    if first >= last:
        return 0, 0
    return (size - last, size - first) if reverse else (first, last)


# by score ----------------------------------------------------------------------------------------


def score_range(low: Any, high: Any) -> Range:
    """A range from score `low` to score `high`; a bound that starts with ( is exclusive."""
    least, after = _score_bound(encode(low))
    most, before = _score_bound(encode(high))

    def find(zset: SortedSet, _: bool) -> Slice:
        start = zset.rank_of_score(least, after)
        stop = zset.rank_of_score(most, not before)
        return (start, stop) if start < stop else (0, 0)

    return find


@lru_cache(maxsize=256)
def _score_bound(word: bytes) -> tuple[float, bool]:
    """Parse a score bound: (score, whether it is exclusive)."""
    excluded = word[:1] == b"("
    score = _score(word[1:] if excluded else word)
    if score is None or math.isnan(score):
        raise errors.error(errors.MIN_MAX_NOT_FLOAT)
    return score, excluded


def _score(word: bytes) -> float | None:
    """Parse a bound as C's strtod does, or return None.

    It accepts more than a score: leading blanks, an empty word, hexadecimal numbers.
    """
    text = word.partition(b"\0")[0]
    if not text:
        return 0.0
    number = text.lstrip()
    if number != number.rstrip() or b"_" in number:
        return None
    try:
        return float(number)
    except ValueError:
        return _hexadecimal(number.decode("latin-1"))


def _hexadecimal(text: str) -> float | None:
    """Parse a hexadecimal floating-point number, or return None."""
    if "x" not in text.lower():
        return None
    try:
        return float.fromhex(text)
    except ValueError:
        return None
    except OverflowError:
        return -math.inf if text.startswith("-") else math.inf


# by member ---------------------------------------------------------------------------------------

#: (side, text, exclusive): side -1 lies before every member, 1 after every member, 0 at `text`.
TextBound: TypeAlias = tuple[int, bytes, bool]


def text_range(low: Any, high: Any) -> Range:
    """A range from member `low` to `high`: [a inclusive, (a exclusive, - and + are the ends."""
    lower, upper = _text_bound(encode(low)), _text_bound(encode(high))

    def find(zset: SortedSet, reverse: bool) -> Slice:
        order = zset.ordered()
        if not _fits(order[-1][1], lower, 1) or not _fits(order[0][1], upper, -1):
            return 0, 0
        if order[0][0] != order[-1][0] and not zset.expanded:
            return _walk([member for _, member in order], lower, upper, reverse)
        start = _text_rank(zset, lower, lower[2])
        stop = _text_rank(zset, upper, not upper[2])
        return (start, stop) if start < stop else (0, 0)

    return find


def _text_bound(word: bytes) -> TextBound:
    """Parse a bound of a range by member."""
    first = word[:1]
    if first in (b"[", b"("):
        return 0, word[1:], first == b"("
    if first in (b"-", b"+") and word[1:2] in (b"", b"\0"):
        return -1 if first == b"-" else 1, b"", True
    raise errors.error(errors.MIN_MAX_NOT_STRING)


def _text_rank(zset: SortedSet, bound: TextBound, after: bool) -> int:
    """Count the members before the bound; with `after`, also the member at the bound."""
    side, text, _ = bound
    if side:
        return 0 if side < 0 else len(zset)
    order: Any = zset.ordered()
    if order[0][0] == order[-1][0]:
        return zset.rank_of_member(text, after)
    # With different scores the result is undefined in Redis, too, unless both orders agree.
    return (bisect_right if after else bisect_left)(order, text, key=_member)


def _member(entry: tuple[float, bytes]) -> bytes:
    """Return the member of an entry of the order."""
    return entry[1]


def _walk(members: list[bytes], lower: TextBound, upper: TextBound, reverse: bool) -> Slice:
    """Find the slice in a small set with different scores, where members are not in byte order.

    Redis scans: from one end to the first member that is past the near bound, and from there to the
    first that is past the far bound.
    """
    size = len(members)
    fits_lower = [_fits(member, lower, 1) for member in members]
    fits_upper = [_fits(member, upper, -1) for member in members]
    if reverse:
        stop = next((at + 1 for at in range(size - 1, -1, -1) if fits_upper[at]), 0)
        return next((at + 1 for at in range(stop - 1, -1, -1) if not fits_lower[at]), 0), stop
    start = next((at for at in range(size) if fits_lower[at]), size)
    return start, next((at for at in range(start, size) if not fits_upper[at]), size)


def _fits(member: bytes, bound: TextBound, direction: int) -> bool:
    """Return whether the member is on the right side of the bound: above (1) or below (-1)."""
    side, text, excluded = bound
    if side:
        return side != direction
    if member == text:
        return not excluded
    return (member > text) == (direction > 0)
