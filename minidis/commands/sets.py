"""Set commands: unordered collections of unique members."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import reduce
from itertools import islice
from operator import and_
from typing import Any, overload

from minidis import errors
from minidis.commands.shared.cursors import STEP_SIZE, chosen, every, walk
from minidis.commands.shared.group import Group, T
from minidis.grammar.command import declarations
from minidis.grammar.kinds import I64_MIN, RAW, Integer, Key, Kind, Many, Value, integer, positive
from minidis.replies import SetReply
from minidis.structures.limits import Limits
from minidis.structures.tables import Set
from minidis.structures.text import is_canonical_int

command = declarations(group="set")

#: Redis makes a new set when SPOP leaves at most a fifth of what it removes.
REPACKED = 5


def _limit(value: Any) -> int:
    """Convert LIMIT; any invalid value raises the error for a negative number."""
    try:
        number = integer(value)
    except errors.ResponseError:
        number = -1
    if number < 0:
        raise errors.error(errors.LIMIT_NEGATIVE)
    return number


_LIMIT = {"limit": Kind(_limit, "", "where to stop counting; 0 for nowhere")}


_SISMEMBER_UNLOCKED = """
if key not in space.deadlines:
    table = space.values.get(key)
    if table.__class__ is Set:
        reply = 1 if member in table else 0
"""


class Sets(Group[T]):
    """Commands on sets: SADD, SISMEMBER, SINTER, SSCAN and others."""

    # members -----------------------------------------------------------------------------------

    @command(
        "SADD key member [member ...]",
        "write denyoom fast",
        since="1.0.0",
        complexity="O(n) for n members",
        access="RW INSERT",
        single_step=True,
    )
    def sadd(self, key: Key, *members: Many) -> int:
        """Add `members` to the set stored at `key`.

        Returns the number of new members.

        >>> db.sadd("tags", "new", "red"), db.sadd("tags", "red", "old")
        (2, 1)
        """
        given: Any = members
        space, limits = self.space, self.engine.settings.limits
        table = space.write(key, Set)
        if table is None:
            new = Set.load(given, limits, asked=len(given))
            space.changed(key, "sadd", len(new))
            space.put(key, new)
            return len(new)
        if len(given) > 1:
            table.expect(len(given), limits)
        news = dict.fromkeys(member for member in given if member not in table)
        if not news:
            return 0
        space.changed(key, "sadd", len(news))
        if table.turns(news):
            return self._turn(key, table, news)
        return table.put(news, limits)

    def _turn(self, key: Any, table: Set, news: Collection[bytes]) -> int:
        """Put a set in the place of an intset, with new members that are not all integers."""
        turned = table.with_texts(news, self.engine.settings.limits)
        self.space.put(key, turned, self.space.deadlines.get(key))
        return len(news)

    @command(
        "SREM key member [member ...]",
        "write fast",
        since="1.0.0",
        complexity="O(n) for n members",
        access="RW DELETE",
    )
    def srem(self, key: Key, *members: Many) -> int:
        """Remove `members` from the set stored at `key`.

        Returns the number of removed members. Deletes the key if no member is left.

        >>> db.sadd("tags", "new", "red"), db.srem("tags", "red", "old")
        (2, 1)
        """
        table: Any = self.space.write(key, Set)
        if table is None:
            return 0
        gone = dict.fromkeys(member for member in members if member in table)
        self._remove_members(key, table, gone, "srem")
        return len(gone)

    def _remove_members(self, key: Any, table: Set, gone: Any, event: str) -> None:
        """Remove different members that all exist, and delete the key if none is left."""
        if len(gone) == len(table):
            self.space.delete_emptied(key, event)
        elif gone:
            self.space.changed(key, event, len(gone))
            table.drop(gone)

    @command(
        "SMOVE source destination member",
        "write fast",
        since="1.0.0",
        complexity="O(1)",
        access="RW ACCESS DELETE | RW INSERT",
    )
    def smove(self, source: Key, destination: Key, member: Value) -> int:
        """Move `member` from set `source` to set `destination`.

        Returns 1 if the member was moved, 0 if `source` does not contain it.

        >>> db.sadd("todo", "tea", "bread"), db.smove("todo", "done", "tea"), db.smembers("done")
        (2, 1, {b'tea'})
        """
        moved: Any = member
        origin = self.space.write(source, Set)
        if origin is None:
            return 0
        target = self.space.write(destination, Set)
        if moved not in origin:
            return 0
        if origin is not target:
            self._take_member(source, origin, moved)
            self._give_member(destination, target, moved)
        return 1

    def _take_member(self, key: Any, origin: Set, member: bytes) -> None:
        """Remove the member from the source of SMOVE, with an undo entry."""
        if len(origin) > 1:
            limits = self.engine.settings.limits
            self.unit.on_rollback(_restore_member, origin, member, limits)
        self._remove_members(key, origin, (member,), "srem")

    def _give_member(self, key: Any, target: Set | None, member: bytes) -> None:
        """Add the member to the destination of SMOVE, with an undo entry."""
        space, limits = self.space, self.engine.settings.limits
        if target is None:
            space.changed(key, "sadd")
            space.put(key, Set.load((member,), limits, asked=1))
        elif member not in target:
            space.changed(key, "sadd")
            if target.turns((member,)):
                self._turn(key, target, (member,))
                return
            self.unit.on_rollback(_take_back, target, member, target.expanded)
            target.put_one(member, limits)

    # reading -----------------------------------------------------------------------------------

    @command(
        "SISMEMBER key member",
        "readonly fast",
        since="1.0.0",
        complexity="O(1)",
        access="RO",
        unlocked=_SISMEMBER_UNLOCKED,
    )
    def sismember(self, key: Key, member: Value) -> int:
        """Check whether the set stored at `key` contains `member`.

        Returns 1 if it does, 0 if not.

        >>> db.sadd("tags", "red"), db.sismember("tags", "red"), db.sismember("tags", "blue")
        (1, 1, 0)
        """
        return int(member in (self.space.read(key, Set) or ()))

    @command(
        "SMISMEMBER key member [member ...]",
        "readonly fast",
        since="6.2.0",
        complexity="O(n) for n members",
        access="RO ACCESS",
    )
    def smismember(self, key: Key, *members: Many) -> list[int]:
        """Check for each of `members` whether the set stored at `key` contains it.

        Returns a list of 1 and 0, in the order of `members`.

        >>> db.sadd("tags", "red"), db.smismember("tags", "red", "blue")
        (1, [1, 0])
        """
        table: Any = self.space.read(key, Set) or ()
        return [int(member in table) for member in members]

    @command(
        "SCARD key",
        "readonly fast",
        since="1.0.0",
        complexity="O(1)",
        access="RO",
    )
    def scard(self, key: Key) -> int:
        """Return the number of members of the set stored at `key`.

        >>> db.sadd("tags", "red", "blue"), db.scard("tags")
        (2, 2)
        """
        return len(self.space.read(key, Set) or ())

    @command(
        "SMEMBERS key",
        "readonly",
        since="1.0.0",
        complexity="O(n) for a set of n members",
        access="RO ACCESS",
    )
    def smembers(self, key: Key) -> set[T]:
        """Return all members of the set stored at `key` as a set.

        >>> db.sadd("tags", "red"), db.smembers("tags")
        (1, {b'red'})
        """
        table = self.space.read(key, Set)
        return set() if table is None else _whole(table)

    # at random, and by cursor ------------------------------------------------------------------

    @overload
    def spop(self, key: Key, count: None = None) -> T | None: ...

    @overload
    def spop(self, key: Key, count: Integer) -> set[T]: ...

    @command(
        "SPOP key [count]",
        "write fast",
        since="1.0.0",
        complexity="O(n) for n members returned; the first call on a set O(n) for its members",
        access="RW ACCESS DELETE",
        kinds={"count": RAW},
    )
    def spop(self, key: Key, count: Integer | None = None) -> T | set[T] | None:
        """Remove and return a random member of the set stored at `key`.

        count: return a set of at most this many members. Returns None, or set() with `count`, if
        the key does not exist. Deletes the key if no member is left. Raises ResponseError if
        `count` is negative.

        >>> db.sadd("coin", "heads"), db.spop("coin"), db.spop("coin", 2)
        (1, b'heads', set())
        """
        wanted: Any = None if count is None else positive(count)
        table: Any = self.space.write(key, Set)
        if wanted is None:
            return None if table is None else self._pop_member(key, table)
        if table is None or wanted == 0:
            return set()
        randbelow = self.engine.settings.randbelow
        gone = list(table) if wanted >= len(table) else table.sample(wanted, randbelow)
        if len(gone) == len(table):
            self._effect("DEL", key)
        else:
            self._effect("SREM", key, *gone)
        self._remove_members(key, table, gone, "spop")
        if table.expanded and len(gone) >= REPACKED * len(table):
            table.repack(self.engine.settings.limits)
        return set(gone)

    def _pop_member(self, key: Any, table: Set) -> Any:
        """Remove and return one random member."""
        member = table.random(self.engine.settings.randbelow)
        self._effect("SREM", key, member)
        self._remove_members(key, table, (member,), "spop")
        return member

    @overload
    def srandmember(self, key: Key, number: None = None) -> T | None: ...

    @overload
    def srandmember(self, key: Key, number: Integer) -> list[T]: ...

    @command(
        "SRANDMEMBER key [count]",
        "readonly",
        since="1.0.0",
        complexity="O(n) for n members returned; the first call on a set O(n) for its members",
        access="RO ACCESS",
        names={"count": "number"},
        kinds={"count": RAW},
    )
    def srandmember(self, key: Key, number: Integer | None = None) -> T | list[T] | None:
        """Return one or more random members of the set stored at `key`.

        number: return a list of at most this many different members; if negative, of exactly
        -number members, which may repeat.

        Returns None, or [] with `number`, if the key does not exist. Raises ResponseError if
        `number` is out of range.

        >>> db.sadd("coin", "heads"), db.srandmember("coin"), db.srandmember("coin", -2)
        (1, b'heads', [b'heads', b'heads'])
        """
        count: Any = None if number is None else integer(number)
        if count == I64_MIN:
            raise errors.error(errors.COUNT_OUT_OF_RANGE)
        table: Any = self.space.read(key, Set)
        if count is None:
            return None if table is None else table.random(self.engine.settings.randbelow)
        return [] if table is None else chosen(table, count, self.engine.settings.randbelow)

    @command(
        "SSCAN key cursor [MATCH pattern] [COUNT count]",
        "readonly",
        since="2.8.0",
        complexity="O(1) for each call, O(n) for a whole walk over n members",
        access="RO ACCESS",
        kinds={"count": STEP_SIZE},
        deferred_errors=True,
    )
    def sscan(
        self,
        key: Key,
        cursor: Integer = 0,
        match: Value | None = None,
        count: Integer | None = None,
        _option_error: Any = None,
    ) -> list[Any]:
        """Return one step of an iteration over the members of the set stored at `key`.

        cursor: 0 for the first step, then the cursor that the previous step returned. match: glob
        pattern for members. count: number of members to examine (default 10).

        Returns [next cursor, members]; cursor 0 ends the iteration. A member that exists during the
        whole iteration is returned at least once.

        >>> db.sadd("tags", "red", "blue"), db.sscan("tags", 0, match="r*")
        (2, [0, [b'red']])
        """
        return list(walk(self.space.read(key, Set), cursor, match, count, _option_error))

    def sscan_iter(
        self, key: Key, match: Value | None = None, count: Integer | None = None
    ) -> Iterator[T]:
        """Iterate over the members of the set stored at `key`.

        match, count: as for SSCAN. Each step is one SSCAN call, and other threads can run commands
        between the steps.

        >>> db.sadd("tags", "red", "blue"), sorted(db.sscan_iter("tags"))
        (2, [b'blue', b'red'])
        """
        return every(lambda cursor: self.sscan(key, cursor, match, count))

    # several sets ------------------------------------------------------------------------------

    @command(
        "SUNION key [key ...]",
        "readonly",
        since="1.0.0",
        complexity="O(n) for n members in all sets",
        access="RO ACCESS",
    )
    def sunion(self, *keys: Many) -> set[T]:
        """Return the union of the sets stored at `keys`: the members of at least one of them.

        >>> db.sadd("a", 1), db.sadd("b", 2), sorted(db.sunion("a", "b"))
        (1, 1, [b'1', b'2'])
        """
        tables = self._sets_at(keys)
        return _replied(tables, _union(tables))

    @command(
        "SINTER key [key ...]",
        "readonly",
        since="1.0.0",
        complexity="O(n*m) for m sets, the smallest of which has n members",
        access="RO ACCESS",
    )
    def sinter(self, *keys: Many) -> set[T]:
        """Return the intersection of the sets stored at `keys`: the members of all of them.

        >>> db.sadd("a", 1, 2), db.sadd("b", 2, 3), db.sinter("a", "b")
        (2, 2, {b'2'})
        """
        return SetReply(_intersection(self._sets_at(keys)))

    @command(
        "SDIFF key [key ...]",
        "readonly",
        since="1.0.0",
        complexity="O(n) for n members in all sets",
        access="RO ACCESS",
    )
    def sdiff(self, *keys: Many) -> set[T]:
        """Return the difference of the sets stored at `keys`: the members only in the first.

        >>> db.sadd("a", 1, 2), db.sadd("b", 2, 3), db.sdiff("a", "b")
        (2, 2, {b'1'})
        """
        tables = self._sets_at(keys)
        return _replied(tables, _difference(tables))

    def _sets_at(self, keys: Any) -> Any:
        """Return the sets at the keys, an empty set for each missing key."""
        read = self.space.read
        return [read(key, Set) or _EMPTY for key in keys]

    @command(
        "SUNIONSTORE destination key [key ...]",
        "write denyoom",
        since="1.0.0",
        complexity="O(n) for n members in all sets",
        access="OW UPDATE | RO ACCESS",
    )
    def sunionstore(self, destination: Key, *keys: Many) -> int:
        """Store the union of the sets stored at `keys` in `destination`.

        Replaces any previous value. Returns the number of members; if it is 0, `destination` is
        deleted.

        >>> db.sadd("a", 1), db.sadd("b", 2), db.sunionstore("both", "a", "b")
        (1, 1, 2)
        """
        found = Set.load(_union(self._sets_at(keys)), self.engine.settings.limits)
        return self._store_set(destination, found, "sunionstore")

    @command(
        "SINTERSTORE destination key [key ...]",
        "write denyoom",
        since="1.0.0",
        complexity="O(n*m) for m sets, the smallest of which has n members",
        access="OW UPDATE | RO ACCESS",
    )
    def sinterstore(self, destination: Key, *keys: Many) -> int:
        """Store the intersection of the sets stored at `keys` in `destination`.

        Replaces any previous value. Returns the number of members; if it is 0, `destination` is
        deleted.

        >>> db.sadd("a", 1, 2), db.sadd("b", 2), db.sinterstore("both", "a", "b")
        (2, 1, 1)
        """
        found = _common_set(self._sets_at(keys), self.engine.settings.limits)
        return self._store_set(destination, found, "sinterstore")

    @command(
        "SDIFFSTORE destination key [key ...]",
        "write denyoom",
        since="1.0.0",
        complexity="O(n) for n members in all sets",
        access="OW UPDATE | RO ACCESS",
    )
    def sdiffstore(self, destination: Key, *keys: Many) -> int:
        """Store the difference of the sets stored at `keys` (see SDIFF) in `destination`.

        Replaces any previous value. Returns the number of members; if it is 0, `destination` is
        deleted.

        >>> db.sadd("a", 1, 2), db.sadd("b", 2), db.sdiffstore("rest", "a", "b")
        (2, 1, 1)
        """
        found = _rest_set(self._sets_at(keys), self.engine.settings.limits)
        return self._store_set(destination, found, "sdiffstore")

    def _store_set(self, key: Any, members: Set, event: str) -> int:
        """Store a result, or delete the key if the result is empty."""
        space = self.space
        if members:
            space.changed(key, event)
            space.put(key, members)
        elif space.find(key) is not None:
            space.changed(key, "del")
            space.remove(key)
        return len(members)

    # sizes of results --------------------------------------------------------------------------

    @command(
        "SINTERCARD numkeys key [key ...] [LIMIT limit]",
        "readonly movablekeys",
        since="7.0.0",
        complexity="O(n*m) for m sets, the smallest of which has n members",
        access="RO ACCESS",
        kinds=_LIMIT,
        count_error=errors.NUMKEYS_NOT_POSITIVE,
        overflow_error=errors.NUMKEYS_TOO_LARGE,
    )
    def sintercard(self, numkeys: Integer, keys: Iterable[Key], limit: Integer = 0) -> int:
        """Return the number of members of the intersection of the sets stored at `keys`.

        numkeys: number of keys. limit: stop counting at this number (default 0: no limit). Raises
        ResponseError if `numkeys` is not the number of `keys` or `limit` is negative.

        >>> db.sadd("a", 1, 2), db.sadd("b", 2, 3), db.sintercard(2, ["a", "b"])
        (2, 2, 1)
        """
        first, *others = sorted(self._counted_sets(numkeys, keys), key=len)
        common = (member for member in first if all(member in other for other in others))
        return _count(common, limit)

    @command(
        "SUNIONCARD numkeys key [key ...] [APPROX] [LIMIT limit]",
        "readonly movablekeys",
        since="8.10.0",
        complexity="O(n) for n members in all sets",
        access="RO ACCESS",
        kinds=_LIMIT,
        count_error=errors.NUMKEYS_NOT_POSITIVE,
        overflow_error=errors.NUMKEYS_TOO_LARGE,
    )
    def sunioncard(
        self, numkeys: Integer, keys: Iterable[Key], limit: Integer = 0, approx: bool = False
    ) -> int:
        """Return the number of members of the union of the sets stored at `keys`.

        numkeys: number of keys. limit: stop counting at this number (default 0: no limit).
        approx: an estimate is sufficient; minidis returns the exact number anyway. Raises
        ResponseError if `numkeys` is not the number of `keys` or `limit` is negative.

        >>> db.sadd("a", 1, 2), db.sadd("b", 2, 3), db.sunioncard(2, ["a", "b"])
        (2, 2, 3)
        """
        tables, most = self._counted_sets(numkeys, keys), integer(limit)
        # Every set is smaller than the limit here, so the union costs at most limit * numkeys.
        if most and max(map(len, tables)) >= most:
            return most
        size = len(_union(tables))
        return min(size, most) if most else size

    @command(
        "SDIFFCARD numkeys key [key ...] [LIMIT limit]",
        "readonly movablekeys",
        since="8.10.0",
        complexity="O(n*m) for m sets, the first of which has n members",
        access="RO ACCESS",
        kinds=_LIMIT,
        count_error=errors.NUMKEYS_NOT_POSITIVE,
        overflow_error=errors.NUMKEYS_TOO_LARGE,
    )
    def sdiffcard(self, numkeys: Integer, keys: Iterable[Key], limit: Integer = 0) -> int:
        """Return the number of members of the difference of the sets stored at `keys` (SDIFF).

        numkeys: number of keys. limit: stop counting at this number (default 0: no limit). Raises
        ResponseError if `numkeys` is not the number of `keys` or `limit` is negative.

        >>> db.sadd("a", 1, 2), db.sadd("b", 2, 3), db.sdiffcard(2, ["a", "b"])
        (2, 2, 1)
        """
        first, *others = self._counted_sets(numkeys, keys)
        rest = (member for member in first if not any(member in other for other in others))
        return _count(rest, limit)

    def _counted_sets(self, numkeys: Any, keys: Any) -> Any:
        """Return the sets at the keys; raise ResponseError if `numkeys` is not their number."""
        if numkeys < 1:
            raise errors.error(errors.NUMKEYS_NOT_POSITIVE)
        if numkeys != len(keys):
            raise errors.error(errors.NUMKEYS_TOO_LARGE if numkeys > len(keys) else errors.SYNTAX)
        return self._sets_at(keys)


#: Used in place of a missing key; never modified.
_EMPTY = Set()


# In the order in which Redis finds them, as far as its sets have an order.


def _whole(table: Set) -> set[Any]:
    """Return all members as a reply."""
    return set(table) if table.expanded else SetReply(table.in_order())


def _replied(tables: list[Set], members: dict[bytes, None]) -> set[Any]:
    """Return the result of SUNION or SDIFF: Redis collects integers in an intset."""
    if any(table.encoding != "intset" for table in tables):
        return set(members)
    return SetReply(sorted(members, key=int))


def _union(tables: list[Set]) -> dict[bytes, None]:
    """Return the members of at least one of the sets."""
    members: dict[bytes, None] = {}
    for table in tables:
        members.update(table if table.expanded else dict.fromkeys(table.in_order()))
    return members


def _intersection(tables: list[Set]) -> Iterable[bytes]:
    """Return the members of all sets, in the order of the smallest."""
    smallest, *others = sorted(tables, key=len)
    if smallest.expanded:
        # Each `&` iterates over the smaller side.
        return reduce(and_, [table.keys() for table in others], smallest.keys())
    return [member for member in smallest.in_order() if all(member in other for other in others)]


def _common_set(tables: list[Set], limits: Limits) -> Set:
    """Return the intersection as a set, in the encoding that SINTERSTORE chooses."""
    members = list(_intersection(tables))
    numbers = all(map(is_canonical_int, members))
    if numbers and len(members) <= limits.set_max_intset_entries:
        return Set.load(members, limits)
    listpack = min(tables, key=len).encoding != "intset"
    return Set.load(members, limits, listpack=listpack)


def _difference(tables: list[Set]) -> dict[bytes, None]:
    """Return the members of the first set that no other set contains."""
    first, *others = tables
    left = dict.fromkeys(first.in_order())
    for table in others:
        if len(table) < len(left):
            for member in table:
                left.pop(member, None)
        else:
            left = {member: None for member in left if member not in table}
    return left


def _rest_set(tables: list[Set], limits: Limits) -> Set:
    """Return the difference as a set, in the encoding that SDIFFSTORE chooses."""
    members, size = _difference(tables), len(tables[0])
    one_by_one = size * sum(map(bool, tables)) // 2 <= sum(map(len, tables))
    if one_by_one:
        return Set.load(members, limits)
    rest = Set.load(tables[0].in_order(), limits)  # Redis copies the set and removes the others
    rest.drop([member for member in rest if member not in members])
    return rest


def _count(members: Iterator[Any], limit: Any) -> int:
    """Count the members, up to a limit other than 0."""
    return sum(1 for _ in islice(members, limit or None))


def _restore_member(table: Set, member: bytes, limits: Limits) -> None:
    """Undo the first half of SMOVE, whether or not it has happened."""
    table.put_one(member, limits)


def _take_back(table: Set, member: bytes, expanded: bool) -> None:
    """Undo the second half of SMOVE, whether or not it has happened."""
    table.drop((member,))
    table.expanded = expanded
