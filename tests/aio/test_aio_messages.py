"""minidis.aio: subscriptions, monitors and listeners of coroutines."""

from __future__ import annotations

import asyncio
import gc
import random
import threading
from typing import Any

import pytest

import minidis
import minidis.aio
from minidis import ClosedError
from minidis.errors import SlowSubscriberError
from tests.aio.test_aio import in_loop, in_thread


@in_loop
async def test_messages() -> None:
    async with minidis.aio.open() as db:
        async with db.subscribe("news", patterns=["s*"], shards=["x"]) as messages:
            taking = asyncio.create_task(_take(messages, 4))
            await asyncio.sleep(0)
            await db.publish("news", 1)
            in_thread(lambda: minidis.Minidis(db.engine).publish("sport", 2))
            await db.spublish("x", 3)
            await messages.unsubscribe()
            await messages.subscribe("other")
            assert (await db.publish("news", 4), await db.publish("other", 5)) == (0, 1)
            found = [(one.kind, one.channel, one.data) for one in await taking]
            assert found == [
                ("message", b"news", b"1"), ("pmessage", b"sport", b"2"),
                ("smessage", b"x", b"3"), ("message", b"other", b"5"),
            ]  # fmt: skip
        assert messages.closed
        assert await db.pubsub_channels() == []
        assert [message async for message in messages] == []
        with pytest.raises(ClosedError):
            await messages.get()


async def _take(messages: Any, count: int) -> list[Any]:
    return [await anext(messages) for _ in range(count)]


@in_loop
async def test_text_messages_until_the_database_closes() -> None:
    db = await minidis.aio.open(decode_responses=True)
    messages = db.subscribe("news")
    await db.publish("news", "ä")

    async def all_of_them() -> list[str]:
        return [message.data async for message in messages]

    taking = asyncio.create_task(all_of_them())
    await asyncio.sleep(0)
    await db.close()
    assert await taking == ["ä"]


@in_loop
async def test_get_with_a_timeout() -> None:
    async with minidis.aio.open() as db, db.subscribe("c") as messages:
        assert await messages.get(timeout=0) is None
        assert await messages.get(timeout=0.001) is None
        await db.publish("c", 1)
        message = await messages.get(timeout=0)
        assert message is not None
        assert message.data == b"1"
        assert messages._feed._queue.tell is None


@in_loop
async def test_cancelled_readers_lose_no_message() -> None:
    dice = random.Random(1)
    async with minidis.aio.open() as db, db.subscribe("c") as messages:
        session = minidis.Minidis(db.engine)
        found: list[int] = []

        async def read() -> None:
            async for message in messages:
                found.append(int(message.data))  # noqa: PERF401

        readers = [asyncio.create_task(read()) for _ in range(5)]
        pusher = threading.Thread(target=lambda: [session.publish("c", n) for n in range(300)])
        pusher.start()
        while pusher.is_alive() or len(found) < 300:
            place = dice.randrange(5)
            readers[place].cancel()
            readers[place] = asyncio.create_task(read())
            await asyncio.sleep(0)
        pusher.join()
        assert sorted(found) == list(range(300))
    ends = await asyncio.gather(*readers, return_exceptions=True)
    assert all(end is None or isinstance(end, asyncio.CancelledError) for end in ends)


@in_loop
async def test_each_message_goes_to_one_reader() -> None:
    async with minidis.aio.open() as db, db.subscribe("c") as messages:
        readers = [asyncio.create_task(messages.get()) for _ in range(2)]
        await asyncio.sleep(0)
        await db.publish("c", 1)
        for _ in range(5):
            await asyncio.sleep(0)
        assert [reader.done() for reader in readers].count(True) == 1
        await db.publish("c", 2)
        found = await asyncio.gather(*readers)
        assert sorted(one.data for one in found if one) == [b"1", b"2"]


@in_loop
async def test_a_slow_subscriber() -> None:
    async with minidis.aio.open() as db:
        async with db.subscribe("c", limit=2) as messages:
            for number in range(3):
                await db.publish("c", number)
            assert len(await _take(messages, 2)) == 2
            with pytest.raises(SlowSubscriberError):
                await messages.get()
        async with db.subscribe("c", limit=2, when_full="drop") as messages:
            for number in range(3):
                await db.publish("c", number)
            assert [one.data for one in await _take(messages, 2)] == [b"1", b"2"]
            assert messages.dropped == 1


def test_a_reader_whose_loop_was_closed() -> None:
    with minidis.open() as db:
        tasks = minidis.aio.wrap(db)
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda *_: None)
        messages = tasks.subscribe("c")
        reading = loop.create_task(messages.get())
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        assert db.publish("c", 1) == 1
        assert db.publish("c", 2) == 1
        assert not messages._sleepers
        assert [one.data for one in asyncio.run(_take(messages, 2))] == [b"1", b"2"]
        del reading


@in_loop
async def test_a_forgotten_subscription_ends() -> None:
    async with minidis.aio.open() as db:
        messages = db.subscribe("c")
        reading = asyncio.create_task(messages.get())
        await asyncio.sleep(0)
        assert await db.publish("c", 1) == 1
        assert await reading
        del messages, reading
        gc.collect()
        assert await db.publish("c", 1) == 0


@in_loop
async def test_monitor() -> None:
    async with minidis.aio.open() as db, db.monitor() as seen:
        await db.set("a", 1)
        await db.execute("GET", "a")
        assert [one.words for one in await _take(seen, 2)] == [
            [b"SET", b"a", b"1"], [b"GET", b"a"],
        ]  # fmt: skip
        assert repr(seen).startswith("<minidis async monitoring")


@in_loop
async def test_listen_calls_back_in_the_loop() -> None:
    async with minidis.aio.open() as db:
        events: list[Any] = []
        heard = asyncio.Event()

        def callback(event: minidis.Event) -> None:
            events.append((event.name, event.key, threading.current_thread()))
            if event.key == b"end":
                heard.set()

        stop = db.listen(callback)
        await db.set("a", 1)
        await db.delete("a")
        await db.set("end", 1)
        await heard.wait()
        here = threading.current_thread()
        assert events == [("set", b"a", here), ("del", b"a", here), ("set", b"end", here)]
        await db.set("late", 1)
        stop()
        assert not db.engine.listeners
        assert len(events) == 3


@in_loop
async def test_nothing_is_heard_after_stopping() -> None:
    async with minidis.aio.open() as db:
        events: list[Any] = []
        handed_over = threading.Event()
        stop = db.listen(events.append)
        db.engine.listen(lambda event: handed_over.set())
        await db.set("a", 1)
        assert handed_over.wait(10)  # the loop stands still meanwhile
        stop()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert events == []


def test_a_listener_whose_loop_was_closed() -> None:
    with minidis.open() as db:

        async def listen() -> None:
            minidis.aio.wrap(db).listen(lambda event: None)

        asyncio.run(listen())
        heard = threading.Event()
        db.listen(lambda event: heard.set())
        db.set("a", 1)
        assert heard.wait(10)
        assert len(db.engine.listeners) == 1
