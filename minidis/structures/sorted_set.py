"""Sorted set: members with a score each, in the order of (score, member).

    scores   the truth: member -> score
    order    derived: a SortedList of (score, member), built by the first question about order and
             kept up to date from then on; None means "not built"
    index    derived: for SCAN and random choice (see index.py), likewise

A set that is only filled and looked up never pays for its order. Every method that changes
something is a unit: `scores` changes by one update(), or `_gone` (what is being removed) and
`_widening` (what makes the set outgrow its encoding) tell repair() what to do, as in tables.py.
The order is thrown away by repair(): even an interrupted question can leave the positional index
inside SortedList half-built.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import inf, nextafter
from typing import Protocol, Self, overload

from sortedcontainers import SortedList

from minidis.structures.index import Index, Walked
from minidis.structures.limits import Limits

Entry = tuple[float, bytes]
Pair = tuple[bytes, float]


class Order(Protocol):
    """The part of SortedList that is used here; it comes without annotations."""

    def add(self, value: Entry) -> None: ...
    def remove(self, value: Entry) -> None: ...
    def bisect_left(self, value: Entry | tuple[float]) -> int: ...
    def bisect_right(self, value: Entry) -> int: ...
    def __iter__(self) -> Iterator[Entry]: ...
    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, at: int) -> Entry: ...
    @overload
    def __getitem__(self, at: slice) -> list[Entry]: ...
    def __delitem__(self, at: slice) -> None: ...


class SortedSet(Walked):
    """Members with scores; read scores from `scores`, never write there.

    >>> heights = SortedSet.load({b"ann": 1.8, b"bob": 1.7}, Limits())
    >>> heights.put_one(b"cid", 1.75, Limits())
    True
    >>> heights.by_rank(0, 2)
    [(b'bob', 1.7), (b'cid', 1.75)]
    """

    __slots__ = ("_expanding", "_gone", "expanded", "index", "order", "scores")

    def __init__(self) -> None:
        self.scores: dict[bytes, float] = {}
        self.order: Order | None = None
        self.index: Index | None = None
        #: It has once outgrown the compact encoding; that is never taken back.
        self.expanded = False
        self._gone: dict[bytes, float] | None = None
        self._expanding: dict[bytes, float] | None = None

    @classmethod
    def load(cls, scores: dict[bytes, float], limits: Limits) -> Self:
        """A sorted set with these scores, judged by its size alone."""
        new = cls()
        new.expanded = new._outgrown_by(scores, limits)
        new.scores = dict(scores) if new.expanded else _compact(scores)
        return new

    def copy(self) -> Self:
        """An independent sorted set with the same contents."""
        twin = type(self)()
        twin.scores = self.scores.copy()
        twin.expanded = self.expanded
        return twin

    def __len__(self) -> int:
        return len(self.scores)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.scores)

    def __contains__(self, member: object) -> bool:
        return member in self.scores

    # Changing.

    def put(self, scores: dict[bytes, float], limits: Limits) -> int:
        """Set these scores; how many of the members are new."""
        mine = self.scores
        # Equal scores change nothing: as in Redis, a 0 stays 0 when -0 arrives.
        news = {member: score for member, score in scores.items() if mine.get(member) != score}
        if not news:
            return 0
        before = len(mine)
        stale = {member: mine[member] for member in news if member in mine}
        if not self.expanded and self._outgrown_by(news, limits):
            news = self._compact_at_first(news, limits)
            self._expanding = news
            mine.update(news)
            self.expanded = True
            self._expanding = None
        else:
            if not self.expanded:
                news = _compact(news)
            mine.update(news)
        self._reorder(stale, news)
        if self.index is not None:
            for member in news:
                self.index.add(member)
        return len(mine) - before

    def put_one(self, member: bytes, score: float, limits: Limits) -> bool:
        """Set one score; is the member new?"""
        scores = self.scores
        old = scores.get(member)
        if old == score:
            return False
        if (
            not self.expanded
            and old is None
            and (
                len(scores) >= limits.zset_max_listpack_entries
                or len(member) > limits.zset_max_listpack_value
            )
        ):
            return self.put({member: score}, limits) == 1
        if not self.expanded:
            score += 0.0
        scores[member] = score
        order = self.order
        if order is not None:
            if old is not None:
                order.remove((old, member))
            order.add((score, member))
        if old is not None:
            return False
        if self.index is not None:
            self.index.add(member)
        return True

    def drop(self, members: Iterable[bytes]) -> int:
        """Remove these members; how many of them were there."""
        scores = self.scores
        gone = {member: scores[member] for member in members if member in scores}
        if not gone:
            return 0
        self._gone = gone
        for member in gone:
            del scores[member]
        self._reorder(gone, {})
        self._unindex(gone)
        self._gone = None
        return len(gone)

    def drop_ranks(self, start: int, stop: int) -> int:
        """Remove the members with ranks in [start, stop); how many they are."""
        scores = self.scores
        order = self.ordered()
        gone = {member: score for score, member in order[start:stop]}
        if not gone:
            return 0
        self._gone = gone
        for member in gone:
            del scores[member]
        # One deletion of the stretch costs less than finding its members one by one.
        del order[start:stop]
        self._unindex(gone)
        self._gone = None
        return len(gone)

    # Questions about order.

    def rank(self, member: bytes) -> int | None:
        """How many members come before this one; None if it is not there."""
        score = self.scores.get(member)
        if score is None:
            return None
        order = self.order
        return (self.ordered() if order is None else order).bisect_left((score, member))

    def by_rank(self, start: int, stop: int, reverse: bool = False) -> list[Pair]:
        """The pairs with ranks in [start, stop), 0 <= start; beyond the end there is nothing.

        In reverse, ranks count from the highest score downward.
        """
        order = self.ordered()
        if not reverse:
            return [(member, score) for score, member in order[start:stop]]
        size = len(order)
        entries = order[max(size - stop, 0) : max(size - start, 0)]
        return [(member, score) for score, member in reversed(entries)]

    def rank_of_score(self, score: float, after: bool) -> int:
        """How many members have a lower score or, with `after`, not a higher one."""
        # (score,) sorts before each (score, member), so the search needs no smallest member; and
        # "not higher" is "lower than the next number".
        if after:
            if score == inf:
                return len(self.scores)
            score = nextafter(score, inf)
        return self.ordered().bisect_left((score,))

    def rank_of_member(self, member: bytes, after: bool) -> int:
        """How many members are less than this text or, with `after`, not greater.

        All scores should be equal, as the lexicographical commands ask for; if they are not, the
        answer is that among the members with the lowest score.
        """
        order = self.ordered()
        if not order:
            return 0
        entry = (order[0][0], member)
        return order.bisect_right(entry) if after else order.bisect_left(entry)

    def min_pairs(self, count: int) -> list[Pair]:
        """The `count` lowest pairs, lowest first."""
        return self.by_rank(0, count)

    def max_pairs(self, count: int) -> list[Pair]:
        """The `count` highest pairs, highest first."""
        return self.by_rank(0, count, reverse=True)

    def items(self) -> Iterator[Pair]:
        """All pairs, lowest first."""
        return ((member, score) for score, member in self.ordered())

    def ordered(self) -> Order:
        """The order, built now if this is the first time that it is needed."""
        order = self.order
        if order is None:
            scores = self.scores
            order = self.order = SortedList(zip(scores.values(), scores, strict=True))
        return order

    # Walking and choosing: see Walked.

    def indexed(self) -> Index:
        """The index, built now if this is the first time that it is needed."""
        index = self.index
        if index is None:
            index = self.index = Index(self.scores)
        return index

    # After an exception.

    def repair(self) -> None:
        """After an exception: the state before or after the interrupted call."""
        if self._gone is not None:
            self.scores.update(self._gone)
            self._gone = None
        if self._expanding is not None:
            self.expanded = self._expanding.items() <= self.scores.items()
            self._expanding = None
        self.order = None
        if self.index is not None:
            self.index.repair(self.scores)

    def check(self) -> None:
        """Raise AssertionError if an invariant is broken."""
        assert self._gone is None
        assert self._expanding is None
        if self.index is not None:
            self.index.check(self.scores)
        if self.order is not None:
            self.order._check()  # type: ignore[attr-defined]
            assert list(self.order) == sorted(zip(self.scores.values(), self.scores, strict=True))

    def _reorder(self, stale: dict[bytes, float], news: dict[bytes, float]) -> None:
        """Follow a change of `scores`, unless sorting anew will be cheaper."""
        order = self.order
        if order is None:
            return
        if 4 * (len(stale) + len(news)) > len(self.scores):
            self.order = None
            return
        for member, score in stale.items():
            order.remove((score, member))
        for member, score in news.items():
            order.add((score, member))

    def _unindex(self, gone: Iterable[bytes]) -> None:
        index = self.index
        if index is not None:
            for member in gone:
                index.discard(member)

    def _outgrown_by(self, news: dict[bytes, float], limits: Limits) -> bool:
        """Would they make the set too large? Redis asks only when members are new."""
        new = [member for member in news if member not in self.scores]
        return bool(new) and (
            len(self.scores) + len(new) > limits.zset_max_listpack_entries
            or max(map(len, new)) > limits.zset_max_listpack_value
        )

    def _compact_at_first(self, news: dict[bytes, float], limits: Limits) -> dict[bytes, float]:
        """The news as they are after coming one by one: compact up to the one that is too much."""
        if 0.0 not in news.values():
            return news
        size, fits, kept = len(self.scores), True, {}
        for member, score in news.items():
            size += member not in self.scores
            fits = fits and (
                size <= limits.zset_max_listpack_entries
                and len(member) <= limits.zset_max_listpack_value
            )
            kept[member] = score + 0.0 if fits else score
        return kept


def _compact(scores: dict[bytes, float]) -> dict[bytes, float]:
    """The scores as Redis's compact encoding keeps them: whole numbers are integers, so -0 is 0."""
    return {member: score + 0.0 for member, score in scores.items()}
