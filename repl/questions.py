"""What completion and the toolbar ask a server, over a connection of their own.

A connection of their own, because the other one may be inside MULTI, where a question would be
queued, or wait in BLPOP. Answers come soon or count as none: a connection that is too slow is hung
up, and nothing is asked for a while.
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
from repl.backend import MOST, Named, about_field, fronts_of
from repl.remote import Connection, dial
from repl.render import number

Words = Sequence[bytes]
T = TypeVar("T")

#: Seconds for the answers to one question; after a silence nothing is asked for so many.
_PATIENCE = 0.5
_SILENCE = 5.0
#: Seconds of looking for keys: a server with many millions of them is not walked to its end.
_SEARCH = 0.15
_COUNT = b"1000"
#: Seconds that found names are good for.
_FRESH = 2.0
#: Fields come with their values, which may be large.
_FIELDS = b"100"
_SPECIAL = re.compile(rb"[*?\[\]\\^]")
_SCANS = {"hash": b"HSCAN", "set": b"SSCAN", "zset": b"ZSCAN"}


class Questions:
    """Asks a server. No method raises; without an answer it is None, or nothing was found."""

    def __init__(self, address: Address) -> None:
        self.address = address
        #: what was asked while somebody monitors the server: it is not to be shown to him
        self.asked: Counter[tuple[bytes, ...]] | None = None
        self._connection: Connection | None = None
        self._silent_until = 0.0
        self._one = threading.Lock()
        self._known: dict[Any, tuple[float, Any]] = {}

    # asking ------------------------------------------------------------------------------------

    def ask(self, commands: Sequence[Words], seconds: float = _PATIENCE) -> list[Any] | None:
        """The answers, refusals among them; None if they do not come in time."""
        with self._one:
            if monotonic() < self._silent_until:
                return None
            try:
                if self._connection is None or not self._connection.is_alive():
                    self._connection = dial(self.address, seconds)
                    if self.asked is not None and self.address.database:
                        self.asked[b"SELECT", b"%d" % self.address.database] += 1
                if self.asked is not None:
                    self.asked.update(map(tuple, commands))
                return self._connection.ask_all(commands, seconds)
            except (MinidisError, OSError):
                self._connection = None
                self._silent_until = monotonic() + _SILENCE
                return None

    def ask_one(self, *words: bytes) -> Any:
        """The answer to one question; None for a refusal, too."""
        found = (self.ask([words]) or [None])[0]
        return None if isinstance(found, Exception) else found

    def move(self, address: Address, database: int) -> None:
        """Ask as somebody else, or another database."""
        address = replace(address, database=database)
        if address != self.address:
            self.hang_up()
            self.address = address

    def forget(self) -> None:
        """Something has changed: what was found is not to be offered again."""
        self._known.clear()

    def hang_up(self) -> None:
        """The next question needs a new connection."""
        with self._one:
            if self._connection is not None:
                self._connection.hang_up()
            self._connection = None
            self._silent_until = 0.0
            self._known.clear()

    # what is there -----------------------------------------------------------------------------

    def commands(self) -> frozenset[str] | None:
        """Full names of all commands in capitals; None if the server does not tell."""
        found = (self.ask([(b"COMMAND", b"LIST")], 2.0) or [None])[0]
        if isinstance(found, Exception):  # older than 7.0
            found = (self.ask([(b"COMMAND",)], 2.0) or [None])[0]
            found = [entry[0] for entry in found] if isinstance(found, list) else None
        if not isinstance(found, (list, set)):
            return None
        names = (bytes(name).decode("latin-1").upper() for name in found)
        return frozenset(name.replace("|", " ") for name in names)

    def keys(self, wanted: bytes, types: tuple[str, ...]) -> list[Named]:
        """Keys of these types with what they hold, if that can be said."""
        key = ("keys", wanted, types)
        if (found := self._remembered(key)) is None:
            found = []
            for kind in types or ("",):
                names = self._scanned((b"SCAN",), wanted, b"TYPE", kind.encode())
                found += [(name, kind) for name in names]
            if not types:
                found = self._with_types([name for name, _ in found])
            found.sort(key=lambda named: (not named[0].startswith(wanted), named[0]))
            self._known[key] = (monotonic(), found)
        return list(found)

    def fronts(self, wanted: bytes) -> list[bytes]:
        """What keys begin with, up to a colon."""
        key = ("fronts", wanted)
        if (found := self._remembered(key)) is None:
            pattern = _escaped(wanted) + b"*:*"
            found = fronts_of(sorted(self._walk((b"SCAN",), pattern, ())), wanted)
            self._known[key] = (monotonic(), found)
        return list(found)

    def members(self, key: bytes, wanted: bytes) -> list[Named]:
        """What is in a hash, set, sorted set or list."""
        kind = str(self.ask_one(b"TYPE", key))
        if kind == "list":
            found = self.ask_one(b"LRANGE", key, b"0", b"%d" % (MOST - 1))
            return [(name, "") for name in dict.fromkeys(found or ()) if wanted in name]
        scan = _SCANS.get(kind)
        if scan is None:
            return []
        pattern = b"*" + _escaped(wanted) + b"*"
        size = _FIELDS if kind == "hash" else _COUNT
        found = self._walk((scan, key), pattern, (b"COUNT", size), pairs=kind != "set")
        names = _sorted(found, wanted)
        return [(name, _about(kind, found[name])) for name in names]

    # walking -----------------------------------------------------------------------------------

    def _scanned(self, words: Words, wanted: bytes, *kind: bytes) -> list[bytes]:
        pattern = b"*" + _escaped(wanted) + b"*"
        options = kind if kind[1] else ()
        return _sorted(self._walk(words, pattern, (b"COUNT", _COUNT, *options)), wanted)

    def _walk(
        self, words: Words, pattern: bytes, options: Words, pairs: bool = False
    ) -> dict[bytes, Any]:
        """What a SCAN finds before patience ends: name -> value, or None where it has none."""
        until = monotonic() + _SEARCH
        found: dict[bytes, Any] = {}
        cursor = b"0"
        while len(found) < MOST and monotonic() < until:
            reply = self.ask_one(*words, cursor, b"MATCH", pattern, *options)
            if not isinstance(reply, list) or len(reply) != 2:
                break
            cursor, names = reply
            values = names[1::2] if pairs else [None] * len(names)
            found.update(zip(names[::2] if pairs else names, values, strict=False))
            if cursor == b"0":
                break
        return found

    def _with_types(self, names: list[bytes]) -> list[Named]:
        types = self.ask([(b"TYPE", name) for name in names]) if names else []
        if types is None:
            return [(name, "") for name in names]
        return [(name, str(kind)) for name, kind in zip(names, types, strict=True)]

    def _remembered(self, key: Any) -> Any:
        since, found = self._known.get(key, (-_FRESH, None))
        return found if monotonic() - since < _FRESH else None


def _escaped(wanted: bytes) -> bytes:
    r"""The text as a pattern that matches only itself.

    >>> _escaped(b"a*")
    b'a\\*'
    """
    return _SPECIAL.sub(rb"\\\g<0>", wanted)


def _sorted(names: Iterable[bytes], wanted: bytes) -> list[bytes]:
    """Those that begin with `wanted` first."""
    return sorted(names, key=lambda name: (not name.startswith(wanted), name))[:MOST]


def _about(kind: str, value: Any) -> str:
    if kind == "hash":
        return about_field(bytes(value))
    return "member" if kind == "set" else number(float(value))
