"""Protocols of the parts that register with an engine and end with it."""

from __future__ import annotations

from typing import Protocol, Self


class Server(Protocol):
    """A RESP server that has been started: where it listens, and how it is stopped."""

    @property
    def address(self) -> str:
        """Where clients can connect: "127.0.0.1:6379", "unix:app.sock"."""

    def close(self) -> None:
        """Stop listening and close its connections. Closing twice is harmless."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class ServerHost(Protocol):
    """All servers of a database, as the engine knows them."""

    def close(self) -> None:
        """End; called once, when the database closes. It does not hold the engine's lock."""

    def addresses(self) -> list[str]:
        """Where clients can connect: "127.0.0.1:6379", "unix:app.sock"."""

    def after_fork(self) -> None:
        """In the child of a fork: let go of what belongs to the parent."""
