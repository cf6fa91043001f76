"""All that is compared, batch by batch: the tables in both protocols, the generated calls in RESP3."""

from __future__ import annotations

from collections.abc import Iterator

from tests.oracle import cases, mistakes
from tests.oracle.run import Batch


def table_batches() -> Iterator[Batch]:
    """The well-formed scenarios."""
    for table in cases.GROUPS.values():
        for protocol in (3, 2):
            yield Batch(f"{table} RESP{protocol}", cases.scenarios_of(table), protocol)


def mistake_batches() -> Iterator[Batch]:
    """The generated calls, a batch for each command."""
    for fact in mistakes.facts_to_try():
        yield Batch(f"calls of {fact.name}", mistakes.scenarios_of(fact))


def all_batches() -> Iterator[Batch]:
    """Everything."""
    yield from table_batches()
    yield from mistake_batches()
