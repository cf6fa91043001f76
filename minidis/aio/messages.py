"""Messages for coroutines: `async for message in messages`, where `messages` is db.subscribe(...).

A MessageStream (api/subscription.py) receives the messages. While tasks wait, it has a callback
that wakes them; without waiting tasks it has none, so that a stream without references is
garbage-collected, which ends it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, Self, TypeVar

from minidis.aio.parking import Wakeup
from minidis.api.subscription import (
    Message,
    MessageStream,
    Monitoring,
    Subscription,
)
from minidis.clients.monitored import MonitoredCommand
from minidis.commands.shared.group import T
from minidis.engine.engine import Engine
from minidis.errors import ClosedError
from minidis.grammar.kinds import Many

M = TypeVar("M")


class AsyncMessageStream(Generic[M]):
    """An asynchronous iterator of messages; `async with` closes it at the end.

    Iterating waits for the next message, and ends when the stream or the database is closed.
    Several tasks may iterate: each message goes to one of them.
    """

    def __init__(self, engine: Engine, stream: MessageStream[M]) -> None:
        self._engine = engine
        self._stream = stream
        self._waiting: dict[Wakeup, None] = {}

    @property
    def id(self) -> int:
        """Its client id, as CLIENT LIST shows it."""
        return self._stream.id

    @property
    def closed(self) -> bool:
        """Whether it is closed. Messages received before can still be read."""
        return self._stream.closed

    @property
    def dropped(self) -> int:
        """Number of messages discarded because `limit` was reached (when_full="drop")."""
        return self._stream.dropped

    async def get(self, timeout: float | None = None) -> M | None:
        """Return the next message; None if there is none within `timeout` seconds.

        timeout: None waits without limit, 0 does not wait.

        Raises ClosedError when the stream is closed and has no more messages; SlowSubscriberError
        if it was closed because `limit` was reached.
        """
        item = self._stream.get(timeout=0)
        if item is not None or timeout == 0:
            return item
        try:
            async with asyncio.timeout(timeout):
                return await self._next()
        except TimeoutError:
            return None

    async def _next(self) -> M:
        # A message is taken and returned in one step of the loop: a cancelled task takes none.
        item = self._stream.get(timeout=0)
        if item is not None:
            return item
        with self._wakeup() as wakeup:
            while (item := self._stream.get(timeout=0)) is None:
                await wakeup.wait()
        return item

    @contextmanager
    def _wakeup(self) -> Iterator[Wakeup]:
        """Return a Wakeup that is set when there may be a new message."""
        wakeup = Wakeup()
        with self._engine.lock:
            if not self._waiting:
                self._stream.on_message(self._wake_all)
            self._waiting[wakeup] = None
        try:
            yield wakeup
        finally:
            with self._engine.lock:
                self._forget(wakeup)

    def _wake_all(self) -> None:
        """Wake all waiting tasks. Under the engine's lock, in any thread."""
        for wakeup in list(self._waiting):
            if not wakeup.set():
                self._forget(wakeup)

    def _forget(self, wakeup: Wakeup) -> None:
        self._waiting.pop(wakeup, None)
        if not self._waiting:
            self._stream.on_message(None)

    async def close(self) -> None:
        """Close it: iterating yields the messages received before, and then ends."""
        self._stream.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> M:
        try:
            return await self._next()
        except ClosedError:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stream.close()

    def __repr__(self) -> str:
        return repr(self._stream).replace("<minidis ", "<minidis async ")


class AsyncSubscription(AsyncMessageStream[Message[T]]):
    """The messages of channels; see AsyncMinidis.subscribe."""

    _stream: Subscription[T]

    async def subscribe(self, *channels: Many) -> None:
        """Subscribe to more channels. Raises ClosedError when the subscription is closed."""
        self._stream.subscribe(*channels)

    async def psubscribe(self, *patterns: Many) -> None:
        """Subscribe to all channels that match one of the glob patterns."""
        self._stream.psubscribe(*patterns)

    async def ssubscribe(self, *shards: Many) -> None:
        """Subscribe to more shard channels."""
        self._stream.ssubscribe(*shards)

    async def unsubscribe(self, *channels: Many) -> None:
        """Unsubscribe from `channels`; without arguments from all channels."""
        self._stream.unsubscribe(*channels)

    async def punsubscribe(self, *patterns: Many) -> None:
        """Unsubscribe from `patterns`; without arguments from all patterns."""
        self._stream.punsubscribe(*patterns)

    async def sunsubscribe(self, *shards: Many) -> None:
        """Unsubscribe from shard channels; without arguments from all of them."""
        self._stream.sunsubscribe(*shards)


class AsyncMonitoring(AsyncMessageStream[MonitoredCommand]):
    """The commands of all sessions; see AsyncMinidis.monitor."""

    _stream: Monitoring
