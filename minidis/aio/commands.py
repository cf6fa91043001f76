"""The commands as methods of the async classes.

`python -m tests.aio_stub` writes their types to commands.pyi.
"""

from __future__ import annotations

from typing import Generic

from minidis.aio.methods import install_awaited, install_queued
from minidis.api.session import Session
from minidis.commands.shared.group import T


class AsyncCommands(Generic[T]):
    """Every command as a coroutine function."""

    _session: Session[T]


class QueuedCommands(Generic[T]):
    """Every command that a pipeline can queue."""

    _session: Session[T]


install_awaited(AsyncCommands)
install_queued(QueuedCommands)
