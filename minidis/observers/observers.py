"""The observers of one engine, and the order in which a commit calls them.

    after each command   tracking, notifications, listeners
    after each unit      recorders, tracking of prefixes, watches, blocked calls

Nothing here runs unless an observer is interested in the events of a unit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from minidis.clients.client import Client, Clients
from minidis.keyspace.keyspace import Keyspace
from minidis.keyspace.unit import Unit
from minidis.observers import notifications
from minidis.observers.batch import Batch, Observer
from minidis.observers.blocking import BlockedCalls
from minidis.observers.channels import Channels
from minidis.observers.listeners import Callback, Listeners
from minidis.observers.notifications import Notifications
from minidis.observers.tracking import TrackingTable
from minidis.observers.watch import Watches


class Observers:
    """All observers. The engine's lock is held by the caller."""

    def __init__(
        self,
        unit: Unit,
        clients: Clients,
        databases: list[Keyspace],
        return_elements: Callable[[Callable[[Any], None], Any], None],
    ) -> None:
        self._unit = unit
        self._clients = clients
        self._databases = databases
        self.channels = Channels()
        self.tracking = TrackingTable(unit, clients, self.update)
        self.notifications = Notifications(self.channels)
        self.listeners = Listeners()
        self.watches = Watches(unit, databases, self.forget_interest)
        self.blocked = BlockedCalls(unit, databases, return_elements, self.forget_interest)
        #: a journal, a replication backlog: they want the effects of all units
        self.recorders: list[Observer] = []
        self._buffered: list[Observer] = []
        self._each_command: Iterable[Observer] = (
            self.tracking,
            self.notifications,
            self.listeners,
        )
        self._each_unit: Iterable[Observer] = (self.tracking, self.watches, self.blocked)

    def command_committed(self, client: Any) -> None:
        """Call those that are told of each command."""
        batch = Batch(self._unit.events, client=client)
        for observer in self._each_command:
            observer.command_committed(batch)

    def unit_committed(self, client: Any) -> None:
        """Call those that are told of each unit as a whole."""
        unit = self._unit
        batch = Batch(unit.nested + unit.events if unit.nested else unit.events, client=client)
        for observer in self._each_unit:
            observer.unit_committed(batch)

    def perhaps_changed(self) -> None:
        """A command was interrupted: keys may have changed although it is rolled back.

        Watches of keys with events become dirty, and blocked calls look again.
        """
        batch = Batch(self._unit.events)
        self.watches.unit_committed(batch)
        self.blocked.unit_committed(batch)

    def record(self) -> None:
        """Hand the effects of the unit to the recorders."""
        unit = self._unit
        if unit.stored:
            self._tell_recorders(Batch([], stored=unit.stored))
            unit.stored = []
        if unit.records:
            self._tell_recorders(Batch(unit.events, unit.records))
            unit.records = []

    def _tell_recorders(self, batch: Batch) -> None:
        for recorder in self.recorders:
            recorder.unit_committed(batch)

    def update(self) -> None:
        """Recompute which events are kept: those of all keys, or of keys of interest only."""
        unit = self._unit
        self.record()
        flags = self.notifications.flags
        unit.new_keys = notifications.announces_new(flags)
        unit.observed = bool(self.listeners or flags or self.tracking.broadcasts)
        unit.recording = bool(self.recorders)
        unit.buffered = unit.recording and self._buffered == self.recorders
        if unit.recording:
            unit.pending = True
        for space in self._databases:
            space.update_direct()

    def forget_interest(self) -> None:
        """Forget keys that an interrupted call has left as interesting, once no call can be."""
        if not (self.watches or self.blocked.waits_for_keys or len(self.tracking)):
            self._unit.interest.clear()

    def attach(self, recorder: Observer, *, buffered: bool = False) -> None:
        """Let a recorder have the effects of all units from now on.

        buffered: plain SETs may reach it late, many in one batch (batch.py). record() hands over
        those that wait.
        """
        self.record()
        self._unit.recorded = self._unit.dirty
        self.recorders.append(recorder)
        if buffered:
            self._buffered.append(recorder)
        self.update()

    def detach(self, recorder: Observer) -> None:
        """The counterpart of attach()."""
        self.record()
        self.recorders.remove(recorder)
        if recorder in self._buffered:
            self._buffered.remove(recorder)
        self.update()

    def listen(self, callback: Callback) -> None:
        """Call back for every change of a key."""
        self.listeners.add(callback)
        self.update()

    def stop_listening(self, callback: Callback) -> None:
        """The counterpart of listen()."""
        self.listeners.remove(callback)
        self.update()

    def notify(self, flags: int) -> None:
        """Publish these classes of events; see notifications.py."""
        self.notifications.flags = flags
        self.update()

    def forget(self, client: Client) -> None:
        """The client has gone: it is told nothing any more."""
        self.channels.forget(client)
        self.tracking.stop(client)

    def close(self) -> None:
        """The database closes."""
        self.record()
        self.listeners.close()
        self.blocked.close()
