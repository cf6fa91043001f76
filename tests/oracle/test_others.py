"""Valkey and Redis 7.0 answer as minidis does, but for the differences that others.py names."""

from __future__ import annotations

import pytest

from minidis.replies import Status
from tests.oracle import others
from tests.oracle.others import KINDS, TABLE, OtherDifference, Permissions, counts, outcomes
from tests.oracle.permitted import Case
from tests.oracle.report import explain
from tests.oracle.resp import Error
from tests.oracle.run import EQUAL, OPEN
from tests.oracle.server import NoServer

#: Commands that are compared with each server, at least, and differences shown.
LEAST, SHOWN = 20_000, 10


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_server(kind: str) -> None:
    """No difference without a name, and no name without a difference."""
    permissions = Permissions(kind)
    try:
        found = list(outcomes(kind, permissions))
    except NoServer as error:
        pytest.skip(str(error))
    unexplained = [outcome for outcome in found if outcome.verdict == OPEN]
    told = "\n".join(map(explain, unexplained[:SHOWN]))
    assert not unexplained, f"{len(unexplained)} differences\n{told}"
    assert [(entry.name, *sorted(entry.commands)) for entry in permissions.unused()] == []
    totals = counts(found).values()
    assert sum(count.compared for count in totals) > LEAST
    assert all(count.compared == count.equal + count.named.total() for count in totals)


@pytest.mark.parametrize("entry", TABLE, ids=lambda entry: f"{entry.name}-{min(entry.servers)}")
def test_entries_have_reasons(entry: OtherDifference) -> None:
    assert entry.why.endswith(".")
    assert entry.servers and entry.servers <= {*KINDS}


NOT_A_FLOAT = Error("ERR value is not a valid float")


@pytest.mark.parametrize(
    ("kind", "case", "name"),
    [
        ("valkey-9.1", Case("ZADD", [b"ZADD", b"z", b"0x10", b"a"], 1, NOT_A_FLOAT), "odd numbers"),
        ("valkey-9.1", Case("ZADD", [b"ZADD", b"z", b"16", b"a"], 1, NOT_A_FLOAT), None),
        ("valkey-8.1", Case("ZADD", [b"ZADD", b"z", b"0x10", b"a"], 1, NOT_A_FLOAT), None),
        ("valkey-8.1", Case("OBJECT ENCODING", [], b"raw", b"embstr"), "string encoding"),
        ("valkey-8.1", Case("OBJECT ENCODING", [], b"raw", b"int"), None),
        ("redis-7.0", Case("OBJECT ENCODING", [], b"listpack", b"hashtable"), "compact encodings"),
        (
            "redis-7.0",
            Case("HTTL", [], [1], Error("ERR unknown command 'HTTL'")),
            "unknown command",
        ),
        ("redis-7.0", Case("HTTL", [], Error("CRASH"), Error("ERR unknown command")), None),
        ("redis-7.0", Case("SET", [], Status("OK"), Error("ERR syntax error")), None),
    ],
)
def test_rules(kind: str, case: Case, name: str | None) -> None:
    permissions = Permissions(kind)
    found = permissions(case)
    assert (found and found.name) == name
    assert sum(permissions.used.values()) == (name is not None)


def test_counts_by_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are what a report shows."""
    try:
        found = list(outcomes("redis-7.0", Permissions("redis-7.0"), "calls of LPOS"))
    except NoServer as error:
        pytest.skip(str(error))
    monkeypatch.setattr(others, "outcomes", lambda *_: iter(found))
    [(name, count)] = others.figures("redis-7.0").items()
    equal = sum(outcome.verdict == EQUAL for outcome in found)
    assert (name, count.compared, count.equal) == ("LPOS", len(found), equal)
    assert count.named == {"overflow": len(found) - equal} and 0 < equal < len(found)
