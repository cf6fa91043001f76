"""The files of one open database: loading and saving its dump.

A dump is written whole or not at all (persistence/snapshot.py). Only the process that opened the
database writes its files, never a forked child.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from minidis import errors
from minidis.clock import Progress
from minidis.engine.settings import Settings
from minidis.errors import FileError
from minidis.keyspace.keyspace import Keyspace
from minidis.keyspace.unit import Unit
from minidis.persistence.directory import DataDirectory
from minidis.version import REDIS_VERSION

if TYPE_CHECKING:
    from minidis.persistence.rdb.payload import Loaded


class Store:
    """Where the databases of one engine are kept."""

    def __init__(
        self, directory: DataDirectory, unit: Unit, databases: list[Keyspace], settings: Settings
    ) -> None:
        self.directory = directory
        self._unit = unit
        self._databases = databases
        self._settings = settings
        #: seconds since 1970 of the last save, before that of opening
        self.saved_at = unit.clock.now() // 1000
        self._saved_dirty = 0
        self._process = os.getpid()

    @property
    def dirty(self) -> int:
        """Changes since the last save."""
        return self._unit.dirty - self._saved_dirty

    @property
    def is_ours(self) -> bool:
        """Whether this process opened the database, and was not forked from the one that did."""
        return os.getpid() == self._process

    def load(self, progress: Progress | None = None) -> None:
        """Read the dump, if there is one, into the databases. Under the lock."""
        path = self.directory.dump_path
        if path is not None and not _missing(path):
            self._adopt(self._read(path, progress))

    def _read(self, path: str, progress: Progress | None) -> Loaded:
        from minidis.persistence import snapshot  # the whole codec

        return snapshot.load(
            path,
            self._settings.limits,
            now=self._unit.clock.now(),
            databases=len(self._databases),
            progress=progress,
        )

    def _adopt(self, loaded: Loaded) -> None:
        for number, data in loaded.databases.items():
            space = self._databases[number]
            space.adopt(data.values, data.deadlines)
            if data.idle:
                now = self._unit.clock.now() // 1000
                access = space.track_access(now)
                access.update({key: now - idle for key, idle in data.idle.items()})

    def save(self, progress: Progress | None = None) -> None:
        """Write all databases to the dump, atomically. Under the lock."""
        if self.directory.dump_path is None:
            raise errors.error(
                "this database lives in memory only; open a directory or an .rdb file to save"
            )
        if not self.is_ours:
            raise FileError(
                "this process was forked from the one that opened the database; "
                "only that one may write its files"
            )
        self._write(self.directory.dump_path, progress)
        self._saved_dirty += self.dirty
        self.saved_at = self._unit.clock.now() // 1000

    def _write(self, path: str, progress: Progress | None) -> None:
        from minidis.persistence import snapshot  # the whole codec

        snapshot.save(
            path,
            {space.number: _View(space) for space in self._databases if space.values},
            self._settings.limits,
            aux=self._aux(),
            compression=self._settings.compression,
            checksum=self._settings.checksum,
            version=self._settings.rdb_version,
            progress=progress,
        )

    def reload(self, *, save: bool) -> None:
        """DEBUG RELOAD: replace the data by what a dump of it says."""
        if self.directory.dump_path is not None:
            if save:
                self.save()
            self._replace(self.directory.dump_path)
            return
        if not save:
            raise errors.error("this database lives in memory only; there is no dump to load")
        import tempfile  # loads shutil and random

        with tempfile.TemporaryDirectory(prefix="minidis-") as folder:
            path = os.path.join(folder, "reload.rdb")
            self._write(path, None)
            self._replace(path)

    def _replace(self, path: str) -> None:
        """Load `path` in place of all data; an error leaves the data as it is."""
        loaded = self._read(path, None)
        for space in self._databases:
            space.clear()
        self._adopt(loaded)

    def _aux(self) -> dict[bytes, bytes | int]:
        clock = self._unit.clock
        return {
            b"redis-ver": REDIS_VERSION.encode(),
            b"redis-bits": 64,
            b"ctime": int(time.time()) if clock.runs else clock.now() // 1000,
            b"used-mem": 0,
            b"aof-base": 0,
        }


class _View:
    """A keyspace as the snapshot writer wants to see it."""

    def __init__(self, space: Keyspace) -> None:
        self.values = space.values
        self.deadlines = space.deadlines
        self.idle: dict[bytes, int] | None = None
        self.freq: dict[bytes, int] | None = None


def _missing(path: str) -> bool:
    """Whether there is no such file. One that cannot be examined is not missing."""
    try:
        os.stat(path)
    except FileNotFoundError:
        return True
    except OSError:
        pass
    return False
