"""The connection of one client: received bytes become commands, replies become sent bytes.

    data_received ─> Requests ─> ClientSession.run_batch / run_one ─> out ─> transport
                                              │
                            a command blocks  │  no other command runs until its call is done
    deliver (any thread, under the lock) ─> pushes ─> wake ─> out

No command runs while the client does not read its replies. Nothing is read while many commands wait
to run. A client that sends many commands at once lets other clients run after a millisecond.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from time import monotonic
from typing import Any, Protocol

from minidis.clients.blocked import BlockedCall
from minidis.engine.engine import Engine
from minidis.errors import report
from minidis.protocol.replies import ProtocolError, error_line
from minidis.protocol.requests import Requests
from minidis.server.address import Address, abandon, is_loopback
from minidis.server.client_session import BATCH, ClientSession, Disconnect
from minidis.server.remote_client import RemoteClient

#: After this time (seconds) a client with many commands lets other clients run.
SLICE = 0.001
#: When a client has this many bytes of unread replies, its commands wait.
HIGH_WATER = 1024 * 1024
#: Bytes of commands that are read while earlier ones wait to run, and while the client does not
#: read its replies: libraries send a whole pipeline before they read.
READ_AHEAD = 1024 * 1024
READ_AHEAD_UNREAD = 64 * 1024 * 1024

TOO_MANY = b"-ERR max number of clients reached\r\n"
DENIED = (
    b"-DENIED Redis is running in protected mode because protected mode is enabled and no password "
    b"is set for the default user. In this mode connections are only accepted from the loopback "
    b"interface. To connect from elsewhere, set a password (CONFIG SET requirepass), or switch the "
    b"protection off (CONFIG SET protected-mode no) if the port cannot be reached from outside."
    b"\r\n"
)


class Host(Protocol):
    """The thread that serves a connection, as the connection sees it (thread.py)."""

    engine: Engine
    loop: asyncio.AbstractEventLoop | None
    connections: set[Connection]

    def soon(self, action: Callable[[], object]) -> None: ...
    def wake(self, connection: Connection) -> None: ...
    def enter(self, connection: Connection) -> None: ...


class Connection(asyncio.Protocol):
    """The connection of a client, with all data received and not yet sent."""

    def __init__(self, thread: Host, address: Address) -> None:
        #: the address of the server that has accepted it
        self.address = address
        self.thread = thread
        self.engine = thread.engine
        self.limits = self.engine.settings.clients
        self.client = RemoteClient(self, "unix" if address.path else "tcp")
        self.session: ClientSession | None = None
        self.transport: Any = None
        self.requests = Requests()
        #: received bytes that are not parsed yet
        self.unread: list[bytes] = []
        self.unread_size = 0
        #: parsed commands; those from index `at` on have not run yet
        self.todo: list[list[bytes]] | None = None
        self.at = 0
        self.blocked: BlockedCall | None = None
        self.timer: asyncio.TimerHandle | None = None
        #: other connections run first; the client does not read its replies; it is closed
        self.yielded = False
        self.write_paused = False
        self.closed = False
        self.ended = False
        #: the client sends no more; the connection is closed after the last reply
        self.eof = False
        self.paused = False
        self.out: list[bytes] = []
        #: messages from other sessions, guarded by the engine's lock
        self.pushes: list[bytes] = []
        self.pushed = 0
        #: messages caused by the running command: they are sent after its reply
        self.later_messages: list[bytes] = []
        #: a command of this connection is running
        self.active = False
        self.used = 0.0
        self.over_soft: asyncio.TimerHandle | None = None

    # connecting and closing --------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.set_write_buffer_limits(HIGH_WATER)
        error = self._rejection()
        if error is not None:
            self.closed = True
            transport.write(error)
            transport.close()
            return
        self._set_addresses()
        client, engine = self.client, self.engine
        with engine.lock:
            client.user = engine.users.of_newcomers
            self.session = ClientSession(engine, client=client)
        self.used = monotonic()
        self.thread.enter(self)

    def _rejection(self) -> bytes | None:
        """Return the error for a client that may not connect, or None."""
        if self.engine.closed or len(self.thread.connections) >= self.limits.clients:
            return TOO_MANY
        is_remote = not is_loopback(self.transport.get_extra_info("peername"))
        if is_remote and self.limits.protected and self.engine.users.default.nopass:
            return DENIED
        return None

    def _set_addresses(self) -> None:
        """Set the addresses of the client, and enable keepalive."""
        if self.address.path:
            self.client.address = self.client.local_address = f"{self.address.path}:0"
            return
        get = self.transport.get_extra_info
        self.client.address = _address_text(get("peername"))
        self.client.local_address = _address_text(get("sockname"))
        if self.limits.keepalive:
            _keep_alive(get("socket"), self.limits.keepalive)

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        self.thread.connections.discard(self)
        for timer in (self.timer, self.over_soft):
            if timer is not None:
                timer.cancel()
        self.todo, self.unread, self.out = None, [], []
        self.end_session()

    def eof_received(self) -> bool:
        """The client sends no more. Received commands get their replies, unless one blocks."""
        self.eof = self.yielded or self.write_paused
        return self.eof and self.blocked is None

    def end_session(self) -> None:
        """End the session: other sessions do not see it any more."""
        if self.session is not None and not self.ended:
            self.ended = True
            self.session.end()

    def end(self) -> None:
        """Close at once and discard unsent data. In the server's thread."""
        if not self.closed:
            self.closed = True
            self.transport.abort()

    def end_soon(self) -> None:
        """Close, from any thread."""
        self.thread.soon(self.end)

    def leave(self) -> None:
        """In the child of a fork: the connection belongs to the parent."""
        self.closed = True
        abandon(self.transport.get_extra_info("socket"))

    def idle_since(self, now: float) -> float:
        """Return since when it has been idle; `now` if it waits for a reply or for messages."""
        waits = self.blocked is not None or self.client.listening or self.client.monitors
        return now if waits else self.used

    # receiving ---------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        self.used = monotonic()
        if self.closed:
            return
        if self.todo is not None or self.blocked is not None or self.write_paused or self.yielded:
            self._keep(data)
            return
        self.requests.feed(data)
        if not self.client.close_after_reply:
            self._work(self.used + SLICE)

    def _keep(self, data: bytes) -> None:
        """Keep data that cannot be parsed yet."""
        self.unread.append(data)
        self.unread_size += len(data)
        if self.unread_size + self.requests.pending > self.limits.query:
            self.end()
        elif self.blocked is None:  # a blocked client is still read, to notice a closed connection
            ahead = READ_AHEAD_UNREAD if self.write_paused else READ_AHEAD
            self._pause(self.unread_size > ahead)

    def _pause(self, pause: bool) -> None:
        if pause != self.paused and not self.transport.is_closing():
            self.paused = pause
            (self.transport.pause_reading if pause else self.transport.resume_reading)()

    def _work(self, until: float) -> None:
        """Run received commands until none is left, one blocks, or other clients should run.

        The caller has checked that a command may run.
        """
        requests = self.requests
        try:
            while self.todo is not None or self._read():
                self._run()
                if self.todo is None and not self.unread and requests.is_empty:
                    break  # the usual end
                self.flush()
                if not self.is_free():
                    break
                if monotonic() > until:
                    self._yield()
                    break
        except Disconnect:
            self.end()
            return
        except ProtocolError as error:
            if self.client.reply_mode == "on":
                self.out.append(error_line(error))
            self.client.close_after_reply = True
        except Exception as error:  # a reply that cannot be encoded; no other reply may follow
            report(error)
            self.end()
            return
        if self.eof and not self.yielded and not self.write_paused:
            self.client.close_after_reply = True  # all commands have their replies
        self.flush()

    def _go_on(self) -> None:
        """Run what has been received meanwhile, if a command may run."""
        if self.is_free():
            self._work(monotonic() + SLICE)
        else:
            self.flush()

    def is_free(self) -> bool:
        """Return whether its next command may run."""
        leaving = self.closed or self.client.close_after_reply
        return not leaving and self.blocked is None and not self.write_paused

    def _read(self) -> bool:
        """Parse received data into `todo`; return False when no command is complete."""
        requests = self.requests
        requests.unauthenticated = self.client.user is None
        requests.longest_word = self.engine.settings.max_string
        commands = requests.take()
        if not commands and self.unread:
            requests.feed(b"".join(self.unread))
            self.unread, self.unread_size = [], 0
            self._pause(False)
            commands = requests.take()
        if not commands:
            if requests.pending > self.limits.query:
                self.end()
            return False
        self.todo = commands
        return True

    def _yield(self) -> None:
        """Go on after the other connections have run."""
        self.yielded = True
        self.thread.soon(self._next_turn)

    def _next_turn(self) -> None:
        self.yielded = False
        if not self.closed:
            self._go_on()

    def _run(self) -> None:
        """Run one batch of the commands in `todo`."""
        session, todo, at = self.session, self.todo, self.at
        assert session is not None and todo is not None
        client, until = self.client, at + BATCH
        with self.engine.lock:
            if self.ended:  # another session killed it while this thread waited for the lock
                self.todo, self.at = None, 0
                return
            self.active = True
            if self.pushes:
                self.collect()
            try:
                if client.reply_mode == "on":
                    at = session.run_batch(todo, at, self.out)
                    if at != self.at:
                        client.last = todo[at - 1][:2]
                        self._send_later()
                if at < min(len(todo), until):
                    at += 1
                    self._run_one(todo[at - 1])
            finally:
                self.active = False
        if at < len(todo) and not client.close_after_reply:
            self.at = at
        else:
            self.todo, self.at = None, 0

    def _run_one(self, words: list[bytes]) -> None:
        """Run a command on the slow path."""
        session, client = self.session, self.client
        assert session is not None
        client.last = words[:2]
        self.blocked = session.run_one(words, self.out)
        self._complete()
        if self.blocked is not None:
            self._wait(self.blocked)
            self._pause(False)  # to notice a closed connection

    def _complete(self) -> None:
        """Send the messages that follow a reply, and update the reply mode."""
        client = self.client
        if client.tracking is not None:  # invalidations by its own changes follow the reply
            self.engine.observers.tracking.release(client)
        self._send_later()
        if self.blocked is None and client.reply_mode.startswith("skip"):
            client.reply_mode = "skip" if client.reply_mode == "skip next" else "on"

    # blocked calls -----------------------------------------------------------------------------

    def _wait(self, blocked: BlockedCall) -> None:
        """Go on when the blocked call is done."""
        blocked.notify(lambda: self.thread.soon(lambda: self._served(blocked)))
        self._arm(blocked)

    def _arm(self, blocked: BlockedCall) -> None:
        timeout = blocked.timeout
        loop = self.thread.loop
        if timeout is not None and loop is not None:
            self.timer = loop.call_later(timeout, self._expire, blocked)

    def _expire(self, blocked: BlockedCall) -> None:
        self.timer = None
        if blocked is self.blocked:
            blocked.expire()
            if not blocked.done:  # the clocks differ by a little
                self._arm(blocked)

    def _served(self, blocked: BlockedCall) -> None:
        """The blocked call has its reply."""
        if self.closed or blocked is not self.blocked or self.session is None:
            return
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        try:
            with self.engine.lock:
                if self.ended:
                    return
                self.active = True
                self.collect()
                try:
                    self.blocked = self.session.reply_to_blocked(blocked, self.out)
                    self._complete()
                finally:
                    self.active = False
        except Exception as error:
            report(error)
            self.end()
            return
        if self.blocked is not None:
            self._wait(self.blocked)
        self._go_on()

    # sending -----------------------------------------------------------------------------------

    def push(self, message: bytes) -> None:
        """Send a message that is no reply. Under the engine's lock, from any thread."""
        if self.closed:
            return
        if self.active:
            self.later_messages.append(message)
            return
        self.pushes.append(message)
        self.pushed += len(message)
        hard = self.limits.output["pubsub"][0]
        if hard and self.pushed > hard:
            self.pushes = []
            self.end_soon()  # not now: the caller may be iterating over all subscribers
        elif len(self.pushes) == 1:
            self.thread.wake(self)

    def _send_later(self) -> None:
        """Send the messages that follow the reply of a command."""
        if self.later_messages:
            self.out += self.later_messages
            self.later_messages = []

    def collect(self) -> None:
        """Take the messages of other sessions. Under the engine's lock."""
        self.out += self.pushes
        self.pushes, self.pushed = [], 0

    def flush(self) -> None:
        """Write what is to be sent to the transport."""
        out = self.out
        if self.transport.is_closing():
            self.out = []
        elif out and not self.closed:
            self.out = []
            self.transport.write(out[0] if len(out) == 1 else b"".join(out))
            waiting = self.transport.get_write_buffer_size()
            if waiting:
                self._watch_output(waiting)
        if self.client.close_after_reply and not self.closed:
            self.closed = True
            self.transport.close()

    def _watch_output(self, waiting: int) -> None:
        """Close a client that exceeds its output buffer limits."""
        kind = "pubsub" if self.client.listening else "normal"
        hard, soft, seconds = self.limits.output[kind]
        if hard and waiting >= hard:
            self.end()
        elif not soft or waiting < soft:
            if self.over_soft is not None:
                self.over_soft.cancel()
                self.over_soft = None
        elif self.over_soft is None and self.thread.loop is not None:
            self.over_soft = self.thread.loop.call_later(seconds, self._still_over, soft)

    def _still_over(self, soft: int) -> None:
        self.over_soft = None
        if not self.closed and self.transport.get_write_buffer_size() >= soft:
            self.end()

    def pause_writing(self) -> None:
        self.write_paused = True
        # Libraries send a whole pipeline before they read: from now on more of it is read.
        if self.blocked is None:
            self._pause(self.unread_size > READ_AHEAD_UNREAD)

    def resume_writing(self) -> None:
        self.write_paused = False
        if self.over_soft is not None:
            self.over_soft.cancel()
            self.over_soft = None
        if not self.closed and self.blocked is None and not self.yielded:
            self._pause(False)
            self._go_on()


def _address_text(endpoint: Any) -> str:
    """Return an address as CLIENT LIST shows it."""
    if not isinstance(endpoint, tuple):
        return "?:0"
    host, port = endpoint[:2]
    return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"


def _keep_alive(sock: Any, seconds: int) -> None:
    """Have the system probe the client after `seconds` without data."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, seconds)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(seconds // 3, 1))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
