"""The hint: the rest of the syntax, shown in grey after the cursor.

SET k v EX 10 ▏[NX | XX] [GET]          the parts that were typed are left out
SET k v▏ [NX | XX] [GET] ...            a word that cannot become an option is an argument
SET k v NX GE▏T [EX seconds ...]        a word that can become one option only is completed
"""

from __future__ import annotations

from minidis.grammar.command import COMMANDS, PARENT_COMMANDS
from minidis.grammar.syntax import Word
from minidis.grammar.walk import walk
from repl import shell_commands
from repl.lookup import find, subcommands
from repl.words import TypedWord, at_cursor


def hint(before: str) -> str:
    """The text to show after the cursor, or ""."""
    finished, typing = at_cursor(before)
    if typing.problem:
        return ""
    words = [word.value for word in finished]
    if typing.end == typing.start:
        return _rest(words) if words else ""
    return _within(words, typing)


def _rest(words: list[bytes]) -> str:
    """The syntax that may follow the complete words."""
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
    """The hint inside a word: the rest of the option, or the syntax after the word."""
    options = _options(words)
    ending = _only_ending(options, typing.text)
    if ending is not None:
        rest = _rest([*words, typing.value + ending.encode()])
        return " ".join(filter(None, (ending, rest))) if ending else _spaced(rest)
    if any(option.startswith(typing.text.upper()) for option in options):
        return ""  # several options begin with it; the completion menu shows them
    return _spaced(_rest([*words, typing.value]))


def _options(words: list[bytes]) -> list[str]:
    """The fixed words that may follow, in upper case: commands, subcommands, options."""
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
    """The rest of the only option that begins with `text`; "" if it is complete, else None."""
    found = [option for option in options if option.startswith(text.upper())]
    if text.upper() in found:
        return ""
    if len(found) != 1:
        return None
    ending = found[0][len(text) :]
    return ending.lower() if text.islower() else ending


def _spaced(rest: str) -> str:
    return " " + rest if rest else ""
