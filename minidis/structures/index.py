"""Random choice and SCAN cursors for containers and databases: a dense list, scanned from its end.

    items      a  b  c  d  e          discard(b):   a  e  c  d
    positions  0  1  2  3  4                        0  1  2  3

The last item is moved to the free position, so every operation is O(1). A cursor c means "items[:c]
have not been returned yet". A free position below c is filled either by an item from above c, which
has been returned already (so SCAN returns it twice, as it may), or, if there is nothing above c, by
an item from below c. So an item that is present during the whole scan is returned at least once,
and a scan needs no state besides its cursor.

Only add() and discard() need positions; the first of these calls builds them. Scanning and random
choice need the list only, and a list of a million members is built in 10 ms.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any


class Index:
    """The members of a container, or the keys of a database, in a dense list."""

    __slots__ = ("items", "positions")

    def __init__(self, members: Iterable[bytes] = ()) -> None:
        self.items: list[bytes] = list(members)
        self.positions: dict[bytes, int] | None = None

    def _positions(self) -> dict[bytes, int]:
        """The positions; the first call builds them."""
        positions = self.positions
        if positions is None:
            items = self.items
            positions = self.positions = dict(zip(items, range(len(items)), strict=True))
        return positions

    def __len__(self) -> int:
        return len(self.items)

    def add(self, member: bytes) -> None:
        """Add a member, if it is missing."""
        positions = self._positions()
        if member not in positions:
            items = self.items
            positions[member] = len(items)
            items.append(member)

    def discard(self, member: bytes) -> None:
        """Remove a member, if it exists; the last item takes its place."""
        positions = self._positions()
        hole = positions.pop(member, None)
        if hole is None:
            return
        items = self.items
        last = items.pop()
        if hole != len(items):
            items[hole] = last
            positions[last] = hole

    def clear(self) -> None:
        """Remove all members."""
        self.items.clear()
        self.positions = None

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """The next cursor, and up to `count` members.

        Cursor 0 starts a scan; a returned cursor of 0 ends it. A cursor beyond the end starts at
        the end.

        >>> index = Index([b"a", b"b", b"c"])
        >>> index.scan(0, 2)
        (1, [b'c', b'b'])
        >>> index.scan(1, 2)
        (0, [b'a'])
        """
        items = self.items
        end = len(items)
        if cursor and cursor < end:
            end = cursor
        start = end - count if end > count else 0
        found = items[start:end]
        found.reverse()
        return start, found

    def choice(self, randbelow: Callable[[int], int]) -> bytes:
        """One member, each with the same probability."""
        items = self.items
        return items[randbelow(len(items))]

    def sample(self, count: int, randbelow: Callable[[int], int]) -> list[bytes]:
        """`count` different members in random order, in O(count).

        A Fisher-Yates shuffle that stops after `count` steps, and records its swaps in a dictionary
        instead of copying the list.
        """
        items = self.items
        left = len(items)
        moved: dict[int, int] = {}
        chosen = []
        for _ in range(count):
            at = randbelow(left)
            chosen.append(items[moved.get(at, at)])
            left -= 1
            moved[at] = moved.get(left, left)
        return chosen

    def repair(self, truth: Collection[bytes]) -> None:
        """Make the index agree with `truth`; members keep their order, so scans can go on."""
        if not isinstance(truth, (dict, set)):
            truth = dict.fromkeys(truth)
        known = dict.fromkeys(self.items)
        items = [member for member in known if member in truth]
        items += [member for member in truth if member not in known]
        self.items = items
        self.positions = None

    def check(self, truth: Collection[bytes]) -> None:
        """Raise AssertionError unless the index has exactly the members of `truth`."""
        assert len(self.items) == len(truth)
        assert set(self.items) == set(truth)
        if self.positions is not None:
            assert self.positions == {member: at for at, member in enumerate(self.items)}


class Indexed:
    """Mixin for containers with an index: scan and random choice."""

    __slots__ = ()

    def indexed(self) -> Index:
        """The index; the first call builds it."""
        raise NotImplementedError

    def in_order(self) -> Any:
        """The members in the order in which Redis has them, as far as it has one."""
        return self

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """The next cursor of a scan, and some members (see Index.scan)."""
        return self.indexed().scan(cursor, count)

    def random(self, randbelow: Callable[[int], int]) -> bytes:
        """One member, each with the same probability."""
        return self.indexed().choice(randbelow)

    def sample(self, count: int, randbelow: Callable[[int], int]) -> list[bytes]:
        """`count` different members in random order."""
        return self.indexed().sample(count, randbelow)
