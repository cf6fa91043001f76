"""Messages for coroutines: `async for message in messages`, where `messages` is db.subscribe(...).

The feeds of subscription.py do the work. They call back when there may be something new; whoever
waits is woken, and looks. Nobody is told while nobody waits, so that a forgotten feed still ends by
itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, Self, TypeVar

from minidis.aio.parking import Bell
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
    """An asynchronous iterator of what is delivered; `async with` closes it at the end.

    Iterating waits until there is something, and ends when the feed or the database is closed.
    Several tasks may iterate: each item goes to one of them.
    """

    def __init__(self, engine: Engine, feed: MessageStream[M]) -> None:
        self._engine = engine
        self._feed = feed
        self._sleepers: dict[Bell, None] = {}

    @property
    def id(self) -> int:
        """Its id among the clients, as CLIENT LIST shows it."""
        return self._feed.id

    @property
    def closed(self) -> bool:
        """Will nothing more come? What has come before can still be taken."""
        return self._feed.closed

    @property
    def dropped(self) -> int:
        """How many were let go because more than `limit` waited (when_full="drop")."""
        return self._feed.dropped

    async def get(self, timeout: float | None = None) -> M | None:
        """The next one; None if there is none within `timeout` seconds (None: wait for ever).

        ClosedError when nothing more will come; SlowSubscriberError when that is because too many
        had to wait.
        """
        item = self._feed.get(timeout=0)
        if item is not None or timeout == 0:
            return item
        try:
            async with asyncio.timeout(timeout):
                return await self._next()
        except TimeoutError:
            return None

    async def _next(self) -> M:
        # An item is taken and handed on in one step of the loop: a cancelled task takes none.
        item = self._feed.get(timeout=0)
        if item is not None:
            return item
        with self._told() as bell:
            while (item := self._feed.get(timeout=0)) is None:
                await bell.heard()
        return item

    @contextmanager
    def _told(self) -> Iterator[Bell]:
        """Have a bell rung when there may be something to get."""
        bell = Bell()
        with self._engine.lock:
            if not self._sleepers:
                self._feed.on_message(self._ring)
            self._sleepers[bell] = None
        try:
            yield bell
        finally:
            with self._engine.lock:
                self._forget(bell)

    def _ring(self) -> None:
        """Wake all who wait. Under the engine's lock, in any thread."""
        for bell in list(self._sleepers):
            if not bell.ring():
                self._forget(bell)

    def _forget(self, bell: Bell) -> None:
        self._sleepers.pop(bell, None)
        if not self._sleepers:
            self._feed.on_message(None)

    async def close(self) -> None:
        """End it: whoever iterates gets what has come before, and then the end."""
        self._feed.close()

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
        self._feed.close()

    def __repr__(self) -> str:
        return repr(self._feed).replace("<minidis ", "<minidis async ")


class AsyncSubscription(AsyncMessageStream[Message[T]]):
    """The messages of channels; see AsyncMinidis.subscribe."""

    _feed: Subscription[T]

    async def subscribe(self, *channels: Many) -> None:
        """Listen to more channels. ClosedError when the subscription is closed."""
        self._feed.subscribe(*channels)

    async def psubscribe(self, *patterns: Many) -> None:
        """Listen to all channels that match a glob pattern."""
        self._feed.psubscribe(*patterns)

    async def ssubscribe(self, *shards: Many) -> None:
        """Listen to more shard channels."""
        self._feed.ssubscribe(*shards)

    async def unsubscribe(self, *channels: Many) -> None:
        """Listen to `channels` no more; without any, to no channel."""
        self._feed.unsubscribe(*channels)

    async def punsubscribe(self, *patterns: Many) -> None:
        """Listen to `patterns` no more; without any, to no pattern."""
        self._feed.punsubscribe(*patterns)

    async def sunsubscribe(self, *shards: Many) -> None:
        """Listen to the shard channels no more; without any, to none."""
        self._feed.sunsubscribe(*shards)


class AsyncMonitoring(AsyncMessageStream[MonitoredCommand]):
    """The commands of all sessions; see AsyncMinidis.monitor."""

    _feed: Monitoring
