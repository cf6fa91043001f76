"""Callers that vanish, misuse, close or interrupt: nothing stays, and nobody waits in vain."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable

import pytest

import minidis
import minidis.aio
from minidis import ClosedError, ManualClock, Minidis, ResponseError
from tests.calls import Call, eventually, until_waiting

Bytes = Minidis[bytes]
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def named(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == name]


def ends(threads: Callable[[], list[threading.Thread]]) -> bool:
    for thread in threads():
        thread.join(10)
    return not threads()


# who vanishes -------------------------------------------------------------------------------------


def test_forgotten_watches_of_many_keys_do_not_stay(db: Bytes) -> None:
    for number in range(50):
        db.session().watch(f"key-{number}")
    db.session().watch("last")
    assert len(db.engine.watchers._by_place) == 1
    db.set("elsewhere", 1)
    assert not db.engine.watchers
    assert not db.engine.observed


def test_a_spoiled_watch_costs_later_changes_nothing(db: Bytes) -> None:
    sessions = [db.session() for _ in range(10)]
    for session in sessions:
        session.watch("hot", "cold")
    db.set("hot", 1)
    assert (0, b"hot") not in db.engine.watchers._by_place
    late = db.session()
    late.watch("hot")
    for session in sessions:
        session.multi()
        assert session.exec() is None
    db.set("hot", 2)
    late.multi()
    assert late.exec() is None
    assert not db.engine.watchers
    assert not db.engine.observed


def test_forgotten_subscriptions_do_not_stay(db: Bytes) -> None:
    for number in range(50):
        db.subscribe(f"channel-{number}", patterns=[f"{number}*"])
    gc.collect()
    with db.subscribe("one"):
        assert list(db.engine.channels._channels) == [b"one"]
        assert not db.engine.channels._patterns
        assert len(db.engine.clients) == 2


@pytest.mark.parametrize("bcast", [False, True])
def test_forgotten_sessions_track_no_more(db: Bytes, bcast: bool) -> None:
    with db.subscribe("__redis__:invalidate") as invalidations:
        reader = db.session()
        reader.client_tracking("on", redirect=invalidations.id, bcast=bcast)
        reader.get("a")
        assert db.engine.tracking.clients == 1
        del reader
        gc.collect()
        db.set("a", 1)
        assert not db.engine.tracking
        assert not db.engine.observed
        assert len(db.engine.clients) == 2


def test_the_thread_of_exec_ends_with_its_database() -> None:
    def executed() -> Bytes:
        db = minidis.open()
        db.multi()
        assert db.exec() == []
        return db

    db = executed()
    (thread,) = (one for one in named("minidis-exec") if one is db.engine.exec_thread._thread)
    del db
    gc.collect()
    thread.join(10)
    assert not thread.is_alive()

    db = executed()
    thread = db.engine.exec_thread._thread  # type: ignore[assignment]
    db.close()
    thread.join(10)
    assert not thread.is_alive()
    with pytest.raises(ClosedError):
        db.exec()
    assert db.engine.exec_thread._thread is thread, "another one was started"


def test_close_and_exec_at_the_same_time() -> None:
    """Whichever comes first: EXEC answers or refuses; it does not wait for what has ended."""
    others = named("minidis-exec")  # of databases that are still open
    for _ in range(50):
        db = minidis.open()
        db.multi()
        closing = threading.Thread(target=db.close)
        closing.start()
        with contextlib.suppress(ClosedError):
            assert db.exec() == []
        closing.join(10)
        assert not closing.is_alive()
    assert ends(lambda: [thread for thread in named("minidis-exec") if thread not in others])


# amid a command -----------------------------------------------------------------------------------


def test_a_transaction_in_a_handler_that_interrupts_a_command(db: Bytes) -> None:
    """The main thread holds the lock then, and nobody else could run the queue."""
    with db.engine.lock, db.transaction() as tx:
        tx.set("a", 1)
    assert tx.results == ["OK"]
    assert db.get("a") == b"1"


# pauses -------------------------------------------------------------------------------------------


def test_a_paused_watch_holds_nobody_up() -> None:
    with minidis.open(clock=ManualClock()) as db:
        db.client_pause(1000)
        pipe = db.pipeline()
        call = Call(lambda: pipe.watch("a"))
        until_waiting(db, 1)
        db.client_unpause()
        assert call.over() is not None
        pipe.multi()
        pipe.set("a", 1)
        db.set("a", 2)
        with pytest.raises(minidis.WatchError):
            pipe.execute()


def test_a_paused_watch_of_a_coroutine_watches() -> None:
    async def main() -> None:
        async with minidis.aio.open(clock=ManualClock()) as db:
            await db.client_pause(1000)
            async with db.pipeline() as pipe:
                watching = asyncio.ensure_future(pipe.watch("a"))
                await asyncio.sleep(0)
                assert not watching.done()
                await db.client_unpause()
                assert await watching == "OK"
                pipe.multi()
                pipe.set("a", 1)
                await db.set("a", 2)
                with pytest.raises(minidis.WatchError):
                    await pipe.execute()

    asyncio.run(main())


def test_keys_that_became_due_in_a_pause_expire_after_it(db: Bytes) -> None:
    expired = threading.Event()
    db.listen(lambda event: event.name == "expired" and expired.set())  # type: ignore[func-returns-value]
    db.set("a", 1, px=20)
    db.client_pause(3_600_000, all=False)
    eventually(
        lambda: db.engine._expiry_thread._wake_at > time.time() * 1000 + 60_000, "a long sleep"
    )
    assert not expired.is_set()
    db.client_unpause()
    assert expired.wait(10)


def test_killing_a_session_ends_all_its_calls(db: Bytes) -> None:
    shared = db.session()
    calls = [Call(lambda: shared.blpop("q")) for _ in range(3)]
    until_waiting(db, 3)
    assert db.client_kill(id=shared.client.id) == 1
    assert all(isinstance(call.over(), ResponseError) for call in calls)


# misuse -------------------------------------------------------------------------------------------


def test_a_transaction_refuses_calls_after_its_block(db: Bytes) -> None:
    with db.transaction() as tx:
        tx.set("a", 1)
    with pytest.raises(ResponseError, match="has ended with its block"):
        tx.set("b", 2)
    with pytest.raises(ResponseError, match="has ended with its block"):
        tx.execute("SET", "b", 2)
    with tx:
        tx.set("b", 3)
    assert db.mget("a", "b") == [b"1", b"3"]


def test_an_asynchronous_transaction_refuses_calls_after_its_block() -> None:
    async def main() -> None:
        async with minidis.aio.open() as db:
            async with db.transaction() as tx:
                tx.set("a", 1)
            with pytest.raises(ResponseError, match="has ended with its block"):
                tx.set("b", 2)

    asyncio.run(main())


def test_a_transaction_that_watches_nothing(db: Bytes) -> None:
    def double(tx: minidis.Pipeline[bytes]) -> None:
        number = int(tx.get("n") or 1)
        tx.multi()
        tx.set("n", 2 * number)

    assert len(db.transact(double)) == 1
    assert db.transact(lambda tx: None) == []
    assert db.get("n") == b"2"

    async def main() -> None:
        async with minidis.aio.open() as other:
            assert await other.transact(lambda tx: (tx.multi(), tx.incr("n"))) == [1]

    asyncio.run(main())


@pytest.mark.parametrize("word", ["EXEC", "DISCARD"])
def test_a_pipeline_still_queues_after_words_that_end_a_transaction(db: Bytes, word: str) -> None:
    pipe = db.pipeline()
    pipe.incr("n")
    pipe.execute(word)
    pipe.incr("n")
    assert len(pipe) == 1
    assert pipe.execute() == [2 if word == "EXEC" else 1]


@pytest.mark.parametrize("words", ["PUBLISH c x", "PING", "MULTI", "CLIENT LIST", "GET a"])
def test_nothing_runs_after_close(words: str) -> None:
    db = minidis.open()
    other = db.session()
    db.execute(*words.split())
    db.close()
    for session in (db, other):
        with pytest.raises(ClosedError):
            session.execute(*words.split())
    with pytest.raises(ClosedError):
        db.publish("c", "x")


# forks --------------------------------------------------------------------------------------------


@needs_fork
def test_a_forked_child_watches_and_listens_for_itself() -> None:
    program = """
        import minidis, os, sys, threading
        db = minidis.open()
        watching = db.session()
        watching.watch("k")
        messages = db.subscribe("c")
        tracking = db.session()
        tracking.client_tracking("on", redirect=messages.id)
        waiting = threading.Thread(target=lambda: db.session().blpop("q"), daemon=True)
        waiting.start()
        while not len(db.engine.waiters):
            pass
        child = os.fork()
        if child == 0:
            db.set("k", 1)
            watching.multi()
            print(watching.exec(), db.publish("c", "x"), list(messages))
            print(tracking.client_tracking("off"), db.engine.tracking.clients)
            print(db.rpush("q", "a"), db.blpop("q"), len(db.engine.waiters))
            sys.stdout.flush()
            os._exit(0)
        os.waitpid(child, 0)
        print(db.publish("c", "x"), messages.get().data, waiting.is_alive())
    """
    found = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert found.stdout.splitlines() == [
        "None 0 []",
        "OK 0",
        "1 [b'q', b'a'] 0",
        "1 b'x' True",
    ], found.stderr


# Ctrl-C -------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals are sent as on POSIX")
def test_ctrl_c_at_random_moments_tears_no_transaction() -> None:
    """The moments are told by a clock of CPU time: whatever else the machine does, transactions
    run between two of them."""
    program = """
        import signal, time
        import minidis
        armed = False
        def interrupt(*_):
            global armed
            if armed:
                armed = False
                raise KeyboardInterrupt
        signal.signal(signal.SIGPROF, interrupt)
        db, interrupted = minidis.open(), 0
        signal.setitimer(signal.ITIMER_PROF, 0.0005, 0.0005)
        end = time.process_time() + 10
        while interrupted < 100 and time.process_time() < end:
            try:
                while True:
                    armed = True  # each time: an error while garbage is collected goes nowhere
                    with db.transaction(watch=["a"]) as tx:
                        tx.incr("a"); tx.rpush("l", "x"); tx.incr("b")
            except KeyboardInterrupt:
                interrupted += 1
        signal.setitimer(signal.ITIMER_PROF, 0)
        a, b, length = int(db.get("a")), int(db.get("b")), db.llen("l")
        assert a == b == length > 0, (a, b, length)
        assert interrupted == 100
        engine = db.engine
        assert not (engine.undo or engine.kept or engine.touched or engine.unsettled)
        assert not len(engine.waiters)
        print("whole")
    """
    found = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert found.stdout == "whole\n", found.stderr
