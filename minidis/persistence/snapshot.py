"""Dumps as files: read one, write one that is either complete or not there.

Saving writes a temporary file in the same directory, brings it to the disk, renames it over the
old dump and brings the directory to the disk. Whatever fails in between, an interrupt too,
removes the temporary file and leaves the old dump as it was.
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
from minidis.persistence.rdb.payload import DatabaseView, Decoder, Encoder, Loaded
from minidis.structures.limits import Limits

#: Told now and then how far the work is: done and total.
Progress = Callable[[int, int], None]
AnyPath = str | os.PathLike[str]

#: Read in pieces of this size: the dump and what it holds need not be in memory together.
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
    """The dump at `path`. `now` (milliseconds) drops keys that are due; None keeps them.

    RdbError when the dump is damaged or holds what cannot be held here, FileError when the file
    cannot be read. `progress` is told bytes.
    """
    name = os.fspath(path)
    try:
        if not stat.S_ISREG(os.stat(name).st_mode):  # a named pipe would make us wait for ever
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
    """Exactly `count` bytes: one read of the system gives at most 2 GiB."""
    block = file.read(count)
    while len(block) < count:
        more = file.read(count - len(block))
        if not more:
            raise RdbError("the file became shorter while it was read")
        block += more
    return block


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Loading makes no cycles, but so many objects that the collector would walk them in vain."""
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
    progress: Progress | None = None,
) -> int:
    """Write all databases to `path` and return the size of the file.

    Nothing in `databases` may change meanwhile. FileError when the file cannot be written.
    `progress` is told keys.
    """
    # Behind a symbolic link: the file that was opened, not the link, becomes the new dump.
    target = Path(os.path.realpath(path))
    encoder = Encoder(databases, limits, aux=aux, compression=compression, checksum=checksum)
    # Named before it exists: an interrupt at any place finds the name to remove.
    temporary = target.with_name(f"temp-{os.getpid()}-{secrets.token_hex(8)}.rdb")
    try:
        _write(temporary, target, encoder, progress)
        os.replace(temporary, target)
        sync_directory(target.parent)
    except OSError as error:
        reason = error.strerror or error
        raise FileError(f"{os.fspath(path)}: cannot be written: {reason}") from error
    finally:
        # After a rename there is nothing to remove. Not contextlib.suppress: in its Python code a
        # second Ctrl-C could strike before the file is gone.
        try:  # noqa: SIM105
            os.unlink(temporary)
        except OSError:
            pass
    return encoder.size


def remove_leftovers(directory: AnyPath) -> None:
    """Remove temporary files of processes that were killed while saving.

    Only for the one who holds the lock of the directory: nobody else saves there then.
    """
    with contextlib.suppress(OSError):
        for name in filter(TEMPORARY.fullmatch, os.listdir(directory)):
            os.unlink(os.path.join(directory, name))


def _write(path: Path, old: Path, encoder: Encoder, progress: Progress | None) -> None:
    """Who may read the `old` dump, and nobody else, may read the new one."""
    with open(path, "xb", buffering=0) as file:
        with contextlib.suppress(OSError):
            shutil.copymode(old, path)
        for block in encoder.blocks():
            _write_all(file, block)
            if progress is not None:
                progress(encoder.keys, encoder.total_keys)
        os.fsync(file.fileno())


def _write_all(file: BinaryIO, block: bytes) -> None:
    """Raw files may take a part only."""
    view = memoryview(block)
    while view:
        view = view[file.write(view) :]


def sync_directory(path: Path) -> None:
    """The rename itself on the disk; Windows neither can nor needs to open a directory for it."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
