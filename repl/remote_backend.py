"""The shell's backend for a server: minidis redis://host:port, minidis unix:app.sock.

    commands       one connection; if it is lost, the next command opens a new one
    completion     a second connection, see questions.py
    streams        one connection for each SUBSCRIBE or MONITOR

The selected database and the user are derived from the commands that change them and their
replies, because the server does not report them.
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
from repl.backend import Backend, NamedItem, StatusPart
from repl.lookup import LOCAL_COMMANDS, CommandSet
from repl.questions import Questions
from repl.remote_connection import ConnectionLost, RemoteConnection, connect
from repl.render import counted
from repl.reply_shapes import shape_reply
from repl.streams import ENDINGS, Item, Source
from repl.words import printable, split

Words = Sequence[bytes]

_CLIENT_REPLY_ERROR = (
    "ERR CLIENT REPLY OFF and SKIP are not supported: the shell waits for each reply"
)
#: DBSIZE for the toolbar is sent before each prompt, unless it takes longer than this many seconds.
#: Then the next one is sent after that time multiplied by the factor.
_FAST_SECONDS = 0.05
_SLOW_FACTOR = 100
_MONITOR_LINE = re.compile(rb"(\d+\.\d+) \[(\d+) ([^\]]*(?:\][^\]]*)*?)\] (\".*)", re.DOTALL)
_MESSAGES = frozenset((b"message", b"smessage", b"pmessage"))


class RemoteBackend(Backend):
    """Runs commands on a server."""

    def __init__(self, address: Address) -> None:
        super().__init__()
        self.address = address
        self.name = os.path.basename(address.path) if address.path else str(address)
        self._database = address.database
        self._connection: RemoteConnection | None = connect(address)
        self._questions = Questions(address)
        self._command_set: CommandSet | None = None
        self._size: int | None = None
        self._next_size_query = 0.0

    # running -----------------------------------------------------------------------------------

    def _run(self, words: Words) -> Any:
        front = [word.upper() for word in words[:3]]
        if front[:2] == [b"CLIENT", b"REPLY"] and front[2:] in ([b"OFF"], [b"SKIP"]):
            raise ResponseError(_CLIENT_REPLY_ERROR)
        connection = self._require_connection()
        try:
            reply = shape_reply(words, connection.execute(*words))
        except ConnectionLost as lost:
            self._connection = None
            raise self._connection_lost(lost) from None
        except KeyboardInterrupt:
            self._connection = None
            self.transaction.reset()
            raise
        self._questions.clear_cache()
        self._update_state(words, reply)
        return reply

    def _require_connection(self) -> RemoteConnection:
        """Return the connection; reconnect if it was closed, unless MULTI or WATCH was pending."""
        connection = self._connection
        if connection is not None and not connection.is_alive():
            connection.close()
            connection = self._connection = None
            if self.transaction.pending:
                raise self._connection_lost(
                    ConnectionLost(f"the connection to {self.address} was lost")
                )
        if connection is None:
            self._connection = connection = connect(replace(self.address, database=self._database))
        return connection

    def _connection_lost(self, lost: ConnectionLost) -> ConnectionLost:
        """The error for a lost connection, with a note if MULTI or WATCH was pending."""
        gone = "MULTI and WATCH are lost with it" if self.transaction.pending else ""
        self.transaction.reset()
        return ConnectionLost(
            "; ".join(filter(None, (str(lost), gone, "the next command connects again")))
        )

    def stream(self, words: Words) -> Source:
        connection = connect(replace(self.address, database=self._database))
        try:
            return RemoteStream(connection, words, self._questions)
        except BaseException:
            connection.close()
            raise

    # state -------------------------------------------------------------------------------------

    def _update_state(self, words: Words, reply: Any) -> None:
        """Update the selected database and the user after a command."""
        if reply == "QUEUED":
            return
        match words[0].upper(), list(words[1:]):
            case b"SELECT", [number]:
                self._database = int(number)
            case b"AUTH", [*user, password]:
                self._authenticated_as((user or [b""])[0], password)
            case b"HELLO", options:
                capitals = [option.upper() for option in options]
                if b"AUTH" in capitals:
                    at = capitals.index(b"AUTH")
                    self._authenticated_as(*options[at + 1 : at + 3])
            case b"RESET", []:
                self._database = 0
                self._handshake()
            case b"EXEC", []:
                self._update_state_from_exec(reply)
        self._questions.set_target(self.address, self._database)

    def _update_state_from_exec(self, replies: Any) -> None:
        """Update the state after EXEC from each command that has run."""
        queued = self.transaction.queued
        if isinstance(replies, list) and len(replies) == len(queued):
            for at, words in enumerate(queued):
                replies[at] = reply = shape_reply(words, replies[at])
                if not isinstance(reply, Exception):
                    self._update_state(words, reply)

    def _authenticated_as(self, user: bytes, password: bytes) -> None:
        """Remember the accepted user and password for later connections."""
        self.address = self.address.with_credentials(
            user.decode("utf-8", "surrogateescape"), password.decode("utf-8", "surrogateescape")
        )
        self._command_set = None
        self._next_size_query = 0.0
        if self._connection is not None and self._connection.needs_password:
            self._handshake()

    def _handshake(self) -> None:
        """Repeat the handshake, to switch to RESP3."""
        if self._connection is not None:
            self._connection.address = self.address
            self._connection.handshake()

    # prompt and toolbar ------------------------------------------------------------------------

    @property
    def database(self) -> int:
        return self._database

    @property
    def command_set(self) -> CommandSet:
        if self._command_set is None:
            names = self._questions.commands()
            self._command_set = LOCAL_COMMANDS if names is None else CommandSet(names)
        return self._command_set

    def take_pushes(self) -> list[Any]:
        connection = self._connection
        if connection is None or not connection.is_alive():
            return []
        found = list(connection.pushes)
        connection.pushes.clear()
        return found

    def refresh(self) -> None:
        """Query the number of keys; less often if the server is slow."""
        began = monotonic()
        if began < self._next_size_query:
            return
        self._size = self._questions.query(b"DBSIZE")
        took = monotonic() - began
        self._next_size_query = began + _SLOW_FACTOR * took if took > _FAST_SECONDS else 0.0

    def _server(self) -> str:
        """Name and version of the server: `redis 7.4.1`."""
        server_info = self._connection.server_info if self._connection is not None else {}
        known = (server_info.get(name, b"") for name in (b"server", b"version"))
        return printable(" ".join(one.decode("utf-8", "replace") for one in known if one))

    def status(self) -> list[StatusPart]:
        if self._connection is None:
            return [("", str(self.address)), ("class:bottom-toolbar.unsaved", "not connected")]
        keys = "" if self._size is None else counted(self._size, "key")
        parts = (str(self.address), self._server(), f"database {self.database}", keys)
        return [("", part) for part in parts if part]

    def greeting(self) -> str:
        if self._connection is not None and self._connection.needs_password:
            return f"{self.address}: the server requires a password: AUTH [username] password"
        self.refresh()
        keys = "" if self._size is None else f", {counted(self._size, 'key')}"
        return f"{self.address}: {self._server() or 'connected'}{keys}. Commands run on the server."

    def close(self) -> None:
        self._questions.close()
        if self._connection is not None:
            self._connection.close()

    # completion --------------------------------------------------------------------------------

    def keys(self, wanted: bytes, types: tuple[str, ...] = ()) -> list[NamedItem]:
        return self._questions.keys(wanted, types)

    def key_prefixes(self, wanted: bytes) -> list[bytes]:
        return self._questions.key_prefixes(wanted)

    def members(self, key: bytes, wanted: bytes) -> list[NamedItem]:
        return self._questions.members(key, wanted)

    def type_of(self, key: bytes) -> str | None:
        kind = self._questions.query(b"TYPE", key)
        return None if kind in (None, "none") else str(kind)


class RemoteStream:
    """SUBSCRIBE or MONITOR on a separate connection."""

    def __init__(self, connection: RemoteConnection, words: Words, questions: Questions) -> None:
        self.kind = words[0].decode("latin-1").upper()
        self.names = dict.fromkeys(words[1:])
        self._connection = connection
        self._questions = questions
        self._closed = False
        if self.kind == "MONITOR":
            questions.sent_queries = Counter()
        connection.send(*words)
        first = connection.receive()  # OK of MONITOR, the first confirmation, or an error
        if isinstance(first, Exception):
            questions.sent_queries = None
            raise first if isinstance(first, MinidisError) else ResponseError(str(first))

    def __iter__(self) -> Iterator[Any]:
        while True:
            try:
                yield self._connection.receive()
            except ConnectionLost:
                if self._closed:
                    return
                raise

    def read(self, raw: Any) -> Item | None:
        return self._parse_monitor_line(raw) if self.kind == "MONITOR" else _parse_message(raw)

    def _parse_monitor_line(self, line: Any) -> MonitoredCommand | None:
        """Parse a line of MONITOR; None for a query of this shell."""
        found = _MONITOR_LINE.fullmatch(str(line).encode("utf-8", "surrogateescape"))
        if found is None:
            return None
        time, database, address, rest = found.groups()
        words = [one.value for command in split(_text(rest)) for one in command]
        sent, query = self._questions.sent_queries, tuple(words)
        if sent is not None and sent[query]:
            sent[query] -= 1
            if not sent[query]:
                del sent[query]
            return None
        return MonitoredCommand(float(time), int(database), _text(address), words)

    def unsubscribe(self, names: Collection[bytes]) -> None:
        self._connection.send(ENDINGS[self.kind].encode(), *names)
        self.names = {name: None for name in self.names if name not in names}

    def close(self) -> None:
        self._closed = True
        if self.kind == "MONITOR":
            self._questions.sent_queries = None
        self._connection.close()


def _parse_message(push: Any) -> Message[Any] | None:
    """Parse a push; None if it is not a message but, for example, a confirmation."""
    if not isinstance(push, list) or not push or push[0] not in _MESSAGES:
        return None
    *pattern, channel, data = push[1:]
    return Message(_text(push[0]), channel, pattern[0] if pattern else None, data)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")
