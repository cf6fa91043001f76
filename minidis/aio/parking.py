"""How a coroutine waits: its call answers the blocked, and the coroutine awaits a future.

    await db.blpop("q")
        session.blpop("q")       the door of the sync class, on the thread of the loop
            sleep(blocked)        nothing there yet: answers the blocked, nobody sleeps
        reply_of(blocked)        awaits a future. It is woken
                                   when somebody serves the blocked, from whatever thread
                                   at the deadline, by a timer of the loop
                                   when it is cancelled; what had been taken for it goes back
        session.resume(blocked)   the answer, or another blocked after a pause

No thread and no polling: without a timeout, a call that waits is a future and a place in a queue.
"""

from __future__ import annotations

import asyncio
from typing import Any

from minidis.api.database import Minidis, MinidisText
from minidis.api.pipeline import Pipeline, PipelineText
from minidis.api.session import Session
from minidis.clients.blocked import BlockedCall
from minidis.commands.shared.group import T
from minidis.replies import decoded

#: Longest timer (seconds). Loops differ in what they can take; a timer that is early is set again.
_LONGEST = 86_400.0


class _Parks:
    """A session whose calls answer the blocked when they have to wait."""

    def sleep(self, blocked: BlockedCall) -> Any:
        return blocked


class ParkingSession(_Parks, Minidis[T]):
    """What is inside of an AsyncMinidis."""


class ParkingSessionText(_Parks, MinidisText):
    """The same with str for bulk strings."""


class ParkingPipeline(_Parks, Pipeline[T]):
    """What is inside of an AsyncPipeline."""


class ParkingPipelineText(_Parks, PipelineText):
    """The same with str for bulk strings."""


class Bell:
    """Wakes one coroutine, again and again, from any thread."""

    __slots__ = ("future", "loop")

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[None] = self.loop.create_future()

    def ring(self) -> bool:
        """Wake it soon. False when its loop is closed: it will never wake."""
        try:
            self.loop.call_soon_threadsafe(self._wake)
        except RuntimeError:
            return False
        return True

    def _wake(self) -> None:
        if not self.future.done():
            self.future.set_result(None)

    async def heard(self) -> None:
        """Wait until it rings. A ring that came before, and nobody has heard yet, counts."""
        await self.future
        self.future = self.loop.create_future()


class Parked:
    """A coroutine that waits for the answer of a blocked."""

    __slots__ = ("bell", "blocked", "timer")

    def __init__(self, blocked: BlockedCall) -> None:
        self.blocked = blocked
        self.bell: Bell
        self.timer: asyncio.TimerHandle | None = None

    async def wait(self) -> None:
        """Until the blocked is done. However it ends otherwise, nothing stays behind."""
        blocked = self.blocked
        try:
            self.bell = Bell()
            blocked.notify(self._served)
            self._set_timer()
            await self.bell.heard()
        except GeneratorExit:
            # Nobody holds the coroutine any more; this thread may be in the middle of a command.
            self._cancel_later()
            raise
        except BaseException:
            try:
                blocked.cancel()
            except BaseException:
                blocked.cancel()
                raise
            raise
        finally:
            if self.timer is not None:
                self.timer.cancel()

    def _served(self) -> None:
        """The blocked has its answer. Under the engine's lock, in any thread."""
        if not self.bell.ring() and not self.blocked.session.engine.closed:
            self._cancel_later()

    def _cancel_later(self) -> None:
        # Not now: others are being served, or a command is running.
        self.blocked.session.engine.exec_thread.later(self.blocked.cancel)

    def _set_timer(self) -> None:
        timeout = self.blocked.timeout
        if timeout is not None and not self.blocked.done:
            self.timer = self.bell.loop.call_later(min(timeout, _LONGEST), self._look_at_clock)

    def _look_at_clock(self) -> None:
        self.blocked.expire()
        self._set_timer()


async def reply_of(session: Session[Any], blocked: BlockedCall) -> Any:
    """The answer of a call that has to wait."""
    while True:
        await Parked(blocked).wait()
        reply = session.resume(blocked)
        if reply.__class__ is not BlockedCall:
            return decoded(reply) if session._decode else reply
        blocked = reply
