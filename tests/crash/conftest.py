"""Interruptions may be made by a trace function; the tracer of coverage is removed meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_coverage() -> Iterator[None]:
    """Thousands of runs of the same lines tell it nothing, and would take minutes more."""
    before = sys.gettrace()
    sys.settrace(None)
    yield
    sys.settrace(before)
