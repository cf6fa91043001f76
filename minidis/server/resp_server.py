"""class RespServer: makes a database available to clients at one address; serve() starts one."""

from __future__ import annotations

import asyncio
from typing import Any

from minidis.engine.engine import Engine
from minidis.errors import ClosedError
from minidis.server.address import BACKLOG, abandon, identity_of, listen, parse_address, remove
from minidis.server.connection import Connection
from minidis.server.thread import ServerThread


class RespServer:
    """A server at `address`. close(), or the end of a `with` block, stops it, not the database."""

    def __init__(self, thread: ServerThread, address: str) -> None:
        self.thread = thread
        self.parsed = parse_address(address)
        self._listener, self.address = listen(self.parsed)
        self._identity = identity_of(self.parsed)
        self._server: asyncio.Server | None = None

    def close(self) -> None:
        """Stop listening and close the connections of this server. Closing twice is harmless."""
        self.thread.close(self)

    async def begin(self) -> None:
        """Accept connections. In the server's thread."""
        loop = asyncio.get_running_loop()
        make = loop.create_unix_server if self.parsed.path else loop.create_server
        options: Any = {"sock": self._listener, "backlog": BACKLOG}
        self._server = await make(lambda: Connection(self.thread, self.parsed), **options)

    async def end(self) -> None:
        """Close. In the server's thread."""
        remove(self.parsed, self._identity)
        if self._server is not None:
            self._server.close()
        self._listener.close()
        for connection in list(self.thread.connections):
            if connection.address is self.parsed:
                connection.end()

    def leave(self) -> None:
        """In the child of a fork: the listening socket belongs to the parent."""
        abandon(self._listener)

    def __enter__(self) -> RespServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<minidis server at {self.address}>"


def serve(database: Any, address: str) -> RespServer:
    """Start a RESP server for the database at `address` and return it.

    address: "host:port" or "unix:path". Port 0 takes any free port (see RespServer.address);
    without a host the server listens on the loopback interface. Clients are served by a background
    thread.

    Raises AddressError if the server cannot listen there, ClosedError after close().
    """
    engine: Engine = getattr(database, "engine", database)
    with engine.lock:
        if engine.closed:
            raise ClosedError
        thread = engine.server
        if thread is None:
            thread = engine.server = ServerThread(engine)
        assert isinstance(thread, ServerThread)
    server = RespServer(thread, address)
    try:
        thread.open(server)
    except BaseException:
        server.close()
        raise
    return server
