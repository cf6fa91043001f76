"""Sizes of a listpack, Redis's compact encoding: they decide when Redis leaves the encoding.

u32 total bytes | u16 count | entry | entry | ... | FF        7 bytes without entries
                              └ encoding and data | length of both, for reading backwards
"""

from __future__ import annotations

from minidis.structures.text import is_canonical_int

#: Bytes without entries.
EMPTY = 7
#: Most bytes that an entry takes beyond its text.
MOST_EXTRA = 11


def signed(number: int) -> int:
    """The number as 64 bits with a sign.

    >>> signed(2**64 - 1)
    -1
    """
    return (number + 2**63) % 2**64 - 2**63


def integer_bytes(number: int) -> int:
    """Bytes of an integer entry; the number wraps at 64 bits."""
    if -4096 <= number < 4096:
        return 2 if 0 <= number < 128 else 3
    number = signed(number)
    bits = (number if number >= 0 else ~number).bit_length()
    return 4 if bits < 16 else 5 if bits < 24 else 6 if bits < 32 else 10


def text_bytes(word: bytes) -> int:
    """Bytes of the entry of a string, which is an integer if it looks like one.

    >>> text_bytes(b"abc"), text_bytes(b"100"), text_bytes(b"x" * 100)
    (5, 2, 103)
    """
    size = len(word)
    if size < 64:
        if size <= 20 and is_canonical_int(word):
            return integer_bytes(int(word))
        return size + 2
    size += 2 if size < 4096 else 5
    return size + 1 + (size > 127) + (size >= 16383) + (size >= 2097151) + (size >= 268435455)
