"""A blocked call: one that waits for a key, for the end of a pause, or until its timeout.

    body ──> Wait(keys, timeout)              "nothing there yet"
    dispatch ──> BlockedCall, in the queue of each key (observers/blocking.py)
                     │
     thread          │  sleeps on a lock
     coroutine       │  awaits a future                      } woken by notify()
     connection      │  runs no further command              }

The assignment of `reply` decides: an exception before it rolls the body back; after it the reply
belongs to the blocked call. A call that is cancelled when it has a reply returns the elements.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from minidis.clock import Clock
from minidis.errors import MinidisError
from minidis.grammar.call import Call
from minidis.keyspace.unit import KeyId

if TYPE_CHECKING:
    from minidis.clients.client import Client

#: The reply of a call that is still blocked.
PENDING: Any = type("Pending", (), {"__repr__": lambda _: "(pending)"})()
#: The reply of a call that waited for the end of a pause, and has to be made now.
RETRY: Any = type("Retry", (), {"__repr__": lambda _: "(retry)"})()


class Wait:
    """What a body returns that has to wait.

    `keys` wake it, once they hold a value of class `kind` (any value without one; with `on_delete`
    also when they are deleted). `timeout` in seconds, 0 waits for ever; `timeout_reply` is then the
    reply. `args` and `options` replace the arguments of the next attempt. `return_elements(reply)`
    undoes a reply that its client could not take. `resumes`: it waits for the end of a pause.
    """

    __slots__ = (
        "args", "keys", "kind", "on_delete", "options", "resumes", "return_elements", "timeout",
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


class Queues(Protocol):
    """The queues of blocked calls, as one call needs them (observers/blocking.py has them)."""

    @property
    def lock(self) -> threading.RLock: ...
    @property
    def clock(self) -> Clock: ...
    def finish(self, blocked: BlockedCall, reply: Any) -> None: ...
    def return_elements(self, function: Callable[[Any], None], taken: Any) -> None: ...


class BlockedCall:
    """One call that waits. `session` is passed to the body of the command again."""

    __slots__ = (
        "args", "call", "client", "command", "deadline", "key_ids", "options", "queues", "reply",
        "session", "wait", "wake",
    )  # fmt: skip

    def __init__(self, queues: Queues, client: Client, session: Any, call: Call) -> None:
        self.queues = queues
        self.client = client
        self.session = session
        self.call = call
        self.command = call[0]
        #: what the next attempt gets
        self.args: Any = ()
        self.options: dict[str, Any] = {}
        self.reply: Any = PENDING
        self.wait = Wait((), 0)
        self.key_ids: list[KeyId] = []
        self.deadline: float | None = None
        self.wake: Callable[[], object] | None = None

    @property
    def done(self) -> bool:
        """Whether it has its reply."""
        return self.reply is not PENDING

    @property
    def timeout(self) -> float | None:
        """Seconds until it has to be expired; None: never, or when a manual clock is moved."""
        clock = self.queues.clock
        if self.deadline is None or not clock.runs:
            return None
        return max(self.deadline - clock.monotonic(), 0.0)

    def notify(self, callback: Callable[[], object]) -> None:
        """Call back, once and under the engine's lock, when it is done; at once if it is."""
        with self.queues.lock:
            self.wake = callback
            if self.done:
                callback()

    def result(self) -> Any:
        """The reply; an error is raised."""
        if isinstance(self.reply, MinidisError):
            raise self.reply
        return self.reply

    def expire(self) -> None:
        """If the deadline has come, finish with the reply for a timeout, unless it is done."""
        with self.queues.lock:
            if self.timeout == 0:
                self.queues.finish(self, self.wait.timeout_reply)

    def cancel(self) -> None:
        """The client has gone: leave all queues; elements taken for it are returned."""
        wait = self.wait
        with self.queues.lock:
            if not self.done:
                self.queues.finish(self, None)
            elif wait.return_elements is not None and not isinstance(self.reply, MinidisError):
                taken, self.reply = self.reply, wait.timeout_reply
                if taken != wait.timeout_reply:
                    self.queues.return_elements(wait.return_elements, taken)
