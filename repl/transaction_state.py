"""The state of MULTI and WATCH, derived from commands and their replies.

    WATCH a      OK          watched: a
    MULTI        OK          open
    INCR a       QUEUED      queued: INCR a
    EXEC         [...]       one reply for each queued command; the state is reset

This works in the same way for a database in this process and for a server.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minidis.replies import Status

Words = Sequence[bytes]

#: Error messages inside MULTI after which EXEC still works.
_NOT_ABORTING = ("ERR MULTI calls can not be nested", "ERR WATCH inside MULTI is not allowed")


class TransactionState:
    """MULTI and WATCH of one session."""

    def __init__(self) -> None:
        self.open = False
        #: a command could not be queued: EXEC will fail
        self.aborted = False
        self.queued: list[Words] = []
        self.watched: dict[bytes, None] = {}
        #: the last EXEC: (its reply, its commands)
        self.last_exec: tuple[Any, list[Words]] = (None, [])

    @property
    def pending(self) -> bool:
        """Whether a lost connection would lose MULTI or WATCH."""
        return self.open or bool(self.watched)

    def on_reply(self, words: Words, reply: Any) -> None:
        """Update the state after a command and its reply."""
        name = words[0].upper()
        if self.open and isinstance(reply, Status) and reply == "QUEUED":
            self.queued.append(words)
        elif name == b"EXEC" and self.open:
            self.last_exec = (reply, self.queued)
            self.reset()
        elif name in (b"DISCARD", b"RESET", b"QUIT"):
            self.reset()
        elif name == b"MULTI":
            self.open = True
        elif name == b"WATCH":
            self.watched.update(dict.fromkeys(words[1:]))
        elif name == b"UNWATCH":
            self.watched.clear()

    def on_error(self, message: str) -> None:
        """Update the state after an error reply."""
        if message.startswith("EXECABORT"):
            self.reset()
        elif self.open and not message.startswith(_NOT_ABORTING):
            self.aborted = True

    def reset(self) -> None:
        """Return to the initial state: no MULTI, no WATCH."""
        self.open = self.aborted = False
        self.queued = []
        self.watched = {}

    def commands_of(self, reply: Any) -> list[Words]:
        """The commands of EXEC, if `reply` is its reply; otherwise an empty list."""
        last_reply, commands = self.last_exec
        matching = reply is last_reply and isinstance(reply, list) and len(reply) == len(commands)
        return commands if matching else []
