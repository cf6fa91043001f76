"""What is left to type, shown in grey behind the cursor.

SET k v EX 10 ▏[NX | XX] [GET]          what was typed is consumed
SET k v▏ [NX | XX] [GET] ...            a word is an argument as soon as it cannot be an option
SET k v NX GE▏T [EX seconds ...]        an option that can only become one thing is completed
"""

from __future__ import annotations

from minidis.command import CONTAINERS
from minidis.syntax import Word
from minidis.walk import walk
from repl import dots
from repl.lookup import find, subcommands
from repl.words import Typed, at_cursor


def hint(before: str) -> str:
    """The text to show after the cursor; empty when there is nothing to say."""
    finished, typing = at_cursor(before)
    if typing.trouble:
        return ""
    words = [word.value for word in finished]
    if typing.end == typing.start:
        return _rest(words) if words else ""
    return _within(words, typing)


def _rest(words: list[bytes]) -> str:
    """What may follow the finished words."""
    found = find(words)
    if found is not None:
        command, size = found
        return walk(command.line, words[size:]).remaining
    name = words[0].decode("latin-1").upper()
    if len(words) == 1 and name in CONTAINERS:
        return " | ".join(sorted(command.name.split()[1] for command in subcommands(name)))
    dot = dots.DOTS.get(words[0].decode("latin-1").lower())
    return dot.syntax if dot is not None and len(words) == 1 else ""


def _within(words: list[bytes], typing: Typed) -> str:
    """What follows while a word is being typed: the end of an option, or the next arguments."""
    found = find(words)
    if found is not None:
        command, size = found
        ahead = walk(command.line, words[size:]).next
        ending = _only_ending([str(node) for node in ahead if isinstance(node, Word)], typing.text)
        if ending is not None:
            rest = _rest([*words, typing.value + ending.encode()])
            return " ".join(filter(None, (ending, rest))) if ending else _spaced(rest)
        if any(isinstance(node, Word) and _begins(str(node), typing.text) for node in ahead):
            return ""  # more than one option may become of it; the menu shows them
    return _spaced(_rest([*words, typing.value]))


def _only_ending(options: list[str], text: str) -> str | None:
    """What completes the one option that begins with the text; "" when it stands complete."""
    found = [option for option in options if _begins(option, text)]
    if text.upper() in found:
        return ""
    if len(found) != 1:
        return None
    ending = found[0][len(text) :]
    return ending.lower() if text.islower() else ending


def _begins(option: str, text: str) -> bool:
    return option.startswith(text.upper())


def _spaced(rest: str) -> str:
    return " " + rest if rest else ""
