"""redis.asyncio with a minidis server: many coroutines, RESP2 and RESP3, both parsers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.calls import PATIENCE
from tests.clients.backends import Backend

redis = pytest.importorskip("redis", minversion="8.1")

from redis import _parsers  # noqa: E402
from redis import asyncio as aioredis  # noqa: E402

pytestmark = pytest.mark.slow

READERS = {
    "RESP2": (2, "_AsyncRESP2Parser"),
    "RESP3": (3, "_AsyncRESP3Parser"),
    "RESP2 hiredis": (2, "_AsyncHiredisParser"),
    "RESP3 hiredis": (3, "_AsyncHiredisParser"),
}
#: The limits of redis-py (5 s) are too short for hundreds of connections on a busy machine.
PATIENT = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
Scenario = Callable[[Callable[..., Any]], Awaitable[None]]
Play = Callable[[Scenario], None]


@pytest.fixture(params=list(READERS))
def play(request: pytest.FixtureRequest, place: Backend) -> Play:
    """Runs a scenario in an event loop; it is given what makes clients, which are closed after."""
    protocol, reader = READERS[request.param]
    if reader == "_AsyncHiredisParser":
        pytest.importorskip("hiredis")

    async def session(scenario: Scenario) -> None:
        async with AsyncExitStack() as stack:

            def connect(**options: Any) -> Any:
                pool = aioredis.ConnectionPool(
                    host=place.host,
                    port=place.port,
                    parser_class=getattr(_parsers, reader),
                    **{**PATIENT, "protocol": protocol, "decode_responses": True, **options},
                )
                client = aioredis.Redis.from_pool(pool)
                stack.push_async_callback(client.aclose)
                return client

            await asyncio.wait_for(scenario(connect), PATIENCE)

    return lambda scenario: asyncio.run(session(scenario))


async def until(condition: Callable[[], object]) -> None:
    """Wait until it is so; the whole scenario is bounded."""
    while not condition():
        await asyncio.sleep(0.002)


def test_types(play: Play) -> None:
    async def scenario(connect: Callable[..., Any]) -> None:
        r = connect()
        assert await r.set("a", 1) is True and await r.get("a") == "1" and await r.incr("a") == 2
        await r.hset("h", mapping={"f": "v", "n": 1})
        assert await r.hgetall("h") == {"f": "v", "n": "1"}
        assert await r.rpush("l", "a", "b") == 2 and await r.lrange("l", 0, -1) == ["a", "b"]
        assert await r.sadd("s", "a", "b") == 2 and set(await r.smembers("s")) == {"a", "b"}
        assert await r.zadd("z", {"a": 1.5}) == 1 and await r.zscore("z", "a") == 1.5
        assert await r.xadd("x", {"f": "v"}, id="1-1") == "1-1"
        assert await r.xrange("x") == [("1-1", {"f": "v"})]
        assert len([key async for key in r.scan_iter()]) == await r.dbsize() == 6
        with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
            await r.lpush("a", 1)

    play(scenario)


def test_hundreds_of_coroutines(play: Play) -> None:
    async def scenario(connect: Callable[..., Any]) -> None:
        r = connect(max_connections=500)
        assert sorted(await asyncio.gather(*(r.incr("n") for _ in range(200)))) == [*range(1, 201)]
        jobs = [asyncio.create_task(r.blpop("q", PATIENCE)) for _ in range(100)]
        other = connect()
        while len([one for one in await other.client_list() if "b" in one["flags"]]) < 100:
            await asyncio.sleep(0.005)
        await other.rpush("q", *range(100))
        popped = await asyncio.gather(*jobs)
        assert sorted(int(value) for _, value in popped) == [*range(100)]

    play(scenario)


def test_pipeline_and_transactions(play: Play) -> None:
    async def scenario(connect: Callable[..., Any]) -> None:
        r, other = connect(), connect()
        async with r.pipeline(transaction=False) as pipe:
            for number in range(500):
                pipe.set(f"k{number}", number)
            assert await pipe.execute() == [True] * 500
        async with r.pipeline() as pipe:
            assert await pipe.set("a", 1).incr("a").execute() == [True, 2]
            await pipe.watch("a")
            pipe.multi()
            pipe.set("a", 5)
            await other.set("a", 3)
            with pytest.raises(redis.WatchError):
                await pipe.execute()

        async def double(pipe: Any) -> None:
            number = int(await pipe.get("a"))
            pipe.multi()
            pipe.set("a", 2 * number)

        assert await r.transaction(double, "a") == [True] and await r.get("a") == "6"

    play(scenario)


def test_blocking_pops(play: Play, place: Backend) -> None:
    async def scenario(connect: Callable[..., Any]) -> None:
        r, other = connect(), connect()
        popped = asyncio.create_task(r.blpop(["p", "q"], 5))
        await until(lambda: place.clients(flags="b"))
        await other.rpush("q", "job")
        assert tuple(await popped) == ("q", "job")
        assert await r.blpop("q", 0.01) is None
        left = asyncio.create_task(r.blpop("q", 5))
        await until(lambda: place.clients(flags="b"))
        left.cancel()
        with pytest.raises(asyncio.CancelledError):
            await left
        await until(lambda: not place.clients(flags="b"))
        await other.rpush("q", "kept")
        assert await r.lrange("q", 0, -1) == ["kept"]

    play(scenario)


def test_messages(play: Play) -> None:
    async def scenario(connect: Callable[..., Any]) -> None:
        r, other = connect(), connect()
        async with r.pubsub() as pubsub:
            await pubsub.subscribe("a")
            await pubsub.psubscribe("n*")
            await pubsub.ssubscribe("shard")
            kinds = [(await pubsub.get_message(timeout=5))["type"] for _ in range(3)]
            assert kinds == ["subscribe", "psubscribe", "ssubscribe"]
            assert [await other.publish(name, "m") for name in ("a", "news", "x")] == [1, 1, 0]
            assert await other.spublish("shard", "m") == 1
            heard = []
            async for message in pubsub.listen():
                heard.append((message["type"], message["channel"], message["data"]))
                if len(heard) == 3:
                    break
            assert heard == [
                ("message", "a", "m"), ("pmessage", "news", "m"), ("smessage", "shard", "m"),
            ]  # fmt: skip
            await pubsub.unsubscribe()
            await pubsub.punsubscribe()
            await pubsub.sunsubscribe()

    play(scenario)


def test_monitor(play: Play) -> None:
    async def scenario(connect: Callable[..., Any]) -> None:
        r, other = connect(), connect()
        await other.ping()
        async with r.monitor() as monitor:
            await other.set("k", "v")
            command = await monitor.next_command()
        assert (command["command"], command["db"]) == ("SET k v", 0)

    play(scenario)


def test_killed_clients_come_back(play: Play) -> None:
    async def scenario(connect: Callable[..., Any]) -> None:
        retry = aioredis.retry.Retry(redis.backoff.NoBackoff(), 2)
        r = connect(retry=retry, retry_on_error=[redis.ConnectionError])
        await r.set("a", 1)
        await connect().client_kill_filter(_id=str(await r.client_id()))
        assert await r.get("a") == "1"

    play(scenario)


def test_users(play: Play, place: Backend) -> None:
    async def scenario(connect: Callable[..., Any]) -> None:
        place.execute("ACL", "SETUSER", "ann", "on", ">secret", "~a*", "&*", "+@all", "-flushall")
        r = connect(username="ann", password="secret")
        assert await r.set("a", 1) is True
        with pytest.raises(redis.exceptions.NoPermissionError):
            await r.flushall()
        with pytest.raises(redis.AuthenticationError):
            await connect(username="ann", password="wrong").ping()

    play(scenario)


def test_one_slow_reader_among_many(play: Play) -> None:
    """Who waits for a large reply does not keep those waiting who want small ones."""

    async def scenario(connect: Callable[..., Any]) -> None:
        r = connect()
        await r.set("big", "x" * 10_000_000)
        begin = time.monotonic()
        large = asyncio.gather(*(r.get("big") for _ in range(5)))
        small = await asyncio.gather(*(connect().ping() for _ in range(5)))
        assert small == [True] * 5 and [len(one) for one in await large] == [10_000_000] * 5
        assert time.monotonic() - begin < PATIENCE

    play(scenario)
