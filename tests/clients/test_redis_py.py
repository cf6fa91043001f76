"""redis-py with a minidis server: RESP2 and RESP3, read by Python and by hiredis."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.calls import PATIENCE, eventually
from tests.clients.backends import Backend

redis = pytest.importorskip("redis", minversion="8.1")

from redis import _parsers  # noqa: E402

pytestmark = pytest.mark.slow

#: Protocol and reader. A Python reader of RESP2 becomes one of RESP3 by itself.
READERS = {
    "RESP2": (2, "_RESP2Parser"),
    "RESP3": (3, "_RESP3Parser"),
    "RESP2 hiredis": (2, "_HiredisParser"),
    "RESP3 hiredis": (3, "_HiredisParser"),
}
Connect = Callable[..., Any]


@pytest.fixture(params=list(READERS))
def connect(request: pytest.FixtureRequest, place: Backend) -> Iterator[Connect]:
    """Makes clients of one protocol and reader, which are closed at the end."""
    protocol, reader = READERS[request.param]
    if reader == "_HiredisParser":
        pytest.importorskip("hiredis")
    clients = []

    def make(**options: Any) -> Any:
        options = {"protocol": protocol, "socket_timeout": PATIENCE, **options}
        pool = redis.ConnectionPool(
            **{"host": place.host, "port": place.port, **options},
            parser_class=getattr(_parsers, reader),
        )
        clients.append(redis.Redis.from_pool(pool))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def r(connect: Connect) -> Any:
    """A client whose strings are str."""
    return connect(decode_responses=True)


# types --------------------------------------------------------------------------------------------


def test_strings(r: Any, connect: Connect) -> None:
    assert r.set("a", 1) is True and r.get("a") == "1" and r.incrby("a", 4) == 5
    assert r.set("a", "x", nx=True) is None and r.set("a", "new", get=True) == "5"
    assert r.mset({"b": 1, "c": 2}) is True and r.mget("a", "b", "no") == ["new", "1", None]
    assert r.incrbyfloat("b", 0.5) == 1.5 and r.append("a", "er") == 5 and r.strlen("a") == 5
    assert r.set("e", "v", ex=100) is True and 98 <= r.ttl("e") <= 100
    assert r.getex("e", persist=True) == "v" and r.ttl("e") == -1 and r.getdel("e") == "v"
    everything = bytes(range(256)) * 500
    plain = connect()
    assert plain.set(everything, everything) and plain.get(everything) == everything


def test_hashes(r: Any) -> None:
    assert r.hset("h", mapping={"f": "v", "n": 1}) == 2 and r.hgetall("h") == {"f": "v", "n": "1"}
    assert r.hincrby("h", "n", 2) == 3 and r.hincrbyfloat("h", "n", 0.5) == 3.5
    assert r.hmget("h", "f", "no") == ["v", None] and r.hget("h", "no") is None
    assert r.hkeys("h") == ["f", "n"] and r.hvals("h") == ["v", "3.5"] and r.hlen("h") == 2
    assert r.hexists("h", "f") is True and r.hdel("h", "f") == 1 and r.hgetall("nothing") == {}
    assert r.hrandfield("h") == "n"
    r.hset("big", mapping={str(n): n for n in range(1000)})
    assert len(dict(r.hscan_iter("big"))) == 1000


def test_lists(r: Any) -> None:
    assert r.rpush("l", "a", "b", "c") == 3 and r.lrange("l", 0, -1) == ["a", "b", "c"]
    assert r.lpop("l", 2) == ["a", "b"] and r.lpop("no") is None and r.lpos("l", "c") == 0
    assert r.linsert("l", "before", "c", "x") == 2 and r.lset("l", 0, "y") is True
    assert r.lmove("l", "m", "LEFT", "RIGHT") == "y" and r.ltrim("l", 0, 0) is True
    assert r.lmpop(2, "no", "m", direction="LEFT", count=2) == ["m", ["y"]]
    assert r.lmpop(1, "no", direction="LEFT") is None


def test_sets(r: Any) -> None:
    assert r.sadd("s", "a", "b") == 2 and r.smembers("s") == {"a", "b"}
    assert r.smismember("s", ["a", "x"]) == [1, 0] and bool(r.sismember("s", "a"))
    r.sadd("t", "b", "c")
    assert set(r.sinter("s", "t")) == {"b"} and set(r.sunion("s", "t")) == {"a", "b", "c"}
    assert r.sdiffstore("d", "s", "t") == 1 and r.spop("d") == "a" and r.sintercard(2, ["s", "t"])
    assert set(r.sscan_iter("t")) == {"b", "c"} and r.smembers("no") == set()


def test_sorted_sets(r: Any) -> None:
    assert r.zadd("z", {"a": 1, "b": 2.5}) == 2 and r.zadd("z", {"a": 3}, xx=True, ch=True) == 1
    assert pairs(r.zrange("z", 0, -1, withscores=True)) == [("b", 2.5), ("a", 3)]
    assert r.zscore("z", "b") == 2.5 and r.zscore("z", "no") is None and r.zrank("z", "a") == 1
    assert r.zadd("z", {"a": 1}, incr=True) == 4.0 and r.zmscore("z", ["a", "no"]) == [4.0, None]
    assert pairs(r.zrange("z", "+inf", "(2.5", desc=True, byscore=True, withscores=True)) == [
        ("a", 4.0)
    ]
    r.zadd("y", {"a": float("inf"), "c": -1})
    assert pairs(r.zunion(["z", "y"], withscores=True)) == [
        ("c", -1.0), ("b", 2.5), ("a", float("inf")),
    ]  # fmt: skip
    assert dict(r.zscan_iter("z")) == {"a": 4.0, "b": 2.5}
    assert pairs(r.zpopmin("z", 2)) == [("b", 2.5), ("a", 4.0)] and r.zpopmax("no") == []
    assert tuple(r.bzpopmin("y", timeout=1)) == ("y", "c", -1.0)


def pairs(reply: Any) -> list[tuple[Any, ...]]:
    return [tuple(pair) for pair in reply]


def test_streams(r: Any) -> None:
    first = r.xadd("x", {"f": "v"}, id="1-1")
    r.xadd("x", {"f": "w", "g": 1}, id="1-*")
    assert first == "1-1" and r.xlen("x") == 2
    assert r.xrange("x") == [("1-1", {"f": "v"}), ("1-2", {"f": "w", "g": "1"})]
    assert entries(r.xread({"x": "1-1"})) == ["1-2"] and not r.xread({"x": "$"})
    assert r.xgroup_create("x", "g", id="0") is True
    assert entries(r.xreadgroup("g", "ann", {"x": ">"}, count=1)) == ["1-1"]
    assert r.xpending("x", "g")["pending"] == 1 and r.xack("x", "g", "1-1") == 1
    assert entries(r.xreadgroup("g", "ann", {"x": ">"})) == ["1-2"]
    claimed = r.xautoclaim("x", "g", "bob", min_idle_time=0)
    assert claimed[0] == "0-0" and [entry[0] for entry in claimed[1]] == ["1-2"]
    assert r.xpending_range("x", "g", "-", "+", 5)[0]["consumer"] == "bob"
    assert r.xinfo_groups("x")[0]["name"] == "g" and r.xinfo_stream("x")["length"] == 2
    assert [one["name"] for one in r.xinfo_consumers("x", "g")] == ["ann", "bob"]
    assert r.xtrim("x", maxlen=1, approximate=False) == 1
    assert r.xdel("x", "1-2") == 1 and r.xgroup_destroy("x", "g")


def entries(reply: Any) -> list[str]:
    """Ids in an answer of XREAD with one stream, which has another shape in each protocol."""
    if not reply:
        return []
    ((_, found),) = reply.items() if isinstance(reply, dict) else reply
    flat = found[0] if found and isinstance(found[0], list) else found
    return [entry[0] for entry in flat]


def test_walks(r: Any) -> None:
    with r.pipeline(transaction=False) as pipe:
        for number in range(1000):
            pipe.set(f"key:{number}", number)
        pipe.rpush("list", 1)
        assert len(pipe.execute()) == 1001
    assert len(set(r.scan_iter(count=50))) == 1001
    assert set(r.scan_iter(match="key:99*")) == {f"key:{n}" for n in (99, *range(990, 1000))}
    assert list(r.scan_iter(_type="list")) == ["list"]
    assert len(r.keys("key:*")) == r.dbsize() - 1 == 1000


def test_errors(r: Any) -> None:
    r.set("s", "text")
    with pytest.raises(redis.ResponseError, match="WRONGTYPE Operation against a key"):
        r.lpush("s", 1)
    with pytest.raises(redis.ResponseError, match="unknown command 'NOSUCH'"):
        r.execute_command("NOSUCH")
    with pytest.raises(redis.ResponseError, match="value is not an integer or out of range"):
        r.incr("s")
    assert r.ping() is True and r.echo("x") == "x"


def test_answers_about_the_server(r: Any) -> None:
    assert r.config_set("hash-max-listpack-entries", 128) is True
    assert r.config_get("hash-max-listpack-entries") == {"hash-max-listpack-entries": "128"}
    assert r.info("server")["redis_version"].startswith("7.4.")
    assert r.command_count() > 150 and "get" in r.command_list()
    assert abs(r.time()[0] - time.time()) < 10 and r.dbsize() == 0
    me = r.client_id()
    assert me in {int(one["id"]) for one in r.client_list()} and int(r.client_info()["id"]) == me
    assert r.client_setname("worker") and r.client_getname() == "worker"
    assert r.acl_whoami() == "default" and r.acl_getuser("default")["enabled"] is True


# several commands, several clients ----------------------------------------------------------------


@pytest.mark.parametrize("transaction", [True, False])
def test_pipeline(r: Any, transaction: bool) -> None:
    with r.pipeline(transaction=transaction) as pipe:
        replies = pipe.set("a", 1).incr("a").hset("h", "f", "v").hgetall("h").execute()
        assert replies == [True, 2, 1, {"f": "v"}]
        pipe.lpush("a", 1).get("a")
        assert pipe.execute(raise_on_error=False)[1] == "2"
        with pytest.raises(redis.ResponseError, match=r"Command # 2 .* WRONGTYPE"):
            pipe.incr("a").lpush("a", 1).execute()
        assert r.get("a") == "3" and pipe.execute() == []


def test_a_large_pipeline(r: Any) -> None:
    """More replies than the socket holds, before the first is read."""
    with r.pipeline(transaction=False) as pipe:
        for number in range(3000):
            pipe.set("k", f"{number:01000}").get("k")
        replies = pipe.execute()
    assert [int(answer) for answer in replies[1::2]] == list(range(3000))


def test_watch_and_conflict(r: Any, connect: Connect) -> None:
    other = connect()
    with r.pipeline() as pipe:
        pipe.watch("n")
        assert pipe.get("n") is None
        pipe.multi()
        pipe.set("n", 1)
        other.set("n", 10)
        with pytest.raises(redis.WatchError):
            pipe.execute()
        pipe.watch("n")
        number = int(pipe.get("n"))
        pipe.multi()
        pipe.set("n", number + 1).get("n")
        assert pipe.execute() == [True, "11"]


def test_transaction_is_tried_again(r: Any, connect: Connect) -> None:
    other, attempts = connect(), []

    def double(pipe: Any) -> None:
        number = int(pipe.get("n"))
        attempts.append(number)
        if len(attempts) == 1:
            other.set("n", 5)
        pipe.multi()
        pipe.set("n", number * 2)

    r.set("n", 1)
    assert r.transaction(double, "n") == [True] and attempts == [1, 5] and r.get("n") == "10"


def test_blocking_pops(r: Any, connect: Connect, place: Backend) -> None:
    other = connect(decode_responses=True)
    with ThreadPoolExecutor() as threads:
        popped = threads.submit(r.blpop, ["q", "p"], 5)
        place.wait_for(1, flags="b")
        other.rpush("p", "job")
        assert tuple(popped.result(PATIENCE)) == ("p", "job")
        moved = threads.submit(r.blmove, "q", "done", 5, "LEFT", "RIGHT")
        place.wait_for(1, flags="b")
        other.rpush("q", "a")
        assert moved.result(PATIENCE) == "a" and r.lrange("done", 0, -1) == ["a"]
        best = threads.submit(r.bzpopmax, "z", 5)
        place.wait_for(1, flags="b")
        other.zadd("z", {"m": 1.5})
        assert tuple(best.result(PATIENCE)) == ("z", "m", 1.5)
        read = threads.submit(r.xread, {"x": "$"}, block=5000)
        place.wait_for(1, flags="b")
        other.xadd("x", {"f": "v"}, id="5-1")
        assert entries(read.result(PATIENCE)) == ["5-1"]
    assert r.blpop("q", 0.01) is None and r.bzpopmin("z", 0.01) is None
    assert r.blmove("q", "done", 0.01) is None and r.brpoplpush("q", "done", timeout=0.01) is None


def test_client_that_waits_is_released(r: Any, connect: Connect, place: Backend) -> None:
    other = connect()
    with ThreadPoolExecutor() as threads:
        popped = threads.submit(r.blpop, "q", 0)
        place.wait_for(1, flags="b")
        (waiting,) = place.clients(flags="b")
        assert other.client_unblock(waiting["id"]) == 1 and popped.result(PATIENCE) is None
        popped = threads.submit(r.blpop, "q", 0)
        place.wait_for(1, flags="b")
        assert other.client_unblock(waiting["id"], error=True) == 1
        with pytest.raises(redis.ResponseError, match="UNBLOCKED client unblocked via CLIENT"):
            popped.result(PATIENCE)


def test_pool_under_many_threads(connect: Connect, place: Backend) -> None:
    client = connect(max_connections=20)

    def work(number: int) -> int:
        for turn in range(20):
            client.incr("n")
            with client.pipeline() as pipe:
                key = f"own:{number}"
                assert pipe.set(key, turn).get(key).execute() == [True, b"%d" % turn]
        return number

    with ThreadPoolExecutor(20) as threads:
        assert sorted(threads.map(work, range(20))) == list(range(20))
    assert client.get("n") == b"400"


def test_simple_lock(r: Any, connect: Connect) -> None:
    """The lock of redis-py is taken by SET NX PX; giving it back needs a script, or GETDEL."""
    lock = r.lock("lock", timeout=5, blocking=False)
    assert lock.acquire() is True and 0 < r.pttl("lock") <= 5000 and lock.locked()
    assert connect().lock("lock", blocking=False).acquire() is False
    if "evalsha" in r.command_list():
        lock.release()
        assert lock.locked() is False
    else:
        with pytest.raises(redis.ResponseError, match="unknown command 'EVALSHA'"):
            lock.release()


# messages -----------------------------------------------------------------------------------------


def received(pubsub: Any, number: int) -> list[tuple[Any, ...]]:
    """The next messages, confirmations included."""
    found: list[tuple[Any, ...]] = []
    until = time.monotonic() + PATIENCE
    while len(found) < number and time.monotonic() < until:
        message = pubsub.get_message(timeout=PATIENCE)
        if message is not None:
            found.append((message["type"], message["channel"], message["data"]))
    return found


def test_messages(r: Any, connect: Connect) -> None:
    other = connect()
    with r.pubsub() as pubsub:
        pubsub.subscribe("a", "b")
        pubsub.psubscribe("n*")
        assert received(pubsub, 3) == [
            ("subscribe", "a", 1), ("subscribe", "b", 2), ("psubscribe", "n*", 3),
        ]  # fmt: skip
        assert [other.publish(name, "m") for name in ("a", "news", "other")] == [1, 1, 0]
        assert received(pubsub, 2) == [("message", "a", "m"), ("pmessage", "news", "m")]
        assert set(other.pubsub_channels()) == {b"a", b"b"} and other.pubsub_numpat() == 1
        assert other.pubsub_numsub("a", "no") == [(b"a", 1), (b"no", 0)]
        pubsub.unsubscribe("a")
        pubsub.ping("here")
        # A PING is answered like any other in RESP3, and the library does not tell what it was.
        assert received(pubsub, 2)[0][:2] == ("unsubscribe", "a")
        pubsub.punsubscribe()
        pubsub.unsubscribe()
        assert len(received(pubsub, 2)) == 2 and pubsub.subscribed is False


def test_messages_of_a_shard(r: Any, connect: Connect) -> None:
    with r.pubsub() as pubsub:
        pubsub.ssubscribe("shard")
        assert received(pubsub, 1) == [("ssubscribe", "shard", 1)]
        assert connect().spublish("shard", "m") == 1
        assert received(pubsub, 1) == [("smessage", "shard", "m")]


def test_listening_in_a_loop_and_in_a_thread(r: Any, connect: Connect) -> None:
    other, heard = connect(), queue.SimpleQueue[Any]()
    with r.pubsub(ignore_subscribe_messages=True) as pubsub:
        pubsub.subscribe("loop")
        with ThreadPoolExecutor(1) as threads:
            first = threads.submit(lambda: next(pubsub.listen()))
            while not other.publish("loop", "m"):
                time.sleep(0.001)
            assert first.result(PATIENCE)["data"] == "m"
    with r.pubsub(ignore_subscribe_messages=True) as pubsub:
        pubsub.subscribe(handled=lambda message: heard.put(message["data"]))
        thread = pubsub.run_in_thread(sleep_time=0.01)
        eventually(lambda: other.publish("handled", "m"), "a listener")
        assert heard.get(timeout=PATIENCE) == "m"
        thread.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_events_of_keys(r: Any, connect: Connect) -> None:
    other = connect()
    other.config_set("notify-keyspace-events", "KEA")
    with r.pubsub(ignore_subscribe_messages=True) as pubsub:
        pubsub.psubscribe("__key*@0__:*")
        pubsub.get_message(timeout=PATIENCE)
        other.set("k", "v", px=5)
        assert received(pubsub, 6) == [
            pair
            for event in ("set", "expire", "expired")
            for pair in (
                ("pmessage", "__keyspace@0__:k", event),
                ("pmessage", f"__keyevent@0__:{event}", "k"),
            )
        ]


def test_monitor(r: Any, connect: Connect) -> None:
    other = connect(db=2)
    other.ping()
    with r.monitor() as monitor:
        other.set("k", 'a "b"\n\x00')
        commands = [monitor.next_command()]
        while not commands[-1]["command"].startswith("SET"):
            commands.append(monitor.next_command())
    assert commands[-1]["command"] == 'SET k a "b"\\n\\x00'
    assert commands[-1]["db"] == 2 and commands[-1]["client_type"] == "tcp"


# life of a connection -----------------------------------------------------------------------------


def test_a_killed_client_comes_back(r: Any, connect: Connect, place: Backend) -> None:
    assert r.set("a", 1) and r.client_setname("victim")
    (victim,) = place.clients(name="victim")
    assert connect().client_kill_filter(_id=victim["id"]) == 1
    eventually(lambda: not place.clients(id=victim["id"]), "the end of a client")
    retrying = connect(
        decode_responses=True,
        retry=redis.retry.Retry(redis.backoff.NoBackoff(), 2),
        retry_on_error=[redis.ConnectionError],
    )
    assert retrying.get("a") == "1"
    retrying.client_kill_filter(_id=str(retrying.client_id()), skipme=False)
    assert retrying.get("a") == "1" and r.get("a") == "1"


def test_passwords(connect: Connect, place: Backend) -> None:
    place.execute("ACL", "SETUSER", "ann", "on", ">secret", "~a*", "&*", "+@all", "-flushall")
    ann = connect(username="ann", password="secret")
    assert ann.set("a", 1) and ann.acl_whoami() in ("ann", b"ann")
    with pytest.raises(redis.exceptions.NoPermissionError, match="flushall"):
        ann.flushall()
    with pytest.raises(redis.exceptions.NoPermissionError, match="access a key"):
        ann.get("b")
    with pytest.raises(redis.AuthenticationError, match=r"WRONGPASS|invalid username"):
        connect(username="ann", password="wrong").ping()
    place.execute("CONFIG", "SET", "requirepass", "hidden")
    assert connect(password="hidden").ping() is True
    with pytest.raises((redis.AuthenticationError, redis.ResponseError)):
        connect().ping()


def test_unix_socket_and_addresses(place: Backend) -> None:
    for url in (f"unix://{place.path}?db=3", f"{place.url}/3", f"{place.url}?db=3"):
        with redis.Redis.from_url(url, decode_responses=True) as client:
            assert client.incr("n") and client.client_info()["db"] in (3, "3")
    assert place.execute("GET", "n") is None
    with redis.Redis.from_url(f"{place.url}/99") as client, pytest.raises(redis.ResponseError):
        client.ping()


def test_defaults(place: Backend) -> None:
    """As most people write it, in whatever protocol the library prefers."""
    with redis.Redis(port=place.port) as client:
        assert client.set("foo", "bar") is True and client.get("foo") == b"bar"
        assert client.lpush("l", 1, 2) == 2 and client.smembers("no") == set()


def test_health_check(connect: Connect, place: Backend) -> None:
    client = connect(health_check_interval=60)
    client.set("a", 1)
    with connect().monitor() as monitor:
        client.get("a")
        for connection in client.connection_pool._available_connections:
            connection.next_health_check = 0.001  # long ago
        assert client.get("a") == b"1"
        seen = [monitor.next_command()["command"] for _ in range(3)]
    assert seen == ["GET a", "PING", "GET a"]


def test_replies_that_nobody_wants(r: Any) -> None:
    """CLIENT REPLY OFF and SKIP by hand, on a connection of its own."""
    connection = r.connection_pool.get_connection()
    connection.send_command("CLIENT", "REPLY", "SKIP")
    connection.send_command("SET", "a", "1")
    connection.send_command("GET", "a")
    assert connection.read_response() == "1"
    connection.send_command("CLIENT", "REPLY", "OFF")
    connection.send_command("SET", "a", "2")
    connection.send_command("CLIENT", "REPLY", "ON")
    assert connection.read_response() == "OK"
    connection.send_command("GET", "a")
    assert connection.read_response() == "2"
    r.connection_pool.release(connection)


def test_pause(r: Any, connect: Connect, place: Backend) -> None:
    other = connect()
    assert other.client_pause(5000, all=False) is True
    with ThreadPoolExecutor(1) as threads:
        write = threads.submit(r.set, "a", 1)
        place.wait_for(1, flags="b")
        assert other.get("a") is None and not write.done()
        assert other.client_unpause() in (True, b"OK") and write.result(PATIENCE) is True


# tracking -----------------------------------------------------------------------------------------


def test_invalidations_arrive(connect: Connect, place: Backend) -> None:
    client = connect(decode_responses=True)
    connection = client.connection_pool.get_connection()
    if int(connection.protocol) != 3:
        client.connection_pool.release(connection)
        pytest.skip("pushes are RESP3")
    heard: list[Any] = []
    connection._parser.set_invalidation_push_handler(heard.append)
    for words in (["CLIENT", "TRACKING", "ON"], ["GET", "a"]):
        connection.send_command(*words)
        connection.read_response()
    place.execute("SET", "a", "1")
    connection.send_command("PING")
    assert connection.read_response() == "PONG"
    assert [[kind, list(keys)] for kind, keys in heard] in (
        [["invalidate", ["a"]]], [[b"invalidate", [b"a"]]],
    )  # fmt: skip
    client.connection_pool.release(connection)


def test_cache_of_the_client(place: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library insists on 7.4, whose replies here are those of 7.0."""
    cache = pytest.importorskip("redis.cache")
    proxy = getattr(redis.connection, "CacheProxyConnection", None)
    if proxy is None:
        pytest.skip("this redis-py has no cache")
    monkeypatch.setattr(proxy, "MIN_ALLOWED_VERSION", "7.0.0")
    options: dict[str, Any] = {"protocol": 3, "decode_responses": True, "port": place.port}
    with redis.Redis(cache_config=cache.CacheConfig(), **options) as client:
        place.execute("SET", "a", "1")
        assert client.get("a") == "1" and client.get("a") == "1"
        assert client.get_cache().size == 1
        place.execute("SET", "a", "2")
        eventually(lambda: client.get("a") == "2", "the new value")
        place.execute("FLUSHALL")
        eventually(lambda: client.get("a") is None, "the end of all values")


def test_clients_come_and_go(place: Backend) -> None:
    """Threads that make a client for each question."""
    before = len(place.clients())

    def ask(number: int) -> Any:
        with redis.Redis(port=place.port) as client:
            return client.incr("n")

    with ThreadPoolExecutor(10) as threads:
        assert sorted(threads.map(ask, range(100))) == list(range(1, 101))
    eventually(lambda: len(place.clients()) == before, "the end of all clients")
    assert threading.active_count() < 50
