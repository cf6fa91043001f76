"""CLIENT TRACKING, the state of one client; observers/tracking.py has the table of all."""

from __future__ import annotations

import weakref
from typing import Any


class TrackingState:
    """What a client wants to be told of, and what it has to be told after its reply."""

    __slots__ = (
        "alone", "broadcasts", "broken", "caching", "end", "no_loop", "opt_in", "opt_out",
        "pending", "prefixes", "redirect",
    )  # fmt: skip

    def __init__(self, client_id: int) -> None:
        #: the ids of a key that only this client has read: shared by all of them
        self.alone = frozenset((client_id,))
        self.broadcasts = False
        self.prefixes: set[bytes] = set()
        self.opt_in = False
        self.opt_out = False
        self.no_loop = False
        #: id of the client that hears in its place; 0: it hears itself
        self.redirect = 0
        #: that client has gone
        self.broken = False
        #: CLIENT CACHING: the next command, or transaction, is the other way round
        self.caching = False
        #: what it has to hear after its reply: keys of a message, None for all keys
        self.pending: list[list[bytes] | None] = []
        #: what happens when the session vanishes
        self.end: weakref.finalize[Any, Any] | None = None

    @property
    def remembers(self) -> bool:
        """Are the keys remembered that it reads now?"""
        if self.broadcasts:
            return False
        return self.caching if self.opt_in else not (self.opt_out and self.caching)

    def set_mode(self, *, broadcasts: bool, opt_in: bool, opt_out: bool, no_loop: bool) -> None:
        """Begin, or go on, with these options; what is not given is off."""
        self.broadcasts = broadcasts
        self.opt_in = opt_in
        self.opt_out = opt_out
        self.no_loop = no_loop
        self.broken = False

    def command_done(self, name: str, *, queueing: bool) -> None:
        """A command of the client is complete. CLIENT CACHING is for the one after it.

        Other CLIENT commands may stand between the two, and in MULTI it is for the transaction.
        """
        if not queueing and not name.startswith("CLIENT "):
            self.caching = False
