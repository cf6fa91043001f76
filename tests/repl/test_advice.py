"""The advice printed below an error."""

from __future__ import annotations

import pytest

import minidis
from minidis.grammar.command import COMMANDS, PARENT_COMMANDS
from repl.advice import Advice, advice_lines, advise
from repl.backend import LocalBackend
from repl.unsupported import UNSUPPORTED
from repl.words import split

CASES = {
    "gett a": ["did you mean GET?"],
    "gte a": ["did you mean GET?"],
    "delete a": ["did you mean DEL?"],
    "geoadd g 1 1 m": ["Redis has GEOADD, minidis does not: it has no geo indexes"],
    "xyzzy": ["help lists all commands"],
    "set k v EX": ["seconds is missing", "SET key value"],
    "zunion 3 a b": ["key is missing", "ZUNION numkeys"],
    "zadd k nx": ["ZADD key"],
    "config gte x": ["config gte x", "       ^^^ did you mean GET?"],
    "set k v EXX 10": ["set k v EXX 10", "        ^^^ did you mean EX?", "SET key value"],
    "set k v nx xx": [
        "set k v nx xx",
        "           ^^ cannot be combined with NX",
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
            row.removeprefix("  ")
            for row in advice_lines(typed, advise(typed, caught.value, LocalBackend(db).type_of))
        ]
        wanted = CASES[line]
        assert [row[: len(want)] for row, want in zip(found, wanted, strict=False)] == wanted
        assert len(found) >= len(wanted)


def test_unsupported_commands_do_not_exist() -> None:
    assert not UNSUPPORTED.keys() & (COMMANDS.keys() | PARENT_COMMANDS)


def test_a_long_command_is_truncated() -> None:
    typed = split("SET k " + "x" * 500 + " EXX 1 " + "y " * 500)[0]
    shown = advice_lines(typed, Advice(3, "did you mean EX?"))
    assert shown[0].startswith("  SET k xxxxxxxxxxxxxxxxxxxxxxx… EXX 1 y y")
    assert shown[1].index("^") == shown[0].index("EXX")
    typed = split("MSET " + "key value " * 30)[0]
    shown = advice_lines(typed, Advice(50, "here"))
    assert shown[0].startswith("  … ")
    assert max(map(len, shown)) <= 80
