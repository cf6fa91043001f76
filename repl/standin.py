"""stand-in"""

from __future__ import annotations
from typing import Any
from minidis.errors import ResponseError
from minidis.replies import Push, Status, Verbatim

INCOMPLETE: Any = object()


class ProtocolError(Exception): ...


class ReplyReader:
    def __init__(self) -> None:
        self.buf = bytearray()
        self.at = 0

    def feed(self, data: bytes) -> None:
        self.buf += data

    def gets(self) -> Any:
        self.at = 0
        try:
            value = self._one()
        except IndexError:
            return INCOMPLETE
        del self.buf[: self.at]
        return value

    def _line(self) -> bytes:
        end = self.buf.find(b"\r\n", self.at)
        if end < 0:
            raise IndexError
        line = bytes(self.buf[self.at : end])
        self.at = end + 2
        return line

    def _bulk(self, n: int) -> bytes:
        if len(self.buf) < self.at + n + 2:
            raise IndexError
        v = bytes(self.buf[self.at : self.at + n])
        self.at += n + 2
        return v

    def _one(self) -> Any:
        line = self._line()
        mark, rest = line[:1], line[1:]
        if mark == b"+":
            return Status(rest.decode("utf-8", "surrogateescape"))
        if mark == b"-":
            return ResponseError(rest.decode("utf-8", "surrogateescape"))
        if mark in b":(":
            return int(rest)
        if mark == b",":
            return float(rest)
        if mark == b"#":
            return rest == b"t"
        if mark == b"_":
            return None
        n = int(rest)
        if mark == b"$":
            return None if n < 0 else self._bulk(n)
        if mark == b"=":
            return Verbatim(self._bulk(n)[4:])
        if mark == b"*":
            return None if n < 0 else [self._one() for _ in range(n)]
        if mark == b">":
            return Push(self._one() for _ in range(n))
        if mark == b"~":
            return {self._one() for _ in range(n)}
        if mark == b"%":
            return {self._one(): self._one() for _ in range(n)}
        if mark == b"|":
            for _ in range(n):
                self._one()
                self._one()
            return self._one()
        raise ValueError(line)
