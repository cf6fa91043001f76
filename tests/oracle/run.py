"""The comparison itself: the same scenarios to both sides, answer by answer, data by data.

    source      a real server, or what one answered when it was recorded
    batch       scenarios under one name; the unit of recording
    outcome     one compared command: equal, permitted (with the name of the difference), or open

After every compared command DEBUG DIGEST of both sides shows whether the data is the same, too.
"""

from __future__ import annotations

import gzip
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha1
from pathlib import Path
from random import Random
from typing import Any, Protocol

import minidis
from minidis.errors import MinidisError
from minidis.grammar.command import COMMANDS
from tests.oracle import wire
from tests.oracle.cases import Scenario
from tests.oracle.facts import in_scope
from tests.oracle.permitted import CRASH, NEWER_WORDS, Case, Difference, permission
from tests.oracle.resp import Error, Reply, Words
from tests.oracle.server import RealServer
from tests.oracle.servers import BASELINE, KINDS, NoServer

RECORDED = Path(__file__).with_name("recorded.json.gz")
FRESH: tuple[Words, ...] = ((b"SELECT", b"0"), (b"FLUSHALL",))
DIGEST: Words = (b"DEBUG", b"DIGEST")
#: Digits of a digest that are recorded: enough to tell two contents apart, and little to keep.
RECORDED_DIGITS = 8
#: Commands in one pipeline to the server.
PIPELINE = 5000

EQUAL, OPEN = "equal", "OPEN"


@dataclass(frozen=True)
class Answer:
    """A reply and the digest of all data after it."""

    reply: Reply
    digest: str


@dataclass(frozen=True)
class Outcome:
    """One compared command."""

    name: str
    scenario: Scenario
    place: int
    ours: Answer
    real: Answer
    verdict: str
    counts: bool = True

    @property
    def words(self) -> Words:
        return self.scenario.commands[self.place]


@dataclass
class Batch:
    """Scenarios that are asked, recorded and reported together."""

    name: str
    scenarios: Sequence[Scenario]
    protocol: int = 3

    @property
    def asked(self) -> str:
        """Fingerprint of all words: recorded answers are of use only for the same questions."""
        text = repr([(tuple(s.commands), s.setup) for s in self.scenarios])
        return sha1(text.encode(), usedforsecurity=False).hexdigest()


class Source(Protocol):
    """Where the answers of Redis come from."""

    def started(self) -> int:
        """When the server was started, more or less, in milliseconds since 1970."""
        ...

    def moment(self, batch: Batch) -> int:
        """When the answers are given."""
        ...

    def answers(self, batch: Batch) -> list[list[Answer]]:
        """For each scenario, the answers to its compared commands."""
        ...


# a real server ------------------------------------------------------------------------------------


class Live:
    """Asks a real server."""

    def __init__(self, server: RealServer) -> None:
        self.server = server
        # Expired keys are deleted when they are accessed, on both sides; never in between.
        server.execute("DEBUG", "SET-ACTIVE-EXPIRE", 0)

        self._started = self.now()

    @staticmethod
    def now() -> int:
        return time.time_ns() // 1_000_000

    def started(self) -> int:
        return self._started

    def moment(self, batch: Batch) -> int:
        return self.now()

    def answers(self, batch: Batch) -> list[list[Answer]]:
        answers: list[list[Answer]] = []
        commands: list[Words] = []
        waiting: list[Scenario] = []
        for scenario in batch.scenarios:
            waiting.append(scenario)
            commands += _questions(scenario)
            if len(commands) >= PIPELINE:
                answers += self._ask(waiting, commands, batch.protocol)
                commands, waiting = [], []
        return answers + self._ask(waiting, commands, batch.protocol)

    def _ask(
        self, scenarios: list[Scenario], commands: list[Words], protocol: int
    ) -> list[list[Answer]]:
        replies = iter(self.server.ask(commands, protocol))
        answers = []
        for scenario in scenarios:
            for _ in range(len(FRESH) + scenario.setup):
                next(replies)
            answers.append(
                [Answer(next(replies), next(replies)) for _ in scenario.commands[scenario.setup :]]
            )
        return answers


def _questions(scenario: Scenario) -> list[Words]:
    commands = [*FRESH, *scenario.commands[: scenario.setup]]
    for words in scenario.commands[scenario.setup :]:
        commands += [words, DIGEST]
    return commands


# recorded answers ---------------------------------------------------------------------------------


class StaleRecording(Exception):
    """The recorded answers belong to other questions."""


@dataclass
class Recorded:
    """Answers that a real server gave once, so that the tests run on a machine without one."""

    replies: list[Any] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path = RECORDED) -> Recorded:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            return cls(**json.load(file))

    def save(self, path: Path = RECORDED) -> None:
        """Write all batches; the same answers make the same bytes."""
        content = {"replies": self.replies, "digests": self.digests, "batches": self.batches}
        text = json.dumps(content, separators=(",", ":"))
        with open(path, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as file:
            file.write(text.encode())

    def fits(self, batch: Batch) -> bool:
        """Are there answers to exactly these questions?"""
        entry = self.batches.get(batch.name)
        return entry is not None and entry["asked"] == batch.asked

    def started(self) -> int:
        return min(int(entry["moment"]) for entry in self.batches.values())

    def moment(self, batch: Batch) -> int:
        return int(self._entry(batch)["moment"])

    def _entry(self, batch: Batch) -> dict[str, Any]:
        if not self.fits(batch):
            raise StaleRecording(
                f"there are no recorded answers to {batch.name} as it is now; on a machine with "
                "redis-server 7.4 run: python -m tests.oracle.report --record"
            )
        return self.batches[batch.name]

    def answers(self, batch: Batch) -> list[list[Answer]]:
        numbers = iter(self._entry(batch)["answers"])
        return [
            [
                Answer(wire.from_json(self.replies[next(numbers)]), self.digests[next(numbers)])
                for _ in scenario.commands[scenario.setup :]
            ]
            for scenario in batch.scenarios
        ]


class Recorder:
    """Passes on the answers of a server and remembers them."""

    def __init__(self, source: Live) -> None:
        self.source = source
        self.recorded = Recorded()
        self._replies: dict[str, int] = {}
        self._digests: dict[str, int] = {}

    def started(self) -> int:
        return self.source.started()

    def moment(self, batch: Batch) -> int:
        return self.source.moment(batch)

    def answers(self, batch: Batch) -> list[list[Answer]]:
        moment = self.moment(batch)
        answers = self.source.answers(batch)
        numbers = []
        for answer in (answer for scenario in answers for answer in scenario):
            text = json.dumps(wire.to_json(answer.reply))
            numbers.append(self._replies.setdefault(text, len(self._replies)))
            digest = answer.digest[:RECORDED_DIGITS]
            numbers.append(self._digests.setdefault(digest, len(self._digests)))
        self.recorded.batches[batch.name] = {
            "asked": batch.asked,
            "moment": moment,
            "answers": numbers,
        }
        return answers

    def save(self) -> None:
        self.recorded.replies = [json.loads(text) for text in self._replies]
        self.recorded.digests = list(self._digests)
        self.recorded.save()


def server_is_required() -> bool:
    """CI insists on a real server."""
    return os.environ.get("MINIDIS_REQUIRE_SERVER") == "1"


def start_server(*options: str, kind: str = BASELINE) -> RealServer | None:
    """A real server, or None on a machine without; NoServer where one is required."""
    try:
        return RealServer(*options, kind=kind)
    except NoServer:
        if server_is_required() and KINDS[kind].required:
            raise
        return None


# our side -----------------------------------------------------------------------------------------


class Ours:
    """Our side: a database in a directory, so that SAVE and RELOAD work, and its clock."""

    def __init__(self, directory: str, source: Source) -> None:
        self.clock = minidis.ManualClock(source.started() / 1000)
        self.db = minidis.open(directory, clock=self.clock)
        self.db.engine.settings.randbelow = Random(0).randrange

    def close(self) -> None:
        self.db.close(save=False)


def our_answers(db: minidis.Minidis[bytes], scenario: Scenario, protocol: int = 3) -> list[Answer]:
    """What minidis answers to the compared commands of a scenario."""
    db.select(0)
    db.flushall()
    for words in scenario.commands[: scenario.setup]:
        db.execute(*words)
    answers = []
    for words in scenario.commands[scenario.setup :]:
        reply = our_reply(db, words, protocol)
        answers.append(Answer(reply, db.execute(*DIGEST)))
    for space in db.engine.databases:
        if space.values:
            space.check()
    return answers


def our_reply(db: minidis.Minidis[bytes], words: Words, protocol: int = 3) -> Reply:
    """One reply; an unexpected exception is a reply that no server gives."""
    try:
        return wire.reply_to(words, db.execute(*words), protocol)
    except MinidisError as error:
        return Error(wire.one_line(str(error)))
    except Exception as error:
        return Error(f"{CRASH} {type(error).__name__}: {error}")


# comparing ----------------------------------------------------------------------------------------


class Permits(Protocol):
    """What says which differences are permitted."""

    def __call__(self, case: Case, *, same_reply: bool = False) -> Difference | None:
        """The entry that permits the difference: of the replies, or of the data alone."""
        ...


def run(source: Source, batch: Batch, ours: Ours, permits: Permits = permission) -> list[Outcome]:
    """Compare all scenarios of a batch, with our clock where the answers were given."""
    ours.clock.set(source.moment(batch) / 1000)
    outcomes: list[Outcome] = []
    missing = undeclared()
    for scenario, real in zip(batch.scenarios, source.answers(batch), strict=True):
        if missing and mentions(scenario, missing):
            continue
        mine = our_answers(ours.db, scenario, batch.protocol)
        outcomes += compare(scenario, mine, real, permits)
    return outcomes


def compare(
    scenario: Scenario,
    ours: Sequence[Answer],
    real: Sequence[Answer],
    permits: Permits = permission,
) -> list[Outcome]:
    """The outcomes of one scenario, up to the first difference of the data.

    With another server than the baseline, a permitted difference of the data ends it as well.
    """
    outcomes = []
    seen = {word for words in scenario.commands[: scenario.setup] for word in words}
    data_counts = True
    first_probe = len(scenario.commands) - scenario.probes
    for place, (mine, theirs) in enumerate(zip(ours, real, strict=True), scenario.setup):
        if place >= first_probe and not data_counts:
            break  # there is nothing to find but the permitted difference
        words = scenario.commands[place]
        seen.update(words)
        verdict, data_counts = judge(words, mine, theirs, frozenset(seen), data_counts, permits)
        name = name_of(words)
        counts = place < first_probe or verdict == OPEN
        outcomes.append(Outcome(name, scenario, place, mine, theirs, verdict, counts))
        if verdict == OPEN and not mine.digest.startswith(theirs.digest):
            break  # from here on everything differs
        if not data_counts and permits is not permission:
            break
    return outcomes


def judge(
    words: Words,
    ours: Answer,
    real: Answer,
    seen: frozenset[bytes],
    data_counts: bool,
    permits: Permits = permission,
) -> tuple[str, bool]:
    """(verdict, whether the data is still to be compared)."""
    same_data = not data_counts or ours.digest.startswith(real.digest)
    if not data_counts:  # nor do its digests, which EXEC returns
        ours = Answer(wire.without_digests(ours.reply), ours.digest)
        real = Answer(wire.without_digests(real.reply), real.digest)
    same_reply = wire.same(ours.reply, real.reply)
    if same_reply and same_data:
        return EQUAL, data_counts
    name = name_of(words)
    case = Case(name, words, ours.reply, real.reply, seen, NEWER_WORDS.get(name, frozenset()))
    allowed = permits(case, same_reply=same_reply)
    if allowed is None or not (same_data or allowed.changes_data):
        return OPEN, data_counts
    return allowed.name, data_counts and not allowed.changes_data


@cache
def _names() -> frozenset[str]:
    """Everything that is compared, DEBUG included, which Redis does not publish."""
    names = {fact.name for fact in in_scope()}
    return frozenset(names) | {"DEBUG OBJECT", "DEBUG RELOAD", "DEBUG SLEEP", "DEBUG DIGEST"}


def name_of(words: Words) -> str:
    """The command that the words call; the container for a subcommand that does not exist."""
    first = words[0].decode("latin-1").upper() if words else ""
    if len(words) > 1:
        both = f"{first} {words[1].decode('latin-1').upper()}"
        if both in _names():
            return both
    return first


def undeclared() -> frozenset[str]:
    """Published commands in scope that minidis does not have; test_declarations.py complains."""
    return _names() - set(COMMANDS)


def mentions(scenario: Scenario, names: frozenset[str]) -> bool:
    """Does the scenario use any of these commands?"""
    return any(name_of(words) in names for words in scenario.commands)
