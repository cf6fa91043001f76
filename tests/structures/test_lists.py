"""The list against a Python list, with chunks so small that they split all the time."""

from __future__ import annotations

from collections.abc import Iterator
from operator import is_
from unittest import mock

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from minidis.structures import lists
from minidis.structures.lists import List

values = st.sampled_from([b"a", b"b", b"c", b""])
several = st.lists(values, max_size=11)
places = st.integers(0, 10**6)


@pytest.fixture
def tiny() -> Iterator[None]:
    with mock.patch.object(lists, "CHUNK", 4):
        yield


def numbers(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


def test_both_ends() -> None:
    row = List()
    row.push_left([b"a", b"b"])
    row.push_right([b"c", b"d"])
    assert list(row) == [b"b", b"a", b"c", b"d"]
    assert row.pop_left(1) == [b"b"]
    assert row.pop_right(2) == [b"d", b"c"]
    assert row.pop_right(1) == [b"a"]
    assert len(row) == 0
    row.check()


@pytest.mark.parametrize("count", [0, 1, 511, 512, 513, 1024, 5000])
def test_many_at_once(count: int) -> None:
    elements = numbers(count)
    for row in (List.load(elements), List(), List()):
        if not len(row):
            row.push_right(elements)
        assert list(row) == elements
        row.push_left(elements)
        row.check()
        assert row.pop_left(count) == elements[::-1]
        assert list(reversed(row)) == elements[::-1]
        assert row.pop_right(count) == elements[::-1]
        row.check()


def test_a_long_queue_keeps_its_chunks_full() -> None:
    row = List()
    for number in range(20_000):
        row.push_left([b"%d" % number])
        if number > 5_000:
            assert row.pop_right(1) == [b"%d" % (number - 5_001)]
    row.check()
    assert len(row.chunks) < 14
    assert row.get(2_500) == b"17499"


def test_at_a_full_chunk_a_push_and_a_pop_touch_no_other_chunk() -> None:
    row = List.load(numbers(2048))
    before = list(row.chunks)
    row.push_left([b"x"])
    row.push_right([b"y"])
    assert all(map(is_, row.chunks[1:-1], before))
    assert row.pop_left(1) + row.pop_right(1) == [b"x", b"y"]
    assert all(map(is_, row.chunks, before))
    row.check()


def test_chunks_thinned_by_removals_are_packed_again() -> None:
    row = List.load([b"x", b"y", b"y", b"y"] * 5_000)
    assert row.remove(0, b"y") == 15_000
    row.check()
    assert len(row.chunks) <= 80
    row.remove(-3_000, b"x")
    assert len(row) == 2_000


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(
    ("count", "left"),
    [(0, "bcbc"), (1, "bcabcaa"), (2, "bcbcaa"), (-1, "abcabca"), (-2, "abcabc"), (9, "bcbc")],
)
def test_removal_from_either_end(count: int, left: str) -> None:
    row = List.load([bytes((byte,)) for byte in b"abcabcaa"])
    row.remove(count, b"a")
    assert b"".join(row).decode() == left


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(
    ("question", "found"),
    [
        ({}, [2]),
        ({"rank": 2}, [6]),
        ({"rank": -1}, [7]),
        ({"rank": -2}, [6]),
        ({"count": 0}, [2, 6, 7]),
        ({"count": 2}, [2, 6]),
        ({"rank": -1, "count": 2}, [7, 6]),
        ({"rank": -1, "count": 0}, [7, 6, 2]),
        ({"rank": 2, "count": 0, "maxlen": 7}, [6]),
        ({"count": 0, "maxlen": 2}, []),
        ({"rank": -1, "count": 0, "maxlen": 2}, [7, 6]),
        ({"rank": 4}, []),
        ({"rank": 2**63 - 1, "count": 2**63 - 1, "maxlen": 2**63 - 1}, []),
        ({"rank": -(2**63) + 1}, []),
    ],
)
def test_positions(question: dict[str, int], found: list[int]) -> None:
    row = List.load([bytes((byte,)) for byte in b"abc123cc"])
    assert row.positions(b"c", **question) == found
    assert List().positions(b"c", **question) == []


class ListModel(RuleBasedStateMachine):
    """The same steps on a List and on a list."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = mock.patch.object(lists, "CHUNK", 4)
        self.patch.start()

    def teardown(self) -> None:
        self.patch.stop()

    @initialize(elements=st.lists(values, max_size=30))
    def load(self, elements: list[bytes]) -> None:
        self.row = List.load(elements)
        self.model = list(elements)

    def place(self, place: int) -> int:
        return place % len(self.model)

    @rule(elements=several)
    def push_left(self, elements: list[bytes]) -> None:
        self.row.push_left(elements)
        self.model[:0] = elements[::-1]

    @rule(elements=several)
    def push_right(self, elements: list[bytes]) -> None:
        self.row.push_right(tuple(elements))
        self.model += elements

    @rule(count=places)
    def pop_left(self, count: int) -> None:
        count %= len(self.model) + 1
        assert self.row.pop_left(count) == self.model[:count]
        del self.model[:count]

    @rule(count=places)
    def pop_right(self, count: int) -> None:
        count %= len(self.model) + 1
        keep = len(self.model) - count
        assert self.row.pop_right(count) == self.model[keep:][::-1]
        del self.model[keep:]

    @rule(index=places, value=values)
    def set(self, index: int, value: bytes) -> None:
        if self.model:
            self.row.set(self.place(index), value)
            self.model[self.place(index)] = value

    @rule(index=places, value=values)
    def insert(self, index: int, value: bytes) -> None:
        index %= len(self.model) + 1
        self.row.insert(index, value)
        self.model.insert(index, value)

    @rule(count=st.integers(-3, 3), value=values)
    def remove(self, count: int, value: bytes) -> None:
        places = [place for place, element in enumerate(self.model) if element == value]
        gone = places[count:] if count < 0 else places[: count or None]
        assert self.row.remove(count, value) == len(gone)
        self.model = [one for place, one in enumerate(self.model) if place not in gone]

    @rule(start=places, stop=places)
    def slice(self, start: int, stop: int) -> None:
        start, stop = start % (len(self.model) + 1), stop % (len(self.model) + 1)
        assert self.row.slice(start, stop) == self.model[start:stop]

    @rule(start=places, stop=places)
    def trim(self, start: int, stop: int) -> None:
        start, stop = start % (len(self.model) + 1), stop % (len(self.model) + 1)
        self.row.trim(start, stop)
        self.model = self.model[start:stop]

    @rule(
        value=values,
        rank=st.integers(-3, 3).filter(bool),
        count=st.none() | st.integers(0, 3),
        maxlen=st.integers(0, 12),
    )
    def positions(self, value: bytes, rank: int, count: int | None, maxlen: int) -> None:
        looked = list(range(len(self.model)))
        if rank < 0:
            looked.reverse()
        looked = looked[: maxlen or None]
        found = [place for place in looked if self.model[place] == value][abs(rank) - 1 :]
        wanted = 1 if count is None else count or None
        assert self.row.positions(value, rank, count, maxlen) == found[:wanted]

    @rule(copy=st.booleans())
    def copy_or_repair(self, copy: bool) -> None:
        if copy:
            old, self.row = self.row, self.row.copy()
            old.push_left([b"only in the old one"])
        else:
            self.row.repair()

    @invariant()
    def same(self) -> None:
        self.row.check()
        assert list(self.row) == self.model
        assert list(reversed(self.row)) == self.model[::-1]
        assert [self.row.get(place) for place in range(len(self.model))] == self.model
        assert len(self.row) == len(self.model)


TestListModel = pytest.mark.slow(ListModel.TestCase)
