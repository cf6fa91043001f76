"""Sorted set commands on members and scores of one set.

Ranges are in ranges.py, unions and intersections in algebra.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, overload

from minidis import errors
from minidis.commands.shared.cursors import STEP_SIZE, chosen, every, walk
from minidis.commands.shared.group import Group, T
from minidis.grammar.command import Shortcut, declarations
from minidis.grammar.kinds import (
    I64_MAX,
    RANGED,
    RAW,
    SCORE,
    Field,
    Float,
    Integer,
    Key,
    Many,
    Value,
    at_least,
    encode,
    integer,
    number,
    pairs,
    positive,
)
from minidis.protocol.shapes import flat_pairs, null_array_from, null_arrays
from minidis.replies import Decimal
from minidis.structures.doubles import double
from minidis.structures.sorted_set import SortedSet

command = declarations(group="sorted-set")


def _zadd_plain(self: SortedSets[Any], key: Any, mapping: Any) -> Any:
    """ZADD of one member without options: a shorter body for the common case."""
    if len(mapping) != 1:
        return SortedSets.zadd(self, key, mapping)
    [(member, score)] = mapping.items() if mapping.__class__ is dict else pairs(mapping)
    if member.__class__ is not bytes:
        member = encode(member)
    if score.__class__ is not float or score != score:
        score = number(score)
    space = self.space
    zset: Any = space.values.get(key)
    if zset.__class__ is not SortedSet or space.deadlines or space.accessed is not None:
        zset = space.write(key, SortedSet)
        if zset is None:
            space.changed(key, "zadd")
            space.put(key, SortedSet.load({member: score}, self.engine.settings.limits))
            return 1
    if zset.scores.get(member) == score:
        return 0
    space.changed(key, "zadd")
    return 1 if zset.put_one(member, score, self.engine.settings.limits) else 0


_ZSCORE_UNLOCKED = """
if key not in space.deadlines:
    value = space.values.get(key)
    if value.__class__ is SortedSet:
        reply = value.scores.get(member)
"""


class SortedSets(Group[T]):
    """ZADD, ZRANK, ZPOPMIN and the other commands on members of one sorted set."""

    # adding ------------------------------------------------------------------------------------

    @command(
        "ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]",
        "write denyoom fast",
        since="1.2.0",
        complexity="O(log n) for each member",
        access="RW UPDATE",
        names={"member": "mapping"},
        kinds={"score": RAW, "member": RAW},
        allow_conflicts=True,
        shortcuts=(Shortcut("key mapping", _zadd_plain),),
        single_step=True,
    )
    def zadd(
        self,
        key: Key,
        mapping: Mapping[Any, Float],
        nx: bool = False,
        xx: bool = False,
        ch: bool = False,
        incr: bool = False,
        gt: bool = False,
        lt: bool = False,
    ) -> int | float | None:
        """Set the scores of members and return the number of new members.

        mapping: {member: score}. nx: only add new members, never update. xx: only update existing
        members.
        gt, lt: only update if the new score is greater, lower; new members are still added.
        ch: return the number of added and changed members instead.
        incr: add the score to that of the only member; returns the new score as float, or None if
        nx, xx, gt or lt prevented it.

        Raises ResponseError if options exclude each other, `mapping` is empty, or a score is not a
        float.

        >>> db.zadd("rank", {"ann": 3, "bob": 5}), db.zadd("rank", {"ann": 4}, gt=True, ch=True)
        (2, 1)
        """
        if nx and xx:
            raise errors.error(errors.NX_AND_XX)
        if (nx and (gt or lt)) or (gt and lt):
            raise errors.error(errors.GT_LT_NX)
        if not mapping:
            raise errors.wrong_arity("zadd")
        if incr and len(mapping) > 1:
            raise errors.error(errors.ONE_INCREMENT)
        given = [(encode(member), number(score)) for member, score in pairs(mapping)]
        if incr:
            return self._zincrease(key, *given[0], nx, xx, gt, lt)
        zset = self.space.write(key, SortedSet)
        if zset is None and xx:
            return 0
        if zset is not None:
            zset.expect(len(given), self.engine.settings.limits)
        news, added, updated = _news(zset.scores if zset else {}, given, nx, xx, gt, lt)
        if news:
            self.space.changed(key, "zadd", added + updated)
            self._zput(key, zset, news, len(given))
        return added + updated if ch else added

    def _zput(
        self, key: Any, zset: SortedSet | None, news: dict[bytes, float], count: int = 1
    ) -> None:
        """Set the scores in the existing set, or in a new one."""
        if zset is None:
            zset = SortedSet()
            zset.expect(count, self.engine.settings.limits)
            zset.put(news, self.engine.settings.limits)
            self.space.put(key, zset)
        else:
            zset.put(news, self.engine.settings.limits)

    def _zincrease(
        self,
        key: Any,
        member: bytes,
        increment: float,
        nx: bool = False,
        xx: bool = False,
        gt: bool = False,
        lt: bool = False,
    ) -> float | None:
        """Body of ZINCRBY and of ZADD with INCR; None if an option prevented the change."""
        zset = self.space.write(key, SortedSet)
        old = zset.scores.get(member) if zset else None
        if (nx and old is not None) or (xx and old is None):
            return None
        new = increment if old is None else old + increment
        if new != new:
            raise errors.error(errors.SCORE_NAN)
        if old is not None and ((gt and new <= old) or (lt and new >= old)):
            return None
        if new != old:
            self.space.changed(key, "zincr")
            if zset is None:
                self._zput(key, None, {member: new})
            else:
                zset.put_one(member, new, self.engine.settings.limits)
        return new

    @command(
        "ZINCRBY key increment member",
        "write denyoom fast",
        since="1.2.0",
        complexity="O(log n)",
        access="RW ACCESS UPDATE",
        names={"increment": "amount"},
        kinds={"increment": SCORE},
    )
    def zincrby(self, key: Key, amount: Float, member: Field) -> float:
        """Add `amount` to the score of `member` and return the new score.

        A missing member starts at 0. Raises ResponseError if `amount` is not a float or the new
        score would be NaN (inf - inf).

        >>> db.zincrby("rank", 2, "ann"), db.zincrby("rank", 0.5, "ann")
        (2.0, 2.5)
        """
        reply: Any = self._zincrease(key, member, amount)  # type: ignore[arg-type]
        return reply

    # removing ----------------------------------------------------------------------------------

    @command(
        "ZREM key member [member ...]",
        "write fast",
        since="1.2.0",
        complexity="O(m log n) for m members",
        access="RW DELETE",
    )
    def zrem(self, key: Key, *members: Many) -> int:
        """Remove `members` and return how many of them existed.

        >>> db.zadd("rank", {"ann": 1, "bob": 2}), db.zrem("rank", "bob", "cid")
        (2, 1)
        """
        zset = self.space.write(key, SortedSet)
        if zset is None:
            return 0
        scores = zset.scores
        gone: Any = dict.fromkeys(member for member in members if member in scores)
        if not gone:
            return 0
        if len(gone) == len(scores):
            self.space.delete_emptied(key, "zrem")
        else:
            self.space.changed(key, "zrem", len(gone))
            zset.drop(gone)
        return len(gone)

    def _ztake(self, key: Any, zset: SortedSet, start: int, stop: int, event: str) -> int:
        """Remove a slice of ranks, and the key if the set becomes empty."""
        size = stop - start
        if size >= len(zset):
            self.space.delete_emptied(key, event)
        elif size > 0:
            self.space.changed(key, event, size)
            zset.drop_ranks(start, stop)
        return size

    # popping -----------------------------------------------------------------------------------

    @overload
    def zpopmin(self, key: Key, count: None = None) -> list[Any]: ...

    @overload
    def zpopmin(self, key: Key, count: Integer) -> list[tuple[T, float]]: ...

    @command(
        "ZPOPMIN key [count]",
        "write fast",
        since="5.0.0",
        complexity="O(m log n) for m members popped",
        access="RW ACCESS DELETE",
        kinds={"count": RAW},
    )
    def zpopmin(self, key: Key, count: Integer | None = None) -> list[Any]:
        """Remove the member with the lowest score and return it as [member, score].

        count: pop up to this many members; returns a list of (member, score) tuples, lowest score
        first.

        Returns an empty list if the key does not exist. Raises ResponseError if `count` is
        negative.

        >>> db.zadd("jobs", {"b": 2, "a": 1, "c": 3})
        3
        >>> db.zpopmin("jobs"), db.zpopmin("jobs", 5)
        ([b'a', 1.0], [(b'b', 2.0), (b'c', 3.0)])
        """
        return self._zpop_some(key, count, lowest=True)

    @overload
    def zpopmax(self, key: Key, count: None = None) -> list[Any]: ...

    @overload
    def zpopmax(self, key: Key, count: Integer) -> list[tuple[T, float]]: ...

    @command(
        "ZPOPMAX key [count]",
        "write fast",
        since="5.0.0",
        complexity="O(m log n) for m members popped",
        access="RW ACCESS DELETE",
        kinds={"count": RAW},
    )
    def zpopmax(self, key: Key, count: Integer | None = None) -> list[Any]:
        """Remove the member with the highest score and return it as [member, score].

        count: pop up to this many members; returns a list of (member, score) tuples, highest score
        first.

        Returns an empty list if the key does not exist. Raises ResponseError if `count` is
        negative.

        >>> db.zadd("jobs", {"b": 2, "a": 1}), db.zpopmax("jobs")
        (2, [b'b', 2.0])
        """
        return self._zpop_some(key, count, lowest=False)

    def _zpop_some(self, key: Any, count: Integer | None, *, lowest: bool) -> list[Any]:
        """Body of ZPOPMIN and ZPOPMAX."""
        size = None if count is None else positive(count)
        zset = self.space.write(key, SortedSet)
        if zset is None or size == 0:
            return []
        popped = self._zpop(key, zset, size or 1, lowest)
        return list(popped[0]) if size is None else popped

    def _zpop(self, key: Any, zset: SortedSet, count: int, lowest: bool) -> list[Any]:
        """Remove and return at most `count` pairs from one end of the set."""
        size = len(zset)
        count = min(count, size)
        pairs = zset.min_pairs(count) if lowest else zset.max_pairs(count)
        start = 0 if lowest else size - count
        self._ztake(key, zset, start, start + count, "zpopmin" if lowest else "zpopmax")
        return pairs

    @command(
        "ZMPOP numkeys key [key ...] <MIN | MAX> [COUNT count]",
        "write movablekeys",
        since="7.0.0",
        complexity="O(k) + O(m log n) for k keys and m members popped",
        access="RW ACCESS DELETE",
        names={"numkeys": "num_keys"},
        kinds={"count": at_least(1, errors.COUNT_NOT_POSITIVE)},
        choices="min|max",
        count_error=errors.NUMKEYS_NOT_POSITIVE,
        once=True,
        resp2=null_arrays,
    )
    def zmpop(
        self,
        num_keys: Integer,
        keys: Many,
        min: bool = False,
        max: bool = False,
        count: Integer | None = None,
    ) -> list[Any] | None:
        """Pop members from the first non-empty sorted set among `keys`.

        num_keys: number of keys, has to equal len(keys). min, max: pop the lowest, the highest
        scores; exactly one has to be True. count: pop up to this many members (default 1).

        Returns [key, [[member, score], ...]], or None if all keys are missing. Raises ResponseError
        if `num_keys` or `count` is not positive.

        >>> db.zadd("jobs", {"b": 2, "a": 1}), db.zmpop(2, ["none", "jobs"], min=True)
        (2, [b'jobs', [[b'a', 1.0]]])
        """
        names: Any = keys
        if integer(num_keys) < 1:
            raise errors.error(errors.NUMKEYS_NOT_POSITIVE)
        if num_keys != len(names) or bool(min) == bool(max):
            raise errors.error(errors.SYNTAX)
        for key in names:
            zset = self.space.write(key, SortedSet)
            if zset is not None:
                popped = self._zpop(key, zset, 1 if count is None else integer(count), bool(min))
                self._effect("ZPOPMIN" if min else "ZPOPMAX", key, len(popped))
                return [key, [list(pair) for pair in popped]]
        return None

    # looking at members ------------------------------------------------------------------------

    @command(
        "ZCARD key",
        "readonly fast",
        since="1.2.0",
        complexity="O(1)",
        access="RO",
    )
    def zcard(self, key: Key) -> int:
        """Return the number of members.

        >>> db.zadd("rank", {"ann": 3, "bob": 5}), db.zcard("rank")
        (2, 2)
        """
        zset = self.space.read(key, SortedSet)
        return 0 if zset is None else len(zset)

    @command(
        "ZSCORE key member",
        "readonly fast",
        since="1.2.0",
        complexity="O(1)",
        access="RO ACCESS",
        unlocked=_ZSCORE_UNLOCKED,
    )
    def zscore(self, key: Key, member: Field) -> float | None:
        """Return the score of `member` as float, or None if the member does not exist.

        >>> db.zadd("rank", {"ann": 3}), db.zscore("rank", "ann"), db.zscore("rank", "bob")
        (1, 3.0, None)
        """
        zset = self.space.read(key, SortedSet)
        return None if zset is None else zset.scores.get(member)  # type: ignore[arg-type]

    @command(
        "ZMSCORE key member [member ...]",
        "readonly fast",
        since="6.2.0",
        complexity="O(n) for n members asked for",
        access="RO ACCESS",
    )
    def zmscore(self, key: Key, *members: Many) -> list[float | None]:
        """Return the scores of `members` as a list of floats, with None for each missing member.

        >>> db.zadd("rank", {"ann": 3}), db.zmscore("rank", "ann", "bob")
        (1, [3.0, None])
        """
        zset = self.space.read(key, SortedSet)
        scores: Any = {} if zset is None else zset.scores
        return [scores.get(member) for member in members]

    @overload
    def zrank(self, key: Key, member: Field, withscore: Literal[False] = False) -> int | None: ...

    @overload
    def zrank(self, key: Key, member: Field, withscore: Literal[True]) -> list[Any] | None: ...

    @overload
    def zrank(self, key: Key, member: Field, withscore: bool) -> int | list[Any] | None: ...

    @command(
        "ZRANK key member [WITHSCORE]",
        "readonly fast",
        since="2.0.0",
        complexity="O(log n)",
        access="RO ACCESS",
        strict=True,
        resp2=null_array_from(4),
    )
    def zrank(self, key: Key, member: Field, withscore: bool = False) -> int | list[Any] | None:
        """Return the rank of `member`, counted from the lowest score, starting at 0.

        Members with equal scores are in byte order. withscore: return [rank, score] instead.

        Returns None if the member does not exist.

        >>> db.zadd("rank", {"ann": 3, "bob": 5}), db.zrank("rank", "bob")
        (2, 1)
        >>> db.zrank("rank", "bob", withscore=True)
        [1, 5.0]
        """
        zset = self.space.read(key, SortedSet)
        rank = None if zset is None else zset.rank(member)  # type: ignore[arg-type]
        if zset is None or rank is None or not withscore:
            return rank
        return [rank, zset.scores[member]]  # type: ignore[index]

    @overload
    def zrevrank(
        self, key: Key, member: Field, withscore: Literal[False] = False
    ) -> int | None: ...

    @overload
    def zrevrank(self, key: Key, member: Field, withscore: Literal[True]) -> list[Any] | None: ...

    @overload
    def zrevrank(self, key: Key, member: Field, withscore: bool) -> int | list[Any] | None: ...

    @command(
        "ZREVRANK key member [WITHSCORE]",
        "readonly fast",
        since="2.0.0",
        complexity="O(log n)",
        access="RO ACCESS",
        strict=True,
        resp2=null_array_from(4),
    )
    def zrevrank(self, key: Key, member: Field, withscore: bool = False) -> int | list[Any] | None:
        """Return the rank of `member`, counted from the highest score, starting at 0.

        Members with equal scores are in reverse byte order. withscore: return [rank, score]
        instead.

        Returns None if the member does not exist.

        >>> db.zadd("rank", {"ann": 3, "bob": 5}), db.zrevrank("rank", "bob")
        (2, 0)
        """
        zset = self.space.read(key, SortedSet)
        rank = None if zset is None else zset.rank(member)  # type: ignore[arg-type]
        if zset is None or rank is None:
            return None
        rank = len(zset) - 1 - rank
        return [rank, zset.scores[member]] if withscore else rank  # type: ignore[index]

    @overload
    def zrandmember(self, key: Key, count: None = None) -> T | None: ...

    @overload
    def zrandmember(
        self, key: Key, count: Integer, withscores: Literal[False] = False
    ) -> list[T]: ...

    @overload
    def zrandmember(
        self, key: Key, count: Integer, withscores: Literal[True]
    ) -> list[tuple[T, float]]: ...

    @overload
    def zrandmember(self, key: Key, count: Integer, withscores: bool) -> list[Any]: ...

    @command(
        "ZRANDMEMBER key [count [WITHSCORES]]",
        "readonly",
        since="6.2.0",
        complexity="O(m) for m members returned",
        access="RO ACCESS",
        kinds={"count": RANGED},
    )
    def zrandmember(self, key: Key, count: Integer | None = None, withscores: bool = False) -> Any:
        """Return a random member, or None if the key does not exist.

        count: return a list of up to this many distinct members; a negative count returns exactly
        -count members, with repetitions.
        withscores: return (member, score) tuples instead of members.

        With `count`, a missing key gives an empty list. Raises ResponseError if `count` is out of
        range.

        >>> db.zadd("rank", {"ann": 3}), db.zrandmember("rank"), db.zrandmember("rank", -2)
        (1, b'ann', [b'ann', b'ann'])
        """
        size = None if count is None else integer(count)
        if size is not None and withscores and not -(I64_MAX // 2) <= size <= I64_MAX // 2:
            raise errors.error("value is out of range")
        zset = self.space.read(key, SortedSet)
        if size is None:
            return None if zset is None else zset.random(self.engine.settings.randbelow)
        if zset is None:
            return []
        members = chosen(zset, size, self.engine.settings.randbelow)
        return [(member, zset.scores[member]) for member in members] if withscores else members

    @command(
        "ZSCAN key cursor [MATCH pattern] [COUNT count]",
        "readonly",
        since="2.8.0",
        complexity="O(1) for each call, O(n) for a whole walk",
        access="RO ACCESS",
        kinds={"count": STEP_SIZE},
        deferred_errors=True,
        resp3=flat_pairs,
    )
    def zscan(
        self,
        key: Key,
        cursor: Integer = 0,
        match: Value | None = None,
        count: Integer | None = None,
        _option_error: errors.ResponseError | None = None,
    ) -> list[Any]:
        """Iterate over the members step by step: return [next cursor, [(member, score), ...]].

        cursor: 0 starts the iteration; the iteration is complete when the returned cursor is 0.
        match: glob pattern for members. count: number of members to examine per call (default 10).

        An element present during the whole iteration is returned at least once. `zscan_iter` runs
        the whole iteration. Raises ResponseError for an invalid cursor.

        >>> db.zadd("rank", {"ann": 3, "bob": 5}), db.zscan("rank", 0, match="a*")
        (2, [0, [(b'ann', 3.0)]])
        """
        zset: Any = self.space.read(key, SortedSet)
        following, members = walk(zset, cursor, match, count, _option_error)
        text = _long_text if zset is not None and zset.expanded else double
        return [following, [(member, Decimal(text(zset.scores[member]))) for member in members]]

    def zscan_iter(
        self, key: Key, match: Value | None = None, count: Integer | None = None
    ) -> Iterator[tuple[T, float]]:
        """Iterate over all (member, score) pairs with ZSCAN; other threads can run between the
        steps.

        >>> db.zadd("rank", {"ann": 3, "bob": 5}), sorted(db.zscan_iter("rank"))
        (2, [(b'ann', 3.0), (b'bob', 5.0)])
        """
        return every(lambda cursor: self.zscan(key, cursor, match, count))


def _long_text(score: float) -> bytes:
    """Return a score as ZSCAN shows it in a skiplist."""
    return b"%.17g" % score


def _news(
    scores: Mapping[bytes, float],
    pairs: list[tuple[bytes, float]],
    nx: bool,
    xx: bool,
    gt: bool,
    lt: bool,
) -> tuple[dict[bytes, float], int, int]:
    """Work out ZADD: (scores to set, number of members added, number updated)."""
    news: dict[bytes, float] = {}
    added = updated = 0
    for member, score in pairs:
        old = news.get(member)
        if old is None:
            old = scores.get(member)
        if old is None:
            if xx:
                continue
            added += 1
        elif nx or score == old or (gt and score < old) or (lt and score > old):
            continue
        else:
            updated += 1
        news[member] = score
    return news, added, updated
