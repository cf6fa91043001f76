"""Reply types without an equivalent in Python.

bytes, int, float, None, list, dict and set correspond to RESP3 types. A tuple in a list is a pair,
which RESP2 flattens. The types here are simple strings, verbatim strings, push messages, and
numbers with a text of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any


class Status(str):
    """A simple string such as OK: equal to the same str, and always true.

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
    """A text for humans, such as that of INFO: a verbatim string in RESP3."""

    __slots__ = ()


class Push(list[Any]):
    """A message that is not a reply to a command: a push in RESP3, an array in RESP2."""

    __slots__ = ()


class SetReply(set[Any]):
    """A set whose members come in the order in which Redis sends them, until it is changed.

    >>> SetReply([b"b", b"a"]), SetReply([b"b", b"a"]) == {b"a", b"b"}
    ({b'b', b'a'}, True)
    """

    __slots__ = ("_order",)

    def __init__(self, members: Iterable[Any] = ()) -> None:
        self._order = tuple(members)
        super().__init__(self._order)

    def __iter__(self) -> Iterator[Any]:
        same = len(self._order) == len(self) and self.issuperset(self._order)
        return iter(self._order) if same else super().__iter__()

    def __repr__(self) -> str:
        return f"{{{', '.join(map(repr, self))}}}" if self else "set()"


class NoReply:
    """Returned by a command whose replies have already been sent as messages."""

    def __repr__(self) -> str:
        return "(no reply)"


NO_REPLY = NoReply()


def decoded(reply: Any) -> Any:
    """Return the reply with all bulk strings as str (UTF-8; other bytes become surrogates)."""
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
    if kind is SetReply:
        return SetReply(decoded(item) for item in reply)
    return reply


class Cursor(int):
    """A SCAN cursor: an int in Python, so that `while cursor:` ends; a bulk string in RESP."""

    __slots__ = ()


class Decimal(float):
    """A float with the exact decimal text of Redis's reply (INCRBYFLOAT, HINCRBYFLOAT).

    >>> Decimal(b"10.6"), Decimal(b"10.6").text
    (10.6, b'10.6')
    """

    __slots__ = ("text",)

    text: bytes

    def __new__(cls, text: bytes) -> Decimal:
        number = super().__new__(cls, text)
        number.text = text
        return number
