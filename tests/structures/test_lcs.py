"""LCS against the plain table that Redis fills, walked the same way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from minidis.structures.lcs import lcs, table_size

texts = st.text("abc", max_size=20).map(str.encode)


def by_table(a: bytes, b: bytes) -> tuple[int, bytes, list[tuple[int, int]]]:
    """The length, the text and the single matched places, from the end backward."""
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, one in enumerate(a, 1):
        for j, other in enumerate(b, 1):
            higher = max(table[i - 1][j], table[i][j - 1])
            table[i][j] = table[i - 1][j - 1] + 1 if one == other else higher
    i, j = len(a), len(b)
    places = []
    while i and j:
        if a[i - 1] == b[j - 1]:
            i, j = i - 1, j - 1
            places.append((i, j))
        elif table[i - 1][j] > table[i][j - 1]:
            i -= 1
        else:
            j -= 1
    return table[-1][-1], bytes(a[i] for i, _ in reversed(places)), places


@given(texts, texts)
def test_the_same_as_by_table(a: bytes, b: bytes) -> None:
    length, text, places = by_table(a, b)
    reply = lcs(a, b)
    assert (reply.length, reply.text) == (length, text)
    found = []
    for match in reply.matches:
        assert match.a_end - match.a_start == match.b_end - match.b_start == match.length - 1
        assert a[match.a_start : match.a_end + 1] == b[match.b_start : match.b_end + 1]
        found += [(match.a_end - n, match.b_end - n) for n in range(match.length)]
    assert found == places


def test_the_manual() -> None:
    reply = lcs(b"ohmytext", b"mynewtext")
    assert reply.text == b"mytext"
    assert reply.matches == [(4, 7, 5, 8, 4), (2, 3, 0, 1, 2)]


def test_nothing_in_common() -> None:
    assert lcs(b"abc", b"xyz") == (0, b"", [])
    assert lcs(b"", b"xyz") == lcs(b"abc", b"") == (0, b"", [])


def test_all_bytes_and_long_strings() -> None:
    every = bytes(range(256)) * 8
    assert lcs(every, every).matches == [(0, 2047, 0, 2047, 2048)]
    assert lcs(every, every[::-1]).length >= 8


def test_the_size_of_redis_table() -> None:
    assert table_size(b"abc", b"de") == 4 * 4 * 3
