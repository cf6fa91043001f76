"""Commands on keys of any type: delete, rename, copy, expire, scan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from minidis import errors
from minidis.commands.shared.cursors import STEP, STEP_SIZE, every
from minidis.commands.shared.expiry_options import (
    EXPIRY_KINDS,
    MOST_SECONDS,  # noqa: F401
    Moment,
    Span,
    milliseconds,
)
from minidis.commands.shared.group import Group, T
from minidis.grammar.command import Shortcut, declarations
from minidis.grammar.kinds import I64_MAX, I64_MIN, Integer, Key, Kind, Many, Value, integer
from minidis.keyspace.keyspace import Keyspace, no_such_key
from minidis.replies import OK, Cursor, Status
from minidis.structures.glob import compile_pattern
from minidis.structures.types import is_collection, type_name

command = declarations(group="generic")

_CONDITIONS = "[NX | XX | GT | LT]"
_UNKNOWN_CONDITION = "Unsupported option {}"
#: The earliest time in seconds that is still a time in milliseconds.
_LEAST_SECONDS = -(I64_MAX // 1000)
_INT_MAX = 2**31 - 1


def _small_integer(value: Any) -> int:
    """Convert a database number, a 32-bit integer; its range is checked later."""
    number = integer(value)
    if not -_INT_MAX - 1 <= number <= _INT_MAX:
        raise errors.error(
            f"value is out of range, value must between {-_INT_MAX - 1} and {_INT_MAX}"
        )
    return number


_EXISTS_UNLOCKED = """
if len(keys) == 1 and keys[0] not in space.deadlines and keys[0] in space.values:
    reply = 1
"""
_TYPE_UNLOCKED = """
if key not in space.deadlines:
    value = space.values.get(key)
    if value is not None:
        reply = Status(type_name(value))
"""
# SET EX stores a value and its deadline at once, perhaps after the first look at the deadlines.
_TTL_UNLOCKED = """
deadline = space.deadlines.get(key)
if deadline is None:
    if key in space.values and key not in space.deadlines:
        reply = -1
else:
    now = unit.clock.now()
    if now <= deadline:
        reply = (deadline - now + 500) // 1000
"""


# One step, unless an observer cares for the key.
_DIRECT_EXPIRE = """
space = self.space
if (
    time.__class__ is int
    and 0 < time < MOST_SECONDS
    and key in space.values
    and space.direct_overwrite
    and not (unit.interest and key in unit.interest)
):
    now = unit.clock.now()
    if now <= space.deadlines.get(key, now):
        deadline = now + time * 1000
        space.schedule_expiry(key, deadline)
        unit.dirty += 1
        space.deadlines[key] = deadline
        return 1
"""


class Keys(Group[T]):
    """Commands on keys of any type: DEL, EXISTS, EXPIRE, RENAME, SCAN and others."""

    # existence ---------------------------------------------------------------------------------

    @command(
        "DEL key [key ...]",
        "write",
        since="1.0.0",
        complexity="O(n) for n keys",
        access="RM DELETE",
    )
    def delete(self, *keys: Many) -> int:
        """Delete `keys`, whatever type they hold.

        Returns the number of keys that existed.

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
        """Delete `keys`, whatever type they hold; the same as DEL.

        Returns the number of keys that existed.

        >>> db.set("a", 1), db.unlink("a", "b")
        (OK, 1)
        """
        return sum(map(self._delete, keys))

    def _delete(self, key: Any) -> bool:
        """Delete one key; return whether it existed."""
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
        unlocked=_EXISTS_UNLOCKED,
    )
    def exists(self, *keys: Many) -> int:
        """Return the number of `keys` that exist.

        A key given twice is counted twice.

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
        """Set the last access time of `keys` to now (see OBJECT IDLETIME).

        Returns the number of keys that exist.

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
        unlocked=_TYPE_UNLOCKED,
    )
    def type(self, key: Key) -> Status:
        """Return the name of the type that `key` holds.

        Returns string, list, set, zset, hash or stream (a str), or none if the key does not exist.

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
        """Rename `key` to `newkey`, keeping its expiry and replacing an existing `newkey`.

        Returns OK. Raises ResponseError if `key` does not exist.

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
        """Rename `key` to `newkey`, only if `newkey` does not exist.

        Returns 1 if the key was renamed, 0 if not. Raises ResponseError if `key` does not exist.

        >>> db.mset({"a": 1, "b": 2}), db.renamenx("a", "b"), db.renamenx("a", "c")
        (OK, 0, 1)
        """
        return self._rename(key, newkey, False)

    def _rename(self, key: Any, newkey: Any, replace: bool) -> int:
        """Run RENAME and RENAMENX; return 1 if the key was renamed, 0 if not."""
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
        space.remove(newkey)  # so that put() announces a new key to the observers
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
        """Copy the value and expiry of key `source` to key `destination`.

        destination_db: number of the target database (default: the selected one).
        replace: overwrite an existing `destination`.

        Returns 1 if the key was copied; 0 if `source` does not exist, or `destination` does and
        `replace` is not given. Raises ResponseError if both keys are the same or there is no such
        database.

        >>> db.rpush("row", 1, 2), db.copy("row", "twin"), db.lrange("twin", 0, -1)
        (2, 1, [b'1', b'2'])
        """
        space, key = self.space, destination
        target = space if destination_db is None else self._database(destination_db)
        if _option_error is not None:  # from an argument after the database number
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
        """Move `key` from the selected database to the database with number `db`.

        Returns 1 if the key was moved; 0 if it does not exist here or already exists there. Raises
        ResponseError if `db` is the selected database or does not exist.

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
        """Return the keyspace with this number, or raise ResponseError."""
        databases = self.engine.databases
        if not 0 <= number < len(databases):
            raise errors.error(errors.DB_OUT_OF_RANGE)
        return databases[number]

    def _use(self, key: Any) -> Any:
        """Return the value of any type and record an access to the key."""
        value = self.space.find(key)
        accessed = self.space.accessed
        if accessed is not None and value is not None:
            accessed[key] = self.unit.now() // 1000
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
        shortcuts=(Shortcut("key time", None, _DIRECT_EXPIRE),),
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
        """Let `key` expire after `time` seconds (or a timedelta).

        nx: only if the key has no expiry. xx: only if it has one. gt: only if the new expiry is
        later than the current one. lt: only if it is earlier; no expiry counts as infinite.

        Returns 1 if the expiry was set, 0 if the key does not exist or the condition is not met.
        Deletes the key if `time` is not positive. Raises ResponseError if conditions conflict.

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
        """Let `key` expire after `time` milliseconds (or a timedelta).

        Options, return value and errors are those of EXPIRE.

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
        """Let `key` expire at `when`, a Unix time in seconds (or a datetime).

        Options, return value and errors are those of EXPIRE. A time in the past deletes the key.

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
        """Let `key` expire at `when`, a Unix time in milliseconds (or a datetime).

        Options, return value and errors are those of EXPIRE. A time in the past deletes the key.

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
        """Run the EXPIRE family, checking as Redis does: the conditions, the time, then the key."""
        nx, xx, gt, lt = conditions
        if nx and (xx or gt or lt):
            raise errors.error("NX and XX, GT or LT options at the same time are not compatible")
        if gt and lt:
            raise errors.error("GT and LT options at the same time are not compatible")
        least = I64_MIN if unit == 1 else _LEAST_SECONDS
        now = self.unit.now()
        deadline = milliseconds(time, unit, now if relative else 0, command, least=least)
        if self._use(key) is None:
            return 0
        space = self.space
        current = space.deadlines.get(key)
        unmet = xx or gt if current is None else nx
        if current is not None:
            unmet = unmet or (gt and deadline <= current) or (lt and deadline >= current)
        if unmet:
            return 0
        if deadline <= now:
            self._effect("DEL", key)
            return int(self._delete(key))
        space.changed(key, "expire")
        space.set_deadline(key, deadline)
        self._effect("PEXPIREAT", key, deadline)
        return 1

    @command(
        "PERSIST key",
        "write fast",
        since="2.2.0",
        complexity="O(1)",
        access="RW UPDATE",
    )
    def persist(self, key: Key) -> int:
        """Remove the expiry of `key`.

        Returns 1 if the expiry was removed, 0 if the key has none or does not exist.

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
        unlocked=_TTL_UNLOCKED,
    )
    def ttl(self, key: Key) -> int:
        """Return the number of seconds until `key` expires, rounded.

        Returns -1 if the key has no expiry, -2 if it does not exist.

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
        """Return the number of milliseconds until `key` expires.

        Returns -1 if the key has no expiry, -2 if it does not exist.

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
        """Return the Unix time in seconds at which `key` expires.

        Returns -1 if the key has no expiry, -2 if it does not exist.

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
        """Return the Unix time in milliseconds at which `key` expires.

        Returns -1 if the key has no expiry, -2 if it does not exist.

        >>> db.set("code", 1, exat=4102444800), db.pexpiretime("code")
        (OK, 4102444800000)
        """
        return self._time_of(key, 1, False)

    def _time_of(self, key: Any, unit: int, relative: bool) -> int:
        """Run TTL, PTTL, EXPIRETIME and PEXPIRETIME."""
        if self.space.peek(key) is None:
            return -2
        deadline = self.space.deadlines.get(key)
        if deadline is None:
            return -1
        if relative:
            deadline = max(deadline - self.unit.now(), 0)
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
        """Return all keys that match the glob `pattern`, in no particular order.

        `*` matches any bytes, `?` one byte, `[abc]` or `[a-c]` one of these bytes, `[^a]` any other
        byte. The call examines all keys in one step; `scan_iter` uses many short ones.

        >>> db.mset({"user:1": "ann", "user:2": "bob", "x": 1}), sorted(db.keys("user:*"))
        (OK, [b'user:1', b'user:2'])
        """
        glob: Any = pattern
        match, space = compile_pattern(glob), self.space
        found: Any = list(filter(match, space.values))
        if space.deadlines:
            now, deadlines = self.unit.now(), space.deadlines
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
        """Return one step of an iteration over all keys of the database.

        cursor: 0 for the first step, then the cursor that the previous step returned. match: glob
        pattern. count: number of keys to examine (default 10). _type: only keys of the type with
        this name.

        Returns [next cursor, keys]; cursor 0 ends the iteration. A key that exists during the whole
        iteration is returned at least once. `scan_iter` runs all steps.

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
        """Iterate over the keys of the database.

        match, count, _type: as for SCAN. Each step is one SCAN call, and other threads can run
        commands between the steps.

        >>> db.mset({"a": 1, "b": 2}), sorted(db.scan_iter())
        (OK, [b'a', b'b'])
        """
        return every(lambda cursor: self.scan(cursor, match, count, _type))

    @command("RANDOMKEY", "readonly", since="1.0.0", complexity="O(1)")
    def randomkey(self) -> T | None:
        """Return a random key of the database; all keys are equally likely.

        Returns None if the database is empty.

        >>> db.set("only", 1), db.randomkey()
        (OK, b'only')
        """
        space = self.space
        index = space.keys_index()
        reply: Any = None
        while reply is None and len(index):
            key = index.choice(self.engine.settings.randbelow)
            reply = key if space.find(key) is not None else None
        return reply


def _twin(value: Any) -> Any:
    """Return a copy of a mutable value, and an immutable value itself."""
    return value.copy() if is_collection(value) or value.__class__ is bytearray else value
