"""Commands that move elements between the ends of lists: LMOVE, RPOPLPUSH, LMOVEM.

They change two lists, or both ends of one list. Before each change they add an entry to the undo
log, so that a rollback can take a half-done move back (see _move_on and _move_within).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minidis import errors
from minidis.commands.shared.group import Group, T
from minidis.grammar.command import declarations
from minidis.grammar.kinds import Integer, Key, at_least, encode
from minidis.structures.lists import List

command = declarations(group="list")

_COUNT = at_least(1, errors.COUNT_NOT_POSITIVE)


class ListMoves(Group[T]):
    """Commands that move elements: LMOVE, RPOPLPUSH, LMOVEM."""

    @command(
        "LMOVE source destination <LEFT | RIGHT> <LEFT | RIGHT>",
        "write denyoom",
        since="6.2.0",
        complexity="O(1)",
        access="RW ACCESS DELETE | RW INSERT",
        choices="src dest",
    )
    def lmove(
        self, source: Key, destination: Key, src: str = "LEFT", dest: str = "RIGHT"
    ) -> T | None:
        """Move an element from one end of list `source` to one end of list `destination`.

        src, dest: LEFT (head) or RIGHT (tail). Both keys may be the same list, which is then
        rotated. Returns the element, or None if `source` does not exist.

        >>> db.rpush("todo", "a", "b"), db.lmove("todo", "done"), db.lrange("done", 0, -1)
        (2, b'a', [b'a'])
        """
        moved: Any = self._move(source, destination, (src, dest), 1, False, True)
        return moved[0] if moved else None

    @command(
        "RPOPLPUSH source destination",
        "write denyoom",
        since="1.2.0",
        complexity="O(1)",
        access="RW ACCESS DELETE | RW INSERT",
    )
    def rpoplpush(self, source: Key, destination: Key) -> T | None:
        """Move the last element of list `source` to the head of list `destination`.

        Returns the element, or None if `source` does not exist. LMOVE replaces this command.

        >>> db.rpush("todo", "a", "b"), db.rpoplpush("todo", "done")
        (2, b'b')
        """
        moved: Any = self._move(source, destination, (b"RIGHT", b"LEFT"), 1, False, True)
        return moved[0] if moved else None

    @command(
        "LMOVEM source destination <LEFT | RIGHT> <LEFT | RIGHT> "
        "[<COUNT count | EXACTLY exactly> <OBO | BULK>]",
        "write denyoom",
        since="8.10.0",
        complexity="O(n) for n elements moved",
        access="RW ACCESS DELETE | RW INSERT",
        kinds={"count": _COUNT, "exactly": _COUNT},
        choices="src dest ordering",
    )
    def lmovem(
        self,
        source: Key,
        destination: Key,
        src: str = "LEFT",
        dest: str = "RIGHT",
        count: Integer | None = None,
        exactly: Integer | None = None,
        ordering: str | None = None,
    ) -> list[T] | None:
        """Move several elements from one end of list `source` to one end of list `destination`.

        src, dest: LEFT (head) or RIGHT (tail). count: move at most this many elements.
        exactly: move this many or none. ordering: required with either; OBO moves one by one, BULK
        keeps the order that the elements have in `source`. Without these options one element is
        moved.

        Returns the moved elements as they lie in `destination`, [] if `source` does not exist, or
        None if it has fewer than `exactly` elements.

        >>> db.rpush("todo", 1, 2, 3), db.lmovem("todo", "done", "LEFT", "LEFT", 2, ordering="OBO")
        (3, [b'2', b'1'])
        """
        number, bulk = self._how_many(count, exactly, ordering)
        return self._move(source, destination, (src, dest), number, exactly is not None, bulk)

    def _how_many(self, count: Any, exactly: Any, ordering: Any) -> tuple[int, bool]:
        """Return the number of elements that LMOVEM moves, and whether they keep their order."""
        number = exactly if count is None else count
        if (number is None) != (ordering is None) or None not in (count, exactly):
            raise errors.error(errors.SYNTAX)
        return number or 1, ordering is None or encode(ordering) == b"BULK"

    def _move(
        self,
        source: Any,
        destination: Any,
        ends: tuple[Any, Any],
        count: int,
        exactly: bool,
        bulk: bool,
    ) -> Any:
        """Check both keys, then move; return the moved elements in the order of the destination."""
        space = self.space
        row = space.write(source, List)
        if row is None:
            return None if exactly else []
        target = space.write(destination, List)
        size = len(row)
        if exactly and count > size:
            return None
        count = min(count, size)
        from_left, to_left = (end in (b"LEFT", "LEFT") for end in ends)
        taken = row.slice(0, count) if from_left else row.slice(size - count, size)
        # One by one, the first element taken ends up farthest from the end it is pushed to.
        reverse = not bulk and from_left == to_left
        moved = taken[::-1] if reverse else taken
        space.changed(destination, "lpush" if to_left else "rpush", 0)
        if row is target:
            space.changed(source, "lpop" if from_left else "rpop")
            self._move_within(source, row, taken, moved, (from_left, to_left))
        else:
            self._move_on(source, destination, (row, target), (taken, moved), (from_left, to_left))
        return moved

    def _move_on(
        self,
        source: bytes,
        destination: bytes,
        rows: tuple[List, List | None],
        elements: tuple[list[bytes], list[bytes]],
        left: tuple[bool, bool],
    ) -> None:
        """Move elements to another list, which is created if it does not exist."""
        space, unit = self.space, self.unit
        (row, target), (taken, moved), (from_left, to_left) = rows, elements, left
        unit.on_rollback(return_elements, row, len(row), taken, from_left)
        if target is None:
            space.put(destination, List.pushed(moved, self.engine.settings.limits))
        else:
            unit.on_rollback(_take_back, target, len(target), to_left)
            _push(target, moved, to_left)
            if target.nodes is None:
                target.outgrow(moved, self.engine.settings.limits, left=to_left)
        event = "lpop" if from_left else "rpop"
        if len(taken) == len(row):
            space.delete_emptied(source, event)
        else:
            space.changed(source, event)
            (row.pop_left if from_left else row.pop_right)(len(taken))

    def _move_within(
        self,
        key: bytes,
        row: List,
        taken: list[bytes],
        moved: list[bytes],
        left: tuple[bool, bool],
    ) -> None:
        """Move elements between the ends of one list, or reverse a few elements at one end."""
        unit = self.unit
        from_left, to_left = left
        if from_left == to_left and taken == moved:
            return
        # Once both steps are done the list has its size again, and the undo finds nothing to do.
        if from_left != to_left:
            unit.on_rollback(_take_back, row, len(row), to_left)
            _push(row, moved, to_left)
            if row.nodes is None:
                row.outgrow(moved, self.engine.settings.limits, left=to_left)
            (row.pop_left if from_left else row.pop_right)(len(taken))
        else:
            self.space.save_undo(key)  # the list may be empty in between
            unit.on_rollback(return_elements, row, len(row), taken, from_left)
            (row.pop_left if from_left else row.pop_right)(len(taken))
            _push(row, moved, to_left)


def _push(row: List, elements: Sequence[bytes], left: bool) -> None:
    """Push elements to one end of a list so that they keep their order."""
    if left:
        row.push_left(elements[::-1])
    else:
        row.push_right(elements)


def return_elements(row: List, size: int, taken: list[bytes], left: bool) -> None:
    """Undo a pop if it has happened: then the list is shorter than `size`."""
    if len(row) < size:
        _push(row, taken, left)


def _take_back(row: List, size: int, left: bool) -> None:
    """Undo a push if it has happened: then the list is longer than `size`."""
    if len(row) > size:
        (row.pop_left if left else row.pop_right)(len(row) - size)
