"""MULTI, EXEC, DISCARD, WATCH, UNWATCH: commands queued in a session, run as one.

MULTI            self.queue = []           whatever comes is queued (Session.enqueue)
SET a 1          QUEUED
EXEC             [OK]                      all of them in one hold of the lock
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minidis import errors
from minidis.commands.shared.group import Group, T
from minidis.errors import ResponseError
from minidis.grammar.command import Command, declarations
from minidis.grammar.kinds import Many
from minidis.observers.blocking import Wait
from minidis.observers.watch import Watch
from minidis.protocol.shapes import null_array
from minidis.replies import OK, Status

if TYPE_CHECKING:
    from minidis.api.session import Session

command = declarations(group="transactions", stateful=True)

REDACTED = b"(redacted)"
_FLAGS = "noscript loading stale fast allow_busy"


class Call:
    """A command that waits for EXEC: as words, or with the arguments of a typed call."""

    __slots__ = ("args", "command", "options", "words")

    def __init__(
        self,
        command: Command,
        words: list[bytes] | None,
        args: Any = (),
        options: dict[str, Any] | None = None,
    ) -> None:
        self.command = command
        self.words = words
        self.args = args
        self.options = options or {}

    def ready(self) -> tuple[Any, dict[str, Any]]:
        """The arguments of the body; words are parsed only now, and may be refused."""
        if self.words is None:
            return self.args, self.options
        return self.command.parse(list(self.words))

    def shown(self) -> list[bytes]:
        """The command as words."""
        return self.words or self.command.words(self.args, self.options)

    def redacted_words(self) -> list[bytes]:
        """The command as words, without passwords."""
        words = self.shown()
        if self.command.secret is None:
            return words
        secret = self.command.secret(words)
        return [REDACTED if at in secret else word for at, word in enumerate(words)]


class Transactions(Group[T]):
    """MULTI and its company."""

    #: what was queued since MULTI; None outside
    queue: list[Call] | None = None
    #: a command could not be queued: EXEC will refuse
    aborted = False
    watched: Watch | None = None

    @command("MULTI", _FLAGS, since="1.2.0", complexity="O(1)", immediate=True)
    def multi(self) -> Status:
        """Begin to queue the commands of this session until EXEC or DISCARD.

        Typed calls are queued, too, and answer QUEUED; `transaction` and `pipeline` are easier to
        use from Python. ResponseError inside MULTI.

        >>> db.multi(), db.execute("INCR", "n"), db.incr("n"), db.exec()
        (OK, QUEUED, QUEUED, [1, 2])
        """
        if self.queue is not None:
            raise errors.error(errors.MULTI_NESTED)
        self.queue, self.aborted = [], False
        self.update_checks()
        return OK

    @command(
        "EXEC",
        "noscript loading stale skip_slowlog",
        since="1.2.0",
        complexity="O(n) for n commands, and what they cost",
        immediate=True,
        runs_queue=True,
        resp2=null_array,
    )
    def exec(self) -> list[Any] | None:
        """Run the queued commands as one; their answers, refusals among them as exceptions.

        None when a watched key has been touched. There is no roll-back: what comes after a refused
        command runs. ResponseError without MULTI, or when a command could not be queued. An
        interruption finds none of the commands done or all of them.

        >>> db.execute("MULTI"), db.execute("SET", "a", "x"), db.execute("INCR", "a")
        (OK, QUEUED, QUEUED)
        >>> db.execute("EXEC")
        [OK, ResponseError('ERR value is not an integer or out of range')]
        """
        if self.queue is None:
            raise errors.error(errors.EXEC_WITHOUT_MULTI)
        failed, commands, spoiled = self.aborted, self.queue, self._is_dirty()
        self._forget_watched()
        try:
            if failed:
                raise ResponseError(errors.EXEC_ABORTED)
            return None if spoiled else [self._run_queued(queued) for queued in commands]
        finally:
            self.leave_transaction()

    def _run_queued(self, queued: Call) -> Any:
        """One of the commands; its refusal is its answer. None of them waits."""
        session: Session[Any] = self  # type: ignore[assignment]
        reply = session.attempt(queued)
        return reply.timeout_reply if reply.__class__ is Wait else reply

    def _is_dirty(self) -> bool:
        """Has a watched key been touched, or expired unnoticed?"""
        watch = self.watched
        if watch is None:
            return False
        return watch.spoiled or watch.expired_meanwhile(self.engine.databases, self.engine.now())

    def leave_transaction(self) -> None:
        """Forget the queue and the watched keys."""
        self.queue, self.aborted = None, False
        self._forget_watched()
        self.update_checks()

    def _forget_watched(self) -> None:
        if self.watched is not None:
            self.engine.watchers.forget(self.watched)
            self.watched = None
            self.engine.update_observers()

    @command("DISCARD", _FLAGS, since="2.0.0", complexity="O(n) for n commands", immediate=True)
    def discard(self) -> Status:
        """Forget the queued commands and the watched keys.

        ResponseError without MULTI.

        >>> db.multi(), db.set("a", 1), db.discard(), db.get("a")
        (OK, QUEUED, OK, None)
        """
        if self.queue is None:
            raise errors.error(errors.DISCARD_WITHOUT_MULTI)
        self.leave_transaction()
        return OK

    @command(
        "WATCH key [key ...]",
        _FLAGS,
        since="2.2.0",
        complexity="O(1) for each key",
        access="RO",
        immediate=True,
    )
    def watch(self, *keys: Many) -> Status:
        """Let the next EXEC of this session answer None if one of `keys` is touched before it.

        ResponseError inside MULTI.

        >>> db.watch("a"), db.set("a", 1), db.multi(), db.exec() is None
        (OK, OK, OK, True)
        """
        if self.queue is not None:
            raise errors.error(errors.WATCH_IN_MULTI)
        if self.watched is None:
            self.watched = Watch(self.engine.watchers.gone)
        names: Any = keys
        self.engine.watchers.forget_gone()
        for key in names:
            self.engine.watchers.add(self.watched, self.space, key, self.engine.now())
        self.engine.update_observers()
        return OK

    @command("UNWATCH", _FLAGS, since="2.2.0", complexity="O(1) for each key")
    def unwatch(self) -> Status:
        """Forget the watched keys.

        >>> db.watch("a"), db.unwatch(), db.set("a", 1), db.multi(), db.exec()
        (OK, OK, OK, OK, [])
        """
        self._forget_watched()
        return OK


def error_replies(replies: list[Any]) -> list[Exception]:
    """The refusals among the answers of EXEC; a failure that nobody meant to raise is one, too."""
    return [reply for reply in replies if isinstance(reply, Exception)]
