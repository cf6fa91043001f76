"""Hash and set: dictionaries that know how Redis would encode them and can be walked by cursor.

Reading is the dictionary's own. Writing goes through the methods here, and each of them is a unit:

    put     the dictionary changes by one update(), which no exception can divide. If the table
            becomes wide by it, `_widening` holds the news meanwhile: repair() looks whether they
            have arrived, and decides the mark by that.
    drop    `_gone` holds what is being removed until all of it is; repair() puts it back (the
            members are the same as before then; those put back have moved to the end).

The index is derived, and made again by repair().
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self, TypeVar

from minidis.structures.index import Index, Walked
from minidis.structures.limits import Limits
from minidis.structures.text import is_canonical_int

Value = TypeVar("Value")


class Table(dict[bytes, Value], Walked):
    """What hash and set have in common: removal, the index, repair."""

    __slots__ = ("_expanding", "_gone", "expanded", "index")

    def __init__(self) -> None:
        #: It has once outgrown the compact encoding; that is never taken back.
        self.expanded = False
        #: Built by the first SCAN or random choice, and kept up to date from then on.
        self.index: Index | None = None
        self._gone: dict[bytes, Value] | None = None
        self._expanding: dict[bytes, Value] | None = None

    def copy(self) -> Self:
        """An independent table with the same contents."""
        twin = type(self)()
        twin.update(self)
        twin.expanded = self.expanded
        return twin

    def drop(self, members: Iterable[bytes]) -> int:
        """Remove these members; how many of them were there."""
        gone = {member: self[member] for member in members if member in self}
        if not gone:
            return 0
        self._gone = gone
        for member in gone:
            del self[member]
        index = self.index
        if index is not None:
            for member in gone:
                index.discard(member)
        self._gone = None
        return len(gone)

    def indexed(self) -> Index:
        """The index, built now if this is the first time that it is needed."""
        index = self.index
        if index is None:
            index = self.index = Index(self)
        return index

    def repair(self) -> None:
        """After an exception: the state before or after the interrupted call."""
        if self._gone is not None:
            self.update(self._gone)
            self._gone = None
        if self._expanding is not None:
            self.expanded = self._expanding.items() <= self.items()
            self._expanding = None
        if self.index is not None:
            self.index.repair(self)

    def check(self) -> None:
        """Raise AssertionError if an invariant is broken."""
        assert self._gone is None
        assert self._expanding is None
        if self.index is not None:
            self.index.check(self)

    def _merge(self, news: dict[bytes, Value], widens: bool) -> int:
        """Take the news in as a unit; how many of the members are new."""
        before = len(self)
        if widens:
            self._expanding = news
            self.update(news)
            self.expanded = True
            self._expanding = None
        else:
            self.update(news)
        if self.index is not None:
            for member in news:
                self.index.add(member)
        return len(self) - before

    def _size_with(self, news: Iterable[bytes]) -> int:
        return len(self) + sum(member not in self for member in news)


class Hash(Table[bytes]):
    """Fields and their values.

    >>> songs = Hash.load({b"a": b"1"}, Limits())
    >>> songs.put({b"a": b"2", b"b": b"3"}, Limits()), songs[b"a"]
    (1, b'2')
    """

    __slots__ = ()

    @classmethod
    def load(cls, fields: dict[bytes, bytes], limits: Limits, longest: int = 0) -> Self:
        """A hash with these fields, judged by its size alone (and by another text's length)."""
        new = cls()
        if fields:
            new.expanded = new._outgrown_by(fields, limits, longest)
            new.update(fields)
        return new

    def put(self, fields: dict[bytes, bytes], limits: Limits, longest: int = 0) -> int:
        """Set these fields; how many of them are new. Another text may count for the encoding."""
        if not fields:
            return 0
        return self._merge(fields, not self.expanded and self._outgrown_by(fields, limits, longest))

    def put_one(self, field: bytes, value: bytes, limits: Limits) -> bool:
        """Set one field; is it new?"""
        before = len(self)
        if not self.expanded and (
            before >= limits.hash_max_listpack_entries
            or len(field) > limits.hash_max_listpack_value
            or len(value) > limits.hash_max_listpack_value
        ):
            return self.put({field: value}, limits) == 1
        self[field] = value
        if len(self) == before:
            return False
        if self.index is not None:
            self.index.add(field)
        return True

    def _outgrown_by(self, fields: dict[bytes, bytes], limits: Limits, longest: int = 0) -> bool:
        longest = max(longest, max(map(len, fields)), max(map(len, fields.values())))
        return (
            longest > limits.hash_max_listpack_value
            or self._size_with(fields) > limits.hash_max_listpack_entries
        )


class Set(Table[None]):
    """Members, which Redis keeps compact while they are few and all of them integers.

    >>> odd = Set.load([b"1", b"3"], Limits())
    >>> odd.put([b"3", b"five"], Limits()), odd.expanded
    (1, True)
    """

    __slots__ = ()

    @classmethod
    def load(cls, members: Iterable[bytes], limits: Limits) -> Self:
        """A set of these members, judged by them alone."""
        new = cls()
        news = dict.fromkeys(members)
        new.expanded = new._outgrown_by(news, limits)
        new.update(news)
        return new

    def put(self, members: Iterable[bytes], limits: Limits) -> int:
        """Add these members; how many of them are new."""
        news = dict.fromkeys(members)
        return self._merge(news, not self.expanded and self._outgrown_by(news, limits))

    def put_one(self, member: bytes, limits: Limits) -> bool:
        """Add one member; is it new?"""
        before = len(self)
        if not self.expanded and (
            before >= limits.set_max_intset_entries or not is_canonical_int(member)
        ):
            return self.put((member,), limits) == 1
        self[member] = None
        if len(self) == before:
            return False
        if self.index is not None:
            self.index.add(member)
        return True

    def _outgrown_by(self, news: dict[bytes, None], limits: Limits) -> bool:
        if not all(map(is_canonical_int, news)):
            return True
        size = self._size_with(news)
        # Redis looks at the size only when it has grown.
        return size > limits.set_max_intset_entries and size > len(self)
