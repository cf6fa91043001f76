"""Writing a dump, without I/O: version 10, or 11.

REDIS0010 | (FA name text)* | (FE database | FB sizes | key*)* | FF | crc64
key:      [FC deadline] [F8 idle | F9 freq] type key value
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from minidis.persistence.rdb import versions
from minidis.persistence.rdb.checksum import crc64
from minidis.persistence.rdb.lzf import AdaptiveCompressor
from minidis.persistence.rdb.sink import (
    LENGTHS,
    LONGEST_INTEGER,
    SHORTEST_COMPRESSED,
    Target,
    encode_integer,
    encode_length,
    encode_string,
)
from minidis.persistence.rdb.type_bytes import STRING
from minidis.persistence.rdb.types import Value, write_value
from minidis.structures.limits import Limits

#: Blocks have about this size, so that a file is not written in small pieces.
BLOCK = 1 << 20

IDLE, FREQ, AUX, RESIZEDB = b"\xf8", b"\xf9", b"\xfa", b"\xfb"
DEADLINE_MS, SELECTDB, EOF = b"\xfc", b"\xfe", b"\xff"

_I64 = struct.Struct("<q")


class DatabaseView(Protocol):
    """The content of a database, which must not change while it is written."""

    @property
    def values(self) -> Mapping[bytes, Value]: ...
    @property
    def deadlines(self) -> Mapping[bytes, int]: ...
    @property
    def idle(self) -> Mapping[bytes, int] | None: ...
    @property
    def freq(self) -> Mapping[bytes, int] | None: ...


# --------------------------------------------------------------------------------------- dump


class Encoder:
    """Encodes one dump in blocks.

    size: bytes encoded so far. keys: keys encoded so far, of `total_keys`.
    """

    def __init__(
        self,
        databases: Mapping[int, DatabaseView],
        limits: Limits,
        *,
        aux: Mapping[bytes, bytes | int],
        compression: bool = True,
        checksum: bool = True,
        version: int = versions.DEFAULT,
    ) -> None:
        self.size = 0
        self.keys = 0
        self.total_keys = sum(len(view.values) for view in databases.values())
        self._databases = databases
        self._aux = aux
        compress = AdaptiveCompressor().compress if compression else None
        self._target = Target(limits, compress, version)
        self._checksum = checksum
        self._crc = 0

    def blocks(self) -> Iterator[bytes]:
        """The dump, in blocks of about 1 MiB."""
        yield self._checksummed(self._preamble())
        for number in sorted(self._databases):
            view = self._databases[number]
            if view.values:
                yield self._checksummed(self._select_database(number, view))
                yield from map(self._checksummed, self._records(view))
        yield self._checksummed(EOF)
        yield self._crc.to_bytes(8, "little")
        self.size += 8

    def _checksummed(self, block: bytes) -> bytes:
        if self._checksum:
            self._crc = crc64(block, self._crc)
        self.size += len(block)
        return block

    def _preamble(self) -> bytes:
        parts = [b"REDIS%04d" % self._target.version]
        for name, text in self._aux.items():
            parts += (AUX, encode_string(name, None))
            parts.append(
                encode_integer(text) if isinstance(text, int) else encode_string(text, None)
            )
        return b"".join(parts)

    @staticmethod
    def _select_database(number: int, view: DatabaseView) -> bytes:
        sizes = encode_length(len(view.values)) + encode_length(len(view.deadlines))
        return SELECTDB + encode_length(number) + RESIZEDB + sizes

    def _records(self, view: DatabaseView) -> Iterator[bytes]:
        """The records of all keys.

        One loop with local names, and without calls for a short string whose key is not a number:
        the bulk of most dumps. Sizes are approximate; they only decide when a block ends.
        """
        target, compress = self._target, self._target.compress
        heads, lengths, longest_key = _STRING_HEADS, LENGTHS, SHORTEST_COMPRESSED - 1
        prefix = _prefix_writer(view)
        parts: list[bytes] = []
        written = 0
        for number, (key, value) in enumerate(view.values.items(), self.keys + 1):
            if prefix is not None:
                parts.append(prefix(key))
            key_size = len(key)
            if type(value) is bytes and key >= _ABOVE_NUMBERS and key_size <= longest_key:
                size = len(value)
                if LONGEST_INTEGER < size <= longest_key:
                    parts += (heads[key_size], key, lengths[size], value)
                else:
                    parts += (heads[key_size], key, encode_string(value, compress))
                written += size
            else:
                type_byte, body = write_value(value, target)
                parts += (bytes((type_byte,)), encode_string(key, compress), *body)
                written += sum(map(len, body))
            written += key_size
            if written >= BLOCK:
                self.keys = number
                yield b"".join(parts)
                parts, written = [], 0
        self.keys = number
        yield b"".join(parts)


#: Type byte of a string, and the length of its key.
_STRING_HEADS = tuple(bytes((STRING,)) + text for text in LENGTHS[:SHORTEST_COMPRESSED])
#: Strings that sort after this do not begin with a digit or sign.
_ABOVE_NUMBERS = b":"


def _prefix_writer(view: DatabaseView) -> Callable[[bytes], bytes] | None:
    """A function of a key: its optional fields. None if no key of the database has any."""
    deadlines, idle, freq = view.deadlines, view.idle or {}, view.freq or {}
    if not (deadlines or idle or freq):
        return None

    def prefix(key: bytes) -> bytes:
        deadline = deadlines.get(key)
        text = b"" if deadline is None else DEADLINE_MS + _I64.pack(deadline)
        if key in idle:
            return text + IDLE + encode_length(idle[key])
        if key in freq:
            return text + FREQ + bytes((freq[key],))
        return text

    return prefix
