"""Queries a server for completion and the toolbar, over a separate connection.

The connection is separate because the one for commands may be inside MULTI, where a query would be
queued, or blocked in BLPOP. A query that takes too long counts as failed: the connection is closed,
and the server is not queried again for a few seconds.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from time import monotonic
from typing import Any, TypeVar

from minidis.errors import MinidisError
from repl.address import Address
from repl.backend import MAX_CANDIDATES, NamedItem, describe_field, prefixes_of
from repl.remote_connection import RemoteConnection, connect
from repl.render import number

Words = Sequence[bytes]
T = TypeVar("T")

#: Seconds to wait for the replies to a query, and before the next query after a timeout.
_TIMEOUT = 0.5
_RETRY_SECONDS = 5.0
#: Seconds to search for keys: with many millions of them SCAN is not run to its end.
_SCAN_SECONDS = 0.15
_SCAN_COUNT = b"1000"
#: Seconds for which results are cached.
_CACHE_SECONDS = 2.0
#: HSCAN returns the values as well, which may be large.
_HSCAN_COUNT = b"100"
_SPECIAL = re.compile(rb"[*?\[\]\\^]")
_SCANS = {"hash": b"HSCAN", "set": b"SSCAN", "zset": b"ZSCAN"}


class Questions:
    """Queries a server. No method raises; after an error the result is None or empty."""

    def __init__(self, address: Address) -> None:
        self.address = address
        #: queries sent while MONITOR is running, which hides them
        self.sent_queries: Counter[tuple[bytes, ...]] | None = None
        self._connection: RemoteConnection | None = None
        self._retry_after = 0.0
        self._lock = threading.Lock()
        self._cache: dict[Any, tuple[float, Any]] = {}

    # queries -----------------------------------------------------------------------------------

    def query_all(self, commands: Sequence[Words], seconds: float = _TIMEOUT) -> list[Any] | None:
        """The replies, errors among them; None if they do not arrive in time."""
        with self._lock:
            if monotonic() < self._retry_after:
                return None
            try:
                if self._connection is None or not self._connection.is_alive():
                    self._connection = connect(self.address, seconds)
                    if self.sent_queries is not None and self.address.database:
                        self.sent_queries[b"SELECT", b"%d" % self.address.database] += 1
                if self.sent_queries is not None:
                    self.sent_queries.update(map(tuple, commands))
                return self._connection.execute_all(commands, seconds)
            except (MinidisError, OSError):
                self._connection = None
                self._retry_after = monotonic() + _RETRY_SECONDS
                return None

    def query(self, *words: bytes) -> Any:
        """The reply to one command; None also for an error reply."""
        found = (self.query_all([words]) or [None])[0]
        return None if isinstance(found, Exception) else found

    def set_target(self, address: Address, database: int) -> None:
        """Query as another user, or in another database."""
        address = replace(address, database=database)
        if address != self.address:
            self.close()
            self.address = address

    def clear_cache(self) -> None:
        """Forget cached results; called after each command, which may have changed them."""
        self._cache.clear()

    def close(self) -> None:
        """Close the connection; the next query opens a new one."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            self._retry_after = 0.0
            self._cache.clear()

    # commands, keys, members -------------------------------------------------------------------

    def commands(self) -> frozenset[str] | None:
        """Full names of all commands in upper case; None if the server does not list them."""
        found = (self.query_all([(b"COMMAND", b"LIST")], 2.0) or [None])[0]
        if isinstance(found, Exception):  # older than 7.0
            found = (self.query_all([(b"COMMAND",)], 2.0) or [None])[0]
            found = [entry[0] for entry in found] if isinstance(found, list) else None
        if not isinstance(found, (list, set)):
            return None
        names = (bytes(name).decode("latin-1").upper() for name in found)
        return frozenset(name.replace("|", " ") for name in names)

    def keys(self, wanted: bytes, types: tuple[str, ...]) -> list[NamedItem]:
        """Keys of these types, each with its type if known."""
        key = ("keys", wanted, types)
        if (found := self._cached(key)) is None:
            found = []
            for kind in types or ("",):
                names = self._scan_keys((b"SCAN",), wanted, b"TYPE", kind.encode())
                found += [(name, kind) for name in names]
            if not types:
                found = self._with_types([name for name, _ in found])
            found.sort(key=lambda named: (not named[0].startswith(wanted), named[0]))
            self._cache[key] = (monotonic(), found)
        return list(found)

    def key_prefixes(self, wanted: bytes) -> list[bytes]:
        """Prefixes of keys, up to a colon."""
        key = ("fronts", wanted)
        if (found := self._cached(key)) is None:
            pattern = _escape_glob(wanted) + b"*:*"
            found = prefixes_of(sorted(self._scan((b"SCAN",), pattern, ())), wanted)
            self._cache[key] = (monotonic(), found)
        return list(found)

    def members(self, key: bytes, wanted: bytes) -> list[NamedItem]:
        """Fields or members of the hash, set, sorted set or list at `key`."""
        kind = str(self.query(b"TYPE", key))
        if kind == "list":
            found = self.query(b"LRANGE", key, b"0", b"%d" % (MAX_CANDIDATES - 1))
            return [(name, "") for name in dict.fromkeys(found or ()) if wanted in name]
        scan = _SCANS.get(kind)
        if scan is None:
            return []
        pattern = b"*" + _escape_glob(wanted) + b"*"
        size = _HSCAN_COUNT if kind == "hash" else _SCAN_COUNT
        found = self._scan((scan, key), pattern, (b"COUNT", size), pairs=kind != "set")
        names = _sorted_by_prefix(found, wanted)
        return [(name, _describe_member(kind, found[name])) for name in names]

    # SCAN --------------------------------------------------------------------------------------

    def _scan_keys(self, words: Words, wanted: bytes, *kind: bytes) -> list[bytes]:
        pattern = b"*" + _escape_glob(wanted) + b"*"
        options = kind if kind[1] else ()
        return _sorted_by_prefix(
            self._scan(words, pattern, (b"COUNT", _SCAN_COUNT, *options)), wanted
        )

    def _scan(
        self, words: Words, pattern: bytes, options: Words, pairs: bool = False
    ) -> dict[bytes, Any]:
        """Names found by SCAN within _SCAN_SECONDS -> the value of a pair, else None."""
        until = monotonic() + _SCAN_SECONDS
        found: dict[bytes, Any] = {}
        cursor = b"0"
        while len(found) < MAX_CANDIDATES and monotonic() < until:
            reply = self.query(*words, cursor, b"MATCH", pattern, *options)
            if not isinstance(reply, list) or len(reply) != 2:
                break
            cursor, names = reply
            values = names[1::2] if pairs else [None] * len(names)
            found.update(zip(names[::2] if pairs else names, values, strict=False))
            if cursor == b"0":
                break
        return found

    def _with_types(self, names: list[bytes]) -> list[NamedItem]:
        types = self.query_all([(b"TYPE", name) for name in names]) if names else []
        if types is None:
            return [(name, "") for name in names]
        return [(name, str(kind)) for name, kind in zip(names, types, strict=True)]

    def _cached(self, key: Any) -> Any:
        since, found = self._cache.get(key, (-_CACHE_SECONDS, None))
        return found if monotonic() - since < _CACHE_SECONDS else None


def _escape_glob(wanted: bytes) -> bytes:
    r"""Escape a text, so that as a glob pattern it matches only itself.

    >>> _escape_glob(b"a*")
    b'a\\*'
    """
    return _SPECIAL.sub(rb"\\\g<0>", wanted)


def _sorted_by_prefix(names: Iterable[bytes], wanted: bytes) -> list[bytes]:
    """Sort the names; those that begin with `wanted` come first."""
    return sorted(names, key=lambda name: (not name.startswith(wanted), name))[:MAX_CANDIDATES]


def _describe_member(kind: str, value: Any) -> str:
    if kind == "hash":
        return describe_field(bytes(value))
    return "member" if kind == "set" else number(float(value))
