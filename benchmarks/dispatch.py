"""What does a call cost compared with a floor, and while others watch, block, track or monitor?

Every row divides two times. The first part compares typed calls with the floor of peers.py. The
others compare a SET with the same SET while other sessions, observers or monitors are attached,
queued calls with direct calls, restricted users with unrestricted ones, and the start of a program
with that of the same program on fakeredis.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from math import inf
from pathlib import Path
from time import perf_counter
from typing import Any

import minidis
from benchmarks import picture
from benchmarks.measure import (
    Candidate,
    Check,
    Options,
    Report,
    Table,
    clear_progress,
    duration,
    options,
    progress,
    ratio,
    side_by_side,
)
from benchmarks.peers import Floor, running_server
from benchmarks.server import our_server

ROOT = Path(__file__).resolve().parents[1]
KEYS = [f"key:{number}" for number in range(100)]
#: Where one of the candidates is slow: one run of its statement is to fit into a short turn.
FEW_KEYS = KEYS[:20]

#: Candidate -> seconds per call.
Times = dict[str, float]
#: A group of candidates that take turns. It leaves out what cannot be measured here.
Measure = Callable[[int, float], Times]


@dataclass(frozen=True, slots=True)
class Row:
    """Two candidates: the time of the first is at most `goal` times that of `base`."""

    name: str
    base: str
    goal: float
    #: the ratio when the goal was set
    before: str = "-"

    @property
    def label(self) -> str:
        """The two names; what they begin with in common stands there once."""
        return f"{self.name} / {self.base.removeprefix(f'{self.name}, ')}"


# Typed calls and the floor ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Call:
    """A statement that runs for each of a hundred keys, on the floor and on minidis."""

    name: str
    statement: str
    goal: float
    before: str
    #: runs once for each key, untimed
    prepare: str = "pass"
    calls: int = 1

    @property
    def row(self) -> Row:
        return Row(self.name, f"{self.name}, floor", self.goal, self.before)


CALLS = (
    Call("GET", "db.get(key)", 0.6, "1.1-1.5", "db.set(key, 'a value')"),
    Call("HGET", "db.hget('h', key)", 0.6, "1.1-1.5", "db.hset('h', key, 'a value')"),
    Call("SISMEMBER", "db.sismember('s', key)", 0.6, "1.1-1.5", "db.sadd('s', key)"),
    Call("ZSCORE", "db.zscore('z', key)", 0.6, "1.1-1.5", "db.zadd('z', {key: 1})"),
    Call("SET", "db.set(key, 'a value')", 1.25, "1.2-1.5"),
    Call("HSET", "db.hset('h', key, 'a value')", 1.25, "1.2-1.5"),
    Call("INCR", "db.incr(key)", 1.25, "1.2-1.5"),
    Call("SET EX", "db.set(key, 'a value', ex=100)", 2.0, "4.7"),
    Call("EXPIRE", "db.expire(key, 100)", 2.0, "4.1", "db.set(key, 'a value')"),
    Call("MGET of 10", "db.mget(*ten)", 1.3, "1.7", "db.set(key, 'a value')"),
    Call(
        "ZRANGEBYSCORE of 100",
        "db.zrangebyscore('z', 100, 199)",
        1.3,
        "1.7",
        "db.zadd('z', {f'{key}:{n}': 10 * int(key[4:]) + n for n in range(10)})",
    ),
    Call("LPUSH and LPOP", "db.lpush('l', key); db.lpop('l')", 1.3, "-", "db.lpush('l', key)", 2),
)


def measure_call(call: Call, rounds: int, seconds: float) -> Times:
    """One call of the table, minidis and the floor in turns."""
    turns = []
    for name, db in ((call.name, minidis.open()), (call.row.base, Floor())):
        space = {"db": db, "keys": KEYS, "ten": KEYS[:10]}
        exec(f"for key in keys:\n    {call.prepare}", dict(space))
        statement = f"for key in keys:\n    {call.statement}"
        turns.append(Candidate(name, statement, space, calls=call.calls * len(KEYS)))
    return side_by_side(turns, rounds=rounds, seconds=seconds)


# SET while something else is attached -------------------------------------------------------------

SETS = "for key in keys:\n    db.set(key, 'a value')"
OTHER = "another key"


class NotMeasured(Exception):
    """Something that a row needs does not exist here."""


def watched(db: Any) -> Iterator[None]:
    """Another session watches another key."""
    session = db.session()
    session.watch(OTHER)
    yield
    session.unwatch()


def blocked(db: Any) -> Iterator[None]:
    """A thread waits for an element of another key."""
    thread = threading.Thread(target=db.session().blpop, args=(OTHER,), kwargs={"timeout": 0})
    thread.start()
    while b" flags=b " not in db.client_list():
        time.sleep(0.001)
    yield
    db.rpush(OTHER, "an element")
    thread.join()


def tracked(db: Any) -> Iterator[None]:
    """A connection with CLIENT TRACKING has read another key."""
    db.set(OTHER, "the value to wait for")
    with db.serve("127.0.0.1:0") as server:
        host, _, port = server.address.rpartition(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(b"HELLO 3\r\nCLIENT TRACKING ON\r\nGET 'another key'\r\n")
            received = b""
            while b"the value to wait for" not in received:
                received += client.recv(4096)
            yield


def scanned(db: Any) -> Iterator[None]:
    """SCAN has built the index of the keys."""
    db.scan()
    yield


def drawn(db: Any) -> Iterator[None]:
    """RANDOMKEY has built the index of the keys."""
    db.randomkey()
    yield


class Recorder:
    """An observer that keeps what it is told: a journal without a file, which is written later."""

    def __init__(self) -> None:
        self.batches: list[Any] = []

    def unit_committed(self, batch: Any) -> None:
        self.batches.append(batch)
        if len(self.batches) > 10_000:
            self.batches.clear()


def attach_recorder(db: Any) -> None:
    """Attach an observer that receives the effects of every command."""
    db.engine.observers.attach(Recorder(), buffered=True)


def recorded(db: Any) -> Iterator[None]:
    """An observer records every effect."""
    attach_recorder(db)
    yield


def monitored(db: Any) -> Iterator[None]:
    """A monitor receives every command; its queue keeps the last hundred."""
    with db.monitor(limit=100, when_full="drop"):
        yield


Attach = Callable[[Any], Iterator[None]]

#: What is attached -> row.
ATTACHED: tuple[tuple[Attach, Row], ...] = (
    (watched, Row("SET, another key is watched", "SET alone", 1.3, "5.0")),
    (blocked, Row("SET, a call blocks on another key", "SET alone", 1.3, "5.0")),
    (tracked, Row("SET, another key is tracked", "SET alone", 1.3, "5.0")),
    (scanned, Row("SET after SCAN", "SET alone", 1.1, "2")),
    (drawn, Row("SET after RANDOMKEY", "SET alone", 1.1, "2")),
    (recorded, Row("SET, an observer records effects", "SET alone", 1.6)),
    (monitored, Row("SET, a client monitors", "SET alone", 12.0, "140")),
)


def measure_attached(rounds: int, seconds: float) -> Times:
    """SET on databases of their own, each with something attached; one with nothing."""
    with contextlib.ExitStack() as stack:
        turns = [Candidate("SET alone", SETS, filled(stack), calls=len(FEW_KEYS))]
        for attach, row in ATTACHED:
            space = filled(stack)
            manager: AbstractContextManager[None] = contextlib.contextmanager(attach)(space["db"])
            with contextlib.suppress(NotMeasured):
                stack.enter_context(manager)
                turns.append(Candidate(row.name, SETS, space, calls=len(FEW_KEYS)))
        return side_by_side(turns, rounds=rounds, seconds=seconds)


def filled(stack: contextlib.ExitStack) -> dict[str, Any]:
    """The names of a statement: a database that holds all keys, and the keys."""
    db = stack.enter_context(minidis.open())
    for key in FEW_KEYS:
        db.set(key, "a value")
    return {"db": db, "keys": FEW_KEYS}


# Queued calls -------------------------------------------------------------------------------------

PIPELINE = """
pipe = db.pipeline({})
for key in keys:
    pipe.set(key, 'a value')
pipe.execute()
"""
TRANSACTION = """
with db.transaction() as tx:
    for key in keys:
        tx.set(key, 'a value')
"""
#: Form -> statement, whose calls are queued.
PIPELINES = {
    "100 SETs, pipeline()": PIPELINE.format(""),
    "100 SETs, pipeline(transaction=False)": PIPELINE.format("transaction=False"),
}
TRANSACTIONS = {"5 SETs, transaction()": TRANSACTION, "5 SETs, pipeline()": PIPELINE.format("")}
THREAD, MAIN = ", other thread", ", main thread"

QUEUED = (
    *(Row(name, "100 SETs", 1.6, "5-6") for name in PIPELINES),
    *(Row(name + THREAD, "5 SETs" + THREAD, 2.5, "9") for name in TRANSACTIONS),
    *(Row(name + MAIN, "5 SETs" + MAIN, 5.0, "9-17") for name in TRANSACTIONS),
)


def measure_queued(
    forms: Mapping[str, str], keys: list[str], where: str, rounds: int, seconds: float
) -> Times:
    """Forms of queued calls, and the same calls one by one; seconds per call."""
    statements = {f"{len(keys)} SETs": SETS, **forms}
    turns = [
        Candidate(name + where, text, {"db": minidis.open(), "keys": keys}, calls=len(keys))
        for name, text in statements.items()
    ]
    return side_by_side(turns, rounds=rounds, seconds=seconds)


def measure_pipelines(rounds: int, seconds: float) -> Times:
    """Pipelines of 100 calls, run from the main thread."""
    return measure_queued(PIPELINES, KEYS, "", rounds, seconds)


def measure_transactions(rounds: int, seconds: float) -> Times:
    """Transactions of 5 calls, from another thread and from the main thread.

    In the main thread EXEC is handed to a worker, because KeyboardInterrupt is raised there.
    """
    measure = partial(measure_queued, TRANSACTIONS, KEYS[:5])
    with ThreadPoolExecutor(1) as pool:
        in_thread = pool.submit(measure, THREAD, rounds, seconds).result()
    return {**in_thread, **measure(MAIN, rounds, seconds)}


# A real server, and restricted users of ours ------------------------------------------------------

XADD = Row("XADD of one field", "XADD, redis-py and a server", 0.12, "0.28")


def measure_xadd(rounds: int, seconds: float) -> Times:
    """XADD here and, over a Unix socket, in a real server."""
    with running_server() as server:
        client = server.client() if server else None
        if client is None:
            return {}
        statement = "for key in keys:\n    db.xadd('s', {'field': 'a value'})"
        turns = [
            Candidate(name, statement, {"db": db, "keys": KEYS}, "db.delete('s')", len(KEYS))
            for name, db in ((XADD.name, minidis.open()), (XADD.base, client))
        ]
        return side_by_side(turns, rounds=rounds, seconds=seconds)


DEFAULT = "unrestricted user"
#: Candidate -> the rules of its user.
USERS = {
    "user ~app:* +@all -@dangerous": "~app:* +@all -@dangerous",
    "user ~* +get +set": "~* +get +set",
}
RESTRICTED = tuple(Row(name, DEFAULT, 1.7, "6") for name in USERS)
ALTERNATING = [line for key in FEW_KEYS for line in (f"SET app:{key} value", f"GET app:{key}")]


def measure_users(rounds: int, seconds: float) -> Times:
    """SET and GET, 40 in one pipeline to our server, from users with different permissions."""
    payload = "".join(f"{line}\r\n" for line in ALTERNATING).encode()
    size = len(FEW_KEYS) * len(b"+OK\r\n$5\r\nvalue\r\n")
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(our_server())
        turns: list[Candidate] = []
        for name, rules in {DEFAULT: "", **USERS}.items():
            client = stack.enter_context(socket.socket(socket.AF_UNIX))
            client.connect(server.socket)
            if rules:
                become_user(client, f"user{len(turns)}", rules)
            space = {"exchange": exchange, "client": client, "payload": payload, "size": size}
            statement = "exchange(client, payload, size)"
            turns.append(Candidate(name, statement, space, calls=len(ALTERNATING)))
        return side_by_side(turns, rounds=rounds, seconds=seconds)


def become_user(client: socket.socket, name: str, rules: str) -> None:
    """Create a user and authenticate as that user."""
    for line in (f"ACL SETUSER {name} on >password {rules}", f"AUTH {name} password"):
        client.sendall(f"{line}\r\n".encode())
        reply = client.recv(4096)
        if reply != b"+OK\r\n":
            raise RuntimeError(f"{line}: {reply!r}")


def exchange(client: socket.socket, payload: bytes, size: int) -> None:
    """Send commands, and read replies of `size` bytes in all."""
    client.sendall(payload)
    while size > 0:
        size -= len(client.recv(65536))


# The start of a program ---------------------------------------------------------------------------

PROGRAM = "import {0}; db = {1}; db.set('a', 1); db.get('a')"
START = Row("start, minidis", "start, fakeredis", 0.4, "0.9")
PROGRAMS = {
    START.name: PROGRAM.format("minidis", "minidis.open()"),
    START.base: PROGRAM.format("fakeredis", "fakeredis.FakeRedis()"),
    "start, Python alone": "pass",
}


class Python:
    """Runs this interpreter with a bytecode cache of its own, whatever the environment says."""

    def __init__(self, cache: str) -> None:
        self.environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache}
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def run(self, *words: str) -> str:
        """What it writes to stderr. It runs in the directory of the project."""
        ran = subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env=self.environment,
            check=True,
            stderr=subprocess.PIPE,
            text=True,
        )
        return ran.stderr


def measure_start(python: Python, rounds: int) -> Times:
    """Whole processes: import, open, the first SET and GET. The programs take turns."""
    programs = dict(PROGRAMS)
    if find_spec("fakeredis") is None:
        del programs[START.base]
    for program in programs.values():
        python.run("-c", program)  # fills the bytecode cache
    best = dict.fromkeys(programs, inf)
    for _ in range(rounds):
        for name, program in programs.items():
            started = perf_counter()
            python.run("-c", program)
            best[name] = min(best[name], perf_counter() - started)
    return best


def import_table(python: Python, rounds: int, most: int = 15) -> Table:
    """The modules whose own code takes longest at `import minidis`, without what they import."""
    modules: dict[str, float] = {}
    for _ in range(rounds):
        text = python.run("-X", "importtime", "-c", "import minidis")
        for name, spent in imported_modules(text).items():
            modules[name] = min(spent, modules.get(name, inf))
    total = sum(modules.values())
    table = Table(f"import minidis: {len(modules)} modules", ["", "own time", "part"])
    table.rows = [
        [name, duration(spent), f"{spent / total:.1%}"]
        for name, spent in sorted(modules.items(), key=lambda item: -item[1])[:most]
    ]
    return table


def imported_modules(text: str) -> dict[str, float]:
    """Module -> seconds of its own, of all that the import of minidis loads.

    Python writes a line for each module, after the lines of those that it imports, which are
    indented.
    """
    modules: dict[str, float] = {}
    for line in text.splitlines():
        own, _, name = line.removeprefix("import time:").split("|")
        if not own.strip().isdigit():  # the heading
            continue
        modules[name.strip()] = int(own) / 1e6
        if name[1:2] != " ":
            if name.strip() == "minidis":
                break
            modules.clear()
    return modules


# The report ---------------------------------------------------------------------------------------

GROUPS: tuple[Measure, ...] = (
    measure_attached,
    measure_pipelines,
    measure_transactions,
    measure_xadd,
    measure_users,
)
ROWS = (
    *(call.row for call in CALLS),
    *(row for _, row in ATTACHED),
    *QUEUED,
    XADD,
    *RESTRICTED,
    START,
)


def measure_calls(chosen: Options) -> Times:
    """All rows but the last, which is about processes.

    Many turns, shorter than a time slice of the system: on a busy machine some of them run without
    being preempted.
    """
    rounds, seconds = (2, 0.002) if chosen.quick else (120, 0.0025)
    times: Times = {}
    for call in CALLS:
        progress(call.name)
        times |= measure_call(call, rounds, seconds)
    for group in GROUPS:
        progress(group.__name__)
        times |= group(rounds, seconds)
    return times


def times_table(times: Times) -> Table:
    """Both times of each row, their ratio, and the ratio when the goal was set."""
    table = Table("Two times and their ratio", ["", "time", "base", "ratio", "before"])
    for row in ROWS:
        own, base = times.get(row.name), times.get(row.base)
        cells = [duration(own), duration(base), ratio(own, base), row.before]
        table.rows.append([row.label, *cells])
    return table


def main() -> int:
    chosen = options(__doc__)
    report = Report("dispatch", "Ratios of times, as a part of their limits", chosen)
    with clear_progress(), tempfile.TemporaryDirectory(prefix="minidis-bench-") as cache:
        times = measure_calls(chosen)
        progress("start")
        python = Python(cache)
        rounds = 1 if chosen.quick else 12
        times |= measure_start(python, rounds)
        report.tables = [times_table(times), import_table(python, rounds)]
    report.checks = [
        Check(row.label, ratio(times.get(row.name), times.get(row.base)), row.goal) for row in ROWS
    ]
    alone = times["start, Python alone"]
    report.notes.append(f"start: Python without any import takes {duration(alone)}")
    bars = [(row.name, one.ratio / row.goal, 1.0) for row, one in measured(report.checks)]
    return report.finish(picture.bars(report.title, bars, "ratio / limit; the mark is the limit"))


def measured(checks: list[Check]) -> Iterator[tuple[Row, Any]]:
    """Rows and their checks, but for those that could not be measured."""
    return ((row, one) for row, one in zip(ROWS, checks, strict=True) if one.ratio is not None)


if __name__ == "__main__":
    sys.exit(main())
