"""Commands that wait for an element: the blocking relatives of LPOP, LMOVE, LMPOP, ZPOPMIN, ZMPOP.

Each body looks and takes, as its relative does; when there is nothing it answers Wait, and is
called again when one of its keys has been touched (see waiting.py). Until the command is settled
everything can be put back, also a single pop, since the answer may be for somebody who waits
elsewhere; and an answer that its caller cannot take any more goes back by the function that Wait
carries.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minidis import errors
from minidis.commands.lists import Lists, return_elements
from minidis.commands.shared.group import T
from minidis.commands.sorted_sets.members import SortedSets
from minidis.grammar.command import declarations
from minidis.grammar.kinds import (
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
from minidis.observers.blocking import Wait
from minidis.protocol.shapes import null_arrays
from minidis.structures.lists import List
from minidis.structures.sorted_set import SortedSet

command = declarations(group="list")

#: Longest timeout in seconds: what fits in 64 bits of milliseconds.
_LONGEST = (2**63 - 1) / 1000
_COUNT = at_least(1, errors.COUNT_NOT_POSITIVE)


def timeout_of(value: Any) -> float:
    """A timeout in seconds; 0 is for ever. Fractions of a millisecond are rounded up."""
    seconds = to_float(encode(value))
    if seconds is None or seconds != seconds:
        raise errors.error(errors.TIMEOUT_NOT_FLOAT)
    if seconds > _LONGEST:
        raise errors.error(errors.TIMEOUT_OUT_OF_RANGE)
    if seconds < 0:
        raise errors.error(errors.TIMEOUT_NEGATIVE)
    return -(-seconds * 1000 // 1) / 1000


class Blocking(Lists[T], SortedSets[T]):
    """BLPOP, BLMOVE, BLMPOP, BZPOPMIN, BZMPOP and their variants."""

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
        """Pop from the head of the first of `keys` that holds a list: [key, element]. It waits.

        `timeout` is in seconds, 0 waits for ever; None when it is over. WrongTypeError when another
        type comes first. In a transaction it does not wait.

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
        """As BLPOP, from the tail.

        >>> db.rpush("b", 1, 2), db.brpop(["a", "b"], timeout=1)
        (2, [b'b', b'2'])
        """
        return self._pop_or_wait(keys, timeout, False)

    def _pop_or_wait(self, keys: Any, timeout: Any, left: bool) -> Any:
        seconds = timeout_of(timeout)
        taken = self._take_first(keys, 1, left)
        if taken is not None:
            return [taken[0], taken[1][0]]
        return self._wait_for_list(keys, seconds, lambda reply: (reply[0], [reply[1]]), left)

    def _take_first(self, keys: Any, count: int, left: bool) -> list[Any] | None:
        """Pop at most `count` elements from the first key that is there; this can be put back."""
        for key in keys:
            row = self.space.write(key, List)
            if row is None:
                continue
            if count < len(row):
                taken = row.slice(0, count) if left else row.slice(len(row) - count, len(row))
                self._can_undo(return_elements, row, len(row), taken, left)
            return [key, self._take(key, row, count, left)]
        return None

    def _can_undo(self, *entry: Any) -> None:
        self.engine.unsettled = True
        self.engine.undo.append(entry)

    def _wait_for_list(
        self,
        keys: Any,
        seconds: float,
        parts: Callable[[Any], tuple[Any, list[Any]]],
        left: bool,
    ) -> Wait:
        """Wait; `parts` finds the key and the elements in a reply that goes back."""

        def at_its_end(reply: Any) -> None:
            key, elements = parts(reply)
            self._push(key, elements[::-1], left, False)

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
        """LMPOP that waits: [key, elements] from the first of `keys` that holds a list.

        `timeout` is in seconds, 0 waits for ever; None when it is over. The other arguments are
        those of LMPOP.

        >>> db.rpush("b", 1, 2, 3), db.blmpop(1, 2, "a", "b", direction="LEFT", count=2)
        (3, [b'b', [b'1', b'2']])
        """
        seconds = timeout_of(timeout)
        if integer(numkeys) < 1:
            raise errors.error(errors.NUMKEYS_NOT_POSITIVE)
        if numkeys != len(keys):
            raise errors.error(errors.SYNTAX)
        left = encode(direction) == b"LEFT"
        taken: Any = self._take_first(keys, integer(count or 1), left)
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
        """LMOVE that waits for an element to move.

        `timeout` is in seconds, 0 waits for ever; None when it is over. WrongTypeError when either
        key holds another type; the element stays where it is.

        >>> db.rpush("todo", "a", "b"), db.blmove("todo", "done", 1)
        (2, b'a')
        """
        return self._move_or_wait(source, destination, (src, dest), timeout)

    @command(
        "BRPOPLPUSH source destination timeout",
        "write denyoom blocking",
        since="2.2.0",
        complexity="O(1)",
        access="RW ACCESS DELETE | RW INSERT",
        kinds={"timeout": RAW},
    )
    def brpoplpush(self, source: Key, destination: Key, timeout: Float = 0) -> T | None:
        """RPOPLPUSH that waits: BLMOVE ... RIGHT LEFT.

        >>> db.rpush("todo", "a", "b"), db.brpoplpush("todo", "done", 1)
        (2, b'b')
        """
        return self._move_or_wait(source, destination, (b"RIGHT", b"LEFT"), timeout)

    def _move_or_wait(self, source: Any, target: Any, ends: tuple[Any, Any], timeout: Any) -> Any:
        seconds = timeout_of(timeout)
        moved = self._move(source, target, ends, 1, False, True)
        return moved[0] if moved else Wait([source], seconds, kind=List)

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
        """LMOVEM that waits: for an element, or for `exactly` so many.

        `timeout` is in seconds, 0 waits for ever; None when it is over. The other arguments are
        those of LMOVEM.

        >>> db.rpush("todo", 1, 2, 3), db.blmovem("todo", "done", 1, exactly=2, ordering="BULK")
        (3, [b'1', b'2'])
        """
        seconds = timeout_of(timeout)
        number, bulk = self._how_many(count, exactly, ordering)
        moved = self._move(source, destination, (src, dest), number, exactly is not None, bulk)
        key: Any = source
        reply: Any = moved or Wait([key], seconds, kind=List)
        return reply

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
        """Take the member with the lowest score from the first of `keys` that is there, waiting for
        one: [key, member, score].

        `timeout` is in seconds, 0 waits for ever; None when it is over. WrongTypeError when another
        type comes first. In a transaction it does not wait.

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
        """As BZPOPMIN, the member with the highest score.

        >>> db.zadd("jobs", {"a": 1, "b": 2}), db.bzpopmax("jobs", timeout=1)
        (2, [b'jobs', b'b', 2.0])
        """
        return self._zpop_or_wait(keys, timeout, False)

    def _zpop_or_wait(self, keys: Any, timeout: Any, lowest: bool) -> Any:
        seconds = timeout_of(timeout)
        taken = self._ztake_first(keys, 1, lowest)
        if taken is not None:
            return [taken[0], *taken[1][0]]
        return Wait(
            keys,
            seconds,
            kind=SortedSet,
            return_elements=lambda reply: self._zreturn_elements(reply[0], [reply[1:]]),
        )

    def _ztake_first(self, keys: Any, count: int, lowest: bool) -> list[Any] | None:
        """Take at most `count` pairs of the first key that is there; this can be put back."""
        for key in keys:
            zset = self.space.write(key, SortedSet)
            if zset is None:
                continue
            pairs = zset.min_pairs(count) if lowest else zset.max_pairs(count)
            if len(pairs) < len(zset):
                self._can_undo(_zrestore, zset, dict(pairs), self.engine.limits)
            return [key, [list(pair) for pair in self._zpop(key, zset, count, lowest)]]
        return None

    def _zreturn_elements(self, key: bytes, pairs: Any) -> None:
        """Add pairs that nobody could take; a member that has come again keeps its new score."""
        zset = self.space.write(key, SortedSet)
        gone = {
            member: score for member, score in pairs if zset is None or member not in zset.scores
        }
        if gone:
            self.space.changed(key, "zadd", len(gone))
            self._zput(key, zset, gone)

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
        """ZMPOP that waits: [key, [[member, score], ...]] from the first of `keys` that is there.

        `timeout` is in seconds, 0 waits for ever; None when it is over. The other arguments are
        those of ZMPOP.

        >>> db.zadd("jobs", {"b": 2, "a": 1}), db.bzmpop(1, 2, ["none", "jobs"], min=True)
        (2, [b'jobs', [[b'a', 1.0]]])
        """
        seconds = timeout_of(timeout)
        names: Any = keys
        if integer(numkeys) < 1:
            raise errors.error(errors.NUMKEYS_NOT_POSITIVE)
        if numkeys != len(names) or bool(min) == bool(max):
            raise errors.error(errors.SYNTAX)
        taken: Any = self._ztake_first(names, integer(count or 1), bool(min))
        reply: Any = taken or Wait(
            names,
            seconds,
            kind=SortedSet,
            return_elements=lambda reply: self._zreturn_elements(*reply),
        )
        return reply


def _zrestore(zset: SortedSet, pairs: dict[bytes, float], limits: Any) -> None:
    """Undo a pop, if it has happened: the members are missing."""
    zset.put(
        {member: score for member, score in pairs.items() if member not in zset.scores}, limits
    )
