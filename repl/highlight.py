"""Syntax highlighting of commands and replies: two Pygments lexers.

The lexer of commands has no grammar of its own: words.split finds the words, and the walk along the
command's syntax line tells what each of them is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar

from pygments.lexer import Lexer, RegexLexer, bygroups  # type: ignore[import-untyped]
from pygments.token import (  # type: ignore[import-untyped]
    Comment,
    Error,
    Generic,
    Keyword,
    Name,
    Number,
    Operator,
    String,
    Text,
    _TokenType,
)

from minidis.grammar.command import COMMANDS, PARENT_COMMANDS
from minidis.grammar.kinds import kind_of
from minidis.grammar.syntax import Argument, Word
from minidis.grammar.walk import Mistake, Role
from repl import shell_commands
from repl.lookup import LOCAL_COMMANDS, CommandSet, find_and_walk
from repl.words import TypedWord, split

#: Kind of completion for an argument -> its token
_BY_OFFER: dict[str, _TokenType] = {
    "key": Name.Variable,
    "field": Name.Attribute,
    "member": Name.Attribute,
    "pattern": String.Regex,
    "bound": Number,
    "cursor": Number,
}


class CommandLexer(Lexer):  # type: ignore[misc]
    """Lexer of typed commands."""

    name = "minidis commands"
    aliases: ClassVar[list[str]] = ["minidis"]

    def command_set(self) -> CommandSet:
        """The commands that the backend has."""
        return LOCAL_COMMANDS

    def get_tokens_unprocessed(self, text: str) -> Iterator[tuple[int, _TokenType, str]]:
        at = 0
        for command in split(text):
            for word, token in _coloured(command, len(text), self.command_set()):
                yield at, Text, text[at : word.start]
                yield word.start, token, text[word.start : word.end]
                at = word.end
        yield at, Text, text[at:]


def lexer_for(known: Callable[[], CommandSet]) -> type[CommandLexer]:
    """A lexer class for a backend whose command set is `known()`."""

    class BackendLexer(CommandLexer):
        """Lexer of typed commands for one backend."""

        def command_set(self) -> CommandSet:
            return known()

    return BackendLexer


def _coloured(
    command: list[TypedWord], end: int, available: CommandSet
) -> Iterator[tuple[TypedWord, _TokenType]]:
    """Each word of a command with its token. The word that ends at `end` may be incomplete."""
    found = find_and_walk(command)
    if found is None:
        yield command[0], _name_token(command, end, available)
        for word in command[1:]:
            yield word, Text
        return
    lacking = available.lacks(found.command.name)
    for word in command[: found.size]:
        yield word, Generic.Deleted if lacking else Keyword
    for word, role in zip(command[found.size :], found.walk.roles, strict=True):
        growing = word.end == end
        yield word, Error if word.problem and not growing else _token(role, word, growing)


def _name_token(command: list[TypedWord], end: int, available: CommandSet) -> _TokenType:
    """The token of a first word that is no command: a shell command, an incomplete or wrong one."""
    name = command[0].text
    if name.lower() in shell_commands.SHELL_COMMANDS:
        return Keyword.Pseudo
    if name.upper() in PARENT_COMMANDS or available.has(name.upper()):
        return Keyword
    known = (
        *COMMANDS,
        *PARENT_COMMANDS,
        *available.server_only,
        *map(str.upper, shell_commands.SHELL_COMMANDS),
    )
    growing = command[0].end == end
    return Text if growing and any(one.startswith(name.upper()) for one in known) else Error


def _token(role: Role, word: TypedWord, growing: bool) -> _TokenType:
    if isinstance(role, Word):
        return Keyword.Type
    if isinstance(role, Argument):
        return _BY_OFFER.get(kind_of(role.name).offers) or _value_token(word)
    return Text if growing and _may_become(role, word.text.upper()) else Error


def _may_become(mistake: Mistake, text: str) -> bool:
    """Return whether the word is the beginning of an option that the syntax allows here."""
    return any(isinstance(node, Word) and node.text.startswith(text) for node in mistake.expected)


def _value_token(word: TypedWord) -> _TokenType:
    try:
        float(word.value)
    except ValueError:
        return String
    return Number


class ReplyLexer(RegexLexer):  # type: ignore[misc]
    """Lexer of replies as render.reply_lines formats them."""

    name = "minidis replies"
    aliases: ClassVar[list[str]] = ["minidis-replies"]
    tokens: ClassVar = {
        "root": [
            (r"\n", Text),
            (r"[ ]+", Text),
            (r"\d+\)(?=[ ])", Comment),
            (r"\(error\)[^\n]*", Generic.Error),
            (r"\((?:integer|double)\)", Comment, "value"),
            (r"\((?:nil|empty [a-z]+|true|false)\)", Comment),
            (r'"(?:\\.|[^"\\])*"', String.Double),
            (r"=>", Operator),
            (r"([-+\d.e]+|-?inf)(?=\n|$)", Number),
            (r"(\()([\d,]+ [^\n]*)(\))", bygroups(Comment, Comment, Comment)),
            (r"[^\n]", Text, "rest"),
        ],
        "value": [(r"[^\n]+", Number), (r"\n", Text, "#pop")],
        "rest": [(r"[^\n]+", Text), (r"\n", Text, "#pop")],
    }
