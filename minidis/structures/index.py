"""Random choice and SCAN cursors for whatever has members: one dense list, walked from its end.

    items      a  b  c  d  e          discard(b):   a  e  c  d
    positions  0  1  2  3  4                        0  1  2  3

The last item moves into the hole, so every operation is O(1). A cursor c means "items[:c] are
left". A hole below c is filled by an item from above c, which was returned already (it comes a
second time, as SCAN may) or, when nothing is above c, by one that stays below c. So nothing that
is present from the start of a walk to its end is missed, and no walk leaves anything behind here.

Only adding and discarding ask for positions; they are made then, for the first time. To walk and to
choose, the list is enough, and a list of a million members is made in a hundredth of a second.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable


class Index:
    """The members of a container (or the keys of a database) in a list without holes."""

    __slots__ = ("items", "positions")

    def __init__(self, members: Iterable[bytes] = ()) -> None:
        self.items: list[bytes] = list(members)
        self.positions: dict[bytes, int] | None = None

    def _placed(self) -> dict[bytes, int]:
        """The positions, made now if this is the first time that they are needed."""
        positions = self.positions
        if positions is None:
            items = self.items
            positions = self.positions = dict(zip(items, range(len(items)), strict=True))
        return positions

    def __len__(self) -> int:
        return len(self.items)

    def add(self, member: bytes) -> None:
        """Append a member; nothing happens when it is there."""
        positions = self._placed()
        if member not in positions:
            items = self.items
            positions[member] = len(items)
            items.append(member)

    def discard(self, member: bytes) -> None:
        """Remove a member, if it is there; the last one takes its place."""
        positions = self._placed()
        hole = positions.pop(member, None)
        if hole is None:
            return
        items = self.items
        last = items.pop()
        if hole != len(items):
            items[hole] = last
            positions[last] = hole

    def clear(self) -> None:
        """Forget all members."""
        self.items.clear()
        self.positions = None

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """The next `count` members from the end downward, and the cursor to go on with.

        Cursor 0 starts a walk, and as an answer ends it. A cursor beyond the end means the end.

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

        A Fisher-Yates shuffle that stops after `count` steps and notes its swaps in a dictionary
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
        """Agree with `truth` again, keeping the order (and so running walks) where possible."""
        if not isinstance(truth, (dict, set)):
            truth = dict.fromkeys(truth)
        known = dict.fromkeys(self.items)
        items = [member for member in known if member in truth]
        items += [member for member in truth if member not in known]
        self.items = items
        self.positions = None

    def check(self, truth: Collection[bytes]) -> None:
        """Raise AssertionError unless the index holds exactly the members of `truth`."""
        assert len(self.items) == len(truth)
        assert set(self.items) == set(truth)
        if self.positions is not None:
            assert self.positions == {member: at for at, member in enumerate(self.items)}


class Walked:
    """What has members and an index of them: the questions that the index answers."""

    __slots__ = ()

    def indexed(self) -> Index:
        """The index, built now if this is the first time that it is needed."""
        raise NotImplementedError

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """The next members of a walk, and the cursor to go on with (see Index.scan)."""
        return self.indexed().scan(cursor, count)

    def random(self, randbelow: Callable[[int], int]) -> bytes:
        """One member, each with the same probability."""
        return self.indexed().choice(randbelow)

    def sample(self, count: int, randbelow: Callable[[int], int]) -> list[bytes]:
        """`count` different members in random order."""
        return self.indexed().sample(count, randbelow)
