"""class AsyncMinidis: an open database for coroutines.

    await db.get("a")          runs immediately in the thread of the loop, without a task switch
    await db.blpop("q")        nothing there: the task waits, other tasks run (parking.py)
    await db.save()            may take long, and runs in a worker thread

A slow command holds the lock of the database while it runs. The loop goes on, but a task that calls
the database meanwhile waits for the lock, and the loop with it.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, Literal, Self, overload

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
from minidis.engine.parts import Server
from minidis.errors import WatchError
from minidis.grammar.kinds import Integer, Key, Value
from minidis.observers.listeners import Event


class AsyncMinidis(AsyncCommands[T]):
    """A database whose commands are coroutines: see minidis.aio.open() and minidis.aio.wrap().

    Tasks may share it, also those of several event loops. `async with` closes it at the end.
    """

    _sessions: type[Minidis[Any]] = ParkingSession
    _pipelines: type[Pipeline[Any]] = ParkingPipeline

    def __init__(self, engine: Engine, database: int = 0) -> None:
        self._session: Minidis[T] = self._sessions(engine, database)

    @property
    def engine(self) -> Engine:
        """The state that all sessions of the database share."""
        return self._session.engine

    async def execute(self, *words: Key) -> Any:
        """Run a command given as words, as a shell or a client sends it, and return its reply.

        The reply has the type of RESP3: bytes, int, float, None, list, dict, set; OK is a Status.
        Raises ResponseError with the message of Redis for an error reply.

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

    # iterators over all elements ---------------------------------------------------------------

    def scan_iter(
        self,
        match: Value | None = None,
        count: Integer | None = None,
        _type: Value | None = None,
    ) -> AsyncIterator[T]:
        """Return an iterator over all keys (see SCAN). Other tasks run between the steps.

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
        """Return an iterator over the members of a set. Other tasks run between the steps."""
        return _every(lambda cursor: self.sscan(key, cursor, match, count))

    def zscan_iter(
        self, key: Key, match: Value | None = None, count: Integer | None = None
    ) -> AsyncIterator[tuple[T, float]]:
        """Return an iterator over (member, score). Other tasks run between the steps."""
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
        """Return an iterator over (field, value), or the fields with `no_values` (see HSCAN).

        Other tasks run between the steps.
        """

        async def step(cursor: Any) -> tuple[Any, Any]:
            following, found = await self.hscan(key, cursor, match, count, no_values)
            if not no_values:
                found = zip(found[::2], found[1::2], strict=True)
            return following, found

        return _every(step)

    # several commands at once ------------------------------------------------------------------

    def pipeline(self, transaction: bool = True) -> AsyncPipeline[T]:
        """Queue calls and run them together: `await execute()` returns a list of their replies.

        transaction: False does not wrap the calls in MULTI and EXEC, so that other clients may run
        commands in between. Use it in an `async with` block; see AsyncPipeline for watch() and
        multi().

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
        """Return a context manager whose calls run as one transaction at the end of the block.

        The calls are queued without `await`; after the block `results` has their replies. An
        exception in the block discards them.
        watch: raise WatchError at the end, and run nothing, if one of these keys was changed since
        the block began. raise_on_error: raise the first error reply at the end of the block, after
        all calls have run; False leaves error replies in `results`.

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
        """Call `function` with a transaction, and repeat it until no watched key was changed.

        Before `multi()` the calls of the transaction run immediately and are awaited; after it they
        are queued. `function` is a coroutine function, or a plain function that only queues calls.
        Returns the list of replies of EXEC.

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
        """Subscribe and return an asynchronous iterator of Message(kind, channel, pattern, data).

        patterns: glob patterns of channels. shards: shard channels.
        limit: greatest number of messages waiting to be read. when_full: what happens at the limit:
        "close" ends the subscription, and the iterator raises SlowSubscriberError after the waiting
        messages; "drop" discards the oldest message and counts it in `.dropped`.

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
        stream: Subscription[T] = Subscription(
            engine, channels, patterns, shards, limit=limit, when_full=when_full, decode=decode
        )
        return AsyncSubscription(engine, stream)

    def monitor(self, *, limit: int = LIMIT, when_full: Policy = "close") -> AsyncMonitoring:
        """Return an asynchronous iterator of all commands that the database runs, in all sessions.

        It yields MonitoredCommand(time, database, address, words), with time in seconds since 1970.
        limit, when_full: see subscribe(). All commands are slower while a monitor is open.
        """
        engine = self.engine
        return AsyncMonitoring(engine, Monitoring(engine, limit=limit, when_full=when_full))

    def listen(self, callback: Callable[[Event], object]) -> Callable[[], None]:
        """Call `callback(Event(database, name, key))` in the running loop for every key change.

        The calls come in the order of the changes. Call the returned function to stop; the callback
        is not called after it has returned.
        """
        loop = asyncio.get_running_loop()
        listening = True

        def call(event: Event) -> None:
            if listening:
                callback(event)

        def schedule(event: Event) -> None:
            try:
                loop.call_soon_threadsafe(call, event)
            except RuntimeError:  # the loop is closed
                stop()

        def stop() -> None:
            nonlocal listening
            listening = False
            remove()

        remove = self.engine.listen(schedule)
        return stop

    # sessions and servers ----------------------------------------------------------------------

    def session(self, database: int = 0) -> Self:
        """Return another session on the same data, with its own selected database.

        It need not be closed: close(), or the end of an `async with`, closes the database for all
        sessions. Raises ResponseError if there is no database with this number.
        """
        return type(self)(self.engine, database)

    async def serve(self, address: str) -> Server:
        """Start a RESP server for this database and return it: `server = await db.serve(...)`.

        address: "127.0.0.1:6379", "localhost:0" (any free port, see `server.address`), or
        "unix:app.sock". A background thread serves the clients. `server.close()` stops it; closing
        the database stops all its servers. Raises AddressError if it cannot listen there.

        >>> async def main():
        ...     async with minidis.aio.open() as db:
        ...         return (await db.serve("127.0.0.1:0")).address.startswith("127.0.0.1:")
        >>> asyncio.run(main())
        True
        """
        return await asyncio.to_thread(self._session.serve, address)

    async def close(self, *, save: bool | None = None) -> None:
        """Close the database for all sessions, and its servers. Closing twice is harmless.

        save: None saves a directory if something changed; True always saves, False never does. A
        database in memory cannot be saved; one in an .rdb file is saved with True only.
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
    """A database that returns bulk strings as str: minidis.aio.open(decode_responses=True)."""

    _sessions = ParkingSessionText
    _pipelines = ParkingPipelineText


async def _every(step: Callable[[Any], Awaitable[Any]]) -> AsyncIterator[Any]:
    """Yield all elements of a scan; `step` takes a cursor and returns the next one and elements."""
    cursor: Any = 0
    while True:
        cursor, found = await step(cursor)
        for item in found:
            yield item
        if not cursor:
            return
        await asyncio.sleep(0)
