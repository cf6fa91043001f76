"""minidis.aio: pipelines and transactions of coroutines."""

from __future__ import annotations

import asyncio

import pytest

import minidis
import minidis.aio
from minidis import ResponseError
from minidis.aio import AsyncPipeline
from minidis.errors import WatchError
from tests.aio.test_aio import in_loop, parked


@in_loop
async def test_a_pipeline() -> None:
    async with minidis.aio.open() as db, db.pipeline() as pipe:
        assert pipe.set("a", 1) is pipe
        assert await pipe.incr("a") is pipe  # awaiting a queued call is harmless
        assert await pipe.execute("GET", "a") is pipe
        assert (len(pipe), bool(pipe), repr(pipe)) == (3, True, "<async pipeline, 3 calls>")
        assert await pipe.execute() == ["OK", 2, b"2"]
        assert await pipe.execute() == []
        with pytest.raises(ResponseError, match="not an integer") as caught:
            await pipe.set("t", "x").incr("t").get("t").execute()
        assert caught.value.__notes__ == ["command 2 of 3 in a pipeline"]
        pipe.incr("t")
        assert isinstance((await pipe.execute(raise_on_error=False))[0], ResponseError)
        assert await pipe.set("a", 9).discard() == "OK"
        await pipe.set("a", 9).reset()
        assert (len(pipe), await db.get("a")) == (0, b"2")


@in_loop
async def test_a_pipeline_that_watches() -> None:
    async with minidis.aio.open() as db, db.pipeline() as pipe:
        await db.set("n", 5)
        await pipe.watch("n")
        number = int(await pipe.get("n") or 0)
        assert await pipe.execute("STRLEN", "n") == 1
        assert pipe.multi() == "OK"
        assert await pipe.set("n", number + 1).execute() == ["OK"]
        await pipe.watch("n")
        await db.set("n", 0)
        pipe.multi()
        with pytest.raises(WatchError):
            await pipe.set("n", 7).execute()
        assert await db.get("n") == b"0"
        pipe.get("n")
        with pytest.raises(ResponseError, match="watch first"):
            await pipe.watch("n")


@in_loop
async def test_calls_of_a_pipeline_may_wait() -> None:
    async with minidis.aio.open() as db, db.pipeline(transaction=False) as pipe:
        waiting = asyncio.create_task(pipe.blpop("q").incr("a").incr("q2").execute())
        await parked(db)
        await db.rpush("q", 1)
        assert await waiting == [[b"q", b"1"], 1, 1]
        await pipe.watch("q")
        at_once = asyncio.create_task(pipe.blpop("q"))
        await parked(db)
        await db.rpush("q", 2)
        assert await at_once == [b"q", b"2"]


@in_loop
async def test_a_transaction() -> None:
    async with minidis.aio.open() as db:
        async with db.transaction(watch="a") as tx:
            tx.set("a", 1)
            tx.incr("a")
        assert tx.results == ["OK", 2]
        with pytest.raises(ZeroDivisionError):
            async with db.transaction() as tx:
                tx.set("a", 1 / 0)
        with pytest.raises(WatchError):
            async with db.transaction(watch=["a"]) as tx:
                await db.set("a", 3)
                tx.set("a", 4)
        with pytest.raises(ResponseError):
            async with db.transaction() as tx:
                tx.lpush("a", 1).set("b", 1)
        async with db.transaction(raise_on_error=False) as tx:
            tx.lpush("a", 1).get("a")
        assert isinstance(tx.results[0], ResponseError)
        assert await db.mget("a", "b") == [b"3", b"1"]


@in_loop
async def test_transact_tries_again() -> None:
    async with minidis.aio.open() as db:
        tries = []

        async def double(tx: AsyncPipeline[bytes]) -> None:
            number = int(await tx.get("n") or 1)
            tries.append(number)
            if len(tries) < 3:
                await db.incr("n")
            tx.multi()
            tx.set("n", 2 * number)

        assert await db.transact(double, "n") == ["OK"]
        assert (tries, await db.get("n")) == ([1, 1, 2], b"4")

        def queue_only(tx: AsyncPipeline[bytes]) -> None:
            tx.multi()
            tx.incr("n").get("n")

        assert await db.transact(queue_only, "n") == [5, b"5"]


@in_loop
async def test_a_transaction_waits_for_the_end_of_a_pause() -> None:
    async with minidis.aio.open() as db, db.pipeline() as pipe:
        await db.client_pause(100_000, all=False)
        waiting = asyncio.create_task(pipe.set("a", 1).get("a").execute())
        await parked(db)
        await db.client_unpause()
        assert await waiting == ["OK", b"1"]


@in_loop
async def test_multi_and_exec_of_a_session() -> None:
    async with minidis.aio.open() as db:
        assert await db.multi() == "OK"
        assert await db.set("a", 1) == "QUEUED"
        assert await db.execute("BLPOP", "q", 0) == "QUEUED"
        assert await db.exec() == ["OK", None]
        await db.watch("a")
        await db.incr("a")
        await db.multi()
        assert await db.exec() is None
