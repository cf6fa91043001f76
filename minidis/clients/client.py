"""The clients of a database: one for each session, embedded or connected to the server.

A Client is the part of a session that other sessions use: they `deliver` messages to it and `kill`
it. CLIENT LIST shows clients; pub/sub, tracking and monitors deliver to them.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from minidis.acl.users import User
from minidis.clients.monitored import MonitoredCommand
from minidis.clients.tracking import TrackingState
from minidis.clients.watch import Watch
from minidis.errors import ResponseError
from minidis.replies import Push, Status

if TYPE_CHECKING:
    from minidis.clients.blocked import BlockedCall


class Owner(Protocol):
    """The session of a client."""

    def update_checks(self) -> None: ...


class Client:
    """An embedded client, which needs no permissions and takes no messages. Base of the others."""

    #: "embedded", "tcp" or "unix"
    kind = "embedded"
    #: it can take messages that are no replies
    takes_messages = False

    # What most clients never change is an attribute of the class: pipelines are made often.
    id = 0
    name = b""
    library = b""
    library_version = b""
    address = "in-process:0"
    local_address = "in-process:0"
    protocol = 3
    #: its authenticated user, or None. Embedded clients need no permissions.
    user: User | None = None
    #: milliseconds since 1970 of its first and its last command
    created: int = 0
    used: int = 0
    #: name of its last command, as CLIENT LIST writes it: "config|get"
    command: str = "NULL"
    monitors = False
    tracking: TrackingState | None = None
    no_evict = False
    no_touch = False
    #: "on", "off" or "skip"; "skip next" until CLIENT REPLY SKIP itself is complete
    reply_mode = "on"
    close_after_reply = False
    #: number of the selected database
    database = 0
    #: the calls queued since MULTI; None outside of MULTI
    queue: list[Any] | None = None
    #: a command could not be queued: EXEC will fail
    aborted = False
    watch: Watch | None = None
    #: name -> fields, of HIMPORT PREPARE
    fieldsets: dict[bytes, tuple[bytes, ...]] | None = None
    _owner: weakref.ref[Owner] | None = None

    # What a pipeline does not need is made when it is first used.

    @cached_property
    def channels(self) -> set[bytes]:
        """The channels that it has subscribed to."""
        return set()

    @cached_property
    def patterns(self) -> dict[bytes, None]:
        """The patterns that it has subscribed to."""
        return {}

    @cached_property
    def shard_channels(self) -> set[bytes]:
        """The shard channels that it has subscribed to."""
        return set()

    @cached_property
    def blocked_calls(self) -> dict[BlockedCall, None]:
        """Its blocked calls; several, when threads or coroutines share a session."""
        return {}

    @property
    def owner(self) -> Owner | None:
        """The session of this client, unless it was garbage collected."""
        return None if self._owner is None else self._owner()

    def belongs_to(self, owner: Owner) -> None:
        """Set the session of this client."""
        self._owner = weakref.ref(owner)

    @property
    def blocked(self) -> BlockedCall | None:
        """Return the call that has been blocked longest, or None."""
        return next(iter(self.blocked_calls), None)

    @property
    def trusted(self) -> bool:
        """Whether it needs neither a password nor permissions."""
        return self.kind == "embedded"

    @property
    def subscriptions(self) -> int:
        """Number of channels and patterns, as in the confirmations of SUBSCRIBE."""
        return len(self.channels) + len(self.patterns)

    @property
    def listening(self) -> bool:
        """Whether it has any subscription."""
        return bool(self.channels or self.patterns or self.shard_channels)

    @property
    def is_restricted(self) -> bool:
        """Whether its user's permissions are restricted."""
        return not self.trusted and self.user is not None and not self.user.unrestricted

    def deliver(self, message: Push | Status | MonitoredCommand) -> None:
        """Take a message that is no reply. Under the engine's lock: never blocks, never raises."""

    def kill(self) -> None:
        """End the session, from any thread. An embedded one only ends its blocked calls."""
        for blocked in list(self.blocked_calls):
            error = ResponseError("UNBLOCKED client killed while it waited")
            with blocked.queues.lock:
                blocked.queues.finish(blocked, error)

    def forked(self) -> None:
        """In the child of a fork: the client belongs to the parent."""


class Clients:
    """All clients of an engine, by their ids. They are held weakly: sessions need no closing."""

    def __init__(self, now: int) -> None:
        #: milliseconds since 1970 of the opening of the database
        self.opened_at = now
        self._ids = itertools.count(1)
        self._by_id: weakref.WeakValueDictionary[int, Client] = weakref.WeakValueDictionary()
        #: clients that have sent MONITOR
        self.monitors: dict[Client, None] = {}

    def enter(self, client: Client, now: int) -> None:
        """Add a new client and set its id."""
        client.id = next(self._ids)
        client.created = client.used = now
        self._by_id[client.id] = client

    def leave(self, client: Client) -> None:
        """Remove a client that has ended."""
        self._by_id.pop(client.id, None)
        if self.monitors.pop(client, client) is None and not self.monitors:
            self.update_all_checks()

    def get(self, number: int) -> Client | None:
        """Return the client with this id, or None."""
        return self._by_id.get(number)

    def update_all_checks(self) -> None:
        """Recompute which checks the sessions need before a command."""
        for client in self:
            owner = client.owner
            if owner is not None:
                owner.update_checks()

    def __iter__(self) -> Iterator[Client]:
        """Iterate over the clients in the order of their ids."""
        return iter(sorted(self._by_id.values(), key=lambda client: client.id))

    def __len__(self) -> int:
        return len(self._by_id)
