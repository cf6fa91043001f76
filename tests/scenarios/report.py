"""Play scenarios and show what happens.

    python -m tests.scenarios.report                      transcripts of a real server
    python -m tests.scenarios.report BLPOP                those with this in their name
    python -m tests.scenarios.report --socket PATH ...    of the server that listens there
    python -m tests.scenarios.report --ours ...           of minidis
    python -m tests.scenarios.report --differences ...    where minidis differs
    python -m tests.scenarios.report --patience 0.2 ...   call it silence after 0.2 s, not 2 s
    python -m tests.scenarios.report --record             write recorded.json.gz again

Nothing is recorded if a scenario does not make sense on the real server.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager

from tests.oracle.server import RealServer
from tests.scenarios import runner
from tests.scenarios.compare import Live, differences, save
from tests.scenarios.language import Run, all_runs
from tests.scenarios.resp_server import our_server
from tests.scenarios.runner import Stage, Transcript, play


@contextmanager
def real_stage() -> Iterator[Stage]:
    """A real server for a while."""
    server = RealServer()
    try:
        with closing(Stage(server.path)) as stage:
            yield stage
    finally:
        server.stop()


@contextmanager
def stage_of(arguments: argparse.Namespace) -> Iterator[Stage]:
    """The stage that was asked for."""
    if arguments.socket:
        with closing(Stage(arguments.socket)) as stage:
            yield stage
        return
    with our_server() if arguments.ours else real_stage() as stage:
        yield stage


def tell(run: Run, transcript: Transcript) -> None:
    """Print a play."""
    print(f"# {run.name}")
    print("\n".join(transcript.story))
    print("data", *transcript.received["data"], "\n")


def record(runs: list[Run]) -> int:
    """Write the recording; nothing is written if a scenario does not make sense."""
    with real_stage() as stage:
        plays = {run: play(run, stage) for run in runs}
    troubled = {run.name: found for run in runs if (found := plays[run].troubles())}
    for name, found in troubled.items():
        print(name, *found, sep="\n    ")
    if not troubled:
        save(plays)
        print(f"{len(plays)} plays recorded")
    return len(troubled)


def compare(runs: list[Run]) -> int:
    """Both sides; print the differences."""
    count = 0
    with real_stage() as stage, our_server() as ours:
        real = Live(stage)
        for run in runs:
            if found := differences(run, play(run, ours), real.transcript(run)):
                count += 1
                print(f"# {run.name}", *found, "", sep="\n")
    print(f"{count} of {len(runs)} plays differ")
    return count


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Scenarios of several sessions.")
    parser.add_argument("parts", nargs="*", help="only scenarios with one of these in their name")
    for name in ("record", "ours", "differences"):
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--socket", help="path of a server that runs already")
    parser.add_argument("--patience", type=float, default=runner.PATIENCE, help="in seconds")
    arguments = parser.parse_args(words)
    runner.PATIENCE = arguments.patience
    parts = arguments.parts or [""]
    runs = [run for run in all_runs() if any(part in run.name for part in parts)]
    if arguments.record:
        return min(1, record(all_runs()))
    if arguments.differences:
        return min(1, compare(runs))
    with stage_of(arguments) as stage:
        for run in runs:
            tell(run, play(run, stage))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
