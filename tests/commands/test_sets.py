"""Set commands through the typed API and through words."""

from __future__ import annotations

from typing import Any

import pytest

from minidis import ResponseError, WrongTypeError


def refused(db: Any, *words: Any) -> str:
    """The message with which the words are refused."""
    with pytest.raises(ResponseError) as caught:
        db.execute(*words)
    return str(caught.value)


def test_sadd_and_srem(db: Any) -> None:
    assert db.sadd("s", "a", "b", "a") == 2
    assert db.sadd("s", ["b", "c"]) == 1
    assert db.smembers("s") == {b"a", b"b", b"c"}
    assert db.srem("s", "a", "x", "a") == 1
    assert db.srem("s", "b", "c") == 2
    assert db.exists("s") == 0


def test_no_members_are_refused(db: Any) -> None:
    with pytest.raises(ResponseError, match="wrong number of arguments for 'sadd' command"):
        db.sadd("s")
    with pytest.raises(ResponseError, match="wrong number of arguments for 'sinter' command"):
        db.sinter([])
    assert db.exists("s") == 0


def test_a_set_of_integers_is_an_intset(db: Any) -> None:
    db.sadd("s", *range(512))
    assert db.execute("OBJECT", "ENCODING", "s") == b"intset"
    db.sadd("s", 512)
    assert db.execute("OBJECT", "ENCODING", "s") == b"hashtable"
    db.sinterstore("few", "s", "s")
    assert db.execute("OBJECT", "ENCODING", "few") == b"hashtable"
    db.sadd("t", 1, 2)
    db.sunionstore("u", "t")
    assert db.execute("OBJECT", "ENCODING", "u") == b"intset"


def test_wrong_type_of_any_key(db: Any) -> None:
    db.set("text", "x")
    db.sadd("s", "a")
    calls: list[Any] = [
        lambda: db.sadd("text", 1),
        lambda: db.sinter("missing", "text"),
        lambda: db.sunion("s", "text"),
        lambda: db.sdiffstore("s", "missing", "text"),
        lambda: db.smove("s", "text", "not there"),
        lambda: db.spop("text", 0),
        lambda: db.sintercard(2, ["s", "text"]),
    ]
    for call in calls:
        with pytest.raises(WrongTypeError):
            call()
    assert db.smove("missing", "text", "a") == 0
    assert db.smembers("s") == {b"a"}


def test_smove(db: Any) -> None:
    db.sadd("a", 1, 2)
    db.sadd("b", 2)
    assert db.smove("a", "b", 2) == 1
    assert db.smove("a", "c", 1) == 1
    assert (db.exists("a"), db.smembers("b"), db.smembers("c")) == (0, {b"2"}, {b"1"})
    assert (db.smove("c", "c", 1), db.smove("c", "c", 9)) == (1, 0)


def test_questions(db: Any) -> None:
    db.sadd("s", "a", "b")
    assert (db.sismember("s", "a"), db.sismember("s", "x"), db.sismember("k", "a")) == (1, 0, 0)
    assert db.smismember("s", "a", "x") == [1, 0] and db.smismember("k", "a") == [0]
    assert (db.scard("s"), db.scard("k"), db.smembers("k")) == (2, 0, set())


def test_spop(db: Any) -> None:
    db.sadd("s", *range(100))
    popped = {db.spop("s") for _ in range(10)} | db.spop("s", 40)
    assert len(popped) == 50 and not popped & db.smembers("s")
    assert len(db.spop("s", 1000)) == 50 and db.exists("s") == 0
    assert db.spop("s") is None and db.spop("s", 1) == set()
    message = "ERR value is out of range, must be positive"
    assert refused(db, "SPOP", "s", -1) == refused(db, "SPOP", "s", "x") == message
    assert refused(db, "SPOP", "s", "x", "y") == "ERR syntax error"


def test_srandmember(db: Any) -> None:
    db.sadd("s", *range(50))
    assert len(set(db.srandmember("s", 20))) == 20
    assert (len(db.srandmember("s", 99)), len(db.srandmember("s", -99))) == (50, 99)
    assert db.srandmember("s", number=0) == db.srandmember("k", 5) == []
    assert db.srandmember("k") is None
    assert refused(db, "SRANDMEMBER", "s", "x", "y") == "ERR syntax error"
    assert refused(db, "SRANDMEMBER", "s", -(2**63)).startswith(
        "ERR value is out of range, value must between"
    )
    assert refused(db, "SRANDMEMBER", "s", -(2**40)) == "ERR value is out of range"


def test_sscan_walks_a_large_set_in_steps(db: Any) -> None:
    members = {b"m%d" % i for i in range(1000)}
    db.sadd("s", *members)
    cursor, seen, steps = 0, set(), 0
    while steps == 0 or cursor != 0:
        cursor, found = db.sscan("s", cursor, count=50)
        seen |= set(found)
        steps += 1
        db.sadd("s", f"new{steps}")
    assert seen >= members and steps == 20
    assert db.execute("SSCAN", "missing", "0", "FOO") == [0, []]
    assert refused(db, "SSCAN", "s", "0", "FOO") == "ERR syntax error"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("sunion", {"1", "2", "3", "4"}), ("sinter", {"2"}), ("sdiff", {"1"})],
)
def test_algebra_and_its_stores(db: Any, name: str, expected: set[str]) -> None:
    db.sadd("a", 1, 2)
    db.sadd("b", 2, 3)
    db.sadd("c", 2, 3, 4)
    wanted = {text.encode() for text in expected}
    assert getattr(db, name)("a", "b", "c") == wanted
    db.set("a2", "text")
    for destination in ("new", "a2", "b"):
        db.expire(destination, 100)
        assert getattr(db, name + "store")(destination, "a", ["b", "c"]) == len(wanted)
        assert db.smembers(destination) == wanted and db.ttl(destination) == -1
        db.delete("b")
        db.sadd("b", 2, 3)


def test_an_empty_result_deletes_the_destination(db: Any) -> None:
    db.sadd("a", 1)
    db.set("text", "x")
    assert db.sinterstore("text", "a", "missing") == 0
    assert db.sdiffstore("a", "a", "a") == 0
    assert db.exists("text", "a") == 0


def test_sizes_of_results(db: Any) -> None:
    db.sadd("a", *range(10))
    db.sadd("b", *range(5, 15))
    keys = ["a", "b"]
    assert [db.sintercard(2, keys, limit) for limit in (0, 3, 99)] == [5, 3, 5]
    assert [db.sunioncard(2, keys, limit) for limit in (0, 3, 12, 99)] == [15, 3, 12, 15]
    assert [db.sdiffcard(2, keys, limit) for limit in (0, 3, 99)] == [5, 3, 5]
    assert db.sunioncard(2, keys, approx=True) == 15
    assert db.execute("SUNIONCARD", "2", "a", "b", "LIMIT", "4", "APPROX") == 4
    assert db.sdiffcard(2, ["missing", "a"]) == 0


@pytest.mark.parametrize("name", ["SINTERCARD", "SUNIONCARD", "SDIFFCARD"])
def test_refusals_of_the_sizes(db: Any, name: str) -> None:
    db.set("text", "x")
    assert refused(db, name, "0", "a") == "ERR numkeys should be greater than 0"
    assert refused(db, name, "x", "a") == "ERR numkeys should be greater than 0"
    assert refused(db, name, "3", "a", "b") == (
        "ERR Number of keys can't be greater than number of args"
    )
    assert refused(db, name, "1", "text", "LIMIT") == "ERR syntax error"
    assert refused(db, name, "1", "text", "LIMIT", "x") == "ERR LIMIT can't be negative"
    assert refused(db, name, "1", "text", "LIMIT", "1").startswith("WRONGTYPE")
    with pytest.raises(ResponseError, match="greater than number of args"):
        getattr(db, name.lower())(3, ["a"])
    with pytest.raises(ResponseError, match="syntax error"):
        getattr(db, name.lower())(1, ["a", "b"])


def test_an_intersection_costs_as_much_as_its_smallest_set(db: Any) -> None:
    db.sadd("large", *range(100_000))
    db.sadd("larger", *range(100_000))
    db.sadd("small", 1)
    large: Any = db.space.values[b"large"]
    assert db.sinter("large", "larger", "small") == {b"1"}
    # A pop builds the index once and then touches a handful of entries.
    db.spop("large")
    index = large.index
    db.spop("large", 5)
    assert large.index is index and len(index) == len(large) == 99_994
