"""Completion at the cursor: commands, options that the syntax still allows, existing keys.

A pure function: (text before the cursor, backend) -> candidates. Keys, fields and members come from
the backend. Commands that the server lacks are marked; commands that only the server has are
completed by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from minidis.engine import config
from minidis.grammar.command import COMMANDS, PARENT_COMMANDS, Command
from minidis.grammar.kinds import kind_of
from minidis.grammar.syntax import Argument, Word
from minidis.grammar.walk import is_key
from minidis.structures.types import VALUE_TYPES
from repl import shell_commands
from repl.backend import MAX_CANDIDATES, Backend
from repl.lookup import LOCAL_COMMANDS, CommandSet, FoundCommand, find_and_walk, groups, subcommands
from repl.words import TEXT_AFTER_QUOTE, TypedWord, at_cursor, quote

NOT_ON_SERVER = "not on this server"
ONLY_ON_SERVER = "only on this server"

#: Group of a command -> the types of keys it accepts; other groups accept every type.
_TYPES: dict[str, tuple[str, ...]] = {
    "string": ("string",),
    "bitmap": ("string",),
    "hyperloglog": ("string",),
    "hash": ("hash",),
    "list": ("list",),
    "set": ("set",),
    "sorted-set": ("zset",),
    "geo": ("zset",),
    "stream": ("stream",),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """`text` replaces everything from `start` to the cursor."""

    text: str
    start: int
    about: str = ""


def candidates(before: str, backend: Backend) -> list[Candidate]:
    """All completions at the cursor, the most likely first."""
    finished, typing = at_cursor(before)
    if typing.problem == TEXT_AFTER_QUOTE:
        return []
    found = _offers(finished, typing, backend)
    return [Candidate(text, typing.start, about) for text, about in islice(found, MAX_CANDIDATES)]


def _offers(
    finished: list[TypedWord], typing: TypedWord, backend: Backend
) -> Iterator[tuple[str, str]]:
    if not finished:
        return _names(typing, backend.command_set)
    name = finished[0].text
    if len(finished) == 1 and (below := _subcommand_offers(name.upper(), backend.command_set)):
        return _words(below, typing)
    if name.lower() == "help" and len(finished) == 1:
        return _help_topics(typing)
    found = find_and_walk(finished)
    return iter(()) if found is None else _next(found, finished, typing, backend)


# words -------------------------------------------------------------------------------------------


def _names(typing: TypedWord, available: CommandSet) -> Iterator[tuple[str, str]]:
    """Commands, parent commands (described by their subcommands) and shell commands."""
    commands: dict[str, str] = {}
    for name, command in sorted(COMMANDS.items()):
        parent = name.split()[0]
        if parent in PARENT_COMMANDS:
            names = " ".join(one.name.split()[1].lower() for one in subcommands(parent))
            commands.setdefault(parent, NOT_ON_SERVER if available.lacks(parent) else names)
        else:
            commands[name] = _description(command, available)
    server_only = {name: ONLY_ON_SERVER for name in available.server_only if " " not in name}
    yield from _words(sorted({**server_only, **commands}.items()), typing)
    text = typing.text.lower()
    for shell_command in shell_commands.SHELL_COMMANDS.values():
        if shell_command.name.startswith(text):
            yield shell_command.name, shell_command.about


def _subcommand_offers(parent: str, available: CommandSet) -> list[tuple[str, str]]:
    """The subcommands of a parent command."""
    if parent not in PARENT_COMMANDS:
        return [(name, ONLY_ON_SERVER) for name in available.server_subcommands(parent)]
    ours = [(one.name.split()[1], _description(one, available)) for one in subcommands(parent)]
    return ours + [(name, ONLY_ON_SERVER) for name in available.server_subcommands(parent)]


def _words(known: Iterable[tuple[str, str]], typing: TypedWord) -> Iterator[tuple[str, str]]:
    """The fixed words that complete the typed one: in upper case, unless it is in lower case."""
    text = typing.text
    for name, about in known:
        if name.startswith(text.upper()):
            yield (name.lower() if text.islower() else name), about


def _help_topics(typing: TypedWord) -> Iterator[tuple[str, str]]:
    text = typing.text
    for group, commands in groups().items():
        if f"@{group}".startswith(text.lower()):
            yield f"@{group}", f"{len(commands)} commands"
    yield from _words(((name, _description(one)) for name, one in sorted(COMMANDS.items())), typing)


def _description(command: Command, available: CommandSet = LOCAL_COMMANDS) -> str:
    """The first sentence of the help, or NOT_ON_SERVER if the server lacks the command."""
    if available.lacks(command.name):
        return NOT_ON_SERVER
    return command.summary.replace("`", "").rstrip(".")


# arguments ---------------------------------------------------------------------------------------


def _next(
    found: FoundCommand, finished: list[TypedWord], typing: TypedWord, backend: Backend
) -> Iterator[tuple[str, str]]:
    """Everything that the syntax allows here: values of arguments, then options."""
    seen = set()
    for node in found.walk.next:
        if isinstance(node, Argument):
            for offer in _argument(node.name, found, finished, typing, backend):
                if offer[0] not in seen:
                    seen.add(offer[0])
                    yield offer
    options = [(node.text, "") for node in found.walk.next if isinstance(node, Word)]
    yield from _words(options, typing)


def _argument(
    name: str, found: FoundCommand, finished: list[TypedWord], typing: TypedWord, backend: Backend
) -> Iterator[tuple[str, str]]:
    offers = kind_of(name).offers
    if offers == "key":
        return _quoted(backend.keys(typing.value, _types_for(found.command)))
    if offers in ("field", "member"):
        key = _first_key(found, finished)
        return iter(()) if key is None else _quoted(backend.members(key, typing.value))
    if offers == "pattern":
        return _patterns(typing, backend)
    return _plain(_FIXED[offers](), typing) if offers in _FIXED else iter(())


#: Values that do not depend on the data.
_FIXED: dict[str, Callable[[], Iterable[tuple[str, str]]]] = {
    "parameter": lambda: ((one.name, one.about) for one in config.PARAMETERS.values()),
    "command": lambda: (
        (name.lower(), _description(one)) for name, one in sorted(COMMANDS.items())
    ),
    "type": lambda: ((one.name, "") for one in VALUE_TYPES),
    "cursor": lambda: (("0", "start of the iteration"),),
    "bound": lambda: (("-inf", "lowest score"), ("+inf", "highest score")),
}


def _plain(known: Iterable[tuple[str, str]], typing: TypedWord) -> Iterator[tuple[str, str]]:
    text = typing.text.lower()
    return ((name, about) for name, about in known if name.startswith(text))


# keys, fields and members -------------------------------------------------------------------------


def _types_for(command: Command) -> tuple[str, ...]:
    return tuple(command.key_types.split()) or _TYPES.get(command.group, ())


def _first_key(found: FoundCommand, finished: list[TypedWord]) -> bytes | None:
    """The first key of the command: the one whose fields or members are completed."""
    for word, role in zip(finished[found.size :], found.walk.roles, strict=True):
        if is_key(role):
            return word.value
    return None


def _quoted(named: Iterable[tuple[bytes, str]]) -> Iterator[tuple[str, str]]:
    """Names, quoted where necessary."""
    return ((quote(name), about) for name, about in named)


def _patterns(typing: TypedWord, backend: Backend) -> Iterator[tuple[str, str]]:
    """Glob patterns such as `user:*` for the prefixes of existing keys."""
    yield "*", "everything"
    yield from ((quote(front + b"*"), "") for front in backend.key_prefixes(typing.value))
