"""The thread that serves all connections of a database: one asyncio event loop.

It starts with the first server and ends with the last. Other threads use two methods that never
block: `soon` runs a function in this thread, `wake` makes a connection send its messages.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import threading
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from minidis.engine.engine import Engine
from minidis.server.connection import Connection

try:
    import uvloop  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # an optional dependency: faster, not available on Windows
    uvloop = None  # type: ignore[assignment,unused-ignore]

R = TypeVar("R")

#: Seconds for which close() waits for the thread, which itself waits for the lock only.
PATIENCE = 5.0


class Listening(Protocol):
    """A server, as the thread sees it (resp_server.py)."""

    address: str

    async def begin(self) -> None: ...
    async def end(self) -> None: ...
    def leave(self) -> None: ...


class ServerThread:
    """The servers of an engine, their connections, and the thread that serves them."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.servers: list[Listening] = []
        self.connections: set[Connection] = set()
        self.loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._process = os.getpid()
        #: connections that have something to send; guarded by the engine's lock
        self._awake: list[Connection] = []
        self._end: asyncio.Event | None = None
        self._timer: asyncio.TimerHandle | None = None
        #: guards servers and thread, which are opened and closed from any thread
        self._changing = threading.Lock()
        engine.settings.clients.changed = lambda: self.soon(self.watch_idle)
        _ALL.add(self)

    # start and end ----------------------------------------------------------------------------

    def open(self, server: Listening) -> None:
        """Accept connections for a server that listens already."""
        with self._changing:
            if self._thread is None:
                self._start()
            self.servers.append(server)
            self._wait_for(server.begin())

    def close(self, *servers: Listening) -> None:
        """Close these servers, or all, with their connections. The thread ends with the last."""
        if os.getpid() != self._process:
            return
        with self._changing:
            leaving = [server for server in self.servers if not servers or server in servers]
            self.servers = [server for server in self.servers if server not in leaving]
            if self._thread is None:
                return
            for server in leaving:
                with contextlib.suppress(TimeoutError):  # the caller holds the engine's lock
                    self._wait_for(server.end())
            if not self.servers:
                self._stop()

    def _start(self) -> None:
        self._awake = []
        started = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(started,), name="minidis-server", daemon=True
        )
        self._thread.start()
        started.wait()

    def _run(self, started: threading.Event) -> None:
        factory = None if uvloop is None else uvloop.new_event_loop
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(self._serve(started))

    async def _serve(self, started: threading.Event) -> None:
        self._end = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        started.set()
        await self._end.wait()
        self.loop = None

    def _stop(self) -> None:
        thread, self._thread = self._thread, None
        if self._end is not None:
            self.soon(self._end.set)
        if thread is not None and thread is not threading.current_thread():
            thread.join(PATIENCE)

    def _wait_for(self, task: Coroutine[Any, Any, R]) -> R | None:
        """Run `task` in the server's thread and wait for it, unless this is that thread."""
        assert self.loop is not None
        if self.is_here():
            self.loop.create_task(task)
            return None
        return asyncio.run_coroutine_threadsafe(task, self.loop).result(PATIENCE)

    def after_fork(self) -> None:
        """In the child: all sockets belong to the parent."""
        for server in self.servers:
            server.leave()
        for connection in self.connections:
            connection.leave()
        self.servers, self.connections, self._thread, self.loop = [], set(), None, None

    def addresses(self) -> list[str]:
        """Return the addresses of all servers."""
        return [server.address for server in self.servers]

    # from any thread ---------------------------------------------------------------------------

    def is_here(self) -> bool:
        """Return whether the caller is the server's thread."""
        return threading.current_thread() is self._thread

    def soon(self, action: Callable[[], object]) -> None:
        """Run `action` in the server's thread; never blocks."""
        loop = self.loop
        if loop is None:
            return
        if self.is_here():
            loop.call_soon(action)
            return
        with contextlib.suppress(RuntimeError):  # the loop has just ended, its connections with it
            loop.call_soon_threadsafe(action)

    def wake(self, connection: Connection) -> None:
        """Make a connection send its messages. Under the engine's lock."""
        self._awake.append(connection)
        if len(self._awake) == 1:
            self.soon(self._send_all)

    def _send_all(self) -> None:
        with self.engine.lock:
            awake, self._awake = self._awake, []
            for connection in awake:
                connection.collect()
        for connection in awake:
            connection.flush()

    # idle clients ------------------------------------------------------------------------------

    def watch_idle(self) -> None:
        """Close clients that have been idle too long. In the server's thread.

        One timer wakes it for the next client; it runs only with a limit, and while clients exist.
        """
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        limit = self.engine.settings.clients.idle
        if not limit or not self.connections or self.loop is None:
            return
        now = self.loop.time()
        due = [(one.idle_since(now) + limit, one) for one in list(self.connections)]
        for deadline, connection in due:
            if deadline <= now:
                connection.end()
        following = min((deadline for deadline, _ in due if deadline > now), default=None)
        if following is not None:
            self._timer = self.loop.call_at(following, self.watch_idle)

    def enter(self, connection: Connection) -> None:
        """Add a new connection. In the server's thread."""
        self.connections.add(connection)
        if self._timer is None and self.engine.settings.clients.idle:
            self.watch_idle()


_ALL: weakref.WeakSet[ServerThread] = weakref.WeakSet()


@atexit.register
def close_all() -> None:
    """At exit of the interpreter: remove the socket files of servers that are still open."""
    for servers in list(_ALL):
        servers.close()
