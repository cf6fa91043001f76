"""Some cases of a long list run always, the others only in a run with slow tests.

    @pytest.mark.parametrize("batch", sampled(BATCHES, every=10), ids=...)

The list decides, not chance: the first case runs always, and every tenth after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def sampled(cases: Iterable[Any], every: int) -> list[Any]:
    """The cases as parameters of a test; all but each `every`-th are marked slow.

    A tuple is a case of several arguments.
    """
    found = []
    for number, case in enumerate(cases):
        values = case if type(case) is tuple else (case,)
        marks = [pytest.mark.slow] if number % every else []
        found.append(pytest.param(*values, marks=marks))
    return found
