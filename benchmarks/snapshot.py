"""How long do a save and a load of 1,000,000 keys take, compared with redis-server?

Both save the same keys to the same file system (write, fsync, rename) and load the same file, with
compression and checksum. The load time of redis-server is the one in its log, without its start.
"""

from __future__ import annotations

import gc
import random
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from pathlib import Path
from time import perf_counter
from typing import Any

import minidis
from benchmarks import picture
from benchmarks.measure import (
    Check,
    Report,
    Table,
    clear_progress,
    duration,
    options,
    progress,
    ratio,
)
from benchmarks.peers import running_server

LOADED = re.compile(r"DB loaded from disk: ([0-9.]+) seconds")


@dataclass(frozen=True, slots=True)
class Kind:
    """The type of the values, and the limits of our times / the server's times."""

    title: str
    fill: Callable[[Any, int, random.Random], None]
    save_limit: float | None = None
    load_limit: float | None = None


def fill_random(db: Any, count: int, chance: random.Random) -> None:
    db.mset({b"key:%07d" % number: chance.randbytes(64) for number in range(count)})


def fill_compressible(db: Any, count: int, chance: random.Random) -> None:
    db.mset({b"key:%07d" % number: chance.randbytes(8) * 8 for number in range(count)})


def fill_hashes(db: Any, count: int, chance: random.Random) -> None:
    for number in range(count // 10):
        db.hset(
            b"key:%07d" % number,
            mapping={b"field:%d" % field: chance.randbytes(16) for field in range(10)},
        )


KINDS = (
    Kind("strings of 64 random bytes", fill_random, 4.0, 3.0),
    Kind("strings that LZF compresses", fill_compressible, 8.0, 8.0),
    Kind("hashes of 10 fields", fill_hashes),
)


@dataclass(slots=True)
class Times:
    """Best times in seconds, ours and the server's; inf: not measured."""

    our_save: float = inf
    our_load: float = inf
    save: float = inf
    load: float = inf


def timed(action: Callable[[], Any]) -> float:
    """Seconds of one run. Its result is freed before the next run."""
    gc.collect()
    started = perf_counter()
    made = action()
    spent = perf_counter() - started
    del made
    return spent


def measure(kind: Kind, count: int, rounds: int) -> Times:
    """Measure saves and loads; ours and the server's take turns."""
    times = Times()
    with tempfile.TemporaryDirectory(prefix="minidis-bench-") as directory:
        dump = Path(directory, "dump.rdb")
        with minidis.open(dump) as db:
            kind.fill(db, count, random.Random(1))
            db.save()
            measure_saves(db, dump, rounds, times)
            kept = db.dbsize()
        for _ in range(rounds):
            progress(f"{kind.title}: load")
            times.our_load = min(times.our_load, timed(lambda: loaded(dump, kept)))
            times.load = min(times.load, server_load(dump))
    return times


def loaded(dump: Path, keys: int) -> Any:
    """Open the dump; raise RuntimeError if keys are missing."""
    db = minidis.open(dump)
    if db.dbsize() != keys:
        raise RuntimeError("not all keys were loaded")
    return db


def measure_saves(db: Any, dump: Path, rounds: int, times: Times) -> None:
    """Measure our saves and, if redis-server is installed, its saves of the same keys."""
    with running_server(dump=dump) as server:
        for _ in range(rounds):
            progress("save")
            times.our_save = min(times.our_save, timed(db.save))
            if server is not None:
                times.save = min(times.save, timed(lambda: server.call(b"SAVE")))
        if server is not None and server.call(b"DBSIZE") != b":%d" % db.dbsize():
            raise RuntimeError("the server did not load all keys")


def server_load(dump: Path) -> float:
    """Seconds that the server reports for loading the dump."""
    with running_server(dump=dump) as server:
        if server is None:
            return inf
        found = LOADED.search(server.log.read_text(errors="replace"))
    if found is None:
        raise RuntimeError("the server's log has no load time")
    return max(float(found[1]), 0.001)  # the precision of its log


def main() -> int:
    chosen = options(__doc__)
    count, rounds = (2_000, 1) if chosen.quick else (1_000_000, 4)
    report = Report("snapshot", f"Save and load of {count:,} values", chosen)
    columns = ["", "minidis", "real server", "ratio"]
    table = Table(f"{report.title} (best of {rounds})", columns)
    drawn = []
    with clear_progress():
        for kind in KINDS:
            times = measure(kind, count, rounds)
            for what, ours, theirs, limit in (
                ("save", times.our_save, times.save, kind.save_limit),
                ("load", times.our_load, times.load, kind.load_limit),
            ):
                label = f"{what}, {kind.title}"
                other = None if theirs == inf else theirs
                times_theirs = ratio(ours, other)
                table.rows.append([label, duration(ours), duration(other), times_theirs])
                drawn.append((label, times_theirs or 0.0, limit))
                if limit is not None:
                    report.checks.append(Check(f"{label}, ours / server", times_theirs, limit))
    report.tables = [table]
    return report.finish(picture.bars(report.title, drawn, "times as long as a real server"))


if __name__ == "__main__":
    sys.exit(main())
