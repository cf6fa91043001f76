"""Reading a dump, without touching a file: bytes go in by blocks, a `Loaded` comes out.

    decoder = Decoder(total_bytes, limits, now=..., databases=16)
    while wanted := decoder.feed(block):         # 0: the dump is complete
        block = the next bytes, at least `wanted` of them unless there are no more
    loaded = decoder.loaded

    REDIS0010 | (opcode ... | [deadline] [idle | freq] type key value)* | FF | crc64

Everything wrong with the dump is an RdbError with offset, database and key.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NoReturn

from minidis.errors import RdbError
from minidis.persistence.rdb.checksum import crc64
from minidis.persistence.rdb.corrupt import CorruptError, UnsupportedError
from minidis.persistence.rdb.source import PACKED_FORM, MoreError, Source, short_packed_string
from minidis.persistence.rdb.type_bytes import STRING
from minidis.persistence.rdb.types import Value, check_type_byte, read_value
from minidis.persistence.rdb.value_readers import LONGEST_INT64, as_string
from minidis.structures.limits import Limits
from minidis.structures.types import is_empty

MAGIC = b"REDIS"
HEADER_SIZE = 9
CHECKSUM_SIZE = 8
NEWEST_VERSION = 12
#: From this version on a dump ends with a checksum.
CHECKSUM_SINCE = 5

SLOT_INFO, FUNCTION_PRE_GA, FUNCTION_2, MODULE_AUX = 244, 246, 245, 247
IDLE, FREQ, AUX, RESIZEDB = 248, 249, 250, 251
DEADLINE_MS, DEADLINE, SELECTDB, EOF = 252, 253, 254, 255

#: `databases` of a server is a 32-bit integer.
_LAST_DATABASE = (1 << 31) - 2
#: A deadline that is none, as in Redis.
NO_DEADLINE = -1

_I64 = struct.Struct("<q")

_DAMAGED = "restore the file from a backup; redis-check-rdb can tell more about the damage"
_NEWER = "open the file with a newer minidis"


@dataclass
class LoadedDatabase:
    """The keys of one database: values, and what is known about some of them."""

    values: dict[bytes, Value] = field(default_factory=dict)
    deadlines: dict[bytes, int] = field(default_factory=dict)  # absolute, milliseconds
    idle: dict[bytes, int] = field(default_factory=dict)  # seconds
    freq: dict[bytes, int] = field(default_factory=dict)  # logarithmic counter, 0..255


@dataclass
class Loaded:
    """What a dump holds. `size`: its length in bytes; a file may go on behind it (old AOFs do)."""

    version: int = 0
    aux: dict[bytes, bytes] = field(default_factory=dict)
    databases: dict[int, LoadedDatabase] = field(default_factory=dict)
    checksum: Literal["verified", "absent"] = "absent"
    expired: int = 0
    size: int = 0


@dataclass
class _KeyInfo:
    """What stands before a key and belongs to it alone."""

    deadline: int | None = None
    idle: int | None = None
    freq: int | None = None


#: What the records of plain strings begin with, without a deadline and with one.
_PLAIN = (bytes((STRING,)), bytes((DEADLINE_MS,)))
#: For the many keys that have nothing before them.
_NOTHING = _KeyInfo()


class Decoder:
    """Reads one dump. `total`: how many bytes can come at most, the dump and what is behind it.

    `now` in milliseconds drops the keys that were due before; None keeps them, as the base of
    an append-only file needs, whose log goes on from exactly that state.
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
        self._mark = 0  # where the record begins that is being read
        self._done = False

    def feed(self, block: bytes) -> int:
        """Take the next bytes; how many more are wanted at least, 0 when the dump is complete."""
        self._slide(block)
        source = self._source
        self._mark = source.pos
        try:
            while not self._done:
                self._step()
            return 0
        except MoreError as more:
            # Twice the bytes at every attempt: a huge collection is not read again and again.
            wanted = max(more.missing, len(source.data) - self._mark)
            source.pos = self._mark
            self._key = None
            return min(wanted, source.rest)
        except CorruptError as error:
            self._refuse(error)

    def _slide(self, block: bytes) -> None:
        source = self._source
        done = source.pos
        self._crc = crc64(memoryview(source.data)[:done], self._crc)
        self._base += done
        source.data = source.data[done:] + block
        source.pos = 0
        source.rest = max(0, source.rest - len(block))

    def _refuse(self, error: CorruptError) -> NoReturn:
        known = self._database is not None or self._key is not None
        raise RdbError(
            str(error),
            remedy=error.remedy if isinstance(error, UnsupportedError) else _DAMAGED,
            offset=self._base + self._source.pos,
            database=self._number if known else None,
            key=self._key,
        ) from None

    # ------------------------------------------------------------------------------ the frame

    def _read_header(self) -> None:
        """Exactly digits: Redis uses atoi, so there one flipped bit can switch its check off."""
        header = self._source.take(HEADER_SIZE)
        digits = header[len(MAGIC) :]
        if header.startswith(b"VALKEY"):
            raise UnsupportedError(
                f"dumps of Valkey version {header[6:]!r} are not supported", _NEWER
            )
        if not header.startswith(MAGIC) or not digits.isdigit():
            raise CorruptError(f"no dump of Redis begins with {header!r}")
        version = int(digits)
        if version > NEWEST_VERSION:
            raise UnsupportedError(f"dump version {version} is newer than {NEWEST_VERSION}", _NEWER)
        if version < 1:
            raise CorruptError("there is no dump version 0")
        self.loaded.version = version
        self._step = self._read_record

    def _read_record(self) -> None:
        """One opcode or one key; in front of it as many plain strings as the window has."""
        source = self._source
        if (
            source.data[source.pos : source.pos + 1] in _PLAIN
            and self._database is not None
            and self._info is None
        ):
            self._read_strings(self._database)
        self._mark = source.pos
        self._key = None
        code = source.byte()
        handler = _OPCODES.get(code)
        if handler is not None:
            handler(self)
        else:
            self._read_key(code)

    def _read_strings(self, database: LoadedDatabase) -> None:
        """Short strings, with a deadline or without: most of most dumps.

        The general way takes five times as long, so this is one long loop on local names without
        calls. Only complete records count: an IndexError (the window ends; the byte after each
        slice is looked at), and whatever is special or damaged, leaves the record to the
        general way.
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
                elif length == PACKED_FORM:
                    text, end = short_packed_string(data, start)
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
        check_type_byte(type_byte)
        key = self._key = self._source.string()
        value = read_value(self._source, type_byte, self._limits)
        info, self._info = self._info or _NOTHING, None
        if is_empty(value):
            return
        if self._now is not None and info.deadline is not None and info.deadline < self._now:
            self.loaded.expired += 1
            return
        self._store(self._current(), key, value, info)

    def _current(self) -> LoadedDatabase:
        """The database that keys go to; 0 when none has been selected."""
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

    def _ahead(self) -> _KeyInfo:
        """What is known about the key to come."""
        if self._info is None:
            self._info = _KeyInfo()
        return self._info

    def _read_deadline_ms(self) -> None:
        deadline = self._source.integer64()
        self._ahead().deadline = None if deadline == NO_DEADLINE else deadline

    def _read_deadline(self) -> None:
        seconds = int.from_bytes(self._source.take(4), "little", signed=True)
        self._ahead().deadline = 1000 * seconds

    def _read_idle(self) -> None:
        self._ahead().idle = self._source.length()

    def _read_freq(self) -> None:
        self._ahead().freq = self._source.byte()

    def _read_aux(self) -> None:
        name, text = self._source.string(), self._source.string()
        self.loaded.aux[name] = text

    def _skip_resize(self) -> None:
        """Hints for sizing tables; dictionaries grow as they need."""
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
                f"database {number} is beyond the {self._databases} that are configured",
                f"open with at least {number + 1} databases",
            )
        self._number, self._database = number, None
        self._current()

    def _refuse_function(self) -> None:
        raise UnsupportedError(
            "the file holds a function library, which is not supported yet",
            f"{_NEWER}, or run FUNCTION FLUSH on the server and save again",
        )

    def _refuse_module(self) -> None:
        raise UnsupportedError(
            f"the file holds data of module {_module_name(self._source.length())!r}, "
            "which is not supported",
            "save it again on a server without that module",
        )

    def _finish(self) -> None:
        if self.loaded.version >= CHECKSUM_SINCE:
            self._verify()
        elif self._source.remaining() == CHECKSUM_SIZE:
            # Or else a flipped bit in the version (5 to 4, 11 to 01) would switch the check off.
            raise CorruptError(f"version {self.loaded.version} has no checksum, but there is one")
        self.loaded.size = self._base + self._source.pos
        self.loaded.databases = {
            number: database
            for number, database in sorted(self.loaded.databases.items())
            if database.values
        }
        self._done = True

    def _verify(self) -> None:
        """All zero says that the writer was told not to sum (rdbchecksum no)."""
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
    SLOT_INFO: Decoder._skip_slot,
    FUNCTION_2: Decoder._refuse_function,
    FUNCTION_PRE_GA: Decoder._refuse_function,
    MODULE_AUX: Decoder._refuse_module,
    IDLE: Decoder._read_idle,
    FREQ: Decoder._read_freq,
    AUX: Decoder._read_aux,
    RESIZEDB: Decoder._skip_resize,
    DEADLINE_MS: Decoder._read_deadline_ms,
    DEADLINE: Decoder._read_deadline,
    SELECTDB: Decoder._select,
    EOF: Decoder._finish,
}

_MODULE_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _module_name(module_id: int) -> str:
    """Nine letters of six bits, the first one highest, above ten bits of version."""
    return "".join(_MODULE_LETTERS[module_id >> shift & 63] for shift in range(58, 9, -6))
