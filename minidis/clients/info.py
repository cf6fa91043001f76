"""The description of a client: a line of CLIENT LIST, also an item of ACL LOG.

    id=3 addr=127.0.0.1:51234 ... name=worker age=7 idle=0 flags=b db=0 ... lib-name=... lib-ver=...
                                                          │
                                                          └ FLAGS below: a letter for each state

The fields are those of Redis 7.0 in their order, and the two that came with 7.2.
"""

from __future__ import annotations

from collections.abc import Callable

from minidis.clients.client import Client

#: Letter -> whether the client is in that state; the order is that of the letters.
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

#: Fields about buffers that Redis has: zero, since nobody here counts them.
_UNCOUNTED = (
    "qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem=0 events=r"
)


def describe(client: Client, now: int, running: str = "") -> bytes:
    """The line, without its end. `running`: the command it runs now, if it is the caller.

    Names and addresses hold neither blanks nor line ends, so the fields can be told apart.
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
            f"{_UNCOUNTED} cmd={running or client.command}".encode(),
            b"user=" + user_of(client),
            f"redir={redirect} resp={client.protocol}".encode(),
            b"lib-name=" + client.library,
            b"lib-ver=" + client.library_version,
        )
    )


def as_bytes(address: str) -> bytes:
    """An address; the path of a socket may hold any bytes."""
    return address.encode("utf-8", "surrogateescape")


def user_of(client: Client) -> bytes:
    """Name of its user; who has not authenticated is the default user without permission."""
    return b"default" if client.user is None else client.user.name


def type_of(client: Client) -> bytes:
    """Its type for CLIENT LIST and KILL: there are no masters and replicas here."""
    return b"pubsub" if client.listening else b"normal"


def _queued(client: Client) -> int:
    """How many commands it has queued since MULTI; -1 outside."""
    return -1 if client.queue is None else len(client.queue)


def _is_dirty(client: Client) -> bool:
    """Whether a key that it watches has changed."""
    return client.watch is not None and client.watch.dirty
