"""SORT and SORT_RO: the elements of a collection, in an order that other keys can determine.

    SORT row BY weight_* GET user_*->name GET #
               │            │               └ the element itself
               │            └ field `name` of the hash at user_<element>
               └ compare by the string at weight_<element>

The element replaces the star. A missing key compares as 0, or as less than any text with ALPHA.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from operator import itemgetter
from typing import Any

from minidis import errors
from minidis.commands.shared.group import Group, T
from minidis.errors import DataError, WrongTypeError
from minidis.grammar.command import declarations
from minidis.grammar.kinds import Integer, Key, Value, to_float
from minidis.keyspace.keyspace import Keyspace, text_of
from minidis.structures.lists import List
from minidis.structures.sorted_set import SortedSet
from minidis.structures.tables import Hash, Set
from minidis.structures.types import is_collection

command = declarations(group="generic")

_OPTIONS = "[BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA]"
_NAMES = {"offset": "start", "count": "num", "ASC": "not desc"}

#: Maps an element to the string that a pattern refers to, or None.
Follow = Callable[[bytes], bytes | None]

_BLANKS = b" \t\n\v\f\r"
_LEAST_NORMAL = 2.0**-1022


class Sorting(Group[T]):
    """SORT, with and without STORE, and SORT_RO."""

    @command(
        f"SORT key {_OPTIONS} [STORE destination]",
        "write denyoom movablekeys",
        since="1.0.0",
        complexity="O(n log n) for n elements",
        access="RO ACCESS | OW UPDATE",
        names=_NAMES,
        allow_conflicts=True,
        categories="set sortedset list dangerous",
        follows_patterns=True,
        key_types="list set zset",  # of ASC and DESC the last one counts
    )
    def sort(
        self,
        key: Key,
        start: Integer | None = None,
        num: Integer | None = None,
        by: Value | None = None,
        get: Value | list[Value] | None = None,
        desc: bool = False,
        alpha: bool = False,
        store: Key | None = None,
    ) -> list[T | None] | int:
        """Return the elements of the list, set or sorted set stored at `key`, sorted as numbers.

        alpha: compare as bytes. desc: descending order. start, num: skip this many elements, return
        at most this many. by: compare the strings at other keys, such as `weight_*` or
        `user_*->age` (a hash field), where the element replaces the star; a pattern without a star
        keeps the order. get: return the strings at such keys instead, None if missing; `#` is the
        element itself. store: store the result as a list at this key and return its length.

        Returns a list, empty if `key` does not exist. Raises WrongTypeError if it holds a string,
        hash or stream, and ResponseError if a compared string is not a number.

        >>> db.rpush("row", 3, 1, 2), db.sort("row"), db.sort("row", desc=True, start=0, num=1)
        (3, [b'1', b'2', b'3'], [b'3'])
        """
        found = self._sorted(key, (start, num), by, get, desc, alpha, store is not None)
        if store is None:
            return found
        if alpha and by is not None:
            # Of elements that compare equal the order in the collection decides, which a set or
            # sorted set does not keep when it is loaded from a file.
            self._state_list(store, [element or b"" for element in found])
        return self._store(store, [element or b"" for element in found])

    @command(
        f"SORT_RO key {_OPTIONS}",
        "readonly movablekeys",
        since="7.0.0",
        complexity="O(n log n) for n elements",
        access="RO ACCESS",
        names=_NAMES,
        allow_conflicts=True,
        categories="set sortedset list dangerous",
        follows_patterns=True,
        key_types="list set zset",  # of ASC and DESC the last one counts
    )
    def sort_ro(
        self,
        key: Key,
        start: Integer | None = None,
        num: Integer | None = None,
        by: Value | None = None,
        get: Value | list[Value] | None = None,
        desc: bool = False,
        alpha: bool = False,
    ) -> list[T | None]:
        """Return the sorted elements of a list, set or sorted set: SORT without STORE.

        Options, return value and errors are those of SORT.

        >>> db.sadd("names", "bob", "ann"), db.sort_ro("names", alpha=True)
        (2, [b'ann', b'bob'])
        """
        return self._sorted(key, (start, num), by, get, desc, alpha, False)

    def _sorted(
        self, key: Any, limit: Any, by: Any, get: Any, desc: bool, alpha: bool, storing: bool
    ) -> Any:
        """Select the elements, sort them and resolve the GET patterns."""
        if (limit[0] is None) != (limit[1] is None):
            raise DataError("start and num belong together: give both or none")
        space = self.space
        value = space.lookup(key)
        if value is not None and value.__class__ not in (List, Set, SortedSet):
            raise WrongTypeError
        if value.__class__ is SortedSet:
            value.expanded = True  # SORT leaves a skiplist behind, as in Redis
        size = len(value or ())
        begin = min(max(limit[0] or 0, 0), size)
        stop = size if limit[1] is None or limit[1] < 0 else min(begin + limit[1], size)
        if by is not None and b"*" not in by:
            if value.__class__ is Set and storing:
                by, alpha = None, True  # the stored result must be deterministic
            else:
                return _got(space, _as_they_are(value, begin, stop, desc), get)
        elements = _all(value)
        weights: Any = elements if by is None else map(_follow(space, by), elements)
        ordered = (_by_text if alpha else _by_number)(elements, weights, desc)
        return _got(space, ordered[begin:stop], get)

    def _state_list(self, key: Any, elements: list[bytes]) -> None:
        """State the result as effects, instead of the command."""
        if self.space.find(key) is not None:
            self._effect("DEL", key)
        if elements:
            self._effect("RPUSH", key, *elements)

    def _store(self, key: Any, elements: list[bytes]) -> int:
        """Store the result as a list, or delete the key if the result is empty."""
        space = self.space
        if elements:
            space.changed(key, "sortstore", len(elements))
            space.put(key, List.stored(elements, self.engine.settings.limits))
        elif space.find(key) is not None:
            space.changed(key, "del")
            space.remove(key)
        return len(elements)


def _all(value: Any) -> list[bytes]:
    """Return the elements of a collection; a missing key has none."""
    if value.__class__ is SortedSet:
        return list(value.scores)
    return list(value.in_order() if value.__class__ is Set else value or ())


def _as_they_are(value: Any, begin: int, stop: int, desc: bool) -> list[bytes]:
    """Return a range of a collection in its own order, from the end if descending."""
    if value.__class__ is List:
        size = len(value)
        return value.slice(size - stop, size - begin)[::-1] if desc else value.slice(begin, stop)
    if value.__class__ is SortedSet:
        return [member for member, _ in value.by_rank(begin, stop, reverse=desc)]
    return list(islice(value.in_order() if value.__class__ is Set else (), begin, stop))


def _by_number(elements: list[bytes], weights: Any, desc: bool) -> list[bytes]:
    """Sort by numbers; equal ones by their elements."""
    numbers = [0.0 if weight is None else _number(weight) for weight in weights]
    return [element for _, element in sorted(zip(numbers, elements, strict=True), reverse=desc)]


def _by_text(elements: list[bytes], weights: Any, desc: bool) -> list[bytes]:
    """Sort by bytes; elements without a string to compare come first."""
    keyed = [
        ((weight is not None, weight or b""), element)
        for weight, element in zip(weights, elements, strict=True)
    ]
    keyed.sort(key=itemgetter(0), reverse=desc)
    return [element for _, element in keyed]


def _number(word: bytes) -> float:
    """Convert a string as strtod does: leading blanks are allowed, an empty string is 0."""
    if word.isdigit() and len(word) < 300:
        return float(word)
    text = word.partition(b"\0")[0]
    if not text:
        return 0.0
    number = to_float(text.lstrip(_BLANKS))
    # Unlike ZADD, SORT rejects subnormal numbers as out of range.
    if number is None or 0 < abs(number) < _LEAST_NORMAL:
        raise errors.error("One or more scores can't be converted into double")
    return number


def _got(space: Keyspace, elements: list[bytes], patterns: Any) -> list[Any]:
    """Return what the GET patterns select for each element; without patterns, the elements."""
    if not patterns:
        return elements
    follows = [_follow(space, pattern) for pattern in patterns]
    return [follow(element) for element in elements for follow in follows]


def _follow(space: Keyspace, pattern: bytes) -> Follow:
    """Return the function of a pattern: it maps an element to the string it refers to, or None."""
    if pattern == b"#":
        return lambda element: element
    head, star, tail = pattern.partition(b"*")
    if not star:
        return lambda element: None
    name, arrow, field = tail.partition(b"->")
    if not field:
        name, arrow = tail, b""

    def follow(element: bytes) -> bytes | None:
        value = space.lookup(head + element + name)
        if arrow:
            found: bytes | None = value.get(field) if value.__class__ is Hash else None
            return found
        return None if is_collection(value) else text_of(value)

    return follow
