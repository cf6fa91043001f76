"""Dump files: read one, and write one atomically.

Saving writes a temporary file in the same directory, syncs it to disk, renames it over the old
dump and syncs the directory. If a step fails or is interrupted, the temporary file is removed and
the old dump stays as it was.
"""

from __future__ import annotations

import contextlib
import gc
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from minidis.errors import FileError, RdbError
from minidis.persistence.rdb import versions
from minidis.persistence.rdb.payload import DatabaseView, Decoder, Encoder, Loaded
from minidis.structures.limits import Limits

#: Called repeatedly with the work done so far and the total.
Progress = Callable[[int, int], None]
AnyPath = str | os.PathLike[str]

#: Dumps are read in blocks of this size, so that the whole file is never in memory.
_WINDOW = 4 << 20

#: Names of temporary files.
TEMPORARY = re.compile(r"temp-\d+-[0-9a-f]{16}\.rdb")


def load(
    path: AnyPath,
    limits: Limits,
    *,
    now: int | None,
    databases: int = 16,
    progress: Progress | None = None,
) -> Loaded:
    """Read the dump at `path`.

    now: skip keys that have expired by this time (milliseconds); None keeps them.
    progress: called with bytes.

    Raises RdbError if the dump is damaged or holds unsupported data, FileError if the file cannot
    be read.
    """
    name = os.fspath(path)
    try:
        if not stat.S_ISREG(os.stat(name).st_mode):  # reading a named pipe would block
            raise FileError(f"{name}: cannot be read: it is not a regular file")
        with open(name, "rb", buffering=0) as file, _without_collector():
            total = os.fstat(file.fileno()).st_size
            decoder = Decoder(total, limits, now=now, databases=databases)
            _feed(decoder, file, total, progress)
    except RdbError as error:
        error.path = name
        raise
    except OSError as error:
        raise FileError(f"{name}: cannot be read: {error.strerror or error}") from error
    return decoder.loaded


def _feed(decoder: Decoder, file: BinaryIO, total: int, progress: Progress | None) -> None:
    done = 0
    wanted = decoder.feed(b"")
    while wanted:
        block = _read(file, min(max(wanted, _WINDOW), total - done))
        done += len(block)
        wanted = decoder.feed(block)
        if progress is not None:
            progress(done, total)


def _read(file: BinaryIO, count: int) -> bytes:
    """Read exactly `count` bytes; one system call reads at most 2 GiB."""
    block = file.read(count)
    while len(block) < count:
        more = file.read(count - len(block))
        if not more:
            raise RdbError("the file became shorter while it was being read")
        block += more
    return block


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Pause garbage collection: loading creates millions of objects, but no cycles."""
    enabled = gc.isenabled()
    try:
        gc.disable()
        yield
    finally:
        if enabled:
            gc.enable()


def save(
    path: AnyPath,
    databases: Mapping[int, DatabaseView],
    limits: Limits,
    *,
    aux: Mapping[bytes, bytes | int],
    compression: bool = True,
    checksum: bool = True,
    version: int = versions.DEFAULT,
    progress: Progress | None = None,
) -> int:
    """Write all databases to `path` and return the size of the file.

    The databases must not change meanwhile.
    progress: called with keys.

    Raises FileError if the file cannot be written.
    """
    # If `path` is a symbolic link, replace the file that it points to, not the link.
    target = Path(os.path.realpath(path))
    encoder = Encoder(
        databases, limits, aux=aux, compression=compression, checksum=checksum, version=version
    )
    # The name is chosen before the file exists, so an interrupt at any point can remove it.
    temporary = target.with_name(f"temp-{os.getpid()}-{secrets.token_hex(8)}.rdb")
    try:
        _write(temporary, target, encoder, progress)
        os.replace(temporary, target)
        sync_directory(target.parent)
    except OSError as error:
        reason = error.strerror or error
        raise FileError(f"{os.fspath(path)}: cannot be written: {reason}") from error
    finally:
        # After the rename there is nothing to remove. contextlib.suppress is Python code, in which
        # a second KeyboardInterrupt could be raised before the file is removed.
        try:  # noqa: SIM105
            os.unlink(temporary)
        except OSError:
            pass
    return encoder.size


def remove_leftovers(directory: AnyPath) -> None:
    """Remove temporary files of processes that were killed while saving.

    The caller must hold the lock of the directory, so that no other process is saving there.
    """
    with contextlib.suppress(OSError):
        for name in filter(TEMPORARY.fullmatch, os.listdir(directory)):
            os.unlink(os.path.join(directory, name))


def _write(path: Path, old: Path, encoder: Encoder, progress: Progress | None) -> None:
    """Write the dump with the permissions of the `old` one."""
    with open(path, "xb", buffering=0) as file:
        with contextlib.suppress(OSError):
            shutil.copymode(old, path)
        for block in encoder.blocks():
            _write_all(file, block)
            if progress is not None:
                progress(encoder.keys, encoder.total_keys)
        os.fsync(file.fileno())


def _write_all(file: BinaryIO, block: bytes) -> None:
    """Write the whole block; raw files may write only a part of it per call."""
    view = memoryview(block)
    while view:
        view = view[file.write(view) :]


def sync_directory(path: Path) -> None:
    """Sync a rename to disk. Windows cannot open a directory, and does not need to."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
