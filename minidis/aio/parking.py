"""Blocking commands in coroutines: the call returns its BlockedCall, the coroutine awaits a future.

    await db.blpop("q")
        session.blpop("q")       the sync method, in the thread of the loop
            sleep(blocked)       nothing there yet: returns the blocked call, the thread goes on
        reply_of(blocked)        awaits a future, which ends
                                   when another call makes the key ready, from any thread
                                   at the timeout, by a timer of the loop
                                   when the task is cancelled; elements taken for it are returned
        session.resume(blocked)  the reply, or another blocked call after a pause

It needs no thread and no polling: a blocked call is a future and an entry in a queue.
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

#: Longest timer (seconds). Event loops have different limits; a timer that ends early is set again.
_LONGEST = 86_400.0


class _ReturnsBlocked:
    """A session whose calls return the blocked call instead of blocking the thread."""

    def sleep(self, blocked: BlockedCall) -> Any:
        return blocked


class ParkingSession(_ReturnsBlocked, Minidis[T]):
    """The sync session of an AsyncMinidis."""


class ParkingSessionText(_ReturnsBlocked, MinidisText):
    """The same with str for bulk strings."""


class ParkingPipeline(_ReturnsBlocked, Pipeline[T]):
    """The sync pipeline of an AsyncPipeline."""


class ParkingPipelineText(_ReturnsBlocked, PipelineText):
    """The same with str for bulk strings."""


class Wakeup:
    """Wakes one coroutine from any thread, any number of times."""

    __slots__ = ("future", "loop")

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[None] = self.loop.create_future()

    def set(self) -> bool:
        """Wake the coroutine. Return False when its loop is closed: it will never run again."""
        try:
            self.loop.call_soon_threadsafe(self._set)
        except RuntimeError:
            return False
        return True

    def _set(self) -> None:
        if not self.future.done():
            self.future.set_result(None)

    async def wait(self) -> None:
        """Wait for the next set(), or return at once if one came since the last wait()."""
        await self.future
        self.future = self.loop.create_future()


class Waiting:
    """A coroutine that waits for the reply of a blocked call."""

    __slots__ = ("blocked", "timer", "wakeup")

    def __init__(self, blocked: BlockedCall) -> None:
        self.blocked = blocked
        self.wakeup: Wakeup
        self.timer: asyncio.TimerHandle | None = None

    async def wait(self) -> None:
        """Wait until the call is done. If the wait ends in any other way, the call is cancelled."""
        blocked = self.blocked
        try:
            self.wakeup = Wakeup()
            blocked.notify(self._served)
            self._set_timer()
            await self.wakeup.wait()
        except GeneratorExit:
            # The coroutine is garbage collected; this thread may be in the middle of a command.
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
        """The call has its reply. Under the engine's lock, in any thread."""
        if not self.wakeup.set() and not self.blocked.session.engine.closed:
            self._cancel_later()

    def _cancel_later(self) -> None:
        # Not now: other blocked calls are being served, or a command is running.
        self.blocked.session.engine.exec_thread.later(self.blocked.cancel)

    def _set_timer(self) -> None:
        timeout = self.blocked.timeout
        if timeout is not None and not self.blocked.done:
            self.timer = self.wakeup.loop.call_later(min(timeout, _LONGEST), self._expire)

    def _expire(self) -> None:
        self.blocked.expire()
        self._set_timer()


async def reply_of(session: Session[Any], blocked: BlockedCall) -> Any:
    """Wait for a blocked call and return its reply."""
    while True:
        await Waiting(blocked).wait()
        reply = session.resume(blocked)
        if reply.__class__ is not BlockedCall:
            return decoded(reply) if session._decode else reply
        blocked = reply
