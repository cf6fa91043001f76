"""The hint, by a table; and that hint, completion and highlighting accept any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import minidis
from minidis.grammar.command import COMMANDS
from minidis.grammar.syntax import words as fixed_words
from minidis.grammar.walk import keys_of, walk
from repl.backend import LocalBackend
from repl.complete import candidates
from repl.highlight import CommandLexer
from repl.hint import hint


@pytest.mark.table("hints.txt")
def test_hint(typed: str, expected: str) -> None:
    assert hint(typed) == expected


def test_after_a_name_the_hint_is_the_whole_syntax() -> None:
    for command in COMMANDS.values():
        line = str(command.line).removeprefix(command.name).strip()
        assert hint(command.name + " ").strip("[]") in (line.strip("[]"), hint("COMMAND ")[1:-1])


_FIXED = sorted(
    {word for c in COMMANDS.values() for item in c.line.items for word in fixed_words(item)}
)
_WORDS = st.one_of(
    st.sampled_from([*_FIXED, "1", "-1", "2", "a", "", "999999999999999999999"]), st.text()
)


@given(st.sampled_from(sorted(COMMANDS)), st.lists(_WORDS, max_size=8))
def test_the_walk_accepts_any_words(name: str, words: list[str]) -> None:
    line = COMMANDS[name].line
    for complete in (False, True):
        assert len(walk(line, words, complete=complete).roles) == len(words)
    keys = keys_of(COMMANDS[name].line, [*name.split(), *words])
    assert keys == sorted(set(keys))


@given(st.sampled_from(["", "GET ", "ZADD k ", "CONFIG ", "help ", "SORT k "]), st.text())
def test_the_shell_accepts_any_text(start: str, text: str) -> None:
    with minidis.open() as db:
        db.set("a", 1)
        hint(start + text)
        candidates(start + text, LocalBackend(db))
        lexer = CommandLexer(stripnl=False, ensurenl=False)
        clean = (start + text).replace("\r", "")
        assert "".join(value for _, value in lexer.get_tokens(clean)).lstrip(
            "\ufeff"
        ) == clean.lstrip("\ufeff")


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        ("GET a", [1]),
        ("MSET a 1 b 2", [1, 3]),
        ("ZUNIONSTORE d 2 a b WEIGHTS 1 2", [1, 3, 4]),
        ("ZADD k NX 1 m", [1]),
        ("SORT k BY w_* GET p_* STORE d", [1, 7]),
        ("LMPOP 2 a b LEFT COUNT 3", [2, 3]),
        ("OBJECT ENCODING k", [2]),
        ("COPY a b DB 1", [1, 2]),
        ("KEYS a*", []),
        ("MSETEX 2 a 1 b 2 EX 10", [2, 4]),
        ("SMOVE a b m", [1, 2]),
    ],
)
def test_keys(line: str, keys: list[int]) -> None:
    words = line.split()
    name = " ".join(words[:2]) if " ".join(words[:2]) in COMMANDS else words[0]
    assert keys_of(COMMANDS[name].line, words) == keys
