"""WATCH: optimistic locking of keys for the next EXEC.

A Watch belongs to a client. It is dirty as soon as one of its keys has changed, expired, or was
flushed or swapped away; EXEC with a dirty watch returns None. A key that had already expired when
it was watched (but was still there) may be deleted without making the watch dirty: nothing changes
by that.

A session may be garbage collected at any time. Its watch leaves its keys in `gone`, and they are
forgotten at the next opportunity.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from weakref import WeakSet

from minidis.clients.watch import Watch, is_due
from minidis.keyspace.keyspace import Keyspace
from minidis.keyspace.unit import KeyId, Unit
from minidis.observers.batch import WHOLE, Batch, Observer, changes_value


class Watches(Observer):
    """All watches of an engine, by key; held weakly, because sessions need no closing."""

    def __init__(self, unit: Unit, databases: list[Keyspace], on_empty: Callable[[], None]) -> None:
        self.unit = unit
        self._on_empty = on_empty
        self.databases = databases
        self._by_key: dict[KeyId, WeakSet[Watch]] = {}
        #: what was watched by sessions that were garbage collected
        self.gone: deque[dict[KeyId, bool]] = deque()

    def __bool__(self) -> bool:
        return bool(self._by_key)

    def add(self, watch: Watch, space: Keyspace, key: bytes, now: int) -> None:
        """Watch a key; twice is once."""
        key_id = (space.number, key)
        if key_id not in watch.key_ids:
            watch.key_ids[key_id] = is_due(space, key, now)
            self._enter(key_id, watch)

    def _enter(self, key_id: KeyId, watch: Watch) -> None:
        if key_id not in self._by_key:
            self.unit.add_interest(key_id[1])
            self._by_key[key_id] = WeakSet()
        self._by_key[key_id].add(watch)

    def adopt(self, watch: Watch | None) -> None:
        """Watch what it watched before a fork."""
        if watch is not None:
            watch.gone = self.gone
            for key_id in watch.key_ids:
                self._enter(key_id, watch)

    def forget(self, watch: Watch) -> None:
        """The client watches nothing any more."""
        for key_id in watch.key_ids:
            others = self._by_key.get(key_id)
            if others is not None:
                others.discard(watch)
                if not others:
                    self._remove(key_id)
        watch.key_ids.clear()
        watch.dirty = False

    def _remove(self, key_id: KeyId) -> None:
        if self._by_key.pop(key_id, None) is not None:
            self.unit.drop_interest(key_id[1])
        if not self._by_key:
            self._on_empty()

    def forget_gone(self) -> None:
        """Forget the keys of sessions that were garbage collected."""
        while self.gone:
            self._remove_unwatched(self.gone[0])
            self.gone.popleft()

    def _remove_unwatched(self, key_ids: Iterable[KeyId]) -> None:
        for key_id in key_ids:
            if not self._by_key.get(key_id, True):
                self._remove(key_id)

    def unit_committed(self, batch: Batch) -> None:
        """Make the watches of changed keys dirty."""
        if self.gone:
            self.forget_gone()
        for number, event, key in batch.events:
            if event not in WHOLE and changes_value(event):
                self._key_changed(number, key)

    def _key_changed(self, number: int, key: bytes) -> None:
        watches = self._by_key.get((number, key))
        if watches is None:
            return
        still_clean = False
        for watch in watches:
            if watch.key_ids[number, key] and key not in self.databases[number].values:
                watch.key_ids[number, key] = False  # deletion of an expired key: no change
                still_clean = True
            else:
                watch.dirty = True
        if not still_clean:
            self._remove((number, key))  # later changes of the key make no difference
