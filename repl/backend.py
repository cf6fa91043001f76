"""Where the shell is: a database of this process (LocalBackend), or a server (RemoteBackend).

    what the shell does                    what it asks a place
    run a command                          run(words)
    prompt, toolbar, greeting              name, database, status(), greeting()
    offer what is there                    keys(), fronts(), members(), type_of()
    know what can be run                   repertoire
    leave                                  unsaved()
    SUBSCRIBE, MONITOR                     stream(words)

Questions never raise, and never take longer than a person waits for a menu.
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
from minidis.keyspace.keyspace import is_collection, type_name
from minidis.replies import OK
from minidis.structures.sorted_set import SortedSet
from minidis.structures.tables import Hash, Set
from repl.lookup import LOCAL_COMMANDS, CommandSet
from repl.progress import bar
from repl.render import counted, number
from repl.streams import ENDINGS, Item, Source
from repl.transaction_state import TransactionState
from repl.words import double_quoted, truncate

#: Never more answers to a question than this.
MAX_CANDIDATES = 200
#: Never longer over a dictionary than this, in seconds.
SEARCH_SECONDS = 0.1
_CHUNK = 4096

#: A key, field or member, and what to say of it.
Named = tuple[bytes, str]
#: A part of the toolbar: (class of colour, text)
Part = tuple[str, str]


class Backend(ABC):
    """Where commands run."""

    #: short, for the prompt
    name: str

    def __init__(self) -> None:
        self.transaction = TransactionState()

    # running -----------------------------------------------------------------------------------

    def run(self, words: Sequence[bytes]) -> Any:
        """Run a command; MinidisError when it is refused, or when the place cannot be reached."""
        try:
            reply = self._run(words)
        except MinidisError as error:
            self.transaction.on_error(str(error))
            raise
        self.transaction.on_reply(words, reply)
        return reply

    @abstractmethod
    def _run(self, words: Sequence[bytes]) -> Any:
        """The command itself."""

    @abstractmethod
    def stream(self, words: Sequence[bytes]) -> Source:
        """Begin SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE or MONITOR; MinidisError when it is refused."""

    # around the line ---------------------------------------------------------------------------

    @property
    @abstractmethod
    def database(self) -> int:
        """Number of the selected database."""

    @property
    def command_set(self) -> CommandSet:
        """The commands that can be run here."""
        return LOCAL_COMMANDS

    def take_pushes(self) -> list[Any]:
        """What has come between the answers: invalidations of CLIENT TRACKING."""
        return []

    @abstractmethod
    def refresh(self) -> None:
        """A prompt is about to be shown."""

    @abstractmethod
    def status(self) -> list[Part]:
        """What the toolbar says of the place."""

    @abstractmethod
    def greeting(self) -> str:
        """The first line of a session."""

    def unsaved_changes(self) -> tuple[int, str]:
        """(number of changes that leaving would lose, the file that SAVE would write them to)."""
        return 0, ""

    @abstractmethod
    def close(self) -> None:
        """Nothing more is asked."""

    # questions ---------------------------------------------------------------------------------

    @abstractmethod
    def keys(self, wanted: bytes, types: tuple[str, ...] = ()) -> list[Named]:
        """Keys of these types (of any, without types), those that begin with `wanted` first."""

    @abstractmethod
    def key_prefixes(self, wanted: bytes) -> list[bytes]:
        """What keys begin with, up to a colon after `wanted`: user: for user:1 and user:2."""

    @abstractmethod
    def members(self, key: bytes, wanted: bytes) -> list[Named]:
        """Fields of the hash, members of the set or sorted set, elements of the list at key."""

    @abstractmethod
    def type_of(self, key: bytes) -> str | None:
        """What the key holds; None when there is no such key."""


class LocalBackend(Backend):
    """A database of this process."""

    def __init__(self, db: Minidis[Any]) -> None:
        super().__init__()
        self.db = db
        home = db.engine.home
        path = home.directory if home.durable else home.dump
        self.name = "memory" if path is None else os.path.basename(os.path.abspath(path))

    def _run(self, words: Sequence[bytes]) -> Any:
        """SAVE goes around its door, to show how far it is with much data."""
        if len(words) == 1 and words[0].upper() == b"SAVE" and not self.transaction.open:
            with bar("saving") as progress:
                self.db.engine.save(progress)
                return OK
        return self.db.execute(*words)

    def stream(self, words: Sequence[bytes]) -> Source:
        return LocalStream(self.db, words)

    # around the line ---------------------------------------------------------------------------

    @property
    def database(self) -> int:
        return self.db.space.number

    def refresh(self) -> None:
        """Everything is at hand."""

    def status(self) -> list[Part]:
        engine = self.db.engine
        keys = counted(len(self.db.space.values), "key")
        parts = [
            ("", self.name if engine.home.dump else "in memory, gone at the end"),
            ("", f"database {self.database}"),
            ("", keys),
        ]
        if engine.home.dump is not None and engine.dirty > 0:
            # Yellow where leaving loses them; a directory is saved then.
            style = "" if engine.home.durable else "class:bottom-toolbar.unsaved"
            parts.append((style, f"{counted(engine.dirty, 'change')} not saved yet"))
        return parts

    def greeting(self) -> str:
        home = self.db.engine.home
        keys = counted(sum(len(one.values) for one in self.db.engine.databases), "key")
        if home.dump is None:
            return "In memory: nothing is kept after the session. minidis PATH opens a database."
        if home.durable:
            return f"{home.directory}: {keys}. It is saved when you leave."
        if not os.path.exists(home.dump):
            return f"{home.dump} does not exist yet; SAVE makes it."
        return f"{home.dump}: {keys}. SAVE writes it."

    def unsaved_changes(self) -> tuple[int, str]:
        home = self.db.engine.home
        if home.dump is None or home.durable:
            return 0, ""
        return max(self.db.engine.dirty, 0), home.dump

    def close(self) -> None:
        self.db.close()

    # questions ---------------------------------------------------------------------------------

    def keys(self, wanted: bytes, types: tuple[str, ...] = ()) -> list[Named]:
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

    def members(self, key: bytes, wanted: bytes) -> list[Named]:
        with self.db.engine.lock:
            value: Any = self.db.space.values.get(key)
            if not is_collection(value):
                return []
            names: Any = value.scores if isinstance(value, SortedSet) else value
            try:
                found = matching(names, wanted, lambda _: True)
            except TypeError:  # a stream: its entries have no names
                return []
            return [(name, _describe_member(value, name)) for name in dict.fromkeys(found)]

    def type_of(self, key: bytes) -> str | None:
        with self.db.engine.lock:
            value = self.db.space.values.get(key)
            return None if value is None else type_name(value)


class LocalStream:
    """A stream out of the database of this process."""

    def __init__(self, db: Minidis[Any], words: Sequence[bytes]) -> None:
        self.kind = words[0].decode("latin-1").upper()
        names = words[1:]
        if bool(names) == (self.kind == "MONITOR"):
            raise errors.wrong_arity(self.kind.lower())
        self.names = dict.fromkeys(names)
        self._feed: MessageStream[Any]
        if self.kind == "MONITOR":
            self._feed = db.monitor(when_full="drop")
        elif self.kind == "SUBSCRIBE":
            self._feed = db.subscribe(*names, when_full="drop")
        elif self.kind == "PSUBSCRIBE":
            self._feed = db.subscribe(patterns=names, when_full="drop")
        else:
            self._feed = db.subscribe(shards=names, when_full="drop")

    def __iter__(self) -> Iterator[Any]:
        return iter(self._feed)

    def read(self, raw: Any) -> Item | None:
        item: Item = raw
        return item

    def unsubscribe(self, names: Collection[bytes]) -> None:
        getattr(self._feed, ENDINGS[self.kind].lower())(*names)
        self.names = {name: None for name in self.names if name not in names}

    def close(self) -> None:
        self._feed.close()


# finding -----------------------------------------------------------------------------------------


def matching(
    names: Iterable[bytes], wanted: bytes, fits: Callable[[bytes], bool], most: int = MAX_CANDIDATES
) -> list[bytes]:
    """Names that begin with `wanted`, then those that contain it, as far as patience goes.

    The dictionary is walked in pieces. A piece is joined to one text and searched as a whole, which
    costs a tenth of asking each name; most pieces have nothing and are done with that. Only what
    was found is sorted.
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
    """What keys begin with, up to the colon after `wanted`; each once.

    >>> prefixes_of([b"user:1", b"user:2", b"page"], b"us")
    [b'user:']
    """
    size = len(wanted)
    found = (key[: key.index(b":", size) + 1] for key in keys if b":" in key[size:])
    return list(dict.fromkeys(found))


def _describe_value(value: Any) -> str:
    """Type and size: `hash, 3`."""
    kind = type_name(value)
    return kind if kind == "string" else f"{kind}, {len(value):,}"


def _describe_member(value: Any, name: bytes) -> str:
    """The value of a field, the score of a member."""
    if isinstance(value, SortedSet):
        return number(value.scores[name])
    if isinstance(value, Hash):
        return describe_field(value[name])
    return "member" if isinstance(value, Set) else ""


def describe_field(value: bytes) -> str:
    """The beginning of a field's value."""
    return truncate(double_quoted(value[:120]), 40)
