"""List: a sequence of chunks, each a Python list of at most CHUNK elements.

    chunks   [a b c] [d e f g] [h i]       none is empty, except that an empty list is [[]]
    size     9
    cuts            3         7            the positions where the chunks after the first begin

Python lists move memory fast: pushing to the front of a chunk of 512 takes a tenth of a
microsecond, so both ends use the same simple code. An index in the middle is found by bisecting
`cuts`. Positions count from the first cut, so `cuts` stays valid while only the outer chunks grow
and shrink. Any change of an inner chunk sets it to None, and the next look-up rebuilds it. That
takes one step per chunk, and is needed once in hundreds of pushes.

Every method that changes something is atomic: the elements change by one operation on one list (a
slice of a chunk, a slice of `chunks`, or a new list of chunks), and repair() derives `size` and
`cuts` from the chunks.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, islice
from typing import Self

from minidis.structures.limits import Limits
from minidis.structures.listpack_sizes import EMPTY, MOST_EXTRA, text_bytes
from minidis.structures.quicklist import Nodes

CHUNK = 512


class List:
    """Elements in the order in which they were pushed.

    >>> row = List.load([b"b", b"c"])
    >>> row.push_left([b"a", b"z"])
    >>> list(row), row.pop_right(2), len(row)
    ([b'z', b'a', b'b', b'c'], [b'c', b'b'], 2)
    """

    __slots__ = ("bytes", "chunks", "cuts", "nodes", "size")

    def __init__(self) -> None:
        self.chunks: list[list[bytes]] = [[]]
        self.cuts: list[int] | None = None
        self.size = 0
        #: an upper bound of the bytes of the listpack
        self.bytes = EMPTY
        #: where Redis would have the nodes of a quicklist; None: it would have a listpack
        self.nodes: Nodes | None = None

    @classmethod
    def load(cls, elements: Sequence[bytes]) -> Self:
        """A list of these elements."""
        new = cls()
        new._set_chunks(_chunked(list(elements)))
        new.bytes += sum(map(len, elements)) + MOST_EXTRA * len(elements)
        return new

    @classmethod
    def pushed(cls, elements: Sequence[bytes], limits: Limits) -> Self:
        """A list of elements that were pushed at once."""
        new = cls.load(elements)
        new.outgrow(elements, limits)
        return new

    @classmethod
    def stored(cls, elements: Sequence[bytes], limits: Limits) -> Self:
        """A list of elements that were stored together: by SORT, or in a dump."""
        new = cls.load(elements)
        new.outgrow((), limits)
        if new.nodes is not None:
            new.nodes = Nodes(0, EMPTY, limits)
            new.nodes.push_right(elements)
        return new

    @classmethod
    def of_nodes(cls, nodes: Sequence[Sequence[bytes]], limits: Limits) -> Self:
        """A list of these nodes of a quicklist."""
        new = cls.stored(list(chain.from_iterable(nodes)), limits)
        if sum(map(bool, nodes)) > 1:
            new.nodes = Nodes.of(nodes, limits)
        return new

    def copy(self) -> Self:
        """An independent list with the same elements."""
        twin = type(self)()
        twin.chunks = list(map(list.copy, self.chunks))
        twin.size = self.size
        twin.bytes, twin.nodes = self.bytes, self.nodes and self.nodes.copy()
        return twin

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[bytes]:
        return chain.from_iterable(self.chunks)

    def __reversed__(self) -> Iterator[bytes]:
        return chain.from_iterable(map(reversed, reversed(self.chunks)))

    # Both ends.

    # Elements that do not fit into the outer chunk go into new chunks. Filling up the old one would
    # copy it, and a list whose outer chunk is nearly full would pay that with every push and pop.

    def push_left(self, elements: Sequence[bytes]) -> None:
        """Push the elements to the head one after another, so that the last becomes the first."""
        first = self.chunks[0]
        count = len(elements)
        if count == 1 and len(first) < CHUNK:
            first.insert(0, elements[0])
        elif len(first) + count <= CHUNK:
            first[0:0] = elements[::-1]
        else:
            # The shorter chunk goes to the front and leaves space for the next pushes.
            self.chunks[: 0 if first else 1] = _chunked(list(elements[::-1]), count % CHUNK)
            self.cuts = None
        self.size += count
        if self.nodes is not None:
            self.nodes.push_left(elements)
        elif count == 1:
            self.bytes += len(elements[0]) + MOST_EXTRA
        else:
            self.bytes += sum(map(len, elements)) + MOST_EXTRA * count

    def push_right(self, elements: Sequence[bytes]) -> None:
        """Push the elements to the tail one after another."""
        last = self.chunks[-1]
        count = len(elements)
        if len(last) + count <= CHUNK:
            last.extend(elements)
        else:
            end = len(self.chunks)
            self.chunks[end if last else end - 1 :] = _chunked(list(elements))
            self.cuts = None
        self.size += count
        if self.nodes is not None:
            self.nodes.push_right(elements)
        elif count == 1:
            self.bytes += len(elements[0]) + MOST_EXTRA
        else:
            self.bytes += sum(map(len, elements)) + MOST_EXTRA * count

    def pop_left(self, count: int) -> list[bytes]:
        """Remove and return `count` elements from the head; `count` must not exceed the length."""
        popped = self._pop_left(count)
        if self.nodes is not None:
            self.popped_left(popped)
        return popped

    def pop_right(self, count: int) -> list[bytes]:
        """Remove and return `count` elements from the tail, last element first."""
        popped = self._pop_right(count)
        if self.nodes is not None:
            self.popped_right(popped)
        return popped

    def _pop_left(self, count: int) -> list[bytes]:
        first = self.chunks[0]
        if count >= len(first):
            return self._pop_chunks_left(count)
        popped = first[:count]
        del first[:count]
        self.size -= count
        return popped

    def _pop_right(self, count: int) -> list[bytes]:
        last = self.chunks[-1]
        if count >= len(last):
            return self._pop_chunks_right(count)
        start = len(last) - count
        popped = last[start:]
        del last[start:]
        self.size -= count
        popped.reverse()
        return popped

    def _pop_chunks_left(self, count: int) -> list[bytes]:
        chunks = self.chunks
        number, left = 0, count
        while number < len(chunks) and left >= len(chunks[number]):
            left -= len(chunks[number])
            number += 1
        popped = list(chain.from_iterable(chunks[:number]))
        if left:
            popped += chunks[number][:left]
            chunks[: number + 1] = [chunks[number][left:]]
        else:
            chunks[:number] = [] if number < len(chunks) else [[]]
        self.cuts = None
        self.size -= count
        return popped

    def _pop_chunks_right(self, count: int) -> list[bytes]:
        chunks = self.chunks
        number, left = len(chunks), count
        while number and left >= len(chunks[number - 1]):
            number -= 1
            left -= len(chunks[number])
        popped = list(chain.from_iterable(map(reversed, reversed(chunks[number:]))))
        if left:
            outer = chunks[number - 1]
            popped += outer[: -left - 1 : -1]
            chunks[number - 1 :] = [outer[:-left]]
        else:
            chunks[number:] = [] if number else [[]]
        self.cuts = None
        self.size -= count
        return popped

    # The encoding in Redis. A change is told after it has happened.

    def outgrow(self, pushed: Sequence[bytes], limits: Limits, *, left: bool = False) -> None:
        """Become a quicklist if the elements exceed the limits; the last of them were `pushed`."""
        count, most = self.size, limits.list_entries
        if self.bytes <= limits.list_bytes and (most is None or count <= most):
            return
        added = sum(map(text_bytes, pushed))
        old = EMPTY + sum(map(text_bytes, self)) - added
        # Of new elements Redis counts the texts alone.
        if old + sum(map(len, pushed)) > limits.list_bytes or (most is not None and count > most):
            nodes = Nodes(count - len(pushed), old, limits)
            (nodes.push_left if left else nodes.push_right)(pushed)
            self.nodes = nodes
        else:
            self.bytes = old + added

    def expect(self, element: bytes, limits: Limits) -> None:
        """Become a quicklist if one more element would exceed the limits."""
        most = limits.list_entries
        if self.nodes is not None or (
            most is None and self.bytes + len(element) <= limits.list_bytes
        ):
            return
        self.bytes = EMPTY + sum(map(text_bytes, self))
        if self.bytes + len(element) > limits.list_bytes or (
            most is not None and self.size >= most
        ):
            self.nodes = Nodes(self.size, self.bytes, limits)

    def popped_left(self, elements: Sequence[bytes]) -> None:
        """Elements were removed from the head of a quicklist."""
        assert self.nodes is not None
        self.nodes.pop_left(elements)
        self._shrink()

    def popped_right(self, elements: Sequence[bytes]) -> None:
        """Elements were removed from the tail of a quicklist."""
        assert self.nodes is not None
        self.nodes.pop_right(elements)
        self._shrink()

    def _shrink(self) -> None:
        """Become a listpack if that is small enough."""
        if self.nodes is not None and self.nodes.fit_a_listpack:
            self.bytes, self.nodes = self.nodes.head, None

    @property
    def expanded(self) -> bool:
        """Whether it is a quicklist."""
        return self.nodes is not None

    # Any position; 0 <= index < len.

    def get(self, index: int) -> bytes:
        """The element at this index."""
        number, offset = self._find(index)
        return self.chunks[number][offset]

    def set(self, index: int, element: bytes) -> None:
        """Replace the element at this index."""
        number, offset = self._find(index)
        self.chunks[number][offset] = element
        self.bytes += len(element) + MOST_EXTRA
        if self.nodes is not None and not self.nodes.cuts:
            self.nodes.head = self.nodes.tail = EMPTY + sum(map(text_bytes, self))
            self._shrink()

    def insert(self, index: int, element: bytes) -> None:
        """Insert before this index; len(self) appends."""
        if index == self.size:
            self.push_right((element,))
            return
        number, offset = self._find(index)
        chunk = self.chunks[number]
        if len(chunk) < CHUNK:
            chunk.insert(offset, element)
        else:
            grown = [*chunk[:offset], element, *chunk[offset:]]
            self.chunks[number : number + 1] = _chunked(grown, CHUNK // 2)
        self.cuts = None
        self.size += 1
        self.bytes += len(element) + MOST_EXTRA
        if self.nodes is not None:
            self.nodes.inserted(index)

    def slice(self, start: int, stop: int) -> list[bytes]:
        """The elements in [start, stop), 0 <= start and stop <= len."""
        first = self.chunks[0]
        if stop <= len(first):
            return first[start:stop]
        return list(chain.from_iterable(self._between(start, stop)))

    def trim(self, start: int, stop: int) -> None:
        """Keep only the elements in [start, stop), 0 <= start and stop <= len."""
        if start >= stop:
            self._set_chunks([])
        elif not start:
            self.pop_right(self.size - stop)
        elif stop == self.size:
            self.pop_left(start)
        else:
            size, self.cuts = self.size, None
            if self.nodes is not None:
                self.popped_right(self.slice(stop, size)[::-1])
            if self.nodes is not None:
                self.popped_left(self.slice(0, start))
            self._set_chunks(self._between(start, stop))

    def remove(self, count: int, value: bytes) -> int:
        """Remove elements equal to `value` and return how many were removed.

        count: at most this many from the head; if negative, at most -count from the tail; 0: all.
        """
        changed = self._without(value, abs(count) or self.size, from_tail=count < 0)
        if not changed:
            return 0
        before = self.size
        if self.nodes is not None:
            gone = self.positions(value, -1 if count < 0 else 1, abs(count))
            self.nodes.removed(gone)
        chunks = [changed.get(number, chunk) for number, chunk in enumerate(self.chunks)]
        chunks = [chunk for chunk in chunks if chunk]
        if len(chunks) > 2 + 2 * before // CHUNK:
            # Removals have left many small chunks: merge them.
            chunks = _chunked(list(chain.from_iterable(chunks)))
        self._set_chunks(chunks)
        self._shrink()
        return before - self.size

    def positions(
        self, value: bytes, rank: int = 1, count: int | None = None, maxlen: int = 0
    ) -> list[int]:
        """The indexes of elements equal to `value`, as in LPOS.

        rank: number of the first match to return, counted from the tail if negative.
        count: how many matches to return; None is one, 0 is all.
        maxlen: how many elements to compare; 0 is all.

        >>> List.load([b"a", b"b", b"a"]).positions(b"a", rank=-1, count=0)
        [2, 0]
        """
        size = self.size
        limit = min(maxlen, size) or size
        found = self._matches_from_tail(value, limit) if rank < 0 else self._matches(value, limit)
        skipped = min(abs(rank) - 1, size)
        wanted = 1 if count is None else min(count, size) or size
        return list(islice(found, skipped, skipped + wanted))

    # Repair.

    def repair(self) -> None:
        """Restore the state before or after a call that an exception interrupted."""
        self._set_chunks(self.chunks)
        self.bytes = EMPTY + sum(map(text_bytes, self))
        if self.nodes is not None:
            self.nodes.fit(self.size)

    def check(self) -> None:
        """Raise AssertionError if an invariant is broken."""
        chunks = self.chunks
        sizes = list(map(len, chunks))
        assert chunks == [[]] or all(0 < size <= CHUNK for size in sizes)
        assert self.size == sum(sizes)
        if self.nodes is None:
            assert self.bytes >= EMPTY + sum(map(text_bytes, self))
        else:
            assert self.nodes.stop - self.nodes.start == self.size
        if self.cuts is not None:
            starts = accumulate(sizes[1:-1], initial=self.cuts[0] if self.cuts else 0)
            assert self.cuts == (list(starts) if len(chunks) > 1 else [])

    def _set_chunks(self, chunks: list[list[bytes]]) -> None:
        """Set the chunks, and derive the other attributes."""
        self.chunks = chunks or [[]]
        self.cuts = None
        self.size = sum(map(len, chunks))

    def _find(self, index: int) -> tuple[int, int]:
        """The number of the chunk that contains this index, and the offset in it."""
        chunks = self.chunks
        head = len(chunks[0])
        if index < head:
            return 0, index
        tail = self.size - len(chunks[-1])
        if index >= tail:
            return len(chunks) - 1, index - tail
        cuts = self.cuts
        if cuts is None:
            cuts = self.cuts = list(accumulate(map(len, chunks[:-1])))
        place = index - head + cuts[0]
        number = bisect_right(cuts, place)
        return number, place - cuts[number - 1]

    def _between(self, start: int, stop: int) -> list[list[bytes]]:
        """Chunks of the elements in [start, stop); the inner chunks are shared with this list."""
        if start >= stop:
            return []
        left, begin = self._find(start)
        right, end = self._find(stop - 1)
        chunks = self.chunks
        if left == right:
            return [chunks[left][begin : end + 1]]
        return [chunks[left][begin:], *chunks[left + 1 : right], chunks[right][: end + 1]]

    def _without(self, value: bytes, limit: int, from_tail: bool) -> dict[int, list[bytes]]:
        """Chunk number -> new chunk, for chunks that lose elements; at most `limit` in total."""
        changed: dict[int, list[bytes]] = {}
        numbers = range(len(self.chunks))
        for number in reversed(numbers) if from_tail else numbers:
            chunk = self.chunks[number]
            hits = chunk.count(value)
            if hits:
                changed[number] = _without_some(chunk, value, hits, limit, from_tail)
                limit -= hits
                if limit <= 0:
                    break
        return changed

    def _matches(self, value: bytes, limit: int) -> Iterator[int]:
        """The indexes of the value in the first `limit` elements, ascending."""
        start = 0
        for chunk in self.chunks:
            if start >= limit:
                return
            if value in chunk:
                for index, element in enumerate(chunk[: limit - start], start):
                    if element == value:
                        yield index
            start += len(chunk)

    def _matches_from_tail(self, value: bytes, limit: int) -> Iterator[int]:
        """The indexes of the value in the last `limit` elements, descending."""
        last = self.size - 1
        lowest = self.size - limit
        for chunk in reversed(self.chunks):
            if last < lowest:
                return
            if value in chunk:
                for index, element in zip(range(last, lowest - 1, -1), reversed(chunk)):  # noqa: B905
                    if element == value:
                        yield index
            last -= len(chunk)


def _chunked(elements: list[bytes], head: int = 0) -> list[list[bytes]]:
    """Split elements into chunks; the first has `head` elements if that is not 0."""
    chunks = [elements[at : at + CHUNK] for at in range(head, len(elements), CHUNK)]
    return [elements[:head], *chunks] if head else chunks


def _without_some(
    chunk: list[bytes], value: bytes, hits: int, limit: int, from_tail: bool
) -> list[bytes]:
    """The chunk without its first (or last) `limit` elements equal to `value`."""
    if hits <= limit:
        return [element for element in chunk if element != value]
    rest = chunk[::-1] if from_tail else chunk[:]
    for _ in range(limit):
        rest.remove(value)
    return rest[::-1] if from_tail else rest
