"""An exception at every single bytecode of every change leaves the state before or after it.

KeyboardInterrupt comes (tests/faults.py) when the n-th instruction is about to run, in whatever
frame that is (sortedcontainers included), for n = 0, 1, 2 and so on until the call gets through.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest
from sortedcontainers import SortedList

from minidis.structures import lists
from minidis.structures.limits import Limits
from minidis.structures.lists import List
from minidis.structures.sorted_set import SortedSet
from minidis.structures.tables import Hash, Set
from tests import faults

# Python swallows an error raised at the end of a generator that is garbage collected, and warns.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

Action = Callable[[Any], object]

LIMITS = Limits()
LIMITS.hash_max_listpack_entries = 8
LIMITS.set_max_intset_entries = 8
LIMITS.zset_max_listpack_entries = 12


@pytest.fixture(autouse=True)
def tiny_chunks() -> Iterator[None]:
    """Chunks so small that they split and vanish within one call."""
    with (
        mock.patch.object(lists, "CHUNK", 4),
        mock.patch.object(SortedList, "DEFAULT_LOAD_FACTOR", 4),
    ):
        yield


def interrupted(call: Callable[[], object], at: int) -> bool:
    """Make the call, and break it off before instruction number `at`; False if it ends earlier."""
    gc.disable()  # a callback of the collector is not what is to be interrupted
    try:
        return faults.interrupted(faults.Fault(at + 1), call)
    finally:
        gc.enable()


def state(value: Any) -> object:
    if isinstance(value, SortedSet):
        return dict(value.scores), value.expanded
    if isinstance(value, List):
        return list(value)
    return dict(value), value.expanded


def agrees_with_itself(value: Any) -> None:
    """Answer questions that need everything derived from the truth."""
    value.check()
    if isinstance(value, SortedSet):
        pairs = sorted(value.scores.items(), key=lambda pair: (pair[1], pair[0]))
        assert list(value.items()) == pairs
        assert [value.rank(member) for member, _ in pairs] == list(range(len(pairs)))
    if isinstance(value, List):
        assert len(value) == len(list(value))
        assert [value.get(place) for place in range(len(value))] == list(value)
    else:
        assert sorted(value.scan(0, 100)[1]) == sorted(getattr(value, "scores", value))
    value.check()


def a_hash() -> Hash:
    table = Hash.load({b"%d" % n: b"v" for n in range(6)}, LIMITS)
    table.scan(0, 1)
    return table


def a_set() -> Set:
    table = Set.load([b"%d" % n for n in range(6)], LIMITS)
    table.scan(0, 1)
    return table


def a_sorted_set() -> SortedSet:
    scores = SortedSet.load({b"%d" % n: n / 2 for n in range(11)}, LIMITS)
    scores.scan(0, 1)
    scores.by_rank(3, 4)
    scores.ordered()[4]  # builds the tree of positions too
    return scores


def an_unordered_set() -> SortedSet:
    return SortedSet.load({b"%d" % n: n / 2 for n in range(11)}, LIMITS)


def a_list() -> List:
    row = List.load([b"a", b"b", b"c"] * 5)
    row.get(7)
    return row


def a_short_list() -> List:
    return List.load([b"a"])


CASES: dict[str, tuple[Callable[[], Any], Action]] = {
    "hash put": (a_hash, lambda v: v.put({b"1": b"new", b"x": b"new"}, LIMITS)),
    "hash put wide": (a_hash, lambda v: v.put({b"1": b"x" * 70, b"y": b"new"}, LIMITS)),
    "hash put too many": (a_hash, lambda v: v.put({b"%d" % n: b"x" for n in range(9)}, LIMITS)),
    "hash put one": (a_hash, lambda v: v.put_one(b"x", b"new", LIMITS)),
    "hash put one wide": (a_hash, lambda v: v.put_one(b"x", b"x" * 70, LIMITS)),
    "hash put one over": (a_hash, lambda v: v.put_one(b"1", b"new", LIMITS)),
    "hash drop": (a_hash, lambda v: v.drop([b"0", b"5", b"x"])),
    "hash scan": (a_hash, lambda v: v.copy().scan(0, 2)),
    "set put": (a_set, lambda v: v.put([b"1", b"70", b"80"], LIMITS)),
    "set put wide": (a_set, lambda v: v.put([b"1", b"x", b"80"], LIMITS)),
    "set put one": (a_set, lambda v: v.put_one(b"70", LIMITS)),
    "set put one wide": (a_set, lambda v: v.put_one(b"x", LIMITS)),
    "set drop": (a_set, lambda v: v.drop([b"5", b"0", b"3"])),
    "zset put": (a_sorted_set, lambda v: v.put({b"1": 9.0, b"x": -1.0}, LIMITS)),
    "zset put wide": (a_sorted_set, lambda v: v.put({b"x": 1.0, b"y": 2.0, b"1": 0.0}, LIMITS)),
    "zset put many": (a_sorted_set, lambda v: v.put({b"%d" % n: 1.5 for n in range(9)}, LIMITS)),
    "zset put one": (a_sorted_set, lambda v: v.put_one(b"x", 1.7, LIMITS)),
    "zset put one wide": (a_sorted_set, lambda v: v.put_one(b"x" * 70, 1.7, LIMITS)),
    "zset move one": (a_sorted_set, lambda v: v.put_one(b"1", 4.1, LIMITS)),
    "zset drop": (a_sorted_set, lambda v: v.drop([b"1", b"7"])),
    "zset drop many": (a_sorted_set, lambda v: v.drop([b"%d" % n for n in range(8)])),
    "zset drop ranks": (a_sorted_set, lambda v: v.drop_ranks(2, 5)),
    "zset drop all ranks": (a_sorted_set, lambda v: v.drop_ranks(0, 11)),
    "zset drop unordered": (an_unordered_set, lambda v: v.drop_ranks(3, 4)),
    "zset question": (an_unordered_set, lambda v: (v.by_rank(3, 5), v.rank(b"5"))),
    "zset walk": (an_unordered_set, lambda v: (v.scan(0, 3), v.rank_of_score(2.0, True))),
    "list push left": (a_list, lambda v: v.push_left([b"x"])),
    "list push left many": (a_list, lambda v: v.push_left([b"x"] * 9)),
    "list push right": (a_list, lambda v: v.push_right([b"x"])),
    "list push right many": (a_list, lambda v: v.push_right([b"x"] * 9)),
    "list pop left": (a_list, lambda v: v.pop_left(1)),
    "list pop left many": (a_list, lambda v: v.pop_left(9)),
    "list pop right": (a_list, lambda v: v.pop_right(1)),
    "list pop right many": (a_list, lambda v: v.pop_right(9)),
    "list pop last": (a_short_list, lambda v: v.pop_right(1)),
    "list pop first": (a_short_list, lambda v: v.pop_left(1)),
    "list set": (a_list, lambda v: v.set(7, b"x")),
    "list insert": (a_list, lambda v: v.insert(13, b"x")),
    "list insert in full": (a_list, lambda v: v.insert(6, b"x")),
    "list insert at end": (a_list, lambda v: v.insert(15, b"x")),
    "list remove": (a_list, lambda v: v.remove(2, b"b")),
    "list remove from tail": (a_list, lambda v: v.remove(-3, b"b")),
    "list remove all": (a_list, lambda v: v.remove(0, b"b")),
    "list trim": (a_list, lambda v: v.trim(2, 11)),
    "list trim the tail": (a_list, lambda v: v.trim(0, 7)),
    "list trim the head": (a_list, lambda v: v.trim(7, 15)),
    "list trim to nothing": (a_list, lambda v: v.trim(5, 5)),
    "list question": (a_list, lambda v: (v.positions(b"c", 2), v.slice(2, 9))),
}


@pytest.mark.parametrize("name", CASES)
def test_before_or_after(name: str) -> None:
    make, change = CASES[name]
    done = make()
    change(done)
    allowed = (state(make()), state(done))
    for at in range(100_000):
        value = make()
        broken_off = interrupted(lambda value=value: change(value), at)  # type: ignore[misc]
        if broken_off:
            value.repair()
        assert state(value) in allowed, at
        agrees_with_itself(value)
        if not broken_off:
            break
    assert at > 20


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["hash drop", "set put wide", "zset drop", "zset put wide", "list trim"]
)
def test_repair_may_be_broken_off_and_begun_again(name: str) -> None:
    make, change = CASES[name]
    done = make()
    change(done)
    allowed = (state(make()), state(done))
    for at in range(0, 100_000, 7):
        again = 0
        while True:
            value = make()
            if not interrupted(lambda value=value: change(value), at):  # type: ignore[misc]
                return
            finished = not interrupted(value.repair, again)
            value.repair()
            assert state(value) in allowed, (at, again)
            agrees_with_itself(value)
            if finished:
                break
            again += 5
