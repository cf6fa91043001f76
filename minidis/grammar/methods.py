"""The methods of the typed API, generated from one template for each command.

    db.zadd("k", {"a": 1})      arguments are converted to bytes and numbers, then the body runs

A generated method has the parameters of its body. It converts what it is given, takes the lock and
runs the body as one unit of work (METHOD below).
"""

from __future__ import annotations

import functools
import itertools
import linecache
import re
import sys
from collections.abc import Callable, Container
from typing import TYPE_CHECKING, Any

from minidis import errors
from minidis.grammar import kinds
from minidis.grammar.command import COLLECTION_GROUPS, Command, Shortcut
from minidis.grammar.kinds import encode
from minidis.grammar.signature import KEYWORD, POSITIONAL, VARIADIC, Param, Required, declaration
from minidis.grammar.slots import Parameter
from minidis.replies import OK, decoded

if TYPE_CHECKING:
    import inspect

#: What stands before the lines of a docstring; 3.13 takes it away.
INDENT = "" if sys.version_info >= (3, 13) else "        "

# A call converts its arguments, takes the lock, clears the cached time and runs the body as a unit
# of work. A body that changes something in more than one step has saved in the undo log how to put
# it back; rollback() does so after any exception (an error reply, KeyboardInterrupt, MemoryError),
# and is repeated after a second one. Dispatcher.run() has the same lines for all other callers. A
# session with checks or followers, and a command that may block, take the slow path.
METHOD = """
def {name}(self, {signature}):
{convert}{unlocked}
    unit = self.direct_unit
    if {guard}:
        reply = self.call_typed(command, {arguments})
        return {reply}
    with unit.lock:
        try:{direct}
            unit.time = 0{begin}
            reply = body(self, {arguments})
            if unit.pending:
                self.engine.commit(command, self, ({args}), {options})
        except BaseException as error:
            try:
                self.engine.rollback(error, ({args}{options}))
            except BaseException:
                self.engine.rollback(error, ({args}{options}))
                raise
            raise
    return {reply}
"""

# The method of a pipeline: the call is queued, unless the pipeline makes its calls at once.
QUEUED = """
def {name}(self, {signature}):
{convert}
    queue = self.client.queue
    if queue is None or self.over:
        reply = self.call_typed(command, {arguments})
        return {reply}
    queue.append((command, ({args}), {options}, None))
    return self
"""

# A read of one look-up needs no lock, unless a change of several steps is running (unit.version).
# `self.reads` is the unit, or a stand-in without version while the session has checks. Adding to
# the counter is safe: CPython switches threads at calls and backward jumps only.
UNLOCKED = """
    unit = self.reads
    version = unit.version
    if version is not None:
        space = self.space
{lines}"""
HIT = """if unit.version is version:
    space.hits += 1
    return {reply}"""

# A change that readers could see in between: they take the lock meanwhile.
BEGIN = """
            unit.version = None
            unit.pending = True"""

# A command with options has two methods. The usual call has none of them, and is not to pay for
# what it does not use: it goes through the one above with the required arguments alone.
CHOOSE = """    if {given}:
        return full_method(self, {everything})
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

# *keys: a list among them, and other rarities, take the slow conversion.
READY_MANY = """    try:
        {p} = (
            [{p}[0].encode()]
            if len({p}) == 1 and {p}[0].__class__ is str
            else [
                item if item.__class__ is bytes else bytes_of[item.__class__](item) for item in {p}
            ]
        )
    except (KeyError, UnicodeEncodeError):
        {p} = ready_{p}({p})"""

# A mapping of texts: pairs, and other rarities, take the slow conversion.
READY_PAIRS = """    try:
        if {p}.__class__ is not dict:
            raise KeyError
        {p} = [
            (bytes_of[one.__class__](one), bytes_of[two.__class__](two))
            for one, two in {p}.items()
        ]
    except (KeyError, UnicodeEncodeError):
        {p} = ready_{p}({p})"""
BYTES_OF: dict[type, Callable[[Any], bytes]] = {
    bytes: bytes,
    str: str.encode,
    int: b"%d".__mod__,
    float: encode,
}


NO_SHORTCUT = Shortcut("")
#: They tell the sources of one command apart.
NUMBERS = itertools.count()


class LazyMethod:
    """Stands for a method until it is first used: most programs use few commands."""

    def __init__(
        self, command: Command, owner: type[Any], *, decode: bool, queued: bool = False
    ) -> None:
        self.command = command
        self.owner = owner
        self.decode = decode
        self.queued = queued

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        method = build_method(self.command, decode=self.decode, queued=self.queued)
        setattr(self.owner, self.command.method, method)
        return method if instance is None else getattr(instance, self.command.method)


def build_method(command: Command, *, decode: bool, queued: bool = False) -> Callable[..., Any]:
    """Build the function that callers of the typed API use."""
    params = list(command.params.values())
    template = QUEUED if queued else METHOD
    build = functools.partial(_compile_method, command, template, params, decode, None)
    for shortcut in reversed(command.shortcuts or _default_shortcuts(command, params)):
        build = functools.partial(
            _compile_method, command, template, params, decode, build, shortcut
        )
    method = functools.wraps(command.body)(build())
    if "_option_error" in command.params:  # the others have the signature of the body
        method.__signature__ = public_signature(command.body)  # type: ignore[attr-defined]
    # The declaration knows the last lines of the manual page.
    last = f"{command.complexity}. Since Redis {command.since}: {command.line}"
    if command.group in COLLECTION_GROUPS and command.access:
        kind = command.group.replace("-", " ")
        last = f"A missing key is an empty {kind}; WrongTypeError for another type.\n{INDENT}{last}"
    method.__doc__ = f"{command.body.__doc__}\n{INDENT}{last}\n{INDENT}"
    return method


def _default_shortcuts(command: Command, params: list[Param]) -> tuple[Shortcut, ...]:
    """One for the call without options, unless it would not spare any test."""
    needed = [param for param in params if param.default is Required and param.kind is POSITIONAL]
    optional = params[len(needed) :]
    required = {slot.param for slot in command.compiled.parameters if not slot.optional}
    usual = required.isdisjoint(param.name for param in optional)
    if needed and optional and usual and all(map(_is_plain_option, optional)):
        return (Shortcut(" ".join(param.name for param in needed)),)
    return ()


def public_signature(body: Callable[..., Any]) -> inspect.Signature:
    """Return the signature without `_option_error`, which only the parser passes on."""
    import inspect  # heavy, and most programs ask for no signature

    whole = inspect.signature(body)
    kept = [param for param in whole.parameters.values() if param.name != "_option_error"]
    return whole.replace(parameters=kept)


def _is_plain_option(param: Param) -> bool:
    """Whether one test of the parameter tells that it is left out."""
    return param.default is None or param.default is False or param.default == 1


def _compile_method(
    command: Command,
    template: str,
    everything: list[Param],
    decode: bool,
    full: Callable[[], Callable[..., Any]] | None,
    shortcut: Shortcut = NO_SHORTCUT,
) -> Callable[..., Any]:
    """One method; that of a shortcut passes calls with more parameters on to the one of full()."""
    names = shortcut.params.replace("[", "").replace("]", "").split()
    params = [param for param in everything if full is None or param.name in names]
    may_miss = {name for name in names if f"[{name}]" in shortcut.params}
    space: dict[str, Any] = vars(sys.modules[command.body.__module__]) | {
        "body": shortcut.body or command.body,
        "command": command,
        "encode": encode,
        "decoded": decoded,
        "OK": OK,
        "NO_OPTIONS": {},
        "conflict": _conflict,
        "bytes_of": BYTES_OF,
    }
    space |= {"default_" + param.name: param.default for param in everything}
    if full is not None:
        space["full_method"] = _deferred(full, space)
    begins = command.multi_step and shortcut.body is None
    arguments = ", ".join(map(_passed, params))
    reply = "decoded(reply)" if decode else "reply"
    text = template.format(
        name=command.method,
        signature=declaration(
            {param.name: param for param in everything}, lambda param: f"default_{param.name}"
        ),
        convert=_conversions(command, params, everything, space, full, may_miss)
        or "    # nothing to convert",
        guard="True" if command.waits else "unit is None",
        arguments=arguments,
        args="".join(f"{_passed(param)}, " for param in params if not _is_keyword(param)),
        options=_options(params),
        unlocked=_unlocked(command, reply),
        direct=_indented(shortcut.direct.strip().replace("{reply}", reply), 12),
        begin=BEGIN if begins else "",
        reply=reply,
    )
    return _executed(text, command, space)


def _unlocked(command: Command, reply: str) -> str:
    """The lines that read without the lock, if the command has such."""
    if not command.unlocked:
        return ""
    hit = HIT.format(reply=reply)
    # After each `reply = ...` the version is compared, and the hit counted.
    lines = re.sub(
        r"^( *)reply = .*$",
        lambda found: found[0] + "\n" + _indented(hit, len(found[1])).lstrip("\n"),
        command.unlocked.strip("\n"),
        flags=re.MULTILINE,
    )
    return UNLOCKED.format(lines=_indented(lines, 8).lstrip("\n"))


def _indented(lines: str, width: int) -> str:
    """Lines of source with so many blanks more, each after a line end; "" for none."""
    return "".join(f"\n{' ' * width}{line}" for line in lines.splitlines())


def _deferred(build: Callable[[], Callable[..., Any]], space: dict[str, Any]) -> Callable[..., Any]:
    """A function that is compiled when it is first called: most calls have no options."""

    def full_method(*args: Any, **options: Any) -> Any:
        method = space["full_method"] = build()
        return method(*args, **options)

    return full_method


def _executed(text: str, command: Command, space: dict[str, Any]) -> Callable[..., Any]:
    """The function that the source text defines; tracebacks and debuggers show the text."""
    name = f"<minidis {command.name} {next(NUMBERS)}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    exec(compile(text, name, "exec"), space)
    method: Callable[..., Any] = space[command.method]
    return method


def _conversions(
    command: Command,
    params: list[Param],
    everything: list[Param],
    space: dict[str, Any],
    full: Callable[[], Callable[..., Any]] | None,
    may_miss: Container[str],
) -> str:
    """The lines before the lock: conflicts between options, and every argument converted."""
    known = {parameter.param: parameter for parameter in command.compiled.parameters}
    lines = [
        _conversion(
            known.get(param.name) or _extra_parameter(param.name),
            param,
            space,
            given=full is not None and param.name not in may_miss,
        )
        for param in params
    ]
    if full is None:
        first = _conflict_tests(command.compiled.exclusive, everything)
    else:
        tests = [_given(param) for param in everything if param not in params]
        tests += [
            f"{one.name} is None"
            for one in params
            if one.default is not Required and one.kind is POSITIONAL and one.name not in may_miss
        ]
        everything_passed = ", ".join(map(_passed, everything))
        given = " or ".join(tests)
        first = CHOOSE.format(given=given, everything=everything_passed) if tests else ""
    return first + "\n".join(filter(None, lines))


def _is_keyword(param: Param) -> bool:
    return param.kind is KEYWORD


def _options(params: list[Param]) -> str:
    """The keyword arguments of the body, as the source of a dict."""
    names = [param.name for param in params if _is_keyword(param)]
    return "{" + ", ".join(f"{name!r}: {name}" for name in names) + "}" if names else "NO_OPTIONS"


def _conflict_tests(exclusive: tuple[tuple[str, ...], ...], params: list[Param]) -> str:
    """Return the lines that reject two alternatives of a bracket in one call."""
    test = {param.name: _given(param) for param in params}
    return "".join(
        f"    if {test[one]} and ({' or '.join(test[other] for other in names[at + 1 :])}):\n"
        "        conflict()\n"
        for names in exclusive
        for at, one in enumerate(names[:-1])
    )


def _conflict() -> None:
    raise errors.error(errors.SYNTAX)


def _extra_parameter(name: str) -> Parameter:
    """An extra parameter is converted as an argument of its name; unknown names stay raw."""
    kind = kinds.KINDS.get(name)
    return Parameter(name, "one" if kind else "raw", (kind,) if kind else (), optional=True)


def _given(param: Param) -> str:
    """The test whether an optional parameter has been given."""
    if param.default is False:
        return param.name
    return f"{param.name} {'is not' if param.default is None else '!='} {param.default!r}"


def _passed(param: Param) -> str:
    """Return the argument that passes a parameter on to the body."""
    if param.kind is VARIADIC:
        return "*" + param.name
    if param.kind is KEYWORD:
        return f"{param.name}={param.name}"
    return param.name


def _conversion(slot: Parameter, param: Param, space: dict[str, Any], *, given: bool) -> str:
    """The lines that convert one parameter; options that are not given cost one test.

    given: the method has tested that it is not None.
    """
    name = param.name
    as_it_came = slot.shape in ("one", "pairs") and set(slot.kinds) == {kinds.RAW}
    if slot.shape in ("flag", "raw") or as_it_came:
        return ""
    space["ready_" + name] = slot.ready
    exact = slot.kinds[0].exact if slot.shape == "one" else None
    optional = slot.optional or (param.default is None and param.kind is not VARIADIC)
    lines = READY[exact].format(p=name)
    variadic = param.kind is VARIADIC
    if variadic and slot.shape == "many" and slot.kinds[0].convert is encode:
        lines = READY_MANY.format(p=name)
    if (
        slot.shape == "pairs"
        and not slot.swapped
        and {kind.convert for kind in slot.kinds} == {encode}
    ):
        lines = READY_PAIRS.format(p=name)
    if not optional and slot.on_empty is not None:
        space["nothing_" + name] = slot.on_empty
        lines += f"\n    if not {name}:\n        nothing_{name}()"
    if given or not optional:
        return lines
    return f"    if {name} is not None:\n    " + lines.replace("\n", "\n    ")
