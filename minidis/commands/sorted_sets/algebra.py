"""Sorted set commands on several sets: union, intersection, difference; and ZRANGESTORE.

Plain sets are accepted as sources; each of their members has the score 1. Redis checks the types of
the sources before the options, so an error in the options is deferred (`_option_error`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from minidis import errors
from minidis.commands.shared.group import Group, T
from minidis.commands.sorted_sets.bounds import chosen_range, range_members
from minidis.errors import DataError, WrongTypeError
from minidis.grammar.command import declarations
from minidis.grammar.kinds import RAW, Float, Integer, Key, Many, Value, at_least, float_or, integer
from minidis.structures.sorted_set import SortedSet
from minidis.structures.tables import Set

command = declarations(group="sorted-set")

Scores: TypeAlias = Mapping[bytes, float]
#: The scores of one source, and its weight.
Source: TypeAlias = tuple[Scores, float]

_OPTIONS = "[WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX | COUNT>]"
_weight = float_or(errors.WEIGHT_NOT_FLOAT)


class SortedSetAlgebra(Group[T]):
    """ZUNION, ZINTER, ZDIFF with their STORE variants, and ZRANGESTORE."""

    # union -------------------------------------------------------------------------------------

    @command(
        f"ZUNION numkeys key [key ...] {_OPTIONS} [WITHSCORES]",
        "readonly movablekeys",
        since="6.2.0",
        complexity="O(n + m log m) for n members in all sets and m in the result",
        access="RO ACCESS",
        deferred_errors=True,
        key_types="zset set",
    )
    def zunion(
        self,
        keys: Many | Mapping[Any, Float],
        aggregate: str | None = None,
        withscores: bool = False,
        weights: Many | None = None,
        _option_error: errors.ResponseError | None = None,
    ) -> list[Any]:
        """Return the union of the sorted sets at `keys`, lowest score first.

        The score of a member is the sum of its scores in all sets.
        keys: key names, or a mapping {key: weight}. weights: one factor per key, by which its
        scores are multiplied.
        aggregate: "SUM" (default), "MIN" or "MAX" of the scores, or "COUNT" to add up only the
        weights.
        withscores: return (member, score) tuples instead of members.

        Plain sets are accepted; their members have the score 1. Raises ResponseError if the number
        of weights differs from the number of keys, DataError if weights are given twice.

        >>> db.zadd("spring", {"ann": 3, "bob": 5}), db.zadd("autumn", {"bob": 4})
        (2, 1)
        >>> db.zunion(["spring", "autumn"], withscores=True)
        [(b'ann', 3.0), (b'bob', 9.0)]
        """
        sources = self._zsources(keys, _option_error)
        return _sorted(_union(_weighed(sources, keys, weights), aggregate), withscores)

    @command(
        f"ZUNIONSTORE destination numkeys key [key ...] {_OPTIONS}",
        "write denyoom movablekeys",
        since="2.0.0",
        complexity="O(n + m log m) for n members in all sets and m in the result",
        access="OW UPDATE | RO ACCESS",
        deferred_errors=True,
        key_types="zset set",
    )
    def zunionstore(
        self,
        destination: Key,
        keys: Many | Mapping[Any, Float],
        aggregate: str | None = None,
        weights: Many | None = None,
        _option_error: errors.ResponseError | None = None,
    ) -> int:
        """Store the union of the sorted sets at `keys` in `destination`.

        Replaces any previous value of `destination`, and deletes it if the result is empty. Returns
        the number of members stored. Takes the same `weights` and `aggregate` as ZUNION.

        >>> db.zadd("a", {"x": 1, "y": 2}), db.zunionstore("b", {"a": 10}), db.zscore("b", "y")
        (2, 2, 20.0)
        """
        sources = self._zsources(keys, _option_error)
        scores = _union(_weighed(sources, keys, weights), aggregate)
        return self._zstore(destination, scores, "zunionstore")

    # intersection ------------------------------------------------------------------------------

    @command(
        f"ZINTER numkeys key [key ...] {_OPTIONS} [WITHSCORES]",
        "readonly movablekeys",
        since="6.2.0",
        complexity="O(n k + m log m) for k sets, n members in the smallest and m in the result",
        access="RO ACCESS",
        deferred_errors=True,
        key_types="zset set",
    )
    def zinter(
        self,
        keys: Many | Mapping[Any, Float],
        aggregate: str | None = None,
        withscores: bool = False,
        weights: Many | None = None,
        _option_error: errors.ResponseError | None = None,
    ) -> list[Any]:
        """Return the intersection of the sorted sets at `keys`, lowest score first.

        Takes the same `weights`, `aggregate` and `withscores` as ZUNION. The result is empty if one
        of the keys does not exist.

        >>> db.zadd("spring", {"ann": 3, "bob": 5}), db.zadd("autumn", {"bob": 4})
        (2, 1)
        >>> db.zinter(["spring", "autumn"], aggregate="MAX", withscores=True)
        [(b'bob', 5.0)]
        """
        sources = self._zsources(keys, _option_error)
        return _sorted(_intersection(_weighed(sources, keys, weights), aggregate), withscores)

    @command(
        f"ZINTERSTORE destination numkeys key [key ...] {_OPTIONS}",
        "write denyoom movablekeys",
        since="2.0.0",
        complexity="O(n k + m log m) for k sets, n members in the smallest and m in the result",
        access="OW UPDATE | RO ACCESS",
        deferred_errors=True,
        key_types="zset set",
    )
    def zinterstore(
        self,
        destination: Key,
        keys: Many | Mapping[Any, Float],
        aggregate: str | None = None,
        weights: Many | None = None,
        _option_error: errors.ResponseError | None = None,
    ) -> int:
        """Store the intersection of the sorted sets at `keys` in `destination`.

        Replaces any previous value of `destination`, and deletes it if the result is empty. Returns
        the number of members stored. Takes the same `weights` and `aggregate` as ZUNION.

        >>> db.zadd("a", {"x": 1, "y": 2}), db.zadd("b", {"y": 5}), db.zinterstore("c", ["a", "b"])
        (2, 1, 1)
        """
        sources = self._zsources(keys, _option_error)
        scores = _intersection(_weighed(sources, keys, weights), aggregate)
        return self._zstore(destination, scores, "zinterstore")

    @command(
        "ZINTERCARD numkeys key [key ...] [LIMIT limit]",
        "readonly movablekeys",
        since="7.0.0",
        complexity="O(n k) for k sets and n members in the smallest",
        access="RO ACCESS",
        kinds={"limit": at_least(0, errors.LIMIT_NEGATIVE, "count no further; 0: no limit")},
        deferred_errors=True,
        key_types="zset set",
    )
    def zintercard(
        self,
        numkeys: Integer,
        keys: Many,
        limit: Integer = 0,
        _option_error: errors.ResponseError | None = None,
    ) -> int:
        """Return the number of members in the intersection of the sorted sets at `keys`.

        numkeys: number of keys, has to equal len(keys).
        limit: stop counting at this number; 0 (default) means no limit.

        >>> db.zadd("a", {"x": 1, "y": 2}), db.zadd("b", {"y": 5}), db.zintercard(2, ["a", "b"])
        (2, 1, 1)
        """
        sources = self._zsources(keys, _option_error)
        if numkeys != len(sources):
            raise errors.error(errors.SYNTAX)
        smallest, *others = sorted(sources, key=len)
        most = integer(limit)
        count = 0
        for member in smallest:
            if all(member in other for other in others):
                count += 1
                if count == most:
                    break
        return count

    # difference --------------------------------------------------------------------------------

    @command(
        "ZDIFF numkeys key [key ...] [WITHSCORES]",
        "readonly movablekeys",
        since="6.2.0",
        complexity="O(n k + m log m) for k sets, n members in the first and m in the result",
        access="RO ACCESS",
        deferred_errors=True,
        key_types="zset set",
    )
    def zdiff(
        self,
        keys: Many,
        withscores: bool = False,
        _option_error: errors.ResponseError | None = None,
    ) -> list[Any]:
        """Return the members of the first set at `keys` that are in none of the other sets.

        Members come lowest score first, with the scores of the first set.
        withscores: return (member, score) tuples instead of members.

        >>> db.zadd("a", {"x": 1, "y": 2}), db.zadd("b", {"y": 5}), db.zdiff(["a", "b"])
        (2, 1, [b'x'])
        """
        return _sorted(_difference(self._zsources(keys, _option_error)), withscores)

    @command(
        "ZDIFFSTORE destination numkeys key [key ...]",
        "write denyoom movablekeys",
        since="6.2.0",
        complexity="O(n k + m log m) for k sets, n members in the first and m in the result",
        access="OW UPDATE | RO ACCESS",
        deferred_errors=True,
        key_types="zset set",
    )
    def zdiffstore(
        self, destination: Key, keys: Many, _option_error: errors.ResponseError | None = None
    ) -> int:
        """Store the difference of the sorted sets at `keys` in `destination`.

        Replaces any previous value of `destination`, and deletes it if the result is empty. Returns
        the number of members stored. The difference is what ZDIFF returns.

        >>> db.zadd("a", {"x": 1, "y": 2}), db.zdiffstore("b", ["a", "none"])
        (2, 2)
        """
        scores = _difference(self._zsources(keys, _option_error))
        return self._zstore(destination, scores, "zdiffstore")

    # a range -----------------------------------------------------------------------------------

    @command(
        "ZRANGESTORE dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]",
        "write denyoom",
        since="6.2.0",
        complexity="O(log n + m) for m members stored",
        access="OW UPDATE | RO ACCESS",
        names={
            "dst": "destination",
            "src": "source",
            "min": "start",
            "max": "end",
            "REV": "desc",
            "count": "num",
        },
        kinds={"min": RAW, "max": RAW},
        once="BYSCORE BYLEX REV",
    )
    def zrangestore(
        self,
        destination: Key,
        source: Key,
        start: Value,
        end: Value,
        byscore: bool = False,
        bylex: bool = False,
        desc: bool = False,
        offset: Integer | None = None,
        num: Integer | None = None,
    ) -> int:
        """Store a range of the sorted set at `source` in `destination`.

        Replaces any previous value of `destination`, and deletes it if the result is empty. Returns
        the number of members stored. Takes the same bounds and options as ZRANGE.

        >>> db.zadd("all", {"ann": 3, "bob": 5, "cid": 7}), db.zrangestore("top", "all", -2, -1)
        (3, 2)
        """
        chosen = chosen_range(start, end, desc, byscore, bylex, offset, num)
        zset = self.space.read(source, SortedSet)
        pairs = [] if zset is None else range_members(zset, chosen, desc, True)
        return self._zstore(destination, dict(pairs), "zrangestore")

    # helpers -----------------------------------------------------------------------------------

    def _zsources(self, keys: Any, deferred: errors.ResponseError | None) -> list[Scores]:
        """Return the scores at all keys, then raise the deferred error of the options, if any."""
        sources = [_scores(self.space.lookup(key)) for key in keys]
        if deferred is not None:
            raise deferred
        return sources

    def _zstore(self, key: Any, scores: dict[bytes, float], event: str) -> int:
        """Store the scores as the new value of the key; delete the key if there are none."""
        space = self.space
        if scores:
            space.changed(key, event)
            space.put(key, SortedSet.load(scores, self.engine.settings.limits))
        elif space.find(key) is not None:
            space.changed(key, "del")
            space.remove(key)
        return len(scores)


class _Ones(Mapping[bytes, float]):
    """A plain set, presented as a sorted set in which every score is 1."""

    __slots__ = ("_members",)

    def __init__(self, members: Set) -> None:
        self._members = members

    def __getitem__(self, member: bytes) -> float:
        self._members[member]
        return 1.0

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)


def _scores(value: Any) -> Scores:
    """Return the scores of a source: a sorted set, a plain set, or a missing key."""
    if value.__class__ is SortedSet:
        return value.scores
    if value.__class__ is Set:
        return _Ones(value)
    if value is None:
        return {}
    raise WrongTypeError


def _weighed(sources: list[Scores], keys: Any, weights: Any) -> list[Source]:
    """Pair every source with its weight, smallest source first.

    Redis adds in this order, and the order shows in the last digit of a floating-point sum.
    """
    if isinstance(keys, Mapping):
        if weights is not None:
            raise DataError("weights given twice: use a mapping for keys, or weights")
        weights = keys.values()
    numbers = [1.0] * len(sources) if weights is None else list(map(_weight, weights))
    if len(numbers) != len(sources):
        raise errors.error(errors.SYNTAX)
    return sorted(zip(sources, numbers, strict=True), key=lambda source: len(source[0]))


def _sum(one: float, two: float) -> float:
    """Add two scores; inf - inf gives 0, as in Redis."""
    total = one + two
    return total if total == total else 0.0


_COMBINE: dict[Any, Callable[[float, float], float]] = {
    None: _sum,
    b"SUM": _sum,
    b"MIN": min,
    b"MAX": max,
    b"COUNT": _sum,
}


def _products(source: Source, aggregate: Any) -> Iterable[tuple[bytes, float]]:
    """Return the members of a source with their weighted scores; NaN becomes 0."""
    scores, weight = source
    if aggregate == b"COUNT":
        return dict.fromkeys(scores, weight).items()
    if weight == 1:
        return scores.items()
    products = [(member, score * weight) for member, score in scores.items()]
    return [(member, value if value == value else 0.0) for member, value in products]


def _union(sources: list[Source], aggregate: Any) -> dict[bytes, float]:
    """Combine the scores of members that are in at least one source."""
    combine = _COMBINE[aggregate]
    result: dict[bytes, float] = {}
    for source in sources:
        for member, value in _products(source, aggregate):
            old = result.get(member)
            result[member] = value if old is None else combine(old, value)
    return result


def _intersection(sources: list[Source], aggregate: Any) -> dict[bytes, float]:
    """Combine the scores of members that are in every source."""
    combine = _COMBINE[aggregate]
    smallest, *others = sources
    result: dict[bytes, float] = {}
    for member, total in _products(smallest, aggregate):
        for scores, weight in others:
            score = scores.get(member)
            if score is None:
                break
            # As in Redis, a NaN product turns a sum into 0 and is ignored by MIN and MAX.
            total = combine(total, weight if aggregate == b"COUNT" else score * weight)
        else:
            result[member] = total
    return result


def _difference(sources: list[Scores]) -> dict[bytes, float]:
    """Return the members of the first source that are in no other source."""
    first, *others = sources
    return {
        member: score
        for member, score in first.items()
        if not any(member in other for other in others)
    }


def _sorted(scores: dict[bytes, float], withscores: bool) -> list[Any]:
    """Return members or (member, score) tuples, lowest score first."""
    entries = sorted(zip(scores.values(), scores, strict=True))
    if withscores:
        return [(member, score) for score, member in entries]
    return [member for _, member in entries]
