"""What a person has begun with MULTI and WATCH, as far as words and answers tell.

    WATCH a      OK          watched: a
    MULTI        OK          open
    INCR a       QUEUED      queued: INCR a
    EXEC         [...]       each answer belongs to a queued command; all is over

Nobody has to be asked: it is the same for a database of this process and for a server.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minidis.replies import Status

Words = Sequence[bytes]

#: Refusals inside MULTI that leave EXEC possible.
_NOT_ABORTING = ("ERR MULTI calls can not be nested", "ERR WATCH inside MULTI is not allowed")


class TransactionState:
    """The state of MULTI and WATCH in one session."""

    def __init__(self) -> None:
        self.open = False
        #: a command was refused while the others were queued: EXEC will be refused, too
        self.aborted = False
        self.queued: list[Words] = []
        self.watched: dict[bytes, None] = {}
        #: what the last EXEC has answered: (its reply, the commands it belongs to)
        self.last_exec: tuple[Any, list[Words]] = (None, [])

    @property
    def pending(self) -> bool:
        """Would a lost connection lose something?"""
        return self.open or bool(self.watched)

    def on_reply(self, words: Words, reply: Any) -> None:
        """Learn from a command and its answer."""
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
        """Learn from the refusal of a command."""
        if message.startswith("EXECABORT"):
            self.reset()
        elif self.open and not message.startswith(_NOT_ABORTING):
            self.aborted = True

    def reset(self) -> None:
        """Back to where every session begins."""
        self.open = self.aborted = False
        self.queued = []
        self.watched = {}

    def commands_of(self, reply: Any) -> list[Words]:
        """The commands that the answers in EXEC's reply belong to; none for any other reply."""
        answer, commands = self.last_exec
        matching = reply is answer and isinstance(reply, list) and len(reply) == len(commands)
        return commands if matching else []
