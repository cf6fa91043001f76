"""Protocols of the parts that register with an engine and end with it."""

from __future__ import annotations

from typing import Protocol


class Server(Protocol):
    """The RESP server of a database, as the engine knows it."""

    def close(self) -> None:
        """End; called once, when the database closes. It does not hold the engine's lock."""

    def addresses(self) -> list[str]:
        """Where clients can connect: "127.0.0.1:6379", "unix:app.sock"."""

    def after_fork(self) -> None:
        """In the child of a fork: let go of what belongs to the parent."""
