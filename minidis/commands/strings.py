"""String commands: store, read and modify strings of bytes. Numbers are in counters.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minidis import errors
from minidis.commands.shared.conditions import CONDITIONS, NO_CONDITIONS, condition_met
from minidis.commands.shared.expiry_options import (
    EXPIRY,
    EXPIRY_KINDS,
    MOST_SECONDS,  # noqa: F401
    Moment,
    Span,
    deadline_of,
    milliseconds,
)
from minidis.commands.shared.group import Group, T
from minidis.grammar.command import Shortcut, declarations
from minidis.grammar.facts import set_access
from minidis.grammar.kinds import Key, Kind, Many, Value, encode, integer
from minidis.keyspace.keyspace import text_of
from minidis.replies import OK, Status
from minidis.structures.digests import xxh3_64
from minidis.structures.types import is_collection

command = declarations(group="string")


def _pair_count(value: Any) -> int:
    """Convert the numkeys of MSETEX; return 0, which is rejected, for more than 32 bits."""
    number = integer(value)
    return number if number < 2**31 else 0


def _plain_set(self: Strings[Any], key: Any, value: Any, ex: Any = None) -> Any:
    """Run SET without options, or with EX."""
    space, unit = self.space, self.unit
    if ex is not None:
        unit.begin_steps()
        deadline = deadline_of(self.engine, "set", ex, None, None, None)
        return self._set(key, value, deadline, False, False, False, False, NO_CONDITIONS)
    if (
        (space.direct or (space.direct_overwrite and key in space.values))
        and not (space.deadlines and key in space.deadlines)
        and not (unit.interest and key in unit.interest)
    ):
        unit.dirty += 1
        space.values[key] = value
        return OK
    space.changed(key, "set")
    space.put(key, value)
    return OK


# The hottest write of all. The usual case is one step: nothing follows the value, no observer cares
# for the key, so nothing has to be undone or told. With EX there are two steps, and what undoes
# them is at hand meanwhile.
_DIRECT_SET = """
space = self.space
if (space.direct or (space.direct_overwrite and key in space.values)) and not (
    unit.interest and key in unit.interest
):
    if ex is None:
        if not (space.deadlines and key in space.deadlines):
            unit.dirty += 1
            space.values[key] = value
            return OK
    elif ex.__class__ is int and 0 < ex < MOST_SECONDS:
        now = unit.clock.now()
        deadlines = space.deadlines
        old = deadlines.get(key)
        if old is None or now <= old:
            deadline = now + ex * 1000
            if old is None or deadline < old:
                space.schedule_expiry(key, deadline)
            values = space.values
            unit.replaced = (space, key, values.get(key), old)
            version = unit.version
            unit.version = None
            unit.dirty += 1
            deadlines[key] = deadline
            values[key] = value
            unit.replaced = None
            unit.version = None if version is None else []
            return OK
elif (
    space.direct_stored
    and ex is None
    and not (space.deadlines and key in space.deadlines)
    and not (unit.interest and key in unit.interest)
):
    stored = unit.stored
    stored.append((space.number, key, value))
    unit.dirty += 1
    unit.recorded += 1
    space.values[key] = value
    if len(stored) >= MOST_STORED:
        self.engine.observers.record()
    return OK
"""
#: So many plain SETs make a batch for a buffered recorder.
MOST_STORED = 100

# The deadline before the value: see Keyspace.expire.
_GET_UNLOCKED = """
if key not in space.deadlines or unit.clock.now() <= space.deadlines.get(key, 0):
    value = space.values.get(key)
    if value.__class__ is bytes:
        reply = value
"""
_STRLEN_UNLOCKED = _GET_UNLOCKED.replace("reply = value", "reply = len(value)")


class Strings(Group[T]):
    """Commands on strings: GET, SET, MSET, APPEND, GETRANGE and others."""

    # whole values ------------------------------------------------------------------------------

    @command(
        "GET key",
        "readonly fast",
        since="1.0.0",
        complexity="O(1)",
        access="RO ACCESS",
        unlocked=_GET_UNLOCKED,
    )
    def get(self, key: Key) -> T | None:
        """Return the string stored at `key`.

        Returns None if the key does not exist. Raises WrongTypeError if it holds another type.

        >>> db.set("name", "minidis")
        OK
        >>> db.get("name"), db.get("nothing")
        (b'minidis', None)
        """
        space: Any = self.space
        value: Any = space.values.get(key)
        kind = value.__class__
        if kind is bytes and space.accessed is None:
            deadline = space.deadlines.get(key)
            if deadline is None or self.unit.now() <= deadline:
                space.hits += 1
                return value
        return space.string(key)

    @command(
        f"SET key value [NX | XX | {CONDITIONS}] [GET] [{EXPIRY} | KEEPTTL]",
        "write denyoom",
        since="1.0.0",
        complexity="O(1)",
        access="RW ACCESS UPDATE VARIABLE_FLAGS",
        kinds=EXPIRY_KINDS,
        once="IFEQ IFNE IFDEQ IFDNE",
        shortcuts=(Shortcut("key value [ex]", _plain_set, _DIRECT_SET),),
        access_by_words=set_access,
    )
    def set(
        self,
        key: Key,
        value: Value,
        ex: Span | None = None,
        px: Span | None = None,
        nx: bool = False,
        xx: bool = False,
        keepttl: bool = False,
        get: bool = False,
        exat: Moment | None = None,
        pxat: Moment | None = None,
        ifeq: Value | None = None,
        ifne: Value | None = None,
        ifdeq: Value | None = None,
        ifdne: Value | None = None,
    ) -> Status | T | None:
        """Store the string `value` at `key`, replacing any previous value and its expiry.

        ex, px: expire after this many seconds, milliseconds (or a timedelta). exat, pxat: expire at
        this Unix time in seconds, milliseconds (or a datetime). keepttl: keep the current expiry.
        nx: only if the key does not exist. xx: only if it exists. ifeq, ifne: only if the current
        value equals, differs from this one. ifdeq, ifdne: the same with its DIGEST. get: return the
        previous value.

        Returns OK, or None if the condition is not met; with `get`, the previous value or None.
        Raises ResponseError if the expiry is not positive or two options conflict, and
        WrongTypeError if `get` or a comparison finds another type.

        >>> db.set("lock", "me", nx=True, ex=30), db.set("lock", "you", nx=True)
        (OK, None)
        """
        if (
            nx or xx or get or keepttl
            or ex is not None or px is not None or exat is not None or pxat is not None
            or ifeq is not None or ifne is not None or ifdeq is not None or ifdne is not None
        ):  # fmt: skip
            deadline = deadline_of(self.engine, "set", ex, px, exat, pxat)
            return self._set(key, value, deadline, nx, xx, keepttl, get, (ifeq, ifne, ifdeq, ifdne))
        return _plain_set(self, key, value)

    def _set(
        self,
        key: Any,
        value: Any,
        deadline: int | None,
        nx: bool,
        xx: bool,
        keepttl: bool,
        get: bool,
        conditions: tuple[Any, ...],
    ) -> Any:
        """Run SET with options: check the conditions, then store the value."""
        space = self.space
        # Only an old value that is returned counts as an access, or as a miss.
        old = space.lookup(key) if get else space.find(key)
        reply: Any = text_of(old) if get else None
        if (nx and old is not None) or (xx and old is None):
            return reply
        if conditions != NO_CONDITIONS and not condition_met(text_of(old), *conditions):
            return reply
        space.changed(key, "set")
        space.put(key, value, space.deadlines.get(key) if keepttl else deadline)
        if deadline is not None:
            space.changed(key, "expire", 0)
            nx = xx = False
        self._effect("SET", key, value, nx=nx, xx=xx, keepttl=keepttl, pxat=deadline)
        return reply if get else OK

    @command(
        "SETNX key value",
        "write denyoom fast",
        since="1.0.0",
        complexity="O(1)",
        access="OW INSERT",
        single_step=True,
    )
    def setnx(self, key: Key, value: Value) -> int:
        """Store `value` at `key`, only if the key does not exist; return 1 if stored, 0 if not.

        >>> db.setnx("once", 1), db.setnx("once", 2)
        (1, 0)
        """
        if self.space.find(key) is not None:  # type: ignore[arg-type]
            return 0
        self.space.changed(key, "set")
        self.space.put(key, value)
        return 1

    @command(
        "SETEX key seconds value",
        "write denyoom",
        since="2.0.0",
        complexity="O(1)",
        access="OW UPDATE",
        names={"seconds": "time"},
        kinds=EXPIRY_KINDS,
    )
    def setex(self, key: Key, time: Span, value: Value) -> Status:
        """Store `value` at `key` and let the key expire after `time` seconds (or a timedelta).

        Returns OK. Raises ResponseError if `time` is less than one second.

        >>> db.setex("code", 60, "1234"), db.ttl("code")
        (OK, 60)
        """
        deadline = milliseconds(time, 1000, self.unit.now(), "setex")
        self._set(key, value, deadline, False, False, False, False, NO_CONDITIONS)
        return OK

    @command(
        "PSETEX key milliseconds value",
        "write denyoom",
        since="2.6.0",
        complexity="O(1)",
        access="OW UPDATE",
        names={"milliseconds": "time_ms"},
        kinds=EXPIRY_KINDS,
    )
    def psetex(self, key: Key, time_ms: Span, value: Value) -> Status:
        """The same as SETEX, with `time_ms` in milliseconds instead of seconds.

        >>> db.psetex("code", 60000, "1234"), db.ttl("code")
        (OK, 60)
        """
        deadline = milliseconds(time_ms, 1, self.unit.now(), "psetex")
        self._set(key, value, deadline, False, False, False, False, NO_CONDITIONS)
        return OK

    @command(
        "GETSET key value",
        "write denyoom fast",
        since="1.0.0",
        complexity="O(1)",
        access="RW ACCESS UPDATE",
    )
    def getset(self, key: Key, value: Value) -> T | None:
        """Store `value` at `key` and return the previous string, as SET with `get` does.

        >>> db.getset("turn", "ann"), db.getset("turn", "bob")
        (None, b'ann')
        """
        reply: Any = self.space.string(key)
        self.space.changed(key, "set")
        self.space.put(key, value)
        self._effect("SET", key, value)
        return reply

    @command(
        "GETDEL key",
        "write fast",
        since="6.2.0",
        complexity="O(1)",
        access="RW ACCESS DELETE",
    )
    def getdel(self, key: Key) -> T | None:
        """Return the string stored at `key`, as GET does, and delete the key.

        >>> db.set("token", "x"), db.getdel("token"), db.exists("token")
        (OK, b'x', 0)
        """
        reply: Any = self.space.string(key)
        if reply is not None:
            self._delete_now(key)
        return reply

    def _delete_now(self, key: Any) -> bool:
        """Delete a key that exists, with DEL as the effect of the running command."""
        self.space.changed(key, "del")
        self._effect("DEL", key)
        return self.space.remove(key)

    @command(
        f"GETEX key [{EXPIRY} | PERSIST]",
        "write fast",
        since="6.2.0",
        complexity="O(1)",
        access="RW ACCESS UPDATE",
        kinds=EXPIRY_KINDS,
    )
    def getex(
        self,
        key: Key,
        ex: Span | None = None,
        px: Span | None = None,
        exat: Moment | None = None,
        pxat: Moment | None = None,
        persist: bool = False,
    ) -> T | None:
        """Return the string stored at `key`, as GET does, and set or remove its expiry.

        ex, px: expire after this many seconds, milliseconds (or a timedelta). exat, pxat: expire at
        this Unix time in seconds, milliseconds (or a datetime). persist: remove the expiry. Raises
        ResponseError if the expiry is not positive.

        >>> db.set("page", "..."), db.getex("page", ex=60), db.ttl("page")
        (OK, b'...', 60)
        """
        space = self.space
        reply: Any = space.string(key)
        if reply is None:
            return None
        deadline = deadline_of(self.engine, "getex", ex, px, exat, pxat)
        if deadline is not None and deadline <= self.unit.now():
            self._delete_now(key)
        elif deadline is not None:
            space.changed(key, "expire")
            space.set_deadline(encode(key), deadline)
            self._effect("PEXPIREAT", key, deadline)
        elif persist and key in space.deadlines:
            space.changed(key, "persist")
            space.set_deadline(encode(key), None)
            self._effect("PERSIST", key)
        return reply

    # several keys ------------------------------------------------------------------------------

    @command(
        "MGET key [key ...]",
        "readonly fast",
        since="1.0.0",
        complexity="O(n) for n keys",
        access="RO ACCESS",
        empty=True,
    )
    def mget(self, *keys: Many) -> list[T | None]:
        """Return the strings stored at `keys`, with None for a missing key or another type.

        >>> db.mset({"a": 1, "b": 2}), db.mget("a", "b", "c")
        (OK, [b'1', b'2', None])
        """
        space: Any = self.space
        if not space.deadlines and space.accessed is None:
            found = [space.values.get(key) for key in keys]
            misses = found.count(None)
            if not (misses and self.unit.observed):
                space.hits += len(found) - misses
                space.misses += misses
                strings: list[Any] = [
                    value if value.__class__ is bytes else _text_or_none(value) for value in found
                ]
                return strings
        return [_text_or_none(space.lookup(key)) for key in keys]

    @command(
        "MSET key value [key value ...]",
        "write denyoom",
        since="1.0.1",
        complexity="O(n) for n keys",
        access="OW UPDATE",
        names={"key": "mapping"},
    )
    def mset(self, mapping: Mapping[Any, Value]) -> Status:
        """Set all keys of `mapping` in one step, replacing previous values and their expiries.

        >>> db.mset({"a": 1, "b": 2})
        OK
        """
        self._put_all(mapping)
        return OK

    def _put_all(self, mapping: Any) -> None:
        """Store (key, value) pairs for MSET and MSETNX."""
        for key, value in mapping:
            self.space.changed(key, "set")
            self.space.put(key, value)

    @command(
        "MSETNX key value [key value ...]",
        "write denyoom",
        since="1.0.1",
        complexity="O(n) for n keys",
        access="OW INSERT",
        names={"key": "mapping"},
    )
    def msetnx(self, mapping: Mapping[Any, Value]) -> int:
        """Store the values of `mapping` if none of the keys exists; return 1 if stored, else 0.

        >>> db.msetnx({"a": 1, "b": 2}), db.msetnx({"b": 3, "c": 4})
        (1, 0)
        """
        pairs: Any = mapping
        if any(self.space.find(key) is not None for key, _ in pairs):
            return 0
        self._put_all(pairs)
        return 1

    @command(
        f"MSETEX numkeys key value [key value ...] [NX | XX] [{EXPIRY} | KEEPTTL]",
        "write denyoom movablekeys",
        since="8.4.0",
        complexity="O(n) for n keys",
        access="OW UPDATE",
        names={"key": "mapping"},
        kinds={**EXPIRY_KINDS, "numkeys": Kind(_pair_count, "", "how many pairs follow")},
        count_error="invalid numkeys value",
        overflow_error="wrong number of key-value pairs",
    )
    def msetex(
        self,
        mapping: Mapping[Any, Value],
        nx: bool = False,
        xx: bool = False,
        ex: Span | None = None,
        px: Span | None = None,
        exat: Moment | None = None,
        pxat: Moment | None = None,
        keepttl: bool = False,
    ) -> int:
        """Store each value of `mapping` at its key, with the same expiry for all keys.

        nx: only if none of the keys exists. xx: only if all exist. ex, px: expire after this many
        seconds, milliseconds. exat, pxat: expire at this Unix time in seconds, milliseconds.
        keepttl: keep the current expiries. Returns 1 if the values were stored, 0 if not.

        >>> db.msetex({"a": 1, "b": 2}, ex=60), db.ttl("b")
        (1, 60)
        """
        pairs: Any = mapping
        space = self.space
        deadline = deadline_of(self.engine, "msetex", ex, px, exat, pxat)
        if nx and any(space.find(key) is not None for key, _ in pairs):
            return 0
        if xx and any(space.find(key) is None for key, _ in pairs):
            return 0
        for key, value in pairs:
            if keepttl:
                space.find(key)  # one that has expired passes on no deadline
            space.changed(key, "set")
            space.put(key, value, space.deadlines.get(key) if keepttl else deadline)
            if deadline is not None:
                space.changed(key, "expire", 0)
            self._effect("SET", key, value, keepttl=keepttl, pxat=deadline)
        return 1

    @command(
        "STRLEN key",
        "readonly fast",
        since="2.2.0",
        complexity="O(1)",
        access="RO",
        unlocked=_STRLEN_UNLOCKED,
    )
    def strlen(self, key: Key) -> int:
        """Return the length in bytes of the string stored at `key`.

        Returns 0 if the key does not exist. Raises WrongTypeError if it holds another type.

        >>> db.set("word", "Grüße"), db.strlen("word")
        (OK, 7)
        """
        return len(self.space.view(key))

    # digests and conditions --------------------------------------------------------------------

    @command(
        "DIGEST key",
        "readonly fast",
        since="8.4.0",
        complexity="O(n) for n bytes",
        access="RO ACCESS",
    )
    def digest(self, key: Key) -> T | None:
        """Return the XXH3 hash of the string stored at `key` as 16 hexadecimal digits.

        Returns None if the key does not exist. Raises WrongTypeError if it holds another type.

        >>> db.set("doc", "hello"), db.digest("doc")
        (OK, b'9555e8555c62dcfd')
        """
        text = self.space.string(key)
        reply: Any = None if text is None else b"%016x" % xxh3_64(text)
        return reply

    @command(
        f"DELEX key [{CONDITIONS}]",
        "write fast",
        since="8.4.0",
        complexity="O(1), with a digest O(n) for n bytes",
        access="RW DELETE",
        lengths=(2, 4),
        unknown_error="Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE",
        deferred_errors=True,
    )
    def delex(
        self,
        key: Key,
        ifeq: Value | None = None,
        ifne: Value | None = None,
        ifdeq: Value | None = None,
        ifdne: Value | None = None,
        _option_error: errors.ResponseError | None = None,
    ) -> int:
        """Delete `key`, only if its value meets the condition.

        ifeq, ifne: the value equals, differs from this string. ifdeq, ifdne: the same with the
        DIGEST. Without a condition any type is deleted. Returns 1 if the key was deleted, 0 if not.
        Raises ResponseError if there is a condition and the key does not hold a string.

        >>> db.set("lock", "me"), db.delex("lock", ifeq="you"), db.delex("lock", ifeq="me")
        (OK, 0, 1)
        """
        conditions = (ifeq, ifne, ifdeq, ifdne)
        old = self.space.find(encode(key))
        if old is None:
            return 0
        conditional = conditions != NO_CONDITIONS or _option_error is not None
        if conditional and is_collection(old):
            raise errors.error("Key should be of string type if conditions are specified")
        if _option_error is not None:
            raise _option_error
        if conditional and not condition_met(text_of(old), *conditions):
            return 0
        return int(self._delete_now(key))


def _text_or_none(value: Any) -> Any:
    """Return a string value as bytes, or None for any other type: MGET raises no WrongTypeError."""
    try:
        return text_of(value)
    except errors.WrongTypeError:
        return None
