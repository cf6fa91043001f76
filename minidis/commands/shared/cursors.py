"""Walks by cursor over what a key holds (HSCAN and its like), and random choices from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from minidis import errors
from minidis.grammar.kinds import MOST_REPEATED, Kind, integer
from minidis.replies import Cursor
from minidis.structures.glob import compile_pattern

#: What a step looks at without COUNT.
STEP = 10

#: A cursor and members, as they stand in the reply.
Walked = tuple[Cursor, list[bytes]]


def _step_size(value: Any) -> int:
    number = integer(value)
    if number < 1:
        raise errors.error(errors.SYNTAX)
    return number


#: COUNT: less than one is a syntax error.
STEP_SIZE = Kind(_step_size, "", "how many to look at")


def walk(container: Any, cursor: Any, match: Any, count: Any, mistake: Any) -> Walked:
    """The next cursor and what was found; (0, nothing) when `container` is None.

    A missing key is answered before the options are read, so what is wrong with them comes as
    `mistake`. A container in the compact encoding is given whole, whatever cursor and count say.
    """
    if container is None:
        return Cursor(0), []
    if mistake is not None:
        raise mistake
    following, found = 0, container
    if container.expanded:
        following, found = container.scan(cursor, STEP if count is None else count)
    if match is not None:
        found = filter(compile_pattern(match), found)
    return Cursor(following), list(found)


def every(step: Callable[[Any], Any]) -> Iterator[Any]:
    """All that the steps of a walk bring; `step` takes a cursor, and answers the next one first."""
    cursor: Any = 0
    while True:
        cursor, found = step(cursor)
        yield from found
        if not cursor:
            return


def chosen(container: Any, count: int, randbelow: Callable[[int], int]) -> list[Any]:
    """Random members: `count` different ones, all if there are fewer; negative: any, repeated."""
    if count >= len(container):
        return list(container)
    if count >= 0:
        sample: list[Any] = container.sample(count, randbelow)
        return sample
    if count < -MOST_REPEATED:
        raise errors.error(errors.OUT_OF_RANGE)
    members, size = container.indexed().items, len(container)
    return [members[randbelow(size)] for _ in range(-count)]
