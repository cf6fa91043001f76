"""The index: what SCAN promises, fair choice, repair."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minidis.structures.index import Index

MEMBERS = [b"%d" % number for number in range(12)]
members = st.sampled_from(MEMBERS)


def walk(index: Index, count: int) -> list[bytes]:
    cursor, found = index.scan(0, count)
    while cursor:
        cursor, more = index.scan(cursor, count)
        found += more
    return found


@pytest.mark.parametrize("count", [1, 2, 5, 12, 100])
def test_a_quiet_walk_returns_each_member_once(count: int) -> None:
    assert walk(Index(MEMBERS), count) == MEMBERS[::-1]


def test_an_empty_index_is_finished_at_once() -> None:
    assert Index([]).scan(0, 10) == (0, [])
    assert Index([]).scan(7, 10) == (0, [])


def test_a_cursor_beyond_the_end_means_the_end() -> None:
    assert Index(MEMBERS[:3]).scan(2**63, 2) == (1, [b"2", b"1"])


changes = st.lists(st.tuples(st.booleans(), members), max_size=3)


@given(st.lists(changes, min_size=1, max_size=20), st.integers(1, 4), st.sets(members))
def test_what_stays_from_start_to_end_is_returned(
    steps: list[list[tuple[bool, bytes]]], count: int, start: set[bytes]
) -> None:
    index = Index(sorted(start))
    stayed = set(start)
    seen: set[bytes] = set()
    cursor = 0
    for number in range(1000):
        cursor, found = index.scan(cursor, count)
        seen.update(found)
        if not cursor:
            break
        for add, member in steps[number % len(steps)]:
            if add:
                index.add(member)
            else:
                index.discard(member)
                stayed.discard(member)
        index.check(set(index.items))
    assert cursor == 0
    assert stayed <= seen


@given(st.lists(st.tuples(st.booleans(), members)))
def test_it_holds_what_a_set_holds(steps: list[tuple[bool, bytes]]) -> None:
    index, model = Index([]), set()
    for add, member in steps:
        if add:
            index.add(member)
            model.add(member)
        else:
            index.discard(member)
            model.discard(member)
        index.check(model)
    index.clear()
    index.check(set())


def test_choice_reaches_every_member() -> None:
    index = Index(MEMBERS)
    draws = iter(range(12))
    assert [index.choice(lambda _: next(draws)) for _ in MEMBERS] == MEMBERS


def test_samples_are_distinct_and_fair() -> None:
    index, random = Index(MEMBERS[:6]), Random(4)
    seen: Counter[bytes] = Counter()
    for _ in range(6000):
        sample = index.sample(2, random.randrange)
        assert len(set(sample)) == 2
        seen.update(sample)
    assert all(1800 < times < 2200 for times in seen.values()), seen
    assert sorted(index.sample(6, random.randrange)) == MEMBERS[:6]


@settings(max_examples=50)
@given(st.lists(members), st.sets(members))
def test_repair_keeps_the_order_of_what_is_left(torn: list[bytes], truth: set[bytes]) -> None:
    index = Index([])
    index.items = list(torn)
    index.repair(truth)
    index.check(truth)
    kept = [member for member in dict.fromkeys(torn) if member in truth]
    assert index.items[: len(kept)] == kept
