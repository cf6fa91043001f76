"""Recorded effects: a recorder, their replay into another database, and what both must agree on."""

from __future__ import annotations

from typing import Any

import minidis
from minidis.engine.engine import Engine
from minidis.keyspace.unit import Effect
from minidis.observers.batch import Batch, Observer, words_of
from minidis.persistence.rdb.payload import dump_value
from minidis.structures.sorted_set import SortedSet
from minidis.structures.streams import Stream
from minidis.structures.tables import Hash, Set
from tests.oracle.resp import Words

#: (number of the database, command) of each effect
Logged = tuple[int, Words]


class Recorder(Observer):
    """Keeps the effects of each unit."""

    def __init__(self, engine: Engine, *, buffered: bool = False) -> None:
        self.batches: list[list[Effect]] = []
        self.last: Any = None
        self.observers = engine.observers
        self.observers.attach(self, buffered=buffered)

    def unit_committed(self, batch: Batch) -> None:
        assert batch.effects
        told = batch.stored or batch.records
        if told is not self.last:  # else it was told of it before an interruption
            self.batches += batch.records if batch.stored else [batch.effects]
            self.last = told

    def taken(self) -> list[list[Logged]]:
        """The batches since the last call, as words. Arguments may have been changed meanwhile."""
        self.observers.record()
        batches, self.batches = self.batches, []
        return [[(one.database, words_of(one)) for one in effects] for effects in batches]


class SilentClock(minidis.ManualClock):
    """A clock that can move without telling: keys expire when they are looked up."""

    def slip(self, milliseconds: int) -> None:
        self._us += milliseconds * 1000


class Replica:
    """A database that repeats effects."""

    def __init__(self, db: minidis.Minidis[Any]) -> None:
        self.db = db
        self.sessions = [db.session(number) for number in range(len(db.engine.databases))]

    def repeat(self, batches: list[list[Logged]]) -> None:
        """Run the effects; none of them may fail."""
        for batch in batches:
            for number, words in batch:
                self.sessions[number].execute(*words)


def state(db: minidis.Minidis[Any], *, tombstones: bool = True) -> Any:
    """All that has to be the same: digest, deadlines, payloads, streams with their groups.

    Tombstones are deleted entries that a node of a stream still counts; no file keeps them.
    """
    spaces = db.engine.databases
    return (
        db.debug_digest(),
        [dict(space.deadlines) for space in spaces],
        [
            {key: _form(db, value, tombstones) for key, value in space.values.items()}
            for space in spaces
        ],
    )


def _form(db: minidis.Minidis[Any], value: Any, tombstones: bool) -> Any:
    if isinstance(value, Stream):
        return _stream(value, tombstones)
    if isinstance(value, SortedSet):
        return list(value.ordered())  # SORT, which only reads, may leave a skiplist behind
    payload = dump_value(value, db.engine.settings.limits)
    # Hash tables are saved in no order; the digest has compared the members.
    return payload[0] if isinstance(value, (Hash, Set)) else payload


def _stream(stream: Stream, tombstones: bool) -> Any:
    """Nodes, past and groups; not when consumers were seen."""
    groups = {
        name: (
            group.last_id,
            group.read,
            {
                number: (owner and owner.name, time, count)
                for number, (owner, time, count) in group.pending.items()
            },
            set(group.consumers),
        )
        for name, group in stream.groups.items()
    }
    nodes = [
        (node.first, node.last, tombstones and node.dead, list(map(list, node.rows)))
        for node in stream.nodes
    ]
    return stream.last_id, stream.added, stream.max_deleted, nodes, groups
