"""Our side of the comparison: a database in memory with its door open."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager

import minidis
from tests.scenarios.runner import Stage


@contextmanager
def our_door() -> Iterator[Stage]:
    """A stage in front of minidis for a while."""
    with tempfile.TemporaryDirectory(prefix="minidis-door-") as directory, minidis.open() as db:
        path = os.path.join(directory, "door.sock")
        server = db.serve(f"unix:{path}")
        try:
            with closing(Stage(path)) as stage:
                yield stage
        finally:
            server.close()
