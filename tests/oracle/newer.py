"""Documented replies of what is newer than the server we compare with: tests/tables/newer.txt."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import minidis
from minidis.replies import Status
from tests.oracle import wire
from tests.oracle.cases import TABLES, split
from tests.oracle.resp import Error, Reply
from tests.oracle.run import our_reply

TEXT = (TABLES / "newer.txt").read_text(encoding="utf-8")


def scenarios() -> Iterator[list[tuple[str, str]]]:
    """Lists of (words, expected reply), as they stand in the table."""
    for block in TEXT.split("\n\n"):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if lines:
            yield [tuple(line.rsplit(" -> ", 1)) for line in lines]  # type: ignore[misc]


def agrees(reply: Reply, expected: str) -> bool:
    """Is the reply what the table says?"""
    if expected.startswith("(error)"):
        return isinstance(reply, Error) and reply.startswith(expected[8:]) and "CRASH" not in reply
    if expected.startswith("(status)"):
        return isinstance(reply, str) and reply == expected[9:]
    if between := re.fullmatch(r"(\d+)\.\.(\d+)", expected):
        return isinstance(reply, int) and int(between[1]) <= reply <= int(between[2])
    if expected == "OK":
        return isinstance(reply, Status) and reply == "OK"
    known = None if expected == "nil" else wire.from_json(json.loads(expected))
    return wire.same(reply, known) or (isinstance(reply, list) and wire.unordered(reply, known))


def differences(scenario: list[tuple[str, str]]) -> Iterator[str]:
    """What minidis answers otherwise."""
    with minidis.open() as db:
        for line, expected in scenario:
            reply = our_reply(db, split(line))
            if not agrees(reply, expected):
                yield f"{line}\n    ours: {reply!r}\n    documented: {expected}"
