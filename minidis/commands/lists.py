"""List commands that do not block: push, pop, read, trim. Moves are in list_moves.py."""

from __future__ import annotations

from typing import Any, overload

from minidis import errors
from minidis.commands.shared.group import Group, T
from minidis.grammar.command import Shortcut, declarations
from minidis.grammar.kinds import (
    RAW,
    Integer,
    Key,
    Kind,
    Many,
    Value,
    at_least,
    encode,
    integer,
    positive,
    ranged,
)
from minidis.keyspace.keyspace import no_such_key
from minidis.protocol.shapes import null_array_from, null_arrays
from minidis.replies import OK, Status
from minidis.structures.lists import List

command = declarations(group="list")


def _rank(value: Any) -> int:
    """Convert the RANK of LPOS: the match to start with."""
    number = ranged(value)
    if number == 0:
        raise errors.error(
            "RANK can't be zero: use 1 to start from the first match, 2 from the second ... "
            "or use negative to start from the end of the list"
        )
    return number


_COUNT = at_least(1, errors.COUNT_NOT_POSITIVE)


# The usual pushes and pops. What happens inside of a list is one unit (structures/lists.py).
_DIRECT_PUSH = """
space = self.space
row = space.values.get(key)
if (
    row.__class__ is List
    and space.direct_overwrite
    and not (space.deadlines and key in space.deadlines)
    and not (unit.interest and key in unit.interest)
):
    unit.dirty += len(values)
    row.{push}(values)
    return row.size
"""
_DIRECT_POP = """
space = self.space
row = space.values.get(key)
if (
    row.__class__ is List
    and len(row.chunks[{end}]) > 1
    and space.direct_overwrite
    and not (space.deadlines and key in space.deadlines)
    and not (unit.interest and key in unit.interest)
):
    unit.dirty += 1
    reply = row.chunks[{end}].pop({end})
    row.size -= 1
    return {reply}
"""


class Lists(Group[T]):
    """Commands on lists that do not block: LPUSH, LPOP, LRANGE and others."""

    # the ends ----------------------------------------------------------------------------------

    @command(
        "LPUSH key element [element ...]",
        "write denyoom fast",
        since="1.0.0",
        complexity="O(1) for each element",
        access="RW INSERT",
        names={"element": "values"},
        shortcuts=(Shortcut("key values", None, _DIRECT_PUSH.replace("{push}", "push_left")),),
        single_step=True,
    )
    def lpush(self, key: Key, *values: Many) -> int:
        """Insert `values` at the head of the list stored at `key`, one after another.

        Returns the new length of the list. The last of `values` becomes the first element.

        >>> db.lpush("row", "a", "b"), db.lrange("row", 0, -1)
        (2, [b'b', b'a'])
        """
        return self._push(key, values, True, False)

    @command(
        "RPUSH key element [element ...]",
        "write denyoom fast",
        since="1.0.0",
        complexity="O(1) for each element",
        access="RW INSERT",
        names={"element": "values"},
        shortcuts=(Shortcut("key values", None, _DIRECT_PUSH.replace("{push}", "push_right")),),
        single_step=True,
    )
    def rpush(self, key: Key, *values: Many) -> int:
        """Append `values` to the tail of the list stored at `key` and return its new length.

        >>> db.rpush("row", "a", "b"), db.lrange("row", 0, -1)
        (2, [b'a', b'b'])
        """
        return self._push(key, values, False, False)

    @command(
        "LPUSHX key element [element ...]",
        "write denyoom fast",
        since="2.2.0",
        complexity="O(1) for each element",
        access="RW INSERT",
        names={"element": "values"},
    )
    def lpushx(self, key: Key, *values: Many) -> int:
        """Insert `values` at the head of the list stored at `key`, only if the list exists.

        Returns the new length of the list, or 0 if the key does not exist.

        >>> db.lpushx("row", "a"), db.exists("row")
        (0, 0)
        """
        return self._push(key, values, True, True)

    @command(
        "RPUSHX key element [element ...]",
        "write denyoom fast",
        since="2.2.0",
        complexity="O(1) for each element",
        access="RW INSERT",
        names={"element": "values"},
        single_step=True,
    )
    def rpushx(self, key: Key, *values: Many) -> int:
        """Append `values` to the tail of the list stored at `key`, only if the list exists.

        Returns the new length of the list, or 0 if the key does not exist.

        >>> db.rpush("row", "a"), db.rpushx("row", "b")
        (1, 2)
        """
        return self._push(key, values, False, True)

    def _push(self, key: Any, values: Any, left: bool, must_exist: bool) -> int:
        """Run LPUSH, RPUSH, LPUSHX and RPUSHX."""
        space = self.space
        row = space.write(key, List)
        if row is None:
            if must_exist:
                return 0
            space.changed(key, "lpush" if left else "rpush", len(values))
            space.put(key, List.load(values[::-1] if left else values))
            return len(values)
        space.changed(key, "lpush" if left else "rpush", len(values))
        (row.push_left if left else row.push_right)(values)
        return len(row)

    @overload
    def lpop(self, key: Key, count: None = None) -> T | None: ...

    @overload
    def lpop(self, key: Key, count: Integer) -> list[T] | None: ...

    @command(
        "LPOP key [count]",
        "write fast",
        since="1.0.0",
        complexity="O(n) for n elements returned",
        access="RW ACCESS DELETE",
        kinds={"count": RAW},
        strict=True,
        resp2=null_array_from(3),
        shortcuts=(Shortcut("key", None, _DIRECT_POP.replace("{end}", "0")),),
        single_step=True,
    )
    def lpop(self, key: Key, count: Integer | None = None) -> T | list[T] | None:
        """Remove and return the first element of the list stored at `key`.

        count: return a list of at most this many elements. Returns None if the key does not exist.
        Deletes the key if no element is left. Raises ResponseError if `count` is negative.

        >>> db.rpush("row", "a", "b", "c"), db.lpop("row"), db.lpop("row", 5)
        (3, b'a', [b'b', b'c'])
        """
        return self._pop(key, count, True)

    @overload
    def rpop(self, key: Key, count: None = None) -> T | None: ...

    @overload
    def rpop(self, key: Key, count: Integer) -> list[T] | None: ...

    @command(
        "RPOP key [count]",
        "write fast",
        since="1.0.0",
        complexity="O(n) for n elements returned",
        access="RW ACCESS DELETE",
        kinds={"count": RAW},
        strict=True,
        resp2=null_array_from(3),
        shortcuts=(Shortcut("key", None, _DIRECT_POP.replace("{end}", "-1")),),
        single_step=True,
    )
    def rpop(self, key: Key, count: Integer | None = None) -> T | list[T] | None:
        """Remove and return the last element of the list stored at `key`.

        count: return a list of at most this many elements, the last one first. Return value and
        errors are those of LPOP.

        >>> db.rpush("row", "a", "b", "c"), db.rpop("row"), db.rpop("row", 5)
        (3, b'c', [b'b', b'a'])
        """
        return self._pop(key, count, False)

    def _pop(self, key: Any, count: Any, left: bool) -> Any:
        """Run LPOP and RPOP: return one element, or a list with a count."""
        wanted = None if count is None else positive(count)
        row = self.space.write(key, List)
        if row is None:
            return None
        if wanted is None:
            return self._take(key, row, 1, left)[0]
        return self._take(key, row, wanted, left) if wanted else []

    def _take(self, key: bytes, row: List, count: int, left: bool) -> list[bytes]:
        """Pop at most `count` elements, and delete the key if none is left."""
        event = "lpop" if left else "rpop"
        if count < len(row):
            self.space.changed(key, event, count)
            return (row.pop_left if left else row.pop_right)(count)
        popped = list(row if left else reversed(row))
        self.space.delete_emptied(key, event)
        return popped

    @command(
        "LMPOP numkeys key [key ...] <LEFT | RIGHT> [COUNT count]",
        "write movablekeys",
        since="7.0.0",
        complexity="O(n + m) for n keys and m elements returned",
        access="RW ACCESS DELETE",
        names={"numkeys": "num_keys"},
        kinds={"count": _COUNT},
        choices="direction",
        count_error=errors.NUMKEYS_NOT_POSITIVE,
        once=True,
        resp2=null_arrays,
    )
    def lmpop(
        self, num_keys: Integer, *keys: Many, direction: str, count: Integer | None = None
    ) -> list[Any] | None:
        """Remove and return elements of the first of `keys` that exists.

        num_keys: number of keys. direction: LEFT (head) or RIGHT (tail). count: pop at most this
        many elements (default 1).

        Returns [key, elements], or None if none of the keys exists.

        >>> db.rpush("b", 1, 2, 3), db.lmpop(2, "a", "b", direction="LEFT", count=2)
        (3, [b'b', [b'1', b'2']])
        """
        if integer(num_keys) < 1:
            raise errors.error(errors.NUMKEYS_NOT_POSITIVE)
        if num_keys != len(keys):
            raise errors.error(errors.SYNTAX)
        names: Any = keys
        for key in names:
            row = self.space.write(key, List)
            if row is not None:
                left = encode(direction) == b"LEFT"
                taken = self._take(key, row, integer(count or 1), left)
                self._effect("LPOP" if left else "RPOP", key, len(taken))
                return [key, taken]
        return None

    # reading -----------------------------------------------------------------------------------

    @command(
        "LLEN key",
        "readonly fast",
        since="1.0.0",
        complexity="O(1)",
        access="RO",
    )
    def llen(self, key: Key) -> int:
        """Return the number of elements of the list stored at `key`.

        >>> db.rpush("row", "a", "b"), db.llen("row")
        (2, 2)
        """
        return len(self.space.read(key, List) or ())

    @command(
        "LRANGE key start stop",
        "readonly",
        since="1.0.0",
        complexity="O(n) for n elements returned",
        access="RO ACCESS",
        names={"stop": "end"},
    )
    def lrange(self, key: Key, start: Integer, end: Integer) -> list[T]:
        """Return the elements of the list stored at `key` from index `start` to `end` inclusive.

        Negative indexes count from the tail: -1 is the last element. Indexes out of range are no
        error. Returns a list, which is empty if no element is in the range.

        >>> db.rpush("row", "a", "b", "c"), db.lrange("row", 1, -1)
        (3, [b'b', b'c'])
        """
        row = self.space.read(key, List)
        reply: Any = [] if row is None else row.slice(*_span(start, end, len(row)))
        return reply

    @command(
        "LINDEX key index",
        "readonly",
        since="1.0.0",
        complexity="O(log n) for n elements",
        access="RO ACCESS",
    )
    def lindex(self, key: Key, index: Integer) -> T | None:
        """Return the element at `index` in the list stored at `key`.

        Negative indexes count from the tail: -1 is the last element. Returns None if out of range.

        >>> db.rpush("row", "a", "b", "c"), db.lindex("row", -1)
        (3, b'c')
        """
        row = self.space.read(key, List)
        reply: Any = None
        if row is not None:
            at = integer(index)
            at += len(row) if at < 0 else 0
            reply = row.get(at) if 0 <= at < len(row) else None
        return reply

    @overload
    def lpos(
        self,
        key: Key,
        value: Value,
        rank: Integer | None = None,
        count: None = None,
        maxlen: Integer | None = None,
    ) -> int | None: ...

    @overload
    def lpos(
        self,
        key: Key,
        value: Value,
        rank: Integer | None = None,
        count: Integer = ...,
        maxlen: Integer | None = None,
    ) -> list[int]: ...

    @command(
        "LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len]",
        "readonly",
        since="6.0.6",
        complexity="O(n) for n elements looked at",
        access="RO ACCESS",
        names={"element": "value"},
        kinds={
            "rank": Kind(_rank, "", "which match to begin with; negative: from the tail"),
            "num-matches": at_least(0, "COUNT can't be negative"),
            "len": at_least(0, "MAXLEN can't be negative"),
        },
    )
    def lpos(
        self,
        key: Key,
        value: Value,
        rank: Integer | None = None,
        count: Integer | None = None,
        maxlen: Integer | None = None,
    ) -> int | list[int] | None:
        """Return the index of the first element equal to `value` in the list stored at `key`.

        rank: start with this match: 2 is the second, -1 the last. count: return a list of at most
        this many indexes; 0 is all. maxlen: compare at most this many elements; 0, the default, is
        all.

        Returns None, or [] with `count`, if no element matches. Raises ResponseError if `rank` is 0
        or another option is negative.

        >>> db.rpush("row", "a", "b", "a"), db.lpos("row", "a"), db.lpos("row", "a", count=0)
        (3, 0, [0, 2])
        """
        row = self.space.read(key, List)
        ranks: Any = (rank or 1, count, maxlen or 0)
        found = [] if row is None else row.positions(encode(value), *ranks)
        if count is not None:
            return found
        return found[0] if found else None

    # changing ----------------------------------------------------------------------------------

    @command(
        "LSET key index element",
        "write denyoom",
        since="1.0.0",
        complexity="O(log n) for n elements",
        access="RW UPDATE",
        names={"element": "value"},
    )
    def lset(self, key: Key, index: Integer, value: Value) -> Status:
        """Replace the element at `index` in the list stored at `key` by `value`.

        Negative indexes count from the tail. Returns OK. Raises ResponseError if the key does not
        exist or the index is out of range.

        >>> db.rpush("row", "a", "b"), db.lset("row", -1, "z"), db.lrange("row", 0, -1)
        (2, OK, [b'a', b'z'])
        """
        row = self.space.write(key, List)
        if row is None:
            raise no_such_key()
        at = integer(index)
        at += len(row) if at < 0 else 0
        if not 0 <= at < len(row):
            raise errors.error(errors.INDEX_OUT_OF_RANGE)
        self.space.changed(key, "lset")
        row.set(at, encode(value))
        return OK

    @command(
        "LINSERT key <BEFORE | AFTER> pivot element",
        "write denyoom",
        since="2.2.0",
        complexity="O(n) for n elements before the pivot",
        access="RW INSERT",
        choices="where",
        names={"pivot": "refvalue", "element": "value"},
    )
    def linsert(self, key: Key, where: str, refvalue: Value, value: Value) -> int:
        """Insert `value` before or after the first element equal to `refvalue`.

        where: BEFORE or AFTER. Returns the new length of the list, -1 if no element equals
        `refvalue`, or 0 if the key does not exist.

        >>> db.rpush("row", "a", "c"), db.linsert("row", "BEFORE", "c", "b")
        (2, 3)
        """
        row = self.space.write(key, List)
        if row is None:
            return 0
        found = row.positions(encode(refvalue))
        if not found:
            return -1
        self.space.changed(key, "linsert")
        row.insert(found[0] + (encode(where) == b"AFTER"), encode(value))
        return len(row)

    @command(
        "LREM key count element",
        "write",
        since="1.0.0",
        complexity="O(n) for n elements",
        access="RW DELETE",
        names={"element": "value"},
    )
    def lrem(self, key: Key, count: Integer, value: Value) -> int:
        """Remove elements equal to `value` from the list stored at `key`.

        count: remove this many from the head; if negative, from the tail; 0 is all of them. Returns
        the number of removed elements. Deletes the key if no element is left.

        >>> db.rpush("row", "a", "b", "a"), db.lrem("row", -1, "a"), db.lrange("row", 0, -1)
        (3, 1, [b'a', b'b'])
        """
        limit, element = integer(count), encode(value)
        if limit < 1 - 2**63:
            raise errors.error(errors.COUNT_OUT_OF_RANGE)
        row = self.space.write(key, List)
        if row is None or not row.positions(element, -1 if limit < 0 else 1):
            return 0
        size = len(row)
        if (abs(limit) or size) >= size and all(map(element.__eq__, row)):
            self.space.delete_emptied(key, "lrem")
            return size
        self.space.changed(key, "lrem")
        return row.remove(limit, element)

    @command(
        "LTRIM key start stop",
        "write",
        since="1.0.0",
        complexity="O(n) for n elements removed",
        access="RW DELETE",
        names={"stop": "end"},
    )
    def ltrim(self, key: Key, start: Integer, end: Integer) -> Status:
        """Keep the elements from index `start` to `end` inclusive and remove all others.

        Negative indexes count from the tail. Returns OK. Deletes the key if no element is left.

        >>> db.rpush("row", "a", "b", "c"), db.ltrim("row", 0, 1), db.lrange("row", 0, -1)
        (3, OK, [b'a', b'b'])
        """
        row = self.space.write(key, List)
        if row is None:
            return OK
        size = len(row)
        first, stop = _span(start, end, size)
        if first >= stop:
            self.space.delete_emptied(key, "ltrim")
            return OK
        self.space.changed(key, "ltrim", size - (stop - first))
        if first == 0:
            row.pop_right(size - stop)
        elif stop == size:
            row.pop_left(first)
        else:
            row.trim(first, stop)
        return OK


def _span(start: Any, end: Any, size: int) -> tuple[int, int]:
    """Convert inclusive indexes to [start, stop) within `size`; (0, 0) if the range is empty."""
    first = max(start + size, 0) if start < 0 else start
    stop = min((end + size if end < 0 else end) + 1, size)
    return (first, stop) if first < stop else (0, 0)
