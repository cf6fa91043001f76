"""Commands that carry a password are not written to the history, and not repeated on the screen."""

from __future__ import annotations

from collections.abc import Sequence

from repl.words import quote, split

MASK = "***"
#: Parameters of CONFIG SET that are passwords.
_SECRET_PARAMETERS = frozenset(
    ("REQUIREPASS", "MASTERAUTH", "PRIMARYAUTH", "TLS-KEY-FILE-PASS", "TLS-CLIENT-KEY-FILE-PASS")
)


def is_secret(words: Sequence[bytes]) -> bool:
    """Does the command carry a password?

    >>> is_secret([b"auth", b"x"]), is_secret([b"HELLO", b"3"]), is_secret([b"GET", b"auth"])
    (True, False, False)
    """
    front = [word.decode("latin-1").upper() for word in words]
    match front:
        case ["AUTH", _, *_]:
            return True
        case ["HELLO" | "MIGRATE", *rest]:
            return not {"AUTH", "AUTH2"}.isdisjoint(rest)
        case ["CONFIG", "SET", *rest]:
            return not _SECRET_PARAMETERS.isdisjoint(rest)
        case ["ACL", "SETUSER", _, *rules]:
            return any(rule.startswith((">", "<", "#", "!")) for rule in rules)
    return False


def holds_secret(text: str) -> bool:
    """Is there such a command in a typed text, finished or not?"""
    return any(is_secret([word.value for word in command]) for command in split(text))


def masked(words: Sequence[bytes]) -> str:
    """A command as it may be shown again: of a secret one only the name."""
    return f"{quote(words[0])} {MASK}" if is_secret(words) else " ".join(map(quote, words))
