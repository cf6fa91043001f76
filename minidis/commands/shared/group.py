"""What every group of commands knows: the selected database, the engine, and who calls."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from minidis.clients.client import Client
from minidis.engine.engine import Engine
from minidis.keyspace.keyspace import Keyspace

#: What a bulk string is to the caller: bytes, or str with decode_responses.
T = TypeVar("T")


class Group(Generic[T]):
    """Base of the group classes."""

    space: Keyspace
    engine: Engine
    client: Client
    #: what MULTI has queued; None outside. A body that sees a queue runs out of it, in EXEC.
    queue: Any

    def update_checks(self) -> None:
        """The client's state has changed: recompute whether commands need a second look."""
        raise NotImplementedError
