"""Commands for keys of any type, SORT, OBJECT, DUMP and RESTORE."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

import minidis
from minidis import BusyKeyError, DataError, ManualClock, ResponseError, WrongTypeError

Db = minidis.Minidis[bytes]
START = 1_700_000_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def db(clock: ManualClock) -> Iterator[Db]:
    with minidis.open(clock=clock) as opened:
        yield opened
        for space in opened.engine.databases:
            space.check()


# presence ----------------------------------------------------------------------------------------


def test_delete_and_unlink_count_what_was_there(db: Db) -> None:
    db.mset({"a": 1, "b": 2, "c": 3})
    assert (db.delete("a", "a", "x"), db.unlink(["b", "c"]), db.dbsize()) == (1, 2, 0)


def test_exists_counts_repeats_and_touch_uses(db: Db) -> None:
    db.set("a", 1)
    assert (db.exists("a", "a", "b"), db.touch("a", "b")) == (2, 1)


def test_type(db: Db) -> None:
    db.set("s", 1)
    db.rpush("l", 1)
    db.execute("APPEND", "r", "text")
    assert [db.type(key) for key in ("s", "l", "r", "none")] == ["string", "list", "string", "none"]


# moving ------------------------------------------------------------------------------------------


def test_rename_takes_the_expiry_along_and_replaces(db: Db) -> None:
    db.set("a", 1, ex=10)
    db.rpush("b", 1)
    assert db.rename("a", "b") == "OK"
    assert (db.get("b"), db.ttl("b"), db.exists("a")) == (b"1", 10, 0)
    db.set("c", 2)
    db.rename("c", "b")
    assert db.ttl("b") == -1


def test_rename_to_itself_and_of_nothing(db: Db) -> None:
    db.set("a", 1, ex=10)
    assert (db.rename("a", "a"), db.renamenx("a", "a"), db.ttl("a")) == ("OK", 0, 10)
    for name in ("x", "a"):
        with pytest.raises(ResponseError, match="no such key"):
            db.rename("x", name)


def test_a_copy_is_independent(db: Db) -> None:
    db.rpush("l", "a")
    db.append("s", "text")
    db.expire("l", 10)
    assert (db.copy("l", "l2"), db.copy("s", "s2"), db.copy("l", "s2")) == (1, 1, 0)
    db.rpush("l", "b")
    db.append("s", "!")
    assert (db.lrange("l2", 0, -1), db.get("s2"), db.ttl("l2")) == ([b"a"], b"text", 10)
    assert (db.copy("l", "s2", replace=True), db.type("s2"), db.copy("x", "y")) == (1, "list", 0)


def test_copy_to_another_database(db: Db) -> None:
    db.set("a", 1)
    assert (db.copy("a", "a", destination_db=1), db.session(1).get("a")) == (1, b"1")
    with pytest.raises(ResponseError, match="source and destination objects are the same"):
        db.copy("a", "a")
    with pytest.raises(ResponseError, match="DB index is out of range"):
        db.copy("a", "a", destination_db=16)


def test_move(db: Db, clock: ManualClock) -> None:
    db.set("a", 1, ex=10)
    other = db.session(1)
    assert (db.move("a", 1), db.exists("a"), other.ttl("a")) == (1, 0, 10)
    db.set("a", 2)
    assert (db.move("a", 1), db.move("x", 1)) == (0, 0)
    clock.advance(11)
    assert (db.move("a", 1), other.get("a"), other.ttl("a")) == (1, b"2", -1)
    with pytest.raises(ResponseError, match="source and destination objects are the same"):
        db.move("a", 0)


# expiry ------------------------------------------------------------------------------------------


def test_the_four_ways_to_expire(db: Db) -> None:
    db.set("a", 1)
    assert (db.expire("a", 10), db.ttl("a"), db.pttl("a")) == (1, 10, 10_000)
    assert (db.pexpire("a", 1500), db.ttl("a"), db.pttl("a")) == (1, 2, 1500)
    assert (db.expireat("a", START + 5), db.expiretime("a")) == (1, START + 5)
    assert (db.pexpireat("a", START * 1000 + 7), db.pexpiretime("a")) == (1, START * 1000 + 7)
    assert (db.expire("x", 10), db.ttl("x"), db.expiretime("x")) == (0, -2, -2)


def test_python_times(db: Db) -> None:
    db.set("a", 1)
    db.expire("a", timedelta(minutes=1))
    assert db.ttl("a") == 60
    db.pexpire("a", timedelta(seconds=2))
    assert db.pttl("a") == 2000
    db.expireat("a", datetime.fromtimestamp(START + 30, UTC))
    assert db.ttl("a") == 30


@pytest.mark.parametrize(
    ("ttl", "condition", "reply"),
    [
        (None, "nx", 1), (50, "nx", 0), (None, "xx", 0), (50, "xx", 1),
        (None, "gt", 0), (50, "gt", 1), (100, "gt", 0), (200, "gt", 0),
        (None, "lt", 1), (50, "lt", 0), (100, "lt", 0), (200, "lt", 1),
    ],
)  # fmt: skip
def test_conditions(db: Db, ttl: int | None, condition: str, reply: int) -> None:
    db.set("a", 1, ex=ttl)
    assert db.expire("a", 100, **{condition: True}) == reply
    assert db.ttl("a") == (100 if reply else ttl or -1)


def test_conditions_that_do_not_go_together(db: Db) -> None:
    with pytest.raises(ResponseError, match="NX and XX, GT or LT options"):
        db.expire("a", 1, nx=True, gt=True)
    with pytest.raises(ResponseError, match="GT and LT options at the same time"):
        db.execute("EXPIRE", "a", "no number", "gt", "lt")
    with pytest.raises(ResponseError, match="Unsupported option soon"):
        db.execute("EXPIRE", "a", "no number", "nx", "xx", "soon")
    with pytest.raises(ResponseError, match="invalid expire time in 'pexpire' command"):
        db.pexpire("a", 2**63 - 1)


def test_no_time_left_deletes_at_once(db: Db) -> None:
    for command, time in (("EXPIRE", 0), ("PEXPIRE", -5), ("EXPIREAT", START), ("PEXPIREAT", 1)):
        db.set("a", 1)
        assert (db.execute(command, "a", time), db.dbsize()) == (1, 0)


def test_persist(db: Db, clock: ManualClock) -> None:
    db.set("a", 1, ex=10)
    assert (db.persist("a"), db.persist("a"), db.persist("x"), db.ttl("a")) == (1, 0, 0, -1)
    clock.advance(100)
    assert db.get("a") == b"1"


def test_a_key_lives_through_the_millisecond_it_expires_in(db: Db, clock: ManualClock) -> None:
    db.set("a", 1)
    db.pexpire("a", 1)
    clock.advance(milliseconds=1)
    assert (db.exists("a"), db.pttl("a")) == (1, 0)
    clock.advance(milliseconds=1)
    assert (db.exists("a"), db.pttl("a")) == (0, -2)


# all keys ----------------------------------------------------------------------------------------


def test_keys(db: Db) -> None:
    db.mset({"user:1": 1, "user:2": 2, "x": 3})
    assert sorted(db.keys("user:*")) == [b"user:1", b"user:2"]
    assert (len(db.keys()), db.keys("[xy]"), db.keys("nothing")) == (3, [b"x"], [])


def test_scan_finds_all_while_the_database_changes(db: Db) -> None:
    staying = {b"stay:%d" % number for number in range(100)}
    db.mset(dict.fromkeys(staying, 1))
    db.mset({f"go:{number}": 1 for number in range(100)})
    found, cursor = set(), 0
    for step in range(1000):
        cursor, some = db.scan(cursor, count=7)
        found.update(some)
        db.delete(f"go:{step % 100}")
        db.set(f"new:{step}", 1)
        if cursor == 0:
            break
    assert staying <= found


def test_scan_filters(db: Db) -> None:
    db.mset({"a1": 1, "a2": 2, "b": 3})
    db.rpush("a3", 1)
    assert sorted(db.scan(0, match="a*")[1]) == [b"a1", b"a2", b"a3"]
    assert db.scan(0, match="a*", _type="LIST") == [0, [b"a3"]]
    assert db.scan(0, _type="nothing")[1] == []
    assert len(db.scan(0, count=2)[1]) == 2
    for words in ("SCAN x", "SCAN 0 COUNT 0", "SCAN 0 MATCH", "SCAN 0 FOO 1"):
        with pytest.raises(ResponseError):
            db.execute(*words.split())


def test_scan_drops_what_has_expired() -> None:
    clock = minidis.Clock()
    db = minidis.open(clock=clock)
    db.mset({"a": 1, "b": 2})
    db.scan(0)
    db.space.deadlines[b"a"] = 1  # past, but not deleted yet
    assert db.scan(0) == [0, [b"b"]]
    assert db.dbsize() == 1
    db.close()


def test_scan_iter(db: Db) -> None:
    db.mset({f"k{number}": 1 for number in range(35)})
    assert len(set(db.scan_iter())) == 35
    assert set(db.scan_iter(match="k1?", count=3)) == {b"k1%d" % digit for digit in range(10)}
    assert list(db.scan_iter(_type="hash")) == []
    with minidis.open(decode_responses=True) as text:
        text.set("a", 1)
        assert list(text.scan_iter()) == ["a"]


def test_randomkey(db: Db) -> None:
    assert db.randomkey() is None
    db.mset({"a": 1, "b": 2})
    assert {db.randomkey() for _ in range(100)} == {b"a", b"b"}
    db.delete("a")
    assert db.randomkey() == b"b"


# SORT --------------------------------------------------------------------------------------------


def texts(*numbers: object) -> list[bytes]:
    return [str(number).encode() for number in numbers]


def test_sort_numbers_and_text(db: Db) -> None:
    db.rpush("l", 10, 9, -1, "1.5")
    assert db.sort("l") == texts(-1, 1.5, 9, 10)
    assert db.sort("l", desc=True) == texts(10, 9, 1.5, -1)
    assert db.sort("l", alpha=True) == texts(-1, 1.5, 10, 9)
    assert db.sort("l", start=1, num=2) == texts(1.5, 9)
    assert db.sort("l", start=-5, num=-1) == texts(-1, 1.5, 9, 10)
    assert db.sort_ro("missing") == []


def test_sort_by_and_get(db: Db) -> None:
    db.rpush("l", "a", "b", "c")
    db.mset({"w_a": 3, "w_b": 1, "n_a": "Ann", "n_b": "Bob"})
    assert db.sort("l", by="w_*") == texts("c", "b", "a")
    assert db.sort("l", by="w_*", get=["#", "n_*"]) == [b"c", None, b"b", b"Bob", b"a", b"Ann"]
    assert db.sort("l", by="nosort", desc=True, start=0, num=2) == texts("c", "b")
    assert db.sort("l", by="nosort", get="no star") == [None] * 3


def test_sort_store(db: Db) -> None:
    db.rpush("l", 3, 1, 2)
    db.set("d", "old", ex=10)
    assert (db.sort("l", store="d"), db.lrange("d", 0, -1), db.ttl("d")) == (3, texts(1, 2, 3), -1)
    assert db.sort("l", get="nothing_*", store="d") == 3
    assert db.lrange("d", 0, -1) == [b""] * 3
    assert (db.sort("missing", store="d"), db.exists("d")) == (0, 0)


def test_sort_options_as_words(db: Db) -> None:
    db.rpush("l", 1, 2)
    assert db.execute("SORT", "l", "ASC", "DESC") == texts(2, 1)
    assert db.execute("SORT", "l", "DESC", "ASC") == texts(1, 2)
    with pytest.raises(ResponseError, match="syntax error"):
        db.execute("SORT_RO", "l", "STORE", "d")
    with pytest.raises(ResponseError, match="not an integer"):
        db.execute("SORT", "l", "LIMIT", "x", "1")


def test_sort_refuses(db: Db) -> None:
    db.rpush("l", "x", "1")
    db.set("s", 1)
    with pytest.raises(ResponseError, match="can't be converted into double"):
        db.sort("l", store="l")
    with pytest.raises(WrongTypeError):
        db.sort("s")
    with pytest.raises(DataError):
        db.sort("l", start=1)
    assert db.lrange("l", 0, -1) == texts("x", 1)


# OBJECT ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "encoding"),
    [
        ("12", b"int"), ("-9223372036854775808", b"int"), ("9223372036854775808", b"embstr"),
        ("007", b"embstr"), ("", b"embstr"), ("x" * 44, b"embstr"), ("x" * 45, b"raw"),
    ],
)  # fmt: skip
def test_encoding_of_strings(db: Db, value: str, encoding: bytes) -> None:
    db.set("s", value)
    assert db.object_encoding("s") == encoding


def test_encoding_of_changed_strings(db: Db) -> None:
    db.append("grown", "x")
    db.append("grown", "y")
    db.incrbyfloat("sum", "3.0")
    db.incr("count")
    assert [db.object_encoding(key) for key in ("grown", "sum", "count", "x")] == [
        b"raw", b"embstr", b"int", None,
    ]  # fmt: skip


def test_refcount(db: Db) -> None:
    db.mset({"a": 9999, "b": 10000, "c": -1})
    assert [db.object_refcount(key) for key in "abcx"] == [2147483647, 1, 1, None]


def test_idletime(db: Db, clock: ManualClock) -> None:
    db.mset({"a": 1, "b": 2})
    assert db.object_idletime("a") == 0
    clock.advance(10)
    db.get("a")
    db.ttl("b")  # looking from outside is no use
    db.set("c", 3)
    assert [db.object_idletime(key) for key in "abcx"] == [0, 10, 0, None]
    db.expire("b", 100)
    assert db.object_idletime("b") == 0


def test_freq_needs_a_policy(db: Db) -> None:
    assert db.object_freq("x") is None
    db.set("a", 1)
    with pytest.raises(ResponseError, match="An LFU maxmemory policy is not selected"):
        db.object_freq("a")


def test_object_has_help_and_nothing_unknown(db: Db) -> None:
    assert "ENCODING <key>" in db.object_help()
    with pytest.raises(ResponseError, match="unknown subcommand 'foo'"):
        db.execute("OBJECT", "foo", "a")


# DUMP and RESTORE --------------------------------------------------------------------------------


def test_restore_gives_back_what_dump_took(db: Db) -> None:
    db.set("s", "text")
    db.rpush("l", 1, "two")
    for key in ("s", "l"):
        payload = db.dump(key)
        assert payload is not None
        assert db.restore("copy", 0, payload, replace=True) == "OK"
        assert db.dump("copy") == payload
    assert db.dump("missing") is None


def test_restore_sets_the_expiry(db: Db) -> None:
    db.set("a", 1)
    payload = db.dump("a") or b""
    db.restore("b", 5000, payload)
    db.restore("c", (START + 7) * 1000, payload, absttl=True)
    assert (db.ttl("b"), db.ttl("c")) == (5, 7)
    db.restore("b", 0, payload, replace=True)
    assert db.ttl("b") == -1
    db.restore("b", 1, payload, replace=True, absttl=True)  # long past
    assert db.exists("b") == 0
    db.restore("c", 2**63 - 1, payload, replace=True)  # the moment has no 64 bits
    assert db.pexpiretime("c") == 2**63 - 1


def test_restore_sets_the_idle_time(db: Db) -> None:
    db.set("a", 1)
    db.restore("b", 0, db.dump("a") or b"", idletime=100)
    assert db.object_idletime("b") == 100


def test_restore_refuses_in_this_order(db: Db) -> None:
    db.set("a", 1)
    payload = db.dump("a") or b""
    for words, message in [
        (("a", "x", "damaged", "FOO"), "syntax error"),
        (("b", "x", "damaged", "IDLETIME", "-1"), "Invalid IDLETIME value, must be >= 0"),
        (("b", "x", "damaged", "FREQ", "256"), "Invalid FREQ value, must be >= 0 and <= 255"),
        (("a", "x", "damaged", "FREQ", "1", "IDLETIME", "1"), "syntax error"),
        (("a", "x", "damaged"), "BUSYKEY"),
        (("b", "x", "damaged"), "not an integer"),
        (("b", "-1", "damaged"), "Invalid TTL value, must be >= 0"),
        (("b", "0", "damaged"), "DUMP payload version or checksum are wrong"),
    ]:
        with pytest.raises(ResponseError, match=message):
            db.execute("RESTORE", *words)
    with pytest.raises(BusyKeyError):
        db.restore("a", 0, payload)
    assert db.exists("b") == 0
