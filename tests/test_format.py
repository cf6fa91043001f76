"""Typed arguments -> words -> parse -> the same arguments, for every command and every option.

The calls are enumerated from the syntax line: required words alone, each alternative of each
bracket by itself, all brackets together; repeated parts with one and with three elements.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from minidis.grammar import syntax
from minidis.grammar.command import COMMANDS, Command, find
from minidis.grammar.kinds import encode, kind_of
from minidis.grammar.methods import build_method
from minidis.grammar.signature import VARIADIC
from minidis.grammar.slots import COUNTERS
from minidis.grammar.syntax import Argument, Choice, Node, Optional, Repeat, Sequence, Word
from minidis.grammar.walk import keys_of, walk
from minidis.keyspace.unit import CHECKED

Path = tuple[int, ...]
#: which alternative to take of the choice or bracket at a path; a bracket without entry is left out
Plan = dict[Path, int]
#: Arguments for which a number does not do.
EXAMPLES = {"protover": b"3", "numlocal": b"1"}


def branches(node: Node, path: Path = (), above: Plan | None = None) -> Iterator[Plan]:
    """A plan for each alternative of each choice and bracket, with the brackets around it."""
    above = above or {}
    match node:
        case Choice(options) | Optional(Choice(options)):
            for at, option in enumerate(options):
                plan = {**above, path: at}
                yield plan
                yield from branches(option, (*path, at), plan)
        case Repeat(body):
            yield from branches(body, (*path, 0), above)
        case Sequence(items):
            for at, item in enumerate(items):
                yield from branches(item, (*path, at), above)


class Example:
    """The words that a plan leads to, with a different word for each argument."""

    def __init__(self, command: Command, plan: Plan, repeats: int) -> None:
        self.plan = plan
        self.repeats = repeats
        self.numbers = count(11)
        self.words = [part.encode() for part in command.name.split()]
        self.add(Sequence(command.line.items), ())

    def add(self, node: Node, path: Path) -> None:
        match node:
            case Word(text):
                self.words.append(text.encode())
            case Argument(name):
                self.words.append(self.argument(name))
            case Optional(Choice(options)) if path in self.plan:
                self.add(options[self.plan[path]], (*path, self.plan[path]))
            case Choice(options):
                at = self.plan.get(path, 0)
                self.add(options[at], (*path, at))
            case Repeat(body):
                for _ in range(self.repeats):
                    self.add(body, (*path, 0))
            case Sequence(items):
                for at, item in enumerate(items):
                    self.add(item, (*path, at))

    def argument(self, name: str) -> bytes:
        if name in COUNTERS:
            return b"%d" % self.repeats
        number = next(self.numbers)
        if kind_of(name).offers in ("key", "field", "member"):
            return b"%b%d" % (name.encode(), number)
        return EXAMPLES.get(name, b"%d" % number)


def examples(command: Command) -> list[list[bytes]]:
    """Words of calls that together have every part of the line."""
    tree = Sequence(command.line.items)
    alone = list(branches(tree))
    first: Plan = {}
    last: Plan = {}
    for plan in alone:
        first = {**plan, **first}
        last = {**last, **plan}
    found: list[list[bytes]] = []
    for repeats in (1, 3):
        for plan in ({}, *alone, first, last):
            words = Example(command, plan, repeats).words
            if words not in found:
                found.append(words)
    return found


def bind(command: Command, args: Any, options: dict[str, Any]) -> dict[str, Any]:
    """The arguments by parameter, those left out with their defaults, in plain form."""
    bound = inspect.signature(command.body).bind(None, *args, **options)
    bound.apply_defaults()
    return {name: plain(value) for name, value in list(bound.arguments.items())[1:]}


def plain(value: Any) -> Any:
    """Equal for values that are the same word."""
    if isinstance(value, dict):
        return plain(list(value.items()))
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, bool) else encode(value)


class Recorder:
    """Takes the place of a session: keeps what a typed method hands to the body."""

    direct_unit = None
    reads = CHECKED

    def call_typed(self, _: Command, /, *args: Any, **options: Any) -> None:
        self.given = args, options


def typed(command: Command, args: Any, options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Call the typed method with text in place of bytes; what the body would get."""
    recorder = Recorder()
    args, options = by_keyword(command, text(list(args)), text(options))
    build_method(command, decode=False)(recorder, *args, **options)
    return recorder.given


def by_keyword(
    command: Command, args: list[Any], options: dict[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """The same arguments with as many of them by keyword as the signature allows."""
    bound = inspect.signature(command.body).bind(None, *args, **options)
    given = dict(list(bound.arguments.items())[1:])
    variadic = [one for one in command.params.values() if one.kind is VARIADIC]
    if not variadic:
        return [], given
    at = list(command.params).index(variadic[0].name)
    front = [given.pop(name) for name in list(command.params)[:at] if name in given]
    return [*front, *given.pop(variadic[0].name, ())], given


def text(value: Any) -> Any:
    """The value with text in place of bytes."""
    if isinstance(value, dict):
        return {name: text(item) for name, item in value.items()}
    if isinstance(value, list):
        return [text(item) for item in value]
    if isinstance(value, tuple):
        return tuple(map(text, value))
    return value.decode() if isinstance(value, bytes) else value


def parse(words: list[bytes]) -> tuple[Command, Any, dict[str, Any]]:
    command = find(words)
    assert command is not None
    args, options = command.parse(words)
    assert options.get("_option_error") is None
    return command, args, options


each_command = pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda one: one.name)


@each_command
def test_arguments_to_words_to_arguments(command: Command) -> None:
    for words in examples(command):
        _, *parsed = parse(words)
        args, options = typed(command, *parsed)
        assert bind(command, args, options) == bind(command, *parsed)
        again = command.format(args, options)
        assert bind(command, *parse(again)[1:]) == bind(command, *parsed)
        assert command.format(*parsed) == again


@each_command
def test_keys_are_those_that_the_line_shows(command: Command) -> None:
    for words in examples(command):
        _, args, options = parse(words)
        again = command.format(args, options)
        expected = [again[at] for at in keys_of(command.line, again)]
        assert expected == [words[at] for at in keys_of(command.line, words)]
        assert command.keys(args, options) == expected
        assert command.keys(*typed(command, args, options)) == expected
        assert command.keys_of_words(words) == expected


@each_command
def test_arguments_may_come_by_keyword(command: Command) -> None:
    for words in examples(command):
        _, args, options = parse(words)
        named = by_keyword(command, args, options)
        assert command.format(*named) == command.format(args, options)
        assert command.keys(*named) == command.keys(args, options)


def test_every_fixed_word_of_every_line_is_in_some_call() -> None:
    for command in COMMANDS.values():
        used = {word for words in examples(command) for word in words}
        fixed = syntax.words(Sequence(command.line.items))
        assert {word.encode() for word in fixed} <= used


TIMES: dict[str, tuple[Any, dict[str, bytes]]] = {
    "Span": (timedelta(seconds=90), {"seconds": b"90", "milliseconds": b"90000"}),
    "Moment": (
        datetime(2100, 1, 1, tzinfo=UTC),
        {"unix-time-seconds": b"4102444800", "unix-time-milliseconds": b"4102444800000"},
    ),
}
TIMED = [
    (command, name, kind)
    for command in COMMANDS.values()
    for name, param in inspect.signature(command.body).parameters.items()
    for kind in TIMES
    if kind in str(param.annotation)
]


@pytest.mark.parametrize(
    ("command", "param", "kind"), TIMED, ids=lambda one: getattr(one, "name", None)
)
def test_times_may_be_timedelta_or_datetime(command: Command, param: str, kind: str) -> None:
    value, units = TIMES[kind]
    for words in examples(command):
        args, options = by_keyword(command, *command.parse(words))
        if options.get(param) is not None:
            break
    found = command.format(*typed(command, args, {**options, param: value}))
    roles = walk(command.line, found[1:], complete=True).roles
    times = [
        (word, units[role.name])
        for word, role in zip(found[1:], roles, strict=True)
        if isinstance(role, Argument) and role.name in units
    ]
    assert len(times) == 1 and times[0][0] == times[0][1]


@pytest.mark.parametrize(
    ("words", "name", "args", "options"),
    [
        ("INCR n", "INCR", ["n"], {}),
        ("INCR n", "INCR", ["n", 1], {}),
        ("INCRBY n 5", "INCR", ["n", 5], {}),
        ("DECRBY n -2", "DECR", ["n"], {"amount": -2}),
        ("HSET h f 1", "HSET", ["h", "f", 1], {}),
        ("HSET h f 1 x 2 y 3", "HSET", ["h", "f", 1, {"x": 2}, iter(["y", 3])], {}),
        ("HSET h y 3", "HSET", ["h"], {"items": ["y", 3]}),
        ("CONFIG SET a 1", "CONFIG SET", ["a", 1], {}),
        ("CONFIG SET a 1 b 2", "CONFIG SET", [], {"mapping": {"a": 1, "b": 2}}),
        ("SET k v", "SET", ["k", "v", None, None, False], {"xx": False}),
        ("LPUSH l a b c", "LPUSH", ["l", "a", ["b", "c"]], {}),
        ("ZADD z 1 a 2.5 b", "ZADD", ["z", {"a": 1, "b": 2.5}], {}),
        ("ZUNION 2 a b WEIGHTS 2 3", "ZUNION", [{"a": 2, "b": 3}], {}),
        ("ZUNION 2 a b WEIGHTS 2.0 3.0", "ZUNION", [["a", "b"]], {"weights": [2, 3]}),
        ("ZDIFF 1 a", "ZDIFF", ["a"], {}),
        ("XREAD STREAMS a b 0 $", "XREAD", [{"a": 0, "b": "$"}], {}),
        ("SORT l", "SORT", ["l"], {"get": [], "store": None}),
        ("LMOVE a b LEFT RIGHT", "LMOVE", ["a", "b"], {}),
        ("XTRIM s MINID = 5", "XTRIM", ["s"], {"minid": 5, "approximate": False}),
    ],
)
def test_what_only_typed_calls_can_say(
    words: str, name: str, args: list[Any], options: dict[str, Any]
) -> None:
    command = COMMANDS[name]
    recorder = Recorder()
    build_method(command, decode=False)(recorder, *args, **options)
    assert b" ".join(command.format(*recorder.given)).decode() == words
    assert parse(words.encode().split())[0].keys(*parse(words.encode().split())[1:]) == (
        command.keys(*recorder.given)
    )


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        ("SET k", [b"k"]),
        ("SET k v EX", [b"k"]),
        ("SORT k STORE a LIMIT 1", [b"k", b"a"]),
        ("COPY a b NONSENSE", [b"a", b"b"]),
    ],
)
def test_keys_of_calls_with_mistakes(words: str, keys: list[bytes]) -> None:
    line = words.encode().split()
    assert COMMANDS[words.split()[0]].keys_of_words(line) == keys
