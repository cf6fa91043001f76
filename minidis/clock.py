"""Clocks: the system clock, and a manual one for tests.

This is the only source of time for commands. A command uses one point in time; the engine reads the
clock at most once for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from time import time_ns
from typing import Protocol
from weakref import WeakSet


class Wakeable(Protocol):
    """An object that is notified when a clock is moved: an engine."""

    def clock_moved(self) -> None:
        """Run what has become due."""


class Clock:
    """The system clock."""

    #: Whether time passes by itself, so that waiting for a deadline makes sense.
    runs = True

    def now_us(self) -> int:
        """Return the Unix time in microseconds."""
        return time_ns() // 1000

    def now(self) -> int:
        """Return the Unix time in milliseconds."""
        return time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Return the seconds of a clock that is never set, for timeouts."""
        return time.monotonic()

    def attach(self, engine: Wakeable) -> None:
        """Do nothing: with a running clock, engines wait for their deadlines themselves."""


class ReplayClock(Clock):
    """The clock while a log is replayed: it stands at 0, before every deadline."""

    runs = False

    def now_us(self) -> int:
        return 0

    def now(self) -> int:
        return 0

    def monotonic(self) -> float:
        return 0.0


class ManualClock(Clock):
    """A clock that only moves when told to; due keys expire when it moves.

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
        """Move forward (or back, if negative) and run at once what has become due."""
        step = round(seconds * 1_000_000) + round(milliseconds * 1000)
        with self._lock:
            self._us += step
            engines = list(self._engines)
        for engine in engines:
            engine.clock_moved()

    def set(self, seconds: float) -> None:
        """Set the Unix time in seconds and run at once what has become due."""
        self._us = round(seconds * 1_000_000)
        self.advance()


Progress = Callable[[int, int], None]
