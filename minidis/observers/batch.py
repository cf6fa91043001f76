"""What observers of commits are told, and when.

    a command            command_committed(batch)   unit_committed(batch)
    EXEC, a script       command_committed(batch)   after each of its commands
                         ...                        unit_committed(batch) at the end

Observers are called under the engine's lock, in a fixed order (observers.py). They never wait and
never raise. Recorders (a journal, a replication backlog) are observers that want effects, too. They
may be told of a batch twice, after an interruption (Ctrl-C): `records` or
`stored` is the same list then.

A buffered recorder hears of plain SETs late: they are kept in a list that one batch brings, before
the next other unit or when there are a hundred. Each of them is a unit of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minidis.grammar.command import COMMANDS
from minidis.keyspace.unit import EMPTIED, EXCHANGED, REPLACED, Effect, KeyEvent, Stored

#: Events that change nothing, and those that leave the entries of a stream, and so the value.
NO_CHANGES = frozenset(("keymiss", "new"))
BESIDE_VALUES, GROUP_GONE = ("xgroup-", "xsetid"), "xgroup-destroy"
#: Events of whole databases.
WHOLE = frozenset((EMPTIED, EXCHANGED))


def words_of(effect: Effect) -> list[bytes]:
    """The effect as the words of a command."""
    return COMMANDS[effect.name].format(effect.args, effect.options)


class Batch:
    """What one command, or one unit of several commands, has done."""

    __slots__ = ("_records", "client", "events", "stored")

    def __init__(
        self,
        events: list[KeyEvent],
        records: Sequence[list[Effect]] = (),
        client: Any = None,
        stored: Sequence[Stored] = (),
    ) -> None:
        self.events = events
        self._records = records
        #: for buffered recorders: plain SETs, each a unit; the batch holds nothing else then
        self.stored = stored
        #: the client that made the change, where tracking has to know it
        self.client = client

    @property
    def records(self) -> Sequence[list[Effect]]:
        """The effects of each command; empty unless there is a recorder."""
        if self.stored:
            return [[Effect(number, "SET", (key, value), {})] for number, key, value in self.stored]
        return self._records

    @property
    def effects(self) -> list[Effect]:
        """The commands that repeat the change, in their order."""
        return [effect for effects in self.records for effect in effects]

    def changed_keys(self) -> dict[bytes, Any]:
        """The keys whose values have changed, and the client that has changed each."""
        return {
            key: None if event == "expired" else self.client
            for _, event, key in self.events
            if event not in WHOLE and event != REPLACED and changes_value(event)
        }


class Observer:
    """Base of the observers: each overrides what it needs."""

    def command_committed(self, batch: Batch) -> None:
        """A command is complete, alone or as one of several in a unit."""

    def unit_committed(self, batch: Batch) -> None:
        """The whole unit is complete."""


def changes_value(event: str) -> bool:
    """Whether the value of a key is another one after the event."""
    return event not in NO_CHANGES and not event.startswith(BESIDE_VALUES)
