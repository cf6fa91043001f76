"""One value as DEBUG DIGEST-VALUE hashes it: a function per type, for the table in types.py.

A digest is a 20-byte number. Ordered parts are *mixed* into it (xor with their SHA-1, then SHA-1 of
the result), unordered parts are only *xored* into it, so that their order does not matter:

    string      mix the bytes               list   mix each element
    set         xor each member             hash   xor over (mix field, mix value)
    zset        xor over (mix member, mix score)
    stream      mix each id ("5.1"), field and value
"""

from __future__ import annotations

from minidis.structures.doubles import shortest
from minidis.structures.lists import List
from minidis.structures.sorted_set import SortedSet
from minidis.structures.streams import SEQUENCE, SHIFT, Stream
from minidis.structures.tables import Hash, Set

#: Bytes of a digest.
SIZE = 20


def xor(digest: int, part: bytes) -> int:
    """The digest with an unordered part added."""
    return digest ^ _sha1(part)


def mix(digest: int, part: bytes) -> int:
    """The digest with an ordered part added."""
    mixed = xor(digest, part).to_bytes(SIZE)
    return _sha1(mixed)


def _sha1(part: bytes) -> int:
    from hashlib import sha1  # loads the library of OpenSSL

    return int.from_bytes(sha1(part, usedforsecurity=False).digest())


def _pair(one: bytes, two: bytes) -> bytes:
    return mix(mix(0, one), two).to_bytes(SIZE)


def digest_string(digest: int, value: bytes | int | bytearray) -> int:
    """Continue `digest` with a string."""
    return mix(digest, b"%d" % value if isinstance(value, int) else bytes(value))


def digest_list(digest: int, value: List) -> int:
    """Continue `digest` with a list."""
    for element in value:
        digest = mix(digest, element)
    return digest


def digest_set(digest: int, value: Set) -> int:
    """Continue `digest` with a set."""
    for member in value:
        digest = xor(digest, member)
    return digest


def digest_hash(digest: int, value: Hash) -> int:
    """Continue `digest` with a hash."""
    for field, content in value.items():
        digest = xor(digest, _pair(field, content))
    return digest


def digest_sorted_set(digest: int, value: SortedSet) -> int:
    """Continue `digest` with a sorted set."""
    for member, score in value.scores.items():
        digest = xor(digest, _pair(member, shortest(score)))
    return digest


def digest_stream(digest: int, value: Stream) -> int:
    """Continue `digest` with the entries of a stream; its consumer groups do not count."""
    for number, *words in value:
        digest = mix(digest, b"%d.%d" % (number >> SHIFT, number & SEQUENCE))
        for word in words:
            digest = mix(digest, word)
    return digest
