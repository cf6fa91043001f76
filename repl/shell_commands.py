"""The commands of the shell itself; all other input is a Redis command.

Shell commands are looked up first, in upper or lower case. There are few on purpose.
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
    """What shell commands need from the session."""

    @property
    def command_set(self) -> CommandSet:
        """The commands that the backend has."""

    def stop(self) -> None:
        """Stop MONITOR and SUBSCRIBE."""

    def write(self, text: str) -> None:
        """Print text."""

    def clear(self) -> None:
        """Clear the screen."""

    def exit(self) -> None:
        """End the session, or warn about unsaved changes."""

    def run(self, text: str) -> bool:
        """Run the commands in a text. Returns False if one failed."""


@dataclass(frozen=True, slots=True)
class ShellCommand:
    """A command of the shell."""

    name: str
    syntax: str
    about: str
    #: runs it; returns False if it failed
    run: Callable[[Shell, list[str]], bool]


def _help(shell: Shell, words: list[str]) -> bool:
    known = {one.name: (one.syntax, one.about) for one in SHELL_COMMANDS.values()}
    shell.write(pages.page(words, known, shell.command_set))
    return True


def _stop(shell: Shell, _: list[str]) -> bool:
    shell.stop()
    return True


def _exit(shell: Shell, _: list[str]) -> bool:
    shell.exit()
    return True


def _clear(shell: Shell, _: list[str]) -> bool:
    shell.clear()
    return True


def _read(shell: Shell, words: list[str]) -> bool:
    if len(words) != 1:
        shell.write("(error) .read needs exactly one file name")
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
        ShellCommand("help", "[command | @group]", "show help for a command or a group", _help),
        ShellCommand(".read", "file", "run the commands in a file, up to the first error", _read),
        ShellCommand(".stop", "", "stop SUBSCRIBE and MONITOR", _stop),
        ShellCommand("clear", "", "clear the screen", _clear),
        ShellCommand("exit", "", "end the session; a directory is saved first", _exit),
        ShellCommand("quit", "", "the same as exit", _exit),
    )
}
