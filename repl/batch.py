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
from repl.backend import Backend
from repl.check import advise
from repl.check import lines as advice_lines
from repl.lookup import CommandSet, find
from repl.render import as_json, labelled, lines, raw, scalar
from repl.secrets import repeated
from repl.streams import Item
from repl.words import Typed, open_quote, quote, shortened, split

#: Columns that a queued command may take.
_LABEL = 74


@dataclass(frozen=True, slots=True)
class Form:
    """How answers are printed."""

    #: (reply, words of the command, commands that EXEC has run) -> lines
    reply: Callable[[Any, Sequence[bytes], Sequence[Sequence[bytes]]], Iterable[bytes]]
    item: Callable[[Item], Iterable[bytes]]


def _raw_item(item: Item) -> Iterable[bytes]:
    """Of a message what was sent, of MONITOR the line."""
    return raw(item.data) if isinstance(item, Message) else (_text(streams.text(item)),)


def _text(line: str) -> bytes:
    return line.encode("utf-8", "backslashreplace")


FORMS: dict[str, Form] = {
    "text": Form(
        lambda reply, words, commands: map(_text, answer_lines(reply, words, commands)),
        lambda item: (_text(streams.text(item)),),
    ),
    "raw": Form(lambda reply, *_: raw(reply), _raw_item),
    "json": Form(
        lambda reply, *_: (as_json(reply).encode(),),
        lambda item: (streams.for_json(item).encode(),),
    ),
}


def answer_lines(
    reply: Any, words: Sequence[bytes], commands: Sequence[Sequence[bytes]] = ()
) -> Iterable[str]:
    """A reply for a person; `commands`: those that EXEC has run, each is shown with its answer."""
    if not commands:
        return lines(reply, paired=is_paired(words))
    parts = (
        (command_line(command), lines(answer, paired=is_paired(command)))
        for command, answer in zip(commands, reply, strict=True)
    )
    return labelled(parts, len(commands))


def command_line(words: Sequence[bytes]) -> str:
    """A command in one line that is not too long."""
    return shortened(repeated(words), _LABEL)


def refuse_in_multi(words: Sequence[bytes]) -> str:
    """Why a stream cannot begin inside MULTI."""
    name = quote(words[0]).upper()
    return f"(error) {name} inside MULTI: its messages have a connection of their own; EXEC first"


def is_paired(words: Sequence[bytes]) -> bool:
    """Is it an HSCAN that answers fields and values?"""
    found = find(words)
    if found is None or found[0].name != "HSCAN":
        return False
    return Word("NOVALUES") not in walk(found[0].line, words[1:]).roles


class Batch:
    """Runs commands one after the other until one is refused, or until exit."""

    def __init__(self, place: Backend, form: Form, out: BinaryIO, err: TextIO) -> None:
        self.place = place
        self.form = form
        self.out = out
        self.err = err
        self.left = False

    # what the shell's own words need

    def say(self, text: str) -> None:
        """Print a text."""
        self.out.write(text.rstrip("\n").encode("utf-8", "backslashreplace") + b"\n")

    def clear(self) -> None:
        """There is no screen."""

    def stop(self) -> None:
        """There is nothing beside the prompt."""

    @property
    def repertoire(self) -> CommandSet:
        """The commands that can be run."""
        return self.place.repertoire

    def leave(self) -> None:
        """exit: whatever follows is not run."""
        self.left = True

    def run(self, text: str) -> bool:
        """Run the commands of a text; False when one was refused."""
        return all(self.left or self._run_typed(command) for command in split(text))

    # running

    def run_stream(self, stream: BinaryIO, name: str) -> bool:
        """Run the commands of a file or pipe as they come; False when one was refused."""
        pending: list[str] = []
        mark = ""
        for number, line in enumerate(stream, 1):
            if number == 1:
                line = line.removeprefix(BOM_UTF8)  # as editors on Windows write
            pending.append(line.decode("utf-8", "surrogateescape"))
            mark = open_quote(pending[-1], mark)
            if mark:
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
        return self._run_typed([Typed(word, 0, 0) for word in words])

    def _run_typed(self, typed: list[Typed]) -> bool:
        trouble = next((word.trouble for word in typed if word.trouble), "")
        if trouble:
            self.err.write(f"(error) {trouble}\n")
            return False
        dot = shell_commands.DOTS.get(typed[0].text.lower())
        if dot is not None:
            return dot.act(self, [word.text for word in typed[1:]])
        words = [word.value for word in typed]
        try:
            if streams.is_about(words):
                return self._stream(words)
            reply = self.place.run(words)
        except MinidisError as error:
            self._refused(typed, error)
            return False
        for line in self.form.reply(reply, words, self.place.transaction.commands_of(reply)):
            self.out.write(line + b"\n")
        return True

    def _stream(self, words: list[bytes]) -> bool:
        """Print what comes, until Ctrl-C."""
        if self.place.transaction.open:
            self.err.write(refuse_in_multi(words) + "\n")
            return False
        if streams.ends(words):
            return True  # nothing runs beside this
        source = self.place.stream(words)
        try:
            self.out.flush()
            for raw_item in source:
                if (item := source.read(raw_item)) is not None:
                    self.out.writelines(line + b"\n" for line in self.form.item(item))
                    self.out.flush()
        finally:
            source.close()
        return True

    def _refused(self, typed: list[Typed], error: MinidisError) -> None:
        self.out.flush()
        advice = advise(typed, error, self.place.type_of, self.place.repertoire)
        for line in (scalar(error), *advice_lines(typed, advice)):
            self.err.write(line + "\n")


def silence_stdout() -> None:
    """The reader of our output has gone; let the interpreter end without a second complaint."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
