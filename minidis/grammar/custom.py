"""Compiles the line of a command with a parser of its own (cursor.py): parameters and formatter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from minidis.grammar import syntax
from minidis.grammar.cursor import OptionsReader, WordCursor
from minidis.grammar.kinds import Kind
from minidis.grammar.options import Options
from minidis.grammar.slots import Parameter, is_option, word_source
from minidis.grammar.syntax import Argument, Choice, Node, Optional, Repeat, SyntaxLineError, Word


class Custom(Options):
    """The part of the compiler for declarations with `parse`."""

    def add_custom(self, items: Iterable[Node], parse: Callable[[WordCursor], None]) -> None:
        """Add a step in which `parse` reads the items, the rest of the line."""
        self.in_front = False
        self.front = len(self.steps)
        self.custom_arguments: dict[str, tuple[str, Kind]] = {}
        self.custom_options: OptionsReader | None = None
        self.declare(items)
        arguments, read = self.custom_arguments, self.custom_options

        def step(words: Sequence[bytes], at: int, _: list[Any], options: dict[str, Any]) -> int:
            cursor = WordCursor(words, at, options, arguments, read)
            parse(cursor)
            return cursor.at

        self.steps.append(step)

    def declare(self, items: Iterable[Node], *, optional: bool = False) -> None:
        """Add the parameters of the items, and their formatting."""
        rest = list(items)
        while rest:
            match rest.pop(0):
                case Argument(name):
                    self.declare_argument(name, optional=optional)
                case Repeat() as repeat:
                    self.declare_repeat(repeat)
                case Choice((alone, syntax.Sequence((Repeat(inside),)))):
                    self.declare(alone.items, optional=True)
                    [filters] = inside.items
                    assert isinstance(filters, Choice)
                    self.declare_options([Optional(Choice((one,))) for one in filters.options])
                case Choice():
                    for name in self.choice_names:
                        self.declare_argument(name)
                case Optional(Choice((syntax.Sequence((Word(text), Optional() as more)),))):
                    param = self.param(text)
                    self.parameters.append(Parameter(param, "flag", optional=True))
                    self.emit(word_source(text), when=param)
                    self.declare([more])
                case Optional() as bracket if is_option(bracket):
                    group = [bracket]
                    while rest and isinstance(rest[0], Optional):
                        group.append(rest.pop(0))  # type: ignore[arg-type]
                    self.declare_options(group, last=not rest)
                case Optional(Choice((inside,))):
                    self.declare(inside.items, optional=True)
                case item:
                    raise SyntaxLineError(f"{self.line}: {item} cannot be declared")

    def declare_argument(self, name: str, *, optional: bool = False) -> None:
        param, kind = self.param(name), self.kind(name)
        self.custom_arguments[name] = param, kind
        self.parameters.append(Parameter(param, "one", (kind,), optional=optional))
        self.emit_one(name, param, kind, self.given(param) if optional else "")

    def declare_repeat(self, repeat: Repeat) -> None:
        _, slot = self.group(repeat)
        names = syntax.arguments(repeat)
        self.custom_arguments[names[0]] = slot.param, slot.kinds[0]
        self.parameters.append(slot._replace(on_empty=self.no_arguments))
        self.emit_many(names, slot)

    def declare_options(self, group: list[Optional], *, last: bool = True) -> None:
        """Compile brackets for WordCursor.read_options; `last`: up to the end of the call."""
        for option in [one for bracket in group for one in bracket.body.options]:
            match option.items:
                case (Word(text), Argument(name)):
                    self.custom_arguments[text] = self.param(text), self.kind(name)
        self.add_options(group, last=last)
        step = self.steps.pop()
        self.custom_options = lambda words, at, options: step(words, at, [], options)
