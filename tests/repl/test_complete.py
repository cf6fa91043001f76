"""Completion: a table of candidates on a small data set, and a million keys."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

import pytest

import minidis
from repl.backend import LocalBackend
from repl.complete import MAX_CANDIDATES, candidates

DATA: tuple[tuple[str | bytes | int, ...], ...] = (
    ("SET", "greeting", "hello"),
    ("SET", "two words", "x"),
    ("MSET", "page:1", "a", "page:2", "b"),
    ("HSET", "user:1", "name", "Ann", "city", "Köln", "姓名", "张三"),
    ("ZADD", "rank", 1, "ann", 2, "bob"),
    ("SADD", "colours", "red", "blue"),
    ("RPUSH", "queue", "a", "b"),
    ("SADD", b"\xff", "x"),
)


@pytest.fixture(scope="module")
def backend() -> Iterator[LocalBackend]:
    with minidis.open() as found:
        for words in DATA:
            found.execute(*words)
        yield LocalBackend(found)


@pytest.mark.table("completions.txt")
def test_candidates(backend: LocalBackend, typed: str, expected: str) -> None:
    got = " ".join(one.text for one in candidates(typed, backend))
    if expected.endswith(" ..."):
        assert got.startswith(expected[:-4])
    else:
        assert got == expected


def test_descriptions(backend: LocalBackend) -> None:
    about = {one.text: one.about for one in candidates("DEL ", backend)}
    assert about["rank"] == "zset, 2"
    assert {one.about for one in candidates("ZREM rank a", backend)} == {"1"}
    assert candidates("HGET user:1 ", backend)[-1].about == '"张三"'


def test_start_is_the_beginning_of_the_word(backend: LocalBackend) -> None:
    assert candidates('GET "two w', backend)[0].start == 4


def test_an_expired_key_is_not_offered() -> None:
    clock = minidis.ManualClock()
    with minidis.open(clock=clock) as db:
        db.set("a", 1, ex=10)
        db.space.deadlines[b"a"] = clock.now() - 1
        assert candidates("GET ", LocalBackend(db)) == []


@pytest.mark.slow
def test_a_million_keys_cost_no_time() -> None:
    with minidis.open() as db:
        db.space.values.update((b"key:%d" % number, b"") for number in range(1_000_000))
        for typed in ("GET ", "GET key:99999", "GET nothing", "HGET ", "HGET k", "KEYS k"):
            began = perf_counter()
            found = candidates(typed, LocalBackend(db))
            assert perf_counter() - began < 1.0, typed
            assert len(found) <= MAX_CANDIDATES
        assert len(candidates("GET ", LocalBackend(db))) == MAX_CANDIDATES
