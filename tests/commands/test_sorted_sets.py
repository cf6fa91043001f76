"""Sorted set commands through the typed API and through words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import inf
from typing import Any

import pytest

import minidis
from minidis import DataError, ResponseError, WrongTypeError
from minidis.grammar.command import COMMANDS
from minidis.structures.sorted_set import SortedSet

SLOW = "x" * 65


@pytest.fixture
def db() -> Iterator[Any]:
    with minidis.open() as opened:
        yield opened
        opened.space.check()


@pytest.fixture
def abc(db: Any) -> Any:
    """A database with z = a 1, b 2, c 3."""
    db.zadd("z", {"a": 1, "b": 2, "c": 3})
    return db


def refused(db: Any, line: str) -> str:
    with pytest.raises(ResponseError) as caught:
        db.execute(*line.split())
    return str(caught.value)


# ZADD and ZINCRBY --------------------------------------------------------------------------------


def test_zadd_takes_mappings_and_pairs(db: Any) -> None:
    assert db.zadd("z", {"a": 1, b"b": "2.5", 3: inf}) == 3
    assert db.zadd("z", [("a", 1), ("c", -1)]) == 1
    assert db.zrange("z", 0, -1, withscores=True) == [
        (b"c", -1.0), (b"a", 1.0), (b"b", 2.5), (b"3", inf)
    ]  # fmt: skip


def test_zadd_options(abc: Any) -> None:
    assert abc.zadd("z", {"a": 9, "d": 4}, nx=True) == 1
    assert abc.zadd("z", {"a": 5, "e": 4}, xx=True, ch=True) == 1
    assert abc.zadd("z", {"a": 4, "b": 4}, gt=True, ch=True) == 1
    assert abc.zadd("z", {"a": 4, "b": 5}, lt=True, ch=True) == 1
    assert abc.zrange("z", 0, -1, withscores=True) == [
        (b"c", 3.0), (b"a", 4.0), (b"b", 4.0), (b"d", 4.0)
    ]  # fmt: skip


def test_zadd_applies_repeated_members_one_after_the_other(db: Any) -> None:
    assert db.execute("ZADD", "z", "CH", 1, "a", 2, "a", 2, "a", 1, "a") == 3
    assert db.execute("ZADD", "z", "NX", 5, "b", 6, "b") == 1
    assert db.execute("ZADD", "z", "GT", "CH", 4, "b", 7, "b", 6, "b") == 1
    assert db.zmscore("z", "a", "b") == [1.0, 7.0]


def test_zadd_incr(abc: Any) -> None:
    assert abc.zadd("z", {"a": 2}, incr=True) == 3.0
    assert abc.zadd("z", {"new": 2}, incr=True, xx=True) is None
    assert abc.zadd("z", {"a": 2}, incr=True, nx=True) is None
    assert abc.zadd("z", {"a": -1}, incr=True, gt=True) is None
    assert (abc.zincrby("z", 0.5, "a"), abc.zincrby("new", 1, "m")) == (3.5, 1.0)


def test_a_missing_key_is_not_created_by_xx(db: Any) -> None:
    assert (db.zadd("z", {"a": 1}, xx=True), db.exists("z")) == (0, 0)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("ZADD z NX XX x a", "ERR XX and NX options at the same time are not compatible"),
        ("ZADD z LT GT x a",
         "ERR GT, LT, and/or NX options at the same time are not compatible"),
        ("ZADD z NX XX 1", "ERR syntax error"),
        ("ZADD z INCR x a 1 b", "ERR INCR option supports a single increment-element pair"),
        ("ZADD s 1 a x b", "ERR value is not a valid float"),
        ("ZADD s 1 a", "WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("ZINCRBY z nan a", "ERR value is not a valid float"),
        ("ZPOPMIN z x y", "ERR syntax error"),
        ("ZPOPMIN z -1", "ERR value is out of range, must be positive"),
        ("ZMPOP 0 z MIN", "ERR numkeys should be greater than 0"),
        ("ZMPOP 1 z MIN COUNT 0", "ERR count should be greater than 0"),
        ("ZMPOP 1 z MIN COUNT 1 COUNT 1", "ERR syntax error"),
        ("ZRANGE z 0 -1 REV REV", "ERR syntax error"),
        ("ZRANGE z 0 -1 LIMIT 0 1", "ERR syntax error, LIMIT is only supported in combination "
         "with either BYSCORE or BYLEX"),
        ("ZREVRANGE z 0 -1 LIMIT 0 1", "ERR syntax error, LIMIT is only supported in combination "
         "with either BYSCORE or BYLEX"),
        ("ZREVRANGE z 0 -1 LIMIT 0", "ERR syntax error"),
        ("ZRANGEBYLEX z - + WITHSCORES",
         "ERR syntax error, WITHSCORES not supported in combination with BYLEX"),
        ("ZRANGE s x 1 BAD", "ERR syntax error"),
        ("ZRANGE s (1 x BYSCORE", "ERR min or max is not a float"),
        ("ZRANGE s a [b BYLEX", "ERR min or max not valid string range item"),
        ("ZUNION 1 s BAD", "WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("ZDIFFSTORE d 1 s z", "WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("ZUNION 1 z BAD", "ERR syntax error"),
        ("ZUNION 0 s", "ERR at least 1 input key is needed for 'zunion' command"),
        ("ZUNION 1 z WEIGHTS x BAD", "ERR weight value is not a float"),
        ("ZINTERCARD 1 z LIMIT x", "ERR LIMIT can't be negative"),
        ("ZRANDMEMBER z x y z", "ERR value is not an integer or out of range"),
        ("ZRANDMEMBER z -9223372036854775808", "ERR value is out of range, value must between "
         "-9223372036854775807 and 9223372036854775807"),
        ("ZRANDMEMBER z 9223372036854775807 WITHSCORES", "ERR value is out of range"),
        ("ZRANK z a b c", "ERR wrong number of arguments for 'zrank' command"),
        ("ZRANK z a b", "ERR syntax error"),
        ("ZSCAN z 0 COUNT 0", "ERR syntax error"),
    ],
)  # fmt: skip
def test_complaints_and_their_order(abc: Any, line: str, message: str) -> None:
    abc.set("s", "text")
    assert refused(abc, line) == message
    assert abc.zcard("z") == 3


def test_infinities_that_cancel_are_refused(db: Any) -> None:
    db.zadd("z", {"a": inf})
    with pytest.raises(ResponseError, match=re.escape("resulting score is not a number (NaN)")):
        db.zincrby("z", -inf, "a")
    with pytest.raises(ResponseError, match="not a valid float"):
        db.zadd("z", {"b": float("nan")})


def test_minus_zero_is_zero_in_the_compact_encoding(db: Any) -> None:
    db.zadd("z", {"a": -0.0})
    db.zadd("expanded", {SLOW: 1})
    db.zadd("expanded", {"a": -0.0})
    assert [str(db.zscore(key, "a")) for key in ("z", "expanded")] == ["0.0", "-0.0"]


# removing ----------------------------------------------------------------------------------------


def test_the_last_member_takes_the_key_along(abc: Any) -> None:
    assert (abc.zrem("z", "a", "x", "a"), abc.zremrangebyrank("z", 1, 5)) == (1, 1)
    assert (abc.zremrangebyscore("z", 2, 2), abc.exists("z")) == (1, 0)
    abc.zadd("z", {"a": 0, "b": 0})
    assert (abc.zremrangebylex("z", "[b", "+"), abc.zremrangebylex("z", "-", "+")) == (1, 1)
    assert abc.exists("z") == 0


def test_pops(abc: Any) -> None:
    assert abc.zpopmin("z") == [b"a", 1.0]
    assert abc.zpopmax("z", 1) == [(b"c", 3.0)]
    assert (abc.zpopmax("z", 0), abc.zpopmax("none")) == ([], [])
    assert (abc.zpopmax("z"), abc.exists("z")) == ([b"b", 2.0], 0)


def test_zmpop(abc: Any) -> None:
    assert abc.zmpop(2, ["none", "z"], max=True, count=2) == [
        b"z", [[b"c", 3.0], [b"b", 2.0]]
    ]  # fmt: skip
    assert abc.execute("ZMPOP", 1, "z", "min") == [b"z", [[b"a", 1.0]]]
    assert abc.zmpop(1, ["z"], min=True) is None
    for mistake in ({}, {"min": True, "max": True}):
        with pytest.raises(ResponseError, match="syntax error"):
            abc.zmpop(1, ["z"], **mistake)


# ranges ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "members"),
    [
        ("ZRANGE z 0 -1", "abcde"),
        ("ZRANGE z -2 100", "de"),
        ("ZRANGE z 3 1", ""),
        ("ZRANGE z -100 0 REV", "e"),
        ("ZRANGE z 0 -1 LIMIT 3 -1", "abcde"),
        ("ZRANGE z (1 3 BYSCORE", "bc"),
        ("ZRANGE z 4 (1 BYSCORE REV LIMIT 1 2", "cb"),
        ("ZRANGE z -inf +inf BYSCORE LIMIT 1 -1", "bcde"),
        ("ZRANGE z -inf +inf BYSCORE LIMIT -1 2", ""),
        ("ZRANGE z 3 1 BYSCORE", ""),
        ("ZREVRANGE z 0 1", "ed"),
        ("ZREVRANGE z 0 1 LIMIT 0 -1", "ed"),
        ("ZRANGEBYSCORE z 0x2 1e999 LIMIT 0 2", "bc"),
        ("ZREVRANGEBYSCORE z (5 2", "dcb"),
        ("ZRANGEBYLEX same (a [c", "bc"),
        ("ZRANGEBYLEX same - + LIMIT 1 2", "bc"),
        ("ZREVRANGEBYLEX same + (b", "edc"),
        ("ZRANGE same [d - BYLEX REV LIMIT 1 2", "cb"),
        ("ZRANGE same + - BYLEX", ""),
    ],
)
def test_ranges(db: Any, line: str, members: str) -> None:
    db.zadd("z", {member: score for score, member in enumerate("abcde", 1)})
    db.zadd("same", dict.fromkeys("abcde", 0))
    for expanded in (False, True):
        if expanded:
            db.config_set("zset-max-listpack-entries", 1)
            db.zunionstore("z", ["z"])
            db.zunionstore("same", ["same"])
        assert b"".join(db.execute(*line.split())).decode() == members


def test_counting(abc: Any) -> None:
    assert (abc.zcount("z", "(1", 3), abc.zcount("z", 3, 1), abc.zcount("no", 0, 1)) == (2, 0, 0)
    assert (abc.zlexcount("z", "-", "+"), abc.zlexcount("z", "[b", "(c")) == (3, 1)


def test_texts_in_a_set_with_different_scores_are_found_as_redis_walks(db: Any) -> None:
    db.zadd("z", {"a": 1, "d": 2, "b": 3, "e": 4})
    assert db.zrangebylex("z", "[b", "[d") == [b"d", b"b"]
    assert db.zrangebylex("z", "-", "[b") == [b"a"]
    assert db.zrevrangebylex("z", "[b", "-") == [b"b", b"d", b"a"]


def test_limit_in_python_needs_both_parts(abc: Any) -> None:
    assert abc.zrangebyscore("z", 0, 9, start=1, num=1) == [b"b"]
    with pytest.raises(DataError, match="offset and num"):
        abc.zrange("z", 0, 9, byscore=True, offset=1)


def test_ranks(abc: Any) -> None:
    assert (abc.zrank("z", "c"), abc.zrevrank("z", "c"), abc.zrank("z", "x")) == (2, 0, None)
    assert abc.zrank("z", "c", withscore=True) == [2, 3.0]
    assert abc.execute("ZREVRANK", "z", "a", "withscore") == [2, 1.0]
    assert abc.zrank("none", "a", withscore=True) is None


# choosing and walking ----------------------------------------------------------------------------


def test_zrandmember(abc: Any) -> None:
    assert abc.zrandmember("none") is None
    assert abc.zrandmember("none", 3) == []
    assert sorted(abc.zrandmember("z", 5, withscores=True)) == [
        (b"a", 1.0), (b"b", 2.0), (b"c", 3.0)
    ]  # fmt: skip
    assert len(set(abc.zrandmember("z", 2))) == 2
    assert len(abc.zrandmember("z", -20)) == 20
    with pytest.raises(ResponseError, match="value is out of range"):
        abc.zrandmember("z", -(2**40))


def test_zscan_walks_through_everything(db: Any) -> None:
    wanted = {b"m%d" % number: float(number) for number in range(500)}
    db.zadd("z", wanted)
    assert dict(db.zscan_iter("z", count=7)) == wanted
    assert [member for member, _ in db.zscan_iter("z", match="m49?")] != []
    cursor, pairs = db.zscan("z", 0, count=7)
    assert (len(pairs), cursor != 0) == (7, True)
    assert db.execute("ZSCAN", "none", 0, "BAD") == [0, []]


# several sets ------------------------------------------------------------------------------------


@pytest.fixture
def several(db: Any) -> Any:
    db.zadd("a", {"x": 1, "y": 2, "z": 3})
    db.zadd("b", {"y": 10, "z": -inf})
    db.sadd("s", "x", "y")
    return db


def test_union_and_intersection(several: Any) -> None:
    assert several.zunion(["a", "b", "s"], withscores=True) == [
        (b"z", -inf), (b"x", 2.0), (b"y", 13.0)
    ]  # fmt: skip
    assert several.zunion(["a", "s"], aggregate="max") == [b"x", b"y", b"z"]
    assert several.zinter(["a", "b"], aggregate="MIN", withscores=True) == [
        (b"z", -inf), (b"y", 2.0)
    ]  # fmt: skip
    assert several.zinter(["a", "none"]) == []


def test_weights_as_a_list_or_a_mapping(several: Any) -> None:
    wanted = [(b"x", 2.0), (b"z", 6.0), (b"y", 34.0)]
    several.zrem("b", "z")
    assert several.zunion({"a": 2, "b": 3}, withscores=True) == wanted
    assert several.zunion(["a", "b"], weights=[2, 3], withscores=True) == wanted
    assert several.execute("ZUNION", 2, "a", "b", "WEIGHTS", 2, 3, "WITHSCORES") == wanted
    with pytest.raises(ResponseError, match="weight value is not a float"):
        several.zunion({"a": "heavy"})
    with pytest.raises(DataError):
        several.zunion({"a": 1}, weights=[1])
    with pytest.raises(ResponseError, match="syntax error"):
        several.zunion(["a", "b"], weights=[1])


def test_weights_of_a_mapping_become_words_again(several: Any) -> None:
    call = (b"d", {b"a": 2.0}), {"aggregate": None, "weights": None}
    assert COMMANDS["ZUNIONSTORE"].format(*call) == [
        b"ZUNIONSTORE",
        b"d",
        b"1",
        b"a",
        b"WEIGHTS",
        b"2.0",
    ]


def test_aggregate_count_sums_the_weights(several: Any) -> None:
    """8.8: scores are ignored, each set that has the member contributes its weight."""
    assert several.zunion(["a", "b", "s"], aggregate="COUNT", withscores=True) == [
        (b"x", 2.0), (b"z", 2.0), (b"y", 3.0)
    ]  # fmt: skip
    assert several.zunionstore("d", {"a": 2, "b": 0.5}, aggregate="count") == 3
    assert several.zmscore("d", "x", "y", "z") == [2.0, 2.5, 2.5]
    assert several.zinter(["a", "b"], aggregate="COUNT", withscores=True) == [
        (b"y", 2.0), (b"z", 2.0)
    ]  # fmt: skip


def test_what_is_no_number_counts_as_zero(several: Any) -> None:
    several.zadd("c", {"z": inf})
    assert several.zunion(["b", "c"], withscores=True) == [(b"z", 0.0), (b"y", 10.0)]
    assert several.zunion({"c": 0}, withscores=True) == [(b"z", 0.0)]
    assert several.zinter(["a", "c"], weights=[1, 0], withscores=True) == [(b"z", 3.0)]
    several.zadd("c", {"k": 1, "l": 2, "m": 3})
    assert several.zinter(["a", "c"], weights=[1, 0], withscores=True) == [(b"z", 0.0)]


def test_difference_and_size_of_the_intersection(several: Any) -> None:
    assert several.zdiff(["a", "s"], withscores=True) == [(b"z", 3.0)]
    assert several.zdiff(["s", "b"], withscores=True) == [(b"x", 1.0)]
    assert several.zdiffstore("d", ["a", "s"]) == 1
    assert (several.zintercard(2, ["a", "s"]), several.zintercard(2, ["a", "s"], 1)) == (2, 1)
    with pytest.raises(ResponseError, match="syntax error"):
        several.zintercard(1, ["a", "s"])


def test_storing_replaces_whatever_was_there(several: Any) -> None:
    several.set("d", "text", ex=100)
    assert (several.zinterstore("d", ["a", "b"]), several.ttl("d")) == (2, -1)
    assert several.zunionstore("a", ["a", "b"]) == 3
    assert (several.zinterstore("d", ["a", "none"]), several.exists("d")) == (0, 0)
    with pytest.raises(WrongTypeError):
        several.execute("SET", "text", "x")
        several.zunionstore("a", ["a", "text"])
    assert several.zcard("a") == 3


def test_zrangestore(abc: Any) -> None:
    assert abc.zrangestore("d", "z", 0, 1, desc=True) == 2
    assert abc.zrange("d", 0, -1, withscores=True) == [(b"b", 2.0), (b"c", 3.0)]
    assert abc.zrangestore("d", "z", 3, 1, byscore=True, desc=True, offset=1, num=1) == 1
    assert abc.zrange("d", 0, -1) == [b"b"]
    assert (abc.zrangestore("d", "none", 0, -1), abc.exists("d")) == (0, 0)
    assert refused(abc, "ZRANGESTORE d z 0 -1 WITHSCORES") == "ERR syntax error"


# cost --------------------------------------------------------------------------------------------


def test_small_answers_from_a_large_set_touch_little_of_it(
    db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No command with a short reply may copy the set, or look at its members one by one."""
    db.zadd("z", {b"m%06d" % number: 0 for number in range(20_000)})
    db.zrank("z", "m000001")
    zset: Any = db.space.values[b"z"]
    passed = []
    real = type(zset.order).__getitem__

    def spy(order: Any, at: Any) -> Any:
        found = real(order, at)
        passed.append(len(found) if isinstance(at, slice) else 1)
        return found

    monkeypatch.setattr(type(zset.order), "__getitem__", spy)
    monkeypatch.setattr(type(zset.order), "__iter__", None)
    monkeypatch.setattr(SortedSet, "__iter__", None)
    db.zrange("z", 10_000, 10_002)
    db.zrange("z", "[m005", "+", bylex=True, offset=0, num=3)
    db.zrange("z", 0, 0, byscore=True, desc=True, offset=100, num=3)
    db.zcount("z", 0, 0), db.zlexcount("z", "[m005", "[m006")
    db.zpopmin("z"), db.zpopmax("z", 2), db.zmpop(1, ["z"], min=True, count=2)
    db.zremrangebyrank("z", 5, 6), db.zremrangebylex("z", "[m0100", "[m01001")
    db.zincrby("z", 1, "m000009"), db.zrem("z", "m000010")
    db.zscan("z", 0), db.zrandmember("z", 5), db.zrandmember("z", -5)
    db.sadd("s", "m000020"), db.zinter(["z", "s"]), db.zintercard(2, ["z", "s"], limit=1)
    assert sum(passed) < 200
