"""The engine: what all sessions of one open database share.

    Engine (this file)    opening, closing, expiry, fork
      Dispatcher          run, commit, rollback             commit.py
      unit                the running command               keyspace/unit.py
      databases           keys and values                   keyspace/keyspace.py
      observers           told of every commit              observers/
      store, settings     files; configuration              store.py, settings.py
      clients, users      callers and their permissions     clients/, acl/
      pause, exec_thread, expiry_thread, server             parts that come and go

All of it is guarded by one lock, `unit.lock`.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from minidis.acl.users import Users
from minidis.clients.client import Client, Clients
from minidis.clients.info import client_line
from minidis.clock import Clock, Progress, ReplayClock
from minidis.engine.commit import Dispatcher
from minidis.engine.exec_thread import ExecThread
from minidis.engine.parts import ServerHost
from minidis.engine.pause import Pause
from minidis.engine.settings import Settings
from minidis.engine.store import Store
from minidis.errors import ClosedError
from minidis.keyspace.expiry import ExpiryThread
from minidis.keyspace.keyspace import Keyspace
from minidis.keyspace.unit import Unit
from minidis.observers.listeners import Callback
from minidis.observers.observers import Observers
from minidis.persistence.directory import DataDirectory

#: Keys expired in one hold of the lock; other threads get their turn in between.
EXPIRE_SLICE = 200


class ClosedKeyspace(Keyspace):
    """What a keyspace turns into at close(): every access raises ClosedError."""

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        raise ClosedError


class Engine(Dispatcher):
    """Databases, clock, settings and files; shared by the sessions of one open()."""

    def __init__(self, directory: DataDirectory, clock: Clock, databases: int) -> None:
        self.unit = Unit(clock)
        schedule = _weakly(self.schedule)
        self.databases = [Keyspace(self.unit, number, schedule) for number in range(databases)]
        self.settings = Settings()
        self.store = Store(directory, self.unit, self.databases, self.settings)
        self.clients = Clients(clock.now())
        self.users = Users(clock)
        self.users.describe_client = lambda client, running: client_line(
            client, clock.now(), running
        )
        self.observers = self._new_observers()
        self.pause = Pause(self.clients.update_all_checks)
        self.exec_thread = ExecThread(self.unit)
        self.expiry_thread = ExpiryThread(self.unit, self.expire_due)
        #: the RESP server, once there is one (see server/)
        self.server: ServerHost | None = None
        #: ends the program that serves this database, if one does; see SHUTDOWN. False: save
        #: nothing
        self.on_shutdown: Callable[[bool | None], None] | None = None
        self.closed = False
        clock.attach(self)
        _ENGINES.add(self)

    @property
    def clock(self) -> Clock:
        """Where the time comes from."""
        return self.unit.clock

    @property
    def lock(self) -> threading.RLock:
        """Guards everything that sessions share."""
        return self.unit.lock

    def _new_observers(self) -> Observers:
        return Observers(self.unit, self.clients, self.databases, _weakly(self.return_elements))

    # expiry ------------------------------------------------------------------------------------

    def schedule(self, deadline: int) -> None:
        """A key is due at `deadline`; a clock that is moved by hand needs no thread for that."""
        if self.clock.runs:
            self.expiry_thread.schedule(deadline)

    def expire_due(self) -> int | None:
        """Let due keys expire, a slice at a time; when the next one is due, or None."""
        with self.lock:
            if self.closed:
                return None
            now = self.clock.now()
            if self.pause and (paused := self._end_pause(now)) is not None:
                self.expiry_thread.wakes_at(paused)
                return paused
            self.work(self._expire_slice)
            deadlines = [space.next_deadline() for space in self.databases]
            following = min((one for one in deadlines if one is not None), default=None)
            self.expiry_thread.wakes_at(following)
            return following

    def _expire_slice(self) -> None:
        now, left = self.unit.now(), EXPIRE_SLICE
        for space in self.databases:
            left -= space.expire_due(now, left)

    def clock_moved(self) -> None:
        """The clock was moved by hand: everything that is due happens now."""
        with self.lock:
            self.observers.blocked.expire_due(self.clock.monotonic())
        while True:
            following = self.expire_due()
            if following is None or following >= self.clock.now():
                return

    @contextlib.contextmanager
    def replaying(self) -> Iterator[None]:
        """Repeat effects that were stated earlier: no key expires, and no time is in the past.

        A log states each expiry by a DEL. Without this, a key that expires now could be missing to
        a command that has found it. What is due at the end expires then.
        """
        with self.lock:
            clock, self.unit.clock = self.unit.clock, ReplayClock()
            try:
                yield
            finally:
                self.unit.clock, self.unit.time = clock, 0
        self._schedule_next()
        if not clock.runs:
            self.clock_moved()

    def _schedule_next(self) -> None:
        """Schedule the next expiry of each database."""
        for space in self.databases:
            if (deadline := space.next_deadline()) is not None:
                self.schedule(deadline)

    # pause -------------------------------------------------------------------------------------

    def pause_clients(self, until: int, *, writes_only: bool) -> None:
        """Let calls wait until then (milliseconds since 1970). A longer pause stays."""
        self.pause.begin(until, writes_only=writes_only)
        if self.pause.until is not None:
            self.schedule(self.pause.until)

    def unpause(self) -> None:
        """Calls need not wait any longer."""
        self.pause.end()
        self.observers.blocked.resume()
        self._schedule_next()  # what became due meanwhile has waited, too

    def _end_pause(self, now: int) -> int | None:
        """End a pause that is over; the end of one that is not."""
        if self.pause.until is not None and now <= self.pause.until:
            return self.pause.until
        self.unpause()
        return None

    # clients -----------------------------------------------------------------------------------

    def forget_client(self, client: Client) -> None:
        """The client has gone: it is told nothing any more."""
        self.observers.forget(client)
        self.clients.leave(client)

    def listen(self, callback: Callback) -> Callable[[], None]:
        """Call back with every event of every database; the returned function stops it."""
        with self.lock:
            if self.closed:
                raise ClosedError
            self.observers.listen(callback)

        def stop() -> None:
            with self.lock:
                self.observers.stop_listening(callback)

        return stop

    # files, closing ----------------------------------------------------------------------------

    def load(self, progress: Progress | None = None) -> None:
        """Read the dump, if there is one."""
        with self.lock:  # what is due may expire when all is there
            self.store.load(progress)
        if self.store.directory.saved_on_close:
            _DURABLE.add(self)

    def save(self, progress: Progress | None = None) -> None:
        """Write all databases to the dump."""
        with self.lock:
            self.store.save(progress)

    def close(self, *, save: bool | None = None) -> None:
        """Save if there is a directory and something changed, then release everything."""
        if self.server is not None:
            self.server.close()  # without the lock, which its thread may need
        with self.lock:
            if not self.closed:
                if save is None:
                    save = self.store.directory.saved_on_close and self.store.dirty > 0
                if save and self.store.is_ours:
                    self.save()
                self.closed = True
                self.clients.update_all_checks()
            self._release()

    def _release(self) -> None:
        """The end of close(); another close() repeats it after an interruption."""
        self.expiry_thread.stop()
        self.exec_thread.stop()
        self.observers.close()
        for client in self.clients:
            client.kill()
        for space in self.databases:
            if type(space) is Keyspace:
                space.set_contents(({}, {}, [], None, None))
                space.__class__ = ClosedKeyspace
        _DURABLE.discard(self)
        self.store.directory.close()

    # fork --------------------------------------------------------------------------------------

    def after_fork(self) -> None:
        """In the child: threads, listeners and the directory stay with the parent."""
        torn = not self.lock.acquire(blocking=False)  # another thread was running a command
        self.unit.after_fork()
        self.store.directory.after_fork()
        if self.server is not None:
            self.server.after_fork()
            self.server = None
        self.expiry_thread = ExpiryThread(self.unit, self.expire_due)
        self.exec_thread = ExecThread(self.unit)
        self.observers = self._new_observers()
        self.clients.monitors = {}
        self._keep_own_sessions()
        self.pause.until = None
        self.observers.update()
        self.clients.update_all_checks()
        if torn:
            self.rollback(KeyboardInterrupt(), [list(space.values) for space in self.databases])

    def _keep_own_sessions(self) -> None:
        """In the child: embedded sessions stay, with what they watch; no other client does."""
        for client in list(self.clients):
            client.tracking = None
            client.blocked_calls.clear()
            if client.owner is not None and client.trusted:
                self.observers.watches.adopt(client.watch)
            else:
                self.clients.leave(client)
                client.forked()


def _weakly(method: Callable[..., None]) -> Callable[..., None]:
    """The method by a weak reference: no cycle keeps an engine without sessions alive."""
    reference = weakref.WeakMethod(method)

    def call(*args: Any) -> None:
        found = reference()
        if found is not None:
            found(*args)

    return call


#: Directories that are open. Forgotten ones are saved when the interpreter ends, as by close().
_DURABLE: set[Engine] = set()
_ENGINES: weakref.WeakSet[Engine] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    with contextlib.ExitStack() as stack:  # all of them, also when one cannot be saved
        for engine in _DURABLE:
            stack.callback(engine.close)


def _after_fork_in_child() -> None:
    for engine in list(_ENGINES):
        engine.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
