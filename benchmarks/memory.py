"""How much memory does a key take, compared with plain Python containers of the same bytes?

Each figure comes from a fresh process that builds one data set. One process measures the growth of
its resident memory, which includes what the allocator wastes; another one measures what Python
allocated (tracemalloc), which is exact and the same on every machine. The same keys and values go
into minidis and into plain containers.
"""

from __future__ import annotations

import gc
import json
import os
import random
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sortedcontainers import SortedList

import minidis
from benchmarks import picture
from benchmarks.measure import (
    Check,
    Options,
    Report,
    Table,
    clear_progress,
    options,
    progress,
    ratio,
)
from benchmarks.peers import running_server

LIMIT = 1.3
#: Elements in a quick run.
QUICK = 1_000
PLAIN, OURS = "plain", "minidis"
#: Resident memory, and what tracemalloc counts.
RESIDENT, TRACED = "resident", "allocated"


def pairs(count: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and random values of 64 bytes."""
    chance = random.Random(1)
    return ((b"key:%07d" % number, chance.randbytes(64)) for number in range(count))


def members(count: int) -> Iterator[bytes]:
    return (b"member:%07d" % number for number in range(count))


# The data sets, plain and ours. The caller measures while it holds what these functions return. ---


def plain_strings(count: int, dump: str) -> Any:
    return dict(pairs(count))


def our_strings(count: int, dump: str) -> Any:
    db = minidis.open()
    for key, value in pairs(count):
        db.set(key, value)
    return db


def our_loaded(count: int, dump: str) -> Any:
    return minidis.open(dump)


def our_indexed(count: int, dump: str) -> Any:
    db = our_strings(count, dump)
    db.randomkey()
    return db


def plain_expiring(count: int, dump: str) -> Any:
    values = dict(pairs(count))
    # the same key objects in both dictionaries
    return values, {key: 2 * 10**12 + at for at, key in enumerate(values)}


def our_expiring(count: int, dump: str) -> Any:
    db = minidis.open()
    for number, (key, value) in enumerate(pairs(count)):
        db.set(key, value, px=10**9 + number)
    return db


def plain_counters(count: int, dump: str) -> Any:
    return {key: 1_000 + number for number, (key, _) in enumerate(pairs(count))}


def our_counters(count: int, dump: str) -> Any:
    db = minidis.open()
    for number, (key, _) in enumerate(pairs(count)):
        db.set(key, 1_000 + number)
    return db


def plain_hashes(count: int, dump: str) -> Any:
    return {key: {b"f%d" % n: value for n in range(10)} for key, value in pairs(count // 10)}


def our_hashes(count: int, dump: str) -> Any:
    db = minidis.open()
    for key, value in pairs(count // 10):
        db.hset(key, mapping={b"f%d" % n: value for n in range(10)})
    return db


def plain_list(count: int, dump: str) -> Any:
    return list(members(count))


def our_list(count: int, dump: str) -> Any:
    db = minidis.open()
    for member in members(count):
        db.rpush("big", member)
    return db


def plain_set(count: int, dump: str) -> Any:
    return set(members(count))


def our_set(count: int, dump: str) -> Any:
    db = minidis.open()
    for member in members(count):
        db.sadd("big", member)
    return db


def plain_ordered(count: int, dump: str) -> Any:
    scores = {member: float(at) for at, member in enumerate(members(count))}
    return scores, SortedList((score, member) for member, score in scores.items())


def our_ordered(count: int, dump: str) -> Any:
    db = minidis.open()
    for at, member in enumerate(members(count)):
        db.zadd("big", {member: float(at)})
    db.zrange("big", 0, 0)
    return db


Build = Callable[[int, str], Any]
#: (plain or ours, resident or allocated) -> bytes per element.
Found = dict[tuple[str, str], float | None]


@dataclass(frozen=True, slots=True)
class Kind:
    """A data set, plain and ours, and its number of elements in a full run."""

    title: str
    plain: Build
    ours: Build
    limit: float | None = None
    count: int = 200_000


KINDS = (
    Kind("strings of 64 bytes", plain_strings, our_strings, LIMIT, 1_000_000),
    Kind("the same, loaded from a dump", plain_strings, our_loaded, LIMIT, 1_000_000),
    Kind("the same, after RANDOMKEY", plain_strings, our_indexed),
    Kind("strings that expire", plain_expiring, our_expiring),
    Kind("counters", plain_counters, our_counters),
    Kind("hashes of 10 fields, per field", plain_hashes, our_hashes),
    Kind("one list, per element", plain_list, our_list),
    Kind("one set, per member", plain_set, our_set),
    Kind("one sorted set, per member", plain_ordered, our_ordered),
)


# The processes ------------------------------------------------------------------------------------


def resident() -> int:
    """Resident memory of this process in bytes; 0 where the system does not report it."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def child(number: str, which: str, how: str, count: str, dump: str) -> None:
    """The main function of a child process: build one data set and print the memory it takes."""
    kind = KINDS[int(number)]
    build = kind.plain if which == PLAIN else kind.ours
    print(json.dumps(spent_on(build, how, int(count), dump)))


def spent_on(build: Build, how: str, count: int, dump: str) -> int:
    """Bytes that building the data set has added."""
    build(100, dump)  # caches and lazily built methods do not count
    gc.collect()
    if how == TRACED:
        tracemalloc.start()
    before = resident()
    kept = build(count, dump)
    gc.collect()
    spent = tracemalloc.get_traced_memory()[0] if how == TRACED else resident() - before
    tracemalloc.stop()
    del kept
    return spent


def bytes_of(kind: Kind, which: str, how: str, count: int, dump: str) -> float | None:
    """Bytes per element, measured by a child process; None where it cannot be measured."""
    words = ["child", str(KINDS.index(kind)), which, how, str(count), dump]
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory", *words],
        stdout=subprocess.PIPE,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    spent: int = json.loads(ran.stdout)
    return spent / count if spent > 0 else None


def write_dump(path: str, count: int) -> None:
    """Write the strings to an RDB file."""
    with minidis.open(path) as db:
        db.mset(dict(pairs(count)))
        db.save()


def server_bytes(dump: str, count: int) -> float | None:
    """Bytes that the real server reports (used_memory) for each key of the dump."""
    used = []
    for path in (None, Path(dump)):
        with running_server(dump=path) as server:
            client = server.client() if server else None
            if client is None:
                return None
            used.append(int(client.info("memory")["used_memory"]))
            client.close()
    return (used[1] - used[0]) / count


@dataclass(slots=True)
class Result:
    """Bytes per element of one kind."""

    kind: Kind
    found: Found

    def ratio(self, how: str) -> float | None:
        return ratio(self.found[OURS, how], self.found[PLAIN, how])


def measure(chosen: Options, dump: str) -> Iterator[Result]:
    """Measure each kind, plain and ours."""
    for kind in KINDS:
        progress(kind.title)
        yield Result(kind, quick_bytes(kind, dump) if chosen.quick else all_bytes(kind, dump))


def all_bytes(kind: Kind, dump: str) -> Found:
    """Resident and allocated memory, each in a process of its own."""
    return {
        (which, how): bytes_of(kind, which, how, kind.count, dump)
        for how in (RESIDENT, TRACED)
        for which in (PLAIN, OURS)
    }


def quick_bytes(kind: Kind, dump: str) -> Found:
    """Allocated memory of 1,000 elements, in this process; resident memory is too coarse."""
    return {
        **{(which, RESIDENT): None for which in (PLAIN, OURS)},
        (PLAIN, TRACED): spent_on(kind.plain, TRACED, QUICK, dump) / QUICK,
        (OURS, TRACED): spent_on(kind.ours, TRACED, QUICK, dump) / QUICK,
    }


def main() -> int:
    chosen = options(__doc__)
    report = Report("memory", "Memory compared with plain Python containers", chosen)
    columns = ["", "plain", "minidis", "ratio", "plain", "minidis", "ratio"]
    table = Table("Bytes per element: resident memory, then allocated by Python", columns)
    drawn = []
    with clear_progress(), tempfile.TemporaryDirectory(prefix="minidis-bench-") as directory:
        dump = os.path.join(directory, "dump.rdb")
        keys = QUICK if chosen.quick else KINDS[0].count
        write_dump(dump, keys)
        if (theirs := server_bytes(dump, keys)) is not None:
            text = f"the real server uses {theirs:.0f} bytes per key of the first kind"
            report.notes.append(text)
        for result in measure(chosen, dump):
            row: list[Any] = [result.kind.title]
            for how in (RESIDENT, TRACED):
                row += [result.found[PLAIN, how], result.found[OURS, how], result.ratio(how)]
                if result.kind.limit is not None:
                    what = f"{result.kind.title}, {how}, ours / plain"
                    report.checks.append(Check(what, result.ratio(how), result.kind.limit))
            table.rows.append(row)
            shown = result.ratio(RESIDENT) or result.ratio(TRACED) or 0.0
            drawn.append((result.kind.title, shown, result.kind.limit))
    report.tables = [table]
    return report.finish(picture.bars(report.title, drawn, "times the memory of plain Python"))


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        child(*sys.argv[2:])
    else:
        sys.exit(main())
