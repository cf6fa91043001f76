"""Who calls: one Client for each session of a database, whether it lives in this process or came
through a door. CLIENT LIST shows them, pub/sub and tracking write to them.

A Client is what other sessions may know of a session, and the way to reach it: `deliver` a message,
`kill` it. What it is in the middle of (MULTI, WATCH, waiting) is known by the session itself.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from minidis.errors import ResponseError
from minidis.replies import Push, Status

if TYPE_CHECKING:
    from minidis.acl.users import User
    from minidis.api.session import Session
    from minidis.api.subscription import MonitoredCommand
    from minidis.observers.blocking import Waiter
    from minidis.observers.tracking import Tracking


class Client:
    """A caller. This one lives in the process: it may do everything, and cannot be written to."""

    #: "embedded", "tcp" or "unix"
    kind = "embedded"
    #: it can take messages that answer no command
    takes_messages = False

    def __init__(self) -> None:
        self.id = 0
        self.name = b""
        self.library = b""
        self.library_version = b""
        self.address = "in-process:0"
        self.local_address = "in-process:0"
        self.protocol = 3
        #: who it has authenticated as; None: nobody yet. Embedded callers need no permission.
        self.user: User | None = None
        #: milliseconds since 1970 of its first and its last command
        self.created = 0
        self.used = 0
        #: name of its last command, as CLIENT LIST writes it: "config|get"
        self.command = "NULL"
        #: how many channels, patterns and shard channels it listens to
        self.channels: set[bytes] = set()
        self.patterns: dict[bytes, None] = {}
        self.shard_channels: set[bytes] = set()
        self.monitors = False
        self.tracking: Tracking | None = None
        self.no_evict = False
        self.no_touch = False
        #: "on", "off" or "skip"; "skip next" until the command that asked for it is complete
        self.reply_mode = "on"
        self.close_after_reply = False
        #: the calls that wait; several, when threads or coroutines share a session
        self.waiters: dict[Waiter, None] = {}
        self._session: weakref.ref[Session[Any]] | None = None

    @property
    def session(self) -> Session[Any] | None:
        """The session this is the outside of."""
        return None if self._session is None else self._session()

    def belongs_to(self, session: Session[Any]) -> None:
        """Tie client and session together."""
        self._session = weakref.ref(session)

    @property
    def waiter(self) -> Waiter | None:
        """The call that has waited longest, if any waits."""
        return next(iter(self.waiters), None)

    @property
    def trusted(self) -> bool:
        """Does it need neither a password nor permission?"""
        return self.kind == "embedded"

    @property
    def subscriptions(self) -> int:
        """Channels and patterns, as the confirmations of SUBSCRIBE count them."""
        return len(self.channels) + len(self.patterns)

    @property
    def listening(self) -> bool:
        """Does it listen to anything?"""
        return bool(self.channels or self.patterns or self.shard_channels)

    @property
    def restricted(self) -> bool:
        """Is it in a mode in which its commands need a second look?"""
        if self.tracking is not None or self.no_touch or self.listening:
            return True
        return not self.trusted and (self.user is None or not self.user.unrestricted)

    def deliver(self, message: Push | Status | MonitoredCommand) -> None:
        """Take a message that answers no command. Under the engine's lock: never waits, raises."""

    def kill(self) -> None:
        """End the session, from whatever thread. An embedded one leaves its waiting calls."""
        for waiter in list(self.waiters):
            error = ResponseError("UNBLOCKED client killed while it waited")
            with waiter.engine.lock:
                waiter.engine.waiters.finish(waiter, error)

    def forked(self) -> None:
        """In the child of a fork: it is the parent's, and hears nothing here."""


class Clients:
    """All clients of an engine, by their ids. They are held weakly: sessions need no closing."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._by_id: weakref.WeakValueDictionary[int, Client] = weakref.WeakValueDictionary()

    def enter(self, client: Client, now: int) -> None:
        """Give a new client its id."""
        client.id = next(self._ids)
        client.created = client.used = now
        self._by_id[client.id] = client

    def leave(self, client: Client) -> None:
        """The client has gone."""
        self._by_id.pop(client.id, None)

    def get(self, number: int) -> Client | None:
        """The client with this id."""
        return self._by_id.get(number)

    def __iter__(self) -> Iterator[Client]:
        """In the order in which they came."""
        return iter(sorted(self._by_id.values(), key=lambda client: client.id))

    def __len__(self) -> int:
        return len(self._by_id)
