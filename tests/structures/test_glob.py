"""Glob patterns: a table, a plain matcher as a model, and a real server if there is one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from minidis.structures.glob import compile_pattern
from tests.oracle.server import RealServer

# pattern | what it matches | what it does not match; "" is the empty text.
TABLE = r"""
*           | "" a ab                  |
**          | a ab                     | ""
?           | a ?                      | "" ab
a*          | a ab                     | "" ba
*a          | a ba                     | "" ab
*a*         | a bab                    | b
a*b         | ab aab axb               | a b abx
ab*ba       | abba abxba               | aba ab
a*b*c       | abc axbxc abbcc          | acb ab
a**b        | ab axb                   | a b
***a***     | a bab                    | b ""
?*          | a ab                     | ""
*?          | a ab                     | ""
**?**       | a ab                     | ""
[abc]       | a b                      | "" d ab
[a-c]x      | ax cx                    | dx ax-
[c-a]       | a b c                    | d
[^a]        | b ^                      | a ""
[^a-c]      | d ^                      | b
[a-]        | a ` ^ ]                  | - b
[a-         | a -                      | [
[-a]        | - a                      | b
[]          |                          | "" ] [] -
[]a]        |                          | ] a ]a] []a] -
[^]         | a ]                      | "" [^]
[^]a]       | ba] ]a]                  | b a
[\]]        | ]                        | - \ [
[\^a]       | ^ a                      | b \
[a^]        | a ^                      | b
[           |                          | "" [
[^          | a ^ [                    | "" ab
[a          | a                        | [ [a
[\          | \                        | [ ""
[a\         | a \                      | [
[a-z]*[0-9] | a1 zz9 a11               | a 1a A1
h[ae]llo*   | hello hallox             | hillo
\*          | *                        | a \*
\a          | a                        | b \a
\           | \                        | "" a
a\          | a\                       | a a\\
\\          | \                        | \\ ""
\[a]        | [a]                      | a
*[b]*       | b abc                    | ac ""
*a?c        | abc xxabc aaac           | ac abcx
*[ab]*[ab]  | ab xaxb bb               | a xax
a*[ab]      | aa ab axxb               | a b
*[ab]b[ab]  | aba xabb bbbb            | bb abx
[*]         | *                        | a
[?]         | ?                        | a
"""

NOCASE = r"""
abc         | abc ABC aBc              | abd
A?C*        | abc AXCd                 | ab
*B          | b aB                     | c
[a-c]       | a B C                    | d D
[A-C]       | a B C                    | d D
[^A]        | b B                      | a A
[\A]        | A                        | a b
\A          | a A                      | b
[Z-a]       |                          | Z a z A
"""


def rows(table: str) -> Iterator[tuple[bytes, bytes, bool]]:
    for line in table.strip().splitlines():
        pattern, yes, no = (part.split() for part in line.encode().split(b"|"))
        for texts, expected in ((yes, True), (no, False)):
            for text in texts:
                yield pattern[0], b"" if text == b'""' else text, expected


@pytest.mark.parametrize(("pattern", "text", "expected"), list(rows(TABLE)))
def test_table(pattern: bytes, text: bytes, expected: bool) -> None:
    assert compile_pattern(pattern)(text) is expected


@pytest.mark.parametrize(("pattern", "text", "expected"), list(rows(NOCASE)))
def test_table_without_case(pattern: bytes, text: bytes, expected: bool) -> None:
    assert compile_pattern(pattern, nocase=True)(text) is expected


def test_the_empty_pattern() -> None:
    assert compile_pattern(b"")(b"") is True
    assert compile_pattern(b"")(b"a") is False


def test_newlines_and_high_bytes_are_bytes_like_others() -> None:
    assert compile_pattern(b"?[\n-\x0b]*")(b"\n\x0b\xff\n")
    assert compile_pattern(b"*[^\x80-\xff]")(b"\xff\n")


PIECES = ["a", "b", "C", "*", "?", "[", "]", "^", "-", "\\", "[a-c]", "[^b]", "\\*"]
patterns = st.lists(st.sampled_from(PIECES), max_size=8).map(lambda pieces: "".join(pieces))
texts = st.text("abcABC*[]^-\\", max_size=8).map(str.encode)


def plain_match(pattern: bytes, text: bytes, nocase: bool) -> bool:
    """Follow Redis's rules one byte after the other, and try every length for a star."""
    if not pattern or not text:
        return not text and not pattern.strip(b"*")
    if pattern[:1] == b"*":
        rest = pattern.lstrip(b"*")
        return not rest or any(plain_match(rest, text[at:], nocase) for at in range(len(text) + 1))
    accepted, rest = plain_token(pattern, nocase)
    return text[0] in accepted and plain_match(rest, text[1:], nocase)


def plain_token(pattern: bytes, nocase: bool) -> tuple[set[int], bytes]:
    def fold(text: bytes) -> set[int]:
        return set(text.lower() + text.upper()) if nocase else set(text)

    head, rest = pattern[:1], pattern[1:]
    if head == b"?":
        return set(range(256)), rest
    if head == b"\\" and rest:
        return fold(rest[:1]), rest[1:]
    if head != b"[":
        return fold(head), rest
    inverted = rest.startswith(b"^")
    rest = rest[inverted:]
    accepted: set[int] = set()
    while rest and rest[:1] != b"]":
        if rest[:1] == b"\\" and len(rest) > 1:
            accepted.add(rest[1])
            rest = rest[2:]
        elif rest[1:2] == b"-" and len(rest) > 2:
            ends = bytes(sorted(rest[:3:2]))
            first, last = ends.lower() if nocase else ends
            for byte in range(256):
                folded = bytes((byte,)).lower()[0] if nocase else byte
                if first <= folded <= last:
                    accepted.add(byte)
            rest = rest[3:]
        else:
            accepted |= fold(rest[:1])
            rest = rest[1:]
    return (set(range(256)) - accepted if inverted else accepted), rest[1:]


@pytest.mark.slow
@settings(max_examples=1000)
@given(patterns, texts, st.booleans())
def test_the_same_as_the_plain_matcher(pattern: str, text: bytes, nocase: bool) -> None:
    glob = pattern.encode()
    if glob.strip(b"*") or text:
        assert compile_pattern(glob, nocase)(text) is plain_match(glob, text, nocase)


@pytest.mark.parametrize(
    "pattern",
    [
        b"*a" * 60 + b"b",
        b"a*" * 60 + b"b",
        b"*[ab]" * 60 + b"c",
        b"*?a" * 60 + b"[c]",
        b"*[a]b" * 9,
    ],
)
def test_no_pattern_explodes(pattern: bytes) -> None:
    began = time.perf_counter()
    assert not compile_pattern(pattern)(b"a" * 20_000)
    assert time.perf_counter() - began < 2


@pytest.mark.slow
def test_a_huge_pattern_is_matched_but_not_kept() -> None:
    assert compile_pattern(b"a" * 100_000 + b"?")(b"a" * 100_001)


@pytest.fixture(scope="module")
def server(real_server: RealServer) -> Iterator[Any]:
    with redis.Redis(unix_socket_path=real_server.path) as client:
        client.flushall()
        yield client
        client.flushall()


def odd_patterns(random: Random, count: int) -> list[bytes]:
    sizes = (random.randrange(1, 8) for _ in range(count))
    return ["".join(random.choices(PIECES, k=size)).encode() for size in sizes]


@pytest.mark.slow
def test_keys_as_the_server_finds_them(server: Any) -> None:
    random = Random(8)
    keys = {bytes(random.choices(b"abC*]^-\\", k=random.randrange(6))) for _ in range(150)}
    server.mset(dict.fromkeys(keys, b""))
    chosen = [*odd_patterns(random, 3000), *(pattern for pattern, _, _ in rows(TABLE))]
    pipeline = server.pipeline(transaction=False)
    for pattern in chosen:
        pipeline.keys(pattern)
    for pattern, found in zip(chosen, pipeline.execute(), strict=True):
        assert set(found) == set(filter(compile_pattern(pattern), keys)), pattern


@pytest.mark.slow
def test_names_without_case_as_the_server_finds_them(server: Any) -> None:
    # COMMAND LIST FILTERBY PATTERN matches without case.
    random = Random(9)
    names = server.execute_command("COMMAND LIST")
    pieces = [
        "*",
        "?",
        "[g-S]",
        "[^A]",
        "[\\g]",
        "\\G",
        "e",
        "E",
        "T",
        "[S-b]",
        "[Z-a]",
        "[b-",
        "x",
    ]
    chosen = ["".join(random.choices(pieces, k=random.randrange(1, 6))) for _ in range(1000)]
    pipeline = server.pipeline(transaction=False)
    for pattern in chosen:
        pipeline.execute_command("COMMAND LIST", "FILTERBY", "PATTERN", pattern)
    for pattern, found in zip(chosen, pipeline.execute(), strict=True):
        matches = compile_pattern(pattern.encode(), nocase=True)
        assert set(found) == set(filter(matches, names)), pattern
