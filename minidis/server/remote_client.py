"""The client of a connection, as other sessions see and reach it."""

from __future__ import annotations

from time import monotonic
from typing import Protocol

from minidis.api.session import find_command
from minidis.clients.client import Client
from minidis.clients.monitored import MonitoredCommand
from minidis.engine.engine import Engine
from minidis.errors import MinidisError
from minidis.protocol.replies import encode_reply
from minidis.replies import Push, Status


class Output(Protocol):
    """The connection, as its client sees it (connection.py)."""

    engine: Engine
    #: when data was last received, in seconds of the monotonic clock
    used: float
    #: messages of its own command, which follow the reply
    later_messages: list[bytes]

    def push(self, message: bytes) -> None: ...
    def end_session(self) -> None: ...
    def end_soon(self) -> None: ...


class RemoteClient(Client):
    """The client of a connection, as other sessions see it."""

    takes_messages = True
    #: the first words of its last command, unless the session has named it
    last: list[bytes] | None = None
    _command = Client.command

    def __init__(self, connection: Output, kind: str) -> None:
        self.connection = connection
        super().__init__()
        self.kind = kind
        self.protocol = 2

    # These two change with every command and are rarely read: they are computed on demand.

    @property
    def used(self) -> int:
        """Time at which data was last received (milliseconds since 1970)."""
        idle = monotonic() - self.connection.used
        return self.connection.engine.clock.now() - int(idle * 1000)

    @used.setter
    def used(self, moment: int) -> None:
        """Ignored: the connection keeps this time."""

    @property
    def command(self) -> str:
        """Name of its last command."""
        return self._command if self.last is None else display_name_of(self.last)

    @command.setter
    def command(self, name: str) -> None:
        self._command, self.last = name, None

    def deliver(self, message: Push | Status | MonitoredCommand) -> None:
        """Send a message. Under the engine's lock."""
        data = encode_reply(message, self.protocol)
        # CLIENT REPLY OFF suppresses the lines of MONITOR, but not pub/sub messages.
        if message.__class__ is Push or self.reply_mode == "on":
            self.connection.push(data)

    def kill(self) -> None:
        """End the connection, from any thread; other sessions stop seeing it at once."""
        self.close_after_reply = True
        self.connection.end_session()
        self.connection.end_soon()


def display_name_of(words: list[bytes]) -> str:
    """Return the name of a command as CLIENT LIST writes it."""
    try:
        return find_command(words).display_name
    except MinidisError:
        return "NULL"
