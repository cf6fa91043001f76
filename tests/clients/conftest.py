"""Fixtures for genuine clients: a place to go to, real and ours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clients.backends import BACKENDS, Backend


@pytest.fixture(scope="session", params=list(BACKENDS))
def anywhere(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """One server after the other, each for all scenarios."""
    with BACKENDS[request.param]() as place:
        yield place


@pytest.fixture
def place(anywhere: Backend) -> Iterator[Backend]:
    """A server without data, with its first users and settings."""
    anywhere.reset()
    yield anywhere
    anywhere.reset()
