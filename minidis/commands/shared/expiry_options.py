"""The options EX, PX, EXAT and PXAT: types, syntax, and conversion to a deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from minidis import errors
from minidis.engine.engine import Engine
from minidis.grammar.kinds import I64_MAX, I64_MIN, RAW, Integer, integer, units

if TYPE_CHECKING:
    from datetime import datetime, timedelta

#: A relative time: a number of units, or a timedelta.
Span: TypeAlias = "Integer | timedelta"
#: An absolute time: a number of units since 1970, or a datetime.
Moment: TypeAlias = "Integer | datetime"

#: A number of seconds for which deadlines need no check of their range.
MOST_SECONDS = 2**40

#: The options as written in syntax lines.
EXPIRY = "EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds"

#: Redis converts the time after it has parsed all options: the parser passes it on unconverted, and
#: deadline_of() converts it.
EXPIRY_KINDS = dict.fromkeys(
    ("seconds", "milliseconds", "unix-time-seconds", "unix-time-milliseconds"), RAW
)


def milliseconds(value: Any, unit: int, base: int, command: str, *, least: int = 1) -> int:
    """Convert a time to a deadline in milliseconds since 1970; raise ResponseError if out of range.

    `value` is a number of `unit` milliseconds, at least `least`, after `base` (milliseconds since
    1970, or 0 for an absolute time).
    """
    number = value if value.__class__ is int else integer(units(value, unit))
    if number < least or number > I64_MAX // unit:
        raise errors.invalid_expire(command)
    deadline = number * unit + base
    if not I64_MIN <= deadline <= I64_MAX:
        raise errors.invalid_expire(command)
    return deadline


def deadline_of(
    engine: Engine,
    command: str,
    ex: Span | None,
    px: Span | None,
    exat: Moment | None,
    pxat: Moment | None,
) -> int | None:
    """Return the deadline of the options in milliseconds since 1970, or None without options."""
    if ex is not None:
        return milliseconds(ex, 1000, engine.unit.now(), command)
    if px is not None:
        return milliseconds(px, 1, engine.unit.now(), command)
    if exat is not None:
        return milliseconds(exat, 1000, 0, command)
    if pxat is not None:
        return milliseconds(pxat, 1, 0, command)
    return None
