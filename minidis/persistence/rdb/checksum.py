"""The checksum of dumps and DUMP payloads: CRC-64 "Jones", reflected, from 0, no final xor."""

from __future__ import annotations

from typing import Protocol

import anycrc


class _Crc(Protocol):
    def __call__(self, data: bytes | memoryview, init: int | None = None, /) -> int: ...


#: crc64(b"123456789") == 0xE9C6D914C4B8D9CA; the second argument continues an earlier checksum.
crc64: _Crc = anycrc.Model("CRC64-REDIS").calc
