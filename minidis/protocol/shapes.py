"""Reply shapes that differ from the default encoding: the values of `resp2=` and `resp3=`.

    @command("LPOP key [count]", ..., resp2=null_array_from(3))

A shape takes the words of the command and its reply, and returns the value to be encoded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

Shape: TypeAlias = Callable[[Sequence[bytes], Any], Any]


class NullArray:
    """The null array: RESP2 encodes it differently from other nulls."""


NULL_ARRAY = NullArray()


class Collection(list[Any]):
    """A set whose members are not hashable in Python."""

    __slots__ = ()


def null_array(words: Sequence[bytes], reply: Any) -> Any:
    """A null reply is a null array."""
    return NULL_ARRAY if reply is None else reply


def null_array_from(count: int) -> Shape:
    """A null reply is a null array if the command has at least `count` words."""

    def shape(words: Sequence[bytes], reply: Any) -> Any:
        return NULL_ARRAY if reply is None and len(words) >= count else reply

    return shape


def null_arrays(words: Sequence[bytes], reply: Any) -> Any:
    """A null reply is a null array, and so are nulls in lists."""
    if reply is None:
        return NULL_ARRAY
    return [null_arrays(words, item) for item in reply] if isinstance(reply, list) else reply


def last_null_array(words: Sequence[bytes], reply: Any) -> Any:
    """A null as the last of four items is a null array: XPENDING without pending entries."""
    if isinstance(reply, list) and len(reply) == 4 and reply[3] is None:
        return [*reply[:3], NULL_ARRAY]
    return reply


def stream_pairs(words: Sequence[bytes], reply: Any) -> Any:
    """A map of streams is encoded as an array of pairs."""
    if isinstance(reply, dict):
        reply = [list(pair) for pair in reply.items()]
    return null_arrays(words, reply)


def flat_pairs(words: Sequence[bytes], reply: Any) -> Any:
    """The pairs after a cursor are flat in RESP3, too."""
    cursor, pairs = reply
    return [cursor, [part for pair in pairs for part in pair]]


#: Flags of commands, of keys, and ACL categories, in the order of Redis.
_IN_ORDER = (
    "write readonly denyoom module admin pubsub noscript blocking loading stale skip_monitor "
    "skip_slowlog asking fast no_auth no_mandatory_keys no_async_loading no_multi movablekeys "
    "allow_busy RO RW OW RM access update insert delete not_key incomplete variable_flags "
    "@keyspace @read @write @set @sortedset @list @hash @string @bitmap @hyperloglog @geo @stream "
    "@pubsub @admin @fast @slow @blocking @dangerous @connection @transaction @scripting"
)
_PLACES = {flag: place for place, flag in enumerate(_IN_ORDER.split())}


def ordered_flags(words: Sequence[bytes], reply: Any) -> Any:
    """The sets of flags and categories in a reply are in the order of Redis."""
    match reply:
        case set():
            return Collection(sorted(reply, key=_PLACES.__getitem__))
        case dict():
            return {name: ordered_flags(words, value) for name, value in reply.items()}
        case list():
            return [ordered_flags(words, value) for value in reply]
    return reply


def command_entries(words: Sequence[bytes], reply: Any) -> Any:
    """The last three lists of an entry of COMMAND INFO (tips, keys, subcommands) are sets."""
    entries = ordered_flags(words, reply)
    return [entry if entry is None else _command_entry(entry) for entry in entries]


def _command_entry(entry: list[Any]) -> list[Any]:
    *facts, tips, keys, subcommands = entry
    below = Collection(map(_command_entry, subcommands))
    return [*facts, Collection(tips), Collection(keys), below]
