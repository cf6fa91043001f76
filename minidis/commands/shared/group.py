"""Base of the command classes: the selected database, the engine and the calling client."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from minidis.clients.client import Client
from minidis.engine.engine import Engine
from minidis.grammar.call import Call
from minidis.keyspace.keyspace import Keyspace
from minidis.keyspace.unit import Unit

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

    def run_queued(self, call: Call) -> Any:
        """One of the commands of EXEC: its reply, its error (returned), or Wait."""
        raise NotImplementedError

    def leave_transaction(self) -> None:
        """Forget the queue and the watched keys."""
        raise NotImplementedError
