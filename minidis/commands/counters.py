"""Counters: strings that are numbers."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from minidis import errors
from minidis.command import command
from minidis.commands.group import Group, T
from minidis.commands.moments import EXPIRY, EXPIRY_KINDS, Moment, Span, deadline_of
from minidis.keyspace import text_of
from minidis.kinds import I64_MAX, I64_MIN, RAW, Float, Integer, Key, Value, encode, integer
from minidis.replies import Decimal
from minidis.structures import long_double
from minidis.structures.text import Text

_LARGEST = Fraction((2**64 - 1) * 2**16320)  # LDBL_MAX


class Counters(Group[T]):
    """INCR and its family."""

    @command(
        "INCR key",
        "write denyoom fast",
        group="string",
        since="1.0.0",
        complexity="O(1)",
        access="RW ACCESS UPDATE",
    )
    def incr(self, key: Key) -> int:
        """Add 1 to the integer at `key` and return it; a missing key counts as 0.

        ResponseError when the value is no 64-bit integer or the sum would not be one.

        >>> db.incr("visits"), db.incr("visits")
        (1, 2)
        """
        return self._add(key, 1)

    @command(
        "INCRBY key increment",
        "write denyoom fast",
        group="string",
        since="1.0.0",
        complexity="O(1)",
        access="RW ACCESS UPDATE",
    )
    def incrby(self, key: Key, increment: Integer) -> int:
        """Add `increment` to the integer at `key` and return it; a missing key counts as 0.

        >>> db.incrby("visits", 10)
        10
        """
        return self._add(key, integer(increment))

    @command(
        "DECR key",
        "write denyoom fast",
        group="string",
        since="1.0.0",
        complexity="O(1)",
        access="RW ACCESS UPDATE",
    )
    def decr(self, key: Key) -> int:
        """Subtract 1 from the integer at `key` and return it; a missing key counts as 0.

        >>> db.decr("stock")
        -1
        """
        return self._add(key, -1)

    @command(
        "DECRBY key decrement",
        "write denyoom fast",
        group="string",
        since="1.0.0",
        complexity="O(1)",
        access="RW ACCESS UPDATE",
    )
    def decrby(self, key: Key, decrement: Integer) -> int:
        """Subtract `decrement` from the integer at `key` and return it; missing counts as 0.

        >>> db.set("stock", 10), db.decrby("stock", 3)
        (OK, 7)
        """
        amount = integer(decrement)
        if amount == I64_MIN:
            raise errors.error("decrement would overflow")
        return self._add(key, -amount)

    def _add(self, key: Any, amount: int) -> int:
        """The body of the INCR family."""
        space = self.space
        old = space.string_to_change(key)
        if old.__class__ is not int:
            old = 0 if old is None else integer(text_of(old))
        new: int = old + amount
        if not I64_MIN <= new <= I64_MAX:
            raise errors.error(errors.OVERFLOW)
        space.touch(key, "incrby")
        space.replace(key, new)
        return new

    @command(
        "INCRBYFLOAT key increment",
        "write denyoom fast",
        group="string",
        since="2.6.0",
        complexity="O(1)",
        access="RW ACCESS UPDATE",
        kinds={"increment": RAW},
    )
    def incrbyfloat(self, key: Key, increment: Float) -> float:
        """Add a decimal number to the one at `key` and return it; a missing key counts as 0.

        Computed as Redis does, with 64 bits of mantissa and at most 17 decimals.

        >>> db.set("price", "10.50"), db.incrbyfloat("price", 0.1)
        (OK, 10.6)
        """
        old = text_of(self.space.string_to_change(key))
        new = _float_sum(b"0" if old is None else old, encode(increment))
        self.space.touch(key, "incrbyfloat")
        self.space.replace(key, Text(new))
        return Decimal(new)

    @command(
        "INCREX key [BYFLOAT float | BYINT integer] [SATURATE] [LBOUND lowerbound] "
        f"[UBOUND upperbound] [{EXPIRY} | PERSIST] [ENX]",
        "write denyoom fast",
        group="string",
        since="8.8.0",
        complexity="O(1)",
        access="RW ACCESS UPDATE",
        kinds={**EXPIRY_KINDS, "float": RAW, "integer": RAW},
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
        """Add to the number at `key` within bounds; [new value, what was added].

        Adds `byint` (1 without it) or `byfloat`. A sum outside `lbound`..`ubound` changes nothing
        and answers [value, 0]; with `saturate` it stops at the bound. `ex` seconds, `px`
        milliseconds, `exat`, `pxat` since 1970 set the expiry, with `enx` only if there is none;
        `persist` takes it away; without any of them it stays.

        >>> [db.increx("calls", ubound=2, ex=60, enx=True) for _ in range(3)]
        [[1, 1], [2, 1], [2, 0]]
        """
        times = (ex, px, exat, pxat)
        if enx and (persist or times == (None, None, None, None)):
            raise errors.error(errors.SYNTAX)
        old = text_of(self.space.string_to_change(key))
        new: float
        step: float
        stored: Any
        if byfloat is not None:
            new, step, stored = _step_float(old, byfloat, lbound, ubound, saturate)
        else:
            new, step, stored = _step_integer(old, byint, lbound, ubound, saturate)
        deadline = deadline_of(self.engine, "increx", *times)
        if stored is not None:
            self._store_step(encode(key), stored, deadline, persist, enx)
        return [new, step]

    def _store_step(
        self, key: bytes, value: Any, deadline: int | None, persist: bool, enx: bool
    ) -> None:
        """INCREX's value and expiry."""
        space = self.space
        current = space.deadlines.get(key)
        if persist:
            deadline = None
        elif deadline is None or (enx and current is not None):
            deadline = current
        if deadline is not None and deadline <= self.engine.now():
            space.touch(key, "del")
            space.remove(key)
            return
        space.touch(key, "incrby" if value.__class__ is int else "incrbyfloat")
        space.put(key, value, deadline)
        if deadline != current:
            space.touch(key, "persist" if deadline is None else "expire", 0)


def _float_sum(old: bytes, increment: bytes) -> bytes:
    """INCRBYFLOAT's text of a sum; both must be numbers, and so must be the sum."""
    numbers = []
    infinite = False
    for word in (old, increment):
        value = long_double.parse(word)
        if value is None and not long_double.is_infinite(word):
            raise errors.error(errors.NOT_FLOAT)
        infinite = infinite or value is None
        numbers.append(value or Fraction(0))
    if infinite:
        raise errors.error(errors.NOT_A_NUMBER)
    return long_double.add_decimal(*numbers)


def _step_integer(
    old: bytes | None, byint: Any, lbound: Any, ubound: Any, saturate: bool
) -> tuple[int, int, int | None]:
    """(value after, step made, value to store or None when the bounds forbid the step)."""
    low = I64_MIN if lbound is None else integer(lbound)
    high = I64_MAX if ubound is None else integer(ubound)
    value = 0 if old is None else integer(old)
    step = 1 if byint is None else integer(byint)
    if low > high:
        raise errors.error("LBOUND can't be greater than UBOUND")
    new = value + step
    if not low <= new <= high:
        if not saturate:
            return value, 0, None
        new = min(max(new, low), high)
    if not I64_MIN <= new - value <= I64_MAX:
        raise errors.error(errors.OVERFLOW)
    return new, new - value, new


def _step_float(
    old: bytes | None, byfloat: Any, lbound: Any, ubound: Any, saturate: bool
) -> tuple[float, float, Text | None]:
    """The same for BYFLOAT."""
    words = (lbound, ubound, b"0" if old is None else old, byfloat)
    numbers = [None if word is None else long_double.parse(encode(word)) for word in words]
    if any(
        number is None and word is not None for number, word in zip(numbers, words, strict=True)
    ):
        raise errors.error(errors.NOT_FLOAT)
    value, step = numbers[2] or Fraction(0), numbers[3] or Fraction(0)
    low = -_LARGEST if numbers[0] is None else numbers[0]
    high = _LARGEST if numbers[1] is None else numbers[1]
    if low > high:
        raise errors.error("LBOUND can't be greater than UBOUND")
    new = long_double.rounded(value + step)
    if not low <= new <= high:
        if not saturate:
            return _decimal(value), Decimal(b"0"), None
        new = min(max(new, low), high)
    return _decimal(new), _decimal(new - value), Text(long_double.add_decimal(new, Fraction(0)))


def _decimal(value: Fraction) -> Decimal:
    return Decimal(long_double.add_decimal(value, Fraction(0)))
