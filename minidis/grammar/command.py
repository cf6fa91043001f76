"""@command: checks a declaration against its line, compiles it, records it, returns the function.

    command = declarations(group="string")

    @command("INCRBY key increment", "write denyoom fast", since="1.0.0", access="RW ACCESS UPDATE")
    def incrby(self, key: Key, increment: Integer = 1) -> int:
        '''Add `increment` to the integer at `key`. ...'''

The function itself is the body: it gets converted arguments, runs under the engine's lock and sees
one frozen moment. What callers reach is a *door*: a small function with the same parameters, made
here from one template, that converts Python arguments and passes the gate (see DOOR below).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from minidis.grammar.facts import FACTS, Facts
from minidis.grammar.kinds import encode, units
from minidis.grammar.parser import compile_line
from minidis.grammar.slots import Compiled, Overrides
from minidis.grammar.syntax import Line, SyntaxLineError, parse_line

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


@dataclass(frozen=True, slots=True)
class Command(Facts):
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
    #: copies from `flags`, `line` and `compiled`, for the hot path of words
    waits: bool  # the body may return Wait: such commands always take the slow path
    batchable: bool  # may run in a batch of a connection, which checks nothing but arguments
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
        """As Redis writes it in sentences and lists: "config|get"."""
        return self.name.lower().replace(" ", "|")

    def accepts(self, count: int) -> bool:
        """May it have so many words, those of its name included?"""
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

    def words(self, args: Any, options: dict[str, Any]) -> list[bytes]:
        """The command as words, from the arguments of its body."""
        bound = inspect.signature(self.body).bind(None, *args, **options)
        known = {slot.param for slot in self.compiled.slots}
        defaults = bound.signature.parameters
        _, *given = bound.arguments.items()
        more = [
            name
            for name, value in given
            if name not in known and value is not defaults[name].default
        ]
        if not more:
            bound.apply_defaults()
            arguments = {name: self._number(name, value) for name, value in bound.arguments.items()}
            return self.compiled.format(arguments)
        # Spellings that only typed calls have: INCR with an amount, HSET's field and value.
        name = self.name + "BY" if more == ["amount"] else self.name
        return [*name.encode().split(), *flat([value for _, value in given])]

    def _number(self, param: str, value: Any) -> Any:
        """A time that words can say; typed calls may give it as a timedelta or datetime."""
        in_milliseconds = param.startswith("p") or self.name.startswith("P") or "ms" in param
        return units(value, 1 if in_milliseconds else 1000)

    @property
    def summary(self) -> str:
        """First sentence of the docstring."""
        return (inspect.getdoc(self.body) or "").split("\n\n")[0].replace("\n", " ")


def flat(values: Any) -> Iterator[bytes]:
    """The words in nested arguments."""
    for value in values:
        if isinstance(value, dict):
            yield from flat(value.items())
        elif isinstance(value, (list, tuple)):
            yield from flat(value)
        elif value is not None:
            yield encode(value)


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
    plain: Callable[..., Any] | None = None,
    inline: str = "",
    **rules: Any,
) -> Callable[[Body], Body]:
    """Declare a command: its syntax line, its flags and what the line cannot say.

    `access` says how the keys are used; several, separated by "|", go to the keys in order. `plain`
    is a shorter body for calls without options; `inline` are the lines of one that is shorter
    still. The other keywords are explained at Facts and at slots.Overrides.
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
            plain,
            inline,
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
