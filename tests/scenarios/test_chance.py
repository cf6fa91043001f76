"""Random plays of several sessions: the minidis server does what a real server does."""

from __future__ import annotations

import re

import pytest

from tests.sampling import sampled
from tests.scenarios.chance import KINDS, Author, Pair, compared, is_same, sections, step, weights
from tests.scenarios.compare import Live
from tests.scenarios.runner import Stage, Transcript

#: Plays of each kind, and their steps; `python -m tests.scenarios.chance` plays as many as wanted.
PLAYS, STEPS = 6, 25


@pytest.fixture
def pair(live: Live, minidis_server: Stage) -> Pair:
    return Pair(live.stage, minidis_server)


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("seed", sampled(range(PLAYS), every=PLAYS))
@pytest.mark.parametrize("kind", KINDS)
def test_a_play(kind: str, seed: int, protocol: int, pair: Pair) -> None:
    steps = Author(kind, seed).play(STEPS)
    told = [one.line for one in steps]
    assert not pair.difference(steps, protocol), "\n".join(told)


def test_a_difference_is_found_and_told_in_few_words(pair: Pair) -> None:
    """A list in the place of a set is a named difference, and so good for a test."""
    steps = [
        step("A", ["BLPOP k 0"]),
        step("B", ["SET other x", "PING"]),
        step("B", ["SADD k x", "SORT k ALPHA STORE k"]),
        step("C", ["GET other"]),
    ]
    assert [one.line for one in pair.shortest(steps, 2)] == [
        "A: BLPOP k 0",
        "B: SADD k x | SORT k ALPHA STORE k",
    ]
    assert [line.split(":")[0] for line in pair.difference(steps, 2)] == ["A", "A", "data", "data"]


def test_what_is_compared() -> None:
    entries = ['>["message", "a", "x"]', "1", '["unsubscribe", "b", 1]', '["unsubscribe", "a", 0]']
    found = compared(Transcript({"A": entries}))
    assert found == {
        "A": ['>["message", "a", "x"]', "1", '["unsubscribe", "a"', '["unsubscribe", "b"']
    }


def test_what_a_killed_session_has_received_before() -> None:
    assert is_same(["1", "[the server hung up]"], ["1", "2", "[the server hung up]"])
    assert not is_same(["1", "[the server hung up]"], ["2", "[the server hung up]"])
    assert not is_same(["1", "[the server hung up]"], ["1", "2"])
    assert not is_same(["1"], ["1", "2"])


def test_the_table() -> None:
    assert {section for kind in KINDS for section in weights(kind)} == sections().keys()
    places = set(re.findall(r"<(\w+)>", str(sections())))
    assert places == Author("users", 1)._words.keys()
    assert Author("users", 1).play(9) == Author("users", 1).play(9) != Author("users", 2).play(9)
