"""Finds the command that words begin with, and which commands a backend has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from minidis.grammar import command as grammar
from minidis.grammar.command import COMMANDS, PARENT_COMMANDS, Command
from minidis.grammar.walk import Walk, walk
from repl.words import TypedWord


@dataclass(frozen=True, slots=True)
class FoundCommand:
    """A command, the number of words in its name, and the walk of the words after the name."""

    command: Command
    size: int
    walk: Walk


def find(words: Sequence[bytes]) -> tuple[Command, int] | None:
    """The command and the number of words in its name, or None if there is no such command."""
    if not words:
        return None
    command = grammar.find(words) or grammar.find(words[:1])  # COMMAND, also with an unknown word
    return None if command is None else (command, len(command.name.split()))


def find_and_walk(typed: Sequence[TypedWord], *, complete: bool = False) -> FoundCommand | None:
    """The command that the typed words begin with, and the role of each argument."""
    words = [word.value for word in typed]
    found = find(words)
    if found is None:
        return None
    command, size = found
    return FoundCommand(command, size, walk(command.line, words[size:], complete=complete))


def subcommands(name: str) -> list[Command]:
    """The subcommands of a parent command such as CONFIG."""
    return [command for full, command in COMMANDS.items() if full.startswith(name + " ")]


def groups() -> dict[str, list[Command]]:
    """Group -> its commands, sorted by name."""
    found: dict[str, list[Command]] = {}
    for _, command in sorted(COMMANDS.items()):
        found.setdefault(command.group, []).append(command)
    return dict(sorted(found.items()))


@dataclass(frozen=True)
class CommandSet:
    """The commands that a backend has: those of minidis, or those that a server lists."""

    #: full names in upper case, `CONFIG` and `CONFIG GET`; None: those of minidis
    names: frozenset[str] | None = None

    def lacks(self, name: str) -> bool:
        """Return whether minidis has the command and the backend does not."""
        if (
            self.names is None
            or name in self.names
            or name not in COMMANDS.keys() | PARENT_COMMANDS
        ):
            return False
        parent, _, subcommand = name.partition(" ")
        # A server older than 7.0 lists parent commands only, without their subcommands.
        return not subcommand or parent not in self.names or parent in self._listed_parents

    def has(self, name: str) -> bool:
        """Return whether the backend has the command."""
        if self.names is None:
            return name in COMMANDS or name in PARENT_COMMANDS
        return name in self.names

    @cached_property
    def server_only(self) -> tuple[str, ...]:
        """Commands that the server has and minidis does not, subcommands included."""
        ours = COMMANDS.keys() | PARENT_COMMANDS
        return tuple(sorted(name for name in self.names or () if name not in ours))

    def server_subcommands(self, parent: str) -> list[str]:
        """Subcommands of a parent command that the server has and minidis does not."""
        prefix = parent + " "
        return [name.removeprefix(prefix) for name in self.server_only if name.startswith(prefix)]

    @cached_property
    def _listed_parents(self) -> frozenset[str]:
        """Parent commands whose subcommands the server lists."""
        return frozenset(name.split()[0] for name in self.names or () if " " in name)


LOCAL_COMMANDS = CommandSet()
