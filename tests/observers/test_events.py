"""What listeners are told: the events of Redis, in its order, on time, and never under the lock."""

from __future__ import annotations

import queue
import threading

import pytest

import minidis
from tests.oracle import events
from tests.oracle.server import RealServer

#: How long the thread that hands out events may take, in seconds; it usually takes microseconds.
PATIENCE = 10

KNOWN = events.expected()


def ours(setup: list[list[bytes]], words: list[bytes]) -> str:
    """The events of the command here, written as in the table."""
    told: queue.SimpleQueue[minidis.Event] = queue.SimpleQueue()
    with minidis.open(clock=minidis.ManualClock()) as db:
        db.engine.randbelow = lambda n: n - 1
        for before in setup:
            db.execute(*before)
        db.listen(told.put)
        db.execute(*words)
        db.set("that is all", 1)
        found = []
        while (event := told.get(timeout=PATIENCE)).key != b"that is all":
            found.append(f"{event.name} {event.key.decode()}")
    return ", ".join(found)


@pytest.mark.parametrize(
    ("line", "setup", "words"),
    [case for case in events.cases() if case[0] in KNOWN],
    ids=[line for line, _, _ in events.cases() if line in KNOWN],
)
def test_the_same_events(line: str, setup: list[list[bytes]], words: list[bytes]) -> None:
    expected = KNOWN[line]
    if words[0] in (b"SPOP", b"DEL", b"UNLINK"):  # which members, or only how many
        assert sorted(ours(setup, words).split(", ")) == sorted(expected.split(", "))
    else:
        assert ours(setup, words) == expected


def test_the_table_is_what_the_server_says(real_server: RealServer) -> None:
    for line, setup, words in events.cases():
        assert events.fired(real_server, setup, words) == KNOWN.get(line)


def test_expired_comes_without_a_touch() -> None:
    told: queue.SimpleQueue[minidis.Event] = queue.SimpleQueue()
    with minidis.open() as db:
        db.listen(told.put)
        db.set("soon", 1, px=20)
        names = [told.get(timeout=PATIENCE).name for _ in range(3)]
    assert names == ["set", "expire", "expired"]


def test_callbacks_do_not_hold_the_lock() -> None:
    seen: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    with minidis.open() as db:

        def callback(event: minidis.Event) -> None:
            asked: list[bytes | None] = []
            asker = threading.Thread(target=lambda: asked.append(db.get("a")))
            asker.start()
            asker.join(PATIENCE)
            seen.put(asked[0] if asked else None)

        db.listen(callback)
        db.set("a", 1)
        assert seen.get(timeout=PATIENCE) == b"1"


def test_stopped_listeners_hear_nothing() -> None:
    told: queue.SimpleQueue[minidis.Event] = queue.SimpleQueue()
    other: queue.SimpleQueue[minidis.Event] = queue.SimpleQueue()
    with minidis.open() as db:
        stop = db.listen(told.put)
        db.listen(other.put)
        stop()
        stop()
        db.set("a", 1)
        assert other.get(timeout=PATIENCE) == minidis.Event(0, "set", b"a")
    assert told.empty()


def test_a_refused_command_fires_nothing() -> None:
    told: queue.SimpleQueue[minidis.Event] = queue.SimpleQueue()
    with minidis.open() as db:
        db.set("a", "text")
        db.listen(told.put)
        with pytest.raises(minidis.ResponseError):
            db.incr("a")
        with pytest.raises(minidis.WrongTypeError):
            db.lpush("a", 1)
        db.delete("a")
        assert told.get(timeout=PATIENCE).name == "del"
