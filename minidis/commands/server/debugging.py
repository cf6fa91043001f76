"""DEBUG: commands for tests and diagnosis."""

from __future__ import annotations

import time
from typing import Any

from minidis import errors
from minidis.commands.shared.group import Group, T
from minidis.grammar.command import declarations
from minidis.grammar.kinds import RAW, Float, Key, Many, encode, to_float
from minidis.keyspace.keyspace import no_such_key
from minidis.persistence.rdb import versions
from minidis.replies import OK, Status
from minidis.structures.dataset_digest import dataset_digest, value_digest
from minidis.structures.types import encoding_of
from minidis.structures.value_digests import SIZE

command = declarations(group="server", parent="DEBUG", undivided=True)

_FLAGS = "admin noscript loading stale"


class Debugging(Group[T]):
    """DEBUG OBJECT, SLEEP, DIGEST, DIGEST-VALUE, RELOAD."""

    @command(
        "DEBUG OBJECT key",
        _FLAGS,
        since="1.0.0",
        complexity="O(n) for n bytes of the value",
    )
    def debug_object(self, key: Key) -> Status:
        """Describe how the value at `key` is stored, as text.

        Fields: encoding, serializedlength (bytes in an RDB file), lru_seconds_idle and others.
        Raises ResponseError if the key does not exist.

        >>> db.set("a", "text"), "encoding:embstr serializedlength:5" in db.debug_object("a")
        (OK, True)
        """
        from minidis.persistence.rdb.payload import dump_value  # the whole codec

        value = self.space.find(encode(key))
        if value is None:
            raise no_such_key()
        # In the form of a 7.4 server, without type byte, version and checksum: 1, 2 and 8 bytes.
        newest, limits = versions.NEWEST_WRITTEN, self.engine.settings.limits
        length = len(dump_value(value, limits, version=newest)) - 11
        now = self.unit.now() // 1000
        accessed = self.space.accessed
        used = now if accessed is None else accessed[encode(key)]
        return Status(
            f"Value at:{id(value):#x} refcount:1 encoding:{encoding_of(value)} "
            f"serializedlength:{length} lru:{used & 0xFFFFFF} lru_seconds_idle:{now - used}"
        )

    @command(
        "DEBUG SLEEP seconds",
        _FLAGS,
        since="1.0.0",
        complexity="O(1)",
        kinds={"seconds": RAW},
        slow=True,
    )
    def debug_sleep(self, seconds: Float) -> Status:
        """Block the whole database for `seconds` (a decimal number).

        All other clients wait. Returns OK.

        >>> db.debug_sleep(0)
        OK
        """
        time.sleep(max(to_float(encode(seconds)) or 0.0, 0.0))
        return OK

    @command("DEBUG DIGEST", _FLAGS, since="1.0.0", complexity="O(n) for all data", slow=True)
    def debug_digest(self) -> Status:
        """Return a digest of all data as 40 hexadecimal digits.

        Equal data gives equal digests, in redis-server as well; an empty database gives zeros.

        >>> db.debug_digest()
        0000000000000000000000000000000000000000
        """
        return Status(
            dataset_digest(
                (space.number, space.values, space.deadlines) for space in self.engine.databases
            )
        )

    @command(
        "DEBUG DIGEST-VALUE key [key ...]",
        _FLAGS,
        since="1.0.0",
        complexity="O(n) for the data of the keys",
    )
    def debug_digest_value(self, *keys: Many) -> list[Status]:
        """Return a digest of the value at each of `keys`; zeros if the key does not exist.

        >>> db.debug_digest_value("missing")
        [0000000000000000000000000000000000000000]
        """
        return [self._value_digest(key) for key in keys]

    def _value_digest(self, key: Any) -> Status:
        """Return the digest of the value at one key."""
        value = self.space.find(key)
        expires = key in self.space.deadlines
        digest = 0 if value is None else value_digest(0, value, expires=expires)
        return Status(digest.to_bytes(SIZE).hex())

    @command(
        "DEBUG RELOAD [NOSAVE] [NOFLUSH] [MERGE]",
        _FLAGS,
        since="1.0.0",
        complexity="O(n) for all data",
        unknown_error="DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.",
        slow=True,
    )
    def debug_reload(
        self, nosave: bool = False, noflush: bool = False, merge: bool = False
    ) -> Status:
        """Save all data and load it again, which recomputes all encodings.

        nosave: load the existing RDB file without saving first. noflush, merge: not supported,
        raise ResponseError. A database in memory uses a temporary file.

        Returns OK.

        >>> db.set("a", 1), db.debug_reload(), db.get("a")
        (OK, OK, b'1')
        """
        if noflush or merge:
            raise errors.error("DEBUG RELOAD NOFLUSH and MERGE are not supported")
        self.engine.store.reload(save=not nosave)
        return OK
