"""Calls that wait: order, timeouts, what wakes them, and that nothing is lost by 10,000 threads."""

from __future__ import annotations

import resource
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import minidis
from minidis import ClosedError, ManualClock, Minidis, ResponseError, WrongTypeError
from tests.calls import Call, blocked, until_waiting

Bytes = Minidis[bytes]


def in_line(db: Bytes, *calls: Callable[[Bytes], Any]) -> list[Call]:
    """Calls of sessions of their own that wait, one after the other."""
    return [blocked(db, lambda call=call: call(db.session())) for call in calls]  # type: ignore[misc]


@contextmanager
def waiting(db: Bytes, *calls: Callable[[Bytes], Any]) -> Iterator[list[Call]]:
    yield in_line(db, *calls)
    assert len(db.engine.waiters) == 0
    assert not db.engine.observed


# order -------------------------------------------------------------------------------------------


def test_first_come_first_served(db: Bytes) -> None:
    with waiting(db, *[lambda s: s.blpop("q")] * 3) as calls:
        assert db.rpush("q", 1, 2) == 2
        assert [call.over() for call in calls[:2]] == [[b"q", b"1"], [b"q", b"2"]]
        assert calls[2].is_alive()
        db.rpush("q", 3, 4)
        assert calls[2].over() == [b"q", b"3"]
        assert db.lrange("q", 0, -1) == [b"4"]


def test_the_whole_push_comes_first(db: Bytes) -> None:
    with waiting(db, lambda s: s.blpop("q")) as (call,):
        db.lpush("q", "a", "b", "c")
        assert call.over() == [b"q", b"c"]


def test_the_first_of_the_own_keys_wins(db: Bytes) -> None:
    with waiting(db, lambda s: s.blpop(["k1", "k2"])) as (call,):
        with db.transaction() as tx:
            tx.lpush("k2", "two")
            tx.lpush("k1", "one")
        assert call.over() == [b"k1", b"one"]


def test_chains(db: Bytes) -> None:
    calls = (
        lambda s: s.blmove("a", "b", 0),
        lambda s: s.blmove("b", "c", 0, "RIGHT", "LEFT"),
        lambda s: s.brpop("c"),
    )
    with waiting(db, *calls) as (first, second, third):
        db.rpush("a", "x")
        assert (first.over(), second.over(), third.over()) == (b"x", b"x", [b"c", b"x"])
    assert db.dbsize() == 0


def test_onto_itself(db: Bytes) -> None:
    with waiting(db, lambda s: s.blmove("a", "a", 0)) as (call,):
        db.rpush("a", 1, 2, 3)
        assert call.over() == b"1"
    assert db.lrange("a", 0, -1) == [b"2", b"3", b"1"]


def test_wrong_target_takes_nothing(db: Bytes) -> None:
    db.set("text", "x")
    with waiting(db, lambda s: s.blmove("a", "text", 0)) as (call,):
        db.rpush("a", 1)
        assert isinstance(call.over(), WrongTypeError)
    assert db.lrange("a", 0, -1) == [b"1"]


def test_another_type_does_not_wake(db: Bytes) -> None:
    with waiting(db, lambda s: s.blpop("k"), lambda s: s.bzpopmin("k")) as (pop, zpop):
        db.set("k", "text")
        db.delete("k")
        db.zadd("k", {"m": 1})
        assert zpop.over() == [b"k", b"m", 1.0]
        assert pop.is_alive()
        db.rpush("k", "e")
        assert pop.over() == [b"k", b"e"]


@pytest.mark.parametrize(
    "wakes",
    [
        "RENAME src q",
        "COPY src q",
        "SORT src STORE q",
        "RESTORE",
        "LMOVE src q LEFT LEFT",
        "SWAPDB 0 1",
        "MOVE",
    ],
)
def test_whatever_makes_the_key_wakes(db: Bytes, wakes: str) -> None:
    db.rpush("src", "1")
    db.session(1).rpush("q", "1")
    with waiting(db, lambda s: s.blpop("q")) as (call,):
        if wakes == "RESTORE":
            db.restore("q", 0, db.dump("src") or b"")
        elif wakes == "MOVE":
            db.session(1).move("q", 0)
        else:
            db.execute(*wakes.split())
        assert call.over() == [b"q", b"1"]


def test_counts_go_to_the_first(db: Bytes) -> None:
    calls = [lambda s: s.blmpop(0, 1, "q", direction="RIGHT", count=2)] * 2
    with waiting(db, *calls) as (first, second):
        db.rpush("q", 1, 2, 3)
        assert (first.over(), second.over()) == ([b"q", [b"3", b"2"]], [b"q", [b"1"]])
    zcalls = [lambda s: s.bzmpop(0, 1, ["z"], max=True, count=2)] * 2
    with waiting(db, *zcalls) as (first, second):
        db.zadd("z", {"a": 1, "b": 2, "c": 3})
        assert first.over() == [b"z", [[b"c", 3.0], [b"b", 2.0]]]
        assert second.over() == [b"z", [[b"a", 1.0]]]


def test_exactly_so_many(db: Bytes) -> None:
    calls = (
        lambda s: s.blmovem("q", "r", 0, exactly=3, ordering="BULK"),
        lambda s: s.blpop("other"),
    )
    with waiting(db, *calls) as (move, pop):
        db.rpush("q", 1, 2)
        assert move.is_alive()
        db.rpush("q", 3)
        assert move.over() == [b"1", b"2", b"3"]
        db.rpush("other", "x")
        pop.over()


def test_what_can_be_had_does_not_wait(db: Bytes) -> None:
    db.rpush("q", 1, 2)
    assert db.blpop(["none", "q"]) == [b"q", b"1"]
    assert db.execute("BRPOP", "q", 0) == [b"q", b"2"]


# time --------------------------------------------------------------------------------------------


def test_timeouts_with_a_moved_clock() -> None:
    clock = ManualClock()
    db = minidis.open(clock=clock)
    with waiting(db, lambda s: s.blpop("q", timeout=5), lambda s: s.blmove("q", "r", 7)) as calls:
        clock.advance(4.999)
        assert all(call.is_alive() for call in calls)
        clock.advance(0.001)
        assert calls[0].over() is None
        assert calls[1].is_alive()
        clock.advance(2)
        assert calls[1].over() is None


def test_timeouts_in_real_time(db: Bytes) -> None:
    began = time.monotonic()
    assert db.blpop("q", timeout=0.02) is None
    assert db.execute("BZPOPMIN", "q", "0.02") is None
    assert 0.04 <= time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("timeout", "sentence"),
    [
        ("-1", "ERR timeout is negative"),
        ("x", "ERR timeout is not a float or out of range"),
        ("inf", "ERR timeout is out of range"),
        ("9999999999999999", "ERR timeout is out of range"),
        ("nan", "ERR timeout is not a float or out of range"),
    ],
)
def test_bad_timeouts(db: Bytes, timeout: str, sentence: str) -> None:
    with pytest.raises(ResponseError) as caught:
        db.execute("BLPOP", "q", timeout)
    assert str(caught.value) == sentence


def test_waiting_costs_nothing(db: Bytes) -> None:
    calls = in_line(db, *[lambda s: s.blpop("q", timeout=30)] * 50)
    before = resource.getrusage(resource.RUSAGE_SELF)
    time.sleep(0.3)
    after = resource.getrusage(resource.RUSAGE_SELF)
    used = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
    db.rpush("q", *range(50))
    assert sorted(int(call.over()[1]) for call in calls) == list(range(50))
    assert used < 0.1


def test_wait_for_replicas_that_do_not_exist(db: Bytes) -> None:
    assert db.execute("WAIT", 0, 0) == 0
    assert db.execute("WAIT", 1, 10) == 0


# endings -----------------------------------------------------------------------------------------


def test_client_unblock(db: Bytes) -> None:
    sessions = [db.session(), db.session()]
    calls = [Call(lambda s=s: s.blpop("q")) for s in sessions]  # type: ignore[misc]
    until_waiting(db, 2)
    first, second = (session.client_id() for session in sessions)
    assert db.client_unblock(first) == 1
    assert db.execute("CLIENT", "UNBLOCK", second, "ERROR") == 1
    assert calls[0].over() is None
    assert str(calls[1].over()) == "UNBLOCKED client unblocked via CLIENT UNBLOCK"
    assert db.client_unblock(first) == 0
    db.rpush("q", 1)
    assert db.llen("q") == 1


def test_closing_ends_waiting() -> None:
    db = minidis.open()
    (call,) = in_line(db, lambda s: s.blpop("q"))
    db.close()
    assert isinstance(call.over(), ClosedError)


def test_pause_and_unpause(db: Bytes) -> None:
    db.client_pause(60_000, all=False)
    assert db.get("a") is None  # reading goes on
    call = Call(lambda: db.session().set("a", 1))
    until_waiting(db, 1)
    db.client_unpause()
    assert call.over() == "OK"
    db.client_pause(60_000)
    calls = [
        Call(lambda: db.session().get("a")),
        Call(lambda: db.session().execute("BLPOP", "q", "0")),
    ]
    until_waiting(db, 2)
    db.client_unpause()
    assert calls[0].over() == b"1"
    until_waiting(db, 1)
    db.rpush("q", 1)
    assert calls[1].over() == [b"q", b"1"]
    assert not db.needs_checks


def test_unblock_does_not_end_the_wait_for_the_end_of_a_pause(db: Bytes) -> None:
    """A server of 7.0 answers twice then, or falls; later ones leave the call alone."""
    db.client_pause(60_000, all=False)
    session = db.session()
    call = Call(lambda: session.set("k", 1))
    until_waiting(db, 1)
    for error in (True, False):
        assert db.client_unblock(session.client.id, error=error) == 0
    db.client_unpause()
    assert call.over() == "OK" and db.get("k") == b"1"


def test_a_pause_ends_by_itself() -> None:
    db = minidis.open()
    db.client_pause(20)
    assert db.set("a", 1) == "OK"
    clock = ManualClock()
    db = minidis.open(clock=clock)
    db.client_pause(1000)
    call = Call(lambda: db.session().set("a", 1))
    until_waiting(db, 1)
    clock.advance(1.001)
    assert call.over() == "OK"


# many --------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_ten_thousand_threads(db: Bytes) -> None:
    """Served, timed out, cancelled: each element is delivered once or still in a list."""
    count, keys = 10_000, ["q0", "q1", "q2"]
    got: list[bytes] = []
    sessions = [db.session() for _ in range(count)]

    def wait(number: int) -> None:
        session = sessions[number]
        kind = number % 4
        mine = [keys[number % 3], keys[(number + 1) % 3]]
        timeout = 0.0005 * (number % 50 + 1) if kind == 0 else 0
        reply = session.blmpop(timeout, 2, *mine, direction="LEFT", count=kind or 1)
        if reply is not None:
            got.extend(reply[1])

    before = threading.stack_size(128 * 1024)
    try:
        threads = [threading.Thread(target=wait, args=(n,), daemon=True) for n in range(count)]
        for number, thread in enumerate(threads):
            thread.start()
            if number % 7 == 0:
                db.rpush(keys[number % 3], number, number + 1, number + 2)
    finally:
        threading.stack_size(before)
    pushed = [b"%d" % (n + more) for n in range(0, count, 7) for more in range(3)]
    for number, session in enumerate(sessions):
        if number % 5 == 0:
            db.execute("CLIENT", "UNBLOCK", session.client_id())
    while any(thread.is_alive() for thread in threads):
        for session in sessions:
            if session.client.waiter is not None:
                db.client_unblock(session.client_id())
        time.sleep(0.01)
    left = [element for key in keys for element in db.lrange(key, 0, -1)]
    assert Counter(got + left) == Counter(pushed)
    assert len(got) > 1000
    assert len(db.engine.waiters) == 0
    assert not db.engine.observed
