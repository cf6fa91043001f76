"""@command: checks a declaration against its line, compiles it, records it, returns the function.

    @command("INCRBY key increment", "write denyoom fast", since="1.0.0", access="RW ACCESS UPDATE")
    def incrby(self, key: Key, increment: Integer = 1) -> int:
        '''Add `increment` to the integer at `key`. ...'''

The function itself is the body: it gets converted arguments, runs under the lock and sees one time.
Callers reach a generated method with the same parameters, which converts Python arguments and
dispatches the call (methods.py).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from minidis import errors
from minidis.grammar.formatter import CallFormatter, make_formatter, make_keys
from minidis.grammar.parser import compile_line
from minidis.grammar.slots import Compiled, Overrides
from minidis.grammar.syntax import Line, SyntaxLineError, parse_line
from minidis.grammar.walk import keys_of

Body = TypeVar("Body", bound=Callable[..., Any])

PARENT_COMMANDS = frozenset(
    (
        "ACL",
        "CLIENT",
        "CONFIG",
        "COMMAND",
        "OBJECT",
        "DEBUG",
        "HIMPORT",
        "PUBSUB",
        "XGROUP",
        "XINFO",
    )
)

#: Flags that a declaration may use; each must be one that COMMAND INFO knows.
FLAGS = frozenset(
    ("write", "readonly", "denyoom", "admin", "noscript", "blocking", "loading", "stale", "fast",
     "no_auth", "allow_busy", "movablekeys", "no_async_loading", "no_multi", "pubsub",
     "skip_monitor", "skip_slowlog", "sentinel")
)  # fmt: skip

#: Groups whose commands all treat a missing key, and one of another type, in the same way.
COLLECTION_GROUPS = frozenset(("hash", "list", "set", "sorted-set"))


@dataclass(frozen=True)
class Command:
    """All that is known of a command."""

    name: str  # "SET", "CONFIG GET"
    line: Line
    #: runs the command, or answers Wait (see waiting.py)
    body: Callable[..., Any]
    compiled: Compiled
    flags: tuple[str, ...]
    group: str
    since: str
    complexity: str
    #: how the keys are used, in the words of key specifications: "RW ACCESS UPDATE"
    access: tuple[str, ...]
    newer: bool  # newer than the server we compare with
    #: copies from `line` and `compiled`, for the hot path of words
    arity: int
    parse: Callable[[Any], tuple[list[Any], dict[str, Any]]]
    plain: int
    #: a shorter body for calls without any option, where it pays
    plain_body: Callable[..., Any] | None
    #: lines that stand in the door in place of the call of that body; they set `reply`
    inline: str

    @property
    def method(self) -> str:
        """Name of the Python method."""
        return self.body.__name__

    @property
    def display_name(self) -> str:
        """The name in error messages and lists: "config|get"."""
        return self.name.lower().replace(" ", "|")

    def accepts(self, count: int) -> bool:
        """Return whether the command may have so many words, those of its name included."""
        return count == self.arity if self.arity > 0 else count >= -self.arity

    @property
    def writes(self) -> bool:
        return "write" in self.flags

    @property
    def changes(self) -> bool:
        """Does it write, or reach others? Then it waits while writes are paused."""
        return self.writes or self.name in ("PUBLISH", "SPUBLISH", "PFCOUNT")

    @property
    def waits(self) -> bool:
        """May the body answer Wait? Such commands always go the long way, see session.py."""
        return "blocking" in self.flags

    @property
    def is_hidden(self) -> bool:
        """Monitors do not see it."""
        return "admin" in self.flags or "skip_monitor" in self.flags or self.name == "QUIT"

    @cached_property
    def format(self) -> CallFormatter:
        """format(args, options): the words of a call, from the converted arguments of its body."""
        return make_formatter(self.compiled.parts, self.params)

    @cached_property
    def keys(self) -> CallFormatter:
        """keys(args, options): the keys of a call, in the order of its words."""
        return make_keys(self.compiled.parts, self.params)

    @property
    def params(self) -> dict[str, inspect.Parameter]:
        """The parameters of the body, without self."""
        return dict(list(inspect.signature(self.body).parameters.items())[1:])

    def keys_of_words(self, words: list[bytes]) -> list[bytes]:
        """Return the keys of a call given as words; if these have errors, by a walk of the line."""
        try:
            args, options = self.parse(words)
        except errors.ResponseError:
            args, options = [], {"_option_error": True}
        if "_option_error" in options:
            return [words[at] for at in keys_of(self.line, words)]
        return self.keys(args, options)

    @property
    def summary(self) -> str:
        """First sentence of the docstring."""
        return (inspect.getdoc(self.body) or "").split("\n\n")[0].replace("\n", " ")


#: Full name in capitals -> command; filled while minidis.commands is imported.
COMMANDS: dict[str, Command] = {}


def find(words: Sequence[bytes]) -> Command | None:
    """The command that the words begin with; None when there is none, or no such subcommand."""
    name = words[0].decode("latin-1").upper()
    if name in PARENT_COMMANDS and len(words) > 1:
        name = f"{name} {words[1].decode('latin-1').upper()}"
    return COMMANDS.get(name)


def command(
    line: str,
    flags: str = "",
    *,
    group: str,
    since: str,
    complexity: str,
    access: str = "",
    plain: Callable[..., Any] | None = None,
    inline: str = "",
    **rules: Any,
) -> Callable[[Body], Body]:
    """Declare a command: its syntax line, its flags and what the line cannot say.

    `access` says how the keys are used; several, separated by "|", go to the keys in order. `plain`
    is a shorter body for calls without options; `inline` are the lines of one that is shorter
    still. The other keywords are explained at shapes.Rules.
    """

    def record(body: Body) -> Body:
        tree = parse_line(line, PARENT_COMMANDS)
        unknown = set(flags.split()) - FLAGS
        if unknown or tree.name in COMMANDS or not inspect.getdoc(body):
            raise SyntaxLineError(f"{line}: flags {unknown}, declared twice, or no docstring")
        compiled = compile_line(tree, body, Overrides(**rules))
        COMMANDS[tree.name] = Command(
            tree.name,
            tree,
            body,
            compiled,
            tuple(flags.split()),
            group,
            since,
            complexity,
            tuple(part.strip() for part in access.split("|")) if access else (),
            tuple(map(int, since.split("."))) > (7, 0, 15),
            tree.arity,
            compiled.parse,
            compiled.plain if len(tree.name.split()) == 1 else 0,
            plain,
            inline,
        )
        return body

    return record
