"""Runs every docstring example, each with a fresh database called `db`."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import minidis
import repl


def examples() -> list[doctest.DocTest]:
    found = []
    finder = doctest.DocTestFinder(exclude_empty=True)
    for package in (minidis, repl):
        for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if info.name.endswith("__main__"):
                continue
            module = importlib.import_module(info.name)
            found += [test for test in finder.find(module, info.name) if test.examples]
    found += [test for test in finder.find(minidis, "minidis") if test.examples]
    unique = {(test.filename, test.lineno, test.name): test for test in found}
    return list(unique.values())


@pytest.mark.parametrize("example", examples(), ids=lambda test: test.name)
def test_example(example: doctest.DocTest) -> None:
    with minidis.open() as db:
        example.globs = {**example.globs, "db": db, "minidis": minidis}
        runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
        output: list[str] = []
        results = runner.run(example, out=output.append)
    assert results.failed == 0, "".join(output)
    assert results.attempted > 0


def test_examples_are_found() -> None:
    assert len(examples()) > 150
