"""KeyboardInterrupt at every bytecode of every writing command: the data is as before or as after.

CPython delivers asynchronous exceptions at some bytecodes only; fault injection (tests/faults.py)
raises one at each of them, which is stricter. It even raises where the `with` block of the lock is
being left and CPython never delivers: there the test releases the lock itself, having checked that
it was such a place.
"""

from __future__ import annotations

import gc
import itertools
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import minidis
from minidis.engine.engine import Engine
from minidis.grammar.command import COMMANDS
from minidis.structures.streams import Stream
from repl.words import split
from tests.effects import Recorder, Replica
from tests.effects import state as replayable
from tests.faults import Fault, interrupted

# Python swallows an error raised at the end of a generator that is garbage collected, and warns.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.slow,
]
TABLE = Path(__file__).parent.parent / "tables" / "interrupts.txt"
#: The instructions between the end of a `with` body, or an exception in it, and the call of
#: __exit__, and that which a `try:` becomes: CPython looks for pending exceptions at none of them.
LEAVING = {
    "NOP",
    "LOAD_CONST",
    "PRECALL",
    "CALL",
    "SWAP",
    "COPY",
    "LOAD_FAST",
    "POP_TOP",
    "PUSH_EXC_INFO",
    "RETURN_VALUE",
    "WITH_EXCEPT_START",
}


def words_of(text: str) -> list[bytes]:
    return [word.value for word in split(text)[0]] if text.strip() else []


def cases() -> list[tuple[list[list[bytes]], list[bytes]]]:
    found = []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            before, _, command = line.partition("|")
            setup = [words_of(part) for part in before.split(" ; ") if part.strip()]
            found.append((setup, words_of(command)))
    return found


def shown(words: list[bytes]) -> str:
    return b" ".join(words).decode("ascii", "backslashreplace")


def prepared(setup: list[list[bytes]]) -> minidis.Minidis[bytes]:
    db = minidis.open(clock=minidis.ManualClock(), databases=2)
    db.engine.settings.randbelow = lambda n: n - 1
    for words in setup:
        db.execute(*words)
    return db


def state(db: minidis.Minidis[bytes]) -> Any:
    """Data, deadlines and encodings."""
    spaces = db.engine.databases
    return (
        db.debug_digest(),
        [dict(space.deadlines) for space in spaces],
        [{key: beyond_the_digest(value) for key, value in space.values.items()}
         for space in spaces],
    )  # fmt: skip


def beyond_the_digest(value: Any) -> Any:
    """What a value is besides its elements: encoding; nodes, past and groups of a stream."""
    if not isinstance(value, Stream):
        return getattr(value, "expanded", None)
    groups = {
        name: (group.last_id, group.read,
               {number: (owner and owner.name, *rest)
                for number, (owner, *rest) in group.pending.items()},
               {who: consumer.seen for who, consumer in group.consumers.items()})
        for name, group in value.groups.items()
    }  # fmt: skip
    nodes = [(node.first, node.last, node.dead, node.dead_bytes) for node in value.nodes]
    return value.last_id, value.added, value.max_deleted, nodes, groups


def checked(db: minidis.Minidis[bytes]) -> None:
    """Everything is in step, and nothing is left to put back."""
    for space in db.engine.databases:
        space.check()
        assert space.accessed is None or space.accessed.keys() <= space.values.keys()
    assert not db.engine.unit.undo


def interrupted_at(db: minidis.Minidis[bytes], words: list[bytes], at: int) -> Fault | None:
    """Interrupt the words at this bytecode; None if the command has fewer."""
    fault = Fault(at)
    return fault if interrupted(fault, partial(db.execute, *words)) else None


def release(db: minidis.Minidis[bytes], fault: Fault) -> None:
    lock: Any = db.engine.lock
    if lock._is_owned():
        assert fault.instruction in LEAVING, fault.instruction
        lock.release()
    assert not lock._is_owned()


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    """The fault belongs into the command, not into a weak reference's callback during it."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize(("setup", "words"), cases(), ids=[shown(words) for _, words in cases()])
def test_before_or_after(setup: list[list[bytes]], words: list[bytes]) -> None:
    db = prepared(setup)
    before = state(db)
    db.execute(*words)
    after = state(db)
    assert before != after, "the case changes nothing"
    at = 0
    seen = set()
    while True:
        at += 1
        db = prepared(setup)
        fault = interrupted_at(db, words, at)
        if fault is None:
            break
        now = state(db)
        assert now in (before, after), f"torn at bytecode {at} ({fault.instruction})"
        seen.add(now == after)
        release(db, fault)
        checked(db)
    assert at > 20
    assert seen  # at least one fault was injected


@pytest.mark.parametrize(("setup", "words"), cases(), ids=[shown(words) for _, words in cases()])
def test_effects_are_of_what_has_happened(setup: list[list[bytes]], words: list[bytes]) -> None:
    """A recorder has the effects if the command has happened, and none if it was rolled back.

    At every third bytecode: where all of them must be whole, test_before_or_after() says.
    """
    before = replayable(prepared(setup), tombstones=False)
    for at in itertools.count(1, 3):
        db = prepared(setup)
        recorder = Recorder(db.engine)
        fault = interrupted_at(db, words, at)
        if fault is None:
            break
        release(db, fault)
        db.execute("PING")  # nothing is left for the next command
        replayed = before
        if batches := recorder.taken():
            replica = Replica(prepared(setup))
            replica.repeat(batches)
            replayed = replayable(replica.db, tombstones=False)
        same = replayable(db, tombstones=False) == replayed
        assert same, f"at {at}: {fault.instruction} in {fault.function}"


def test_every_writing_command_is_in_the_table() -> None:
    known = {shown(words[:2]).upper() for _, words in cases()}
    known |= {shown(words[:1]).upper() for _, words in cases()}
    missing = [name for name, command in COMMANDS.items() if command.writes and name not in known]
    assert not missing


TYPED: list[Callable[[minidis.Minidis[bytes]], Any]] = [
    lambda db: db.mset({"a": 2, "b": 3}),
    lambda db: db.set("a", 2, px=50, get=True),
    lambda db: db.getex("a", persist=True),
    lambda db: db.delete("a", "l", "h"),
    lambda db: db.rename("a", "b"),
    lambda db: db.copy("l", "a", replace=True),
    lambda db: db.expire("l", 20, nx=True),
    lambda db: db.rpush("l", *"xyz"),
    lambda db: db.lmove("l", "m"),
    lambda db: db.lpop("l", 2),
    lambda db: db.hset("h", mapping={"f": 2, "g": 3}),
    lambda db: db.hdel("h", "f"),
    lambda db: db.sadd("s", 1, "x"),
    lambda db: db.sinterstore("a", "s"),
    lambda db: db.spop("s", 2),
    lambda db: db.zadd("z", {"m": 2, "n": 3}, gt=True),
    lambda db: db.zunionstore("a", {"z": 2, "s": 1}, aggregate="MAX"),
    lambda db: db.zpopmin("z"),
    lambda db: db.sort("l", desc=True, alpha=True, store="a"),
    lambda db: db.swapdb(0, 1),
]
TYPED_SETUP = """SET a 1 EX 10 ; RPUSH l p q ; HSET h f 1 ; SADD s 1 2 3 ; ZADD z 1 m ; SCAN 0 ;
    OBJECT IDLETIME a"""


#: Calls that call no body (Shortcut.direct); there is no OBJECT IDLETIME before them.
DIRECT: list[Callable[[minidis.Minidis[bytes]], Any]] = [
    lambda db: db.set("n", 2),
    lambda db: db.set("a", 2, ex=50),
    lambda db: db.set("h", 2, ex=50),
    lambda db: db.hset("h", "f", 2),
    lambda db: db.hset("h", "g", 2),
    lambda db: db.incr("n"),
    lambda db: db.expire("a", 20),
    lambda db: db.expire("l", 20),
    lambda db: db.rpush("l", *"xyz"),
    lambda db: db.lpush("l", *"xyz"),
    lambda db: db.rpop("l"),
    lambda db: db.lpop("l"),
]
#: The same for keys that do not exist.
DIRECT_NEW: list[Callable[[minidis.Minidis[bytes]], Any]] = [
    lambda db: db.set("new", 2),
    lambda db: db.set("new", 2, ex=50),
]
DIRECT_SETUP = "SET a 1 EX 10 ; SET n 5 ; INCR n ; RPUSH l p q ; HSET h f 1"
SETUPS = {
    TYPED_SETUP: TYPED,
    DIRECT_SETUP: DIRECT + DIRECT_NEW,
    DIRECT_SETUP + " ; SCAN 0": DIRECT + DIRECT_NEW,
}


@pytest.mark.parametrize(
    ("before", "call"), [(setup, call) for setup, calls in SETUPS.items() for call in calls]
)
def test_a_typed_call_is_as_safe(
    before: str, call: Callable[[minidis.Minidis[bytes]], Any]
) -> None:
    """The generated methods of the typed API are interrupted, too."""
    setup = [words_of(part) for part in before.split(";")]
    db = prepared(setup)
    states = [state(db)]
    call(db)
    states.append(state(db))
    assert states[0] != states[1]
    at = 0
    while True:
        at += 1
        db = prepared(setup)
        fault = Fault(at)
        if not interrupted(fault, partial(call, db)):
            break
        release(db, fault)
        assert state(db) in states, f"torn at bytecode {at} ({fault.instruction})"
        checked(db)
    assert at > 50


READS: list[Callable[[minidis.Minidis[bytes]], Any]] = [
    lambda db: db.get("a"),
    lambda db: db.mget("a", "n", "none"),
    lambda db: db.hget("h", "f"),
    lambda db: db.ttl("a"),
    lambda db: db.lrange("l", 0, -1),
]


@pytest.mark.parametrize("call", READS)
def test_an_interrupted_read_changes_nothing(
    call: Callable[[minidis.Minidis[bytes]], Any],
) -> None:
    setup = [words_of(part) for part in DIRECT_SETUP.split(";")]
    before = state(prepared(setup))
    at = 0
    while True:
        at += 1
        db = prepared(setup)
        fault = Fault(at)
        if not interrupted(fault, partial(call, db)):
            break
        release(db, fault)
        assert state(db) == before
        assert not db.engine.unit.pending
        checked(db)
    assert at > 10


@pytest.mark.parametrize("more", ["", " ; SCAN 0"])
def test_direct_calls_leave_no_undo_log(more: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the tests above interrupt is their own lines: nothing is left for commit()."""
    setup = [words_of(part) for part in (DIRECT_SETUP + more).split(";")]
    dbs = [(prepared(setup), call) for call in DIRECT + ([] if more else DIRECT_NEW)]
    monkeypatch.setattr(Engine, "commit", lambda *_: pytest.fail("a body has run"))
    for db, call in dbs:
        call(db)


@pytest.mark.parametrize("look", ["GET a", "SCAN 0", "RANDOMKEY", "TOUCH a b", "advance"])
@pytest.mark.parametrize("more", ["", "SCAN 0", "OBJECT IDLETIME a ; SCAN 0"])
def test_keys_expire_whole(look: str, more: str) -> None:
    """A key past its deadline is deleted completely, or it is still there."""
    setup = [words_of(part) for part in f"SET a 1 EX 1 ; SET b 2 EX 1 ; {more}".split(" ; ")]
    at = 0
    while True:
        at += 1
        clock = minidis.ManualClock()
        db = minidis.open(clock=clock)
        for words in filter(None, setup):
            db.execute(*words)
        clock._us += 2_000_000  # due, without a notification of the clock
        fault = Fault(at)
        move = (
            partial(clock.advance, 1) if look == "advance" else partial(db.execute, *look.split())
        )
        if not interrupted(fault, move):
            break
        if db.engine.lock._is_owned():  # type: ignore[attr-defined]
            release(db, fault)
        checked(db)
    assert at > 50


@pytest.mark.parametrize(
    "words", ["RENAME a b", "MSET a 2 b 3 c 4", "FLUSHALL", "LMOVE l m LEFT LEFT"]
)
def test_a_second_interrupt_while_putting_back(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    setup = [words_of("SET a 1 EX 10"), words_of("RPUSH l x y"), words_of("SCAN 0")]
    second = Fault(0)
    rollback = Engine.rollback

    def interrupted_again(*arguments: Any) -> None:
        if not second.instruction:
            second.begin()
        rollback(*arguments)

    db = prepared(setup)
    states = [state(db)]
    db.execute(*words.split())
    states.append(state(db))
    first = 0
    while interrupted_at(prepared(setup), words_of(words), first + 1):
        first += 1
    monkeypatch.setattr(Engine, "rollback", interrupted_again)
    for at in (first // 2, first * 3 // 4, first - 20):
        number = 0
        while True:
            number += 1
            db = prepared(setup)
            second = Fault(number)
            assert interrupted_at(db, words_of(words), at)
            if not second.instruction:
                break
            assert state(db) in states, f"torn at {at} and {number} ({second.instruction})"
            checked(db)


def test_parameters_are_set_all_or_none() -> None:
    words = ["CONFIG", "SET", "hash-max-listpack-entries", "1", "rdbcompression", "no"]
    at = 0
    while True:
        at += 1
        db = minidis.open()
        fault = interrupted_at(db, words, at)  # type: ignore[arg-type]
        if fault is None:
            break
        engine = db.engine
        values = (engine.settings.limits.hash_max_listpack_entries, engine.settings.compression)
        assert values in ((512, True), (1, False))
        assert not engine.unit.undo


def test_close_can_be_repeated(tmp_path: Path) -> None:
    """An interrupted close() leaves the directory locked; closing again gives it free."""
    at = 1
    while True:
        db = minidis.open(tmp_path)
        db.set("a", at)
        fault = Fault(at)
        if not interrupted(fault, db.close):
            break
        if db.engine.lock._is_owned():  # type: ignore[attr-defined]
            release(db, fault)
        db.close()
        with minidis.open(tmp_path) as again:
            assert again.get("a") == b"%d" % at
        at += 97


@pytest.mark.parametrize("listening", [False, True])
def test_threads_start_after_any_interruption(listening: bool) -> None:
    """An interrupted first deadline, or listen(), does not keep the next one from its thread."""
    at = 1
    while True:
        db = minidis.open()
        gone = threading.Event()
        start = db.listen if listening else lambda tell: db.set("a", 1, px=1)  # noqa: B023
        fault = Fault(at)
        hit = interrupted(fault, partial(start, lambda event: None))
        if db.engine.lock._is_owned():  # type: ignore[attr-defined]
            release(db, fault)
        db.listen(lambda event: event.name == "expired" and gone.set())  # noqa: B023
        db.set("a", 1, px=1)
        assert gone.wait(10), f"bytecode {at}"
        db.close()
        if not hit:
            break
        at += 5
