"""List: a row of chunks, each a Python list of at most CHUNK elements.

    chunks   [a b c] [d e f g] [h i]       all non-empty, but an empty list is [[]]
    size     9
    cuts            3         7            where the chunks after the first one began

Python lists move memory fast: pushing to the front of a chunk of 512 costs a tenth of a
microsecond, so both ends are the same plain code. The middle is found by bisecting `cuts`. They
stay right while only the outer chunks grow and shrink, because positions are counted from the
first cut; whatever adds, removes or changes an inner chunk forgets them, and the next look-up
makes them again. That is one step per chunk, and chunks come and go once in hundreds of pushes.

Every method that changes something is a unit: the elements change by one operation on one list
(a slice of a chunk, a slice of `chunks`, or a new row of chunks), and `size` and `cuts` can be
made again from the chunks.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, islice
from typing import Self

CHUNK = 512


class List:
    """Elements in the order of pushing.

    >>> row = List.load([b"b", b"c"])
    >>> row.push_left([b"a", b"z"])
    >>> list(row), row.pop_right(2), len(row)
    ([b'z', b'a', b'b', b'c'], [b'c', b'b'], 2)
    """

    __slots__ = ("chunks", "cuts", "size")

    def __init__(self) -> None:
        self.chunks: list[list[bytes]] = [[]]
        self.cuts: list[int] | None = None
        self.size = 0

    @classmethod
    def load(cls, elements: Sequence[bytes]) -> Self:
        """A list of these elements."""
        new = cls()
        new._hold(_cut(list(elements)))
        return new

    def copy(self) -> Self:
        """An independent list with the same elements."""
        twin = type(self)()
        twin.chunks = list(map(list.copy, self.chunks))
        twin.size = self.size
        return twin

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[bytes]:
        return chain.from_iterable(self.chunks)

    def __reversed__(self) -> Iterator[bytes]:
        return chain.from_iterable(map(reversed, reversed(self.chunks)))

    # The ends.

    # What does not fit into the outer chunk goes into new chunks beside it. Topping up the old one
    # would copy it, and a list at the border would pay for that with every push and pop.

    def push_left(self, elements: Sequence[bytes]) -> None:
        """Push each element to the head in turn; the last of them becomes the first."""
        first = self.chunks[0]
        count = len(elements)
        if len(first) + count <= CHUNK:
            first[0:0] = elements[::-1]
        else:
            # The short piece goes to the front, where there is room for the next pushes.
            self.chunks[: 0 if first else 1] = _cut(list(elements[::-1]), count % CHUNK)
            self.cuts = None
        self.size += count

    def push_right(self, elements: Sequence[bytes]) -> None:
        """Push each element to the tail in turn."""
        last = self.chunks[-1]
        count = len(elements)
        if len(last) + count <= CHUNK:
            last.extend(elements)
        else:
            end = len(self.chunks)
            self.chunks[end if last else end - 1 :] = _cut(list(elements))
            self.cuts = None
        self.size += count

    def pop_left(self, count: int) -> list[bytes]:
        """Remove `count` elements (there must be so many) from the head; in order of popping."""
        first = self.chunks[0]
        if count >= len(first):
            return self._pop_chunks_left(count)
        popped = first[:count]
        del first[:count]
        self.size -= count
        return popped

    def pop_right(self, count: int) -> list[bytes]:
        """Remove `count` elements (there must be so many) from the tail; in order of popping."""
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

    # The middle; indexes are 0 <= index < len.

    def get(self, index: int) -> bytes:
        """The element at this index."""
        number, offset = self._find(index)
        return self.chunks[number][offset]

    def set(self, index: int, element: bytes) -> None:
        """Replace the element at this index."""
        number, offset = self._find(index)
        self.chunks[number][offset] = element

    def insert(self, index: int, element: bytes) -> None:
        """Insert before this index; len(self) means at the tail."""
        if index == self.size:
            self.push_right((element,))
            return
        number, offset = self._find(index)
        chunk = self.chunks[number]
        if len(chunk) < CHUNK:
            chunk.insert(offset, element)
        else:
            grown = [*chunk[:offset], element, *chunk[offset:]]
            self.chunks[number : number + 1] = _cut(grown, CHUNK // 2)
        self.cuts = None
        self.size += 1

    def slice(self, start: int, stop: int) -> list[bytes]:
        """The elements in [start, stop), 0 <= start and stop <= len."""
        first = self.chunks[0]
        if stop <= len(first):
            return first[start:stop]
        return list(chain.from_iterable(self._between(start, stop)))

    def trim(self, start: int, stop: int) -> None:
        """Keep only the elements in [start, stop), 0 <= start and stop <= len."""
        if start >= stop:
            self._hold([])
        elif not start:
            self.pop_right(self.size - stop)
        elif stop == self.size:
            self.pop_left(start)
        else:
            self._hold(self._between(start, stop))

    def remove(self, count: int, value: bytes) -> int:
        """Remove elements equal to `value`; how many they were.

        At most `count` from the head, or at most -count from the tail; 0 means all.
        """
        changed = self._without(value, abs(count) or self.size, from_tail=count < 0)
        if not changed:
            return 0
        before = self.size
        chunks = [changed.get(number, chunk) for number, chunk in enumerate(self.chunks)]
        chunks = [chunk for chunk in chunks if chunk]
        if len(chunks) > 2 + 2 * before // CHUNK:
            # Many thin chunks are left over from removals: pack them again.
            chunks = _cut(list(chain.from_iterable(chunks)))
        self._hold(chunks)
        return before - self.size

    def positions(
        self, value: bytes, rank: int = 1, count: int | None = None, maxlen: int = 0
    ) -> list[int]:
        """The indexes of elements equal to `value`, as LPOS finds them.

        The search begins with match number `rank` from the head (from the tail if negative) and
        gives `count` matches: None means one, 0 all. It looks at `maxlen` elements; 0 means all.

        >>> List.load([b"a", b"b", b"a"]).positions(b"a", rank=-1, count=0)
        [2, 0]
        """
        size = self.size
        limit = min(maxlen, size) or size
        found = self._seen_from_tail(value, limit) if rank < 0 else self._seen(value, limit)
        skipped = min(abs(rank) - 1, size)
        wanted = 1 if count is None else min(count, size) or size
        return list(islice(found, skipped, skipped + wanted))

    # After an exception.

    def repair(self) -> None:
        """After an exception: the state before or after the interrupted call."""
        self._hold(self.chunks)

    def check(self) -> None:
        """Raise AssertionError if an invariant is broken."""
        chunks = self.chunks
        sizes = list(map(len, chunks))
        assert chunks == [[]] or all(0 < size <= CHUNK for size in sizes)
        assert self.size == sum(sizes)
        if self.cuts is not None:
            starts = accumulate(sizes[1:-1], initial=self.cuts[0] if self.cuts else 0)
            assert self.cuts == (list(starts) if len(chunks) > 1 else [])

    def _hold(self, chunks: list[list[bytes]]) -> None:
        """Let these be the chunks; all the rest follows from them."""
        self.chunks = chunks or [[]]
        self.cuts = None
        self.size = sum(map(len, chunks))

    def _find(self, index: int) -> tuple[int, int]:
        """The number of the chunk that holds this index, and the offset in it."""
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
        """Chunks that hold exactly the elements in [start, stop); the inner ones are shared."""
        if start >= stop:
            return []
        left, begin = self._find(start)
        right, end = self._find(stop - 1)
        chunks = self.chunks
        if left == right:
            return [chunks[left][begin : end + 1]]
        return [chunks[left][begin:], *chunks[left + 1 : right], chunks[right][: end + 1]]

    def _without(self, value: bytes, limit: int, from_tail: bool) -> dict[int, list[bytes]]:
        """What the chunks would be without up to `limit` such elements, where that differs."""
        changed: dict[int, list[bytes]] = {}
        numbers = range(len(self.chunks))
        for number in reversed(numbers) if from_tail else numbers:
            chunk = self.chunks[number]
            hits = chunk.count(value)
            if hits:
                changed[number] = _spared(chunk, value, hits, limit, from_tail)
                limit -= hits
                if limit <= 0:
                    break
        return changed

    def _seen(self, value: bytes, limit: int) -> Iterator[int]:
        """Where the value is among the first `limit` elements, in ascending order."""
        start = 0
        for chunk in self.chunks:
            if start >= limit:
                return
            if value in chunk:
                for index, element in enumerate(chunk[: limit - start], start):
                    if element == value:
                        yield index
            start += len(chunk)

    def _seen_from_tail(self, value: bytes, limit: int) -> Iterator[int]:
        """Where the value is among the last `limit` elements, in descending order."""
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


def _cut(elements: list[bytes], head: int = 0) -> list[list[bytes]]:
    """Chunks of these elements: the first one `head` long (if not 0), the others full."""
    chunks = [elements[at : at + CHUNK] for at in range(head, len(elements), CHUNK)]
    return [elements[:head], *chunks] if head else chunks


def _spared(
    chunk: list[bytes], value: bytes, hits: int, limit: int, from_tail: bool
) -> list[bytes]:
    """The chunk without its first (or last) `limit` elements equal to `value`."""
    if hits <= limit:
        return [element for element in chunk if element != value]
    rest = chunk[::-1] if from_tail else chunk[:]
    for _ in range(limit):
        rest.remove(value)
    return rest[::-1] if from_tail else rest
