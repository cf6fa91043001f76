"""IFEQ, IFNE, IFDEQ and IFDNE: conditions on the current value, for SET and DELEX."""

from __future__ import annotations

from typing import Any

from minidis import errors
from minidis.structures.digests import xxh3_64

#: The options as written in syntax lines.
CONDITIONS = "IFEQ ifeq-value | IFNE ifne-value | IFDEQ ifdeq-digest | IFDNE ifdne-digest"
NO_CONDITIONS = (None, None, None, None)


def condition_met(old: bytes | None, ifeq: Any, ifne: Any, ifdeq: Any, ifdne: Any) -> bool:
    """Check the current value against the one condition given; a missing key equals no value."""
    if old is None:
        return ifeq is None and ifdeq is None
    for wanted, equal in ((ifdeq, True), (ifdne, False)):
        if wanted is not None:
            return (b"%016x" % xxh3_64(old) == _checked_digest(wanted)) is equal
    return old != ifne if ifeq is None else old == ifeq


def _checked_digest(word: bytes) -> bytes:
    """Return a digest in lower case; raise ResponseError if it is not one."""
    lower = word.lower()
    if len(lower) != 16 or lower.strip(b"0123456789abcdef"):
        raise errors.error("digest must be exactly 16 hexadecimal characters")
    return lower
