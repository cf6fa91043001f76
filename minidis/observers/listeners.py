"""Python callbacks for changes of keys: db.listen(callback).

commit ──> queue ──> a thread of its own ──> callback(Event(...)), in the order of the changes
"""

import itertools
import queue
import threading
import weakref
from collections.abc import Callable
from typing import NamedTuple

from minidis.errors import call_safely
from minidis.keyspace.unit import UNNAMED, KeyEvent
from minidis.observers.batch import NO_CHANGES, Batch, Observer


class Event(NamedTuple):
    """Something happened to a key: `Event(0, "expired", b"session:1")`."""

    database: int
    name: str
    key: bytes


Callback = Callable[[Event], object]
#: What one command has done; None ends the thread.
EventQueue = queue.SimpleQueue[list[KeyEvent] | None]


class Listeners(Observer):
    """The callbacks of an engine. The engine's lock is held by the caller."""

    def __init__(self) -> None:
        self._callbacks: list[Callback] = []
        self._queue: EventQueue | None = None

    def __bool__(self) -> bool:
        return bool(self._callbacks)

    def __len__(self) -> int:
        return len(self._callbacks)

    def add(self, callback: Callback) -> None:
        """Call back for every event from now on."""
        if self._queue is None:
            self._queue = self._start()
        self._callbacks.append(callback)

    def remove(self, callback: Callback) -> None:
        """The counterpart of add(); twice is harmless."""
        if callback in self._callbacks:
            self._callbacks.remove(callback)

    def command_committed(self, batch: Batch) -> None:
        if self._queue is not None and self._callbacks:
            self._queue.put(
                [
                    event
                    for event in batch.events
                    if event[1] not in UNNAMED and event[1] not in NO_CHANGES
                ]
            )

    def close(self) -> None:
        """End the thread when it has delivered what there is."""
        if self._queue is not None:
            self._queue.put(None)

    def _start(self) -> EventQueue:
        events: EventQueue = queue.SimpleQueue()
        threading.Thread(
            target=_deliver, args=(events, self._callbacks), name="minidis-events", daemon=True
        ).start()
        weakref.finalize(self, events.put, None).atexit = False
        return events


def _deliver(events: EventQueue, callbacks: list[Callback]) -> None:
    """Call the callbacks, never under the lock; one that raises is reported."""
    while (batch := events.get()) is not None:
        for event in itertools.starmap(Event, batch):
            for callback in list(callbacks):
                call_safely(callback, event)
