"""The effects that recorders get: exact ones for each command, and their replay after plays."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

import minidis
from minidis.errors import MinidisError
from minidis.grammar.command import COMMANDS, find
from tests.effects import Recorder, Replica, SilentClock, state
from tests.effects_plays import Play
from tests.faults import Fault
from tests.faults import interrupted as interrupted_call
from tests.oracle.cases import TABLES, Scenario, scenarios_of, split
from tests.oracle.resp import Words

TABLE = TABLES / "effects.txt"
#: Tables of commands that are played as they are.
PLAYED = (
    *("strings", "hashes", "lists", "sets", "sorted_sets", "streams", "generic", "newer"),
    *("events", "server"),
)
#: Commands that would wait, end something, or write a file.
NOT_PLAYED = frozenset((b"SAVE", b"SHUTDOWN", b"DEBUG", b"QUIT", b"CONFIG", b"MONITOR", b"CLIENT"))
HOUR = 3600
#: Steps of a play between comparisons.
STRIDE = 25


def commands_of(text: str) -> list[Words]:
    return [split(part) for part in text.split(" ; ") if part.strip()]


def exact_cases() -> Iterator[Any]:
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            call, _, effects = line.partition("->")
            setup, _, command = call.partition("|")
            yield pytest.param(
                commands_of(setup), split(command), commands_of(effects), id=command.strip()
            )


@pytest.mark.parametrize(("setup", "command", "effects"), list(exact_cases()))
def test_exact_effects(setup: list[Words], command: Words, effects: list[Words]) -> None:
    db = minidis.open(clock=minidis.ManualClock())
    db.engine.settings.randbelow = lambda n: n - 1
    for words in setup:
        db.execute(*words)
    recorder = Recorder(db.engine)
    db.execute(*command)
    batches = recorder.taken()
    assert [words for batch in batches for _, words in batch] == [list(one) for one in effects]
    assert len(batches) == bool(effects)


def interrupted() -> Iterator[Scenario]:
    """The table of interrupts.txt as scenarios: before each bar is the setup."""
    text = (TABLES / "interrupts.txt").read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        if line and not line.startswith("#"):
            commands = commands_of(line.replace("|", ";", 1))
            yield Scenario(f"interrupts.txt:{number}", tuple(commands))


@pytest.mark.parametrize("table", [*PLAYED, "interrupts"])
def test_replay_of_tables(table: str) -> None:
    for scenario in interrupted() if table == "interrupts" else scenarios_of(table):
        clock = minidis.ManualClock()
        db = minidis.open(clock=clock)
        recorder, replica = Recorder(db.engine), Replica(minidis.open(clock=minidis.ManualClock()))
        for words in scenario.commands:
            command = find(words) if words else None
            if command is None or words[0].upper() in NOT_PLAYED or command.waits:
                continue
            with contextlib.suppress(MinidisError):
                db.execute(*words)
        db.execute("RESET")
        replica.repeat(recorder.taken())
        assert state(replica.db) == state(db), scenario.name


# random plays -------------------------------------------------------------------------------------


def played(seed: int, *, buffered: bool = False) -> set[str]:
    """Play, and replay side by side and an hour later; the commands that changed something."""
    play = Play(seed)
    recorder = Recorder(play.db.engine, buffered=buffered)
    beside, later = (Replica(minidis.open(clock=SilentClock(), databases=2)) for _ in range(2))
    for replica in (beside, later):
        for limit in play.limits:
            replica.db.execute("CONFIG", "SET", *limit)
    log = []
    for number, step in enumerate(play.steps()):
        batches = recorder.taken()
        beside.db.engine.clock.slip(play.clock.now() - beside.db.engine.clock.now())
        beside.repeat(batches)
        play.note(step, batches)
        log += batches
        if number % STRIDE == 0:
            assert state(beside.db) == state(play.db), (seed, number, step, batches)
    later.db.engine.clock.slip(HOUR * 1000 + play.clock.now() - later.db.engine.clock.now())
    with later.db.engine.replaying():
        later.repeat(log)
        assert state(later.db) == state(play.db), seed
    for db in (play.db, later.db):
        db.engine.clock.set(play.clock.now() / 1000 + HOUR)
    assert state(later.db) == state(play.db), seed
    return play.changed


def test_replay_of_random_plays() -> None:
    changed = set().union(*map(played, range(40)))
    writing = {name for name, command in COMMANDS.items() if command.writes}
    assert writing - changed == set()


def test_replay_of_random_plays_for_a_buffered_recorder() -> None:
    for seed in range(100, 105):
        played(seed, buffered=True)


def test_a_buffered_recorder_hears_of_everything_in_order() -> None:
    with minidis.open() as db:
        recorder = Recorder(db.engine, buffered=True)
        for number in range(250):
            db.set("k", number)
        assert len(recorder.batches) == 200
        db.append("k", "!")  # no plain SET: what waits comes before
        assert len(recorder.batches) == 251
        db.set("k", "new")
        db.set("other", 1, ex=100)
        replica = Replica(minidis.open(clock=minidis.ManualClock()))
        replica.repeat(recorder.taken())
        assert replica.db.get("k") == b"new"
        db.set("k", "last")
        db.engine.observers.detach(recorder)
        db.set("k", "unheard")
        assert recorder.taken() == [[(0, [b"SET", b"k", b"last"])]]


def test_a_buffered_recorder_hears_of_what_has_happened_only() -> None:
    for at in range(1, 10_000):
        with minidis.open() as db:
            recorder = Recorder(db.engine, buffered=True)
            db.set("k", "first")
            fault = Fault(at)
            if not interrupted_call(fault, partial(db.set, "k", "second")):
                break
            if db.engine.lock._is_owned():  # type: ignore[attr-defined]
                db.engine.lock.release()
            replica = Replica(minidis.open())
            replica.repeat(recorder.taken())
            assert replica.db.get("k") == db.get("k"), fault.instruction
    assert 10 < at < 9_999


@pytest.mark.slow
@pytest.mark.parametrize("part", range(20))
def test_replay_of_many_random_plays(part: int) -> None:
    for seed in range(1000 + 100 * part, 1100 + 100 * part):
        played(seed)


# the rest -----------------------------------------------------------------------------------------


def test_one_unit_is_one_batch() -> None:
    with minidis.open(clock=minidis.ManualClock()) as db:
        recorder = Recorder(db.engine)
        with db.transaction() as pipe:
            pipe.set("a", 1, ex=10)
            pipe.spop("missing")
            pipe.get("a")
            pipe.incr("b")
        assert recorder.taken() == [
            [
                (0, [b"SET", b"a", b"1", b"PXAT", b"1700000010000"]),
                (0, [b"INCR", b"b"]),
            ]
        ]


def test_an_effect_does_not_change_with_the_mapping_of_the_caller() -> None:
    with minidis.open() as db:
        recorder = Recorder(db.engine)
        scores = {"a": 1.0}
        db.zadd("z", scores)
        db.zadd("z", scores, ch=True)
        scores["b"] = 2.0
        db.zadd("z", scores)
        scores.clear()
        assert [words for [(_, words)] in recorder.taken()] == [
            [b"ZADD", b"z", b"1.0", b"a"],
            [b"ZADD", b"z", b"1.0", b"a", b"2.0", b"b"],
        ]


def test_msetex_keeps_no_deadline_of_a_key_that_has_expired() -> None:
    clock = SilentClock()
    with minidis.open(clock=clock) as db:
        db.set("a", 1, px=5)
        clock.slip(10)
        assert db.msetex({"a": 2, "b": 3}, keepttl=True) == 1
        assert db.mget("a", "b") == [b"2", b"3"]


def test_a_key_that_expires_is_deleted_before_the_command_that_found_it() -> None:
    clock = SilentClock()
    with minidis.open(clock=clock) as db:
        db.set("k", 1, px=5)
        recorder = Recorder(db.engine)
        clock.slip(10)
        db.incr("k")
        db.set("k", 1, px=5)
        clock.slip(10)
        assert db.get("k") is None
        db.set("k", "text", px=5)
        clock.slip(10)
        with pytest.raises(minidis.ResponseError):
            db.setrange("k", -1, "x") if db.exists("k") else db.lset("k", 0, "x")
        deleted = (0, [b"DEL", b"k"])
        first, _, second, _, third = recorder.taken()
        assert first == [deleted, (0, [b"INCR", b"k"])]
        assert second == [deleted]
        assert third == [deleted]
