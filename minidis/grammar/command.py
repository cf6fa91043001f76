"""@command: records the declaration of a command, and returns the function.

    command = declarations(group="string")

    @command("INCRBY key increment", "write denyoom fast", since="1.0.0", access="RW ACCESS UPDATE")
    def incrby(self, key: Key, increment: Integer = 1) -> int:
        '''Add `increment` to the integer at `key`. ...'''

The function itself is the body: it gets converted arguments, runs under the lock and sees one time.
Callers reach a generated method with the same parameters, which converts Python arguments and
dispatches the call (methods.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, NamedTuple, TypeVar

from minidis import errors
from minidis.grammar.facts import FACTS, Facts
from minidis.grammar.formatter import CallFormatter, make_formatter, make_keys
from minidis.grammar.kinds import RAW, kind_of
from minidis.grammar.parser import compile_line
from minidis.grammar.signature import Param, Required, parameters_of
from minidis.grammar.slots import OVERRIDES, Compiled, Overrides, Parse
from minidis.grammar.syntax import Argument, Line, SyntaxLineError, arguments, line_name, parse_line

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

    #: names of the parameters; "[ex]" may be None, the others are not
    params: str
    #: the body for such calls; None: the usual one
    body: Callable[..., Any] | None = None
    #: lines of source that come first under the lock in the generated method; they may return
    direct: str = ""


class Command(Facts):
    """All that is known of a command.

    The line is parsed and compiled when the command is first used: a program uses few of them.
    """

    def __init__(
        self,
        syntax: str,
        body: Callable[..., Any],
        flags: tuple[str, ...],
        overrides: Mapping[str, Any],
        facts: Mapping[str, Any],
        *,
        group: str,
        since: str,
        complexity: str,
        access: str = "",
        shortcuts: tuple[Shortcut, ...] = (),
        unlocked: str = "",
        single_step: bool = False,
    ) -> None:
        self.syntax = syntax  # as it is declared
        self.name = line_name(syntax, PARENT_COMMANDS)  # "SET", "CONFIG GET"
        self.body = body
        self.flags = flags
        self.overrides = overrides  # the keywords of slots.Overrides
        self.group = group
        self.since = since
        self.complexity = complexity
        #: how the keys are used, in the words of key specifications: "RW ACCESS UPDATE"
        self.access = tuple(part.strip() for part in access.split("|")) if access else ()
        #: shorter ways for usual calls, the most usual first
        self.shortcuts = shortcuts
        #: lines for callers without the lock: one look-up, which sets `reply` if that is all
        self.unlocked = unlocked
        #: Compiled.plain, known after the first call of parse(); hot paths read both
        self.plain = 0
        #: parse(words): the arguments of the body
        self.parse: Parse = self._first_parse
        #: the body may return Wait: such commands always take the slow path
        self.waits = "blocking" in flags
        #: may run in a batch of a connection, which checks nothing but arguments
        self.batchable = not (self.waits or facts.get("stateful") or " " in self.name)
        #: it may change something in a way that a reader without the lock could see half of
        self.multi_step = not single_step and (
            "write" in flags or "admin" in flags or "runs_queue" in facts
        )
        self.__dict__.update(facts)

    @cached_property
    def line(self) -> Line:
        """The syntax line, parsed."""
        return parse_line(self.syntax, PARENT_COMMANDS)

    @cached_property
    def compiled(self) -> Compiled:
        """Parser and parameters; SyntaxLineError where line and signature disagree."""
        return compile_line(self.line, self.body, Overrides(**self.overrides))

    @cached_property
    def arity(self) -> int:
        """Number of words, as COMMAND INFO counts them."""
        return self.line.arity

    def _first_parse(self, words: Any) -> tuple[list[Any], dict[str, Any]]:
        """Compile the parser and put it in the place of this method."""
        self.plain = 0 if " " in self.name else self.compiled.plain
        self.parse = self.compiled.parse
        return self.parse(words)

    @property
    def newer(self) -> bool:
        """It is newer than the server we compare with."""
        return tuple(map(int, self.since.split("."))) > (7, 0, 15)

    @cached_property
    def short_body(self) -> Callable[..., Any]:
        """The body for calls with the required arguments alone."""
        first = self.shortcuts[0] if self.shortcuts else Shortcut("")
        required = [one.name for one in self.params.values() if one.default is Required]
        params = [name for name in first.params.split() if not name.startswith("[")]
        return (first.body if params == required else None) or self.body

    @cached_property
    def short_count(self) -> int:
        """Up to how many arguments, without options, short_body takes; -1: none."""
        return -1 if self.short_body is self.body else len(self.shortcuts[0].params.split())

    @cached_property
    def has_one_key(self) -> bool:
        """Whether the first word after the name is its only key."""
        names = [name for item in self.line.items for name in arguments(item)]
        keys = [name for name in names if kind_of(name).offers == "key"]
        first = self.line.items[0] if self.line.items else None
        is_key = isinstance(first, Argument) and kind_of(first.name).offers == "key"
        return is_key and len(keys) == 1 and " " not in self.name

    @cached_property
    def only_changes_keys(self) -> bool:
        """Whether it changes nothing but the values and deadlines of its keys, in one database."""
        keys_group = self.group in COLLECTION_GROUPS or self.group == "string"
        known = {"write", "readonly"} & set(self.flags)
        return bool(known and self.access and keys_group and not self.waits)

    @cached_property
    def changes_first_argument(self) -> bool:
        """Whether it changes nothing but the value and the deadline of one key, its first word."""
        return self.only_changes_keys and self.has_one_key

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
    def params(self) -> dict[str, Param]:
        """The parameters of the body, without self."""
        return parameters_of(self.body)

    def keys_of_words(self, words: list[bytes]) -> list[bytes]:
        """Return the keys of a call given as words; if these have errors, by a walk of the line."""
        try:
            args, options = self.parse(words)
        except errors.ResponseError:
            args, options = [], {"_option_error": True}
        if "_option_error" in options:
            from minidis.grammar.walk import keys_of  # calls with errors are rare

            return [words[at] for at in keys_of(self.line, words)]
        return self.keys(args, options)

    @property
    def summary(self) -> str:
        """The first sentence of the docstring."""
        sentence = (self.body.__doc__ or "").strip().split("\n\n")[0]
        return " ".join(map(str.strip, sentence.split("\n")))


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
    line: str, flags: str = "", *, checked: bool = True, **keywords: Any
) -> Callable[[Body], Body]:
    """Declare a command: its syntax line, its flags and what the line cannot say.

    `access` says how the keys are used; several, separated by "|", go to the keys in order.
    `shortcuts` are shorter ways for usual calls, `unlocked` lines of source that need no lock (see
    methods.py). `single_step`: a reader without the lock sees the change in one step, or after
    save_undo(). The other keywords are explained at Facts and at slots.Overrides.

    A line that disagrees with the signature fails here, unless `checked` is False: then it fails
    when the command is first used.
    """
    facts = {name: keywords.pop(name) for name in FACTS & keywords.keys()}
    overrides = {name: keywords.pop(name) for name in OVERRIDES & keywords.keys()}

    def record(body: Body) -> Body:
        flag_names = tuple(flags.split())
        declared = Command(line, body, flag_names, overrides, facts, **keywords)
        unknown = FLAGS.union(flag_names) - FLAGS
        if unknown or declared.name in COMMANDS or not body.__doc__:
            raise SyntaxLineError(f"{line}: flags {unknown}, declared twice, or no docstring")
        if checked:
            _ = declared.compiled
        COMMANDS[declared.name] = declared
        return body

    return record


def declarations(
    *, group: str, parent: str = "", **shared: Any
) -> Callable[..., Callable[[Body], Body]]:
    """The decorator @command of one class, with what all its declarations have in common.

    `parent` is the command that has these as subcommands: lines that begin with it have a name of
    two words. To keep the import short, lines and signatures are compared at the first use of each
    command; tests/test_syntax.py does it for all.
    """
    if parent:
        PARENT_COMMANDS.add(parent)
    return partial(command, checked=False, group=group, **shared)
