"""The stream against a plain dict, with nodes so small that they come and go all the time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from minidis.structures.limits import Limits
from minidis.structures.stream_groups import UNKNOWN, Consumer, ConsumerGroup
from minidis.structures.streams import MOST_ID, SHIFT, Stream, Trim, id_text
from tests.structures.test_interrupts import interrupted

SMALL = Limits()
SMALL.stream_node_max_entries = 3

names = st.sampled_from([b"a", b"b", b"7"])
values = st.sampled_from([b"", b"x", b"-12", b"007", b"x" * 70])
pairs = st.lists(st.tuples(names, values), min_size=1, max_size=3)


def a_stream(count: int = 8) -> Stream:
    """Ids 1-0, 2-0, ..."""
    stream = Stream()
    for number in range(1, count + 1):
        stream.append(number << SHIFT, [b"n", b"%d" % number], SMALL)
    return stream


def ids(stream: Stream) -> list[int]:
    return [row[0] >> SHIFT for row in stream]


def test_an_id_is_written_as_two_numbers() -> None:
    assert id_text(5 << SHIFT | 7) == b"5-7"
    assert id_text(MOST_ID) == b"18446744073709551615-18446744073709551615"


def test_fields_that_are_the_same_are_kept_once() -> None:
    stream = Stream()
    for number in (1, 2, 3):
        stream.append(number, [bytes(bytearray(b"name")), b"%d" % number], Limits())
    one, two, three = stream
    assert one[1] is two[1] is three[1]


@pytest.mark.parametrize(
    ("limit", "value", "nodes"),
    [("entries", 3, 4), ("entries", 0, 1), ("entries", 100, 1), ("bytes", 40, 5), ("bytes", 0, 1)],
)
def test_a_node_is_full_when_it_is_in_redis(limit: str, value: int, nodes: int) -> None:
    limits = Limits()
    setattr(limits, f"stream_node_max_{limit}", value)
    stream = Stream()
    for number in range(1, 11):
        stream.append(number, [b"n", b"%d" % number], limits)
    assert len(stream.nodes) == nodes
    stream.check()


def test_what_has_been_deleted_counts_for_the_size_of_a_node() -> None:
    stream = a_stream(3)
    stream.apply(stream.deletion(3 << SHIFT))
    stream.append(4 << SHIFT, [b"n", b"4"], SMALL)
    assert [len(node.rows) for node in stream.nodes] == [2, 1]


@pytest.mark.parametrize(
    ("trim", "left"),
    [
        (Trim(maxlen=8), [1, 2, 3, 4, 5, 6, 7, 8]),
        (Trim(maxlen=6), [3, 4, 5, 6, 7, 8]),
        (Trim(maxlen=0), []),
        (Trim(maxlen=6, approximate=True), [1, 2, 3, 4, 5, 6, 7, 8]),
        (Trim(maxlen=4, approximate=True), [4, 5, 6, 7, 8]),
        (Trim(maxlen=0, approximate=True, limit=5), [4, 5, 6, 7, 8]),
        (Trim(maxlen=0, approximate=True, limit=2), [1, 2, 3, 4, 5, 6, 7, 8]),
        (Trim(minid=5 << SHIFT), [5, 6, 7, 8]),
        (Trim(minid=5 << SHIFT, approximate=True), [4, 5, 6, 7, 8]),
        (Trim(minid=99 << SHIFT), []),
    ],
)
def test_trimming(trim: Trim, left: list[int]) -> None:
    stream = a_stream()
    stream.apply(stream.trimming(trim))
    assert ids(stream) == left
    stream.check()
    assert (stream.last_id, stream.added, stream.max_deleted) == (8 << SHIFT, 8, 0)


@pytest.mark.parametrize(
    ("trim", "left"),
    [
        (Trim(maxlen=5), [2, 5, 6, 7, 8]),
        (Trim(maxlen=0), [2, 5]),
        (Trim(minid=4 << SHIFT), [2, 4, 5, 6, 7, 8]),
        (Trim(maxlen=0, approximate=True), [1, 2, 3, 4, 5, 6, 7, 8]),
    ],
)
def test_trimming_spares_what_is_to_be_kept(trim: Trim, left: list[int]) -> None:
    stream = a_stream()
    stream.apply(stream.trimming(trim, lambda number: number >> SHIFT in (2, 5)))
    assert ids(stream) == left
    stream.check()


def test_the_tree_of_redis() -> None:
    """A key alone: its sixteen bytes and the end. Forks and what hangs on them count, too."""
    assert [a_stream(count).tree_nodes() for count in (0, 1, 4, 7)] == [1, 2, 6, 8]


def test_how_far_an_id_is() -> None:
    stream = a_stream(5)
    assert [stream.distance(number << SHIFT) for number in (0, 1, 3, 5, 6)] == [
        0, 1, UNKNOWN, 5, UNKNOWN,
    ]  # fmt: skip
    group = ConsumerGroup(3 << SHIFT)
    assert stream.lag(group) is None
    stream.advance(group, 5 << SHIFT)
    assert (group.read, stream.lag(group)) == (5, 0)
    assert Stream().lag(group) == 0


class StreamModel(RuleBasedStateMachine):
    """The same steps on a Stream and on a dict of id -> words."""

    @initialize()
    def begin(self) -> None:
        self.stream = Stream()
        self.model: dict[int, tuple[bytes, ...]] = {}
        self.last = self.added = self.deleted = 0

    def some_id(self, place: int) -> int:
        known = [0, self.last, self.last + 1, *self.model]
        return known[place % len(known)]

    @rule(step=st.sampled_from([1, 2, 1 << SHIFT, 300 << SHIFT]), fields=pairs)
    def append(self, step: int, fields: list[tuple[bytes, bytes]]) -> None:
        words = [word for pair in fields for word in pair]
        self.last += step
        self.stream.append(self.last, words, SMALL)
        self.model[self.last] = tuple(words)
        self.added += 1

    @rule(place=st.integers(0, 99))
    def delete(self, place: int) -> None:
        number = self.some_id(place)
        cut = self.stream.deletion(number)
        assert (cut is None) == (number not in self.model)
        self.stream.apply(cut)
        if self.model.pop(number, None):
            self.deleted = max(self.deleted, number)

    @rule(length=st.integers(0, 9))
    def trim_to_length(self, length: int) -> None:
        self.stream.apply(self.stream.trimming(Trim(maxlen=length)))
        for number in sorted(self.model)[: max(len(self.model) - length, 0)]:
            del self.model[number]

    @rule(place=st.integers(0, 99))
    def trim_to_id(self, place: int) -> None:
        least = self.some_id(place)
        self.stream.apply(self.stream.trimming(Trim(minid=least)))
        self.model = {number: words for number, words in self.model.items() if number >= least}

    @rule(place=st.integers(0, 99))
    def change_the_mind(self, place: int) -> None:
        cut = self.stream.deletion(self.some_id(place))
        if cut is not None:
            before = self.stream.max_deleted
            self.stream.apply(cut)
            self.stream.undo_cut(cut, before)
            self.stream.undo_cut(cut, before)

    @rule(first=st.integers(0, 99), last=st.integers(0, 99), count=st.none() | st.integers(1, 5))
    def look(self, first: int, last: int, count: int | None) -> None:
        start, end = self.some_id(first), self.some_id(last)
        found = [(n, *self.model[n]) for n in sorted(self.model) if start <= n <= end]
        assert self.stream.range(start, end, count) == found[:count]
        assert self.stream.range_down(end, start, count) == found[::-1][:count]

    @rule(copy=st.booleans())
    def copy_or_repair(self, copy: bool) -> None:
        if copy:
            old, self.stream = self.stream, self.stream.copy()
            old.append(self.last + 1, [b"only", b"in the old one"], SMALL)
        else:
            self.stream.repair()

    @invariant()
    def same(self) -> None:
        self.stream.check()
        assert list(self.stream) == [(n, *self.model[n]) for n in sorted(self.model)]
        assert len(self.stream) == len(self.model)
        known = (self.stream.last_id, self.stream.added, self.stream.max_deleted)
        assert known == (self.last, self.added, self.deleted)
        assert (self.stream.first_id, self.stream.top_id) == (
            min(self.model, default=0), max(self.model, default=0),
        )  # fmt: skip
        for number in (0, *self.model):
            words = self.model.get(number)
            assert self.stream.get(number) == (None if words is None else (number, *words))


TestStreamModel = pytest.mark.slow(StreamModel.TestCase)


# groups -------------------------------------------------------------------------------------------


def a_group() -> ConsumerGroup:
    group = ConsumerGroup(0)
    for name in (b"ann", b"bob"):
        group.consumers[name] = Consumer(name, 5)
    for number in (5, 1, 3):
        group.put(number, (group.consumers[b"ann"], 10, 1))
    group.put(4, (None, 0, 0))
    assert list(group.pending.upward(2)) == [3, 4, 5]
    assert list(group.consumers[b"ann"].ids.upward(0)) == [1, 3, 5]
    return group


def owners(group: ConsumerGroup) -> dict[int, bytes | None]:
    return {n: owner and owner.name for n, (owner, *_) in sorted(group.pending.items())}


def test_an_entry_has_one_owner() -> None:
    group = a_group()
    group.put(3, (group.consumers[b"bob"], 20, 2))
    group.put(4, (group.consumers[b"bob"], 20, 2))
    group.put(5, (None, 0, 2))
    group.drop(1)
    group.drop(9)
    group.check()
    assert owners(group) == {3: b"bob", 4: b"bob", 5: None}
    assert list(group.consumers[b"bob"].ids.upward(0)) == [3, 4]


def test_a_group_goes_back_to_what_has_been_noted() -> None:
    group = a_group()
    memo = group.memo([1, 2, 4], b"ann", b"cat")
    group.last_id, group.read = 9, 9
    cat = group.consumers[b"cat"] = Consumer(b"cat", 7)
    group.consumers[b"ann"].seen = 99
    for number in (1, 2, 4):
        group.put(number, (cat, 99, 9))
    for _ in range(2):
        group.restore(*memo)
        group.check()
        assert owners(group) == {1: b"ann", 3: b"ann", 4: None, 5: b"ann"}
        assert group.pending[1][1:] == (10, 1)
        assert (group.last_id, group.read, set(group.consumers)) == (0, UNKNOWN, {b"ann", b"bob"})
        assert group.consumers[b"ann"].seen == 5


def test_a_copy_is_independent() -> None:
    stream = a_stream()
    stream.groups[b"g"] = a_group()
    twin = stream.copy()
    stream.groups[b"g"].put(1, (None, 0, 0))
    stream.apply(stream.deletion(1 << SHIFT))
    twin.check()
    assert owners(twin.groups[b"g"])[1] == b"ann"
    assert len(twin) == 8


# interruptions ------------------------------------------------------------------------------------


def stream_state(stream: Stream) -> Any:
    nodes = [(node.first, node.last, node.dead, node.dead_bytes) for node in stream.nodes]
    return list(stream), nodes, stream.last_id, stream.added, stream.max_deleted


CHANGES: dict[str, Callable[[Stream], object]] = {
    "append": lambda s: s.append(20 << SHIFT, [b"n", b"x"], SMALL),
    "append to a new node": lambda s: s.append(20 << SHIFT, [b"n", b"x" * 5000], SMALL),
    "delete": lambda s: s.apply(s.deletion(4 << SHIFT)),
    "delete the last": lambda s: s.apply(s.deletion(8 << SHIFT)),
    "trim": lambda s: s.apply(s.trimming(Trim(maxlen=4))),
    "trim all": lambda s: s.apply(s.trimming(Trim(maxlen=0))),
    "trim nodes": lambda s: s.apply(s.trimming(Trim(maxlen=2, approximate=True))),
    "set the past": lambda s: s.set_past(50 << SHIFT, 50, 7 << SHIFT),
}


@pytest.mark.parametrize("name", CHANGES)
def test_before_or_after(name: str) -> None:
    done = a_stream()
    CHANGES[name](done)
    allowed = (stream_state(a_stream()), stream_state(done))
    for at in range(100_000):
        stream = a_stream()
        stream.tree_nodes()
        broken_off = interrupted(lambda stream=stream: CHANGES[name](stream), at)  # type: ignore[misc]
        if broken_off:
            stream.repair()
        stream.check()
        assert stream_state(stream) in allowed, at
        if not broken_off:
            break
    assert at > 20


@pytest.mark.parametrize("number", [1, 2, 4])
@pytest.mark.parametrize("dropped", [False, True])
def test_a_group_before_or_after(number: int, dropped: bool) -> None:
    def change(group: ConsumerGroup) -> None:
        if dropped:
            group.drop(number)
        else:
            group.put(number, (group.consumers[b"bob"], 20, 2))

    done = a_group()
    change(done)
    for at in range(10_000):
        group = a_group()
        broken_off = interrupted(lambda group=group: change(group), at)  # type: ignore[misc]
        if broken_off:
            group.repair()
        group.check()
        assert owners(group) in (owners(a_group()), owners(done)), at
        if not broken_off:
            break
    assert at > 10
