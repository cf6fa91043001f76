"""Reading a dump, without I/O: bytes are fed in blocks, a `Loaded` is the result.

    decoder = Decoder(total_bytes, limits, now=..., databases=16)
    while wanted := decoder.feed(block):         # 0: the dump is complete
        block = the next bytes, at least `wanted` of them unless the file ends before
    loaded = decoder.loaded

    REDIS0010 | (opcode ... | [deadline] [idle | freq] type key value)* | FF | crc64

If the dump is damaged or unsupported, feed() raises an RdbError with offset, database and key.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NoReturn

from minidis.errors import RdbError, quoted
from minidis.persistence.rdb import versions
from minidis.persistence.rdb.checksum import crc64
from minidis.persistence.rdb.corrupt import CorruptError, UnsupportedError, module_name
from minidis.persistence.rdb.source import (
    LZF_FORM,
    IncompleteError,
    Source,
    short_compressed_string,
)
from minidis.persistence.rdb.type_bytes import STRING
from minidis.persistence.rdb.types import Value, check_type_byte, read_value
from minidis.persistence.rdb.value_readers import LONGEST_INT64, as_string
from minidis.structures.limits import Limits
from minidis.structures.types import is_empty

MAGIC, VALKEY_MAGIC = b"REDIS", b"VALKEY"
HEADER_SIZE = 9
CHECKSUM_SIZE = 8
#: The first version whose dumps end with a checksum.
CHECKSUM_SINCE = 5

SLOT_IMPORT = 243
SLOT_INFO, FUNCTION_PRE_GA, FUNCTION_2, MODULE_AUX = 244, 246, 245, 247
IDLE, FREQ, AUX, RESIZEDB = 248, 249, 250, 251
DEADLINE_MS, DEADLINE, SELECTDB, EOF = 252, 253, 254, 255

#: `databases` of a server is a 32-bit integer.
_LAST_DATABASE = (1 << 31) - 2
#: A deadline that means "no deadline", as in Redis.
NO_DEADLINE = -1

_I64 = struct.Struct("<q")

_DAMAGED = "restore the file from a backup; redis-check-rdb shows details of the damage"
_NEWER = "open the file with a newer minidis"


@dataclass
class LoadedDatabase:
    """The keys of one database: values, deadlines, and how recently or often they were used."""

    values: dict[bytes, Value] = field(default_factory=dict)
    deadlines: dict[bytes, int] = field(default_factory=dict)  # absolute, milliseconds
    idle: dict[bytes, int] = field(default_factory=dict)  # seconds
    freq: dict[bytes, int] = field(default_factory=dict)  # logarithmic counter, 0..255


@dataclass
class Loaded:
    """The content of a dump. `size`: its length in bytes; in an old AOF, a log follows it."""

    version: int = 0
    aux: dict[bytes, bytes] = field(default_factory=dict)
    databases: dict[int, LoadedDatabase] = field(default_factory=dict)
    checksum: Literal["verified", "absent"] = "absent"
    expired: int = 0
    size: int = 0


@dataclass
class _KeyInfo:
    """The optional fields before a key."""

    deadline: int | None = None
    idle: int | None = None
    freq: int | None = None


#: First bytes of the records of strings: without a deadline, and with one.
_PLAIN = (bytes((STRING,)), bytes((DEADLINE_MS,)))
#: For the many keys without optional fields.
_NO_INFO = _KeyInfo()


class Decoder:
    """Reads one dump.

    total: size of the file, an upper bound for the size of the dump.
    now: skip keys that have expired by this time (milliseconds). None keeps them, as the base file
        of an AOF requires, because the log continues from exactly that state.
    """

    def __init__(self, total: int, limits: Limits, *, now: int | None, databases: int = 16) -> None:
        self.loaded = Loaded()
        self._source = Source(b"", total)
        self._limits = limits
        self._now = now
        self._databases = databases
        self._base = 0  # offset of the window in the dump
        self._crc = 0
        self._info: _KeyInfo | None = None
        self._number = 0
        self._database: LoadedDatabase | None = None
        self._key: bytes | None = None
        self._step: Callable[[], None] = self._read_header
        self._record_start = 0  # position of the current record
        self._done = False

    def feed(self, block: bytes) -> int:
        """Decode the next bytes; return how many more are needed at least, 0 if it is complete."""
        self._advance(block)
        source = self._source
        self._record_start = source.pos
        try:
            while not self._done:
                self._step()
            return 0
        except IncompleteError as more:
            # Double the bytes at every attempt, so that reading a huge collection stays O(n).
            wanted = max(more.missing, len(source.data) - self._record_start)
            source.pos = self._record_start
            self._key = None
            return min(wanted, source.rest)
        except CorruptError as error:
            self._fail(error)

    def _advance(self, block: bytes) -> None:
        source = self._source
        done = source.pos
        self._crc = crc64(memoryview(source.data)[:done], self._crc)
        self._base += done
        source.data = source.data[done:] + block
        source.pos = 0
        source.rest = max(0, source.rest - len(block))

    def _fail(self, error: CorruptError) -> NoReturn:
        known = self._database is not None or self._key is not None
        raise RdbError(
            str(error),
            remedy=error.remedy if isinstance(error, UnsupportedError) else _DAMAGED,
            offset=self._base + self._source.pos,
            version=self.loaded.version or None,
            database=self._number if known else None,
            key=self._key,
        ) from None

    # ------------------------------------------------------------------------------ the frame

    def _read_header(self) -> None:
        """Accept digits only. Redis uses atoi, so that one flipped bit can disable its checksum."""
        header = self._source.take(HEADER_SIZE)
        if header.startswith(VALKEY_MAGIC):
            oldest, newest, name = versions.VALKEY, versions.NEWEST_OF_VALKEY, "Valkey"
            digits = header[len(VALKEY_MAGIC) :]
        else:
            oldest, newest, name = 1, versions.NEWEST_OF_REDIS, "Redis"
            digits = header[len(MAGIC) :] if header.startswith(MAGIC) else b""
        if not digits.isdigit():
            raise CorruptError(f"not a dump of Redis: it begins with {quoted(header)}")
        version = int(digits)
        if version > newest:
            raise UnsupportedError(
                f"version {version} of {name} dumps is newer than {newest}", _NEWER
            )
        if version < oldest:
            raise CorruptError(f"version {version} of {name} dumps does not exist")
        self.loaded.version = version
        self._step = self._read_record

    def _read_record(self) -> None:
        """Read one opcode or key, and before it as many strings as the window contains."""
        source = self._source
        if (
            source.data[source.pos : source.pos + 1] in _PLAIN
            and self._database is not None
            and self._info is None
        ):
            self._read_strings(self._database)
        self._record_start = source.pos
        self._key = None
        code = source.byte()
        handler = _OPCODES.get(code)
        if handler is not None:
            handler(self)
        else:
            self._read_key(code)

    def _read_strings(self, database: LoadedDatabase) -> None:
        """Read short strings, with a deadline or without: the bulk of most dumps.

        The general code takes five times as long, so this is one long loop on local names without
        calls. A record that is incomplete (IndexError, since the byte behind each slice is read),
        special or damaged is left to the general code.
        """
        source, values, deadlines = self._source, database.values, database.deadlines
        now = self._now
        data, pos = source.data, source.pos
        size = len(data)
        try:
            while True:
                start, deadline = pos, None
                if data[start] == DEADLINE_MS:
                    start = pos + 9
                    if data[start] != STRING:
                        break
                    (deadline,) = _I64.unpack_from(data, pos + 1)
                elif data[start] != STRING:
                    break
                length, start = data[start + 1], start + 2
                if length >= 0x40:
                    if length >= 0x80:
                        break
                    length, start = (length & 0x3F) << 8 | data[start], start + 1
                end = start + length
                key = data[start:end]
                length, start = data[end], end + 1
                if length < 0x80:
                    if length >= 0x40:
                        length, start = (length & 0x3F) << 8 | data[start], start + 1
                    end = start + length
                    text = data[start:end]
                elif length == LZF_FORM:
                    text, end = short_compressed_string(data, start)
                    length = len(text)
                else:
                    break
                if end > size or key in values:
                    break
                if deadline is not None:
                    if deadline == NO_DEADLINE:
                        break
                    if now is not None and deadline < now:
                        self.loaded.expired += 1
                        pos = end
                        continue
                    deadlines[key] = deadline
                values[key] = text if length > LONGEST_INT64 else as_string(text)
                pos = end
        except (IndexError, CorruptError):
            pass
        source.pos = pos

    def _read_key(self, type_byte: int) -> None:
        version = self.loaded.version
        check_type_byte(type_byte, version)
        key = self._key = self._source.string()
        value = read_value(self._source, type_byte, self._limits, version)
        info, self._info = self._info or _NO_INFO, None
        if is_empty(value):
            return
        if self._now is not None and info.deadline is not None and info.deadline < self._now:
            self.loaded.expired += 1
            return
        self._store(self._current(), key, value, info)

    def _current(self) -> LoadedDatabase:
        """The selected database; 0 if none has been selected yet."""
        if self._database is None:
            self._database = self.loaded.databases.setdefault(self._number, LoadedDatabase())
        return self._database

    def _store(self, database: LoadedDatabase, key: bytes, value: Value, info: _KeyInfo) -> None:
        if key in database.values:
            raise CorruptError("the key appears twice")
        database.values[key] = value
        if info.deadline is not None:
            database.deadlines[key] = info.deadline
        if info.idle is not None:
            database.idle[key] = info.idle
        if info.freq is not None:
            database.freq[key] = info.freq

    # ---------------------------------------------------------------------------- the opcodes

    def _next_key_info(self) -> _KeyInfo:
        """The optional fields of the next key."""
        if self._info is None:
            self._info = _KeyInfo()
        return self._info

    def _read_deadline_ms(self) -> None:
        deadline = self._source.integer64()
        self._next_key_info().deadline = None if deadline == NO_DEADLINE else deadline

    def _read_deadline(self) -> None:
        seconds = int.from_bytes(self._source.take(4), "little", signed=True)
        self._next_key_info().deadline = 1000 * seconds

    def _read_idle(self) -> None:
        self._next_key_info().idle = self._source.length()

    def _read_freq(self) -> None:
        self._next_key_info().freq = self._source.byte()

    def _read_aux(self) -> None:
        name, text = self._source.string(), self._source.string()
        self.loaded.aux[name] = text

    def _skip_resize(self) -> None:
        """Skip the sizes of the hash tables; Python dictionaries do not need them."""
        self._source.length()
        self._source.length()

    def _skip_slot(self) -> None:
        self._source.length()
        self._skip_resize()

    def _select(self) -> None:
        number = self._source.length()
        if number > _LAST_DATABASE:
            raise CorruptError(f"no server has a database {number}")
        if number >= self._databases:
            raise UnsupportedError(
                f"database {number} exceeds the {self._databases} configured databases",
                f"open with at least {number + 1} databases",
            )
        self._number, self._database = number, None
        self._current()

    def _reject_slot_import(self) -> None:
        if self.loaded.version < versions.VALKEY:
            raise CorruptError(f"{SLOT_IMPORT} is not an opcode of Redis dumps")
        raise UnsupportedError(
            "the file holds the state of a migration of cluster slots, which is not supported",
            "save again on the server when the migration is done",
        )

    def _reject_function(self) -> None:
        raise UnsupportedError(
            "the file holds a function library, which is not supported yet",
            f"{_NEWER}, or run FUNCTION FLUSH on the server and save again",
        )

    def _reject_module(self) -> None:
        raise UnsupportedError(
            f"the file holds data of module {module_name(self._source.length())!r}, "
            "which is not supported",
            "save it again on a server without that module",
        )

    def _finish(self) -> None:
        if self.loaded.version >= CHECKSUM_SINCE:
            self._verify()
        elif self._source.remaining() == CHECKSUM_SIZE:
            # Otherwise a flipped bit in the version (5 to 4, 11 to 01) would disable the check.
            raise CorruptError(
                f"dumps of version {self.loaded.version} have no checksum, but this one does"
            )
        self.loaded.size = self._base + self._source.pos
        self.loaded.databases = {
            number: database
            for number, database in sorted(self.loaded.databases.items())
            if database.values
        }
        self._done = True

    def _verify(self) -> None:
        """Compare the checksum; zero means that it was written with `rdbchecksum no`."""
        source = self._source
        end = source.pos
        stored = int.from_bytes(source.take(CHECKSUM_SIZE), "little")
        if not stored:
            return
        if crc64(memoryview(source.data)[:end], self._crc) != stored:
            self._key = self._database = None
            raise CorruptError("wrong checksum")
        self.loaded.checksum = "verified"


_OPCODES: dict[int, Callable[[Decoder], None]] = {
    SLOT_IMPORT: Decoder._reject_slot_import,
    SLOT_INFO: Decoder._skip_slot,
    FUNCTION_2: Decoder._reject_function,
    FUNCTION_PRE_GA: Decoder._reject_function,
    MODULE_AUX: Decoder._reject_module,
    IDLE: Decoder._read_idle,
    FREQ: Decoder._read_freq,
    AUX: Decoder._read_aux,
    RESIZEDB: Decoder._skip_resize,
    DEADLINE_MS: Decoder._read_deadline_ms,
    DEADLINE: Decoder._read_deadline,
    SELECTDB: Decoder._select,
    EOF: Decoder._finish,
}
