"""The words that the shell itself understands; everything else is a command of Redis.

They are few on purpose. They are looked up before the commands, in any case.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from repl import help as pages
from repl.lookup import CommandSet
from repl.words import printable


class Shell(Protocol):
    """What these words can do to the session."""

    @property
    def command_set(self) -> CommandSet:
        """The commands that can be run."""

    def stop(self) -> None:
        """End what MONITOR and SUBSCRIBE began."""

    def write(self, text: str) -> None:
        """Print a few lines."""

    def clear(self) -> None:
        """Empty the screen."""

    def exit(self) -> None:
        """End the session, or remind of what is not saved."""

    def run(self, text: str) -> bool:
        """Run the commands of a text; False when one was refused."""


@dataclass(frozen=True, slots=True)
class ShellCommand:
    """One word of the shell."""

    name: str
    syntax: str
    about: str
    #: does it; False when it could not
    act: Callable[[Shell, list[str]], bool]


def _help(shell: Shell, words: list[str]) -> bool:
    known = {one.name: (one.syntax, one.about) for one in SHELL_COMMANDS.values()}
    shell.write(pages.page(words, known, shell.command_set))
    return True


def _stop(shell: Shell, _: list[str]) -> bool:
    shell.stop()
    return True


def _leave(shell: Shell, _: list[str]) -> bool:
    shell.exit()
    return True


def _clear(shell: Shell, _: list[str]) -> bool:
    shell.clear()
    return True


def _read(shell: Shell, words: list[str]) -> bool:
    if len(words) != 1:
        shell.write("(error) .read needs the name of one file with commands")
        return False
    try:
        text = Path(words[0]).expanduser().read_bytes().removeprefix(BOM_UTF8)
    except OSError as error:
        shell.write(f"(error) {printable(words[0])}: cannot be read: {error.strerror}")
        return False
    try:
        return shell.run(text.decode("utf-8", "surrogateescape"))
    except RecursionError:
        shell.write(f"(error) {printable(words[0])} reads itself")
        return False


SHELL_COMMANDS: dict[str, ShellCommand] = {
    one.name: one
    for one in (
        ShellCommand(
            "help", "[command | @group]", "what a command does, or the commands of a group", _help
        ),
        ShellCommand(".read", "file", "run the commands in a file, up to the first refusal", _read),
        ShellCommand(".stop", "", "end what SUBSCRIBE and MONITOR show beside the prompt", _stop),
        ShellCommand("clear", "", "empty the screen", _clear),
        ShellCommand("exit", "", "leave; a directory is saved first", _leave),
        ShellCommand("quit", "", "the same as exit", _leave),
    )
}
