"""Sorted set commands that read, count or remove a range: ZRANGE, ZCOUNT, ZREMRANGEBYSCORE ...

What the bounds mean is in bounds.py; this module maps commands to kinds of ranges.
"""

from __future__ import annotations

from typing import Any, Literal, overload

from minidis import errors
from minidis.commands.shared.group import Group, T
from minidis.commands.sorted_sets.bounds import (
    Range,
    chosen_range,
    limited,
    range_members,
    rank_range,
    rank_slice,
    score_range,
    text_range,
)
from minidis.grammar.command import Shortcut, declarations
from minidis.grammar.kinds import I64_MAX, I64_MIN, RAW, Integer, Key, Value, integer
from minidis.structures.sorted_set import SortedSet

command = declarations(group="sorted-set")

#: Converted in the body, because Redis reads the options before the ranks.
_RANK_KINDS = {"start": RAW, "stop": RAW}
_LIMIT_NAMES = {"offset": "start", "count": "num"}


def _zrange_plain(self: SortedSetRanges[Any], key: Any, start: Any, end: Any) -> Any:
    """ZRANGE by rank without options: a shorter body for the common case."""
    if start.__class__ is not int or end.__class__ is not int or end > I64_MAX or start < I64_MIN:
        start, end = integer(start), integer(end)
    zset = self.space.read(key, SortedSet)
    if zset is None:
        return []
    if start < 0 or end < start:
        start, stop = rank_slice(len(zset.scores), start, end)
    else:
        stop = end + 1
    order = zset.order
    return [member for _, member in (zset.ordered() if order is None else order)[start:stop]]


# Redis parses all of them with one function: they accept each other's options, then reject them.


def _reject_limit(options: dict[str, Any]) -> None:
    """Reject LIMIT for ZREVRANGE."""
    options.pop("offset", None)
    if options.pop("count", -1) != -1:
        raise errors.error(errors.LIMIT_OF_RANKS)


def _reject_scores(options: dict[str, Any]) -> None:
    """Reject WITHSCORES for ZRANGEBYLEX and ZREVRANGEBYLEX."""
    if options.pop("withscores", False):
        raise errors.error(errors.SCORES_OF_TEXTS)


class SortedSetRanges(Group[T]):
    """ZRANGE, ZCOUNT, ZREMRANGEBYSCORE and the other commands with a lower and an upper bound."""

    # counting ranges ---------------------------------------------------------------------------

    @command(
        "ZCOUNT key min max",
        "readonly fast",
        since="2.0.0",
        complexity="O(log n)",
        access="RO ACCESS",
    )
    def zcount(self, key: Key, min: Value, max: Value) -> int:
        """Return the number of members with a score between `min` and `max`, inclusive.

        A bound is a number, "(5" to exclude 5, or "-inf" and "+inf". Raises ResponseError if a
        bound is not a float.

        >>> db.zadd("rank", {"ann": 3, "bob": 5}), db.zcount("rank", "(3", "+inf")
        (2, 1)
        """
        return self._zcount(key, score_range(min, max))

    @command(
        "ZLEXCOUNT key min max",
        "readonly fast",
        since="2.8.9",
        complexity="O(log n)",
        access="RO ACCESS",
    )
    def zlexcount(self, key: Key, min: Value, max: Value) -> int:
        """Return the number of members between `min` and `max` in byte order.

        Bounds: "[a" includes a, "(a" excludes it, "-" and "+" are the ends. The result is defined
        only if all scores are equal. Raises ResponseError for other bounds.

        >>> db.zadd("names", {"ann": 0, "bob": 0}), db.zlexcount("names", "[b", "+")
        (2, 1)
        """
        return self._zcount(key, text_range(min, max))

    def _zcount(self, key: Any, chosen: Range) -> int:
        """Count the members of a range."""
        zset = self.space.read(key, SortedSet)
        if zset is None:
            return 0
        start, stop = chosen(zset, False)
        return stop - start

    # reading ranges ----------------------------------------------------------------------------

    @overload
    def zrange(
        self,
        key: Key,
        start: Value,
        end: Value,
        desc: bool = False,
        withscores: Literal[False] = False,
        byscore: bool = False,
        bylex: bool = False,
        offset: Integer | None = None,
        num: Integer | None = None,
    ) -> list[T]: ...

    @overload
    def zrange(
        self,
        key: Key,
        start: Value,
        end: Value,
        desc: bool = False,
        withscores: Literal[True] = ...,
        byscore: bool = False,
        bylex: bool = False,
        offset: Integer | None = None,
        num: Integer | None = None,
    ) -> list[tuple[T, float]]: ...

    @overload
    def zrange(
        self,
        key: Key,
        start: Value,
        end: Value,
        desc: bool = False,
        withscores: bool = ...,
        byscore: bool = False,
        bylex: bool = False,
        offset: Integer | None = None,
        num: Integer | None = None,
    ) -> list[Any]: ...

    @command(
        "ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]",
        "readonly",
        since="1.2.0",
        complexity="O(log n + m) for m members returned",
        access="RO ACCESS",
        names={"stop": "end", "REV": "desc", "count": "num"},
        kinds=_RANK_KINDS,
        once="BYSCORE BYLEX REV",
        shortcuts=(Shortcut("key start end", _zrange_plain),),
    )
    def zrange(
        self,
        key: Key,
        start: Value,
        end: Value,
        desc: bool = False,
        withscores: bool = False,
        byscore: bool = False,
        bylex: bool = False,
        offset: Integer | None = None,
        num: Integer | None = None,
    ) -> list[Any]:
        """Return the members from `start` to `end`, inclusive, lowest score first.

        By default bounds are ranks: 0 is the lowest score, -1 the highest.
        byscore: bounds are scores; "(5" excludes 5, "-inf" and "+inf" are the ends.
        bylex: bounds are members in byte order, all scores equal; "[a" includes, "(a" excludes, "-"
        and "+" are the ends.
        desc: return the highest score first; with byscore and bylex, `start` is then the upper
        bound.
        offset, num: skip `offset` members and return at most `num` (negative: all); only with
        byscore or bylex.
        withscores: return (member, score) tuples instead of members.

        Raises ResponseError for invalid bounds or options that exclude each other.

        >>> db.zadd("rank", {"ann": 3, "bob": 5, "cid": 7}), db.zrange("rank", 0, 1)
        (3, [b'ann', b'bob'])
        >>> db.zrange("rank", "+inf", "(3", byscore=True, desc=True, withscores=True)
        [(b'cid', 7.0), (b'bob', 5.0)]
        """
        chosen = chosen_range(start, end, desc, byscore, bylex, offset, num, withscores)
        return self._zread(key, chosen, desc, withscores)

    def _zread(self, key: Any, chosen: Range, reverse: bool, withscores: bool) -> list[Any]:
        """Return the members of a range, or (member, score) tuples."""
        zset = self.space.read(key, SortedSet)
        return [] if zset is None else range_members(zset, chosen, reverse, withscores)

    @overload
    def zrevrange(
        self, key: Key, start: Integer, end: Integer, withscores: Literal[False] = False
    ) -> list[T]: ...

    @overload
    def zrevrange(
        self, key: Key, start: Integer, end: Integer, withscores: Literal[True]
    ) -> list[tuple[T, float]]: ...

    @overload
    def zrevrange(self, key: Key, start: Integer, end: Integer, withscores: bool) -> list[Any]: ...

    @command(
        "ZREVRANGE key start stop [WITHSCORES]",
        "readonly",
        since="1.2.0",
        complexity="O(log n + m) for m members returned",
        access="RO ACCESS",
        names={"stop": "end"},
        kinds=_RANK_KINDS,
        undocumented="[LIMIT offset count]",
        on_undocumented=_reject_limit,
    )
    def zrevrange(
        self, key: Key, start: Integer, end: Integer, withscores: bool = False
    ) -> list[Any]:
        """Return the members from rank `start` to `end`, inclusive, highest score first.

        Same as zrange(..., desc=True). withscores: return (member, score) tuples. Deprecated in
        Redis in favour of ZRANGE; still supported.

        >>> db.zadd("rank", {"ann": 3, "bob": 5}), db.zrevrange("rank", 0, 0)
        (2, [b'bob'])
        """
        return self._zread(key, rank_range(start, end), True, withscores)

    @overload
    def zrangebyscore(
        self,
        key: Key,
        min: Value,
        max: Value,
        start: Integer | None = None,
        num: Integer | None = None,
        withscores: Literal[False] = False,
    ) -> list[T]: ...

    @overload
    def zrangebyscore(
        self,
        key: Key,
        min: Value,
        max: Value,
        start: Integer | None = None,
        num: Integer | None = None,
        withscores: Literal[True] = ...,
    ) -> list[tuple[T, float]]: ...

    @overload
    def zrangebyscore(
        self,
        key: Key,
        min: Value,
        max: Value,
        start: Integer | None = None,
        num: Integer | None = None,
        withscores: bool = ...,
    ) -> list[Any]: ...

    @command(
        "ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]",
        "readonly",
        since="1.0.5",
        complexity="O(log n + m) for m members returned",
        access="RO ACCESS",
        names=_LIMIT_NAMES,
    )
    def zrangebyscore(
        self,
        key: Key,
        min: Value,
        max: Value,
        start: Integer | None = None,
        num: Integer | None = None,
        withscores: bool = False,
    ) -> list[Any]:
        """Return the members with a score between `min` and `max`, lowest score first.

        Same as zrange(..., byscore=True); `start` and `num` are its `offset` and `num`. Deprecated
        in Redis in favour of ZRANGE; still supported.

        >>> db.zadd("rank", {"ann": 3, "bob": 5}), db.zrangebyscore("rank", 4, "+inf")
        (2, [b'bob'])
        """
        return self._zread(key, limited(score_range(min, max), start, num), False, withscores)

    @overload
    def zrevrangebyscore(
        self,
        key: Key,
        max: Value,
        min: Value,
        start: Integer | None = None,
        num: Integer | None = None,
        withscores: Literal[False] = False,
    ) -> list[T]: ...

    @overload
    def zrevrangebyscore(
        self,
        key: Key,
        max: Value,
        min: Value,
        start: Integer | None = None,
        num: Integer | None = None,
        withscores: Literal[True] = ...,
    ) -> list[tuple[T, float]]: ...

    @overload
    def zrevrangebyscore(
        self,
        key: Key,
        max: Value,
        min: Value,
        start: Integer | None = None,
        num: Integer | None = None,
        withscores: bool = ...,
    ) -> list[Any]: ...

    @command(
        "ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]",
        "readonly",
        since="2.2.0",
        complexity="O(log n + m) for m members returned",
        access="RO ACCESS",
        names=_LIMIT_NAMES,
    )
    def zrevrangebyscore(
        self,
        key: Key,
        max: Value,
        min: Value,
        start: Integer | None = None,
        num: Integer | None = None,
        withscores: bool = False,
    ) -> list[Any]:
        """Return the members with a score between `max` and `min`, highest score first.

        Same as zrange(..., byscore=True, desc=True); `start` and `num` are its `offset` and `num`.
        Deprecated in Redis in favour of ZRANGE; still supported.

        >>> db.zadd("rank", {"ann": 3, "bob": 5}), db.zrevrangebyscore("rank", "+inf", 0)
        (2, [b'bob', b'ann'])
        """
        return self._zread(key, limited(score_range(min, max), start, num), True, withscores)

    @command(
        "ZRANGEBYLEX key min max [LIMIT offset count]",
        "readonly",
        since="2.8.9",
        complexity="O(log n + m) for m members returned",
        access="RO ACCESS",
        names=_LIMIT_NAMES,
        undocumented="[WITHSCORES]",
        on_undocumented=_reject_scores,
    )
    def zrangebylex(
        self,
        key: Key,
        min: Value,
        max: Value,
        start: Integer | None = None,
        num: Integer | None = None,
    ) -> list[T]:
        """Return the members between `min` and `max` in byte order.

        Same as zrange(..., bylex=True); `start` and `num` are its `offset` and `num`. Deprecated in
        Redis in favour of ZRANGE; still supported.

        >>> db.zadd("names", {"ann": 0, "bob": 0}), db.zrangebylex("names", "[b", "+")
        (2, [b'bob'])
        """
        return self._zread(key, limited(text_range(min, max), start, num), False, False)

    @command(
        "ZREVRANGEBYLEX key max min [LIMIT offset count]",
        "readonly",
        since="2.8.9",
        complexity="O(log n + m) for m members returned",
        access="RO ACCESS",
        names=_LIMIT_NAMES,
        undocumented="[WITHSCORES]",
        on_undocumented=_reject_scores,
    )
    def zrevrangebylex(
        self,
        key: Key,
        max: Value,
        min: Value,
        start: Integer | None = None,
        num: Integer | None = None,
    ) -> list[T]:
        """Return the members between `max` and `min` in reverse byte order.

        Same as zrange(..., bylex=True, desc=True); `start` and `num` are its `offset` and `num`.
        Deprecated in Redis in favour of ZRANGE; still supported.

        >>> db.zadd("names", {"ann": 0, "bob": 0}), db.zrevrangebylex("names", "+", "-")
        (2, [b'bob', b'ann'])
        """
        return self._zread(key, limited(text_range(min, max), start, num), True, False)

    # removing ranges ---------------------------------------------------------------------------

    @command(
        "ZREMRANGEBYRANK key start stop",
        "write",
        since="2.0.0",
        complexity="O(log n + m) for m members removed",
        access="RW DELETE",
    )
    def zremrangebyrank(self, key: Key, start: Integer, stop: Integer) -> int:
        """Remove the members from rank `start` to rank `stop`, inclusive, and return their number.

        Rank 0 is the lowest score; negative ranks count from the highest.

        >>> db.zadd("rank", {"ann": 1, "bob": 2, "cid": 3}), db.zremrangebyrank("rank", 0, -2)
        (3, 2)
        """
        return self._zremove(key, rank_range(start, stop), "zremrangebyrank")

    @command(
        "ZREMRANGEBYSCORE key min max",
        "write",
        since="1.2.0",
        complexity="O(log n + m) for m members removed",
        access="RW DELETE",
    )
    def zremrangebyscore(self, key: Key, min: Value, max: Value) -> int:
        """Remove the members with a score between `min` and `max` and return their number.

        Both bounds are inclusive; "(5" excludes 5, "-inf" and "+inf" are the ends. Raises
        ResponseError if a bound is not a float.

        >>> db.zadd("rank", {"ann": 1, "bob": 2}), db.zremrangebyscore("rank", "-inf", "(2")
        (2, 1)
        """
        return self._zremove(key, score_range(min, max), "zremrangebyscore")

    @command(
        "ZREMRANGEBYLEX key min max",
        "write",
        since="2.8.9",
        complexity="O(log n + m) for m members removed",
        access="RW DELETE",
    )
    def zremrangebylex(self, key: Key, min: Value, max: Value) -> int:
        """Remove the members between `min` and `max` in byte order and return their number.

        "[a" includes a, "(a" excludes it, "-" and "+" are the ends. The result is defined only if
        all scores are equal.

        >>> db.zadd("names", {"ann": 0, "bob": 0}), db.zremrangebylex("names", "-", "[az")
        (2, 1)
        """
        return self._zremove(key, text_range(min, max), "zremrangebylex")

    def _zremove(self, key: Any, chosen: Range, event: str) -> int:
        """Remove the members of a range and return their number."""
        zset = self.space.write(key, SortedSet)
        if zset is None:
            return 0
        start, stop = chosen(zset, False)
        size = stop - start
        if size >= len(zset):
            self.space.delete_emptied(key, event)
        elif size > 0:
            self.space.changed(key, event, size)
            zset.drop_ranks(start, stop)
        return size
