"""DEBUG: for tests and for the curious."""

from __future__ import annotations

import time
from typing import Any

from minidis import errors
from minidis.commands.shared.group import Group, T
from minidis.grammar.command import declarations
from minidis.grammar.kinds import RAW, Float, Key, Many, encode, to_float
from minidis.keyspace.keyspace import no_such_key
from minidis.persistence.rdb import payload
from minidis.replies import OK, Status
from minidis.structures.dataset_digest import SIZE, dataset_digest, value_digest
from minidis.structures.encoding import encoding_of

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
        """How the value at `key` is kept: encoding, bytes it needs in a dump, idle seconds.

        ResponseError when the key is missing.

        >>> db.set("a", "text"), "encoding:embstr serializedlength:5" in db.debug_object("a")
        (OK, True)
        """
        value = self.space.find(encode(key))
        if value is None:
            raise no_such_key()
        # Without type byte, version and checksum: 1, 2 and 8 bytes.
        length = len(payload.dump_value(value, self.engine.limits)) - 11
        now = self.engine.now() // 1000
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
        """Hold the lock for `seconds` (a decimal number), so that all other callers wait.

        >>> db.debug_sleep(0)
        OK
        """
        time.sleep(max(to_float(encode(seconds)) or 0.0, 0.0))
        return OK

    @command("DEBUG DIGEST", _FLAGS, since="1.0.0", complexity="O(n) for all data", slow=True)
    def debug_digest(self) -> Status:
        """Fingerprint of all data: equal data, equal digest, also in a real server.

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
        """Fingerprint of the value at each of `keys`; zeros for a missing one.

        >>> db.debug_digest_value("missing")
        [0000000000000000000000000000000000000000]
        """
        return [self._value_digest(key) for key in keys]

    def _value_digest(self, key: Any) -> Status:
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
        """Save all data and load it again, so that encodings are judged from scratch.

        `nosave` loads the dump that is there. A database in memory goes through a temporary file.
        `noflush` and `merge`, which load on top of the data, are refused.

        >>> db.set("a", 1), db.debug_reload(), db.get("a")
        (OK, OK, b'1')
        """
        if noflush or merge:
            raise errors.error("DEBUG RELOAD NOFLUSH and MERGE are not supported")
        self.engine.reload(save=not nosave)
        return OK
