"""The engine: what all sessions of one database share, and the chores around a command.

    gate (a door of command.py, or Session.run)      chores (here)
      take the lock                                    now()       one frozen moment per command
      moment = 0                                       settle()    forget undo, tell others
      body                                             rollback()  a refusal or an interruption
      settle / rollback                                schedule()  somebody wakes at a deadline

Nothing here runs unless it is needed: a GET without a deadline asks for no time, a write that
nobody pays attention to collects nothing. Attention pay: listeners, watched keys, calls that wait
for a key, keyspace notifications, tracking. All of them hear of a change in _tell() and _concern(),
after the command.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import queue
import random
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from minidis import errors
from minidis.acl.users import Users
from minidis.api.subscription import MonitoredCommand, call
from minidis.clients.client import Client, Clients
from minidis.clients.info import describe
from minidis.clock import Clock, Progress
from minidis.engine.client_limits import ClientLimits
from minidis.engine.exec_thread import ExecThread
from minidis.errors import ClosedError, FileError, MinidisError
from minidis.keyspace.expiry import ExpiryThread
from minidis.keyspace.keyspace import Keyspace
from minidis.observers import notifications
from minidis.observers.blocking import Waiters
from minidis.observers.channels import Channels
from minidis.observers.tracking import TrackingTable
from minidis.observers.watch import Watchers
from minidis.persistence import snapshot
from minidis.persistence.directory import DataDirectory
from minidis.persistence.rdb.payload import Loaded
from minidis.replies import Status
from minidis.structures.limits import Limits

if TYPE_CHECKING:
    from minidis.server.thread import ServerThread

#: Keys expired in one hold of the lock; others get their turn in between.
EXPIRE_SLICE = 200

#: What we answer when asked which server we are like: reply shapes, encodings, file version.
REDIS_VERSION = "7.0.15"


#: In the list of what has been touched: a database has been emptied, or exchanged.
EMPTIED, EXCHANGED = "-", "~"
REPLACED = (EMPTIED, EXCHANGED)
#: A key has changed without an event of its own.
CHANGED = "*"
#: Events that change nothing, and those that leave the entries of a stream, and so the value.
NO_CHANGES = frozenset(("keymiss", "new"))
AROUND, GROUP_GONE = ("xgroup-", "xsetid"), "xgroup-destroy"
#: Events that give nothing to those who wait for entries of a stream.
NO_GIFTS = frozenset(("xdel", "xtrim", "expire", "persist", CHANGED))


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to a key: `Event(0, "expired", b"session:1")`."""

    database: int
    name: str
    key: bytes


#: What one command has touched: (database, event, key), ...; None ends the thread.
_Events = queue.SimpleQueue[list[tuple[int, str, bytes]] | None]


class ClosedKeyspace(Keyspace):
    """What a keyspace turns into at close(): every access says so."""

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        raise ClosedError


class Engine:
    """Databases, clock, limits and files; shared by the sessions of one open()."""

    def __init__(self, directory: DataDirectory, clock: Clock, databases: int) -> None:
        self.lock = threading.RLock()
        self.directory = directory
        self.clock = clock
        #: the frozen moment of the running command in milliseconds; 0: not asked yet
        self.moment = 0
        #: how to put back what the running command has changed so far
        self.undo: list[tuple[Any, ...]] = []
        self.touched: list[tuple[int, str, bytes]] = []
        self.unsettled = False
        #: the running command has happened, whatever strikes before the chores are done
        self.committed = False
        #: what earlier commands of a running EXEC have touched
        self.kept: list[tuple[int, str, bytes]] = []
        #: somebody wants to know what is touched
        self.observed = False
        #: somebody wants to know which keys come to be
        self.announces_new = False
        self.listeners: list[Callable[[Event], None]] = []
        self.watchers = Watchers()
        self.waiters = Waiters(self)
        self.exec_thread = ExecThread(self)
        self.clients = Clients()
        self.channels = Channels()
        self.tracking = TrackingTable(self)
        self.users = Users(clock)
        self.users.describe_client = lambda client, running: describe(client, clock.now(), running)
        #: classes of keyspace notifications that are published, see notifications.py
        self.notify = 0
        #: clients that see every command
        self.monitors: dict[Client, None] = {}
        #: until when (milliseconds since 1970) calls have to wait, and if it is only writes
        self.pause: tuple[int, bool] | None = None
        #: who has made the running change, as far as it matters to tracking
        self.caller: Client | None = None
        self.limits = Limits()
        self.client_limits = ClientLimits()
        #: the doors through which others come in, once there is one (see server/)
        self.doors: ServerThread | None = None
        self.max_string = 512 * 1024 * 1024
        self.compression = True
        self.checksum = True
        self.databases = [Keyspace(self, number) for number in range(databases)]
        self.expired_keys = 0
        #: a random number below n; tests may replace it
        self.randbelow: Callable[[int], int] = random.Random().randrange
        self.opened_at = clock.now()
        self.saved_at = self.opened_at // 1000
        #: ends the program that serves this database, if one does; see SHUTDOWN. False: save
        #: nothing
        self.on_shutdown: Callable[[bool | None], None] | None = None
        self.closed = False
        self._saved_dirty = 0
        self._expiry_thread = ExpiryThread(self)
        self._events: _Events | None = None
        self._process = os.getpid()
        clock.attach(self)
        _ENGINES.add(self)

    # time ------------------------------------------------------------------------------------

    def now(self) -> int:
        """Milliseconds since 1970, the same all through one command."""
        moment = self.moment
        if not moment:
            moment = self.moment = self.clock.now()
        return moment

    def schedule(self, deadline: int) -> None:
        """A key is due at `deadline`; with a clock moved by hand nobody has to wait for it."""
        if self.clock.runs:
            self._expiry_thread.schedule(deadline)

    def expire_due(self) -> int | None:
        """Let due keys expire, a slice at a time; when the next one is due, or None."""
        with self.lock:
            if self.closed:
                return None
            self.moment = 0
            now = self.now()
            if self.pause is not None and (paused := self._end_pause(now)) is not None:
                self._expiry_thread.wakes_at(paused)
                return paused
            room = EXPIRE_SLICE
            try:
                for keys in self.databases:
                    room -= keys.expire_due(now, room)
                self.settle()
            except BaseException as error:
                self.rollback(error, ())
                raise
            moments = [keys.next_deadline() for keys in self.databases]
            following = min((moment for moment in moments if moment is not None), default=None)
            self._expiry_thread.wakes_at(following)
            return following

    def clock_moved(self) -> None:
        """The clock was moved by hand: everything due happens now."""
        with self.lock:
            self.waiters.expire_due(self.clock.monotonic())
        while True:
            following = self.expire_due()
            if following is None or following >= self.clock.now():
                return

    # chores ----------------------------------------------------------------------------------

    def settle(self) -> None:
        """The command is complete: nothing is to be put back, and who is concerned is told."""
        self.committed = True
        self.undo.clear()
        served = True
        while served or self.touched or self.kept:
            if self.touched or self.kept:
                self._tell(self.touched)
                whole = self.kept + self.touched if self.kept else self.touched
                if self.tracking:
                    self.tracking.broadcast_changes(self._changed(whole))
                self._concern(whole)
                self.touched, self.kept = [], []
            # One caller at a time: what that touches is told before the next is served.
            served = self.waiters.waits_for_keys and self.waiters.serve()
        self.unsettled = False
        self.committed = False

    def _tell(self, touched: list[tuple[int, str, bytes]]) -> None:
        """Tell of changes. After an interruption some may hear of them twice, nobody never."""
        self._invalidate(touched)
        events = [entry for entry in touched if entry[1] not in (*REPLACED, CHANGED)]
        if self.notify:
            for channel, message in notifications.messages(self.notify, events):
                self.channels.publish(channel, message)
        if self._events is not None:
            self._events.put([entry for entry in events if entry[1] not in NO_CHANGES])

    def _concern(self, touched: list[tuple[int, str, bytes]]) -> None:
        """Spoil watches, mark keys that somebody may be waiting for."""
        if self.watchers.gone:
            self.watchers.forget_gone()
            self.update_observers()
        for number, event, key in touched:
            if event in REPLACED:
                self.waiters.touched_all(number)
                continue
            changes = _changes(event)
            if changes:
                self.watchers.touched(self.databases[number], key)
            if event == GROUP_GONE or (changes and event not in NO_GIFTS):
                self.waiters.touched((number, key))

    def _invalidate(self, touched: list[tuple[int, str, bytes]]) -> None:
        """Tell clients that have read the keys."""
        if self.tracking:
            self.tracking.forget_gone()
            if any(event == EMPTIED for _, event, _ in touched):
                self.tracking.flushed()
            self.tracking.touched(self._changed(touched))

    def _changed(self, touched: list[tuple[int, str, bytes]]) -> dict[bytes, Client | None]:
        """The keys whose values are others now, and who has changed them."""
        return {
            key: None if event == "expired" else self.caller
            for _, event, key in touched
            if event not in REPLACED and _changes(event)
        }

    def update_observers(self) -> None:
        """Recompute whether anybody pays attention to changes. Under the lock."""
        observed = bool(
            self.listeners
            or self.notify
            or self.watchers
            or self.waiters.waits_for_keys
            or self.tracking
        )
        self.announces_new = notifications.announces_new(self.notify)
        if observed != self.observed and not self.closed:
            self.observed = observed
            for keys in self.databases:
                keys.update_unobserved()

    def update_all_checks(self) -> None:
        """Recompute which sessions need a second look at every command."""
        for client in self.clients:
            session = client.session
            if session is not None:
                session.update_checks()

    def before_replacing(self, space: Keyspace, following: Keyspace | None = None) -> None:
        """A database is about to be emptied, or to get the contents of the following one."""
        if self.observed:
            self.watchers.emptied(space, following)
            event = EMPTIED if following is None else EXCHANGED
            self.touched.append((space.number, event, b""))
            self.unsettled = True

    def forget_client(self, client: Client) -> None:
        """The client has gone: it hears and sees nothing any more."""
        self.channels.forget(client)
        self.tracking.stop(client)
        self.monitors.pop(client, None)
        self.clients.leave(client)
        self.update_observers()
        if client.monitors and not self.monitors:
            self.update_all_checks()

    def show_monitors(self, caller: Client, database: int, words: list[bytes]) -> None:
        """Show a command to those who monitor."""
        seen = MonitoredCommand(self.clock.now_us() / 1e6, database, caller.address, words)
        for client in list(self.monitors):
            client.deliver(seen if client.kind == "embedded" else Status(seen.line()))

    # one of several commands in EXEC ---------------------------------------------------------

    def keep(self) -> None:
        """A command of a running EXEC is complete; whoever waits or watches is concerned at the
        end, and messages come in the order of the commands."""
        self.undo.clear()
        self._tell(self.touched)
        self.kept += self.touched
        self.touched = []

    def rollback_nested(self, error: BaseException, values: Iterable[Any]) -> None:
        """A command inside something greater did not complete: leave what it found."""
        if self.undo or not isinstance(error, MinidisError):
            self._undo(values)
        self.keep()

    def return_elements(self, function: Callable[[Any], None], taken: Any) -> None:
        """An answer that nobody could take: what it took goes back."""
        self.moment = 0
        try:
            function(taken)
            self.settle()
        except BaseException as error:
            self.rollback(error, (taken,))
            raise

    # pause -----------------------------------------------------------------------------------

    def pause_clients(self, until: int, *, writes_only: bool) -> None:
        """Let calls wait until a moment (milliseconds since 1970). A longer pause stays."""
        if self.pause is not None:
            until, writes_only = max(until, self.pause[0]), writes_only and self.pause[1]
        self.pause = (until, writes_only)
        self.schedule(until)
        self.update_all_checks()

    def unpause(self) -> None:
        """Calls need not wait any longer."""
        self.pause = None
        self.update_all_checks()
        self.waiters.resume()
        for keys in self.databases:  # what became due meanwhile has waited, too
            if (deadline := keys.next_deadline()) is not None:
                self.schedule(deadline)

    def _end_pause(self, now: int) -> int | None:
        """End a pause that is over; the end of one that is not."""
        assert self.pause is not None
        if now <= self.pause[0]:
            return self.pause[0]
        self.unpause()
        return None

    # interruptions ---------------------------------------------------------------------------

    def rollback(self, error: BaseException, values: Iterable[Any]) -> None:
        """The command did not complete: leave everything as it was before it. May be repeated."""
        refused = isinstance(error, MinidisError) and not self.undo and not self.committed
        if self.closed or refused:
            self.settle()  # what expired on the way has expired
            return
        struck = False
        while True:
            try:
                self._rollback(values)
                break
            except KeyboardInterrupt:  # a second Ctrl-C: start again, and do not forget it
                struck = True
        if struck:
            raise KeyboardInterrupt

    def _rollback(self, values: Iterable[Any]) -> None:
        if not self.committed:
            self._undo(values)  # and no more: what EXEC has completed before is told
        elif (waiter := self.waiters.current) is not None:  # struck while somebody was served
            if waiter.done:
                self.waiters.complete()
            else:
                self._undo((waiter.args, waiter.options))
        self.settle()

    def _undo(self, values: Iterable[Any]) -> None:
        keys = set(_words(values))
        # Whether a single step has happened is not known: watches are spoiled, and callers that
        # wait look again. But events are for what has happened.
        self._concern(self.touched)
        # What has expired on the way has expired, and nothing else has happened.
        self.touched = [touched for touched in self.touched if touched[1] == "expired"]
        # Containers first: an entry of the undo list may rely on them being whole.
        for database in self.databases:
            database.repair_values(keys)
        while self.undo:
            entry = self.undo[-1]
            entry[0](*entry[1:])
            self.undo.pop()
        for database in self.databases:
            database.repair(keys)
        self.touched = [
            (number, name, key)
            for number, name, key in self.touched
            if key not in self.databases[number].values
        ]

    def listen(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Call back with every event of every database; the answer stops it. See Minidis.listen."""
        with self.lock:
            if self.closed:
                raise ClosedError
            if self._events is None:
                self._events = self._start_events()
            self.listeners.append(callback)
            self.update_observers()

        def stop() -> None:
            with self.lock:
                if callback in self.listeners:
                    self.listeners.remove(callback)
                self.update_observers()

        return stop

    def _start_events(self) -> _Events:
        events: _Events = queue.SimpleQueue()
        threading.Thread(
            target=_deliver, args=(events, self.listeners), name="minidis-events", daemon=True
        ).start()
        weakref.finalize(self, events.put, None).atexit = False
        return events

    # files -----------------------------------------------------------------------------------

    @property
    def dirty(self) -> int:
        """Changes since the last save."""
        return sum(keys.dirty for keys in self.databases) - self._saved_dirty

    def load(self, progress: Progress | None = None) -> None:
        """Read the dump of the data directory, if there is one, into the databases."""
        path = self.directory.dump_path
        with self.lock:  # what is due may expire when all is there
            if path is not None and not _missing(path):
                self._adopt(self._read(path, progress))
        if self.directory.saved_on_close:
            _DURABLE.add(self)

    def _read(self, path: str, progress: Progress | None) -> Loaded:
        return snapshot.load(
            path,
            self.limits,
            now=self.clock.now(),
            databases=len(self.databases),
            progress=progress,
        )

    def _adopt(self, loaded: Loaded) -> None:
        for number, data in loaded.databases.items():
            keys = self.databases[number]
            keys.adopt(data.values, data.deadlines)
            if data.idle:
                now = self.clock.now() // 1000
                access = keys.track_access(now)
                access.update({key: now - idle for key, idle in data.idle.items()})

    def save(self, progress: Progress | None = None) -> None:
        """Write all databases to the dump, atomically."""
        if self.directory.dump_path is None:
            raise errors.error(
                "this database lives in memory only; open a directory or an .rdb file to save"
            )
        if os.getpid() != self._process:
            raise FileError(
                "this process was forked from the one that opened the database; "
                "only that one may write its files"
            )
        with self.lock:
            self._write(self.directory.dump_path, progress)
            self._saved_dirty += self.dirty
            self.saved_at = self.clock.now() // 1000

    def _write(self, path: str, progress: Progress | None) -> None:
        snapshot.save(
            path,
            {keys.number: _View(keys) for keys in self.databases if keys.values},
            self.limits,
            aux=self._aux(),
            compression=self.compression,
            checksum=self.checksum,
            progress=progress,
        )

    def reload(self, *, save: bool) -> None:
        """DEBUG RELOAD: replace the data by what a dump of it says."""
        if self.directory.dump_path is not None:
            if save:
                self.save()
            self._replace(self.directory.dump_path)
            return
        if not save:
            raise errors.error("this database lives in memory only; there is no dump to load")
        with tempfile.TemporaryDirectory(prefix="minidis-") as directory:
            path = os.path.join(directory, "reload.rdb")
            self._write(path, None)
            self._replace(path)

    def _replace(self, path: str) -> None:
        """Load `path` in place of all data; an error leaves the data as it is."""
        loaded = self._read(path, None)
        for keys in self.databases:
            keys.clear()
        self._adopt(loaded)

    def _aux(self) -> dict[bytes, bytes | int]:
        return {
            b"redis-ver": REDIS_VERSION.encode(),
            b"redis-bits": 64,
            b"ctime": int(time.time()) if self.clock.runs else self.clock.now() // 1000,
            b"used-mem": 0,
            b"aof-base": 0,
        }

    def close(self, *, save: bool | None = None) -> None:
        """Save if the database has a directory and something changed, then release everything."""
        if self.doors is not None:
            self.doors.close()  # without the lock, which its thread may need
        with self.lock:
            if not self.closed:
                if save is None:
                    save = self.directory.saved_on_close and self.dirty > 0
                if save and os.getpid() == self._process:
                    self.save()
                self.closed = True
                self.update_all_checks()
            self._let_go()

    def _let_go(self) -> None:
        """The end of close(); another close() does it again if an interruption struck here."""
        self._expiry_thread.stop()
        self.exec_thread.stop()
        if self._events is not None:
            self._events.put(None)
        self.waiters.close()
        for client in self.clients:
            client.kill()
        for keys in self.databases:
            if type(keys) is Keyspace:
                keys.set_contents(({}, {}, [], None, None))
                keys.__class__ = ClosedKeyspace
        _DURABLE.discard(self)
        self.directory.close()

    def after_fork(self) -> None:
        """In the child: threads, listeners and the directory stay with the parent."""
        torn = not self.lock.acquire(blocking=False)  # another thread was amid a command
        self.lock = threading.RLock()
        self.directory.after_fork()
        if self.doors is not None:
            self.doors.after_fork()
            self.doors = None
        self._expiry_thread = ExpiryThread(self)
        self._events = None
        self.listeners = []
        self.watchers, self.waiters, self.exec_thread = Watchers(), Waiters(self), ExecThread(self)
        self.channels, self.tracking, self.monitors = Channels(), TrackingTable(self), {}
        self._keep_own_sessions()
        self.pause = None
        self.update_observers()
        self.update_all_checks()
        if torn:
            self.rollback(KeyboardInterrupt(), [list(keys.values) for keys in self.databases])

    def _keep_own_sessions(self) -> None:
        """In the child: sessions of the program stay, with what they watch; nobody else is here."""
        for client in list(self.clients):
            client.tracking = None
            client.waiters.clear()
            if client.session is not None and client.trusted:
                self.watchers.adopt(client.session.watched)
            else:
                self.clients.leave(client)
                client.forked()


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


def _missing(path: str) -> bool:
    """Is there no such file? One that cannot be looked at is no missing one."""
    try:
        os.stat(path)
    except FileNotFoundError:
        return True
    except OSError:
        pass
    return False


class _View:
    """A keyspace as the snapshot writer wants to see it."""

    def __init__(self, keys: Keyspace) -> None:
        self.values = keys.values
        self.deadlines = keys.deadlines
        self.idle: dict[bytes, int] | None = None
        self.freq: dict[bytes, int] | None = None


def _changes(event: str) -> bool:
    """Is the value of a key another one after it?"""
    return event not in NO_CHANGES and not event.startswith(AROUND)


def _deliver(events: _Events, listeners: list[Callable[[Event], None]]) -> None:
    """Hand out events in their order, never under the lock; a failing callback is reported."""
    while (touched := events.get()) is not None:
        for event in itertools.starmap(Event, touched):
            for listener in list(listeners):
                call(listener, event)


def _words(values: Iterable[Any]) -> Iterable[bytes]:
    """Every bytes object in nested arguments: the keys of the command are among them."""
    for value in values:
        if isinstance(value, bytes):
            yield value
        elif isinstance(value, dict):
            yield from _words(value)
            yield from _words(value.values())
        elif isinstance(value, (list, tuple)):
            yield from _words(value)
