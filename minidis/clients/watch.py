"""The keys that one client watches for its next EXEC; observers/watch.py has those of all."""

from __future__ import annotations

from collections import deque
from typing import Any

from minidis.keyspace.keyspace import Keyspace
from minidis.keyspace.unit import KeyId


class Watch:
    """The keys that one client watches."""

    __slots__ = ("__weakref__", "dirty", "gone", "key_ids")

    def __init__(self, gone: deque[Any]) -> None:
        self.gone = gone
        #: key -> whether it had expired already when it was watched
        self.key_ids: dict[KeyId, bool] = {}
        self.dirty = False

    def __del__(self) -> None:
        key_ids = getattr(self, "key_ids", None)  # None: __init__ was interrupted
        if key_ids:
            self.gone.append(key_ids)

    def expired_meanwhile(self, databases: list[Keyspace], now: int) -> bool:
        """Whether a watched key has reached its deadline without being deleted yet."""
        return any(
            not gone and is_due(databases[number], key, now)
            for (number, key), gone in self.key_ids.items()
        )


def is_due(space: Keyspace, key: bytes, now: int) -> bool:
    """Whether the key is past its deadline, though still there."""
    return key in space.values and now > space.deadlines.get(key, now)
