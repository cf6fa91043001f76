"""Hash commands: maps of fields to values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, overload

from minidis import errors
from minidis.commands.shared.cursors import STEP_SIZE, chosen, every, walk
from minidis.commands.shared.group import Group, T
from minidis.grammar.command import Shortcut, declarations
from minidis.grammar.kinds import (
    I64_MAX,
    I64_MIN,
    INTEGER,
    RANGED,
    RAW,
    Field,
    Float,
    Integer,
    Key,
    Kind,
    Many,
    Value,
    encode,
    encode_all,
    integer,
    pairs,
)
from minidis.replies import OK, Decimal, Status
from minidis.structures.tables import Hash

if TYPE_CHECKING:
    from fractions import Fraction

command = declarations(group="hash", parent="HIMPORT")


_HGET_UNLOCKED = """
if key not in space.deadlines:
    value = space.values.get(key)
    if value.__class__ is Hash:
        reply = value.get(field)
"""


# HSET of one field: the usual case is one step, and nothing derived from the hash has to follow.
_DIRECT_HSET = """
space = self.space
table = space.values.get(key)
if table.__class__ is Hash and table.index is None and space.direct_overwrite:
    limits = self.engine.settings.limits
    size = len(table)
    if (
        (
            table.expanded
            or (
                size < limits.hash_max_listpack_entries
                and len(field) <= limits.hash_max_listpack_value >= len(value)
            )
        )
        and not (space.deadlines and key in space.deadlines)
        and not (unit.interest and key in unit.interest)
    ):
        unit.dirty += 1
        table[field] = value
        return len(table) - size
"""


def _plain_hset(self: Hashes[Any], key: Any, field: Any, value: Any) -> int:
    """HSET of one field."""
    return self._set_field(key, field, value)


class Hashes(Group[T]):
    """Commands on hashes: HSET, HGET, HDEL, HSCAN and others."""

    # setting -----------------------------------------------------------------------------------

    @command(
        "HSET key field value [field value ...]",
        "write denyoom fast",
        since="2.0.0",
        complexity="O(n) for n fields",
        access="RW UPDATE",
        names={"field": "mapping"},
        kinds={"items": Kind(encode_all)},
        extra="field value items",
        shortcuts=(Shortcut("key field value", _plain_hset, _DIRECT_HSET),),
        single_step=True,
    )
    def hset(
        self,
        key: Key,
        field: Field | None = None,
        value: Value | None = None,
        mapping: Mapping[Any, Value] | None = None,
        items: Iterable[Any] | None = None,
    ) -> int:
        """Set fields of the hash stored at `key`, overwriting existing values.

        field, value: one field and its value. mapping: a dict of fields and values. items: a flat
        list of fields and values. These can be combined.

        Returns the number of new fields; overwritten fields do not count. Raises ResponseError if
        no field is given.

        >>> db.hset("ann", "age", 30), db.hset("ann", mapping={"age": 31, "city": "Rome"})
        (1, 1)
        """
        if value is not None and mapping is None and items is None and field is not None:
            return self._set_field(key, field, value)
        given: Any = mapping
        if field is not None or value is not None or items is not None:
            given = _gathered(field, value, given or (), items)
        return self._set_fields("hset", key, given)

    def _set_field(self, key: Any, field: Any, value: Any, event: str = "hset") -> int:
        """Set one field; return 1 if it is new, 0 if not."""
        space = self.space
        table = space.write(key, Hash)
        space.changed(key, event)
        if table is not None:
            return int(table.put_one(field, value, self.engine.settings.limits))
        space.put(key, Hash.load({field: value}, self.engine.settings.limits))
        return 1

    def _set_fields(self, name: str, key: Any, given: Any) -> int:
        """Set fields from a list of (field, value) pairs; return the number of new fields."""
        if not given:
            raise errors.wrong_arity(name)
        if len(given) == 1:
            return self._set_field(key, *given[0])
        space, limits = self.space, self.engine.settings.limits
        fields = dict(given)
        # As in Redis, a value that the same call overwrites still counts for the encoding.
        longest = max(len(value) for _, value in given) if len(fields) < len(given) else 0
        table = space.write(key, Hash)
        space.changed(key, "hset", len(given))
        if table is not None:
            return table.put(fields, limits, longest)
        space.put(key, Hash.load(fields, limits, longest))
        return len(fields)

    @command(
        "HMSET key field value [field value ...]",
        "write denyoom fast",
        since="2.0.0",
        complexity="O(n) for n fields",
        access="RW UPDATE",
        names={"field": "mapping"},
        single_step=True,
    )
    def hmset(self, key: Key, mapping: Mapping[Any, Value]) -> Status:
        """Set all fields of `mapping` in the hash stored at `key`; superseded by HSET.

        Returns OK. Raises ResponseError if `mapping` is empty.

        >>> db.hmset("ann", {"age": 30, "city": "Rome"})
        OK
        """
        self._set_fields("hmset", key, mapping)
        return OK

    @command(
        "HSETNX key field value",
        "write denyoom fast",
        since="2.0.0",
        complexity="O(1)",
        access="RW INSERT",
    )
    def hsetnx(self, key: Key, field: Field, value: Value) -> int:
        """Set `field` of the hash stored at `key`, only if the field does not exist.

        Returns 1 if the field was set, 0 if not.

        >>> db.hsetnx("ann", "age", 30), db.hsetnx("ann", "age", 31)
        (1, 0)
        """
        table: Any = self.space.write(key, Hash)
        if table is not None and field in table:
            return 0
        return self._set_field(key, field, value)

    # getting -----------------------------------------------------------------------------------

    @command(
        "HGET key field",
        "readonly fast",
        since="2.0.0",
        complexity="O(1)",
        access="RO ACCESS",
        unlocked=_HGET_UNLOCKED,
    )
    def hget(self, key: Key, field: Field) -> T | None:
        """Return the value of `field` in the hash stored at `key`.

        Returns None if the field or the key does not exist.

        >>> db.hset("ann", "age", 30), db.hget("ann", "age"), db.hget("ann", "city")
        (1, b'30', None)
        """
        table: Any = self.space.read(key, Hash)
        return None if table is None else table.get(field)

    @command(
        "HMGET key field [field ...]",
        "readonly fast",
        since="2.0.0",
        complexity="O(n) for n fields",
        access="RO ACCESS",
    )
    def hmget(self, key: Key, *fields: Many) -> list[T | None]:
        """Return the values of `fields` in the hash stored at `key`, in order.

        The list contains None for each missing field.

        >>> db.hset("ann", "age", 30), db.hmget("ann", "age", "city")
        (1, [b'30', None])
        """
        table: Any = self.space.read(key, Hash) or {}
        return list(map(table.get, fields))

    @command(
        "HGETALL key",
        "readonly",
        since="2.0.0",
        complexity="O(n) for a hash of n fields",
        access="RO ACCESS",
    )
    def hgetall(self, key: Key) -> dict[T, T]:
        """Return all fields and values of the hash stored at `key` as a dict.

        >>> db.hset("ann", mapping={"age": 30, "city": "Rome"}), db.hgetall("ann")
        (2, {b'age': b'30', b'city': b'Rome'})
        """
        table: Any = self.space.read(key, Hash) or {}
        return dict(table)

    @command(
        "HKEYS key",
        "readonly",
        since="2.0.0",
        complexity="O(n) for a hash of n fields",
        access="RO ACCESS",
    )
    def hkeys(self, key: Key) -> list[T]:
        """Return the names of all fields of the hash stored at `key` as a list.

        >>> db.hset("ann", "age", 30), db.hkeys("ann")
        (1, [b'age'])
        """
        table: Any = self.space.read(key, Hash) or {}
        return list(table)

    @command(
        "HVALS key",
        "readonly",
        since="2.0.0",
        complexity="O(n) for a hash of n fields",
        access="RO ACCESS",
    )
    def hvals(self, key: Key) -> list[T]:
        """Return the values of all fields of the hash stored at `key` as a list.

        >>> db.hset("ann", "age", 30), db.hvals("ann")
        (1, [b'30'])
        """
        table: Any = self.space.read(key, Hash) or {}
        return list(table.values())

    @command(
        "HLEN key",
        "readonly fast",
        since="2.0.0",
        complexity="O(1)",
        access="RO",
    )
    def hlen(self, key: Key) -> int:
        """Return the number of fields of the hash stored at `key`.

        >>> db.hset("ann", "age", 30), db.hlen("ann")
        (1, 1)
        """
        return len(self.space.read(key, Hash) or ())

    @command(
        "HEXISTS key field",
        "readonly fast",
        since="2.0.0",
        complexity="O(1)",
        access="RO",
    )
    def hexists(self, key: Key, field: Field) -> int:
        """Check whether the hash stored at `key` has `field`.

        Returns 1 if it does, 0 if not.

        >>> db.hset("ann", "age", 30), db.hexists("ann", "age"), db.hexists("ann", "city")
        (1, 1, 0)
        """
        return int(field in (self.space.read(key, Hash) or ()))

    @command(
        "HSTRLEN key field",
        "readonly fast",
        since="3.2.0",
        complexity="O(1)",
        access="RO",
    )
    def hstrlen(self, key: Key, field: Field) -> int:
        """Return the length in bytes of the value of `field` in the hash stored at `key`.

        Returns 0 if the field does not exist.

        >>> db.hset("ann", "city", "Rome"), db.hstrlen("ann", "city")
        (1, 4)
        """
        table: Any = self.space.read(key, Hash) or {}
        return len(table.get(field, b""))

    # removing ----------------------------------------------------------------------------------

    @command(
        "HDEL key field [field ...]",
        "write fast",
        since="2.0.0",
        complexity="O(n) for n fields",
        access="RW DELETE",
    )
    def hdel(self, key: Key, *fields: Many) -> int:
        """Delete `fields` from the hash stored at `key`.

        Returns the number of deleted fields. Deletes the key if no field is left.

        >>> db.hset("ann", mapping={"age": 30, "city": "Rome"}), db.hdel("ann", "age", "street")
        (2, 1)
        """
        table: Any = self.space.write(key, Hash)
        if table is None:
            return 0
        return self._remove_fields(
            key, table, dict.fromkeys(field for field in fields if field in table)
        )

    def _remove_fields(self, key: Any, table: Hash, gone: dict[Any, Any]) -> int:
        """Delete fields that all exist, and the key if none is left; return their number."""
        if len(gone) == len(table):
            self.space.delete_emptied(key, "hdel")
        elif gone:
            self.space.changed(key, "hdel", len(gone))
            table.drop(gone)
        return len(gone)

    @command(
        "HGETDEL key FIELDS numfields field [field ...]",
        "write fast",
        since="8.0.0",
        complexity="O(n) for n fields",
        access="RW ACCESS DELETE",
        kinds={"numfields": INTEGER},
        deferred_errors=True,
        word_error="Mandatory argument FIELDS is missing or not at the right position",
        count_error="Number of fields must be a positive integer",
        overflow_error=errors.NUMFIELDS_DIFFERENT,
        left_error=errors.NUMFIELDS_DIFFERENT,
    )
    def hgetdel(self, key: Key, *fields: Many, _option_error: Any = None) -> list[T | None]:
        """Return the values of `fields` in the hash stored at `key` and delete these fields.

        The list contains None for each missing field. Deletes the key if no field is left.

        >>> db.hset("ann", mapping={"age": 30, "city": "Rome"}), db.hgetdel("ann", "age", "street")
        (2, [b'30', None])
        """
        table: Any = self.space.write(key, Hash)
        if _option_error is not None:
            raise _option_error
        if table is None:
            return [None] * len(fields)
        gone: dict[Any, Any] = {}
        reply: list[Any] = []
        for field in fields:
            value = None if field in gone else table.get(field)
            if value is not None:
                gone[field] = value
            reply.append(value)
        if self._remove_fields(key, table, gone):
            self._effect("HDEL", key, *gone)
        return reply

    # numbers -----------------------------------------------------------------------------------

    @command(
        "HINCRBY key field increment",
        "write denyoom fast",
        since="2.0.0",
        complexity="O(1)",
        access="RW ACCESS UPDATE",
        names={"increment": "amount"},
    )
    def hincrby(self, key: Key, field: Field, amount: Integer = 1) -> int:
        """Increment the integer in `field` by `amount` (default 1) and return the result.

        A missing field counts as 0. Raises ResponseError if the value is not a 64-bit integer or
        the result would overflow.

        >>> db.hincrby("page", "visits"), db.hincrby("page", "visits", 10)
        (1, 11)
        """
        new = self._field_integer(key, field) + integer(amount)
        if not I64_MIN <= new <= I64_MAX:
            raise errors.error(errors.OVERFLOW)
        self._set_field(key, field, b"%d" % new, "hincrby")
        return new

    def _field_integer(self, key: Any, field: Any) -> int:
        """Return the integer stored in a field, or 0 if the field is missing."""
        table: Any = self.space.write(key, Hash) or {}
        try:
            return integer(table.get(field, 0))
        except errors.ResponseError:
            raise errors.error(errors.HASH_NOT_INTEGER) from None

    @command(
        "HINCRBYFLOAT key field increment",
        "write denyoom fast",
        since="2.6.0",
        complexity="O(1)",
        access="RW ACCESS UPDATE",
        names={"increment": "amount"},
        kinds={"increment": RAW},
    )
    def hincrbyfloat(self, key: Key, field: Field, amount: Float = 1.0) -> float:
        """Increment the number in `field` by the float `amount` and return the new value.

        A missing field counts as 0. The precision is that of INCRBYFLOAT. Raises ResponseError if
        the value or `amount` is not a number or the result is infinite.

        >>> db.hset("tea", "price", "10.50"), db.hincrbyfloat("tea", "price", 0.1)
        (1, 10.6)
        """
        from minidis.structures import long_double  # loads fractions and decimal

        step = _number(encode(amount), errors.NOT_FLOAT)
        if step is None:
            raise errors.error(errors.NAN_OR_INFINITY)
        table: Any = self.space.write(key, Hash) or {}
        old = _number(table.get(field, b"0"), errors.HASH_NOT_FLOAT)
        if old is None or abs(long_double.rounded(old + step)) > long_double.LARGEST:
            raise errors.error(errors.NOT_A_NUMBER)
        new = long_double.add_decimal(old, step)
        self._set_field(key, field, new, "hincrbyfloat")
        self._effect("HSET", key, mapping=[(field, new)])
        return Decimal(new)

    # at random, and by cursor ------------------------------------------------------------------

    @overload
    def hrandfield(self, key: Key, count: None = None) -> T | None: ...

    @overload
    def hrandfield(
        self, key: Key, count: Integer, withvalues: Literal[False] = False
    ) -> list[T]: ...

    @overload
    def hrandfield(
        self, key: Key, count: Integer, withvalues: Literal[True]
    ) -> list[tuple[T, T]]: ...

    @overload
    def hrandfield(self, key: Key, count: Integer, withvalues: bool) -> list[Any]: ...

    @command(
        "HRANDFIELD key [count [WITHVALUES]]",
        "readonly",
        since="6.2.0",
        complexity="O(n) for n fields returned; the first call on a hash O(n) for its fields",
        access="RO ACCESS",
        kinds={"count": RANGED},
    )
    def hrandfield(
        self, key: Key, count: Integer | None = None, withvalues: bool = False
    ) -> T | list[T] | list[tuple[T, T]] | None:
        """Return one or more random fields of the hash stored at `key`.

        count: return a list of at most this many different fields; if negative, of exactly -count
        fields, which may repeat. withvalues: return (field, value) tuples.

        Returns None, or [] with `count`, if the key does not exist. Raises ResponseError if `count`
        is out of range.

        >>> db.hset("coin", "heads", 1), db.hrandfield("coin"), db.hrandfield("coin", -2)
        (1, b'heads', [b'heads', b'heads'])
        """
        wanted: Any = count
        if withvalues and wanted is not None and abs(wanted) > I64_MAX // 2:
            raise errors.error(errors.OUT_OF_RANGE)
        table: Any = self.space.read(key, Hash)
        if wanted is None:
            return None if table is None else table.random(self.engine.settings.randbelow)
        fields = [] if table is None else chosen(table, wanted, self.engine.settings.randbelow)
        return [(field, table[field]) for field in fields] if withvalues else fields

    @command(
        "HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES]",
        "readonly",
        since="2.8.0",
        complexity="O(1) for each call, O(n) for a whole walk over n fields",
        access="RO ACCESS",
        names={"NOVALUES": "no_values"},
        kinds={"count": STEP_SIZE},
        deferred_errors=True,
    )
    def hscan(
        self,
        key: Key,
        cursor: Integer = 0,
        match: Value | None = None,
        count: Integer | None = None,
        no_values: bool = False,
        _option_error: Any = None,
    ) -> list[Any]:
        """Return one step of an iteration over the fields of the hash stored at `key`.

        cursor: 0 for the first step, then the cursor that the previous step returned. match: glob
        pattern for field names. count: number of fields to examine (default 10). no_values: return
        the fields without values.

        Returns [next cursor, [field, value, ...]]; cursor 0 ends the iteration. A field that exists
        during the whole iteration is returned at least once.

        >>> db.hset("ann", mapping={"age": 30, "city": "Rome"}), db.hscan("ann", 0, match="a*")
        (2, [0, [b'age', b'30']])
        """
        table: Any = self.space.read(key, Hash)
        following, fields = walk(table, cursor, match, count, _option_error)
        if no_values:
            return [following, fields]
        return [following, [part for field in fields for part in (field, table[field])]]

    @overload
    def hscan_iter(
        self,
        key: Key,
        match: Value | None = None,
        count: Integer | None = None,
        no_values: Literal[False] = False,
    ) -> Iterator[tuple[T, T]]: ...

    @overload
    def hscan_iter(
        self,
        key: Key,
        match: Value | None = None,
        count: Integer | None = None,
        no_values: bool = ...,
    ) -> Iterator[Any]: ...

    def hscan_iter(
        self,
        key: Key,
        match: Value | None = None,
        count: Integer | None = None,
        no_values: bool = False,
    ) -> Iterator[Any]:
        """Iterate over the (field, value) tuples of the hash stored at `key`.

        match, count: as for HSCAN. no_values: yield fields only. Each step is one HSCAN call, and
        other threads can run commands between the steps.

        >>> db.hset("ann", mapping={"age": 30}), list(db.hscan_iter("ann"))
        (1, [(b'age', b'30')])
        """

        def step(cursor: Any) -> tuple[Any, Any]:
            following, found = self.hscan(key, cursor, match, count, no_values)
            if not no_values:
                found = zip(found[::2], found[1::2], strict=True)
            return following, found

        return every(step)

    # one layout for many hashes ----------------------------------------------------------------

    @command(
        "HIMPORT PREPARE fieldset-name field [field ...]",
        "denyoom",
        since="8.10.0",
        complexity="O(n) for n fields",
    )
    def himport_prepare(self, fieldset_name: Key, *fields: Many) -> Status:
        """Define a named list of fields for HIMPORT SET in this session.

        Returns OK. Replaces a list of the same name. Raises ResponseError if a field occurs twice.

        >>> db.himport_prepare("person", "name", "age")
        OK
        >>> db.himport_set("ann", "person", "Ann", 30), db.hgetall("ann")
        (OK, {b'name': b'Ann', b'age': b'30'})
        """
        named: Any = (fieldset_name, fields)
        if len(set(named[1])) != len(fields):
            raise errors.error("duplicate field name in fieldset")
        self.client.fieldsets = {**(self.client.fieldsets or {}), **dict([named])}
        return OK

    @command(
        "HIMPORT SET key fieldset-name value [value ...]",
        "write denyoom",
        since="8.10.0",
        complexity="O(n) for n fields",
        access="OW UPDATE",
    )
    def himport_set(self, key: Key, fieldset_name: Key, *values: Many) -> Status:
        """Store a hash with the fields of a prepared list and the given `values`.

        Returns OK. Replaces an existing hash and its expiry. Raises ResponseError if no list is
        named `fieldset_name` or its length differs from the number of values.

        >>> db.himport_prepare("point", "x", "y"), db.himport_set("here", "point", 3, 4)
        (OK, OK)
        """
        name: Any = fieldset_name
        fields = (self.client.fieldsets or {}).get(name)
        if fields is None:
            raise errors.error("no such fieldset")
        if len(fields) != len(values):
            raise errors.error("value count does not match fieldset field count")
        space, given = self.space, dict(zip(fields, values, strict=True))
        if space.write(key, Hash) is not None:
            self._effect("DEL", key)
        self._effect("HSET", key, mapping=list(given.items()))
        space.changed(key, "hset")
        space.put(key, Hash.load(given, self.engine.settings.limits))  # type: ignore[arg-type]
        return OK

    @command(
        "HIMPORT DISCARD fieldset-name",
        since="8.10.0",
        complexity="O(n) for n lists of fields",
    )
    def himport_discard(self, fieldset_name: Key) -> int:
        """Delete the list of fields named `fieldset_name` from this session.

        Returns 1 if the list existed, 0 if not.

        >>> db.himport_prepare("point", "x", "y"), db.himport_discard("point")
        (OK, 1)
        """
        known: Any = self.client.fieldsets or {}
        if fieldset_name not in known:
            return 0
        self.client.fieldsets = {name: known[name] for name in known if name != fieldset_name}
        return 1

    @command(
        "HIMPORT DISCARDALL",
        since="8.10.0",
        complexity="O(n) for n lists of fields",
    )
    def himport_discardall(self) -> int:
        """Delete all prepared lists of fields of this session and return their number.

        >>> db.himport_prepare("point", "x", "y"), db.himport_discardall()
        (OK, 1)
        """
        count = len(self.client.fieldsets or ())
        self.client.fieldsets = None
        return count


def _gathered(field: Any, value: Any, mapping: Any, items: Any) -> list[tuple[bytes, bytes]]:
    """Collect (field, value) pairs from all forms of arguments that HSET accepts."""
    flat = items or ()
    if len(flat) % 2 or (field is None and value is not None):
        raise errors.wrong_arity("hset")
    found = pairs(mapping)
    if field is not None:
        found.insert(0, (field, encode(value)))  # DataError says what None is, a missing one too
    return [*found, *zip(flat[::2], flat[1::2], strict=True)]


def _number(word: bytes, message: str) -> Fraction | None:
    """Return the number in `word`, None if it is infinite; raise ResponseError if it is none."""
    from minidis.structures import long_double  # loads fractions and decimal

    value = long_double.parse(word)
    if value is None and not long_double.is_infinite(word):
        raise errors.error(message)
    return value
