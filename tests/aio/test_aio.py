"""minidis.aio: the same names awaited, waiting without threads, and nothing lost by cancelling."""

from __future__ import annotations

import asyncio
import functools
import inspect
import random
import selectors
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

import minidis
import minidis.aio
from minidis import ClosedError, ManualClock, ResponseError
from minidis.aio import AsyncMinidis
from minidis.aio.methods import NOT_QUEUED
from minidis.aio.pipeline import AsyncPipeline
from minidis.api.database import Minidis
from minidis.errors import LockedError
from minidis.grammar.command import COMMANDS
from minidis.grammar.methods import public_signature
from tests.aio_stub import STUB, stub


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run the test in an event loop of its own."""

    @functools.wraps(test)
    def run(*args: Any, **options: Any) -> None:
        asyncio.run(test(*args, **options))

    return run


async def parked(db: AsyncMinidis[Any], count: int = 1) -> None:
    """Go on when so many calls wait."""
    for _ in range(10_000):
        if len(db.engine.waiters) == count:
            return
        await asyncio.sleep(0)
    raise AssertionError(f"{len(db.engine.waiters)} calls wait, not {count}")


def in_thread(work: Callable[[], object]) -> None:
    """Do something in another thread, and wait for it."""
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def nobody_waits(db: AsyncMinidis[Any]) -> bool:
    """Has nothing stayed behind of calls that waited?"""
    engine = db.engine
    return not (len(engine.waiters) or engine.waiters.waits_for_keys or db._session.client.waiter)


# the same names --------------------------------------------------------------------------------


def test_every_command_is_a_coroutine_function_with_the_same_signature() -> None:
    for command in COMMANDS.values():
        door = getattr(AsyncMinidis, command.method)
        assert inspect.iscoroutinefunction(door), command.name
        assert inspect.signature(door) == public_signature(command.body)
        assert inspect.getdoc(door) == inspect.getdoc(getattr(Minidis, command.method))


def test_every_command_can_be_queued() -> None:
    queued = [command for command in COMMANDS.values() if command.name not in NOT_QUEUED]
    assert all(callable(getattr(AsyncPipeline, command.method)) for command in queued)


def test_what_python_has_beside_commands() -> None:
    missing = {
        name
        for name in vars(Minidis)
        if not name.startswith("_") and not hasattr(AsyncMinidis, name)
    }
    assert missing == set()
    assert all(hasattr(AsyncMinidis, f"{kind}scan_iter") for kind in ("", "h", "s", "z"))
    for name, value in inspect.getmembers(AsyncMinidis):
        assert name.startswith("_") or inspect.getdoc(value), name


@pytest.mark.slow
def test_the_stub_is_current() -> None:
    text = STUB.read_text(encoding="utf-8")
    assert text == stub(), "run `python -m tests.aio_stub`"


@in_loop
async def test_usual_calls() -> None:
    async with minidis.aio.open() as db:
        assert await db.set("a", 1, ex=60) == "OK"
        assert await db.get("a") == b"1"
        assert await db.mget("a", "b") == [b"1", None]
        assert await db.zadd("z", {"ann": 3}, nx=True) == 1
        assert await db.zrange("z", 0, -1, withscores=True) == [(b"ann", 3.0)]
        assert await db.execute("INCRBY", "a", 4) == 5
        with pytest.raises(ResponseError, match="not an integer"):
            await db.incr("z" if await db.set("z", "x") else "")
        with pytest.raises(ResponseError, match="wrong number"):
            await db.execute("GET")
    with pytest.raises(ClosedError):
        await db.get("a")


@in_loop
async def test_text() -> None:
    async with minidis.aio.open(decode_responses=True) as db:
        await db.rpush("q", "ä")
        assert await db.lrange("q", 0, -1) == ["ä"]
        assert await db.execute("GET", "q2") is None
        assert await db.blpop("q") == ["q", "ä"]
        waiting = asyncio.create_task(db.blpop("q"))
        words = asyncio.create_task(db.execute("BLPOP", "q", 0))
        await parked(db, 2)
        await db.rpush("q", "1", "2")
        assert (await waiting, await words) == (["q", "1"], ["q", "2"])
        assert await db.session(1).set("a", "b", get=True) is None
        async with db.pipeline() as pipe:
            assert await pipe.rpush("p", "x").lpop("p").execute() == [1, "x"]
            await pipe.watch("p")
            assert await pipe.echo("y") == "y"


# opening and closing ---------------------------------------------------------------------------


@in_loop
async def test_a_directory_is_loaded_and_saved(tmp_path: Path) -> None:
    async with minidis.aio.open(tmp_path / "data") as db:
        await db.set("a", 1)
    steps: list[int] = []
    progress = lambda done, _: steps.append(done)  # noqa: E731
    again = await minidis.aio.open(tmp_path / "data", progress=progress)
    try:
        assert await again.get("a") == b"1"
        assert steps
        with pytest.raises(LockedError):
            await minidis.aio.open(tmp_path / "data")
    finally:
        await again.close()
        await again.close()
    assert "closed" in repr(again)


@in_loop
async def test_a_refused_configuration_leaves_nothing_open(tmp_path: Path) -> None:
    with pytest.raises(ResponseError):
        async with minidis.aio.open(tmp_path / "data", no_such_parameter=1):
            pass
    async with minidis.aio.open(tmp_path / "data") as db:
        assert await db.dbsize() == 0


@in_loop
async def test_cancelled_while_it_opens(tmp_path: Path) -> None:
    async with minidis.aio.open(tmp_path / "data") as db:
        await db.set("a", 1)
    amid, go_on = threading.Event(), threading.Event()

    def progress(done: int, total: int) -> None:
        amid.set()
        go_on.wait()

    opening = asyncio.create_task(minidis.aio.open(tmp_path / "data", progress=progress)._open())
    await asyncio.to_thread(amid.wait)
    opening.cancel()
    await asyncio.wait([opening])
    assert opening.cancelled()
    go_on.set()
    await asyncio.get_running_loop().shutdown_default_executor()
    with minidis.open(tmp_path / "data") as again:  # it is not locked
        assert again.get("a") == b"1"


@in_loop
async def test_closing_ends_waits() -> None:
    db = await minidis.aio.open()
    waiting = asyncio.create_task(db.blpop("q"))
    await parked(db)
    await db.close()
    with pytest.raises(ClosedError):
        await waiting


@in_loop
async def test_wrap_shares_the_data(db: minidis.Minidis[bytes]) -> None:
    tasks = minidis.aio.wrap(db.session(2))
    waiting = asyncio.create_task(tasks.blpop("q"))
    await parked(tasks)
    in_thread(lambda: db.session(2).rpush("q", "from a thread"))
    assert await waiting == [b"q", b"from a thread"]
    await tasks.set("a", 1)
    assert db.session(2).get("a") == b"1"
    text = minidis.aio.wrap(minidis.open(decode_responses=True))
    assert await text.echo("x") == "x"


# waiting ---------------------------------------------------------------------------------------


@in_loop
async def test_first_come_first_served_with_one_object() -> None:
    async with minidis.aio.open() as db:
        waiting = []
        for number in range(1, 6):
            waiting.append(asyncio.create_task(db.blpop("q")))
            await parked(db, number)
        assert len(db._session.client.waiters) == 5
        await db.rpush("q", *range(5))
        assert await asyncio.gather(*waiting) == [[b"q", b"%d" % number] for number in range(5)]
        assert nobody_waits(db)


@in_loop
async def test_every_kind_of_waiting() -> None:
    async with minidis.aio.open() as db:
        calls = [
            db.brpop(["a", "b"]), db.blmove("c", "d", 0), db.bzpopmin("e"),
            db.blmpop(0, 1, "f", direction="LEFT", count=2),
        ]  # fmt: skip
        waiting = [asyncio.create_task(call) for call in calls]
        await parked(db, 4)
        async with db.transaction() as tx:
            tx.rpush("b", 1, 2).rpush("c", 3).zadd("e", {"m": 1}).rpush("f", 1, 2, 3)
        answers = [[b"b", b"2"], b"3", [b"e", b"m", 1.0], [b"f", [b"1", b"2"]]]
        assert await asyncio.gather(*waiting) == answers
        assert await db.lrange("d", 0, -1) == [b"3"]


@in_loop
async def test_a_timeout_passes() -> None:
    async with minidis.aio.open() as db:
        assert await db.blpop("q", timeout=0.001) is None
        assert await db.execute("BLPOP", "q", "0.001") is None
        assert nobody_waits(db)


@in_loop
async def test_a_timer_is_not_too_long_and_does_not_stay() -> None:
    async with minidis.aio.open() as db:
        loop = asyncio.get_running_loop()
        call_later = loop.call_later
        timers: list[asyncio.TimerHandle] = []

        def recorded(delay: float, *call: Any) -> asyncio.TimerHandle:
            assert delay <= 86_400
            timers.append(call_later(delay, *call))
            return timers[-1]

        loop.call_later = recorded  # type: ignore[method-assign,assignment]
        waiting = asyncio.create_task(db.blpop("q", timeout=9e15))
        await parked(db)
        await db.rpush("q", 1)
        assert await waiting == [b"q", b"1"]
        assert [timer.cancelled() for timer in timers] == [True]


class Stepped(minidis.Clock):
    """A clock that passes by itself, as far as anybody can tell."""

    seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


@in_loop
async def test_a_timer_that_is_early_is_set_again() -> None:
    clock = Stepped()
    async with minidis.aio.open(clock=clock) as db:
        loop, timers = asyncio.get_running_loop(), []

        def early(delay: float, call: Callable[[], object]) -> asyncio.Handle:
            timers.append(delay)
            clock.seconds += delay if len(timers) == 3 else delay / 2
            return loop.call_soon(call)

        loop.call_later = early  # type: ignore[method-assign,assignment]
        assert await db.blpop("q", timeout=4) is None
        assert timers == [4, 2, 1]


@in_loop
async def test_time_moved_by_hand() -> None:
    clock = ManualClock()
    async with minidis.aio.open(clock=clock) as db:
        waiting = asyncio.create_task(db.blpop("q", timeout=10))
        await parked(db)
        clock.advance(9)
        await asyncio.sleep(0)
        assert not waiting.done()
        clock.advance(1)
        assert await waiting is None


@in_loop
async def test_a_refusal_while_waiting() -> None:
    async with minidis.aio.open() as db:
        await db.set("text", "x")
        waiting = asyncio.create_task(db.blmove("q", "text", 0))
        await parked(db)
        await db.rpush("q", 1)
        with pytest.raises(minidis.WrongTypeError):
            await waiting
        assert await db.lrange("q", 0, -1) == [b"1"]


@in_loop
async def test_unblock_ends_all_waits_of_a_session() -> None:
    async with minidis.aio.open() as db:
        other = db.session()
        waiting = [asyncio.create_task(db.blpop(key)) for key in "pq"]
        await parked(db, 2)
        assert await other.client_unblock(await db.client_id(), error=True) == 1
        for task in waiting:
            with pytest.raises(ResponseError, match="UNBLOCKED"):
                await task
        assert await other.client_unblock(await db.client_id()) == 0


def test_loops_in_several_threads() -> None:
    with minidis.open() as db:
        tasks = minidis.aio.wrap(db)
        answers: list[Any] = []
        threads = [
            threading.Thread(target=lambda: answers.append(asyncio.run(_wait_for_one(tasks))))
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        while len(db.engine.waiters) < 3:
            threading.Event().wait(0.001)
        db.rpush("q", 1, 2, 3)
        for thread in threads:
            thread.join()
        assert sorted(answers) == [[b"q", b"1"], [b"q", b"2"], [b"q", b"3"]]


async def _wait_for_one(db: AsyncMinidis[bytes]) -> Any:
    return await db.blpop("q")


def test_uvloop() -> None:
    uvloop = pytest.importorskip("uvloop")

    async def main() -> None:
        async with minidis.aio.open() as db:
            assert await db.blpop("q", timeout=0.001) is None
            waiting = asyncio.create_task(db.blpop("q", timeout=9e15))
            await parked(db)
            in_thread(lambda: minidis.Minidis(db.engine).rpush("q", 1))
            assert await waiting == [b"q", b"1"]

    loop = uvloop.new_event_loop()
    try:
        loop.run_until_complete(main())
    finally:
        loop.close()


def test_without_a_loop_nothing_stays_in_the_queue() -> None:
    with minidis.open() as db:
        with pytest.raises(RuntimeError, match="no running event loop"):
            minidis.aio.wrap(db).blpop("q").send(None)
        assert len(db.engine.waiters) == 0


class Idle(selectors.DefaultSelector):  # type: ignore[valid-type,misc]
    """Counts how often the loop looks for events, and acts when it would sleep for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.looked = 0
        self.when_idle: Callable[[], object] = lambda: None

    def select(self, timeout: float | None = None) -> Any:
        self.looked += 1
        if timeout is None:
            self.when_idle()
        return super().select(timeout)


def test_nobody_polls() -> None:
    """With a thousand calls that wait, the loop looks for events once, without a timeout."""
    selector = Idle()
    sleeps: list[int] = []

    async def main() -> list[Any]:
        async with minidis.aio.open() as db, db.subscribe("c") as messages:
            calls = [db.blpop("q") for _ in range(1000)]
            waiting = [asyncio.create_task(call) for call in (*calls, messages.get())]
            await parked(db, 1000)

            def push() -> None:
                sleeps.append(selector.looked)
                if len(sleeps) == 1:
                    session = minidis.Minidis(db.engine)
                    in_thread(lambda: (session.rpush("q", *range(1000)), session.publish("c", 1)))

            selector.when_idle = push
            answers: list[Any] = await asyncio.gather(*waiting)
            assert answers.pop().data == b"1"
            return answers

    loop = asyncio.SelectorEventLoop(selector)
    try:
        answers = loop.run_until_complete(main())
    finally:
        loop.close()
    assert answers == [[b"q", b"%d" % number] for number in range(1000)]
    assert len(sleeps) == 1


# cancelling ------------------------------------------------------------------------------------


@in_loop
async def test_cancelled_while_it_waits() -> None:
    async with minidis.aio.open() as db:
        waiting = asyncio.create_task(db.blpop(["p", "q"], timeout=100))
        await parked(db)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert waiting.cancelled()
        assert nobody_waits(db)
        await db.rpush("q", 1)
        assert await db.lpop("q") == b"1"


@pytest.mark.parametrize("turns", range(4))
@in_loop
async def test_cancelled_when_it_has_been_served(turns: int) -> None:
    async with minidis.aio.open() as db:
        waiting = asyncio.create_task(db.blpop("q"))
        await parked(db)
        await db.rpush("q", "x", "y")
        for _ in range(turns):
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        left = await db.lrange("q", 0, -1)
        if waiting.cancelled():
            assert left == [b"x", b"y"]
        else:
            assert (waiting.result(), left) == ([b"q", b"x"], [b"y"])
        assert waiting.cancelled() == (turns < 2)


@in_loop
async def test_what_goes_back_is_given_to_the_next() -> None:
    async with minidis.aio.open() as db:
        first = asyncio.create_task(db.bzpopmax("z"))
        await parked(db)
        second = asyncio.create_task(db.bzpopmax("z"))
        await parked(db, 2)
        await db.zadd("z", {"m": 1})
        first.cancel()
        assert await second == [b"z", b"m", 1.0]
        assert first.cancelled()


@in_loop
async def test_wait_for() -> None:
    async with minidis.aio.open() as db:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(db.blpop("q"), 0.001)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await db.blpop("q")
        assert nobody_waits(db)


@pytest.mark.parametrize("seed", range(3))
@in_loop
async def test_many_cancelled_while_a_thread_pushes(seed: int) -> None:
    """Every element is delivered once, or is still in the list."""
    dice = random.Random(seed)
    async with minidis.aio.open() as db:
        session = minidis.Minidis(db.engine)
        keys = ["a", "b", "c"]
        go = threading.Event()

        def push() -> None:
            go.wait()
            for number in range(400):
                session.rpush(keys[number % 3], number)

        pusher = threading.Thread(target=push)
        pusher.start()
        tasks = [asyncio.create_task(db.blpop(dice.sample(keys, 3))) for _ in range(300)]
        await parked(db, 300)
        go.set()
        while pusher.is_alive() or db.engine.waiters:
            dice.choice(tasks).cancel()
            await asyncio.sleep(0)
        pusher.join()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        taken = [answer[1] for answer in answers if isinstance(answer, list)]
        left = [element for key in keys for element in await db.lrange(key, 0, -1)]
        assert sorted(map(int, taken + left)) == list(range(400))
        assert nobody_waits(db)


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit, RuntimeError])
@in_loop
async def test_a_coroutine_that_is_thrown_out(error: type[BaseException]) -> None:
    async with minidis.aio.open() as db:
        call = db.blpop("q")
        call.send(None)
        with pytest.raises(error):
            call.throw(error)
        aside_is_done(db)
        assert nobody_waits(db)
        call = db.blpop("q")
        call.send(None)
        await db.rpush("q", 1)
        call.close()
        aside_is_done(db)
        assert await db.lrange("q", 0, -1) == [b"1"]


def aside_is_done(db: AsyncMinidis[Any]) -> None:
    """Wait for what the thread of the engine has been asked to do."""
    db.engine.exec_thread.run(lambda: None)


def test_a_loop_that_was_closed_while_calls_wait() -> None:
    """Nobody will take the element that such a call is served: it goes on to the next."""
    with minidis.open() as db:
        tasks = minidis.aio.wrap(db)
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda *_: None)
        waiting = [loop.create_task(tasks.blpop("q")), loop.create_task(tasks.blpop("q", 100))]
        while len(db.engine.waiters) < 2:
            loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        db.rpush("q", 1, 2, 3)
        aside_is_done(tasks)
        assert sorted(db.lrange("q", 0, -1)) == [b"1", b"2", b"3"]
        assert nobody_waits(tasks)
        del waiting


# pauses ----------------------------------------------------------------------------------------


@in_loop
async def test_a_pause_parks_and_does_not_block() -> None:
    clock = ManualClock()
    async with minidis.aio.open(clock=clock, decode_responses=True) as db:
        await db.rpush("q", "x")
        await db.client_pause(1000)
        order: list[str] = []

        async def call(name: str, what: Coroutine[Any, Any, Any]) -> Any:
            answer = await what
            order.append(name)
            return answer

        async with db.pipeline(transaction=False) as pipe:
            calls = {
                "append": db.execute("APPEND", "a", "1"), "get": db.get("a"),
                "scan": anext(db.scan_iter(match="a")), "blpop": db.blpop("q"),
                "pipe": pipe.get("a").execute(),
            }  # fmt: skip
            waiting = [asyncio.create_task(call(*item)) for item in calls.items()]
            await parked(db, 5)
            clock.advance(1)
            assert not order
            clock.advance(milliseconds=1)
            assert await asyncio.gather(*waiting) == [1, "1", "a", ["q", "x"], ["1"]]
            assert order == list(calls)


@in_loop
async def test_a_call_may_wait_after_a_pause_again() -> None:
    async with minidis.aio.open() as db:
        await db.client_pause(100_000)
        waiting = asyncio.create_task(db.blpop("q"))
        await parked(db)
        await db.client_unpause()
        while not db.engine.waiters.waits_for_keys:
            await asyncio.sleep(0)
        await db.rpush("q", 1)
        assert await waiting == [b"q", b"1"]


@in_loop
async def test_a_pause_of_writes_lets_reads_through() -> None:
    async with minidis.aio.open() as db:
        await db.client_pause(100_000, all=False)
        assert await db.get("a") is None
        waiting = asyncio.create_task(db.set("a", 1))
        await parked(db)
        cancelled = asyncio.create_task(db.set("a", 2))
        await parked(db, 2)
        cancelled.cancel()
        await db.client_unpause()
        assert await waiting == "OK"
        assert await db.get("a") == b"1"


# the loop goes on ------------------------------------------------------------------------------


@in_loop
async def test_every_element_in_steps() -> None:
    async with minidis.aio.open() as db:
        await db.mset({str(number): 1 for number in range(50)})
        await db.hset("h", mapping={"f": 1})
        await db.sadd("s", "m")
        await db.zadd("z", {"m": 1})
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        assert len([key async for key in db.scan_iter(count=10)]) == 53
        task.cancel()
        assert turns >= 5
        assert [pair async for pair in db.hscan_iter("h")] == [(b"f", b"1")]
        assert [field async for field in db.hscan_iter("h", no_values=True)] == [b"f"]
        assert [member async for member in db.sscan_iter("s")] == [b"m"]
        assert [pair async for pair in db.zscan_iter("z", match="m")] == [(b"m", 1.0)]
        assert [key async for key in db.scan_iter(match="h", _type="hash")] == [b"h"]


@pytest.mark.parametrize("words", [None, ("SAVE",), (b"save",)])
@in_loop
async def test_what_may_take_long_runs_in_a_thread(tmp_path: Path, words: Any) -> None:
    async with minidis.aio.open(tmp_path / "dump.rdb") as db:
        threads = []
        save = db.engine.save

        def recorded(*args: Any) -> None:
            threads.append(threading.current_thread())
            save(*args)

        db.engine.save = recorded  # type: ignore[method-assign]
        assert await (db.save() if words is None else db.execute(*words)) == "OK"
        assert len(threads) == 1
        assert threads[0] is not threading.current_thread()
        assert (tmp_path / "dump.rdb").exists()


@in_loop
async def test_a_long_command_that_is_refused() -> None:
    async with minidis.aio.open() as db:
        with pytest.raises(ResponseError, match="memory only"):
            await db.save()
        assert await db.debug_reload() == "OK"
        assert await db.debug_sleep(0) == "OK"
