"""Formatting of replies, by a table; JSON and raw."""

from __future__ import annotations

import json
from typing import Any

import pytest

from minidis.errors import ResponseError
from minidis.replies import OK, Cursor, Decimal
from repl import render
from repl.highlight import ReplyLexer

from .conftest import TABLES

NAMES: dict[str, Any] = {
    "OK": OK,
    "Cursor": Cursor,
    "Decimal": Decimal,
    "ResponseError": ResponseError,
}


def cases() -> list[tuple[str, str]]:
    text = (TABLES / "rendering.txt").read_text("utf-8")
    parts = text.split("\n>>> ")[1:]
    return [(head, body.rstrip("\n")) for head, _, body in (part.partition("\n") for part in parts)]


@pytest.mark.parametrize(("given", "shown"), cases())
def test_lines(given: str, shown: str) -> None:
    name, _, rest = given.partition(" ")
    paired = name == "HSCAN"
    lines = list(render.reply_lines(eval(rest if paired else given, NAMES), paired=paired))
    assert "\n".join(lines) == shown
    text = "\n".join(lines) + "\n"
    assert (
        "".join(value for _, value in ReplyLexer(ensurenl=False, stripnl=False).get_tokens(text))
        == text
    )


def test_json() -> None:
    reply = {b"a": [1, 2.5, 3.0, None, OK], b"b": {b"y", b"x"}, b"c": (b"m", float("inf"))}
    assert json.loads(render.to_json(reply)) == {
        "a": [1, 2.5, 3, None, "OK"],
        "b": ["x", "y"],
        "c": ["m", "inf"],
    }
    assert render.to_json("张".encode()) == '"张"'
    assert render.to_json(b"\xff") == r'"\\xff"'
    assert render.to_json("\udcff") == r'"\\xff"'
    assert render.to_json("\x1b\x9b\u2028\u202e".encode()) == r'"\u001b\u009b\u2028\u202e"'


def test_raw() -> None:
    assert list(render.raw([b"a\xff", 1, 2.0, None, [b"b"], {b"f": b"v"}])) == [
        b"a\xff", b"1", b"2", b"", b"b", b"f", b"v",
    ]  # fmt: skip


def test_footer() -> None:
    assert render.footer([1, 2, 3], 0.0002) == "(3 elements, 0.2 ms)"
    assert render.footer({b"a": b"b"}, 0.0123) == "(1 field, 12 ms)"
    assert render.footer([], 0.000024) == "(0 elements, 24 µs)"
    assert render.footer(b"x", 0.0002) == ""
    assert render.footer(1, 1.839) == "(1.84 s)"


def test_a_long_list_is_formatted_lazily() -> None:
    lines = render.reply_lines([b"x"] * 1_000_000)
    assert next(lines) == '      1) "x"'
