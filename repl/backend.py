"""What the shell works on: a database in this process (LocalBackend) or a server (RemoteBackend).

    the shell needs                        the backend has
    run a command                          run(words)
    prompt, toolbar, greeting              name, database, status(), greeting()
    complete keys, fields and members      keys(), key_prefixes(), members(), type_of()
    know which commands exist              command_set
    warn before exit                       unsaved_changes()
    SUBSCRIBE, MONITOR                     stream(words)

The completion methods never raise and return within a fraction of a second.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from time import perf_counter
from typing import Any

from minidis import errors
from minidis.api.database import Minidis
from minidis.api.subscription import MessageStream
from minidis.errors import MinidisError
from minidis.replies import OK
from minidis.structures.sorted_set import SortedSet
from minidis.structures.tables import Hash, Set
from minidis.structures.types import is_collection, type_name
from repl.lookup import LOCAL_COMMANDS, CommandSet
from repl.progress import progress_bar
from repl.render import counted, number
from repl.streams import ENDINGS, Item, Source
from repl.transaction_state import TransactionState
from repl.words import double_quoted, truncate

#: A completion method returns at most this many names.
MAX_CANDIDATES = 200
#: A dictionary is searched for at most this many seconds.
SEARCH_SECONDS = 0.1
_CHUNK = 4096

#: A key, field or member, and its description.
NamedItem = tuple[bytes, str]
#: A part of the toolbar: (style class, text)
StatusPart = tuple[str, str]


class Backend(ABC):
    """Runs the commands of the shell and describes the data to it."""

    #: short name, for the prompt
    name: str

    def __init__(self) -> None:
        self.transaction = TransactionState()

    # running -----------------------------------------------------------------------------------

    def run(self, words: Sequence[bytes]) -> Any:
        """Run a command. Raises MinidisError if it fails or the server cannot be reached."""
        try:
            reply = self._run(words)
        except MinidisError as error:
            self.transaction.on_error(str(error))
            raise
        self.transaction.on_reply(words, reply)
        return reply

    @abstractmethod
    def _run(self, words: Sequence[bytes]) -> Any:
        """Run a command; `run` keeps track of MULTI around it."""

    @abstractmethod
    def stream(self, words: Sequence[bytes]) -> Source:
        """Start SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE or MONITOR. Raises MinidisError if it fails."""

    # prompt and toolbar ------------------------------------------------------------------------

    @property
    @abstractmethod
    def database(self) -> int:
        """The number of the selected database."""

    @property
    def command_set(self) -> CommandSet:
        """The commands that the backend has."""
        return LOCAL_COMMANDS

    def take_pushes(self) -> list[Any]:
        """Return and clear the push messages that arrived between replies (CLIENT TRACKING)."""
        return []

    @abstractmethod
    def refresh(self) -> None:
        """Update what status() returns; called before each prompt."""

    @abstractmethod
    def status(self) -> list[StatusPart]:
        """The parts of the toolbar."""

    @abstractmethod
    def greeting(self) -> str:
        """The first line of a session."""

    def unsaved_changes(self) -> tuple[int, str]:
        """(number of changes that would be lost at exit, file that SAVE would write)."""
        return 0, ""

    @abstractmethod
    def close(self) -> None:
        """Close the database or the connections."""

    # completion --------------------------------------------------------------------------------

    @abstractmethod
    def keys(self, wanted: bytes, types: tuple[str, ...] = ()) -> list[NamedItem]:
        """Keys that contain `wanted`, those that begin with it first; only of `types`, if given."""

    @abstractmethod
    def key_prefixes(self, wanted: bytes) -> list[bytes]:
        """Prefixes of keys up to the colon after `wanted`: user: for user:1 and user:2."""

    @abstractmethod
    def members(self, key: bytes, wanted: bytes) -> list[NamedItem]:
        """Fields of the hash, members of the set or sorted set, elements of the list at `key`."""

    @abstractmethod
    def type_of(self, key: bytes) -> str | None:
        """The type of the value at `key`, or None if the key does not exist."""


class LocalBackend(Backend):
    """A database in this process."""

    def __init__(self, db: Minidis[Any]) -> None:
        super().__init__()
        self.db = db
        directory = db.engine.store.directory
        path = directory.path if directory.saved_on_close else directory.dump_path
        self.name = "memory" if path is None else os.path.basename(os.path.abspath(path))

    def _run(self, words: Sequence[bytes]) -> Any:
        """Run a command; SAVE calls the engine directly, to show a progress bar."""
        if len(words) == 1 and words[0].upper() == b"SAVE" and not self.transaction.open:
            with progress_bar("saving") as progress:
                self.db.engine.save(progress)
                return OK
        return self.db.execute(*words)

    def stream(self, words: Sequence[bytes]) -> Source:
        return LocalStream(self.db, words)

    # prompt and toolbar ------------------------------------------------------------------------

    @property
    def database(self) -> int:
        return self.db.space.number

    def refresh(self) -> None:
        """Nothing to do: status() reads the database."""

    def status(self) -> list[StatusPart]:
        engine = self.db.engine
        keys = counted(len(self.db.space.values), "key")
        parts = [
            ("", self.name if engine.store.directory.dump_path else "in memory, lost at exit"),
            ("", f"database {self.database}"),
            ("", keys),
        ]
        if engine.store.directory.dump_path is not None and engine.store.dirty > 0:
            # Yellow for a dump file: unlike a directory, it is not saved at exit.
            style = "" if engine.store.directory.saved_on_close else "class:bottom-toolbar.unsaved"
            parts.append((style, f"{counted(engine.store.dirty, 'change')} not saved yet"))
        return parts

    def greeting(self) -> str:
        directory = self.db.engine.store.directory
        keys = counted(sum(len(one.values) for one in self.db.engine.databases), "key")
        if directory.dump_path is None:
            return "In memory: nothing is kept after exit. To open a database on disk: minidis PATH"
        if directory.saved_on_close:
            return f"{directory.path}: {keys}. It is saved at exit."
        if not os.path.exists(directory.dump_path):
            return f"{directory.dump_path} does not exist yet; SAVE creates it."
        return f"{directory.dump_path}: {keys}. It is written by SAVE only."

    def unsaved_changes(self) -> tuple[int, str]:
        directory = self.db.engine.store.directory
        if directory.dump_path is None or directory.saved_on_close:
            return 0, ""
        return max(self.db.engine.store.dirty, 0), directory.dump_path

    def close(self) -> None:
        self.db.close()

    # completion --------------------------------------------------------------------------------

    def keys(self, wanted: bytes, types: tuple[str, ...] = ()) -> list[NamedItem]:
        values, deadlines = self.db.space.values, self.db.space.deadlines
        with self.db.engine.lock:
            now = self.db.engine.clock.now()

            def fits(key: bytes) -> bool:
                if types and type_name(values[key]) not in types:
                    return False
                return not deadlines or deadlines.get(key, now) >= now

            return [(key, _describe_value(values[key])) for key in matching(values, wanted, fits)]

    def key_prefixes(self, wanted: bytes) -> list[bytes]:
        with self.db.engine.lock:
            keys = matching(self.db.space.values, wanted, lambda key: b":" in key)
        return prefixes_of(keys, wanted)

    def members(self, key: bytes, wanted: bytes) -> list[NamedItem]:
        with self.db.engine.lock:
            value: Any = self.db.space.values.get(key)
            if not is_collection(value):
                return []
            names: Any = value.scores if isinstance(value, SortedSet) else value
            try:
                found = matching(names, wanted, lambda _: True)
            except TypeError:  # a stream: its entries cannot be completed
                return []
            return [(name, _describe_member(value, name)) for name in dict.fromkeys(found)]

    def type_of(self, key: bytes) -> str | None:
        with self.db.engine.lock:
            value = self.db.space.values.get(key)
            return None if value is None else type_name(value)


class LocalStream:
    """SUBSCRIBE or MONITOR of a database in this process."""

    def __init__(self, db: Minidis[Any], words: Sequence[bytes]) -> None:
        self.kind = words[0].decode("latin-1").upper()
        names = words[1:]
        if bool(names) == (self.kind == "MONITOR"):
            raise errors.wrong_arity(self.kind.lower())
        self.names = dict.fromkeys(names)
        self._messages: MessageStream[Any]
        if self.kind == "MONITOR":
            self._messages = db.monitor(when_full="drop")
        elif self.kind == "SUBSCRIBE":
            self._messages = db.subscribe(*names, when_full="drop")
        elif self.kind == "PSUBSCRIBE":
            self._messages = db.subscribe(patterns=names, when_full="drop")
        else:
            self._messages = db.subscribe(shards=names, when_full="drop")

    def __iter__(self) -> Iterator[Any]:
        return iter(self._messages)

    def read(self, raw: Any) -> Item | None:
        item: Item = raw
        return item

    def unsubscribe(self, names: Collection[bytes]) -> None:
        getattr(self._messages, ENDINGS[self.kind].lower())(*names)
        self.names = {name: None for name in self.names if name not in names}

    def close(self) -> None:
        self._messages.close()


# searching ---------------------------------------------------------------------------------------


def matching(
    names: Iterable[bytes], wanted: bytes, fits: Callable[[bytes], bool], most: int = MAX_CANDIDATES
) -> list[bytes]:
    """Names that begin with `wanted`, then names that contain it, found within SEARCH_SECONDS.

    The names are searched in chunks. Joining a chunk and searching it as one string costs a tenth
    of testing each name, and most chunks contain no match. Only the matches are sorted.
    """
    until = perf_counter() + SEARCH_SECONDS
    front: list[bytes] = []
    within: list[bytes] = []
    rest = iter(names)
    while chunk := list(islice(rest, _CHUNK)):
        if not wanted:
            front += filter(fits, chunk)
        elif wanted in b"\n".join(chunk):
            found = [name for name in chunk if wanted in name and fits(name)]
            front += [name for name in found if name.startswith(wanted)]
            if len(within) < most:
                within += [name for name in found if not name.startswith(wanted)]
        if len(front) >= most or perf_counter() > until:
            break
    return (sorted(front) + sorted(within))[:most]


def prefixes_of(keys: Iterable[bytes], wanted: bytes) -> list[bytes]:
    """The distinct prefixes of keys up to the colon after `wanted`.

    >>> prefixes_of([b"user:1", b"user:2", b"page"], b"us")
    [b'user:']
    """
    size = len(wanted)
    found = (key[: key.index(b":", size) + 1] for key in keys if b":" in key[size:])
    return list(dict.fromkeys(found))


def _describe_value(value: Any) -> str:
    """Type and length: `hash, 3`."""
    kind = type_name(value)
    return kind if kind == "string" else f"{kind}, {len(value):,}"


def _describe_member(value: Any, name: bytes) -> str:
    """The value of a hash field, the score of a sorted set member."""
    if isinstance(value, SortedSet):
        return number(value.scores[name])
    if isinstance(value, Hash):
        return describe_field(value[name])
    return "member" if isinstance(value, Set) else ""


def describe_field(value: bytes) -> str:
    """The first characters of a field's value."""
    return truncate(double_quoted(value[:120]), 40)
