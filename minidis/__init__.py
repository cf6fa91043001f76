"""minidis: Redis inside a Python process.

>>> import minidis
>>> db = minidis.open()
>>> db.set("hello", "world")
OK
>>> db.get("hello")
b'world'
"""

from minidis.api.database import Minidis, open
from minidis.api.pipeline import Pipeline, Transaction
from minidis.api.subscription import Message, Monitoring, Subscription
from minidis.clients.monitored import MonitoredCommand
from minidis.clock import Clock, ManualClock
from minidis.errors import (
    AddressError,
    BusyKeyError,
    ClosedError,
    DataError,
    FileError,
    LockedError,
    MinidisError,
    RdbError,
    ResponseError,
    SlowSubscriberError,
    WatchError,
    WrongTypeError,
)
from minidis.observers.listeners import Event
from minidis.replies import OK, Status
from minidis.version import REDIS_VERSION

__version__ = "0.1.0"

__all__ = [
    "OK",
    "REDIS_VERSION",
    "AddressError",
    "BusyKeyError",
    "Clock",
    "ClosedError",
    "DataError",
    "Event",
    "FileError",
    "LockedError",
    "ManualClock",
    "Message",
    "Minidis",
    "MinidisError",
    "MonitoredCommand",
    "Monitoring",
    "Pipeline",
    "RdbError",
    "ResponseError",
    "SlowSubscriberError",
    "Status",
    "Subscription",
    "Transaction",
    "WatchError",
    "WrongTypeError",
    "open",
]
