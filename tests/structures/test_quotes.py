"""Words on a line; each reply is the one of redis-server 7.0.15 to that inline command."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from minidis.structures.quotes import split

LINES = [
    (rb'a "b c" "" x', [b"a", b"b c", b"", b"x"]),
    (rb'"\x41\n\r\t\b\a\\\"\q"', [b'A\n\r\t\b\a\\"q']),
    (rb"""'a\'b\n' "it's" """, [b"a'b\\n", b"it's"]),
    (rb'a"b c" d', [b"ab c", b"d"]),
    (rb'"\x4g"', [b"x4g"]),
    (b" \t a\tb \x0b\x0c", [b"a", b"b"]),
    (b"a\x0bb 'c'\x0bd", [b"a\x0bb", b"c", b"d"]),
    (b"\xff\xfe", [b"\xff\xfe"]),
    (b"   ", []),
    (b"", []),
]
UNBALANCED = [
    b'"', b"'", b'a "b', rb'"a\"', rb"'a\'", rb"'a\\'", b'"a"b', b"'a'b", b"'a''b'", b'a"b"c',
]  # fmt: skip


@pytest.mark.parametrize(("line", "words"), LINES, ids=repr)
def test_words(line: bytes, words: list[bytes]) -> None:
    assert split(line) == words


@pytest.mark.parametrize("line", UNBALANCED, ids=repr)
def test_unbalanced_quotes(line: bytes) -> None:
    with pytest.raises(ValueError, match="unbalanced"):
        split(line)


@given(some.lists(some.binary(max_size=20)))
def test_whatever_is_quoted_comes_back(words: list[bytes]) -> None:
    line = b" ".join(b'"' + b"".join(b"\\x%02x" % byte for byte in word) + b'"' for word in words)
    assert split(line) == words
