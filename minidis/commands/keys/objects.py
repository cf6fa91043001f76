"""What a value is inside: OBJECT; and values as portable bytes: DUMP and RESTORE."""

from __future__ import annotations

from typing import Any

from minidis import errors
from minidis.commands.shared.group import Group, T
from minidis.errors import BusyKeyError, RestoreError
from minidis.grammar.command import declarations
from minidis.grammar.kinds import I64_MAX, RAW, Integer, Key, Kind, Value, encode, integer
from minidis.persistence.rdb.payload import dump_value, restore_value
from minidis.replies import OK, Status
from minidis.structures.encoding import encoding_of

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
    """An integer in a range; `sentence` when it is outside."""

    def convert(value: Any) -> int:
        number = integer(value)
        if not low <= number <= high:
            raise errors.error(message)
        return number

    return Kind(convert)


class Objects(Group[T]):
    """OBJECT, DUMP and RESTORE."""

    @command(
        "OBJECT ENCODING key",
        "readonly",
        since="2.2.3",
        complexity="O(1)",
        access="RO",
    )
    def object_encoding(self, key: Key) -> T | None:
        """How Redis 7.0 would keep the value at `key` in memory; None when it is missing.

        int, embstr or raw; quicklist; intset or hashtable; listpack or hashtable; listpack or
        skiplist. Dumps are written in the same encodings.

        >>> db.set("n", 12), db.object_encoding("n"), db.rpush("row", 1), db.object_encoding("row")
        (OK, b'int', 1, b'quicklist')
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
        """References to the value at `key`: 1, or 2147483647 for an integer from 0 to 9999.

        As in Redis, which keeps one object for each of these. None when the key is missing.

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
        """Seconds since `key` was last used; None when it is missing.

        Uses are remembered from the first question on (nobody pays for it before); a key not used
        since then counts as used at that moment.

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
        now = self.engine.now() // 1000
        return max(now - self.space.track_access(now)[held], 0)

    @command(
        "OBJECT FREQ key",
        "readonly",
        since="4.0.0",
        complexity="O(1)",
        access="RO",
    )
    def object_freq(self, key: Key) -> int | None:
        """How often `key` is used: needs an LFU policy, so a ResponseError; None when missing.

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
        """OBJECT as redis-py has it: `infotype` is encoding, refcount, idletime or freq.

        The answer is that of `object_encoding` and so on; ResponseError for another `infotype`.

        >>> db.set("n", 12), db.object("encoding", "n")
        (OK, b'int')
        """
        if infotype.lower() not in ("encoding", "refcount", "idletime", "freq"):
            raise errors.unknown_subcommand("OBJECT", encode(infotype))
        return getattr(self, f"object_{infotype.lower()}")(key)

    @command("OBJECT HELP", "loading stale", since="6.2.0", complexity="O(1)")
    def object_help(self) -> list[Status]:
        """The subcommands of OBJECT.

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
        """The value at `key` as bytes that RESTORE takes, here or on a Redis server from 7.0 on.

        The expiry is not in it. None when the key is missing.

        >>> db.set("a", 1), db.restore("b", 0, db.dump("a")), db.get("b")
        (OK, OK, b'1')
        """
        held: Any = key
        value = self.space.lookup(held)
        if value is None:
            return None
        engine = self.engine
        reply: Any = dump_value(value, engine.limits, compression=engine.compression)
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
        """Store what DUMP returned (`value`) at `key`, to expire after `ttl` milliseconds.

        0 is never. `absttl`: `ttl` is a moment, milliseconds since 1970. `replace`: overwrite,
        BusyKeyError without it. `idletime`: seconds since the last use, see OBJECT IDLETIME;
        `frequency`: for an LFU policy.

        ResponseError for bytes that are damaged or of a newer version.

        >>> db.set("a", "x"), db.restore("a", 60000, db.dump("a"), replace=True), db.ttl("a")
        (OK, OK, 60)
        """
        space, held, now = self.space, key, self.engine.now()
        if not replace and space.find(held) is not None:  # type: ignore[arg-type]
            raise BusyKeyError
        span = integer(ttl)
        if span < 0:
            raise errors.error("Invalid TTL value, must be >= 0")
        restored = self._restored(value)
        deadline = min(span if absttl else now + span, I64_MAX) if span else None
        if deadline is not None and deadline <= now:
            if space.find(held) is not None:  # type: ignore[arg-type]
                space.changed(held, "del")
                space.remove(held)
            return OK
        space.changed(held, "restore")
        space.remove(held)
        space.put(held, restored, deadline)
        if idletime is not None:
            idle: Any = idletime
            access: Any = space.track_access(now // 1000)
            access[held] = now // 1000 - idle
        return OK

    def _restored(self, payload: Any) -> Any:
        """The value in a payload; the sentence of Redis when there is none."""
        try:
            return restore_value(payload, self.engine.limits)
        except RestoreError as error:
            raise errors.error(
                "DUMP payload version or checksum are wrong"
                if error.reason == "checksum"
                else "Bad data format"
            ) from error
