"""Doubles as text: the shortest digits that round-trip, formatted as Redis does since 7.2.

double() is for replies and for what a listpack holds: whole numbers up to 2^62 in full. shortest()
is for DEBUG DIGEST: 1e+8.
"""

from __future__ import annotations

from functools import cache
from math import copysign, frexp, isfinite, ulp
from struct import pack

#: Whole numbers up to here are written in full in replies.
_LARGEST_INTEGER = 2.0**62


def double(number: float) -> bytes:
    """Return a double as replies have it.

    >>> double(3.0), double(1e17), double(1e20), double(0.1), double(float("-inf"))
    (b'3', b'100000000000000000', b'1e+20', b'0.1', b'-inf')
    """
    if number and -_LARGEST_INTEGER <= number <= _LARGEST_INTEGER and number == int(number):
        return b"%d" % number
    return shortest(number)


def shortest(number: float) -> bytes:
    """Return a double as text.

    >>> shortest(3.0), shortest(1e8), shortest(1.5e-7), shortest(-0.0)
    (b'3', b'1e+8', b'1.5e-7', b'-0')
    """
    if not number:
        return b"0" if copysign(1, number) > 0 else b"-0"
    if not isfinite(number):
        return b"nan" if number != number else b"inf" if number > 0 else b"-inf"
    sign, figures, power = _digits(number)
    highest = power + len(figures) - 1  # exponent of the first figure
    if power >= 0 and highest < len(figures) + 7:
        return sign + figures + b"0" * power
    if power < 0 and (power > -7 or abs(highest) < 4):
        figures = figures.rjust(1 - power, b"0")
        return sign + figures[:power] + b"." + figures[power:]
    rest = b"." + figures[1:] if len(figures) > 1 else b""
    return b"%b%b%be%+d" % (sign, figures[:1], rest, highest)


def _digits(number: float) -> tuple[bytes, bytes, int]:
    """Return the sign, the significant figures, and the power of ten of the last one."""
    positive = abs(number)
    figures, power = _short_figures(positive)
    if figures is None:
        digits, power = _grisu(positive)
        figures = b"%d" % digits
    short = figures.rstrip(b"0")
    return b"-" if number < 0 else b"", short, power + len(figures) - len(short)


def _short_figures(number: float) -> tuple[bytes | None, int]:
    """Return figures and power of a number with few decimals, or (None, 0): much faster.

    With 15 figures at most, no other number with as many is as close. Grisu2 finds it unless it is
    at the edge of the decimals that are rounded to this double.
    """
    whole, _, fraction = repr(number).partition(".")
    figures = (whole + fraction).lstrip("0")
    if not figures.isdigit() or len(figures) > 15 or frexp(number)[0] == 0.5:
        return None, 0
    over, under = number.as_integer_ratio()
    scale = 10 ** len(fraction)
    if abs(int(figures) * under - over * scale) / (under * scale) > 0.49 * ulp(number):
        return None, 0
    return figures.encode(), -len(fraction)


# Grisu2 ------------------------------------------------------------------------------------------
#
# Redis converts doubles with this algorithm of Florian Loitsch ("Printing floating-point numbers
# quickly and accurately with integers", 2010). One number in a thousand gets a digit too many, or
# not the closest of the shortest ones, so repr() would differ.

_HIDDEN, _MASK = 1 << 52, (1 << 64) - 1
#: Exponents of two that a number may have after its multiplication with a power of ten.
_LOWEST, _HIGHEST = -60, -32


@cache
def _power_of_ten(exponent: int) -> tuple[int, int, int]:
    """Return (k, f, e): 10^k is about f * 2^e, and brings a number of this exponent into range."""
    k = -348 + 8 * int((int(-(exponent + 87) * 0.30102999566398114) + 348) / 8)
    while True:
        factor, shift = _scaled(k)
        found = exponent + shift + 64
        if _LOWEST <= found <= _HIGHEST:
            return k, factor, shift
        k += 8 if found < _LOWEST else -8


def _scaled(k: int) -> tuple[int, int]:
    """Return 10^k as (f, e) with 64 bits in f, rounded."""
    above, below = (10**k, 1) if k >= 0 else (1, 10**-k)
    shift = above.bit_length() - below.bit_length() - 64
    above, below = (above, below << shift) if shift >= 0 else (above << -shift, below)
    if above >= below << 64:
        below, shift = below << 1, shift + 1
    return (2 * above + below) // (2 * below), shift


def _grisu(number: float) -> tuple[int, int]:
    """Return (digits, power of ten) of a positive number."""
    bits = int.from_bytes(pack(">d", number))
    exponent, fraction = bits >> 52, bits & (_HIDDEN - 1)
    fraction, exponent = (fraction + _HIDDEN, exponent) if exponent else (fraction, 1)
    # Both boundaries and the number itself, shifted so that the upper one has 64 bits.
    upper = 2 * fraction + 1
    shift = 64 - upper.bit_length()
    near = fraction == _HIDDEN
    lower = (fraction << (2 if near else 1)) - 1 << (shift - 1 if near else shift)
    k, factor, scale = _power_of_ten(exponent - 1076 - shift)
    upper, lower, middle = (
        (value * factor + (1 << 63)) >> 64
        for value in (upper << shift, lower, fraction << shift + 1)
    )
    power = -(exponent - 1076 - shift + scale + 64)
    digits, more = _generate(upper - 1, upper - 1 - middle, upper - lower - 2, power)
    return digits, more - k


def _generate(upper: int, wanted: int, delta: int, power: int) -> tuple[int, int]:
    """Return the shortest digits in the last `delta` below `upper`, and their power of ten.

    The numbers are multiples of 2^-power; `wanted` is how far the exact number is below `upper`.
    """
    one = 1 << power
    whole, rest = upper >> power, upper & one - 1
    for kappa in range(9, -1, -1):
        unit = 10**kappa
        left = (whole % unit << power) + rest
        if whole >= unit and left <= delta:
            return _closest(whole // unit, delta, left, unit << power, wanted), kappa
    digits, kappa, scale = whole, 0, 1
    while rest >= delta or not kappa:
        rest, delta, scale, kappa = rest * 10, delta * 10 & _MASK, scale * 10, kappa - 1
        digits, rest = digits * 10 + (rest >> power), rest & one - 1
    return _closest(digits, delta, rest, one, wanted * scale & _MASK), kappa


def _closest(digits: int, delta: int, left: int, unit: int, wanted: int) -> int:
    """Decrease the last digit while that comes closer to the exact number."""
    while (
        left < wanted
        and delta - left >= unit
        and (left + unit < wanted or wanted - left > left + unit - wanted)
    ):
        digits, left = digits - 1, left + unit
    return digits
