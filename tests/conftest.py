"""Fixtures that more than one room of the tests uses."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = str(Path(__file__).resolve().parents[1])
if ROOT not in sys.path:
    # So that `tests.oracle` is found however pytest was started. At the end: an installed minidis
    # comes first.
    sys.path.append(ROOT)

import minidis  # noqa: E402
from tests import faults  # noqa: E402
from tests.oracle.run import Live, Ours, Recorded, Source, start_server  # noqa: E402
from tests.oracle.server import RealServer  # noqa: E402


@pytest.fixture(autouse=True)
def no_strikes() -> Iterator[None]:
    """Nothing is struck any more after a test."""
    yield
    faults.rest()


@pytest.fixture
def db() -> Iterator[minidis.Minidis[bytes]]:
    """A fresh database in memory."""
    with minidis.open() as database:
        yield database


@pytest.fixture(scope="session")
def server_if_any() -> Iterator[RealServer | None]:
    """A real redis-server, or None; an error where MINIDIS_REQUIRE_SERVER=1 asks for one."""
    server = start_server()
    yield server
    if server is not None:
        server.stop()


@pytest.fixture(scope="session")
def real_server(server_if_any: RealServer | None) -> RealServer:
    """A real redis-server on the Unix socket `.path`; `.execute(*words)` gives raw replies."""
    if server_if_any is None:
        pytest.skip("no redis-server 7.0 on this machine")
    return server_if_any


@pytest.fixture(scope="session")
def oracle(server_if_any: RealServer | None) -> Source:
    """Where the answers of Redis come from: a server, else those that were recorded."""
    return Recorded.load() if server_if_any is None else Live(server_if_any)


@pytest.fixture(scope="session")
def compared(oracle: Source, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ours]:
    """Our side of the comparison."""
    ours = Ours(str(tmp_path_factory.mktemp("compared")), oracle)
    yield ours
    ours.close()
