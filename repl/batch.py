"""Non-interactive use: commands from arguments, a file or a pipe.

Replies go to stdout, errors to stderr. The first error ends the run, because the commands after it
may depend on the one that failed. SUBSCRIBE and MONITOR print messages until interrupted.
"""

from __future__ import annotations

import os
import sys
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, TextIO

from minidis.api.subscription import Message
from minidis.errors import MinidisError
from minidis.grammar.syntax import Word
from minidis.grammar.walk import walk
from repl import shell_commands, streams
from repl.advice import advice_lines, advise
from repl.backend import Backend
from repl.lookup import CommandSet, find
from repl.render import labelled_lines, raw, reply_lines, scalar, to_json
from repl.secrets import masked
from repl.streams import Item
from repl.words import TypedWord, open_quote, quote, split, truncate

#: Maximum width of a command in the reply of EXEC, in columns.
_LABEL_WIDTH = 74


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """How replies and messages are printed."""

    #: (reply, words of the command, commands run by EXEC) -> lines
    reply: Callable[[Any, Sequence[bytes], Sequence[Sequence[bytes]]], Iterable[bytes]]
    item: Callable[[Item], Iterable[bytes]]


def _raw_item(item: Item) -> Iterable[bytes]:
    """The payload of a message, or the line of MONITOR."""
    return raw(item.data) if isinstance(item, Message) else (_text(streams.text(item)),)


def _text(line: str) -> bytes:
    return line.encode("utf-8", "backslashreplace")


FORMATS: dict[str, OutputFormat] = {
    "text": OutputFormat(
        lambda reply, words, commands: map(_text, format_replies(reply, words, commands)),
        lambda item: (_text(streams.text(item)),),
    ),
    "raw": OutputFormat(lambda reply, *_: raw(reply), _raw_item),
    "json": OutputFormat(
        lambda reply, *_: (to_json(reply).encode(),),
        lambda item: (streams.for_json(item).encode(),),
    ),
}


def format_replies(
    reply: Any, words: Sequence[bytes], commands: Sequence[Sequence[bytes]] = ()
) -> Iterable[str]:
    """A reply as text; with `commands` (those run by EXEC) each reply below its command."""
    if not commands:
        return reply_lines(reply, paired=has_paired_reply(words))
    parts = (
        (command_line(command), reply_lines(one, paired=has_paired_reply(command)))
        for command, one in zip(commands, reply, strict=True)
    )
    return labelled_lines(parts, len(commands))


def command_line(words: Sequence[bytes]) -> str:
    """A command in one line, without passwords, truncated."""
    return truncate(masked(words), _LABEL_WIDTH)


def stream_in_multi_error(words: Sequence[bytes]) -> str:
    """The error message for SUBSCRIBE or MONITOR inside MULTI."""
    name = quote(words[0]).upper()
    return f"(error) {name} inside MULTI is not supported: run EXEC or DISCARD first"


def has_paired_reply(words: Sequence[bytes]) -> bool:
    """Return whether the command is an HSCAN that returns fields and values."""
    found = find(words)
    if found is None or found[0].name != "HSCAN":
        return False
    return Word("NOVALUES") not in walk(found[0].line, words[1:]).roles


class Batch:
    """Runs commands one after another until one fails, or until `exit`."""

    def __init__(
        self, backend: Backend, output_format: OutputFormat, out: BinaryIO, err: TextIO
    ) -> None:
        self.backend = backend
        self.output_format = output_format
        self.out = out
        self.err = err
        self.exited = False

    # for the shell commands

    def write(self, text: str) -> None:
        """Print text."""
        self.out.write(text.rstrip("\n").encode("utf-8", "backslashreplace") + b"\n")

    def clear(self) -> None:
        """Nothing to do: there is no screen."""

    def stop(self) -> None:
        """Nothing to do: there are no background streams."""

    @property
    def command_set(self) -> CommandSet:
        """The commands that the backend has."""
        return self.backend.command_set

    def exit(self) -> None:
        """End the run: later commands are not run."""
        self.exited = True

    def run(self, text: str) -> bool:
        """Run the commands in a text. Returns False if one failed."""
        return all(self.exited or self._run_typed(command) for command in split(text))

    # running

    def run_stream(self, stream: BinaryIO, name: str) -> bool:
        """Run the commands of a file or pipe as they arrive. Returns False if one failed."""
        pending: list[str] = []
        quote_mark = ""
        for number, line in enumerate(stream, 1):
            if number == 1:
                line = line.removeprefix(BOM_UTF8)  # written by editors on Windows
            pending.append(line.decode("utf-8", "surrogateescape"))
            quote_mark = open_quote(pending[-1], quote_mark)
            if quote_mark:
                continue
            if not self.run("".join(pending)):
                self.err.write(f"{name}, line {number}: stopped here\n")
                return False
            if self.exited:
                return True
            pending = []
        return self.run("".join(pending))

    def run_words(self, words: Sequence[bytes]) -> bool:
        """Run one command. Returns False if it failed."""
        return self._run_typed([TypedWord(word, 0, 0) for word in words])

    def _run_typed(self, typed: list[TypedWord]) -> bool:
        problem = next((word.problem for word in typed if word.problem), "")
        if problem:
            self.err.write(f"(error) {problem}\n")
            return False
        shell_command = shell_commands.SHELL_COMMANDS.get(typed[0].text.lower())
        if shell_command is not None:
            return shell_command.run(self, [word.text for word in typed[1:]])
        words = [word.value for word in typed]
        try:
            if streams.is_stream_command(words):
                return self._stream(words)
            reply = self.backend.run(words)
        except MinidisError as error:
            self._print_error(typed, error)
            return False
        for line in self.output_format.reply(
            reply, words, self.backend.transaction.commands_of(reply)
        ):
            self.out.write(line + b"\n")
        return True

    def _stream(self, words: list[bytes]) -> bool:
        """Print messages until Ctrl-C."""
        if self.backend.transaction.open:
            self.err.write(stream_in_multi_error(words) + "\n")
            return False
        if streams.ends_stream(words):
            return True  # no stream is running
        source = self.backend.stream(words)
        try:
            self.out.flush()
            for raw_item in source:
                if (item := source.read(raw_item)) is not None:
                    self.out.writelines(line + b"\n" for line in self.output_format.item(item))
                    self.out.flush()
        finally:
            source.close()
        return True

    def _print_error(self, typed: list[TypedWord], error: MinidisError) -> None:
        self.out.flush()
        advice = advise(typed, error, self.backend.type_of, self.backend.command_set)
        for line in (scalar(error), *advice_lines(typed, advice)):
            self.err.write(line + "\n")


def silence_stdout() -> None:
    """Discard output after a broken pipe, so that the interpreter exits without an error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
