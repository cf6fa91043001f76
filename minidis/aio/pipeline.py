"""Pipelines and transactions for coroutines: calls are queued and run together.

    async with db.pipeline() as pipe:             async with db.transaction(watch=["stock"]) as tx:
        pipe.incr("a").incr("b")                      if int(await db.get("stock") or 0) > 0:
        await pipe.execute()  # [1, 1]                    tx.decr("stock")
                                                  tx.results  # [4]

Queued calls return the pipeline and need no await. After `await pipe.watch(...)` calls run
immediately and are awaited, until `pipe.multi()`, as in redis.asyncio.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any, Self

from minidis.aio.commands import QueuedCommands
from minidis.aio.methods import completed
from minidis.api.pipeline import Pipeline
from minidis.commands.shared.group import T
from minidis.commands.transactions import error_replies
from minidis.errors import MinidisError, WatchError
from minidis.grammar.call import Call
from minidis.grammar.command import COMMANDS
from minidis.grammar.kinds import Key
from minidis.replies import OK, Status


class AsyncPipeline(QueuedCommands[T]):
    """Queued calls return the pipeline itself; `await pipe.execute()` returns all replies.

    After watch() calls run immediately: `await pipe.get("a")` returns the reply of GET. A queued
    call returns the pipeline, although its declared type is that of the reply.
    """

    def __init__(self, session: Pipeline[T]) -> None:
        self._session: Pipeline[T] = session

    async def watch(self, *keys: Any) -> Status:
        """Watch keys; from here until multi() calls run immediately.

        Raises ResponseError after queued calls.
        """
        reply: Status = await completed(self._session, self._session.watch(*keys))
        return reply

    def at_once(self) -> None:
        """Run calls immediately until multi(), as after watch(), but without watched keys."""
        self._session.at_once()

    def multi(self) -> Status:
        """Queue calls from here on."""
        return self._session.multi()

    async def execute(self, *words: Key, raise_on_error: bool = True) -> Any:
        """Run the queued calls and return their replies in a list. With `words`: queue a command.

        Raises WatchError if a watched key was changed, and the first error reply, after all calls
        have run; with `raise_on_error=False` error replies stay in the list.
        """
        session = self._session
        if words:
            reply = await completed(session, session.execute(*words))
            return self if reply is session else reply
        try:
            replies = await self._run()
        finally:
            session.reset()
        return session.answered(replies, raise_on_error=raise_on_error)

    async def _run(self) -> list[Any]:
        session = self._session
        if not session.client.queue:
            return []
        if session.is_transaction:
            replies = await completed(session, session.call((COMMANDS["EXEC"], (), {}, None)))
            if replies is None:
                raise WatchError
            return list(replies)
        calls, session.client.queue = session.client.queue, None
        session.update_checks()
        return [await self._reply(call) for call in calls]

    async def _reply(self, call: Call) -> Any:
        try:
            return await completed(self._session, self._session.call(call))
        except MinidisError as error:
            return error

    async def reset(self) -> None:
        """Discard the queued calls and unwatch all keys."""
        self._session.reset()

    async def discard(self) -> Status:
        """Discard the queued calls and unwatch all keys."""
        self._session.reset()
        return OK

    def __await__(self) -> Generator[Any, Any, Any]:
        """Awaiting a queued call returns the pipeline."""
        return (yield from _itself(self).__await__())

    def __len__(self) -> int:
        """Return the number of queued calls."""
        return len(self._session)

    def __bool__(self) -> bool:
        return True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._session.reset()

    def __repr__(self) -> str:
        return f"<async pipeline, {len(self)} calls>"


class AsyncTransaction(AsyncPipeline[T]):
    """The block of db.transaction(): its calls run as one transaction at the end, see `results`."""

    def __init__(self, session: Pipeline[T], watch: Iterable[Any], raise_on_error: bool) -> None:
        super().__init__(session)
        #: the replies, after the block
        self.results: list[Any] = []
        self._watched_keys = [watch] if isinstance(watch, (str, bytes)) else list(watch)
        self._raises = raise_on_error

    async def __aenter__(self) -> Self:
        self._session.over = False
        if self._watched_keys:
            await self.watch(*self._watched_keys)
            self.multi()
        return self

    async def __aexit__(self, *raised: object) -> None:
        self._session.over = True
        if raised[0] is not None:
            self._session.reset()
            return
        self.results = await self.execute(raise_on_error=False)
        for error in error_replies(self.results):
            if self._raises:
                raise error


async def _itself(pipeline: AsyncPipeline[T]) -> AsyncPipeline[T]:
    return pipeline
