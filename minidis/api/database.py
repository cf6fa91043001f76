"""class Minidis: an open database as its users see it, and minidis.open().

A Minidis object is a session: it has a selected database of its own and shares everything else with
the other sessions of the same open(). Its command methods are the doors of command.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from minidis.api.pipeline import Pipeline, PipelineText, Transaction, TransactionText
from minidis.api.session import Session, install_methods
from minidis.api.subscription import LIMIT, Message, Monitoring, Policy, Subscription
from minidis.clients.monitored import MonitoredCommand
from minidis.clock import Clock, Progress
from minidis.commands.server.acl import load_users
from minidis.commands.shared.group import T
from minidis.engine.config import set_parameters
from minidis.engine.engine import Engine
from minidis.errors import WatchError
from minidis.grammar.kinds import Key, Many, encode
from minidis.observers.listeners import Event
from minidis.persistence.directory import DataDirectory

if TYPE_CHECKING:
    from minidis.server.resp_server import RespServer

S = TypeVar("S", bound="Minidis[Any]")


class Minidis(Session[T]):
    """A database: one method for each command, `execute` for words. Open one with minidis.open().

    Safe to use from several threads. `with minidis.open(...) as db:` closes it at the end.
    """

    _pipelines: type[Pipeline[Any]] = Pipeline
    _transactions: type[Transaction[Any]] = Transaction

    # several commands at once ------------------------------------------------------------------

    def pipeline(self, transaction: bool = True) -> Pipeline[T]:
        """Collect calls and run them together: typed calls are queued, `execute()` answers a list.

        With `transaction=False` other callers may come in between. Use it in a `with` block; see
        Pipeline for watch() and multi().

        >>> with db.pipeline() as pipe:
        ...     pipe.set("a", 1).incr("a").execute()
        [OK, 2]
        """
        return self._pipelines(self.engine, self.space.number, transaction=transaction)

    def transaction(
        self, watch: Iterable[Key] = (), *, raise_on_error: bool = True
    ) -> Transaction[T]:
        """A block whose typed calls are queued, and run as one when it ends: see `results`.

        WatchError when one of the keys in `watch` was touched since the block began: nothing has
        run. An exception in the block discards what was queued. The first refusal is raised at the
        end of the block, after everything has run; with `raise_on_error=False` refusals stay in
        `results`.

        >>> with db.transaction(watch=["a"]) as tx:
        ...     answer = tx.set("a", 1), tx.incr("a")
        >>> tx.results
        [OK, 2]
        """
        return self._transactions(
            self.engine, self.space.number, watch=watch, raise_on_error=raise_on_error
        )

    def transact(self, function: Callable[[Pipeline[T]], object], *watches: Key) -> list[Any]:
        """Call `function` with a transaction, again and again until no watched key was touched.

        The calls of the transaction run at once until its `multi()`, and are queued after it. The
        answer is EXEC's list.

        >>> def double(tx):
        ...     number = int(tx.get("n") or 1)
        ...     tx.multi()
        ...     tx.set("n", 2 * number)
        >>> db.transact(double, "n"), db.get("n")
        ([OK], b'2')
        """
        with self.pipeline() as tx:
            while True:
                if watches:
                    tx.watch(*watches)
                else:
                    tx.at_once()
                try:
                    function(tx)
                    replies: list[Any] = tx.execute()
                except WatchError:
                    continue
                return replies

    # messages ----------------------------------------------------------------------------------

    def subscribe(
        self,
        *channels: Many,
        patterns: Iterable[Key] = (),
        shards: Iterable[Key] = (),
        limit: int = LIMIT,
        when_full: Policy = "close",
        callback: Callable[[Message[T]], object] | None = None,
    ) -> Subscription[T]:
        """Subscribe to channels and return an iterator of Message(kind, channel, pattern, data).

        patterns: glob patterns of channels. shards: shard channels.
        limit: greatest number of messages waiting to be read. when_full: what happens at the limit:
        "close" ends the subscription, and the iterator raises SlowSubscriberError after the waiting
        messages; "drop" discards the oldest message and counts it in `.dropped`.
        callback: call this function with each message, in a thread of its own.

        The iterator blocks until there is a message, and ends when the subscription or the database
        is closed. A subscription without callback ends when it is garbage-collected.

        >>> with db.subscribe("news", patterns=["sport.*"]) as messages:
        ...     db.publish("news", "hello"), db.publish("sport.chess", "e4")
        ...     next(messages).data, messages.get(timeout=1).channel
        (1, 1)
        (b'hello', b'sport.chess')
        """
        return Subscription(
            self.engine,
            channels,
            patterns,
            shards,
            limit=limit,
            when_full=when_full,
            callback=callback,
            decode=self._decode,
        )

    def monitor(
        self,
        *,
        limit: int = LIMIT,
        when_full: Policy = "close",
        callback: Callable[[MonitoredCommand], object] | None = None,
    ) -> Monitoring:
        """Return an iterator of all commands that the database runs, in all sessions.

        It yields MonitoredCommand(time, database, address, words), with time in seconds since 1970.
        limit, when_full, callback: see subscribe(). All commands are slower while a monitor is
        open.

        >>> with db.monitor() as seen:
        ...     db.set("a", 1), next(seen).words
        (OK, [b'SET', b'a', b'1'])
        """
        return Monitoring(self.engine, limit=limit, when_full=when_full, callback=callback)

    # sessions and life -------------------------------------------------------------------------

    def session(self: S, database: int = 0) -> S:
        """Another session on the same data, with its own selected database.

        ResponseError when there is no database of that number.

        For threads that want different databases. It needs no closing: close(), or the end of a
        `with`, closes the database for all sessions.

        >>> other = db.session(1)
        >>> other.set("here", 1), db.exists("here")
        (OK, 0)
        """
        return type(self)(self.engine, database)

    def listen(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Call `callback(Event(database, name, key))` for every change of a key.

        The callback runs in a thread of its own, never under the lock, in the order of the changes;
        `expired` events come when the key expires. Call the returned function to stop.
        """
        return self.engine.listen(callback)

    def serve(self, address: str) -> RespServer:
        """Open a door: let others reach this database by the protocol of Redis, until it is closed.

        `address`: "127.0.0.1:6379", "localhost:0" (any free port, see the door's `address`), or
        "unix:app.sock". Only this machine may come in, unless a password is set (CONFIG SET
        requirepass). Connections are served by a thread in the background; close the door with
        `door.close()` or a `with` block, and all doors by closing the database.

        AddressError when there can be no door there; it says why, and what helps.

        >>> with db.serve("127.0.0.1:0") as door:
        ...     door.address.startswith("127.0.0.1:")
        True
        """
        from minidis.server.resp_server import serve  # asyncio is not for every program

        return serve(self, address)

    def close(self, *, save: bool | None = None) -> None:
        """Close all sessions. A directory is saved first if something changed.

        `save=True` or `save=False` decides it otherwise; a database in memory or in an .rdb file
        is not saved unless asked. Closing twice is harmless.
        """
        self.engine.close(save=save)

    def __enter__(self: S) -> S:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class MinidisText(Minidis[str]):
    """A database whose bulk strings come back as str: minidis.open(decode_responses=True)."""

    _decode = True
    _pipelines = PipelineText
    _transactions = TransactionText


install_methods(MinidisText, decode=True)


@overload
def open(
    path: str | os.PathLike[str] | None = None,
    *,
    decode_responses: Literal[False] = False,
    databases: int = 16,
    clock: Clock | None = None,
    progress: Progress | None = None,
    **config: Any,
) -> Minidis[bytes]: ...


@overload
def open(
    path: str | os.PathLike[str] | None = None,
    *,
    decode_responses: Literal[True],
    databases: int = 16,
    clock: Clock | None = None,
    progress: Progress | None = None,
    **config: Any,
) -> Minidis[str]: ...


@overload
def open(
    path: str | os.PathLike[str] | None = None,
    *,
    decode_responses: bool,
    databases: int = 16,
    clock: Clock | None = None,
    progress: Progress | None = None,
    **config: Any,
) -> Minidis[Any]: ...


def open(
    path: str | os.PathLike[str] | None = None,
    *,
    decode_responses: bool = False,
    databases: int = 16,
    clock: Clock | None = None,
    progress: Progress | None = None,
    **config: Any,
) -> Minidis[Any]:
    """Open a database.

    `path`: None for memory; a directory, made if needed, that keeps `dump.rdb`; or a file ending
    in `.rdb`. `decode_responses`: bulk strings come back as str. `databases`: how many numbered
    databases. `clock`: a ManualClock to move time by hand. `progress`: called with bytes done and
    bytes in all while a dump is loaded. Other keywords are configuration parameters with
    underscores for dashes, as CONFIG SET takes them: `hash_max_listpack_entries=64`.

    RdbError when the dump is damaged, LockedError when the directory is in use, FileError when the
    path cannot be used, ResponseError for a parameter that does not exist.

    >>> with minidis.open(decode_responses=True, hash_max_listpack_entries=64) as text_db:
    ...     text_db.set("name", "Ann"), text_db.get("name")
    (OK, 'Ann')
    """
    if databases < 1:
        raise ValueError("databases must be at least 1")
    directory = DataDirectory(path)
    engine: Engine | None = None
    try:
        engine = Engine(directory, clock or Clock(), databases)
        db: Minidis[Any] = (MinidisText if decode_responses else Minidis)(engine)
        for name, value in config.items():
            pair = name.replace("_", "-").encode(), encode(value)
            set_parameters(engine, [pair], opening=True)
        engine.complete()
        load_users(engine)
        engine.load(progress)
        return db
    except BaseException:  # an interruption, too: nobody has the object, so nobody would close it
        if engine is not None:
            engine.close(save=False)
        directory.close()
        raise
