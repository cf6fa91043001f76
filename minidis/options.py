"""The optional part of a line: brackets in any order, and positions that may be left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from minidis import errors, syntax
from minidis.kinds import encode
from minidis.shapes import (
    COUNTED,
    Base,
    Reader,
    Slot,
    arguments_reader,
    chosen,
    exactly,
    flag_emitter,
    flag_reader,
    flat_words,
    optional_emitter,
    shown,
)
from minidis.syntax import Argument, Choice, Optional, Repeat, SyntaxLineError, Word


class Options(Base):
    """The part of the compiler that knows optional things."""

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
            for alternative, (word, reader) in enumerate(self.alternatives(optional.body)):
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
                        raise errors.error(unknown.format(shown(words[at])))
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

    def alternatives(self, choice: Choice) -> list[tuple[bytes, Reader]]:
        """The options of a bracket, of which a call may give one."""
        found, params = [], []
        for option in choice.options:
            before = len(self.slots)
            found.append(self.option(option.items))
            params += [slot.param for slot in self.slots[before : before + 1]]
        if len(params) > 1 and not self.rules.tolerant:
            self.exclusive.append(tuple(params))
        return found

    def option(self, items: tuple[syntax.Node, ...]) -> tuple[bytes, Reader]:
        """One alternative of a bracket: its word, and the reader of what follows."""
        first = items[0]
        if isinstance(first, Repeat):
            return self.repeated_option(first)
        assert isinstance(first, Word)
        word = first.text.encode()
        match items[1:]:
            case () if self.param(first.text).startswith("not "):
                return word, flag_reader(self.param(first.text)[4:], False)
            case ():
                param = self.param(first.text)
                self.emitters.append(lambda bound: [word] if bound[param] else [])
                self.slots.append(Slot(param, "flag", optional=True))
                return word, flag_reader(param)
            case (Argument(name),):
                param, kind = self.param(first.text), self.kind(name)
                self.emitters.append(
                    lambda bound: [] if bound[param] is None else [word, encode(bound[param])]
                )
                self.slots.append(Slot(param, "one", (kind,), optional=True))
                return word, arguments_reader([(param, kind)])
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
                [] if bound[first] is None else [word, *(encode(bound[param]) for param, _ in plan)]
            )
        )
        return arguments_reader(plan)

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
            options[param] = chosen(words[at], allowed)
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
        table = dict(self.alternatives(choice))

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
            return [] if weights is None else [token, *flat_words(weights, slot)]

        self.emitters.append(emit)

        def read(words: Sequence[bytes], at: int, options: dict[str, Any]) -> int:
            end: int = at + options.get(COUNTED, len(words) - at)
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
        strict = self.rules.strict
        plan: list[tuple[str, Callable[[bytes], Any]]] = []
        for item in items:
            match item:
                case Argument(name):
                    param, kind = self.param(name), self.kind(name)
                    plan.append((param, kind.convert))
                    self.slots.append(Slot(param, "one", (kind,), optional=True))
                    self.emitters.append(optional_emitter(param))
                case Optional(body):
                    text = syntax.words(body)[0]
                    param = self.param(text)
                    plan.append((param, exactly(text.encode())))
                    self.slots.append(Slot(param, "flag", optional=True))
                    self.emitters.append(flag_emitter(text.encode(), param))
                case Repeat():
                    self.add_optional_rest(item)
                    return
                case _:
                    raise SyntaxLineError(f"{self.line}: no shape for {item}")

        def step(words: Sequence[bytes], at: int, _: list[Any], options: dict[str, Any]) -> int:
            too_many = len(words) > at + len(plan)
            if too_many and strict:
                raise self.wrong_arity()
            for (param, convert), word in zip(plan, words[at:], strict=False):
                options[param] = convert(word)
            if too_many:
                raise errors.error(errors.SYNTAX)
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
        self.emitters.append(lambda bound: flat_words(bound[slot.param] or (), slot))
