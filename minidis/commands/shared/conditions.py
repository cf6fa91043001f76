"""IFEQ and its like: conditions on the value that is there, of SET and DELEX."""

from __future__ import annotations

from typing import Any

from minidis import errors
from minidis.structures.digests import xxh3_64

#: The options as they stand in syntax lines.
CONDITIONS = "IFEQ ifeq-value | IFNE ifne-value | IFDEQ ifdeq-digest | IFDNE ifdne-digest"
NO_CONDITIONS = (None, None, None, None)


def condition_met(old: bytes | None, ifeq: Any, ifne: Any, ifdeq: Any, ifdne: Any) -> bool:
    """Does the old value meet the one condition that is given? A missing key equals nothing."""
    if old is None:
        return ifeq is None and ifdeq is None
    for wanted, equal in ((ifdeq, True), (ifdne, False)):
        if wanted is not None:
            return (b"%016x" % xxh3_64(old) == _checked_digest(wanted)) is equal
    return old != ifne if ifeq is None else old == ifeq


def _checked_digest(word: bytes) -> bytes:
    """A digest in small letters; it has to be one."""
    lower = word.lower()
    if len(lower) != 16 or lower.strip(b"0123456789abcdef"):
        raise errors.error("digest must be exactly 16 hexadecimal characters")
    return lower
