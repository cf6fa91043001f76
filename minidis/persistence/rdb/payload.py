"""The interface of this package: whole dumps, and single values as in DUMP and RESTORE.

DUMP payload:  type | body | u16 version | u64 crc64        all little endian
"""

from __future__ import annotations

from minidis.errors import RestoreError
from minidis.persistence.rdb.checksum import crc64
from minidis.persistence.rdb.corrupt import CorruptError
from minidis.persistence.rdb.lzf import compress
from minidis.persistence.rdb.reader import NEWEST_VERSION, Decoder, Loaded, LoadedDatabase
from minidis.persistence.rdb.source import IncompleteError, Source
from minidis.persistence.rdb.types import Value, read_value, write_value
from minidis.persistence.rdb.writer import VERSION, DatabaseView, Encoder
from minidis.structures.limits import Limits
from minidis.structures.types import is_empty

__all__ = [
    "DatabaseView",
    "Decoder",
    "Encoder",
    "Loaded",
    "LoadedDatabase",
    "Value",
    "dump_value",
    "restore_value",
]

_TRAILER_SIZE = 10
_CHECKSUM_SIZE = 8


def dump_value(value: Value, limits: Limits, *, compression: bool = True) -> bytes:
    """The payload that DUMP returns for a value."""
    type_byte, body = write_value(value, limits, compress if compression else None)
    payload = bytes((type_byte,)) + b"".join(body) + VERSION.to_bytes(2, "little")
    return payload + crc64(payload).to_bytes(_CHECKSUM_SIZE, "little")


def restore_value(payload: bytes, limits: Limits) -> Value:
    """The value of a DUMP payload.

    Raises RestoreError("checksum") if the payload is truncated, changed or of a newer version, and
    RestoreError("format") if its checksum is right but it is not a value: RESTORE has an error
    message for each.
    """
    if len(payload) < _TRAILER_SIZE:
        raise RestoreError("checksum")
    version = int.from_bytes(payload[-_TRAILER_SIZE:-_CHECKSUM_SIZE], "little")
    stored = int.from_bytes(payload[-_CHECKSUM_SIZE:], "little")
    if version > NEWEST_VERSION or crc64(payload[:-_CHECKSUM_SIZE]) != stored:
        raise RestoreError("checksum")
    source = Source(payload[:-_TRAILER_SIZE])
    try:
        value = read_value(source, source.byte(), limits)
    except (CorruptError, IncompleteError) as error:
        raise RestoreError("format", remedy=str(error), offset=source.pos) from None
    if source.remaining() or is_empty(value):
        raise RestoreError("format", offset=source.pos)
    return value
