"""The entries of COMMAND INFO and COMMAND DOCS, derived from the declaration of a command."""

import operator
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from minidis.grammar import syntax
from minidis.grammar.command import COMMANDS, PARENT_COMMANDS, Command
from minidis.grammar.kinds import holds_key, kind_of
from minidis.grammar.slots import COUNTERS
from minidis.grammar.syntax import Argument, Choice, Node, Optional, Repeat, Sequence, Word
from minidis.replies import Status

#: Group -> ACL category of its commands.
CATEGORIES = {
    "string": "@string",
    "hash": "@hash",
    "list": "@list",
    "set": "@set",
    "sorted-set": "@sortedset",
    "generic": "@keyspace",
    "connection": "@connection",
    "stream": "@stream",
    "bitmap": "@bitmap",
    "hyperloglog": "@hyperloglog",
    "geo": "@geo",
    "pubsub": "@pubsub",
    "transactions": "@transaction",
    "scripting": "@scripting",
}
#: What stands where keys would stand, and is said to be none.
NOT_KEYS = ("NOT_KEY",)
SHARD_CHANNEL = "shardchannel"
TYPE_OF_KIND = {"pattern": "pattern", "cursor": "integer"}


class Positions(NamedTuple):
    """Positions of the keys as COMMAND INFO has them: first, last (-1: to the end), step."""

    first: int = 0
    last: int = 0
    step: int = 0


def key_positions(command: Command) -> Positions:
    """Return the positions of keys before the first option; others are 'movablekeys'."""
    ranges = [(at, how[b"spec"]) for at, how in _key_places(command) if how[b"type"] == b"range"]
    if not ranges:
        return Positions()
    at, spec = ranges[-1]
    return Positions(ranges[0][0], spec[b"lastkey"] or at, spec[b"keystep"])


def acl_categories(command: Command) -> set[Status]:
    """Return the ACL categories: from the flags and the group, or as declared."""
    flags = set(command.flags)
    found = {"@fast" if "fast" in flags else "@slow"}
    if "write" in flags:
        found.add("@write")
    if "readonly" in flags:
        found.add("@read")
    if "admin" in flags:
        found |= {"@admin", "@dangerous"}
    if "blocking" in flags:
        found.add("@blocking")
    if command.categories is not None:
        found.update("@" + name for name in command.categories.split())
    elif command.group in CATEGORIES:
        found.add(CATEGORIES[command.group])
    return {Status(name) for name in found}


def info(command: Command) -> list[Any]:
    """One entry of COMMAND INFO."""
    positions = key_positions(command)
    return [
        command.name.lower().replace(" ", "|").encode(),
        -1 if command.name in PARENT_COMMANDS else command.arity,
        {Status(flag) for flag in command.flags},
        positions.first,
        positions.last,
        positions.step,
        acl_categories(command),
        [],
        key_specs(command),
        [info(sub) for sub in subcommands(command.name)],
    ]


def parent_info(name: str) -> list[Any]:
    """Return the entry of a parent command, which cannot be called itself."""
    first = _children(name)[0]
    if first.undivided:
        flags = {Status(flag) for flag in first.flags}
        return [name.lower().encode(), -2, flags, 0, 0, 0, acl_categories(first), [], [], []]
    slow = {Status("@slow")}
    children = [info(sub) for sub in subcommands(name)]
    return [name.lower().encode(), -2, set(), 0, 0, 0, slow, [], [], children]


def key_specs(command: Command) -> list[Any]:
    """Return the key specifications: access to the keys and their positions, for each access."""
    uses = list(command.access)
    after = key_word(command)
    if after is not None:
        spec = dict(zip((b"keyword", b"startfrom"), after, strict=True))
        begin = {b"type": b"keyword", b"spec": spec}
        return [_spec(use, (0, _range(-1, 1, 2)), begin) for use in uses]
    places = _key_places(command)
    if len(uses) == 1 and len(places) > 1:
        places = [(places[0][0], _range(len(places) - 1, 1))]  # LCS key1 key2: one use, two keys
    if command.follows_patterns:
        uses.insert(1, uses[0])
    return [
        _spec(use, places[number] if number < len(places) else None)
        for number, use in enumerate(uses)
    ]


def _key_places(command: Command) -> list[tuple[int, dict[bytes, Any]]]:
    """Return where keys begin and how to find the others, up to the first option."""
    at = len(command.name.split())
    found: list[tuple[int, dict[bytes, Any]]] = []
    counted = False
    items = command.line.items
    listed: Callable[[str], bool] = holds_key
    if command.access == NOT_KEYS:  # shard channels; those of SUNSUBSCRIBE may be left out
        items = items[0].body.options[0].items if isinstance(items[0], Optional) else items
        listed = partial(operator.eq, SHARD_CHANNEL)
    for number, item in enumerate(items):
        if isinstance(item, Optional):
            break
        if isinstance(item, Repeat) and listed(syntax.arguments(item)[0]):
            step = len(item.body.items)
            if counted:
                found.append((at - 1, _keynum(step)))
            else:
                found.append((at, _range(-1 - syntax.least(list(items[number + 1 :])), step)))
        elif isinstance(item, Argument) and listed(item.name):
            found.append((at, _range(0, 1)))
        counted = isinstance(item, Argument) and item.name in COUNTERS
        at += 1
    return found


def key_word(command: Command) -> tuple[bytes, int] | None:
    """The word behind which the keys are, and as many ids: STREAMS key [key ...] id [id ...].

    It is looked for from a position on.
    """
    items = command.line.items
    for at, item in enumerate(items[:-2]):
        if isinstance(item, Word) and all(isinstance(node, Repeat) for node in items[at + 1 :]):
            return item.text.encode(), 1 + syntax.least(list(items[:at]))
    return None


def _range(last: int, step: int, limit: int = 0) -> dict[bytes, Any]:
    return {
        b"type": b"range",
        b"spec": {b"lastkey": last, b"keystep": step, b"limit": limit},
    }


def _keynum(step: int) -> dict[bytes, Any]:
    return {
        b"type": b"keynum",
        b"spec": {b"keynumidx": 0, b"firstkey": 1, b"keystep": step},
    }


def _spec(
    use: str, place: tuple[int, dict[bytes, Any]] | None, begin: dict[bytes, Any] | None = None
) -> dict[bytes, Any]:
    """One specification; without a place the keys can only be found by reading the command.

    `begin` says where to begin; it is the place without it.
    """
    flags = {Status(word if len(word) == 2 else word.lower()) for word in use.split()}
    unknown = {b"type": b"unknown", b"spec": {}}
    if place is None:
        return {b"flags": flags, b"begin_search": unknown, b"find_keys": unknown}
    begin = begin or {b"type": b"index", b"spec": {b"index": place[0]}}
    return {b"flags": flags, b"begin_search": begin, b"find_keys": place[1]}


def subcommands(name: str) -> list[Command]:
    """Return the subcommands that Redis lists for a command."""
    return [command for command in _children(name) if not command.undivided]


def _children(name: str) -> list[Command]:
    if name not in PARENT_COMMANDS:
        return []
    return [command for full, command in COMMANDS.items() if full.startswith(name + " ")]


def top_level() -> list[str]:
    """Return the names of all commands and parent commands."""
    return list(dict.fromkeys(name.split()[0] for name in COMMANDS))


def entry(name: str) -> list[Any] | None:
    """COMMAND INFO's entry for a name in capitals, `CONFIG|GET` for a subcommand."""
    plain = name.replace("|", " ")
    command = COMMANDS.get(plain)
    if command is not None and not command.undivided:
        return info(command)
    return parent_info(plain) if plain in PARENT_COMMANDS else None


def docs_of(name: str) -> dict[bytes, Any] | None:
    """COMMAND DOCS' entry for a name in capitals, `CONFIG|GET` for a subcommand."""
    plain = name.replace("|", " ")
    below = subcommands(plain)
    known = COMMANDS.get(plain)
    if known is None and not below:
        return None
    found = docs(known) if known is not None else _parent_docs(plain, below[0])
    if below:
        found[b"subcommands"] = {one.display_name.encode(): docs(one) for one in below}
    return found


def _parent_docs(name: str, first: Command) -> dict[bytes, Any]:
    return {
        b"summary": f"A parent command: {name} HELP lists its subcommands.".encode(),
        b"since": first.since.encode(),
        b"group": first.group.encode(),
        b"complexity": b"Depends on the subcommand.",
    }


def docs(command: Command) -> dict[bytes, Any]:
    """Return one entry of COMMAND DOCS, with our own summary."""
    found: dict[bytes, Any] = {
        b"summary": command.summary.encode(),
        b"since": command.since.encode(),
        b"group": command.group.encode(),
        b"complexity": command.complexity.encode(),
    }
    arguments = [_argument(item) for item in command.line.items]
    if arguments:
        found[b"arguments"] = arguments
    return found


def _argument(node: Node) -> dict[bytes, Any]:
    """Return a node of the syntax tree as an argument of COMMAND DOCS."""
    match node:
        case Argument(name):
            return {b"name": name.encode(), b"type": _type_of(name)}
        case Word(text):
            return {b"name": text.lower().encode(), b"type": b"pure-token", b"token": text.encode()}
        case Optional(body):
            inner = body.options[0] if len(body.options) == 1 else body
            found = _argument(inner)
            return {**found, b"flags": [Status("optional"), *found.get(b"flags", ())]}
        case Repeat(body):
            return {**_argument(body), b"flags": [Status("multiple")]}
        case Choice(options):
            return {
                b"name": b"choice",
                b"type": b"oneof",
                b"arguments": [_argument(option) for option in options],
            }
        case Sequence(items):
            return _sequence(items)


def _sequence(items: tuple[Node, ...]) -> dict[bytes, Any]:
    """One node, a word with its argument, or a block of several."""
    if len(items) == 1:
        return _argument(items[0])
    if len(items) == 2 and isinstance(items[0], Word) and isinstance(items[1], Argument):
        return {**_argument(items[1]), b"token": items[0].text.encode()}
    parts = [_argument(item) for item in items]
    return {b"name": b"block", b"type": b"block", b"arguments": parts}


def _type_of(name: str) -> bytes:
    if holds_key(name):
        return b"key"
    if name.startswith("unix-time"):
        return b"unix-time"
    kind = kind_of(name)
    if kind.offers in TYPE_OF_KIND:
        return TYPE_OF_KIND[kind.offers].encode()
    if kind.exact is float:
        return b"double"
    return b"string" if kind.exact is bytes else b"integer"
