"""The digests of DEBUG DIGEST and DEBUG DIGEST-VALUE: equal data has equal digests, also in Redis.

    value       mix the type number (4 bytes, big endian), the value, xor a mark if the key expires
    key         a digest of its own: mix the key, then the value
    database    mix its number (4 bytes, big endian), then xor the digest of each key

value_digests.py says how a value of each type is hashed, and what *mix* and *xor* mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from minidis.structures.types import type_of
from minidis.structures.value_digests import SIZE, mix, xor

EXPIRE_MARK = b"!!expire!!"


def value_digest(digest: int, value: Any, *, expires: bool) -> int:
    """Continue `digest` with a value as the keyspace stores it."""
    value_type = type_of(value)
    digest = mix(digest, value_type.number.to_bytes(4))
    digest = value_type.digest(digest, value)
    return xor(digest, EXPIRE_MARK) if expires else digest


def dataset_digest(
    databases: Iterable[tuple[int, Mapping[bytes, Any], Mapping[bytes, int]]],
) -> str:
    """Digest of (number, values, deadlines) of each database, as 40 hexadecimal digits."""
    total = 0
    for number, values, deadlines in databases:
        if not values:
            continue
        total = mix(total, number.to_bytes(4))
        for key, value in values.items():
            digest = value_digest(mix(0, key), value, expires=key in deadlines)
            total = xor(total, digest.to_bytes(SIZE))
    return total.to_bytes(SIZE).hex()
