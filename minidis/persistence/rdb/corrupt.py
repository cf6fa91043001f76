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


#: What the descriptions of hashes with field expiry begin with.
FIELD_EXPIRY = "hash with field expiry"


def unsupported_type(byte: int, what: str) -> UnsupportedError:
    """The error for a value of a type that Redis or Valkey has, but minidis does not."""
    remedy = "delete this key on the server and save again, or use a newer minidis"
    if what.startswith(FIELD_EXPIRY):
        remedy = f"run HPERSIST for its fields, or {remedy}"
    return UnsupportedError(f"type {byte} ({what}) is not supported yet", remedy)


_MODULE_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def module_name(module_id: int) -> str:
    """Decode a module id: nine characters of six bits, then ten bits of version."""
    return "".join(_MODULE_LETTERS[module_id >> shift & 63] for shift in range(58, 9, -6))
