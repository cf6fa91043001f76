"""Client-side caching: which client has read which keys, and invalidation messages to them.

    GET of a tracking client ─> remember(client, keys)
                                     │
    a key changes ─> invalidate ─ key -> client ids ─> once, to those that have read it since then
                           └───── prefix -> clients ─> broadcasting: always, and all keys of one
                                                       command in one message

The message is a push, `invalidate [keys]`, or goes to the client that CLIENT TRACKING REDIRECT
names: a push there, too, or for RESP2 a message of the channel `__redis__:invalidate`. A client
that changes a key itself is told after its reply: its messages wait in `TrackingState.pending` for
release().

Keys are remembered by name alone, whatever the database, and no more of them than `max_keys`: the
oldest is then forgotten, and its readers are told as if it had changed.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping

from minidis.clients.client import Client, Clients
from minidis.clients.tracking import TrackingState
from minidis.keyspace.unit import EMPTIED, Unit
from minidis.observers.batch import Batch, Observer
from minidis.replies import Push

#: Where clients that speak RESP2 are told of invalidations.
CHANNEL = b"__redis__:invalidate"


class TrackingTable(Observer):
    """All that is tracked in an engine. Its callers hold the engine's lock."""

    def __init__(self, unit: Unit, clients: Clients, on_change: Callable[[], None]) -> None:
        self.unit = unit
        self._clients = clients
        #: called when tracking of all keys begins or ends
        self._on_change = on_change
        self.max_keys = 1_000_000
        #: key -> ids of those who have read it: `alone` of the one, or a set of several
        self._readers: OrderedDict[bytes, frozenset[int] | set[int]] = OrderedDict()
        #: prefix -> who hears of every change below it
        self._prefixes: dict[bytes, dict[Client, None]] = {}
        #: the lengths of the prefixes: a key is looked up by its beginnings
        self._lengths: set[int] = set()
        #: how many clients track
        self._count = 0
        #: clients whose sessions have vanished: embedded ones need no closing
        self.gone: deque[Client] = deque()

    def __bool__(self) -> bool:
        """Whether any client tracks keys."""
        return self._count > 0

    def __len__(self) -> int:
        """How many keys are remembered."""
        return len(self._readers)

    @property
    def clients(self) -> int:
        """How many clients track."""
        return self._count

    @property
    def broadcasts(self) -> bool:
        """Whether a client is told of every change below a prefix."""
        return bool(self._prefixes)

    # on and off ------------------------------------------------------------------------------

    def start(self, client: Client, redirect: int = 0) -> TrackingState:
        """The client tracks from now on; what it wants to hear of is for the caller to say."""
        if client.tracking is None:
            client.tracking = TrackingState(client.id)
            self._count += 1
            self._watch_over(client)
        client.tracking.redirect = redirect
        return client.tracking

    def broadcast(self, client: Client, prefix: bytes) -> None:
        """Let the client hear of all keys that begin with the prefix."""
        if client.tracking is not None:
            client.tracking.prefixes.add(prefix)
            self._prefixes.setdefault(prefix, {})[client] = None
            self._lengths.add(len(prefix))
            self._on_change()

    def stop(self, client: Client) -> None:
        """The client tracks no more. The keys it has read are forgotten when they change."""
        if client.tracking is None:
            return
        if client.tracking.end is not None:
            client.tracking.end.detach()
        for prefix in client.tracking.prefixes:
            clients = self._prefixes.get(prefix, {})
            clients.pop(client, None)
            if not clients:
                self._prefixes.pop(prefix, None)
        self._lengths = set(map(len, self._prefixes))
        client.tracking = None
        self._count -= 1
        if not self._count:
            self._forget_all_keys()
        self._on_change()

    def _forget_all_keys(self) -> None:
        keys = list(self._readers)
        self._readers.clear()
        for key in keys:
            self.unit.drop_interest(key)

    def _watch_over(self, client: Client) -> None:
        """Have a note left when the session vanishes; garbage is collected anywhere."""
        assert client.tracking is not None
        if client.owner is not None:
            client.tracking.end = weakref.finalize(client.owner, self.gone.append, client)
            client.tracking.end.atexit = False

    def forget_gone(self) -> None:
        """Forget the clients whose sessions have vanished."""
        while self.gone:
            self.stop(self.gone[0])
            self.gone.popleft()

    # what has been read ----------------------------------------------------------------------

    def remember(self, client: Client, keys: Iterable[bytes]) -> None:
        """A command of the client has read the keys."""
        tracking = client.tracking
        if tracking is None or not tracking.remembers:
            return
        readers = self._readers
        for key in keys:
            ids = readers.get(key)
            if ids is None:
                self.unit.add_interest(key)
                readers[key] = tracking.alone
            elif isinstance(ids, set):
                ids.add(client.id)
            elif client.id not in ids:
                readers[key] = {*ids, client.id}
        while len(readers) > self.max_keys > 0:
            key, ids = readers.popitem(last=False)
            self.unit.drop_interest(key)
            self._tell_readers(key, ids, None)

    # what has changed ------------------------------------------------------------------------

    def command_committed(self, batch: Batch) -> None:
        """Tell the clients that have read the changed keys."""
        if not self:
            return
        self.forget_gone()
        if any(event == EMPTIED for _, event, _ in batch.events):
            self.flushed()
        for key, by in batch.changed_keys().items():
            ids = self._readers.pop(key, None)
            if ids is not None:
                self.unit.drop_interest(key)
                self._tell_readers(key, ids, by)

    def unit_committed(self, batch: Batch) -> None:
        """Tell broadcasting clients."""
        if self._prefixes:
            self._broadcast(batch.changed_keys())

    def _tell_readers(self, key: bytes, ids: frozenset[int] | set[int], by: Client | None) -> None:
        """Tell everybody who has read the key, and tracks still."""
        for number in sorted(ids):
            client = self._clients.get(number)
            tracking = None if client is None else client.tracking
            if client is None or tracking is None or tracking.broadcasts:
                continue
            if client is not by or not tracking.no_loop:
                self._tell(client, [key])

    def _broadcast(self, changed: Mapping[bytes, Client | None]) -> None:
        """All keys of a prefix go out in one message."""
        below: dict[bytes, list[bytes]] = {}
        for key in sorted(changed):
            for length in self._lengths:
                prefix = key[:length]
                if len(prefix) == length and prefix in self._prefixes:
                    below.setdefault(prefix, []).append(key)
        for prefix, keys in sorted(below.items()):
            for client in list(self._prefixes[prefix]):
                told = keys
                if client.tracking is not None and client.tracking.no_loop:
                    told = [key for key in keys if changed[key] is not client]
                if told:
                    self._tell(client, told)

    def flushed(self) -> None:
        """A database was flushed: invalidate all keys of all clients."""
        self._forget_all_keys()
        for client in self._clients:
            if client.tracking is not None:
                self._tell(client, None)

    # telling ---------------------------------------------------------------------------------

    def _tell(self, client: Client, keys: list[bytes] | None) -> None:
        """Invalidate `keys` (None: all) at the client, after the reply of its own command."""
        if client is self.unit.caller and client.tracking is not None:
            client.tracking.pending.append(keys)
        else:
            self._send(client, keys)

    def release(self, client: Client) -> None:
        """The client has its reply: now it hears of what has happened meanwhile."""
        tracking = client.tracking
        while tracking is not None and tracking.pending:
            self._send(client, tracking.pending[0])
            del tracking.pending[:1]

    def _send(self, client: Client, keys: list[bytes] | None) -> None:
        """A message for the client, or for the one that it has named."""
        target = self._target(client)
        if target is None:
            return
        if target.protocol == 3:
            target.deliver(Push((b"invalidate", keys)))
        elif client.tracking is not None and client.tracking.redirect and target.listening:
            target.deliver(Push((b"message", CHANNEL, keys)))

    def _target(self, client: Client) -> Client | None:
        """Who hears what is meant for the client; None: the one it has named has gone."""
        tracking = client.tracking
        if tracking is None or not tracking.redirect:
            return client
        target = self._clients.get(tracking.redirect)
        if target is None:
            tracking.broken = True
            if client.protocol == 3:
                client.deliver(Push((b"tracking-redir-broken", tracking.redirect)))
        return target
