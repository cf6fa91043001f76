"""Consumer groups of a stream: how far they have read, and which entries are pending.

    pending     id -> (owner, time of delivery, deliveries)      the data
    consumers   name -> Consumer, with the ids it owns           derived from `pending`

Ids are usually added in ascending order and removed in any. They are sorted when a command needs a
range of them (XPENDING, XAUTOCLAIM, the history of a consumer), and kept sorted from then on. An
entry that XNACK has returned to the group has no owner.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

if TYPE_CHECKING:
    from sortedcontainers import SortedList

#: The number of entries read, when it cannot be computed.
UNKNOWN = -1
#: The time of an event that has not happened yet.
NEVER = -1

Value = TypeVar("Value")


class Ids(dict[int, Value], Generic[Value]):
    """A dict by id that can be iterated in the order of the ids."""

    __slots__ = ("order",)

    def __init__(self) -> None:
        self.order: SortedList | None = None

    def put(self, number: int, value: Value) -> None:
        """Store a value."""
        size = len(self)
        self[number] = value
        if self.order is not None and len(self) != size:
            self.order.add(number)

    def drop(self, number: int) -> None:
        """Remove an id, if it exists."""
        if number in self:
            del self[number]
            if self.order is not None:
                self.order.discard(number)

    def sorted(self) -> SortedList:
        """The ids in ascending order."""
        if self.order is None:
            from sortedcontainers import SortedList  # loaded when an order is first needed

            self.order = SortedList(self)
        return self.order

    def upward(self, start: int, end: int | None = None) -> Iterator[int]:
        """The ids from `start` to `end`, ascending. The dict must not change meanwhile."""
        found: Iterator[int] = self.sorted().irange(start, end)
        return found

    def check(self) -> None:
        """Raise AssertionError if an invariant is broken."""
        assert self.order is None or list(self.order) == sorted(self)


class Consumer:
    """A consumer of a group."""

    __slots__ = ("active", "ids", "name", "seen")

    def __init__(self, name: bytes, seen: int, active: int = NEVER) -> None:
        self.name = name
        #: time of its last command, in milliseconds since 1970
        self.seen = seen
        #: the same for the last command that delivered entries to it, or NEVER
        self.active = active
        #: the entries it has received but not acknowledged
        self.ids: Ids[None] = Ids()


#: Owner, time of the last delivery in milliseconds since 1970, number of deliveries.
Record = tuple[Consumer | None, int, int]


class ConsumerGroup:
    """A consumer group."""

    __slots__ = ("consumers", "last_id", "pending", "read")

    def __init__(self, last_id: int, read: int = UNKNOWN) -> None:
        #: id of the last delivered entry, and how many entries were ever added up to it
        self.last_id = last_id
        self.read = read
        self.pending: Ids[Record] = Ids()
        self.consumers: dict[bytes, Consumer] = {}

    def copy(self) -> Self:
        """An independent group with the same contents."""
        twin = type(self)(self.last_id, self.read)
        for name, consumer in self.consumers.items():
            twin.consumers[name] = Consumer(name, consumer.seen, consumer.active)
        for number, (owner, time, count) in self.pending.items():
            twin.put(number, (owner and twin.consumers[owner.name], time, count))
        return twin

    def put(self, number: int, record: Record) -> None:
        """Make an entry pending, and remove it from its previous owner."""
        before = self.pending.get(number)
        self.pending.put(number, record)
        if before is not None and before[0] is not None and before[0] is not record[0]:
            before[0].ids.drop(number)
        if record[0] is not None:
            record[0].ids.put(number, None)

    def drop(self, number: int) -> None:
        """Remove an entry from the pending ones, if it is one."""
        before = self.pending.get(number)
        self.pending.drop(number)
        if before is not None and before[0] is not None:
            before[0].ids.drop(number)

    def memo(self, ids: Iterable[int], *names: bytes) -> tuple[Any, ...]:
        """The state of the group, these ids and these consumers: the arguments of restore()."""
        consumers = {name: self.consumers.get(name) for name in names}
        times = [consumer and (consumer.seen, consumer.active) for consumer in consumers.values()]
        records = {number: self.pending.get(number) for number in ids}
        return self.last_id, self.read, records, consumers, times

    def restore(
        self,
        last_id: int,
        read: int,
        records: dict[int, Record | None],
        consumers: dict[bytes, Consumer | None],
        times: list[tuple[int, int] | None],
    ) -> None:
        """Restore the state that memo() returned. Can be repeated."""
        self.last_id, self.read = last_id, read
        for (name, consumer), moments in zip(consumers.items(), times, strict=True):
            if consumer is None or moments is None:
                self.consumers.pop(name, None)
            else:
                self.consumers[name] = consumer
                consumer.seen, consumer.active = moments
        for number, record in records.items():
            if record is None:
                self.pending.pop(number, None)
            else:
                self.pending[number] = record
        self.repair()

    def repair(self) -> None:
        """Rebuild what is derived from `pending`, after an exception."""
        self.pending.order = None
        for consumer in self.consumers.values():
            consumer.ids = Ids()
        for number, (owner, _, _) in self.pending.items():
            if owner is not None:
                owner.ids.put(number, None)

    def check(self) -> None:
        """Raise AssertionError if an invariant is broken."""
        self.pending.check()
        owned = [number for consumer in self.consumers.values() for number in consumer.ids]
        free = [number for number, record in self.pending.items() if record[0] is None]
        assert sorted(owned + free) == sorted(self.pending)
        for name, consumer in self.consumers.items():
            assert consumer.name == name
            assert all(self.pending[number][0] is consumer for number in consumer.ids)
            consumer.ids.check()
