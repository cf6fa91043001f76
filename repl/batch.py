"""Commands without a person: from arguments, a file or a pipe. Answers go out, refusals to stderr.

The first refusal ends the run: what comes after it was written for a database in which it worked.
"""

from __future__ import annotations

import os
import sys
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Sequence
from typing import Any, BinaryIO, TextIO

from minidis.database import Minidis
from minidis.errors import MinidisError
from minidis.syntax import Word
from minidis.walk import walk
from repl import dots
from repl.check import advise
from repl.check import lines as advice_lines
from repl.lookup import find
from repl.render import as_json, lines, raw, scalar
from repl.words import Typed, open_quote, split

#: A form: (reply, words of the command) -> lines
Form = Callable[[Any, Sequence[bytes]], Iterable[bytes]]


def _for_people(reply: Any, words: Sequence[bytes]) -> Iterable[bytes]:
    shown = lines(reply, paired=is_paired(words))
    return (line.encode("utf-8", "backslashreplace") for line in shown)


FORMS: dict[str, Form] = {
    "text": _for_people,
    "raw": lambda reply, _: raw(reply),
    "json": lambda reply, _: (as_json(reply).encode(),),
}


def type_of(db: Minidis[Any]) -> Callable[[bytes], str | None]:
    """A question to the database: what does this key hold?"""
    return lambda key: None if (kind := str(db.execute("TYPE", key))) == "none" else kind


def is_paired(words: Sequence[bytes]) -> bool:
    """Is it an HSCAN that answers fields and values?"""
    found = find(words)
    if found is None or found[0].name != "HSCAN":
        return False
    return Word("NOVALUES") not in walk(found[0].line, words[1:]).roles


class Batch:
    """Runs commands one after the other until one is refused, or until exit."""

    def __init__(self, db: Minidis[Any], form: Form, out: BinaryIO, err: TextIO) -> None:
        self.db = db
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
        dot = dots.DOTS.get(typed[0].text.lower())
        if dot is not None:
            return dot.act(self, [word.text for word in typed[1:]])
        words = [word.value for word in typed]
        try:
            reply = self.db.execute(*words)
        except MinidisError as error:
            self._refused(typed, error)
            return False
        for line in self.form(reply, words):
            self.out.write(line + b"\n")
        return True

    def _refused(self, typed: list[Typed], error: MinidisError) -> None:
        self.out.flush()
        advice = advise(typed, error, type_of(self.db))
        for line in (scalar(error), *advice_lines(typed, advice)):
            self.err.write(line + "\n")


def unsaved(db: Minidis[Any]) -> tuple[int, str]:
    """(number of changes that closing would lose, the file that SAVE would write them to)."""
    home = db.engine.home
    if home.dump is None or home.durable:
        return 0, ""
    return max(db.engine.dirty, 0), home.dump


def silence_stdout() -> None:
    """The reader of our output has gone; let the interpreter end without a second complaint."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
