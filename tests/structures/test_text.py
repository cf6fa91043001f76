"""Which texts are canonical integers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidis.structures.text import Text, is_canonical_int

NUMBERS = [0, 1, -1, 10, 2**63 - 1, -(2**63), 10**18 - 1, 10**18, -(10**18), 999]
OTHERS = """
    00 01 -0 -01 +1 -- - 1- 1.0 1e3 0x1 a 9223372036854775808 -9223372036854775809
    18446744073709551616 10000000000000000000 -10000000000000000000 99999999999999999999
"""


@pytest.mark.parametrize("number", NUMBERS)
def test_canonical(number: int) -> None:
    assert is_canonical_int(b"%d" % number)


@pytest.mark.parametrize("text", OTHERS.split())
def test_not_canonical(text: str) -> None:
    assert not is_canonical_int(text.encode())


@pytest.mark.parametrize("text", [b"", b" 1", b"1 ", b"1\n", b"\xb2", b"1_0"])
def test_not_canonical_either(text: bytes) -> None:
    assert not is_canonical_int(text)


@given(
    st.integers(-(2**64), 2**64) | st.integers(-20, 20), st.sampled_from([b"", b"0", b"-", b" "])
)
def test_as_str_writes_it(number: int, prefix: bytes) -> None:
    text = prefix + b"%d" % number
    try:
        canonical = b"%d" % int(text) == text and -(2**63) <= int(text) < 2**63
    except ValueError:
        canonical = False
    assert is_canonical_int(text) == canonical


def test_text_is_bytes_without_a_dictionary() -> None:
    text = Text(b"12")
    assert text == b"12"
    as_key: dict[bytes, int] = {text: 1}
    assert as_key[b"12"] == 1
    assert not hasattr(text, "__dict__")
