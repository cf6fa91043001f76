"""EXEC in which an unexpected exception occurs: memory, recursion, the end of a thread."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

import minidis
from minidis.api.session import Session
from minidis.keyspace.keyspace import Keyspace
from tests.crash.test_interrupts import no_collector, release
from tests.crash.test_waiting import waiting
from tests.faults import Fault

pytestmark = pytest.mark.slow

__all__ = ["no_collector"]

#: The errors are raised in these; each changes its key in more than one step.
QUEUE = [
    "SET w 1", "LPOP l", "RPUSH q a", "SPOP s", "ZREM z a", "LMOVE m m2 LEFT RIGHT", "SET x 1"
]  # fmt: skip
FAULTY = ("LPOP", "SPOP", "ZREM", "LMOVE")
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
    call = waiting(db, "BLPOP", "q", "0")
    monkeypatch.setattr(Keyspace, "remove", leave)
    db.client.queue[1], db.client.queue[2] = db.client.queue[2], db.client.queue[1]  # type: ignore[index]
    with pytest.raises(SystemExit):
        db.exec()
    monkeypatch.undo()
    watching.multi()
    assert watching.exec() is None
    assert call.done
    assert db.lrange("l", 0, -1) == [b"1"]
    assert db.exists("w", "l", "q", "z", "m", "x") == 4
    assert not db.engine.unit.nested
    for space in db.engine.databases:
        space.check()


class Failure(Fault):
    """A fault that raises another error."""

    error = MemoryError


@pytest.mark.parametrize("monitored", [False, True])
@pytest.mark.parametrize("error", [MemoryError, SystemExit])
def test_a_queued_command_breaks_at_any_bytecode(
    monkeypatch: pytest.MonkeyPatch, error: type[BaseException], monitored: bool
) -> None:
    """At every third; the queue runs in this thread, where faults are injected."""
    run = Session.run_queue
    fault: Any = None

    def run_with_fault(self: Any, calls: Any) -> Any:
        before = fault.begin()
        try:
            return run(self, calls)
        finally:
            fault.end(before)

    monkeypatch.setattr(Session, "run_queue", run_with_fault)
    monkeypatch.setattr(Failure, "error", error)
    at = 1
    while True:
        at += 3
        db = prepared()
        db.engine.exec_thread.stop()
        watching = db.session()
        watching.watch("w")
        monitor = db.monitor() if monitored else contextlib.nullcontext()
        fault = Failure(at)
        with monitor, contextlib.suppress(error):
            db.exec()
        if not fault.instruction:
            break
        release(db, fault)
        assert watching.client.watch is not None
        assert watching.client.watch.dirty or not db.exists("w")
        for space in db.engine.databases:
            space.check()
        assert (db.llen("m"), db.llen("m2")) in ((1, 0), (0, 1))
        assert not (db.engine.unit.undo or db.engine.unit.events or db.engine.unit.nested)
    assert at > 500
