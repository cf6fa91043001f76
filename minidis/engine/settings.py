"""Settings of one open database, as far as they are plain values; engine/config.py names them."""

from __future__ import annotations

import random
from collections.abc import Callable

from minidis.engine.client_limits import ClientLimits
from minidis.structures.limits import Limits


class Settings:
    """What CONFIG SET changes."""

    __slots__ = ("checksum", "clients", "compression", "limits", "max_string", "randbelow")

    def __init__(self) -> None:
        self.limits = Limits()
        self.clients = ClientLimits()
        #: longest string in bytes
        self.max_string = 512 * 1024 * 1024
        self.compression = True
        self.checksum = True
        #: a random number below n; tests may replace it
        self.randbelow: Callable[[int], int] = random.Random().randrange
