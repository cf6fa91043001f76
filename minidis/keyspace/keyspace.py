"""One database: keys, values and deadlines. The only place where commands find and leave data.

    read     look a key up, as a command that uses the value does (counts, remembers the access)
    peek     look without a trace: TYPE, TTL, OBJECT, EXISTS
    write    look up in order to change
    put      store a whole value           remove   delete a key
    changed  count a change of a key, and keep its event for observers

A change of more than one step first saves how to undo it in the unit of work, so that a command is
done or has not happened. A collection changes by methods that are units themselves (structures/).

Deadlines live in a dict of their own and, in the order they become due, in a heap whose stale
entries are dropped when they surface.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush, heapreplace
from typing import Any, TypeVar, cast

from minidis import errors
from minidis.errors import WrongTypeError
from minidis.keyspace.unit import EMPTIED, REPLACED, Unit
from minidis.structures.index import Index
from minidis.structures.lists import List
from minidis.structures.sorted_set import SortedSet
from minidis.structures.streams import Stream
from minidis.structures.tables import Hash, Set
from minidis.structures.types import COLLECTIONS, is_collection, is_empty

C = TypeVar("C", Hash, Set, List, SortedSet, Stream)


class Uses(dict[bytes, int]):
    """Key -> seconds of its last use, for keys used since the remembering began."""

    __slots__ = ("since",)

    def __init__(self, since: int) -> None:
        self.since = since

    def __missing__(self, key: bytes) -> int:
        return self.since


class Keyspace:
    """A numbered database of an engine."""

    __slots__ = (
        "accessed", "deadlines", "direct", "direct_overwrite", "direct_stored", "due", "expired",
        "fresh", "hits", "index", "misses", "most_fresh", "number", "schedule", "unit", "values",
    )  # fmt: skip

    def __init__(self, unit: Unit, number: int, schedule: Callable[[int], None]) -> None:
        self.unit = unit
        self.number = number
        #: make sure that expire_due() is called soon after a deadline (milliseconds since 1970)
        self.schedule = schedule
        self.values: dict[bytes, Any] = {}
        self.deadlines: dict[bytes, int] = {}
        #: (deadline, key), a heap; an entry that is not in `deadlines` any more is stale
        self.due: list[tuple[int, bytes]] = []
        #: deadlines that are not in the heap yet, and how many there may be
        self.fresh: dict[bytes, int] = {}
        self.most_fresh = 64
        #: keys in a dense list, from the first SCAN or RANDOMKEY on
        self.index: Index | None = None
        #: key -> seconds of its last use, from the first OBJECT IDLETIME on
        self.accessed: Uses | None = None
        #: a plain SET needs to store nothing but the value: no observer, nothing derived from keys
        self.direct = True
        #: the same for a key that exists: there may be an index, which does not change then
        self.direct_overwrite = True
        #: it needs to store the value and to enter it in unit.stored
        self.direct_stored = False
        self.expired = 0
        self.reset_statistics()

    def reset_statistics(self) -> None:
        """Set the counters of hits, misses and expired keys to 0."""
        self.hits = self.misses = self.expired = 0

    # looking ---------------------------------------------------------------------------------

    def find(self, key: bytes) -> Any:
        """The value, or None; a key past its deadline is deleted on the way."""
        value = self.values.get(key)
        if value is not None and key in self.deadlines and self.unit.now() > self.deadlines[key]:
            self.expire(key)
            return None
        return value

    def peek(self, key: bytes, *, silent: bool = False) -> Any:
        """The value, counted as a hit or a miss, but not remembered as a use.

        `silent`: that it is missing is not announced.
        """
        value = self.find(key)
        if value is not None:
            self.hits += 1
        elif silent:
            self.misses += 1
        else:
            self.miss(key)
        return value

    def miss(self, key: bytes) -> None:
        """Count a look-up of a missing key."""
        self.misses += 1
        if self.unit.observed:
            self.changed(key, "keymiss", 0)

    def lookup(self, key: bytes) -> Any:
        """The value of any type, counted and remembered as a use."""
        value = self.find(key)
        if value is None:
            self.miss(key)
            return None
        self.hits += 1
        if self.accessed is not None:
            self.accessed[key] = self.unit.now() // 1000
        return value

    def read(self, key: bytes | Any, kind: type[C]) -> C | None:
        """The container at key, None when missing; WrongTypeError for another type."""
        value = self.values.get(key)
        # The usual case without a detour: it is there, and neither expires nor is counted.
        if value.__class__ is kind and key not in self.deadlines and self.accessed is None:
            self.hits += 1
            return value
        value = self.lookup(key)
        if value.__class__ is kind or value is None:
            return value
        raise WrongTypeError

    def write(self, key: bytes | Any, kind: type[C]) -> C | None:
        """As read(), in order to change: neither a hit nor a miss."""
        value = self.values.get(key)
        if value.__class__ is kind and key not in self.deadlines and self.accessed is None:
            return value
        value = self.find(key)
        if value is None:
            return None
        if value.__class__ is not kind:
            raise WrongTypeError
        if self.accessed is not None:
            self.accessed[key] = self.unit.now() // 1000
        return value

    def string(self, key: bytes | Any) -> bytes | None:
        """The bytes of a string value; None when missing; WrongTypeError for another type."""
        return text_of(self.lookup(key))

    def view(self, key: bytes | Any) -> bytes | bytearray:
        """The bytes of a string, empty when missing, not copied: to look at, not to keep."""
        value = self.lookup(key)
        return value if value.__class__ is bytearray else text_of(value) or b""

    def string_to_change(self, key: bytes | Any) -> Any:
        """The string value as it is stored (bytes, int, bytearray), or None."""
        value = self.values.get(key)
        if value is not None and key in self.deadlines:
            value = self.find(key)
        if value.__class__ in COLLECTIONS:
            raise WrongTypeError
        return value

    # changing --------------------------------------------------------------------------------

    def changed(self, key: bytes | Any, event: str | None, count: int = 1) -> None:
        """Count changes of the key, and keep the event for observers; see Unit.changed."""
        unit = self.unit
        unit.dirty += count
        if event is not None and (unit.observed or key in unit.interest):
            unit.events.append((self.number, event, key))
            unit.pending = True

    def save_undo(self, key: bytes) -> None:
        """Save how the key is now, to be put back if the command does not complete."""
        entry = (self.restore, key, self.values.get(key), self.deadlines.get(key))
        unit = self.unit
        unit.version = None
        unit.pending = True
        unit.undo.append(entry)

    def restore(self, key: bytes, value: Any, deadline: int | None) -> None:
        """Put a key back as save_undo() saw it; may be repeated."""
        if value is None:
            self.values.pop(key, None)
            self.deadlines.pop(key, None)
        else:
            self.values[key] = value
            if deadline is None:
                self.deadlines.pop(key, None)
            else:
                self.deadlines[key] = deadline
                self.fresh[key] = deadline

    def restore_all(self, values: dict[bytes, Any], deadlines: dict[bytes, int | None]) -> None:
        """Put keys back; may be repeated."""
        for key, value in values.items():
            self.restore(key, value, deadlines.get(key))

    def put(self, key: bytes | Any, value: Any, deadline: int | None = None) -> None:
        """Store a whole value; its deadline is the given one (milliseconds since 1970) or none."""
        values, deadlines, unit = self.values, self.deadlines, self.unit
        # The lines of save_undo().
        old = values.get(key)
        entry = (self.restore, key, old, deadlines.get(key))
        unit.version = None
        unit.pending = True
        unit.undo.append(entry)
        if old is None and unit.new_keys:
            self._announce(key)
        values[key] = value
        if deadline is not None:
            self.schedule_expiry(key, deadline)
            deadlines[key] = deadline
        elif key in deadlines:
            del deadlines[key]
        if not self.direct:
            self._update_derived(key, old is None)

    def replace(self, key: bytes | Any, value: Any) -> None:
        """Store a whole value in place of the old one; the deadline stays."""
        if key in self.values or self.direct:
            self.values[key] = value  # one step; what is derived from the keys stays as it is
        else:
            self.put(key, value)

    def _announce(self, key: bytes) -> None:
        """Insert the event `new` before the other events of the key, but after a key miss."""
        events = self.unit.events
        mine = (
            at
            for at, (number, event, name) in enumerate(events)
            if (number, name) == (self.number, key) and event != "keymiss"
        )
        at = next(mine, len(events))
        if at and events[at - 1][1] in ("rename_from", "move_from"):
            at -= 1
        events.insert(at, (self.number, "new", key))

    def remove(self, key: bytes | Any) -> bool:
        """Delete a key; False when there is none."""
        if key not in self.values:
            return False
        self.save_undo(key)
        self.values.pop(key)
        self.deadlines.pop(key, None)
        if not self.direct:
            self._forget_derived(key)
        return True

    def delete_emptied(self, key: bytes | Any, event: str) -> None:
        """A command took the last element: the event of the command, then `del`."""
        self.changed(key, event)
        self.changed(key, "del", 0)
        self.remove(key)

    def set_deadline(self, key: bytes, deadline: int | None) -> None:
        """Give an existing key a deadline (milliseconds since 1970) or take it away."""
        self.save_undo(key)
        if deadline is None:
            self.deadlines.pop(key, None)
            return
        self.schedule_expiry(key, deadline)
        self.deadlines[key] = deadline

    def schedule_expiry(self, key: bytes, deadline: int) -> None:
        """See that the key expires in time; the deadline itself is stored by the caller."""
        fresh = self.fresh
        fresh[key] = deadline
        if len(fresh) > self.most_fresh:
            self._sort_deadlines()
        if deadline < self.unit.wake_at:
            self.schedule(deadline)

    def _sort_deadlines(self) -> None:
        """Enter new deadlines into the heap, or make it anew if too many entries are stale."""
        fresh = self.fresh  # forgotten last: an interruption finds all entries, some of them twice
        if len(self.due) + len(fresh) > 2 * len(self.deadlines) + 64:
            # The last of the fresh ones may not be among the deadlines yet.
            due = [(when, key) for key, when in {**self.deadlines, **fresh}.items()]
            heapify(due)
            self.due = due
        else:
            for key, deadline in fresh.items():
                heappush(self.due, (deadline, key))
        self.most_fresh = 64 + len(self.due) // 4
        self.fresh = {}

    def _update_derived(self, key: bytes, is_new: bool) -> None:
        """Index and access times follow a key that was stored."""
        if is_new and self.index is not None:
            self.index.add(key)
        if self.accessed is not None:
            self.accessed[key] = self.unit.now() // 1000

    def _forget_derived(self, key: bytes) -> None:
        """Index and access times follow a key that is gone."""
        if self.index is not None:
            self.index.discard(key)
        if self.accessed is not None:
            self.accessed.pop(key, None)

    # expiry ----------------------------------------------------------------------------------

    def expire(self, key: bytes) -> None:
        """Delete a key whose deadline has passed."""
        # No undo: the key has expired, whatever becomes of the command that found it. A reader
        # without the lock looks at the deadline first, so the value goes before the deadline.
        if key in self.values:
            self.expired += 1
            self.changed(key, "expired")
            if self.unit.recording:
                self.unit.expired_effect(self.number, key)
            del self.values[key]
        self.deadlines.pop(key, None)
        if not self.direct:
            self._forget_derived(key)

    def expire_due(self, now: int, limit: int) -> int:
        """Work off at most `limit` entries before `now`, and return how many there were.

        A key expires, or its deadline has been put off, or the entry is stale.
        """
        if self.fresh:
            self._sort_deadlines()
        due, deadlines = self.due, self.deadlines
        count = 0
        while due and due[0][0] < now and count < limit:
            deadline, key = due[0]
            current = deadlines.get(key)
            count += 1
            if current is not None and current > deadline:
                heapreplace(due, (current, key))
                continue
            if current == deadline:
                self.expire(key)
            heappop(due)
        return count

    def next_deadline(self) -> int | None:
        """When the next key becomes due; too early if its deadline has been put off."""
        if self.fresh:
            self._sort_deadlines()
        due, deadlines = self.due, self.deadlines
        while due and due[0][1] not in deadlines:
            heappop(due)
        return due[0][0] if due else None

    # all keys --------------------------------------------------------------------------------

    def keys_index(self) -> Index:
        """The dense list of all keys, built at the first question and kept from then on."""
        if self.index is None:
            self.index = Index(self.values)
            self.update_direct()
        return self.index

    def update_direct(self) -> None:
        """Recompute `direct` and `direct_overwrite`."""
        unit = self.unit
        underived = self.accessed is None and not unit.observed
        self.direct_stored = underived and unit.buffered and self.index is None
        plain = underived and not unit.recording
        self.direct_overwrite = plain
        self.direct = plain and self.index is None

    def track_access(self, now: int) -> Uses:
        """Start to remember when keys are used; a key not used since then counts as used `now`."""
        if self.accessed is None:
            self.accessed = Uses(now)
            self.update_direct()
            self.unit.lock_reads()
        return self.accessed

    def adopt(self, values: dict[bytes, Any], deadlines: dict[bytes, int]) -> None:
        """Take over loaded data as the whole content."""
        self.values, self.deadlines = values, deadlines
        self.index, self.accessed = None, None
        self.update_direct()
        self.due, self.fresh = [], dict(deadlines)
        self._sort_deadlines()
        if self.due:
            self.schedule(self.due[0][0])

    def contents(self) -> tuple[Any, ...]:
        """Everything SWAPDB, FLUSHDB and their undo have to move at once."""
        self._sort_deadlines()
        return self.values, self.deadlines, self.due, self.index, self.accessed

    def set_contents(self, contents: tuple[Any, ...]) -> None:
        """The counterpart of contents()."""
        self.values, self.deadlines, self.due, self.index, self.accessed = contents
        self.fresh = {}
        self.update_direct()

    def announce_replacement(self, event: str, following: Keyspace | None = None) -> None:
        """Keep the events of all keys going at once: `following` has what comes in their place."""
        unit = self.unit
        unit.pending = True
        unit.events.append((self.number, event, b""))
        others = {} if following is None else following.values
        unit.events += [
            (self.number, REPLACED, key)
            for key in unit.interest
            if key in self.values or key in others
        ]

    def clear(self) -> None:
        """Empty the database."""
        self.announce_replacement(EMPTIED)
        self.unit.on_rollback(self.set_contents, self.contents())
        self.unit.dirty += len(self.values)
        self.set_contents(({}, {}, [], None, None))

    # after an interruption -------------------------------------------------------------------

    def repair_values(self, keys: Iterable[bytes]) -> None:
        """Make the keys' containers whole."""
        for key in keys:
            value: Any = self.values.get(key)
            if is_collection(value):
                value.repair()

    def repair(self, keys: Iterable[bytes]) -> None:
        """Make whole what an exception tore: the keys' containers, deadlines and the index."""
        self.repair_values(keys)
        for key in keys:
            if is_empty(self.values.get(key)):
                del self.values[key]
        # Of any key: SCAN, RANDOMKEY and the expiry thread delete keys that no argument names.
        for key in self.deadlines.keys() - self.values.keys():
            del self.deadlines[key]
        # A deadline that was scheduled, but not stored, has replaced the entry of this one.
        self.fresh.update((key, self.deadlines[key]) for key in self.deadlines.keys() & keys)
        if self.index is not None:
            self.index.repair(self.values)
        if self.accessed is not None:
            for key in self.accessed.keys() - self.values.keys():
                del self.accessed[key]

    def check(self) -> None:
        """AssertionError if what has to be in step is not. For tests."""
        assert self.deadlines.keys() <= self.values.keys(), "deadline without key"
        first: dict[bytes, int] = {}
        for when, key in (*self.due, *((when, key) for key, when in self.fresh.items())):
            first[key] = min(when, first.get(key, when))
        assert all(first[key] <= when for key, when in self.deadlines.items()), "not due"
        if self.index is not None:
            assert set(self.index.items) == set(self.values), "index out of step"
        for value in self.values.values():
            if is_collection(value):
                assert not is_empty(value), "empty container"
                value.check()


def text_of(value: Any) -> bytes | None:
    """The bytes of a stored string; WrongTypeError for a container."""
    kind = value.__class__
    if kind is bytes or value is None:
        return cast("bytes | None", value)
    if kind is int:
        return b"%d" % value
    if kind in COLLECTIONS:
        raise WrongTypeError
    return bytes(value)


def no_such_key() -> errors.ResponseError:
    """For commands that need the key to exist."""
    return errors.error(errors.NO_SUCH_KEY)
