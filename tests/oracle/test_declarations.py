"""What minidis declares about its commands, against what Redis publishes and a server says."""

from __future__ import annotations

import pytest

import minidis
from minidis.grammar.command import COMMANDS
from tests.oracle.batches import declarations
from tests.oracle.facts import Fact, in_scope
from tests.oracle.resp import Reply
from tests.oracle.run import Source, our_reply

#: Lines that say more than the published ones, and why.
OWN_LINES = {
    "RESTORE": "IDLETIME and FREQ exclude each other; the published line hides it",
    "COMMAND": "its subcommands have lines of their own",
    "XADD": "without IDMPAUTO and IDMP, which no dump of version 10 can carry",
    "CLIENT KILL": "at least one filter has to be there; the published line has empty ones",
    "QUIT": "the words after it are read, though they mean nothing",
}
#: Published flags that the server does not have.
UNREAL_FLAGS = {name: {"denyoom"} for name in ("SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE")}
FACTS = in_scope()


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.name)
def test_published_facts(fact: Fact) -> None:
    assert fact.name in COMMANDS, f"{fact.name} is not declared"
    command = COMMANDS[fact.name]
    assert (command.group, command.since) == (fact.group, fact.since)
    assert set(command.flags) == set(fact.flags) - UNREAL_FLAGS.get(fact.name, set())
    if fact.name not in OWN_LINES:
        assert str(command.line) == fact.syntax
        assert command.line.arity == fact.arity


@pytest.fixture(scope="module")
def entries(oracle: Source) -> dict[str, Reply]:
    """Name -> entry of COMMAND INFO of the server, over RESP3."""
    batch = declarations()
    replies = oracle.answers(batch)
    return {s.name: a[0].reply[0] for s, a in zip(batch.scenarios, replies, strict=True)}


@pytest.mark.parametrize(
    "name",
    [fact.name.lower().replace(" ", "|") for fact in FACTS if not fact.newer],
)
def test_command_info(name: str, entries: dict[str, Reply], db: minidis.Minidis[bytes]) -> None:
    (ours,) = our_reply(db, [b"COMMAND", b"INFO", name.encode()])
    theirs = entries[name]
    assert ours[1] == theirs[1], "number of words"
    assert set(ours[2]) == set(theirs[2]), "flags"
    assert ours[3:6] == theirs[3:6], "first key, last key, step"
    assert set(ours[6]) == set(theirs[6]), "categories"
