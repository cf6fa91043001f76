"""Does any command grow faster than Redis documents, from 1,000 to 1,000,000 elements?

Every command that has a size runs on containers (or databases) of three sizes that are there at the
same time and take turns. What runs is the table in growth_cases.txt. A command of the registry that
is neither there nor excused below is an error: nothing is left out silently.
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
    duration,
    options,
    progress,
    quiet_end,
    side_by_side,
)
from minidis.grammar.command import COMMANDS

CASES = Path(__file__).with_name("growth_cases.txt")

Words = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Class:
    """How a cost may grow: by `law(sizes)`, times `slack` for caches.

    What a command meets lies in the processor's caches with 1,000 elements and comes from memory
    with 1,000,000. The slack is room for that, and far from what a mistake costs: O(n) where O(1)
    or O(log n) is promised multiplies a time by a thousand, and so does O(n*n) instead of O(n).
    For O(n), where every element comes from memory, the slack is what plain Python shows in the
    same run (see plain_slack), if that is more.
    """

    title: str
    law: Callable[[float, float], float]
    slack: float


CLASSES = {
    "1": Class("O(1)", lambda small, large: 1.0, 4.0),
    # log2 grows from 10 to 20; what is not search stays
    "log": Class("O(log n)", lambda small, large: log2(large) / log2(small), 3.0),
    # per element: objects lie in the caches or do not
    "n": Class("O(n)", lambda small, large: large / small, 6.0),
    "nlog": Class("O(n log n)", lambda s, large: large * log2(large) / (s * log2(s)), 6.0),
}
FIRST = "first"

#: Commands without a size, or whose size is not that of the data.
EXCUSED = {
    "LCS": "O(n*m) by its nature: nothing for a million bytes",
    "HIMPORT PREPARE": "its size is that of its arguments",
    "HIMPORT DISCARD": "no size",
    "HIMPORT DISCARDALL": "no size",
    "FLUSHDB": "empties what is measured",
    "FLUSHALL": "empties what is measured",
    "SAVE": "snapshot.py measures it",
    "LASTSAVE": "no size",
    "TIME": "no size",
    "OBJECT FREQ": "needs an LFU policy",
    "OBJECT HELP": "no size",
    "INFO": "no size",
    "MONITOR": "a connection's; its cost is that of the commands it shows",
    "SHUTDOWN": "ends the program",
    "WAIT": "waits for others",
    "WAITAOF": "waits for others",
    "XGROUP HELP": "no size",
    "XINFO HELP": "no size",
}
#: Groups of commands about the connection, the configuration and the commands themselves.
#: They work on callers, not on data; door.py measures the door.
EXCUSED_GROUPS = {"connection", "transactions", "pubsub"}
EXCUSED_PREFIXES = ("ACL", "CONFIG", "COMMAND", "DEBUG")

#: No turn makes more calls than this; none is much longer than this.
MOST_CALLS, TURN = 200, 0.01


@dataclass(frozen=True, slots=True)
class Case:
    """A line of the table."""

    container: str
    line: str
    kind: str
    back: str = ""
    before: str = ""

    @property
    def command(self) -> str:
        """Its name in the registry."""
        first, *rest = self.line.split()
        name = f"{first} {rest[0]}" if rest else first
        return name if name in COMMANDS else first


def read_cases(text: str) -> Iterator[Case]:
    """The table, line by line."""
    container = ""
    for line in text.splitlines():
        if line.startswith("["):
            container = line.strip("[]")
        elif line.strip() and not line.startswith("#"):
            yield Case(container, *[part.strip() for part in line.split("|")])


def unmeasured(cases: Sequence[Case]) -> list[str]:
    """Commands of the registry that are neither in the table nor excused."""
    covered = {case.command for case in cases} | EXCUSED.keys()
    return [
        name
        for name, command in COMMANDS.items()
        if name not in covered
        and command.group not in EXCUSED_GROUPS
        and name.split()[0] not in EXCUSED_PREFIXES
    ]


# Containers ---------------------------------------------------------------------------------------


def names(size: int) -> list[bytes]:
    """The members: equally long, in order, and not numbers."""
    return [b"m:%07d" % number for number in range(size)]


def build(container: str, size: int) -> minidis.Minidis[bytes]:
    """A database with the container, made by as few calls as possible."""
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
        # not in the order of their scores: that would be the easiest case for sorting
        shuffled = random.Random(1).sample(members, len(members))
        db.zadd(key, {member: int(member[2:]) for member in shuffled})
    elif container == "lex":
        db.zadd(key, dict.fromkeys(members, 0))
    elif container == "stream":
        for member in members:
            db.xadd(key, {"f": "v"}, int(member[2:]) or "0-1")  # there is no 0-0
        db.xgroup_create(key, "g", 0)
        while db.xreadgroup("g", "c", {key: ">"}, count=1000):
            pass  # all of it is pending
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
    #: what a placeholder stands for; filled once where it costs something
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
        """Calls that are not timed."""
        for line in text.split(";") if text else ():
            self.db.execute(*self.fill(line, number, reply))

    def turn(self, chance: random.Random) -> None:
        """Some calls; the best mean of all turns stays."""
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
        track.turn(random.Random(0))  # the first call: warms up, and shows how long one takes
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
    """Long calls need fewer repetitions."""
    if quick:
        return 2
    return 9 if seconds < 0.005 else 3 if seconds < 0.2 else 1


def measure_all(
    cases: Sequence[Case], sizes: Sequence[int], quick: bool
) -> list[tuple[Case, list[float]]]:
    """Every case; a container is there only as long as its cases run."""
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
    """How much more than n times the copy of a plain dictionary grows; 1 is exactly n times."""
    space = {size: {"source": dict.fromkeys(names(size), b"v")} for size in (sizes[0], sizes[-1])}
    best = side_by_side(
        [Candidate(str(size), "dict(source)", names) for size, names in space.items()],
        rounds=5,
        seconds=TURN,
    )
    small, large = best.values()
    return large / small * sizes[0] / sizes[-1]


# Telling ------------------------------------------------------------------------------------------


def allowed(kind: str, sizes: Sequence[int], plain: float) -> float:
    """The largest ratio of the times for the largest and the smallest size."""
    found = CLASSES[kind]
    slack = max(found.slack, plain) if kind.startswith("n") else found.slack
    return found.law(sizes[0], sizes[-1]) * slack


def labels(cases: Iterable[Case]) -> Iterator[str]:
    """A name for each; a line that comes a second time, after others, is "again"."""
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
        sys.exit(f"not in growth_cases.txt and not excused: {', '.join(missing)}")
    with quiet_end():
        plain = plain_slack(sizes)
        results = measure_all(cases, sizes, chosen.quick)
    report = Report("growth", f"Time per call from {sizes[0]:,} to {sizes[-1]:,} elements", chosen)
    columns = ["", *[f"{size:,}" for size in sizes], "ratio", "allowed", "class", ""]
    table = Table("Growth of every command that has a size", columns)
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
    text = f"copying a plain dictionary grows {plain:.1f} times as much as its size does"
    report.notes.append(f"{text}; O(n) and O(n log n) may grow so much too")
    series = [one.title for one in CLASSES.values()]
    over = [check.what for check in report.checks if check.verdict == "over"]
    return report.finish(picture.lines(report.title, drawn, sizes, series, duration, over))


if __name__ == "__main__":
    sys.exit(main())
