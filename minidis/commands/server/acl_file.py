"""Writing the ACL file. The module is loaded by ACL SAVE alone."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from pathlib import Path

from minidis.persistence.snapshot import sync_directory


def write(path: str, text: bytes) -> None:
    """Write the file to a temporary one and rename it over the old one, keeping its permissions.

    A new file is readable by its owner only.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f"{target.name}.{os.getpid()}-{secrets.token_hex(8)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        with contextlib.suppress(OSError):
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
        sync_directory(target.parent)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
