"""No change bypasses `changed`: whatever changes the data has an effect that a recorder receives.

A journal or a replica repeats effects, so a change without one would be lost. Here commands of all
kinds run while a recorder is attached. Before and after each, all that must survive a restart is
compared: keys, values with everything that a dump has of them (also groups, consumers and pending
entries of streams), and deadlines.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

import pytest

import minidis
from minidis.grammar.command import COMMANDS, find
from minidis.keyspace.unit import Effect
from minidis.observers.batch import Batch, Observer
from minidis.persistence.rdb.payload import dump_value
from minidis.structures.limits import Limits
from minidis.structures.sorted_set import SortedSet
from minidis.structures.streams import Stream
from tests.calls import blocked
from tests.crash.test_interrupts import TYPED, TYPED_SETUP, cases, shown, words_of
from tests.oracle import cases as tables
from tests.oracle import mistakes
from tests.oracle.facts import facts
from tests.oracle.resp import Words

Db = minidis.Minidis[bytes]

#: Tables of commands on data; those of the server and of connections have other sessions in them.
TABLES = ("strings", "hashes", "lists", "sets", "sorted_sets", "streams", "generic", "newer")
LIMITS = Limits()

WRITING = {command.name for command in COMMANDS.values() if command.writes}
READING = {command.name for command in COMMANDS.values() if "readonly" in command.flags}


class Recorder(Observer):
    """Keeps the effects of all units."""

    def __init__(self) -> None:
        self.effects: list[Effect] = []

    def unit_committed(self, batch: Batch) -> None:
        self.effects += batch.effects


def kept(value: Any) -> Any:
    """All that a dump has of a value, but for two things that Redis does not count as changes
    either: the encoding of a sorted set, which SORT changes, and when a consumer was last seen,
    which reading nothing changes.
    """
    if isinstance(value, SortedSet):
        return sorted((member, repr(score)) for member, score in value.scores.items())
    if not isinstance(value, Stream):
        return dump_value(value, LIMITS, compression=False)
    consumers = [
        consumer for group in value.groups.values() for consumer in group.consumers.values()
    ]
    seen = [consumer.seen for consumer in consumers]
    for consumer in consumers:
        consumer.seen = 0
    dumped = dump_value(value, LIMITS, compression=False)
    for consumer, time in zip(consumers, seen, strict=True):
        consumer.seen = time
    return dumped


#: Of these a call may be counted as a change that changes nothing: XREADGROUP of pending entries
#: where there are none, INCREX of a missing key with a time in the past.
MAY_HAVE_NO_EFFECT = {"XREADGROUP", "INCREX"}


def state(db: Db) -> Any:
    """What must survive a restart. Looks beside the commands, which would let keys expire."""
    return [
        {key: (kept(value), space.deadlines.get(key)) for key, value in space.values.items()}
        for space in db.engine.databases
    ]


class Watched:
    """A database with a recorder, and what every command must keep to."""

    def __init__(self, seed: str = "") -> None:
        self.clock = minidis.ManualClock()
        self.db: Db = minidis.open(clock=self.clock)
        self.db.engine.settings.randbelow = Random(seed).randrange
        self.recorder = Recorder()
        self.db.engine.observers.attach(self.recorder)
        self.before = state(self.db)
        #: names of the commands that have changed something
        self.changing: set[str] = set()

    def run(self, call: Callable[[], Any], name: str = "") -> bool:
        """Make a call; whether it changed something. Then there must be an effect of it."""
        dirty, expired = self.db.engine.unit.dirty, self._expired()
        self.recorder.effects.clear()
        with contextlib.suppress(minidis.MinidisError):
            call()
        now, before = state(self.db), self.before
        self.before = now
        grown = self.db.engine.unit.dirty > dirty
        assert grown or now == before, f"{name}: changed, but not counted"
        if now != before if name in MAY_HAVE_NO_EFFECT else grown:
            assert self.recorder.effects, f"{name}: no effect"
        assert grown or not self.recorder.effects, f"{name}: {self.recorder.effects}"
        if name in READING:
            assert len(self.recorder.effects) == self._expired() - expired
        if now != before:
            self.changing.add(name)
        return now != before

    def _expired(self) -> int:
        """How many keys have expired so far."""
        return sum(space.expired for space in self.db.engine.databases)

    def words(self, words: Iterable[bytes]) -> bool:
        """Run a command given as words."""
        line = list(words)
        command = find(line)
        try:
            return self.run(lambda: self.db.execute(*line), command.name if command else "")
        except AssertionError as error:
            error.add_note(shown(line))
            raise

    def begin_again(self) -> None:
        """Empty databases, the usual limits, no transaction."""
        if self.db.client.queue is not None:
            self.words([b"DISCARD"])
        for line in ("SELECT 0", "FLUSHALL", "CONFIG SET stream-node-max-entries 100"):
            self.words(words_of(line))


# every writing command -----------------------------------------------------------------------


def test_every_writing_command_has_an_effect() -> None:
    """Each with a call that changes something; see tests/tables/interrupts.txt."""
    watched = Watched()
    for setup, words in cases():
        watched.begin_again()
        for line in setup:
            watched.words(line)
        assert watched.words(words), f"{shown(words)} changed nothing"
    assert watched.changing >= WRITING


@pytest.mark.parametrize("table", TABLES)
def test_the_commands_of_a_table(table: str) -> None:
    """Also those that do not write: they have no effect, except when they find an expired key."""
    watched = Watched()
    _run_table(watched, table)
    # DEBUG RELOAD chooses encodings anew.
    assert watched.changing - READING - {"EXEC", "DEBUG RELOAD"} <= WRITING


def _run_table(watched: Watched, table: str) -> None:
    for scenario in tables.scenarios_of(table):
        watched.begin_again()
        for words in scenario.commands:
            if _may_run(words):
                watched.words(words)


def _may_run(words: Words) -> bool:
    """Not what would wait, ends the session, or changes what its replies look like."""
    command = find(list(words))
    return command is not None and not (command.waits or command.group == "connection")


@pytest.mark.parametrize("call", TYPED)
def test_typed_calls_have_effects(call: Callable[[Db], Any]) -> None:
    watched = Watched()
    for part in TYPED_SETUP.split(";"):
        watched.words(words_of(part))
    assert watched.run(lambda: call(watched.db))


# random commands -----------------------------------------------------------------------------


SHAPES = [mistakes.take_apart(facts()[name]) for name in COMMANDS if COMMANDS[name].writes]
GROUPS = sorted({shape.fact.group for shape in SHAPES})


#: What sequences begin with, besides the keys of mistakes.POOL.
POOL = [*mistakes.POOL, tuple(words_of("HIMPORT PREPARE a f g"))]


def sequence(group: str, chance: mistakes.Chance, length: int) -> Iterable[Words]:
    """Random commands of a group, and some of other groups."""
    own = [shape for shape in SHAPES if shape.fact.group == group]
    for _ in range(length):
        shape = chance.of(SHAPES if chance.happens(0.15) else own)
        rights = mistakes.RIGHT_KEYS.get(shape.fact.group, mistakes.KEYS)
        keys = [chance.of(mistakes.KEYS if chance.happens(0.2) else rights) for _ in range(4)]
        words = mistakes.write(shape, mistakes.by_chance(shape, chance, odd=0.02), keys)
        yield from mistakes.without_waiting(shape.fact, tuple(words))


def _run_sequences(group: str, count: int) -> set[str]:
    """Run so many sequences, in which time passes; the names of the commands that changed data."""
    chance = mistakes.Chance(f"effects of {group}")
    watched = Watched(group)
    for _ in range(count):
        watched.begin_again()
        for words in (*POOL, *sequence(group, chance, 30)):
            watched.words(words)
            if chance.happens(0.02):
                watched.run(lambda: watched.clock.advance(1000), "expiry")
            elif chance.happens(0.02):
                watched.clock._us += 1_000_000_000  # due, but the expiry thread does not know
    return watched.changing


@pytest.mark.parametrize("group", GROUPS)
def test_random_commands_have_effects(group: str) -> None:
    assert _run_sequences(group, 6)


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
def test_many_random_commands_have_effects(group: str) -> None:
    changing = _run_sequences(group, 120)
    own = {shape.fact.name for shape in SHAPES if shape.fact.group == group}
    in_exec = {name for name in own if COMMANDS[name].waits and group != "stream"}
    assert len(own & changing) > len(own - in_exec) * 3 // 4


# units that are more or less than a command --------------------------------------------------


def watched_with(*lines: str) -> Watched:
    watched = Watched()
    for line in lines:
        watched.words(words_of(line))
    return watched


def effects(watched: Watched) -> list[tuple[int, str]]:
    return [(effect.database, effect.name) for effect in watched.recorder.effects]


def test_each_command_of_exec_has_its_effect() -> None:
    watched = watched_with("SET s x", "MULTI", "SET a 1", "SELECT 1", "LPUSH s y", "GET a")
    watched.words(words_of("INCR s"))
    assert watched.words([b"EXEC"])
    assert effects(watched) == [(0, "SET"), (1, "LPUSH")]
    watched.words(words_of("GET s"))
    assert not watched.recorder.effects


def test_a_transaction_object_has_effects() -> None:
    watched = watched_with("SET a 1")

    def transaction() -> None:
        with watched.db.transaction() as tx:
            tx.incr("a")
            tx.rpush("l", 1, 2)

    assert watched.run(transaction)
    assert effects(watched) == [(0, "INCR"), (0, "RPUSH")]


#: a call that waits | what it waits for | the effects of the call
SERVED = [
    ("BLPOP q 0", "RPUSH q a b", ["LPOP"]),
    ("BLMOVE q r LEFT LEFT 0", "LPUSH q a", ["LMOVE"]),
    ("BLMPOP 0 1 q LEFT", "RPUSH q a", ["LPOP"]),
    ("BZPOPMIN q 0", "ZADD q 1 a 2 b", ["ZPOPMIN"]),
    ("BLMOVEM m q LEFT LEFT 0 EXACTLY 2 OBO", "RPUSH m b", ["LMOVEM"]),
    ("XREADGROUP GROUP g ann BLOCK 0 STREAMS s >", "XADD s 5-1 a 1", ["XCLAIM", "XGROUP SETID"]),
]


@pytest.mark.parametrize(("call", "gift", "own"), SERVED, ids=[call for call, *_ in SERVED])
def test_a_served_call_has_effects_of_its_own(call: str, gift: str, own: list[str]) -> None:
    watched = watched_with("XADD s 1-1 a 1", "XGROUP CREATE s g $", "RPUSH m a")
    session = watched.db.session()
    waiting = blocked(watched.db, lambda: session.execute(*words_of(call)))
    watched.words(words_of(gift))
    assert not isinstance(waiting.over(), Exception)
    assert effects(watched) == [(0, name) for name in (gift.split()[0], *own)]


#: a read | its effects; ann has an entry pending. Redis has no effect of the first two: counts of
#: deliveries, and consumers that have received nothing, do not survive its restart.
GROUP_READS = [
    ("XREADGROUP GROUP g ann STREAMS s 0", ["XCLAIM"]),
    ("XREADGROUP GROUP g bob STREAMS s 0", ["XGROUP CREATECONSUMER"]),
    ("XREADGROUP GROUP g bob STREAMS s >", ["XCLAIM", "XGROUP SETID"]),
    ("XREADGROUP GROUP g ann NOACK STREAMS s >", ["XGROUP SETID"]),
    ("XREADGROUP GROUP g bob NOACK STREAMS s >", ["XGROUP SETID", "XGROUP CREATECONSUMER"]),
]


@pytest.mark.parametrize(("read", "own"), GROUP_READS, ids=[read for read, _ in GROUP_READS])
def test_what_a_group_read_propagates(read: str, own: list[str]) -> None:
    watched = watched_with(
        "XADD s 1-1 a 1", "XGROUP CREATE s g 0", "XREADGROUP GROUP g ann STREAMS s >",
        "XADD s 2-1 a 2",
    )  # fmt: skip
    watched.clock.advance(5)
    assert watched.words(words_of(read))
    assert [name for _, name in effects(watched)] == own


def test_a_group_read_that_finds_nothing_has_no_effect() -> None:
    watched = watched_with("XADD s 1-1 a 1", "XGROUP CREATE s g $")
    watched.words(words_of("XGROUP CREATECONSUMER s g ann"))
    for read in ("XREADGROUP GROUP g ann STREAMS s 0", "XREADGROUP GROUP g ann STREAMS s >"):
        assert not watched.words(words_of(read))
        assert not effects(watched)


@pytest.mark.parametrize(
    "read",
    [
        "XREADGROUP GROUP g bob STREAMS s 0",
        "XREADGROUP GROUP g bob STREAMS s >",
        "XREADGROUP GROUP g bob NOACK STREAMS s >",
        "XCLAIM s g bob 0 1-1",
        "XAUTOCLAIM s g bob 0 0",
    ],
)
def test_a_consumer_that_gets_nothing_is_an_effect_once(read: str) -> None:
    watched = watched_with("XADD s 1-1 a 1", "XGROUP CREATE s g $")
    assert watched.words(words_of(read))
    assert [name for _, name in effects(watched)] == ["XGROUP CREATECONSUMER"]
    assert not watched.words(words_of(read))


def test_expiry_by_the_thread_has_an_effect() -> None:
    watched = watched_with("SET a 1 EX 10", "SELECT 3", "RPUSH b 1", "EXPIRE b 10")
    assert watched.run(lambda: watched.clock.advance(11))
    assert sorted(effects(watched)) == [(0, "DEL"), (3, "DEL")]


READS = ["GET a", "EXISTS a", "TTL a", "TYPE a", "SCAN 0", "RANDOMKEY", "TOUCH a", "MGET a b",
         "OBJECT ENCODING a", "DUMP a", "SORT a", "KEYS *"]  # fmt: skip


@pytest.mark.parametrize("read", READS)
def test_a_key_that_a_read_finds_expired_has_an_effect(read: str) -> None:
    watched = watched_with("SET a 1 EX 10")
    watched.clock._us += 11_000_000  # due, but the expiry thread does not know
    changed = watched.words(words_of(read))
    assert changed or read == "KEYS *"  # it passes over due keys, and leaves them
    assert effects(watched) == ([(0, "DEL")] if changed else [])


@pytest.mark.parametrize(
    "write", ["SET a 2", "INCR a", "RENAME b a", "LPUSH a x", "HDEL a f", "SETNX a 1", "GETDEL a"]
)
def test_a_key_that_a_write_finds_expired_has_an_effect(write: str) -> None:
    """Before the effect of the command; also if there is none."""
    watched = watched_with("SET a x EX 10", "SET b 1")
    watched.clock._us += 11_000_000
    assert watched.words(words_of(write))
    names = [name for _, name in effects(watched)]
    assert names == ["DEL", write.split()[0]] or names in (["DEL"], [write.split()[0]])


def test_a_failed_command_has_no_effect_but_expiry() -> None:
    watched = watched_with("SET a 1 EX 10", "RPUSH l x")
    watched.clock._us += 11_000_000
    assert watched.words(words_of("SINTERSTORE d a l"))
    assert effects(watched) == [(0, "DEL")]
