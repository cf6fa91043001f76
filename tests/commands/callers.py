"""Callers for tests of what concerns connections: one without a socket, and one that waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from minidis import Minidis
from minidis.clients import Client
from minidis.session import Session


class Connection(Client):
    """The outside of a session, as a door has it: what it is sent is kept in `got`."""

    kind = "tcp"
    listens = True

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


class Blocked(threading.Thread):
    """A call of a session that waits, in a thread of its own; `answer` after join()."""

    def __init__(self, session: Session[Any], call: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self.call = call
        self.answer: Any = None
        self.start()
        deadline = time.monotonic() + 5
        while session.client.waiter is None:
            assert time.monotonic() < deadline, "the call does not wait"
            time.sleep(0.0005)

    def run(self) -> None:
        try:
            self.answer = self.call()
        except Exception as error:
            self.answer = error

    def join(self, timeout: float | None = 5) -> None:
        super().join(timeout)
        assert not self.is_alive(), "the call still waits"
