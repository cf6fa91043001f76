"""What is said below an error."""

from __future__ import annotations

import pytest

import minidis
from repl.batch import type_of
from repl.check import advise, lines
from repl.words import split

CASES = {
    "gett a": ["did you mean GET?"],
    "xyzzy": ["help lists all commands"],
    "config gte x": ["config gte x", "       ^^^ did you mean GET?"],
    "set k v EXX 10": ["set k v EXX 10", "        ^^^ did you mean EX?", "SET key value"],
    "set k v nx xx": [
        "set k v nx xx",
        "           ^^ cannot stand together with NX",
        "SET key value",
    ],
    "incrby n ten": [
        "incrby n ten",
        "         ^^^ increment: an integer to add",
        "INCRBY key increment",
    ],
    "get": ["GET key"],
    "set 张三 v EXX 1": ["set 张三 v EXX 1", "           ^^^ did you mean EX?", "SET key value"],
    "get l": ["get l", "    ^ holds a list; help @list lists the commands for it"],
    "incr text": [],
}


@pytest.mark.parametrize("line", CASES)
def test_advice(line: str) -> None:
    with minidis.open() as db:
        db.rpush("l", "x")
        db.set("text", "x")
        typed = split(line)[0]
        with pytest.raises(minidis.MinidisError) as caught:
            db.execute(*(word.value for word in typed))
        found = [
            row.removeprefix("  ") for row in lines(typed, advise(typed, caught.value, type_of(db)))
        ]
        wanted = CASES[line]
        assert [row[: len(want)] for row, want in zip(found, wanted, strict=False)] == wanted
        assert len(found) >= len(wanted)
