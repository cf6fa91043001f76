"""Stream ids in arguments, and trimming options.

5-1    5 (sequence 0, or the greatest one as an upper bound)    -  +    (5-1 exclusive
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from minidis import errors
from minidis.engine.engine import Engine
from minidis.grammar.kinds import I64_MAX, I64_MIN, Key, Kind, encode, integer
from minidis.structures.streams import MOST_ID, SEQUENCE, SHIFT, Row, Trim, id_text

#: A stream id in arguments: "5-1", b"5-1", or milliseconds.
Id: TypeAlias = Key

#: Longer words are invalid ids.
_LONGEST = 127
#: Numbers that C's strtoull accepts.
_UNSIGNED = re.compile(rb"[ \t-\r]*([+-]?)([0-9]+)", re.A)
#: Default LIMIT of `~`: this many nodes; entries if nodes are unlimited; most entries.
_NODES, _LEAST_LIMIT, _MOST_LIMIT = 100, 10_000, 1_000_000


def _unsigned(word: bytes) -> int:
    """Parse an unsigned 64-bit number as C's strtoull does; raise ValueError otherwise."""
    match = _UNSIGNED.fullmatch(word)
    if match is None or len(match[2]) > _LONGEST:
        raise ValueError
    number = int(match[2])
    if number > SEQUENCE:
        raise ValueError
    if match[1] != b"-":
        return number
    # As in Redis, a canonical negative number is an error; other spellings wrap around.
    if I64_MIN <= -number <= I64_MAX and word == b"-%d" % number:
        raise ValueError
    return -number & SEQUENCE


def _parsed(value: Any, missing: int) -> tuple[int, bool]:
    """Parse `ms`, `ms-seq` or `ms-*`: (id, whether the sequence was given)."""
    word = encode(value)
    if len(word) > _LONGEST:
        raise errors.error(errors.STREAM_ID)
    high, dash, low = word.split(b"\0")[0].partition(b"-")
    try:
        if dash and low == b"*":
            return _unsigned(high) << SHIFT, False
        return _unsigned(high) << SHIFT | (_unsigned(low) if dash else missing), True
    except ValueError:
        raise errors.error(errors.STREAM_ID) from None


def strict_id(value: Any, missing: int = 0) -> int:
    """Parse the id of an entry; `missing` is the sequence if none is given.

    >>> strict_id("5-1") == 5 << 64 | 1, strict_id(5) == 5 << 64
    (True, True)
    """
    number, complete = _parsed(value, missing)
    if not complete:
        raise errors.error(errors.STREAM_ID)
    return number


def loose_id(value: Any, missing: int = 0) -> int:
    """Parse the id of an entry, or - and + for the lowest and the highest id."""
    word = encode(value)
    if word == b"-":
        return 0
    return MOST_ID if word == b"+" else strict_id(word, missing)


def new_id(value: Any) -> tuple[int, bool] | None:
    """Parse the id of a new entry: (id, whether the sequence was given); None for *."""
    word = encode(value)
    return None if word == b"*" else _parsed(word, 0)


def start_of(value: Any) -> int:
    """Parse the lower bound of a range; return the first id in the range."""
    word = encode(value)
    if len(word) < 2 or word[:1] != b"(":
        return loose_id(word)
    number = strict_id(word[1:])
    if number == MOST_ID:
        raise errors.error(errors.STREAM_START)
    return number + 1


def end_of(value: Any) -> int:
    """Parse the upper bound of a range; return the last id in the range."""
    word = encode(value)
    if len(word) < 2 or word[:1] != b"(":
        return loose_id(word, SEQUENCE)
    number = strict_id(word[1:], SEQUENCE)
    if number == 0:
        raise errors.error(errors.STREAM_END)
    return number - 1


def ids_of(words: Iterable[Any]) -> list[int]:
    """Parse several ids; raise ResponseError if one is invalid."""
    return [strict_id(word) for word in words]


def entry(row: Row) -> list[Any]:
    """Convert an entry to its reply: [id, [field, value, ...]]."""
    return [id_text(row[0]), list(row[1:])]


def entries(rows: Iterable[Row]) -> list[Any]:
    """Convert entries to their reply."""
    return [[id_text(row[0]), list(row[1:])] for row in rows]


# kinds --------------------------------------------------------------------------------------------


def _checked(convert: Callable[[Any], object], about: str) -> Kind:
    """A kind that validates an id with `convert` and keeps it as written."""

    def check(value: Any) -> bytes:
        word = encode(value)
        convert(word)
        return word

    return Kind(check, "", about)


START = _checked(start_of, "first id; (id excludes it; - is the smallest")
END = _checked(end_of, "last id; (id excludes it; + is the largest")
ENTRY = _checked(strict_id, "id of an entry: 5-1")
NEW = _checked(new_id, "* for the time, 5-* or 5-1")


def _natural(message: str) -> Kind:
    """A kind for a non-negative integer; `message` is the error for negative ones."""

    def convert(value: Any) -> int:
        number = integer(value)
        if number < 0:
            raise errors.error(message)
        return number

    return Kind(convert)


def said(message: str) -> Kind:
    """A kind for an integer with an error message of its own."""

    def convert(value: Any) -> int:
        try:
            return integer(value)
        except errors.ResponseError:
            raise errors.error(message) from None

    return Kind(convert)


def idle_kind(command: str) -> Kind:
    """A kind for the minimum idle time of a claim in milliseconds; negative ones become 0."""
    convert = said(f"Invalid min-idle-time argument for {command}").convert
    return Kind(lambda value: max(convert(value), 0), "", "milliseconds without a delivery")


# trimming -----------------------------------------------------------------------------------------

#: Trimming options in the declarations of XADD and XTRIM.
TRIM_NAMES = {
    "~": "approximate",
    **dict.fromkeys(("KEEPREF", "DELREF", "ACKED"), "ref_policy="),
}
TRIM_KINDS = {
    "MAXLEN": _natural(errors.MAXLEN_NEGATIVE),
    "MINID": ENTRY,
    "count": _natural(errors.TRIM_LIMIT_NEGATIVE),
}


def trim_of(engine: Engine, maxlen: Any, minid: Any, approximate: bool, limit: Any) -> Trim | None:
    """Combine the trimming options; None without MAXLEN and MINID."""
    if maxlen is not None and minid is not None:
        raise errors.error(errors.MAXLEN_AND_MINID)
    if maxlen is None and minid is None:
        if limit:
            raise errors.error(errors.LIMIT_WITHOUT_TRIM)
        return None
    if limit is not None and not approximate:
        raise errors.error(errors.LIMIT_OF_EXACT)
    if limit is None:
        limit = _usual_limit(engine) if approximate else 0
    return Trim(maxlen, 0 if minid is None else strict_id(minid), approximate, limit)


def _usual_limit(engine: Engine) -> int:
    """Return the default LIMIT of `~`: the most entries that one call removes."""
    limit = _NODES * engine.settings.limits.stream_node_max_entries
    return min(limit, _MOST_LIMIT) if limit > 0 else _LEAST_LIMIT
