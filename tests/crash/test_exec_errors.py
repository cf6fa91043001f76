"""EXEC in which something breaks that is no refusal: memory, recursion, the end of a thread."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

import minidis
from minidis.api.session import Session
from minidis.keyspace.keyspace import Keyspace
from tests.crash.test_interrupts import no_collector, release
from tests.crash.test_waiting import waiting
from tests.faults import Strike

__all__ = ["no_collector"]

#: What is struck changes its key in more than one step.
QUEUE = [
    "SET w 1", "LPOP l", "RPUSH q a", "SPOP s", "ZREM z a", "LMOVE m m2 LEFT RIGHT", "SET x 1"
]  # fmt: skip
STRUCK = ("LPOP", "SPOP", "ZREM", "LMOVE")
FILL = [
    "RPUSH l 1", "SADD s a b c", "SPOP s", "ZADD z 1 a 2 b", "ZRANK z b", "RPUSH m 1",
    "EXPIRE m 1000", "RANDOMKEY",
]  # fmt: skip


def prepared() -> minidis.Minidis[bytes]:
    db = minidis.open(clock=minidis.ManualClock(), databases=2)
    for words in FILL:
        db.execute(*words.split())
    db.multi()
    for words in QUEUE:
        db.execute(*words.split())
    return db


def test_what_has_run_is_told_when_exec_breaks_off(monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(self: Keyspace, key: Any) -> bool:
        raise SystemExit

    db = prepared()
    watching = db.session()
    watching.watch("w")
    waiter = waiting(db, "BLPOP", "q", "0")
    monkeypatch.setattr(Keyspace, "remove", leave)
    db.client.queue[1], db.client.queue[2] = db.client.queue[2], db.client.queue[1]  # type: ignore[index]
    with pytest.raises(SystemExit):
        db.exec()
    monkeypatch.undo()
    watching.multi()
    assert watching.exec() is None
    assert waiter.done
    assert db.lrange("l", 0, -1) == [b"1"]
    assert db.exists("w", "l", "q", "z", "m", "x") == 4
    assert not db.engine.unit.nested
    for space in db.engine.databases:
        space.check()


class Failure(Strike):
    """A strike that raises something else."""

    error = MemoryError


@pytest.mark.parametrize("error", [MemoryError, SystemExit])
def test_a_queued_command_breaks_at_any_bytecode(
    monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    """At every third; the queue runs where it can be struck."""
    run = Session._run_queued
    strike: Any = None

    def struck(self: Any, queued: Any) -> Any:
        if queued.command.name not in STRUCK:
            return run(self, queued)
        before = strike.begin()
        try:
            return run(self, queued)
        finally:
            strike.end(before)

    monkeypatch.setattr(Session, "_run_queued", struck)
    monkeypatch.setattr(Failure, "error", error)
    at = 1
    while True:
        at += 3
        db = prepared()
        db.engine.exec_thread.stop()
        watching = db.session()
        watching.watch("w")
        strike = Failure(at)
        with contextlib.suppress(error):
            db.exec()
        if not strike.struck:
            break
        release(db, strike)
        assert watching.client.watch is not None
        assert watching.client.watch.dirty
        for space in db.engine.databases:
            space.check()
        assert (db.llen("m"), db.llen("m2")) in ((1, 0), (0, 1))
        assert not (db.engine.unit.undo or db.engine.unit.events or db.engine.unit.nested)
    assert at > 500
