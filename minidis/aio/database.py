"""class AsyncMinidis: an open database in coroutines, and how one is opened.

    await db.get("a")          made at once, on the thread of the loop: nobody else gets a turn
    await db.blpop("q")        nothing there: the task waits, the others go on (parking.py)
    await db.save()            in a thread, for it may take long

Whatever may take long holds the database meanwhile. The loop goes on, but a task that asks the
database for something then waits for it, and the loop with it.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal, Self, overload

from minidis.aio.commands import AsyncCommands
from minidis.aio.messages import AsyncMonitoring, AsyncSubscription
from minidis.aio.methods import SLOW_WORDS
from minidis.aio.parking import (
    ParkingPipeline,
    ParkingPipelineText,
    ParkingSession,
    ParkingSessionText,
    reply_of,
)
from minidis.aio.pipeline import AsyncPipeline, AsyncTransaction
from minidis.api.database import Minidis
from minidis.api.pipeline import Pipeline
from minidis.api.subscription import LIMIT, Monitoring, Policy, Subscription
from minidis.clients.blocked import BlockedCall
from minidis.commands.shared.group import T
from minidis.engine.engine import Engine
from minidis.errors import WatchError
from minidis.grammar.kinds import Integer, Key, Value
from minidis.observers.listeners import Event

if TYPE_CHECKING:
    from minidis.server.resp_server import RespServer


class AsyncMinidis(AsyncCommands[T]):
    """A database whose commands are awaited: see minidis.aio.open() and minidis.aio.wrap().

    Tasks may share it, also those of several loops: each waits for itself. `async with` closes it.
    """

    _sessions: type[Minidis[Any]] = ParkingSession
    _pipelines: type[Pipeline[Any]] = ParkingPipeline

    def __init__(self, engine: Engine, database: int = 0) -> None:
        self._session: Minidis[T] = self._sessions(engine, database)

    @property
    def engine(self) -> Engine:
        """What all sessions of the database share."""
        return self._session.engine

    async def execute(self, *words: Key) -> Any:
        """Run a command given as words, as a shell or a client would send it.

        The answer is what RESP3 says: bytes, int, float, None, list, dict, set; OK is a Status.
        A refusal raises ResponseError with the sentence of Redis.

        >>> async def main():
        ...     async with minidis.aio.open() as db:
        ...         return await db.execute("RPUSH", "l", 1, 2), await db.execute("BLPOP", "l", 0)
        >>> asyncio.run(main())
        (2, [b'l', b'1'])
        """
        session = self._session
        if words and words[0].__class__ in (str, bytes) and words[0] in SLOW_WORDS:
            reply = await asyncio.to_thread(session.execute, *words)
        else:
            reply = session.execute(*words)
        if reply.__class__ is BlockedCall:
            reply = await reply_of(session, reply)
        return reply

    # every element, in steps -------------------------------------------------------------------

    def scan_iter(
        self,
        match: Value | None = None,
        count: Integer | None = None,
        _type: Value | None = None,
    ) -> AsyncIterator[T]:
        """Every key, in small steps between which other tasks get their turn (see SCAN).

        >>> async def main():
        ...     async with minidis.aio.open() as db:
        ...         await db.mset({"a": 1, "b": 2})
        ...         return sorted([key async for key in db.scan_iter()])
        >>> asyncio.run(main())
        [b'a', b'b']
        """
        return _every(lambda cursor: self.scan(cursor, match, count, _type))

    def sscan_iter(
        self, key: Key, match: Value | None = None, count: Integer | None = None
    ) -> AsyncIterator[T]:
        """Every member of a set, in small steps between which other tasks get their turn."""
        return _every(lambda cursor: self.sscan(key, cursor, match, count))

    def zscan_iter(
        self, key: Key, match: Value | None = None, count: Integer | None = None
    ) -> AsyncIterator[tuple[T, float]]:
        """Every (member, score), in small steps between which other tasks get their turn."""
        return _every(lambda cursor: self.zscan(key, cursor, match, count))

    @overload
    def hscan_iter(
        self,
        key: Key,
        match: Value | None = None,
        count: Integer | None = None,
        no_values: Literal[False] = False,
    ) -> AsyncIterator[tuple[T, T]]: ...

    @overload
    def hscan_iter(
        self,
        key: Key,
        match: Value | None = None,
        count: Integer | None = None,
        no_values: bool = ...,
    ) -> AsyncIterator[Any]: ...

    def hscan_iter(
        self,
        key: Key,
        match: Value | None = None,
        count: Integer | None = None,
        no_values: bool = False,
    ) -> AsyncIterator[Any]:
        """Every (field, value), or field with `no_values`, in small steps (see HSCAN).

        Between the steps other tasks get their turn.
        """

        async def step(cursor: Any) -> tuple[Any, Any]:
            following, found = await self.hscan(key, cursor, match, count, no_values)
            if not no_values:
                found = zip(found[::2], found[1::2], strict=True)
            return following, found

        return _every(step)

    # several commands at once ------------------------------------------------------------------

    def pipeline(self, transaction: bool = True) -> AsyncPipeline[T]:
        """Collect calls and run them together: they are queued, `await execute()` answers a list.

        With `transaction=False` other callers may come in between. Use it in an `async with` block;
        see AsyncPipeline for watch() and multi().

        >>> async def main():
        ...     async with minidis.aio.open() as db, db.pipeline() as pipe:
        ...         return await pipe.set("a", 1).incr("a").execute()
        >>> asyncio.run(main())
        [OK, 2]
        """
        return AsyncPipeline(self._new_pipeline(transaction))

    def transaction(
        self, watch: Iterable[Key] = (), *, raise_on_error: bool = True
    ) -> AsyncTransaction[T]:
        """A block whose calls are queued, without await, and run as one at its end: see `results`.

        WatchError when one of the keys in `watch` was touched since the block began: nothing has
        run. An exception in the block discards what was queued. The first refusal is raised at the
        end of the block, after everything has run; with `raise_on_error=False` refusals stay in
        `results`.

        >>> async def main():
        ...     async with minidis.aio.open() as db:
        ...         async with db.transaction(watch=["a"]) as tx:
        ...             tx.set("a", 1)
        ...             tx.incr("a")
        ...         return tx.results
        >>> asyncio.run(main())
        [OK, 2]
        """
        return AsyncTransaction(self._new_pipeline(True), watch, raise_on_error)

    async def transact(
        self, function: Callable[[AsyncPipeline[T]], Awaitable[object] | object], *watches: Key
    ) -> list[Any]:
        """Call `function` with a transaction, again and again until no watched key was touched.

        The calls of the transaction are made at once, and awaited, until its `multi()`; after it
        they are queued. `function` is a coroutine function, or a plain one that only queues.
        The answer is EXEC's list.

        >>> async def double(tx):
        ...     number = int(await tx.get("n") or 1)
        ...     tx.multi()
        ...     tx.set("n", 2 * number)
        >>> async def main():
        ...     async with minidis.aio.open() as db:
        ...         return await db.transact(double, "n"), await db.get("n")
        >>> asyncio.run(main())
        ([OK], b'2')
        """
        async with self.pipeline() as tx:
            while True:
                if watches:
                    await tx.watch(*watches)
                else:
                    tx.at_once()
                try:
                    outcome = function(tx)
                    if inspect.isawaitable(outcome):
                        await outcome
                    replies: list[Any] = await tx.execute()
                except WatchError:
                    continue
                return replies

    def _new_pipeline(self, transaction: bool) -> Pipeline[T]:
        session = self._session
        return self._pipelines(session.engine, session.space.number, transaction=transaction)

    # messages ----------------------------------------------------------------------------------

    def subscribe(
        self,
        *channels: Any,
        patterns: Iterable[Key] = (),
        shards: Iterable[Key] = (),
        limit: int = LIMIT,
        when_full: Policy = "close",
    ) -> AsyncSubscription[T]:
        """Listen to channels: an asynchronous iterator of Message(kind, channel, pattern, data).

        `patterns` are glob patterns of channels, `shards` shard channels. At most `limit` messages
        wait to be taken. When there are more, `when_full="close"` ends the subscription: iterating
        gives what was kept and then raises SlowSubscriberError. `"drop"` lets the oldest message go
        and counts it in `.dropped`.

        Iterating ends when the subscription or the database is closed.

        >>> async def main():
        ...     async with minidis.aio.open() as db, db.subscribe("news") as messages:
        ...         await db.publish("news", "hello")
        ...         async for message in messages:
        ...             return message.data
        >>> asyncio.run(main())
        b'hello'
        """
        engine, decode = self.engine, self._session._decode
        feed: Subscription[T] = Subscription(
            engine, channels, patterns, shards, limit=limit, when_full=when_full, decode=decode
        )
        return AsyncSubscription(engine, feed)

    def monitor(self, *, limit: int = LIMIT, when_full: Policy = "close") -> AsyncMonitoring:
        """Watch all commands of all sessions: yields Seen(time, database, address, words).

        `time` is in seconds since 1970. `limit` and `when_full` are those of subscribe().
        Everything becomes slower while somebody watches.
        """
        engine = self.engine
        return AsyncMonitoring(engine, Monitoring(engine, limit=limit, when_full=when_full))

    def listen(self, callback: Callable[[Event], object]) -> Callable[[], None]:
        """Call `callback(Event(database, name, key))` in the running loop, for every change.

        The calls come in the order of the changes. Call the returned function to stop; nothing is
        called after it has returned.
        """
        loop = asyncio.get_running_loop()
        listening = True

        def call(event: Event) -> None:
            if listening:
                callback(event)

        def hand_over(event: Event) -> None:
            try:
                loop.call_soon_threadsafe(call, event)
            except RuntimeError:  # the loop is closed
                stop()

        def stop() -> None:
            nonlocal listening
            listening = False
            leave()

        leave = self.engine.listen(hand_over)
        return stop

    # sessions and life -------------------------------------------------------------------------

    def session(self, database: int = 0) -> Self:
        """Another session on the same data, with its own selected database.

        ResponseError when there is no database of that number. It needs no closing: close(), or the
        end of an `async with`, closes the database for all sessions.
        """
        return type(self)(self.engine, database)

    async def serve(self, address: str) -> RespServer:
        """Let others reach this database by the protocol of Redis: `door = await db.serve(...)`.

        `address`: "127.0.0.1:6379", "localhost:0" (any free port, see the door's `address`), or
        "unix:app.sock". A thread in the background serves the connections. `door.close()` closes
        it; closing the database closes all doors. AddressError when there can be no door there.

        >>> async def main():
        ...     async with minidis.aio.open() as db:
        ...         return (await db.serve("127.0.0.1:0")).address.startswith("127.0.0.1:")
        >>> asyncio.run(main())
        True
        """
        return await asyncio.to_thread(self._session.serve, address)

    async def close(self, *, save: bool | None = None) -> None:
        """Close all sessions and doors. A directory is saved first if something changed.

        `save=True` or `save=False` decides it otherwise; a database in memory or in an .rdb file
        is not saved unless asked. Closing twice is harmless.
        """
        engine = self.engine
        if engine.closed or (engine.store.directory.dump_path is None and engine.server is None):
            engine.close(save=save)
        else:
            await asyncio.to_thread(engine.close, save=save)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return repr(self._session).replace("<minidis ", "<minidis async ")


class AsyncMinidisText(AsyncMinidis[str]):
    """A database whose bulk strings come back as str: minidis.aio.open(decode_responses=True)."""

    _sessions = ParkingSessionText
    _pipelines = ParkingPipelineText


async def _every(step: Callable[[Any], Awaitable[Any]]) -> AsyncIterator[Any]:
    """All that the steps of a walk bring; `step` takes a cursor, and answers the next one first."""
    cursor: Any = 0
    while True:
        cursor, found = await step(cursor)
        for item in found:
            yield item
        if not cursor:
            return
        await asyncio.sleep(0)
