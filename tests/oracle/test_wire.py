"""The oracle's own tools: conversions, ways of being equal, and that a difference is seen."""

from __future__ import annotations

from typing import Any

import pytest

from minidis.errors import WrongTypeError
from minidis.replies import OK, Decimal, Status
from tests.oracle import wire
from tests.oracle.cases import Scenario, split
from tests.oracle.resp import Error, Map, Members, pack
from tests.oracle.run import EQUAL, OPEN, Answer, compare

CONVERSIONS = [
    (b"x", b"x", b"x"),
    (OK, Status("OK"), Status("OK")),
    (True, 1, 1),
    (None, None, None),
    (1.5, 1.5, b"1.5"),
    (0.1, 0.1, b"0.1"),
    (1e17, 1e17, b"100000000000000000"),
    (float("-inf"), float("-inf"), b"-inf"),
    (Decimal(b"10.6"), b"10.6", b"10.6"),
    ({b"a": 1.0}, Map([[b"a", 1.0]]), wire.Flat([b"a", b"1"])),
    ({b"a"}, Members([b"a"]), wire.Loose([b"a"])),
    ([(b"a", 2.0)], [[b"a", 2.0]], [b"a", b"2"]),
    ([[b"k", [[b"a", 2.0]]]], [[b"k", [[b"a", 2.0]]]], [[b"k", [[b"a", b"2"]]]]),
    (WrongTypeError("WRONGTYPE a\nb"), Error("WRONGTYPE a b"), Error("WRONGTYPE a b")),
]


@pytest.mark.parametrize(("reply", "resp3", "resp2"), CONVERSIONS, ids=repr)
def test_on_the_wire(reply: Any, resp3: Any, resp2: Any) -> None:
    for protocol, expected in ((3, resp3), (2, resp2)):
        found = wire.on_the_wire(reply, protocol)
        assert (found.__class__, found) == (expected.__class__, expected)
    assert wire.same(wire.from_json(wire.to_json(resp3)), resp3)


def test_same_knows_kinds_and_order() -> None:
    assert wire.same(Members([b"a", b"b"]), Members([b"b", b"a"]))
    assert wire.same(Map([[b"a", 1], [b"b", 2]]), Map([[b"b", 2], [b"a", 1]]))
    assert wire.same(wire.Loose([b"a", b"b"]), [b"b", b"a"])
    assert wire.same(wire.Flat([b"a", 1, b"b", 2]), [b"b", 2, b"a", 1])
    assert not wire.same(wire.Flat([b"a", 1, b"b", 2]), [b"a", b"b", 1, 2])
    assert not wire.same([b"a", b"b"], [b"b", b"a"])
    assert not wire.same([b"a"], Members([b"a"]))
    assert not wire.same(b"OK", Status("OK"))
    assert not wire.same(Error("ERR x"), Status("ERR x"))
    assert not wire.same(1, 1.0)


def test_words_of_a_table() -> None:
    assert split('SET a "b c" \'d e\' "\\x00\\n"') == [b"SET", b"a", b"b c", b"d e", b"\0\n"]
    assert split('=3:x @2:f%d,v%d ""') == [b"xxx", b"f0", b"v0", b"f1", b"v1", b""]
    assert pack([[b"GET", b"a"]]) == b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n"


@pytest.mark.parametrize(
    ("words", "ours", "real", "verdict"),
    [
        ("GET a", (b"1", "d"), (b"1", "d"), EQUAL),
        ("GET a", (b"1", "d"), (b"2", "d"), OPEN),
        ("GET a", (b"1", "d"), (b"1", "e"), OPEN),
        ("GET a", (Error("ERR x"), "d"), (Error("ERR y"), "d"), OPEN),
        ("KEYS *", ([b"a", b"b"], "d"), ([b"b", b"a"], "d"), "unordered"),
        ("KEYS *", ([b"a", b"b"], "d"), ([b"b", b"c"], "d"), OPEN),
        ("TTL a", (99, "d"), (100, "d"), "clock"),
        ("TTL a", (-1, "d"), (-2, "d"), OPEN),
        ("SPOP SPOP", (b"SPOP", "d"), (b"other", "e"), "random"),
        ("SPOP SPOP", (b"never put in", "d"), (b"SPOP", "e"), OPEN),
        ("SPOP SPOP", (b"SPOP", "d"), (b"SPOP", "e"), OPEN),
    ],
)
def test_differences_are_seen(words: str, ours: Any, real: Any, verdict: str) -> None:
    scenario = Scenario("made up", (split(words),))
    (outcome,) = compare(scenario, [Answer(*ours)], [Answer(*real)])
    assert outcome.verdict == verdict
