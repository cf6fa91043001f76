"""What several clients say to one server: the scenarios of tests/tables/scenarios, read here.

A paragraph is a scenario; its first line is its title, and other lines with `#` are comments. The
clients (sessions) are called by a letter. Words are written as in the other tables (cases.py):

    # BLPOP: three waiters are served in the order in which they came
    A... BLPOP q 0              A waits: the server has seen it and says nothing
    B... BLPOP q 0
    C: RPUSH q 1 2              C gets a reply at once

Everything a session receives until the end is compared. The ways to speak:

    A: SET a 1                  send, and wait for the reply
    A: MULTI | INCR a | EXEC    several commands in one write, and as many replies
    A... BLPOP q 0              send; A is blocked from now on
    A- CLIENT REPLY OFF         send; there is no reply, and A is not blocked
    A< "*1\\r\\n$4\\r\\nPING\\r\\n"    send these bytes, and wait for something
    A<- "*1\\r\\n$4\\r\\nPI"         send these bytes; there is no reply yet
    A?                          wait until A has all replies that its last line asks for
    A!                          A hangs up
    A+                          A connects, and says nothing (the others do so before all else)
    $A                          as a word: the id of A's connection
    wait 20ms                   let time pass: only for what the clock decides

Sessions speak RESP2 and in a second run RESP3, unless a line says otherwise:

    protocol 3                  one run, all sessions in RESP3
    A3:                         this session in RESP3 in all runs

Where we differ from the server on purpose, the scenario says what we reply instead, all of it, and
which entry of permitted.py has the reason:

    because overwritten
    A => ["k", "x"]
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import sha1
from pathlib import Path

from tests.oracle.cases import TABLES, split

DIRECTORY = TABLES / "scenarios"
BOTH = (2, 3)

_STEP = re.compile(r"([A-Z])(:|\.\.\.|<-|<|-|\?|!|\+)(?:\s+(.*))?$")
_PIN = re.compile(r"([A-Z])([23]):$")
_EXPECTED = re.compile(r"([A-Z]) => (.*)$")
_WAIT = re.compile(r"wait (\d+)ms$")
_PROTOCOL = re.compile(r"protocol ([23])$")


class LanguageError(ValueError):
    """A line that is not of the language."""


@dataclass(frozen=True)
class Step:
    """One line: who does what."""

    session: str  # "" for the clock
    manner: str  # one of `: ... - < <- ? ! +`, or `wait`
    commands: tuple[tuple[bytes, ...], ...] = ()
    raw: bytes = b""
    milliseconds: int = 0
    line: str = ""


@dataclass(eq=False)
class Scenario:
    """Steps, and what is known about the sessions."""

    table: str
    title: str
    steps: list[Step] = field(default_factory=list)
    protocols: tuple[int, ...] = BOTH
    pins: dict[str, int] = field(default_factory=dict)
    #: name of a difference, and what our side replies to whom
    because: str = ""
    expected: dict[str, list[str]] = field(default_factory=dict)

    @property
    def sessions(self) -> list[str]:
        """All letters, in order."""
        return sorted({step.session for step in self.steps if step.session})

    @property
    def connecting(self) -> set[str]:
        """Sessions that connect by a step of their own."""
        return {step.session for step in self.steps if step.manner == "+"}

    @property
    def asked(self) -> str:
        """Fingerprint: recorded replies are of use only for the same questions."""
        text = repr(([step.line for step in self.steps], sorted(self.pins.items())))
        return sha1(text.encode(), usedforsecurity=False).hexdigest()[:12]

    def parameters(self) -> list[bytes]:
        """Configuration parameters that the steps set, to be put back afterwards."""
        found: dict[bytes, None] = {}
        for step in self.steps:
            for words in step.commands:
                if [word.upper() for word in words[:2]] == [b"CONFIG", b"SET"]:
                    found.update(dict.fromkeys(words[2::2]))
        return list(found)


@dataclass(frozen=True)
class Run:
    """A scenario in one protocol."""

    scenario: Scenario
    protocol: int

    @property
    def name(self) -> str:
        return f"{self.scenario.table}: {self.scenario.title} [RESP{self.protocol}]"

    def protocol_of(self, session: str) -> int:
        """What this session speaks."""
        return self.scenario.pins.get(session, self.protocol)


def all_runs() -> list[Run]:
    """Every scenario of every table in each of its protocols."""
    return [
        Run(scenario, protocol)
        for path in sorted(DIRECTORY.glob("*.txt"))
        for scenario in read(path)
        for protocol in scenario.protocols
    ]


def read(path: Path) -> list[Scenario]:
    """The scenarios of a table."""
    return parse(path.stem, path.read_text(encoding="utf-8"))


def parse(table: str, text: str) -> list[Scenario]:
    """The scenarios of a text; LanguageError with the number of the line."""
    found: list[Scenario] = []
    scenario: Scenario | None = None
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if not line.strip():
            scenario = None
        elif scenario is None:
            scenario = Scenario(table, _title(table, number, line))
            found.append(scenario)
        elif not line.startswith("#"):
            _add(scenario, line.rstrip(), f"{table}.txt:{number}")
    # A paragraph of comments alone is a comment, too.
    return [scenario for scenario in found if scenario.steps]


def _title(table: str, number: int, line: str) -> str:
    if not line.startswith("# "):
        raise LanguageError(f"{table}.txt:{number}: a scenario begins with its title: {line}")
    return line[2:].strip()


def _add(scenario: Scenario, line: str, where: str) -> None:
    """One line of a scenario."""
    if match := _STEP.match(line):
        scenario.steps.append(_step(match[1], match[2], match[3], line, where))
    elif match := _PIN.match(line):
        scenario.pins[match[1]] = int(match[2])
    elif match := _EXPECTED.match(line):
        scenario.expected.setdefault(match[1], []).append(match[2])
    elif match := _WAIT.match(line):
        scenario.steps.append(Step("", "wait", milliseconds=int(match[1]), line=line))
    elif match := _PROTOCOL.match(line):
        scenario.protocols = (int(match[1]),)
    elif line.startswith("because "):
        scenario.because = line.removeprefix("because ")
    else:
        raise LanguageError(f"{where}: {line}")


def _step(session: str, manner: str, rest: str | None, line: str, where: str) -> Step:
    words = split(rest or "")
    if manner in ("?", "!", "+"):
        if words:
            raise LanguageError(f"{where}: nothing may follow {manner}")
        return Step(session, manner, line=line)
    if not words:
        raise LanguageError(f"{where}: there is nothing to send")
    if manner in ("<", "<-"):
        return Step(session, manner, raw=b"".join(words), line=line)
    return Step(session, manner, _commands(words), line=line)


def _commands(words: list[bytes]) -> tuple[tuple[bytes, ...], ...]:
    """Commands are separated by a word that is a bar."""
    commands: list[list[bytes]] = [[]]
    for word in words:
        if word == b"|":
            commands.append([])
        else:
            commands[-1].append(word)
    return tuple(map(tuple, commands))
