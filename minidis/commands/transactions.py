"""MULTI, EXEC, DISCARD, WATCH, UNWATCH: commands queued in a session, run as one.

MULTI            self.queue = []           whatever comes is queued (Session.enqueue)
SET a 1          QUEUED
EXEC             [OK]                      all of them in one hold of the lock
"""

from __future__ import annotations

from typing import Any

from minidis import errors
from minidis.clients.watch import Watch
from minidis.commands.shared.group import Group, T
from minidis.errors import ResponseError
from minidis.grammar.command import declarations
from minidis.grammar.kinds import Many
from minidis.protocol.shapes import null_array
from minidis.replies import OK, Status

command = declarations(group="transactions", stateful=True)

_FLAGS = "noscript loading stale fast allow_busy"


class Transactions(Group[T]):
    """MULTI, EXEC, DISCARD, WATCH, UNWATCH."""

    @command("MULTI", _FLAGS, since="1.2.0", complexity="O(1)", immediate=True)
    def multi(self) -> Status:
        """Start a transaction: the following commands of this session are queued until EXEC.

        Until then, calls return QUEUED. In Python, `transaction` and `pipeline` are easier to use.
        Returns OK. Raises ResponseError inside a transaction.

        >>> db.multi(), db.execute("INCR", "n"), db.incr("n"), db.exec()
        (OK, QUEUED, QUEUED, [1, 2])
        """
        if self.client.queue is not None:
            raise errors.error(errors.MULTI_NESTED)
        self.client.queue, self.client.aborted = [], False
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
        """Run the queued commands atomically and return their results as a list.

        Errors of single commands are exceptions in the list; the other commands run all the same.
        If the call is interrupted, either all commands have run or none.

        Returns None if a watched key has changed. Raises ResponseError without MULTI, or if a
        command could not be queued.

        >>> db.execute("MULTI"), db.execute("SET", "a", "x"), db.execute("INCR", "a")
        (OK, QUEUED, QUEUED)
        >>> db.execute("EXEC")
        [OK, ResponseError('ERR value is not an integer or out of range')]
        """
        client = self.client
        if client.queue is None:
            raise errors.error(errors.EXEC_WITHOUT_MULTI)
        failed, calls, dirty = client.aborted, client.queue, self._is_dirty()
        self.unwatch_all()
        try:
            if failed:
                raise ResponseError(errors.EXEC_ABORTED)
            return None if dirty else self.run_queue(calls)
        finally:
            self.leave_transaction()

    def _is_dirty(self) -> bool:
        """Whether a watched key has changed, or has expired without being deleted yet."""
        watch = self.client.watch
        if watch is None:
            return False
        return watch.dirty or watch.expired_meanwhile(self.engine.databases, self.unit.now())

    @command("DISCARD", _FLAGS, since="2.0.0", complexity="O(n) for n commands", immediate=True)
    def discard(self) -> Status:
        """Cancel the transaction: discard the queued commands and the watched keys.

        Returns OK. Raises ResponseError without MULTI.

        >>> db.multi(), db.set("a", 1), db.discard(), db.get("a")
        (OK, QUEUED, OK, None)
        """
        if self.client.queue is None:
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
        """Watch `keys`: the next EXEC of this session returns None if one of them has changed.

        Returns OK. Raises ResponseError inside a transaction.

        >>> db.watch("a"), db.set("a", 1), db.multi(), db.exec() is None
        (OK, OK, OK, True)
        """
        if self.client.queue is not None:
            raise errors.error(errors.WATCH_IN_MULTI)
        watches = self.engine.observers.watches
        if self.client.watch is None:
            self.client.watch = Watch(watches.gone)
        names: Any = keys
        watches.forget_gone()
        for key in names:
            watches.add(self.client.watch, self.space, key, self.unit.now())
        return OK

    @command("UNWATCH", _FLAGS, since="2.2.0", complexity="O(1) for each key")
    def unwatch(self) -> Status:
        """Stop watching all keys.

        >>> db.watch("a"), db.unwatch(), db.set("a", 1), db.multi(), db.exec()
        (OK, OK, OK, OK, [])
        """
        self.unwatch_all()
        return OK


def error_replies(replies: list[Any]) -> list[Exception]:
    """Return the errors among the replies of EXEC, unexpected exceptions included."""
    return [reply for reply in replies if isinstance(reply, Exception)]
