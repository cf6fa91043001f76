"""Commands collected in a coroutine and run together.

    async with db.pipeline() as pipe:             async with db.transaction(watch=["stock"]) as tx:
        pipe.incr("a").incr("b")                      if int(await db.get("stock") or 0) > 0:
        await pipe.execute()  # [1, 1]                    tx.decr("stock")
                                                  tx.results  # [4]

Calls that are queued answer the pipeline and need no await. After `await pipe.watch(...)` calls are
made at once, and awaited, until `pipe.multi()`, as in redis.asyncio.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any, Self

from minidis.aio.commands import QueuedCommands
from minidis.aio.methods import answered
from minidis.api.pipeline import Pipeline
from minidis.commands.shared.group import T
from minidis.commands.transactions import error_replies
from minidis.errors import MinidisError, WatchError
from minidis.grammar.call import Call
from minidis.grammar.command import COMMANDS
from minidis.grammar.kinds import Key
from minidis.replies import OK, Status


class AsyncPipeline(QueuedCommands[T]):
    """Calls are queued and answer the pipeline itself; `await pipe.execute()` answers them all.

    After watch() calls are made at once: `await pipe.get("a")` is what GET answers. While calls are
    queued it is the pipeline, whatever its type says.
    """

    def __init__(self, session: Pipeline[T]) -> None:
        self._session: Pipeline[T] = session

    async def watch(self, *keys: Any) -> Status:
        """Watch keys; calls are made at once from here until multi().

        ResponseError after queued calls.
        """
        reply: Status = await answered(self._session, self._session.watch(*keys))
        return reply

    def at_once(self) -> None:
        """Calls are made at once until multi(), as after watch(), without watching anything."""
        self._session.at_once()

    def multi(self) -> Status:
        """Calls are queued from here on."""
        return self._session.multi()

    async def execute(self, *words: Key, raise_on_error: bool = True) -> Any:
        """Without words: run what is queued; the answers in a list. With words: queue them.

        WatchError when a watched key was touched. The first refusal is raised, after everything has
        run; with `raise_on_error=False` refusals stay in the list.
        """
        session = self._session
        if words:
            reply = await answered(session, session.execute(*words))
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
            replies = await answered(session, session.call((COMMANDS["EXEC"], (), {}, None)))
            if replies is None:
                raise WatchError
            return list(replies)
        calls, session.client.queue = session.client.queue, None
        session.update_checks()
        return [await self._reply(call) for call in calls]

    async def _reply(self, call: Call) -> Any:
        try:
            return await answered(self._session, self._session.call(call))
        except MinidisError as error:
            return error

    async def reset(self) -> None:
        """Forget what is queued and watched."""
        self._session.reset()

    async def discard(self) -> Status:
        """Forget what is queued and watched."""
        self._session.reset()
        return OK

    def __await__(self) -> Generator[Any, Any, Any]:
        """A queued call may be awaited, too; there is nothing to wait for."""
        return (yield from _itself(self).__await__())

    def __len__(self) -> int:
        """How many calls are queued."""
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
    """The block of db.transaction(): queued calls run as one at its end, see `results`."""

    def __init__(self, session: Pipeline[T], watch: Iterable[Any], raise_on_error: bool) -> None:
        super().__init__(session)
        #: the answers, after the block
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
