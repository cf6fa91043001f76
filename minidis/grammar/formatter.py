"""The formatter of a command: generated functions from arguments to words and to keys.

parse() converts words to the arguments of a body. These two functions go the other way, for the
journal, monitors, replicas and remote servers, and for tracking and permission checks:

    SET key value [NX | XX] [EX seconds]

    def of_any_call(key, value, nx=False, xx=False, ex=None):
        _words = [b'SET', key, value]
        if nx:
            _words += (b'NX',)
        if xx:
            _words += (b'XX',)
        if ex is not None:
            _words += (b'EX', _encode(_units(ex, 1000)),)
        return _words

The compiler collects a Part for each item of the line. The source is compiled on first use.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

from minidis.grammar.kinds import encode, pairs, units
from minidis.grammar.signature import POSITIONAL, Params, Required, declaration

#: (positional arguments of a body, its keyword arguments) -> words, or keys
CallFormatter: TypeAlias = Callable[[Any, dict[str, Any]], list[bytes]]
#: expressions, and the condition for them
Source: TypeAlias = tuple[str, str]

#: Milliseconds in the unit of an argument; a typed call may give it as a timedelta or datetime.
UNITS = {
    "seconds": 1000,
    "milliseconds": 1,
    "unix-time-seconds": 1000,
    "unix-time-milliseconds": 1,
}


class Part(NamedTuple):
    """Python source of some words of a call."""

    #: expressions with commas between them: "b'EX', encode(ex)", "*keys"
    words: str
    #: the keys among the words, written in the same way
    keys: str = ""
    #: the condition on which the words are written; "": always
    when: str = ""


def flat(values: Any) -> Iterator[bytes]:
    """Yield the words in nested arguments."""
    for value in values:
        if isinstance(value, Mapping):
            yield from flat(value.items())
        elif isinstance(value, (list, tuple)):
            yield from flat(value)
        elif value is not None:
            yield encode(value)


# No command has parameters of these names.
_HELPERS = {
    "_chain": chain.from_iterable,
    "_dict": dict,
    "_encode": encode,
    "_flat": flat,
    "_len": len,
    "_pairs": pairs,
    "_units": units,
}

_FUNCTIONS = """
def of_call(args, options):
{short}    return of_any_call(*args, **options)

def of_any_call({signature}):
{body}
"""

# Most calls have the required arguments alone, and keys depend on few parameters. Unpacking these
# is cheaper than a second call.
_SHORT = """\
    if {usual}:
        {names}, = args[:{count}]
        return [{words}]
"""


def make_formatter(parts: Iterable[Part], params: Params) -> CallFormatter:
    """Return the function that formats a call."""
    sources = [(part.words, part.when) for part in parts]
    required = [name for name, param in params.items() if param.default is Required]
    usual = f"len(args) == {len(required)} and not options"
    return _compiled(sources, params, _short(sources, required, usual, params))


def make_keys(parts: Iterable[Part], params: Params) -> CallFormatter:
    """Return the function that lists the keys of a call, in the order of its words."""
    sources = [(part.keys, part.when) for part in parts if part.keys]
    mentioned = " ".join(source + " " + when for source, when in sources)
    names = list(params)
    last = max((at for at, name in enumerate(names, 1) if _mentions(mentioned, name)), default=0)
    usual = f"len(args) >= {last}"
    return _compiled(sources, params, _short(sources, names[:last], usual, params))


def _compiled(sources: list[Source], params: Params, short: str) -> CallFormatter:
    """Compile the functions for a signature."""
    text = _FUNCTIONS.format(
        short=short,
        signature=declaration(params, lambda param: repr(param.default)),
        body=_body(sources),
    )
    space: dict[str, Any] = dict(_HELPERS)
    exec(compile(text, "<format>", "exec"), space)
    found: CallFormatter = space["of_call"]
    return found


def _body(sources: list[Source]) -> str:
    """Return the statements; the words before the first condition start the list."""
    front = []
    while sources and not sources[0][1]:
        front.append(sources[0][0])
        sources = sources[1:]
    if not sources:
        return f"    return [{', '.join(front)}]"
    lines = [f"    _words = [{', '.join(front)}]"]
    for words, when in sources:
        lines.append(f"    if {when}:" if when else "    if True:")
        lines.append(f"        _words += ({words},)")
    return "\n".join([*lines, "    return _words"])


def _short(sources: list[Source], names: list[str], usual: str, params: Params) -> str:
    """Return the lines for calls with these parameters alone; "" if other parameters matter."""
    always = ", ".join(words for words, when in sources if not when)
    conditions = " ".join(when for _, when in sources)
    others = [name for name in params if name not in names]
    positional = (params[name].kind is POSITIONAL for name in names)
    if (
        not names
        or not all(positional)
        or any(_mentions(conditions, name) for name in names)
        or any(_mentions(always, name) for name in others)
    ):
        return ""
    return _SHORT.format(usual=usual, names=", ".join(names), count=len(names), words=always)


def _mentions(source: str, name: str) -> bool:
    return re.search(rf"\b{name}\b", source) is not None
