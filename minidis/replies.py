"""The reply values that Python has no word for.

Bytes, int, float, None, list, dict and set mean what RESP3 says. A tuple in a list is a pair (RESP2
flattens it). What is left is here: simple strings, texts for people, messages nobody asked for.
"""

from __future__ import annotations

from typing import Any


class Status(str):
    """A simple string such as OK: equal to the same str, always true.

    >>> OK == "OK", bool(OK), OK
    (True, True, OK)
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


OK = Status("OK")
PONG = Status("PONG")
QUEUED = Status("QUEUED")


class Verbatim(bytes):
    """A bulk string that is a text for people: INFO, CLIENT LIST. RESP3 says so."""

    __slots__ = ()


class Push(list[Any]):
    """A message that answers no command: RESP3 marks it, RESP2 sends it as an array."""

    __slots__ = ()


class NoReply:
    """What a command returns whose answers have already gone out as messages."""

    def __repr__(self) -> str:
        return "(no reply)"


NO_REPLY = NoReply()


def decoded(reply: Any) -> Any:
    """The same reply with every bulk string as str (UTF-8; other bytes become surrogates)."""
    kind = reply.__class__
    if kind is bytes or kind is Verbatim:
        return reply.decode("utf-8", "surrogateescape")
    if kind is list:
        return [decoded(item) for item in reply]
    if kind is tuple:
        return tuple([decoded(item) for item in reply])
    if kind is dict:
        return {decoded(key): decoded(value) for key, value in reply.items()}
    if kind is set:
        return {decoded(item) for item in reply}
    return reply


class _Lock:
    """What a read without the lock returns when it has to take the lock (see keyspace/unit.py)."""

    def __repr__(self) -> str:
        return "LOCK"


LOCK = _Lock()


class Cursor(int):
    """A SCAN cursor: an int here, so that `while cursor:` ends, a bulk string on the wire."""

    __slots__ = ()


class Decimal(float):
    """A float with the exact decimal text that Redis answers (INCRBYFLOAT, HINCRBYFLOAT).

    >>> Decimal(b"10.6"), Decimal(b"10.6").text
    (10.6, b'10.6')
    """

    __slots__ = ("text",)

    text: bytes

    def __new__(cls, text: bytes) -> Decimal:
        number = super().__new__(cls, text)
        number.text = text
        return number
