"""A cursor over the words of a call, for the few commands with a parser of their own.

    def _parse_xinfo_stream(words: WordCursor) -> None:
        if words.skip(b"FULL"):
            words.values["full"] = True
            if words.left == 2:
                words.read_options()

Such a parser reads the words after the leading arguments. The syntax line still declares arguments
and options; help, hints, the formatter and typed calls are derived from it. Words that the parser
leaves are a syntax error.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from minidis import errors
from minidis.grammar.kinds import Kind

#: Reads a run of options from a position on into the dictionary; the position after them.
OptionsReader: TypeAlias = Callable[[Sequence[bytes], int, dict[str, Any]], int]


class WordCursor:
    """A position among the words of a call, and the keyword arguments read so far."""

    def __init__(
        self,
        words: Sequence[bytes],
        at: int,
        values: dict[str, Any],
        arguments: Mapping[str, tuple[str, Kind]],
        options: OptionsReader | None,
    ) -> None:
        self.words = words
        self.at = at
        self.values = values
        self._arguments = arguments
        self._options = options

    @property
    def left(self) -> int:
        """Number of words left."""
        return len(self.words) - self.at

    def skip(self, word: bytes) -> bool:
        """Skip the next word and return True if it is this one, in any case."""
        found = self.left > 0 and self.words[self.at].upper() == word
        self.at += found
        return found

    def read(self, name: str) -> None:
        """Convert the next word as the argument of that name in the line."""
        if not self.left:
            raise errors.error(errors.SYNTAX)
        param, kind = self._arguments[name]
        self.values[param] = kind.convert(self.words[self.at])
        self.at += 1

    def read_while_valid(self, name: str) -> None:
        """Read the repeated argument of that name up to the first word that it cannot convert."""
        param, kind = self._arguments[name]
        values = self.values[param] = []
        with contextlib.suppress(errors.ResponseError):
            values.extend(map(kind.convert, self.words[self.at :]))
        self.at += len(values)

    def read_options(self) -> None:
        """Read the optional brackets of the line, in any order."""
        assert self._options is not None
        self.at = self._options(self.words, self.at, self.values)

    def skip_all(self) -> None:
        """Ignore the words that are left."""
        self.at = len(self.words)
