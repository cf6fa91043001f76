"""The expiry thread: it sleeps until the next deadline and lets due keys expire.

It is started with the first deadline, waits on a queue and never polls; a database without
deadlines has no thread. It refers to the engine weakly, so that an engine without sessions goes.

The queue is all that callers and the thread share. Putting something in is one step that needs no
lock: it is safe in a finalizer, and an interruption finds it done or not done.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any
from weakref import WeakMethod

from minidis.keyspace.unit import FOREVER, Unit

#: The wall clock may be set while we wait for a moment of it: look again after this long (seconds).
LONGEST_WAIT = 60.0


class ExpiryThread:
    """Calls `expire_due` soon after each deadline. The engine's lock is held by the caller.

    `expire_due` returns the next deadline, in milliseconds since 1970, or None.
    """

    def __init__(self, unit: Unit, expire_due: Callable[[], int | None]) -> None:
        #: earlier deadlines to wake up at; None to stop
        self._news: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        news: Any = self._news
        self._expire_due = WeakMethod(expire_due, lambda _: news.put(None))
        self._unit = unit
        self._clock = unit.clock
        self.wakes_at(None)
        self._thread: threading.Thread | None = None

    def schedule(self, deadline: int) -> None:
        """Make sure that the thread wakes up once `deadline` (milliseconds) is past."""
        if deadline >= self._unit.wake_at:
            return
        # An interruption may have come before the thread was running.
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="minidis-expire", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:
                return  # the interpreter ends, or no thread is left; look-ups let keys expire
        self._news.put(deadline)
        self._unit.wake_at = deadline

    def wakes_at(self, deadline: int | None) -> None:
        """The thread has been told by expire_due() that this is the next deadline."""
        if self._clock.runs:
            self._unit.wake_at = FOREVER if deadline is None else deadline

    def stop(self) -> None:
        """End the thread; it is not waited for, since it may be the caller."""
        self._news.put(None)

    def _run(self) -> None:
        try:
            while self._wait():
                expire_due = self._expire_due()
                if expire_due is None:
                    return
                following = expire_due()
                del expire_due  # it holds the engine
                if following is not None:
                    self._news.put(following)
        finally:
            self.wakes_at(None)  # the next deadline starts another thread

    def _wait(self) -> bool:
        """Sleep until the next deadline is past; False when stopped."""
        wake_at = FOREVER
        wait: float | None = None
        while wait is None or wait > 0:
            try:
                deadline = self._news.get(timeout=wait)
            except queue.Empty:
                pass
            else:
                if deadline is None:
                    return False
                wake_at = min(wake_at, deadline)
            wait = min((wake_at + 1 - self._clock.now()) / 1000, LONGEST_WAIT)
        return True
