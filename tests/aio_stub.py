"""Writes minidis/aio/commands.pyi: what the commands of the async classes take and answer.

    python -m tests.aio_stub

The signatures are those of the sync methods, overloads included. tests/aio/test_aio.py asserts that
the file is current.
"""

from __future__ import annotations

import ast
import inspect
import sys
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import minidis.aio.database  # fills COMMANDS
from minidis.aio.database import AsyncMinidis
from minidis.aio.methods import NOT_QUEUED
from minidis.aio.pipeline import AsyncPipeline
from minidis.grammar.command import COMMANDS, Command
from minidis.grammar.methods import public_signature

STUB = Path(minidis.aio.database.__file__).with_name("commands.pyi")
WIDTH = 100

#: Where the names in annotations come from, the first that has them.
SOURCES = ("collections.abc", "typing", "minidis.grammar.kinds", "minidis.replies")

HEADER = '''\
"""Written by `python -m tests.aio_stub` from the signatures of the sync classes."""

'''
AWAITED = '''\
class AsyncCommands(Generic[T]):
    """Every command as a coroutine function."""

    _session: Session[T]
'''
QUEUED = '''\
class QueuedCommands(Generic[T]):
    """Every command that a pipeline can queue."""

    _session: Session[T]
'''
CALL = '''\
class QueuedCall(AsyncPipeline[T], Generic[T, R]):
    """A pipeline to which a call has been added; or the answer, to be awaited, after watch()."""

    def __await__(self) -> Generator[Any, Any, R]: ...
'''


class Annotations(ast.NodeTransformer):
    """Rewrites annotations for one class with all commands, and remembers where names come from."""

    def __init__(self) -> None:
        self.imports: dict[str, set[str]] = {}
        self._hidden = {command.method for command in COMMANDS.values()}
        self._module = ""

    def text(self, annotation: str, module: str) -> str:
        """The annotation of a function in `module` as the stub needs it."""
        self._module = module
        return ast.unparse(self.visit(ast.parse(annotation, mode="eval")))

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        name = node.id
        if name in vars(sys.modules["builtins"]):
            if name not in self._hidden:
                return node
            self.imports.setdefault("", set()).add("builtins")
            return ast.Attribute(ast.Name("builtins"), name)
        self.imports.setdefault(self._source(name), set()).add(name)
        return node

    def _source(self, name: str) -> str:
        value = getattr(sys.modules[self._module], name)
        for source in SOURCES:
            if getattr(sys.modules[source], name, None) == value:
                return source
        return "minidis.commands.shared.group" if name == "T" else self._home(name)

    def _home(self, name: str) -> str:
        """The module that defines a name which others may have imported."""
        tree = ast.parse(inspect.getsource(sys.modules[self._module]))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and name in [alias.name for alias in node.names]:
                return str(node.module)
        return self._module


def stub() -> str:
    """The text of the file."""
    annotations = Annotations()
    awaited = [
        line
        for command in COMMANDS.values()
        if command.method not in vars(AsyncMinidis)
        for line in _methods(command, annotations, "async def", "{}", help=True)
    ]
    queued = [
        line
        for command in COMMANDS.values()
        if command.name not in NOT_QUEUED and command.method not in vars(AsyncPipeline)
        for line in _methods(command, annotations, "def", "QueuedCall[T, {}]")
    ]
    overloaded = any("@overload" in line for line in awaited + queued)
    parts = [
        AWAITED + "\n" + "\n".join(awaited),
        QUEUED + "\n" + "\n".join(queued),
        CALL.rstrip(),
    ]
    return HEADER + _imports(annotations, overloaded) + "\n" + "\n\n".join(parts) + "\n"


def _imports(annotations: Annotations, overloaded: bool) -> str:
    found = {module: set(names) for module, names in annotations.imports.items()}
    plain = sorted(found.pop("", ()))
    for module, names in {
        "collections.abc": {"Generator"},
        "typing": {"Any", "Generic", "TypeVar", *(["overload"] if overloaded else [])},
        "minidis.aio.pipeline": {"AsyncPipeline"},
        "minidis.commands.shared.group": {"T"},
        "minidis.api.session": {"Session"},
    }.items():
        found.setdefault(module, set()).update(names)
    ours = {module for module in found if module.startswith("minidis")}
    lines = [f"import {name}" for name in plain]
    lines += [_import(module, found[module]) for module in sorted(found.keys() - ours)]
    lines += ["", *(_import(module, found[module]) for module in sorted(ours))]
    return "\n".join(lines) + '\n\nR = TypeVar("R")\n'


def _import(module: str, names: set[str]) -> str:
    return f"from {module} import {', '.join(sorted(names))}"


def _methods(
    command: Command, annotations: Annotations, how: str, answer: str, *, help: bool = False
) -> Iterator[str]:
    """The lines of one method, or of its overloads."""
    variants = typing.get_overloads(command.body) or [command.body]
    for number, variant in enumerate(variants):
        if len(variants) > 1:
            yield "    @overload"
        helped = help and not number
        yield from _declaration(
            command, variant, annotations, how, answer, "" if helped else " ..."
        )
        if helped:
            yield f'        """{_summary(command)}"""'


def _declaration(
    command: Command,
    body: Callable[..., Any],
    annotations: Annotations,
    how: str,
    answer: str,
    rest: str,
) -> Iterator[str]:
    """One `def` in as few lines as a formatter would give it."""
    signature = public_signature(body)
    params = list(_params(signature, annotations, body.__module__))
    returned = answer.format(annotations.text(str(signature.return_annotation), body.__module__))
    begin, end = f"    {how} {command.method}(", f") -> {returned}:{rest}"
    whole = ", ".join(params)
    if len(begin + whole + end) <= WIDTH:
        yield begin + whole + end
        return
    yield begin
    if len(whole) + 8 <= WIDTH:
        yield " " * 8 + whole
    else:
        yield from (f"        {param}," for param in params)
    yield f"    {end}"


def _params(signature: inspect.Signature, annotations: Annotations, module: str) -> Iterator[str]:
    starred = False
    for param in signature.parameters.values():
        if param.kind is param.KEYWORD_ONLY and not starred:
            starred = True
            yield "*"
        if param.kind is param.VAR_POSITIONAL:
            starred = True
        yield _param(param, annotations, module)


def _param(param: inspect.Parameter, annotations: Annotations, module: str) -> str:
    if param.name == "self":
        return "self"
    star = "*" if param.kind is param.VAR_POSITIONAL else ""
    default = "" if param.default is param.empty else " = ..."
    return f"{star}{param.name}: {annotations.text(str(param.annotation), module)}{default}"


def _summary(command: Command) -> str:
    """What editors show: the first sentence of the help, if it fits in a line."""
    room = WIDTH - len(" " * 8 + '"' * 6)
    text = command.summary.split(". ")[0].rstrip(".:") + "."
    return (text if len(text) <= room else f"{command.name}: see its help.").replace("\\", "\\\\")


if __name__ == "__main__":
    STUB.write_text(stub(), encoding="utf-8")
    print(f"{STUB}: {len(stub().splitlines())} lines")
