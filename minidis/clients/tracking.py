"""CLIENT TRACKING: the state of one client; observers/tracking.py has the table of all clients."""

from __future__ import annotations

import weakref
from typing import Any


class TrackingState:
    """The tracking mode of a client, and invalidations to be sent after its reply."""

    __slots__ = (
        "alone", "broadcasts", "broken", "caching", "end", "no_loop", "opt_in", "opt_out",
        "pending", "prefixes", "redirect",
    )  # fmt: skip

    def __init__(self, client_id: int) -> None:
        #: the readers of a key that only this client has read: one object for all such keys
        self.alone = frozenset((client_id,))
        self.broadcasts = False
        self.prefixes: set[bytes] = set()
        self.opt_in = False
        self.opt_out = False
        self.no_loop = False
        #: id of the client that receives the invalidations; 0: this client
        self.redirect = 0
        #: that client has ended
        self.broken = False
        #: CLIENT CACHING: the next command, or transaction, has the opposite mode
        self.caching = False
        #: invalidations to be sent after its reply: the keys of a message, None for all keys
        self.pending: list[list[bytes] | None] = []
        #: finalizer of the session
        self.end: weakref.finalize[Any, Any] | None = None

    @property
    def remembers(self) -> bool:
        """Whether the keys that it reads now are remembered."""
        if self.broadcasts:
            return False
        return self.caching if self.opt_in else not (self.opt_out and self.caching)

    def set_mode(self, *, broadcasts: bool, opt_in: bool, opt_out: bool, no_loop: bool) -> None:
        """Set the options of CLIENT TRACKING ON."""
        self.broadcasts = broadcasts
        self.opt_in = opt_in
        self.opt_out = opt_out
        self.no_loop = no_loop
        self.broken = False

    def command_done(self, name: str, *, queueing: bool) -> None:
        """End the effect of CLIENT CACHING: it holds for one command after it.

        Other CLIENT commands do not end it, and in MULTI it holds for the transaction.
        """
        if not queueing and not name.startswith("CLIENT "):
            self.caching = False
