"""Commands on strings that hold numbers: INCR, DECR, INCRBYFLOAT, INCREX."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any

from minidis import errors
from minidis.commands.shared.expiry_options import EXPIRY, EXPIRY_KINDS, Moment, Span, deadline_of
from minidis.commands.shared.group import Group, T
from minidis.grammar.command import Shortcut, declarations
from minidis.grammar.kinds import I64_MAX, I64_MIN, RAW, Float, Integer, Key, Value, encode, integer
from minidis.keyspace.keyspace import text_of
from minidis.replies import Decimal
from minidis.structures.text import Text

if TYPE_CHECKING:
    from fractions import Fraction

command = declarations(group="string")


# INCR of an integer: one step, unless an observer cares for the key.
_DIRECT_INCR = """
space = self.space
number = space.values.get(key)
if (
    number.__class__ is int
    and space.direct_overwrite
    and number < I64_MAX
    and not (space.deadlines and key in space.deadlines)
    and not (unit.interest and key in unit.interest)
):
    unit.dirty += 1
    number += 1
    space.values[key] = number
    return number
"""


class Counters(Group[T]):
    """Commands that increment or decrement a number stored as a string."""

    @command(
        "INCR key",
        "write denyoom fast",
        since="1.0.0",
        complexity="O(1)",
        access="RW ACCESS UPDATE",
        extra="amount",
        extra_command="INCRBY",
        shortcuts=(Shortcut("key", None, _DIRECT_INCR),),
        single_step=True,
    )
    def incr(self, key: Key, amount: Integer = 1) -> int:
        """Increment the integer stored at `key` by `amount` (default 1) and return the result.

        A missing key counts as 0. Raises ResponseError if the value is not a 64-bit integer or the
        result would overflow, and WrongTypeError if the key holds another type.

        >>> db.incr("visits"), db.incr("visits", 5)
        (1, 6)
        """
        return self._add(key, integer(amount))

    @command(
        "INCRBY key increment",
        "write denyoom fast",
        since="1.0.0",
        complexity="O(1)",
        access="RW ACCESS UPDATE",
        names={"increment": "amount"},
        single_step=True,
    )
    def incrby(self, key: Key, amount: Integer = 1) -> int:
        """Increment the integer stored at `key` by `amount` (default 1) and return the result.

        A missing key counts as 0. Raises the same errors as INCR.

        >>> db.incrby("visits", 10)
        10
        """
        return self._add(key, integer(amount))

    @command(
        "DECR key",
        "write denyoom fast",
        since="1.0.0",
        complexity="O(1)",
        access="RW ACCESS UPDATE",
        extra="amount",
        extra_command="DECRBY",
        single_step=True,
    )
    def decr(self, key: Key, amount: Integer = 1) -> int:
        """Decrement the integer stored at `key` by `amount` (default 1) and return the result.

        A missing key counts as 0. Raises the same errors as INCR.

        >>> db.decr("stock")
        -1
        """
        return self._subtract(key, amount)

    @command(
        "DECRBY key decrement",
        "write denyoom fast",
        since="1.0.0",
        complexity="O(1)",
        access="RW ACCESS UPDATE",
        names={"decrement": "amount"},
        single_step=True,
    )
    def decrby(self, key: Key, amount: Integer = 1) -> int:
        """Decrement the integer stored at `key` by `amount` (default 1) and return the result.

        A missing key counts as 0. Raises the same errors as INCR.

        >>> db.set("stock", 10), db.decrby("stock", 3)
        (OK, 7)
        """
        return self._subtract(key, amount)

    def _subtract(self, key: Any, amount: Integer) -> int:
        """Run DECR and DECRBY: add the negated amount."""
        decrement = integer(amount)
        if decrement == I64_MIN:
            raise errors.error("decrement would overflow")
        return self._add(key, -decrement)

    def _add(self, key: Any, amount: int) -> int:
        """Run INCR, INCRBY, DECR and DECRBY: add the amount and check for overflow."""
        space = self.space
        old = space.string_to_change(key)
        if old.__class__ is not int:
            old = 0 if old is None else integer(text_of(old))
        new: int = old + amount
        if not I64_MIN <= new <= I64_MAX:
            raise errors.error(errors.OVERFLOW)
        space.changed(key, "incrby")
        space.replace(key, new)
        return new

    @command(
        "INCRBYFLOAT key increment",
        "write denyoom fast",
        since="2.6.0",
        complexity="O(1)",
        access="RW ACCESS UPDATE",
        names={"increment": "amount"},
        kinds={"increment": RAW},
    )
    def incrbyfloat(self, key: Key, amount: Float = 1.0) -> float:
        """Increment the number stored at `key` by the float `amount` and return the new value.

        A missing key counts as 0. The precision is that of Redis: 64 bits of mantissa and at most
        17 decimals. Raises ResponseError if the value or `amount` is not a number or the result is
        infinite, and WrongTypeError if the key holds another type.

        >>> db.set("price", "10.50"), db.incrbyfloat("price", 0.1)
        (OK, 10.6)
        """
        old = text_of(self.space.string_to_change(key))
        new = _float_sum(b"0" if old is None else old, encode(amount))
        self.space.changed(key, "incrbyfloat")
        self.space.replace(key, Text(new))
        self._effect("SET", key, new, keepttl=True)
        return Decimal(new)

    @command(
        "INCREX key [BYFLOAT float | BYINT integer] [SATURATE] [LBOUND lowerbound] "
        f"[UBOUND upperbound] [{EXPIRY} | PERSIST] [ENX]",
        "write denyoom fast",
        since="8.8.0",
        complexity="O(1)",
        access="RW ACCESS UPDATE",
        kinds={**EXPIRY_KINDS, "float": RAW, "integer": RAW},
        once=True,
    )
    def increx(
        self,
        key: Key,
        byint: Integer | None = None,
        byfloat: Float | None = None,
        saturate: bool = False,
        lbound: Value | None = None,
        ubound: Value | None = None,
        ex: Span | None = None,
        px: Span | None = None,
        exat: Moment | None = None,
        pxat: Moment | None = None,
        persist: bool = False,
        enx: bool = False,
    ) -> list[Any]:
        """Increment the number stored at `key`, within bounds.

        byint, byfloat: the increment (default: the integer 1). lbound, ubound: the lowest, highest
        result; an increment beyond it changes nothing. saturate: store the bound instead. ex,
        px: expire after this many seconds, milliseconds. exat, pxat: expire at this Unix time in
        seconds, milliseconds. enx: only set the expiry if the key has none. persist: remove the
        expiry. By default the current expiry is kept.

        Returns [new value, applied increment], as floats with `byfloat`. A missing key counts as 0.
        Raises the same errors as INCR, and ResponseError if options conflict.

        >>> [db.increx("calls", ubound=2, ex=60, enx=True) for _ in range(3)]
        [[1, 1], [2, 1], [2, 0]]
        """
        times = (ex, px, exat, pxat)
        if enx and persist:
            raise errors.error(errors.SYNTAX)
        if enx and times == (None, None, None, None):
            raise errors.error("ENX flag requires an expiration")
        step, low, high = _step_and_bounds(byint, byfloat, lbound, ubound)
        deadline = deadline_of(self.engine, "increx", *times)
        old = text_of(self.space.string_to_change(key))
        value = _value_to_step(b"0" if old is None else old, whole=byfloat is None)
        new = _stepped(value, step, low, high, saturate)
        if new is None:
            return [_number_reply(value), _number_reply(value - value)]
        self._store_step(encode(key), new, deadline, persist, enx)
        return [_number_reply(new), _number_reply(new - value)]

    def _store_step(
        self, key: bytes, value: Any, deadline: int | None, persist: bool, enx: bool
    ) -> None:
        """Store the new value of INCREX and set, keep or remove the expiry."""
        space = self.space
        current = space.deadlines.get(key)
        if persist:
            deadline = None
        elif deadline is None or (enx and current is not None):
            deadline = current
        if deadline is not None and deadline <= self.unit.now():
            space.changed(key, "del")
            if space.remove(key):
                self._effect("DEL", key)
            else:
                self.unit.no_effect()
            return
        whole = value.__class__ is int
        space.changed(key, "incrby" if whole else "incrbyfloat")
        stored = value if whole else Text(_decimal(value))
        space.put(key, stored, deadline)
        self._effect("SET", key, text_of(stored), pxat=deadline)
        if deadline != current:
            space.changed(key, "persist" if deadline is None else "expire", 0)


def _float_sum(old: bytes, increment: bytes) -> bytes:
    """Add two decimal numbers for INCRBYFLOAT; raise ResponseError if one is not finite."""
    from minidis.structures import long_double  # loads fractions and decimal

    numbers = []
    infinite = False
    for word in (old, increment):
        value = long_double.parse(word)
        if value is None and not long_double.is_infinite(word):
            raise errors.error(errors.NOT_FLOAT)
        infinite = infinite or value is None
        numbers.append(value or long_double.ZERO)
    if infinite:
        raise errors.error(errors.NOT_A_NUMBER)
    return long_double.add_decimal(*numbers)


# INCREX computes with int, or with Fraction after BYFLOAT.


def _step_and_bounds(byint: Any, byfloat: Any, lbound: Any, ubound: Any) -> tuple[Any, Any, Any]:
    """Return the increment and the bounds; an error message names the invalid one."""
    if byfloat is None:
        step = 1 if byint is None else _named("Increment", integer, byint)
        low = I64_MIN if lbound is None else _named("LBOUND", integer, lbound)
        high = I64_MAX if ubound is None else _named("UBOUND", integer, ubound)
    else:
        from minidis.structures.long_double import LARGEST  # loads fractions and decimal

        step = _named("Increment", _real, byfloat)
        if step in (inf, -inf):
            raise errors.error("BYFLOAT increment cannot be Infinity")
        low = -LARGEST if lbound is None else _named("LBOUND", _real, lbound)
        high = LARGEST if ubound is None else _named("UBOUND", _real, ubound)
    if low > high:
        raise errors.error("LBOUND can't be greater than UBOUND")
    return step, low, high


def _named(name: str, convert: Callable[[Any], Any], word: Any) -> Any:
    """Convert a number; an error message starts with `name` instead of "value"."""
    try:
        return convert(word)
    except errors.ResponseError as error:
        raise errors.ResponseError(str(error).replace("value", name, 1)) from None


def _real(word: Any) -> Fraction | float:
    """Convert an argument of BYFLOAT to a Fraction, or to float infinity."""
    from minidis.structures import long_double  # loads fractions and decimal

    text = encode(word)
    if long_double.is_infinite(text):
        return -inf if text[:1] == b"-" else inf
    value = long_double.parse(text)
    if value is None:
        raise errors.error(errors.NOT_FLOAT)
    return value


def _value_to_step(text: bytes, whole: bool) -> Any:
    """Convert the stored string to the number that INCREX increments."""
    value = integer(text) if whole else _real(text)
    if value in (inf, -inf):
        raise errors.error("value cannot be Infinity")
    return value


def _stepped(value: Any, step: Any, low: Any, high: Any, saturate: bool) -> Any:
    """Return the incremented number, or None if it is out of bounds."""
    whole = value.__class__ is int
    new = value + step
    if not whole:
        from minidis.structures import long_double  # loads fractions and decimal

        new = long_double.rounded(new)
    if not low <= new <= high:
        if not saturate:
            return None
        new = min(max(new, low), high)
    applied = new - value
    if whole and not I64_MIN <= applied <= I64_MAX:
        raise errors.error("applied increment would overflow")
    if not whole and abs(applied) > long_double.LARGEST:
        raise errors.error("applied increment would be Infinity")
    return new


def _number_reply(number: Any) -> int | float:
    """Return a number for the reply: an int, or a float after BYFLOAT."""
    if number.__class__ is int:
        return number
    return float(_decimal(number))


def _decimal(number: Fraction) -> bytes:
    """The text of a number that INCREX computed with."""
    from minidis.structures import long_double  # loads fractions and decimal

    return long_double.add_decimal(number, long_double.ZERO)
