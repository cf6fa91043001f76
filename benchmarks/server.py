"""How many commands a second does the RESP server run, and what do idle clients cost?

redis-benchmark measures our server and redis-server in turns within one run, with 50 clients: GET
and SET, one command at a time (-P 1) and 16 at a time (-P 16), over the loopback interface and over
Unix sockets. Both servers share the processors with redis-benchmark. Then 1,000 clients connect to
our server and stay idle for two seconds.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks import picture
from benchmarks.measure import (
    Check,
    Report,
    Table,
    clear_progress,
    number,
    options,
    progress,
    ratio,
)
from benchmarks.peers import running_server

ROOT = Path(__file__).resolve().parents[1]
CLIENTS = 50
#: Tests of redis-benchmark.
COMMANDS = ("SET", "GET")
#: Commands sent at once -> the limit: our rate as a part of the real server's.
PIPELINES = {1: 0.50, 16: 0.20}
IDLE_CLIENTS = 1000
#: Limit for all idle clients: seconds of processor time in a second.
MOST_IDLE_TIME = 0.01

# Prints its addresses, and then, for each line of its input, the processor time it has used so far.
PROGRAM = """
import sys, time
import minidis
from minidis.server.resp_server import serve
db = minidis.open()
for address in sys.argv[1:]:
    print(serve(db, address).address, flush=True)
for line in sys.stdin:
    print(time.process_time(), flush=True)
db.close()
"""


class OurServer:
    """A process that serves a database in memory over TCP and over a Unix socket."""

    def __init__(self, directory: str) -> None:
        self.socket = os.path.join(directory, "minidis.sock")
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "127.0.0.1:0", f"unix:{self.socket}"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            self.port = int(self._line().rpartition(":")[2])
            self._line()
        except BaseException:
            self.stop()
            raise

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("our server did not start")
        return line

    def processor_time(self) -> float:
        """Seconds of processor time that the process has used so far."""
        assert self._process.stdin is not None
        print("?", file=self._process.stdin, flush=True)
        return float(self._line())

    def stop(self) -> None:
        """Close its input, which ends it."""
        self._process.communicate(timeout=10)


@contextlib.contextmanager
def our_server() -> Iterator[OurServer]:
    """Our server for the time of the block."""
    with tempfile.TemporaryDirectory(prefix="minidis-bench-") as directory:
        server = OurServer(directory)
        try:
            yield server
        finally:
            server.stop()


@dataclass(slots=True)
class Case:
    """A command, its pipeline length and medium, and the rates that were measured."""

    command: str
    pipeline: int
    medium: str
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)

    @property
    def label(self) -> str:
        return f"{self.command}, -P {self.pipeline}, {self.medium}"

    @property
    def ratio(self) -> float | None:
        """Our median rate as a part of the real server's."""
        return ratio(median(self.ours), median(self.theirs)) if self.theirs else None


def rate(case: Case, place: list[str], count: int) -> float:
    """Commands a second, as redis-benchmark reports them."""
    words = ["redis-benchmark", *place, "-c", str(CLIENTS), "-n", str(count), "-r", "10000"]
    words += ["-P", str(case.pipeline), "-t", case.command.lower(), "--csv"]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=120)
    return float(done.stdout.splitlines()[-1].split(",")[1].strip('"'))


def free_port() -> int:
    """A TCP port that is not in use."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def measure(ours: OurServer, count: int, rounds: int) -> list[Case]:
    """Measure all cases; the two servers take turns."""
    cases = [
        Case(command, pipeline, medium)
        for medium in ("TCP", "Unix")
        for pipeline in PIPELINES
        for command in COMMANDS
    ]
    port = free_port()
    with running_server("--port", str(port)) as real:
        for turn in range(rounds):
            for case in cases:
                progress(f"round {turn + 1}: {case.label}")
                place = ["-p", str(ours.port)] if case.medium == "TCP" else ["-s", ours.socket]
                amount = count * min(case.pipeline, 5)
                case.ours.append(rate(case, place, amount))
                if real is not None:
                    place = ["-p", str(port)] if case.medium == "TCP" else ["-s", real.socket]
                    case.theirs.append(rate(case, place, amount))
    return cases


def idle_time(ours: OurServer, clients: int, seconds: float) -> float:
    """Seconds of processor time that idle clients cost in a second."""
    with contextlib.ExitStack() as stack:
        for _ in range(clients):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", ours.port)))
            client.sendall(b"PING\r\n")
            if client.recv(64) != b"+PONG\r\n":
                raise RuntimeError("our server did not accept a client")
        before = ours.processor_time()
        time.sleep(seconds)
        return (ours.processor_time() - before) / seconds


def main() -> int:
    chosen = options(__doc__)
    count, rounds, clients = (2_000, 1, 50) if chosen.quick else (60_000, 5, IDLE_CLIENTS)
    report = Report("server", "Commands a second at the server", chosen)
    with clear_progress(), our_server() as ours:
        found = shutil.which("redis-benchmark") is not None
        cases = measure(ours, count, rounds) if found else []
        progress("idle clients")
        idle = idle_time(ours, clients, 0.2 if chosen.quick else 2.0)
    table = Table(f"{report.title} (medians of {rounds})", ["", "minidis", "real server", "ratio"])
    table.rows = [
        [
            case.label,
            number(median(case.ours)),
            number(median(case.theirs)) if case.theirs else None,
            case.ratio,
        ]
        for case in cases
    ]
    table.rows.append([f"{clients:,} idle clients: processor time", f"{idle:.2%}", "-", None])
    report.tables = [table]
    report.checks = [
        Check(f"{case.label}, ours / server", case.ratio, PIPELINES[case.pipeline], at_least=True)
        for case in cases
        if case.medium == "TCP"
    ]
    report.checks.append(
        Check(f"{clients:,} idle clients, seconds of processor time a second", idle, MOST_IDLE_TIME)
    )
    bars = [(case.label, case.ratio or 0.0, None) for case in cases]
    return report.finish(picture.bars(report.title, bars, "part of a real server's rate"))


if __name__ == "__main__":
    sys.exit(main())
