"""Commands for keys of any type: delete, rename, copy, expire, walk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from minidis import errors
from minidis.commands.shared.cursors import STEP, STEP_SIZE, every
from minidis.commands.shared.expiry_options import EXPIRY_KINDS, Moment, Span, milliseconds
from minidis.commands.shared.group import Group, T
from minidis.grammar.command import declarations
from minidis.grammar.kinds import I64_MAX, I64_MIN, Integer, Key, Kind, Many, Value, integer
from minidis.keyspace.keyspace import TYPE_NAMES, Keyspace, no_such_key, type_name
from minidis.replies import OK, Cursor, Status
from minidis.structures.glob import compile_pattern

command = declarations(group="generic")

_CONDITIONS = "[NX | XX | GT | LT]"
_UNKNOWN_CONDITION = "Unsupported option {}"
_INT_MAX = 2**31 - 1


def _small_integer(value: Any) -> int:
    """An integer of 32 bits: a database number before its range is known."""
    number = integer(value)
    if not -_INT_MAX - 1 <= number <= _INT_MAX:
        raise errors.error(
            f"value is out of range, value must between {-_INT_MAX - 1} and {_INT_MAX}"
        )
    return number


class Keys(Group[T]):
    """DEL, EXISTS, EXPIRE, RENAME, SCAN and the like."""

    # presence ----------------------------------------------------------------------------------

    @command(
        "DEL key [key ...]",
        "write",
        since="1.0.0",
        complexity="O(n) for n keys",
        access="RM DELETE",
    )
    def delete(self, *keys: Many) -> int:
        """Delete `keys`, whatever they hold; how many of them existed.

        >>> db.mset({"a": 1, "b": 2}), db.delete("a", "b", "c")
        (OK, 2)
        """
        return sum(map(self._delete, keys))

    @command(
        "UNLINK key [key ...]",
        "write fast",
        since="4.0.0",
        complexity="O(n) for n keys",
        access="RM DELETE",
    )
    def unlink(self, *keys: Many) -> int:
        """The same as DEL; how many of `keys` existed.

        >>> db.set("a", 1), db.unlink("a", "b")
        (OK, 1)
        """
        return sum(map(self._delete, keys))

    def _delete(self, key: Any) -> bool:
        space = self.space
        if space.find(key) is None:
            return False
        space.changed(key, "del")
        return space.remove(key)

    @command(
        "EXISTS key [key ...]",
        "readonly fast",
        since="1.0.0",
        complexity="O(n) for n keys",
        access="RO",
    )
    def exists(self, *keys: Many) -> int:
        """How many of `keys` exist; a key given twice counts twice.

        >>> db.set("a", 1), db.exists("a", "b"), db.exists("a", "a")
        (OK, 1, 2)
        """
        peek: Any = self.space.peek
        return sum([peek(key) is not None for key in keys])

    @command(
        "TOUCH key [key ...]",
        "readonly fast",
        since="3.2.1",
        complexity="O(n) for n keys",
        access="RO",
        counts_as_use=True,
    )
    def touch(self, *keys: Many) -> int:
        """Count `keys` as used now (see OBJECT IDLETIME); how many of them exist.

        >>> db.set("a", 1), db.touch("a", "b")
        (OK, 1)
        """
        lookup: Any = self.space.lookup
        return sum([lookup(key) is not None for key in keys])

    @command(
        "TYPE key",
        "readonly fast",
        since="1.0.0",
        complexity="O(1)",
        access="RO",
    )
    def type(self, key: Key) -> Status:
        """What `key` holds: string, list, set, zset, hash, or none when it is missing.

        >>> db.rpush("row", 1), db.type("row"), db.type("nothing")
        (1, list, none)
        """
        held: Any = key
        value = self.space.peek(held)
        return Status("none" if value is None else type_name(value))

    # moving ------------------------------------------------------------------------------------

    @command(
        "RENAME key newkey",
        "write",
        since="1.0.0",
        complexity="O(1)",
        access="RW ACCESS DELETE | OW UPDATE",
    )
    def rename(self, key: Key, newkey: Key) -> Status:
        """Give `key` the name `newkey`, expiry included; what was at `newkey` is gone.

        ResponseError when `key` is missing.

        >>> db.set("old", 1), db.rename("old", "new"), db.get("new")
        (OK, OK, b'1')
        """
        self._rename(key, newkey, True)
        return OK

    @command(
        "RENAMENX key newkey",
        "write fast",
        since="1.0.0",
        complexity="O(1)",
        access="RW ACCESS DELETE | OW INSERT",
    )
    def renamenx(self, key: Key, newkey: Key) -> int:
        """RENAME if `newkey` does not exist: 1 if it did, 0 if not.

        >>> db.mset({"a": 1, "b": 2}), db.renamenx("a", "b"), db.renamenx("a", "c")
        (OK, 0, 1)
        """
        return self._rename(key, newkey, False)

    def _rename(self, key: Any, newkey: Any, replace: bool) -> int:
        space = self.space
        value = self._use(key)
        if value is None:
            raise no_such_key()
        if key == newkey or (self._use(newkey) is not None and not replace):
            return 0
        deadline = space.deadlines.get(key)
        space.changed(key, "rename_from")
        space.changed(newkey, "rename_to", 0)
        space.remove(key)
        space.remove(newkey)  # and so a new key comes to be, for those who listen
        space.put(newkey, value, deadline)
        return 1

    @command(
        "COPY source destination [DB destination-db] [REPLACE]",
        "write denyoom",
        since="6.2.0",
        complexity="O(n) for n elements",
        access="RO ACCESS | OW UPDATE",
        names={"DB": "destination_db"},
        kinds={"destination-db": Kind(_small_integer, "", "number of the database to copy to")},
        deferred_errors=True,
    )
    def copy(
        self,
        source: Key,
        destination: Key,
        destination_db: Integer | None = None,
        replace: bool = False,
        _option_error: errors.ResponseError | None = None,
    ) -> int:
        """Store a copy of `source`, with its expiry, at `destination`: 1 if it did, 0 if not.

        `destination_db` is the number of another database; `replace` overwrites a `destination`
        that exists. 0 when `source` is missing, or `destination` exists and is not to be replaced.

        >>> db.rpush("row", 1, 2), db.copy("row", "twin"), db.lrange("twin", 0, -1)
        (2, 1, [b'1', b'2'])
        """
        space, key = self.space, destination
        target = space if destination_db is None else self._database(destination_db)
        if _option_error is not None:  # found in the words after the number of the database
            raise _option_error
        if target is space and source == key:
            raise errors.error(errors.SAME_OBJECT)
        value = space.lookup(source)  # type: ignore[arg-type]
        if value is None or (target.find(key) is not None and not replace):  # type: ignore[arg-type]
            return 0
        deadlines: Any = space.deadlines
        target.changed(key, "copy_to")
        target.remove(key)
        target.put(key, _twin(value), deadlines.get(source))
        return 1

    @command(
        "MOVE key db",
        "write fast",
        since="1.0.0",
        complexity="O(1)",
        access="RW ACCESS UPDATE",
    )
    def move(self, key: Key, db: Integer) -> int:
        """Move `key` to the database with number `db`: 1 if it did.

        0 when the key is missing here or exists there; ResponseError when `db` is this database.

        >>> db.set("a", 1), db.move("a", 1), db.exists("a"), db.session(1).get("a")
        (OK, 1, 0, b'1')
        """
        space, target = self.space, self._database(_small_integer(db))
        if target is space:
            raise errors.error(errors.SAME_OBJECT)
        value = self._use(key)
        if value is None or target.find(key) is not None:  # type: ignore[arg-type]
            return 0
        deadlines: Any = space.deadlines
        deadline = deadlines.get(key)
        space.changed(key, "move_from")
        target.changed(key, "move_to", 0)
        space.remove(key)
        target.put(key, value, deadline)
        return 1

    def _database(self, number: Any) -> Keyspace:
        databases = self.engine.databases
        if not 0 <= number < len(databases):
            raise errors.error(errors.DB_OUT_OF_RANGE)
        return databases[number]

    def _use(self, key: Any) -> Any:
        """The value of any type, in order to change something about the key."""
        value = self.space.find(key)
        accessed = self.space.accessed
        if accessed is not None and value is not None:
            accessed[key] = self.engine.now() // 1000
        return value

    # expiry ------------------------------------------------------------------------------------

    @command(
        f"EXPIRE key seconds {_CONDITIONS}",
        "write fast",
        since="1.0.0",
        complexity="O(1)",
        access="RW UPDATE",
        names={"seconds": "time"},
        kinds=EXPIRY_KINDS,
        unknown_error=_UNKNOWN_CONDITION,
        allow_conflicts=True,
    )
    def expire(
        self,
        key: Key,
        time: Span,
        nx: bool = False,
        xx: bool = False,
        gt: bool = False,
        lt: bool = False,
    ) -> int:
        """Let `key` expire after `time`, seconds or a timedelta: 1 if it will, 0 if not.

        `nx`: only if it has no expiry, `xx`: only if it has one, `gt`: only if the new one is
        later, `lt`: only if it is earlier (no expiry counts as never). 0 when the key is missing or
        the condition is not met. With no time left the key is deleted at once.

        >>> db.set("code", 1), db.expire("code", 60), db.expire("code", 30, gt=True)
        (OK, 1, 0)
        """
        return self._expire("expire", key, time, 1000, True, (nx, xx, gt, lt))

    @command(
        f"PEXPIRE key milliseconds {_CONDITIONS}",
        "write fast",
        since="2.6.0",
        complexity="O(1)",
        access="RW UPDATE",
        names={"milliseconds": "time"},
        kinds=EXPIRY_KINDS,
        unknown_error=_UNKNOWN_CONDITION,
        allow_conflicts=True,
    )
    def pexpire(
        self,
        key: Key,
        time: Span,
        nx: bool = False,
        xx: bool = False,
        gt: bool = False,
        lt: bool = False,
    ) -> int:
        """Let `key` expire after `time`, milliseconds or a timedelta; the rest as EXPIRE.

        >>> db.set("code", 1), db.pexpire("code", 60000), db.ttl("code")
        (OK, 1, 60)
        """
        return self._expire("pexpire", key, time, 1, True, (nx, xx, gt, lt))

    @command(
        f"EXPIREAT key unix-time-seconds {_CONDITIONS}",
        "write fast",
        since="1.2.0",
        complexity="O(1)",
        access="RW UPDATE",
        names={"unix-time-seconds": "when"},
        kinds=EXPIRY_KINDS,
        unknown_error=_UNKNOWN_CONDITION,
        allow_conflicts=True,
    )
    def expireat(
        self,
        key: Key,
        when: Moment,
        nx: bool = False,
        xx: bool = False,
        gt: bool = False,
        lt: bool = False,
    ) -> int:
        """Let `key` expire at `when`, seconds since 1970 or a datetime; the rest as EXPIRE.

        >>> db.set("code", 1), db.expireat("code", 1), db.exists("code")
        (OK, 1, 0)
        """
        return self._expire("expireat", key, when, 1000, False, (nx, xx, gt, lt))

    @command(
        f"PEXPIREAT key unix-time-milliseconds {_CONDITIONS}",
        "write fast",
        since="2.6.0",
        complexity="O(1)",
        access="RW UPDATE",
        names={"unix-time-milliseconds": "when"},
        kinds=EXPIRY_KINDS,
        unknown_error=_UNKNOWN_CONDITION,
        allow_conflicts=True,
    )
    def pexpireat(
        self,
        key: Key,
        when: Moment,
        nx: bool = False,
        xx: bool = False,
        gt: bool = False,
        lt: bool = False,
    ) -> int:
        """Let `key` expire at `when`, milliseconds since 1970 or a datetime; the rest as EXPIRE.

        >>> db.set("code", 1), db.pexpireat("code", 4102444800000), db.expiretime("code")
        (OK, 1, 4102444800)
        """
        return self._expire("pexpireat", key, when, 1, False, (nx, xx, gt, lt))

    def _expire(
        self,
        command: str,
        key: Any,
        time: Any,
        unit: int,
        relative: bool,
        conditions: tuple[bool, bool, bool, bool],
    ) -> int:
        """The body of the four: conditions first, then the number, then the key."""
        nx, xx, gt, lt = conditions
        if nx and (xx or gt or lt):
            raise errors.error("NX and XX, GT or LT options at the same time are not compatible")
        if gt and lt:
            raise errors.error("GT and LT options at the same time are not compatible")
        least = I64_MIN if unit == 1 else -(I64_MAX // unit)
        now = self.engine.now()
        deadline = milliseconds(time, unit, now if relative else 0, command, least=least)
        if self._use(key) is None:
            return 0
        space = self.space
        current = space.deadlines.get(key)
        refused = xx or gt if current is None else nx
        if current is not None:
            refused = refused or (gt and deadline <= current) or (lt and deadline >= current)
        if refused:
            return 0
        if deadline <= now:
            return int(self._delete(key))
        space.changed(key, "expire")
        space.set_deadline(key, deadline)
        return 1

    @command(
        "PERSIST key",
        "write fast",
        since="2.2.0",
        complexity="O(1)",
        access="RW UPDATE",
    )
    def persist(self, key: Key) -> int:
        """Take the expiry of `key` away: 1 if it had one, else 0.

        >>> db.set("code", 1, ex=60), db.persist("code"), db.ttl("code")
        (OK, 1, -1)
        """
        held: Any = key
        if self._use(held) is None or held not in self.space.deadlines:
            return 0
        self.space.changed(held, "persist")
        self.space.set_deadline(held, None)
        return 1

    @command(
        "TTL key",
        "readonly fast",
        since="1.0.0",
        complexity="O(1)",
        access="RO ACCESS",
    )
    def ttl(self, key: Key) -> int:
        """Seconds until `key` expires, rounded; -1 if it does not, -2 when it is missing.

        >>> db.set("code", 1, ex=60), db.ttl("code"), db.ttl("nothing")
        (OK, 60, -2)
        """
        return self._time_of(key, 1000, True)

    @command(
        "PTTL key",
        "readonly fast",
        since="2.6.0",
        complexity="O(1)",
        access="RO ACCESS",
    )
    def pttl(self, key: Key) -> int:
        """Milliseconds until `key` expires; -1 if it does not, -2 when it is missing.

        >>> db.set("code", 1), db.pttl("code")
        (OK, -1)
        """
        return self._time_of(key, 1, True)

    @command(
        "EXPIRETIME key",
        "readonly fast",
        since="7.0.0",
        complexity="O(1)",
        access="RO ACCESS",
    )
    def expiretime(self, key: Key) -> int:
        """When `key` expires, in seconds since 1970; -1 if it does not, -2 when it is missing.

        >>> db.set("code", 1, exat=4102444800), db.expiretime("code")
        (OK, 4102444800)
        """
        return self._time_of(key, 1000, False)

    @command(
        "PEXPIRETIME key",
        "readonly fast",
        since="7.0.0",
        complexity="O(1)",
        access="RO ACCESS",
    )
    def pexpiretime(self, key: Key) -> int:
        """When `key` expires, in milliseconds since 1970; -1 if it does not, -2 when missing.

        >>> db.set("code", 1, exat=4102444800), db.pexpiretime("code")
        (OK, 4102444800000)
        """
        return self._time_of(key, 1, False)

    def _time_of(self, key: Any, unit: int, relative: bool) -> int:
        """The body of the four questions."""
        if self.space.peek(key) is None:
            return -2
        deadline = self.space.deadlines.get(key)
        if deadline is None:
            return -1
        if relative:
            deadline = max(deadline - self.engine.now(), 0)
        return (deadline + unit // 2) // unit

    # all keys ----------------------------------------------------------------------------------

    @command(
        "KEYS pattern",
        "readonly",
        since="1.0.0",
        complexity="O(n) for n keys in the database",
        categories="keyspace dangerous",
    )
    def keys(self, pattern: Value = "*") -> list[T]:
        """All keys that match a glob pattern, in no particular order.

        `*` any bytes, `?` one byte, `[abc]`, `[a-c]`, `[^a]` one of (none of) them. It looks at
        every key: `scan_iter` does so in small steps.

        >>> db.mset({"user:1": "ann", "user:2": "bob", "x": 1}), sorted(db.keys("user:*"))
        (OK, [b'user:1', b'user:2'])
        """
        glob: Any = pattern
        match, space = compile_pattern(glob), self.space
        found: Any = list(filter(match, space.values))
        if space.deadlines:
            now, deadlines = self.engine.now(), space.deadlines
            found = [key for key in found if deadlines.get(key, now) >= now]
        return found

    @command(
        "SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]",
        "readonly",
        since="2.8.0",
        complexity="O(1) for each call, O(n) for a whole walk over n keys",
        names={"TYPE": "_type"},
        kinds={"count": STEP_SIZE},
    )
    def scan(
        self,
        cursor: Integer = 0,
        match: Value | None = None,
        count: Integer | None = None,
        _type: Value | None = None,
    ) -> list[Any]:
        """A step of a walk over all keys: [next cursor, some keys]; cursor 0 begins and ends it.

        `match` is a glob pattern, `_type` the name of a type, `count` how many keys to look at
        (10). A key that is there all the time comes at least once, whatever happens in between.
        See `scan_iter` for the whole walk.

        >>> db.mset({"a": 1, "b": 2}), db.scan(0, match="a*")
        (OK, [0, [b'a']])
        """
        walk: Any = (cursor, STEP if count is None else count)
        space = self.space
        following, found = space.keys_index().scan(*walk)
        if match is not None:
            glob: Any = match
            found = list(filter(compile_pattern(glob), found))
        # Keys that expire here leave holes above the cursor only: see structures/index.py.
        values = [(key, space.find(key)) for key in found]
        wanted: Any = None if _type is None else _type.lower().decode("latin-1")  # type: ignore[union-attr]
        left = [
            key
            for key, value in values
            if value is not None and (wanted is None or type_name(value) == wanted)
        ]
        return [Cursor(following), left]

    def scan_iter(
        self,
        match: Value | None = None,
        count: Integer | None = None,
        _type: Value | None = None,
    ) -> Iterator[T]:
        """Every key, in small steps between which other threads get their turn (see SCAN).

        >>> db.mset({"a": 1, "b": 2}), sorted(db.scan_iter())
        (OK, [b'a', b'b'])
        """
        return every(lambda cursor: self.scan(cursor, match, count, _type))

    @command("RANDOMKEY", "readonly", since="1.0.0", complexity="O(1)")
    def randomkey(self) -> T | None:
        """Any key of the database, each with the same probability; None when there is none.

        >>> db.set("only", 1), db.randomkey()
        (OK, b'only')
        """
        space = self.space
        index = space.keys_index()
        reply: Any = None
        while reply is None and len(index):
            key = index.choice(self.engine.randbelow)
            reply = key if space.find(key) is not None else None
        return reply


def _twin(value: Any) -> Any:
    """A value that does not change when the given one does."""
    kind = value.__class__
    return value.copy() if kind in TYPE_NAMES or kind is bytearray else value
