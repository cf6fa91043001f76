"""Commands without a person: from arguments, a file or a pipe. Answers go out, refusals to stderr.

The first refusal ends the run: what comes after it was written for a database in which it worked.
SUBSCRIBE and MONITOR print what comes until they are interrupted.
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

#: Columns that a queued command may take.
_LABEL = 74


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """How answers are printed."""

    #: (reply, words of the command, commands that EXEC has run) -> lines
    reply: Callable[[Any, Sequence[bytes], Sequence[Sequence[bytes]]], Iterable[bytes]]
    item: Callable[[Item], Iterable[bytes]]


def _raw_item(item: Item) -> Iterable[bytes]:
    """Of a message what was sent, of MONITOR the line."""
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
    """A reply for a person; `commands`: those that EXEC has run, each is shown with its answer."""
    if not commands:
        return reply_lines(reply, paired=has_paired_reply(words))
    parts = (
        (command_line(command), reply_lines(answer, paired=has_paired_reply(command)))
        for command, answer in zip(commands, reply, strict=True)
    )
    return labelled_lines(parts, len(commands))


def command_line(words: Sequence[bytes]) -> str:
    """A command in one line that is not too long."""
    return truncate(masked(words), _LABEL)


def stream_in_multi_error(words: Sequence[bytes]) -> str:
    """Why a stream cannot begin inside MULTI."""
    name = quote(words[0]).upper()
    return f"(error) {name} inside MULTI: its messages have a connection of their own; EXEC first"


def has_paired_reply(words: Sequence[bytes]) -> bool:
    """Is it an HSCAN that answers fields and values?"""
    found = find(words)
    if found is None or found[0].name != "HSCAN":
        return False
    return Word("NOVALUES") not in walk(found[0].line, words[1:]).roles


class Batch:
    """Runs commands one after the other until one is refused, or until exit."""

    def __init__(self, backend: Backend, form: OutputFormat, out: BinaryIO, err: TextIO) -> None:
        self.backend = backend
        self.form = form
        self.out = out
        self.err = err
        self.left = False

    # what the shell's own words need

    def write(self, text: str) -> None:
        """Print a text."""
        self.out.write(text.rstrip("\n").encode("utf-8", "backslashreplace") + b"\n")

    def clear(self) -> None:
        """There is no screen."""

    def stop(self) -> None:
        """There is nothing beside the prompt."""

    @property
    def command_set(self) -> CommandSet:
        """The commands that can be run."""
        return self.backend.command_set

    def exit(self) -> None:
        """exit: whatever follows is not run."""
        self.left = True

    def run(self, text: str) -> bool:
        """Run the commands of a text; False when one was refused."""
        return all(self.left or self._run_typed(command) for command in split(text))

    # running

    def run_stream(self, stream: BinaryIO, name: str) -> bool:
        """Run the commands of a file or pipe as they come; False when one was refused."""
        pending: list[str] = []
        quote_mark = ""
        for number, line in enumerate(stream, 1):
            if number == 1:
                line = line.removeprefix(BOM_UTF8)  # as editors on Windows write
            pending.append(line.decode("utf-8", "surrogateescape"))
            quote_mark = open_quote(pending[-1], quote_mark)
            if quote_mark:
                continue
            if not self.run("".join(pending)):
                self.err.write(f"{name}, line {number}: stopped here\n")
                return False
            if self.left:
                return True
            pending = []
        return self.run("".join(pending))

    def run_words(self, words: Sequence[bytes]) -> bool:
        """Run one command; False when it was refused."""
        return self._run_typed([TypedWord(word, 0, 0) for word in words])

    def _run_typed(self, typed: list[TypedWord]) -> bool:
        problem = next((word.problem for word in typed if word.problem), "")
        if problem:
            self.err.write(f"(error) {problem}\n")
            return False
        shell_command = shell_commands.SHELL_COMMANDS.get(typed[0].text.lower())
        if shell_command is not None:
            return shell_command.act(self, [word.text for word in typed[1:]])
        words = [word.value for word in typed]
        try:
            if streams.is_stream_command(words):
                return self._stream(words)
            reply = self.backend.run(words)
        except MinidisError as error:
            self._refused(typed, error)
            return False
        for line in self.form.reply(reply, words, self.backend.transaction.commands_of(reply)):
            self.out.write(line + b"\n")
        return True

    def _stream(self, words: list[bytes]) -> bool:
        """Print what comes, until Ctrl-C."""
        if self.backend.transaction.open:
            self.err.write(stream_in_multi_error(words) + "\n")
            return False
        if streams.ends_stream(words):
            return True  # nothing runs beside this
        source = self.backend.stream(words)
        try:
            self.out.flush()
            for raw_item in source:
                if (item := source.read(raw_item)) is not None:
                    self.out.writelines(line + b"\n" for line in self.form.item(item))
                    self.out.flush()
        finally:
            source.close()
        return True

    def _refused(self, typed: list[TypedWord], error: MinidisError) -> None:
        self.out.flush()
        advice = advise(typed, error, self.backend.type_of, self.backend.command_set)
        for line in (scalar(error), *advice_lines(typed, advice)):
            self.err.write(line + "\n")


def silence_stdout() -> None:
    """The reader of our output has gone; let the interpreter end without a second complaint."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
