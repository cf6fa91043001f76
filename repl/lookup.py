"""Which command do the words begin with, and is it there? What every part of the shell asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from minidis.grammar import command as grammar
from minidis.grammar.command import COMMANDS, PARENT_COMMANDS, Command
from minidis.grammar.walk import Walk, walk
from repl.words import Typed


@dataclass(frozen=True, slots=True)
class Found:
    """A command, the words of its name, and the walk of the words after the name."""

    command: Command
    size: int
    walk: Walk


def find(words: Sequence[bytes]) -> tuple[Command, int] | None:
    """The command and how many words its name has; None when there is no such command."""
    if not words:
        return None
    command = grammar.find(words) or grammar.find(words[:1])  # COMMAND, also with an unknown word
    return None if command is None else (command, len(command.name.split()))


def walked(typed: Sequence[Typed], *, complete: bool = False) -> Found | None:
    """The command that the typed words begin with, and what each of them is."""
    words = [word.value for word in typed]
    found = find(words)
    if found is None:
        return None
    command, size = found
    return Found(command, size, walk(command.line, words[size:], complete=complete))


def subcommands(name: str) -> list[Command]:
    """The commands of a container such as CONFIG."""
    return [command for full, command in COMMANDS.items() if full.startswith(name + " ")]


def groups() -> dict[str, list[Command]]:
    """Group -> its commands by name."""
    found: dict[str, list[Command]] = {}
    for _, command in sorted(COMMANDS.items()):
        found.setdefault(command.group, []).append(command)
    return dict(sorted(found.items()))


@dataclass(frozen=True)
class CommandSet:
    """The commands of the place where the shell is: ours, or those that a server has told."""

    #: full names in capitals, `CONFIG GET` beside `CONFIG`; None: exactly ours
    names: frozenset[str] | None = None

    def lacks(self, name: str) -> bool:
        """Is it one of ours that the place does not have?"""
        if (
            self.names is None
            or name in self.names
            or name not in COMMANDS.keys() | PARENT_COMMANDS
        ):
            return False
        container, _, below = name.partition(" ")
        # A server older than 7.0 lists only containers, not what is below them.
        return not below or container not in self.names or container in self._divided

    def has(self, name: str) -> bool:
        """Can the place run it?"""
        if self.names is None:
            return name in COMMANDS or name in PARENT_COMMANDS
        return name in self.names

    @cached_property
    def foreign(self) -> tuple[str, ...]:
        """Commands that only the place has; containers without what is below them."""
        ours = COMMANDS.keys() | PARENT_COMMANDS
        return tuple(sorted(name for name in self.names or () if name not in ours))

    def below(self, container: str) -> list[str]:
        """Subcommands of a container that only the place has."""
        front = container + " "
        return [name.removeprefix(front) for name in self.foreign if name.startswith(front)]

    @cached_property
    def _divided(self) -> frozenset[str]:
        return frozenset(name.split()[0] for name in self.names or () if " " in name)


OURS = CommandSet()
