"""Keeps commands that contain a password out of the history and of the output."""

from __future__ import annotations

from collections.abc import Sequence

from repl.lookup import find
from repl.words import quote, split

MASK = "***"


def is_secret(words: Sequence[bytes]) -> bool:
    """Return whether the command contains a password.

    >>> is_secret([b"auth", b"x"]), is_secret([b"HELLO", b"3"]), is_secret([b"GET", b"auth"])
    (True, False, False)
    """
    found = find(words)
    if found is not None and found[0].secret is not None:
        return bool(found[0].secret(words))
    # MIGRATE is a command of servers only.
    front = [word.upper() for word in words]
    return front[:1] == [b"MIGRATE"] and not {b"AUTH", b"AUTH2"}.isdisjoint(front)


def holds_secret(text: str) -> bool:
    """Return whether the text, complete or not, has a command with a password."""
    return any(is_secret([word.value for word in command]) for command in split(text))


def masked(words: Sequence[bytes]) -> str:
    """A command as text; if it contains a password, only its name and ***."""
    return f"{quote(words[0])} {MASK}" if is_secret(words) else " ".join(map(quote, words))
