"""The scenarios of tests/tables and the generated calls: the same replies as a real server."""

from __future__ import annotations

import pytest

from tests.oracle import mistakes
from tests.oracle.batches import all_batches, sequence_batches, table_batches
from tests.oracle.facts import Fact
from tests.oracle.permitted import TABLE, Difference
from tests.oracle.report import explain
from tests.oracle.run import OPEN, Batch, Ours, Recorded, Source, run

#: Differences shown when a batch fails.
SHOWN = 10


def check(oracle: Source, batch: Batch, ours: Ours) -> None:
    """No difference that is not in the table of permitted ones."""
    found = [outcome for outcome in run(oracle, batch, ours) if outcome.verdict == OPEN]
    assert not found, f"{len(found)} differences\n" + "\n".join(map(explain, found[:SHOWN]))


@pytest.mark.parametrize("batch", list(table_batches()), ids=lambda batch: batch.name)
def test_table(batch: Batch, oracle: Source, compared: Ours) -> None:
    check(oracle, batch, compared)


@pytest.mark.slow
@pytest.mark.parametrize("fact", mistakes.facts_to_try(), ids=lambda fact: fact.name)
def test_calls(fact: Fact, oracle: Source, compared: Ours) -> None:
    batch = Batch(f"calls of {fact.name}", mistakes.scenarios_of(fact))
    check(oracle, batch, compared)


@pytest.mark.slow
@pytest.mark.parametrize("batch", list(sequence_batches()), ids=lambda batch: batch.name)
def test_sequences(batch: Batch, oracle: Source, compared: Ours) -> None:
    check(oracle, batch, compared)


@pytest.mark.slow
def test_recorded_answers_fit_the_questions() -> None:
    recorded = Recorded.load()
    stale = [batch.name for batch in all_batches() if not recorded.fits(batch)]
    assert not stale, f"run python -m tests.oracle.report --record: {stale}"


@pytest.mark.parametrize("entry", TABLE, ids=lambda entry: f"{entry.name}-{min(entry.commands)}")
def test_permissions_have_reasons(entry: Difference) -> None:
    assert entry.why.endswith(".")
