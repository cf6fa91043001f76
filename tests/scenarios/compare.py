"""The comparison of two transcripts, and the replies of a real server that were recorded."""

from __future__ import annotations

import gzip
import json
from difflib import ndiff
from pathlib import Path
from typing import Protocol

from tests.scenarios.language import Run
from tests.scenarios.runner import Stage, Transcript, play

RECORDED = Path(__file__).with_name("recorded.json.gz")
TO_RECORD = "on a machine with redis-server 7.4 run: python -m tests.scenarios.report --record"


class StaleRecording(Exception):
    """There is no recorded reply to a scenario as it is now."""


class Source(Protocol):
    """Where the transcripts of Redis come from."""

    def transcript(self, run: Run) -> Transcript:
        """What Redis does with a scenario."""
        ...


class Live:
    """A real server."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._played: dict[Run, Transcript] = {}

    def transcript(self, run: Run) -> Transcript:
        if run not in self._played:
            self._played[run] = play(run, self.stage)
        return self._played[run]


class Recorded:
    """Transcripts of a real server, so that the tests run on a machine without one."""

    def __init__(self, path: Path = RECORDED) -> None:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            self.plays: dict[str, list[object]] = json.load(file)

    def fits(self, run: Run) -> bool:
        """Is there a reply to exactly this?"""
        return self.plays.get(run.name, [""])[0] == run.scenario.asked

    def transcript(self, run: Run) -> Transcript:
        if not self.fits(run):
            raise StaleRecording(f"no recorded reply to {run.name}; {TO_RECORD}")
        _, received = self.plays[run.name]
        assert isinstance(received, dict)
        return Transcript(received)


def save(plays: dict[Run, Transcript], path: Path = RECORDED) -> None:
    """Write transcripts; the same ones make the same bytes."""
    content = {run.name: [run.scenario.asked, plays[run].received] for run in plays}
    text = json.dumps(content, separators=(",", ":"))
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as file:
        file.write(text.encode())


def differences(run: Run, ours: Transcript, real: Transcript) -> list[str]:
    """What is not as it should be, as lines for people; none if all is well."""
    found = []
    for letter in sorted(ours.received.keys() | real.received.keys()):
        mine, theirs = ours.received.get(letter, []), real.received.get(letter, [])
        wanted = run.scenario.expected.get(letter, theirs)
        if mine != wanted:
            found.append(f"{letter} should have received (-), and received (+):")
            found += [f"    {line}" for line in ndiff(wanted, mine) if line[0] != "?"]
    return found


def outdated(run: Run, real: Transcript) -> list[str]:
    """Sessions for which the scenario permits a difference from a server that says the same."""
    return [
        letter
        for letter, wanted in run.scenario.expected.items()
        if real.received.get(letter) == wanted
    ]
