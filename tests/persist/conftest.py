"""Shared by the tests of dumps: a real server to agree with, and values as plain Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from minidis.structures.lists import List
from minidis.structures.sorted_set import SortedSet
from minidis.structures.tables import Hash, Set
from tests.oracle.run import start_server


def _plain(value: Any) -> Any:
    if isinstance(value, Hash):
        return {"hash": dict(value), "expanded": value.expanded}
    if isinstance(value, Set):
        return {"set": set(value), "expanded": value.expanded}
    if isinstance(value, SortedSet):
        return {"zset": dict(value.scores), "expanded": value.expanded}
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
    """A redis-py client of a real redis-server of its own, with its own directory."""
    server = start_server()
    if server is None:
        pytest.skip("no redis-server 7.4 on this machine (python -m tests.oracle.servers)")
    try:
        with redis.Redis(unix_socket_path=server.path) as client:
            yield client
    finally:
        server.stop()
