"""Hash commands through the typed API and through words."""

from __future__ import annotations

import re
from typing import Any

import pytest

from minidis import DataError, ResponseError, WrongTypeError


def refused(db: Any, *words: Any) -> str:
    """The message with which the words are refused."""
    with pytest.raises(ResponseError) as caught:
        db.execute(*words)
    return str(caught.value)


def test_hset_takes_fields_in_three_ways(db: Any) -> None:
    assert db.hset("h", "a", 1) == 1
    assert db.hset("h", mapping={"a": 2, "b": 3}) == 1
    assert db.hset("h", items=["c", 4, "d", 5]) == 2
    assert db.hset("h", "e", 6, mapping={"f": 7}, items=["g", 8]) == 3
    assert db.hgetall("h") == {
        b"a": b"2", b"b": b"3", b"c": b"4", b"d": b"5", b"e": b"6", b"f": b"7", b"g": b"8"
    }  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [{}, {"mapping": {}}, {"items": ["a"]}, {"value": 1}, {"items": []}],
)
def test_hset_without_a_pair_is_refused(db: Any, arguments: dict[str, Any]) -> None:
    with pytest.raises(ResponseError, match="wrong number of arguments for 'hset' command"):
        db.hset("h", **arguments)
    assert db.exists("h") == 0


def test_hset_says_that_none_is_no_value(db: Any) -> None:
    with pytest.raises(DataError, match="NoneType"):
        db.hset("h", "a", None)
    assert db.exists("h") == 0


def test_hset_counts_a_field_given_twice_once(db: Any) -> None:
    assert db.execute("HSET", "h", "a", "1", "a", "2") == 1
    assert db.hget("h", "a") == b"2"
    assert refused(db, "HMSET", "h", "a", "1", "b") == (
        "ERR wrong number of arguments for 'hmset' command"
    )


def test_wrong_type(db: Any) -> None:
    db.set("s", "x")
    calls: list[Any] = [
        lambda: db.hset("s", "a", 1),
        lambda: db.hget("s", "a"),
        lambda: db.hdel("s", "a"),
        lambda: db.hincrby("s", "a"),
        lambda: db.hscan("s"),
        lambda: db.hrandfield("s", -(2**40)),
    ]
    for call in calls:
        with pytest.raises(WrongTypeError):
            call()


def test_missing_key(db: Any) -> None:
    assert db.hgetall("k") == {}
    assert db.hkeys("k") == db.hvals("k") == db.hrandfield("k", 3) == []
    assert db.hmget("k", "a", "b") == [None, None]
    assert db.hget("k", "a") is None and db.hrandfield("k") is None
    assert (db.hlen("k"), db.hexists("k", "a"), db.hstrlen("k", "a"), db.hdel("k", "a")) == (
        0, 0, 0, 0
    )  # fmt: skip


def test_hdel_of_the_last_field_deletes_the_key(db: Any) -> None:
    db.hset("h", mapping={"a": 1, "b": 2})
    assert db.hdel("h", "a", "a", "x") == 1
    assert db.hdel("h", ["b"]) == 1
    assert db.exists("h") == 0


def test_hincrby(db: Any) -> None:
    assert db.hincrby("h", "n", 2**63 - 1) == 2**63 - 1
    assert refused(db, "HINCRBY", "h", "n", 1) == "ERR increment or decrement would overflow"
    db.hset("h", "text", " 1")
    assert refused(db, "HINCRBY", "h", "text", 1) == "ERR hash value is not an integer"
    assert db.hget("h", "n") == b"9223372036854775807"


def test_hincrbyfloat_answers_the_text_of_redis(db: Any) -> None:
    db.hset("h", mapping={"n": "10.50", "huge": "1e4932", "inf": "inf", "text": "x"})
    reply = db.hincrbyfloat("h", "n", 0.1)
    assert reply == 10.6 and reply.text == db.hget("h", "n") == b"10.6"
    assert refused(db, "HINCRBYFLOAT", "h", "n", "inf") == "ERR value is NaN or Infinity"
    assert refused(db, "HINCRBYFLOAT", "h", "n", "1e5000") == "ERR value is not a valid float"
    assert refused(db, "HINCRBYFLOAT", "h", "text", "1") == "ERR hash value is not a float"
    for field in ("huge", "inf"):
        assert refused(db, "HINCRBYFLOAT", "h", field, "1e4932") == (
            "ERR increment would produce NaN or Infinity"
        )
    assert len(db.hincrbyfloat("h", "huge", 1).text) == 4933


def test_hrandfield(db: Any) -> None:
    db.hset("h", mapping={str(i): i for i in range(50)})
    assert len(set(db.hrandfield("h", 20))) == 20
    assert len(db.hrandfield("h", 100)) == 50
    assert len(db.hrandfield("h", -100)) == 100
    assert all(field == value for field, value in db.hrandfield("h", -9, withvalues=True))
    limits = f"{1 - 2**63} and {2**63 - 1}"
    assert refused(db, "HRANDFIELD", "h", -(2**63)) == (
        f"ERR value is out of range, value must between {limits}"
    )
    for count in (2**62, -(2**62)):
        assert refused(db, "HRANDFIELD", "h", count, "WITHVALUES") == "ERR value is out of range"
    assert refused(db, "HRANDFIELD", "h", -(2**63) + 1) == "ERR value is out of range"
    assert refused(db, "HRANDFIELD", "h", "x", "y") == (
        "ERR value is not an integer or out of range"
    )


def test_hscan_reads_its_options_last(db: Any) -> None:
    assert db.execute("HSCAN", "k", "0", "FOO") == [0, []]
    assert refused(db, "HSCAN", "k", "x", "FOO") == "ERR invalid cursor"
    db.set("s", "x")
    assert refused(db, "HSCAN", "s", "0", "FOO").startswith("WRONGTYPE")
    db.hset("h", "a", 1)
    assert refused(db, "HSCAN", "h", "0", "COUNT", "0") == "ERR syntax error"
    assert refused(db, "HSCAN", "h", "0", "COUNT", "x", "FOO") == (
        "ERR value is not an integer or out of range"
    )


def test_hscan_walks_a_large_hash_in_steps(db: Any) -> None:
    fields = {b"f%d" % i: b"%d" % i for i in range(2000)}
    db.hset("h", mapping=fields)
    seen: dict[bytes, bytes] = {}
    cursor, steps = 0, 0
    while steps == 0 or cursor != 0:
        cursor, found = db.hscan("h", cursor, count=100)
        seen.update(zip(found[::2], found[1::2], strict=True))
        steps += 1
        db.hdel("h", f"f{steps}")
    assert steps == 20
    assert seen.keys() >= fields.keys() - {b"f%d" % i for i in range(21)}
    assert db.hscan("h", match="f1999", count=5000, no_values=True) == [0, [b"f1999"]]


def test_hscan_gives_a_compact_hash_whole(db: Any) -> None:
    db.hset("h", mapping={f"f{i}": i for i in range(100)})
    cursor, found = db.hscan("h", 7, count=1)
    assert cursor == 0 and len(found) == 200


def test_hgetdel(db: Any) -> None:
    db.hset("h", mapping={"a": 1, "b": 2, "c": 3})
    assert db.hgetdel("h", "a", "x", "a") == [b"1", None, None]
    assert db.execute("HGETDEL", "h", "fields", "2", "b", "c") == [b"2", b"3"]
    assert db.exists("h") == 0
    assert db.hgetdel("h", "a", "b") == [None, None]


def test_hgetdel_says_what_is_wrong_after_the_type(db: Any) -> None:
    differ = "ERR The `numfields` parameter must match the number of arguments"
    assert refused(db, "HGETDEL", "h", "FIELDS", "2", "a") == differ
    assert refused(db, "HGETDEL", "h", "FIELDS", "1", "a", "b") == differ
    for count in ("0", "-1", "x", str(2**63)):
        assert refused(db, "HGETDEL", "h", "FIELDS", count, "a") == (
            "ERR Number of fields must be a positive integer"
        )
    assert refused(db, "HGETDEL", "h", "FOO", "1", "a") == (
        "ERR Mandatory argument FIELDS is missing or not at the right position"
    )
    db.set("s", "x")
    assert refused(db, "HGETDEL", "s", "FOO", "1", "a").startswith("WRONGTYPE")


def test_himport_stores_hashes_of_one_layout(db: Any) -> None:
    assert db.execute("HIMPORT", "PREPARE", "u", "name", "age") == "OK"
    db.hset("k", "old", 1)
    db.expire("k", 100)
    assert db.execute("himport", "set", "k", "u", "ann", "30") == "OK"
    assert db.hgetall("k") == {b"name": b"ann", b"age": b"30"}
    assert db.ttl("k") == -1
    assert db.himport_prepare("u", ["x"]) == "OK"
    assert db.himport_set("k", "u", 1) == "OK"
    assert db.hgetall("k") == {b"x": b"1"}


def test_himport_lists_belong_to_the_session(db: Any) -> None:
    db.himport_prepare("u", "a")
    with pytest.raises(ResponseError, match="no such fieldset"):
        db.session().himport_set("k", "u", 1)
    db.himport_prepare("v", "a", "b")
    assert (db.himport_discard("u"), db.himport_discard("u")) == (1, 0)
    assert (db.himport_discardall(), db.himport_discardall()) == (1, 0)


def test_himport_errors(db: Any) -> None:
    assert refused(db, "HIMPORT", "PREPARE", "u", "a", "b", "a") == (
        "ERR duplicate field name in fieldset"
    )
    db.himport_prepare("u", "a", "b")
    assert refused(db, "HIMPORT", "SET", "k", "nope", "1") == "ERR no such fieldset"
    assert refused(db, "HIMPORT", "SET", "k", "u", "1") == (
        "ERR value count does not match fieldset field count"
    )
    db.set("s", "x")
    assert refused(db, "HIMPORT", "SET", "s", "u", "1", "2").startswith("WRONGTYPE")
    assert re.match("ERR unknown subcommand 'foo'", refused(db, "HIMPORT", "foo"))


def test_the_encoding_follows_the_limits(db: Any) -> None:
    db.hset("h", mapping={f"f{i}": i for i in range(512)})
    assert db.execute("OBJECT", "ENCODING", "h") == b"listpack"
    db.hset("h", "one more", 1)
    assert db.execute("OBJECT", "ENCODING", "h") == b"hashtable"
    db.hincrby("g", "f" * 65)
    assert db.execute("OBJECT", "ENCODING", "g") == b"hashtable"
