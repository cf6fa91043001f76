"""Hash and set against plain dictionaries, and when they become wide."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from minidis.structures.limits import Limits
from minidis.structures.tables import Hash, Set

LIMITS = Limits()


def small() -> Limits:
    limits = Limits()
    limits.hash_max_listpack_entries = 3
    limits.hash_max_listpack_value = 4
    limits.set_max_intset_entries = 3
    return limits


@pytest.mark.parametrize(
    ("fields", "expanded"),
    [
        ({}, False),
        ({b"f": b"v" * 64}, False),
        ({b"f": b"v" * 65}, True),
        ({b"f" * 65: b"v"}, True),
        ({b"%d" % n: b"" for n in range(512)}, False),
        ({b"%d" % n: b"" for n in range(513)}, True),
    ],
)
def test_a_hash_is_judged_when_loaded_or_filled(fields: dict[bytes, bytes], expanded: bool) -> None:
    assert Hash.load(fields, LIMITS).expanded is expanded
    table = Hash()
    assert table.put(fields, LIMITS) == len(fields)
    assert table.expanded is expanded
    single = Hash()
    assert all(single.put_one(field, value, LIMITS) for field, value in fields.items())
    assert single.expanded is expanded
    assert table == single == fields


@pytest.mark.parametrize(
    ("members", "expanded"),
    [
        ([], False),
        ([b"1", b"-5"], False),
        ([b"1", b"01"], True),
        ([b"9223372036854775808"], True),
        ([b"%d" % n for n in range(512)], False),
        ([b"%d" % n for n in range(513)], True),
    ],
)
def test_a_set_is_judged_when_loaded_or_filled(members: list[bytes], expanded: bool) -> None:
    assert Set.load(members, LIMITS).expanded is expanded
    table = Set()
    assert table.put(members, LIMITS) == len(members)
    assert table.expanded is expanded
    single = Set()
    assert all(single.put_one(member, LIMITS) for member in members)
    assert single.expanded is expanded
    assert list(table) == list(single) == members


def test_wide_stays_and_is_copied() -> None:
    table = Set.load([b"a", b"1"], LIMITS)
    table.drop([b"a"])
    assert table.expanded
    assert table.copy().expanded
    assert not Set.load(table, LIMITS).expanded


def test_after_the_limit_was_lowered_a_set_is_judged_only_when_it_grows() -> None:
    table = Set.load([b"1", b"2", b"3", b"4"], LIMITS)
    assert not table.put_one(b"1", small())
    assert not table.expanded
    assert table.put_one(b"5", small())
    assert table.expanded


def test_after_the_limit_was_lowered_a_hash_is_judged_by_any_write() -> None:
    table = Hash.load(dict.fromkeys([b"1", b"2", b"3", b"4"], b""), LIMITS)
    assert not table.put_one(b"1", b"", small())
    assert table.expanded


def test_a_copy_is_independent() -> None:
    table = Hash.load({b"f": b"1"}, LIMITS)
    twin = table.copy()
    twin.put_one(b"f", b"2", LIMITS)
    assert table == {b"f": b"1"}
    assert type(twin) is Hash


def test_an_empty_hash_is_given_nothing() -> None:
    table = Hash()
    assert table.put({}, LIMITS) == 0
    assert table.drop([b"f"]) == 0
    table.check()


texts = st.sampled_from([b"%d" % n for n in range(6)] + [b"", b"a", b"long one"])


class HashModel(RuleBasedStateMachine):
    """The same steps on a Hash and on a dict."""

    limits = small()
    random = Random(1)

    @initialize(fields=st.dictionaries(texts, texts, max_size=4), walked=st.booleans())
    def begin(self, fields: dict[bytes, bytes], walked: bool) -> None:
        self.table = Hash.load(fields, self.limits)
        self.model = dict(fields)
        self.expanded = False
        if walked:
            self.table.scan(0, 1)

    @rule(fields=st.dictionaries(texts, texts, max_size=4))
    def put(self, fields: dict[bytes, bytes]) -> None:
        new = len(self.model | fields) - len(self.model)
        assert self.table.put(fields, self.limits) == new
        self.model.update(fields)

    @rule(field=texts, value=texts)
    def put_one(self, field: bytes, value: bytes) -> None:
        assert self.table.put_one(field, value, self.limits) == (field not in self.model)
        self.model[field] = value

    @rule(fields=st.lists(texts, max_size=3))
    def drop(self, fields: list[bytes]) -> None:
        gone = {field for field in fields if self.model.pop(field, None) is not None}
        assert self.table.drop(fields) == len(gone)

    @rule(count=st.integers(1, 5))
    def walk(self, count: int) -> None:
        cursor, found = self.table.scan(0, count)
        while cursor:
            cursor, more = self.table.scan(cursor, count)
            found += more
        assert sorted(found) == sorted(self.model)

    @rule()
    def choose(self) -> None:
        if self.model:
            assert self.table.random(self.random.randrange) in self.model
            sample = self.table.sample(len(self.model) // 2, self.random.randrange)
            assert len(set(sample)) == len(self.model) // 2
            assert set(sample) <= self.model.keys()

    @rule()
    def copy_and_repair(self) -> None:
        self.table = self.table.copy()
        self.table.repair()

    @invariant()
    def same(self) -> None:
        self.table.check()
        assert self.table == self.model
        texts = [*self.model, *self.model.values()]
        self.expanded |= len(self.model) > 3 or any(len(text) > 4 for text in texts)
        assert self.table.expanded == self.expanded


class SetModel(RuleBasedStateMachine):
    """The same steps on a Set and on a set."""

    limits = small()
    random = Random(1)

    @initialize(members=st.lists(texts, max_size=4), walked=st.booleans())
    def begin(self, members: list[bytes], walked: bool) -> None:
        self.table = Set.load(members, self.limits)
        self.model = set(members)
        self.expanded = False
        if walked:
            self.table.scan(0, 1)

    @rule(members=st.lists(texts, max_size=4))
    def put(self, members: list[bytes]) -> None:
        assert self.table.put(members, self.limits) == len(set(members) - self.model)
        self.model.update(members)

    @rule(member=texts)
    def put_one(self, member: bytes) -> None:
        assert self.table.put_one(member, self.limits) == (member not in self.model)
        self.model.add(member)

    @rule(members=st.lists(texts, max_size=3))
    def drop(self, members: list[bytes]) -> None:
        assert self.table.drop(members) == len(self.model.intersection(members))
        self.model.difference_update(members)

    @rule()
    def choose(self) -> None:
        if self.model:
            assert self.table.random(self.random.randrange) in self.model

    @invariant()
    def same(self) -> None:
        self.table.check()
        assert self.table.keys() == self.model
        self.expanded |= len(self.model) > 3 or any(not text.isdigit() for text in self.model)
        assert self.table.expanded == self.expanded


TestHashModel = pytest.mark.slow(HashModel.TestCase)
TestSetModel = pytest.mark.slow(SetModel.TestCase)
