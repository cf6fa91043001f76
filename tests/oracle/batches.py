"""All that is compared, batch by batch: tables in both protocols, generated calls, declarations."""

from __future__ import annotations

from collections.abc import Iterator

from tests.oracle import cases, mistakes, sequences
from tests.oracle.cases import Scenario
from tests.oracle.facts import in_scope
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


def sequence_batches() -> Iterator[Batch]:
    """Long sequences by chance."""
    for group in sequences.GROUPS:
        yield Batch(f"sequences of {group}", sequences.scenarios_of(group))


def declarations() -> Batch:
    """COMMAND INFO of every command that the server knows, too."""
    names = [fact.name.lower().replace(" ", "|") for fact in in_scope() if not fact.newer]
    return Batch(
        "declarations",
        [Scenario(name, ((b"COMMAND", b"INFO", name.encode()),)) for name in names],
    )


def all_batches() -> Iterator[Batch]:
    """Everything."""
    yield from table_batches()
    yield from mistake_batches()
    yield from sequence_batches()
    yield declarations()
