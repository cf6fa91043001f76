"""What is left to type, shown in grey behind the cursor.

SET k v EX 10 ▏[NX | XX] [GET]          what was typed is consumed
SET k v▏ [NX | XX] [GET] ...            a word is an argument as soon as it cannot be an option
SET k v NX GE▏T [EX seconds ...]        an option that can only become one thing is completed
"""

from __future__ import annotations

from minidis.grammar.command import COMMANDS, PARENT_COMMANDS
from minidis.grammar.syntax import Word
from minidis.grammar.walk import walk
from repl import shell_commands
from repl.lookup import find, subcommands
from repl.words import TypedWord, at_cursor


def hint(before: str) -> str:
    """The text to show after the cursor; empty when there is nothing to say."""
    finished, typing = at_cursor(before)
    if typing.problem:
        return ""
    words = [word.value for word in finished]
    if typing.end == typing.start:
        return _rest(words) if words else ""
    return _within(words, typing)


def _rest(words: list[bytes]) -> str:
    """What may follow the finished words."""
    name = words[0].decode("latin-1").upper()
    if len(words) == 1 and name in PARENT_COMMANDS:
        names = " | ".join(sorted(command.name.split()[1] for command in subcommands(name)))
        return f"[{names}]" if name in COMMANDS else names
    found = find(words)
    if found is not None:
        command, size = found
        return walk(command.line, words[size:]).remaining
    shell_command = shell_commands.SHELL_COMMANDS.get(words[0].decode("latin-1").lower())
    return shell_command.syntax if shell_command is not None and len(words) == 1 else ""


def _within(words: list[bytes], typing: TypedWord) -> str:
    """What follows while a word is being typed: the end of an option, or the next arguments."""
    options = _options(words)
    ending = _only_ending(options, typing.text)
    if ending is not None:
        rest = _rest([*words, typing.value + ending.encode()])
        return " ".join(filter(None, (ending, rest))) if ending else _spaced(rest)
    if any(option.startswith(typing.text.upper()) for option in options):
        return ""  # more than one thing may become of it; the menu shows them
    return _spaced(_rest([*words, typing.value]))


def _options(words: list[bytes]) -> list[str]:
    """The fixed words that may follow, in capitals: names, subcommands, options."""
    if not words:
        names = (name for name in COMMANDS if " " not in name)
        return [*names, *PARENT_COMMANDS, *map(str.upper, shell_commands.SHELL_COMMANDS)]
    name = words[0].decode("latin-1").upper()
    if len(words) == 1 and name in PARENT_COMMANDS:
        return [one.name.split()[1] for one in subcommands(name)]
    found = find(words)
    if found is None:
        return []
    ahead = walk(found[0].line, words[found[1] :]).next
    return [node.text for node in ahead if isinstance(node, Word)]


def _only_ending(options: list[str], text: str) -> str | None:
    """What completes the one option that begins with the text; "" when it stands complete."""
    found = [option for option in options if option.startswith(text.upper())]
    if text.upper() in found:
        return ""
    if len(found) != 1:
        return None
    ending = found[0][len(text) :]
    return ending.lower() if text.islower() else ending


def _spaced(rest: str) -> str:
    return " " + rest if rest else ""
