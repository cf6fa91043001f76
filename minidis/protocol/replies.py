"""Replies in RESP: Python values to bytes and back. It uses no sockets.

    encode_reply   for servers: a Python value -> bytes, in RESP2 or RESP3
    ReplyReader    for clients: received bytes -> Python values

Commands return Python values, which are encoded as

    Python             RESP3                RESP2
    bytes, Cursor      $ bulk string        the same
    Status             + simple string      the same
    an exception       - error              the same
    int, bool          : integer            the same
    float              , double             $ its text
    Decimal            $ its text           the same
    None               _                    $-1, or *-1 where an array is missing
    dict               % map                * names and values in turn
    set                ~ set                * array
    tuple in a list    * its own array      flattened into the list
    Push               > message            * array
    Verbatim           = text with a kind   $ bulk string

A command whose reply differs from this declares it: `resp2=` and `resp3=`, see shapes.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from minidis.errors import MinidisError, ResponseError
from minidis.grammar.command import find
from minidis.protocol.shapes import Collection, NullArray
from minidis.replies import Cursor, Decimal, Push, Status, Verbatim
from minidis.structures.doubles import double

#: Replies longer than this (bytes) are not copied unnecessarily.
LARGE = 32 * 1024
#: Deepest nesting of a reply that is read.
DEEPEST = 128
#: The valid form of a length or count.
NUMBER = re.compile(rb"0|-?[1-9][0-9]{0,18}")

Write: TypeAlias = Callable[[list[bytes], Any], object]


class ProtocolError(ResponseError):
    """Received data is not RESP. What follows it cannot be parsed either."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"ERR Protocol error: {reason}")


# encode ------------------------------------------------------------------------------------------


class Encoded(list[bytes]):
    """The parts of a reply that has been encoded already."""

    __slots__ = ()


def encode_reply(reply: Any, protocol: int = 3, words: Sequence[bytes] = ()) -> bytes:
    """Encode the reply to the command `words` in protocol 2 or 3.

    Raises TypeError for values that are no reply.

    >>> encode_reply({b"a": None}), encode_reply({b"a": None}, 2)
    (b'%1\\r\\n$1\\r\\na\\r\\n_\\r\\n', b'*2\\r\\n$1\\r\\na\\r\\n$-1\\r\\n')
    """
    out: list[bytes] = []
    write(out, reply, protocol, words)
    return b"".join(out)


def write(out: list[bytes], reply: Any, protocol: int, words: Sequence[bytes] = ()) -> None:
    """Append the parts of the encoded reply to `out`."""
    command = find(words) if words else None
    if command is not None:
        shape = command.resp2 if protocol == 2 else command.resp3
        # Not for QUEUED, errors and encoded replies.
        if shape is not None and not isinstance(reply, (Status, Exception, Encoded)):
            reply = shape(words, reply)
    writers = WRITERS[protocol]
    writers[reply.__class__](out, reply)


def write_each(
    out: list[bytes], replies: Sequence[Any], protocol: int, commands: Sequence[Sequence[bytes]]
) -> None:
    """Append the array of the replies of several commands: the reply of EXEC."""
    out.append(b"*%d\r\n" % len(replies))
    for reply, words in zip(replies, commands, strict=True):
        write(out, reply, protocol, words)


def one_line(text: str) -> bytes:
    """Return the text of a simple string or error: Redis replaces line breaks with blanks."""
    line = text.encode("utf-8", "surrogateescape")
    return line.replace(b"\r", b" ").replace(b"\n", b" ")


def error_line(error: BaseException) -> bytes:
    """Return an error reply. Errors other than ResponseError get the code ERR."""
    text = str(error) if isinstance(error, ResponseError) else f"ERR {error}"
    return b"-%b\r\n" % one_line(text)


class _Writers(dict[type, Write]):
    """The function that encodes a value, by its class. Subclasses use that of their base."""

    def __missing__(self, kind: type) -> Write:
        for base in kind.__mro__[1:]:
            if base in self:
                self[kind] = self[base]
                return self[base]
        raise TypeError(f"{kind.__name__} is no reply")


def _writers(protocol: int) -> _Writers:
    """Return the writers of a protocol. Those of containers call the others."""
    writers = _Writers()

    def write_items(out: list[bytes], items: Iterable[Any]) -> None:
        for item in items:
            if item.__class__ is bytes:
                out.append(b"$%d\r\n%b\r\n" % (len(item), item))
            else:
                writers[item.__class__](out, item)

    def write_flattened(out: list[bytes], items: Sequence[Any]) -> None:
        count = len(items)
        if tuple in set(map(type, items)):
            items = [part for item in items for part in _parts(item)]
            count = len(items)
        out.append(b"*%d\r\n" % count)
        write_items(out, items)

    def array(sign: bytes) -> Write:
        def write_array(out: list[bytes], items: Any) -> None:
            out.append(b"%b%d\r\n" % (sign, len(items)))
            write_items(out, items)

        return write_array

    def write_map(out: list[bytes], pairs: Any) -> None:
        out.append(b"%%%d\r\n" % len(pairs) if protocol == 3 else b"*%d\r\n" % (2 * len(pairs)))
        for pair in pairs.items():
            write_items(out, pair)

    new = protocol == 3
    writers.update(_SCALARS)
    writers[type(None)] = _constant(b"_\r\n" if new else b"$-1\r\n")
    writers[NullArray] = _constant(b"_\r\n" if new else b"*-1\r\n")
    writers[float] = _write_double if new else _write_double_as_text
    writers[Verbatim] = _write_verbatim if new else _write_bulk
    writers[int] = _write_int if new else _write_int_or_text
    writers[list] = array(b"*") if new else write_flattened
    writers[tuple] = array(b"*")
    writers[Push] = array(b">") if new else array(b"*")
    for kind in (set, frozenset, Collection):
        writers[kind] = array(b"~") if new else array(b"*")
    writers[dict] = write_map
    return writers


def _parts(item: Any) -> Iterable[Any]:
    return item if isinstance(item, tuple) else (item,)


def _constant(line: bytes) -> Write:
    return lambda out, _: out.append(line)


def _write_bulk(out: list[bytes], text: bytes) -> None:
    if len(text) < LARGE:
        out.append(b"$%d\r\n%b\r\n" % (len(text), text))
    else:
        out += (b"$%d\r\n" % len(text), text, b"\r\n")


def _write_verbatim(out: list[bytes], text: bytes) -> None:
    out.append(b"=%d\r\ntxt:%b\r\n" % (len(text) + 4, text))


def _write_int(out: list[bytes], number: int) -> None:
    out.append((b":%d\r\n" if -(2**63) <= number < 2**63 else b"(%d\r\n") % number)


def _write_int_or_text(out: list[bytes], number: int) -> None:
    if -(2**63) <= number < 2**63:
        out.append(b":%d\r\n" % number)
    else:
        _write_bulk(out, b"%d" % number)


def _write_double(out: list[bytes], number: float) -> None:
    out.append(b",%b\r\n" % double(number))


def _write_double_as_text(out: list[bytes], number: float) -> None:
    _write_bulk(out, double(number))


#: Writers that are the same in both protocols.
_SCALARS: dict[type, Write] = {
    bytes: _write_bulk,
    bytearray: lambda out, text: _write_bulk(out, bytes(text)),
    Encoded: lambda out, parts: out.extend(parts),
    bool: lambda out, flag: out.append(b":%d\r\n" % flag),
    Status: lambda out, text: out.append(b"+%b\r\n" % one_line(text)),
    Cursor: lambda out, cursor: _write_bulk(out, b"%d" % cursor),
    Decimal: lambda out, number: _write_bulk(out, number.text),
    MinidisError: lambda out, error: out.append(error_line(error)),
}

WRITERS: dict[int, _Writers] = {2: _writers(2), 3: _writers(3)}


# ReplyReader -------------------------------------------------------------------------------------


class Incomplete:
    """The return value of ReplyReader.gets while the reply is not complete."""

    def __repr__(self) -> str:
        return "INCOMPLETE"


INCOMPLETE = Incomplete()


class _Open:
    """An array, map or set that is not complete yet."""

    __slots__ = ("items", "missing", "sign")

    def __init__(self, sign: bytes, missing: int) -> None:
        self.sign = sign
        self.missing = missing
        self.items: list[Any] = []

    def value(self) -> Any:
        """Return the Python value, once all items are there."""
        if self.sign == b">":
            return Push(self.items)
        if self.sign == b"~":
            return _as_set(self.items)
        if self.sign in b"%|":
            return _as_dict(self.items)
        return self.items


def _as_set(items: list[Any]) -> Any:
    try:
        return set(items)
    except TypeError:  # a member that is not hashable
        return items


def _as_dict(items: list[Any]) -> Any:
    pairs = list(zip(items[::2], items[1::2], strict=True))
    try:
        return dict(pairs)
    except TypeError:
        return pairs


class ReplyReader:
    """Parses replies of RESP2 and RESP3 into Python values; error replies become exceptions.

    `feed` it with received data; `gets` returns the next reply, or INCOMPLETE. It works without
    recursion and examines no byte twice. Raises ProtocolError for data that is not a reply.

    >>> reader = ReplyReader()
    >>> reader.feed(b"*2\\r\\n:1\\r\\n$2\\r\\nh")
    >>> reader.gets()
    INCOMPLETE
    >>> reader.feed(b"i\\r\\n")
    >>> reader.gets()
    [1, b'hi']
    """

    def __init__(self) -> None:
        self._buffer = b""
        self._at = 0
        #: where the search for the end of the current line goes on
        self._seen = 0
        self._open: list[_Open] = []
        self._done: list[Any] = []
        #: an incomplete long text: its sign and parts; bytes that are missing, CRLF included
        self._text: tuple[bytes, list[bytes]] | None = None
        self._due = 0

    def feed(self, data: bytes) -> None:
        """Add received data."""
        if self._text is not None:
            self._text[1].append(data[: self._due])
            rest = data[self._due :]
            self._due -= len(data) - len(rest)
            data = rest
        self._seen -= self._at
        self._buffer = self._buffer[self._at :] + data if self._at < len(self._buffer) else data
        self._seen, self._at = max(self._seen, 0), 0

    def gets(self) -> Any:
        """Return the next reply, or INCOMPLETE."""
        while True:
            value = self._value()
            if value is INCOMPLETE:
                return INCOMPLETE
            if value.__class__ is _Open:
                self._open.append(value)
                if len(self._open) > DEEPEST:
                    raise ProtocolError(f"a reply is nested more than {DEEPEST} deep")
            else:
                self._put(value)
            while self._open and not self._open[-1].missing:
                inner = self._open.pop()
                if inner.sign != b"|":  # an attribute of the reply that follows: ignored
                    self._put(inner.value())
            if self._done:
                return self._done.pop()

    def _put(self, value: Any) -> None:
        """Add a value to the innermost container, or to the complete replies."""
        if self._open:
            self._open[-1].items.append(value)
            self._open[-1].missing -= 1
        else:
            self._done.append(value)

    def _value(self) -> Any:
        """Return the next scalar or the head of a container, or INCOMPLETE."""
        if self._text is not None:
            return self._long_text()
        end = self._buffer.find(b"\r\n", max(self._seen, self._at))
        if end < 0:
            self._seen = max(len(self._buffer) - 1, self._at)
            return INCOMPLETE
        sign, line = self._buffer[self._at : self._at + 1], self._buffer[self._at + 1 : end]
        self._at = self._seen = end + 2
        if sign in b"$=!" and sign:
            return self._begin_text(sign, self._length(line))
        if sign in b"*%~>|" and sign:
            count = self._length(line)
            return None if count < 0 else _Open(sign, count * (2 if sign in b"%|" else 1))
        return self._scalar(sign, line)

    def _length(self, line: bytes) -> int:
        if NUMBER.fullmatch(line) is None:
            raise ProtocolError(f"a length is {line[:32]!r}")
        return int(line)

    def _scalar(self, sign: bytes, line: bytes) -> Any:
        read = _SCALAR_READERS.get(sign)
        if read is None:
            raise ProtocolError(f"a reply begins with {sign + line[:32]!r}")
        try:
            return read(line)
        except ValueError:
            raise ProtocolError(f"{line[:32]!r} is no number") from None

    def _begin_text(self, sign: bytes, length: int) -> Any:
        if length < 0:
            return None
        end = self._at + length + 2
        if end <= len(self._buffer):
            text = self._buffer[self._at : end - 2]
            self._at = self._seen = end
            return _text_value(sign, text)
        self._text = sign, [self._buffer[self._at :]]
        self._due = end - len(self._buffer)
        self._buffer, self._at, self._seen = b"", 0, 0
        return INCOMPLETE

    def _long_text(self) -> Any:
        assert self._text is not None
        if self._due:
            return INCOMPLETE
        sign, parts = self._text
        self._text = None
        return _text_value(sign, b"".join(parts)[:-2])


def _text_value(sign: bytes, text: bytes) -> Any:
    if sign == b"!":
        return _as_error(text)
    return Verbatim(text[4:]) if sign == b"=" else text


def _as_error(line: bytes) -> ResponseError:
    return ResponseError(line.decode("utf-8", "surrogateescape"))


def _as_bool(line: bytes) -> bool:
    if line not in (b"t", b"f"):
        raise ValueError
    return line == b"t"


_SCALAR_READERS: dict[bytes, Callable[[bytes], Any]] = {
    b"+": lambda line: Status(line.decode("utf-8", "surrogateescape")),
    b"-": _as_error,
    b":": int,
    b"(": int,
    b",": float,
    b"#": _as_bool,
    b"_": lambda line: None,
}
