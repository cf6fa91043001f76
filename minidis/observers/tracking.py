"""Client-side caching: who has read which keys, and who has to hear that they have changed.

    GET of a tracking client ─> remember(client, keys)
                                     │
    a key is touched ─> touched ─ key -> client ids ─> once, to those who have read it since then
                           └───── prefix -> clients ─> broadcasting: always, and all keys of one
                                                       command in one message

The message is a push, `invalidate [keys]`, or goes to the client that CLIENT TRACKING REDIRECT
names: a push there, too, or for RESP2 a message of the channel `__redis__:invalidate`. Whoever
changes a key itself hears of it after its reply: its messages wait in `Tracking.pending` for
release().

Keys are remembered by name alone, whatever the database, and no more of them than `max_keys`: the
oldest is then forgotten, and who has read it is told as if it had changed.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from minidis.replies import Push

if TYPE_CHECKING:
    from minidis.clients.client import Client
    from minidis.engine.engine import Engine

#: Where clients that speak RESP2 hear of invalidations.
CHANNEL = b"__redis__:invalidate"


class Tracking:
    """What a client wants to hear of."""

    __slots__ = (
        "alone", "broadcasts", "broken", "caching", "end", "no_loop", "opt_in", "opt_out",
        "pending", "prefixes", "redirect",
    )  # fmt: skip

    def __init__(self, client_id: int) -> None:
        #: the ids of a key that only this client has read: shared by all of them
        self.alone = frozenset((client_id,))
        self.broadcasts = False
        self.prefixes: set[bytes] = set()
        self.opt_in = False
        self.opt_out = False
        self.no_loop = False
        #: id of the client that hears in its place; 0: it hears itself
        self.redirect = 0
        #: that client has gone
        self.broken = False
        #: CLIENT CACHING: the next command, or transaction, is the other way round
        self.caching = False
        #: what it has to hear after its reply: keys of a message, None for all keys
        self.pending: list[list[bytes] | None] = []
        #: what happens when the session vanishes
        self.end: weakref.finalize[Any, Any] | None = None

    @property
    def remembers(self) -> bool:
        """Are the keys remembered that it reads now?"""
        if self.broadcasts:
            return False
        return self.caching if self.opt_in else not (self.opt_out and self.caching)

    def set_mode(self, *, broadcasts: bool, opt_in: bool, opt_out: bool, no_loop: bool) -> None:
        """Begin, or go on, with these options; what is not given is off."""
        self.broadcasts = broadcasts
        self.opt_in = opt_in
        self.opt_out = opt_out
        self.no_loop = no_loop
        self.broken = False

    def command_done(self, name: str, *, queueing: bool) -> None:
        """A command of the client is complete. CLIENT CACHING is for the one after it.

        Other CLIENT commands may stand between the two, and in MULTI it is for the transaction.
        """
        if not queueing and not name.startswith("CLIENT "):
            self.caching = False


class TrackingTable:
    """All that is tracked in an engine. Its callers hold the engine's lock."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
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
        """Does anybody track?"""
        return self._count > 0

    def __len__(self) -> int:
        """How many keys are remembered."""
        return len(self._readers)

    @property
    def clients(self) -> int:
        """How many clients track."""
        return self._count

    # on and off ------------------------------------------------------------------------------

    def start(self, client: Client, redirect: int = 0) -> Tracking:
        """The client tracks from now on; what it wants to hear of is for the caller to say."""
        if client.tracking is None:
            client.tracking = Tracking(client.id)
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
            self._readers.clear()

    def _watch_over(self, client: Client) -> None:
        """Have a note left when the session vanishes; garbage is collected anywhere."""
        assert client.tracking is not None
        if client.session is not None:
            client.tracking.end = weakref.finalize(client.session, self.gone.append, client)
            client.tracking.end.atexit = False

    def forget_gone(self) -> None:
        """Forget the clients whose sessions have vanished."""
        while self.gone:
            self.stop(self.gone[0])
            self.gone.popleft()
            self.engine.update_observers()

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
                readers[key] = tracking.alone
            elif isinstance(ids, set):
                ids.add(client.id)
            elif client.id not in ids:
                readers[key] = {*ids, client.id}
        while len(readers) > self.max_keys > 0:
            key, ids = readers.popitem(last=False)
            self._tell_readers(key, ids, None)

    # what has changed ------------------------------------------------------------------------

    def touched(self, changed: Mapping[bytes, Client | None]) -> None:
        """Keys have changed, each by a command of a client or, with None, by itself."""
        for key, by in changed.items():
            ids = self._readers.pop(key, None)
            if ids is not None:
                self._tell_readers(key, ids, by)

    def _tell_readers(self, key: bytes, ids: frozenset[int] | set[int], by: Client | None) -> None:
        """Tell everybody who has read the key, and tracks still."""
        for number in sorted(ids):
            client = self.engine.clients.get(number)
            tracking = None if client is None else client.tracking
            if client is None or tracking is None or tracking.broadcasts:
                continue
            if client is not by or not tracking.no_loop:
                self._tell(client, [key])

    def broadcast_changes(self, changed: Mapping[bytes, Client | None]) -> None:
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
        """A whole database has gone: all that anybody keeps is worthless."""
        self._readers.clear()
        for client in self.engine.clients:
            if client.tracking is not None:
                self._tell(client, None)

    # telling ---------------------------------------------------------------------------------

    def _tell(self, client: Client, keys: list[bytes] | None) -> None:
        """Tell the client that keys are worthless, None: all; its own command is answered first."""
        if client is self.engine.caller and client.tracking is not None:
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
        target = self.engine.clients.get(tracking.redirect)
        if target is None:
            tracking.broken = True
            if client.protocol == 3:
                client.deliver(Push((b"tracking-redir-broken", tracking.redirect)))
        return target
