"""Keeps commands that contain a password out of the history and of the output."""

from __future__ import annotations

from collections.abc import Sequence

from repl.words import quote, split

MASK = "***"
#: Parameters of CONFIG SET that hold passwords.
_SECRET_PARAMETERS = frozenset(
    ("REQUIREPASS", "MASTERAUTH", "PRIMARYAUTH", "TLS-KEY-FILE-PASS", "TLS-CLIENT-KEY-FILE-PASS")
)


def is_secret(words: Sequence[bytes]) -> bool:
    """Return whether the command contains a password.

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
    """Return whether the text, complete or not, has a command with a password."""
    return any(is_secret([word.value for word in command]) for command in split(text))


def masked(words: Sequence[bytes]) -> str:
    """A command as text; if it contains a password, only its name and ***."""
    return f"{quote(words[0])} {MASK}" if is_secret(words) else " ".join(map(quote, words))
