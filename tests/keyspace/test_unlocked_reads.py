"""Reads without the lock see a command, a transaction or an expiry before or after, never halfway.

Here nothing is left to chance (histories by chance: test_linearizability.py):

    at every bytecode of a writing command        all reads that need no lock are made
    at every bytecode of a read                   a whole command runs
    in the middle of a change of several steps    a reader in another thread waits for the lock
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import minidis
from minidis.commands.transactions import Transactions
from minidis.engine import engine as engine_module
from minidis.engine.commit import Dispatcher
from minidis.grammar.command import COMMANDS
from minidis.keyspace.keyspace import Keyspace
from minidis.replies import LOCK
from minidis.structures.sorted_set import SortedSet
from minidis.structures.tables import Hash, Set
from tests.calls import Call, blocked
from tests.crash.test_interrupts import cases, prepared, shown, words_of
from tests.faults import Fault
from tests.keyspace.histories import UnitWithoutVersion

Db = minidis.Minidis[bytes]
Words = list[bytes]
Read = tuple[str, int, tuple[bytes, ...]]

UNLOCKED = {name for name, command in COMMANDS.items() if command.unlocked is not None}
SINGLE_STEP = {
    name for name, command in COMMANDS.items() if command.writes and not command.multi_step
}

#: Single steps on values that exist, and units of several commands, beside the table.
MORE = """
SET k old | SET k new
SET k old ; SCAN 0 | SET k new
HSET h a 1 | HSET h a 2 b 3
HSET h a 1 | HMSET h a 2 b 3
HSET h a 1 | HSETNX h b 3
SADD s a ; EXPIRE s 100 | SADD s b c
ZADD z 1 a ; EXPIRE z 100 | ZADD z 2 a 3 b
ZADD z 1 a | ZADD z 2 a
SET k 5 EX 100 | INCR k
SET k 5 | INCR k
SET k a | APPEND k b
SET k a EX 100 | APPEND k b
RPUSH l a | RPUSH l b
RPUSH l a | LPOP l
RPUSH l a ; EXPIRE l 100 | LPOP l
XADD s 1-1 a 1 | XADD s MAXLEN 0 2-1 a 2
SET k old EX 100 | SETEX k 50 new
SET a 1 ; MULTI ; SET a 2 ; SET b 2 | EXEC
HSET a f 1 g 1 ; MULTI ; HSET a f 2 ; HSET a g 2 | EXEC
ZADD z 1 m 1 n ; MULTI ; ZADD z 2 m ; HSET h f 1 ; ZADD z 2 n | EXEC
SADD a x ; SADD b y ; MULTI ; SADD a y ; SREM b y | EXEC
SET a 1 ; MULTI ; GET b ; RENAME a b ; INCR b | EXEC
SET a 1 EX 100 ; RPUSH l x ; MULTI ; INCR a ; LPOP a ; PERSIST a ; INCR a | EXEC
"""

#: A call that waits | the command that serves it.
SERVED = [
    ("", "BLPOP q 0", "RPUSH q a"),
    ("", "BLPOP q 0", "LPUSH q a b"),
    ("", "BLMOVE q r LEFT LEFT 0", "RPUSH q a"),
    ("SET r x", "BLMOVE q r LEFT LEFT 0", "RPUSH q a"),
    ("", "BZPOPMIN q 0", "ZADD q 1 a"),
    ("RPUSH q a", "BLMOVEM q r LEFT LEFT 0 EXACTLY 2 OBO", "RPUSH q b"),
    ("RPUSH s a", "BLPOP q 0", "LMOVE s q LEFT LEFT"),
    ("XADD q 1-1 a 1 ; XGROUP CREATE q g $", "XREADGROUP GROUP g ann BLOCK 0 STREAMS q >",
     "XADD q 2-1 a 1"),
]  # fmt: skip

#: Keys that are due, and what finds them.
EXPIRING = ["GET a", "MGET a b", "SCAN 0", "RANDOMKEY", "INCR a", "SET a 2", "SADD b x", "advance",
            "EXISTS a b", "DEL a", "RENAME c a"]  # fmt: skip


def all_cases() -> list[tuple[list[Words], Words]]:
    more = [line.partition("|") for line in MORE.strip().splitlines()]
    return cases() + [
        ([words_of(part) for part in before.split(" ; ") if part.strip()], words_of(command))
        for before, _, command in more
    ]


# reads ---------------------------------------------------------------------------------------


def reads_of(*dbs: Db) -> list[Read]:
    """Every read without the lock of every key and element of the databases."""
    found: dict[Read, None] = {}
    for db in dbs:
        for space in db.engine.databases:
            for key, value in space.values.items():
                for read in _reads_of_key(space.number, key, value):
                    found[read] = None
    return list(found)


def _reads_of_key(number: int, key: bytes, value: Any) -> list[Read]:
    members = [] if not isinstance(value, (Hash, Set, SortedSet)) else [*value, b"none"]
    of_members = ("HGET", "SISMEMBER", "ZSCORE")
    return [(name, number, (key,)) for name in sorted(UNLOCKED - {*of_members})] + [
        (name, number, (key, member)) for name in of_members for member in members
    ]


def locked(db: Db, read: Read) -> Any:
    """The reply of a caller that takes the lock: words always do."""
    name, number, args = read
    try:
        return db.session(number).execute(name, *args)
    except minidis.MinidisError as error:
        return str(error)


class Readers:
    """Readers without the lock, and the states that they may see."""

    def __init__(self, db: Db, before: Db, after: Db, names: Words) -> None:
        self.unit = db.engine.unit
        self.sessions = [db.session(number) for number in range(2)]
        # Also of keys that exist in the meantime only: all words are tried as names.
        reads = reads_of(before, after)
        reads += [read for name in names for read in _reads_of_key(0, name, None)]
        self.before = {read: locked(before, read) for read in reads}
        self.after = {read: locked(after, read) for read in reads}
        #: a reader has seen the state after
        self.done = False
        self.seen = 0
        self.torn: list[str] = []

    def look(self, where: str = "") -> None:
        """Make all reads, as the generated methods do (grammar/methods.py)."""
        version = self.unit.version
        if version is None:
            return
        for read in self.before:
            name, number, args = read
            reply = COMMANDS[name].unlocked(self.sessions[number], *args)
            if reply is not LOCK and self.unit.version is version:
                self.check(read, reply, where)

    def check(self, read: Read, reply: Any, where: str) -> None:
        self.seen += 1
        if reply == self.after[read] != self.before[read]:
            self.done = True
        elif reply != self.after[read] and (self.done or reply != self.before[read]):
            self.torn.append(f"{read} = {reply!r} in {where}")


class EachBytecode(Fault):
    """Calls `hook(where)` before every bytecode, in place of raising an error."""

    def __init__(self, hook: Callable[[str], None]) -> None:
        super().__init__(0)
        self.hook = hook

    if sys.version_info >= (3, 12):

        def _counter(self) -> Callable[[Any, int], Any]:
            where, hook, disable = self.where, self.hook, sys.monitoring.DISABLE

            def count(code: Any, offset: int) -> Any:
                if not code.co_filename.startswith(where):
                    return disable
                hook(f"{code.co_name} at {offset}")
                return None

            return count

    else:

        def _counter(self) -> Callable[[Any, str, Any], Any]:
            hook = self.hook

            def trace(frame: Any, event: str, arg: Any) -> Any:
                if event == "opcode":
                    hook(f"{frame.f_code.co_name} at {frame.f_lineno}")
                return trace

            return trace


def traced(hook: Callable[[str], None], call: Callable[[], Any]) -> Any:
    """Make the call in a thread, which runs EXEC itself, with the hook at each bytecode."""
    each = EachBytecode(hook)

    def run() -> Any:
        before = each.begin()
        try:
            return call()
        finally:
            each.end(before)

    return Call(run).over()


# at every bytecode of a writing command ------------------------------------------------------


def look_amid(db: Db, before: Db, after: Db, call: Callable[[], Any], names: Words) -> Readers:
    """Make all reads at every bytecode of the call."""
    readers = Readers(db, before, after, names)
    traced(readers.look, call)
    readers.look("the end")
    return readers


def no_half_of(setup: list[Words], words: Words, *, typed: Callable[[Db], Any] | None = None) -> Db:
    """No read sees a half of the command; the database after it."""
    db, after = prepared(setup), after_words(setup, words)
    call = partial(db.execute, *words) if typed is None else partial(typed, db)
    readers = look_amid(db, prepared(setup), after, call, words)
    assert not readers.torn, readers.torn[:5]
    assert readers.seen
    return db


def after_words(setup: list[Words], words: Words) -> Db:
    db = prepared(setup)
    db.execute(*words)
    return db


@pytest.mark.parametrize(
    ("setup", "words"), all_cases(), ids=[shown(words) for _, words in all_cases()]
)
def test_no_half_of_a_command(setup: list[Words], words: Words) -> None:
    no_half_of(setup, words)


def test_single_step_commands_are_among_them() -> None:
    """A command that is declared as a single step is tried on a value that exists."""
    tried = {shown(words[:1]) for setup, words in all_cases() if setup}
    assert tried >= SINGLE_STEP


@pytest.mark.parametrize("more", ["SET j 1", "SCAN 0", "EXPIRE k 100"])
def test_no_half_of_a_typed_set(more: str) -> None:
    """Without options it does not even call a body."""
    setup = [words_of("SET k old"), words_of(more)]
    no_half_of(setup, words_of("SET k new"), typed=lambda db: db.set("k", "new"))


@pytest.mark.parametrize(("first", "call", "gift"), SERVED)
def test_no_half_of_a_served_call(first: str, call: str, gift: str) -> None:
    """It is complete together with the command that serves it."""

    readers, replies = look_amid_serving(first, call, gift)
    assert not readers.torn, readers.torn[:5]
    assert str(replies[0]) == str(replies[1])


def look_amid_serving(first: str, call: str, gift: str) -> tuple[Readers, list[Any]]:
    """Make all reads at every bytecode of a command that serves a blocked call."""

    def waiting() -> tuple[Db, Call]:
        db = prepared([words_of(part) for part in first.split(" ; ") if part])
        session = db.session()
        return db, blocked(db, lambda: session.execute(*words_of(call)))

    (db, one), (before, _), (after, other) = waiting(), waiting(), waiting()
    after.execute(*words_of(gift))
    names = words_of(gift)
    readers = look_amid(db, before, after, partial(db.execute, *names), names)
    return readers, [one.over(), other.over()]


@pytest.mark.parametrize("look", EXPIRING)
def test_no_half_of_expiry(look: str) -> None:
    """The key is there with its deadline, or it is not; and a key that is due is never seen."""

    def due() -> tuple[Db, Callable[[], Any]]:
        clock = minidis.ManualClock()
        db = minidis.open(clock=clock)
        for line in ("SET a 1 EX 10", "SADD b x", "EXPIRE b 10", "SET c 1", "HSET d f v"):
            db.execute(*words_of(line))
        clock._us += 11_000_000  # due, but the expiry thread does not know
        advance = partial(clock.advance, 1)
        return db, advance if look == "advance" else partial(db.execute, *words_of(look))

    (db, call), (before, _), (after, change) = due(), due(), due()
    change()
    readers = look_amid(db, before, after, call, [])
    assert readers.seen
    assert not readers.torn, readers.torn[:5]


@pytest.mark.parametrize("words", ["MSET a 2 b 3 c 4", "RENAME a b", "EXEC", "HDEL h a b"])
def test_torn_reads_are_found(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests above fail when readers do not see that a change of several steps is running."""
    monkeypatch.setattr(engine_module, "Unit", UnitWithoutVersion)
    torn = []
    for setup, line in all_cases():
        if shown(line) == words:
            db, after = prepared(setup), after_words(setup, line)
            call = partial(db.execute, *line)
            torn += look_amid(db, prepared(setup), after, call, line).torn
    assert torn


def test_a_torn_served_call_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "Unit", UnitWithoutVersion)
    assert look_amid_serving(*SERVED[0])[0].torn


# at every bytecode of a read -----------------------------------------------------------------

#: Of these the fast tests try each read; slow ones try all commands.
CHANGES = ["RENAME a b", "SET k v", "EXPIRE a 10", "GETEX k PERSIST", "FLUSHDB", "EXEC"]


def read_amid(setup: list[Words], words: Words, read: Read, at: int) -> tuple[bool, Any]:
    """Run the words at a bytecode of the typed read; whether it was reached, and the reply.

    A reader that has taken the lock keeps others out, and is let alone.
    """
    db = prepared(setup)
    name, number, args = read
    method = getattr(db.session(number), COMMANDS[name].method)
    left = at

    def change(where: str) -> None:
        nonlocal left
        left -= 1
        if left == 0 and not db.engine.lock._is_owned():  # type: ignore[attr-defined]
            db.execute(*words)

    try:
        reply = traced(change, partial(method, *args))
    finally:
        db.close()
    return left <= 0, str(reply) if isinstance(reply, Exception) else reply


def check_reads_amid(setup: list[Words], words: Words) -> None:
    before, after = prepared(setup), after_words(setup, words)
    for read in reads_of(before, after):
        replies = [locked(before, read), locked(after, read)]
        if replies[0] == replies[1]:
            continue
        at, reached, seen = 0, True, []
        while reached:
            at += 1
            reached, reply = read_amid(setup, words, read, at)
            assert reply in replies, f"{read} = {reply!r} at bytecode {at}"
            seen.append(reply)
        assert seen[0] == replies[1]  # the change came first
        assert at > 10


@pytest.mark.parametrize("words", CHANGES)
def test_a_command_in_the_middle_of_a_read(words: str) -> None:
    [(setup, line)] = [case for case in all_cases() if shown(case[1]) == words][:1]
    check_reads_amid(setup, line)


def one_for_each_command() -> list[tuple[list[Words], Words]]:
    """The first case of each, and all units of several commands."""
    first = {words[0]: (setup, words) for setup, words in reversed(all_cases())}
    return [*first.values(), *(case for case in all_cases() if case[1] == [b"EXEC"])]


@pytest.mark.slow
@pytest.mark.parametrize(("setup", "words"), one_for_each_command())
def test_any_command_in_the_middle_of_a_read(setup: list[Words], words: Words) -> None:
    check_reads_amid(setup, words)


# readers in another thread -------------------------------------------------------------------


class Middle:
    """Patches a step of a change: before it is made for the n-th time, readers start.

    They must wait for the lock: none of them returns before the step does.
    """

    def __init__(self, reads: list[Callable[[], Any]], at: int) -> None:
        self.reads = reads
        self.left = at
        self.readers: list[Call] = []

    def wrapped(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def patched(*args: Any, **options: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                self.readers = [Call(read) for read in self.reads]
                for reader in self.readers:
                    reader.join(0.02)
                    assert reader.is_alive(), "the reader did not wait"
            return step(*args, **options)

        return patched


#: setup | command | what is patched, and at which of its calls the readers start
STEPS: list[tuple[str, str, type, str, int]] = [
    ("HSET a f 1 g 1 ; MULTI ; HSET a f 2 ; HSET a g 2", "EXEC", Transactions, "_run_queued", 2),
    ("HSET a f 1 g 1 h 1", "HDEL a f g", Hash, "__delitem__", 2),
    ("SADD a f g h", "SREM a f g", Set, "__delitem__", 2),
    ("ZADD a 1 f 2 g 3 h", "ZREM a f g", SortedSet, "_reorder", 1),
    ("SET a 1 ; SET b 1", "MSET a 2 b 2", Keyspace, "put", 2),
    ("SET a 1 ; SET b 1", "DEL a b", Keyspace, "remove", 2),
    ("SET a 1 ; SET b 2", "RENAME a b", Keyspace, "put", 1),
    ("SET a 1 ; SELECT 1 ; SET b 1 ; SELECT 0", "FLUSHALL", Keyspace, "clear", 2),
    ("SET a 1", "SWAPDB 0 1", Keyspace, "set_contents", 2),
]


@pytest.mark.parametrize(
    ("before", "command", "owner", "step", "at"), STEPS, ids=[case[1] for case in STEPS]
)
def test_readers_wait_for_the_lock(
    before: str, command: str, owner: type, step: str, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = [words_of(part) for part in before.split(" ; ")]
    db, after = prepared(setup), after_words(setup, words_of(command))
    reads = [read for read in reads_of(prepared(setup)) if len(read[2]) == 1 or read[0] == "HGET"]
    sessions = [db.session(number) for number in range(2)]
    middle = Middle(
        [partial(getattr(sessions[number], COMMANDS[name].method), *args)
         for name, number, args in reads],
        at,
    )  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr(owner, step, middle.wrapped(getattr(owner, step)), raising=True)
        assert not isinstance(Call(partial(db.execute, *words_of(command))).over(), Exception)
        replies = [reader.over() for reader in middle.readers]
    assert replies
    for read, reply in zip(reads, replies, strict=True):
        assert str(reply) == str(locked(after, read))


def test_readers_wait_until_a_blocked_call_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """They never see the list between RPUSH and the BLPOP that it serves."""
    db = minidis.open()
    session, other = db.session(), db.session()
    waiting = blocked(db, lambda: session.execute("BLPOP", "q", "0"))
    middle = Middle([lambda: other.exists("q"), lambda: other.type("q")], 1)
    with monkeypatch.context() as patch:
        patch.setattr(Dispatcher, "_attempt", middle.wrapped(Dispatcher._attempt))
        assert db.rpush("q", "x") == 1
    assert [reader.over() for reader in middle.readers] == [0, "none"]
    assert waiting.over() == [b"q", b"x"]


def test_readers_wait_while_keys_expire(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = minidis.ManualClock()
    db = minidis.open(clock=clock)
    db.set("a", 1, ex=10)
    db.set("b", 1, ex=10)
    other = db.session()
    middle = Middle([lambda: other.get("a"), lambda: other.exists("b"), lambda: other.ttl("b")], 2)
    with monkeypatch.context() as patch:
        patch.setattr(Keyspace, "expire", middle.wrapped(Keyspace.expire))
        clock.advance(11)
    assert [reader.over() for reader in middle.readers] == [None, 0, -2]


def test_readers_do_not_wait_for_a_single_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock is held, and the reply comes all the same: this is what the tests above rely on."""
    db = minidis.open()
    db.hset("h", "f", 1)
    other = db.session()
    replies = []

    def put_one(*args: Any) -> bool:
        replies.append(Call(lambda: other.hget("h", "f")).over())
        return step(*args)

    step = Hash.put_one
    with monkeypatch.context() as patch:
        patch.setattr(Hash, "put_one", put_one)
        db.hset("h", "f", 2)
    assert replies == [b"1"]
    assert db.hget("h", "f") == b"2"
