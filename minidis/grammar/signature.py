"""The parameters of a body, read from its code: the module `inspect` takes long to import."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

POSITIONAL, VARIADIC, KEYWORD = "positional", "*variadic", "keyword only"

_HAS_VARIADIC = 4  # inspect.CO_VARARGS


class Required:
    """The default of a parameter that has none."""


class Param(NamedTuple):
    """One parameter of a body."""

    name: str
    kind: str
    default: Any = Required


Params: TypeAlias = Mapping[str, Param]


def parameters_of(body: Callable[..., Any]) -> dict[str, Param]:
    """The parameters without self.

    >>> parameters_of(lambda self, key, *members, nx=False: None)["nx"]
    Param(name='nx', kind='keyword only', default=False)
    """
    code = body.__code__
    first, last = code.co_argcount, code.co_argcount + code.co_kwonlyargcount
    defaults, keywords = body.__defaults__ or (), body.__kwdefaults__ or {}
    padded = (Required,) * (first - len(defaults)) + defaults
    found = [Param(code.co_varnames[at], POSITIONAL, padded[at]) for at in range(1, first)]
    if code.co_flags & _HAS_VARIADIC:
        found.append(Param(code.co_varnames[last], VARIADIC))
    names = code.co_varnames[first:last]
    found += [Param(name, KEYWORD, keywords.get(name, Required)) for name in names]
    return {param.name: param for param in found}


def declaration(params: Params, default: Callable[[Param], str]) -> str:
    """The parameters as Python source; `default` writes the default of one."""
    kinds = [param.kind for param in params.values()]
    declared = [
        ("*" if param.kind is VARIADIC else "")
        + param.name
        + ("" if param.default is Required else f"={default(param)}")
        for param in params.values()
    ]
    if KEYWORD in kinds and VARIADIC not in kinds:
        declared.insert(kinds.index(KEYWORD), "*")
    return ", ".join(declared)
