"""Replies whose form on the wire differs from the rule: what declarations give as resp2, resp3.

    @command("LPOP key [count]", ..., resp2=null_array_from(3))

A shape gets the words of the command and its natural reply, and returns the reply to be written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

Shape: TypeAlias = Callable[[Sequence[bytes], Any], Any]


class NullArray:
    """The missing array of RESP2, which has a null of its own for it."""


NULL_ARRAY = NullArray()


class Collection(list[Any]):
    """A set whose members Python cannot hash."""

    __slots__ = ()


def null_array(words: Sequence[bytes], reply: Any) -> Any:
    """A missing reply is a null array."""
    return NULL_ARRAY if reply is None else reply


def null_array_from(count: int) -> Shape:
    """A missing reply is a null array if the command has at least `count` words."""

    def shape(words: Sequence[bytes], reply: Any) -> Any:
        return NULL_ARRAY if reply is None and len(words) >= count else reply

    return shape


def null_arrays(words: Sequence[bytes], reply: Any) -> Any:
    """A missing reply is a null array, and so is whatever is missing in lists."""
    if reply is None:
        return NULL_ARRAY
    return [null_arrays(words, item) for item in reply] if isinstance(reply, list) else reply


def last_null_array(words: Sequence[bytes], reply: Any) -> Any:
    """The last of four items would be an array: XPENDING of a group without pending entries."""
    if isinstance(reply, list) and len(reply) == 4 and reply[3] is None:
        return [*reply[:3], NULL_ARRAY]
    return reply


def stream_pairs(words: Sequence[bytes], reply: Any) -> Any:
    """A map of streams is an array of pairs."""
    if isinstance(reply, dict):
        reply = [list(pair) for pair in reply.items()]
    return null_arrays(words, reply)


def flat_pairs(words: Sequence[bytes], reply: Any) -> Any:
    """The pairs behind a cursor are flat in RESP3, too."""
    cursor, pairs = reply
    return [cursor, [part for pair in pairs for part in pair]]


def command_entries(words: Sequence[bytes], reply: Any) -> Any:
    """The last lists of each entry of COMMAND INFO (tips, keys, subcommands) are sets."""
    return [entry if entry is None else _command_entry(entry) for entry in reply]


def _command_entry(entry: list[Any]) -> list[Any]:
    *facts, tips, keys, subcommands = entry
    below = Collection(map(_command_entry, subcommands))
    return [*facts, Collection(tips), Collection(keys), below]
