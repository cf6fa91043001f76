"""The syntax line of a command, from which everything else is derived.

    "SET key value [NX | XX] [GET] [EX seconds | PX milliseconds | KEEPTTL]"
         │
       parse_line           line -> tree (Word, Argument, Choice, Optional, Repeat)
         ├── arity          how many words, as COMMAND INFO counts them
         ├── Compiler       tree -> parser of words, at its first use        (parser.py)
         ├── make_formatter arguments -> words: journal, monitor, remote     (formatter.py)
         └── walk           words typed so far -> what each one is, and what is left: keys, hints,
                            completion, the position of an error               (walk.py)

The notation is the one of the Redis manual: CAPITALS stand for themselves, small letters are
arguments, [ ] may be left out, < | > is a choice, `key [key ...]` repeats.
"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import TypeAlias

from minidis.structures.record import Record

_TOKEN = re.compile(r"\.\.\.|[\[\]<>|]|[^\s\[\]<>|]+")


class Word(Record):
    """Stands for itself, in any case: NX."""

    __slots__ = __match_args__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


class Argument(Record):
    """A value that the caller chooses: key."""

    __slots__ = __match_args__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        return self.name


class Sequence(Record):
    """One after the other."""

    __slots__ = __match_args__ = ("items",)

    def __init__(self, items: tuple[Node, ...]) -> None:
        self.items = items

    def __str__(self) -> str:
        return " ".join(map(show, self.items))


class Choice(Record):
    """One of several: < | >, or the inside of an optional bracket with bars."""

    __slots__ = __match_args__ = ("options",)

    def __init__(self, options: tuple[Sequence, ...]) -> None:
        self.options = options

    def __str__(self) -> str:
        return " | ".join(map(str, self.options))


class Optional(Record):
    """May be left out."""

    __slots__ = __match_args__ = ("body",)

    def __init__(self, body: Choice) -> None:
        self.body = body

    def __str__(self) -> str:
        return f"[{self.body}]"


class Repeat(Record):
    """One or more times the same sequence."""

    __slots__ = __match_args__ = ("body",)

    def __init__(self, body: Sequence) -> None:
        self.body = body

    def __str__(self) -> str:
        return f"{self.body} [{self.body} ...]"


Node: TypeAlias = Word | Argument | Sequence | Choice | Optional | Repeat


class SyntaxLineError(ValueError):
    """The line itself is not well formed, or a signature disagrees with it."""


class Line(Record):
    """A parsed syntax line: the command's name and what may follow it."""

    __slots__ = __match_args__ = ("name", "items")

    def __init__(self, name: str, items: tuple[Node, ...]) -> None:
        self.name = name
        self.items = items

    def __str__(self) -> str:
        return " ".join([self.name, *map(show, self.items)])

    @property
    def arity(self) -> int:
        """Number of words, name included (a subcommand's name is two); negative: at least."""
        least, exact = _size(Sequence(self.items))
        least += len(self.name.split())
        return least if exact else -least


def show(node: Node) -> str:
    """A node as it stands in a line: a required choice in angle brackets."""
    return f"<{node}>" if isinstance(node, Choice) else str(node)


def line_name(line: str, parents: Container[str] = ()) -> str:
    """The name that a line begins with, without parsing the rest."""
    first, _, rest = line.partition(" ")
    second = rest.partition(" ")[0] if first in parents else ""
    return f"{first} {second}" if second.isupper() and second[0] not in "[<" else first


def parse_line(line: str, parents: Container[str] = ()) -> Line:
    """Parse a syntax line; names in `parents` have a second word."""
    name = line_name(line, parents)
    items, rest = _sequence(_TOKEN.findall(line, len(name)))
    if rest:
        raise SyntaxLineError(f"unbalanced {rest[0]!r} in {line!r}")
    return Line(name, items)


def _sequence(tokens: list[str]) -> tuple[tuple[Node, ...], list[str]]:
    """Read items up to a closing bracket, a bar or the end."""
    items: list[Node] = []
    while tokens and tokens[0] not in ("]", ">", "|"):
        token, tokens = tokens[0], tokens[1:]
        if token == "[":
            body, tokens = _alternatives(tokens, "]")
            _add_optional(items, body)
        elif token == "<":
            body, tokens = _alternatives(tokens, ">")
            items.append(body)
        elif token == "...":
            items.append(Word("..."))
        else:
            items.append(Argument(token) if token != token.upper() else Word(token))
    return tuple(items), tokens


def _alternatives(tokens: list[str], closing: str) -> tuple[Choice, list[str]]:
    """Read `a | b` up to the closing bracket."""
    options = []
    while True:
        items, tokens = _sequence(tokens)
        options.append(Sequence(items))
        if not tokens:
            raise SyntaxLineError(f"a bracket is not closed with {closing!r}")
        token, tokens = tokens[0], tokens[1:]
        if token == closing:
            return Choice(tuple(options)), tokens


def _add_optional(items: list[Node], body: Choice) -> None:
    """Append a bracket; `key` followed by `[key ...]` becomes one Repeat."""
    first = body.options[0].items
    if len(body.options) == 1 and first and first[-1] == Word("..."):
        repeated = first[:-1]
        if tuple(items[-len(repeated) :]) != repeated:
            raise SyntaxLineError(f"'...' repeats {repeated}, which does not stand before it")
        del items[-len(repeated) :]
        items.append(Repeat(Sequence(repeated)))
    else:
        items.append(Optional(body))


def _size(node: Node) -> tuple[int, bool]:
    """(least number of words, whether that is the only number)."""
    match node:
        case Word() | Argument():
            return 1, True
        case Optional():
            return 0, False
        case Repeat(body):
            return _size(body)[0], False
        case Choice(options):
            sizes = [_size(option) for option in options]
            least = min(size for size, _ in sizes)
            return least, all(exact and size == least for size, exact in sizes)
        case Sequence(items):
            sizes = [_size(item) for item in items]
            return sum(size for size, _ in sizes), all(exact for _, exact in sizes)


def least(items: list[Node]) -> int:
    """The least number of words that the items need."""
    return _size(Sequence(tuple(items)))[0]


def arguments(node: Node) -> list[str]:
    """The names of all arguments below a node, in order."""
    match node:
        case Argument(name):
            return [name]
        case Word():
            return []
        case Optional(body) | Repeat(body):
            return arguments(body)
        case Choice(options):
            return [name for option in options for name in arguments(option)]
        case Sequence(items):
            return [name for item in items for name in arguments(item)]


def words(node: Node) -> list[str]:
    """The fixed words below a node, in order."""
    match node:
        case Word(text):
            return [text]
        case Argument():
            return []
        case Optional(body) | Repeat(body):
            return words(body)
        case Choice(options):
            return [text for option in options for text in words(option)]
        case Sequence(items):
            return [text for item in items for text in words(item)]
