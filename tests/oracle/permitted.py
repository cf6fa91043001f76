"""The table of permitted differences between minidis and Redis 7.4, with reasons.

A difference gets the name of the first entry that lists its command and whose rule matches.
docs/compatibility.md counts them. A difference without an entry is a bug.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import minidis
from minidis import errors
from minidis.replies import OK
from tests.oracle import wire
from tests.oracle.facts import in_scope
from tests.oracle.resp import Error, Map, Reply, Words

#: How an unexpected exception begins, as a reply.
CRASH = "CRASH"


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
    """A permitted difference: its name, its commands, the reason, and the rule that detects it."""

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


def _random(case: Case) -> bool:
    """Same shape, nothing that had not been put in, and nothing twice unless asked for."""
    if wire.shape(case.ours) != wire.shape(case.real):
        return False
    chosen = wire.strings(case.ours)
    last = case.words[-1].upper()
    flat = isinstance(case.ours, list) and bytes in map(type, case.ours)
    if last == b"WITHVALUES" or (last == b"WITHSCORES" and flat):
        chosen = chosen[::2]  # values and scores may have been computed
    with_repetition = case.words[2:3] and case.words[2].startswith(b"-")
    if case.name in ("SRANDMEMBER", "ZRANDMEMBER", "HRANDFIELD", "SPOP") and not with_repetition:
        return len(set(chosen)) == len(chosen) and set(chosen) <= case.seen
    return set(chosen) <= case.seen


def _cursor(case: Case) -> bool:
    """[cursor, flat elements] on both sides, and nothing that had not been put in."""
    for reply in (case.ours, case.real):
        if not isinstance(reply, list) or list(map(type, reply)) != [bytes, list]:
            return False
        if not {type(element) for element in reply[1]} <= {bytes}:
            return False
    names = case.ours[1][:: 1 if case.name in ("SCAN", "SSCAN") else 2]
    return set(names) <= case.seen


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
    "TTL": 2, "EXPIRETIME": 2, "PTTL": 2000, "PEXPIRETIME": 2000, "OBJECT IDLETIME": 10,
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
    lists = isinstance(case.ours, list) and isinstance(case.real, list)
    return lists or (type(case.ours) is type(case.real) and not isinstance(case.ours, Error))


def _subset(case: Case) -> bool:
    """What we have says the same."""
    if wire.shape(case.ours)[:1] != wire.shape(case.real)[:1] or not isinstance(case.real, list):
        return False
    if isinstance(case.ours, wire.Flat):
        ours, real = wire.paired(case.ours), wire.paired(case.real)
    else:
        ours, real = case.ours, case.real
    known = {wire.frozen(item) for item in real}
    return all(wire.frozen(item) in known for item in ours)


def _listed(case: Case) -> bool:
    """Every name is on the list of the server, or newer, or a subcommand of DEBUG."""
    if not isinstance(case.ours, list) or not isinstance(case.real, list):
        return False
    newer = {fact.name.lower().replace(" ", "|").encode() for fact in in_scope() if fact.newer}
    return all(
        name in case.real or name in newer or name.startswith(b"debug|") for name in case.ours
    )


def _same_facts(case: Case) -> bool:
    """Entries of COMMAND INFO that agree when tips and notes are taken away."""
    if not isinstance(case.ours, list) or not isinstance(case.real, list):
        return False
    return len(case.ours) == len(case.real) and all(map(_same_entry, case.ours, case.real))


def _same_entry(ours: Reply, real: Reply) -> bool:
    """The facts of one command, and of its subcommands in any order."""
    if ours is None or real is None:
        return ours is real
    parts, parts_of_real = (sorted(entry[9], key=lambda part: part[0]) for entry in (ours, real))
    return (
        wire.same(ours[:7], real[:7])
        and wire.same(ours[8], [_without_notes(spec) for spec in real[8]])
        and len(parts) == len(parts_of_real)
        and all(map(_same_entry, parts, parts_of_real))
    )


def _without_notes(spec: Reply) -> Reply:
    if isinstance(spec, Map):
        return Map(pair for pair in spec if pair[0] != b"notes")
    return spec[2:] if spec[0] == b"notes" else spec


def _newer_option(case: Case) -> bool:
    return isinstance(case.real, Error) and bool(
        case.newer_words & {word.upper() for word in case.words}
    )


def _refused_parameter(case: Case) -> bool:
    return isinstance(case.ours, Error) and any(
        text in case.ours for text in ("Unknown option", "can't set immutable config")
    )


def _refused_debug(case: Case) -> bool:
    return isinstance(case.ours, Error) and "not supported" in case.ours


def _same_value_inside(case: Case) -> bool:
    """Two payloads of DUMP that restore to the same value."""
    if not isinstance(case.ours, bytes) or not isinstance(case.real, bytes):
        return False
    with minidis.open() as db:
        try:
            db.restore("ours", 0, case.ours)
            db.restore("real", 0, case.real)
        except minidis.ResponseError:
            return False
        ours, real = db.execute("DEBUG", "DIGEST-VALUE", "ours", "real")
        return bool(ours == real)


def _ties(case: Case) -> bool:
    """Not sorted, or by texts that are missing or equal: which comes first is chance in Redis.

    The same elements all the same, unless LIMIT cuts some of them off.
    """
    upper = [word.upper() for word in case.words]
    if b"BY" not in upper[:-1]:
        return False
    pattern = case.words[len(upper) - 1 - upper[::-1].index(b"BY", 1) + 1]
    if b"*" in pattern and b"ALPHA" not in upper:
        return False
    if b"LIMIT" in upper or b"STORE" in upper:
        return _random(case)
    return wire.unordered(case.ours, case.real)


def _popped(case: Case) -> bool:
    """A random choice that turned out differently."""
    return not wire.same(case.ours, case.real) and _random(case)


def _beyond_all_clocks(case: Case) -> bool:
    upper = [word.upper() for word in case.words]
    done = isinstance(case.ours, wire.Status) and case.ours == case.real
    return done and upper[2:3] == [b"9223372036854775807"] and b"ABSTTL" not in upper


def _wrapped_index(case: Case) -> bool:
    """An index beyond all lists that Redis takes for that of an element."""
    far = abs(int(case.words[2])) > 2**62 if case.words[2].lstrip(b"-").isdigit() else False
    return far and case.real == OK and case.ours == f"ERR {errors.INDEX_OUT_OF_RANGE}"


def _reloaded_integers(case: Case) -> bool:
    """A set of integers that has had a text, after it was saved and loaded."""
    reloaded = b"RELOAD" in {word.upper() for word in case.seen}
    return reloaded and (case.ours, case.real) == (b"intset", b"listpack")


_ID = re.compile(rb"\d+-\d+")


def _id_of_the_time(case: Case) -> bool:
    """Two ids that were made of the time."""
    ids = [reply for reply in (case.ours, case.real) if isinstance(reply, bytes)]
    return len(ids) == 2 and b"*" in case.words and all(map(_ID.fullmatch, ids))


def _named_twice(case: Case) -> bool:
    """The same when all entries of a stream stand under its name."""
    if case.name == "EXEC" and isinstance(case.real, list):
        return wire.same(case.ours, list(map(_merged, case.real)))
    return wire.same(case.ours, _merged(case.real))


def _merged(reply: Reply) -> Reply:
    """Streams and their entries, each stream once; anything else as it is."""
    streams: dict[bytes, list[Reply]] = {}
    if not isinstance(reply, Map):
        return reply
    for key, found in reply:
        if not isinstance(key, bytes) or not isinstance(found, list):
            return reply
        streams.setdefault(key, []).extend(found)
    return Map([key, found] for key, found in streams.items())


def _but_for_times(case: Case) -> bool:
    """The same when the moments in it are taken away."""
    return wire.same(timeless(case.ours), timeless(case.real))


def timeless(reply: Reply) -> Reply:
    """Without the times of consumers, and without that in [id, (consumer,) time, deliveries].

    A consumer that was never active has -1 on both sides.
    """
    if not isinstance(reply, list):
        return reply
    items = [timeless(item) for item in reply]
    for at, name in enumerate(items[:-1]):
        if name in (b"seen-time", b"active-time", b"idle", b"inactive") and items[at + 1] != -1:
            items[at + 1] = 0
    pending = isinstance(items[0], bytes) and _ID.fullmatch(items[0]) if items else None
    if pending and [type(item) for item in items[-2:]] == [int, int]:
        items[-2] = 0
    return reply.__class__(items)


TABLE = (
    Difference(
        "unordered",
        _commands("HKEYS, HVALS, KEYS, COMMAND LIST"),
        "Hash tables have no defined order; the elements are the same.",
        _unordered,
    ),
    Difference(
        "unordered",
        _commands("SCAN, HSCAN, SSCAN, ZSCAN"),
        "Same, for one step of an iteration.",
        _scanned_in_other_order,
    ),
    Difference(
        "cursor",
        _commands("SCAN, HSCAN, SSCAN, ZSCAN"),
        "Cursors differ, so one step may return other elements; test_scan.py compares whole "
        "iterations.",
        _cursor,
    ),
    Difference(
        "random",
        _commands("SRANDMEMBER, HRANDFIELD, ZRANDMEMBER, RANDOMKEY"),
        "The choice is random; the number of elements is the same, and all of them exist.",
        _random,
    ),
    Difference(
        "unordered",
        _commands("SORT, SORT_RO"),
        "Elements that BY does not sort, or that are equal, are returned in hash table order.",
        _ties,
        changes_data=True,
    ),
    Difference(
        "payload",
        _commands("DUMP"),
        "Order of members or compression differ; the payload restores to the same value.",
        _same_value_inside,
    ),
    Difference(
        "overflow",
        _commands("LSET"),
        "7.4 subtracts the largest and smallest indexes from the length, which overflows, and sets "
        "an element that was not meant; minidis returns an error, as 7.0 does.",
        _wrapped_index,
        changes_data=True,
    ),
    Difference(
        "overflow",
        _commands("RESTORE"),
        "7.4.1 adds the clock to the largest integer, which overflows to a time in the past.",
        _beyond_all_clocks,
        changes_data=True,
    ),
    Difference(
        "random",
        _commands("SPOP"),
        "The choice is random, and so are the remaining elements.",
        _popped,
        changes_data=True,
    ),
    Difference(
        "clock",
        _commands(", ".join(TOLERANCE)),
        "The two servers are queried one after the other, so times may differ slightly.",
        _close,
    ),
    Difference(
        "clock",
        _commands("XADD"),
        "The id is made from the time.",
        _id_of_the_time,
        changes_data=True,
    ),
    Difference(
        "named twice",
        _commands("XREAD, XREADGROUP, EXEC"),
        "A stream named twice in one call appears once in the reply.",
        _named_twice,
    ),
    Difference(
        "clock",
        _commands("XINFO STREAM, XINFO CONSUMERS, XPENDING"),
        "Times of deliveries, and the time since then.",
        _but_for_times,
    ),
    Difference(
        "address",
        _commands("DEBUG OBJECT"),
        "Memory addresses, LRU clocks and internal nodes differ; encoding and length are the same.",
        _described_alike,
    ),
    Difference(
        "own words",
        _commands(
            "CONFIG HELP, COMMAND HELP, OBJECT HELP, XGROUP HELP, XINFO HELP, COMMAND DOCS, "
            "COMMAND COUNT"
        ),
        "Help texts, summaries and the number of commands are those of minidis.",
        _own_words,
    ),
    Difference(
        "fewer",
        _commands("CONFIG GET"),
        "Only parameters that minidis has are listed.",
        _subset,
    ),
    Difference(
        "fewer",
        _commands("COMMAND LIST"),
        "The commands of minidis are listed, including newer ones and subcommands of DEBUG.",
        _listed,
    ),
    Difference(
        "hints",
        _commands("COMMAND INFO"),
        "Tips and notes are omitted; arity, flags, keys and categories are the same.",
        _same_facts,
    ),
    Difference(
        "dump",
        _commands("OBJECT ENCODING"),
        "Version 10 of the dump has no listpack for sets; with rdb-version 11 it is kept.",
        _reloaded_integers,
    ),
    Difference(
        "refused",
        _commands("CONFIG SET"),
        "Setting a parameter without effect, or one that only open() can set, is an error.",
        _refused_parameter,
    ),
    Difference(
        "refused",
        _commands("DEBUG RELOAD"),
        "Loading without flushing the data first is not supported and returns an error.",
        _refused_debug,
        changes_data=True,
    ),
    Difference(
        "newer option",
        _commands("SET, ZUNION, ZINTER, ZUNIONSTORE, ZINTERSTORE, XADD, XTRIM, XREAD, XREADGROUP"),
        "An option added after 7.4; tested against its documentation.",
        _newer_option,
        changes_data=True,
    ),
)

#: Words that a command has learned after 7.4.
NEWER_WORDS: dict[str, frozenset[bytes]] = {
    "SET": frozenset((b"IFEQ", b"IFNE", b"IFDEQ", b"IFDNE")),
    **dict.fromkeys(("XADD", "XTRIM"), frozenset((b"KEEPREF", b"DELREF", b"ACKED"))),
    "XREAD": frozenset((b"MAXCOUNT", b"MAXSIZE")),
    "XREADGROUP": frozenset((b"MAXCOUNT", b"MAXSIZE", b"CLAIM")),
    **dict.fromkeys(("ZUNION", "ZINTER", "ZUNIONSTORE", "ZINTERSTORE"), frozenset((b"COUNT",))),
}


def permission(case: Case, *, same_reply: bool = False) -> Difference | None:
    """The entry that permits the difference, if one does: of the replies, or of the data alone."""
    if isinstance(case.ours, Error) and case.ours.startswith(CRASH):
        return None
    for difference in TABLE:
        if same_reply and not difference.changes_data:
            continue
        if case.name in difference.commands and difference.rule(case):
            return difference
    return None
