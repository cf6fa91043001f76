"""class Session: one client of a database, with its own selected database, MULTI queue and watches.

    typed method ───────────────────┐  usual case: convert the arguments, run (grammar/methods.py)
    words  ── execute() ────────────┤
                                    └─ slow path: call()
                                         checks: permission, MULTI, pause ... (checks.py)
                                         run it as a unit
                                         blocked: sleep() until it is served
                                         followers: monitors, tracking

A session takes the slow path while a check or a follower may apply to it. Embedded sessions,
connections and coroutines share all of this; they differ in how they wait (see sleep).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

from minidis import errors
from minidis.api.checks import Check, check_nested, checks_of
from minidis.clients.blocked import RETRY, BlockedCall, Wait
from minidis.clients.client import Client
from minidis.clients.monitored import MonitoredCommand
from minidis.commands.blocking import Blocking
from minidis.commands.counters import Counters
from minidis.commands.hashes import Hashes
from minidis.commands.keys.generic import Keys
from minidis.commands.keys.objects import Objects
from minidis.commands.keys.sorting import Sorting
from minidis.commands.list_moves import ListMoves
from minidis.commands.lists import Lists
from minidis.commands.pubsub import PubSub
from minidis.commands.server.acl import Acl
from minidis.commands.server.clients import ClientCommands
from minidis.commands.server.connection import ConnectionCommands
from minidis.commands.server.databases import Server
from minidis.commands.server.debugging import Debugging
from minidis.commands.server.information import Information
from minidis.commands.server.introspection import Introspection
from minidis.commands.server.tracking import TrackingCommands
from minidis.commands.sets import Sets
from minidis.commands.shared.group import T
from minidis.commands.sorted_sets.algebra import SortedSetAlgebra
from minidis.commands.sorted_sets.members import SortedSets
from minidis.commands.sorted_sets.ranges import SortedSetRanges
from minidis.commands.streams.claims import StreamClaims
from minidis.commands.streams.info import StreamInfo
from minidis.commands.string_ranges import StringRanges
from minidis.commands.strings import Strings
from minidis.commands.transactions import Transactions
from minidis.engine.engine import Engine
from minidis.errors import MinidisError, ResponseError
from minidis.grammar.call import Call, arguments_of, keys_of, redacted_words_of
from minidis.grammar.command import COMMANDS, PARENT_COMMANDS, SPELLINGS, Command, find
from minidis.grammar.kinds import Key, encode
from minidis.grammar.methods import LazyMethod
from minidis.keyspace.unit import CHECKED, NoVersion, Unit
from minidis.replies import QUEUED, Status, decoded


class Session(
    Blocking[T],
    Strings[T],
    StringRanges[T],
    Objects[T],
    Sorting[T],
    Keys[T],
    Hashes[T],
    ListMoves[T],
    Lists[T],
    SortedSets[T],
    StreamClaims[T],
    StreamInfo[T],
    SortedSetRanges[T],
    SortedSetAlgebra[T],
    Sets[T],
    Counters[T],
    Transactions[T],
    TrackingCommands[T],
    PubSub[T],
    ClientCommands[T],
    ConnectionCommands[T],
    Server[T],
    Information[T],
    Debugging[T],
    Introspection[T],
    Acl[T],
):
    """One method for each command, `execute` for words."""

    _decode = False

    def __init__(self, engine: Engine, database: int = 0, client: Client | None = None) -> None:
        if engine.closed:
            raise errors.ClosedError
        if not 0 <= database < len(engine.databases):
            raise errors.error(errors.DB_OUT_OF_RANGE)
        self.engine = engine
        self.unit = engine.unit
        self.client = client = client or Client()
        self.space = engine.databases[database]
        client.database = database
        self._register()

    def _register(self) -> None:
        """Enter the client among the others, which may ask for it from now on."""
        engine = self.engine
        self.client.belongs_to(self)
        with engine.lock:
            engine.clients.enter(self.client, engine.clock.now())
            self.update_checks()

    def select_database(self, number: int) -> None:
        """Let commands work on the database of that number, which must exist."""
        self.space = self.engine.databases[number]
        self.client.database = number

    def update_checks(self) -> None:
        """Recompute which checks and followers may apply to this session."""
        client, monitors = self.client, self.engine.clients.monitors
        self.follows = bool(monitors or client.tracking is not None or client.no_touch)
        self.checks = checks_of(self)
        slow = self.checks or self.follows or client.listening
        #: the unit; None while the slow path has something to do before or after commands of this
        #: session
        self.direct_unit = None if slow else self.unit
        #: where a read without the lock finds unit.version
        self.reads: Unit | NoVersion = self.direct_unit or CHECKED

    @property
    def needs_checks(self) -> bool:
        """Whether calls take the slow path."""
        return self.direct_unit is None

    # words ------------------------------------------------------------------------------------

    def execute(self, *words: Key) -> Any:
        """Run a command given as words, as a shell or a client would send it.

        Returns the RESP3 reply: bytes, int, float, None, list, dict, set; OK is a Status. An error
        reply is raised as ResponseError with the error message of Redis.

        >>> db.execute("ZADD", "rank", 3, "ann", 5, "bob")
        2
        >>> db.execute("ZRANGE", "rank", 0, -1)
        [b'ann', b'bob']
        """
        line: list[Any]
        try:
            line = [
                word
                if word.__class__ is bytes
                else word.encode()
                if word.__class__ is str
                else encode(word)
                for word in words
            ]
        except UnicodeEncodeError:
            line = [encode(word) for word in words]
        command = SPELLINGS.get(line[0]) if line else None
        if command is None or command.waits or self.direct_unit is None:
            reply = self.execute_checked(line)
        elif len(line) == command.plain:
            del line[0]
            reply = self.engine.run(command, self, line)
        else:
            args, options = command.parse(line)
            reply = self.engine.run(command, self, args, options)
        return decoded(reply) if self._decode else reply

    def execute_checked(self, words: list[bytes]) -> Any:
        """Words that take the slow path, or whose command is not known by this spelling yet."""
        try:
            command = self._found(words)
        except ResponseError as error:
            self._failed_before_queue(words, error)
            raise
        return self.call((command, (), {}, words))

    def _found(self, words: list[bytes]) -> Command:
        """The command of the words, if it exists and has the right number of words."""
        client = self.client
        client.command = "NULL"
        command = find_command(words)
        client.command = command.display_name
        if not command.accepts(len(words)):
            if command.undivided:
                raise errors.wrong_subcommand(words[0].decode().upper(), errors.shown(words[1]))
            raise errors.wrong_arity(command.display_name)
        return command

    def _failed_before_queue(self, words: list[bytes], error: ResponseError) -> None:
        """A command failed before it was queued: EXEC will fail, or has been this one."""
        self._caching_done("")
        if words and words[0].upper() == b"EXEC":
            if self.engine.clients.monitors:
                self._show(words)
            self.leave_transaction()
            raise ResponseError(errors.exec_aborted(error)) from None
        self.client.aborted = self.client.queue is not None

    def enqueue(self, call: Call) -> Any:
        """Keep a command for EXEC."""
        assert self.client.queue is not None
        self.client.queue.append(call)
        return QUEUED

    # the slow path ----------------------------------------------------------------------------

    def call_typed(self, command: Command, /, *args: Any, **options: Any) -> Any:
        """A typed call that takes the slow path; its arguments are converted already."""
        return self.call((command, args, options, None))

    def call(self, call: Call) -> Any:
        """Run a call with its checks and followers; wait if it has to."""
        if not call[0].waits and not self.engine.pause:
            reply = self._dispatch(call, None)
            if reply is not RETRY:
                return reply
        while True:
            reply = self._call_or_wait(call)
            if reply is not RETRY:
                return reply

    def _call_or_wait(self, call: Call) -> Any:
        blocked = BlockedCall(self.engine.observers.blocked, self.client, self, call)
        try:
            reply = self._dispatch(call, blocked)
            return self.sleep(blocked) if reply is blocked else reply
        except BaseException:
            try:
                blocked.cancel()
            except BaseException:
                blocked.cancel()
                raise
            raise

    def _dispatch(self, call: Call, blocked: BlockedCall | None) -> Any:
        if call[0].runs_queue:
            # The main thread may be interrupted, and a queue must not be torn.
            return self.engine.exec_thread.run(partial(self._run_call, call, blocked))
        return self._run_call(call, blocked)

    def _run_call(self, call: Call, blocked: BlockedCall | None) -> Any:
        """The reply; or `blocked`, in the queues of what it waits for (RETRY if it is None)."""
        engine = self.engine
        with engine.lock:
            reply = self._first_answer(call)
            if reply is None:
                reply = self._run_followed(call) if self.follows else self._run(call)
            if reply.__class__ is not Wait:
                return reply
            if blocked is None:
                return RETRY
            args, options = ((), {}) if reply.resumes else arguments_of(call)
            engine.observers.blocked.enter(blocked, reply, args, options)
        return blocked

    def _first_answer(self, call: Call) -> Any:
        """What the first check that replies says of the call; None: it may run.

        The loop has a function of its own: see test_no_jump_leaves_a_lock_held.
        """
        for check in self.checks:
            reply = self._checked(check, call)
            if reply is not None:
                return reply
        return None

    def _checked(self, check: Check, call: Call) -> Any:
        """What a check says of the call; its error makes EXEC fail."""
        try:
            return check.run(self, call)
        except ResponseError as error:
            if check.aborts and call[3] is not None:
                self._failed_before_queue(call[3], error)
            raise

    def _run(self, call: Call) -> Any:
        args, options = arguments_of(call)
        return self.engine.run(call[0], self, args, options)

    def _run_followed(self, call: Call) -> Any:
        """Run the call; monitors and tracking follow it, also when it fails."""
        unit, follow = self.unit, partial(self._follow, call)
        unit.caller = self.client
        try:
            args, options = arguments_of(call)
            with self._untouched(call) if self.client.no_touch else _TOUCHES:
                return self.engine.run(call[0], self, args, options, follow)
        except MinidisError:
            follow((), {})
            raise
        finally:
            unit.caller = None
            self._caching_done(call[0].name)

    def run_queue(self, calls: list[Call]) -> list[Any]:
        """Run the commands of EXEC; errors are among the replies. None of them waits."""
        if self.client.trusted and not self.follows:
            return self.engine.run_all(self, calls)
        replies = [self.run_queued(call) for call in calls]
        return [one.timeout_reply if one.__class__ is Wait else one for one in replies]

    def run_queued(self, call: Call) -> Any:
        """One of the commands of EXEC: its reply, its error (returned), or Wait."""
        engine = self.engine
        try:
            check_nested(self, call)
        except ResponseError as error:
            return error
        follow = partial(self._follow, call) if self.follows else None
        try:
            args, options = arguments_of(call)
            with self._untouched(call) if self.client.no_touch else _TOUCHES:
                reply = engine.run_nested(call[0], self, args, options, follow)
        except MinidisError as error:
            reply = error
        if follow is not None and isinstance(reply, MinidisError):
            follow((), {})
        return reply

    # followers --------------------------------------------------------------------------------

    def _follow(self, call: Call, args: Any, options: dict[str, Any]) -> None:
        """What others learn of a command that has run, or has failed while it ran."""
        command, client = call[0], self.client
        if self.engine.clients.monitors and not command.is_hidden:
            self._show(redacted_words_of(call))
        if client.tracking is not None and "readonly" in command.flags:
            self.engine.observers.tracking.remember(client, keys_of(call))

    def _show(self, words: list[bytes]) -> None:
        """Show the command to monitors."""
        engine = self.engine
        time = engine.clock.now_us() / 1e6
        shown = MonitoredCommand(time, self.space.number, self.client.address, words)
        for client in list(engine.clients.monitors):
            client.deliver(shown if client.kind == "embedded" else Status(shown.line()))

    def _caching_done(self, name: str) -> None:
        """CLIENT CACHING was for the command that is now complete; "": for one that is unknown."""
        if self.client.tracking is not None:
            self.client.tracking.command_done(name, queueing=self.client.queue is not None)

    @contextmanager
    def _untouched(self, call: Call) -> Iterator[None]:
        """After CLIENT NO-TOUCH nothing but TOUCH counts as a use of a key."""
        uses, values = self.space.accessed, self.space.values
        if not self.client.no_touch or uses is None or call[0].counts_as_use:
            yield
            return
        before = {key: (values[key], uses.get(key)) for key in keys_of(call) if key in values}
        yield
        for key, (value, time) in before.items():
            if values.get(key) is value:  # not deleted or replaced: only read, or changed
                uses.pop(key, None) if time is None else uses.update({key: time})

    # waiting ----------------------------------------------------------------------------------

    def sleep(self, blocked: BlockedCall) -> Any:
        """Let the thread sleep until the call has its reply."""
        done = threading.Lock()
        done.acquire()
        blocked.notify(partial(_release, done))
        while not blocked.done:
            timeout = blocked.timeout
            if not done.acquire(timeout=-1 if timeout is None else min(timeout, _LONGEST_SLEEP)):
                blocked.expire()
        return blocked.result()

    def resume(self, blocked: BlockedCall) -> Any:
        """The reply of a call that is done; another blocked call if it has to wait again."""
        return self.call(blocked.call) if blocked.reply is RETRY else blocked.result()

    def end(self) -> None:
        """The client has gone: leave every queue, watch, channel and list."""
        engine, client = self.engine, self.client
        with engine.lock:
            for blocked in list(client.blocked_calls):
                blocked.cancel()
            self.leave_transaction()
            engine.forget_client(client)

    def __repr__(self) -> str:
        place = self.engine.store.directory.path or "memory"
        if self.engine.closed:
            return f"<minidis {place}, closed>"
        return f"<minidis {place}, database {self.space.number}, {len(self.space.values)} keys>"


#: Commands count as uses of their keys.
_TOUCHES = nullcontext()
#: threading cannot wait longer than this (seconds) in one call
_LONGEST_SLEEP = min(threading.TIMEOUT_MAX, 1e6)


def _release(lock: threading.Lock) -> None:
    """Wake the thread that sleeps on the lock; twice is harmless."""
    if lock.locked():
        lock.release()


def find_command(words: list[bytes]) -> Command:
    """The command that the words begin with; ResponseError when there is none."""
    if not words:
        raise errors.error(errors.EMPTY_COMMAND)
    command = find(words)
    name = words[0].decode("latin-1").upper()
    if name in PARENT_COMMANDS:
        if command is None and len(words) > 1:
            if _is_undivided(name):
                raise errors.wrong_subcommand(name, errors.shown(words[1]))
            raise errors.unknown_subcommand(name, words[1])
        if command is None:
            raise errors.wrong_arity(name.lower())
        return command
    if command is None:
        raise errors.unknown_command(words)
    return command


def _is_undivided(parent: str) -> bool:
    """Whether Redis has one command that reads its subcommands itself: DEBUG."""
    return any(one.undivided for name, one in COMMANDS.items() if name.startswith(parent + " "))


def install_methods(cls: type[Any], *, decode: bool, queued: bool = False) -> None:
    """Replace the bodies of the group classes with generated methods.

    Methods that the class or one of its bases below Session overrides stay as they are.
    """
    above = cls.__mro__[: cls.__mro__.index(Session)]
    own = {
        name
        for base in above
        for name, value in vars(base).items()
        if not isinstance(value, LazyMethod)
    }
    for command in COMMANDS.values():
        if command.method not in own:
            setattr(cls, command.method, LazyMethod(command, cls, decode=decode, queued=queued))


install_methods(Session, decode=False)
