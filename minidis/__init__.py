"""minidis: Redis inside a Python process.

>>> import minidis
>>> db = minidis.open()
>>> db.set("hello", "world")
OK
>>> db.get("hello")
b'world'
"""

from minidis.clock import Clock, ManualClock
from minidis.database import Minidis, open
from minidis.engine import Event
from minidis.errors import (
    BusyKeyError,
    ClosedError,
    DataError,
    FileError,
    LockedError,
    MinidisError,
    RdbError,
    ResponseError,
    WatchError,
    WrongTypeError,
)
from minidis.replies import OK, Status

__version__ = "0.1.0"

__all__ = [
    "OK",
    "BusyKeyError",
    "Clock",
    "ClosedError",
    "DataError",
    "Event",
    "FileError",
    "LockedError",
    "ManualClock",
    "Minidis",
    "MinidisError",
    "RdbError",
    "ResponseError",
    "Status",
    "WatchError",
    "WrongTypeError",
    "open",
]
