"""What could be typed at the cursor: commands, options still legal, live keys and members.

Pure: (text before the cursor, database) -> candidates. Keys are looked for in the dictionary
itself, as far as that goes in a few milliseconds; it is never sorted or copied as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from time import perf_counter
from typing import Any

from minidis import config
from minidis.command import COMMANDS, CONTAINERS, Command
from minidis.database import Minidis
from minidis.keyspace import TYPE_NAMES, type_name
from minidis.kinds import kind_of
from minidis.structures.sorted_set import SortedSet
from minidis.structures.tables import Hash, Set
from minidis.syntax import Argument, Word
from minidis.walk import is_key
from repl import dots
from repl.lookup import Found, groups, subcommands, walked
from repl.render import number
from repl.words import GLUED, Typed, at_cursor, quote, quoted, shortened

#: Never more candidates than this.
MOST = 200
#: Never longer over a dictionary than this, in seconds.
_PATIENCE = 0.1
_CHUNK = 4096

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
}
#: Sorted-set commands that also take plain sets, and what SORT can sort.
_WIDER: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("ZUNION", "ZINTER", "ZDIFF", "ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE", "ZINTERCARD"),
        ("zset", "set"),
    ),
    **dict.fromkeys(("SORT", "SORT_RO"), ("list", "set", "zset")),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """`text` takes the place of what stands from `start` to the cursor."""

    text: str
    start: int
    about: str = ""


def candidates(before: str, db: Minidis[Any]) -> list[Candidate]:
    """All that could stand at the cursor, the likeliest first."""
    finished, typing = at_cursor(before)
    if typing.trouble == GLUED:
        return []
    found = _offers(finished, typing, db)
    return [Candidate(text, typing.start, about) for text, about in islice(found, MOST)]


def _offers(finished: list[Typed], typing: Typed, db: Minidis[Any]) -> Iterator[tuple[str, str]]:
    if not finished:
        return _names(typing)
    name = finished[0].text
    if name.upper() in CONTAINERS and len(finished) == 1:
        below = ((one.name.split()[1], _about(one)) for one in subcommands(name.upper()))
        return _words(below, typing)
    if name.lower() == "help" and len(finished) == 1:
        return _help_topics(typing)
    found = walked(finished)
    return iter(()) if found is None else _next(found, finished, typing, db)


# words -------------------------------------------------------------------------------------------


def _names(typing: Typed) -> Iterator[tuple[str, str]]:
    """Commands, with the subcommands of a container behind its name, and the shell's own words."""
    commands: dict[str, str] = {}
    for name, command in sorted(COMMANDS.items()):
        container = name.split()[0]
        if container in CONTAINERS:
            names = " ".join(one.name.split()[1].lower() for one in subcommands(container))
            commands.setdefault(container, names)
        else:
            commands[name] = _about(command)
    yield from _words(commands.items(), typing)
    text = typing.text.lower()
    for dot in dots.DOTS.values():
        if dot.name.startswith(text):
            yield dot.name, dot.about


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


def _about(command: Command) -> str:
    """The first sentence, without the marks of code."""
    return command.summary.replace("`", "").rstrip(".")


# arguments ---------------------------------------------------------------------------------------


def _next(
    found: Found, finished: list[Typed], typing: Typed, db: Minidis[Any]
) -> Iterator[tuple[str, str]]:
    """Everything that the line allows at this place: arguments that can be listed, then options."""
    seen = set()
    for node in found.walk.next:
        if isinstance(node, Argument):
            for offer in _argument(node.name, found, finished, typing, db):
                if offer[0] not in seen:
                    seen.add(offer[0])
                    yield offer
    options = [(node.text, "") for node in found.walk.next if isinstance(node, Word)]
    yield from _words(options, typing)


def _argument(
    name: str, found: Found, finished: list[Typed], typing: Typed, db: Minidis[Any]
) -> Iterator[tuple[str, str]]:
    offers = kind_of(name).offers
    if offers == "key":
        return _keys(_types_for(found.command), typing, db)
    if offers in ("field", "member"):
        return _inside(_first_key(found, finished), typing, db)
    if offers == "pattern":
        return _patterns(typing, db)
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
    return _WIDER.get(command.name, _TYPES.get(command.group, ()))


def _first_key(found: Found, finished: list[Typed]) -> bytes | None:
    """The key whose members are meant: the first one of the command."""
    for word, role in zip(finished[found.size :], found.walk.roles, strict=True):
        if is_key(role):
            return word.value
    return None


def _keys(types: tuple[str, ...], typing: Typed, db: Minidis[Any]) -> Iterator[tuple[str, str]]:
    """Live keys of these types (of any, without types)."""
    values, deadlines = db.space.values, db.space.deadlines
    with db.engine.lock:
        now = db.engine.clock.now()

        def fits(key: bytes) -> bool:
            if types and type_name(values[key]) not in types:
                return False
            return not deadlines or deadlines.get(key, now) >= now

        keys = matching(values, typing.value, fits)
        offers = [(quote(key), _about_value(values[key])) for key in keys]
    return iter(offers)


def _inside(key: bytes | None, typing: Typed, db: Minidis[Any]) -> Iterator[tuple[str, str]]:
    """Fields of the hash, members of the set or sorted set, elements of the list at the key."""
    with db.engine.lock:
        value: Any = db.space.values.get(key) if key is not None else None
        if type_name(value) == "string":
            return iter(())
        names: Iterable[bytes] = value.scores if isinstance(value, SortedSet) else value
        found = matching(names, typing.value, lambda _: True)
        return iter([(quote(name), _about_member(value, name)) for name in dict.fromkeys(found)])


def _patterns(typing: Typed, db: Minidis[Any]) -> Iterator[tuple[str, str]]:
    """`user:*` for keys that are named in that way."""
    with db.engine.lock:
        keys = matching(db.space.values, typing.value, lambda key: b":" in key)
    fronts = dict.fromkeys(
        key[: key.index(b":", len(typing.value)) + 1]
        for key in keys
        if b":" in key[len(typing.value) :]
    )
    yield "*", "everything"
    yield from ((quote(front + b"*"), "") for front in fronts)


def matching(
    names: Iterable[bytes], wanted: bytes, fits: Callable[[bytes], bool], most: int = MOST
) -> list[bytes]:
    """Names that begin with `wanted`, then those that contain it, as far as patience goes.

    The dictionary is walked in pieces. A piece is joined to one text and searched as a whole, which
    costs a tenth of asking each name; most pieces have nothing and are done with that. Only what
    was found is sorted.
    """
    until = perf_counter() + _PATIENCE
    front: list[bytes] = []
    within: list[bytes] = []
    rest = iter(names)
    while chunk := list(islice(rest, _CHUNK)):
        if not wanted:
            front += filter(fits, chunk)
        elif wanted in b"\n".join(chunk):
            found = [name for name in chunk if wanted in name and fits(name)]
            front += [name for name in found if name.startswith(wanted)]
            if len(within) < most:
                within += [name for name in found if not name.startswith(wanted)]
        if len(front) >= most or perf_counter() > until:
            break
    return (sorted(front) + sorted(within))[:most]


def _about_value(value: Any) -> str:
    """Type and size: `hash, 3`."""
    kind = type_name(value)
    return kind if kind == "string" else f"{kind}, {len(value):,}"


def _about_member(value: Any, name: bytes) -> str:
    """The value of a field, the score of a member."""
    if isinstance(value, SortedSet):
        return number(value.scores[name])
    if isinstance(value, Hash):
        return shortened(quoted(value[name][:120]), 40)
    return "member" if isinstance(value, Set) else ""
