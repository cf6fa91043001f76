"""Fixtures that more than one package of the tests uses."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = str(Path(__file__).resolve().parents[1])
if ROOT not in sys.path:
    # So that `tests.oracle` is found however pytest was started. At the end: an installed minidis
    # comes first.
    sys.path.append(ROOT)

import minidis  # noqa: E402
from tests import faults  # noqa: E402
from tests.oracle.run import Live, Ours, Recorded, Source, start_server  # noqa: E402
from tests.oracle.server import RealServer  # noqa: E402

# How long an example takes is up to what else the machine does.
settings.register_profile(
    "minidis", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("minidis")

#: Seconds after which a slow test fails; the limit of the others stands in pyproject.toml.
SLOW_LIMIT = 900


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests have a time limit of their own."""
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SLOW_LIMIT))


@pytest.fixture(scope="session", autouse=True)
def default_signals() -> Iterator[None]:
    """SIGINT raises KeyboardInterrupt here, and ends children as in a terminal; so does SIGHUP.

    A process in the background ignores SIGINT, one under nohup SIGHUP, and children inherit that;
    signals that are caught have their default action again in a child.
    """
    before = {signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler)}
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, lambda *_: None)
    yield
    for number, handler in before.items():
        if handler is not None:  # None: one that Python does not know
            signal.signal(number, handler)


@pytest.fixture(autouse=True)
def no_faults() -> Iterator[None]:
    """No fault outlives its test."""
    yield
    faults.stop()


@pytest.fixture
def db() -> Iterator[minidis.Minidis[bytes]]:
    """A fresh database in memory."""
    with minidis.open() as database:
        yield database


@pytest.fixture(scope="session")
def real_server() -> Iterator[RealServer]:
    """A real redis-server on the Unix socket `.path`; `.execute(*words)` gives raw replies."""
    server = start_server()
    if server is None:
        pytest.skip("no redis-server 7.4 on this machine (python -m tests.oracle.servers)")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def oracle() -> Iterator[Source]:
    """Where the replies of Redis come from: a server that no other test uses and may have
    configured, else those that were recorded."""
    server = start_server()
    yield Recorded.load() if server is None else Live(server)
    if server is not None:
        server.stop()


@pytest.fixture(scope="session")
def compared(oracle: Source, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ours]:
    """Our side of the comparison."""
    ours = Ours(str(tmp_path_factory.mktemp("compared")), oracle)
    yield ours
    ours.close()
