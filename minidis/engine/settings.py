"""Settings of one open database that are plain values; engine/config.py has their names."""

from __future__ import annotations

from collections.abc import Callable

from minidis.engine.client_limits import ClientLimits
from minidis.persistence.rdb import versions
from minidis.structures.limits import Limits


class Settings:
    """What CONFIG SET changes."""

    __slots__ = (
        "checksum",
        "clients",
        "compression",
        "limits",
        "max_string",
        "randbelow",
        "rdb_version",
    )

    def __init__(self) -> None:
        self.limits = Limits()
        self.clients = ClientLimits()
        #: longest string in bytes
        self.max_string = 512 * 1024 * 1024
        self.compression = True
        self.checksum = True
        #: version of the dumps that are written
        self.rdb_version = versions.DEFAULT
        #: a random number below n; tests may replace it
        self.randbelow: Callable[[int], int] = self._first_random

    def _first_random(self, below: int) -> int:
        """Seed a generator and put it in the place of this method."""
        import random  # loads hashlib

        self.randbelow = random.Random().randrange
        return self.randbelow(below)
