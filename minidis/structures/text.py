"""Which strings are numbers to Redis, and the numeric strings that it keeps as text."""

from __future__ import annotations

_LARGEST = b"9223372036854775807"
_SMALLEST = b"9223372036854775808"
_ZERO = 48


class Text(bytes):
    """Numeric text that is kept as text (encoding "embstr"); otherwise a bytes like any other."""

    __slots__ = ()


def is_canonical_int(text: bytes) -> bool:
    """Is this exactly what str() gives for a signed 64-bit integer?

    >>> [is_canonical_int(text) for text in (b"0", b"-12", b"007", b"+1", b"-0", b"1.0")]
    [True, True, False, False, False, False]
    """
    # isdigit first: it is one call into C and settles nearly every string, numeric or not.
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
