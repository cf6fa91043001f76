"""The sorted set against a dictionary that is sorted for every question."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, nextafter
from random import Random
from unittest import mock

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sortedcontainers import SortedList

from minidis.structures.limits import Limits
from minidis.structures.sorted_set import SortedSet

LIMITS = Limits()


@pytest.fixture
def letters() -> SortedSet:
    scores = {bytes((letter,)): float(at) for at, letter in enumerate(b"abcde")}
    return SortedSet.load(scores, LIMITS)


def test_ranks(letters: SortedSet) -> None:
    assert [letters.rank(member) for member in (b"a", b"e", b"x")] == [0, 4, None]
    assert letters.by_rank(1, 3) == [(b"b", 1.0), (b"c", 2.0)]
    assert letters.by_rank(1, 3, reverse=True) == [(b"d", 3.0), (b"c", 2.0)]
    assert letters.by_rank(3, 99) == [(b"d", 3.0), (b"e", 4.0)]
    assert letters.by_rank(3, 99, reverse=True) == [(b"b", 1.0), (b"a", 0.0)]
    assert letters.by_rank(7, 9) == letters.by_rank(7, 9, reverse=True) == []
    assert letters.by_rank(2, 2) == letters.by_rank(3, 2, reverse=True) == []
    assert letters.max_pairs(2) == [(b"e", 4.0), (b"d", 3.0)]
    assert letters.min_pairs(0) == letters.max_pairs(0) == []


def test_ranges_of_ranks_are_dropped(letters: SortedSet) -> None:
    assert letters.drop_ranks(1, 3) == 2
    assert letters.drop_ranks(3, 3) == 0
    assert list(letters.items()) == [(b"a", 0.0), (b"d", 3.0), (b"e", 4.0)]
    letters.check()


def test_infinite_scores_are_at_the_ends() -> None:
    scores = SortedSet.load({b"top": inf, b"low": -inf, b"mid": 0.0}, LIMITS)
    assert [member for member, _ in scores.items()] == [b"low", b"mid", b"top"]
    assert [scores.rank_of_score(inf, after) for after in (False, True)] == [2, 3]
    assert [scores.rank_of_score(-inf, after) for after in (False, True)] == [0, 1]


def test_minus_zero_is_zero() -> None:
    scores = SortedSet.load({b"a": 0.0, b"b": -0.0, b"c": 0.0}, LIMITS)
    assert [scores.rank(member) for member in (b"a", b"b", b"c")] == [0, 1, 2]
    assert scores.rank_of_score(-0.0, after=False) == scores.rank_of_score(0.0, after=False) == 0
    assert scores.rank_of_score(-0.0, after=True) == scores.rank_of_score(0.0, after=True) == 3
    assert scores.put({b"a": -0.0, b"d": -0.0}, LIMITS) == 1
    assert not scores.put_one(b"c", -0.0, LIMITS)
    assert repr(scores.scores[b"a"]) == repr(scores.scores[b"c"]) == "0.0"
    scores.check()


def test_neighbouring_scores_are_told_apart() -> None:
    one, two = 1.0, nextafter(1.0, inf)
    scores = SortedSet.load({b"z": one, b"a": two}, LIMITS)
    assert [scores.rank_of_score(one, after) for after in (False, True)] == [0, 1]
    assert [scores.rank_of_score(two, after) for after in (False, True)] == [1, 2]


def test_lexicographical_ranks() -> None:
    same = SortedSet.load(dict.fromkeys([b"", b"a", b"b"], 3.0), LIMITS)
    assert [same.rank_of_member(b"a", after) for after in (False, True)] == [1, 2]
    assert [same.rank_of_member(b"aa", after) for after in (False, True)] == [2, 2]
    assert [same.rank_of_member(b"", after) for after in (False, True)] == [0, 1]
    assert SortedSet().rank_of_member(b"a", after=True) == 0


def test_unequal_scores_do_not_break_lexicographical_ranks(letters: SortedSet) -> None:
    assert 0 <= letters.rank_of_member(b"c", after=True) <= 5


@pytest.mark.parametrize(
    ("scores", "expanded"),
    [
        ({}, False),
        ({b"m" * 64: 1.0}, False),
        ({b"m" * 65: 1.0}, True),
        ({b"%d" % n: 1.0 for n in range(128)}, False),
        ({b"%d" % n: 1.0 for n in range(129)}, True),
    ],
)
def test_it_is_judged_when_loaded_or_filled(scores: dict[bytes, float], expanded: bool) -> None:
    assert SortedSet.load(scores, LIMITS).expanded is expanded
    whole, single = SortedSet(), SortedSet()
    assert whole.put(scores, LIMITS) == len(scores)
    assert all(single.put_one(member, score, LIMITS) for member, score in scores.items())
    assert whole.expanded is single.expanded is whole.copy().expanded is expanded
    assert whole.scores == single.scores == scores


def test_a_large_change_sorts_anew_and_a_small_one_does_not() -> None:
    scores = SortedSet.load({b"%d" % n: float(n) for n in range(100)}, LIMITS)
    built: list[object] = [scores.ordered()]
    scores.put({b"%d" % n: -1.0 for n in range(10)}, LIMITS)
    scores.drop([b"50", b"51"])
    built.append(scores.order)
    scores.check()
    scores.put({b"%d" % n: -2.0 for n in range(50)}, LIMITS)
    built.append(scores.order)
    assert scores.rank(b"99") == 97
    assert built == [built[0], built[0], None]


members = st.sampled_from(
    [b"", b"a", b"b", b"c", b"d", *(b"m%d" % n for n in range(12)), b"long one"]
)
scores_ = st.sampled_from([-inf, -1.5, -0.0, 0.0, 1.0, 2.0, inf])
pairs = st.dictionaries(members, scores_, max_size=4)


class SortedSetModel(RuleBasedStateMachine):
    """The same steps on a SortedSet and on a dict; tiny sublists, so that they split."""

    random = Random(1)

    def __init__(self) -> None:
        super().__init__()
        self.patch = mock.patch.object(SortedList, "DEFAULT_LOAD_FACTOR", 4)
        self.patch.start()
        self.limits = Limits()
        self.limits.zset_max_listpack_entries = 4
        self.limits.zset_max_listpack_value = 4

    def teardown(self) -> None:
        self.patch.stop()

    @initialize(scores=st.dictionaries(members, scores_), walked=st.booleans())
    def begin(self, scores: dict[bytes, float], walked: bool) -> None:
        self.set = SortedSet.load(scores, self.limits)
        self.model = dict(scores)
        self.expanded = False
        if walked:
            self.set.scan(0, 1)

    def sorted(self) -> list[tuple[bytes, float]]:
        return sorted(self.model.items(), key=lambda pair: (pair[1], pair[0]))

    @rule(scores=pairs)
    def put(self, scores: dict[bytes, float]) -> None:
        new = len(self.model | scores) - len(self.model)
        assert self.set.put(scores, self.limits) == new
        self.model.update(scores)

    @rule(member=members, score=scores_)
    def put_one(self, member: bytes, score: float) -> None:
        assert self.set.put_one(member, score, self.limits) == (member not in self.model)
        self.model[member] = score

    @rule(gone=st.lists(members, max_size=3))
    def drop(self, gone: list[bytes]) -> None:
        there = {member for member in gone if self.model.pop(member, None) is not None}
        assert self.set.drop(gone) == len(there)

    @rule(start=st.integers(0, 9), stop=st.integers(0, 9))
    def drop_ranks(self, start: int, stop: int) -> None:
        gone = self.sorted()[start:stop]
        assert self.set.drop_ranks(start, stop) == len(gone)
        for member, _ in gone:
            del self.model[member]

    @rule(start=st.integers(0, 9), stop=st.integers(0, 9), reverse=st.booleans())
    def by_rank(self, start: int, stop: int, reverse: bool) -> None:
        pairs = self.sorted()[::-1] if reverse else self.sorted()
        assert self.set.by_rank(start, stop, reverse) == pairs[start:stop]

    @rule(member=members)
    def rank(self, member: bytes) -> None:
        ranks = {member: rank for rank, (member, _) in enumerate(self.sorted())}
        assert self.set.rank(member) == ranks.get(member)

    @rule(score=scores_ | st.floats(allow_nan=False))
    def rank_of_score(self, score: float) -> None:
        scores = self.model.values()
        assert self.set.rank_of_score(score, after=False) == sum(one < score for one in scores)
        assert self.set.rank_of_score(score, after=True) == sum(one <= score for one in scores)

    @rule(count=st.integers(1, 5))
    def walk(self, count: int) -> None:
        cursor, found = self.set.scan(0, count)
        while cursor:
            cursor, more = self.set.scan(cursor, count)
            found += more
        assert sorted(found) == sorted(self.model)

    @rule()
    def choose(self) -> None:
        if self.model:
            assert self.set.random(self.random.randrange) in self.model
            assert set(self.set.sample(1, self.random.randrange)) <= self.model.keys()

    @rule(copy=st.booleans())
    def copy_or_repair(self, copy: bool) -> None:
        if copy:
            self.set = self.set.copy()
        else:
            self.set.repair()

    @invariant()
    def same(self) -> None:
        self.set.check()
        assert self.set.scores == self.model
        assert len(self.set) == len(self.model)
        self.expanded |= len(self.model) > 4 or b"long one" in self.model
        assert self.set.expanded == self.expanded

    @rule()
    def items(self) -> None:
        found: Iterator[tuple[bytes, float]] = self.set.items()
        assert list(found) == self.sorted()


TestSortedSetModel = pytest.mark.slow(SortedSetModel.TestCase)
