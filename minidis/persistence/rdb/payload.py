"""The interface of this package: whole dumps, and single values as in DUMP and RESTORE.

DUMP payload:  type | body | u16 version | u64 crc64        all little endian
"""

from __future__ import annotations

from minidis.errors import RestoreError
from minidis.persistence.rdb import versions
from minidis.persistence.rdb.checksum import crc64
from minidis.persistence.rdb.corrupt import CorruptError, UnsupportedError
from minidis.persistence.rdb.lzf import compress
from minidis.persistence.rdb.reader import Decoder, Loaded, LoadedDatabase
from minidis.persistence.rdb.sink import Target
from minidis.persistence.rdb.source import IncompleteError, Source
from minidis.persistence.rdb.types import Value, read_value, write_value
from minidis.persistence.rdb.writer import DatabaseView, Encoder
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


_NEWER = "use a newer minidis"
_DAMAGED = "run DUMP on the server again"


def dump_value(
    value: Value, limits: Limits, *, compression: bool = True, version: int = versions.DEFAULT
) -> bytes:
    """The payload that DUMP returns for a value."""
    target = Target(limits, compress if compression else None, version)
    type_byte, body = write_value(value, target)
    payload = bytes((type_byte,)) + b"".join(body) + version.to_bytes(2, "little")
    return payload + crc64(payload).to_bytes(_CHECKSUM_SIZE, "little")


def restore_value(payload: bytes, limits: Limits) -> Value:
    """The value of a DUMP payload.

    Raises a RestoreError of kind "checksum" if the payload is truncated, changed or of a newer
    version, and of kind "format" if its checksum is right but it is not a value.
    """
    version = _checked_version(payload)
    source = Source(payload[:-_TRAILER_SIZE])
    try:
        value = read_value(source, source.byte(), limits, version)
        if source.remaining():
            raise CorruptError(f"{source.remaining()} bytes follow the value")
        if is_empty(value):
            raise CorruptError("the value has no elements")
    except (CorruptError, IncompleteError) as error:
        remedy = error.remedy if isinstance(error, UnsupportedError) else _DAMAGED
        raise RestoreError(
            "format", str(error), remedy=remedy, offset=source.pos, version=version
        ) from None
    return value


def _checked_version(payload: bytes) -> int:
    """The version of a payload whose checksum is right."""
    if len(payload) < _TRAILER_SIZE:
        size = len(payload)
        raise RestoreError("checksum", f"{size} bytes are not a DUMP payload", remedy=_DAMAGED)
    version = int.from_bytes(payload[-_TRAILER_SIZE:-_CHECKSUM_SIZE], "little")
    if crc64(payload[:-_CHECKSUM_SIZE]) != int.from_bytes(payload[-_CHECKSUM_SIZE:], "little"):
        raise RestoreError("checksum", "wrong checksum", remedy=_DAMAGED, version=version)
    if not versions.is_readable(version):
        raise RestoreError(
            "checksum", "this version is not supported", remedy=_NEWER, version=version
        )
    return version
