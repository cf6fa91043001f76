"""Commands that carry a password are not written to the history, and not repeated on the screen."""

from __future__ import annotations

from collections.abc import Sequence

from repl.lookup import find
from repl.words import quote, split

MASK = "***"


def is_secret(words: Sequence[bytes]) -> bool:
    """Does the command carry a password?

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
    """Is there such a command in a typed text, finished or not?"""
    return any(is_secret([word.value for word in command]) for command in split(text))


def repeated(words: Sequence[bytes]) -> str:
    """A command as it may be shown again: of a secret one only the name."""
    return f"{quote(words[0])} {MASK}" if is_secret(words) else " ".join(map(quote, words))
