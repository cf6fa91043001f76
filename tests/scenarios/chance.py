"""Random plays of several sessions, on a real server and on a minidis server.

    tables/chance.txt   what may be said
    KINDS               which of it is said in a play of a kind, and how often
    a seed              makes a play, always the same one

A play that ends differently is made as short as can be, and printed:

    python -m tests.scenarios.chance                          100 plays of each kind
    python -m tests.scenarios.chance groups --seeds 0 5000    5000 of one kind

What is left out are the named differences of permitted.py: stores while a client waits, the end of
tracking, and a failed AUTH behind another command.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from functools import cache

from tests.oracle.cases import TABLES
from tests.oracle.server import RealServer
from tests.scenarios.language import Run, Scenario, Step
from tests.scenarios.permitted import tidied
from tests.scenarios.resp_server import our_server
from tests.scenarios.runner import HUNG_UP, SEEN, Fact, Play, Stage, Transcript, answers_in

#: kind of a play -> sections of the table, and how often
KINDS = {
    "transactions": "strings*3 keys*3 flushes lists*3 sets*3 stores*3 transactions*9",
    "waiting": "keys*2 flushes lists*6 sets*4 streams*2 waiting*8 unblocking",
    "leaving": "lists*6 sets*4 waiting*8 transactions*4 leaving clients*2",
    "groups": "streams*2 groups*6 readers*3 unblocking",
    "pauses": "strings*2 lists*2 sets pausing transactions",
    "messages": "strings keys messages*4",
    "events": (
        "strings*4 keys*6 flushes lists*4 sets*4 streams*2 ids fewer groups*2 stores*2 events*4 "
        "transactions"
    ),
    "tracking": "strings*4 keys*4 lists*2 sets*2 ids tracking*6 transactions",
    "monitors": "strings*2 lists sets monitors transactions",
    "users": "strings*4 keys*4 lists*2 messages transactions*2 users*10",
}
LETTERS = "ABCD"
#: The last session only listens: in RESP2 it may say nothing else.
LISTENING = {"events": "PSUBSCRIBE *"}
#: So often is a pause ended at the end: there may be another one behind it.
PAUSES = 10
#: So many sessions may wake each other in a row.
CHAIN = 3
_CATEGORIES = (
    *("read", "write", "list", "string", "keyspace", "blocking", "transaction", "pubsub", "fast"),
    *("slow", "connection", "dangerous", "stream", "sortedset", "set", "hash", "admin", "all"),
)
_NAMES = (
    *("get", "set", "lpush", "multi", "exec", "client", "client|id", "publish", "config|get"),
    *("config", "rename", "copy", "acl", "sort"),
)


# making a play ------------------------------------------------------------------------------------


@cache
def sections() -> dict[str, list[str]]:
    """The table: name of a section -> its lines."""
    found: dict[str, list[str]] = {}
    for line in (TABLES / "chance.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            lines = found.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            lines.append(line)
    return found


def weights(kind: str) -> dict[str, int]:
    """The sections that a play of the kind takes its commands from."""
    parts = (part.partition("*") for part in KINDS[kind].split())
    return {section: int(weight or 1) for section, _, weight in parts}


class Author:
    """Who writes a play, by chance."""

    def __init__(self, kind: str, seed: int) -> None:
        self.chance = random.Random(f"{kind} {seed}")
        self._speakers = LETTERS[:-1] if kind in LISTENING else LETTERS
        self._first = LISTENING.get(kind, "PING")
        self._weights = weights(kind)
        #: few keys, so that the sessions meet
        self._keys = [f"k{number}" for number in range(1, self.chance.choice((2, 3, 3, 4, 5)))]
        self._last_id = 0
        pick = self.chance.choice
        self._words: dict[str, Callable[[], str]] = {
            "key": lambda: pick(self._keys),
            "e": lambda: pick("abcdefgh"),
            "n": lambda: pick(("0", "1", "-1", "2", "3", "-2", "10")),
            "id": self._new_id,
            "old": lambda: f"{max(1, self._last_id - pick(range(4)))}-1",
            "side": lambda: pick(("LEFT", "RIGHT")),
            "db": lambda: pick("001"),
            "flags": lambda: pick(("KEA", "AKE", "Kl", "El", "Kg$", "Ezt", "KEn", "KExg", "KEAnm")),
            "channel": lambda: pick(("a", "b", "ab")),
            "pattern": lambda: pick(("a*", "*", "?", "__key*", "__keyevent@0__:*")),
            "who": lambda: "$" + pick(LETTERS),
            "user": lambda: pick(("u1", "u1", "u2")),
            "rule": self._rule,
        }

    def play(self, length: int) -> list[Step]:
        """So many steps, after each session has said something."""
        return (
            [step(letter, ["PING"]) for letter in LETTERS]
            + [step(LETTERS[-1], [self._first])]
            + [one for _ in range(length) for one in self._steps()]
        )

    def _steps(self) -> list[Step]:
        """What a session says, in one write; AUTH alone, and never queued."""
        letter = self.chance.choice(self._speakers)
        lines = [self._command() for _ in range(self.chance.choice((1, 1, 1, 2, 3)))]
        for line in lines:
            # 7.4.1 sends no reply for a failed AUTH if it has others to send before it.
            if line.startswith("AUTH "):
                return [step(letter, ["DISCARD"]), step(letter, [line])]
        return [step(letter, lines)]

    def _command(self) -> str:
        (section,) = self.chance.choices([*self._weights], [*self._weights.values()])
        line = self.chance.choice(sections()[section])
        return re.sub(r"<(\w+)>", lambda match: self._words[match[1]](), line)

    def _new_id(self) -> str:
        self._last_id += 1
        return f"{self._last_id}-1"

    def _rule(self) -> str:
        pick = self.chance.choice
        sign = pick("+-")
        return pick(
            (
                f"{sign}@{pick(_CATEGORIES)}",
                f"{sign}{pick(_NAMES)}",
                pick(("~k1", "~k*", "~*", "%R~k1", "%W~k2", "%RW~k*", "&a", "&a*", "&*")),
                pick(("allkeys", "resetkeys", "resetchannels", "allchannels", "nocommands", "on")),
                pick(("off", "nopass", "reset", "clearselectors", "allcommands")),
            )
        )


def step(letter: str, commands: Iterable[str]) -> Step:
    """A session sends a command, which may block."""
    lines = list(commands)
    words = tuple(tuple(word.encode() for word in line.split()) for line in lines)
    return Step(letter, "", words, line=f"{letter}: {' | '.join(lines)}")


# playing it ---------------------------------------------------------------------------------------


class Improvised(Play):
    """A play whose steps do not say who will have to wait."""

    def _step(self, step: Step) -> None:
        self.transcript.story.append(step.line)
        session = self.stage.sessions[step.session]
        self._send(step, session)
        give_up = time.monotonic() + SEEN
        while answers_in(session) < session.wanted and time.monotonic() < give_up:
            if session.closed or "b" in self.stage.client(session).get("flags", "b"):
                break
            session.collect(0.001)
        self._finish_calls()

    def _finish_calls(self) -> None:
        """Also when one session wakes another, whose next command wakes a third."""
        for _ in range(CHAIN):
            super()._finish_calls()

    def _end(self) -> None:
        """Unblock all sessions until none waits; they may have many commands left."""
        # First of all: a server may crash when a client that waits for this is unblocked.
        for _ in range(PAUSES):
            self.stage.ask("CLIENT", "UNPAUSE")
            self._finish_calls()
        released = True
        while released:
            released = False
            for session in self.stage.sessions.values():
                if self.stage.ask("CLIENT", "UNBLOCK", str(session.id), "ERROR") == 1:
                    released = True
                    session.received.append(Fact("was still waiting"))
                    self._finish_calls()
        super()._end()


def perform(steps: list[Step], protocol: int, stage: Stage) -> Transcript:
    """Play the steps."""
    return Improvised(Run(Scenario("chance", "a play", steps), protocol), stage).perform()


# comparing ----------------------------------------------------------------------------------------

#: The confirmations of one UNSUBSCRIBE: a hash table knows their order.
_LEFT = re.compile(r'(>?\["[ps]?unsubscribe", (?:"[^"]*"|nil)).*')


def compared(transcript: Transcript) -> dict[str, list[str]]:
    """What is compared: for each session what it has received, in order."""
    return {
        letter: _sorted_leaving(tidied(entries)) for letter, entries in transcript.received.items()
    }


def _sorted_leaving(entries: Iterable[str]) -> list[str]:
    found: list[str] = []
    leaving: list[str] = []
    for entry in entries:
        match = _LEFT.match(entry)
        if match:
            leaving.append(match[1])
        else:
            found += [*sorted(leaving), entry]
            leaving.clear()
    return found + sorted(leaving)


def is_same(theirs: list[str], mine: list[str]) -> bool:
    """Has a session received the same? A server keeps the last replies from one that is killed."""
    if theirs[-1:] == mine[-1:] == [f"[{HUNG_UP}]"]:
        return mine[: len(theirs) - 1] == theirs[:-1]
    return theirs == mine


class Pair:
    """A real server and the minidis server."""

    #: Which of two sessions comes first is now and then chance: a difference is there every time.
    TRIES = 4

    def __init__(self, real: Stage, ours: Stage) -> None:
        self.real, self.ours = real, ours

    def difference(self, steps: list[Step], protocol: int) -> list[str]:
        """Who received something else, as lines for people; none if all is well."""
        for _ in range(self.TRIES):
            theirs = compared(perform(steps, protocol, self.real))
            mine = compared(perform(steps, protocol, self.ours))
            found = [one for one in theirs if not is_same(theirs[one], mine[one])]
            if not found:
                return []
        return [
            f"{letter}: {whose} {received[letter]}"
            for letter in found
            for whose, received in (("redis", theirs), (" ours", mine))
        ]

    def shortest(self, steps: list[Step], protocol: int) -> list[Step]:
        """The steps that are needed to make a difference."""
        size = len(steps)
        while size:
            at = 0
            while at < len(steps):
                fewer = steps[:at] + steps[at + size :]
                if self.difference(fewer, protocol):
                    steps = fewer
                else:
                    at += size
            size //= 2
        return steps


def explore(pair: Pair, kind: str, seeds: Iterable[int], length: int) -> int:
    """Play, print what differs, and return how often."""
    count = 0
    for seed in seeds:
        author = Author(kind, seed)
        steps, protocol = author.play(length), author.chance.choice((2, 3))
        if pair.difference(steps, protocol):
            count += 1
            steps = pair.shortest(steps, protocol)
            print(f"# {kind} {seed}\nprotocol {protocol}", *(one.line for one in steps), sep="\n")
            print(*pair.difference(steps, protocol), "", sep="\n", flush=True)
    return count


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Random plays of several sessions.")
    parser.add_argument("kinds", nargs="*", help=f"of {', '.join(KINDS)}", default=[*KINDS])
    parser.add_argument("--seeds", nargs=2, type=int, default=(0, 100), metavar=("FROM", "TO"))
    parser.add_argument("--steps", type=int, default=25)
    arguments = parser.parse_args(words)
    server, count = RealServer(), 0
    try:
        with closing(Stage(server.path)) as real, our_server() as ours:
            for kind in arguments.kinds:
                seeds = range(*arguments.seeds)
                count += (found := explore(Pair(real, ours), kind, seeds, arguments.steps))
                print(f"{kind}: {found} of {len(seeds)} plays differ", flush=True)
    finally:
        server.stop()
    return min(count, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
