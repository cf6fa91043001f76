"""The syntax line: tree, arity, parser and formatter agree with each other for every command."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minidis import errors
from minidis.grammar import syntax
from minidis.grammar.command import COMMANDS, PARENT_COMMANDS, Command
from minidis.grammar.kinds import kind_of
from minidis.grammar.signature import declaration
from minidis.grammar.slots import COUNTERS
from minidis.grammar.syntax import (
    Argument,
    Choice,
    Node,
    Optional,
    Repeat,
    Sequence,
    Word,
    parse_line,
)
from tests.sampling import sampled

LINES = [command for command in COMMANDS.values() if command.line.items]


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: command.name)
def test_a_line_prints_as_it_was_written(command: Command) -> None:
    assert parse_line(str(command.line), PARENT_COMMANDS) == command.line


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: command.name)
def test_lines_and_signatures_agree(command: Command) -> None:
    """The import does not compare them: a mistake would show at the first use of the command."""
    assert callable(command.compiled.parse)
    assert command.name == command.line.name


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: command.name)
def test_parameters_are_those_of_the_signature(command: Command) -> None:
    whole = inspect.signature(command.body)
    known = list(whole.parameters.values())[1:]
    assert [param.name for param in known] == list(command.params)
    empty = inspect.Parameter.empty
    shown = inspect.Signature([param.replace(annotation=empty) for param in known])
    assert f"({declaration(command.params, lambda param: repr(param.default))})" == str(shown)


def test_names_are_those_of_the_parsed_lines() -> None:
    for line in ("GET key", "CONFIG GET parameter", "CONFIG", "CONFIG [X]", "CONFIG <A | B>"):
        assert syntax.line_name(line, {"CONFIG"}) == parse_line(line, {"CONFIG"}).name
    assert syntax.line_name("CONFIG [X]", {"CONFIG"}) == "CONFIG"
    assert syntax.line_name("CLIENT NO-EVICT <ON | OFF>", {"CLIENT"}) == "CLIENT NO-EVICT"


@pytest.mark.parametrize(
    ("line", "arity"),
    [
        ("GET key", 2), ("SET key value [NX | XX]", -3), ("MSET key value [key value ...]", -3),
        ("LMOVE source destination <LEFT | RIGHT> <LEFT | RIGHT>", 5), ("PING [message]", -1),
        ("CONFIG GET parameter [parameter ...]", -3), ("DBSIZE", 1),
        ("ZUNION numkeys key [key ...] [WITHSCORES]", -3), ("X <A a | B>", -2),
    ],
)  # fmt: skip
def test_arity(line: str, arity: int) -> None:
    assert parse_line(line, PARENT_COMMANDS).arity == arity


@pytest.mark.parametrize("line", ["SET key [NX", "SET key NX]", "SET [a ...]", "SET <A | B"])
def test_lines_that_are_not_well_formed(line: str) -> None:
    with pytest.raises(syntax.SyntaxLineError):
        parse_line(line)


def example(name: str) -> st.SearchStrategy[bytes]:
    """Words that are right for an argument."""
    kind = kind_of(name)
    candidates = [b"1", b"7", b"-3", b"12.5", b"text", b"", b"\xff\x00", b"(1", b"[a"]

    def fits(word: bytes) -> bool:
        try:
            kind.convert(word)
        except errors.ResponseError:
            return False
        return True

    return st.sampled_from([word for word in candidates if fits(word)])


def words_for(node: Node, draw: Any) -> list[bytes]:
    """Some words that the node describes."""
    match node:
        case Word(text):
            return [text.encode()]
        case Argument(name):
            return [draw(example(name))]
        case Choice(options):
            return words_for(draw(st.sampled_from(options)), draw)
        case Optional(body):
            return words_for(body, draw) if draw(st.booleans()) else []
        case Repeat(body):
            return [w for _ in range(draw(st.integers(1, 3))) for w in words_for(body, draw)]
        case Sequence(items):
            return sequence_for(items, draw)


def sequence_for(items: tuple[Node, ...], draw: Any) -> list[bytes]:
    found: list[bytes] = []
    counted = None
    for index, item in enumerate(items):
        if isinstance(item, Argument) and item.name in COUNTERS:
            counted = draw(st.integers(1, 3))
            found.append(b"%d" % counted)
        elif isinstance(item, Repeat) and index and str(items[index - 1]) in COUNTERS:
            found += [w for _ in range(counted or 1) for w in words_for(item.body, draw)]
        elif isinstance(item, Optional) and "WEIGHTS" in syntax.words(item):
            if draw(st.booleans()):
                found += [b"WEIGHTS", *[b"2"] * (counted or 1)]
        else:
            found += words_for(item, draw)
    return found


@pytest.mark.parametrize("command", sampled(LINES, every=10), ids=lambda command: command.name)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_words_to_arguments_to_words(command: Command, data: st.DataObject) -> None:
    """What the formatter writes is parsed to the same arguments again."""
    words = [
        *[part.encode() for part in command.name.split()],
        *sequence_for(command.line.items, data.draw),
    ]
    try:
        args, options = command.parse(words)
    except errors.ResponseError:
        return  # a number out of the range of this command
    if options.get("_option_error") is not None:
        return
    again = command.format(args, options)
    assert bind(command, *command.parse(again)) == bind(command, args, options)


def bind(command: Command, args: list[Any], options: dict[str, Any]) -> dict[str, Any]:
    """The arguments by parameter, those left out with their defaults."""
    bound = inspect.signature(command.body).bind(None, *args, **options)
    bound.apply_defaults()
    return dict(bound.arguments)


def test_parsers_leave_the_words_alone() -> None:
    words = [b"ZADD", b"k", b"NX", b"1", b"a"]
    COMMANDS["ZADD"].parse(words)
    assert words == [b"ZADD", b"k", b"NX", b"1", b"a"]


def test_few_commands_have_a_parser_of_their_own() -> None:
    assert sum(command.compiled.custom for command in COMMANDS.values()) <= 10
