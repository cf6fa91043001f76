"""Shared by the tests of dumps: a real server to agree with, and values as plain Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from minidis.structures.lists import List
from minidis.structures.sorted_set import SortedSet
from minidis.structures.tables import Hash, Set


def _plain(value: Any) -> Any:
    if isinstance(value, Hash):
        return {"hash": dict(value), "wide": value.wide}
    if isinstance(value, Set):
        return {"set": set(value), "wide": value.wide}
    if isinstance(value, SortedSet):
        return {"zset": dict(value.scores), "wide": value.wide}
    if isinstance(value, List):
        return {"list": list(value)}
    return bytes(value) if isinstance(value, bytearray) else value


@pytest.fixture
def plain() -> Callable[[Any], Any]:
    """A value as plain Python, to compare with."""
    return _plain


@pytest.fixture
def contents() -> Callable[[Any], Any]:
    """Everything that was loaded, as plain Python."""

    def contents(loaded: Any) -> Any:
        return {
            number: (
                {key: _plain(value) for key, value in database.values.items()},
                database.deadlines,
                database.idle,
                database.freq,
            )
            for number, database in loaded.databases.items()
        }

    return contents


@pytest.fixture(scope="session")
def real_server() -> Iterator[Any]:
    """A client of a real redis-server on a Unix socket, with a directory of its own."""
    program = shutil.which("redis-server")
    if program is None:
        if os.environ.get("MINIDIS_REQUIRE_SERVER") == "1":
            pytest.fail("redis-server is missing")
        pytest.skip("redis-server is missing")
    redis = pytest.importorskip("redis")
    # Not tmp_path: the path of a Unix socket may have only about 100 characters.
    directory = tempfile.mkdtemp(prefix="minidis-")
    socket = str(Path(directory, "s"))
    options = ["--port", "0", "--unixsocket", socket, "--dir", directory, "--save", ""]
    options += ["--enable-debug-command", "yes"]
    process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
    client = redis.Redis(unix_socket_path=socket)
    try:
        _wait_for(client, redis.exceptions.ConnectionError)
        yield client
    finally:
        client.close()
        process.terminate()
        process.wait()
        shutil.rmtree(directory)


def _wait_for(client: Any, refused: type[Exception]) -> None:
    for _ in range(200):
        try:
            client.ping()
            return
        except refused:
            time.sleep(0.02)
    pytest.fail("redis-server does not answer")
