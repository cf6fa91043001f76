"""Writes docs/modules.md: every module with the first sentence of its docstring, by package.

    python -m tests.module_map

tests/test_docs.py asserts that the file is current.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "modules.md"

#: The packages from the top layer to the lowest one. Subpackages follow their package.
PACKAGES = (
    "repl", "minidis/aio", "minidis/server", "minidis/api", "minidis/commands", "minidis/engine",
    "minidis/observers", "minidis/clients", "minidis/keyspace", "minidis/persistence",
    "minidis/acl", "minidis/protocol", "minidis/grammar", "minidis/structures", "minidis",
)  # fmt: skip

HEAD = """\
# Modules

Written by `python -m tests.module_map` from the docstrings of the modules. Packages are in the
order of the layers: a module imports from its own package and from those below it.
[architecture.md](architecture.md) explains how they work together.
"""


def page() -> str:
    """The whole text of docs/modules.md."""
    return HEAD + "".join(map(_section, _folders()))


def _folders() -> Iterator[Path]:
    for package in PACKAGES:
        folder = ROOT / package
        yield folder
        if package != "minidis":
            yield from sorted(path.parent for path in folder.glob("*/**/__init__.py"))


def _section(folder: Path) -> str:
    rows = "".join(
        f"| `{path.stem}` | {_summary(path)} |\n"
        for path in sorted(folder.glob("*.py"))
        if path.stem != "__init__"
    )
    name = folder.relative_to(ROOT).as_posix()
    head = f"\n## {name}\n\n{_summary(folder / '__init__.py')}\n"
    return head + (f"\n| module | purpose |\n|---|---|\n{rows}" if rows else "")


def _summary(path: Path) -> str:
    """The first sentence of the docstring of a module."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    paragraph = " ".join(text.split("\n\n")[0].split())
    sentence = re.match(r".+?\.(?= [A-Z]|$)", paragraph)
    if sentence is None:
        raise ValueError(f"{path}: the docstring must begin with a sentence")
    return sentence[0].replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE}: {page().count('| `')} modules")
