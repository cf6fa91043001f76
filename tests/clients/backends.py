"""Where the clients go: a real redis-server, and the server of a database in this process.

A test knows only a `Backend`: host, port, path of a socket. It runs at both: a wrong expectation
fails on the real server.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

import pytest

import minidis
from tests.calls import eventually
from tests.oracle.resp import Connection, Reply
from tests.oracle.run import server_is_required, start_server


@dataclass(frozen=True)
class Backend:
    """A server, and a connection of ours to it that no scenario uses."""

    name: str
    port: int
    path: str
    control: Connection
    host: str = "127.0.0.1"

    @property
    def url(self) -> str:
        """The address as most libraries take it."""
        return f"redis://{self.host}:{self.port}"

    @property
    def is_real(self) -> bool:
        return self.name == "redis"

    def execute(self, *words: bytes | str | int | float) -> Reply:
        """Run a command on the control connection; errors are returned, not raised."""
        return self.control.execute(*words)

    def clients(self, **fields: str) -> list[dict[str, str]]:
        """Lines of CLIENT LIST whose fields are these."""
        lines = self.execute("CLIENT", "LIST").decode().splitlines()
        found = [dict(word.split("=", 1) for word in line.split()) for line in lines]
        return [one for one in found if fields.items() <= one.items()]

    def wait_for(self, number: int = 1, **fields: str) -> None:
        """Wait until so many clients have these fields, at least."""
        eventually(lambda: len(self.clients(**fields)) >= number, f"{number} clients {fields}")

    def reset(self) -> None:
        """Put back what a scenario may have changed."""
        self.execute("CLIENT", "UNPAUSE")
        self.execute("FLUSHALL")
        self.execute("CONFIG", "SET", "requirepass", "", "notify-keyspace-events", "")
        for user in self.execute("ACL", "USERS"):
            if user != b"default":
                self.execute("ACL", "DELUSER", user)


def free_port() -> int:
    """A free port."""
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        number: int = probe.getsockname()[1]
    return number


@contextmanager
def redis_backend() -> Iterator[Backend]:
    """A real server; the test is skipped on a machine without, unless CI insists."""
    port = free_port()
    server = start_server("--port", str(port))
    if server is None:
        pytest.skip("no redis-server 7.4 on this machine (python -m tests.oracle.servers)")
    try:
        with closing(Connection(server.path)) as control:
            yield Backend("redis", port, server.path, control)
    finally:
        server.stop()


@contextmanager
def minidis_backend() -> Iterator[Backend]:
    """A database in this process, with servers on TCP and on a Unix socket."""
    with ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="minidis-clients-"))
        db = stack.enter_context(minidis.open())
        path = os.path.join(directory, "minidis.sock")
        tcp = stack.enter_context(db.serve("127.0.0.1:0"))
        stack.enter_context(db.serve(f"unix:{path}"))
        control = stack.enter_context(closing(Connection(path)))
        yield Backend("minidis", int(tcp.address.rpartition(":")[2]), path, control)


BACKENDS = {"redis": redis_backend, "minidis": minidis_backend}


def program(name: str) -> str:
    """Path of a client of the real server; the test is skipped without, unless CI insists."""
    found = shutil.which(name)
    if found is None:
        assert not server_is_required(), f"{name} is required and not on the path"
        pytest.skip(f"no {name} on this machine")
    return found
