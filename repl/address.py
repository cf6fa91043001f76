"""Parses the server addresses of the command line.

    redis://[[user]:password@]host[:port][/database]     rediss:// for TLS
    unix:PATH                                            a Unix socket
    unix://[[user]:password@]/PATH[?db=database]

Special characters in a user name, password or path are percent-encoded (@ is %40). `str()` of an
address omits the password, because prompts, titles and error messages contain it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from minidis.errors import MinidisError

DEFAULT_PORT = 6379
_SCHEMES = ("redis://", "rediss://", "unix:")


class AddressSyntaxError(MinidisError):
    """The text is not a valid address. The message never contains a password."""


@dataclass(frozen=True, slots=True)
class Address:
    """A server, and the user and database to connect with."""

    #: path of a Unix socket; empty for TCP
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
        """The same server and database for another user."""
        return replace(self, user=user, password=password)


def is_address(text: str) -> bool:
    """Return whether `text` is a server address rather than a path.

    >>> is_address("redis://localhost"), is_address("unix:app.sock"), is_address("data")
    (True, True, False)
    """
    return text.lower().startswith(_SCHEMES)


def parse_address(text: str) -> Address:
    """Parse an address. Raises AddressSyntaxError if `text` is not a valid one.

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
        # An unescaped # or ? in a password ends up here: quoting it would reveal the password.
        raise AddressSyntaxError("the address contains ? or #; in a password write %3F and %23")
    return Address(
        host=parts.hostname or "127.0.0.1",
        port=DEFAULT_PORT if port is None else port,
        tls=parts.scheme == "rediss",
        user=_percent_decoded(parts.username),
        password=_percent_decoded(parts.password),
        database=_database_number(parts.path.strip("/")),
    )


def _parse_unix(text: str, parts: SplitResult) -> Address:
    if not parts.netloc and not text[5:].startswith(
        "//"
    ):  # unix:PATH, as a shell completes file names
        path, _, query = text[5:].partition("?db=")
        user = password = ""
    else:
        path, query = unquote(parts.path), parse_qs(parts.query).get("db", [""])[0]
        user, password = _percent_decoded(parts.username), _percent_decoded(parts.password)
        if parts.hostname:
            raise AddressSyntaxError(
                "unix:// needs an absolute path; for a relative one write unix:PATH"
            )
    if not path:
        raise AddressSyntaxError("unix: needs the path of a socket")
    return Address(path=path, user=user, password=password, database=_database_number(query))


def _percent_decoded(text: str | None) -> str:
    """Decode %XX; bytes that are not UTF-8 become surrogates."""
    return unquote(text or "", errors="surrogateescape")


def _database_number(text: str) -> int:
    if text and not (text.isascii() and text.isdigit() and len(text) < 10):
        raise AddressSyntaxError(
            "the database in an address must be a number, as in redis://host:port/1"
        )
    return int(text or 0)


def _safe_reason(error: ValueError, text: str) -> str:
    """Why urlsplit failed; a general hint if its message could contain a password."""
    return (
        "a password with special characters must be percent-encoded" if "@" in text else str(error)
    )
