"""Compiles a syntax line and a signature to the parser and the formatter of a command.

The parser is a list of steps, one for each item of the line:

    leading arguments       SET key value             -> positional arguments
    optional brackets       [NX | XX] [EX seconds]    -> keyword arguments, in any order
    optional positions      [count [WITHSCORES]]      -> keyword arguments, in this order
    required choice         <LEFT | RIGHT>            -> keyword argument, the word in capitals
    or an argument          <* | id>                  -> the argument; the word is one of its values
    counted list            numkeys key [key ...]     -> one list
    trailing repetition     member [member ...]       -> *members, or one list of pairs
    two halves              key [key ...] id [id ...] -> one list of pairs
    anything else           HELLO, XPENDING           -> a parser of its own (cursor.py)

Words are converted from left to right, so that the first error is reported. The argument
`unix-time-seconds` is the parameter `unix_time_seconds`, the option `EX seconds` is the parameter
`ex`; `names` maps them to other parameters where Python or redis-py uses another name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from minidis import errors
from minidis.grammar import syntax
from minidis.grammar.custom import Custom
from minidis.grammar.formatter import Part
from minidis.grammar.kinds import RAW, TEXT, encode, holds_key
from minidis.grammar.signature import VARIADIC, Required
from minidis.grammar.slots import (
    COUNTED,
    COUNTERS,
    Compiled,
    Overrides,
    Parameter,
    Parse,
    Step,
    chosen,
    is_option,
    is_repeat,
    word_source,
)
from minidis.grammar.syntax import Argument, Choice, Line, Optional, Repeat, SyntaxLineError, Word


def compile_line(line: Line, function: Callable[..., Any], overrides: Overrides) -> Compiled:
    """Compile the line for the function; SyntaxLineError if they disagree."""
    compiler = Compiler(line, function, overrides)
    compiler.run()
    compiler.agree()
    return Compiled(
        compiler.parser(),
        tuple(compiler.parts),
        tuple(compiler.parameters),
        tuple(compiler.exclusive),
        compiler.plain(),
        overrides.parse is not None,
    )


class Compiler(Custom):
    """One pass over the tree: each item adds a step, parts and parameters."""

    # items ----------------------------------------------------------------------------------

    def run(self) -> None:
        """Compile the items from left to right."""
        items = self.with_brackets(self.line.items)
        while items:
            item = items.pop(0)
            tail = syntax.least(items)
            if self.overrides.parse is not None and not isinstance(item, Argument):
                self.add_custom([item, *items], self.overrides.parse)
                break
            match item:
                case Argument(name) if name in COUNTERS and items and is_repeat(items[0]):
                    repeat = items.pop(0)
                    assert isinstance(repeat, Repeat)
                    self.add_counted(name, repeat)
                case Argument(name):
                    self.add_argument(name)
                case Word(text):
                    self.add_word(text)
                case Choice() if names := syntax.arguments(item):
                    self.add_argument(names[0])  # <* | id>: the word is one of its values
                case Choice():
                    self.add_choice(item)
                case Repeat() if items and is_repeat(items[0]):
                    second = items.pop(0)
                    assert isinstance(second, Repeat)
                    self.add_halves(item, second)
                case Repeat():
                    self.add_rest(item, tail)
                case Optional() if self.is_last_position(item, items):
                    self.add_positions((item,))
                case Optional() if is_option(item):
                    group = [item]
                    while items and isinstance(items[0], Optional) and is_option(items[0]):
                        group.append(items.pop(0))  # type: ignore[arg-type]
                    self.add_options(group, last=not items)
                case Optional(body) if isinstance(body.options[0].items[0], Choice):
                    self.add_block(body.options[0].items)
                case Optional(body):
                    self.add_positions(body.options[0].items, tail)
                case _:
                    raise SyntaxLineError(f"{self.line}: no shape for {item}")
        self.require_floating()
        self.add_extra()

    def add_argument(self, name: str) -> None:
        param, kind = self.param(name), self.kind(name)
        convert = kind.convert
        missing = self.overrides.uneven_error or errors.SYNTAX
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
                    raise errors.error(missing)
                options[param] = convert(words[at])
                return at + 1

        self.steps.append(step)
        self.emit_one(name, param, kind)
        self.parameters.append(Parameter(param, "one", (kind,)))

    def add_word(self, text: str) -> None:
        self.in_front = False
        self.front = min(self.front, len(self.steps))
        wanted, message = text.encode(), self.overrides.word_error

        def step(words: Sequence[bytes], at: int, _: list[Any], __: dict[str, Any]) -> int:
            if at >= len(words) or words[at].upper() != wanted:
                raise errors.error(message)
            return at + 1

        self.steps.append(step)
        self.emit(word_source(text))

    def add_choice(self, choice: Choice) -> None:
        self.in_front = False
        param = self.choice_names.pop(0)
        if "|" in param:
            self.add_choice_of_flags(choice, param.split("|"))
            return
        allowed = tuple(word.encode() for word in syntax.words(choice))
        kind = self.overrides.kinds.get(param)
        convert = partial(chosen, choices=allowed) if kind is None else kind.convert
        in_order = self.is_before_variadic(param)

        def step(words: Sequence[bytes], at: int, args: list[Any], options: dict[str, Any]) -> int:
            if at >= len(words):
                raise errors.error(errors.SYNTAX)
            if in_order:
                args.append(convert(words[at]))
            else:
                options[param] = convert(words[at])
            return at + 1

        self.steps.append(step)
        self.emit_one("", param, TEXT if kind is None else kind)
        slot = Parameter(param, "choice", choices=allowed)
        self.parameters.append(slot if kind is None else Parameter(param, "one", (kind,)))

    def add_choice_of_flags(self, choice: Choice, params: list[str]) -> None:
        """<MIN | MAX> as two parameters, min=True or max=True; the body wants exactly one."""
        table = dict(zip((word.encode() for word in syntax.words(choice)), params, strict=True))

        def step(words: Sequence[bytes], at: int, _: list[Any], options: dict[str, Any]) -> int:
            param = table.get(words[at].upper()) if at < len(words) else None
            if param is None:
                raise errors.error(errors.SYNTAX)
            options[param] = True
            return at + 1

        self.steps.append(step)
        for word, param in table.items():
            self.emit(repr(word), when=param)
        self.parameters.extend(Parameter(param, "flag", optional=True) for param in params)

    def add_rest(self, repeat: Repeat, tail: int) -> None:
        """`member [member ...]` up to the end, or up to the last `tail` words."""
        read, slot = self.group(repeat)
        width = len(slot.kinds)
        variadic = self.is_variadic(slot.param)
        alone = self.in_front
        self.in_front = False
        make_error = self.wrong_arity if alone else lambda: errors.error(errors.SYNTAX)
        if self.overrides.uneven_error:
            make_error = partial(errors.error, self.overrides.uneven_error)

        def step(words: Sequence[bytes], at: int, args: list[Any], options: dict[str, Any]) -> int:
            end = len(words) - tail
            if end <= at or (end - at) % width:
                raise make_error()
            values = read(words, at, end)
            if variadic:
                args.extend(values)
            else:
                options[slot.param] = values
            return end

        self.steps.append(step)
        self.emit_rest(syntax.arguments(repeat), slot)
        self.parameters.append(
            slot if self.overrides.empty else slot._replace(on_empty=self.no_arguments)
        )

    def emit_rest(self, names: list[str], slot: Parameter) -> None:
        """Format the repeated part; left out where parameters of `extra` replace it."""
        param = slot.param
        optional = param in self.params and self.params[param].default is None
        self.emit_many(names, slot, self.given(param) if optional else "")

    def add_extra(self) -> None:
        """Format the parameters that the line does not have (see Overrides.extra)."""
        extra = {name: self.params[name] for name in self.overrides.extra.split()}
        name = " ".join(word_source(word) + "," for word in self.line.name.split())
        if self.overrides.extra_command:
            [(param, declared)] = extra.items()
            when = f"{param} != {declared.default!r}"
            name = f"{word_source(self.overrides.extra_command)} if {when} else {name}"
            self.emit(f"_encode({param})", when=when)
        elif extra:
            last = self.parts.pop()  # the repeated part, at its place in the signature
            for param in list(self.params)[-len(extra) - 1 :]:
                one = Part(f"*_flat([{param}])", when=self.given(param))
                self.parts.append(one if param in extra else last)
        self.parts.insert(0, Part(name.rstrip(",")))
        converted = {name: kind for name, kind in self.overrides.kinds.items() if name in extra}
        for param, kind in converted.items():
            self.parameters.append(Parameter(param, "one", (kind,), optional=True))

    def add_halves(self, first: Repeat, second: Repeat) -> None:
        """`key [key ...] id [id ...]`: two lists of the same length, as pairs."""
        names = [syntax.arguments(half)[0] for half in (first, second)]
        kinds = (self.kind(names[0]), self.kind(names[1]))
        slot = Parameter(self.param(names[0]), "pairs", kinds, on_empty=self.no_arguments)
        one, two = (kind.convert for kind in kinds)
        uneven = self.overrides.uneven_error

        def step(words: Sequence[bytes], at: int, _: list[Any], options: dict[str, Any]) -> int:
            half, odd = divmod(len(words) - at, 2)
            if odd or not half:
                raise errors.error(uneven if odd else errors.SYNTAX)
            ends = range(at, at + half)
            options[slot.param] = [(one(words[i]), two(words[i + half])) for i in ends]
            return len(words)

        self.steps.append(step)
        for name, item, kind in zip(names, ("_1", "_2"), kinds, strict=True):
            text = f"*[{self.word_of(name, item, kind)} for _1, _2 in {slot.param}]"
            self.emit(text, text if holds_key(name) else "")
        self.parameters.append(slot)

    def add_counted(self, name: str, repeat: Repeat) -> None:
        """`numkeys key [key ...]`: the count is the number of groups that follow."""
        read, slot = self.group(repeat)
        slot = slot._replace(weighted="WEIGHTS" in syntax.words(syntax.Sequence(self.line.items)))
        width = len(slot.kinds)
        given = self.param(name) if self.param(name) in self.params else None
        variadic = self.is_variadic(slot.param)
        in_front, self.in_front = self.in_front, False
        count_of, too_many = self.counter(name), self.overrides.overflow_error

        def step(words: Sequence[bytes], at: int, args: list[Any], options: dict[str, Any]) -> int:
            count = count_of(words[at])
            end = at + 1 + count * width
            if end > len(words):
                raise errors.error(too_many)
            values = read(words, at + 1, end)
            options[COUNTED] = count
            if in_front:
                args.extend([] if given is None else [count])
                args.extend(values if variadic else [values])
            elif variadic:
                args.extend(values)
            else:
                options[slot.param] = values
            return end

        self.steps.append(step)
        self.emit(f"b'%d' % _len({slot.param})")
        self.emit_many(syntax.arguments(repeat), slot)
        self.parameters.extend([Parameter(given, "one", (self.kind(name),))] if given else [])
        self.parameters.append(slot if given else slot._replace(on_empty=lambda: count_of(b"0")))

    def counter(self, name: str) -> Callable[[Any], int]:
        """Return the converter of a count that must be positive."""
        convert = self.kind(name).convert
        message = self.overrides.count_error
        command = self.display

        def count_of(word: Any) -> int:
            try:
                count: int = convert(word)
            except errors.ResponseError:
                if message is None:
                    raise
                count = 0
            if count < 1:
                raise errors.error(
                    message or f"at least 1 input key is needed for '{command}' command"
                )
            return count

        return count_of

    # results --------------------------------------------------------------------------------

    def is_last_position(self, item: Optional, rest: list[syntax.Node]) -> bool:
        """Return whether this `[WORD]` is the last optional position (Overrides.strict)."""
        return self.overrides.strict and not rest and not syntax.arguments(item)

    def parser(self) -> Parse:
        """Return a function that runs the steps and raises an error for words that are left."""
        steps, size, arity = tuple(self.steps), self.size, self.arity
        if self.overrides.deferred_errors:
            steps = (*steps[: self.front], self.deferring(steps[self.front :]))
        wrong_arity, left_error = self.wrong_arity, self.overrides.left_error
        lengths, length_error = self.overrides.lengths, self.overrides.length_error
        last = bool(self.overrides.form_error)

        def parse(words: Sequence[bytes]) -> tuple[list[Any], dict[str, Any]]:
            count = len(words)
            if count != arity if arity > 0 else count < -arity:
                raise wrong_arity()
            if lengths and count not in lengths and not last:
                if length_error:
                    raise errors.error(length_error.format(errors.shown(words[1])))
                raise wrong_arity()
            args: list[Any] = []
            options: dict[str, Any] = {}
            at = size
            for step in steps:
                at = step(words, at, args, options)
            if at < count:
                raise errors.error(left_error)
            options.pop(COUNTED, None)
            return args, options

        return parse

    def deferring(self, steps: tuple[Step, ...]) -> Step:
        """Return a step that passes an error of the steps to the body (deferred_errors)."""
        lengths, form_error = self.overrides.lengths, self.overrides.form_error

        def step(words: Sequence[bytes], at: int, args: list[Any], options: dict[str, Any]) -> int:
            try:
                for inner in steps:
                    at = inner(words, at, args, options)
                if at < len(words):
                    raise errors.error(self.overrides.left_error)
                if form_error and lengths and len(words) not in lengths:
                    raise self.wrong_arity()
            except errors.ResponseError as error:
                options["_option_error"] = error
                if form_error and str(error) == f"ERR {errors.SYNTAX}":
                    options["_option_error"] = errors.wrong_subcommand(
                        form_error, errors.shown(words[1])
                    )
            return len(words)

        return step

    def plain(self) -> int:
        """Return Compiled.plain: all words are bytes and the signature takes them in order."""
        count = self.plain_words()
        return count if count == abs(self.arity) else 0

    def plain_words(self) -> int:
        """Return how many words precede the first option, if they need no conversion; else 0."""
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
        """Check that arguments and parameters agree, and that optional ones have defaults."""
        expected = {slot.param for slot in self.parameters} | set(self.overrides.extra.split())
        expected |= {"_option_error"} if self.overrides.deferred_errors else set()
        if expected != set(self.params):
            difference = sorted(expected ^ set(self.params))
            raise SyntaxLineError(f"{self.line}: line and signature differ in {difference}")
        for slot in self.parameters:
            param = self.params[slot.param]
            if param.kind is VARIADIC:
                if slot.shape not in ("many", "pairs"):
                    raise SyntaxLineError(f"{self.line}: *{slot.param} does not repeat")
            elif slot.optional and param.default is Required:
                raise SyntaxLineError(f"{self.line}: {slot.param} needs a default")
