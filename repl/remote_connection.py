"""A blocking RESP connection to a server.

    connect()       open the socket, HELLO, AUTH, SELECT
    execute()       send a command and wait for its reply; Ctrl-C closes the connection
    execute_all()   send several commands, with a timeout for all replies
    receive()       the next reply or push message; for streams

RESP3 push messages that arrive between replies are kept in `pushes`. After an error or interrupt
the connection is closed and not used again: replies could no longer be matched to commands.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from minidis import __version__
from minidis.errors import MinidisError, ResponseError
from minidis.protocol.replies import INCOMPLETE, ProtocolError, ReplyReader
from minidis.replies import Push
from repl.address import Address

#: Seconds to wait for the connection, and for each step of the handshake.
CONNECT_TIMEOUT = 5.0
#: Windows does not interrupt recv() at Ctrl-C: wake up after this many seconds.
_WAKE_SECONDS = 0.5
_CHUNK = 1 << 16
#: Maximum number of push messages kept; older ones are dropped.
_MAX_PUSHES = 1000


class Unreachable(MinidisError):
    """The server cannot be reached; the message names the address and the reason."""


class ConnectionLost(Unreachable):
    """The connection was lost before the reply arrived. The command may or may not have run."""


def pack_command(words: Sequence[bytes]) -> bytes:
    """Encode a command as RESP.

    >>> pack_command([b"GET", b"a"])
    b'*2\\r\\n$3\\r\\nGET\\r\\n$1\\r\\na\\r\\n'
    """
    return b"".join((b"*%d\r\n" % len(words), *(b"$%d\r\n%b\r\n" % (len(w), w) for w in words)))


class RemoteConnection:
    """A connection for one thread; only close() may be called from other threads."""

    def __init__(self, address: Address, seconds: float = CONNECT_TIMEOUT) -> None:
        self.address = address
        #: seconds to wait for each step of the handshake
        self._timeout = seconds
        #: reply of HELLO: server, version, ...; empty if the server does not know HELLO
        self.server_info: dict[bytes, Any] = {}
        #: the server requires AUTH, and no password was given
        self.needs_password = False
        self.pushes: deque[Push] = deque(maxlen=_MAX_PUSHES)
        self._reader = ReplyReader()
        self._socket = _open_socket(address, seconds)

    # commands ----------------------------------------------------------------------------------

    def execute(self, *words: bytes) -> Any:
        """Run a command and return its reply. Raises ResponseError for an error reply."""
        reply = self.execute_all([words], None)[0]
        if isinstance(reply, Exception):
            raise _as_error(reply)
        return reply

    def execute_all(self, commands: Sequence[Sequence[bytes]], seconds: float | None) -> list[Any]:
        """The replies of several commands, errors included. Raises ConnectionLost at a timeout."""
        deadline = None if seconds is None else time.monotonic() + seconds
        try:
            self._send(b"".join(map(pack_command, commands)))
            return [self._reply(deadline) for _ in commands]
        except BaseException:  # Ctrl-C too: the next command would get the pending reply
            self.close()
            raise

    def _reply(self, deadline: float | None) -> Any:
        while isinstance(reply := self.receive(deadline), Push):
            self.pushes.append(reply)
        return reply

    # sending and receiving ---------------------------------------------------------------------

    def send(self, *words: bytes) -> None:
        """Send a command whose reply is read with receive()."""
        self._send(pack_command(words))

    def _send(self, data: bytes) -> None:
        try:
            self._socket.settimeout(None)
            self._socket.sendall(data)
        except OSError as error:
            raise self._lost(error) from None

    def receive(self, deadline: float | None = None) -> Any:
        """The next reply, error reply (not raised) or Push."""
        while (reply := self._next()) is INCOMPLETE:
            self._feed(deadline)
        return reply

    def _next(self) -> Any:
        try:
            return self._reader.gets()
        except ProtocolError:
            raise self._lost("the server does not speak the Redis protocol") from None

    def _feed(self, deadline: float | None) -> None:
        while True:
            left = (
                _WAKE_SECONDS
                if deadline is None
                else min(_WAKE_SECONDS, deadline - time.monotonic())
            )
            if left <= 0:
                raise self._lost("timed out")
            try:
                self._socket.settimeout(left)
                data = self._socket.recv(_CHUNK)
            except TimeoutError:
                continue
            except OSError as error:
                raise self._lost(error) from None
            if not data:
                raise self._lost("closed by the server")
            self._reader.feed(data)
            return

    def is_alive(self) -> bool:
        """Return whether the connection is still open. Keeps push messages that have arrived."""
        try:
            self._socket.settimeout(0)
            while data := self._socket.recv(_CHUNK):
                self._reader.feed(data)
            return False
        except (BlockingIOError, ssl.SSLWantReadError):
            return self._buffer_pushes()
        except OSError:
            return False

    def _buffer_pushes(self) -> bool:
        """Keep the push messages received so far. Returns False on a protocol error."""
        try:
            while (reply := self._next()) is not INCOMPLETE:
                if isinstance(reply, Push):
                    self.pushes.append(reply)
        except ConnectionLost:
            return False
        return True

    def close(self) -> None:
        """Close the connection; a thread that waits for a reply wakes up."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _lost(self, why: object) -> ConnectionLost:
        reason = (why.strerror or str(why)) if isinstance(why, OSError) else str(why)
        return ConnectionLost(f"the connection to {self.address} is lost: {reason}")

    # handshake ---------------------------------------------------------------------------------

    def handshake(self) -> None:
        """Send HELLO, AUTH and CLIENT SETINFO. A server that requires a password is no error."""
        user, password = _bytes(self.address.user), _bytes(self.address.password)
        credentials = [b"AUTH", user or b"default", password] if password or user else []
        reply = self.execute_all([(b"HELLO", b"3", *credentials)], self._timeout)[0]
        if isinstance(reply, dict):
            self.server_info = reply
        elif "NOAUTH" in str(reply):
            self.needs_password = True
            return
        elif "unknown command" not in str(reply) and "NOPROTO" not in str(reply):
            raise _as_error(reply)  # usually WRONGPASS
        elif credentials:  # RESP2; Redis before 6 has no users
            self.execute(b"AUTH", *([user] if user else []), password)
        self.execute_all(
            [
                (b"CLIENT", b"SETINFO", b"LIB-NAME", b"minidis-shell"),
                (b"CLIENT", b"SETINFO", b"LIB-VER", __version__.encode()),
            ],
            self._timeout,
        )

    def select(self, database: int) -> None:
        """Select a database."""
        reply = self.execute_all([(b"SELECT", b"%d" % database)], self._timeout)[0]
        if isinstance(reply, Exception):
            raise _as_error(reply)


def connect(address: Address, seconds: float = CONNECT_TIMEOUT) -> RemoteConnection:
    """Open a connection that is ready for commands. Raises Unreachable or ResponseError."""
    connection = RemoteConnection(address, seconds)
    try:
        connection.handshake()
        if address.database and not connection.needs_password:
            connection.select(address.database)
    except BaseException:
        connection.close()
        raise
    return connection


def _open_socket(address: Address, seconds: float) -> socket.socket:
    try:
        if address.path:
            return _unix_socket(address.path, seconds)
        plain = socket.create_connection((address.host, address.port), seconds)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not address.tls:
            return plain
        return ssl.create_default_context().wrap_socket(plain, server_hostname=address.host)
    except TimeoutError:
        raise Unreachable(f"cannot connect to {address}: timed out") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise Unreachable(f"cannot connect to {address}: {reason}") from None


def _unix_socket(path: str, seconds: float) -> socket.socket:
    if not hasattr(socket, "AF_UNIX"):
        raise OSError(0, "this system has no Unix sockets")
    found = socket.socket(socket.AF_UNIX)
    try:
        found.settimeout(seconds)
        found.connect(path)
    except BaseException:
        found.close()
        raise
    return found


def _bytes(text: str) -> bytes:
    """The bytes as typed, valid UTF-8 or not."""
    return text.encode("utf-8", "surrogateescape")


def _as_error(reply: object) -> ResponseError:
    return reply if isinstance(reply, ResponseError) else ResponseError(str(reply))
