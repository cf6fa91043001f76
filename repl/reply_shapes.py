"""Converts replies of a server to the types that minidis returns.

In RESP2 the reply of HGETALL is a flat list and a score is a string. RESP3 has maps, sets and
doubles, but pairs are lists. A table gives the type for each command; replies that have it already
are unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minidis.grammar.command import Command
from minidis.grammar.syntax import Word
from minidis.grammar.walk import walk
from repl.lookup import find


def _map(reply: list[Any]) -> Any:
    even = len(reply) % 2 == 0 and not any(isinstance(name, list) for name in reply[::2])
    return dict(zip(reply[::2], reply[1::2], strict=True)) if even else reply


def _set(reply: list[Any]) -> Any:
    return set(reply)


def _pairs(reply: list[Any]) -> Any:
    """[a, 1, b, 2] or [[a, 1], [b, 2]] -> [(a, 1), (b, 2)]"""
    if all(isinstance(one, list) and len(one) == 2 for one in reply):
        return [tuple(one) for one in reply]
    flat = len(reply) % 2 == 0 and not any(isinstance(one, list) for one in reply)
    return list(zip(reply[::2], reply[1::2], strict=True)) if flat else reply


def _scores(reply: list[Any]) -> Any:
    return [(name, _number(score)) for name, score in _pairs(reply)]


def _number(score: Any) -> Any:
    return float(score) if isinstance(score, bytes) else score


_SHAPES: dict[str, Callable[[list[Any]], Any]] = {
    **dict.fromkeys(("HGETALL", "CONFIG GET", "XINFO STREAM"), _map),
    **dict.fromkeys(("SMEMBERS", "SINTER", "SUNION", "SDIFF"), _set),
    **dict.fromkeys(("ZPOPMIN", "ZPOPMAX"), _scores),
}
#: Option -> the shape of the reply when it is given.
_BY_OPTION = {"WITHSCORES": _scores, "WITHVALUES": _pairs}
_NUMBERS = frozenset(("ZSCORE", "ZINCRBY", "GEODIST"))


def shape_reply(words: Sequence[bytes], reply: Any) -> Any:
    """Convert the reply of a server to the type that minidis returns for the command."""
    found = find(words) if isinstance(reply, (list, bytes)) else None
    if found is None:
        return reply
    command, size = found
    try:
        if isinstance(reply, bytes):
            return _number(reply) if command.name in _NUMBERS else reply
        shape = _SHAPES.get(command.name) or _by_option(command, words[size:])
        return shape(reply) if shape is not None else reply
    except (TypeError, ValueError):
        return reply  # not what the table expects: left unchanged


def _by_option(command: Command, words: Sequence[bytes]) -> Callable[[list[Any]], Any] | None:
    if not any(word.upper().decode("latin-1") in _BY_OPTION for word in words):
        return None
    for role in walk(command.line, words, complete=True).roles:
        if isinstance(role, Word) and role.text in _BY_OPTION:
            return _BY_OPTION[role.text]
    return None
