"""What a type checker says of usual calls of minidis.aio. mypy reads this file, pytest runs it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, assert_type

import minidis
import minidis.aio
from minidis import Minidis, Status
from minidis.aio import AsyncMinidis, AsyncPipeline, AsyncSubscription, AsyncTransaction
from minidis.api.subscription import Message


def test_bytes(db: Minidis[bytes]) -> None:
    asyncio.run(_bytes(minidis.aio.wrap(db)))


async def _bytes(db: AsyncMinidis[bytes]) -> None:
    fields: dict[str, str] = {"name": "Ann"}
    scores: dict[bytes, int] = {b"ann": 3, b"bob": 5}
    await db.hset("h", mapping=fields)
    await db.rpush("l", *["a", "b", "c"])
    await db.sadd("s", ["x", "y"])
    await db.zadd("z", scores)
    assert_type(await db.set("k", 1, ex=60), Status | bytes | None)
    assert_type(await db.get("k"), bytes | None)
    assert_type(await db.mget(["k", "j"]), list[bytes | None])
    assert_type(await db.hgetall("h"), dict[bytes, bytes])
    assert_type(await db.lpop("l"), bytes | None)
    assert_type(await db.lpop("l", 1), list[bytes] | None)
    assert_type(await db.lpos("l", "c"), int | None)
    assert_type(await db.smembers("s"), set[bytes])
    assert_type(await db.zrange("z", 0, -1), list[bytes])
    assert_type(await db.zrange("z", 0, -1, withscores=True), list[tuple[bytes, float]])
    assert_type(await db.blpop("l", timeout=1), list[bytes] | None)
    assert_type(await db.execute("GET", "k"), Any)
    assert_type(db.scan_iter(), AsyncIterator[bytes])
    assert_type(db.hscan_iter("h"), AsyncIterator[tuple[bytes, bytes]])
    assert_type(db.session(1), AsyncMinidis[bytes])
    await _bytes_together(db)


async def _bytes_together(db: AsyncMinidis[bytes]) -> None:
    async with db.pipeline() as pipe:
        assert_type(pipe, AsyncPipeline[bytes])
        assert await pipe.set("a", 1).incr("a").execute() == ["OK", 2]
        await pipe.watch("a")
        assert_type(await pipe.get("a"), bytes | None)
        assert_type(await pipe.zrange("z", 0, -1, withscores=True), list[tuple[bytes, float]])
    async with db.transaction() as tx:
        assert_type(tx, AsyncTransaction[bytes])
        tx.incr("a")
    assert_type(tx.results, list[Any])
    async with db.subscribe("c") as messages:
        assert_type(messages, AsyncSubscription[bytes])
        await db.publish("c", "x")
        assert_type(await messages.get(), Message[bytes] | None)


def test_text() -> None:
    async def main() -> None:
        async with minidis.aio.open(decode_responses=True) as db:
            assert_type(db, AsyncMinidis[str])
            await db.zadd("z", {"ann": 3})
            assert [key.upper() async for key in db.scan_iter()] == ["Z"]
            assert [(name, score + 1) async for name, score in db.zscan_iter("z")] == [("ann", 4)]
            async with db.subscribe("c") as messages:
                await db.publish("c", "x")
                async for message in messages:
                    assert message.data.upper() == "X"
                    break

    asyncio.run(main())


def test_what_is_known_at_run_time_only(flag: bool = True) -> None:
    async def main() -> None:
        db = await minidis.aio.open(decode_responses=flag)
        assert_type(db, AsyncMinidis[Any])
        assert_type(await db.zrank("z", "ann", flag), int | list[Any] | None)
        await db.close()

    asyncio.run(main())
