"""A call: a command with its converted arguments, or with the words they are made of.

MULTI queues calls and pipelines make many of them, so a call is a plain tuple:

    (command, args, options, None)     of a typed method
    (command, (), {}, words)           of words, which are parsed when they run
"""

from __future__ import annotations

from typing import Any, TypeAlias

from minidis.grammar.command import Command

Call: TypeAlias = tuple[Command, Any, dict[str, Any], "list[bytes] | None"]

REDACTED = b"(redacted)"


def arguments_of(call: Call) -> tuple[Any, dict[str, Any]]:
    """The arguments of the body; words are parsed only now, which may raise ResponseError."""
    command, args, options, words = call
    return (args, options) if words is None else command.parse(list(words))


def words_of(call: Call) -> list[bytes]:
    """The call as words."""
    command, args, options, words = call
    return command.format(args, options) if words is None else words


def keys_of(call: Call) -> list[bytes]:
    """The keys of the call."""
    command, args, options, words = call
    return command.keys(args, options) if words is None else command.keys_of_words(words)


def redacted_words_of(call: Call) -> list[bytes]:
    """The call as words, without passwords."""
    words = words_of(call)
    if call[0].secret is None:
        return words
    secret = call[0].secret(words)
    return [REDACTED if at in secret else word for at, word in enumerate(words)]
