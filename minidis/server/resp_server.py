"""class Door: a place where other programs reach a database, and serve(), which opens one."""

from __future__ import annotations

import asyncio
from typing import Any

from minidis.engine.engine import Engine
from minidis.errors import ClosedError
from minidis.server.address import BACKLOG, abandon, identity_of, listen, parse_address, remove
from minidis.server.connection import Connection
from minidis.server.thread import ServerThread


class RespServer:
    """A database listens at `address`. Close it, or use it in a `with`; the database goes on."""

    def __init__(self, thread: ServerThread, address: str) -> None:
        self.thread = thread
        self.where = parse_address(address)
        self._listener, self.address = listen(self.where)
        self._identity = identity_of(self.where)
        self._server: asyncio.Server | None = None

    def close(self) -> None:
        """Let nobody in any more, and send away who came in here. Twice is harmless."""
        self.thread.close(self)

    async def begin(self) -> None:
        """Let clients in. In the thread of the thread."""
        loop = asyncio.get_running_loop()
        make = loop.create_unix_server if self.where.path else loop.create_server
        options: Any = {"sock": self._listener, "backlog": BACKLOG}
        self._server = await make(lambda: Connection(self), **options)

    async def end(self) -> None:
        """Close. In the thread of the thread."""
        remove(self.where, self._identity)
        if self._server is not None:
            self._server.close()
        self._listener.close()
        for connection in list(self.thread.connections):
            if connection.server is self:
                connection.end()

    def leave(self) -> None:
        """In the child of a fork: the place belongs to the parent."""
        abandon(self._listener)

    def __enter__(self) -> RespServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<minidis server at {self.address}>"


def serve(database: Any, address: str) -> RespServer:
    """Let other programs reach the database at `address`; they speak RESP, as to a Redis.

    `address`: "host:port" (port 0: any free one, see RespServer.address; no host: this machine
    alone) or "unix:path". The program goes on meanwhile: a thread serves the clients, and it sleeps
    while they send nothing.

    AddressError when there can be no server there; ClosedError after close().
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
