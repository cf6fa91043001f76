"""What Redis publishes about its commands, for the groups in scope: tests/tables/commands.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.oracle.cases import TABLES

#: Public commands of the groups in scope that minidis does not have yet, and why.
EXCUSED = {
    "needs other servers": "MIGRATE",
    "idempotent producers, which RDB version 10 cannot store": "XCFGSET XIDMPRECORD",
    "expiry of hash fields": (
        "HEXPIRE HEXPIREAT HEXPIRETIME HPERSIST HPEXPIRE HPEXPIREAT HPEXPIRETIME HPTTL HTTL "
        "HGETEX HSETEX"
    ),
}

#: The release we compare with.
RELEASE = (7, 4, 1)


@dataclass(frozen=True)
class Fact:
    """A published command."""

    name: str  # "CONFIG GET"
    group: str
    since: str
    arity: int
    syntax: str
    flags: tuple[str, ...]
    keys: tuple[dict[str, Any], ...]

    @property
    def newer(self) -> bool:
        """Did it come after the release we compare with?"""
        return tuple(map(int, self.since.split("."))) > RELEASE


def excuse(name: str) -> str | None:
    """Why a public command of a group in scope is not there."""
    for why, names in EXCUSED.items():
        if name.replace(" ", "|") in names.split():
            return why
    return None


@cache
def facts() -> dict[str, Fact]:
    """All commands in scope, by name."""
    rows = json.loads((TABLES / "commands.json").read_text(encoding="utf-8"))
    return {
        row["name"]: Fact(
            row["name"],
            row["group"],
            row["since"],
            row["arity"],
            row["syntax"],
            tuple(row["flags"]),
            tuple(row["keys"] or ()),
        )
        for row in rows
    }


def in_scope() -> list[Fact]:
    """The commands that have to be there."""
    return [fact for fact in facts().values() if excuse(fact.name) is None]
