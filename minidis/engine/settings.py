"""Settings of one open database that are plain values; engine/config.py has their names."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from minidis.engine.client_limits import ClientLimits
from minidis.structures.limits import Limits


@dataclass(slots=True)
class Settings:
    """What CONFIG SET changes."""

    limits: Limits = field(default_factory=Limits)
    clients: ClientLimits = field(default_factory=ClientLimits)
    #: longest string in bytes
    max_string: int = 512 * 1024 * 1024
    compression: bool = True
    checksum: bool = True
    #: a random number below n; tests may replace it
    randbelow: Callable[[int], int] = field(default_factory=lambda: random.Random().randrange)
