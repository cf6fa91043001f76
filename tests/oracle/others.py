"""Other servers: the same questions to Valkey 8.1, Valkey 9.1 and Redis 7.0, and what they answer.

    cases      the tables, a sample of the generated calls, a sample of the random sequences
    verdict    equal, a difference that is permitted from 7.4 too, or one of TABLE below

minidis answers as Redis 7.4. TABLE names what the others do differently: what is Valkey's alone,
and what 7.0 does not have yet. A difference without a name is a bug of minidis or of the table.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from tests.oracle import permitted, wire
from tests.oracle.batches import mistake_batches, sequence_batches, table_batches
from tests.oracle.facts import in_scope
from tests.oracle.permitted import CRASH, Case, Difference
from tests.oracle.resp import Error, Map, Reply
from tests.oracle.run import EQUAL, OPEN, Batch, Live, Ours, Outcome, run
from tests.oracle.server import RealServer

VALKEY = frozenset(("valkey-8.1", "valkey-9.1"))
VALKEY_8 = frozenset(("valkey-8.1",))
VALKEY_9 = frozenset(("valkey-9.1",))
REDIS_7_0 = frozenset(("redis-7.0",))
KINDS = ("valkey-9.1", "valkey-8.1", "redis-7.0")

#: Of the generated calls of a command, and of the sequences of a group, every so many.
CALLS, SEQUENCES = 5, 10

Rule = Callable[[Case], bool]


@dataclass(frozen=True)
class OtherDifference(Difference):
    """A difference from the servers named; without commands: of any command."""

    servers: frozenset[str] = frozenset()


# rules --------------------------------------------------------------------------------------------


def _is_error(reply: Reply, *beginnings: str) -> bool:
    """An error, which begins with one of these texts."""
    return isinstance(reply, Error) and reply.startswith(beginnings or "")


def _real_says(*beginnings: str) -> Rule:
    """The other server answers with such an error, and minidis with something else."""
    return lambda case: _is_error(case.real, *beginnings) and case.ours != case.real


def _ours_says(*beginnings: str) -> Rule:
    """minidis answers with such an error."""
    return lambda case: _is_error(case.ours, *beginnings)


def _either(*rules: Rule) -> Rule:
    return lambda case: any(rule(case) for rule in rules)


def _replies(ours: Reply, real: Reply) -> Rule:
    """Exactly these two replies."""
    return lambda case: (case.ours, case.real) == (ours, real)


def _unknown(case: Case) -> bool:
    """The server does not know the command, or discards a transaction with it."""
    if case.name == "EXEC":
        return _is_error(case.real, "EXECABORT") and isinstance(case.ours, list)
    unknown = ("ERR unknown command", "ERR unknown subcommand")
    return _is_error(case.real, *unknown) and not _is_error(case.ours, *unknown)


def _with(*words: bytes) -> Rule:
    """One of the options is there, and the server does not take it."""
    return lambda case: (
        isinstance(case.real, Error) and bool({*words} & {word.upper() for word in case.words})
    )


#: How a number begins that other servers read and Valkey 9 does not: with a blank, or 0x.
_ODD_NUMBER = re.compile(rb"\(?(?:\s|[+-]?0[xX])")


def _odd_number(case: Case) -> bool:
    """One of the words is such a number, or, for SORT, one of the elements."""
    what = "not a valid float|not a float|can't be converted into double"
    return (
        isinstance(case.real, Error)
        and bool(re.search(what, case.real))
        and (case.name.startswith("SORT") or any(map(_ODD_NUMBER.match, case.words)))
    )


def _negative_zero(case: Case) -> bool:
    return b"-0" in case.words and case.ours == case.real


def _past_deadline(case: Case) -> bool:
    """SET with a deadline that has passed: gone at once, or when somebody looks."""
    upper = [word.upper() for word in case.words]
    return case.ours == case.real == "OK" and bool({b"PXAT", b"EXAT"} & {*upper[3:]})


_FIELD = re.compile(
    r" at:\S+| lru:\d+| lru_seconds_idle:\d+| refcount:\d+| ql_\w+:\S+| lfu_\w+:\d+"
)


def _described(*encodings: frozenset[str]) -> Rule:
    """DEBUG OBJECT alike, but for what is of the process and one of these pairs of encodings."""

    def rule(case: Case) -> bool:
        if not isinstance(case.ours, str) or not isinstance(case.real, str):
            return False
        ours, real = (dict(_described_fields(text)) for text in (case.ours, case.real))
        pair = frozenset((ours.pop("encoding", ""), real.pop("encoding", "")))
        return len(pair) == 1 or pair in encodings

    return rule


def _described_fields(text: str) -> Iterator[tuple[str, str]]:
    for part in _FIELD.sub("", text).split():
        name, _, value = part.partition(":")
        yield name, value


def _encoded(*encodings: frozenset[str]) -> Rule:
    """OBJECT ENCODING is one of these pairs."""
    pairs = {frozenset(name.encode() for name in pair) for pair in encodings}
    return lambda case: (
        isinstance(case.ours, bytes)
        and isinstance(case.real, bytes)
        and frozenset((case.ours, case.real)) in pairs
    )


def _but_for(*names: bytes) -> Rule:
    """The same when these entries, and the moments, are taken away from all maps."""

    def rule(case: Case) -> bool:
        ours, real = (_without(reply, names) for reply in (case.ours, case.real))
        return wire.same(ours, real)

    return rule


def _without(reply: Reply, names: Sequence[bytes]) -> Reply:
    if isinstance(reply, Map):
        return Map([name, _without(value, names)] for name, value in reply if name not in names)
    if isinstance(reply, list) and reply and reply[0] in _FIRST_NAMES:
        pairs = zip(reply[::2], reply[1::2], strict=True)
        kept = [(name, _without(value, names)) for name, value in pairs if name not in names]
        return reply.__class__(part for pair in kept for part in pair)
    if isinstance(reply, list):
        found = reply.__class__(_without(item, names) for item in reply)
        return permitted.timeless(found)
    return reply


#: First names of the flat maps of XINFO in RESP2.
_FIRST_NAMES = (b"name", b"length")


def _shared_parameters(case: Case) -> bool:
    """The parameters that both have are the same."""
    if not isinstance(case.ours, list) or not isinstance(case.real, list):
        return False
    ours, real = (
        dict(reply if isinstance(reply, Map) else wire.paired(reply))
        for reply in (case.ours, case.real)
    )
    shared = ours.keys() & real.keys()
    return bool(shared) and all(ours[name] == real[name] for name in shared)


def _fewer_consumers(case: Case) -> bool:
    """The server has not created those that have got nothing."""
    if not isinstance(case.ours, list) or not isinstance(case.real, list):
        return False
    ours, real = (set(map(_consumer, reply)) for reply in (case.ours, case.real))
    return real < ours and all(pending == 0 for _, pending in ours - real)


def _consumer(info: Reply) -> tuple[bytes, int]:
    facts = dict(info if isinstance(info, Map) else wire.paired(info))
    return facts[b"name"], facts[b"pending"]


def _created_before(case: Case) -> bool:
    """EXEC that creates a consumer which exists already where reading has created it."""
    pairs = list(zip(case.ours, case.real, strict=True)) if isinstance(case.ours, list) else []
    return all(ours == real or (ours, real) == (0, 1) for ours, real in pairs)


def _late_timeout(case: Case) -> bool:
    """EXEC of a call whose timeout is out of range."""
    return isinstance(case.ours, list) and any(
        _is_error(reply, "ERR timeout is out of range") for reply in case.ours
    )


def _later_commands(case: Case) -> bool:
    """What minidis lists, and the server does not, came after 7.0 or is a subcommand of DEBUG."""
    if not isinstance(case.ours, list) or not isinstance(case.real, list):
        return False
    later = {
        fact.name.lower().replace(" ", "|").encode()
        for fact in in_scope()
        if tuple(map(int, fact.since.split("."))) >= (7, 2)
    }
    more = {*case.ours} - {*case.real}
    return all(name in later or name.startswith(b"debug|") for name in more)


def _digests_of_doubles(case: Case) -> bool:
    """Equal replies to a command with a score that 7.0 writes in another way."""
    return case.ours == case.real or wire.same(case.ours, case.real)


def _long_double(case: Case) -> bool:
    """The same number, with more digits than it needs."""
    if not isinstance(case.ours, bytes) or not isinstance(case.real, bytes):
        return False
    try:
        return float(case.ours) == float(case.real)
    except ValueError:
        return False


# the table ----------------------------------------------------------------------------------------


def _other(
    servers: frozenset[str],
    name: str,
    commands: str,
    why: str,
    rule: Rule,
    *,
    changes_data: bool = False,
) -> OtherDifference:
    names = frozenset(part.strip() for part in commands.split(",") if part.strip())
    return OtherDifference(name, names, why, rule, changes_data, servers)


_STRINGS = frozenset(("embstr", "raw"))
_LISTS = frozenset(("listpack", "quicklist"))
_SETS = (frozenset(("listpack", "hashtable")), frozenset(("listpack", "intset")))
_SCORES = (
    "ZADD, ZINCRBY, ZCOUNT, ZINTER, ZUNION, ZINTERSTORE, ZUNIONSTORE, ZRANGE, ZRANGESTORE, "
    "ZRANGEBYSCORE, ZREVRANGEBYSCORE, ZREMRANGEBYSCORE, SORT, SORT_RO"
)
_NO_VALID_NUMBER = ("ERR value is not an integer or out of range", "ERR invalid expire time")

TABLE: tuple[OtherDifference, ...] = (
    _other(
        REDIS_7_0,
        "unknown command",
        "",
        "The server does not have the command.",
        _unknown,
        changes_data=True,
    ),
    # Valkey's alone
    _other(
        VALKEY,
        "client filters",
        "CLIENT KILL, CLIENT LIST",
        "Valkey combines filters and takes several ids; its errors are others.",
        _either(_real_says("ERR"), _ours_says("ERR syntax error", "ERR Invalid client ID")),
    ),
    _other(
        VALKEY,
        "words behind",
        "CLIENT PAUSE, CLIENT UNBLOCK",
        "Valkey ignores a word too many.",
        lambda case: (
            _is_error(case.ours, "ERR unknown subcommand or wrong number")
            and not isinstance(case.real, Error)
        ),
    ),
    _other(
        VALKEY,
        "words behind",
        "DEBUG OBJECT",
        "Valkey looks for the key before it counts the words.",
        lambda case: len(case.words) > 3 and _is_error(case.real, "ERR no such key"),
    ),
    _other(
        VALKEY_9,
        "cursor",
        "SCAN, HSCAN, SSCAN, ZSCAN",
        "Valkey reads a negative cursor up to a NUL.",
        lambda case: (
            _is_error(case.ours, "ERR invalid cursor") and any(b"\0" in word for word in case.words)
        ),
    ),
    _other(
        VALKEY_9,
        "last entry",
        "XREAD",
        "Valkey returns nothing for the id + of a stream that has never had an entry.",
        lambda case: (
            _is_error(case.ours, "ERR the stream last element ID is 0-0") and case.real is None
        ),
    ),
    _other(
        VALKEY,
        "string encoding",
        "OBJECT ENCODING",
        "Which strings are embedded depends on the length of the key as well, or goes up to about "
        "110 bytes.",
        _encoded(_STRINGS),
    ),
    _other(
        VALKEY_8,
        "address",
        "DEBUG OBJECT",
        "Valkey 8 shows fields about the frequency of use.",
        _described(_STRINGS),
    ),
    _other(
        VALKEY,
        "small integers",
        "OBJECT REFCOUNT",
        "Valkey does not share small integers.",
        _replies(2147483647, 1),
    ),
    _other(
        VALKEY,
        "type name",
        "SCAN",
        "Valkey refuses the name of a type that does not exist.",
        _real_says("ERR unknown type name"),
    ),
    _other(
        VALKEY,
        "past deadline",
        "SET",
        "Valkey does not store a value whose deadline has passed; Redis deletes it when it is "
        "looked at.",
        _past_deadline,
        changes_data=True,
    ),
    _other(
        VALKEY,
        "negative zero",
        "ZADD",
        "Valkey keeps the sign of a zero in the compact encoding.",
        _negative_zero,
        changes_data=True,
    ),
    _other(
        VALKEY,
        "lag",
        "XINFO GROUPS, XINFO STREAM",
        "After XTRIM or XDEL, Valkey counts what a group has read in another way.",
        _but_for(b"lag", b"entries-read"),
    ),
    _other(
        VALKEY,
        "keyspace section",
        "INFO",
        "The last field of a database has another name.",
        lambda case: b"# Keyspace" in (case.real or b""),
    ),
    _other(
        VALKEY_9,
        "odd numbers",
        _SCORES,
        "Valkey 9 reads no hexadecimal numbers, no blanks before a number, and no empty text as 0.",
        _odd_number,
        changes_data=True,
    ),
    _other(
        VALKEY_9,
        "numbers first",
        "GETEX",
        "Valkey 9 checks the numbers before the key.",
        _real_says(*_NO_VALID_NUMBER),
    ),
    # what 7.0 does not have
    _other(
        REDIS_7_0,
        "compact encodings",
        "OBJECT ENCODING",
        "Before 7.2, lists and sets of texts have no listpack; since 7.4, ZADD counts its scores.",
        _encoded(_LISTS, *_SETS, frozenset(("listpack", "skiplist"))),
    ),
    _other(
        REDIS_7_0,
        "compact encodings",
        "DEBUG OBJECT",
        "The same.",
        _described(_LISTS, *_SETS),
    ),
    _other(
        REDIS_7_0,
        "strict cursors",
        "SCAN, HSCAN, SSCAN, ZSCAN",
        "Before 7.2, cursors are read in another way, and after the key.",
        _either(_ours_says("ERR invalid cursor"), _real_says("ERR invalid cursor")),
    ),
    _other(
        REDIS_7_0,
        "later option",
        "HSCAN",
        "NOVALUES came with 7.4.",
        _with(b"NOVALUES"),
    ),
    _other(
        REDIS_7_0,
        "later option",
        "XREAD, XREADGROUP",
        "The ID + came with 7.4.",
        _with(b"+"),
    ),
    _other(
        REDIS_7_0,
        "later option",
        "ZRANK, ZREVRANK, COMMAND GETKEYS, COMMAND GETKEYSANDFLAGS",
        "7.2 takes another number of words.",
        _real_says("ERR wrong number of arguments"),
    ),
    _other(
        REDIS_7_0,
        "overflow",
        "LPOS, LREM",
        "Since 7.2, the smallest integer is refused.",
        _ours_says("ERR value is out of range, value must between"),
        changes_data=True,
    ),
    _other(
        REDIS_7_0,
        "unbalanced",
        "XREAD, XREADGROUP",
        "Since 7.2, the error about a missing ID names the command.",
        _ours_says("ERR Unbalanced 'xread' ", "ERR Unbalanced 'xreadgroup' "),
    ),
    _other(
        REDIS_7_0,
        "order of checks",
        "HELLO, XADD, XSETID",
        "Since 7.2, some mistakes are found before others.",
        lambda case: isinstance(case.ours, Error),
        changes_data=True,
    ),
    _other(
        REDIS_7_0,
        "consumers",
        "XINFO CONSUMERS, XINFO GROUPS, XINFO STREAM",
        "Since 7.2, reading creates a consumer at once, and active-time and inactive are shown.",
        _either(_but_for(b"inactive", b"active-time", b"consumers"), _fewer_consumers),
    ),
    _other(
        REDIS_7_0,
        "consumers",
        "XGROUP CREATECONSUMER",
        "The same: it exists already.",
        _replies(0, 1),
    ),
    _other(
        REDIS_7_0,
        "consumers",
        "EXEC",
        "The same in a transaction.",
        _created_before,
    ),
    _other(
        REDIS_7_0,
        "timeouts",
        "EXEC",
        "Since 7.2, more timeouts are out of range.",
        _late_timeout,
    ),
    _other(
        REDIS_7_0 | VALKEY_8,
        "flags of keys",
        "COMMAND GETKEYSANDFLAGS",
        "7.4 has other flags for SINTERSTORE, and none for a number of keys beyond 32 bits.",
        lambda case: {b"ZUNION", b"SINTERSTORE"} & {*case.words} != set(),
    ),
    _other(
        REDIS_7_0,
        "later commands",
        "COMMAND LIST",
        "7.0 has fewer commands.",
        _later_commands,
    ),
    _other(
        REDIS_7_0,
        "parameters",
        "CONFIG GET",
        "7.0 has fewer parameters.",
        _shared_parameters,
    ),
    _other(
        REDIS_7_0,
        "keyspace section",
        "INFO",
        "subexpiry came with 7.4.",
        lambda case: b"# Keyspace" in (case.real or b""),
    ),
    _other(
        REDIS_7_0,
        "digits",
        "ZADD, ZINCRBY, ZUNIONSTORE, ZINTERSTORE",
        "Before 7.2, scores have 17 digits in DEBUG DIGEST.",
        _digests_of_doubles,
        changes_data=True,
    ),
    _other(
        REDIS_7_0,
        "digits",
        "ZSCORE, ZINCRBY, ZADD",
        "Before 7.2, scores have 17 digits in RESP2.",
        _long_double,
        changes_data=True,
    ),
)


@dataclass
class Permissions:
    """What is permitted from one server; remembers which entries were needed."""

    kind: str
    used: Counter[OtherDifference] = field(default_factory=Counter)

    def entries(self) -> list[OtherDifference]:
        """The entries about this server."""
        return [entry for entry in TABLE if self.kind in entry.servers]

    def unused(self) -> list[OtherDifference]:
        """Entries about this server that no case has needed."""
        return [entry for entry in self.entries() if not self.used[entry]]

    def __call__(self, case: Case, *, same_reply: bool = False) -> Difference | None:
        """The entry that permits the difference; those from 7.4 come first."""
        allowed = permitted.permission(case, same_reply=same_reply)
        if allowed is not None or _is_error(case.ours, CRASH):
            return allowed
        for entry in self.entries():
            if same_reply and not entry.changes_data:
                continue
            if (not entry.commands or case.name in entry.commands) and entry.rule(case):
                self.used[entry] += 1
                return entry
        return None


# running ------------------------------------------------------------------------------------------


def batches() -> Iterator[Batch]:
    """What is asked."""
    yield from table_batches()
    for batch in mistake_batches():
        yield Batch(batch.name, batch.scenarios[::CALLS])
    for batch in sequence_batches():
        yield Batch(batch.name, batch.scenarios[::SEQUENCES])


def outcomes(kind: str, permissions: Permissions, only: str = "") -> Iterator[Outcome]:
    """Ask a server of this kind and minidis; NoServer where there is none."""
    server = RealServer(kind=kind)
    try:
        source = Live(server)
        with tempfile.TemporaryDirectory(prefix="minidis-others-") as directory:
            ours = Ours(directory, source)
            try:
                for batch in batches():
                    if only.lower() in batch.name.lower():
                        yield from run(source, batch, ours, permissions)
            finally:
                ours.close()
    finally:
        server.stop()


@dataclass
class Count:
    """The cases of one command with one server."""

    compared: int = 0
    equal: int = 0
    #: name of a difference -> cases
    named: Counter[str] = field(default_factory=Counter)


def counts(found: Iterable[Outcome]) -> dict[str, Count]:
    """Command -> how many cases were compared, equal, and different under a name."""
    totals: dict[str, Count] = {}
    for outcome in found:
        if outcome.counts:
            count = totals.setdefault(outcome.name, Count())
            count.compared += 1
            if outcome.verdict == EQUAL:
                count.equal += 1
            elif outcome.verdict != OPEN:
                count.named[outcome.verdict] += 1
    return dict(sorted(totals.items()))


def figures(kind: str) -> dict[str, Count]:
    """The counts of a whole comparison with a server of this kind."""
    return counts(outcomes(kind, Permissions(kind)))
