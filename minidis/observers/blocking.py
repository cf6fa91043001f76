"""Calls that wait: for one of their keys, until their deadline, for the end of a pause. Nobody
polls.

    body ──> Wait(keys, timeout)              "nothing there yet"
    gate ──> Waiter, in the queue of each key
                 │
     thread      │  sleeps on a condition of the engine's lock
     coroutine   │  awaits a future                              } woken by notify()
     socket      │  reads no further command                     }
                 │
    another session changes a key ──> settle() ──> serve(): the body runs again, first come first

Who waits is served by whoever made the key ready, after the whole command (or EXEC) and before the
next one, in the order in which callers came; a caller of several keys is served as if it had come
just now. The one store of `waiter.reply` decides: before it, what the body did is put back if an
interruption strikes; after it, the answer belongs to the waiter. A waiter that leaves with an
answer gives it back.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from minidis.errors import ClosedError, MinidisError, ResponseError

if TYPE_CHECKING:
    from minidis.api.session import Session
    from minidis.clients.client import Client
    from minidis.commands.transactions import Call
    from minidis.engine.engine import Engine

#: Number of the database, and the key.
KeyId: TypeAlias = tuple[int, bytes]

#: The reply of a call that still waits.
PENDING: Any = type("Pending", (), {"__repr__": lambda _: "(pending)"})()
#: The reply of a call that waited for the end of a pause, and has to be made now.
RETRY: Any = type("Again", (), {"__repr__": lambda _: "(again)"})()


class Wait:
    """What a body returns that has to wait.

    `keys` wake it, once they hold a value of class `kind` (any value without one; with `on_delete`
    also when they go). `timeout` in seconds, 0 waits for ever; `timeout_reply` is then the reply.
    `args` and `options` replace the arguments of the next attempt. `return_elements(reply)` undoes
    a reply that its caller could not take. `resumes`: it waits for the end of a pause.
    """

    __slots__ = (
        "args",
        "keys",
        "kind",
        "on_delete",
        "options",
        "resumes",
        "return_elements",
        "timeout",
        "timeout_reply",
    )  # fmt: skip

    def __init__(
        self,
        keys: Sequence[bytes],
        timeout: float,
        *,
        timeout_reply: Any = None,
        kind: type | None = None,
        on_delete: bool = False,
        args: tuple[Any, ...] | None = None,
        options: dict[str, Any] | None = None,
        return_elements: Callable[[Any], None] | None = None,
        resumes: bool = False,
    ) -> None:
        self.keys = keys
        self.timeout = timeout
        self.timeout_reply = timeout_reply
        self.kind = kind
        self.on_delete = on_delete
        self.args = args
        self.options = options
        self.return_elements = return_elements
        self.resumes = resumes


class Waiter:
    """One call that waits."""

    __slots__ = (
        "args", "deadline", "engine", "options", "places", "queued", "reply", "session", "wait",
        "wake",
    )  # fmt: skip

    def __init__(self, session: Session[Any], queued: Call) -> None:
        self.engine: Engine = session.engine
        self.session = session
        self.queued = queued
        #: what the next attempt gets
        self.args: Any = ()
        self.options: dict[str, Any] = {}
        self.reply: Any = PENDING
        self.wait = Wait((), 0)
        self.places: list[KeyId] = []
        self.deadline: float | None = None
        self.wake: Callable[[], object] | None = None

    @property
    def done(self) -> bool:
        """Has it an answer?"""
        return self.reply is not PENDING

    @property
    def timeout(self) -> float | None:
        """Seconds until it has to be expired; None: never, or when a manual clock is moved."""
        if self.deadline is None or not self.engine.clock.runs:
            return None
        return max(self.deadline - self.engine.clock.monotonic(), 0.0)

    def notify(self, callback: Callable[[], object]) -> None:
        """Call back, once and under the engine's lock, when it is done; at once if it is."""
        with self.engine.lock:
            self.wake = callback
            if self.done:
                callback()

    def result(self) -> Any:
        """The answer; a refusal is raised."""
        if isinstance(self.reply, MinidisError):
            raise self.reply
        return self.reply

    def expire(self) -> None:
        """If the deadline has come: answer so, unless it has been served."""
        with self.engine.lock:
            if self.timeout == 0:
                self.engine.waiters.finish(self, self.wait.timeout_reply)

    def cancel(self) -> None:
        """The caller has gone: leave all queues; what had been taken for it goes back."""
        with self.engine.lock:
            if not self.done:
                self.engine.waiters.finish(self, None)
            elif self.wait.return_elements is not None and not isinstance(self.reply, MinidisError):
                taken, self.reply = self.reply, self.wait.timeout_reply
                if taken != self.wait.timeout_reply:
                    self.engine.return_elements(self.wait.return_elements, taken)


class Waiters:
    """All that waits in an engine. Its callers hold the engine's lock."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._queues: dict[KeyId, OrderedDict[Waiter, None]] = {}
        self._all: dict[Waiter, None] = {}
        #: places that have been touched, in that order, and not been looked at since
        self._ready: dict[KeyId, None] = {}
        #: who waits for a key to go, too
        self._on_delete: set[Waiter] = set()
        #: the waiter whose attempt is running
        self.current: Waiter | None = None

    def __len__(self) -> int:
        return len(self._all)

    @property
    def waits_for_keys(self) -> bool:
        """Does anybody wait for a key?"""
        return bool(self._queues)

    def enter(self, waiter: Waiter, wait: Wait) -> None:
        """Stand at the end of the queues of all keys."""
        waiter.wait = wait
        waiter.args, waiter.options = waiter.queued.ready()
        if wait.args is not None:
            waiter.args = wait.args
        if wait.options is not None:
            waiter.options = wait.options
        if wait.timeout:
            waiter.deadline = self.engine.clock.monotonic() + wait.timeout
        number = waiter.session.space.number
        waiter.places = [(number, key) for key in dict.fromkeys(wait.keys)]
        self._all[waiter] = None
        waiter.session.client.waiters[waiter] = None
        for place in waiter.places:
            self._queues.setdefault(place, OrderedDict())[waiter] = None
        if wait.on_delete:
            self._on_delete.add(waiter)
        self.engine.update_observers()

    def _leave(self, waiter: Waiter) -> None:
        self._all.pop(waiter, None)
        self._on_delete.discard(waiter)
        waiter.session.client.waiters.pop(waiter, None)
        for place in waiter.places:
            queue = self._queues.get(place)
            if queue is not None:
                queue.pop(waiter, None)
                if not queue:
                    del self._queues[place]
                    # Nobody is left to look at it; who comes later waits for what happens then.
                    self._ready.pop(place, None)
        if not self._queues:
            self.engine.update_observers()

    def finish(self, waiter: Waiter, reply: Any) -> None:
        """Give the waiter its answer, unless it has one, and see that it hears of it."""
        if not waiter.done:
            waiter.reply = reply
        self._leave(waiter)
        if waiter.wake is not None:
            waiter.wake()  # before it is forgotten: an interruption in between wakes it twice
            waiter.wake = None

    # serving ---------------------------------------------------------------------------------

    def touched(self, place: KeyId) -> None:
        """Something has happened to a key: somebody may be waiting for it."""
        if place in self._queues:
            self._ready[place] = None

    def touched_all(self, number: int) -> None:
        """Something has happened to a whole database."""
        for place in self._queues:
            if place[0] == number:
                self._ready[place] = None

    def serve(self) -> bool:
        """Serve the first in line of a key that has been touched; False if nobody can be."""
        while self._ready:
            place = next(iter(self._ready))
            queue = self._queues.get(place)
            number, key = place
            if queue and (key in self.engine.databases[number].values or self._on_delete):
                if self._try(next(iter(queue)), place):
                    return True
                for waiter in list(queue)[1:]:  # copied only if the first has gained nothing
                    if self._try(waiter, place):
                        return True
            self._ready.pop(place, None)
        return False

    def _try(self, waiter: Waiter, place: KeyId) -> bool:
        """Run the body again if the key as it is now may serve it; has it its answer?"""
        return self._may_serve(waiter, place) and self._attempt(waiter)

    def _may_serve(self, waiter: Waiter, place: KeyId) -> bool:
        number, key = place
        value = self.engine.databases[number].values.get(key)
        wait = waiter.wait
        if value is None:
            return wait.on_delete
        return wait.kind is None or wait.on_delete or value.__class__ is wait.kind

    def _attempt(self, waiter: Waiter) -> bool:
        """Run the body again; True when the waiter has its answer."""
        self.current = waiter
        self.engine.moment = 0
        try:
            reply = waiter.queued.command.body(waiter.session, *waiter.args, **waiter.options)
        except MinidisError as error:
            self.engine.rollback_nested(error, (waiter.args, waiter.options))
            reply = error
        if reply.__class__ is Wait:
            self.engine.undo.clear()
            self.current = None
            return False
        waiter.reply = reply  # from here on it has happened
        self.complete()
        return True

    def complete(self) -> None:
        """The end of an attempt that has succeeded; may be repeated."""
        waiter = self.current
        if waiter is not None:
            self.engine.undo.clear()
            self.finish(waiter, waiter.reply)
            self.current = None

    # without a key -----------------------------------------------------------------------------

    def resume(self) -> None:
        """A pause is over: calls that waited for its end are made, in their order."""
        for waiter in [one for one in self._all if one.wait.resumes]:
            self.finish(waiter, RETRY)

    def unblock(self, client: Client, *, error: bool) -> bool:
        """CLIENT UNBLOCK: end all waits of a client, as if by their timeout or with an error.

        Not the wait for the end of a pause: whoever calls does not expect it to time out.
        """
        waiters = [waiter for waiter in client.waiters if not waiter.wait.resumes]
        for waiter in waiters:
            reply = waiter.wait.timeout_reply
            if error:
                reply = ResponseError("UNBLOCKED client unblocked via CLIENT UNBLOCK")
            self.finish(waiter, reply)
        return bool(waiters)

    def expire_due(self, now: float) -> None:
        """A clock moved by hand has passed deadlines."""
        for waiter in list(self._all):
            if waiter.deadline is not None and waiter.deadline <= now:
                self.finish(waiter, waiter.wait.timeout_reply)

    def close(self) -> None:
        """The database closes: nobody waits any longer."""
        for waiter in list(self._all):
            self.finish(waiter, ClosedError())
