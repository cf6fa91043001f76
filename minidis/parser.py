"""A syntax line and a signature, compiled into the parser and the formatter of one command.

The parser is a list of small steps, chosen by shape when the command is declared:

    leading arguments       SET key value             -> positional arguments
    optional brackets       [NX | XX] [EX seconds]    -> keyword arguments, in any order
    optional positions      [count [WITHSCORES]]      -> keyword arguments, in this order
    required choice         <LEFT | RIGHT>            -> keyword argument, the word in capitals
    counted list            numkeys key [key ...]     -> one list
    trailing repetition     member [member ...]       -> *members, or one list of pairs

Words are converted from left to right, so that the first mistake is the one complained about. An
argument `unix-time-seconds` is the parameter `unix_time_seconds`; an option `EX seconds` is the
parameter `ex`; `names` gives another parameter where Python or redis-py calls it differently.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from minidis import errors, syntax
from minidis.kinds import RAW, TEXT, Kind, encode, kind_of, many, pairs
from minidis.syntax import Argument, Choice, Line, Optional, Repeat, SyntaxLineError, Word

Step: TypeAlias = Callable[[Sequence[bytes], int, list[Any], dict[str, Any]], int]
Emitter: TypeAlias = Callable[[dict[str, Any]], list[bytes]]
#: What an option does once its word has been read: the words after it become keyword arguments.
Reader: TypeAlias = Callable[[Sequence[bytes], int, dict[str, Any]], int]

COUNTERS = frozenset(("numkeys", "numfields", "numids"))
#: Where a counted list leaves its count for the WEIGHTS that follow; never reaches the command.
_COUNTED = "numkeys of this call"


@dataclass(frozen=True, slots=True)
class Slot:
    """One parameter of a command, and how a Python argument for it is made ready."""

    param: str
    shape: str  # one, flag, choice, many, pairs
    kinds: tuple[Kind, ...] = ()
    optional: bool = False
    swapped: bool = False
    #: keys may come as {key: weight}
    weighted: bool = False
    choices: tuple[bytes, ...] = ()

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
            return _chosen(encode(value), self.choices)
        return value


@dataclass(slots=True)
class Rules:
    """What a declaration says beyond its line."""

    #: word of the line -> parameter, where Python or redis-py calls it differently
    names: Mapping[str, str] = field(default_factory=dict)
    #: argument -> kind, where it is not the one of the vocabulary
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    #: parameters of the required choices, in their order
    choices: str = ""
    #: parameters that the line does not have
    extra: str = ""
    #: sentence for a count that is no positive integer, and for one above the words that follow
    count_error: str | None = None
    overflow_error: str = errors.SYNTAX
    #: a word too many after optional positions is a matter of arity, not of syntax
    strict: bool = False
    #: sentence for a word that is no option; {} is the word
    unknown_error: str = errors.SYNTAX
    #: an option given twice is a syntax error: every one (True) or those with these words
    once: bool | str = False
    #: both alternatives of a bracket are accepted; the body says what is wrong with that
    tolerant: bool = False
    #: Redis looks at the keys before it reads the options: what is wrong with them arrives as the
    #: parameter `_mistake`, and the body raises it when its time has come
    late: bool = False
    #: brackets that Redis reads although its manual does not say so; what they held goes to
    #: `refuse`, which takes it away again, or refuses
    unsaid: str = ""
    refuse: Callable[[dict[str, Any]], None] | None = None
    #: sentence for a fixed word that is not in its place, and for words after the last one expected
    word_error: str = errors.SYNTAX
    left_error: str = errors.SYNTAX


@dataclass(slots=True)
class Compiled:
    """The parser and formatter of one command."""

    parse: Callable[[Sequence[bytes]], tuple[list[Any], dict[str, Any]]]
    format: Callable[[dict[str, Any]], list[bytes]]
    slots: tuple[Slot, ...]
    #: number of words for which the words after the name are the arguments, as they are; 0: none
    plain: int


def _chosen(word: bytes, choices: tuple[bytes, ...]) -> bytes:
    """The word in capitals, if it is one of the choices."""
    upper = word.upper()
    if upper not in choices:
        raise errors.error(errors.SYNTAX)
    return upper


def compile_line(line: Line, function: Callable[..., Any], rules: Rules) -> Compiled:
    """Compile the line for the function; SyntaxLineError where the two disagree."""
    compiler = Compiler(line, function, rules)
    compiler.run()
    compiler.agree()
    return Compiled(
        compiler.parser(), compiler.formatter(), tuple(compiler.slots), compiler.plain()
    )


class Compiler:
    """One pass over the tree: each item adds a step, an emitter and its slots."""

    def __init__(self, line: Line, function: Callable[..., Any], rules: Rules) -> None:
        self.line = line
        self.rules = rules
        self.names = rules.names
        self.signature = inspect.signature(function)
        self.params = dict(list(self.signature.parameters.items())[1:])
        self.steps: list[Step] = []
        #: how many steps come before the first option
        self.front = 1000
        self.emitters: list[Emitter] = []
        self.slots: list[Slot] = []
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

    def wrong_arity(self) -> errors.ResponseError:
        return errors.wrong_arity(self.display)

    # items ----------------------------------------------------------------------------------

    def run(self) -> None:
        """Compile the items from left to right."""
        items = list(self.line.items)
        while items:
            item = items.pop(0)
            tail = syntax.least(items)
            match item:
                case Argument(name) if name in COUNTERS and items and _is_repeat(items[0]):
                    repeat = items.pop(0)
                    assert isinstance(repeat, Repeat)
                    self.add_counted(name, repeat)
                case Argument(name):
                    self.add_argument(name)
                case Word(text):
                    self.add_word(text)
                case Choice():
                    self.add_choice(item)
                case Repeat():
                    self.add_rest(item, tail)
                case Optional() if self.is_last_place(item, items):
                    self.add_positions((item,))
                case Optional() if _is_option(item):
                    group = [item]
                    while items and isinstance(items[0], Optional) and _is_option(items[0]):
                        group.append(items.pop(0))  # type: ignore[arg-type]
                    self.add_options(group, last=not items)
                case Optional(body) if isinstance(body.options[0].items[0], Choice):
                    self.add_block(body.options[0].items)
                case Optional(body):
                    self.add_positions(body.options[0].items)
                case _:
                    raise SyntaxLineError(f"{self.line}: no shape for {item}")

    def add_argument(self, name: str) -> None:
        param, kind = self.param(name), self.kind(name)
        convert = kind.convert
        if self.in_front:

            def step(
                words: Sequence[bytes], at: int, args: list[Any], options: dict[str, Any]
            ) -> int:
                args.append(convert(words[at]))
                return at + 1

        else:

            def step(
                words: Sequence[bytes], at: int, args: list[Any], options: dict[str, Any]
            ) -> int:
                if at >= len(words):
                    raise errors.error(errors.SYNTAX)
                options[param] = convert(words[at])
                return at + 1

        self.steps.append(step)
        self.emitters.append(lambda bound: [encode(bound[param])])
        self.slots.append(Slot(param, "one", (kind,)))

    def add_word(self, text: str) -> None:
        self.in_front = False
        self.front = min(self.front, len(self.steps))
        wanted, sentence = text.encode(), self.rules.word_error

        def step(words: Sequence[bytes], at: int, _: list[Any], __: dict[str, Any]) -> int:
            if at >= len(words) or words[at].upper() != wanted:
                raise errors.error(sentence)
            return at + 1

        self.steps.append(step)
        self.emitters.append(lambda bound: [wanted])

    def add_choice(self, choice: Choice) -> None:
        self.in_front = False
        param = self.choice_names.pop(0)
        if "|" in param:
            self.add_choice_of_flags(choice, param.split("|"))
            return
        allowed = tuple(word.encode() for word in syntax.words(choice))

        def step(words: Sequence[bytes], at: int, _: list[Any], options: dict[str, Any]) -> int:
            if at >= len(words):
                raise errors.error(errors.SYNTAX)
            options[param] = _chosen(words[at], allowed)
            return at + 1

        self.steps.append(step)
        self.emitters.append(lambda bound: [encode(bound[param])])
        self.slots.append(Slot(param, "choice", choices=allowed))

    def add_choice_of_flags(self, choice: Choice, params: list[str]) -> None:
        """<MIN | MAX> as two parameters, min=True or max=True; the body sees that it is one."""
        table = dict(zip((word.encode() for word in syntax.words(choice)), params, strict=True))

        def step(words: Sequence[bytes], at: int, _: list[Any], options: dict[str, Any]) -> int:
            param = table.get(words[at].upper()) if at < len(words) else None
            if param is None:
                raise errors.error(errors.SYNTAX)
            options[param] = True
            return at + 1

        self.steps.append(step)
        self.emitters.append(
            lambda bound: [word for word, param in table.items() if bound[param]]
        )
        self.slots.extend(Slot(param, "flag", optional=True) for param in params)

    def add_rest(self, repeat: Repeat, tail: int) -> None:
        """`member [member ...]` up to the end, or up to the `tail` words after it."""
        read, slot = self.group(repeat)
        width = len(slot.kinds)
        variadic = self.is_variadic(slot.param)
        alone = self.in_front
        self.in_front = False
        mistake = self.wrong_arity if alone else lambda: errors.error(errors.SYNTAX)

        def step(words: Sequence[bytes], at: int, args: list[Any], options: dict[str, Any]) -> int:
            end = len(words) - tail
            if end <= at or (end - at) % width:
                raise mistake()
            values = read(words, at, end)
            if variadic:
                args.extend(values)
            else:
                options[slot.param] = values
            return end

        self.steps.append(step)
        self.emitters.append(lambda bound: _flat(bound[slot.param], slot))
        self.slots.append(slot)

    def group(
        self, repeat: Repeat
    ) -> tuple[Callable[[Sequence[bytes], int, int], list[Any]], Slot]:
        """Reader and slot for the repeated part: single arguments, or pairs of them."""
        names = syntax.arguments(repeat)
        kinds = tuple(self.kind(name) for name in names)
        converts = [kind.convert for kind in kinds]
        if len(names) == 1:
            only = converts[0]
            slot = Slot(self.param(names[0]), "many", kinds)
            return lambda words, at, end: [only(word) for word in words[at:end]], slot
        first, second = converts
        # A mapping {member: score} has the member first; the words have the score first.
        swapped = names[0] == "score"
        if swapped:
            slot = Slot(self.param(names[1]), "pairs", (kinds[1], kinds[0]), swapped=True)
            return (
                lambda words, at, end: [
                    (second(words[i + 1]), first(words[i])) for i in range(at, end, 2)
                ],
                slot,
            )
        slot = Slot(self.param(names[0]), "pairs", kinds)
        return (
            lambda words, at, end: [
                (first(words[i]), second(words[i + 1])) for i in range(at, end, 2)
            ],
            slot,
        )

    def add_counted(self, name: str, repeat: Repeat) -> None:
        """`numkeys key [key ...]`: the count says how many groups follow."""
        read, slot = self.group(repeat)
        slot = replace(slot, weighted="WEIGHTS" in syntax.words(syntax.Sequence(self.line.items)))
        width = len(slot.kinds)
        given = self.param(name) if self.param(name) in self.params else None
        variadic = self.is_variadic(slot.param)
        in_front, self.in_front = self.in_front, False
        count_of, too_many = self.counter(name), self.rules.overflow_error

        def step(words: Sequence[bytes], at: int, args: list[Any], options: dict[str, Any]) -> int:
            count = count_of(words[at])
            end = at + 1 + count * width
            if end > len(words):
                raise errors.error(too_many)
            values = read(words, at + 1, end)
            options[_COUNTED] = count
            if in_front:
                args.extend([] if given is None else [count])
                args.extend(values if variadic else [values])
            elif variadic:
                args.extend(values)
            else:
                options[slot.param] = values
            return end

        self.steps.append(step)
        self.emitters.append(
            lambda bound: [
                b"%d" % len(bound[slot.param]),
                *_flat(bound[slot.param], slot),
            ]
        )
        self.slots.extend([Slot(given, "one", (self.kind(name),))] if given else [])
        self.slots.append(slot)

    def counter(self, name: str) -> Callable[[Any], int]:
        """The converter of a count that must be positive."""
        convert = self.kind(name).convert
        sentence = self.rules.count_error
        command = self.display

        def count_of(word: Any) -> int:
            try:
                count: int = convert(word)
            except errors.ResponseError:
                if sentence is None:
                    raise
                count = 0
            if count < 1:
                raise errors.error(
                    sentence or f"at least 1 input key is needed for '{command}' command"
                )
            return count

        return count_of

    # options --------------------------------------------------------------------------------

    def add_options(self, group: list[Optional], *, last: bool) -> None:
        """A run of brackets: any order, the last of a repeated option wins."""
        self.in_front = False
        self.front = min(self.front, len(self.steps))
        once, unknown = self.rules.once, self.rules.unknown_error
        tolerant, refuse = self.rules.tolerant, self.rules.refuse
        single = {
            bracket
            for bracket, optional in enumerate(group)
            if once is True or (once and set(once.split()) & set(syntax.words(optional)))
        }
        table: dict[bytes, tuple[int, int, Reader]] = {}
        for bracket, optional in enumerate(group):
            for alternative, option in enumerate(optional.body.options):
                word, reader = self.option(option.items)
                table[word] = (bracket, alternative, reader)
        said = len(self.slots), len(self.emitters)
        for unsaid in syntax.parse_line(f"X {self.rules.unsaid}").items:
            assert isinstance(unsaid, Optional)
            word, reader = self.option(unsaid.body.options[0].items)
            table[word] = (len(table), 0, reader)
        del self.slots[said[0] :], self.emitters[said[1] :]

        def step(words: Sequence[bytes], at: int, args: list[Any], options: dict[str, Any]) -> int:
            chosen: dict[int, int] = {}
            end = len(words)
            while at < end:
                entry = table.get(words[at].upper())
                if entry is None:
                    if last:
                        raise errors.error(unknown.format(_shown(words[at])))
                    break
                bracket, alternative, reader = entry
                if bracket in single and bracket in chosen:
                    raise errors.error(errors.SYNTAX)
                if chosen.setdefault(bracket, alternative) != alternative and not tolerant:
                    raise errors.error(errors.SYNTAX)
                at = reader(words, at + 1, options)
            if refuse is not None:
                refuse(options)
            return at

        self.steps.append(step)

    def option(self, items: tuple[syntax.Node, ...]) -> tuple[bytes, Reader]:
        """One alternative of a bracket: its word, and the reader of what follows."""
        first = items[0]
        if isinstance(first, Repeat):
            return self.repeated_option(first)
        assert isinstance(first, Word)
        word = first.text.encode()
        match items[1:]:
            case () if self.param(first.text).startswith("not "):
                return word, _flag_reader(self.param(first.text)[4:], False)
            case ():
                param = self.param(first.text)
                self.emitters.append(lambda bound: [word] if bound[param] else [])
                self.slots.append(Slot(param, "flag", optional=True))
                return word, _flag_reader(param)
            case (Argument(name),):
                param, kind = self.param(first.text), self.kind(name)
                self.emitters.append(
                    lambda bound: [] if bound[param] is None else [word, encode(bound[param])]
                )
                self.slots.append(Slot(param, "one", (kind,), optional=True))
                return word, _arguments_reader([(param, kind)])
            case (Choice() as choice,) if not syntax.arguments(choice):
                return word, self.choice_option(first.text, choice)
            case (Choice() as choice,):
                return word, self.nested_option(word, choice)
            case (Repeat() as repeat,):
                return word, self.list_option(first.text, repeat)
            case several if all(isinstance(item, Argument) for item in several):
                return word, self.several_option(word, [str(item) for item in several])
            case _:
                raise SyntaxLineError(f"{self.line}: no shape for the option {first.text}")

    def several_option(self, word: bytes, names: list[str]) -> Reader:
        """LIMIT offset count: one parameter for each argument."""
        plan = [(self.param(name), self.kind(name)) for name in names]
        self.slots.extend(Slot(param, "one", (kind,), optional=True) for param, kind in plan)
        first = plan[0][0]
        self.emitters.append(
            lambda bound: (
                []
                if bound[first] is None
                else [word, *(encode(bound[param]) for param, _ in plan)]
            )
        )
        return _arguments_reader(plan)

    def choice_option(self, word: str, choice: Choice) -> Reader:
        """AGGREGATE <SUM | MIN | MAX>: the word in capitals; in a block without a word before."""
        param = self.param(word) if word else self.choice_names.pop(0)
        allowed = tuple(text.encode() for text in syntax.words(choice))
        token = [word.encode()] if word else []
        self.emitters.append(
            lambda bound: [] if bound[param] is None else [*token, encode(bound[param])]
        )
        self.slots.append(Slot(param, "choice", optional=True, choices=allowed))

        def read(words: Sequence[bytes], at: int, options: dict[str, Any]) -> int:
            if at >= len(words):
                raise errors.error(errors.SYNTAX)
            options[param] = _chosen(words[at], allowed)
            return at + 1

        return read

    def nested_option(self, word: bytes, choice: Choice) -> Reader:
        """FILTERBY <MODULE name | PATTERN pattern>: an option inside an option."""
        before = len(self.emitters)
        read = self.one_of(choice)
        inner = self.emitters[before:]
        del self.emitters[before:]

        def emit(bound: dict[str, Any]) -> list[bytes]:
            found = [part for emitter in inner for part in emitter(bound)]
            return [word, *found] if found else []

        self.emitters.append(emit)
        return read

    def one_of(self, choice: Choice) -> Reader:
        """<COUNT count | EXACTLY exactly>: one option of several, which must be there."""
        table = dict(self.option(option.items) for option in choice.options)

        def read(words: Sequence[bytes], at: int, options: dict[str, Any]) -> int:
            reader = table.get(words[at].upper()) if at < len(words) else None
            if reader is None:
                raise errors.error(errors.SYNTAX)
            return reader(words, at + 1, options)

        return read

    def add_block(self, items: tuple[syntax.Node, ...]) -> None:
        """[<COUNT count | EXACTLY exactly> <OBO | BULK>]: all of it in this order, or nothing."""
        self.in_front = False
        choices = [item for item in items if isinstance(item, Choice)]
        readers = [
            self.one_of(item) if syntax.arguments(item) else self.choice_option("", item)
            for item in choices
        ]

        def step(words: Sequence[bytes], at: int, _: list[Any], options: dict[str, Any]) -> int:
            for reader in readers if at < len(words) else ():
                at = reader(words, at, options)
            return at

        self.steps.append(step)

    def list_option(self, word: str, repeat: Repeat) -> Reader:
        """WEIGHTS weight [weight ...]: as many as there are counted keys."""
        values, slot = self.group(repeat)
        slot = replace(slot, param=self.param(word), optional=True)
        token = word.encode()
        self.slots.append(slot)

        def emit(bound: dict[str, Any]) -> list[bytes]:
            weights = bound[slot.param]
            for value in bound.values() if weights is None else ():
                weights = list(value.values()) if isinstance(value, Mapping) else weights
            return [] if weights is None else [token, *_flat(weights, slot)]

        self.emitters.append(emit)

        def read(words: Sequence[bytes], at: int, options: dict[str, Any]) -> int:
            end: int = at + options.get(_COUNTED, len(words) - at)
            if end > len(words):
                raise errors.error(errors.SYNTAX)
            options[slot.param] = values(words, at, end)
            return end

        return read

    def repeated_option(self, repeat: Repeat) -> tuple[bytes, Reader]:
        """GET pattern [GET pattern ...]: every occurrence adds to one list."""
        token, argument = repeat.body.items
        assert isinstance(token, Word) and isinstance(argument, Argument)
        param, kind = self.param(token.text), self.kind(argument.name)
        word = token.text.encode()
        self.slots.append(Slot(param, "many", (kind,), optional=True))
        self.emitters.append(
            lambda bound: [part for value in bound[param] or () for part in (word, encode(value))]
        )

        def read(words: Sequence[bytes], at: int, options: dict[str, Any]) -> int:
            if at >= len(words):
                raise errors.error(errors.SYNTAX)
            options.setdefault(param, []).append(kind.convert(words[at]))
            return at + 1

        return word, read

    def add_positions(self, items: tuple[syntax.Node, ...]) -> None:
        """[count [WITHSCORES]], [key [key ...]]: optional words with a fixed place."""
        self.in_front = False
        mistake = self.wrong_arity if self.rules.strict else lambda: errors.error(errors.SYNTAX)
        plan: list[tuple[str, Callable[[bytes], Any]]] = []
        for item in items:
            match item:
                case Argument(name):
                    param, kind = self.param(name), self.kind(name)
                    plan.append((param, kind.convert))
                    self.slots.append(Slot(param, "one", (kind,), optional=True))
                    self.emitters.append(_optional_emitter(param))
                case Optional(body):
                    text = syntax.words(body)[0]
                    param = self.param(text)
                    plan.append((param, _exactly(text.encode())))
                    self.slots.append(Slot(param, "flag", optional=True))
                    self.emitters.append(_flag_emitter(text.encode(), param))
                case Repeat():
                    self.add_optional_rest(item)
                    return
                case _:
                    raise SyntaxLineError(f"{self.line}: no shape for {item}")

        def step(words: Sequence[bytes], at: int, _: list[Any], options: dict[str, Any]) -> int:
            for (param, convert), word in zip(plan, words[at:], strict=False):
                options[param] = convert(word)
            if len(words) > at + len(plan):
                raise mistake()
            return len(words)

        self.steps.append(step)

    def add_optional_rest(self, repeat: Repeat) -> None:
        """[name [name ...]]: any number, none included."""
        read, slot = self.group(repeat)
        variadic = self.is_variadic(slot.param)

        def step(words: Sequence[bytes], at: int, args: list[Any], options: dict[str, Any]) -> int:
            values = read(words, at, len(words))
            if variadic:
                args.extend(values)
            elif values:
                options[slot.param] = values
            return len(words)

        self.steps.append(step)
        self.slots.append(replace(slot, optional=True))
        self.emitters.append(lambda bound: _flat(bound[slot.param] or (), slot))

    # results --------------------------------------------------------------------------------

    def is_last_place(self, item: Optional, rest: list[syntax.Node]) -> bool:
        """Is this `[WORD]` a place, after which any word is one too many (see Rules.strict)?"""
        return self.rules.strict and not rest and not syntax.arguments(item)

    def is_variadic(self, param: str) -> bool:
        found = self.params.get(param)
        return found is not None and found.kind is inspect.Parameter.VAR_POSITIONAL

    def parser(self) -> Callable[[Sequence[bytes]], tuple[list[Any], dict[str, Any]]]:
        """The steps in a row; whatever is left over afterwards is one word too many."""
        steps, size, arity = tuple(self.steps), self.size, self.arity
        if self.rules.late:
            steps = (*steps[: self.front], self.forgiving(steps[self.front :]))
        wrong_arity, left_error = self.wrong_arity, self.rules.left_error

        def parse(words: Sequence[bytes]) -> tuple[list[Any], dict[str, Any]]:
            count = len(words)
            if count != arity if arity > 0 else count < -arity:
                raise wrong_arity()
            args: list[Any] = []
            options: dict[str, Any] = {}
            at = size
            for step in steps:
                at = step(words, at, args, options)
            if at < count:
                raise errors.error(left_error)
            options.pop(_COUNTED, None)
            return args, options

        return parse

    def forgiving(self, steps: tuple[Step, ...]) -> Step:
        """The steps as one that leaves it to the body to complain (see Rules.late)."""

        def step(words: Sequence[bytes], at: int, args: list[Any], options: dict[str, Any]) -> int:
            try:
                for inner in steps:
                    at = inner(words, at, args, options)
                if at < len(words):
                    raise errors.error(self.rules.left_error)
            except errors.ResponseError as mistake:
                options["_mistake"] = mistake
            return len(words)

        return step

    def formatter(self) -> Callable[[dict[str, Any]], list[bytes]]:
        """Arguments by parameter name -> the words of the command."""
        name = [word.encode() for word in self.line.name.split()]
        emitters = tuple(self.emitters)

        def format_words(bound: dict[str, Any]) -> list[bytes]:
            return name + [word for emitter in emitters for word in emitter(bound)]

        return format_words

    def plain(self) -> int:
        """See Compiled.plain: all words are bytes and the signature takes them in order."""
        count = self.size
        for item in self.line.items:
            if isinstance(item, Optional):
                break
            names = syntax.arguments(item)
            if not isinstance(item, (Argument, Repeat)) or len(names) != 1:
                return 0
            if self.kind(names[0]) is RAW or self.kind(names[0]).convert is not encode:
                return 0
            if isinstance(item, Repeat) and not self.is_variadic(self.param(names[0])):
                return 0
            count += 1
        return count

    def agree(self) -> None:
        """Every argument is a parameter and the reverse; what may be left out has a default."""
        expected = {slot.param for slot in self.slots} | set(self.rules.extra.split())
        expected |= {"_mistake"} if self.rules.late else set()
        if expected != set(self.params):
            difference = sorted(expected ^ set(self.params))
            raise SyntaxLineError(f"{self.line}: line and signature differ in {difference}")
        for slot in self.slots:
            param = self.params[slot.param]
            if param.kind is inspect.Parameter.VAR_POSITIONAL:
                if slot.shape not in ("many", "pairs"):
                    raise SyntaxLineError(f"{self.line}: *{slot.param} does not repeat")
            elif slot.optional and param.default is inspect.Parameter.empty:
                raise SyntaxLineError(f"{self.line}: {slot.param} needs a default")


def _is_repeat(node: syntax.Node) -> bool:
    return isinstance(node, Repeat)


def _is_option(node: Optional) -> bool:
    """Does the bracket start with a fixed word (in every alternative)?"""
    return all(
        isinstance(option.items[0], Word)
        or (
            isinstance(option.items[0], Repeat) and isinstance(option.items[0].body.items[0], Word)
        )
        for option in node.body.options
    )


def _shown(word: bytes) -> str:
    """A word as it stands in a sentence."""
    return word.decode("utf-8", "surrogateescape")


def _flag_reader(param: str, value: bool = True) -> Reader:
    """The word alone; `value` is False for a word that takes another one back (ASC and DESC)."""

    def read(_: Sequence[bytes], at: int, options: dict[str, Any]) -> int:
        options[param] = value
        return at

    return read


def _arguments_reader(plan: list[tuple[str, Kind]]) -> Reader:
    needed = len(plan)

    def read(words: Sequence[bytes], at: int, options: dict[str, Any]) -> int:
        if at + needed > len(words):
            raise errors.error(errors.SYNTAX)
        for offset, (param, kind) in enumerate(plan):
            options[param] = kind.convert(words[at + offset])
        return at + needed

    return read


def _exactly(wanted: bytes) -> Callable[[bytes], bool]:
    def convert(word: bytes) -> bool:
        if word.upper() != wanted:
            raise errors.error(errors.SYNTAX)
        return True

    return convert


def _optional_emitter(param: str) -> Emitter:
    return lambda bound: [] if bound[param] is None else [encode(bound[param])]


def _flag_emitter(word: bytes, param: str) -> Emitter:
    return lambda bound: [word] if bound[param] else []


def _flat(values: Any, slot: Slot) -> list[bytes]:
    """The words of a repeated group."""
    if slot.shape == "many":
        return [encode(value) for value in values]
    if slot.swapped:
        return [encode(part) for first, second in pairs(values) for part in (second, first)]
    return [encode(part) for pair in pairs(values) for part in pair]


__all__ = ["TEXT", "Compiled", "Rules", "Slot", "compile_line"]
