"""Dispatch of a command as a unit of work: run it, then commit or roll back.

    run()         take the lock, clear the cached time, body, then
                    pending?    commit()     discard the undo log, tell observers, serve blocked
                    exception?  rollback()   undo, then the same for what had happened before
    run_nested()  the same for one of several commands, in EXEC

The generated methods of the typed API have the lines of run() in them (grammar/methods.py); all
other callers use it. Nothing of this does anything unless it is needed: the body of a GET leaves
`pending` as it is, and a write without observers leaves an undo log at most.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from minidis.acl.users import Users
from minidis.clients.blocked import BlockedCall, Wait
from minidis.engine.exec_thread import ExecThread
from minidis.engine.settings import Settings
from minidis.errors import MinidisError
from minidis.grammar.call import Call, words_of
from minidis.grammar.command import Command
from minidis.grammar.kinds import pairs
from minidis.keyspace.keyspace import Keyspace
from minidis.keyspace.unit import Effect, Unit
from minidis.observers.observers import Observers

NO_OPTIONS: dict[str, Any] = {}
#: Classes of values that never change in place.
REPLACED_WHOLE = frozenset((bytes, int, type(None)))
Follow = Callable[[Any, Any], None]


class Dispatcher:
    """The part of the engine that runs units of work."""

    unit: Unit
    observers: Observers
    databases: list[Keyspace]
    settings: Settings
    users: Users
    exec_thread: ExecThread
    closed: bool

    # a unit of its own -------------------------------------------------------------------------

    def run(
        self,
        command: Command,
        session: Any,
        args: Any,
        options: dict[str, Any] = NO_OPTIONS,
        follow: Follow | None = None,
    ) -> Any:
        """Run a command as a unit. `follow(args, options)` is called when its body is complete."""
        unit = self.unit
        with unit.lock:
            unit.time = 0
            body = command.body
            if len(args) <= command.short_count and not options:
                body = command.short_body
            elif command.multi_step:
                unit.version = None
                unit.pending = True
            try:
                reply = body(session, *args, **options)
                if follow is not None:
                    follow(args, options)
                if unit.pending:
                    self.commit(command, session, args, options)
            except BaseException as error:
                try:
                    self.rollback(error, (args, options))
                except BaseException:
                    self.rollback(error, (args, options))
                    raise
                raise
        return reply

    def work(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run a function as a unit: work that is no command, such as expiry."""
        unit = self.unit
        with unit.lock:
            unit.time = 0
            unit.begin_steps()
            try:
                reply = function(*args)
                self.complete()
            except BaseException as error:
                self.rollback(error, args)
                raise
        return reply

    def commit(
        self,
        command: Command,
        session: Any,
        args: Any,
        options: dict[str, Any] = NO_OPTIONS,
    ) -> None:
        """The command is complete: it is known here with its session and converted arguments."""
        unit = self.unit
        if unit.recording:
            self._state_effect(command, session, args, options)
        elif not (unit.events or unit.nested):
            # The lines of complete() without observers.
            unit.committed = True
            unit.undo.clear()
            unit.pending = False
            unit.committed = False
            if unit.lock_free_reads:
                unit.version = []
            return
        self.complete()

    def complete(self) -> None:
        """Discard the undo log and tell observers, until no blocked call can be served any more.

        May be repeated: after an interruption some observers may be told twice, none never.
        """
        unit, observers = self.unit, self.observers
        unit.committed = True
        unit.undo.clear()
        unit.base = None
        while True:
            if unit.recording:
                unit.keep_effects()
            if unit.events or unit.nested:
                self._tell()
            if unit.records or unit.stored:
                observers.record()
            # One blocked call at a time: what that changes is told before the next is served.
            served = observers.blocked.ready and observers.blocked.serve(self._attempt)
            # An attempt of XREADGROUP that goes on waiting may have created its consumer.
            if not (served or unit.events or unit.effects):
                break
        unit.pending = unit.recording
        unit.committed = False
        if unit.lock_free_reads:
            unit.version = []

    def _tell(self) -> None:
        unit = self.unit
        if unit.events:
            self.observers.command_committed(unit.caller)
        self.observers.unit_committed(unit.caller)
        unit.events, unit.nested = [], []

    def run_transaction(self, session: Any, calls: list[Call]) -> list[Any] | None:
        """Run calls as one unit, as EXEC does; errors are among the replies.

        None, and nothing has run, if an interruption in this thread could not be rolled back.
        """
        unit = self.unit
        # Asked without the lock: a thread that holds it counts as safe.
        safe = self.exec_thread.runs_here()
        with unit.lock:
            unit.time = 0
            unit.begin_steps()
            try:
                if not safe and not self._save_base(session.space, calls):
                    self.complete()
                    return None
                replies = self.run_all(session, calls)
                self.complete()
            except BaseException as error:
                try:
                    self.rollback(error, ())
                except BaseException:
                    self.rollback(error, ())
                    raise
                raise
        return replies

    def _save_base(self, space: Keyspace, calls: list[Call]) -> bool:
        """Save how to put back the keys of all calls; False if that would take copies.

        To put back a string is enough, unless it is a bytearray. That and collections change in
        place, and what observers are told cannot be taken back.
        """
        unit = self.unit
        if unit.observed or unit.recording:
            return False
        keys: list[bytes] = []
        for command, args, options, words in calls:
            if command.changes_first_argument and words is None:
                keys.append(args[0])
            elif command.only_changes_keys and words is None:
                keys += command.keys(args, options)
            else:
                return False
        saved = dict(zip(keys, map(space.values.get, keys), strict=True))
        if not REPLACED_WHOLE.issuperset(map(type, saved.values())):
            return False
        if unit.interest and not unit.interest.keys().isdisjoint(saved):
            return False
        deadlines = {key: space.deadlines.get(key) for key in saved} if space.deadlines else {}
        unit.base = (space, saved, deadlines)
        return True

    def run_batch(self, session: Any, calls: list[Call]) -> list[Any]:
        """Run calls each as a unit, in one hold of the lock; errors are among the replies."""
        replies: list[Any] = []
        unit = self.unit
        with unit.lock:
            for command, args, options, words in calls:
                unit.time = 0
                try:
                    if words is not None:
                        args, options = command.parse(list(words))
                    if len(args) <= command.short_count and not options:
                        reply = command.short_body(session, *args)
                    else:
                        if command.multi_step:
                            unit.begin_steps()
                        reply = command.body(session, *args, **options)
                    if unit.pending:
                        self.commit(command, session, args, options)
                except BaseException as error:
                    try:
                        self.rollback(error, (args, options))
                    except BaseException:
                        self.rollback(error, (args, options))
                        raise
                    if not isinstance(error, MinidisError):
                        raise
                    reply = error
                replies.append(reply)
        return replies

    # one of several commands -------------------------------------------------------------------

    def run_all(self, session: Any, calls: list[Call]) -> list[Any]:
        """The commands of EXEC, where neither a check nor a follower is interested in them."""
        unit = self.unit
        undo = unit.undo
        replies: list[Any] = []
        add = replies.append
        for command, args, options, words in calls:
            try:
                if words is not None:
                    args, options = command.parse(list(words))
                if len(args) <= command.short_count and not options:
                    reply = command.short_body(session, *args)
                else:
                    reply = command.body(session, *args, **options)
                if undo or unit.events or unit.recording:
                    self.commit_nested(command, session, args, options)
            except BaseException as error:
                self.rollback_nested(error, (args, options))
                if not isinstance(error, Exception):
                    raise
                reply = error
            add(reply)
        if Wait in map(type, replies):
            return [one.timeout_reply if one.__class__ is Wait else one for one in replies]
        return replies

    def run_nested(
        self,
        command: Command,
        session: Any,
        args: Any,
        options: dict[str, Any] = NO_OPTIONS,
        follow: Follow | None = None,
    ) -> Any:
        """Run a command inside a unit: its reply, its error (returned), or Wait."""
        unit = self.unit
        try:
            reply = command.body(session, *args, **options)
            if follow is not None:
                follow(args, options)
            if unit.undo or unit.events or unit.recording:
                self.commit_nested(command, session, args, options)
        except BaseException as error:
            self.rollback_nested(error, (args, options))
            if not isinstance(error, Exception):
                raise
            return error
        return reply

    def commit_nested(
        self, command: Command, session: Any, args: Any, options: dict[str, Any] = NO_OPTIONS
    ) -> None:
        """One of several commands is complete: its messages come in the order of the commands."""
        unit = self.unit
        unit.undo.clear()
        if unit.recording:
            self._state_effect(command, session, args, options)
            unit.keep_effects()
        self._tell_nested()

    def _tell_nested(self) -> None:
        unit = self.unit
        if unit.events:
            self.observers.command_committed(unit.caller)
            unit.nested += unit.events
            unit.events = []

    def rollback_nested(self, error: BaseException, values: Iterable[Any]) -> None:
        """One of several commands did not complete: leave what it found."""
        unit = self.unit
        if unit.undo or not isinstance(error, MinidisError):
            self._undo(values)
        unit.undo.clear()
        unit.drop_effects()
        self._tell_nested()

    # effects -----------------------------------------------------------------------------------

    def _state_effect(
        self, command: Command, session: Any, args: Any, options: dict[str, Any]
    ) -> None:
        """The command itself repeats its changes, unless its body has stated what does."""
        unit = self.unit
        if not unit.effects and unit.dirty != unit.recorded:
            if command.shares_arguments:
                args = [_own(value) for value in args]
            unit.effects.append(Effect(session.space.number, command.name, args, options))

    # blocked calls -----------------------------------------------------------------------------

    def _attempt(self, blocked: BlockedCall) -> bool:
        """Run the body of a blocked call again; True when the call has its reply."""
        unit, calls = self.unit, self.observers.blocked
        calls.current = blocked
        unit.time = 0
        unit.version = None
        try:
            self._admit_again(blocked)
            reply = blocked.command.body(blocked.session, *blocked.args, **blocked.options)
        except MinidisError as error:
            self.rollback_nested(error, (blocked.args, blocked.options))
            reply = error
        if reply.__class__ is Wait:
            unit.undo.clear()
            calls.current = None
            return False
        if unit.recording:
            self._state_effect(blocked.command, blocked.session, blocked.args, blocked.options)
        blocked.reply = reply  # from here on it has happened
        calls.complete()
        return True

    def _admit_again(self, blocked: BlockedCall) -> None:
        """Check permissions once more: they may have changed since the call was made."""
        client = blocked.client
        if client.is_restricted:
            self.users.admit(client, blocked.command, words_of(blocked.call))

    def return_elements(self, function: Callable[[Any], None], taken: Any) -> None:
        """Return what a reply took that its client cannot receive any more."""
        self.work(function, taken)

    # rollback ----------------------------------------------------------------------------------

    def rollback(self, error: BaseException, values: Sequence[Any]) -> None:
        """The command did not complete: leave everything as before it. May be repeated."""
        unit = self.unit
        failed = isinstance(error, MinidisError) and not unit.undo and not unit.committed
        if self.closed or failed:
            unit.drop_effects()
            self.complete()  # keys that expired on the way have expired
            return
        interrupted = False
        while True:
            try:
                self._rollback(values)
                break
            except KeyboardInterrupt:  # a second Ctrl-C: start again, and do not forget it
                interrupted = True
        if interrupted:
            raise KeyboardInterrupt

    def _rollback(self, values: Sequence[Any]) -> None:
        if not self.unit.committed:
            self.unit.forget_stored(values, self.databases)
            self._undo(values)  # and no more: what EXEC has completed before is told
            self._undo_base()
        elif (blocked := self.observers.blocked.current) is not None:
            # Interrupted while a blocked call was served.
            if blocked.done:
                self.observers.blocked.complete()
            else:
                self._undo((blocked.args, blocked.options))
        self.complete()

    def _undo_base(self) -> None:
        """Put back the keys of an interrupted EXEC as they were before it."""
        unit = self.unit
        if unit.base is not None:
            space, saved, deadlines = unit.base
            space.restore_all(saved, deadlines)
            for database in self.databases:
                database.repair(saved)
            unit.base = None

    def _undo(self, values: Iterable[Any]) -> None:
        unit = self.unit
        keys = set(_all_bytes(values))
        # Whether a single step has happened is not known: watches become dirty and blocked calls
        # look again. But notifications are for what has happened.
        self.observers.perhaps_changed()
        # What has expired on the way has expired, and nothing else has happened.
        unit.events = [event for event in unit.events if event[1] == "expired"]
        # Collections first: an entry of the undo log may rely on them being whole.
        for database in self.databases:
            database.repair_values(keys)
        if unit.replaced is not None:
            space, *old = unit.replaced
            space.restore(*old)
            unit.replaced = None
        while unit.undo:
            entry = unit.undo[-1]
            entry[0](*entry[1:])
            unit.undo.pop()
        for database in self.databases:
            database.repair(keys)
        unit.events = [
            (number, event, key)
            for number, event, key in unit.events
            if key not in self.databases[number].values
        ]
        begun = unit.recording and unit.dirty != unit.recorded
        unit.drop_effects()
        if begun:
            self._restate(keys)

    def _restate(self, keys: Iterable[bytes]) -> None:
        """State the keys as they are now: a change of a single step has no undo entry.

        Whether it has happened is not known, so its effect cannot be stated by the command.
        """
        from minidis.persistence.rdb.payload import dump_value  # heavy, and rarely needed

        unit = self.unit
        for space in self.databases:
            for key in keys:
                value, deadline = space.values.get(key), space.deadlines.get(key)
                if value is None:
                    unit.effect(space.number, "DEL", key)
                else:
                    payload = dump_value(
                        value, self.settings.limits, version=self.settings.rdb_version
                    )
                    options = {"replace": True, "absttl": deadline is not None}
                    unit.effect(space.number, "RESTORE", key, deadline or 0, payload, **options)
        unit.keep_effects()


def _own(value: Any) -> Any:
    """A copy of a container of the caller, which may change it later."""
    return pairs(value) if isinstance(value, (Mapping, list)) else value


def _all_bytes(values: Iterable[Any]) -> Iterable[bytes]:
    """Every bytes object in nested arguments: the keys of the command are among them."""
    for value in values:
        if isinstance(value, bytes):
            yield value
        elif isinstance(value, dict):
            yield from _all_bytes(value)
            yield from _all_bytes(value.values())
        elif isinstance(value, (list, tuple)):
            yield from _all_bytes(value)
