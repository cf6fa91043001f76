"""Which strings Redis keeps as integers, and the encodings of strings."""

from __future__ import annotations

_LARGEST = b"9223372036854775807"
_SMALLEST = b"9223372036854775808"
_ZERO = 48
#: Longer strings have the encoding "raw", in bytes.
LONGEST_EMBEDDED = 44


class Text(bytes):
    """A numeric string that Redis keeps as text (encoding "embstr"), not as an integer."""

    __slots__ = ()


def is_canonical_int(text: bytes) -> bool:
    """Whether a string is exactly what str() returns for a signed 64-bit integer.

    >>> [is_canonical_int(text) for text in (b"0", b"-12", b"007", b"+1", b"-0", b"1.0")]
    [True, True, False, False, False, False]
    """
    # isdigit first: one call into C is enough for nearly every string, numeric or not.
    # Texts of equal length compare as the numbers do.
    size = len(text)
    if text.isdigit():
        return size == 1 or (text[0] != _ZERO and (size < 19 or (size == 19 and text <= _LARGEST)))
    if text[:1] != b"-":
        return False
    digits = text[1:]
    return (
        digits.isdigit()
        and digits[0] != _ZERO
        and (size < 20 or (size == 20 and digits <= _SMALLEST))
    )


def string_encoding(value: bytes | int | bytearray) -> str:
    """The reply of OBJECT ENCODING for a string: int, embstr or raw."""
    if isinstance(value, int):
        return "int"
    if isinstance(value, bytearray):
        return "raw"
    if not isinstance(value, Text) and is_canonical_int(value):
        return "int"
    return "embstr" if len(value) <= LONGEST_EMBEDDED else "raw"
