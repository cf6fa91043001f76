"""The documentation is true: its examples run as the pages say, and its maps are current."""

from __future__ import annotations

import ast
import doctest
import io
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import minidis
from repl.backend import LocalBackend
from repl.batch import FORMATS, Batch
from tests.module_map import PAGE, page

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "docs/api.md")

#: Minimum number of lines on each page whose comment states the result.
MINIMUM_RESULTS = {"README.md": 7, "docs/api.md": 0}


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.findall(r"^```(.*?)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [block for tag, block in found if tag == language]


def stated_result(line: str) -> str | None:
    """The result stated by the comment at the end of a line; None if the comment is prose."""
    comment = re.search(r"  # (.*)$", line)
    text = comment[1] if comment else ""
    for end in (len(text), text.find(": ")):
        try:
            ast.literal_eval(text[: max(end, 0)])
        except (SyntaxError, ValueError):
            continue
        return text[:end]
    return None


class RecordValues(ast.NodeTransformer):
    """Records the value of each expression statement, with its line."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr:
        note = ast.Name("note", ast.Load())
        return ast.Expr(ast.Call(note, [node.value, ast.Constant(node.end_lineno)], []))


def run_program(page: str, program: str, names: dict[str, Any]) -> int:
    """Run a program; return the number of lines whose result is as stated."""
    lines = program.splitlines()
    found: list[tuple[str, str]] = []

    def note(value: object, number: int) -> None:
        result = stated_result(lines[number - 1])
        if result is not None:
            found.append((repr(value), result))

    names["note"] = note
    tree = ast.fix_missing_locations(RecordValues().visit(ast.parse(program)))
    exec(compile(tree, page, "exec"), names)
    assert [value for value, _ in found] == [result for _, result in found]
    return len(found)


@pytest.mark.parametrize("page", PAGES)
def test_programs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The programs of a page share their names, from top to bottom."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    counts = [run_program(page, program, names) for program in blocks(page, "python")]
    assert sum(counts) >= MINIMUM_RESULTS[page]
    assert (tmp_path / "data/dump.rdb").exists()


@pytest.mark.parametrize(
    ("line", "result"),
    [
        ("db.get('a')  # b'1'", "b'1'"),
        ("db.pop()  # [b'q', b'1']: this one waits", "[b'q', b'1']"),
        ("db.get('a')  # an id made of the time", None),
        ("db.save()  # data/dump.rdb, as it is", None),
        ("db.get('a')", None),
    ],
)
def test_stated_results(line: str, result: str | None) -> None:
    assert stated_result(line) == result


def test_a_wrong_result_fails() -> None:
    with pytest.raises(AssertionError):
        run_program("", "1 + 1  # 3\n", {})


def test_shell() -> None:
    """Each command after a prompt prints what the page shows, all in one session."""
    typed = 0
    with minidis.open() as db:
        out, err = io.BytesIO(), io.StringIO()
        backend = LocalBackend(db)
        backend.name = "data"
        batch = Batch(backend, FORMATS["text"], out, err)
        for block in blocks("README.md", ""):
            for line, shown in re.findall(r"^(data.*?> .*\n)((?:(?!data).*\n)*)", block, re.M):
                prompt, _, command = line.partition("> ")
                assert prompt == ("data(TX)" if backend.transaction.open else "data")
                assert batch.run(command), err.getvalue()
                assert out.getvalue().decode() == shown
                out.seek(0)
                out.truncate()
                typed += 1
    assert typed >= 6


def test_console_sessions(db: minidis.Minidis[bytes]) -> None:
    text = "\n".join(blocks("docs/api.md", "pycon"))
    test = doctest.DocTestParser().get_doctest(text, {"db": db, "minidis": minidis}, "api", None, 0)
    output: list[str] = []
    results = doctest.DocTestRunner().run(test, out=output.append)
    assert results.failed == 0, "".join(output)
    assert results.attempted > 40


def test_the_list_of_modules_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tests.module_map`"
    modules = [path for name in ("minidis", "repl") for path in (ROOT / name).rglob("*.py")]
    named = Counter(re.findall(r"^\| `(\w+)`", page(), re.M))
    assert named == Counter(path.stem for path in modules if path.stem != "__init__")


def test_the_architecture_is_described_in_few_lines() -> None:
    """And every file that it names exists."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 200
    names = re.findall(r"`((?:minidis|repl|tests|benchmarks|docs)/[\w/.]*)`", text)
    names += [f"minidis/{name}" for name in re.findall(r"`(\w+/[\w/]+\.py)`", text)]
    missing = [
        name for name in names if not (ROOT / name).exists() and not (ROOT / name[8:]).exists()
    ]
    assert not missing
    assert len(names) > 20
