"""Does any command grow faster than Redis documents, from 1,000 to 1,000,000 elements?

Each command whose cost depends on a size runs on containers (or databases) of three sizes, which
take turns. The calls are listed in growth_cases.txt. A command of the registry that is neither in
that list nor excluded below is an error.
"""

from __future__ import annotations

import gc
import random
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf, log2
from pathlib import Path
from time import perf_counter
from typing import Any

import minidis
from benchmarks import picture
from benchmarks.measure import (
    Candidate,
    Cell,
    Check,
    Report,
    Table,
    clear_progress,
    duration,
    options,
    progress,
    side_by_side,
)
from minidis.grammar.command import COMMANDS

CASES = Path(__file__).with_name("growth_cases.txt")

Words = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Class:
    """How much a time may grow: `law(sizes)`, multiplied by `slack` for cache misses.

    1,000 elements fit into the processor's caches, 1,000,000 do not. The slack allows for that. It
    hides no error of a complexity class: O(n) in place of O(1) or O(log n), or O(n*n) in place of
    O(n), multiplies the time by 1,000. For O(n), which reads every element from memory, the slack
    is what copying a plain dictionary shows in the same run (see plain_slack), if that is more.
    """

    title: str
    law: Callable[[float, float], float]
    slack: float


CLASSES = {
    "1": Class("O(1)", lambda small, large: 1.0, 4.0),
    # log2(n) grows from 10 to 20; the rest of the call does not grow
    "log": Class("O(log n)", lambda small, large: log2(large) / log2(small), 3.0),
    # per element: cache misses
    "n": Class("O(n)", lambda small, large: large / small, 6.0),
    "nlog": Class("O(n log n)", lambda s, large: large * log2(large) / (s * log2(s)), 6.0),
}
FIRST = "first"

#: Commands whose cost does not depend on the size of the data.
EXCLUDED = {
    "LCS": "O(n*m): it would take too long on 1,000,000 bytes",
    "HIMPORT PREPARE": "depends on its arguments only",
    "HIMPORT DISCARD": "no size",
    "HIMPORT DISCARDALL": "no size",
    "FLUSHDB": "would empty the measured database",
    "FLUSHALL": "would empty the measured database",
    "SAVE": "measured by snapshot.py",
    "LASTSAVE": "no size",
    "TIME": "no size",
    "OBJECT FREQ": "needs an LFU policy",
    "OBJECT HELP": "no size",
    "INFO": "no size",
    "MONITOR": "for connections only; measured by dispatch.py",
    "SHUTDOWN": "ends the program",
    "WAIT": "waits for replicas",
    "WAITAOF": "waits for replicas",
    "XGROUP HELP": "no size",
    "XINFO HELP": "no size",
}
#: Commands about connections, configuration and the commands themselves.
#: Their cost does not depend on the data; server.py and dispatch.py measure connections.
EXCLUDED_GROUPS = {"connection", "transactions", "pubsub"}
EXCLUDED_PREFIXES = ("ACL", "CONFIG", "COMMAND", "DEBUG")

#: Limits of a turn: number of calls, seconds.
MOST_CALLS, TURN = 200, 0.01


@dataclass(frozen=True, slots=True)
class Case:
    """A line of growth_cases.txt."""

    container: str
    line: str
    kind: str
    back: str = ""
    before: str = ""

    @property
    def command(self) -> str:
        """The name of the command in the registry."""
        first, *rest = self.line.split()
        name = f"{first} {rest[0]}" if rest else first
        return name if name in COMMANDS else first


def read_cases(text: str) -> Iterator[Case]:
    """The cases in the text, line by line."""
    container = ""
    for line in text.splitlines():
        if line.startswith("["):
            container = line.strip("[]")
        elif line.strip() and not line.startswith("#"):
            yield Case(container, *[part.strip() for part in line.split("|")])


def unmeasured(cases: Sequence[Case]) -> list[str]:
    """Commands of the registry that are neither among the cases nor excluded."""
    covered = {case.command for case in cases} | EXCLUDED.keys()
    return [
        name
        for name, command in COMMANDS.items()
        if name not in covered
        and command.group not in EXCLUDED_GROUPS
        and name.split()[0] not in EXCLUDED_PREFIXES
    ]


# Containers ---------------------------------------------------------------------------------------


def names(size: int) -> list[bytes]:
    """The members: in order, of equal length, and not numbers."""
    return [b"m:%07d" % number for number in range(size)]


def build(container: str, size: int) -> minidis.Minidis[bytes]:
    """A database that holds the container."""
    db = minidis.open()
    every = names(size)
    for key, members in (("big", every), ("few", every[:: max(1, size // 10)])):
        _fill(db, container, key, members)
    return db


def _fill(db: Any, container: str, key: str, members: list[bytes]) -> None:
    if container == "text":
        db.set(key, b"x" * len(members))
    elif container == "list":
        db.rpush(key, *members)
    elif container == "hash":
        db.hset(key, mapping=dict.fromkeys(members, b"v"))
    elif container == "set":
        db.sadd(key, *members)
    elif container == "zset":
        # in random order: sorted scores would be the easiest case for sorting
        shuffled = random.Random(1).sample(members, len(members))
        db.zadd(key, {member: int(member[2:]) for member in shuffled})
    elif container == "lex":
        db.zadd(key, dict.fromkeys(members, 0))
    elif container == "stream":
        for member in members:
            db.xadd(key, {"f": "v"}, int(member[2:]) or "0-1")  # 0-0 is not a valid ID
        db.xgroup_create(key, "g", 0)
        while db.xreadgroup("g", "c", {key: ">"}, count=1000):
            pass  # all entries become pending
    elif key == "few":
        db.set(key, "v")
    elif container == "keys":
        db.mset(dict.fromkeys(members, b"v"))
    elif container == "expiring":
        chance = random.Random(1)
        for member in members:
            db.set(member, b"v", ex=chance.randrange(5_000, 50_000))


# Measuring ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Track:
    """A case on one size."""

    case: Case
    size: int
    db: Any
    best: float = inf
    calls: int = 1
    taken: int = 0
    #: placeholder -> its value, where computing it is expensive
    dumps: dict[str, bytes] = field(default_factory=dict)

    def fill(self, text: str, number: int, reply: Any = None) -> Words:
        """The words of a line, for the member with this number."""
        last = self.size - 1
        values = {
            **{"m": b"m:%07d" % number, "n": b"new:%d:%d" % (number, self.taken)},
            **{"i": b"%d" % number, "j": b"%d" % (number + 9)},
            **{"top": b"%d" % last, "last": b"m:%07d" % last},
            **self.dumps,
        }
        words: list[bytes] = []
        for word in text.split():
            if word == "{r}":
                words += flat(reply)
            elif word.startswith("{"):
                words.append(values[word[1:-1]])
            elif "{" in word:
                start, name = word.rstrip("}").split("{")
                words.append(start.encode() + values[name])
            else:
                words.append(word.encode())
        return tuple(words)

    def run(self, text: str, number: int, reply: Any = None) -> None:
        """Run calls that are not timed."""
        for line in text.split(";") if text else ():
            self.db.execute(*self.fill(line, number, reply))

    def turn(self, chance: random.Random) -> None:
        """Run some calls; keep the best mean of all turns."""
        numbers = chance.sample(range(self.size), min(self.calls, self.size // 2))
        self.taken += 1
        alone = not self.case.back and not self.case.before
        spent = self._together(numbers) if alone else self._one_by_one(numbers)
        self.best = min(self.best, spent / len(numbers))

    def _together(self, numbers: list[int]) -> float:
        lines = [self.fill(self.case.line, number) for number in numbers]
        execute = self.db.execute
        started = perf_counter()
        for line in lines:
            execute(*line)
        return perf_counter() - started

    def _one_by_one(self, numbers: list[int]) -> float:
        spent = 0.0
        execute = self.db.execute
        for number in numbers:
            self.run(self.case.before, number)
            line = self.fill(self.case.line, number)
            started = perf_counter()
            reply = execute(*line)
            spent += perf_counter() - started
            self.run(self.case.back, number, reply)
        return spent


def flat(reply: Any) -> list[bytes]:
    """The words of a reply."""
    if isinstance(reply, bytes):
        return [reply]
    return [word for part in reply for word in flat(part)]


def measure(case: Case, databases: dict[int, Any], quick: bool) -> list[float]:
    """Seconds per call for each size, taking turns."""
    tracks = [Track(case, size, db) for size, db in databases.items()]
    for track in tracks:
        for name, key in (("dump", "big"), ("small", "few")):
            if "{" + name + "}" in case.line:
                track.dumps[name] = track.db.execute("DUMP", key)
        track.turn(random.Random(0))  # a warm-up, which also shows how long a call takes
        if case.kind != FIRST:
            track.calls = max(1, min(MOST_CALLS, int(TURN / track.best)))
    if case.kind == FIRST:
        return [track.best for track in tracks]
    rounds = rounds_for(sum(track.best for track in tracks), quick)
    for track in tracks:
        track.best = inf
    chance = random.Random(case.line)
    for _ in range(rounds):
        for track in tracks:
            track.turn(chance)
    return [track.best for track in tracks]


def rounds_for(seconds: float, quick: bool) -> int:
    """Fewer repetitions for long calls."""
    if quick:
        return 2
    return 9 if seconds < 0.005 else 3 if seconds < 0.2 else 1


def measure_all(
    cases: Sequence[Case], sizes: Sequence[int], quick: bool
) -> list[tuple[Case, list[float]]]:
    """Measure all cases; a container exists only while its cases run."""
    results = []
    for container in dict.fromkeys(case.container for case in cases):
        progress(f"building {container}")
        databases = {size: build(container, size) for size in sizes}
        gc.collect()
        gc.disable()
        try:
            for case in cases:
                if case.container == container and case.command in COMMANDS:
                    progress(f"{container}: {case.line}")
                    results.append((case, measure(case, databases, quick)))
        finally:
            gc.enable()
    return results


def plain_slack(sizes: Sequence[int]) -> float:
    """Growth of the time to copy a plain dictionary, divided by the growth of its size."""
    space = {size: {"source": dict.fromkeys(names(size), b"v")} for size in (sizes[0], sizes[-1])}
    best = side_by_side(
        [Candidate(str(size), "dict(source)", names) for size, names in space.items()],
        rounds=5,
        seconds=TURN,
    )
    small, large = best.values()
    return large / small * sizes[0] / sizes[-1]


# The report ---------------------------------------------------------------------------------------


def allowed(kind: str, sizes: Sequence[int], plain: float) -> float:
    """The largest allowed ratio of the times for the largest and the smallest size."""
    found = CLASSES[kind]
    slack = max(found.slack, plain) if kind.startswith("n") else found.slack
    return found.law(sizes[0], sizes[-1]) * slack


def labels(cases: Iterable[Case]) -> Iterator[str]:
    """A label for each case; a line that is repeated is labelled "again"."""
    seen: set[str] = set()
    for case in cases:
        text = f"{case.container}: {case.line}"
        yield f"{text}, again" if text in seen else text
        if case.kind != FIRST:
            seen.add(text)


def main() -> int:
    chosen = options(__doc__)
    sizes = (100, 300, 1_000) if chosen.quick else (1_000, 31_000, 1_000_000)
    cases = list(read_cases(CASES.read_text(encoding="utf-8")))
    if missing := unmeasured(cases):
        sys.exit(f"not in growth_cases.txt and not excluded: {', '.join(missing)}")
    with clear_progress():
        plain = plain_slack(sizes)
        results = measure_all(cases, sizes, chosen.quick)
    report = Report("growth", f"Time per call from {sizes[0]:,} to {sizes[-1]:,} elements", chosen)
    columns = ["", *[f"{size:,}" for size in sizes], "ratio", "allowed", "class", ""]
    table = Table("Growth of the time of every command that depends on a size", columns)
    first = Table("The first call, which builds an order or an index", columns[:5])
    drawn = []
    for (case, times), label in zip(results, labels(case for case, _ in results), strict=True):
        row: list[Cell] = [label, *map(duration, times), times[-1] / times[0]]
        if case.kind == FIRST:
            first.rows.append(row)
            continue
        check = Check(label, times[-1] / times[0], allowed(case.kind, sizes, plain))
        report.checks.append(check)
        table.rows.append([*row, check.limit, CLASSES[case.kind].title, check.verdict])
        drawn.append((label, CLASSES[case.kind].title, times))
    report.tables = [table, first]
    text = f"the time to copy a plain dictionary grows {plain:.1f} times as much as its size"
    report.notes.append(f"{text}; the limits of O(n) and O(n log n) allow the same")
    series = [one.title for one in CLASSES.values()]
    over = [check.what for check in report.checks if check.verdict == "over"]
    return report.finish(picture.lines(report.title, drawn, sizes, series, duration, over))


if __name__ == "__main__":
    sys.exit(main())
