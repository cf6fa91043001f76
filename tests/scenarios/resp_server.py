"""Our side of the comparison: a database in memory with a RESP server."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from unittest import mock

import minidis
from minidis.server import connection
from tests.scenarios.runner import Stage


@contextmanager
def our_server() -> Iterator[Stage]:
    """A stage in front of minidis for a while."""
    # However slow the machine: the turn of a client does not end amid what it says at once.
    with (
        mock.patch.object(connection, "SLICE", 60.0),
        tempfile.TemporaryDirectory(prefix="minidis-server-") as directory,
        minidis.open() as db,
    ):
        path = os.path.join(directory, "minidis.sock")
        server = db.serve(f"unix:{path}")
        try:
            with closing(Stage(path)) as stage:
                yield stage
        finally:
            server.close()
