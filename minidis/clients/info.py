"""The description of a client: a line of CLIENT LIST, also an item of ACL LOG.

    id=3 addr=127.0.0.1:51234 ... name=worker age=7 idle=0 flags=b db=0 ... lib-name=... lib-ver=...
                                                          │
                                                          └ FLAGS below: a letter for each state

The fields are those of Redis 7.4 in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from minidis.clients.client import Client
from minidis.keyspace.unit import KeyId

#: Letter -> whether the client is in that state, in the order of the output.
FLAGS: dict[str, Callable[[Client], bool]] = {
    "O": lambda client: client.monitors,
    "P": lambda client: client.listening,
    "x": lambda client: _queued(client) >= 0,
    "b": lambda client: client.blocked is not None,
    "t": lambda client: client.tracking is not None,
    "R": lambda client: client.tracking is not None and client.tracking.broken,
    "B": lambda client: client.tracking is not None and client.tracking.broadcasts,
    "d": lambda client: _is_dirty(client),
    "c": lambda client: client.close_after_reply,
    "U": lambda client: client.kind == "unix",
    "e": lambda client: client.no_evict,
    "T": lambda client: client.no_touch,
}

#: The fields about buffers are zero: minidis does not measure them.
_UNCOUNTED = (
    "qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem=0 events=r"
)


def client_line(client: Client, now: int, running: str = "") -> bytes:
    """Return the line without a line break. `running`: the command it runs, if it is the caller.

    Names and addresses contain neither blanks nor line breaks, so that the line can be parsed.
    """
    age, idle = (max(now - moment, 0) // 1000 for moment in (client.created, client.used))
    redirect = -1 if client.tracking is None else client.tracking.redirect
    flags = "".join(letter for letter, is_so in FLAGS.items() if is_so(client)) or "N"
    return b" ".join(
        (
            f"id={client.id}".encode(),
            b"addr=" + as_bytes(client.address),
            b"laddr=" + as_bytes(client.local_address),
            b"fd=-1",
            b"name=" + client.name,
            f"age={age} idle={idle if not running else 0} flags={flags}".encode(),
            f"db={client.database}".encode(),
            f"sub={len(client.channels)} psub={len(client.patterns)}".encode(),
            f"ssub={len(client.shard_channels)} multi={_queued(client)}".encode(),
            f"watch={len(watched_keys(client))}".encode(),
            f"{_UNCOUNTED} cmd={running or client.command}".encode(),
            b"user=" + user_of(client),
            f"redir={redirect} resp={client.protocol}".encode(),
            b"lib-name=" + client.library,
            b"lib-ver=" + client.library_version,
        )
    )


def as_bytes(address: str) -> bytes:
    """Encode an address; the path of a socket may contain any bytes."""
    return address.encode("utf-8", "surrogateescape")


def user_of(client: Client) -> bytes:
    """Return the name of its user; before authentication it is the default user."""
    return b"default" if client.user is None else client.user.name


def type_of(client: Client) -> bytes:
    """Return its type for CLIENT LIST and CLIENT KILL: minidis has no masters and replicas."""
    return b"pubsub" if client.listening else b"normal"


def _queued(client: Client) -> int:
    """Return the number of commands queued since MULTI; -1 outside of MULTI."""
    return -1 if client.queue is None else len(client.queue)


def watched_keys(client: Client) -> Collection[KeyId]:
    """Return the keys that it watches; as in Redis none, once one of them has changed."""
    return () if client.watch is None or client.watch.dirty else client.watch.key_ids


def _is_dirty(client: Client) -> bool:
    """Return whether a watched key has changed."""
    return client.watch is not None and client.watch.dirty
