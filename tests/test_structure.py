"""Structure of the packages: layers, cycles of imports, lengths, and that every name has help."""

from __future__ import annotations

import ast
import dis
import inspect
import re
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

import minidis
from minidis import errors
from minidis.api.database import Minidis
from minidis.engine.engine import Engine
from minidis.grammar import syntax
from minidis.grammar.command import COLLECTION_GROUPS, COMMANDS, Command, command
from minidis.grammar.kinds import kind_of
from minidis.grammar.methods import public_signature
from minidis.grammar.syntax import SyntaxLineError

ROOT = Path(__file__).parent.parent
PACKAGES = ("minidis", "repl")

#: From the ground up: a module imports from its own layer and from those before it. `minidis` is
#: the public names, its __init__.py.
LAYERS = (
    *("errors", "clock", "replies", "version", "structures", "grammar", "protocol", "acl"),
    *("persistence", "keyspace", "clients", "observers", "engine", "scripting", "commands"),
    *("bundled", "api", "minidis", "replication", "server", "aio", "remote", "adapters"),
    *("recipes", "repl"),
)
LONGEST_FILE = 700
LONGEST_FUNCTION = 60
MEDIAN_FUNCTION = 7
#: So many pairs of files may import each other, within a package.
MUTUAL_IMPORTS = 3
ENGINE_ATTRIBUTES = 15


# imports ------------------------------------------------------------------------------------------


def files() -> dict[str, Path]:
    """Name of a module -> its file."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def modules() -> dict[str, ast.Module]:
    """Name of a module -> its syntax tree."""
    return {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in files().items()}


@cache
def imports() -> dict[str, set[str]]:
    """Module -> our modules that it imports: at its top, in a function, or for types alone."""
    return {name: set(imported(tree)) - {name} for name, tree in modules().items()}


def imported(tree: ast.Module) -> Iterator[str]:
    known = modules()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            inner = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if name in known else node.module for name in inner)


def layer_of(module: str) -> int:
    parts = module.split(".")
    return LAYERS.index(parts[0] if parts[0] != "minidis" or len(parts) == 1 else parts[1])


def test_imports_run_downward() -> None:
    upward = [
        f"{name} imports {target}"
        for name, targets in imports().items()
        for target in sorted(targets)
        if layer_of(target) > layer_of(name)
    ]
    assert not upward
    assert len(modules()) > 80


def test_every_import_is_seen() -> None:
    """None is relative; one of a name is one of the module that has it."""
    for name, tree in modules().items():
        for node in ast.walk(tree):
            assert not (isinstance(node, ast.ImportFrom) and node.level), name
    assert {"minidis.api.database", "minidis.errors"} <= imports()["minidis"]
    assert "minidis.errors" in imports()["minidis.grammar.parser"]


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The groups of modules of which each can be reached from each other one."""
    reached = {name: reachable(name, graph) for name in graph}
    groups = defaultdict(list)
    for name in graph:
        if name in reached[name]:
            group = frozenset(other for other in reached[name] if name in reached[other])
            groups[group].append(name)
    return list(groups.values())


def reachable(start: str, graph: dict[str, set[str]]) -> set[str]:
    """The modules that can be reached from this one by one step or more."""
    found: set[str] = set()
    left = list(graph[start])
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += graph[name]
    return found


def test_no_cycle() -> None:
    found = cycles(imports())
    large = [group for group in found if len(group) > 2]
    assert not large
    apart = [group for group in found if len({name.rpartition(".")[0] for name in group}) > 1]
    assert not apart
    assert len(found) <= MUTUAL_IMPORTS, found


def test_cycles_are_found() -> None:
    graph = {
        "a": {"b"},
        "b": {"c"},
        "c": {"b", "d"},
        "d": set(),
        "e": {"f"},
        "f": {"g"},
        "g": {"e"},
    }
    assert cycles(graph) == [["b", "c"], ["e", "f", "g"]]


def test_only_the_session_knows_prompt_toolkit() -> None:
    users = [
        path.name
        for path in files().values()
        if re.search(r"^\s*(import|from) prompt_toolkit", path.read_text(encoding="utf-8"), re.M)
    ]
    assert users == ["session.py"]


# sizes --------------------------------------------------------------------------------------------


def test_files_are_short() -> None:
    lengths = {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8").count("\n")
        for path in files().values()
    }
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def functions() -> dict[str, int]:
    """Lines of each function without its docstring and decorators."""
    found = {}
    for name, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                document = ast.get_docstring(node, clean=False)
                lines = (node.end_lineno or 0) - node.lineno + 1
                lines -= len(document.splitlines()) if document else 0
                found[f"{name}.{node.name}:{node.lineno}"] = lines
    return found


def test_functions_are_short() -> None:
    lengths = functions()
    assert statistics.median(lengths.values()) <= MEDIAN_FUNCTION
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}


def codes(code: CodeType) -> Iterator[CodeType]:
    """The code and that of its functions and classes."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


def uncovered_jumps(code: CodeType) -> list[int]:
    """Offsets of jumps back into the block of a `with` that its exit does not cover."""
    exits = {
        entry.target for entry in exception_entries(code) if is_exit_of_with(code, entry.target)
    }

    def exit_at(offset: int) -> int | None:
        found = [one for one in exception_entries(code) if one.start <= offset < one.end]
        return found[0].target if found and found[0].target in exits else None

    return [
        jump.offset
        for jump in dis.get_instructions(code)
        if jump.opname.startswith("JUMP_BACKWARD")
        and exit_at(jump.argval) is not None
        and exit_at(jump.offset) is None
    ]


def exception_entries(code: CodeType) -> list[Any]:
    return dis.Bytecode(code).exception_entries  # type: ignore[attr-defined, no-any-return]


def is_exit_of_with(code: CodeType, offset: int) -> bool:
    following = [one.opname for one in dis.get_instructions(code) if one.offset >= offset]
    return "WITH_EXCEPT_START" in following[:3]


LOOP = """
def loop(lock, items):
    with lock:
        for item in items:
            if item:
                break
"""


def test_no_jump_leaves_a_lock_held() -> None:
    """CPython 3.12 and 3.13 look for KeyboardInterrupt at a jump, and forget the exit of a `with`
    for the jump that ends a loop after an `if`."""
    [example] = [code for code in codes(compile(LOOP, "loop", "exec")) if code.co_name == "loop"]
    assert bool(uncovered_jumps(example)) is (sys.version_info[:2] in ((3, 12), (3, 13)))
    found = [
        f"{name}.{code.co_name}"
        for name, path in files().items()
        for code in codes(compile(path.read_text(encoding="utf-8"), str(path), "exec"))
        if "lock" in code.co_names and not code.co_flags & inspect.CO_COROUTINE
        if uncovered_jumps(code)
    ]
    assert not found


def attributes(value: object) -> set[str]:
    """Names that belong to this object alone, in a dictionary or in slots."""
    slots = {
        name
        for base in type(value).__mro__
        for name in vars(base).get("__slots__", ())
        if hasattr(value, name)
    }
    return slots | set(getattr(value, "__dict__", ()))


def test_the_engine_has_few_attributes(db: Minidis[bytes]) -> None:
    assert isinstance(db.engine, Engine)
    found = attributes(db.engine) - {"__weakref__"}
    assert len(found) < ENGINE_ATTRIBUTES, sorted(found)


# help ---------------------------------------------------------------------------------------------


def test_every_command_explains_itself() -> None:
    for known in COMMANDS.values():
        document = inspect.getdoc(known.body) or ""
        assert document.split("\n")[0].rstrip().endswith((".", ":", ",", "?")) or "." in document
        assert ">>>" in document, f"{known.name} has no example"
        assert known.summary


def test_every_public_name_explains_itself() -> None:
    for name, value in inspect.getmembers(Minidis):
        if not name.startswith("_") and callable(value):
            assert inspect.getdoc(value), f"Minidis.{name}"
    for name in minidis.__all__:
        value = getattr(minidis, name)
        assert inspect.getdoc(value if inspect.isclass(value) or callable(value) else type(value))


def test_every_command_is_a_method_with_its_own_signature() -> None:
    for known in COMMANDS.values():
        method = getattr(Minidis, known.method)
        assert inspect.signature(method) == public_signature(known.body)
        assert method.__doc__.startswith(known.body.__doc__)
        assert inspect.getdoc(method).endswith(f"Redis {known.since}: {known.line}")
    methods = [known.method for known in COMMANDS.values()]
    assert len(methods) == len(set(methods))


@pytest.mark.parametrize(
    ("line", "body"),
    [
        ("XTEST key value", lambda self, key: None),
        ("XTEST key", lambda self, key, value: None),
        ("XTEST key [NX]", lambda self, key, nx: None),
        ("XTEST key [key ...", lambda self, key: None),
        ("XTEST value [key ...]", lambda self, value, key: None),
    ],
)
def test_a_declaration_that_disagrees_with_its_line_fails(line: str, body: object) -> None:
    body.__doc__ = "Something."
    with pytest.raises(SyntaxLineError):
        command(line, group="string", since="1.0.0", complexity="O(1)")(body)  # type: ignore[type-var]
    assert "XTEST" not in COMMANDS


def test_what_help_says_of_other_types_is_true(db: Minidis[bytes]) -> None:
    db.set("text", "x")
    db.himport_prepare("1", "field")
    for known in COMMANDS.values():
        if known.group in COLLECTION_GROUPS and known.access:
            with pytest.raises(errors.WrongTypeError):
                db.execute(*known.name.split(), *_least_words(known))


def _least_words(known: Command) -> list[str]:
    """The shortest call, all of whose keys are `text`."""
    bound = "[a" if "LEX" in known.name else "1"
    words: list[str] = []
    for item in known.line.items:
        if not isinstance(item, syntax.Optional):
            words += syntax.words(item)[:1]
            words += [
                "text"
                if kind_of(name).offers == "key"
                else bound
                if name in ("min", "max")
                else "1"
                for name in syntax.arguments(item)
            ]
    return words


def test_groups_do_not_shadow_each_other() -> None:
    """All group classes are bases of one class: a helper's name belongs to one of them."""
    owners: dict[str, set[str]] = {}
    for base in Minidis.__mro__[1:]:
        if base.__module__.startswith("minidis.commands."):
            for name, value in vars(base).items():
                if inspect.isfunction(value):
                    owners.setdefault(name, set()).add(base.__name__)
    assert {name: found for name, found in owners.items() if len(found) > 1} == {}
    assert len(owners) > 150


def test_one_tree_of_errors() -> None:
    classes = [value for _, value in inspect.getmembers(errors, inspect.isclass)]
    assert all(issubclass(value, minidis.MinidisError) for value in classes)
    assert str(errors.WrongTypeError()).startswith("WRONGTYPE ")


#: Modules that may list commands by name, and why.
LISTS_OF_COMMANDS = {
    "repl.reply_shapes": "replies of other servers over RESP2, not ours",
    "repl.transaction_state": "follows MULTI and WATCH of any server: a branch for each command",
}


def _names_in(literal: ast.AST) -> set[str]:
    """Commands that a literal names: as items, as keys, in nested literals, in "GET SET MGET"."""
    if isinstance(literal, ast.Constant) and isinstance(literal.value, str):
        words = set(literal.value.split())
        return words if words <= COMMANDS.keys() else set()
    parts = literal.keys if isinstance(literal, ast.Dict) else getattr(literal, "elts", [])
    found: set[str] = set()
    for part in parts:
        if isinstance(part, ast.Constant) and isinstance(part.value, str | bytes):
            text = part.value.decode("latin-1") if isinstance(part.value, bytes) else part.value
            found |= {text} & COMMANDS.keys()
        elif isinstance(part, ast.expr):
            found |= _names_in(part)
    return found


def test_facts_about_commands_are_declared_with_them() -> None:
    """No table of command names beside the declarations: a new fact is a field of Facts."""
    tables = {
        f"{name}:{node.lineno}": sorted(_names_in(node))
        for name, tree in modules().items()
        if not name.startswith("minidis.commands.") and name not in LISTS_OF_COMMANDS
        for node in ast.walk(tree)
        if len(_names_in(node)) > 2
    }
    assert tables == {}


@pytest.mark.parametrize(
    "text",
    [
        'X = frozenset(("GET", "SET", "MGET"))',
        'X = {b"GET": 1, b"SET": 2, b"CONFIG GET": 3}',
        'X = dict.fromkeys([("GET", 1), ("SET", 2), ("DEL", 3)])',
        'X = "GET SET MGET".split()',
        'if name in {"GET", "SET", "DEL"}: pass',
    ],
)
def test_a_table_of_commands_is_found(text: str) -> None:
    assert any(len(_names_in(node)) > 2 for node in ast.walk(ast.parse(text)))
