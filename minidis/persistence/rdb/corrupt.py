"""What the decoders below the dump reader raise: a reason, without the place.

The reader of the dump knows file, offset, database and key; it turns these into an RdbError.
"""

from __future__ import annotations


class CorruptError(ValueError):
    """The bytes break the rules of their format."""


class UnsupportedError(CorruptError):
    """The bytes may be fine, but hold something that cannot be represented here."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.remedy = remedy
