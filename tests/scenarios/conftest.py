"""A real server and the minidis server, for all that several sessions say to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.oracle.run import start_server
from tests.scenarios.compare import Live, Recorded, Source
from tests.scenarios.resp_server import our_server
from tests.scenarios.runner import Stage


@pytest.fixture(scope="module")
def server() -> Iterator[Live | None]:
    """A server of our own: the scenarios change its parameters and users."""
    found = start_server()
    if found is None:
        yield None
        return
    with closing(Stage(found.path)) as stage:
        yield Live(stage)
    found.stop()


@pytest.fixture(scope="module")
def real(server: Live | None) -> Source:
    """The transcripts of a real server, or those that were recorded."""
    return Recorded() if server is None else server


@pytest.fixture(scope="module")
def live(server: Live | None) -> Live:
    if server is None:
        pytest.skip("no redis-server 7.4 on this machine (python -m tests.oracle.servers)")
    return server


@pytest.fixture(scope="module")
def minidis_server() -> Iterator[Stage]:
    with our_server() as stage:
        yield stage
