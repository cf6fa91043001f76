"""Errors of the decoders below the dump reader: a reason, without the location.

The reader of the dump knows file, offset, database and key, and turns them into an RdbError.
"""

from __future__ import annotations


class CorruptError(ValueError):
    """The bytes violate their format."""


class UnsupportedError(CorruptError):
    """The bytes may be valid, but contain something that minidis does not support."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.remedy = remedy
