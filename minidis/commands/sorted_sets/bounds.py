"""Ranges of a sorted set: by rank, by score, by text. What the bounds mean, and where they lie.

Whatever the bounds are, a range answers a *stretch*: (start, stop), ranks counted from the lowest
score, `stop` excluded. Reading, counting, removing and storing all work on stretches.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import Any, TypeAlias

from minidis import errors
from minidis.errors import DataError
from minidis.grammar.kinds import Integer, encode, integer
from minidis.structures.sorted_set import SortedSet

Stretch: TypeAlias = tuple[int, int]
#: Finds the stretch of a range whose bounds have been read; True: counted from the highest score.
Range: TypeAlias = Callable[[SortedSet, bool], Stretch]


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
    """The range that the options of ZRANGE and ZRANGESTORE choose."""
    if byscore and bylex:
        raise errors.error(errors.SYNTAX)
    if not (byscore or bylex):
        # Redis's own "all of them" is no limit at all.
        if num is not None and integer(num) != -1:
            raise errors.error(errors.LIMIT_OF_RANKS)
        return rank_range(start, end)
    if bylex and withscores:
        raise errors.error(errors.SCORES_OF_TEXTS)
    low, high = (end, start) if desc else (start, end)
    return limited((score_range if byscore else text_range)(low, high), offset, num)


def limited(chosen: Range, offset: Integer | None, num: Integer | None) -> Range:
    """The range with LIMIT: without the first `offset`, and at most `num` (all if negative)."""
    if offset is None and num is None:
        return chosen
    if offset is None or num is None:
        raise DataError("offset and num belong together: give both of them, or none")
    skipped, most = integer(offset), integer(num)

    def stretch(zset: SortedSet, reverse: bool) -> Stretch:
        start, stop = chosen(zset, reverse)
        size = stop - start - skipped
        if most >= 0:
            size = min(size, most)
        if skipped < 0 or size <= 0:
            return 0, 0
        first = stop - skipped - size if reverse else start + skipped
        return first, first + size

    return stretch


def answer(zset: SortedSet, chosen: Range, reverse: bool, withscores: bool) -> list[Any]:
    """The members of a range, or (member, score) pairs, from its first or its last one on."""
    start, stop = chosen(zset, bool(reverse))
    entries = zset.ordered()[start:stop]
    if reverse:
        entries.reverse()
    if withscores:
        return [(member, score) for score, member in entries]
    return [member for _, member in entries]


# by rank -----------------------------------------------------------------------------------------


def rank_range(start: Any, stop: Any) -> Range:
    """From rank `start` to rank `stop`, both included; negative ones count from the other end."""
    first, last = integer(start), integer(stop)
    return lambda zset, reverse: rank_stretch(len(zset), first, last, reverse)


def rank_stretch(size: int, first: int, last: int, reverse: bool = False) -> Stretch:
    """Ranks of a set of `size` members, made a stretch."""
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
    """From score `low` to score `high`; a bound that begins with ( is excluded."""
    least, after = _score_bound(encode(low))
    most, before = _score_bound(encode(high))

    def stretch(zset: SortedSet, _: bool) -> Stretch:
        start = zset.rank_of_score(least, after)
        stop = zset.rank_of_score(most, not before)
        return (start, stop) if start < stop else (0, 0)

    return stretch


def _score_bound(word: bytes) -> tuple[float, bool]:
    """A score, and whether it is excluded."""
    excluded = word[:1] == b"("
    score = _score(word[1:] if excluded else word)
    if score is None or math.isnan(score):
        raise errors.error(errors.MIN_MAX_NOT_FLOAT)
    return score, excluded


def _score(word: bytes) -> float | None:
    """What C's strtod makes of a bound. It may be more than a score: blanks in front, or empty."""
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
    if "x" not in text.lower():
        return None
    try:
        return float.fromhex(text)
    except ValueError:
        return None
    except OverflowError:
        return -math.inf if text.startswith("-") else math.inf


# by text -----------------------------------------------------------------------------------------

#: (side, text, excluded): side -1 lies before every text, 1 after every text, 0 at the text.
TextBound: TypeAlias = tuple[int, bytes, bool]


def text_range(low: Any, high: Any) -> Range:
    """From text `low` to text `high`: [a includes, (a excludes, - and + are the ends."""
    lower, upper = _text_bound(encode(low)), _text_bound(encode(high))

    def stretch(zset: SortedSet, reverse: bool) -> Stretch:
        order = zset.ordered()
        if not _fits(order[-1][1], lower, 1) or not _fits(order[0][1], upper, -1):
            return 0, 0
        if order[0][0] != order[-1][0] and not zset.expanded:
            return _walk([member for _, member in order], lower, upper, reverse)
        start = _text_rank(zset, lower, lower[2])
        stop = _text_rank(zset, upper, not upper[2])
        return (start, stop) if start < stop else (0, 0)

    return stretch


def _text_bound(word: bytes) -> TextBound:
    first = word[:1]
    if first in (b"[", b"("):
        return 0, word[1:], first == b"("
    if first in (b"-", b"+") and word[1:2] in (b"", b"\0"):
        return -1 if first == b"-" else 1, b"", True
    raise errors.error(errors.MIN_MAX_NOT_STRING)


def _text_rank(zset: SortedSet, bound: TextBound, after: bool) -> int:
    """How many members lie before the bound, or with `after` at it as well."""
    side, text, _ = bound
    if side:
        return 0 if side < 0 else len(zset)
    order: Any = zset.ordered()
    if order[0][0] == order[-1][0]:
        return zset.rank_of_member(text, after)
    # Different scores: nothing is promised, but texts that rise with the scores will be found.
    return (bisect_right if after else bisect_left)(order, text, key=_member)


def _member(entry: tuple[float, bytes]) -> bytes:
    return entry[1]


def _walk(members: list[bytes], lower: TextBound, upper: TextBound, reverse: bool) -> Stretch:
    """The stretch in a small set with different scores, where the order of texts is broken.

    Redis walks: from one end to the first member that is past the near bound, and on from there to
    the first that is past the far bound.
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
    """Is the member on the right side of the bound: above (1) or below (-1)?"""
    side, text, excluded = bound
    if side:
        return side != direction
    if member == text:
        return not excluded
    return (member > text) == (direction > 0)
