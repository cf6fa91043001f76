"""The files of one database: none (in memory), a data directory, or a single dump file.

    None          nothing is read or written
    "data/"       data/dump.rdb, and data/minidis.lock while the database is open
    "dump.rdb"    that file; only SAVE writes it

The lock is an advisory lock of the operating system on the lock file, so it is released when the
process ends, however it ends.
"""

from __future__ import annotations

import os
import sys
from typing import IO, TYPE_CHECKING

from minidis.errors import FileError, LockedError

if TYPE_CHECKING:
    from pathlib import Path

LOCK_NAME = "minidis.lock"


class DataDirectory:
    """Where one open database keeps its files, and the lock on that directory."""

    def __init__(self, path: str | os.PathLike[str] | None, dump_name: str = "dump.rdb") -> None:
        #: the directory of the dump; None for a database in memory
        self.path: str | None = None
        #: the dump file; None for a database in memory
        self.dump_path: str | None = None
        #: closing the database saves unsaved changes
        self.saved_on_close = False
        self._lock: IO[bytes] | None = None
        if path is None:
            return
        if not os.fspath(path):
            raise FileError("the path is empty; use '.' for the current directory, None for memory")
        from pathlib import Path  # a database in memory needs none

        location = Path(path)
        if location.suffix.lower() == ".rdb" and not os.path.isdir(location):
            self._use_file(location)
        else:
            self._use_directory(location, dump_name)

    def _use_file(self, path: Path) -> None:
        if not os.path.isdir(path.parent):
            parent = str(path.parent)
            raise FileError(f"{path}: there is no directory {parent!r}; create it first")
        self.path, self.dump_path = str(path.parent), str(path)

    def _use_directory(self, path: Path, dump_name: str) -> None:
        try:
            path.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise FileError(
                f"{path}: is a file whose name does not end in .rdb; "
                "give a directory, or rename the dump"
            ) from None
        except OSError as error:
            raise FileError(f"{path}: cannot be created: {error.strerror}") from None
        self.path, self.dump_path = str(path), str(path / dump_name)
        self.saved_on_close = True
        self._lock = _acquire(path / LOCK_NAME)
        from minidis.persistence.snapshot import remove_leftovers  # the whole codec

        remove_leftovers(path)

    @property
    def dump_name(self) -> str:
        """File name of the dump; the default name for a database in memory."""
        return os.path.basename(self.dump_path) if self.dump_path else "dump.rdb"

    def close(self) -> None:
        """Release the lock, even while a forked child still has the lock file open."""
        if self._lock is not None and sys.platform != "win32":
            import fcntl

            fcntl.flock(self._lock, fcntl.LOCK_UN)
        self.after_fork()

    def after_fork(self) -> None:
        """Close the lock file in a forked child; the parent process keeps the lock."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def _acquire(path: Path) -> IO[bytes]:
    """Open and lock the file. Raises LockedError if it is locked already."""
    try:
        file = open(path, "a+b")  # noqa: SIM115 - stays open until the database is closed
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
            f"{path.parent}: is in use by another process, or already open in this one; "
            "close it there, or share one database object between threads"
        ) from None
    return file
