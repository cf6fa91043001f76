"""The fingerprint of data that DEBUG DIGEST answers: equal data, equal digest, here and in Redis.

Twenty bytes. Parts whose order counts are mixed in (xor with their SHA-1, then SHA-1 of the whole),
parts without an order are xored only:

    database    mix its number (4 bytes, big endian)
    key, value  a digest of its own: mix key, mix type (4 bytes), the value, xor an expiry mark
    string      mix the bytes               list   mix each element
    set         xor each member             hash   xor over (mix field, mix value)
    zset        xor over (mix member, mix score)
    stream      mix each id ("5.1"), field and value
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha1
from typing import Any

from minidis.structures.lists import List
from minidis.structures.sorted_set import SortedSet
from minidis.structures.streams import SEQUENCE, SHIFT, Stream
from minidis.structures.tables import Hash, Set

SIZE = 20
TYPE_NUMBERS: dict[type, int] = {List: 1, Set: 2, SortedSet: 3, Hash: 4, Stream: 6}
EXPIRE_MARK = b"!!expire!!"


def _xor(digest: int, part: bytes) -> int:
    return digest ^ int.from_bytes(sha1(part, usedforsecurity=False).digest())


def _mix(digest: int, part: bytes) -> int:
    mixed = _xor(digest, part).to_bytes(SIZE)
    return int.from_bytes(sha1(mixed, usedforsecurity=False).digest())


def _pair(one: bytes, two: bytes) -> bytes:
    return _mix(_mix(0, one), two).to_bytes(SIZE)


def value_digest(digest: int, value: Any, *, expires: bool) -> int:
    """Continue `digest` with a value as the keyspace stores it."""
    kind = value.__class__
    digest = _mix(digest, TYPE_NUMBERS.get(kind, 0).to_bytes(4))
    if kind is List:
        for element in value:
            digest = _mix(digest, element)
    elif kind is Set:
        for member in value:
            digest = _xor(digest, member)
    elif kind is Hash:
        for field, content in value.items():
            digest = _xor(digest, _pair(field, content))
    elif kind is SortedSet:
        for member, score in value.scores.items():
            digest = _xor(digest, _pair(member, b"%.17g" % score))
    elif kind is Stream:
        for number, *words in value:
            digest = _mix(digest, b"%d.%d" % (number >> SHIFT, number & SEQUENCE))
            for word in words:
                digest = _mix(digest, word)
    else:
        digest = _mix(digest, b"%d" % value if kind is int else bytes(value))
    return _xor(digest, EXPIRE_MARK) if expires else digest


def dataset_digest(
    databases: Iterable[tuple[int, Mapping[bytes, Any], Mapping[bytes, int]]],
) -> str:
    """Digest of (number, values, deadlines) of each database, as 40 hexadecimal digits."""
    total = 0
    for number, values, deadlines in databases:
        if not values:
            continue
        total = _mix(total, number.to_bytes(4))
        for key, value in values.items():
            digest = value_digest(_mix(0, key), value, expires=key in deadlines)
            total = _xor(total, digest.to_bytes(SIZE))
    return total.to_bytes(SIZE).hex()
