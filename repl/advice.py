"""Explains a failed command: which word is wrong, what was probably meant, the syntax.

(error) ERR syntax error
  SET k v EXX 10
          ^^^ did you mean EX?
  SET key value [NX | XX] [GET] [EX seconds | ...]
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from textwrap import wrap

from minidis.errors import MinidisError
from minidis.grammar.command import COMMANDS, PARENT_COMMANDS
from minidis.grammar.kinds import kind_of
from minidis.grammar.syntax import Argument, Word
from minidis.grammar.walk import Mistake, is_key
from repl.lookup import LOCAL_COMMANDS, CommandSet, FoundCommand, find_and_walk, subcommands
from repl.unsupported import unsupported_message
from repl.words import TypedWord, display_width, quote, truncate

#: Type of a key -> the group of commands for it, for the advice after WRONGTYPE.
GROUP_OF_TYPE = {
    "string": "string",
    "list": "list",
    "set": "set",
    "hash": "hash",
    "zset": "sorted-set",
    "stream": "stream",
}

#: Text is wrapped to this many columns.
WIDTH = 78
#: Maximum width of one word of the failed command, in columns.
_WORD_WIDTH = 24


@dataclass(frozen=True, slots=True)
class Advice:
    """The explanation printed below an error."""

    #: index of the wrong word in the command; None if no single word is wrong
    position: int | None = None
    note: str = ""
    #: the syntax of the command, if showing it helps
    syntax: str = ""


def closest(name: str, known: Iterable[str]) -> str:
    """The known name most similar to `name`, or "" if none is similar."""
    upper = {other.upper(): other for other in known}
    text = name.upper()
    found = difflib.get_close_matches(text, upper, n=10, cutoff=0.65)
    # Typos are more common at the end of a word than at its beginning: EXX means EX, not XX. And
    # letters get swapped: GTE means GET, not GETEX.
    found.sort(key=lambda other: (other[0] != text[0], sorted(other) != sorted(text)))
    return upper[found[0]] if found else ""


def advise(
    typed: Sequence[TypedWord],
    error: Exception,
    type_of: Callable[[bytes], str | None],
    available: CommandSet = LOCAL_COMMANDS,
) -> Advice:
    """The advice for a failed command. `type_of` returns the type of a key."""
    found = find_and_walk(typed, complete=True)
    if found is None:
        return _unknown(typed, available)
    message = str(error)
    if available.lacks(found.command.name) and message.startswith("ERR unknown"):
        return Advice(None, f"this server does not have {found.command.name}")
    if message.startswith("WRONGTYPE"):
        return _wrong_type(found, typed, type_of)
    syntax = str(found.command.line)
    if "wrong number of arguments" in message:
        return Advice(None, "", syntax)
    if message == "ERR syntax error":
        return _misplaced(found, typed, syntax)
    return _unconvertible(found, typed, message, syntax)


def advice_lines(typed: Sequence[TypedWord], advice: Advice) -> list[str]:
    """The advice as indented lines of text."""
    found = []
    if advice.position is not None:
        before, wrong, after = _with_context(typed, advice.position)
        marks = "^" * max(1, display_width(wrong))
        found.append("  " + truncate(before + wrong + after, WIDTH))
        found.append(f"  {' ' * display_width(before)}{marks} {advice.note}".rstrip())
    elif advice.note:
        found.append("  " + advice.note)
    return found + wrap_syntax(advice.syntax)


def _with_context(typed: Sequence[TypedWord], position: int) -> tuple[str, str, str]:
    """The text before the wrong word, the word, and the text after it, cut to one line."""
    shown = [truncate(quote(word.value), _WORD_WIDTH) for word in typed]
    first = position
    while first and display_width(" ".join(shown[first - 1 : position])) <= WIDTH // 2:
        first -= 1
    before = " ".join([*(["…"] if first else []), *shown[first:position], ""])
    after = " ".join(["", *shown[position + 1 : position + WIDTH // 2]])
    return before.lstrip(), shown[position], after


def wrap_syntax(syntax: str) -> list[str]:
    """Wrap a syntax line; names with hyphens are not broken."""
    return wrap(
        syntax, WIDTH, initial_indent="  ", subsequent_indent="      ", break_on_hyphens=False
    )


def _unknown(typed: Sequence[TypedWord], available: CommandSet) -> Advice:
    """Advice for an unknown command or subcommand; none if only the server knows it."""
    name = typed[0].text.upper()
    if available.names is not None and available.has(name) and name not in PARENT_COMMANDS:
        return Advice()
    if name in PARENT_COMMANDS:
        names = [command.name.split()[1] for command in subcommands(name)]
        if len(typed) < 2:
            return Advice(None, "", f"{name} <{' | '.join(names)}>")
        if available.names is not None and available.has(f"{name} {typed[1].text.upper()}"):
            return Advice()
        near = closest(typed[1].text, names)
        return Advice(1, _did_you_mean(near) or "one of " + ", ".join(names))
    near = nearest(name) or closest(name, available.server_only)
    return Advice(
        None, _unsupported_note(name, available) or _did_you_mean(near) or "help lists all commands"
    )


def _unsupported_note(name: str, available: CommandSet) -> str:
    """The message for a Redis command that minidis lacks; none at a server, which may have it."""
    return unsupported_message(name) if available.names is None else ""


def nearest(name: str) -> str:
    """The command most similar to `name`; a method name such as `delete` gives its command, DEL."""
    called = (one.name for one in COMMANDS.values() if one.method == name.lower())
    return next(called, "") or closest(name, [*COMMANDS, *PARENT_COMMANDS])


def _did_you_mean(near: str) -> str:
    return f"did you mean {near}?" if near else ""


def _wrong_type(
    found: FoundCommand, typed: Sequence[TypedWord], type_of: Callable[[bytes], str | None]
) -> Advice:
    """Point at the key of another type and name the commands for that type."""
    for at, role in enumerate(found.walk.roles, found.size):
        kind = type_of(typed[at].value) if is_key(role) else None
        group = GROUP_OF_TYPE.get(kind or "", "")
        if kind is not None and group != found.command.group:
            return Advice(at, f"holds a {kind}; help @{group} lists the commands for it")
    return Advice()


def _misplaced(found: FoundCommand, typed: Sequence[TypedWord], syntax: str) -> Advice:
    """Point at the first word that the syntax does not allow."""
    for at, role in enumerate(found.walk.roles, found.size):
        if isinstance(role, Mistake):
            return Advice(at, _note(role, typed[at].text), syntax)
    ahead = () if found.walk.complete else found.walk.next
    return Advice(None, f"{ahead[0]} is missing" if len(ahead) == 1 else "", syntax)


def _note(mistake: Mistake, text: str) -> str:
    if mistake.conflict:
        return f"cannot be combined with {mistake.conflict}"
    near = closest(text, [node.text for node in mistake.expected if isinstance(node, Word)])
    if near or mistake.expected:
        return _did_you_mean(near)
    return "unexpected argument"


def _unconvertible(
    found: FoundCommand, typed: Sequence[TypedWord], message: str, syntax: str
) -> Advice:
    """Point at the first word whose conversion raises this error message."""
    for at, role in enumerate(found.walk.roles, found.size):
        if isinstance(role, Argument):
            kind = kind_of(role.name)
            try:
                kind.convert(typed[at].value)
            except MinidisError as error:
                if str(error) == message:
                    about = f": {kind.about}" if kind.about and kind.about != role.name else ""
                    return Advice(at, f"{role.name}{about}", syntax)
    return Advice()
