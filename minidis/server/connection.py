"""One client: bytes in, commands, bytes out.

    data_received ─> Requests ─> Caller.run_batch / run_one ─> out ─> transport
                                            │
                       a command that waits │ nothing else is run until its blocked is done
    deliver (any thread, under the lock) ─> pushes ─> wake ─> out

Nothing more is run while the client does not take its answers, and nothing is read once much is
waiting to be run. A client with many commands lets others go first after a while.
"""

from __future__ import annotations

import asyncio
import socket
from time import monotonic
from typing import TYPE_CHECKING, Any

from minidis.clients.client import Client
from minidis.errors import report
from minidis.protocol.replies import ProtocolError, encode, error_line
from minidis.protocol.requests import Requests
from minidis.replies import Push, Status
from minidis.server.address import abandon, is_loopback
from minidis.server.client_session import BATCH, ClientSession, Disconnect, display_name_of

if TYPE_CHECKING:
    from minidis.clients.blocked import BlockedCall
    from minidis.clients.monitored import MonitoredCommand
    from minidis.server.resp_server import RespServer

#: A client with many commands lets others go first after so long (seconds).
SLICE = 0.001
#: Bytes of answers that a client may leave unread before it has to wait.
HIGH_WATER = 1024 * 1024
#: Bytes of commands that are read while earlier ones wait for a turn, and while the client does
#: not take its answers: libraries send a whole pipeline before they read.
READ_AHEAD = 1024 * 1024
READ_AHEAD_UNREAD = 64 * 1024 * 1024

TOO_MANY = b"-ERR max number of clients reached\r\n"
DENIED = (
    b"-DENIED Redis is running in protected mode because protected mode is enabled and no password "
    b"is set for the default user. In this mode connections are only accepted from the loopback "
    b"interface. To connect from elsewhere, set a password (CONFIG SET requirepass), or switch the "
    b"protection off (CONFIG SET protected-mode no) if nobody can reach this port who should not."
    b"\r\n"
)


class RemoteClient(Client):
    """What other sessions know of a connection, and how they reach it."""

    takes_messages = True
    #: the first words of its last command, unless the session has named it
    last: list[bytes] | None = None

    def __init__(self, connection: Connection, kind: str) -> None:
        self.connection = connection
        super().__init__()
        self.kind = kind
        self.protocol = 2

    # Two things that others rarely ask for, and that change with every command: worked out then.

    @property
    def used(self) -> int:
        """When it has last sent something (milliseconds since 1970)."""
        idle = monotonic() - self.connection.used
        return self.connection.engine.clock.now() - int(idle * 1000)

    @used.setter
    def used(self, moment: int) -> None:
        """Known by the connection."""

    @property
    def command(self) -> str:
        """Name of its last command."""
        return self._command if self.last is None else display_name_of(self.last)

    @command.setter
    def command(self, name: str) -> None:
        self._command, self.last = name, None

    def deliver(self, message: Push | Status | MonitoredCommand) -> None:
        """Send a message. Under the engine's lock."""
        data = encode(message, self.protocol)
        # A line of MONITOR is an answer, which may not be wanted; messages come in any case.
        if message.__class__ is Push or self.reply_mode == "on":
            self.connection.push(data)

    def kill(self) -> None:
        """End the connection, from whatever thread; for other sessions it has gone at once."""
        self.close_after_reply = True
        self.connection.end_session()
        self.connection.end_soon()


class Connection(asyncio.Protocol):
    """A client and all that is on its way to and from it."""

    def __init__(self, server: RespServer) -> None:
        self.server = server
        self.thread = server.thread
        self.engine = server.thread.engine
        self.limits = self.engine.settings.clients
        self.client = RemoteClient(self, "unix" if server.where.path else "tcp")
        self.session: ClientSession | None = None
        self.transport: Any = None
        self.requests = Requests()
        #: bytes that cannot be read yet
        self.unread: list[bytes] = []
        self.unread_size = 0
        #: commands that have been read and not been run
        self.todo: list[list[bytes]] | None = None
        self.at = 0
        self.blocked: BlockedCall | None = None
        self.timer: asyncio.TimerHandle | None = None
        #: a turn of its own has been asked for; its answers are not taken; it has been closed
        self.yielded = False
        self.write_paused = False
        self.closed = False
        self.ended = False
        #: it says no more, and is closed when all is answered
        self.eof = False
        self.paused = False
        self.out: list[bytes] = []
        #: what others have sent, guarded by the engine's lock; the thread runs a batch just now
        self.pushes: list[bytes] = []
        self.pushed = 0
        #: what its own command has sent to it: that comes after the answer
        self.later_messages: list[bytes] = []
        self.active = False
        self.used = 0.0
        self.over_soft: asyncio.TimerHandle | None = None

    # coming and going --------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.set_write_buffer_limits(HIGH_WATER)
        error = self._refusal()
        if error is not None:
            self.closed = True
            transport.write(error)
            transport.close()
            return
        self._name()
        client, engine = self.client, self.engine
        with engine.lock:
            client.user = engine.users.of_newcomers
            self.session = ClientSession(engine, client=client)
        self.used = monotonic()
        self.thread.enter(self)

    def _refusal(self) -> bytes | None:
        """Why the client may not come in."""
        if self.engine.closed or len(self.thread.connections) >= self.limits.clients:
            return TOO_MANY
        stranger = not is_loopback(self.transport.get_extra_info("peername"))
        if stranger and self.limits.protected and self.engine.users.default.nopass:
            return DENIED
        return None

    def _name(self) -> None:
        """Tell the client's addresses, and have the system notice when it has gone silently."""
        if self.server.where.path:
            self.client.address = self.client.local_address = f"{self.server.where.path}:0"
            return
        get = self.transport.get_extra_info
        self.client.address = _shown(get("peername"))
        self.client.local_address = _shown(get("sockname"))
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
        """The client says no more. What it has said is answered, unless that means to wait."""
        self.eof = self.yielded or self.write_paused
        return self.eof and self.blocked is None

    def end_session(self) -> None:
        """Leave all that other sessions know of."""
        if self.session is not None and not self.ended:
            self.ended = True
            self.session.end()

    def end(self) -> None:
        """Close at once; what has not been sent is not sent. In the thread."""
        if not self.closed:
            self.closed = True
            self.transport.abort()

    def end_soon(self) -> None:
        """Close, from any thread."""
        self.thread.soon(self.end)

    def leave(self) -> None:
        """In the child of a fork: the client is the parent's."""
        self.closed = True
        abandon(self.transport.get_extra_info("socket"))

    def idle_since(self, now: float) -> float:
        """Since when it has been idle; now if it waits for something."""
        waits = self.blocked is not None or self.client.listening or self.client.monitors
        return now if waits else self.used

    # in ----------------------------------------------------------------------------------------

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
        """More has come while something else has to happen first."""
        self.unread.append(data)
        self.unread_size += len(data)
        if self.unread_size + self.requests.pending > self.limits.query:
            self.end()
        elif self.blocked is None:  # who waits is read on, to notice when it goes
            ahead = READ_AHEAD_UNREAD if self.write_paused else READ_AHEAD
            self._pause(self.unread_size > ahead)

    def _pause(self, pause: bool) -> None:
        if pause != self.paused and not self.transport.is_closing():
            self.paused = pause
            (self.transport.pause_reading if pause else self.transport.resume_reading)()

    def _work(self, until: float) -> None:
        """Run what has come, until nothing is left, something has to be waited for, or others
        should have their turn. It may run something when this is called."""
        requests = self.requests
        try:
            while self.todo is not None or self._read():
                self._run()
                if self.todo is None and not self.unread and requests.is_empty:
                    break  # what nearly always ends it
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
        except Exception as error:  # an answer that cannot be written; nothing may follow it
            report(error)
            self.end()
            return
        if self.eof and not self.yielded and not self.write_paused:
            self.client.close_after_reply = True  # all is answered that it has said
        self.flush()

    def _go_on(self) -> None:
        """Run what has come meanwhile, if it may run."""
        if self.is_free():
            self._work(monotonic() + SLICE)
        else:
            self.flush()

    def is_free(self) -> bool:
        """May its next command run?"""
        leaving = self.closed or self.client.close_after_reply
        return not leaving and self.blocked is None and not self.write_paused

    def _read(self) -> bool:
        """Have something to do; False when no command is complete."""
        requests = self.requests
        requests.stranger = self.client.user is None
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
        """Go on when the others have had their turn."""
        self.yielded = True
        self.thread.soon(self._next_turn)

    def _next_turn(self) -> None:
        self.yielded = False
        if not self.closed:
            self._go_on()

    def _run(self) -> None:
        """Run a batch of what is to do."""
        session, todo, at = self.session, self.todo, self.at
        assert session is not None and todo is not None
        client, until = self.client, at + BATCH
        with self.engine.lock:
            if self.ended:  # somebody has sent it away while this thread waited for the lock
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
                    self._run_long(todo[at - 1])
            finally:
                self.active = False
        if at < len(todo) and not client.close_after_reply:
            self.at = at
        else:
            self.todo, self.at = None, 0

    def _run_long(self, words: list[bytes]) -> None:
        session, client = self.session, self.client
        assert session is not None
        client.last = words[:2]
        self.blocked = session.run_one(words, self.out)
        self._complete()
        if self.blocked is not None:
            self._wait(self.blocked)
            self._pause(False)  # to notice when it goes

    def _complete(self) -> None:
        """What follows a command, unless it has to wait for its answer."""
        client = self.client
        if client.tracking is not None:  # of its own changes it hears after the answer
            self.engine.observers.tracking.release(client)
        self._send_later()
        if self.blocked is None and client.reply_mode.startswith("skip"):
            client.reply_mode = "skip" if client.reply_mode == "skip next" else "on"

    # commands that wait ------------------------------------------------------------------------

    def _wait(self, blocked: BlockedCall) -> None:
        """Go on when the blocked is done."""
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
        """The blocked has its answer."""
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

    # out ---------------------------------------------------------------------------------------

    def push(self, message: bytes) -> None:
        """Send something that answers no command. Under the engine's lock, from any thread."""
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
            self.end_soon()  # and not now: somebody may be amid a walk through all subscribers
        elif len(self.pushes) == 1:
            self.thread.wake(self)

    def _send_later(self) -> None:
        """Send what comes after the answer of a command."""
        if self.later_messages:
            self.out += self.later_messages
            self.later_messages = []

    def collect(self) -> None:
        """Take what others have sent. Under the engine's lock."""
        self.out += self.pushes
        self.pushes, self.pushed = [], 0

    def flush(self) -> None:
        """Hand over what is to be sent."""
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
        """Close a client that leaves more unread than it may."""
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
        # Libraries send a whole pipeline before they read: from now on more of it is taken.
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


def _shown(place: Any) -> str:
    """An address as CLIENT LIST shows it."""
    if not isinstance(place, tuple):
        return "?:0"
    return f"[{place[0]}]:{place[1]}" if ":" in str(place[0]) else f"{place[0]}:{place[1]}"


def _keep_alive(sock: Any, seconds: int) -> None:
    """Have the system ask after `seconds` of silence if the other side is still there."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, seconds)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(seconds // 3, 1))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
