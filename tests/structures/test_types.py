"""The table of value types: complete rows, sane memory estimates, and nothing that bypasses it."""

from __future__ import annotations

import gc
from collections import Counter
from sys import getsizeof
from typing import Any

import pytest

from minidis import errors
from minidis.api.database import Minidis
from minidis.persistence.rdb import types as codecs
from minidis.persistence.rdb.sink import Target
from minidis.structures import memory, types
from minidis.structures.limits import Limits
from minidis.structures.lists import List
from minidis.structures.sorted_set import SortedSet
from minidis.structures.stream_groups import Consumer, ConsumerGroup
from minidis.structures.streams import SHIFT, Stream
from minidis.structures.tables import Hash, Set
from minidis.structures.text import Text
from minidis.structures.types import VALUE_TYPES, ValueType

LIMITS = Limits()


def words(count: int, size: int = 40) -> list[bytes]:
    return [b"%0*d" % (size, number) for number in range(count)]


def a_stream(count: int) -> Stream:
    stream = Stream()
    for number, word in enumerate(words(count)):
        stream.append(number + 1 << SHIFT, [b"field", word, b"other", b"x" * 50], LIMITS)
    return stream


def read_by_a_group(count: int) -> Stream:
    stream = a_stream(count)
    group = stream.groups[b"group"] = ConsumerGroup(0)
    consumer = group.consumers[b"ann"] = Consumer(b"ann", 1 << 40)
    for number in range(count):
        group.put(number + 1 << SHIFT, (consumer, (1 << 40) + number, 1))
    return stream


def indexed(value: Any) -> Any:
    value.indexed().discard(b"not there")
    return value


def ordered(value: SortedSet) -> SortedSet:
    value.ordered()
    return value


def values(count: int) -> dict[str, Any]:
    """A value of each kind, with `count` elements."""
    scores = {word: number + 0.5 for number, word in enumerate(words(count))}
    fields = {word: word * 2 for word in words(count)}
    return {
        "string": b"x" * count,
        "bytearray": bytearray(count),
        "list": List.load(words(count)),
        "set": Set.load(words(count), LIMITS),
        "indexed set": indexed(Set.load(words(count), LIMITS)),
        "hash": Hash.load(fields, LIMITS),
        "zset": SortedSet.load(scores, LIMITS),
        "ordered zset": ordered(indexed(SortedSet.load(scores, LIMITS))),
        "stream": a_stream(count),
        "stream with a group": read_by_a_group(count),
    }


def measured(value: Any) -> int:
    """The bytes of a value and of all that it refers to, each object once."""
    seen: dict[int, Any] = {}
    left = [value]
    while left:
        one = left.pop()
        if id(one) not in seen and not isinstance(one, type) and not callable(one):
            seen[id(one)] = one
            left += gc.get_referents(one)
    return sum(map(getsizeof, seen.values()))


def test_each_class_belongs_to_one_row() -> None:
    kinds = Counter(kind for value_type in VALUE_TYPES for kind in value_type.classes)
    assert set(kinds.values()) == {1}
    assert len({value_type.name for value_type in VALUE_TYPES}) == len(VALUE_TYPES)
    assert len({value_type.number for value_type in VALUE_TYPES}) == len(VALUE_TYPES)


def test_each_row_has_a_codec() -> None:
    assert codecs.CODECS.keys() == set(VALUE_TYPES)
    type_bytes = Counter(byte for codec in codecs.CODECS.values() for byte in codec.readers)
    assert set(type_bytes.values()) == {1}


@pytest.mark.parametrize("count", [3, 1000])
def test_what_a_codec_writes_it_can_read(count: int) -> None:
    for value in [*values(count).values(), 7, Text(b"8")]:
        codec = codecs.CODECS[types.type_of(value)]
        type_byte, _ = codec.write(value, Target(LIMITS))
        assert type_byte in codec.readers


def test_collections_have_what_the_keyspace_calls() -> None:
    for value_type in VALUE_TYPES:
        for kind in value_type.classes if value_type.collection else ():
            assert all(hasattr(kind, name) for name in ("copy", "repair", "check", "__len__"))
            assert types.is_empty(kind()) is not value_type.may_be_empty


def test_an_object_that_no_key_can_hold_has_no_type() -> None:
    assert not types.is_collection(None)
    assert not types.is_empty(None)
    with pytest.raises(KeyError):
        types.type_of(None)
    with pytest.raises(KeyError):
        codecs.write_value([], Target(LIMITS))  # type: ignore[arg-type]


# memory ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 10, 1000, pytest.param(20_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", values(0))
def test_the_memory_estimate_is_near_what_python_reports(name: str, count: int) -> None:
    value = values(count)[name]
    assert 0.6 < types.memory_of(value) / measured(value) < 1.6


@pytest.mark.parametrize("name", values(0))
def test_the_memory_of_an_empty_value_can_be_estimated(name: str) -> None:
    assert 0 < types.memory_of(values(0)[name]) < 1500


def test_the_memory_estimate_measures_few_elements(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0

    def counting(value: Any) -> int:
        nonlocal calls
        calls += 1
        return getsizeof(value)

    monkeypatch.setattr(memory, "getsizeof", counting)
    for name, value in values(20_000).items():
        calls = 0
        types.memory_of(value)
        assert calls < 100, name


# a new type --------------------------------------------------------------------------------------


class Bag:
    """A type that exists in this test only."""

    def __init__(self, count: int = 0) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def copy(self) -> Bag:
        return Bag(self.count)

    def repair(self) -> None:
        pass

    def check(self) -> None:
        assert self.count > 0


@pytest.fixture
def bags(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables as if they had a row for bags."""
    row = ValueType("bag", (Bag,), lambda bag: "paper", 9, lambda digest, bag: digest + 1, len)
    codec: Any = codecs.Codec(
        lambda bag, target: (99, [bytes((bag.count,))]),
        {99: lambda source, limits: Bag(source.byte())},  # type: ignore[dict-item,return-value]
    )
    monkeypatch.setitem(types.BY_CLASS, Bag, row)
    monkeypatch.setitem(types.COLLECTIONS, Bag, row)
    monkeypatch.setitem(codecs.READERS, 99, codec.readers[99])
    monkeypatch.setitem(codecs._WRITERS, Bag, codec.write)


@pytest.mark.usefixtures("bags")
def test_a_row_and_a_codec_make_a_type(db: Minidis[bytes]) -> None:
    db.space.put(b"bag", Bag(3))
    assert db.type("bag") == "bag"
    assert db.object_encoding("bag") == b"paper"
    assert db.scan(0, _type="bag")[1] == [b"bag"]
    assert db.debug_digest_value("bag") != db.debug_digest_value("nothing")
    assert db.copy("bag", "twin")
    db.space.values[b"bag"].count = 4
    assert db.restore("restored", 0, db.dump("bag") or b"") == "OK"
    assert [len(db.space.values[key]) for key in (b"bag", b"twin", b"restored")] == [4, 3, 4]
    db.space.check()
    with pytest.raises(errors.WrongTypeError):
        db.get("bag")
    with pytest.raises(errors.WrongTypeError):
        db.hget("bag", "x")


@pytest.mark.usefixtures("bags")
def test_an_emptied_value_of_a_new_type_is_removed_by_repair(db: Minidis[bytes]) -> None:
    db.space.put(b"bag", Bag(0))
    db.space.repair([b"bag"])
    assert not db.exists("bag")
