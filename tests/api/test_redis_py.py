"""Names, order and accepted arguments beside redis-py's: what its users find here unchanged."""

from __future__ import annotations

import inspect
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from minidis import DataError, Minidis, ResponseError
from minidis.grammar.command import COMMANDS

#: What has another name here: ours, redis-py's. docs/api.md tells it to the users.
RENAMED = {
    ("key", "name"), ("key", "src"), ("newkey", "dst"), ("field", "key"), ("member", "value"),
    ("message", "value"), ("start", "min"), ("stop", "max"), ("index1", "first"),
    ("index2", "second"), ("source", "src"), ("source", "name"), ("source", "first_list"),
    ("destination", "dst"), ("destination", "dest"), ("destination", "second_list"),
    ("exactly", "mode"), ("shardchannel", "shard_channel"), ("switch", "on"),
    ("redirect", "clientid"), ("prefixes", "prefix"),
}  # fmt: skip
#: INCREX has only keywords there, and MSETEX one argument for NX and XX.
OTHER_ORDER = {"increx", "msetex"}
#: Not in redis-py, or under another name: help, DEBUG, OBJECT by subcommand, what only connections
#: use, and transactions without a pipeline.
OURS_ALONE = {
    "help", "debug", "object", "himport", "monitor", "channels", "patterns", "multi", "exec",
    "discard", "caching", "xsetid",
}  # fmt: skip


def parameters(method: Any) -> list[inspect.Parameter]:
    left_out = ("self", "kwargs", "score_cast_func")
    found = inspect.signature(method).parameters.values()
    return [param for param in found if param.name not in left_out]


def test_parameters_are_those_of_redis_py() -> None:
    redis = pytest.importorskip("redis", minversion="8.1")
    renamed = defaultdict(list)
    for name in {known.method for known in COMMANDS.values()} - OTHER_ORDER:
        theirs = getattr(redis.Redis, name, None)
        if theirs is None:
            assert OURS_ALONE & set(name.split("_")), name
            continue
        for one, two in zip(parameters(getattr(Minidis, name)), parameters(theirs), strict=False):
            if inspect.Parameter.VAR_POSITIONAL in (one.kind, two.kind):
                break
            if one.name != two.name:
                renamed[one.name, two.name].append(name)
    assert set(renamed) == RENAMED, renamed


def test_calls_that_redis_py_users_are_used_to(db: Minidis[bytes]) -> None:
    assert [db.incr("n", 5), db.incr("n", amount=2), db.decr("n", 3), db.decrby("n")] == [
        5,
        7,
        4,
        3,
    ]
    assert [db.incrby("n"), db.incrbyfloat("n", amount=0.5), db.incrbyfloat("n")] == [4, 4.5, 5.5]
    assert [db.hincrby("h", "f", amount=2), db.hincrbyfloat("h", "f", amount=0.5)] == [2, 2.5]
    assert [db.expire("n", time=60), db.pexpire("n", time=timedelta(minutes=1))] == [1, 1]
    assert db.setex("e", time=timedelta(hours=1), value=1) == db.psetex("e", time_ms=9, value=1)
    assert db.set("d", "x", exat=datetime(2100, 1, 1, tzinfo=UTC)) == "OK"
    assert db.expiretime("d") == 4102444800
    assert [db.substr("d", 0), db.mget([]), db.mget(["d"])] == [b"x", [], [b"x"]]
    assert db.object("ENCODING", "d") == b"embstr"
    assert b"save" not in db.config_get("hash*") and len(db.config_get()) > 10
    assert b"get" in db.command_list(category="fast")


@pytest.mark.parametrize(
    "options",
    [{"nx": True, "xx": True}, {"ex": 0, "px": 5}, {"exat": 5, "keepttl": True},
     {"nx": True, "ifeq": "a"}, {"ifeq": "a", "ifne": "a"}],
)  # fmt: skip
def test_two_alternatives_of_one_bracket_are_refused(db: Minidis[bytes], options: Any) -> None:
    with pytest.raises(ResponseError, match=r"^ERR syntax error$"):
        db.set("k", "a", **options)
    assert db.exists("k") == 0


def test_other_commands_refuse_alternatives_too(db: Minidis[bytes]) -> None:
    db.set("k", "a")
    for call in (
        lambda: db.getex("k", ex=5, persist=True),
        lambda: db.msetex({"k": 1}, nx=True, xx=True),
        lambda: db.delex("k", ifeq="a", ifne="b"),
        lambda: db.increx("n", byint=1, byfloat=1),
        lambda: db.flushall(asynchronous=True, sync=True),
        lambda: db.command_list(module="a", pattern="b"),
        lambda: db.lmovem("k", "k", count=1, exactly=1, ordering="BULK"),
        lambda: db.restore("r", 0, b"", idletime=1, frequency=1),
    ):
        with pytest.raises(ResponseError, match=r"^ERR syntax error$"):
            call()
    assert [db.get("k"), db.ttl("k"), db.dbsize()] == [b"a", -1, 1]


def test_nothing_to_work_on_is_refused_as_in_words(db: Minidis[bytes]) -> None:
    for call in (
        db.delete, db.unlink, db.exists, db.touch, db.sunion, db.config_set,
        lambda: db.delete([]), lambda: db.mset({}), lambda: db.msetnx({}),
        lambda: db.hmget("h"), lambda: db.hdel("h", []), lambda: db.lpush("l"),
        lambda: db.sadd("s", []), lambda: db.srem("s"), lambda: db.smismember("s", []),
        lambda: db.zrem("z"), lambda: db.zmscore("z", []), lambda: db.zadd("z", {}),
    ):  # fmt: skip
        with pytest.raises(ResponseError, match=r"^ERR wrong number of arguments for"):
            call()
    with pytest.raises(ResponseError, match=r"^ERR at least 1 input key is needed for 'zunion'"):
        db.zunion([])


def test_values_that_have_no_form(db: Minidis[bytes]) -> None:
    nothing: Any = None
    for value in (nothing, True, [1], {"a": 1}, object()):
        with pytest.raises(DataError):
            db.set("k", value)
    with pytest.raises(ResponseError, match="unknown subcommand 'size'"):
        db.object("size", "k")
    assert db.set("k", memoryview(b"abc")) == "OK"
    assert db.get(bytearray(b"k")) == b"abc"
