"""The queues of blocked calls, by key.

    another session changes a key ──> commit ──> mark the key ready ──> serve: the body runs again

A blocked call is served by the thread that made its key ready, after its whole command or EXEC and
before the next command, first come first served; a call that waits for several keys is served as
if it had come just now. Nothing here polls.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from minidis.clients.blocked import RETRY, BlockedCall, Wait
from minidis.clients.client import Client
from minidis.clock import Clock
from minidis.errors import ClosedError, ResponseError
from minidis.keyspace.keyspace import Keyspace
from minidis.keyspace.unit import CHANGED, REPLACED, KeyId, Unit
from minidis.observers.batch import GROUP_GONE, WHOLE, Batch, Observer, changes_value

#: Events that give nothing to a blocked reader of a stream.
NO_GIFTS = frozenset(("xdel", "xtrim", "expire", "persist", CHANGED, REPLACED))


class BlockedCalls(Observer):
    """All blocked calls of an engine. The engine's lock is held by the caller."""

    def __init__(
        self,
        unit: Unit,
        databases: list[Keyspace],
        return_elements: Callable[[Callable[[Any], None], Any], None],
        on_empty: Callable[[], None],
    ) -> None:
        self.unit = unit
        self.databases = databases
        self.return_elements = return_elements
        self._on_empty = on_empty
        self._queues: dict[KeyId, OrderedDict[BlockedCall, None]] = {}
        self._all: dict[BlockedCall, None] = {}
        #: keys that have changed, in that order, and have not been looked at since
        self.ready: dict[KeyId, None] = {}
        #: calls that wait for a key to be deleted, too
        self._on_delete: set[BlockedCall] = set()
        #: the call whose attempt is running
        self.current: BlockedCall | None = None

    def __len__(self) -> int:
        return len(self._all)

    @property
    def lock(self) -> threading.RLock:
        """The engine's lock."""
        return self.unit.lock

    @property
    def clock(self) -> Clock:
        """The clock of timeouts."""
        return self.unit.clock

    @property
    def counts(self) -> tuple[int, int, int]:
        """Number of calls with a timeout, of keys waited for, and of those also if deleted."""
        timed = sum(blocked.deadline is not None for blocked in self._all)
        on_delete = {key_id for blocked in self._on_delete for key_id in blocked.key_ids}
        return timed, len(self._queues), len(on_delete)

    @property
    def waits_for_keys(self) -> bool:
        """Whether a call waits for a key."""
        return bool(self._queues)

    def enter(self, blocked: BlockedCall, wait: Wait, args: Any, options: dict[str, Any]) -> None:
        """Put the call at the end of the queues of all its keys."""
        blocked.wait = wait
        blocked.args = args if wait.args is None else wait.args
        blocked.options = options if wait.options is None else wait.options
        if wait.timeout:
            blocked.deadline = self.clock.monotonic() + wait.timeout
        number = blocked.client.database
        blocked.key_ids = [(number, key) for key in dict.fromkeys(wait.keys)]
        self._all[blocked] = None
        blocked.client.blocked_calls[blocked] = None
        for key_id in blocked.key_ids:
            if key_id not in self._queues:
                self.unit.add_interest(key_id[1])
            self._queues.setdefault(key_id, OrderedDict())[blocked] = None
        if wait.on_delete:
            self._on_delete.add(blocked)

    def _leave(self, blocked: BlockedCall) -> None:
        self._all.pop(blocked, None)
        self._on_delete.discard(blocked)
        blocked.client.blocked_calls.pop(blocked, None)
        for key_id in blocked.key_ids:
            queue = self._queues.get(key_id)
            if queue is not None:
                queue.pop(blocked, None)
                if not queue:
                    del self._queues[key_id]
                    # A call that comes later waits for what happens then.
                    self.ready.pop(key_id, None)
                    self.unit.drop_interest(key_id[1])
        if not self._queues:
            self._on_empty()

    def finish(self, blocked: BlockedCall, reply: Any) -> None:
        """Give the call its reply, unless it has one, and wake it."""
        if not blocked.done:
            blocked.reply = reply
        self._leave(blocked)
        if blocked.wake is not None:
            blocked.wake()  # before it is forgotten: an interruption in between wakes it twice
            blocked.wake = None

    # serving ---------------------------------------------------------------------------------

    def unit_committed(self, batch: Batch) -> None:
        """Mark the keys that a call may wait for."""
        for number, event, key in batch.events:
            if event in WHOLE:
                self._all_ready(number)
            elif (number, key) in self._queues and _may_give(event):
                self.ready[(number, key)] = None

    def _all_ready(self, number: int) -> None:
        for key_id in self._queues:
            if key_id[0] == number:
                self.ready[key_id] = None

    def serve(self, attempt: Callable[[BlockedCall], bool]) -> bool:
        """Serve the first call in line of a key that is ready; False if none can be served."""
        while self.ready:
            key_id = next(iter(self.ready))
            queue = self._queues.get(key_id)
            number, key = key_id
            if queue and (key in self.databases[number].values or self._on_delete):
                first = next(iter(queue))
                if self._may_serve(first, key_id) and attempt(first):
                    return True
                for blocked in list(queue)[1:]:  # copied only if the first has gained nothing
                    if self._may_serve(blocked, key_id) and attempt(blocked):
                        return True
            self.ready.pop(key_id, None)
        return False

    def _may_serve(self, blocked: BlockedCall, key_id: KeyId) -> bool:
        number, key = key_id
        value = self.databases[number].values.get(key)
        wait = blocked.wait
        if value is None:
            return wait.on_delete
        return wait.kind is None or wait.on_delete or value.__class__ is wait.kind

    def complete(self) -> None:
        """The end of an attempt that has succeeded; may be repeated."""
        blocked = self.current
        if blocked is not None:
            self.unit.undo.clear()
            self.finish(blocked, blocked.reply)
            self.current = None

    # without a key -----------------------------------------------------------------------------

    def resume(self) -> None:
        """A pause is over: calls that waited for its end are made, in their order."""
        for blocked in [one for one in self._all if one.wait.resumes]:
            self.finish(blocked, RETRY)

    def unblock(self, client: Client, *, error: bool) -> bool:
        """CLIENT UNBLOCK: end all blocked calls of a client, as by their timeout or with an error.

        Not the wait for the end of a pause: the caller of that does not expect it to time out.
        """
        calls = [blocked for blocked in client.blocked_calls if not blocked.wait.resumes]
        for blocked in calls:
            reply = blocked.wait.timeout_reply
            if error:
                reply = ResponseError("UNBLOCKED client unblocked via CLIENT UNBLOCK")
            self.finish(blocked, reply)
        return bool(calls)

    def expire_due(self, now: float) -> None:
        """A manual clock has passed deadlines."""
        for blocked in list(self._all):
            if blocked.deadline is not None and blocked.deadline <= now:
                self.finish(blocked, blocked.wait.timeout_reply)

    def close(self) -> None:
        """The database closes: no call is blocked any longer."""
        for blocked in list(self._all):
            self.finish(blocked, ClosedError())


def _may_give(event: str) -> bool:
    """Whether a blocked call may be served after the event."""
    return event == GROUP_GONE or (changes_value(event) and event not in NO_GIFTS)
