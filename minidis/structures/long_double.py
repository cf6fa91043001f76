"""Sums of decimal numbers as C computes them with 80-bit long doubles: INCRBYFLOAT, HINCRBYFLOAT.

Redis parses both numbers to a 64-bit mantissa, adds them with the same precision, and prints up
to 17 decimals without trailing zeros. Exact fractions, rounded after the same two steps, give the
same text.
"""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

MANTISSA = 64
_DECIMAL = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z")
_INFINITE = re.compile(rb"[+-]?inf(inity)?\Z", re.I)
_HEXADECIMAL = re.compile(rb"([+-]?)0x([0-9a-f]*)\.?([0-9a-f]*)(?:p([+-]?\d+))?\Z", re.I)
#: Redis rejects longer strings without parsing them.
LONGEST = 5119
ZERO = Fraction(0)
#: Larger exponents give the same result as this one.
_FAR = 40_000
#: The largest number, and half of the smallest: beyond them are overflow and underflow.
LARGEST = Fraction((2**64 - 1) * 2**16320)
SMALLEST = Fraction(1, 2**16446)


def parse(word: bytes) -> Fraction | None:
    """The nearest number with a 64-bit mantissa; None if the string is not a finite number."""
    if len(word) > LONGEST:
        return None
    if _DECIMAL.match(word):
        digits, _, exponent = word.lower().partition(b"e")
        # Decimal, because int(text) raises for more than 4300 digits.
        number = Fraction(Decimal(digits.decode()))
        return _in_range(number * Fraction(10) ** _clamped(exponent))
    match = _HEXADECIMAL.match(word)
    if match and (match[2] or match[3]):
        value = Fraction(int(match[2] + match[3], 16)) / 16 ** len(match[3])
        value *= Fraction(2) ** _clamped(match[4] or b"")
        return _in_range(-value if match[1] == b"-" else value)
    return None


def _clamped(exponent: bytes) -> int:
    """The exponent, limited to a size that does not change the result."""
    digits = exponent.lstrip(b"+-0")
    size = _FAR if len(digits) > 5 else min(int(digits or b"0"), _FAR)
    return -size if exponent[:1] == b"-" else size


def _in_range(value: Fraction) -> Fraction | None:
    """The nearest number; None on overflow, or on underflow to zero."""
    nearest = rounded(value)
    if abs(nearest) > LARGEST or (value and abs(value) <= SMALLEST):
        return None
    return nearest


def is_infinite(word: bytes) -> bool:
    """Whether a string is inf, -inf or infinity, in upper or lower case."""
    return _INFINITE.match(word) is not None


def rounded(value: Fraction) -> Fraction:
    """The nearest number with a 64-bit mantissa, ties to even."""
    if value == 0:
        return value
    size = abs(value.numerator).bit_length() - value.denominator.bit_length()
    shift = MANTISSA - size - 1
    scaled = abs(value) * Fraction(2) ** shift
    if scaled < 2 ** (MANTISSA - 1):
        shift, scaled = shift + 1, scaled * 2
    elif scaled >= 2**MANTISSA:
        shift, scaled = shift - 1, scaled / 2
    result = Fraction(round(scaled)) / Fraction(2) ** shift
    return result if value > 0 else -result


def add_decimal(one: Fraction, two: Fraction) -> bytes:
    """The sum as text: at most 17 decimals, no exponent, no trailing zeros."""
    total = rounded(one + two)
    scaled = round(total * 10**17)  # printf rounds half to even on exact ties, as round() does
    sign = b"-" if scaled < 0 else b""
    whole, decimals = divmod(abs(scaled), 10**17)
    tail = (b"%017d" % decimals).rstrip(b"0")
    text = str(Decimal(whole)).encode() + (b"." + tail if tail else b"")
    return b"0" if text == b"0" else sign + text
