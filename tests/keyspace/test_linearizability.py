"""Reads without the lock are linearizable: several threads find no state but those between units.

Each history is a small program of three threads over three keys. The threads give way to each other
at random bytecodes, so that a read comes in the middle of a write and the other way round. A search
(histories.py) decides whether the replies can be explained by some order of the operations.
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

import minidis
from minidis.engine import engine as engine_module
from minidis.keyspace.unit import Unit
from minidis.replies import Status
from tests.calls import PATIENCE
from tests.keyspace.histories import Model, Operation, UnitWithoutVersion, is_linearizable

#: Code in which threads give way: that of the package, and the methods it generates.
OURS = (os.path.dirname(minidis.__file__), "<minidis")
Db = minidis.Minidis[bytes]
Program = list[list[Operation]]

READS = ("get", "strlen", "exists", "type", "ttl", "hget", "sismember", "zscore")
KINDS = {
    "string": ("get", "strlen", "set", "set_ex", "setex", "setnx", "append", "mset"),
    "number": ("get", "incr", "incr", "set_ex", "exists", "ttl"),
    "list": ("exists", "type", "lpush", "rpush", "lpop", "rpop"),
    "hash": ("hget", "hset", "hset_one", "hdel"),
    "set": ("sismember", "sadd", "srem"),
    "zset": ("zscore", "zadd", "zrem"),
}
ANY_KIND = ("exists", "type", "ttl", "delete", "rename", "expire", "persist", "flushdb")
KEYS, FIELDS = (b"a", b"b"), (b"f", b"g", b"h")


# programs ------------------------------------------------------------------------------------


class Programs:
    """Random programs; `kinds` are the types of values in them."""

    def __init__(self, seed: str, kinds: tuple[str, ...] = tuple(KINDS)) -> None:
        self.random = Random(seed)
        self.kinds = kinds

    def program(self) -> Program:
        """What three threads do after a common beginning, which is the first element."""
        choice = self.random.choice
        self.kind_of = {key: choice(self.kinds) for key in KEYS}
        begin = [self._write() for _ in range(self.random.randrange(4))]
        threads = [self._thread() for _ in range(3)]
        if self.random.random() < 0.3:  # a call that waits is the last of its thread
            threads[0].append(Operation("blpop", (b"l",)))
            threads[1].insert(self.random.randrange(4), Operation("rpush", (b"l", b"x", b"y")))
            threads[2] += [Operation("exists", (b"l",)), Operation("type", (b"l",))]
        return [begin, *threads]

    def _thread(self) -> list[Operation]:
        writes = self.random.choice((0.2, 0.5, 0.8))
        return [
            self._unit() if self.random.random() < writes else self._read()
            for _ in range(self.random.randrange(3, 6))
        ]

    def _unit(self) -> Operation:
        """A write, or several in a transaction."""
        if self.random.random() < 0.6:
            return self._write()
        return Operation("exec", tuple(self._write() for _ in range(self.random.randrange(2, 4))))

    def _read(self) -> Operation:
        return self._one_of(lambda name: name in READS)

    def _write(self) -> Operation:
        return self._one_of(lambda name: name not in READS)

    def _one_of(self, wanted: Callable[[str], bool]) -> Operation:
        choice = self.random.choice
        key = choice(KEYS)
        kind = self.kind_of[key] if self.random.random() < 0.9 else choice(self.kinds)
        names = [name for name in KINDS[kind] if wanted(name)]
        if self.random.random() < 0.3:
            names = [name for name in ANY_KIND if wanted(name)]
        return self._with_arguments(choice(names), key)

    def _with_arguments(self, name: str, key: bytes) -> Operation:
        random = self.random
        fields = random.sample(FIELDS, random.randrange(1, 4))
        value = b"%d" % random.randrange(100)
        arguments: dict[str, tuple[Any, ...]] = {
            "flushdb": (),
            **dict.fromkeys(("set", "setnx", "append"), (key, value)),
            "setex": (key, 100, value),
            "set_ex": (key, 100, value),
            "hset_one": (key, fields[0], value),
            **dict.fromkeys(("lpush", "rpush"), (key, *fields[:2])),
            "mset": ((b"a", value), (b"b", value)),
            **dict.fromkeys(("hget", "sismember", "zscore"), (key, fields[0])),
            **dict.fromkeys(("hdel", "srem", "zrem", "sadd"), (key, *fields)),
            "hset": (key, *((name, value) for name in fields)),
            "zadd": (key, *((name, float(value)) for name in fields)),
            "rename": random.choice(((b"a", b"b"), (b"b", b"a"))),
            "expire": (key, random.choice((50, 100))),
            "delete": random.choice(((key,), KEYS)),
        }
        return Operation(name, arguments.get(name, (key,)))


# running them --------------------------------------------------------------------------------


def call(session: Any, operation: Operation) -> Any:
    """Make the call in the typed API."""
    name, args = operation.name, operation.args
    match name:
        case "exec":
            with session.transaction(raise_on_error=False) as tx:
                for one in args:
                    call(tx, one)
            return tx.results
        case "mset":
            return session.mset(dict(args))
        case "hset" | "zadd":
            return getattr(session, name)(args[0], mapping=dict(args[1:]))
        case "set_ex":
            return session.set(args[0], args[2], ex=args[1])
        case "hset_one":
            return session.hset(*args)
        case "blpop":
            return session.execute("BLPOP", *args, 0)
    return getattr(session, name)(*args)


def normal(reply: Any) -> Any:
    """The reply as the model has it."""
    if isinstance(reply, Exception):
        return type(reply).__name__
    if isinstance(reply, list):
        return [normal(one) for one in reply]
    return str(reply) if isinstance(reply, Status) else reply


def reply_of(session: Any, operation: Operation) -> Any:
    try:
        return normal(call(session, operation))
    except minidis.MinidisError as error:
        return type(error).__name__


class Run:
    """One program in threads, and its history."""

    def __init__(self, program: Program, seed: int) -> None:
        self.db: Db = minidis.open(clock=minidis.ManualClock())
        self.tick = itertools.count(1).__next__
        self.history: list[Operation] = []
        self.go = False
        for operation in program[0]:
            self.record(self.db, operation)
        self.threads = [
            threading.Thread(target=self.work, args=(operations, Random(seed + number)))
            for number, operations in enumerate(program[1:])
        ]

    def record(self, session: Any, operation: Operation) -> None:
        called = self.tick()
        reply = reply_of(session, operation)
        returned = self.tick()
        self.history.append(Operation(operation.name, operation.args, called, returned, reply))

    def work(self, operations: list[Operation], random: Random) -> None:
        session = self.db.session()
        while not self.go:
            time.sleep(0)
        sys.settrace(giving_way(random))
        try:
            for operation in operations:
                self.record(session, operation)
        finally:
            sys.settrace(None)

    def result(self) -> list[Operation]:
        for thread in self.threads:
            thread.start()
        self.go = True
        until = time.monotonic() + PATIENCE
        while alive := [thread for thread in self.threads if thread.is_alive()]:
            if len(alive) == len(self.db.engine.observers.blocked):
                self.record(self.db, Operation("rpush", (b"l", b"end")))
            alive[0].join(0.001)
            assert time.monotonic() < until
        self.db.close()
        return self.history


def giving_way(random: Random) -> Any:
    """A trace function that lets other threads run at random bytecodes."""
    left = random.randrange(1, 200)

    def trace(frame: Any, event: str, arg: Any) -> Any:
        nonlocal left
        if event == "call":
            if not frame.f_code.co_filename.startswith(OURS):
                return None
            frame.f_trace_lines, frame.f_trace_opcodes = False, True
        elif event == "opcode":
            left -= 1
            if not left:
                left = random.randrange(1, 200)
                time.sleep(0)
        return trace

    return trace


def first_torn(programs: Programs, count: int) -> list[Operation] | None:
    """The first history that is not linearizable, of so many."""
    for number in range(count):
        history = Run(programs.program(), number).result()
        if not is_linearizable(history):
            return history
    return None


@pytest.fixture(autouse=True)
def many_switches() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


# the tests -----------------------------------------------------------------------------------


def shown(history: list[Operation] | None) -> str:
    return "\n".join(map(str, sorted(history or (), key=lambda one: one.called)))


def test_histories_are_linearizable() -> None:
    torn = first_torn(Programs("some"), 100)
    assert torn is None, shown(torn)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*KINDS, "all"])
def test_many_histories_are_linearizable(kind: str) -> None:
    kinds = tuple(KINDS) if kind == "all" else (kind,)
    torn = first_torn(Programs(kind, kinds), 2000)
    assert torn is None, shown(torn)


def test_one_thread_does_what_the_model_does() -> None:
    programs = Programs("one thread")
    for _ in range(200):
        model = Model()
        db: Db = minidis.open(clock=minidis.ManualClock())
        for operation in itertools.chain(*programs.program()):
            if operation.name != "blpop":
                assert model.run(operation) == reply_of(db, operation), operation


# the search can fail -------------------------------------------------------------------------


def op(name: str, *args: Any, at: tuple[int, int], reply: Any) -> Operation:
    return Operation(name, args, *at, reply)


NOT_LINEARIZABLE = {
    "a read that comes late sees the old value": [
        op("set", b"a", b"1", at=(1, 2), reply="OK"),
        op("get", b"a", at=(3, 4), reply=None),
    ],
    "the middle of a transaction": [
        op("exec", Operation("set", (b"a", b"1")), Operation("set", (b"b", b"1")),
           at=(1, 10), reply=["OK", "OK"]),
        op("get", b"a", at=(2, 3), reply=b"1"),
        op("get", b"b", at=(4, 5), reply=None),
    ],
    "back to the old value": [
        op("set", b"a", b"1", at=(1, 10), reply="OK"),
        op("get", b"a", at=(2, 3), reply=b"1"),
        op("get", b"a", at=(4, 5), reply=None),
    ],
    "a list that has gone to the call it serves": [
        op("blpop", b"l", at=(1, 6), reply=[b"l", b"x"]),
        op("rpush", b"l", b"x", at=(2, 5), reply=1),
        op("exists", b"l", at=(7, 8), reply=1),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_LINEARIZABLE)
def test_the_search_fails(name: str) -> None:
    assert not is_linearizable(NOT_LINEARIZABLE[name])


def test_the_search_succeeds() -> None:
    """Overlapping operations may have happened in any order."""
    assert is_linearizable(
        [
            op("set", b"a", b"1", at=(1, 10), reply="OK"),
            op("get", b"a", at=(2, 3), reply=None),
            op("get", b"a", at=(4, 5), reply=b"1"),
            op("blpop", b"l", at=(6, 20), reply=[b"l", b"x"]),
            op("rpush", b"l", b"x", at=(11, 12), reply=1),
            op("exists", b"l", at=(13, 14), reply=0),
        ]
    )


class TwoFields(Programs):
    """A thread sets two fields of a hash in one transaction each time; the others read them."""

    def program(self) -> Program:
        numbers = (b"%d" % number for number in itertools.count())
        begin = [Operation("hset", (b"a", (b"f", b"old"), (b"g", b"old")))]
        writes = [
            Operation(
                "exec",
                (Operation("hset", (b"a", (b"f", n))), Operation("hset", (b"a", (b"g", n)))),
            )
            for n in itertools.islice(numbers, 3)
        ]
        reads = [Operation("hget", (b"a", name)) for name in (b"f", b"g") * 4]
        return [begin, writes, reads, reads[::-1]]


def test_two_fields_of_one_transaction() -> None:
    torn = first_torn(TwoFields("two"), 40)
    assert torn is None, shown(torn)


def test_readers_that_do_not_wait_for_a_transaction_are_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Unit, "begin_steps", lambda unit: None)
    assert first_torn(TwoFields("two"), 1000) is not None


@pytest.mark.slow
def test_readers_that_never_lock_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "Unit", UnitWithoutVersion)
    assert first_torn(Programs("never"), 5000) is not None
