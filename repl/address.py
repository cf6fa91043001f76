"""Addresses of servers, as they are typed on the command line.

    redis://[[user]:password@]host[:port][/database]     rediss:// the same over TLS
    unix:PATH                                            the door of a program on this machine
    unix://[[user]:password@]/PATH[?db=database]

What is special in a user, password or path is written as %40. `str()` of an address never shows the
password: it is what prompts, titles and errors are made of.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from minidis.errors import MinidisError

DEFAULT_PORT = 6379
_SCHEMES = ("redis://", "rediss://", "unix:")


class AddressSyntaxError(MinidisError):
    """The text is no address; the message says why, without repeating a password."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is, and as whom to speak to it."""

    #: path of a Unix socket; empty: TCP
    path: str = ""
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    tls: bool = False
    user: str = ""
    password: str = field(default="", repr=False)
    database: int = 0

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def with_credentials(self, user: str, password: str) -> Address:
        """The same place for somebody else."""
        return replace(self, user=user, password=password)


def is_address(text: str) -> bool:
    """Is it meant as the address of a server, and not as a path?

    >>> is_address("redis://localhost"), is_address("unix:app.sock"), is_address("data")
    (True, True, False)
    """
    return text.lower().startswith(_SCHEMES)


def parse_address(text: str) -> Address:
    """The address that is written in a text; AddressError when there is none in it.

    >>> str(parse_address("redis://ann:secret@example.org/2"))
    'example.org:6379'
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise AddressSyntaxError(
            f"the address cannot be read: {_safe_reason(error, text)}"
        ) from None
    if parts.scheme == "unix":
        return _parse_unix(text, parts)
    if parts.query or parts.fragment:
        # An unescaped # or ? in a password ends up here; repeating it would show the password.
        raise AddressSyntaxError("the address has ? or # in it; in a password they are %3F and %23")
    return Address(
        host=parts.hostname or "127.0.0.1",
        port=DEFAULT_PORT if port is None else port,
        tls=parts.scheme == "rediss",
        user=_percent_decoded(parts.username),
        password=_percent_decoded(parts.password),
        database=_database_number(parts.path.strip("/")),
    )


def _parse_unix(text: str, parts: SplitResult) -> Address:
    if not parts.netloc and not text[5:].startswith("//"):  # as the shell completes file names
        path, _, query = text[5:].partition("?db=")
        user = password = ""
    else:
        path, query = unquote(parts.path), parse_qs(parts.query).get("db", [""])[0]
        user, password = _percent_decoded(parts.username), _percent_decoded(parts.password)
        if parts.hostname:
            raise AddressSyntaxError("unix:// is followed by an absolute path; unix:PATH takes any")
    if not path:
        raise AddressSyntaxError("unix: needs the path of a socket")
    return Address(path=path, user=user, password=password, database=_database_number(query))


def _percent_decoded(text: str | None) -> str:
    """Without %XX; bytes that are no UTF-8 become surrogates."""
    return unquote(text or "", errors="surrogateescape")


def _database_number(text: str) -> int:
    if text and not (text.isascii() and text.isdigit() and len(text) < 10):
        raise AddressSyntaxError("the database of an address is a number: redis://host:port/1")
    return int(text or 0)


def _safe_reason(error: ValueError, text: str) -> str:
    """What is wrong, if that can be said without a part of the address that may be a password."""
    return "it may hold a password with special characters" if "@" in text else str(error)
