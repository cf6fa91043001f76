"""Commands and options newer than the server we compare with behave as documented."""

from __future__ import annotations

import re

import pytest

from tests.oracle import newer
from tests.oracle.facts import in_scope
from tests.oracle.permitted import NEWER_WORDS


@pytest.mark.parametrize("scenario", list(newer.scenarios()), ids=lambda lines: lines[0][0])
def test_documented_replies(scenario: list[tuple[str, str]]) -> None:
    found = list(newer.differences(scenario))
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "name", [*(fact.name for fact in in_scope() if fact.newer), *sorted(NEWER_WORDS)]
)
def test_everything_newer_is_in_the_table(name: str) -> None:
    assert re.search(rf"^{name}\b", newer.TEXT, re.MULTILINE), f"{name} is not in newer.txt"
