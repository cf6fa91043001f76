"""LZF: what comes out is what went in, and packing packs."""

from __future__ import annotations

import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidis.persistence.rdb.corrupt import CorruptError
from minidis.persistence.rdb.lzf import AdaptiveCompressor, compress, decompress

#: Packed by a real server, and what it stands for.
EXAMPLES = [
    ("01 61 61 e0 0a 00", b"a" * 21),
    ("01 61 61 e0 33 00 01 61 61", b"a" * 64),
    ("02 61 62 61 e0 42 01 01 61 62", b"ab" * 40),
    ("40 00", None),  # reaches before the start
    ("20", None),  # ends inside a copy
    ("e0", None),
    ("e0 01", None),
    ("05 61 62", None),  # ends inside literals
]


@pytest.mark.parametrize(("packed", "text"), EXAMPLES)
def test_examples(packed: str, text: bytes | None) -> None:
    data = bytes.fromhex(packed)
    if text is not None:
        assert decompress(data, len(text)) == text
    for size in {0, 1, 2, 20, 22, 65, 5000} - {len(text or b"-")}:
        with pytest.raises(CorruptError):
            decompress(data, size)


_REPETITIVE = st.lists(
    st.one_of(
        st.binary(max_size=40), st.tuples(st.binary(min_size=1, max_size=9), st.integers(1, 99))
    )
).map(lambda parts: b"".join(p if isinstance(p, bytes) else p[0] * p[1] for p in parts))


@given(_REPETITIVE)
def test_round_trip(text: bytes) -> None:
    packed = compress(text)
    if packed is not None:
        assert len(packed) <= len(text) - 4
        assert decompress(packed, len(text)) == text


@pytest.mark.parametrize("letters", [1, 2, 3, 10, 60])
@pytest.mark.parametrize("size", [384, 2047, 2048, 2049, 8191, 8192, 8193, 40_000])
def test_round_trip_of_large_strings(letters: int, size: int) -> None:
    text = bytes(random.Random(size * letters).choices(range(letters), k=size))
    packed = compress(text)
    assert packed is not None or letters > 3
    if packed is not None:
        assert decompress(packed, size) == text


def test_distances_beyond_the_window_are_not_used() -> None:
    generator = random.Random(1)
    piece = generator.randbytes(600)
    text = piece + generator.randbytes(9000) + piece + piece
    packed = compress(text)
    assert packed is not None
    assert decompress(packed, len(text)) == text


@pytest.mark.parametrize(
    ("text", "most"),
    [
        (b"x" * 64, 9),
        (b"abc" * 30, 10),
        (b"value:12345 " * 10, 20),
        (b"".join(b'{"id":%d,"name":"user %d"}' % (i, i) for i in range(100)), 1400),
        (bytes(1 << 20), 1 << 14),
    ],
)
def test_it_packs(text: bytes, most: int) -> None:
    packed = compress(text)
    assert packed is not None
    assert len(packed) <= most


def test_random_bytes_are_left_alone() -> None:
    generator = random.Random(2)
    assert all(compress(generator.randbytes(size)) is None for size in range(300))
    assert compress(generator.randbytes(1 << 20)) is None


def test_packer_gives_up_on_strings_that_do_not_gain_and_returns() -> None:
    generator, compressor = random.Random(3), AdaptiveCompressor()
    for _ in range(500):
        assert compressor.compress(generator.randbytes(64)) is None
    replies = [compressor.compress(b"x" * 64) for _ in range(100)]
    assert replies.count(None) <= AdaptiveCompressor.SKIPPED
    assert None not in replies[AdaptiveCompressor.SKIPPED :]


@given(st.binary(max_size=60), st.integers(0, 200))
def test_garbage_is_refused_or_unpacked(data: bytes, size: int) -> None:
    with contextlib.suppress(CorruptError):
        assert len(decompress(data, size)) == size
