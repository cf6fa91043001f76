"""Sorted set: members with a score each, ordered by (score, member).

    scores   the data: member -> score
    order    derived: a SortedList of (score, member), or None. The first query that needs the order
             builds it; then it is kept up to date.
    index    derived: for SCAN and random choice (see index.py), built in the same way

A set that is only filled and looked up never pays for its order. Every method that changes
something is atomic: `scores` changes by one update(), or `_removing` (the members being removed)
and `_expanding` (the changes that exceed the compact encoding) tell repair() what to do, as in
tables.py. repair() discards the order, because even an interrupted query can leave the positional
index inside SortedList half-built.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import inf, nextafter
from typing import Protocol, Self, overload

from minidis.structures.index import Index, Indexed
from minidis.structures.limits import Limits

Entry = tuple[float, bytes]
Pair = tuple[bytes, float]


class Order(Protocol):
    """The methods of SortedList that are used here; the library has no annotations."""

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


class SortedSet(Indexed):
    """Members with scores. Read `scores` directly, but change it through the methods only.

    >>> heights = SortedSet.load({b"ann": 1.8, b"bob": 1.7}, Limits())
    >>> heights.put_one(b"cid", 1.75, Limits())
    True
    >>> heights.by_rank(0, 2)
    [(b'bob', 1.7), (b'cid', 1.75)]
    """

    __slots__ = ("_expanding", "_removing", "expanded", "index", "order", "scores")

    def __init__(self) -> None:
        self.scores: dict[bytes, float] = {}
        self.order: Order | None = None
        self.index: Index | None = None
        #: The compact encoding has been exceeded. As in Redis, it does not return to compact.
        self.expanded = False
        self._removing: dict[bytes, float] | None = None
        self._expanding: dict[bytes, float] | None = None

    @classmethod
    def load(cls, scores: dict[bytes, float], limits: Limits) -> Self:
        """A sorted set with these scores."""
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

    # Changes.

    def expect(self, count: int, limits: Limits) -> None:
        """Leave the compact encoding, if a command with so many scores follows.

        As in Redis since 7.2, members that appear twice, or are not set after all, count too.
        """
        if count > limits.zset_max_listpack_entries:
            self.expanded = True

    def put(self, scores: dict[bytes, float], limits: Limits) -> int:
        """Set these scores and return how many members are new."""
        mine = self.scores
        # Equal scores change nothing: as in Redis, a score of 0 stays 0 when it is set to -0.
        changes = {member: score for member, score in scores.items() if mine.get(member) != score}
        if not changes:
            return 0
        before = len(mine)
        stale = {member: mine[member] for member in changes if member in mine}
        if not self.expanded and self._outgrown_by(changes, limits):
            changes = self._compact_at_first(changes, limits)
            self._expanding = changes
            mine.update(changes)
            self.expanded = True
            self._expanding = None
        else:
            if not self.expanded:
                changes = _compact(changes)
            mine.update(changes)
        self._reorder(stale, changes)
        if self.index is not None:
            for member in changes:
                self.index.add(member)
        return len(mine) - before

    def put_one(self, member: bytes, score: float, limits: Limits) -> bool:
        """Set one score and return whether the member is new."""
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
        """Remove these members and return how many existed."""
        scores = self.scores
        gone = {member: scores[member] for member in members if member in scores}
        if not gone:
            return 0
        self._removing = gone
        for member in gone:
            del scores[member]
        self._reorder(gone, {})
        self._unindex(gone)
        self._removing = None
        return len(gone)

    def drop_ranks(self, start: int, stop: int) -> int:
        """Remove the members with ranks in [start, stop) and return how many there were."""
        scores = self.scores
        order = self.ordered()
        gone = {member: score for score, member in order[start:stop]}
        if not gone:
            return 0
        self._removing = gone
        for member in gone:
            del scores[member]
        # Deleting the range at once is cheaper than finding its members one by one.
        del order[start:stop]
        self._unindex(gone)
        self._removing = None
        return len(gone)

    # Queries that need the order.

    def rank(self, member: bytes) -> int | None:
        """How many members come before this one; None if it is not a member."""
        score = self.scores.get(member)
        if score is None:
            return None
        order = self.order
        return (self.ordered() if order is None else order).bisect_left((score, member))

    def by_rank(self, start: int, stop: int, reverse: bool = False) -> list[Pair]:
        """The pairs with ranks in [start, stop), where 0 <= start and ranks may exceed the size.

        reverse: rank 0 is the highest score.
        """
        order = self.ordered()
        if not reverse:
            return [(member, score) for score, member in order[start:stop]]
        size = len(order)
        entries = order[max(size - stop, 0) : max(size - start, 0)]
        return [(member, score) for score, member in reversed(entries)]

    def rank_of_score(self, score: float, after: bool) -> int:
        """How many members have a lower score; with `after`, a lower or equal score."""
        # (score,) sorts before each (score, member), so the search needs no smallest member. "Lower
        # or equal" means "lower than the next float".
        if after:
            if score == inf:
                return len(self.scores)
            score = nextafter(score, inf)
        return self.ordered().bisect_left((score,))

    def rank_of_member(self, member: bytes, after: bool) -> int:
        """How many members are less than this string; with `after`, less or equal.

        The lexicographical commands require that all scores are equal. If they are not, only the
        members with the lowest score are compared.
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
        """The order; the first call builds it."""
        order = self.order
        if order is None:
            from sortedcontainers import SortedList  # loaded when an order is first needed

            scores = self.scores
            order = self.order = SortedList(zip(scores.values(), scores, strict=True))
        return order

    # SCAN and random choice: see Indexed.

    def indexed(self) -> Index:
        """The index; the first call builds it."""
        index = self.index
        if index is None:
            index = self.index = Index(self.scores)
        return index

    # Repair.

    def repair(self) -> None:
        """Restore the state before or after a call that an exception interrupted."""
        if self._removing is not None:
            self.scores.update(self._removing)
            self._removing = None
        if self._expanding is not None:
            self.expanded = self._expanding.items() <= self.scores.items()
            self._expanding = None
        self.order = None
        if self.index is not None:
            self.index.repair(self.scores)

    def check(self) -> None:
        """Raise AssertionError if an invariant is broken."""
        assert self._removing is None
        assert self._expanding is None
        if self.index is not None:
            self.index.check(self.scores)
        if self.order is not None:
            self.order._check()  # type: ignore[attr-defined]
            assert list(self.order) == sorted(zip(self.scores.values(), self.scores, strict=True))

    def _reorder(self, stale: dict[bytes, float], changes: dict[bytes, float]) -> None:
        """Update the order after a change of `scores`; discard it if sorting anew is cheaper."""
        order = self.order
        if order is None:
            return
        if 4 * (len(stale) + len(changes)) > len(self.scores):
            self.order = None
            return
        for member, score in stale.items():
            order.remove((score, member))
        for member, score in changes.items():
            order.add((score, member))

    def _unindex(self, gone: Iterable[bytes]) -> None:
        index = self.index
        if index is not None:
            for member in gone:
                index.discard(member)

    def _outgrown_by(self, changes: dict[bytes, float], limits: Limits) -> bool:
        """Whether the changes exceed the compact encoding. Redis checks new members only."""
        new = [member for member in changes if member not in self.scores]
        return bool(new) and (
            len(self.scores) + len(new) > limits.zset_max_listpack_entries
            or max(map(len, new)) > limits.zset_max_listpack_value
        )

    def _compact_at_first(self, changes: dict[bytes, float], limits: Limits) -> dict[bytes, float]:
        """The changes as if set one by one: the encoding is compact until one exceeds it.

        The compact encoding turns -0.0 into 0.
        """
        if 0.0 not in changes.values():
            return changes
        size, fits, kept = len(self.scores), True, {}
        for member, score in changes.items():
            size += member not in self.scores
            fits = fits and (
                size <= limits.zset_max_listpack_entries
                and len(member) <= limits.zset_max_listpack_value
            )
            kept[member] = score + 0.0 if fits else score
        return kept


def _compact(scores: dict[bytes, float]) -> dict[bytes, float]:
    """The scores as the compact encoding keeps them: -0.0 becomes 0, since it is an integer."""
    return {member: score + 0.0 for member, score in scores.items()}
