"""Where time comes from: the machine's clock, or one that a test moves by hand.

Commands learn the time from here alone. A command sees one frozen moment; the engine asks the clock
at most once for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol
from weakref import WeakSet


class Wakeable(Protocol):
    """What wants to know that a clock has been moved: an engine."""

    def clock_moved(self) -> None:
        """Do what has become due."""


class Clock:
    """The machine's wall clock."""

    #: True when time passes by itself, so that waiting for a moment makes sense.
    runs = True

    def now_us(self) -> int:
        """Microseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1000

    def now(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds of a clock that nobody sets, for timeouts."""
        return time.monotonic()

    def attach(self, engine: Wakeable) -> None:
        """A running clock wakes nobody; engines wait for their deadlines themselves."""


class ManualClock(Clock):
    """A clock that stands still until it is moved; due keys expire while it moves.

    >>> import minidis
    >>> clock = minidis.ManualClock()
    >>> db = minidis.open(clock=clock)
    >>> db.set("ticket", "A1", ex=10)
    OK
    >>> clock.advance(11)
    >>> db.dbsize()
    0
    """

    runs = False

    def __init__(self, seconds: float = 1_700_000_000.0) -> None:
        self._us = round(seconds * 1_000_000)
        self._engines: WeakSet[Wakeable] = WeakSet()
        self._lock = threading.Lock()

    def now_us(self) -> int:
        return self._us

    def now(self) -> int:
        return self._us // 1000

    def monotonic(self) -> float:
        return self._us / 1_000_000

    def attach(self, engine: Wakeable) -> None:
        with self._lock:
            self._engines.add(engine)

    def advance(self, seconds: float = 0, *, milliseconds: float = 0) -> None:
        """Move forward (or back, with negative numbers) and let what is due happen at once."""
        step = round(seconds * 1_000_000) + round(milliseconds * 1000)
        with self._lock:
            self._us += step
            engines = list(self._engines)
        for engine in engines:
            engine.clock_moved()

    def set(self, seconds: float) -> None:
        """Jump to a moment given in seconds since 1970-01-01 UTC."""
        self._us = round(seconds * 1_000_000)
        self.advance()


Progress = Callable[[int, int], None]
