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

from collections.abc import Iterable
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
    """Members. The encoding is compact while there are few and all are integers.

    >>> odd = Set.load([b"1", b"3"], Limits())
    >>> odd.put([b"3", b"five"], Limits()), odd.expanded
    (1, True)
    """

    __slots__ = ()

    @classmethod
    def load(cls, members: Iterable[bytes], limits: Limits) -> Self:
        """A set of these members."""
        new = cls()
        changes = dict.fromkeys(members)
        new.expanded = new._outgrown_by(changes, limits)
        new.update(changes)
        return new

    def put(self, members: Iterable[bytes], limits: Limits) -> int:
        """Add these members and return how many are new."""
        changes = dict.fromkeys(members)
        return self._update_with(changes, not self.expanded and self._outgrown_by(changes, limits))

    def put_one(self, member: bytes, limits: Limits) -> bool:
        """Add one member and return whether it is new."""
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

    def _outgrown_by(self, changes: dict[bytes, None], limits: Limits) -> bool:
        if not all(map(is_canonical_int, changes)):
            return True
        size = self._size_with(changes)
        # Redis checks the size only when the set has grown.
        return size > limits.set_max_intset_entries and size > len(self)
