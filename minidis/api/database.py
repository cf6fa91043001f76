"""class Minidis: the public interface of an open database, and minidis.open().

A Minidis object is a session: it has a selected database of its own and shares everything else with
the other sessions of the same open(). Its command methods are generated (grammar/methods.py).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, Literal, TypeVar, overload

from minidis.api.pipeline import Pipeline, PipelineText, Transaction, TransactionText
from minidis.api.session import Session, install_methods
from minidis.api.subscription import LIMIT, Message, Monitoring, Policy, Subscription
from minidis.clients.monitored import MonitoredCommand
from minidis.clock import Clock, Progress
from minidis.commands.server.acl import load_users
from minidis.commands.shared.group import T
from minidis.engine.config import set_parameters
from minidis.engine.engine import Engine
from minidis.engine.parts import Server
from minidis.errors import WatchError
from minidis.grammar.kinds import Key, Many, encode
from minidis.observers.listeners import Event
from minidis.persistence.directory import DataDirectory

S = TypeVar("S", bound="Minidis[Any]")


class Minidis(Session[T]):
    """A database: one method for each command, and `execute` for commands given as words.

    Open one with minidis.open(). It is thread-safe. `with minidis.open(...) as db:` closes it at
    the end of the block.
    """

    _pipelines: type[Pipeline[Any]] = Pipeline
    _transactions: type[Transaction[Any]] = Transaction

    # several commands at once ------------------------------------------------------------------

    def pipeline(self, transaction: bool = True) -> Pipeline[T]:
        """Queue calls and run them together: `execute()` returns a list of their replies.

        transaction: False does not wrap the calls in MULTI and EXEC, so that other clients may run
        commands in between. Use it in a `with` block; see Pipeline for watch() and multi().

        >>> with db.pipeline() as pipe:
        ...     pipe.set("a", 1).incr("a").execute()
        [OK, 2]
        """
        return self._pipelines(self.engine, self.space.number, transaction=transaction)

    def transaction(
        self, watch: Iterable[Key] = (), *, raise_on_error: bool = True
    ) -> Transaction[T]:
        """Return a context manager whose calls run as one transaction at the end of the block.

        The calls are queued; after the block `results` has their replies. An exception in the block
        discards them.
        watch: raise WatchError at the end, and run nothing, if one of these keys was changed since
        the block began. raise_on_error: raise the first error reply at the end of the block, after
        all calls have run; False leaves error replies in `results`.

        >>> with db.transaction(watch=["a"]) as tx:
        ...     queued = tx.set("a", 1), tx.incr("a")
        >>> tx.results
        [OK, 2]
        """
        return self._transactions(
            self.engine, self.space.number, watch=watch, raise_on_error=raise_on_error
        )

    def transact(self, function: Callable[[Pipeline[T]], object], *watches: Key) -> list[Any]:
        """Call `function` with a transaction, and repeat it until no watched key was changed.

        Before `multi()` the calls of the transaction run immediately; after it they are queued.
        Returns the list of replies of EXEC.

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

    # sessions and servers ----------------------------------------------------------------------

    def session(self: S, database: int = 0) -> S:
        """Return another session on the same data, with its own selected database.

        It lets threads use different databases. It need not be closed: close(), or the end of a
        `with` block, closes the database for all sessions. Raises ResponseError if there is no
        database with this number.

        >>> other = db.session(1)
        >>> other.set("a", 1), db.exists("a")
        (OK, 0)
        """
        return type(self)(self.engine, database)

    def listen(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Call `callback(Event(database, name, key))` for every change of a key.

        The callback runs in a thread of its own, without the lock, in the order of the changes;
        `expired` events come when the key expires. Call the returned function to stop.
        """
        return self.engine.listen(callback)

    def serve(self, address: str) -> Server:
        """Start a RESP server for this database and return it: Redis clients can connect to it.

        address: "127.0.0.1:6379", "localhost:0" (any free port, see `server.address`), or
        "unix:app.sock". Clients on other machines are rejected unless a password is set (CONFIG SET
        requirepass). A background thread serves the clients. `server.close()`, or the end of a
        `with` block, stops the server; closing the database stops all its servers.

        Raises AddressError if the server cannot listen there.

        >>> with db.serve("127.0.0.1:0") as server:
        ...     server.address.startswith("127.0.0.1:")
        True
        """
        # By its name: the server stands above this package, and imports asyncio, which takes time.
        server: Server = import_module("minidis.server.resp_server").serve(self, address)
        return server

    def close(self, *, save: bool | None = None) -> None:
        """Close the database for all sessions, and its servers. Closing twice is harmless.

        save: None saves a directory if something changed; True always saves, False never does. A
        database in memory cannot be saved; one in an .rdb file is saved with True only.
        """
        self.engine.close(save=save)

    def __enter__(self: S) -> S:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class MinidisText(Minidis[str]):
    """A database that returns bulk strings as str: minidis.open(decode_responses=True)."""

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

    path: None keeps the data in memory; a directory, created if needed, has its dump in `dump.rdb`;
    a file must end in `.rdb`. decode_responses: return bulk strings as str. databases: number of
    databases. clock: a ManualClock lets tests set the time. progress: called with the bytes done
    and the total while a dump is loaded. Other keywords are configuration parameters, as CONFIG SET
    takes them, with underscores in place of dashes: `hash_max_listpack_entries=64`.

    Raises RdbError if the dump is damaged, LockedError if the directory is in use, FileError if the
    path cannot be used, ResponseError for an unknown parameter.

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
    except BaseException:  # KeyboardInterrupt, too: the caller has no object that it could close
        if engine is not None:
            engine.close(save=False)
        directory.close()
        raise
