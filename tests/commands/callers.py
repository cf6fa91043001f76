"""Callers for tests of what concerns connections: one without a socket, and one that waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minidis import Minidis
from minidis.api.session import Session
from minidis.clients.client import Client
from tests.calls import Call, eventually


class Connection(Client):
    """The outside of a session, as at a server: what it is sent is kept in `got`."""

    kind = "tcp"
    takes_messages = True

    def __init__(self, address: str = "127.0.0.1:50001") -> None:
        super().__init__()
        self.address = address
        self.local_address = "127.0.0.1:6379"
        self.protocol = 2
        self.got: list[Any] = []
        self.killed = False

    def deliver(self, message: Any) -> None:
        self.got.append(message)

    def kill(self) -> None:
        self.killed = True


def connect(db: Minidis[Any], address: str = "127.0.0.1:50001") -> tuple[Session[Any], Connection]:
    """A new connection, and its outside."""
    client = Connection(address)
    client.user = db.engine.users.of_newcomers
    return Session(db.engine, client=client), client


class Blocked(Call):
    """A call of a session that waits, in a thread of its own."""

    def __init__(self, session: Session[Any], call: Callable[[], Any]) -> None:
        super().__init__(call)
        eventually(lambda: session.client.blocked is not None, "a call that waits")
