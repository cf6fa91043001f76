"""XXH3 against the xxhash package if it is there, and against recorded digests."""

from __future__ import annotations

from random import Random

import pytest

from minidis.structures.digests import xxh3_64

LENGTHS = [*range(300), 511, 512, 513, 1023, 1024, 1025, 1088, 1089, 2048, 2049, 4097, 10_240]


def data(size: int) -> bytes:
    return Random(size).randbytes(size)


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        (b"", "2d06800538d394c2"),
        (b"a", "e6c632b61e964e1f"),
        (b"abc", "78af5f94892f3950"),
        (b"Hello world", "b6acb9d84a38ff74"),
    ],
)
def test_recorded(text: bytes, digest: str) -> None:
    assert f"{xxh3_64(text):016x}" == digest


def test_against_the_package() -> None:
    xxhash = pytest.importorskip("xxhash")
    for size in LENGTHS:
        assert xxh3_64(data(size)) == xxhash.xxh3_64_intdigest(data(size)), size
    for text in (bytes(1000), b"\xff" * 1000, b"\xff" * 16, b"\xff" * 8, b"\xff" * 3):
        assert xxh3_64(text) == xxhash.xxh3_64_intdigest(text)
