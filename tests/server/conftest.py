"""A database with a server, and clients that send and receive bytes."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import minidis
from minidis.protocol.replies import INCOMPLETE, ReplyReader
from minidis.server.resp_server import RespServer, serve
from tests.oracle.resp import pack

#: Nothing here takes this long (seconds) unless it is broken, not even on a busy machine.
PATIENCE = 60.0


class Wire:
    """A connection that hides nothing."""

    def __init__(self, address: str) -> None:
        scheme, _, path = address.partition(":")
        if scheme == "unix":
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(path)
        else:
            host, _, port = address.rpartition(":")
            self.socket = socket.create_connection((host.strip("[]"), int(port)))
        self.socket.settimeout(PATIENCE)
        self.reader = ReplyReader()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def say(self, *lines: str) -> None:
        """Send commands, written with blanks between the words, in one go."""
        self.send(pack([line.encode().split() for line in lines]))

    def receive(self) -> Any:
        """The next reply or message; errors are values, too. ConnectionError at the end."""
        while (reply := self.reader.gets()) is INCOMPLETE:
            data = self.socket.recv(1 << 16)
            if not data:
                raise ConnectionError("the server has closed the connection")
            self.reader.feed(data)
        return str(reply) if isinstance(reply, Exception) else reply

    def ask(self, *lines: str) -> Any:
        """Send commands and receive as many replies; of one command the reply itself."""
        self.say(*lines)
        replies = [self.receive() for _ in lines]
        return replies[0] if len(lines) == 1 else replies

    def rest(self) -> bytes:
        """All bytes until the other side closes."""
        found = b""
        with contextlib.suppress(ConnectionResetError):
            while data := self.socket.recv(1 << 16):
                found += data
        return found

    def close(self) -> None:
        self.socket.close()


@pytest.fixture
def server(db: minidis.Minidis[bytes]) -> Iterator[RespServer]:
    """A server of `db` at a free port of the loopback."""
    with serve(db, "127.0.0.1:0") as opened:
        yield opened


@pytest.fixture
def dial() -> Iterator[Callable[[str], Wire]]:
    """Makes clients of any address."""
    with contextlib.ExitStack() as stack:

        def make(address: str) -> Wire:
            wire = Wire(address)
            stack.callback(wire.close)
            return wire

        yield make


@pytest.fixture
def connect(server: RespServer, dial: Callable[[str], Wire]) -> Callable[[], Wire]:
    """Makes clients of the server."""
    return lambda: dial(server.address)


@pytest.fixture
def wire(connect: Callable[[], Wire]) -> Wire:
    """A client."""
    return connect()


def server_threads() -> list[threading.Thread]:
    """The threads of servers that are alive."""
    return [thread for thread in threading.enumerate() if thread.name == "minidis-server"]
