"""Hash and set: dictionaries that know how Redis would encode them and can be scanned by cursor.

To read, use the methods of dict. To change, use the methods below; each is atomic, because repair()
completes or undoes a change that an exception has interrupted:

    put     changes the dictionary with one update(), which cannot be interrupted halfway. If the
            table leaves its compact encoding by it, `_expanding` holds the changes until `expanded`
            is set; repair() checks whether they are in the dictionary and sets `expanded` by that.
    drop    keeps the removed members in `_removing` until all are removed; repair() puts them back.
            The members are the same as before, but those put back are now at the end.

The index is derived from the dictionary, so repair() can rebuild it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import takewhile
from typing import Self, TypeVar

from minidis.structures.index import Index, Indexed
from minidis.structures.limits import Limits
from minidis.structures.text import is_canonical_int

Value = TypeVar("Value")


class Table(dict[bytes, Value], Indexed):
    """Base of Hash and Set: removal, the index, repair."""

    __slots__ = ("_expanding", "_removing", "expanded", "index")

    def __init__(self) -> None:
        #: The compact encoding has been exceeded. As in Redis, it does not return to compact.
        self.expanded = False
        #: Built by the first SCAN or random choice, then kept up to date.
        self.index: Index | None = None
        self._removing: dict[bytes, Value] | None = None
        self._expanding: dict[bytes, Value] | None = None

    def copy(self) -> Self:
        """An independent table with the same contents."""
        twin = type(self)()
        twin.update(self)
        twin.expanded = self.expanded
        return twin

    def drop(self, members: Iterable[bytes]) -> int:
        """Remove these members and return how many existed."""
        gone = {member: self[member] for member in members if member in self}
        if not gone:
            return 0
        self._removing = gone
        for member in gone:
            del self[member]
        index = self.index
        if index is not None:
            for member in gone:
                index.discard(member)
        self._removing = None
        return len(gone)

    def indexed(self) -> Index:
        """The index; the first call builds it."""
        index = self.index
        if index is None:
            index = self.index = Index(self)
        return index

    def repair(self) -> None:
        """Restore the state before or after a call that an exception interrupted."""
        if self._removing is not None:
            self.update(self._removing)
            self._removing = None
        if self._expanding is not None:
            self.expanded = self._expanding.items() <= self.items()
            self._expanding = None
        if self.index is not None:
            self.index.repair(self)

    def check(self) -> None:
        """Raise AssertionError if an invariant is broken."""
        assert self._removing is None
        assert self._expanding is None
        if self.index is not None:
            self.index.check(self)

    def _update_with(self, changes: dict[bytes, Value], expands: bool) -> int:
        """Apply the changes atomically and return how many members are new."""
        before = len(self)
        if expands:
            self._expanding = changes
            self.update(changes)
            self.expanded = True
            self._expanding = None
        else:
            self.update(changes)
        if self.index is not None:
            for member in changes:
                self.index.add(member)
        return len(self) - before

    def _size_with(self, changes: Iterable[bytes]) -> int:
        return len(self) + sum(member not in self for member in changes)


class Hash(Table[bytes]):
    """Fields and their values.

    >>> songs = Hash.load({b"a": b"1"}, Limits())
    >>> songs.put({b"a": b"2", b"b": b"3"}, Limits()), songs[b"a"]
    (1, b'2')
    """

    __slots__ = ()

    @classmethod
    def load(cls, fields: dict[bytes, bytes], limits: Limits, longest: int = 0) -> Self:
        """A hash with these fields.

        longest: length of another string that counts against hash-max-listpack-value.
        """
        new = cls()
        if fields:
            new.expanded = new._outgrown_by(fields, limits, longest)
            new.update(fields)
        return new

    def put(self, fields: dict[bytes, bytes], limits: Limits, longest: int = 0) -> int:
        """Set these fields and return how many are new.

        longest: length of another string that counts against hash-max-listpack-value.
        """
        if not fields:
            return 0
        return self._update_with(
            fields, not self.expanded and self._outgrown_by(fields, limits, longest)
        )

    def put_one(self, field: bytes, value: bytes, limits: Limits) -> bool:
        """Set one field and return whether it is new."""
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
    """Members. As Redis would have them: an intset, a listpack, or a hashtable (`expanded`).

    An intset has integers only, and is iterated in ascending order. A listpack keeps the order in
    which its members came, and remains one when only integers are left.

    >>> odd = Set.load([b"3", b"1"], Limits())
    >>> odd.encoding, list(odd.in_order())
    ('intset', [b'1', b'3'])
    >>> odd = odd.with_texts([b"five"], Limits())
    >>> odd.put([b"7"], Limits()), odd.encoding, list(odd.in_order())
    (1, 'listpack', [b'1', b'3', b'five', b'7'])
    """

    __slots__ = ("listpack",)

    def __init__(self) -> None:
        super().__init__()
        self.listpack = False

    @classmethod
    def load(
        cls, members: Iterable[bytes], limits: Limits, *, listpack: bool = False, asked: int = 0
    ) -> Self:
        """A set of these members, added one after another to an intset (or a listpack).

        asked: how many members a command wants to add at once, repetitions included.
        """
        new = cls()
        news = dict.fromkeys(members)
        first = next(iter(news), b"")
        too_many = asked > limits.set_max_intset_entries or not is_canonical_int(first)
        new.listpack = listpack or (asked > 0 and too_many)
        new.expanded = new.listpack and asked > limits.set_max_listpack_entries
        return new.with_texts(news, limits) if new.turns(news) else new._filled(news, limits)

    def _filled(self, members: dict[bytes, None], limits: Limits) -> Self:
        self.expanded = self.expanded or self._outgrown_by(members, limits)
        self.update(members)
        return self

    def copy(self) -> Self:
        """An independent set with the same members."""
        twin = super().copy()
        twin.listpack = self.listpack
        return twin

    @property
    def encoding(self) -> str:
        """The encoding in Redis."""
        return "hashtable" if self.expanded else "listpack" if self.listpack else "intset"

    def in_order(self) -> Collection[bytes]:
        """The members; an intset ascends."""
        return self if self.expanded or self.listpack else sorted(self, key=int)

    def turns(self, news: Iterable[bytes]) -> bool:
        """Whether new members turn an intset into something else: with_texts() adds them."""
        return not (self.expanded or self.listpack or all(map(is_canonical_int, news)))

    def with_texts(self, news: Iterable[bytes], limits: Limits) -> Self:
        """A copy of an intset with new members that are not all integers, in Redis's order."""
        twin = type(self)()
        members = list(news)
        numbers = list(takewhile(is_canonical_int, members))
        old = [*self, *numbers]
        twin.update(dict.fromkeys(sorted(old, key=int)))
        twin.listpack = True
        # More integers than an intset takes, or a listpack, before the first text comes.
        most = limits.set_max_intset_entries if numbers else len(old)
        twin.expanded = len(old) > most or twin._longest(old) > limits.set_max_listpack_value
        return twin._filled(dict.fromkeys(members[len(numbers) :]), limits)

    def expect(self, asked: int, limits: Limits) -> None:
        """Become a hashtable if a command wants to add so many members at once."""
        if not self.expanded:
            self.expanded = asked > self._most_entries(limits)

    def _most_entries(self, limits: Limits) -> int:
        return limits.set_max_listpack_entries if self.listpack else limits.set_max_intset_entries

    def put(self, members: Iterable[bytes], limits: Limits) -> int:
        """Add these members and return how many are new. See turns()."""
        changes = dict.fromkeys(members)
        return self._update_with(changes, not self.expanded and self._outgrown_by(changes, limits))

    def put_one(self, member: bytes, limits: Limits) -> bool:
        """Add one member and return whether it is new. See turns()."""
        before = len(self)
        if not self.expanded and (
            before >= self._most_entries(limits)
            or len(member) > limits.set_max_listpack_value
            or not (self.listpack or is_canonical_int(member))
        ):
            return self.put((member,), limits) == 1
        self[member] = None
        if len(self) == before:
            return False
        if self.index is not None:
            self.index.add(member)
        return True

    def repack(self, limits: Limits) -> None:
        """Become a listpack, if the members fit: when most of a hashtable were removed at once."""
        self.listpack = True
        self.expanded = self._longest(self) > limits.set_max_listpack_value or (
            len(self) > limits.set_max_listpack_entries
        )

    def _outgrown_by(self, changes: dict[bytes, None], limits: Limits) -> bool:
        size = self._size_with(changes)
        if size == len(self):
            return False
        if not self.listpack:
            if not all(map(is_canonical_int, changes)):
                return True  # only with_texts() makes a listpack
            return size > limits.set_max_intset_entries
        news = (member for member in changes if member not in self)
        longest = self._longest(news)
        return size > limits.set_max_listpack_entries or longest > limits.set_max_listpack_value

    @staticmethod
    def _longest(members: Iterable[bytes]) -> int:
        return max(map(len, members), default=0)
