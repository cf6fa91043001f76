"""Blocking commands: variants of LPOP, LMOVE, LMPOP, ZPOPMIN and ZMPOP that wait for an element.

A body first tries to pop. If there is nothing to pop it returns Wait, and is called again when one
of its keys has changed (see observers/blocking.py). Every pop adds an undo entry, also that of a
single element, because the reply may be for a client that is blocked in another thread. If that
client can no longer take the reply, `return_elements` of Wait puts the elements back.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from minidis import errors
from minidis.clients.blocked import Wait
from minidis.commands.list_moves import ListMoves, return_elements
from minidis.commands.lists import Lists
from minidis.commands.shared.group import T
from minidis.commands.sorted_sets.members import SortedSets
from minidis.grammar.command import declarations
from minidis.grammar.kinds import (
    I64_MAX,
    RAW,
    Float,
    Integer,
    Key,
    Many,
    at_least,
    encode,
    integer,
    to_float,
)
from minidis.protocol.shapes import null_arrays
from minidis.structures.lists import List
from minidis.structures.sorted_set import SortedSet

command = declarations(group="list")

#: Timeouts below (seconds) need no check of their range.
_USUAL = 1e9
_COUNT = at_least(1, errors.COUNT_NOT_POSITIVE)


def timeout_of(value: Any, now: int) -> float:
    """Convert a timeout in seconds, 0 for no limit; fractions of a millisecond are rounded up.

    now: the time, to which a timeout is added.
    """
    word = encode(value)
    seconds = to_float(word)
    if seconds is None or not 0 <= seconds < _USUAL:
        return _unusual_timeout(word, now)
    return -(-seconds * 1000 // 1) / 1000


def _unusual_timeout(word: bytes, now: int) -> float:
    """Convert a timeout as Redis does: with long doubles, rounding -0.5 milliseconds up to 0."""
    from minidis.structures import long_double  # loads fractions and decimal

    number = long_double.parse(word)
    if number is not None:
        milliseconds = math.ceil(long_double.rounded(number * 1000))
    elif long_double.is_infinite(word):
        milliseconds = -1 if word[:1] == b"-" else I64_MAX
    else:
        raise errors.error(errors.TIMEOUT_NOT_FLOAT)
    if milliseconds < 0:
        raise errors.error(errors.TIMEOUT_NEGATIVE)
    if milliseconds and milliseconds > I64_MAX - now:
        raise errors.error(errors.TIMEOUT_OUT_OF_RANGE)
    return milliseconds / 1000


class Blocking(ListMoves[T], Lists[T], SortedSets[T]):
    """Commands that block until there is an element: BLPOP, BLMOVE, BZPOPMIN and others."""

    # lists -------------------------------------------------------------------------------------

    @command(
        "BLPOP key [key ...] timeout",
        "write blocking",
        since="2.0.0",
        complexity="O(n) for n keys",
        access="RW ACCESS DELETE",
        names={"key": "keys"},
        kinds={"timeout": RAW},
        resp2=null_arrays,
    )
    def blpop(self, keys: Many, timeout: Float = 0) -> list[T] | None:
        """Pop the first element of the first list among `keys`, blocking until there is one.

        keys: one key or several. timeout: seconds to wait (default 0: no limit).

        Returns [key, element], or None after the timeout. Inside a transaction it does not block.
        Raises ResponseError if `timeout` is negative or not a number.

        >>> db.rpush("b", 1, 2), db.blpop(["a", "b"], timeout=1)
        (2, [b'b', b'1'])
        """
        return self._pop_or_wait(keys, timeout, True)

    @command(
        "BRPOP key [key ...] timeout",
        "write blocking",
        since="2.0.0",
        complexity="O(n) for n keys",
        access="RW ACCESS DELETE",
        names={"key": "keys"},
        kinds={"timeout": RAW},
        resp2=null_arrays,
    )
    def brpop(self, keys: Many, timeout: Float = 0) -> list[T] | None:
        """Pop the last element of the first list among `keys`, blocking until there is one.

        Arguments, return value and errors are those of BLPOP.

        >>> db.rpush("b", 1, 2), db.brpop(["a", "b"], timeout=1)
        (2, [b'b', b'2'])
        """
        return self._pop_or_wait(keys, timeout, False)

    def _pop_or_wait(self, keys: Any, timeout: Any, left: bool) -> Any:
        """Run BLPOP and BRPOP."""
        seconds = timeout_of(timeout, self.unit.now())
        taken = self._take_first(keys, 1, left)
        if taken is not None:
            self._effect("LPOP" if left else "RPOP", taken[0])
            return [taken[0], taken[1][0]]
        return self._wait_for_list(keys, seconds, lambda reply: (reply[0], [reply[1]]), left)

    def _take_first(self, keys: Any, count: int, left: bool) -> list[Any] | None:
        """Pop at most `count` elements from the first existing key, with an undo entry."""
        for key in keys:
            row = self.space.write(key, List)
            if row is None:
                continue
            if count < len(row):
                taken = row.slice(0, count) if left else row.slice(len(row) - count, len(row))
                self.unit.on_rollback(return_elements, row, len(row), taken, left)
            return [key, self._take(key, row, count, left)]
        return None

    def _wait_for_list(
        self,
        keys: Any,
        seconds: float,
        parts: Callable[[Any], tuple[Any, list[Any]]],
        left: bool,
    ) -> Wait:
        """Return a Wait for the lists; `parts` extracts key and elements from a reply to undo."""

        def at_its_end(reply: Any) -> None:
            key, elements = parts(reply)
            self._push(key, elements[::-1], left, False)
            self._effect("LPUSH" if left else "RPUSH", key, *elements[::-1])

        return Wait(keys, seconds, kind=List, return_elements=at_its_end)

    @command(
        "BLMPOP timeout numkeys key [key ...] <LEFT | RIGHT> [COUNT count]",
        "write blocking movablekeys",
        since="7.0.0",
        complexity="O(n + m) for n keys and m elements returned",
        access="RW ACCESS DELETE",
        kinds={"timeout": RAW, "count": _COUNT},
        choices="direction",
        count_error=errors.NUMKEYS_NOT_POSITIVE,
        once=True,
        resp2=null_arrays,
    )
    def blmpop(
        self,
        timeout: Float,
        numkeys: Integer,
        *keys: Many,
        direction: str,
        count: Integer | None = None,
    ) -> list[Any] | None:
        """Pop elements of the first list among `keys`, blocking until there is one.

        timeout: seconds to wait; 0 is no limit. numkeys: number of keys. direction: LEFT (head) or
        RIGHT (tail). count: pop at most this many elements (default 1).

        Returns [key, elements], or None after the timeout. Raises ResponseError for an invalid
        option.

        >>> db.rpush("b", 1, 2, 3), db.blmpop(1, 2, "a", "b", direction="LEFT", count=2)
        (3, [b'b', [b'1', b'2']])
        """
        seconds = timeout_of(timeout, self.unit.now())
        if integer(numkeys) < 1:
            raise errors.error(errors.NUMKEYS_NOT_POSITIVE)
        if numkeys != len(keys):
            raise errors.error(errors.SYNTAX)
        left = encode(direction) == b"LEFT"
        taken: Any = self._take_first(keys, integer(count or 1), left)
        if taken is not None:
            self._effect("LPOP" if left else "RPOP", taken[0], len(taken[1]))
        reply: Any = taken or self._wait_for_list(keys, seconds, lambda reply: reply, left)
        return reply

    @command(
        "BLMOVE source destination <LEFT | RIGHT> <LEFT | RIGHT> timeout",
        "write denyoom blocking",
        since="6.2.0",
        complexity="O(1)",
        access="RW ACCESS DELETE | RW INSERT",
        kinds={"timeout": RAW},
        choices="src dest",
    )
    def blmove(
        self,
        source: Key,
        destination: Key,
        timeout: Float,
        src: str = "LEFT",
        dest: str = "RIGHT",
    ) -> T | None:
        """Move an element between the ends of two lists; block until there is one.

        timeout: seconds to wait; 0 is no limit. src, dest: LEFT (head) or RIGHT (tail). Returns the
        element, or None after the timeout. If `destination` holds another type, the element stays
        in `source`.

        >>> db.rpush("todo", "a", "b"), db.blmove("todo", "done", 1)
        (2, b'a')
        """
        effect = ("LMOVE", source, destination, src, dest)
        return self._move_or_wait(source, destination, (src, dest), timeout, effect)

    @command(
        "BRPOPLPUSH source destination timeout",
        "write denyoom blocking",
        since="2.2.0",
        complexity="O(1)",
        access="RW ACCESS DELETE | RW INSERT",
        kinds={"timeout": RAW},
    )
    def brpoplpush(self, source: Key, destination: Key, timeout: Float = 0) -> T | None:
        """Move the last element of `source` to the head of `destination`, blocking for it.

        timeout: seconds to wait (default 0: no limit). Returns the element, or None after the
        timeout. BLMOVE replaces this command.

        >>> db.rpush("todo", "a", "b"), db.brpoplpush("todo", "done", 1)
        (2, b'b')
        """
        effect = ("RPOPLPUSH", source, destination)
        return self._move_or_wait(source, destination, (b"RIGHT", b"LEFT"), timeout, effect)

    def _move_or_wait(
        self, source: Any, target: Any, ends: tuple[Any, Any], timeout: Any, effect: tuple[Any, ...]
    ) -> Any:
        """Run BLMOVE and BRPOPLPUSH; `effect` is the command that does not block."""
        seconds = timeout_of(timeout, self.unit.now())
        moved = self._move(source, target, ends, 1, False, True)
        if not moved:
            return Wait([source], seconds, kind=List)
        self._effect(*effect)
        return moved[0]

    @command(
        "BLMOVEM source destination <LEFT | RIGHT> <LEFT | RIGHT> timeout "
        "[<COUNT count | EXACTLY exactly> <OBO | BULK>]",
        "write denyoom blocking",
        since="8.10.0",
        complexity="O(n) for n elements moved",
        access="RW ACCESS DELETE | RW INSERT",
        kinds={"timeout": RAW, "count": _COUNT, "exactly": _COUNT},
        choices="src dest ordering",
    )
    def blmovem(
        self,
        source: Key,
        destination: Key,
        timeout: Float,
        src: str = "LEFT",
        dest: str = "RIGHT",
        count: Integer | None = None,
        exactly: Integer | None = None,
        ordering: str | None = None,
    ) -> list[T] | None:
        """Move several elements between the ends of two lists; block until `source` has enough.

        timeout: seconds to wait; 0 is no limit. The other options are those of LMOVEM; with
        `exactly`, the call blocks until `source` has this many elements.

        Returns the moved elements as they lie in `destination`, or None after the timeout.

        >>> db.rpush("todo", 1, 2, 3), db.blmovem("todo", "done", 1, exactly=2, ordering="BULK")
        (3, [b'1', b'2'])
        """
        seconds = timeout_of(timeout, self.unit.now())
        number, bulk = self._how_many(count, exactly, ordering)
        moved = self._move(source, destination, (src, dest), number, exactly is not None, bulk)
        key: Any = source
        if not moved:
            wait: Any = Wait([key], seconds, kind=List)
            return wait
        options = {"count": count, "exactly": exactly, "ordering": ordering}
        self._effect("LMOVEM", source, destination, src, dest, **options)
        return moved

    # sorted sets -------------------------------------------------------------------------------

    @command(
        "BZPOPMIN key [key ...] timeout",
        "write blocking fast",
        group="sorted-set",
        since="5.0.0",
        complexity="O(log n)",
        access="RW ACCESS DELETE",
        names={"key": "keys"},
        kinds={"timeout": RAW},
        resp2=null_arrays,
    )
    def bzpopmin(self, keys: Many, timeout: Float = 0) -> list[Any] | None:
        """Pop the member with the lowest score, blocking until there is one.

        keys: one key or several; the first that exists is used. timeout: seconds to wait (default
        0: no limit).

        Returns [key, member, score], or None after the timeout. Inside a transaction it does not
        block. Raises ResponseError if `timeout` is negative or not a number.

        >>> db.zadd("jobs", {"a": 1, "b": 2}), db.bzpopmin(["none", "jobs"], timeout=1)
        (2, [b'jobs', b'a', 1.0])
        """
        return self._zpop_or_wait(keys, timeout, True)

    @command(
        "BZPOPMAX key [key ...] timeout",
        "write blocking fast",
        group="sorted-set",
        since="5.0.0",
        complexity="O(log n)",
        access="RW ACCESS DELETE",
        names={"key": "keys"},
        kinds={"timeout": RAW},
        resp2=null_arrays,
    )
    def bzpopmax(self, keys: Many, timeout: Float = 0) -> list[Any] | None:
        """Pop the member with the highest score, blocking until there is one.

        Arguments, return value and errors are those of BZPOPMIN.

        >>> db.zadd("jobs", {"a": 1, "b": 2}), db.bzpopmax("jobs", timeout=1)
        (2, [b'jobs', b'b', 2.0])
        """
        return self._zpop_or_wait(keys, timeout, False)

    def _zpop_or_wait(self, keys: Any, timeout: Any, lowest: bool) -> Any:
        """Run BZPOPMIN and BZPOPMAX."""
        seconds = timeout_of(timeout, self.unit.now())
        taken = self._ztake_first(keys, 1, lowest)
        if taken is not None:
            self._effect("ZPOPMIN" if lowest else "ZPOPMAX", taken[0])
            return [taken[0], *taken[1][0]]
        return Wait(
            keys,
            seconds,
            kind=SortedSet,
            return_elements=lambda reply: self._zreturn_elements(reply[0], [reply[1:]]),
        )

    def _ztake_first(self, keys: Any, count: int, lowest: bool) -> list[Any] | None:
        """Remove at most `count` pairs from the first existing key, with an undo entry."""
        for key in keys:
            zset = self.space.write(key, SortedSet)
            if zset is None:
                continue
            pairs = zset.min_pairs(count) if lowest else zset.max_pairs(count)
            if len(pairs) < len(zset):
                self.unit.on_rollback(_zrestore, zset, dict(pairs), self.engine.settings.limits)
            return [key, [list(pair) for pair in self._zpop(key, zset, count, lowest)]]
        return None

    def _zreturn_elements(self, key: bytes, pairs: Any) -> None:
        """Put undelivered pairs back; a member added again meanwhile keeps its new score."""
        zset = self.space.write(key, SortedSet)
        gone = {
            member: score for member, score in pairs if zset is None or member not in zset.scores
        }
        if gone:
            self.space.changed(key, "zadd", len(gone))
            self._zput(key, zset, gone)
            self._effect("ZADD", key, gone)

    @command(
        "BZMPOP timeout numkeys key [key ...] <MIN | MAX> [COUNT count]",
        "write blocking movablekeys",
        group="sorted-set",
        since="7.0.0",
        complexity="O(k) + O(m log n) for k keys and m members popped",
        access="RW ACCESS DELETE",
        kinds={"timeout": RAW, "count": _COUNT},
        choices="min|max",
        count_error=errors.NUMKEYS_NOT_POSITIVE,
        once=True,
        resp2=null_arrays,
    )
    def bzmpop(
        self,
        timeout: Float,
        numkeys: Integer,
        keys: Many,
        min: bool = False,
        max: bool = False,
        count: Integer | None = None,
    ) -> list[Any] | None:
        """Pop members of the first sorted set among `keys`, blocking until there is one.

        timeout: seconds to wait; 0 is no limit. numkeys: number of keys. min, max: remove the
        members with the lowest, highest scores. count: remove at most this many members (default
        1).

        Returns [key, [[member, score], ...]], or None after the timeout. Raises ResponseError for
        an invalid option, and unless exactly one of `min` and `max` is given.

        >>> db.zadd("jobs", {"b": 2, "a": 1}), db.bzmpop(1, 2, ["none", "jobs"], min=True)
        (2, [b'jobs', [[b'a', 1.0]]])
        """
        seconds = timeout_of(timeout, self.unit.now())
        names: Any = keys
        if integer(numkeys) < 1:
            raise errors.error(errors.NUMKEYS_NOT_POSITIVE)
        if numkeys != len(names) or bool(min) == bool(max):
            raise errors.error(errors.SYNTAX)
        taken: Any = self._ztake_first(names, integer(count or 1), bool(min))
        if taken is not None:
            self._effect("ZPOPMIN" if min else "ZPOPMAX", taken[0], len(taken[1]))
        reply: Any = taken or Wait(
            names,
            seconds,
            kind=SortedSet,
            return_elements=lambda reply: self._zreturn_elements(*reply),
        )
        return reply


def _zrestore(zset: SortedSet, pairs: dict[bytes, float], limits: Any) -> None:
    """Undo a pop if it has happened: then the members are missing."""
    zset.put(
        {member: score for member, score in pairs.items() if member not in zset.scores}, limits
    )
