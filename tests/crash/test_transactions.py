"""A transaction of typed calls in the main thread is interrupted: all has happened or nothing.

It runs in the main thread if its keys can be put back (Dispatcher.run_transaction); otherwise, as
any EXEC, in a worker thread, which no interruption reaches.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

import minidis
from minidis.engine.engine import Engine
from tests.crash.test_interrupts import checked, no_collector, prepared, release, state, words_of
from tests.faults import Fault, interrupted

pytestmark = pytest.mark.slow

__all__ = ["no_collector"]

Db = minidis.Minidis[bytes]
Fill = Callable[[Any], Any]

SETUP = [
    "SET a 1 EX 100", "SET n 5", "SET old x EX 50", "SCAN 0",
]  # fmt: skip
#: What is queued, and what there is besides SETUP.
QUEUES: dict[str, tuple[Fill, list[str]]] = {
    "strings and new collections": (
        lambda tx: tx.set("a", 2).incr("n").rpush("l", "x", "y").hset("h", "f", 1)
        .set("b", 1, ex=9).getdel("old").sadd("s", "m").zadd("z", {"m": 1}).lpop("l").incr("n"),
        [],
    ),
    "DEL and EXPIRE": (
        lambda tx: tx.set("a", 2).incr("n").rpush("l", "x").delete("old", "a").expire("n", 70)
        .hset("h", "f", 1).set("b", 1),
        [],
    ),
    "an error in the middle": (
        lambda tx: tx.set("a", "x").incr("a").hset("h", "f", 1).incr("h").set("b", 1),
        [],
    ),
    "a string that changes in place": (
        lambda tx: tx.append("t", "d").setrange("t", 0, "A").incr("n").set("b", 1),
        ["APPEND t a", "APPEND t b", "APPEND t c"],
    ),
    "a collection that exists": (
        lambda tx: tx.rpush("l", "b").set("a", 2).hset("h", "f", 1),
        ["RPUSH l a"],
    ),
    "times of use": (lambda tx: tx.set("a", 2).set("b", 1).getdel("old"), ["OBJECT IDLETIME a"]),
}  # fmt: skip


def opened(more: list[str]) -> Db:
    db = prepared([words_of(line) for line in (*SETUP, *more)])
    # Threads start in a tested way of their own (test_waiting.py).
    db.engine.exec_thread.run(lambda: None)
    return db


def filled(db: Db, fill: Fill) -> Any:
    pipe = db.pipeline()
    fill(pipe)
    return pipe


def acquire_and_release(lock: Any) -> None:
    with lock:
        pass


def nothing_left(db: Db, pipe: Any) -> None:
    """The unit is over, and the lock free for other threads."""
    unit = db.engine.unit
    checked(db)
    assert not (unit.base or unit.undo or unit.events or unit.nested or unit.records)
    assert not (unit.pending or unit.committed)
    assert unit.version is not None or not unit.lock_free_reads
    free = threading.Thread(target=acquire_and_release, args=(unit.lock,), daemon=True)
    free.start()
    free.join(10)
    assert not free.is_alive(), "the lock is still held"
    assert pipe.client.watch is None
    assert pipe.client.queue == [] or len(pipe.client.queue) > 2  # run or reset, or not begun


def outcomes(fill: Fill, more: list[str]) -> list[Any]:
    """The states before and after."""
    db = opened(more)
    states = [state(db)]
    filled(db, fill).execute(raise_on_error=False)
    return [*states, state(db)]


@pytest.mark.parametrize("name", QUEUES)
def test_all_or_nothing(name: str) -> None:
    """At every bytecode."""
    fill, more = QUEUES[name]
    states, seen = outcomes(fill, more), set()
    assert states[0] != states[1]
    at = 0
    while True:
        at += 1
        db = opened(more)
        pipe = filled(db, fill)
        fault = Fault(at)
        if not interrupted(fault, lambda: pipe.execute(raise_on_error=False)):  # noqa: B023
            break
        release(db, fault)
        now = state(db)
        assert now in states, f"torn at bytecode {at} ({fault.instruction} in {fault.function})"
        seen.add(now == states[1])
        nothing_left(db, pipe)
        db.close()
    assert at > 100
    assert seen == {False, True}


@pytest.mark.parametrize("name", ["strings and new collections", "an error in the middle"])
def test_a_second_interrupt_while_putting_back(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fill, more = QUEUES[name]
    states, second, rollback = outcomes(fill, more), Fault(0), Engine.rollback
    places = rolled_back(fill, more)
    assert places

    def interrupted_again(*arguments: Any) -> None:
        if not second.instruction:
            second.begin()
        rollback(*arguments)

    monkeypatch.setattr(Engine, "rollback", interrupted_again)
    for at in places:
        number = -2
        while True:
            number += 3
            db = opened(more)
            pipe = filled(db, fill)
            first, second = Fault(at), Fault(number)
            assert interrupted(first, lambda: pipe.execute(raise_on_error=False))  # noqa: B023
            if not second.instruction:
                break
            release(db, second)
            assert state(db) in states, f"torn at {at} and {number} ({second.instruction})"
            nothing_left(db, pipe)
            db.close()
        assert number > 10


def rolled_back(fill: Fill, more: list[str]) -> list[int]:
    """A few bytecodes of the transaction where it has changed something and is put back."""
    found, at = [], 0
    while True:
        at += 1
        db = opened(more)
        pipe = filled(db, fill)
        fault = Fault(at)
        if not interrupted(fault, lambda: pipe.execute(raise_on_error=False)):  # noqa: B023
            return found[:: max(1, len(found) // 4)]
        if fault.function.startswith(("_plain_set", "put", "incr", "_set_field", "sadd")):
            found.append(at)
        release(db, fault)
        db.close()
