"""Calls that wait, each in a thread of its own; and waiting for what another one is about to do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from minidis import Minidis

#: Nothing takes this long (seconds) unless it is broken, not even on a busy machine.
PATIENCE = 60.0


def eventually(
    condition: Callable[[], object], what: str = "something", patience: float = PATIENCE
) -> None:
    """Wait until it is so; AssertionError if it does not become so within `patience` seconds."""
    until = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < until, f"in vain: {what}"
        time.sleep(0.001)


def until_waiting(db: Minidis[Any], count: int) -> None:
    """Wait until that many calls wait."""
    eventually(lambda: len(db.engine.observers.blocked) == count, f"{count} calls that wait")


class Call(threading.Thread):
    """A call in a thread of its own; over() is what it returned or raised."""

    def __init__(self, call: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self.call = call
        self.reply: Any = None
        self.start()

    def run(self) -> None:
        try:
            self.reply = self.call()
        except Exception as error:
            self.reply = error

    def over(self) -> Any:
        """Wait for its end."""
        self.join(PATIENCE)
        assert not self.is_alive(), "the call still waits"
        return self.reply


def blocked(db: Minidis[Any], call: Callable[[], Any]) -> Call:
    """A call, once it waits."""
    count = len(db.engine.observers.blocked)
    made = Call(call)
    until_waiting(db, count + 1)
    return made
