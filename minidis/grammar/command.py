"""@command: checks a declaration against its line, compiles it, records it, returns the function.

    command = declarations(group="string")

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
from functools import cached_property, partial
from typing import Any, NamedTuple, TypeVar

from minidis import errors
from minidis.grammar.facts import FACTS, Facts
from minidis.grammar.formatter import CallFormatter, make_formatter, make_keys
from minidis.grammar.kinds import RAW
from minidis.grammar.parser import compile_line
from minidis.grammar.slots import Compiled, Overrides
from minidis.grammar.syntax import Line, SyntaxLineError, parse_line
from minidis.grammar.walk import keys_of

Body = TypeVar("Body", bound=Callable[..., Any])

#: Commands with subcommands, CONFIG for one; filled by declarations().
PARENT_COMMANDS: set[str] = set()

#: Flags that a declaration may use; each must be one that COMMAND INFO knows.
FLAGS = frozenset(
    ("write", "readonly", "denyoom", "admin", "noscript", "blocking", "loading", "stale", "fast",
     "no_auth", "allow_busy", "movablekeys", "no_async_loading", "no_multi", "pubsub",
     "skip_monitor", "skip_slowlog", "sentinel")
)  # fmt: skip

#: Groups whose commands all treat a missing key, and one of another type, in the same way.
COLLECTION_GROUPS = frozenset(("hash", "list", "set", "sorted-set"))


class Shortcut(NamedTuple):
    """A shorter way for calls with these parameters only."""

    #: names of the parameters
    params: str
    #: the body for such calls; None: the usual one
    body: Callable[..., Any] | None = None
    #: lines of source that come first under the lock in the generated method; they may return
    direct: str = ""


@dataclass(frozen=True)
class Command(Facts):
    """All that is known of a command."""

    name: str  # "SET", "CONFIG GET"
    line: Line
    #: runs the command; may return Wait if it blocks
    body: Callable[..., Any]
    compiled: Compiled
    flags: tuple[str, ...]
    group: str
    since: str
    complexity: str
    #: how the keys are used, in the words of key specifications: "RW ACCESS UPDATE"
    access: tuple[str, ...]
    newer: bool  # newer than the server we compare with
    #: copies from `flags`, `line` and `compiled`, for the hot path of words
    waits: bool  # the body may return Wait: such commands always take the slow path
    batchable: bool  # may run in a batch of a connection, which checks nothing but arguments
    arity: int
    parse: Callable[[Any], tuple[list[Any], dict[str, Any]]]
    plain: int
    #: shorter ways for usual calls, the most usual first
    shortcuts: tuple[Shortcut, ...]
    #: lines for callers without the lock: one look-up in `space`, which sets `reply` if that is all
    unlocked: str
    #: it may change something in a way that a reader without the lock could see half of
    multi_step: bool

    @cached_property
    def short_body(self) -> Callable[..., Any]:
        """The body for calls with the required arguments alone."""
        first = self.shortcuts[0] if self.shortcuts else Shortcut("")
        required = [one.name for one in self.params.values() if one.default is one.empty]
        return (first.body if first.params.split() == required else None) or self.body

    @cached_property
    def short_count(self) -> int:
        """With how many arguments and no options short_body is called; -1: never."""
        required = [one for one in self.params.values() if one.default is one.empty]
        return -1 if self.short_body is self.body else len(required)

    @cached_property
    def only_changes_keys(self) -> bool:
        """Whether it changes nothing but the values and deadlines of its keys, in one database."""
        keys_group = self.group in COLLECTION_GROUPS or self.group == "string"
        known = {"write", "readonly"} & set(self.flags)
        return bool(known and self.access and keys_group and not self.waits)

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
        return self.writes or self.may_replicate

    @property
    def is_hidden(self) -> bool:
        """Monitors do not see it."""
        return "admin" in self.flags or "skip_monitor" in self.flags or self.hidden

    def access_of(self, words: Sequence[bytes], number: int) -> str:
        """How a call uses the key with that number; the last use holds for all that follow."""
        if self.access_by_words is not None:
            return self.access_by_words(words)
        return self.access[min(number, len(self.access) - 1)]

    @cached_property
    def format(self) -> CallFormatter:
        """format(args, options): the words of a call, from the converted arguments of its body."""
        return make_formatter(self.compiled.parts, self.params)

    @cached_property
    def keys(self) -> CallFormatter:
        """keys(args, options): the keys of a call, in the order of its words."""
        return make_keys(self.compiled.parts, self.params)

    @cached_property
    def shares_arguments(self) -> bool:
        """Does the body get a container of the caller as it is? The mapping of ZADD."""
        return any(
            slot.shape == "pairs" and {*slot.kinds} == {RAW} for slot in self.compiled.parameters
        )

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
        """The first sentence of the docstring."""
        return (inspect.getdoc(self.body) or "").split("\n\n")[0].replace("\n", " ")


#: Full name in capitals -> command; filled while minidis.commands is imported.
COMMANDS: dict[str, Command] = {}


#: First words that have been looked up (b"get", b"GET", ...) -> command; none with subcommands.
#: Bounded, because clients choose the spelling. Hot paths read it directly.
SPELLINGS: dict[bytes, Command] = {}
MOST_SPELLINGS = 10_000


def find(words: Sequence[bytes]) -> Command | None:
    """The command that the words begin with; None when there is none, or no such subcommand."""
    command = SPELLINGS.get(words[0])
    if command is not None:
        return command
    name = words[0].decode("latin-1").upper()
    if name in PARENT_COMMANDS:
        return COMMANDS.get(f"{name} {words[1].decode('latin-1').upper()}" if words[1:] else name)
    command = COMMANDS.get(name)
    if command is not None and len(SPELLINGS) < MOST_SPELLINGS:
        SPELLINGS[words[0]] = command
    return command


def command(
    line: str,
    flags: str = "",
    *,
    group: str,
    since: str,
    complexity: str,
    access: str = "",
    shortcuts: tuple[Shortcut, ...] = (),
    unlocked: str = "",
    single_step: bool = False,
    **rules: Any,
) -> Callable[[Body], Body]:
    """Declare a command: its syntax line, its flags and what the line cannot say.

    `access` says how the keys are used; several, separated by "|", go to the keys in order.
    `shortcuts` are shorter ways for usual calls, `unlocked` lines of source that need no lock (see
    methods.py). `single_step`: a reader without the lock sees the change in one step, or after
    save_undo(). The other keywords are explained at Facts and at slots.Overrides.
    """
    facts = {name: rules.pop(name) for name in FACTS & rules.keys()}

    def record(body: Body) -> Body:
        tree = parse_line(line, PARENT_COMMANDS)
        unknown = set(flags.split()) - FLAGS
        if unknown or tree.name in COMMANDS or not inspect.getdoc(body):
            raise SyntaxLineError(f"{line}: flags {unknown}, declared twice, or no docstring")
        compiled = compile_line(tree, body, Overrides(**rules))
        waits = "blocking" in flags.split()
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
            waits,
            not (waits or facts.get("stateful") or " " in tree.name),
            tree.arity,
            compiled.parse,
            compiled.plain if len(tree.name.split()) == 1 else 0,
            shortcuts,
            unlocked,
            not single_step and ("write" in flags or "admin" in flags or "runs_queue" in facts),
            **facts,
        )
        return body

    return record


def declarations(
    *, group: str, parent: str = "", **shared: Any
) -> Callable[..., Callable[[Body], Body]]:
    """The decorator @command of one class, with what all its declarations have in common.

    `parent` is the command that has these as subcommands: lines that begin with it have a name of
    two words.
    """
    if parent:
        PARENT_COMMANDS.add(parent)
    return partial(command, group=group, **shared)
