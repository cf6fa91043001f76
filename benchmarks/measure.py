"""Timing side by side, and what every benchmark prints and writes.

Only ratios count: the candidates take turns within one process and one run, so a slow phase of the
machine affects all of them, and the best turn of each is kept. timeit switches the garbage
collector off during each turn.

    side_by_side   times statements in turns: seconds per call
    Check          a ratio and its limit
    Report         tables, checks and a picture; it prints them and writes JSON and SVG
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import inf
from pathlib import Path
from timeit import Timer
from typing import Any

RESULTS = Path(__file__).with_name("results")

Cell = str | float | int | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A statement that makes `calls` calls; `setup` runs before every turn, untimed."""

    name: str
    statement: str
    space: Mapping[str, Any]
    setup: str = "pass"
    calls: int = 1
    #: how often the statement runs in a turn; None: as often as fits into the time of a turn
    loops: int | None = None


def side_by_side(
    candidates: Iterable[Candidate], *, rounds: int, seconds: float
) -> dict[str, float]:
    """Seconds per call of each candidate: the best of its turns, each about `seconds` long."""
    timers = [(one, Timer(one.statement, one.setup, globals=dict(one.space))) for one in candidates]
    loops = {one.name: one.loops or _loops(timer, seconds) for one, timer in timers}
    best = {one.name: inf for one, _ in timers}
    for _ in range(rounds):
        for one, timer in timers:
            taken = timer.timeit(loops[one.name]) / loops[one.name] / one.calls
            best[one.name] = min(best[one.name], taken)
    return best


def _loops(timer: Timer, seconds: float) -> int:
    """How often a statement runs in `seconds`. The first run is a warm-up."""
    timer.timeit(1)
    return max(1, int(seconds / max(timer.timeit(1), 1e-9)))


@dataclass(frozen=True, slots=True)
class Check:
    """A ratio and its limit: the largest allowed ratio, or with `at_least` the smallest."""

    what: str
    #: None: not measured
    ratio: float | None
    limit: float
    at_least: bool = False

    @property
    def verdict(self) -> str:
        """ok, over (the ratio misses its limit), or not measured."""
        if self.ratio is None:
            return "not measured"
        met = self.ratio >= self.limit if self.at_least else self.ratio <= self.limit
        return "ok" if met else "over"

    def cells(self) -> list[Cell]:
        """The row for the table of limits."""
        sign = "≥" if self.at_least else "≤"
        return [self.what, number(self.ratio), f"{sign} {self.limit:g}", self.verdict]


def ratio(value: float | None, base: float | None) -> float | None:
    """value / base; None when one of them was not measured."""
    return value / base if value is not None and base else None


@dataclass(slots=True)
class Table:
    """Rows under a heading."""

    title: str
    columns: list[str]
    rows: list[list[Cell]] = field(default_factory=list)

    def text(self) -> str:
        """The table as text: the first column is aligned left, the others right."""
        lines = [self.columns, *[[shown(cell) for cell in row] for row in self.rows]]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        aligned = ["  ".join(_aligned(line, widths)).rstrip() for line in lines]
        return "\n".join([self.title, "-" * len(self.title), *aligned])


def _aligned(line: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    for place, (cell, width) in enumerate(zip(line, widths, strict=True)):
        yield cell.rjust(width) if place else cell.ljust(width)


def shown(cell: Cell) -> str:
    """A cell as text."""
    if cell is None:
        return "-"
    return number(cell) if isinstance(cell, float) else str(cell)


def number(value: float | None) -> str:
    """A number as text, with at least three significant digits from 1 on."""
    if value is None:
        return "-"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def duration(seconds: float | None) -> str:
    """Seconds in the unit that fits: 320 ns, 41.0 µs, 1.25 s."""
    if seconds is None:
        return "-"
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{number(seconds / size)} {unit}"
    return f"{seconds / 1e-9:.0f} ns"


@dataclass(slots=True)
class Options:
    """The options of the command line."""

    quick: bool
    limits: bool
    out: Path


def options(question: str | None) -> Options:
    """Read the command line that all benchmarks share."""
    parser = argparse.ArgumentParser(description=question)
    parser.add_argument("--quick", action="store_true", help="small sizes and few repetitions")
    parser.add_argument(
        "--no-limits", action="store_true", help="exit with 0 even if a ratio misses its limit"
    )
    parser.add_argument("--out", type=Path, default=RESULTS, help="where to write JSON and SVG")
    words = parser.parse_args()
    return Options(words.quick, not words.no_limits, words.out)


@dataclass(slots=True)
class Report:
    """The result of one benchmark."""

    name: str
    title: str
    options: Options
    tables: list[Table] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def finish(self, picture: str) -> int:
        """Print the report, write both files, and return the exit status."""
        limits = Table("Limits", ["what", "ratio", "limit", ""])
        limits.rows = [check.cells() for check in self.checks]
        for table in (*self.tables, *([limits] if self.checks else [])):
            print(table.text(), end="\n\n")
        for note in self.notes:
            print(f"note: {note}")
        self._write(picture)
        over = [check for check in self.checks if check.verdict == "over"]
        print(f"{len(self.checks)} limits, {len(over)} over")
        return 1 if over and self.options.limits else 0

    def _write(self, picture: str) -> None:
        out = self.options.out
        out.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self._as_data(), indent=1, ensure_ascii=False)
        (out / f"{self.name}.json").write_text(text + "\n", encoding="utf-8")
        (out / f"{self.name}.svg").write_text(picture, encoding="utf-8")
        print(f"written: {out / self.name}.json, {self.name}.svg")

    def _as_data(self) -> dict[str, Any]:
        checks = [{**asdict(check), "verdict": check.verdict} for check in self.checks]
        return {
            "title": self.title,
            "quick": self.options.quick,
            "machine": machine(),
            "tables": [asdict(table) for table in self.tables],
            "limits": checks,
            "notes": self.notes,
        }


def machine() -> dict[str, Any]:
    """Python version, system and number of cores. Nothing here names the computer."""
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
    }


def progress(text: str) -> None:
    """Show a line that the next one overwrites, if stderr is a terminal."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


@contextlib.contextmanager
def clear_progress() -> Iterator[None]:
    """Clear the line of progress at the end of the block, also after an exception."""
    try:
        yield
    finally:
        progress("")
