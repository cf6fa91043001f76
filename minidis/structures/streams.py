"""Stream: entries in the order of their ids, in nodes as in Redis.

    nodes    [1-1 .. 5-0]  [5-1 .. 9-0]  [9-1 ..]     rows (id, field, value, field, value, ...)
    starts    1-1           5-1           9-1          the first id of each node, for bisection

An id is one integer, milliseconds << 64 | sequence. A node is full when its listpack in Redis would
be: trimming with `~` removes whole nodes only, and dumps and XINFO show the nodes.

Every method that changes something is atomic. Rows are only appended to the last node; deleting and
trimming replace nodes by new ones with one slice assignment. Until a change is complete, `_undo`
says how to undo it, and repair() does so. Commands that consist of more than one change use the
same steps, `undo_append` and `undo_cut`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, pairwise
from typing import Any, NamedTuple, Self

from minidis.structures.limits import Limits
from minidis.structures.listpack_sizes import integer_bytes, text_bytes
from minidis.structures.stream_groups import UNKNOWN, ConsumerGroup

#: id, field, value, field, value, ...
Row = tuple[Any, ...]

SHIFT = 64
SEQUENCE = (1 << SHIFT) - 1
MOST_ID = (1 << 2 * SHIFT) - 1

#: The largest node, even if stream-node-max-bytes is larger.
_MOST_NODE_BYTES = 1 << 30
#: Bytes of a node's key in the radix tree of Redis.
_KEY_BYTES = 16


def id_text(number: int) -> bytes:
    """The text of an id, as in replies.

    >>> id_text(5 << 64 | 1)
    b'5-1'
    """
    return b"%d-%d" % (number >> SHIFT, number & SEQUENCE)


class Node:
    """A run of consecutive entries."""

    __slots__ = ("dead", "dead_bytes", "first", "last", "names", "rows", "size")

    def __init__(self, first: int, names: list[bytes]) -> None:
        #: id and field names of the first entry ever added; other entries may share the names
        self.first = first
        self.names = names
        self.rows: list[Row] = []
        #: the last id ever added to the node, even if it has been deleted
        self.last = first
        #: how many entries have been deleted, and their bytes
        self.dead = 0
        self.dead_bytes = 0
        #: bytes of the listpack without its counters; 0 if not computed yet
        self.size = 0

    def row_bytes(self, row: Row) -> int:
        """Bytes of an entry in this node."""
        names, values = list(row[1::2]), row[2::2]
        milliseconds = (row[0] >> SHIFT) - (self.first >> SHIFT)
        sequence = (row[0] & SEQUENCE) - (self.first & SEQUENCE)
        total = 2 + integer_bytes(milliseconds) + integer_bytes(sequence)
        if names == self.names:
            total += integer_bytes(len(names) + 3)
        else:
            total += integer_bytes(len(names)) + integer_bytes(2 * len(names) + 4)
            total += sum(map(text_bytes, names))
        return total + sum(map(text_bytes, values))

    def bytes(self) -> int:
        """Bytes of the node's listpack."""
        if not self.size:
            names = self.names
            head = 9 + integer_bytes(len(names)) + sum(map(text_bytes, names))
            self.size = head + self.dead_bytes + sum(map(self.row_bytes, self.rows))
        return self.size + integer_bytes(len(self.rows)) + integer_bytes(self.dead)

    def without(self, rows: Iterable[Row], kept: list[Row]) -> Node:
        """A copy of this node after the deletion of `rows`, which leaves the rows `kept`."""
        new = Node(self.first, self.names)
        new.rows = kept
        new.last = self.last
        gone = list(rows)
        new.dead = self.dead + len(gone)
        new.dead_bytes = self.dead_bytes + sum(map(self.row_bytes, gone))
        return new

    def copy(self) -> Node:
        """An independent node with the same rows."""
        return self.without((), self.rows[:])


class Trim(NamedTuple):
    """What XADD and XTRIM remove: all but `maxlen` entries, or entries below `minid`."""

    maxlen: int | None = None
    minid: int = 0
    #: remove whole nodes only, and at most `limit` entries (0: no limit)
    approximate: bool = False
    limit: int = 0

    def is_done(self, length: int) -> bool:
        """Whether a stream of this length needs no (more) trimming."""
        return self.maxlen is not None and length <= self.maxlen

    def takes(self, node: Node, length: int) -> bool:
        """Whether all entries of the node are removed."""
        if self.maxlen is None:
            return node.last < self.minid
        return length - len(node.rows) >= self.maxlen

    def divided(
        self, node: Node, length: int, keeps: Callable[[int], bool] | None
    ) -> tuple[list[Row], list[Row]]:
        """(rows of the node to remove, rows to keep)."""
        rows = node.rows
        most = len(rows) if self.maxlen is None else length - self.maxlen
        if keeps is None:
            size = bisect_left(rows, (self.minid,)) if self.maxlen is None else most
            return rows[:size], rows[size:]
        lost = [
            row for row in rows if (self.maxlen is not None or row[0] < self.minid)
            and not keeps(row[0])
        ][:most]  # fmt: skip
        gone = {row[0] for row in lost}
        return lost, [row for row in rows if row[0] not in gone]


class Cut(NamedTuple):
    """A deletion, not applied yet: nodes `old`, beginning at index `at`, are replaced by `new`."""

    at: int
    old: list[Node]
    new: list[Node]
    max_deleted: int
    #: ids of the removed entries
    gone: Sequence[int] = ()


class Stream:
    """Entries, counters of entries ever added, and the consumer groups.

    >>> log, limits = Stream(), Limits()
    >>> log.append(5 << 64, [b"name", b"ann"], limits)
    >>> log.append(6 << 64, [b"name", b"bob"], limits)
    >>> log.apply(log.deletion(5 << 64))
    >>> log.range(0, MOST_ID) == [(6 << 64, b"name", b"bob")], len(log), log.added
    (True, 1, 2)
    """

    __slots__ = (
        "_undo", "added", "groups", "last_id", "length", "max_deleted", "nodes", "starts", "tree",
    )  # fmt: skip

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.starts: list[int] = []
        self.length = 0
        self.last_id = 0
        #: the largest id deleted by XDEL, and how many entries were ever added
        self.max_deleted = 0
        self.added = 0
        self.groups: dict[bytes, ConsumerGroup] = {}
        #: size of the radix tree in Redis, for XINFO; None if not computed yet
        self.tree: int | None = None
        self._undo: tuple[Callable[..., object], tuple[Any, ...]] | None = None

    @classmethod
    def load(cls, nodes: list[Node], last_id: int, max_deleted: int, added: int) -> Self:
        """A stream of these nodes."""
        new = cls()
        new.nodes = nodes
        new.last_id, new.max_deleted, new.added = last_id, max_deleted, added
        new._derive()
        return new

    def copy(self) -> Self:
        """An independent stream with the same entries and groups."""
        nodes = [node.copy() for node in self.nodes]
        twin = self.load(nodes, self.last_id, self.max_deleted, self.added)
        twin.groups = {name: group.copy() for name, group in self.groups.items()}
        return twin

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[Row]:
        return chain.from_iterable(node.rows for node in self.nodes)

    # queries ---------------------------------------------------------------------------------

    @property
    def first_id(self) -> int:
        """The id of the first entry; 0 if there is none."""
        return int(self.nodes[0].rows[0][0]) if self.nodes else 0

    @property
    def top_id(self) -> int:
        """The id of the last entry; 0 if there is none."""
        return int(self.nodes[-1].rows[-1][0]) if self.nodes else 0

    def get(self, number: int) -> Row | None:
        """The entry with this id, or None."""
        found = self._place(number)
        return None if found is None else self.nodes[found[0]].rows[found[1]]

    def _place(self, number: int) -> tuple[int, int] | None:
        """(index of the node, index in the node) of the entry with this id, or None."""
        at = bisect_right(self.starts, number) - 1
        if at < 0:
            return None
        rows = self.nodes[at].rows
        place = bisect_left(rows, (number,))
        return (at, place) if place < len(rows) and rows[place][0] == number else None

    def range(self, start: int, end: int, count: int | None = None) -> list[Row]:
        """At most `count` entries from `start` to `end`, both included, in ascending order."""
        found: list[Row] = []
        at = max(bisect_right(self.starts, start) - 1, 0)
        nodes = self.nodes
        while at < len(nodes) and nodes[at].first <= end and (count is None or len(found) < count):
            rows = nodes[at].rows
            begin = bisect_left(rows, (start,)) if rows[0][0] < start else 0
            stop = len(rows) if rows[-1][0] <= end else bisect_left(rows, (end + 1,))
            if count is not None:
                stop = min(stop, begin + count - len(found))
            found += rows[begin:stop]
            at += 1
        return found

    def range_down(self, end: int, start: int, count: int | None = None) -> list[Row]:
        """At most `count` entries from `end` down to `start`, both included."""
        found: list[Row] = []
        at = bisect_right(self.starts, end) - 1
        nodes = self.nodes
        while at >= 0 and nodes[at].last >= start and (count is None or len(found) < count):
            rows = nodes[at].rows
            begin = bisect_left(rows, (start,))
            stop = bisect_left(rows, (end + 1,))
            if count is not None:
                begin = max(begin, stop - (count - len(found)))
            found += rows[begin:stop][::-1]
            at -= 1
        return found

    def tree_nodes(self) -> int:
        """How many nodes the radix tree of Redis would have: `radix-tree-nodes` of XINFO."""
        if self.tree is None:
            self.tree = _tree_nodes(self.starts)
        return self.tree

    # adding ----------------------------------------------------------------------------------

    def append(self, number: int, words: Sequence[bytes], limits: Limits) -> None:
        """Append an entry of field, value, ... Its id must be larger than `last_id`."""
        node = self._open_node(words, limits)
        self._undo = (self.undo_append, self.append_state(number))
        if node is None:
            node = Node(number, list(words[::2]))
            row = (number, *words)
            node.rows.append(row)
            self.nodes.append(node)
            self.starts.append(number)
            self.tree = None
        else:
            row = (number, *_sharing(words, node.names))
            node.rows.append(row)
            node.size += node.row_bytes(row)
            node.last = number
        self.last_id = number
        self.added += 1
        self.length += 1
        self._undo = None

    def _open_node(self, words: Sequence[bytes], limits: Limits) -> Node | None:
        """The last node, with its size computed, if an entry of these words fits into it."""
        if not self.nodes:
            return None
        node = self.nodes[-1]
        most = limits.stream_node_max_entries
        if most and len(node.rows) + node.dead >= most:
            return None
        most = min(limits.stream_node_max_bytes or _MOST_NODE_BYTES, _MOST_NODE_BYTES)
        return node if node.bytes() + sum(map(len, words)) < most else None

    def append_state(self, number: int) -> tuple[int, int, int, int]:
        """The arguments of undo_append() for an entry that is about to be appended."""
        last = self.nodes[-1].last if self.nodes else 0
        return number, self.last_id, self.added, last

    def undo_append(self, number: int, last_id: int, added: int, last: int) -> None:
        """Undo an append(), even one that was interrupted or never began."""
        nodes = self.nodes
        if nodes and nodes[-1].rows[-1][0] == number:
            if nodes[-1].first == number:
                nodes.pop()
            else:
                nodes[-1].rows.pop()
                nodes[-1].last = last
        self.last_id, self.added = last_id, added
        self._derive()

    def set_past(self, last_id: int, added: int, max_deleted: int) -> None:
        """Set the counters of XSETID. Can be repeated, so it is its own undo step."""
        self._undo = (
            _set_counters, (self, self.last_id, self.added, self.max_deleted)
        )  # fmt: skip
        _set_counters(self, last_id, added, max_deleted)
        self._undo = None

    # deleting --------------------------------------------------------------------------------

    def deletion(self, number: int) -> Cut | None:
        """The cut that deletes the entry with this id; None if there is no such entry."""
        found = self._place(number)
        if found is None:
            return None
        at, place = found
        node = self.nodes[at]
        kept = node.rows[:place] + node.rows[place + 1 :]
        new = [node.without([node.rows[place]], kept)] if kept else []
        return Cut(at, [node], new, max(self.max_deleted, number), [number])

    def trimming(self, trim: Trim, keeps: Callable[[int], bool] | None = None) -> Cut | None:
        """The cut that trims the stream; None if there is nothing to remove.

        keeps: a function of an id; entries for which it returns True are not removed.
        """
        old: list[Node] = []
        new: list[Node] = []
        gone: list[int] = []
        for node in self.nodes:
            length = self.length - len(gone)
            if trim.is_done(length):
                break
            if trim.limit and len(gone) + len(node.rows) > trim.limit:
                break
            whole = trim.takes(node, length)
            if trim.approximate and not whole:
                break
            lost, kept = trim.divided(node, length, keeps)
            if trim.approximate and kept:
                break
            old.append(node)
            gone += [row[0] for row in lost]
            new += [node.without(lost, kept)] if kept else []
            if not whole and keeps is None:
                break
        return Cut(0, old, new, self.max_deleted, gone) if gone else None

    def apply(self, cut: Cut | None) -> None:
        """Apply the cut that deletion() or trimming() returned."""
        if cut is None:
            return
        self._undo = (self.undo_cut, (cut, self.max_deleted))
        end = cut.at + len(cut.old)
        self.nodes[cut.at : end] = cut.new
        self.max_deleted = cut.max_deleted
        self.length -= len(cut.gone)
        self.starts[cut.at : end] = [node.first for node in cut.new]
        if len(cut.old) != len(cut.new):
            self.tree = None
        self._undo = None

    def undo_cut(self, cut: Cut, max_deleted: int) -> None:
        """Undo an apply(), even one that was interrupted or never began."""
        nodes, at = self.nodes, cut.at
        # The first old node is either still at this index, or not in the list at all.
        if at >= len(nodes) or nodes[at] is not cut.old[0]:
            nodes[at : at + len(cut.new)] = cut.old
        self.max_deleted = max_deleted
        self._derive()

    # consumer groups -------------------------------------------------------------------------

    def has_tombstones(self, start: int) -> bool:
        """Whether an entry at or after `start` has been deleted from between others."""
        if not self.length or not self.max_deleted:
            return False
        return start <= self.max_deleted

    def distance(self, number: int) -> int:
        """How many entries were ever added up to this id, or UNKNOWN."""
        if not self.added:
            return 0
        if (not self.length and number <= self.last_id) or number == self.last_id:
            return self.added
        if number > self.last_id:
            return UNKNOWN
        first = self.first_id
        if not self.max_deleted or self.max_deleted < first:
            if number < first:
                return self.added - self.length
            if number == first:
                return self.added - self.length + 1
        return UNKNOWN

    def lag(self, group: ConsumerGroup) -> int | None:
        """How many entries the group has not read yet; None if unknown."""
        if not self.added:
            return 0
        read = group.read
        if read == UNKNOWN or self.has_tombstones(group.last_id):
            read = self.distance(group.last_id)
        return None if read == UNKNOWN else self.added - read

    def advance(self, group: ConsumerGroup, number: int) -> None:
        """Record that the entry with this id was delivered to the group."""
        if number <= group.last_id:
            return
        if group.read != UNKNOWN and not self.has_tombstones(number):
            group.read += 1
        elif self.added:
            group.read = self.distance(number)
        group.last_id = number

    def is_referenced(self, number: int) -> bool:
        """Whether a group has not yet read or not yet acknowledged the entry."""
        return any(
            number > group.last_id or number in group.pending for group in self.groups.values()
        )

    # repair ----------------------------------------------------------------------

    def repair(self) -> None:
        """Restore the state before or after a call that an exception interrupted."""
        if self._undo is not None:
            function, arguments = self._undo
            function(*arguments)
            self._undo = None
        self._derive()
        for group in self.groups.values():
            group.repair()

    def check(self) -> None:
        """Raise AssertionError if an invariant is broken."""
        assert self._undo is None
        assert self.starts == [node.first for node in self.nodes]
        assert all(node.rows for node in self.nodes)
        ids = [row[0] for row in self]
        assert all(one < two for one, two in pairwise(ids))
        assert self.length == len(ids)
        assert not ids or ids[-1] <= self.last_id
        for node, following in pairwise([*self.nodes, None]):
            assert node is not None and node.first <= node.rows[0][0] <= node.rows[-1][0]
            assert node.rows[-1][0] <= node.last <= self.last_id
            assert following is None or node.last < following.first
            size, node.size = node.size, 0
            node.bytes()
            assert size in (0, node.size)
        assert self.tree in (None, _tree_nodes(self.starts))
        for group in self.groups.values():
            group.check()

    def _derive(self) -> None:
        """Recompute the attributes that are derived from the nodes."""
        self.starts = [node.first for node in self.nodes]
        self.length = sum(len(node.rows) for node in self.nodes)
        self.tree = None
        if self.nodes:
            self.nodes[-1].size = 0


def _sharing(words: Sequence[bytes], names: list[bytes]) -> Sequence[bytes]:
    """The same words, with the name objects of the node if the names are equal, to save memory."""
    if words[::2] != names:
        return words
    shared = list(words)
    shared[::2] = names
    return shared


def _set_counters(stream: Stream, last_id: int, added: int, max_deleted: int) -> None:
    stream.last_id, stream.added, stream.max_deleted = last_id, added, max_deleted


def _tree_nodes(starts: Sequence[int]) -> int:
    """How many nodes a radix tree of these keys has: leaves, forks, and the compressed runs."""
    if not starts:
        return 1
    depths: list[int] = []  # of the forks above the current key, the deepest last
    total = 0
    for one, two in pairwise((*starts, None)):
        assert one is not None
        shared = -1 if two is None else _KEY_BYTES - 1 - ((one ^ two).bit_length() - 1) // 8
        depth = _KEY_BYTES
        # Forks deeper than the prefix that the next key shares are complete.
        while depths and depths[-1] > shared:
            above = depths.pop()
            total += 1 + (depth - above > 1)
            depth = above
        if not depths or depths[-1] < shared:
            total += 1 + (depth - shared > 1)
            if shared >= 0:
                depths.append(shared)
        else:
            total += 1 + (depth - shared > 1)
    return total
