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
    limits.set_max_listpack_entries = 4
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


def with_members(table: Set, members: list[bytes], limits: Limits = LIMITS) -> Set:
    """The set with different new members."""
    if table.turns(members):
        return table.with_texts(members, limits)
    assert table.put(members, limits) == len(members)
    return table


@pytest.mark.parametrize(
    ("members", "encoding"),
    [
        ([], "intset"),
        ([b"1", b"-5"], "intset"),
        ([b"1", b"01"], "listpack"),
        ([b"9223372036854775808"], "listpack"),
        ([b"%d" % n for n in range(512)], "intset"),
        ([b"%d" % n for n in range(513)], "hashtable"),
        ([b"m%d" % n for n in range(128)], "listpack"),
        ([b"m%d" % n for n in range(129)], "hashtable"),
        ([*(b"%d" % n for n in range(127)), b"a"], "listpack"),
        ([*(b"%d" % n for n in range(128)), b"a"], "hashtable"),
        ([b"x" * 64], "listpack"),
        ([b"x" * 65], "hashtable"),
        ([b"1", b"x" * 65], "hashtable"),
    ],
)
def test_a_set_is_judged_when_loaded_or_filled(members: list[bytes], encoding: str) -> None:
    assert Set.load(members, LIMITS).encoding == encoding
    table, single = with_members(Set(), members), Set()
    for member in members:
        single = with_members(single, [member])
    assert table.encoding == single.encoding == encoding
    assert set(table) == set(single) == set(members)


def test_a_listpack_keeps_its_order_and_stays_one() -> None:
    table = with_members(Set.load([b"3", b"1"], LIMITS), [b"2", b"b", b"0", b"a"])
    assert list(table.in_order()) == [b"1", b"2", b"3", b"b", b"0", b"a"]
    table.drop([b"a", b"b"])
    assert table.encoding == table.copy().encoding == "listpack"
    assert Set.load(table, LIMITS).encoding == "intset"


def test_repetitions_count_for_the_encoding() -> None:
    assert Set.load([b"a"], LIMITS, asked=129).encoding == "hashtable"
    assert Set.load([b"1"], LIMITS, asked=512).encoding == "intset"
    table = Set.load([b"a"], LIMITS)
    table.expect(129, LIMITS)
    assert table.encoding == "hashtable"


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
        self.model: list[bytes] = []
        self.encoding = "intset"
        self.add(members)
        if walked:
            self.table.scan(0, 1)

    def add(self, members: list[bytes]) -> None:
        """Add members to the model one after another, as Redis does."""
        for member in dict.fromkeys(members):
            if member not in self.model:
                before, self.encoding = self.encoding, self.encoding_with(member)
                if (before, self.encoding) == ("intset", "listpack"):
                    self.model.sort(key=int)
                self.model.append(member)

    def encoding_with(self, member: bytes) -> str:
        size, limits = len(self.model), self.limits
        if self.encoding == "intset" and member.isdigit():
            return "intset" if size < limits.set_max_intset_entries else "hashtable"
        fits = size < limits.set_max_listpack_entries
        return "listpack" if self.encoding != "hashtable" and fits else "hashtable"

    @rule(members=st.lists(texts, max_size=4))
    def put(self, members: list[bytes]) -> None:
        news = [member for member in dict.fromkeys(members) if member not in self.model]
        self.table = with_members(self.table, news, self.limits)
        self.add(members)

    @rule(member=texts)
    def put_one(self, member: bytes) -> None:
        if self.table.turns([member]):
            self.put([member])
        else:
            assert self.table.put_one(member, self.limits) == (member not in self.model)
            self.add([member])

    @rule(members=st.lists(texts, max_size=3))
    def drop(self, members: list[bytes]) -> None:
        gone = {member for member in members if member in self.model}
        assert self.table.drop(members) == len(gone)
        self.model = [member for member in self.model if member not in gone]

    @rule()
    def choose(self) -> None:
        if self.model:
            assert self.table.random(self.random.randrange) in self.model

    @invariant()
    def same(self) -> None:
        self.table.check()
        assert self.table.encoding == self.encoding
        assert self.table.keys() == set(self.model)
        if self.encoding == "listpack":
            assert list(self.table.in_order()) == self.model
        if self.encoding == "intset":
            assert list(self.table.in_order()) == sorted(self.model, key=int)


TestHashModel = pytest.mark.slow(HashModel.TestCase)
TestSetModel = pytest.mark.slow(SetModel.TestCase)
