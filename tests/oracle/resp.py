"""The client's half of RESP: words to bytes, and replies to values that hide nothing.

Libraries turn replies into what their users like; the oracle needs what was on the wire. So a reply
is one of

    bytes                bulk string            Status(str)    simple string
    int                  integer                Error(str)     error, code included
    float                double                 None           null, in all its spellings
    list                 array                  Map(list)      map, as a list of pairs
    bool                 boolean                Members(list)  set, as a list
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


Reply: TypeAlias = Any
Words: TypeAlias = Sequence[bytes]


def pack(commands: Iterable[Words]) -> bytes:
    """Commands as the server reads them."""
    parts = []
    for words in commands:
        parts.append(b"*%d\r\n" % len(words))
        parts += [b"$%d\r\n%b\r\n" % (len(word), word) for word in words]
    return b"".join(parts)


class Connection:
    """One connection to a Unix socket. `ask` pipelines."""

    def __init__(self, path: str, protocol: int = 3) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.connect(path)
        except OSError:
            self._socket.close()
            raise
        self._file = self._socket.makefile("rb", buffering=1 << 16)
        if protocol != 2:
            self.ask([[b"HELLO", b"%d" % protocol]])

    def ask(self, commands: Sequence[Words]) -> list[Reply]:
        """Send all commands, then read all replies. Redis buffers its side, so nobody waits."""
        self._socket.sendall(pack(commands))
        return [self.receive() for _ in commands]

    def execute(self, *words: bytes | str | int | float) -> Reply:
        """Run one command."""
        return self.ask([[w if isinstance(w, bytes) else str(w).encode() for w in words]])[0]

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def receive(self) -> Reply:
        line = self._file.readline()
        if not line:
            raise ConnectionError("the server has closed the connection")
        return READERS[line[:1]](self, line[1:-2])

    def _bulk(self, size: bytes) -> bytes | None:
        length = int(size)
        if length < 0:
            return None
        text: bytes = self._file.read(length + 2)[:-2]
        return text

    def _array(self, size: bytes) -> list[Any] | None:
        return None if size == b"-1" else [self.receive() for _ in range(int(size))]

    def _map(self, size: bytes) -> Map:
        return Map([self.receive(), self.receive()] for _ in range(int(size)))

    def _set(self, size: bytes) -> Members:
        return Members(self.receive() for _ in range(int(size)))


def _text(line: bytes) -> str:
    return line.decode("utf-8", "surrogateescape")


READERS: dict[bytes, Callable[[Connection, bytes], Reply]] = {
    b"+": lambda _, line: Status(_text(line)),
    b"-": lambda _, line: Error(_text(line)),
    b":": lambda _, line: int(line),
    b",": lambda _, line: float(line),
    b"#": lambda _, line: line == b"t",
    b"_": lambda _, line: None,
    b"(": lambda _, line: int(line),
    b"$": Connection._bulk,
    b"=": lambda self, line: (self._bulk(line) or b"")[4:],
    b"*": Connection._array,
    b"~": Connection._set,
    b"%": Connection._map,
}
