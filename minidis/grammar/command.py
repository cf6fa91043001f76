"""@command: checks a declaration against its line, compiles it, records it, returns the function.

    @command("INCRBY key increment", "write denyoom fast", since="1.0.0", access="RW ACCESS UPDATE")
    def incrby(self, key: Key, increment: Integer = 1) -> int:
        '''Add `increment` to the integer at `key`. ...'''

The function itself is the body: it gets converted arguments, runs under the engine's lock and sees
one frozen moment. What callers reach is a *door*: a small function with the same parameters, made
here from one template, that converts Python arguments and passes the gate (see DOOR below).
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from textwrap import indent
from typing import Any, TypeVar

from minidis import errors
from minidis.grammar import kinds
from minidis.grammar.kinds import encode, units
from minidis.grammar.parser import compile_line
from minidis.grammar.slots import Compiled, Rules, Slot
from minidis.grammar.syntax import Line, SyntaxLineError, parse_line
from minidis.replies import OK, decoded

Body = TypeVar("Body", bound=Callable[..., Any])

CONTAINERS = frozenset(
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

#: What stands before the lines of a docstring; 3.13 takes it away.
INDENT = "" if sys.version_info >= (3, 13) else "        "
#: Groups whose commands all treat a missing key, and one of another type, in the same way.
CONTAINER_GROUPS = frozenset(("hash", "list", "set", "sorted-set"))


@dataclass(frozen=True, slots=True)
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
    def shown_name(self) -> str:
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
        return self.writes or self.name in ("PUBLISH", "SPUBLISH", "PFCOUNT")

    @property
    def waits(self) -> bool:
        """May the body answer Wait? Such commands always go the long way, see session.py."""
        return "blocking" in self.flags

    @property
    def is_hidden(self) -> bool:
        """Monitors do not see it."""
        return "admin" in self.flags or "skip_monitor" in self.flags or self.name == "QUIT"

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


def find(words: Sequence[bytes]) -> Command | None:
    """The command that the words begin with; None when there is none, or no such subcommand."""
    name = words[0].decode("latin-1").upper()
    if name in CONTAINERS and len(words) > 1:
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
        tree = parse_line(line, CONTAINERS)
        unknown = set(flags.split()) - FLAGS
        if unknown or tree.name in COMMANDS or not inspect.getdoc(body):
            raise SyntaxLineError(f"{line}: flags {unknown}, declared twice, or no docstring")
        compiled = compile_line(tree, body, Rules(**rules))
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


# Doors -------------------------------------------------------------------------------------------

# The gate. A call converts its arguments, takes the lock, forgets the moment of the last command
# and runs the body. A body that changed something in more than one step has left in `undo` how to
# put it back; whatever strikes (a refusal, KeyboardInterrupt, MemoryError) is answered by putting
# back, and a second strike while that begins by doing it once more. After a change the chores are
# settled once. Session.execute has these lines for words. A call that needs a second look, or may
# have to wait, goes the long way (Session.call_typed).
DOOR = """
def {name}(self, {signature}):
{ready}
    if {guard}:
        reply = self.call_typed(command, {arguments})
        return {reply}
    engine = self.engine
    with engine.lock:
        engine.moment = 0
        try:
            {work}
            if engine.unsettled:
                engine.settle()
        except BaseException as error:
            try:
                engine.put_back(error, ({values}))
            except BaseException:
                engine.put_back(error, ({values}))
                raise
            raise
    return {reply}
"""

# A command with options has two doors. The usual call has none of them, and is not to pay for
# what it does not use: it goes through the door above with the required arguments alone.
CHOOSE = """    if {given}:
        return full_door(self, {everything})
"""

READY: dict[type | None, str] = {
    bytes: """    if {p}.__class__ is str:
        try:
            {p} = {p}.encode()
        except UnicodeEncodeError:
            {p} = encode({p})
    elif {p}.__class__ is not bytes:
        {p} = encode({p})""",
    float: """    if {p}.__class__ is not float or {p} != {p}:
        {p} = ready_{p}({p})""",
    None: """    {p} = ready_{p}({p})""",
}

# *keys: a list among them, and other rarities, take the long way.
READY_MANY = """    try:
        {p} = [
            item if item.__class__ is bytes else bytes_of[item.__class__](item) for item in {p}
        ]
    except (KeyError, UnicodeEncodeError):
        {p} = ready_{p}({p})"""
BYTES_OF: dict[type, Callable[[Any], bytes]] = {
    str: str.encode,
    int: b"%d".__mod__,
    float: encode,
}


class Door:
    """Stands for a door in a class until it is first asked for: most programs use few commands."""

    def __init__(self, command: Command, owner: type[Any], *, decode: bool) -> None:
        self.command = command
        self.owner = owner
        self.decode = decode

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        door = make_door(self.command, decode=self.decode)
        setattr(self.owner, self.command.method, door)
        return door if instance is None else getattr(instance, self.command.method)


def make_door(command: Command, *, decode: bool) -> Callable[..., Any]:
    """The function that callers of the typed API reach."""
    params = list(inspect.signature(command.body).parameters.values())[1:]
    needed = [
        param
        for param in params
        if param.default is inspect.Parameter.empty
        and param.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    ]
    door = _compile_door(command, params, params, decode, None)
    optional = params[len(needed) :]
    required = {slot.param for slot in command.compiled.slots if not slot.optional}
    usual = required.isdisjoint(param.name for param in optional)  # not HSET: see its mapping
    if needed and optional and usual and all(_is_plain_option(param) for param in optional):
        door = _compile_door(command, needed, params, decode, door)
    door = functools.wraps(command.body)(door)
    door.__signature__ = public_signature(command.body)  # type: ignore[attr-defined]
    # The declaration knows the last lines of the manual page.
    last = f"{command.complexity}. Since Redis {command.since}: {command.line}"
    if command.group in CONTAINER_GROUPS and command.access:
        kind = command.group.replace("-", " ")
        last = f"A missing key is an empty {kind}; WrongTypeError for another type.\n{INDENT}{last}"
    door.__doc__ = f"{command.body.__doc__}\n{INDENT}{last}\n{INDENT}"
    return door


def public_signature(body: Callable[..., Any]) -> inspect.Signature:
    """The signature without what the parser alone hands over (see Rules.late)."""
    whole = inspect.signature(body)
    kept = [param for param in whole.parameters.values() if param.name != "_mistake"]
    return whole.replace(parameters=kept)


def _is_plain_option(param: inspect.Parameter) -> bool:
    """Is the parameter left out by leaving it None or False?"""
    return param.default is None or param.default is False


def _compile_door(
    command: Command,
    params: list[inspect.Parameter],
    everything: list[inspect.Parameter],
    decode: bool,
    full: Callable[..., Any] | None,
) -> Callable[..., Any]:
    """One door that passes on `params`; calls with more than these go on to the `full` one."""
    slots = {slot.param: slot for slot in command.compiled.slots}
    body = command.plain_body if full and command.plain_body else command.body
    space: dict[str, Any] = {
        "body": body,
        "command": command,
        "encode": encode,
        "decoded": decoded,
        "full_door": full,
        "OK": OK,
        "refuse": _refuse,
        "bytes_of": BYTES_OF,
    }
    ready = [
        _ready(slots.get(param.name) or _extra_slot(param.name), param, space) for param in params
    ]
    arguments = ", ".join(map(_passed, params))
    choose = "" if full else _refusals(command.compiled.exclusive, everything)
    if full:
        given = " or ".join(_given(param) for param in everything[len(params) :])
        choose = CHOOSE.format(given=given, everything=", ".join(map(_passed, everything)))
    work = f"reply = body(self, {arguments})"
    if full and command.inline:
        work = indent(command.inline, " " * 12).strip()
    text = DOOR.format(
        work=work,
        guard="True" if command.waits else "self.guarded",
        arguments=arguments,
        name=command.method,
        signature=_signature(everything),
        ready=choose + "\n".join(filter(None, ready)) or "    # nothing to convert",
        values=", ".join([param.name for param in params]) + "," * bool(params),
        reply="decoded(reply)" if decode else "reply",
    )
    for param in everything:
        space["default_" + param.name] = param.default
    exec(compile(text, f"<door {command.name}>", "exec"), space)
    door: Callable[..., Any] = space[command.method]
    return door


def _refusals(exclusive: tuple[tuple[str, ...], ...], params: list[inspect.Parameter]) -> str:
    """The lines that refuse two alternatives of a bracket; one that is not given costs one test."""
    test = {param.name: _given(param) for param in params}
    return "".join(
        f"    if {test[one]} and ({' or '.join(test[other] for other in names[at + 1 :])}):\n"
        "        refuse()\n"
        for names in exclusive
        for at, one in enumerate(names[:-1])
    )


def _refuse() -> None:
    raise errors.error(errors.SYNTAX)


def _extra_slot(name: str) -> Slot:
    """An extra parameter is converted as an argument of its name; unknown names stay raw."""
    kind = kinds.KINDS.get(name)
    return Slot(name, "one" if kind else "raw", (kind,) if kind else (), optional=True)


def _signature(params: list[inspect.Parameter]) -> str:
    """The parameters of the door; a star before those that go by keyword alone."""
    declared = [_declared(param) for param in params]
    kinds_of = [param.kind for param in params]
    variadic = inspect.Parameter.VAR_POSITIONAL in kinds_of
    if not variadic and inspect.Parameter.KEYWORD_ONLY in kinds_of:
        declared.insert(kinds_of.index(inspect.Parameter.KEYWORD_ONLY), "*")
    return ", ".join(declared)


def _declared(param: inspect.Parameter) -> str:
    """The parameter as the door declares it."""
    if param.kind is inspect.Parameter.VAR_POSITIONAL:
        return "*" + param.name
    default = "" if param.default is inspect.Parameter.empty else f"=default_{param.name}"
    return param.name + default


def _given(param: inspect.Parameter) -> str:
    """The test whether an optional parameter has been given."""
    return param.name if param.default is False else f"{param.name} is not None"


def _passed(param: inspect.Parameter) -> str:
    """The parameter as the door passes it on."""
    if param.kind is inspect.Parameter.VAR_POSITIONAL:
        return "*" + param.name
    if param.kind is inspect.Parameter.KEYWORD_ONLY:
        return f"{param.name}={param.name}"
    return param.name


def _ready(slot: Slot, param: inspect.Parameter, space: dict[str, Any]) -> str:
    """The lines that convert one parameter; options that are not given cost one test."""
    name = param.name
    as_it_came = slot.shape in ("one", "pairs") and set(slot.kinds) == {kinds.RAW}
    if slot.shape in ("flag", "raw") or as_it_came:
        return ""
    space["ready_" + name] = slot.ready
    exact = slot.kinds[0].exact if slot.shape == "one" else None
    optional = slot.optional or (
        param.default is None and param.kind is not inspect.Parameter.VAR_POSITIONAL
    )
    lines = READY[exact].format(p=name)
    variadic = param.kind is inspect.Parameter.VAR_POSITIONAL
    if variadic and slot.shape == "many" and slot.kinds[0].convert is encode:
        lines = READY_MANY.format(p=name)
    if not optional and slot.nothing is not None:
        space["nothing_" + name] = slot.nothing
        lines += f"\n    if not {name}:\n        nothing_{name}()"
    if not optional:
        return lines
    return f"    if {name} is not None:\n    " + lines.replace("\n", "\n    ")
