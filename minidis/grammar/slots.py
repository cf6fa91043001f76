"""The pieces that a parser is compiled from: slots, rules, steps, and what they have in common.

A *step* reads words from a place on and adds to the positional and keyword arguments; an
*emitter* makes the words again from the arguments; a *slot* is a parameter and how a Python
argument for it is made ready. parser.py and options.py put them together.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from minidis import errors
from minidis.grammar import syntax
from minidis.grammar.cursor import WordCursor
from minidis.grammar.formatter import UNITS, Part
from minidis.grammar.kinds import RAW, Kind, encode, holds_key, kind_of, many, pairs
from minidis.grammar.syntax import Line, Optional, Repeat, Word

Step: TypeAlias = Callable[[Sequence[bytes], int, list[Any], dict[str, Any]], int]
#: What an option does once its word has been read: the words after it become keyword arguments.
Reader: TypeAlias = Callable[[Sequence[bytes], int, dict[str, Any]], int]

#: The values of a repeated part, from one place to another.
GroupReader: TypeAlias = Callable[[Sequence[bytes], int, int], list[Any]]

COUNTERS = frozenset(("numkeys", "numfields", "numids"))
#: Where a counted list leaves its count for the WEIGHTS that follow; never reaches the command.
COUNTED = "numkeys of this call"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a command, and how a Python argument for it is made ready."""

    param: str
    shape: str  # one, flag, choice, many, pairs
    kinds: tuple[Kind, ...] = ()
    optional: bool = False
    swapped: bool = False
    #: keys may come as {key: weight}
    weighted: bool = False
    choices: tuple[bytes, ...] = ()
    #: raises what Redis says when a repeated argument is not there at all
    on_empty: Callable[[], object] | None = None

    def ready(self, value: Any) -> Any:
        """Convert what the typed API was given."""
        if value is None and self.optional:
            return None
        if self.shape == "one":
            return self.kinds[0].convert(value)
        if self.shape == "many":
            convert = self.kinds[0].convert
            if self.weighted and isinstance(value, Mapping):
                return {convert(key): weight for key, weight in value.items()}
            single = isinstance(value, (bytes, str, int, float, bytearray, memoryview))
            return [convert(item) for item in ((value,) if single else many(value))]
        if self.shape == "pairs":
            first, second = self.kinds
            return [(first.convert(one), second.convert(two)) for one, two in pairs(value)]
        if self.shape == "choice":
            return chosen(encode(value), self.choices)
        return value


@dataclass(slots=True)
class Overrides:
    """What a declaration says beyond its line."""

    #: word of the line -> parameter, where Python or redis-py calls it differently; "not p" takes
    #: the parameter back, and of several words "p=" the one that is given is the value of p
    names: Mapping[str, str] = field(default_factory=dict)
    #: argument -> kind, where it is not the one of the vocabulary; also the word of an option
    #: before a choice, where a wrong choice has a sentence of its own; also the parameter of a
    #: required choice that the body looks at
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    #: parameters of the required choices, in their order
    choices: str = ""
    #: parameters that the line does not have
    extra: str = ""
    #: the command whose line has the extra parameter: INCRBY for INCR
    extra_command: str = ""
    #: sentence for a count that is no positive integer, and for one above the words that follow
    count_error: str | None = None
    overflow_error: str = errors.SYNTAX
    #: a word too many after optional positions is a matter of arity, not of syntax
    strict: bool = False
    #: how many words there may be, where any other number is a matter of arity, not of syntax;
    #: with `form_error` that is the last mistake to be looked for
    lengths: tuple[int, ...] = ()
    #: the sentence for that, where it is not the one of arity; {} is the subcommand
    length_error: str = ""
    #: sentence for pairs that are not complete, where it is not about the number of words
    uneven_error: str = ""
    #: sentence for a word that is no option, or an option whose words are missing; {} is the word
    unknown_error: str = errors.SYNTAX
    #: an option given twice is a syntax error: every one (True) or those with these words
    once: bool | str = False
    #: the sentence for that
    once_error: str = errors.SYNTAX
    #: both alternatives of a bracket are accepted; the body says what is wrong with that
    allow_conflicts: bool = False
    #: Redis looks at the keys before it reads the options: what is wrong with them arrives as the
    #: parameter `_mistake`, and the body raises it when its time has come
    deferred_errors: bool = False
    #: reads the words after the leading arguments where the line does not lead to a parser
    parse: Callable[[WordCursor], None] | None = None
    #: brackets that Redis reads although its manual does not say so; what they held goes to
    #: `refuse`, which takes it away again, or refuses
    undocumented: str = ""
    refuse: Callable[[dict[str, Any]], None] | None = None
    #: sentence for a fixed word that is not in its place, and for words after the last one expected
    word_error: str = errors.SYNTAX
    left_error: str = errors.SYNTAX
    #: of a subcommand, with `late` or optional positions: what does not fit is told so, by the name
    #: of the container
    form_error: str = ""
    #: a fixed word that Redis takes with its two arguments wherever it stands among the options,
    #: and the sentence when it is missing
    floating: str = ""
    missing_error: str = ""
    #: sentence for two bounds in one call: MAXLEN and MINID
    bounds_error: str = errors.SYNTAX
    #: a Python call may leave the repeated argument empty; the body knows an answer
    empty: bool = False


@dataclass(slots=True)
class Compiled:
    """The parser and formatter of one command."""

    parse: Callable[[Sequence[bytes]], tuple[list[Any], dict[str, Any]]]
    #: the pieces of a call, for the functions that format it and name its keys
    parts: tuple[Part, ...]
    slots: tuple[Parameter, ...]
    #: parameters of which at most one may be given, a tuple for each bracket
    exclusive: tuple[tuple[str, ...], ...]
    #: number of words for which the words after the name are the arguments, as they are; 0: none
    plain: int
    #: the declaration has a parser of its own (see cursor.py)
    custom: bool


def chosen(word: bytes, choices: tuple[bytes, ...]) -> bytes:
    """The word in capitals, if it is one of the choices."""
    upper = word.upper()
    if upper not in choices:
        raise errors.error(errors.SYNTAX)
    return upper


class Base:
    """What all of the compilation knows: line, signature, rules, and what it has made so far."""

    def __init__(self, line: Line, function: Callable[..., Any], rules: Overrides) -> None:
        self.line = line
        self.rules = rules
        self.names = rules.names
        self.signature = inspect.signature(function)
        self.params = dict(list(self.signature.parameters.items())[1:])
        self.steps: list[Step] = []
        #: how many steps come before the first option
        self.front = 1000
        self.parts: list[Part] = []
        self.slots: list[Parameter] = []
        self.exclusive: list[tuple[str, ...]] = []
        self.choice_names = rules.choices.split()
        self.size = len(line.name.split())
        self.arity = line.arity
        self.display = line.name.lower().replace(" ", "|")
        self.in_front = True

    # naming ---------------------------------------------------------------------------------

    def param(self, name: str) -> str:
        """The parameter for an argument or option."""
        if name in self.names:
            return self.names[name]
        plain = name.lower().replace("-", "_")
        if plain not in self.params and plain + "s" in self.params:
            return plain + "s"
        return plain

    def kind(self, name: str) -> Kind:
        """The kind of an argument of this command."""
        return self.rules.kinds.get(name) or kind_of(name)

    def no_arguments(self) -> None:
        raise self.wrong_arity()

    def wrong_arity(self) -> errors.ResponseError:
        return errors.wrong_arity(self.display)

    def is_variadic(self, param: str) -> bool:
        found = self.params.get(param)
        return found is not None and found.kind is inspect.Parameter.VAR_POSITIONAL

    def is_before_variadic(self, param: str) -> bool:
        """Does it come by position, because *parameters stand behind it?"""
        names = list(self.params)
        return any(map(self.is_variadic, names[names.index(param) :])) if param in names else False

    # formatting -----------------------------------------------------------------------------

    def emit(self, words: str, keys: str = "", when: str = "") -> None:
        """Add a piece of the source of the formatter."""
        self.parts.append(Part(words, keys, when))

    def emit_one(self, name: str, param: str, kind: Kind, when: str = "") -> None:
        """An argument that stands by itself."""
        text = self.word_of(name, param, kind)
        self.emit(text, text if holds_key(name) else "", when)

    def emit_option(self, word: str, plan: list[tuple[str, str, Kind]]) -> None:
        """The word of an option and its arguments, if the first of them is given."""
        texts = [self.word_of(name, param, kind) for name, param, kind in plan]
        keys = [text for text, (name, _, _) in zip(texts, plan, strict=True) if holds_key(name)]
        self.emit(", ".join([quoted(word), *texts]), ", ".join(keys), self.given(plan[0][1]))

    def emit_many(self, names: list[str], slot: Parameter, when: str = "") -> None:
        """A repeated argument, or pairs of arguments in the order of the line."""
        param = slot.param
        if slot.shape == "many":
            text = self.words_of(names[0], param, slot.kinds[0])
            self.emit(text, text if holds_key(names[0]) else "", when)
            return
        raw = all(kind is RAW for kind in slot.kinds)  # a mapping is still one
        values = f"_pairs({param})" if raw else param
        texts = [
            self.word_of("", part, kind)
            for part, kind in zip(("_1", "_2"), slot.kinds, strict=True)
        ]
        text = f"*_chain({values})"
        if texts != ["_1", "_2"]:
            order = ", ".join(texts[::-1] if slot.swapped else texts)
            text = f"*[_0 for _1, _2 in {values} for _0 in ({order})]"
        keys = f"*[{texts[0]} for _1, _2 in {values}]" if holds_key(names[0]) else ""
        self.emit(text, keys, when)

    def word_of(self, name: str, param: str, kind: Kind) -> str:
        """The source of one word. Converted arguments of most kinds are bytes already."""
        declared = self.params.get(param)
        default = None if declared is None else declared.default
        if kind.convert is encode and default in (None, inspect.Parameter.empty):
            return param
        if kind is RAW and name in UNITS:
            return f"_encode(_units({param}, {UNITS[name]}))"
        return f"_encode({param})"

    def words_of(self, name: str, values: str, kind: Kind) -> str:
        """The source of the words of a list."""
        if kind.convert is encode:
            return f"*{values}"
        return f"*[{self.word_of(name, '_1', kind)} for _1 in {values}]"

    def given(self, param: str) -> str:
        """The condition on which an optional parameter is written."""
        default = self.params[param].default if param in self.params else None
        if default is inspect.Parameter.empty:
            return ""
        if default is False:
            return param
        return f"{param} is not None" if default is None else f"{param} not in (None, {default!r})"

    def group(self, repeat: Repeat) -> tuple[GroupReader, Parameter]:
        """Reader and slot for the repeated part: single arguments, or pairs of them."""
        names = syntax.arguments(repeat)
        kinds = tuple(self.kind(name) for name in names)
        if len(names) == 1:
            return _single_reader(kinds[0].convert), Parameter(self.param(names[0]), "many", kinds)
        if names[0] != "score":
            slot = Parameter(self.param(names[0]), "pairs", kinds)
            return _pair_reader(kinds[0].convert, kinds[1].convert), slot
        # A mapping {member: score} has the member first; the words have the score first.
        slot = Parameter(self.param(names[1]), "pairs", kinds[::-1], swapped=True)
        score = kinds[0].convert
        return lambda words, at, end: [
            (words[i + 1], score(words[i])) for i in range(at, end, 2)
        ], slot


def _single_reader(convert: Callable[[Any], Any]) -> GroupReader:
    """Repeated single arguments; words that are bytes anyway are not looked at one by one."""
    if convert is encode:
        return lambda words, at, end: list(words[at:end])
    return lambda words, at, end: [convert(word) for word in words[at:end]]


def _pair_reader(first: Callable[[Any], Any], second: Callable[[Any], Any]) -> GroupReader:
    """Repeated pairs of arguments."""
    if first is encode and second is encode:
        return lambda words, at, end: list(
            zip(words[at:end:2], words[at + 1 : end : 2], strict=True)
        )
    return lambda words, at, end: [
        (first(words[i]), second(words[i + 1])) for i in range(at, end, 2)
    ]


def is_repeat(node: syntax.Node) -> bool:
    return isinstance(node, Repeat)


def is_option(node: Optional) -> bool:
    """Does the bracket start with a fixed word (in every alternative)?"""
    return all(
        isinstance(option.items[0], Word)
        or (isinstance(option.items[0], Repeat) and isinstance(option.items[0].body.items[0], Word))
        for option in node.body.options
    )


def flag_reader(param: str, value: bool = True) -> Reader:
    """The word alone; `value` is False for a word that takes another one back (ASC and DESC)."""

    def read(_: Sequence[bytes], at: int, options: dict[str, Any]) -> int:
        options[param] = value
        return at

    return read


def arguments_reader(plan: list[tuple[str, Kind]], missing: str = errors.SYNTAX) -> Reader:
    """The words after that of an option; `missing` says that there are not enough of them."""
    needed = len(plan)

    def read(words: Sequence[bytes], at: int, options: dict[str, Any]) -> int:
        if at + needed > len(words):
            raise errors.error(missing.format(errors.shown(words[at - 1])))
        for offset, (param, kind) in enumerate(plan):
            options[param] = kind.convert(words[at + offset])
        return at + needed

    return read


def exactly(wanted: bytes) -> Callable[[bytes], bool]:
    def convert(word: bytes) -> bool:
        if word.upper() != wanted:
            raise errors.error(errors.SYNTAX)
        return True

    return convert


def quoted(word: str) -> str:
    """The source of a fixed word."""
    return repr(word.encode())
