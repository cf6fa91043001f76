"""Cursor iteration over a collection (HSCAN, SSCAN, ZSCAN), and random members of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from minidis import errors
from minidis.grammar.kinds import MOST_REPEATED, Kind, integer
from minidis.replies import Cursor
from minidis.structures.glob import compile_pattern

#: Number of elements that a step examines without COUNT.
STEP = 10

#: The reply: next cursor and members.
Walked = tuple[Cursor, list[bytes]]


def _step_size(value: Any) -> int:
    """Convert COUNT; raise the syntax error if it is less than 1."""
    number = integer(value)
    if number < 1:
        raise errors.error(errors.SYNTAX)
    return number


#: The kind of COUNT.
STEP_SIZE = Kind(_step_size, "", "how many to look at")


def walk(container: Any, cursor: Any, match: Any, count: Any, option_error: Any) -> Walked:
    """Return the next cursor and the members found; (0, []) if `container` is None.

    Redis checks that the key exists before it checks the options, so an invalid option arrives as
    `option_error`. A container in the compact encoding is returned as a whole, whatever `cursor`
    and `count` are.
    """
    if container is None:
        return Cursor(0), []
    if option_error is not None:
        raise option_error
    following, found = 0, container.in_order()
    if container.expanded:
        following, found = container.scan(cursor, STEP if count is None else count)
    if match is not None:
        found = filter(compile_pattern(match), found)
    return Cursor(following), list(found)


def every(step: Callable[[Any], Any]) -> Iterator[Any]:
    """Yield the items of all steps of a scan; `step` maps a cursor to (next cursor, items)."""
    cursor: Any = 0
    while True:
        cursor, found = step(cursor)
        yield from found
        if not cursor:
            return


def chosen(container: Any, count: int, randbelow: Callable[[int], int]) -> list[Any]:
    """Return `count` different random members at most; if negative, -count ones that may repeat."""
    if count >= len(container):
        return list(container.in_order())
    if count >= 0:
        sample: list[Any] = container.sample(count, randbelow)
        return sample
    if count < -MOST_REPEATED:
        raise errors.error(errors.OUT_OF_RANGE)
    members, size = container.indexed().items, len(container)
    return [members[randbelow(size)] for _ in range(-count)]
