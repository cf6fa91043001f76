"""What a type checker says of usual calls. mypy reads this file, pytest runs it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, assert_type

import minidis
from minidis import Minidis, Status


def test_bytes(db: Minidis[bytes]) -> None:
    fields: dict[str, str] = {"name": "Ann"}
    scores: dict[bytes, int] = {b"ann": 3, b"bob": 5}
    db.hset("h", mapping=fields)
    db.rpush("l", *["a", "b", "c"])
    db.sadd("s", ["x", "y"])
    db.zadd("z", scores)
    assert_type(db.set("k", 1, ex=60), Status | bytes | None)
    assert_type(db.get("k"), bytes | None)
    assert_type(db.mget(["k", "j"]), list[bytes | None])
    assert_type(db.hgetall("h"), dict[bytes, bytes])
    assert_type(db.hrandfield("h", 1, withvalues=True), list[tuple[bytes, bytes]])
    assert_type(db.hscan_iter("h"), Iterator[tuple[bytes, bytes]])
    assert_type(db.lpop("l"), bytes | None)
    assert_type(db.lpop("l", 1), list[bytes] | None)
    assert_type(db.lpos("l", "c"), int | None)
    assert_type(db.lpos("l", "c", count=0), list[int])
    assert_type(db.spop("s"), bytes | None)
    assert_type(db.srandmember("s", 2), list[bytes])
    assert_type(db.smembers("s"), set[bytes])
    assert_type(db.zrange("z", 0, -1), list[bytes])
    assert_type(db.zrange("z", 0, -1, withscores=True), list[tuple[bytes, float]])
    assert_type(db.zrangebyscore("z", "-inf", 4), list[bytes])
    assert_type(db.zrank("z", "ann"), int | None)
    assert_type(db.zpopmin("z", 1), list[tuple[bytes, float]])
    assert_type(db.execute("GET", "k"), Any)


def test_text() -> None:
    with minidis.open(decode_responses=True, clock=minidis.ManualClock()) as db:
        assert_type(db, Minidis[str])
        db.zadd("z", {"ann": 3})
        assert [key.upper() for key in db.scan_iter()] == ["Z"]
        assert [(name, score + 1) for name, score in db.zscan_iter("z")] == [("ann", 4)]
        assert_type(db.session(1), Minidis[str])


def test_what_is_known_at_run_time_only(flag: bool = True) -> None:
    with minidis.open(decode_responses=flag) as db:
        assert_type(db, Minidis[Any])
        assert_type(db.zrange("z", 0, -1, withscores=flag), list[Any])
        assert_type(db.zrank("z", "ann", flag), int | list[Any] | None)
