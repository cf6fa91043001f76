"""The client's half of RESP: words to bytes, and replies to values that hide nothing.

Libraries turn replies into what their users like; the oracle needs what was on the wire. So a reply
is one of

    bytes                bulk string            Status(str)    simple string
    int                  integer, big number    Error(str)     error, code included
    float                double                 None           null, in all its spellings
    list                 array                  Map(list)      map, as a list of pairs
    bool                 boolean                Members(list)  set, as a list
                                                Push(list)     a push message

Attributes are read and dropped. Where every spelling matters, `Buffer` says more: it tells a
verbatim string (Verbatim), a null array of RESP2 (NullArray) and a big number (BigNumber) from
their relatives, and it reads from bytes as they arrive.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from minidis.replies import Status


class Error(str):
    """An error reply."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Error({str.__repr__(self)})"


class Map(list[Any]):
    """A map reply: pairs, in the order of the wire."""

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{key!r}: {value!r}" for key, value in self) + "}"


class Members(list[Any]):
    """A set reply, in the order of the wire."""

    def __repr__(self) -> str:
        return "{" + ", ".join(map(repr, self)) + "}"


class Push(list[Any]):
    """A push: an array out of turn."""

    def __repr__(self) -> str:
        return f"Push({list.__repr__(self)})"


class Verbatim(bytes):
    """A verbatim string, its kind (`txt`, `mkd`) and colon included."""

    __slots__ = ()


class BigNumber(int):
    """A number that the wire calls big."""

    __slots__ = ()


class NullArray:
    """The null array of RESP2, which is not its null string."""


Reply: TypeAlias = Any
Words: TypeAlias = Sequence[bytes]


def pack(commands: Iterable[Words]) -> bytes:
    """Commands as the server reads them."""
    parts = []
    for words in commands:
        parts.append(b"*%d\r\n" % len(words))
        parts += [b"$%d\r\n%b\r\n" % (len(word), word) for word in words]
    return b"".join(parts)


class Reader:
    """Reads replies; where the bytes come from is said by those who inherit."""

    def _line(self) -> bytes:
        """The next line with its end."""
        raise NotImplementedError

    def _bytes(self, length: int) -> bytes:
        """The next `length` bytes."""
        raise NotImplementedError

    def receive(self) -> Reply:
        """The next reply."""
        line = self._line()
        return READERS[line[:1]](self, line[1:-2])

    def _bulk(self, size: bytes) -> bytes | None:
        length = int(size)
        return None if length < 0 else self._bytes(length + 2)[:-2]

    def _verbatim(self, size: bytes) -> Reply:
        return (self._bulk(size) or b"")[4:]

    def _big(self, digits: bytes) -> int:
        return int(digits)

    def _array(self, size: bytes) -> Reply:
        return None if size == b"-1" else [self.receive() for _ in range(int(size))]

    def _map(self, size: bytes) -> Map:
        return Map([self.receive(), self.receive()] for _ in range(int(size)))

    def _set(self, size: bytes) -> Members:
        return Members(self.receive() for _ in range(int(size)))

    def _push(self, size: bytes) -> Push:
        return Push(self.receive() for _ in range(int(size)))

    def _attribute(self, size: bytes) -> Reply:
        self._map(size)
        return self.receive()


#: Seconds until a missing reply is an error.
PATIENCE = 60.0


class Connection(Reader):
    """One connection to a Unix socket. `ask` pipelines."""

    def __init__(self, path: str, protocol: int = 3) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.connect(path)
            self._socket.settimeout(PATIENCE)
        except OSError:
            self._socket.close()
            raise
        self._file = self._socket.makefile("rb", buffering=1 << 16)
        if protocol != 2:
            self.ask([[b"HELLO", b"%d" % protocol]])

    def ask(self, commands: Sequence[Words]) -> list[Reply]:
        """Send all commands, then read all replies; Redis buffers them, so this does not block."""
        self._socket.sendall(pack(commands))
        replies: list[Reply] = []
        try:
            replies.extend(self.receive() for _ in commands)
        except TimeoutError:
            asked = list(map(list, commands[max(0, len(replies) - 5) : len(replies) + 1]))
            raise TimeoutError(f"{len(replies)} of {len(commands)} replies: {asked}") from None
        return replies

    def execute(self, *words: bytes | str | int | float) -> Reply:
        """Run one command."""
        return self.ask([[w if isinstance(w, bytes) else str(w).encode() for w in words]])[0]

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def _line(self) -> bytes:
        line = self._file.readline()
        if not line:
            raise ConnectionError("the server has closed the connection")
        return line

    def _bytes(self, length: int) -> bytes:
        text: bytes = self._file.read(length)
        return text


class Incomplete(Exception):
    """The rest of a reply has not come yet."""


class Buffer(Reader):
    """Bytes as they arrive, and the replies that are complete. Nothing is lost on the wire."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._place = 0

    def feed(self, data: bytes) -> list[Reply]:
        """Take bytes; the replies that they complete. ValueError: they are not RESP."""
        self._data += data
        replies = []
        while self._data:
            self._place = 0
            try:
                replies.append(self.receive())
            except Incomplete:
                break
            except KeyError:
                raise ValueError(f"no reply begins like this: {bytes(self._data[:60])!r}") from None
            del self._data[: self._place]
        return replies

    def rest(self) -> bytes:
        """What has come of the next reply."""
        return bytes(self._data)

    def _line(self) -> bytes:
        end = self._data.find(b"\r\n", self._place)
        if end < 0:
            raise Incomplete
        return self._bytes(end + 2 - self._place)

    def _bytes(self, length: int) -> bytes:
        begin, self._place = self._place, self._place + length
        if self._place > len(self._data):
            raise Incomplete
        return bytes(self._data[begin : self._place])

    def _verbatim(self, size: bytes) -> Verbatim:
        return Verbatim(self._bulk(size) or b"")

    def _big(self, digits: bytes) -> BigNumber:
        return BigNumber(digits)

    def _array(self, size: bytes) -> Reply:
        return NullArray() if size == b"-1" else super()._array(size)


def _text(line: bytes) -> str:
    return line.decode("utf-8", "surrogateescape")


READERS: dict[bytes, Callable[[Any, bytes], Reply]] = {
    b"+": lambda _, line: Status(_text(line)),
    b"-": lambda _, line: Error(_text(line)),
    b":": lambda _, line: int(line),
    b",": lambda _, line: float(line),
    b"#": lambda _, line: line == b"t",
    b"_": lambda _, line: None,
    b"(": lambda self, line: self._big(line),
    b"$": lambda self, line: self._bulk(line),
    b"=": lambda self, line: self._verbatim(line),
    b"*": lambda self, line: self._array(line),
    b"~": lambda self, line: self._set(line),
    b"%": lambda self, line: self._map(line),
    b">": lambda self, line: self._push(line),
    b"|": lambda self, line: self._attribute(line),
}
