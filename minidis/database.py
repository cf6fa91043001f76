"""class Minidis: an open database as its users see it, and minidis.open().

A Minidis object is a session: it has a selected database of its own and shares everything else with
the other sessions of the same open(). Its command methods are the doors of command.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from types import TracebackType
from typing import Any, Literal, TypeVar, overload

from minidis import errors
from minidis.clock import Clock, Progress
from minidis.command import COMMANDS, CONTAINERS, Command, Door
from minidis.commands.connection import Connection
from minidis.commands.counters import Counters
from minidis.commands.debugging import Debugging
from minidis.commands.generic import Keys
from minidis.commands.group import T
from minidis.commands.hashes import Hashes
from minidis.commands.introspection import Introspection
from minidis.commands.lists import Lists
from minidis.commands.objects import Objects
from minidis.commands.server import Server
from minidis.commands.sets import Sets
from minidis.commands.sorted_set_algebra import SortedSetAlgebra
from minidis.commands.sorted_set_ranges import SortedSetRanges
from minidis.commands.sorted_sets import SortedSets
from minidis.commands.sorting import Sorting
from minidis.commands.strings import Strings
from minidis.config import set_parameters
from minidis.engine import Engine, Event
from minidis.kinds import Key, encode
from minidis.persistence.directory import Home
from minidis.replies import decoded

S = TypeVar("S", bound="Minidis[Any]")

#: Spellings that have been looked up: b"get", b"GET", ... -> command. Bounded, names are few.
_SPELLINGS: dict[bytes, Command] = {}
_MOST_SPELLINGS = 10_000


class Minidis(
    Strings[T],
    Objects[T],
    Sorting[T],
    Keys[T],
    Hashes[T],
    Lists[T],
    SortedSets[T],
    SortedSetRanges[T],
    SortedSetAlgebra[T],
    Sets[T],
    Counters[T],
    Connection[T],
    Server[T],
    Debugging[T],
    Introspection[T],
):
    """A database: one method for each command, `execute` for words. Open one with minidis.open().

    Safe to use from several threads. `with minidis.open(...) as db:` closes it at the end.
    """

    _decode = False

    def __init__(self, engine: Engine, database: int = 0) -> None:
        if engine.closed:
            raise errors.ClosedError
        if not 0 <= database < len(engine.databases):
            raise errors.error(errors.DB_OUT_OF_RANGE)
        self.engine = engine
        self.space = engine.databases[database]

    # words ------------------------------------------------------------------------------------

    def execute(self, *words: Key) -> Any:
        """Run a command given as words, as a shell or a client would send it.

        The answer is what RESP3 says: bytes, int, float, None, list, dict, set; OK is a Status.
        A refusal raises ResponseError with the sentence of Redis.

        >>> db.execute("ZADD", "rank", 3, "ann", 5, "bob")
        2
        >>> db.execute("ZRANGE", "rank", 0, -1)
        [b'ann', b'bob']
        """
        # The lines of the gate (DOOR in command.py), once more without detours: words are the hot
        # path of shells, sockets and scripts.
        line: list[Any]
        try:
            line = [
                word
                if word.__class__ is bytes
                else word.encode()
                if word.__class__ is str
                else encode(word)
                for word in words
            ]
        except UnicodeEncodeError:
            line = [encode(word) for word in words]
        command = _SPELLINGS.get(line[0]) if line else None
        if command is None:
            command = find_command(line)
        if len(line) == command.plain:
            del line[0]
            options = _NO_OPTIONS
        else:
            line, options = command.parse(line)
        engine = self.engine
        with engine.lock:
            engine.moment = 0
            try:
                reply = command.body(self, *line, **options)
                if engine.unsettled:
                    engine.settle()
            except BaseException as error:
                try:
                    engine.put_back(error, (line, options))
                except BaseException:
                    engine.put_back(error, (line, options))
                    raise
                raise
        return decoded(reply) if self._decode else reply

    # sessions and life -------------------------------------------------------------------------

    def session(self: S, database: int = 0) -> S:
        """Another session on the same data, with its own selected database.

        ResponseError when there is no database of that number.

        For threads that want different databases. It needs no closing: close(), or the end of a
        `with`, closes the database for all sessions.

        >>> other = db.session(1)
        >>> other.set("here", 1), db.exists("here")
        (OK, 0)
        """
        return type(self)(self.engine, database)

    def listen(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Call `callback(Event(database, name, key))` for every change of a key.

        The callback runs in a thread of its own, never under the lock, in the order of the changes;
        `expired` events come when the key expires. Call the returned function to stop.
        """
        return self.engine.listen(callback)

    def close(self, *, save: bool | None = None) -> None:
        """Close all sessions. A directory is saved first if something changed.

        `save=True` or `save=False` decides it otherwise; a database in memory or in an .rdb file
        is not saved unless asked. Closing twice is harmless.
        """
        self.engine.close(save=save)

    def __enter__(self: S) -> S:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        place = self.engine.home.directory or "memory"
        if self.engine.closed:
            return f"<minidis {place}, closed>"
        return f"<minidis {place}, database {self.space.number}, {len(self.space.values)} keys>"


_NO_OPTIONS: dict[str, Any] = {}


def find_command(words: list[bytes]) -> Command:
    """The command that the words begin with; ResponseError when there is none."""
    if not words:
        raise errors.error(errors.EMPTY_COMMAND)
    name = words[0].decode("latin-1").upper()
    command = COMMANDS.get(name)
    if name in CONTAINERS and len(words) > 1:
        command = COMMANDS.get(f"{name} {words[1].decode('latin-1').upper()}")
        if command is None:
            raise errors.unknown_subcommand(name, words[1])
        return command
    if command is None:
        if name in CONTAINERS:
            raise errors.wrong_arity(name.lower())
        raise errors.unknown_command(words)
    if len(_SPELLINGS) < _MOST_SPELLINGS and name not in CONTAINERS:
        _SPELLINGS[words[0]] = command
    return command


def _install_doors(cls: type[Any], *, decode: bool) -> None:
    """Put the doors in front of the bodies that the group classes define."""
    for command in COMMANDS.values():
        setattr(cls, command.method, Door(command, cls, decode=decode))


class MinidisText(Minidis[str]):
    """A database whose bulk strings come back as str: minidis.open(decode_responses=True)."""

    _decode = True


_install_doors(Minidis, decode=False)
_install_doors(MinidisText, decode=True)


@overload
def open(
    path: str | os.PathLike[str] | None = None,
    *,
    decode_responses: Literal[False] = False,
    databases: int = 16,
    clock: Clock | None = None,
    progress: Progress | None = None,
    **config: Any,
) -> Minidis[bytes]: ...


@overload
def open(
    path: str | os.PathLike[str] | None = None,
    *,
    decode_responses: Literal[True],
    databases: int = 16,
    clock: Clock | None = None,
    progress: Progress | None = None,
    **config: Any,
) -> Minidis[str]: ...


@overload
def open(
    path: str | os.PathLike[str] | None = None,
    *,
    decode_responses: bool,
    databases: int = 16,
    clock: Clock | None = None,
    progress: Progress | None = None,
    **config: Any,
) -> Minidis[Any]: ...


def open(
    path: str | os.PathLike[str] | None = None,
    *,
    decode_responses: bool = False,
    databases: int = 16,
    clock: Clock | None = None,
    progress: Progress | None = None,
    **config: Any,
) -> Minidis[Any]:
    """Open a database.

    `path`: None for memory; a directory, made if needed, that keeps `dump.rdb`; or a file ending
    in `.rdb`. `decode_responses`: bulk strings come back as str. `databases`: how many numbered
    databases. `clock`: a ManualClock to move time by hand. `progress`: called with bytes done and
    bytes in all while a dump is loaded. Other keywords are configuration parameters with
    underscores for dashes, as CONFIG SET takes them: `hash_max_listpack_entries=64`.

    RdbError when the dump is damaged, LockedError when the directory is in use, FileError when the
    path cannot be used, ResponseError for a parameter that does not exist.

    >>> with minidis.open(decode_responses=True, hash_max_listpack_entries=64) as text_db:
    ...     text_db.set("name", "Ann"), text_db.get("name")
    (OK, 'Ann')
    """
    if databases < 1:
        raise ValueError("databases must be at least 1")
    home = Home(path)
    engine: Engine | None = None
    try:
        engine = Engine(home, clock or Clock(), databases)
        db: Minidis[Any] = (MinidisText if decode_responses else Minidis)(engine)
        for name, value in config.items():
            set_parameters(engine, [(name.replace("_", "-").encode(), encode(value))])
        engine.settle()
        engine.load(progress)
        return db
    except BaseException:  # an interruption, too: nobody has the object, so nobody would close it
        if engine is not None:
            engine.close(save=False)
        home.release()
        raise
