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
from minidis.engine import engine as engine_module
from minidis.engine.commit import Dispatcher
from minidis.grammar.command import COMMANDS
from minidis.keyspace.keyspace import Keyspace
from minidis.structures.sorted_set import SortedSet
from minidis.structures.tables import Hash, Set
from tests.calls import Call, blocked
from tests.crash.test_interrupts import cases, prepared, shown, words_of
from tests.faults import Fault
from tests.keyspace.histories import UnitWithoutVersion

Db = minidis.Minidis[bytes]
Words = list[bytes]
Read = tuple[str, int, tuple[bytes, ...]]

UNLOCKED = {name for name, command in COMMANDS.items() if command.unlocked}
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


#: Typed calls that have a shorter way (Shortcut.direct), without their setup and the same as words.
DIRECT: list[tuple[str, str, Callable[[Db], Any]]] = [
    ("SET k old", "SET k new", lambda db: db.set("k", "new")),
    ("SET k old ; SET j 1", "SET k new", lambda db: db.set("k", "new")),
    ("SET k old ; SCAN 0", "SET k new", lambda db: db.set("k", "new")),
    ("HSET k f v", "SET k new", lambda db: db.set("k", "new")),
    ("", "SET k new", lambda db: db.set("k", "new")),
    ("SET k old", "SET k new EX 50", lambda db: db.set("k", "new", ex=50)),
    ("SET k old ; SCAN 0", "SET k new EX 50", lambda db: db.set("k", "new", ex=50)),
    ("SET k old EX 100", "SET k new EX 50", lambda db: db.set("k", "new", ex=50)),
    ("HSET k f v ; EXPIRE k 100", "SET k new EX 50", lambda db: db.set("k", "new", ex=50)),
    ("", "SET k new EX 50", lambda db: db.set("k", "new", ex=50)),
    ("HSET h a 1", "HSET h a 2", lambda db: db.hset("h", "a", 2)),
    ("HSET h a 1", "HSET h b 2", lambda db: db.hset("h", "b", 2)),
    ("HSET h a 1 ; SCAN 0", "HSET h a 2", lambda db: db.hset("h", "a", 2)),
    ("SET k 5", "INCR k", lambda db: db.incr("k")),
    ("SET k 5 ; INCR k", "INCR k", lambda db: db.incr("k")),
    ("SET k 5", "EXPIRE k 50", lambda db: db.expire("k", 50)),
    ("SET k 5 EX 100", "EXPIRE k 50", lambda db: db.expire("k", 50)),
    ("ZADD k 1 a", "EXPIRE k 50", lambda db: db.expire("k", 50)),
    ("RPUSH l a", "RPUSH l b c", lambda db: db.rpush("l", "b", "c")),
    ("RPUSH l a", "LPUSH l b c", lambda db: db.lpush("l", "b", "c")),
    ("RPUSH l a b", "RPOP l", lambda db: db.rpop("l")),
    ("RPUSH l a b", "LPOP l", lambda db: db.lpop("l")),
]
#: Commands with a shorter way that stands on its own.
HAS_DIRECT = {
    name for name, command in COMMANDS.items() if any(one.direct for one in command.shortcuts)
}


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


LOCK: Any = object()


class Reader:
    """Stands for a session: where its method would take the lock, it returns LOCK instead."""

    direct_unit = None

    def __init__(self, db: Db, number: int) -> None:
        self.reads = db.engine.unit
        self.space = db.engine.databases[number]

    def call_typed(self, *args: Any) -> Any:
        return LOCK


class Readers:
    """Readers without the lock, and the states that they may see."""

    def __init__(self, db: Db, before: Db, after: Db, names: Words) -> None:
        self.unit = db.engine.unit
        self.readers = [Reader(db, number) for number in range(2)]
        # Also of keys that exist in the meantime only: all words are tried as names.
        reads = reads_of(before, after)
        reads += [read for name in names for read in _reads_of_key(0, name, None)]
        self.before = {read: locked(before, read) for read in reads}
        self.after = {read: locked(after, read) for read in reads}
        #: the generated method of each read
        self.methods = [
            (read, partial(getattr(minidis.Minidis, COMMANDS[name].method), self.readers[number]))
            for read in self.before
            for name, number, _ in [read]
        ]
        #: a reader has seen the state after
        self.done = False
        self.seen = 0
        self.torn: list[str] = []

    def look(self, where: str = "") -> None:
        """Make all reads."""
        if self.unit.version is None:
            return
        for read, method in self.methods:
            reply = method(*read[2])
            if reply is not LOCK:
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


def traced(hook: Callable[[str], None], call: Callable[[], Any], *, main: bool = False) -> Any:
    """Make the call with the hook at each bytecode; in a thread, which runs EXEC itself."""
    each = EachBytecode(hook)

    def run() -> Any:
        before = each.begin()
        try:
            return call()
        finally:
            each.end(before)

    return run() if main else Call(run).over()


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
    assert readers.seen or not db.engine.unit.lock_free_reads  # OBJECT IDLETIME ends them
    return db


def locked_state(db: Db) -> Any:
    """What any caller with the lock finds."""
    return {read: locked(db, read) for read in reads_of(db)}


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


def parts(line: str) -> list[Words]:
    return [words_of(part) for part in line.split(" ; ") if part]


@pytest.mark.parametrize(
    ("setup", "words", "call"), DIRECT, ids=[f"{d[0]} | {d[1]}" for d in DIRECT]
)
def test_no_half_of_a_typed_call(setup: str, words: str, call: Callable[[Db], Any]) -> None:
    """The usual calls of a few methods do not even call a body, and leave no undo log."""
    db = no_half_of(parts(setup), words_of(words), typed=call)
    assert not db.engine.unit.undo


def test_typed_calls_without_a_body_are_among_them() -> None:
    assert {words.split()[0] for _, words, _ in DIRECT} == HAS_DIRECT


#: A transaction of typed calls; of which commands, and what there is before.
TRANSACTIONS: list[tuple[str, str, Callable[[Any], Any]]] = [
    ("SET a 1", "SET a 2 ; SET b 2 ; GET a", lambda tx: tx.set("a", 2).set("b", 2).get("a")),
    ("HSET a f 1 g 1", "HSET a f 2 ; HSET a g 2",
     lambda tx: tx.hset("a", "f", 2).hset("a", "g", 2)),
    ("SET n 5 EX 100", "INCR n ; SET b 1 EX 5 ; RPUSH l x ; INCR n",
     lambda tx: tx.incr("n").set("b", 1, ex=5).rpush("l", "x").incr("n")),
    ("SET a 1 EX 100 ; SADD s x", "APPEND a 2 ; SADD s y ; EXPIRE a 7 ; DEL s",
     lambda tx: tx.append("a", 2).sadd("s", "y").expire("a", 7).delete("s")),
]  # fmt: skip


@pytest.mark.parametrize("main", [False, True], ids=["thread", "main thread"])
@pytest.mark.parametrize(("setup", "words", "fill"), TRANSACTIONS, ids=[t[1] for t in TRANSACTIONS])
def test_no_half_of_a_typed_transaction(
    setup: str, words: str, fill: Callable[[Any], Any], main: bool
) -> None:
    """The main thread saves how the keys are first, or hands the transaction to a worker."""
    db, after = prepared(parts(setup)), prepared(parts(setup))
    names = [word for line in parts(words) for word in line]
    pipe = db.pipeline()
    fill(pipe)
    for line in parts(words):
        after.execute(*line)
    readers = Readers(db, prepared(parts(setup)), after, names)
    traced(readers.look, pipe.execute, main=main)
    readers.look("the end")
    assert not readers.torn, readers.torn[:5]
    assert readers.done
    assert locked_state(db) == locked_state(after)


@pytest.mark.parametrize("at", range(100, 700, 50))
def test_a_transaction_that_is_put_back_is_never_seen(at: int) -> None:
    """An interruption in the main thread: readers find everything as before all the time."""
    db = prepared(parts("SET a 1 EX 100 ; SET n 5"))
    pipe = db.pipeline().set("a", 2).incr("n").rpush("l", "x").set("b", 1, ex=9).set("a", 3)
    before = prepared(parts("SET a 1 EX 100 ; SET n 5"))
    readers = Readers(db, before, before, [b"a", b"n", b"l", b"b"])
    left = at

    def look_or_interrupt(where: str) -> None:
        nonlocal left
        left -= 1
        readers.look(where)
        if not left and db.engine.lock._is_owned():  # type: ignore[attr-defined]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        traced(look_or_interrupt, pipe.execute, main=True)
    readers.look("the end")
    assert readers.seen
    assert not readers.torn, readers.torn[:5]


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
CHANGES = ["RENAME a b", "SET k v", "EXEC"]


def read_amid(
    setup: list[Words], command: Callable[[Db], Any], read: Read, at: int
) -> tuple[bool, Any]:
    """Run the command at a bytecode of the typed read; whether it was reached, and the reply.

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
            command(db)

    try:
        reply = traced(change, partial(method, *args))
    finally:
        db.close()
    return left <= 0, str(reply) if isinstance(reply, Exception) else reply


def check_reads_amid(
    setup: list[Words], words: Words, command: Callable[[Db], Any] | None = None
) -> None:
    before, after = prepared(setup), after_words(setup, words)
    command = command or (lambda db: db.execute(*words))
    for read in reads_of(before, after):
        replies = [locked(before, read), locked(after, read)]
        if replies[0] == replies[1]:
            continue
        at, reached, seen = 0, True, []
        while reached:
            at += 1
            reached, reply = read_amid(setup, command, read, at)
            assert reply in replies, f"{read} = {reply!r} at bytecode {at}"
            seen.append(reply)
        assert seen[0] == replies[1]  # the change came first
        assert at > 10


@pytest.mark.parametrize("words", CHANGES)
def test_a_command_in_the_middle_of_a_read(words: str) -> None:
    [(setup, line)] = [case for case in all_cases() if shown(case[1]) == words][:1]
    check_reads_amid(setup, line)


#: Of these the fast tests try each read, too.
USUAL = {"SET k new", "SET k new EX 50"}


def check_reads_amid_typed(cases: list[tuple[str, str, Callable[[Db], Any]]]) -> None:
    for setup, words, call in cases:
        check_reads_amid(parts(setup), words_of(words), call)


@pytest.mark.parametrize("words", sorted(USUAL))
def test_a_typed_call_in_the_middle_of_a_read(words: str) -> None:
    check_reads_amid_typed([case for case in DIRECT if case[1] == words][-1:])


@pytest.mark.slow
@pytest.mark.parametrize("words", sorted({words for _, words, _ in DIRECT} - USUAL))
def test_any_typed_call_in_the_middle_of_a_read(words: str) -> None:
    check_reads_amid_typed([case for case in DIRECT if case[1] == words])


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
    ("HSET a f 1 g 1 ; MULTI ; HSET a f 2 ; HSET a g 2", "EXEC", Hash, "put_one", 2),
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
        db.execute("HSET", "h", "f", "2")
    assert replies == [b"1"]
    assert db.hget("h", "f") == b"2"
