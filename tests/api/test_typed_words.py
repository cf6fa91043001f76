"""Typed calls as words: what a monitor sees can be typed, and does the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import minidis

DB = minidis.Minidis[bytes]

CALLS: list[tuple[str, Callable[[Any], object]]] = [
    ("INCR n", lambda db: db.incr("n")),
    ("INCRBY n 5", lambda db: db.incr("n", 5)),
    ("DECRBY n 2", lambda db: db.decr("n", amount=2)),
    ("INCRBYFLOAT n 1.0", lambda db: db.incrbyfloat("n")),
    ("HSET h f 1", lambda db: db.hset("h", "f", 1)),
    ("HSET h x 1 y 2", lambda db: db.hset("h", mapping={"x": 1}, items=["y", 2])),
    ("SET a 1 NX EX 5", lambda db: db.set("a", 1, nx=True, ex=timedelta(seconds=5))),
    ("SET a 1 PX 1500", lambda db: db.set("a", 1, px=timedelta(seconds=1.5))),
    ("PEXPIRE a 1500", lambda db: db.pexpire("a", timedelta(seconds=1.5))),
    (
        "EXPIREAT a 4102444800",
        lambda db: db.expireat("a", datetime(2100, 1, 1, tzinfo=UTC)),
    ),
    ("PSETEX a 1500 v", lambda db: db.psetex("a", timedelta(seconds=1.5), "v")),
    ("ZADD z GT 1 a 2 b", lambda db: db.zadd("z", {"a": 1, "b": 2}, gt=True)),
    ("LPUSH l 1 2 3", lambda db: db.lpush("l", 1, [2, 3])),
    ("ZRANGE z 0 -1 REV WITHSCORES", lambda db: db.zrange("z", 0, -1, True, True)),
    ("XADD s MAXLEN ~ 5 * a 1", lambda db: db.xadd("s", {"a": 1}, maxlen=5)),
    ("BLPOP l 1", lambda db: db.blpop("l", 1)),
    ("SORT l BY nosort GET # ALPHA", lambda db: db.sort("l", by="nosort", get="#", alpha=True)),
]


@pytest.mark.parametrize(("words", "call"), CALLS, ids=[words for words, _ in CALLS])
def test_a_monitor_sees_words(db: DB, words: str, call: Callable[[Any], object]) -> None:
    db.rpush("l", "x", "y")
    with db.monitor() as seen:
        call(db)
        first = seen.get(0)
    assert first is not None
    assert b" ".join(first.words).decode() == words
    other = minidis.open()
    other.rpush("l", "x", "y")
    other.execute(*first.words)
    if not db.exists("s"):  # the ids of two streams differ
        assert other.debug_digest() == db.debug_digest()


def test_refused_calls_are_seen_and_passwords_are_not(db: DB) -> None:
    with db.monitor() as seen:
        db.set("a", "x")
        with pytest.raises(minidis.ResponseError):
            db.incr("a")
        with pytest.raises(minidis.ResponseError):
            db.execute("AUTH", "secret")
        db.config_set("requirepass", "hidden")
        db.get("a")
        found = []
        while (one := seen.get(0)) is not None:
            found.append(b" ".join(one.words))
    assert found == [b"SET a x", b"INCR a", b"AUTH (redacted)", b"GET a"]
