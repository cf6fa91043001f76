"""What every group of commands knows: the selected database and the engine, nothing else."""

from __future__ import annotations

from typing import Generic, TypeVar

from minidis.engine import Engine
from minidis.keyspace import Keyspace

#: What a bulk string is to the caller: bytes, or str with decode_responses.
T = TypeVar("T")


class Group(Generic[T]):
    """Base of the group classes."""

    space: Keyspace
    engine: Engine
