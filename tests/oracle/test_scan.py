"""Whole iterations of the SCAN family: the same elements on both sides, each at least once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import minidis
from tests.oracle import wire
from tests.oracle.cases import split
from tests.oracle.server import RealServer

FILL = (
    "HSET h @300:f%d,%d",
    "SADD s @300:m%d",
    "SADD i @300:%d",
    "ZADD z @300:%d,m%d",
    "MSET @50:key%d,%d",
)
CALLS = (
    "SCAN 0", "SCAN 0 COUNT 7", "SCAN 0 MATCH key1*", "SCAN 0 TYPE zset", "SCAN 0 TYPE string",
    "HSCAN h 0", "HSCAN h 0 COUNT 3", "HSCAN h 0 MATCH f1*", "SSCAN s 0 COUNT 50", "SSCAN i 0",
    "SSCAN s 0 MATCH *9 COUNT 1000", "ZSCAN z 0", "ZSCAN z 0 COUNT 1", "ZSCAN z 0 MATCH m2?",
)  # fmt: skip


def iterate(execute: Callable[..., Any], words: list[bytes]) -> Iterator[Any]:
    """All elements of a full iteration, pairs for hashes and sorted sets."""
    place = words.index(b"0")
    while True:
        cursor, elements = execute(*words)
        if words[0] in (b"HSCAN", b"ZSCAN"):
            yield from ((elements[i], elements[i + 1]) for i in range(0, len(elements), 2))
        else:
            yield from elements
        if cursor == b"0":
            return
        words = [*words[:place], cursor, *words[place + 1 :]]


@pytest.mark.parametrize("call", CALLS)
def test_full_iteration(call: str, real_server: RealServer, db: minidis.Minidis[bytes]) -> None:
    real_server.execute("FLUSHALL")
    for line in FILL:
        real_server.execute(*split(line))
        db.execute(*split(line))

    def ours(*words: bytes) -> Any:
        return wire.on_the_wire(db.execute(*words), 2)

    found = Counter(iterate(ours, split(call)))
    assert set(found) == set(iterate(real_server.connection(2).execute, split(call)))
    assert set(found.values()) == {1}, "an unchanged collection is walked without repetition"


@pytest.mark.parametrize("table", ["strings", "hashes", "lists", "sets", "sorted_sets"])
def test_payloads_restore_on_the_other_side(
    table: str, real_server: RealServer, db: minidis.Minidis[bytes]
) -> None:
    """DUMP here, RESTORE there, and the reverse: the same value."""
    from tests.oracle.cases import scenarios_of

    for scenario in scenarios_of(table):
        db.flushall()
        real_server.execute("FLUSHALL")
        for words in scenario.commands:
            try:
                db.execute(*words)
            except minidis.ResponseError:
                continue
        for key in db.keys("*"):
            payload = db.dump(key)
            assert payload is not None
            assert real_server.execute("RESTORE", key, 0, payload, "REPLACE") == "OK"
            db.persist(key)
            theirs = real_server.execute("DUMP", key)
            db.restore(key, 0, theirs, replace=True)
            digests = db.execute("DEBUG", "DIGEST-VALUE", key)
            assert real_server.execute("DEBUG", "DIGEST-VALUE", key) == digests, (scenario, key)
    real_server.execute("FLUSHALL")
