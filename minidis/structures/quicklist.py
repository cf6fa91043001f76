"""The nodes of a quicklist, as Redis would have them: they decide when it is a listpack again.

    start                                     stop      positions; pushes to the head go below 0
    | a b c | d e f g h | i j |
            cuts[0]     cuts[1]                         where the nodes after the first begin

Redis makes a new node when an element does not fit into the outer one. A list that has shrunk to
one node of half the permitted size becomes a listpack. Insertions in the middle are counted to the
node in which they happen; Redis may split it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from minidis.structures.limits import Limits
from minidis.structures.listpack_sizes import EMPTY, text_bytes

#: What Redis expects an element to take beyond its text.
_EXTRA = 8


class Nodes:
    """The boundaries of the nodes, and the bytes in the outer two."""

    __slots__ = ("cuts", "head", "limits", "start", "stop", "tail")

    def __init__(self, count: int, size: int, limits: Limits) -> None:
        """One node of `count` elements in `size` bytes."""
        self.limits = limits
        self.start, self.stop = 0, count
        self.cuts: deque[int] = deque()
        self.head = self.tail = size

    @classmethod
    def of(cls, nodes: Iterable[Sequence[bytes]], limits: Limits) -> Nodes:
        """Nodes with these elements."""
        new = cls(0, EMPTY, limits)
        for elements in filter(None, nodes):
            if new.stop:
                new.cuts.append(new.stop)
            new.stop += len(elements)
            new.tail = EMPTY + sum(map(text_bytes, elements))
            new.head = new.head if new.cuts else new.tail
        return new

    def copy(self) -> Nodes:
        """Independent nodes of the same sizes."""
        twin = Nodes(0, self.tail, self.limits)
        twin.start, twin.stop, twin.head = self.start, self.stop, self.head
        twin.cuts = self.cuts.copy()
        return twin

    def push_left(self, elements: Iterable[bytes]) -> None:
        """Elements were pushed to the head."""
        for element in elements:
            first = self.cuts[0] if self.cuts else self.stop
            if self._is_full(self.head, first - self.start, len(element)):
                if not self.cuts:
                    self.tail = self.head
                self.cuts.appendleft(self.start)
                self.head = EMPTY
            self.start -= 1
            self.head += text_bytes(element)
            if not self.cuts:
                self.tail = self.head

    def push_right(self, elements: Iterable[bytes]) -> None:
        """Elements were pushed to the tail."""
        for element in elements:
            last = self.cuts[-1] if self.cuts else self.start
            if self._is_full(self.tail, self.stop - last, len(element)):
                if not self.cuts:
                    self.head = self.tail
                self.cuts.append(self.stop)
                self.tail = EMPTY
            self.stop += 1
            self.tail += text_bytes(element)
            if not self.cuts:
                self.head = self.tail

    def _is_full(self, size: int, count: int, length: int) -> bool:
        limits = self.limits
        most = limits.list_entries
        return size + length + _EXTRA > limits.list_bytes or (most is not None and count >= most)

    def pop_left(self, elements: Sequence[bytes]) -> None:
        """Elements were removed from the head."""
        for element in elements:
            self.start += 1
            self.head -= text_bytes(element)
            if self.cuts and self.cuts[0] == self.start:
                self.cuts.popleft()
                # An inner node counts as full.
                self.head = self.limits.list_bytes if self.cuts else self.tail
            if not self.cuts:
                self.tail = self.head

    def pop_right(self, elements: Sequence[bytes]) -> None:
        """Elements were removed from the tail."""
        for element in elements:
            self.stop -= 1
            self.tail -= text_bytes(element)
            if self.cuts and self.cuts[-1] == self.stop:
                self.cuts.pop()
                self.tail = self.limits.list_bytes if self.cuts else self.head
            if not self.cuts:
                self.head = self.tail

    @property
    def fit_a_listpack(self) -> bool:
        """Whether there is one node, half as large as it may be."""
        most = self.limits.list_entries
        if self.cuts:
            return False
        if most is None:
            return self.head <= self.limits.list_bytes // 2
        return self.stop - self.start <= most // 2

    def inserted(self, index: int) -> None:
        """An element was inserted at this index."""
        place = self.start + index
        self.cuts = deque(cut + (cut > place) for cut in self.cuts)
        self.stop += 1

    def removed(self, indexes: Iterable[int]) -> None:
        """Elements were removed, at these indexes of the list before."""
        gone = sorted(self.start + index for index in indexes)
        cuts = [cut - sum(place < cut for place in gone) for cut in self.cuts]
        self.stop -= len(gone)
        self.cuts = deque(sorted({cut for cut in cuts if self.start < cut < self.stop}))

    def fit(self, size: int) -> None:
        """After an interruption: as many elements as there are."""
        self.stop = self.start + size
        self.cuts = deque(cut for cut in self.cuts if cut < self.stop)
