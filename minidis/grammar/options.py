"""Compiles the optional part of a line: brackets in any order, and optional positions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Sequence as Row
from typing import Any

from minidis import errors
from minidis.grammar import syntax
from minidis.grammar.slots import (
    COUNTED,
    Base,
    Parameter,
    Reader,
    arguments_reader,
    chosen,
    exactly,
    flag_reader,
    word_source,
)
from minidis.grammar.syntax import (
    Argument,
    Choice,
    Optional,
    Repeat,
    Sequence,
    SyntaxLineError,
    Word,
)


class Options(Base):
    """The part of the compiler for brackets."""

    def with_brackets(self, items: Iterable[syntax.Node]) -> list[syntax.Node]:
        """Return the items of a line, with brackets around what Redis reads among the options.

        <MAXLEN | MINID> [= | ~] threshold    -> [MAXLEN [= | ~] threshold] [MINID ...]
        GROUP group consumer (Overrides.floating) -> [GROUP group consumer]
        """
        rest = list(items)
        found: list[syntax.Node] = []
        while rest:
            match rest:
                case [Choice() as words, Optional(sign), Argument() as bound, *_] if _is_sign(sign):
                    found += [
                        _bracket(word.items[0], Optional(sign), bound) for word in words.options
                    ]
                    del rest[:3]
                case [
                    Optional(Choice((Sequence((Choice(), Optional(sign), *_)) as inner,))),
                    *_,
                ] if _is_sign(sign):
                    found += self.with_brackets(inner.items)
                    del rest[0]
                case [Word(text) as word, Argument() as one, Argument() as two, *_] if (
                    text == self.overrides.floating
                ):
                    found.append(_bracket(word, one, two))
                    del rest[:3]
                case _:
                    found.append(rest.pop(0))
        return found

    def require_floating(self) -> None:
        """Require what Overrides.floating names, which may stand anywhere among the options."""
        if not self.overrides.floating:
            return
        at = next(
            i for i, node in enumerate(self.line.items) if node == Word(self.overrides.floating)
        )
        params = [self.param(str(node)) for node in self.line.items[at + 1 : at + 3]]
        self.parameters = [
            slot._replace(optional=slot.optional and slot.param not in params)
            for slot in self.parameters
        ]
        message = self.overrides.missing_error

        def step(words: Row[bytes], at: int, _: list[Any], options: dict[str, Any]) -> int:
            if params[0] not in options:
                raise errors.error(message)
            return at

        self.steps.append(step)

    def add_options(self, group: list[Optional], *, last: bool) -> None:
        """A run of brackets: in any order; the last of a repeated option counts."""
        self.in_front = False
        self.front = min(self.front, len(self.steps))
        once, unknown = self.overrides.once, self.overrides.unknown_error
        once_error = self.overrides.once_error
        allow_conflicts = self.overrides.allow_conflicts
        on_undocumented = self.overrides.on_undocumented
        single = {word.encode() for word in once.split()} if isinstance(once, str) else set()
        table: dict[bytes, tuple[int, int, Reader]] = {}
        for bracket, optional in enumerate(group):
            for alternative, (word, reader) in enumerate(self.alternatives(optional.body)):
                table[word] = (bracket, alternative, reader)
        before = len(self.parameters), len(self.parts)
        for undocumented in syntax.parse_line(f"X {self.overrides.undocumented}").items:
            assert isinstance(undocumented, Optional)
            word, reader = self.option(undocumented.body.options[0].items)
            table[word] = (len(table), 0, reader)
        del self.parameters[before[0] :], self.parts[before[1] :]

        def step(words: Row[bytes], at: int, args: list[Any], options: dict[str, Any]) -> int:
            chosen: dict[int, int] = {}
            end = len(words)
            while at < end:
                word = words[at].upper()
                entry = table.get(word)
                if entry is None:
                    if last:
                        raise errors.error(unknown.format(errors.shown(words[at])))
                    break
                bracket, alternative, reader = entry
                if bracket in chosen and (once is True or word in single):
                    raise errors.error(once_error if at + 1 < end else errors.SYNTAX)
                if chosen.setdefault(bracket, alternative) != alternative and not allow_conflicts:
                    raise errors.error(errors.SYNTAX)
                at = reader(words, at + 1, options)
            if on_undocumented is not None:
                on_undocumented(options)
            return at

        self.steps.append(step)

    def alternatives(self, choice: Choice) -> list[tuple[bytes, Reader]]:
        """Compile the options of a bracket, of which a call may have one."""
        found, params = [], []
        for option in choice.options:
            before = len(self.parameters)
            found.append(self.option(option.items))
            params += [slot.param for slot in self.parameters[before : before + 1]]
        if len(params) > 1 and not self.overrides.allow_conflicts:
            self.exclusive.append(tuple(params))
        return found

    def option(self, items: tuple[syntax.Node, ...]) -> tuple[bytes, Reader]:
        """Compile one alternative of a bracket; return its word and the reader of its arguments."""
        first = items[0]
        if isinstance(first, Repeat):
            return self.repeated_option(first)
        assert isinstance(first, Word)
        word = first.text.encode()
        match items[1:]:
            case () if self.param(first.text).startswith("not "):
                opposite = self.param(first.text)[4:]
                if self.params[opposite].default is True:
                    self.emit(repr(word), when=f"not {opposite}")
                return word, flag_reader(opposite, False)
            case () if self.param(first.text).endswith("="):
                return word, self.value_option(word, self.param(first.text)[:-1])
            case ():
                param = self.param(first.text)
                if param not in self.params or self.params[param].default is not True:
                    self.emit(repr(word), when=param)
                self.parameters.append(Parameter(param, "flag", optional=True))
                return word, flag_reader(param)
            case (Argument(name),):
                param, kind = self.param(first.text), self.kind(name)
                self.emit_option(first.text, [(name, param, kind)])
                self.parameters.append(Parameter(param, "one", (kind,), optional=True))
                return word, arguments_reader([(param, kind)], self.overrides.unknown_error)
            case (Choice() as choice,) if not syntax.arguments(choice):
                return word, self.choice_option(first.text, choice)
            case (Choice() as choice,):
                return word, self.nested_option(word, choice)
            case (Repeat() as repeat,):
                return word, self.list_option(first.text, repeat)
            case (Optional(sign), Argument(name)):
                return word, self.bound_option(first.text, sign, name)
            case several if all(isinstance(item, Argument) for item in several):
                return word, self.several_option(word, [str(item) for item in several])
            case _:
                raise SyntaxLineError(f"{self.line}: no shape for the option {first.text}")

    def value_option(self, word: bytes, param: str) -> Reader:
        """[KEEPREF | DELREF]: one parameter, whose value is the word (Overrides.names)."""
        known = [slot.param for slot in self.parameters]
        if param in known:
            at = known.index(param)
            self.parameters[at] = self.parameters[at]._replace(
                choices=(*self.parameters[at].choices, word)
            )
        else:
            self.parameters.append(Parameter(param, "choice", optional=True, choices=(word,)))
            self.emit(param, when=self.given(param))

        def read(_: Row[bytes], at: int, options: dict[str, Any]) -> int:
            options[param] = word
            return at

        return read

    def bound_option(self, word: str, sign: Choice, name: str) -> Reader:
        """MAXLEN [= | ~] threshold: the argument, and a flag for the second sign."""
        param, kind = self.param(word), self.kind(word)
        exact, about = (text.encode() for text in syntax.words(sign))
        flag, message = self.param(syntax.words(sign)[-1]), self.overrides.bounds_error
        self.parameters.append(Parameter(param, "one", (kind,), optional=True))
        if flag not in [slot.param for slot in self.parameters]:
            self.parameters.append(Parameter(flag, "flag", optional=True))

        sign_of = f"{about!r} if {flag} else {exact!r}"
        value = self.word_of(word, param, kind)
        self.emit(f"{word_source(word)}, {sign_of}, {value}", when=self.given(param))

        def read(words: Row[bytes], at: int, options: dict[str, Any]) -> int:
            if at >= len(words):
                raise errors.error(self.overrides.bare_error)
            if flag in options:
                raise errors.error(message)
            options[flag] = False
            if at + 1 < len(words) and words[at] in (exact, about):
                options[flag] = words[at] == about
                at += 1
            if at >= len(words):
                raise errors.error(errors.SYNTAX)
            options[param] = kind.convert(words[at])
            return at + 1

        return read

    def several_option(self, word: bytes, names: list[str]) -> Reader:
        """LIMIT offset count: one parameter for each argument."""
        plan = [(self.param(name), self.kind(name)) for name in names]
        self.parameters.extend(
            Parameter(param, "one", (kind,), optional=True) for param, kind in plan
        )
        more = [(name, *known) for name, known in zip(names, plan, strict=True)]
        self.emit_option(word.decode(), more)
        return arguments_reader(plan, self.overrides.unknown_error)

    def choice_option(self, word: str, choice: Choice) -> Reader:
        """AGGREGATE <SUM | MIN | MAX>: the word in capitals; in a block without AGGREGATE."""
        param = self.param(word) if word else self.choice_names.pop(0)
        kind = self.overrides.kinds.get(word)
        if kind is not None:
            self.emit_option(word, [("", param, kind)])
            self.parameters.append(Parameter(param, "one", (kind,), optional=True))
            return arguments_reader([(param, kind)], self.overrides.unknown_error)
        allowed = tuple(text.encode() for text in syntax.words(choice))
        self.emit(f"{word_source(word)}, {param}" if word else param, when=self.given(param))
        self.parameters.append(Parameter(param, "choice", optional=True, choices=allowed))

        def read(words: Row[bytes], at: int, options: dict[str, Any]) -> int:
            if at >= len(words):
                raise errors.error(errors.SYNTAX)
            options[param] = chosen(words[at], allowed)
            return at + 1

        return read

    def nested_option(self, word: bytes, choice: Choice) -> Reader:
        """FILTERBY <MODULE name | PATTERN pattern>: an option within an option."""
        before = len(self.parts)
        read = self.one_of(choice)
        self.parts[before:] = [
            part._replace(words=f"{word!r}, {part.words}") for part in self.parts[before:]
        ]
        return read

    def one_of(self, choice: Choice) -> Reader:
        """<COUNT count | EXACTLY exactly>: exactly one of several options."""
        table = dict(self.alternatives(choice))

        def read(words: Row[bytes], at: int, options: dict[str, Any]) -> int:
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

        def step(words: Row[bytes], at: int, _: list[Any], options: dict[str, Any]) -> int:
            for reader in readers if at < len(words) else ():
                at = reader(words, at, options)
            return at

        self.steps.append(step)

    def list_option(self, word: str, repeat: Repeat) -> Reader:
        """WEIGHTS weight [weight ...]: as many as there are counted keys."""
        values, slot = self.group(repeat)
        slot = slot._replace(param=self.param(word), optional=True)
        self.parameters.append(slot)
        self.emit_list(word, syntax.arguments(repeat)[0], slot)

        def read(words: Row[bytes], at: int, options: dict[str, Any]) -> int:
            end: int = at + options.get(COUNTED, len(words) - at)
            if end > len(words):
                raise errors.error(errors.SYNTAX)
            options[slot.param] = values(words, at, end)
            return end

        return read

    def emit_list(self, word: str, name: str, slot: Parameter) -> None:
        """Format the word and the list; weights may be the values of a mapping of keys instead."""
        param, when = slot.param, self.given(slot.param)
        keys = [known.param for known in self.parameters if known.weighted]
        if not keys:
            self.emit(
                f"{word_source(word)}, {self.words_of(name, param, slot.kinds[0])}", when=when
            )
            return
        when += f" or {keys[0]}.__class__ is _dict"
        weights = f"({keys[0]}.values() if {param} is None else {param})"
        self.emit(f"{word_source(word)}, {self.words_of(name, weights, slot.kinds[0])}", when=when)

    def repeated_option(self, repeat: Repeat) -> tuple[bytes, Reader]:
        """GET pattern [GET pattern ...]: every occurrence adds to one list."""
        token, argument = repeat.body.items
        assert isinstance(token, Word) and isinstance(argument, Argument)
        param, kind = self.param(token.text), self.kind(argument.name)
        word = token.text.encode()
        self.parameters.append(Parameter(param, "many", (kind,), optional=True))
        self.emit(f"*[_0 for _1 in {param} for _0 in ({word!r}, _encode(_1))]", when=param)

        def read(words: Row[bytes], at: int, options: dict[str, Any]) -> int:
            if at >= len(words):
                raise errors.error(errors.SYNTAX)
            options.setdefault(param, []).append(kind.convert(words[at]))
            return at + 1

        return word, read

    def add_positions(self, items: tuple[syntax.Node, ...], tail: int = 0) -> None:
        """[count [WITHSCORES]], [key [key ...]]: optional words at a fixed position.

        `tail` is the number of words after them: AUTH [username] password.
        """
        self.in_front = False
        strict = self.overrides.strict
        plan: list[tuple[str, Callable[[bytes], Any]]] = []
        for item in items:
            match item:
                case Argument(name):
                    param, kind = self.param(name), self.kind(name)
                    plan.append((param, kind.convert))
                    self.parameters.append(Parameter(param, "one", (kind,), optional=True))
                    self.emit_one(name, param, kind, self.given(param))
                case Optional(body):
                    text = syntax.words(body)[0]
                    param = self.param(text)
                    plan.append((param, exactly(text.encode())))
                    self.parameters.append(Parameter(param, "flag", optional=True))
                    self.emit(word_source(text), when=param)
                case Repeat():
                    self.add_optional_rest(item)
                    return
                case _:
                    raise SyntaxLineError(f"{self.line}: no shape for {item}")

        def step(words: Row[bytes], at: int, _: list[Any], options: dict[str, Any]) -> int:
            end = len(words) - tail
            too_many = end > at + len(plan)
            if too_many and strict:
                raise self.wrong_arity()
            for (param, convert), word in zip(plan, words[at:end], strict=False):
                options[param] = convert(word)
            if too_many and self.overrides.form_error:
                raise errors.wrong_subcommand(self.overrides.form_error, errors.shown(words[1]))
            if too_many:
                raise errors.error(errors.SYNTAX)
            return end

        self.steps.append(step)

    def add_optional_rest(self, repeat: Repeat) -> None:
        """[name [name ...]]: any number, none included."""
        read, slot = self.group(repeat)
        variadic = self.is_variadic(slot.param)

        def step(words: Row[bytes], at: int, args: list[Any], options: dict[str, Any]) -> int:
            values = read(words, at, len(words))
            if variadic:
                args.extend(values)
            elif values:
                options[slot.param] = values
            return len(words)

        self.steps.append(step)
        self.parameters.append(slot._replace(optional=True))
        self.emit_many(syntax.arguments(repeat), slot, when=slot.param)


def _is_sign(choice: Choice) -> bool:
    """Return whether it is [= | ~], an exact or an approximate bound."""
    return not syntax.arguments(choice) and not any(map(str.isalpha, syntax.words(choice)))


def _bracket(*items: syntax.Node) -> Optional:
    return Optional(Choice((Sequence(items),)))
