"""The one background thread: it sleeps until the next deadline and lets due keys expire.

It is started with the first deadline, waits on a condition and never polls; a database without
deadlines has no thread. It holds the engine weakly, so that a database nobody refers to goes away.
"""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minidis.engine import Engine

FOREVER = 2**63
#: The wall clock may be set while we wait for a moment of it: look again after this long (seconds).
LONGEST_WAIT = 60.0


class Ticker:
    """Calls engine.expire_due() soon after each deadline."""

    def __init__(self, engine: Engine) -> None:
        self._condition = threading.Condition()
        self._engine = weakref.ref(engine, lambda _: self.stop())
        self._clock = engine.clock
        self._wake_at = FOREVER
        self._thread: threading.Thread | None = None
        self._stopped = False

    def schedule(self, deadline: int) -> None:
        """Make sure somebody wakes up once `deadline` (milliseconds) is past."""
        if deadline >= self._wake_at or self._stopped:
            return
        with self._condition:
            self._wake_at = min(self._wake_at, deadline)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="minidis-expire", daemon=True
                )
                self._thread.start()
            self._condition.notify()

    def stop(self) -> None:
        """End the thread; it is not waited for, since it may be the caller."""
        with self._condition:
            self._stopped = True
            self._condition.notify()

    def _run(self) -> None:
        while self._wait():
            engine = self._engine()
            if engine is None:
                return
            following = engine.expire_due()
            with self._condition:
                if following is not None:
                    self._wake_at = min(self._wake_at, following)
            del engine

    def _wait(self) -> bool:
        """Sleep until the next deadline is past; False when stopped."""
        with self._condition:
            while not self._stopped:
                wait = (self._wake_at + 1 - self._clock.now()) / 1000
                if wait <= 0:
                    self._wake_at = FOREVER
                    return True
                self._condition.wait(None if self._wake_at == FOREVER else min(wait, LONGEST_WAIT))
        return False
