"""Interruptions of who waits, who serves, and of EXEC: nothing is lost or torn."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

import minidis
from minidis.api.session import Session
from minidis.clients.blocked import BlockedCall
from tests.crash.test_interrupts import no_collector, release
from tests.faults import Fault, interrupted

pytestmark = pytest.mark.slow

__all__ = ["no_collector"]


class Parked(Session[bytes]):
    """A session whose calls return the blocked call, as those of connections do."""

    def sleep(self, call: BlockedCall) -> Any:
        return call


def waiting(db: minidis.Minidis[bytes], *words: str) -> BlockedCall:
    call = Parked(db.engine).execute(*words)
    assert isinstance(call, BlockedCall)
    assert not call.done
    return call


def every_fault(prepare: Callable[[], Any], call: Callable[[Any], Any]) -> Any:
    """Interrupt the call at each bytecode in turn; yields what was prepared, and the fault."""
    call(prepare())  # methods are generated when they are first used
    at = 0
    while True:
        at += 1
        made = prepare()
        fault = Fault(at)
        if not interrupted(fault, lambda: call(made)):  # noqa: B023
            assert at > 20
            return
        release(made[0], fault)
        yield (*made, fault)


def received(blocked: list[BlockedCall]) -> list[bytes]:
    return [call.result()[1] for call in blocked if call.done]


PUSHES = [
    "RPUSH q a b",
    "RPUSH other x",
    "SORT src BY nosort STORE q",
    "RENAME src q",
    "COPY src q",
]


@pytest.mark.parametrize("push", PUSHES)
def test_who_pushes_is_interrupted(push: str) -> None:
    def prepare() -> Any:
        db = minidis.open()
        db.rpush("src", "a", "b")
        return db, [waiting(db, "BLPOP", "q", "0") for _ in range(3)]

    for db, blocked, _ in every_fault(prepare, lambda made: made[0].execute(*push.split())):
        left = db.lrange("q", 0, -1)
        got = received(blocked)
        assert got + left in ([], [b"a", b"b"]), (got, left)
        assert not left, "a call waits although there is an element"
        assert [call.done for call in blocked] == sorted(
            (call.done for call in blocked), reverse=True
        )
        db.rpush("q", "later", "on", "more")
        assert all(call.done for call in blocked)


def test_who_pushes_for_a_chain_is_interrupted() -> None:
    def prepare() -> Any:
        db = minidis.open()
        return db, [
            waiting(db, "BLMOVE", "q", "r", "LEFT", "RIGHT", "0"),
            waiting(db, "BZPOPMIN", "z", "0"),
            waiting(db, "BLPOP", "r", "0"),
        ]

    for db, (move, zpop, pop), _ in every_fault(prepare, lambda made: made[0].rpush("q", "a")):
        assert not db.exists("q", "r")
        assert move.done == pop.done
        assert not pop.done or pop.result() == [b"r", b"a"]
        assert not zpop.done


#: What the methods do with a reply on its way: `if reply is not RETRY: return reply`. None of these
#: instructions lets CPython look for signals.
RETURNING = frozenset(
    (
        *("LOAD_FAST", "RETURN_VALUE", "STORE_FAST", "NOP", "LOAD_GLOBAL", "IS_OP"),
        *("POP_JUMP_FORWARD_IF_FALSE", "POP_JUMP_FORWARD_IF_TRUE"),
        *("POP_JUMP_IF_FALSE", "POP_JUMP_IF_TRUE"),
    )
)


def test_who_waits_is_interrupted() -> None:
    """Before it waits, while it waits, or when it has been served and has not returned yet."""

    class Served(Session[bytes]):
        def sleep(self, call: BlockedCall) -> Any:
            tracer = sys.gettrace()
            sys.settrace(None)
            Session(self.engine).rpush("q", "a", "b")
            sys.settrace(tracer)
            return super().sleep(call)

    def prepare() -> Any:
        db = minidis.open()
        return db, Served(db.engine)

    waited = False
    for db, _, fault in every_fault(prepare, lambda made: made[1].blpop(["none", "q"])):
        left = db.lrange("q", 0, -1)
        waited = waited or bool(left)
        if left == [b"b"]:
            # The methods return the reply; CPython raises no KeyboardInterrupt there.
            assert fault.function in ("_call_or_wait", "call", "call_typed", "blpop")
            assert fault.instruction in RETURNING, fault.function
        else:
            assert left in ([], [b"a", b"b"]), (left, fault.function)
        assert not len(db.engine.observers.blocked)
        assert not (db.engine.unit.observed or db.engine.unit.interest)
    assert waited


@pytest.mark.parametrize(
    ("command", "fill", "key"),
    [
        ("BLPOP k 0", "RPUSH k a b c", "k"),
        ("BRPOP k 0", "RPUSH k a b c", "k"),
        ("BLMPOP 0 1 k LEFT COUNT 2", "RPUSH k a b c", "k"),
        ("BLMPOP 0 1 k RIGHT COUNT 5", "RPUSH k a b c", "k"),
        ("BZPOPMIN k 0", "ZADD k 1 a 2 b 3 c", "k"),
        ("BZPOPMAX k 0", "ZADD k 1 a", "k"),
        ("BZMPOP 0 1 k MAX COUNT 2", "ZADD k 1 a 2 b 3 c", "k"),
    ],
)
def test_who_has_been_served_cancels(command: str, fill: str, key: str) -> None:
    db = minidis.open()
    db.execute(*fill.split())
    whole = db.dump(key)
    db.delete(key)
    call = waiting(db, *command.split())
    db.execute(*fill.split())
    assert call.done
    assert db.dump(key) != whole
    call.cancel()
    assert db.dump(key) == whole
    call.cancel()
    assert db.dump(key) == whole


def test_exec_is_not_torn() -> None:
    def prepare() -> Any:
        db = minidis.open()
        db.rpush("q", "a")
        db.multi()
        for words in ("RPUSH q b", "SET s 1", "INCR s", "ZADD z 1 a", "LPOP q", "SADD s x"):
            db.execute(*words.split())
        return db, db

    outcomes = set()
    for db, _, _ in every_fault(prepare, lambda made: made[0].exec()):
        db.engine.exec_thread.run(lambda: None)  # whatever was handed over is over
        if db.client.queue is not None:
            db.discard()
        found = (db.lrange("q", 0, -1), db.get("s"), db.zscore("z", "a"))
        assert found in (([b"a"], None, None), ([b"b"], b"2", 1.0)), found
        outcomes.add(found[1])
    assert outcomes == {None, b"2"}
