"""The benchmarks run and write their files. No test here depends on a time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import dispatch, growth, measure, picture

ROOT = Path(__file__).parents[1]
NAMES = ("hot_path", "growth", "snapshot", "memory", "server", "dispatch")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_runs_and_writes_its_files(name: str, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--quick", "--no-limits", "--out", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    data = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
    assert data["quick"] is True
    assert all(table["rows"] for table in data["tables"])
    assert {check["verdict"] for check in data["limits"]} <= {"ok", "over", "not measured"}
    drawn = ElementTree.parse(tmp_path / f"{name}.svg").getroot()
    assert drawn.tag.endswith("svg")


def test_every_command_with_a_size_is_measured() -> None:
    cases = list(growth.read_cases(growth.CASES.read_text(encoding="utf-8")))
    assert growth.unmeasured(cases) == []
    kinds = {case.kind for case in cases}
    assert kinds <= growth.CLASSES.keys() | {growth.FIRST}


@pytest.mark.parametrize(
    ("check", "verdict"),
    [
        (measure.Check("at its limit", 1.5, 1.5), "ok"),
        (measure.Check("beyond", 1.51, 1.5), "over"),
        (measure.Check("fast enough", 50.0, 50.0, at_least=True), "ok"),
        (measure.Check("too slow", 49.0, 50.0, at_least=True), "over"),
        (measure.Check("no server", None, 4.0), "not measured"),
    ],
)
def test_verdicts(check: measure.Check, verdict: str) -> None:
    assert check.verdict == verdict


@pytest.mark.parametrize(
    ("over", "limits", "status"), [(2.0, True, 1), (2.0, False, 0), (1, True, 0)]
)
def test_exit_status(over: float, limits: bool, status: int, tmp_path: Path) -> None:
    chosen = measure.Options(quick=True, limits=limits, out=tmp_path)
    report = measure.Report("name", "title", chosen, checks=[measure.Check("what", over, 1.0)])
    assert report.finish(picture.bars("title", [("what", over, 1.0)], "caption")) == status


def test_pictures_escape_their_labels() -> None:
    drawn = picture.bars("a < b & c", [("x < y", 1.0, None)], "caption")
    assert ElementTree.fromstring(drawn) is not None


def test_labels_say_what_two_names_share_once() -> None:
    assert dispatch.Row("GET", "GET, floor", 1.0).label == "GET / floor"
    assert dispatch.Row("SET after SCAN", "SET alone", 1.0).label == "SET after SCAN / SET alone"


IMPORTS = """\
import time: self [us] | cumulative | imported package
import time:       100 |        100 | encodings
import time:         7 |          7 |     re
import time:        40 |         47 |   minidis.errors
import time:        20 |         67 | minidis
import time:        99 |         99 | later
"""


def test_import_times_are_those_below_minidis() -> None:
    found = dispatch.imported_modules(IMPORTS)
    assert found == {"re": 7e-6, "minidis.errors": 40e-6, "minidis": 20e-6}
