"""A connection to a server: words out, replies in.

    dial()      connect, say hello, prove who one is, select the database
    ask()       one command and its answer, however long that takes; Ctrl-C hangs up
    ask_all()   a few questions at once, with a deadline, for what a person should not wait for
    receive()   the next thing the server sends; for streams

Every other answer than the one that is waited for (RESP3 marks it as a push) is kept in `pushed`.
A connection whose answers cannot be told apart any more is hung up, never used again.
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

#: Seconds to wait for a server that does not answer the call.
CONNECT_TIMEOUT = 5.0
#: Windows does not wake a waiting thread at Ctrl-C: look up so often, in seconds.
_WAKE_SECONDS = 0.5
_CHUNK = 1 << 16
#: Pushes that nobody has looked at.
_MAX_PUSHES = 1000


class Unreachable(MinidisError):
    """There is no connection, and none can be made; the message says where and why."""


class ConnectionLost(Unreachable):
    """The connection has ended before the answer came: whether the command ran is not known."""


def pack_command(words: Sequence[bytes]) -> bytes:
    """A command as it goes over the wire.

    >>> pack_command([b"GET", b"a"])
    b'*2\\r\\n$3\\r\\nGET\\r\\n$1\\r\\na\\r\\n'
    """
    return b"".join((b"*%d\r\n" % len(words), *(b"$%d\r\n%b\r\n" % (len(w), w) for w in words)))


class RemoteConnection:
    """One connection. Not for several threads at once, except that any may hang up."""

    def __init__(self, address: Address, seconds: float = CONNECT_TIMEOUT) -> None:
        self.address = address
        #: seconds to wait for each step of the beginning
        self._timeout = seconds
        #: what HELLO has told: server, version, ...; empty for a server that does not know it
        self.server_info: dict[bytes, Any] = {}
        #: a command was refused because nobody has authenticated yet
        self.needs_password = False
        self.pushes: deque[Push] = deque(maxlen=_MAX_PUSHES)
        self._reader = ReplyReader()
        self._socket = _connected(address, seconds)

    # asking ------------------------------------------------------------------------------------

    def execute(self, *words: bytes) -> Any:
        """Run a command and wait for its answer; ResponseError for a refusal."""
        reply = self.execute_all([words], None)[0]
        if isinstance(reply, Exception):
            raise _as_error(reply)
        return reply

    def execute_all(self, commands: Sequence[Sequence[bytes]], seconds: float | None) -> list[Any]:
        """The answers of several commands, refusals among them. Lost after so many seconds."""
        deadline = None if seconds is None else time.monotonic() + seconds
        try:
            self._send(b"".join(map(pack_command, commands)))
            return [self._reply(deadline) for _ in commands]
        except BaseException:  # Ctrl-C as well: the answer that is still to come would be the next
            self.close()
            raise

    def _reply(self, deadline: float | None) -> Any:
        while isinstance(reply := self.receive(deadline), Push):
            self.pushes.append(reply)
        return reply

    # single steps ------------------------------------------------------------------------------

    def send(self, *words: bytes) -> None:
        """Send a command whose answer comes with the stream."""
        self._send(pack_command(words))

    def _send(self, data: bytes) -> None:
        try:
            self._socket.settimeout(None)
            self._socket.sendall(data)
        except OSError as error:
            raise self._lost(error) from None

    def receive(self, deadline: float | None = None) -> Any:
        """The next thing the server sends: an answer, a refusal (not raised) or a Push."""
        while (reply := self._next()) is INCOMPLETE:
            self._feed(deadline)
        return reply

    def _next(self) -> Any:
        try:
            return self._reader.gets()
        except ProtocolError:
            raise self._lost("what it answers is not the language of Redis") from None

    def _feed(self, deadline: float | None) -> None:
        while True:
            left = (
                _WAKE_SECONDS
                if deadline is None
                else min(_WAKE_SECONDS, deadline - time.monotonic())
            )
            if left <= 0:
                raise self._lost("it takes too long")
            try:
                self._socket.settimeout(left)
                data = self._socket.recv(_CHUNK)
            except TimeoutError:
                continue
            except OSError as error:
                raise self._lost(error) from None
            if not data:
                raise self._lost("the server has closed it")
            self._reader.feed(data)
            return

    def is_alive(self) -> bool:
        """Has the server not hung up? Keeps what it has sent unasked."""
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
        """Look through what came unasked; False if it makes no sense."""
        try:
            while (reply := self._next()) is not INCOMPLETE:
                if isinstance(reply, Push):
                    self.pushes.append(reply)
        except ConnectionLost:
            return False
        return True

    def close(self) -> None:
        """End the connection; a thread that waits for an answer wakes up."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _lost(self, why: object) -> ConnectionLost:
        reason = (why.strerror or str(why)) if isinstance(why, OSError) else str(why)
        return ConnectionLost(f"the connection to {self.address} is lost: {reason}")

    # beginning ---------------------------------------------------------------------------------

    def handshake(self) -> None:
        """Say hello and who we are. A server that asks for a password first is no failure."""
        user, password = _bytes(self.address.user), _bytes(self.address.password)
        credentials = [b"AUTH", user or b"default", password] if password or user else []
        reply = self.execute_all([(b"HELLO", b"3", *credentials)], self._timeout)[0]
        if isinstance(reply, dict):
            self.server_info = reply
        elif "NOAUTH" in str(reply):
            self.needs_password = True
            return
        elif "unknown command" not in str(reply) and "NOPROTO" not in str(reply):
            raise _as_error(reply)  # above all WRONGPASS
        elif credentials:  # RESP2 it is; only servers since 6 have users
            self.execute(b"AUTH", *([user] if user else []), password)
        self.execute_all(
            [
                (b"CLIENT", b"SETINFO", b"LIB-NAME", b"minidis-shell"),
                (b"CLIENT", b"SETINFO", b"LIB-VER", __version__.encode()),
            ],
            self._timeout,
        )

    def select(self, database: int) -> None:
        """Make another database the selected one."""
        reply = self.execute_all([(b"SELECT", b"%d" % database)], self._timeout)[0]
        if isinstance(reply, Exception):
            raise _as_error(reply)


def connect(address: Address, seconds: float = CONNECT_TIMEOUT) -> RemoteConnection:
    """A connection that is ready for commands; Unreachable or ResponseError."""
    connection = RemoteConnection(address, seconds)
    try:
        connection.handshake()
        if address.database and not connection.needs_password:
            connection.select(address.database)
    except BaseException:
        connection.close()
        raise
    return connection


def _connected(address: Address, seconds: float) -> socket.socket:
    try:
        if address.path:
            return _unix_socket(address.path, seconds)
        plain = socket.create_connection((address.host, address.port), seconds)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not address.tls:
            return plain
        return ssl.create_default_context().wrap_socket(plain, server_hostname=address.host)
    except TimeoutError:
        raise Unreachable(f"cannot connect to {address}: no answer") from None
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
    """As it was typed, UTF-8 or not."""
    return text.encode("utf-8", "surrogateescape")


def _as_error(reply: object) -> ResponseError:
    return reply if isinstance(reply, ResponseError) else ResponseError(str(reply))
