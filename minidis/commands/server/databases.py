"""Server commands: whole databases, time, configuration, saving."""

from __future__ import annotations

from typing import Any

from minidis import errors
from minidis.commands.shared.group import Group, T
from minidis.engine.config import get_parameters, set_parameters
from minidis.grammar.command import declarations
from minidis.grammar.facts import password_settings
from minidis.grammar.kinds import RAW, Integer, Many, Value, encode, integer
from minidis.keyspace.unit import EXCHANGED
from minidis.replies import OK, Status

command = declarations(group="server", parent="CONFIG")

CONFIG_HELP = (
    "CONFIG <subcommand> [<arg> ...]. Subcommands are:",
    "GET <pattern> [<pattern> ...]",
    "    Show the names and values of the matching parameters.",
    "SET <parameter> <value> [<parameter> <value> ...]",
    "    Set parameters; either all of them or none.",
    "RESETSTAT",
    "    Set the counters of hits, misses and expired keys to 0.",
    "HELP",
    "    This text.",
)


class Server(Group[T]):
    """DBSIZE, FLUSHDB, FLUSHALL, SWAPDB, TIME, CONFIG, SAVE, LASTSAVE."""

    @command("DBSIZE", "readonly fast", since="1.0.0", complexity="O(1)", categories="keyspace")
    def dbsize(self) -> int:
        """Return the number of keys in the selected database.

        >>> db.mset({"a": 1, "b": 2}), db.dbsize()
        (OK, 2)
        """
        return len(self.space.values)

    @command(
        "FLUSHDB [ASYNC | SYNC]",
        "write",
        since="1.0.0",
        complexity="O(n) for n keys",
        names={"ASYNC": "asynchronous"},
        once=True,
        categories="keyspace dangerous",
    )
    def flushdb(self, asynchronous: bool = False, sync: bool = False) -> Status:
        """Delete all keys of the selected database.

        asynchronous, sync: accepted for compatibility, without effect. Returns OK.

        >>> db.set("a", 1), db.flushdb(), db.dbsize()
        (OK, OK, 0)
        """
        self.space.clear()
        return OK

    @command(
        "FLUSHALL [ASYNC | SYNC]",
        "write",
        since="1.0.0",
        complexity="O(n) for n keys",
        names={"ASYNC": "asynchronous"},
        once=True,
        categories="keyspace dangerous",
    )
    def flushall(self, asynchronous: bool = False, sync: bool = False) -> Status:
        """Delete all keys of all databases.

        asynchronous, sync: accepted for compatibility, without effect. Returns OK.

        >>> db.set("a", 1), db.flushall(), db.dbsize()
        (OK, OK, 0)
        """
        for space in self.engine.databases:
            space.clear()
        return OK

    @command(
        "SWAPDB index1 index2",
        "write fast",
        since="4.0.0",
        complexity="O(1)",
        kinds={"index1": RAW, "index2": RAW},
        categories="keyspace dangerous",
    )
    def swapdb(self, index1: Integer, index2: Integer) -> Status:
        """Exchange the contents of two databases; all sessions see it at once.

        Returns OK. Raises ResponseError if there is no such database.

        >>> db.set("a", 1), db.swapdb(0, 1), db.exists("a"), db.session(1).get("a")
        (OK, OK, 0, b'1')
        """
        databases = self.engine.databases
        numbers = [
            _database_number(index, f"invalid {which} DB index")
            for index, which in ((index1, "first"), (index2, "second"))
        ]
        if not all(0 <= number < len(databases) for number in numbers):
            raise errors.error(errors.DB_OUT_OF_RANGE)
        one, two = (databases[number] for number in numbers)
        if one is two:
            return OK
        first, second = one.contents(), two.contents()
        one.announce_replacement(EXCHANGED, two)
        two.announce_replacement(EXCHANGED, one)
        self.unit.on_rollback(one.set_contents, first)
        self.unit.on_rollback(two.set_contents, second)
        self.unit.dirty += 1
        one.set_contents(second)
        two.set_contents(first)
        return OK

    @command("TIME", "loading stale fast", since="2.6.0", complexity="O(1)")
    def time(self) -> list[T]:
        """Return the current time as [Unix time in seconds, microseconds of this second].

        >>> minidis.open(clock=minidis.ManualClock(1_700_000_000.25)).time()
        [b'1700000000', b'250000']
        """
        reply: Any = [b"%d" % part for part in divmod(self.engine.clock.now_us(), 1_000_000)]
        return reply

    @command(
        "CONFIG GET parameter [parameter ...]",
        "admin noscript loading stale",
        since="2.0.0",
        complexity="O(n) for n parameters",
        empty=True,
    )
    def config_get(self, *parameters: Many) -> dict[T, T]:
        """Return the names and values of configuration parameters as a dict.

        parameters: names or glob patterns; without any, all parameters are returned.

        >>> db.config_get("hash-max-listpack-*")
        {b'hash-max-listpack-entries': b'512', b'hash-max-listpack-value': b'64'}
        """
        patterns: Any = parameters or [b"*"]
        reply: Any = get_parameters(self.engine, patterns)
        return reply

    @command(
        "CONFIG SET parameter value [parameter value ...]",
        "admin noscript loading stale",
        since="2.0.0",
        complexity="O(n) for n parameters",
        names={"parameter": "mapping"},
        uneven_error=errors.SYNTAX,
        extra="name value",
        secret=password_settings,
    )
    def config_set(
        self,
        name: Value | None = None,
        value: Value | None = None,
        mapping: dict[str, Value] | None = None,
    ) -> Status:
        """Set configuration parameters.

        Takes one parameter, config_set(name, value), or several, config_set(mapping={...}). Either
        all are set or none.

        Returns OK. Raises ResponseError if a parameter does not exist or cannot be set, or if a
        value is invalid.

        >>> db.config_set("hash-max-listpack-entries", 64)
        OK
        """
        pairs: list[Any] = list(mapping or [])
        if name is not None and value is not None:
            pairs.insert(0, (encode(name), encode(value)))
        if not pairs:
            raise errors.wrong_arity("config|set")
        set_parameters(self.engine, pairs)
        return OK

    @command(
        "CONFIG RESETSTAT",
        "admin noscript loading stale",
        since="2.0.0",
        complexity="O(1)",
    )
    def config_resetstat(self) -> Status:
        """Set the counters of hits, misses and expired keys that INFO shows to 0.

        >>> db.config_resetstat()
        OK
        """
        for space in self.engine.databases:
            space.reset_statistics()
        return OK

    @command("CONFIG HELP", "loading stale", since="5.0.0", complexity="O(1)")
    def config_help(self) -> list[Status]:
        """Return the help text of CONFIG as a list of lines.

        >>> db.config_help()[1]
        GET <pattern> [<pattern> ...]
        """
        return [Status(line) for line in CONFIG_HELP]

    @command(
        "SAVE",
        "admin noscript no_async_loading no_multi",
        since="1.0.0",
        complexity="O(n) for n keys",
        slow=True,
    )
    def save(self) -> Status:
        """Write a snapshot of all databases to the RDB file.

        The file is replaced atomically. Returns OK. Raises ResponseError if the database is in
        memory, FileError if the file cannot be written; the old file then remains.
        >>> db.save()
        Traceback (most recent call last):
        ...
        minidis.errors.ResponseError: ERR ...
        """
        self.engine.save()
        return OK

    @command(
        "LASTSAVE",
        "loading stale fast",
        since="1.0.0",
        complexity="O(1)",
        categories="admin dangerous",
    )
    def lastsave(self) -> int:
        """Return the time of the last snapshot as Unix time in seconds.

        Before the first one it is the time when the database was opened.

        >>> minidis.open(clock=minidis.ManualClock(1_700_000_000)).lastsave()
        1700000000
        """
        return self.engine.store.saved_at


def _database_number(value: Any, message: str) -> int:
    """Convert a database number; `message` is the error if it is invalid."""
    try:
        number = integer(value)
    except errors.ResponseError:
        raise errors.error(message) from None
    if not -(2**31) <= number < 2**31:
        raise errors.error(message)
    return number
