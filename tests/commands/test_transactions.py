"""Transactions from Python: MULTI on a session, pipelines, blocks, retried functions."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import minidis
from minidis import ManualClock, Minidis, ResponseError, WatchError
from minidis.replies import QUEUED
from tests.calls import blocked

Bytes = Minidis[bytes]


# a session in MULTI ------------------------------------------------------------------------------


def test_words_and_typed_calls_share_a_queue(db: Bytes) -> None:
    db.multi()
    assert db.execute("SET", "a", 1) is QUEUED
    assert db.incr("a") == QUEUED
    assert db.session().get("a") is None
    assert db.exec() == ["OK", 2]
    assert db.get("a") == b"2"


def test_a_wrong_word_aborts(db: Bytes) -> None:
    db.multi()
    with pytest.raises(ResponseError, match="unknown command"):
        db.execute("NOSUCH")
    db.set("a", 1)
    with pytest.raises(ResponseError, match=r"^EXECABORT Transaction discarded"):
        db.exec()
    assert db.get("a") is None
    assert db.client.queue is None


def test_the_argument_count_is_checked_at_once(db: Bytes) -> None:
    db.multi()
    with pytest.raises(ResponseError, match=r"wrong number of arguments for 'config|get'"):
        db.execute("CONFIG", "GET")
    with pytest.raises(ResponseError, match="EXECABORT"):
        db.execute("EXEC")


def test_errors_are_replies_and_nothing_is_rolled_back(db: Bytes) -> None:
    db.multi()
    db.execute("SET", "a", "x")
    db.execute("LPUSH", "a", "y")
    db.execute("SET", "b", "1", "BADOPTION")
    db.execute("SET", "c", "1")
    first, second, third, last = db.exec() or []
    assert (first, last) == ("OK", "OK")
    assert str(second).startswith("WRONGTYPE")
    assert str(third) == "ERR syntax error"
    assert db.get("c") == b"1"


def test_blocking_commands_do_not_wait_in_a_transaction(db: Bytes) -> None:
    db.multi()
    db.blpop("none", timeout=0)
    db.bzpopmin(["none"], timeout=0)
    db.blmove("none", "other", 0)
    assert db.exec() == [None, None, None]


def test_waiters_are_served_after_exec(db: Bytes) -> None:
    call = blocked(db, lambda: db.session().blpop("q", timeout=5))
    with db.transaction() as tx:
        tx.rpush("q", "gone")
        tx.delete("q")
    assert len(db.engine.observers.blocked) == 1
    with db.transaction() as tx:
        tx.rpush("q", "a")
        tx.lpush("q", "first")
    assert call.over() == [b"q", b"first"]
    assert db.lrange("q", 0, -1) == [b"a"]


# blocks ------------------------------------------------------------------------------------------


def test_a_block_runs_at_its_end(db: Bytes) -> None:
    with db.transaction() as tx:
        tx.set("a", 1)
        tx.hset("h", mapping={"x": 1})
        tx.zadd("z", {"m": 1})
        tx.zrange("z", 0, -1, withscores=True)
        assert db.exists("a", "h", "z") == 0
        assert len(tx) == 4
    assert tx.results == ["OK", 1, 1, [(b"m", 1.0)]]


def test_a_block_that_fails_discards(db: Bytes) -> None:
    with pytest.raises(KeyError), db.transaction() as tx:
        tx.set("a", 1)
        raise KeyError
    assert db.get("a") is None
    assert tx.results == []


def test_a_conflict_raises(db: Bytes) -> None:
    with pytest.raises(WatchError), db.transaction(watch=["a"]) as tx:
        db.set("a", "changed")
        tx.set("a", "lost")
    assert db.get("a") == b"changed"
    assert not db.engine.observers.watches


def test_a_refusal_in_a_block(db: Bytes) -> None:
    db.set("s", "x")
    refused = pytest.raises(ResponseError, match=r"^ERR value is not an integer")
    with refused, db.transaction() as tx:
        tx.incr("s")
        tx.set("after", 1)
    assert tx.results[1] == "OK"
    with db.transaction(raise_on_error=False) as tx:
        tx.incr("s")
    assert isinstance(tx.results[0], ResponseError)


def test_str_databases(db: Bytes) -> None:
    text = minidis.open(decode_responses=True)
    with text.transaction() as tx:
        tx.set("a", "ä")
        tx.get("a")
    assert tx.results == ["OK", "ä"]
    assert text.pipeline().set("b", "x").get("b").execute() == ["OK", "x"]  # type: ignore[attr-defined]


def test_another_database(db: Bytes) -> None:
    second = db.session(1)
    with second.transaction() as tx:
        tx.set("a", 1)
    assert (db.exists("a"), second.exists("a")) == (0, 1)


# pipelines ---------------------------------------------------------------------------------------


def test_pipelines_chain(db: Bytes) -> None:
    pipe: Any = db.pipeline()
    assert pipe.set("a", 1).incr("a").get("a").execute() == ["OK", 2, b"2"]
    assert pipe.execute() == []
    assert pipe.execute("SET", "b", 5) is pipe
    assert pipe.execute() == ["OK"]


def test_pipelines_raise_the_first_refusal_after_everything_has_run(db: Bytes) -> None:
    for transaction in (True, False):
        db.flushall()
        pipe: Any = db.pipeline(transaction=transaction)
        with pytest.raises(ResponseError, match=r"^WRONGTYPE") as caught:
            pipe.set("a", 1).lpush("a", 1).incr("a").execute()
        assert caught.value.__notes__ == ["command 2 of 3 in a pipeline"]
        assert db.get("a") == b"2"
        answers = pipe.set("a", "x").incr("a").execute(raise_on_error=False)
        assert answers[0] == "OK"
        assert isinstance(answers[1], ResponseError)


def test_watch_makes_calls_immediate_until_multi(db: Bytes) -> None:
    db.set("n", 5)
    with db.pipeline() as pipe:
        pipe.watch("n")
        number = pipe.get("n")
        assert number == b"5"
        pipe.multi()
        pipe.set("n", int(number) + 1)
        assert pipe.execute() == ["OK"]
        pipe.watch("n")
        pipe.multi()
        pipe.set("n", 0)
        db.set("n", 9)
        with pytest.raises(WatchError):
            pipe.execute()
        pipe.set("after", 1)  # usable again
        assert pipe.execute() == ["OK"]
    assert db.get("n") == b"9"
    assert not db.engine.observers.watches


def test_watch_after_queued_calls_is_refused(db: Bytes) -> None:
    pipe = db.pipeline()
    pipe.set("a", 1)
    with pytest.raises(ResponseError, match="WATCH"):
        pipe.watch("a")


def test_leaving_the_block_forgets(db: Bytes) -> None:
    with db.pipeline() as pipe:
        pipe.set("a", 1)
    assert pipe.execute() == []
    assert db.get("a") is None


def test_bad_python_values_are_refused_when_they_are_queued(db: Bytes) -> None:
    pipe = db.pipeline()
    with pytest.raises(minidis.DataError):
        pipe.set("a", object())  # type: ignore[arg-type]
    assert len(pipe) == 0


# retries -----------------------------------------------------------------------------------------


def test_transact_retries(db: Bytes) -> None:
    db.set("n", 1)
    tries = []

    def double(tx: Any) -> None:
        number = int(tx.get("n"))
        tries.append(number)
        if len(tries) < 3:
            db.incr("n")  # another session
        tx.multi()
        tx.set("n", number * 2)

    assert db.transact(double, "n") == ["OK"]
    assert tries == [1, 2, 3]
    assert db.get("n") == b"6"


def test_an_exception_in_the_function_ends_it(db: Bytes) -> None:
    def broken(tx: Any) -> None:
        tx.multi()
        tx.set("a", 1)
        raise KeyError

    with pytest.raises(KeyError):
        db.transact(broken, "a")
    assert db.get("a") is None
    assert not db.engine.observers.watches


def test_optimistic_locking_from_8_threads_loses_nothing(db: Bytes) -> None:
    def increase(tx: Any) -> None:
        number = int(tx.get("n") or 0)
        tx.multi()
        tx.set("n", number + 1)

    def work() -> None:
        for _ in range(100):
            db.transact(increase, "n")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert db.get("n") == b"800"
    assert not db.engine.observers.watches
    assert not (db.engine.unit.observed or db.engine.unit.interest)


# watching ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("between", "runs"),
    [
        ("SET s same", False),
        ("EXPIRE s 100", False),
        ("HSET h f v", False),
        ("LSET l 0 a", False),
        ("LTRIM l 0 -1", False),
        ("SADD st a", True),
        ("SREM st none", True),
        ("ZADD z 1 a", True),
        ("PERSIST s", True),
        ("LREM l 0 none", True),
        ("SET other x", True),
        ("DEL s h l st z", False),
        ("FLUSHALL", False),
        ("FLUSHDB", False),
        ("SWAPDB 0 1", False),
        ("RENAME s t", False),
    ],
)
def test_what_spoils_a_watch(db: Bytes, between: str, runs: bool) -> None:
    for words in ("SET s same", "HSET h f v", "RPUSH l a b", "SADD st a", "ZADD z 1 a"):
        db.execute(*words.split())
    db.watch("s", "h", "l", "st", "z")
    db.execute(*between.split())
    db.multi()
    assert (db.exec() is not None) == runs


@pytest.mark.parametrize("between", ["FLUSHALL", "FLUSHDB", "SWAPDB 0 1"])
def test_a_key_that_was_not_there_is_not_flushed(db: Bytes, between: str) -> None:
    db.watch("none")
    db.execute(*between.split())
    db.multi()
    assert db.exec() == []


def test_expiry_spoils_a_watch() -> None:
    clock = ManualClock()
    db = minidis.open(clock=clock)
    db.set("k", 1, px=100)
    db.watch("k")
    clock.advance(milliseconds=101)
    db.multi()
    assert db.exec() is None


def test_expiry_that_nobody_has_noticed_spoils_a_watch() -> None:
    clock = ManualClock()
    db = minidis.open(clock=clock)
    db.set("k", 1, px=100)
    db.watch("k")
    clock._us += 101_000  # time passes, and nothing happens yet
    db.multi()
    assert db.exec() is None


def test_what_had_expired_before_it_was_watched_does_not_spoil() -> None:
    for noticed in (False, True):
        clock = ManualClock()
        db = minidis.open(clock=clock)
        db.set("k", 1, px=100)
        clock._us += 101_000
        db.watch("k")
        if noticed:
            db.session().get("k")
        db.multi()
        assert db.exec() == []
        clock._us -= 101_000


def test_watches_of_forgotten_sessions_are_forgotten(db: Bytes) -> None:
    db.session().watch("k")
    db.set("k", 1)
    assert not db.engine.observers.watches


def test_words_in_a_pipeline_without_a_transaction(db: minidis.Minidis[bytes]) -> None:
    """They are parsed when they run; typed calls may stand between them."""
    pipe = db.pipeline(transaction=False)
    pipe.execute("SET", "a", "1", "EX", "10")
    pipe.incr("a")
    pipe.execute("TTL", "a")
    pipe.execute("SET", "a", "1", "NO-SUCH-OPTION")
    ok, number, ttl, error = pipe.execute(raise_on_error=False)
    assert (ok, number, ttl) == ("OK", 2, 10)
    assert "syntax error" in str(error)
    assert db.get("a") == b"2"
