"""minidis.aio.open() and minidis.aio.wrap(): they return an AsyncMinidis.

Loading a dump may take long, so a database with a path is opened in a thread. If the task is
cancelled meanwhile, the database that the thread opens is closed again.
"""

from __future__ import annotations

import asyncio
import functools
import os
import threading
from collections.abc import Callable, Generator
from typing import Any, Generic, Literal, overload

from minidis.aio.database import AsyncMinidis, AsyncMinidisText
from minidis.api import database
from minidis.api.database import Minidis
from minidis.clock import Clock, Progress
from minidis.commands.shared.group import T


class Opening(Generic[T]):
    """The return value of open(): `await` it, or use it in `async with`."""

    def __init__(self, opener: Callable[[], Minidis[T]], in_thread: bool) -> None:
        self._opener = opener
        self._in_thread = in_thread
        self._db: AsyncMinidis[T] | None = None

    async def _open(self) -> AsyncMinidis[T]:
        if not self._in_thread:
            return wrap(self._opener())
        handover: _Handover[T] = _Handover(self._opener)
        try:
            return wrap(await asyncio.to_thread(handover.open))
        except BaseException:
            handover.abandon()
            raise

    def __await__(self) -> Generator[Any, Any, AsyncMinidis[T]]:
        return self._open().__await__()

    async def __aenter__(self) -> AsyncMinidis[T]:
        self._db = await self._open()
        return self._db

    async def __aexit__(self, *_: object) -> None:
        if self._db is not None:
            await self._db.close()


class _Handover(Generic[T]):
    """Passes a database from the thread that opens it to the task that has called open()."""

    def __init__(self, opener: Callable[[], Minidis[T]]) -> None:
        self._opener = opener
        self._lock = threading.Lock()
        self._abandoned = False
        self._db: Minidis[T] | None = None

    def open(self) -> Minidis[T]:
        """Open the database; in the thread."""
        db = self._opener()
        with self._lock:
            self._db = db
            if self._abandoned:
                db.close(save=False)
        return db

    def abandon(self) -> None:
        """Close the database, now or as soon as it is open: the task was cancelled."""
        with self._lock:
            self._abandoned = True
            if self._db is not None:
                self._db.close(save=False)


@overload
def open(
    path: str | os.PathLike[str] | None = None,
    *,
    decode_responses: Literal[False] = False,
    databases: int = 16,
    clock: Clock | None = None,
    progress: Progress | None = None,
    **config: Any,
) -> Opening[bytes]: ...


@overload
def open(
    path: str | os.PathLike[str] | None = None,
    *,
    decode_responses: Literal[True],
    databases: int = 16,
    clock: Clock | None = None,
    progress: Progress | None = None,
    **config: Any,
) -> Opening[str]: ...


@overload
def open(
    path: str | os.PathLike[str] | None = None,
    *,
    decode_responses: bool,
    databases: int = 16,
    clock: Clock | None = None,
    progress: Progress | None = None,
    **config: Any,
) -> Opening[Any]: ...


def open(
    path: str | os.PathLike[str] | None = None,
    *,
    decode_responses: bool = False,
    databases: int = 16,
    clock: Clock | None = None,
    progress: Progress | None = None,
    **config: Any,
) -> Opening[Any]:
    """Open a database for coroutines: `await open(...)`, or `async with open(...) as db`.

    The arguments and errors are those of minidis.open(). A dump is loaded in a worker thread;
    `progress` is called in that thread.

    >>> async def main():
    ...     async with minidis.aio.open(decode_responses=True) as db:
    ...         return await db.set("name", "Ann"), await db.get("name")
    >>> asyncio.run(main())
    (OK, 'Ann')
    """
    opener = functools.partial(
        database.open,
        path,
        decode_responses=decode_responses,
        databases=databases,
        clock=clock,
        progress=progress,
        **config,
    )
    return Opening(opener, in_thread=path is not None)


def wrap(db: Minidis[T]) -> AsyncMinidis[T]:
    """Return an AsyncMinidis for the same database: threads use `db`, tasks the returned object.

    It is a session of its own, with the database selected by `db`. Closing either closes both.

    >>> async def main():
    ...     tasks = minidis.aio.wrap(db)
    ...     db.set("a", 1)
    ...     return await tasks.incr("a")
    >>> asyncio.run(main())
    2
    """
    kind: type[AsyncMinidis[Any]] = AsyncMinidisText if db._decode else AsyncMinidis
    return kind(db.engine, db.space.number)
