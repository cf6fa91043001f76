"""Internals of a value (OBJECT), and values in serialized form (DUMP, RESTORE)."""

from __future__ import annotations

from typing import Any

from minidis import errors
from minidis.commands.shared.group import Group, T
from minidis.errors import BusyKeyError, RestoreError
from minidis.grammar.command import declarations
from minidis.grammar.kinds import I64_MAX, RAW, Integer, Key, Kind, Value, encode, integer
from minidis.replies import OK, Status
from minidis.structures.types import encoding_of

command = declarations(group="generic", parent="OBJECT")

#: Redis keeps one object for each integer from 0 to 9999, and counts no references to it.
_SHARED_INTEGERS = 10_000
_SHARED_REFERENCES = 2**31 - 1

OBJECT_HELP = (
    "OBJECT <subcommand> [<arg> ...]. Subcommands are:",
    "ENCODING <key>",
    "    How Redis would keep the value in memory.",
    "FREQ <key>",
    "    How often the key is used; needs an LFU policy.",
    "IDLETIME <key>",
    "    Seconds since the key was last used.",
    "REFCOUNT <key>",
    "    References to the value.",
    "HELP",
    "    This text.",
)


def _between(low: int, high: int, message: str) -> Kind:
    """Return the kind of an integer in a range, with the error `message` outside of it."""

    def convert(value: Any) -> int:
        number = integer(value)
        if not low <= number <= high:
            raise errors.error(message)
        return number

    return Kind(convert)


class Objects(Group[T]):
    """Commands on the representation of a value: OBJECT, DUMP and RESTORE."""

    @command(
        "OBJECT ENCODING key",
        "readonly",
        since="2.2.3",
        complexity="O(1)",
        access="RO",
    )
    def object_encoding(self, key: Key) -> T | None:
        """Return the name of the encoding that Redis 7.4 would use for the value at `key`.

        string: int, embstr or raw. list: quicklist. set: intset or hashtable. hash: listpack or
        hashtable. zset: listpack or skiplist. Dumps use the same encodings. Returns None if the key
        does not exist.

        >>> db.set("n", 12), db.object_encoding("n"), db.rpush("row", 1), db.object_encoding("row")
        (OK, b'int', 1, b'listpack')
        """
        held: Any = key
        value = self.space.peek(held, silent=True)
        reply: Any = None if value is None else encoding_of(value).encode()
        return reply

    @command(
        "OBJECT REFCOUNT key",
        "readonly",
        since="2.2.3",
        complexity="O(1)",
        access="RO",
    )
    def object_refcount(self, key: Key) -> int | None:
        """Return the reference count that Redis would report for the value at `key`.

        It is 1, or 2147483647 for the shared integers from 0 to 9999. Returns None if the key does
        not exist.

        >>> db.set("word", "x"), db.object_refcount("word")
        (OK, 1)
        """
        held: Any = key
        value = self.space.peek(held, silent=True)
        if value is None:
            return None
        shared = encoding_of(value) == "int" and 0 <= int(value) < _SHARED_INTEGERS
        return _SHARED_REFERENCES if shared else 1

    @command(
        "OBJECT IDLETIME key",
        "readonly",
        since="2.2.3",
        complexity="O(1), the first time O(n) for n keys",
        access="RO",
    )
    def object_idletime(self, key: Key) -> int | None:
        """Return the number of seconds since the last access to `key`.

        Accesses are recorded from the first OBJECT IDLETIME call on; until then they cost nothing.
        A key not accessed since counts as accessed at that time. Returns None if the key does not
        exist.

        >>> clock = minidis.ManualClock()
        >>> timed = minidis.open(clock=clock)
        >>> timed.set("a", 1), timed.object_idletime("a"), clock.advance(5)
        (OK, 0, None)
        >>> timed.object_idletime("a"), timed.touch("a"), timed.object_idletime("a")
        (5, 1, 0)
        """
        held: Any = key
        if self.space.peek(held, silent=True) is None:
            return None
        now = self.unit.now() // 1000
        return max(now - self.space.track_access(now)[held], 0)

    @command(
        "OBJECT FREQ key",
        "readonly",
        since="4.0.0",
        complexity="O(1)",
        access="RO",
    )
    def object_freq(self, key: Key) -> int | None:
        """Return the access frequency of `key`, which only an LFU maxmemory policy records.

        Returns None if the key does not exist. Raises ResponseError, because there is no such
        policy.

        >>> db.object_freq("nothing") is None
        True
        """
        held: Any = key
        if self.space.peek(held, silent=True) is None:
            return None
        raise errors.error(
            "An LFU maxmemory policy is not selected, access frequency not tracked. Please note "
            "that when switching between policies at runtime LRU and LFU data will take some time "
            "to adjust."
        )

    def object(self, infotype: str, key: Key) -> Any:
        """Run an OBJECT subcommand, with the signature of redis-py.

        infotype: encoding, refcount, idletime or freq. Returns the value of the method
        `object_encoding` and so on. Raises ResponseError for any other `infotype`.

        >>> db.set("n", 12), db.object("encoding", "n")
        (OK, b'int')
        """
        if infotype.lower() not in ("encoding", "refcount", "idletime", "freq"):
            raise errors.unknown_subcommand("OBJECT", encode(infotype))
        return getattr(self, f"object_{infotype.lower()}")(key)

    @command("OBJECT HELP", "loading stale", since="6.2.0", complexity="O(1)")
    def object_help(self) -> list[Status]:
        """Return the list of OBJECT subcommands as lines of text.

        >>> db.object_help()[1]
        ENCODING <key>
        """
        return [Status(line) for line in OBJECT_HELP]

    # portable bytes ----------------------------------------------------------------------------

    @command(
        "DUMP key",
        "readonly",
        since="2.6.0",
        complexity="O(n) for n bytes",
        access="RO ACCESS",
    )
    def dump(self, key: Key) -> T | None:
        """Return the value stored at `key` in the serialized form that RESTORE reads.

        The bytes do not contain the expiry. Redis 7.0 and later can restore them (7.2 and later
        if `rdb-version` is 11). Returns None if the key does not exist.

        >>> db.set("a", 1), db.restore("b", 0, db.dump("a")), db.get("b")
        (OK, OK, b'1')
        """
        from minidis.persistence.rdb.payload import dump_value  # the whole codec

        held: Any = key
        value = self.space.lookup(held)
        if value is None:
            return None
        settings = self.engine.settings
        reply: Any = dump_value(
            value,
            settings.limits,
            compression=settings.compression,
            version=settings.rdb_version,
        )
        return reply

    @command(
        "RESTORE key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds | FREQ frequency]",
        "write denyoom",
        since="2.6.0",
        complexity="O(n) for n bytes",
        access="OW UPDATE",
        names={"serialized-value": "value", "FREQ": "frequency"},
        kinds={
            "ttl": RAW,
            "seconds": _between(0, I64_MAX, "Invalid IDLETIME value, must be >= 0"),
            "frequency": _between(0, 255, "Invalid FREQ value, must be >= 0 and <= 255"),
        },
        categories="keyspace dangerous",
    )
    def restore(
        self,
        key: Key,
        ttl: Integer,
        value: Value,
        replace: bool = False,
        absttl: bool = False,
        idletime: Integer | None = None,
        frequency: Integer | None = None,
    ) -> Status:
        """Store `value`, the serialized form returned by DUMP, at `key`.

        ttl: expire after this many milliseconds, 0 for no expiry. absttl: `ttl` is a Unix time in
        milliseconds. replace: overwrite an existing key. idletime: seconds since the last access.
        frequency: access frequency, 0 to 255, for an LFU policy.

        Returns OK. Raises BusyKeyError if the key exists and `replace` is not given, and
        ResponseError if `value` is damaged or from an unknown version.

        >>> db.set("a", "x"), db.restore("a", 60000, db.dump("a"), replace=True), db.ttl("a")
        (OK, OK, 60)
        """
        space, held, now = self.space, key, self.unit.now()
        if not replace and space.find(held) is not None:  # type: ignore[arg-type]
            raise BusyKeyError
        span = integer(ttl)
        if span < 0:
            raise errors.error("Invalid TTL value, must be >= 0")
        restored = self._restored(held, value)
        deadline = min(span if absttl else now + span, I64_MAX) if span else None
        if deadline is not None and deadline <= now:
            if space.find(held) is not None:  # type: ignore[arg-type]
                space.changed(held, "del")
                space.remove(held)
                self._effect("DEL", held)
            return OK
        space.changed(held, "restore")
        space.remove(held)
        space.put(held, restored, deadline)
        self._effect(
            "RESTORE", held, deadline or 0, value, replace=replace, absttl=deadline is not None,
            idletime=idletime, frequency=frequency,
        )  # fmt: skip
        if idletime is not None:
            idle: Any = idletime
            access: Any = space.track_access(now // 1000)
            access[held] = now // 1000 - idle
        return OK

    def _restored(self, key: Any, payload: Any) -> Any:
        """Return the value of a payload; raise ResponseError if it is damaged.

        The cause of the exception says more than the error message of Redis.
        """
        from minidis.persistence.rdb.payload import restore_value  # the whole codec

        try:
            return restore_value(payload, self.engine.settings.limits)
        except RestoreError as error:
            error.key = key
            raise errors.error(
                "DUMP payload version or checksum are wrong"
                if error.kind == "checksum"
                else "Bad data format"
            ) from error
