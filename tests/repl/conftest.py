"""Reading the tables of tests/tables."""

from __future__ import annotations

from pathlib import Path

import pytest

TABLES = Path(__file__).resolve().parent.parent / "tables"


def rows(name: str, bar: str = "¦") -> list[tuple[str, str]]:
    """The rows of a table of two columns; ¶ becomes a line end."""
    found = []
    for line in (TABLES / name).read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            left, _, right = line.partition(bar)
            found.append((left.replace("¶", "\n"), right))
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`@pytest.mark.table("hints.txt")` gives a test each row as `typed` and `expected`."""
    mark = metafunc.definition.get_closest_marker("table")
    if mark is not None:
        found = rows(*mark.args)
        metafunc.parametrize(("typed", "expected"), found, ids=[repr(left) for left, _ in found])


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "table(name): run for each row of tests/tables/name")
