"""class Session: one caller of a database, with its own selected database, MULTI queue and watches.

    typed call  ─ door ───────────────┐ the usual case: straight through the gate (command.py)
    words  ─ execute() ───────────────┤
                                      └ call(): whatever needs a second look
                                          may it? (password, permission, MULTI)
                                          queue it, or wait for the end of a pause
                                          run it: perform()
                                          it has to wait: sleep() until served
                                          tell monitors, remember keys for tracking

A session is `guarded` while one of these may concern it. Everything here is shared by embedded
callers, connections and coroutines; they differ in how they wait (see sleep).
"""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

from minidis import errors
from minidis.acl.users import Context
from minidis.clients.client import Client
from minidis.commands.blocking import Blocking
from minidis.commands.counters import Counters
from minidis.commands.hashes import Hashes
from minidis.commands.keys.generic import Keys
from minidis.commands.keys.objects import Objects
from minidis.commands.keys.sorting import Sorting
from minidis.commands.lists import Lists
from minidis.commands.pubsub import PubSub
from minidis.commands.server.acl import Acl
from minidis.commands.server.clients import ClientCommands
from minidis.commands.server.connection import Connection
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
from minidis.commands.strings import Strings
from minidis.commands.transactions import Call, Transactions
from minidis.engine.engine import Engine
from minidis.errors import MinidisError, ResponseError
from minidis.grammar.command import COMMANDS, PARENT_COMMANDS, SPELLINGS, Command, find
from minidis.grammar.kinds import Key, encode
from minidis.grammar.methods import LazyMethod
from minidis.grammar.walk import keys_of
from minidis.observers.blocking import RETRY, Wait, Waiter
from minidis.replies import QUEUED, decoded


class Session(
    Blocking[T],
    Strings[T],
    Objects[T],
    Sorting[T],
    Keys[T],
    Hashes[T],
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
    Connection[T],
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
        self.space = engine.databases[database]
        self.client = client or Client()
        #: commands of this session need a second look, see call()
        self.needs_checks = False
        self.client.belongs_to(self)
        with engine.lock:
            engine.clients.enter(self.client, engine.clock.now())
            self.update_checks()

    def update_checks(self) -> None:
        """Recompute whether commands of this session need a second look."""
        engine = self.engine
        self.needs_checks = bool(
            self.queue is not None
            or self.client.restricted
            or engine.monitors
            or engine.pause is not None
            or engine.closed
        )

    # words ------------------------------------------------------------------------------------

    def execute(self, *words: Key) -> Any:
        """Run a command given as words, as a shell or a client would send it.

        The answer is what RESP3 says: bytes, int, float, None, list, dict, set; OK is a Status.
        A refusal raises ResponseError with the sentence of Redis.

        >>> db.execute("ZADD", "rank", 3, "ann", 5, "bob")
        2
        >>> db.execute("ZRANGE", "rank", 0, -1)
        [b'ann', b'bob']
        """
        # The lines of the gate (DOOR in command.py), once more without detours: words are the hot
        # path of shells, sockets and scripts.
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
        if command is None or command.waits or self.needs_checks:
            reply = self.execute_checked(line)
            return decoded(reply) if self._decode else reply
        if len(line) == command.plain:
            del line[0]
            options = _NO_OPTIONS
        else:
            line, options = command.parse(line)
        engine = self.engine
        with engine.lock:
            engine.moment = 0
            try:
                reply = command.body(self, *line, **options)
                if engine.unsettled:
                    engine.settle()
            except BaseException as error:
                try:
                    engine.rollback(error, (line, options))
                except BaseException:
                    engine.rollback(error, (line, options))
                    raise
                raise
        return decoded(reply) if self._decode else reply

    def execute_checked(self, words: list[bytes]) -> Any:
        """Words that need a second look, or whose command is not known by this spelling yet."""
        try:
            command = self._found(words)
        except ResponseError as error:
            self._caching_done("")
            self._abort_transaction(words, error)
            raise
        return self.call(Call(command, words))

    def _abort_transaction(self, words: list[bytes], error: ResponseError) -> None:
        """A command was refused before it was queued: EXEC will not run, or has been this one."""
        if words and words[0].upper() == b"EXEC":
            if self.engine.monitors:
                self.engine.show_monitors(self.client, self.space.number, words)
            self.leave_transaction()
            raise ResponseError(errors.exec_aborted(error)) from None
        self.aborted = self.queue is not None

    def _found(self, words: list[bytes]) -> Command:
        """The command of the words, if it exists, is complete and this session may run it."""
        self.client.command = "NULL"
        command = find_command(words)
        self.client.command = command.display_name
        if not command.accepts(len(words)):
            raise errors.wrong_arity(command.display_name)
        self.admit(command, words, "toplevel" if self.queue is None else "multi")
        self._check_role(command)
        if self.queue is not None and "no_multi" in command.flags:
            raise errors.error(errors.NOT_IN_MULTI)
        return command

    def admit(self, command: Command, words: list[bytes], context: Context) -> None:
        """Raise the refusal of a connection that may not run the command."""
        client = self.client
        if client.trusted:
            return
        if client.user is None:
            if "no_auth" not in command.flags:
                raise ResponseError(errors.NO_AUTH)
            return
        if not client.user.unrestricted and "no_auth" not in command.flags:
            self.engine.users.admit(client, command, words, context)

    def _check_role(self, command: Command) -> None:
        """A connection that takes messages, or watches, may not do everything."""
        client = self.client
        if client.monitors and (command.writes or "readonly" in command.flags):
            raise errors.error(errors.MONITORS_ONLY)
        if client.protocol == 2 and client.listening and not command.while_subscribed:
            raise errors.error(errors.only_while_listening(command.display_name))

    def enqueue(self, queued: Call) -> Any:
        """Keep a command for EXEC."""
        assert self.queue is not None
        self.queue.append(queued)
        return QUEUED

    # the long way -----------------------------------------------------------------------------

    def call_typed(self, command: Command, /, *args: Any, **options: Any) -> Any:
        """A typed call that needs a second look; its arguments are converted already."""
        return self.call(Call(command, None, args, options))

    def call(self, queued: Call) -> Any:
        """Run a command with everything that may go on around it."""
        waiter = Waiter(self, queued)
        try:
            while True:
                if queued.command.runs_queue:
                    # The main thread may be interrupted, and a queue must not be torn.
                    reply = self.engine.exec_thread.run(partial(self._perform_or_wait, waiter))
                else:
                    reply = self._perform_or_wait(waiter)
                if reply is not waiter:
                    return reply
                reply = self.sleep(waiter)
                if reply is not RETRY:
                    return reply
                waiter = Waiter(self, queued)
        except BaseException:
            try:
                waiter.cancel()
            except BaseException:
                waiter.cancel()
                raise
            raise

    def _perform_or_wait(self, waiter: Waiter) -> Any:
        """The reply, or the waiter in the queues of what it waits for."""
        engine, queued = self.engine, waiter.queued
        with engine.lock:
            if engine.closed:
                raise errors.ClosedError
            if engine.pause is not None and self._is_paused(queued):
                until = (engine.pause[0] - engine.clock.now() + 1) / 1000
                wait = Wait((), max(until, 0.001), timeout_reply=RETRY, resumes=True)
            elif self.queue is not None and not queued.command.immediate:
                return self.enqueue(queued)
            else:
                reply = self._perform(queued)
                if reply.__class__ is not Wait:
                    return reply
                wait = reply
            engine.waiters.enter(waiter, wait)
        return waiter

    def _is_paused(self, queued: Call) -> bool:
        """Has the command to wait for the end of a pause?"""
        pause = self.engine.pause
        if pause is None or queued.command.pause_exempt:
            return False
        if pause[0] < self.engine.clock.now():
            return False
        commands = [queued, *(self.queue or ())] if queued.command.runs_queue else [queued]
        return not pause[1] or any(one.command.changes for one in commands)

    def _perform(self, queued: Call) -> Any:
        """The gate once more, with its followers: monitors and tracking."""
        engine = self.engine
        with engine.lock:
            engine.moment = 0
            engine.caller = self.client
            given: tuple[Any, dict[str, Any]] = (), {}
            try:
                args, options = given = queued.ready()
                reply = self._body(queued, args, options)
                self._follow(queued)
                engine.settle()
            except BaseException as error:
                try:
                    engine.rollback(error, given)
                except BaseException:
                    engine.rollback(error, given)
                    raise
                if isinstance(error, MinidisError):
                    self._follow(queued)
                raise
            finally:
                engine.caller = None
                self._caching_done(queued.command.name)
        return reply

    def attempt(self, queued: Call) -> Any:
        """A command inside something greater: its answer, its refusal, or Wait. Under the lock."""
        try:
            self.admit(queued.command, queued.words or [], "exec")
        except ResponseError as refusal:
            return refusal
        given: tuple[Any, dict[str, Any]] = (), {}
        try:
            args, options = given = queued.ready()
            reply = self._body(queued, args, options)
            self._follow(queued)
            self.engine.keep()
        except BaseException as error:
            self.engine.rollback_nested(error, given)
            if not isinstance(error, Exception):
                raise
            if isinstance(error, MinidisError):
                self._follow(queued)
            return error
        return reply

    def _body(self, queued: Call, args: Any, options: dict[str, Any]) -> Any:
        """Run the body. After CLIENT NO-TOUCH nothing but TOUCH counts as use of a key."""
        command, uses = queued.command, self.space.accessed
        if not self.client.no_touch or uses is None or command.counts_as_use:
            return command.body(self, *args, **options)
        words, values = queued.shown(), self.space.values
        keys = [words[at] for at in keys_of(command, words)]
        before = {key: (values[key], uses.get(key)) for key in keys if key in values}
        reply = command.body(self, *args, **options)
        for key, (value, moment) in before.items():
            if values.get(key) is value:  # not deleted or replaced: only looked at, or changed
                uses.pop(key, None) if moment is None else uses.update({key: moment})
        return reply

    def _follow(self, queued: Call) -> None:
        """What others learn of a command that has run, or has been refused while it ran."""
        self._show(queued)
        client, command = self.client, queued.command
        if client.tracking is not None and "readonly" in command.flags:
            words = queued.shown()
            self.engine.tracking.remember(client, [words[at] for at in keys_of(command, words)])

    def _caching_done(self, name: str) -> None:
        """CLIENT CACHING was for the command that is now complete; "": for one that is unknown."""
        if self.client.tracking is not None:
            self.client.tracking.command_done(name, queueing=self.queue is not None)

    def _show(self, queued: Call) -> None:
        """Show the command to monitors."""
        if self.engine.monitors and not queued.command.is_hidden:
            words = queued.redacted_words()
            self.engine.show_monitors(self.client, self.space.number, words)

    # waiting ----------------------------------------------------------------------------------

    def sleep(self, waiter: Waiter) -> Any:
        """Let the thread sleep until the waiter has its answer. Sessions without one answer it."""
        bell = threading.Lock()
        bell.acquire()
        waiter.notify(partial(_ring, bell))
        while not waiter.done:
            timeout = waiter.timeout
            if not bell.acquire(timeout=-1 if timeout is None else min(timeout, _LONGEST_SLEEP)):
                waiter.expire()
        return waiter.result()

    def resume(self, waiter: Waiter) -> Any:
        """The answer of a waiter that is done; another waiter if the call has to wait again."""
        return self.call(waiter.queued) if waiter.reply is RETRY else waiter.result()

    def end(self) -> None:
        """The caller has gone: leave every queue, watch, channel and list."""
        engine, client = self.engine, self.client
        with engine.lock:
            for waiter in list(client.waiters):
                waiter.cancel()
            self.leave_transaction()
            engine.forget_client(client)

    def __repr__(self) -> str:
        place = self.engine.home.directory or "memory"
        if self.engine.closed:
            return f"<minidis {place}, closed>"
        return f"<minidis {place}, database {self.space.number}, {len(self.space.values)} keys>"


_NO_OPTIONS: dict[str, Any] = {}
#: threading cannot wait longer than this (seconds) in one call
_LONGEST_SLEEP = min(threading.TIMEOUT_MAX, 1e6)


def _ring(bell: threading.Lock) -> None:
    """Wake the thread that sleeps on the bell; twice is once."""
    if bell.locked():
        bell.release()


def find_command(words: list[bytes]) -> Command:
    """The command that the words begin with; ResponseError when there is none."""
    if not words:
        raise errors.error(errors.EMPTY_COMMAND)
    command = find(words)
    name = words[0].decode("latin-1").upper()
    if name in PARENT_COMMANDS:
        if command is None and len(words) > 1:
            raise errors.unknown_subcommand(name, words[1])
        if command is None:
            raise errors.wrong_arity(name.lower())
        return command
    if command is None:
        raise errors.unknown_command(words)
    return command


def install_methods(cls: type[Any], *, decode: bool) -> None:
    """Put the doors in front of the bodies that the group classes define, but for what the class
    or a base of it above Session does itself."""
    above = cls.__mro__[: cls.__mro__.index(Session)]
    own = {name for base in above for name in vars(base)}
    for command in COMMANDS.values():
        if command.method not in own:
            setattr(cls, command.method, LazyMethod(command, cls, decode=decode))


install_methods(Session, decode=False)
