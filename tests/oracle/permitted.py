"""THE table of differences between minidis and Redis 7.0 that are permitted, and why.

Replies that are equal need no permission. For the others the first entry that covers the command and
whose rule agrees gives the difference its name; docs/compatibility.md counts them. What no entry
permits is a mistake.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.oracle import wire
from tests.oracle.resp import Error, Reply, Words


@dataclass(frozen=True)
class Case:
    """One command, both answers, and what a rule may want to know about the circumstances."""

    name: str  # of the command: "CONFIG GET"
    words: Words
    ours: Reply
    real: Reply
    #: all words sent in this scenario so far: where members and keys can come from
    seen: frozenset[bytes] = frozenset()
    newer_words: frozenset[bytes] = frozenset()


@dataclass(frozen=True)
class Difference:
    """A permitted difference: its name, the commands, why, and the rule that decides."""

    name: str
    commands: frozenset[str]
    why: str
    rule: Callable[[Case], bool]
    #: the data may differ afterwards too, so it is not compared for the rest of the scenario
    changes_data: bool = False


def _commands(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(","))


def _unordered(case: Case) -> bool:
    return wire.unordered(case.ours, case.real)


def _unordered_pairs(case: Case) -> bool:
    if wire.shape(case.ours) != wire.shape(case.real) or not isinstance(case.real, list):
        return False
    return wire.same(wire.paired(case.ours), wire.paired(case.real))


def _random(case: Case) -> bool:
    """Same shape, and nothing that had not been put in."""
    return wire.shape(case.ours) == wire.shape(case.real) and all(
        text in case.seen for text in wire.strings(case.ours)
    )


def _cursor(case: Case) -> bool:
    """[cursor, elements] on both sides, and nothing that had not been put in."""
    replies = (case.ours, case.real)
    return all(
        isinstance(reply, list) and len(reply) == 2 and isinstance(reply[0], bytes)
        for reply in replies
    ) and all(text in case.seen for text in wire.strings(case.ours[1]))


def _scanned_in_other_order(case: Case) -> bool:
    return (
        _cursor(case)
        and case.ours[0] == case.real[0]
        and len(case.ours[1]) == len(case.real[1])
        and (
            wire.unordered(case.ours[1], case.real[1])
            if case.name in ("SCAN", "SSCAN")
            else wire.same(wire.paired(case.ours[1]), wire.paired(case.real[1]))
        )
    )


#: How far the two clocks may be apart, in the unit of the reply.
TOLERANCE = {
    "TTL": 2, "EXPIRETIME": 2, "PTTL": 2000, "PEXPIRETIME": 2000, "OBJECT IDLETIME": 2,
    "LASTSAVE": 3600, "TIME": 2,
}  # fmt: skip


def _close(case: Case) -> bool:
    ours, real = case.ours, case.real
    if case.name == "TIME" and wire.shape(ours) == wire.shape(real) and isinstance(ours, list):
        ours, real = int(ours[0]), int(real[0])
    if ours.__class__ is not int or real.__class__ is not int or ours < 0 or real < 0:
        return False
    return bool(abs(ours - real) <= TOLERANCE[case.name])


_PLACE = re.compile(r" at:\S+| lru:\d+| lru_seconds_idle:\d+| refcount:\d+| ql_\w+:\S+")


def _described_alike(case: Case) -> bool:
    return (
        isinstance(case.ours, str)
        and isinstance(case.real, str)
        and _PLACE.sub("", case.ours) == _PLACE.sub("", case.real)
    )


def _own_words(case: Case) -> bool:
    return type(case.ours) is type(case.real) and not isinstance(case.ours, Error)


def _subset(case: Case) -> bool:
    """What we have says the same."""
    if type(case.ours) is not type(case.real) or not isinstance(case.ours, list):
        return False
    real = {wire.frozen(item) for item in case.real}
    return all(wire.frozen(item) in real for item in case.ours)


def _newer_option(case: Case) -> bool:
    return isinstance(case.real, Error) and bool(
        case.newer_words & {word.upper() for word in case.words}
    )


def _optional_by_now(case: Case) -> bool:
    """7.0 counts the words of ZRANK exactly."""
    return isinstance(case.real, Error) and "wrong number of arguments" in case.real


def _one_reference(case: Case) -> bool:
    return case.ours == 1 and isinstance(case.real, int) and case.real >= 1


def _refused_parameter(case: Case) -> bool:
    return isinstance(case.ours, Error) and any(
        text in case.ours for text in ("Unknown option", "can't set immutable config")
    )


def _refused_debug(case: Case) -> bool:
    return isinstance(case.ours, Error) and "not supported" in case.ours


def _own_keys(case: Case) -> bool:
    """Commands that only one side has, or whose keys 7.0 does not know."""
    return isinstance(case.ours, Error) and isinstance(case.real, Error)


TABLE = (
    Difference(
        "unordered",
        _commands(
            "SMEMBERS, SINTER, SUNION, SDIFF, SPOP, SRANDMEMBER, HKEYS, HVALS, KEYS, SORT, SORT_RO, "
            "COMMAND LIST, CONFIG GET"
        ),
        "Hash tables have no order that could be promised; the elements are the same.",
        _unordered,
    ),
    Difference(
        "unordered",
        _commands("HGETALL, CONFIG GET, HRANDFIELD"),
        "The same for pairs.",
        _unordered_pairs,
    ),
    Difference(
        "unordered",
        _commands("SCAN, HSCAN, SSCAN, ZSCAN"),
        "The same for one step of an iteration.",
        _scanned_in_other_order,
    ),
    Difference(
        "cursor",
        _commands("SCAN, HSCAN, SSCAN, ZSCAN"),
        "Cursors count differently, so one step may bring other elements; whole iterations are "
        "compared in test_scan.py.",
        _cursor,
    ),
    Difference(
        "random",
        _commands("SRANDMEMBER, HRANDFIELD, ZRANDMEMBER, RANDOMKEY"),
        "The choice is random; as many elements, and only such that are there.",
        _random,
    ),
    Difference(
        "random",
        _commands("SPOP"),
        "The choice is random, and so is what is left.",
        _random,
        changes_data=True,
    ),
    Difference(
        "clock",
        _commands(", ".join(TOLERANCE)),
        "The two sides are asked one after the other; moments may differ by a little.",
        _close,
    ),
    Difference(
        "address",
        _commands("DEBUG OBJECT"),
        "Addresses, clocks and inner nodes of a process; encoding and serialized length are the same.",
        _described_alike,
    ),
    Difference(
        "references",
        _commands("OBJECT REFCOUNT"),
        "Redis shares small integers and says 2147483647; nothing is shared here.",
        _one_reference,
    ),
    Difference(
        "own words",
        _commands(
            "CONFIG HELP, COMMAND HELP, OBJECT HELP, DEBUG HELP, COMMAND DOCS, COMMAND COUNT"
        ),
        "Help, summaries and the number of commands are those of minidis.",
        _own_words,
    ),
    Difference(
        "fewer",
        _commands("CONFIG GET, COMMAND LIST"),
        "Only parameters and commands that exist here are listed.",
        _subset,
    ),
    Difference(
        "refused",
        _commands("CONFIG SET"),
        "A parameter that would have no effect is refused, and so is changing what belongs to open().",
        _refused_parameter,
    ),
    Difference(
        "refused",
        _commands("DEBUG RELOAD"),
        "Loading on top of the data is not supported and says so.",
        _refused_debug,
        changes_data=True,
    ),
    Difference(
        "newer option",
        _commands("SET, ZUNION, ZINTER, ZUNIONSTORE, ZINTERSTORE, ZRANK, ZREVRANK, HSCAN"),
        "An option that came after 7.0; tested against its documentation.",
        _newer_option,
        changes_data=True,
    ),
    Difference(
        "newer option",
        _commands("ZRANK, ZREVRANK"),
        "Since 7.2 there is one more, optional word, so one word too many is a syntax error now.",
        _optional_by_now,
    ),
)

#: Words that a command has learned after 7.0.
NEWER_WORDS: dict[str, frozenset[bytes]] = {
    "SET": frozenset((b"IFEQ", b"IFNE", b"IFDEQ", b"IFDNE")),
    "ZRANK": frozenset((b"WITHSCORE",)),
    "ZREVRANK": frozenset((b"WITHSCORE",)),
    "HSCAN": frozenset((b"NOVALUES",)),
    **dict.fromkeys(("ZUNION", "ZINTER", "ZUNIONSTORE", "ZINTERSTORE"), frozenset((b"COUNT",))),
}


def permission(case: Case) -> Difference | None:
    """The entry that permits the difference, if one does."""
    for difference in TABLE:
        if case.name in difference.commands and difference.rule(case):
            return difference
    return None
