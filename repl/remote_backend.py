"""A server as the place where the shell is: minidis redis://host:port, minidis unix:app.sock.

    commands       one connection, made again at the next command when it was lost
    questions      another one, see questions.py
    streams        one for each SUBSCRIBE or MONITOR

What the server does not tell (the selected database, who we are) is learnt from the commands that
change it and the answers to them.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from time import monotonic
from typing import Any

from minidis.api.subscription import Message
from minidis.clients.monitored import MonitoredCommand
from minidis.errors import MinidisError, ResponseError
from repl.address import Address
from repl.backend import Backend, Named, Part
from repl.lookup import OURS, CommandSet
from repl.questions import Questions
from repl.remote import Connection, Lost, dial
from repl.render import counted
from repl.shaped import shaped
from repl.streams import ENDINGS, Item, Source
from repl.words import printable, split

Words = Sequence[bytes]

_SILENT = "ERR CLIENT REPLY would leave the shell waiting for answers that do not come"
#: Seconds for the number of keys that a person does not notice; after a longer wait, the next
#: question comes so many times later.
_UNNOTICED = 0.05
_REST = 100
_SEEN = re.compile(rb"(\d+\.\d+) \[(\d+) ([^\]]*(?:\][^\]]*)*?)\] (\".*)", re.DOTALL)
_MESSAGES = frozenset((b"message", b"smessage", b"pmessage"))


class RemoteBackend(Backend):
    """A server."""

    def __init__(self, address: Address) -> None:
        super().__init__()
        self.address = address
        self.name = os.path.basename(address.path) if address.path else str(address)
        self._database = address.database
        self._connection: Connection | None = dial(address)
        self._questions = Questions(address)
        self._repertoire: CommandSet | None = None
        self._size: int | None = None
        self._rests_until = 0.0

    # running -----------------------------------------------------------------------------------

    def _run(self, words: Words) -> Any:
        front = [word.upper() for word in words[:3]]
        if front[:2] == [b"CLIENT", b"REPLY"] and front[2:] in ([b"OFF"], [b"SKIP"]):
            raise ResponseError(_SILENT)
        connection = self._connected()
        try:
            reply = shaped(words, connection.ask(*words))
        except Lost as lost:
            self._connection = None
            raise self._with_transaction(lost) from None
        except KeyboardInterrupt:
            self._connection = None
            self.transaction.forget()
            raise
        self._questions.forget()
        self._learn(words, reply)
        return reply

    def _connected(self) -> Connection:
        """The connection; a new one if the server has hung up, unless something is lost by it."""
        connection = self._connection
        if connection is not None and not connection.is_alive():
            connection.hang_up()
            connection = self._connection = None
            if self.transaction.pending:
                raise self._with_transaction(Lost(f"the connection to {self.address} was lost"))
        if connection is None:
            self._connection = connection = dial(replace(self.address, database=self._database))
        return connection

    def _with_transaction(self, lost: Lost) -> Lost:
        """Say what has gone with the connection."""
        gone = "MULTI and WATCH are gone with it" if self.transaction.pending else ""
        self.transaction.forget()
        return Lost("; ".join(filter(None, (str(lost), gone, "the next command connects again"))))

    def stream(self, words: Words) -> Source:
        connection = dial(replace(self.address, database=self._database))
        try:
            return RemoteStream(connection, words, self._questions)
        except BaseException:
            connection.hang_up()
            raise

    # learning ----------------------------------------------------------------------------------

    def _learn(self, words: Words, reply: Any) -> None:
        """What a command that has run means for the next ones."""
        if reply == "QUEUED":
            return
        match words[0].upper(), list(words[1:]):
            case b"SELECT", [number]:
                self._database = int(number)
            case b"AUTH", [*user, password]:
                self._became((user or [b""])[0], password)
            case b"HELLO", options:
                capitals = [option.upper() for option in options]
                if b"AUTH" in capitals:
                    at = capitals.index(b"AUTH")
                    self._became(*options[at + 1 : at + 3])
            case b"RESET", []:
                self._database = 0
                self._greet()
            case b"EXEC", []:
                self._learn_from_queue(reply)
        self._questions.move(self.address, self._database)

    def _learn_from_queue(self, replies: Any) -> None:
        """EXEC: each of the queued commands has run."""
        queued = self.transaction.queued
        if isinstance(replies, list) and len(replies) == len(queued):
            for at, words in enumerate(queued):
                replies[at] = reply = shaped(words, replies[at])
                if not isinstance(reply, Exception):
                    self._learn(words, reply)

    def _became(self, user: bytes, password: bytes) -> None:
        """A password was accepted: connections to come need it, too."""
        self.address = self.address.display_name_of(
            user.decode("utf-8", "surrogateescape"), password.decode("utf-8", "surrogateescape")
        )
        self._repertoire = None
        self._rests_until = 0.0
        if self._connection is not None and self._connection.wants_password:
            self._greet()

    def _greet(self) -> None:
        """Speak RESP3 (again)."""
        if self._connection is not None:
            self._connection.address = self.address
            self._connection.greet()

    # around the line ---------------------------------------------------------------------------

    @property
    def database(self) -> int:
        return self._database

    @property
    def repertoire(self) -> CommandSet:
        if self._repertoire is None:
            names = self._questions.commands()
            self._repertoire = OURS if names is None else CommandSet(names)
        return self._repertoire

    def unasked(self) -> list[Any]:
        connection = self._connection
        if connection is None or not connection.is_alive():
            return []
        found = list(connection.pushed)
        connection.pushed.clear()
        return found

    def refresh(self) -> None:
        """Ask for the number of keys, a server that takes its time for it less often."""
        began = monotonic()
        if began < self._rests_until:
            return
        self._size = self._questions.ask_one(b"DBSIZE")
        took = monotonic() - began
        self._rests_until = began + _REST * took if took > _UNNOTICED else 0.0

    def _server(self) -> str:
        """`redis 7.0.15`"""
        about = self._connection.about if self._connection is not None else {}
        told = (about.get(name, b"") for name in (b"server", b"version"))
        return printable(" ".join(one.decode("utf-8", "replace") for one in told if one))

    def status(self) -> list[Part]:
        if self._connection is None:
            return [("", str(self.address)), ("class:bottom-toolbar.unsaved", "not connected")]
        keys = "" if self._size is None else counted(self._size, "key")
        parts = (str(self.address), self._server(), f"database {self.database}", keys)
        return [("", part) for part in parts if part]

    def greeting(self) -> str:
        if self._connection is not None and self._connection.wants_password:
            return f"{self.address}: asks for a password. AUTH [username] password"
        self.refresh()
        keys = "" if self._size is None else f", {counted(self._size, 'key')}"
        return f"{self.address}: {self._server() or 'connected'}{keys}. Commands run there at once."

    def close(self) -> None:
        self._questions.hang_up()
        if self._connection is not None:
            self._connection.hang_up()

    # questions ---------------------------------------------------------------------------------

    def keys(self, wanted: bytes, types: tuple[str, ...] = ()) -> list[Named]:
        return self._questions.keys(wanted, types)

    def fronts(self, wanted: bytes) -> list[bytes]:
        return self._questions.fronts(wanted)

    def members(self, key: bytes, wanted: bytes) -> list[Named]:
        return self._questions.members(key, wanted)

    def type_of(self, key: bytes) -> str | None:
        kind = self._questions.ask_one(b"TYPE", key)
        return None if kind in (None, "none") else str(kind)


class RemoteStream:
    """SUBSCRIBE or MONITOR over a connection of its own."""

    def __init__(self, connection: Connection, words: Words, questions: Questions) -> None:
        self.kind = words[0].decode("latin-1").upper()
        self.names = dict.fromkeys(words[1:])
        self._connection = connection
        self._questions = questions
        self._closed = False
        if self.kind == "MONITOR":
            questions.asked = Counter()
        connection.send(*words)
        first = connection.receive()  # OK of MONITOR, the first confirmation, or the refusal
        if isinstance(first, Exception):
            questions.asked = None
            raise first if isinstance(first, MinidisError) else ResponseError(str(first))

    def __iter__(self) -> Iterator[Any]:
        while True:
            try:
                yield self._connection.receive()
            except Lost:
                if self._closed:
                    return
                raise

    def read(self, raw: Any) -> Item | None:
        return self._seen(raw) if self.kind == "MONITOR" else _message(raw)

    def _seen(self, line: Any) -> MonitoredCommand | None:
        """A line of MONITOR, unless it shows a question of our own."""
        found = _SEEN.fullmatch(str(line).encode("utf-8", "surrogateescape"))
        if found is None:
            return None
        time, database, address, rest = found.groups()
        words = [one.value for command in split(_text(rest)) for one in command]
        asked, question = self._questions.asked, tuple(words)
        if asked is not None and asked[question]:
            asked[question] -= 1
            if not asked[question]:
                del asked[question]
            return None
        return MonitoredCommand(float(time), int(database), _text(address), words)

    def drop(self, names: Collection[bytes]) -> None:
        self._connection.send(ENDINGS[self.kind].encode(), *names)
        self.names = {name: None for name in self.names if name not in names}

    def close(self) -> None:
        self._closed = True
        if self.kind == "MONITOR":
            self._questions.asked = None
        self._connection.hang_up()


def _message(pushed: Any) -> Message[Any] | None:
    """A message; None for a confirmation, and for whatever else there may be."""
    if not isinstance(pushed, list) or not pushed or pushed[0] not in _MESSAGES:
        return None
    *pattern, channel, data = pushed[1:]
    return Message(_text(pushed[0]), channel, pattern[0] if pattern else None, data)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")
