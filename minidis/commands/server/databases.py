"""Server commands: whole databases, time, configuration, saving."""

from __future__ import annotations

from typing import Any

from minidis import errors
from minidis.commands.shared.group import Group, T
from minidis.engine.config import get_parameters, set_parameters
from minidis.grammar.command import declarations
from minidis.grammar.facts import password_settings
from minidis.grammar.kinds import RAW, Integer, Many, Value, encode, integer
from minidis.replies import OK, Status

command = declarations(group="server", parent="CONFIG")

CONFIG_HELP = (
    "CONFIG <subcommand> [<arg> ...]. Subcommands are:",
    "GET <pattern> [<pattern> ...]",
    "    Names and values of the parameters that match.",
    "SET <parameter> <value> [<parameter> <value> ...]",
    "    Change parameters; all of them or none.",
    "RESETSTAT",
    "    Set the counters of hits, misses and expired keys to 0.",
    "HELP",
    "    This text.",
)


class Server(Group[T]):
    """DBSIZE, FLUSHALL, SWAPDB, TIME, CONFIG, SAVE."""

    @command("DBSIZE", "readonly fast", since="1.0.0", complexity="O(1)", categories="keyspace")
    def dbsize(self) -> int:
        """Number of keys in the selected database.

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

        `asynchronous` and `sync` are accepted as in Redis; the memory is free when nobody uses it.

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
        """Exchange the contents of two databases; every session sees it at once.

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
        engine = self.engine
        engine.before_replacing(one, two)
        engine.before_replacing(two, one)
        engine.undo += [(one.set_contents, first), (two.set_contents, second)]
        engine.unsettled = True
        one.dirty += 1
        one.set_contents(second)
        two.set_contents(first)
        return OK

    @command("TIME", "loading stale fast", since="2.6.0", complexity="O(1)")
    def time(self) -> list[T]:
        """The clock: seconds since 1970 and the microseconds of the current second.

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
        """Values of the parameters that match any of the glob patterns; of all without any.

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
        """Set one parameter, `config_set(name, value)`, or several with `mapping`; all or none.

        ResponseError for an unknown parameter, one that cannot be set, or a value it refuses.

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
        """Set the counters of hits, misses and expired keys to 0.

        >>> db.config_resetstat()
        OK
        """
        self.engine.expired_keys = 0
        for space in self.engine.databases:
            space.hits = space.misses = 0
        return OK

    @command("CONFIG HELP", "loading stale", since="5.0.0", complexity="O(1)")
    def config_help(self) -> list[Status]:
        """The subcommands of CONFIG.

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
        """Write all databases to the dump: to a temporary file, then renamed over the old one.

        ResponseError for a database in memory; FileError when the file cannot be written, and then
        the old file is untouched.

        >>> db.save()
        Traceback (most recent call last):
        ...
        minidis.errors.ResponseError: ERR this database lives in memory only; open a directory or \
an .rdb file to save
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
        """When the dump was last written: seconds since 1970; before that, when it was opened.

        >>> minidis.open(clock=minidis.ManualClock(1_700_000_000)).lastsave()
        1700000000
        """
        return self.engine.saved_at


def _database_number(value: Any, message: str) -> int:
    try:
        number = integer(value)
    except errors.ResponseError:
        raise errors.error(message) from None
    if not -(2**31) <= number < 2**31:
        raise errors.error(message)
    return number
