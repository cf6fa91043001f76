"""Base of the command classes: the selected database, the engine and the calling client."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from minidis.clients.client import Client
from minidis.engine.engine import Engine
from minidis.keyspace.keyspace import Keyspace

#: Python type of a bulk string: bytes, or str with decode_responses.
T = TypeVar("T")


class Group(Generic[T]):
    """Base class of all groups of commands."""

    space: Keyspace
    engine: Engine
    client: Client
    #: commands queued since MULTI, None outside; a body that finds it set is run by EXEC
    queue: Any

    def update_checks(self) -> None:
        """Recompute whether commands take the slow path, after the client state has changed."""
        raise NotImplementedError
