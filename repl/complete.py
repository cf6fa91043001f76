"""What could be typed at the cursor: commands, options still legal, live keys and members.

Pure: (text before the cursor, place) -> candidates. What the data has, the place is asked; commands
that the place does not have are marked, and those that only it has are offered by name.
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
from minidis.keyspace.keyspace import TYPE_NAMES
from repl import shell_commands
from repl.backend import MOST, Backend
from repl.lookup import OURS, CommandSet, Found, groups, subcommands, walked
from repl.words import GLUED, Typed, at_cursor, quote

MISSING = "not on this server"
FOREIGN = "only on this server"

#: Group of a command -> the types of keys it works on; other groups work on every type.
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
    """`text` takes the place of what stands from `start` to the cursor."""

    text: str
    start: int
    about: str = ""


def candidates(before: str, place: Backend) -> list[Candidate]:
    """All that could stand at the cursor, the likeliest first."""
    finished, typing = at_cursor(before)
    if typing.trouble == GLUED:
        return []
    found = _offers(finished, typing, place)
    return [Candidate(text, typing.start, about) for text, about in islice(found, MOST)]


def _offers(finished: list[Typed], typing: Typed, place: Backend) -> Iterator[tuple[str, str]]:
    if not finished:
        return _names(typing, place.repertoire)
    name = finished[0].text
    if len(finished) == 1 and (below := _below(name.upper(), place.repertoire)):
        return _words(below, typing)
    if name.lower() == "help" and len(finished) == 1:
        return _help_topics(typing)
    found = walked(finished)
    return iter(()) if found is None else _next(found, finished, typing, place)


# words -------------------------------------------------------------------------------------------


def _names(typing: Typed, there: CommandSet) -> Iterator[tuple[str, str]]:
    """Commands, with the subcommands of a container behind its name, and the shell's own words."""
    commands: dict[str, str] = {}
    for name, command in sorted(COMMANDS.items()):
        container = name.split()[0]
        if container in PARENT_COMMANDS:
            names = " ".join(one.name.split()[1].lower() for one in subcommands(container))
            commands.setdefault(container, MISSING if there.lacks(container) else names)
        else:
            commands[name] = _about(command, there)
    foreign = {name: FOREIGN for name in there.foreign if " " not in name}
    yield from _words(sorted({**foreign, **commands}.items()), typing)
    text = typing.text.lower()
    for dot in shell_commands.DOTS.values():
        if dot.name.startswith(text):
            yield dot.name, dot.about


def _below(container: str, there: CommandSet) -> list[tuple[str, str]]:
    """The subcommands of a container."""
    if container not in PARENT_COMMANDS:
        return [(name, FOREIGN) for name in there.below(container)]
    ours = [(one.name.split()[1], _about(one, there)) for one in subcommands(container)]
    return ours + [(name, FOREIGN) for name in there.below(container)]


def _words(known: Iterable[tuple[str, str]], typing: Typed) -> Iterator[tuple[str, str]]:
    """Fixed words that begin with what is typed, in capitals unless small letters were typed."""
    text = typing.text
    for name, about in known:
        if name.startswith(text.upper()):
            yield (name.lower() if text.islower() else name), about


def _help_topics(typing: Typed) -> Iterator[tuple[str, str]]:
    text = typing.text
    for group, commands in groups().items():
        if f"@{group}".startswith(text.lower()):
            yield f"@{group}", f"{len(commands)} commands"
    yield from _words(((name, _about(one)) for name, one in sorted(COMMANDS.items())), typing)


def _about(command: Command, there: CommandSet = OURS) -> str:
    """The first sentence, without the marks of code; or that the command is not there."""
    if there.lacks(command.name):
        return MISSING
    return command.summary.replace("`", "").rstrip(".")


# arguments ---------------------------------------------------------------------------------------


def _next(
    found: Found, finished: list[Typed], typing: Typed, place: Backend
) -> Iterator[tuple[str, str]]:
    """Everything that the line allows at this place: arguments that can be listed, then options."""
    seen = set()
    for node in found.walk.next:
        if isinstance(node, Argument):
            for offer in _argument(node.name, found, finished, typing, place):
                if offer[0] not in seen:
                    seen.add(offer[0])
                    yield offer
    options = [(node.text, "") for node in found.walk.next if isinstance(node, Word)]
    yield from _words(options, typing)


def _argument(
    name: str, found: Found, finished: list[Typed], typing: Typed, place: Backend
) -> Iterator[tuple[str, str]]:
    offers = kind_of(name).offers
    if offers == "key":
        return _quoted(place.keys(typing.value, _types_for(found.command)))
    if offers in ("field", "member"):
        key = _first_key(found, finished)
        return iter(()) if key is None else _quoted(place.members(key, typing.value))
    if offers == "pattern":
        return _patterns(typing, place)
    return _plain(_FIXED[offers](), typing) if offers in _FIXED else iter(())


#: What can be listed without looking at the data.
_FIXED: dict[str, Callable[[], Iterable[tuple[str, str]]]] = {
    "parameter": lambda: ((one.name, one.about) for one in config.PARAMETERS.values()),
    "command": lambda: ((name.lower(), _about(one)) for name, one in sorted(COMMANDS.items())),
    "type": lambda: ((name, "") for name in ("string", *TYPE_NAMES.values())),
    "cursor": lambda: (("0", "begin"),),
    "bound": lambda: (("-inf", "lowest score"), ("+inf", "highest score")),
}


def _plain(known: Iterable[tuple[str, str]], typing: Typed) -> Iterator[tuple[str, str]]:
    text = typing.text.lower()
    return ((name, about) for name, about in known if name.startswith(text))


# live data ---------------------------------------------------------------------------------------


def _types_for(command: Command) -> tuple[str, ...]:
    return tuple(command.key_types.split()) or _TYPES.get(command.group, ())


def _first_key(found: Found, finished: list[Typed]) -> bytes | None:
    """The key whose members are meant: the first one of the command."""
    for word, role in zip(finished[found.size :], found.walk.roles, strict=True):
        if is_key(role):
            return word.value
    return None


def _quoted(named: Iterable[tuple[bytes, str]]) -> Iterator[tuple[str, str]]:
    """Names as they can be typed."""
    return ((quote(name), about) for name, about in named)


def _patterns(typing: Typed, place: Backend) -> Iterator[tuple[str, str]]:
    """`user:*` for keys that are named in that way."""
    yield "*", "everything"
    yield from ((quote(front + b"*"), "") for front in place.fronts(typing.value))
