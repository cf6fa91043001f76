"""Base of the command classes: the selected database, the engine and the calling client."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from minidis import errors
from minidis.clients.client import Client
from minidis.engine.engine import Engine
from minidis.grammar.call import Call
from minidis.grammar.kinds import I64_MAX, Integer, integer
from minidis.keyspace.keyspace import Keyspace
from minidis.keyspace.unit import Effect, Unit

#: Python type of a bulk string: bytes, or str with decode_responses.
T = TypeVar("T")


class Group(Generic[T]):
    """Base class of all groups of commands."""

    space: Keyspace
    unit: Unit
    engine: Engine
    client: Client

    def update_checks(self) -> None:
        """The state of the client has changed: recompute which checks its commands need."""
        raise NotImplementedError

    def select_database(self, number: int) -> None:
        """Let commands work on the database of that number, which must exist."""
        raise NotImplementedError

    def run_queue(self, calls: list[Call]) -> list[Any]:
        """Run the commands of EXEC; errors are among the replies."""
        raise NotImplementedError

    def _effect(self, name: str, *args: Any, **options: Any) -> None:
        """State an effect of the running command on the selected database; see unit.Effect."""
        unit = self.unit
        if unit.recording:
            unit.effects.append(Effect(self.space.number, name, args, options))

    def leave_transaction(self) -> None:
        """Discard the queue and the watched keys."""
        self.client.queue, self.client.aborted = None, False
        self.unwatch_all()
        self.update_checks()

    def unwatch_all(self) -> None:
        """Watch no key any more."""
        if self.client.watch is not None:
            self.engine.observers.watches.forget(self.client.watch)
            self.client.watch = None

    def _seconds(self, timeout: Integer) -> float:
        """Convert milliseconds to the seconds of a Wait; its end must be a 64-bit number."""
        span = integer(timeout)
        if self.unit.now() + span > I64_MAX:
            raise errors.error(errors.TIMEOUT_OUT_OF_RANGE)
        return span / 1000
