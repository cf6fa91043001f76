"""Where a database lives: in memory, in a directory of its own, or in one dump file.

    None          nothing is read or written
    "data/"       data/dump.rdb, and data/minidis.lock while it is open
    "dump.rdb"    that file; it is written by SAVE only

The lock is an advisory lock of the operating system on the lock file, so it goes away with the
process, however that ends.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

from minidis.errors import FileError, LockedError
from minidis.persistence.snapshot import remove_leftovers

LOCK_NAME = "minidis.lock"


class Home:
    """The place of one open database."""

    def __init__(self, path: str | os.PathLike[str] | None, dump_name: str = "dump.rdb") -> None:
        self.directory: str | None = None
        self.dump: str | None = None
        #: changes are saved at close without being asked for
        self.durable = False
        self._lock: IO[bytes] | None = None
        if path is None:
            return
        if not os.fspath(path):
            raise FileError("the path is empty; '.' is the current directory, None is memory")
        place = Path(path)
        if place.suffix.lower() == ".rdb" and not os.path.isdir(place):
            self._file(place)
        else:
            self._directory(place, dump_name)

    def _file(self, place: Path) -> None:
        if not os.path.isdir(place.parent):
            parent = str(place.parent)
            raise FileError(f"{place}: there is no directory {parent!r}; create it first")
        self.directory, self.dump = str(place.parent), str(place)

    def _directory(self, place: Path, dump_name: str) -> None:
        try:
            place.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise FileError(
                f"{place}: is a file, and its name does not end in .rdb; "
                "give a directory, or rename the dump"
            ) from None
        except OSError as error:
            raise FileError(f"{place}: cannot be created: {error.strerror}") from None
        self.directory, self.dump = str(place), str(place / dump_name)
        self.durable = True
        self._lock = _acquire(place / LOCK_NAME)
        remove_leftovers(place)

    @property
    def dump_name(self) -> str:
        """File name of the dump; what it would be, for a database in memory."""
        return os.path.basename(self.dump) if self.dump else "dump.rdb"

    def release(self) -> None:
        """Let others open it; at once, also if a forked child has the lock file open."""
        if self._lock is not None and sys.platform != "win32":
            import fcntl

            fcntl.flock(self._lock, fcntl.LOCK_UN)
        self.leave()

    def leave(self) -> None:
        """Have no part in the lock, without taking it from the process we were forked from."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def _acquire(path: Path) -> IO[bytes]:
    """Open and lock the file; LockedError when somebody else holds it."""
    try:
        file = open(path, "a+b")  # noqa: SIM115 - stays open as long as the database
    except OSError as error:
        raise FileError(f"{path}: cannot be opened: {error.strerror}") from None
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise LockedError(
            f"{path.parent}: is in use by another process, or opened twice by this one; "
            "close it there, or share one database object between threads"
        ) from None
    return file
