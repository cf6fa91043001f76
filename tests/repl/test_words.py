"""Splitting lines into words, and quoting."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repl import words


@pytest.mark.table("words.txt", " ¦ ")
def test_split(typed: str, expected: str) -> None:
    typed = typed.removeprefix("&")
    wanted = [eval(part) for part in expected.split(" | ")]
    assert [[word.value for word in command] for command in words.split(typed)] == wanted


@given(st.lists(st.binary(), min_size=1))
def test_quoted_words_are_parsed_back(values: list[bytes]) -> None:
    line = " ".join(map(words.quote, values))
    assert [[word.value for word in command] for command in words.split(line)] == [values]


@given(st.text())
def test_anything_can_be_split(text: str) -> None:
    for command in words.split(text):
        for word in command:
            assert 0 <= word.start < word.end <= len(text)
    finished, typing = words.at_cursor(text)
    assert typing.end == len(text)
    assert all(word.end <= typing.start for word in finished)


@given(st.lists(st.text("ab \n\\\"'x4#")))
def test_a_quote_is_followed_from_line_to_line(parts: list[str]) -> None:
    text, mark = "", ""
    for line in "".join(parts).splitlines(keepends=True):
        text += line
        mark = words.open_quote(line, mark)
        assert bool(mark) == words.has_open_quote(text)
        text = text if mark else ""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('SET a "b', words.UNCLOSED_QUOTE),
        ("SET a 'b", words.UNCLOSED_QUOTE),
        ('SET a "b\\"', words.UNCLOSED_QUOTE),
        ('SET a "b"c', words.TEXT_AFTER_QUOTE),
        ("SET a b", ""),
    ],
)
def test_problems(text: str, problem: str) -> None:
    assert words.split(text)[0][-1].problem == problem
    assert words.has_open_quote(text) == (problem == words.UNCLOSED_QUOTE)


def test_an_incomplete_escape_adds_nothing() -> None:
    for text in ('GET "a', 'GET "a\\', 'GET "a\\x', 'GET "a\\xf'):
        assert words.at_cursor(text)[1].value == b"a"
    assert words.at_cursor('GET "a\\xff')[1].value == b"a\xff"


def test_display_width() -> None:
    assert [words.display_width(text) for text in ("é", "e\u0301", "ก\u0e31", "👍", "한")] == [
        1,
        1,
        1,
        2,
        2,
    ]
    assert words.truncate("张" * 1_000_000, 10) == "张张张张…"


def test_at_cursor() -> None:
    finished, typing = words.at_cursor("SET a 1\nGET two")
    assert [word.text for word in finished] == ["GET"]
    assert (typing.text, typing.start) == ("two", 12)
    assert words.at_cursor("GET a\n") == ([], words.TypedWord(b"", 6, 6))
