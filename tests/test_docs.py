"""The examples of README.md and docs/api.md run as they are written."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

import minidis

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "docs/api.md")


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES)
def test_programs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for program in blocks(page, "python"):
        exec(compile(program, page, "exec"), {})
    assert (tmp_path / "data/dump.rdb").exists()


def test_what_the_readme_promises_is_the_answer(db: minidis.Minidis[bytes]) -> None:
    [program] = blocks("README.md", "python")
    db.zadd("rank", {"ann": 3, "bob": 5})
    [(call, answer)] = re.findall(r"^ +db\.(zrange.*?)  # (.*)$", program, re.MULTILINE)
    assert repr(eval(f"db.{call}", {"db": db})) == answer


def test_dialogues(db: minidis.Minidis[bytes]) -> None:
    text = "\n".join(blocks("docs/api.md", "pycon"))
    test = doctest.DocTestParser().get_doctest(text, {"db": db, "minidis": minidis}, "api", None, 0)
    output: list[str] = []
    results = doctest.DocTestRunner().run(test, out=output.append)
    assert results.failed == 0, "".join(output)
    assert results.attempted > 15
