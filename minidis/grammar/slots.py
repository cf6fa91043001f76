"""What the parts of the compiler share: parameters, overrides, and the state of a compilation.

Each item of a syntax line adds a *step*, which reads words from a position on and adds to the
positional and keyword arguments; a *part*, which turns the arguments into words again
(formatter.py); and *parameters*, which convert Python arguments. options.py compiles brackets,
custom.py lines with a parser of their own, parser.py everything else.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from minidis import errors
from minidis.grammar import syntax
from minidis.grammar.cursor import WordCursor
from minidis.grammar.formatter import UNITS, Part
from minidis.grammar.kinds import RAW, Kind, encode, holds_key, kind_of, many, pairs
from minidis.grammar.signature import VARIADIC, Required, parameters_of
from minidis.grammar.syntax import Line, Optional, Repeat, Word

Step: TypeAlias = Callable[[Sequence[bytes], int, list[Any], dict[str, Any]], int]
#: Converts the words of a call to the arguments of the body.
Parse: TypeAlias = Callable[[Sequence[bytes]], tuple[list[Any], dict[str, Any]]]
#: Reads the words that follow the word of an option into keyword arguments.
Reader: TypeAlias = Callable[[Sequence[bytes], int, dict[str, Any]], int]

#: Reads the values of a repeated part from one position to another.
GroupReader: TypeAlias = Callable[[Sequence[bytes], int, int], list[Any]]

COUNTERS = frozenset(("numkeys", "numfields", "numids"))
#: Under this key a counted list stores its count for the WEIGHTS that follow; removed before the
#: body runs.
COUNTED = "numkeys of this call"


class Parameter(NamedTuple):
    """A parameter of a command, with the conversion of its Python argument."""

    param: str
    shape: str  # one, flag, choice, many, pairs
    kinds: tuple[Kind, ...] = ()
    optional: bool = False
    #: of a pair, the words have the second one first: ZADD's score and member
    swapped: bool = False
    #: keys may come as {key: weight}
    weighted: bool = False
    choices: tuple[bytes, ...] = ()
    #: raises Redis's error for a repeated argument without values
    on_empty: Callable[[], object] | None = None

    def ready(self, value: Any) -> Any:
        """Convert the argument of a typed call."""
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


class Overrides:
    """What a declaration says beyond its line."""

    def __init__(self, **rules: Any) -> None:
        self.__dict__.update(rules)

    #: word of the line -> parameter, where Python or redis-py uses another name. "not p": the word
    #: sets the parameter p to False. "p=": the word itself is the value of p
    names: Mapping[str, str] = MappingProxyType({})
    #: argument -> kind, where it differs from the vocabulary (kinds.py). Also: the word of an
    #: option before a choice, for an error message of its own; the parameter of a required choice
    #: that the body checks
    kinds: Mapping[str, Kind] = MappingProxyType({})
    #: parameters of the required choices, in their order
    choices: str = ""
    #: parameters that the line does not have
    extra: str = ""
    #: the command whose line has the extra parameter: INCRBY for INCR
    extra_command: str = ""
    #: error messages for a count that is no positive integer, and for one that is too large
    count_error: str | None = None
    overflow_error: str = errors.SYNTAX
    #: superfluous words after optional positions are an error of arity, not of syntax
    strict: bool = False
    #: permitted numbers of words; any other is an error of arity, not of syntax. With `form_error`
    #: this is checked last
    lengths: tuple[int, ...] = ()
    #: error message for that, if not the one of arity; {} is the subcommand
    length_error: str = ""
    #: error message for incomplete pairs, if not the one of arity
    uneven_error: str = ""
    #: error message for an unknown or incomplete option; {} is the word
    unknown_error: str = errors.SYNTAX
    #: an option given twice is a syntax error: every option (True) or those with these words
    once: bool | str = False
    #: error message for that
    once_error: str = errors.SYNTAX
    #: accept both alternatives of a bracket; the body raises the error
    allow_conflicts: bool = False
    #: Redis looks up the key before it reads the options: the body gets an error in the options as
    #: the parameter `_option_error` and raises it at the right time
    deferred_errors: bool = False
    #: reads the words after the leading arguments, in place of the compiled parser (cursor.py)
    parse: Callable[[WordCursor], None] | None = None
    #: brackets that Redis reads although its manual does not mention them; `on_undocumented`
    #: removes their keyword arguments or raises an error
    undocumented: str = ""
    on_undocumented: Callable[[dict[str, Any]], None] | None = None
    #: error messages for a missing fixed word, and for words after the last one expected
    word_error: str = errors.SYNTAX
    left_error: str = errors.SYNTAX
    #: the parent command, where a syntax error is "unknown subcommand or wrong number of
    #: arguments"; with `deferred_errors` or optional positions
    form_error: str = ""
    #: a fixed word that may stand, with its two arguments, anywhere among the options, and the
    #: error message when it is missing
    floating: str = ""
    missing_error: str = ""
    #: error message for two bounds in one call: MAXLEN and MINID
    bounds_error: str = errors.SYNTAX
    #: error message for such a word at the end of the call
    bare_error: str = errors.SYNTAX
    #: a typed call may leave the repeated argument empty
    empty: bool = False


OVERRIDES = frozenset(Overrides.__annotations__)


class Compiled(NamedTuple):
    """The result of a compilation: parser, formatter and parameters of one command."""

    parse: Parse
    #: the pieces of a call, for the functions that format it and name its keys
    parts: tuple[Part, ...]
    parameters: tuple[Parameter, ...]
    #: for each bracket, the parameters of which at most one may be given
    exclusive: tuple[tuple[str, ...], ...]
    #: calls of this many words need no parsing: the words after the name are the arguments; 0: none
    plain: int
    #: the declaration has a parser of its own (cursor.py)
    custom: bool


def chosen(word: bytes, choices: tuple[bytes, ...]) -> bytes:
    """Return the word in capitals if it is one of the choices."""
    upper = word.upper()
    if upper not in choices:
        raise errors.error(errors.SYNTAX)
    return upper


class Base:
    """The state of a compilation: line, signature, overrides, and the results so far."""

    def __init__(self, line: Line, function: Callable[..., Any], overrides: Overrides) -> None:
        self.line = line
        self.overrides = overrides
        self.names = overrides.names
        self.params = parameters_of(function)
        self.steps: list[Step] = []
        #: number of steps before the first option
        self.front = 1000
        self.parts: list[Part] = []
        self.parameters: list[Parameter] = []
        self.exclusive: list[tuple[str, ...]] = []
        self.choice_names = overrides.choices.split()
        self.size = len(line.name.split())
        self.arity = line.arity
        self.display = line.name.lower().replace(" ", "|")
        self.in_front = True

    # naming ---------------------------------------------------------------------------------

    def param(self, name: str) -> str:
        """Return the parameter for an argument or option."""
        if name in self.names:
            return self.names[name]
        plain = name.lower().replace("-", "_")
        if plain not in self.params and plain + "s" in self.params:
            return plain + "s"
        return plain

    def kind(self, name: str) -> Kind:
        """Return the kind of an argument."""
        return self.overrides.kinds.get(name) or kind_of(name)

    def no_arguments(self) -> None:
        raise self.wrong_arity()

    def wrong_arity(self) -> errors.ResponseError:
        return errors.wrong_arity(self.display)

    def is_variadic(self, param: str) -> bool:
        found = self.params.get(param)
        return found is not None and found.kind is VARIADIC

    def is_before_variadic(self, param: str) -> bool:
        """Return whether it is passed by position, because *parameters follow it."""
        names = list(self.params)
        return any(map(self.is_variadic, names[names.index(param) :])) if param in names else False

    # formatting -----------------------------------------------------------------------------

    def emit(self, words: str, keys: str = "", when: str = "") -> None:
        """Add a piece to the source of the formatter."""
        self.parts.append(Part(words, keys, when))

    def emit_one(self, name: str, param: str, kind: Kind, when: str = "") -> None:
        """Format a single argument."""
        text = self.word_of(name, param, kind)
        self.emit(text, text if holds_key(name) else "", when)

    def emit_option(self, word: str, plan: list[tuple[str, str, Kind]]) -> None:
        """Format an option and its arguments, if the first of them is given."""
        texts = [self.word_of(name, param, kind) for name, param, kind in plan]
        keys = [text for text, (name, _, _) in zip(texts, plan, strict=True) if holds_key(name)]
        self.emit(", ".join([word_source(word), *texts]), ", ".join(keys), self.given(plan[0][1]))

    def emit_many(self, names: list[str], slot: Parameter, when: str = "") -> None:
        """Format a repeated argument, or pairs of arguments in the order of the line."""
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
        """Return the source of one word. Converted arguments of most kinds are bytes already."""
        declared = self.params.get(param)
        default = None if declared is None else declared.default
        if kind.convert is encode and default in (None, Required):
            return param
        if kind is RAW and name in UNITS:
            return f"_encode(_units({param}, {UNITS[name]}))"
        return f"_encode({param})"

    def words_of(self, name: str, values: str, kind: Kind) -> str:
        """Return the source of the words of a list."""
        if kind.convert is encode:
            return f"*{values}"
        return f"*[{self.word_of(name, '_1', kind)} for _1 in {values}]"

    def given(self, param: str) -> str:
        """Return the condition on which an optional parameter is formatted."""
        default = self.params[param].default if param in self.params else None
        if default is Required:
            return ""
        if default is False:
            return param
        return f"{param} is not None" if default is None else f"{param} not in (None, {default!r})"

    def group(self, repeat: Repeat) -> tuple[GroupReader, Parameter]:
        """Return reader and parameter of a repeated part: single arguments, or pairs."""
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
    """Read repeated single arguments; arguments that are any bytes need no conversion."""
    if convert is encode:
        return lambda words, at, end: list(words[at:end])
    return lambda words, at, end: [convert(word) for word in words[at:end]]


def _pair_reader(first: Callable[[Any], Any], second: Callable[[Any], Any]) -> GroupReader:
    """Read repeated pairs of arguments."""
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
    """Return whether every alternative of the bracket starts with a fixed word."""
    return all(
        isinstance(option.items[0], Word)
        or (isinstance(option.items[0], Repeat) and isinstance(option.items[0].body.items[0], Word))
        for option in node.body.options
    )


def flag_reader(param: str, value: bool = True) -> Reader:
    """Read an option without arguments; `value` is False for the opposite of one (ASC, DESC)."""

    def read(_: Sequence[bytes], at: int, options: dict[str, Any]) -> int:
        options[param] = value
        return at

    return read


def arguments_reader(plan: list[tuple[str, Kind]], missing: str = errors.SYNTAX) -> Reader:
    """Read the arguments of an option; `missing` is the error message for too few words."""
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


def word_source(word: str) -> str:
    """Return the source of a fixed word."""
    return repr(word.encode())
