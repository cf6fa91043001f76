"""Streams from Python: typed calls, waiting, time, and what costs may not grow."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import minidis
from minidis import Minidis, ResponseError, WrongTypeError
from tests.calls import PATIENCE, blocked
from tests.effects import Recorder


@pytest.fixture
def clock() -> minidis.ManualClock:
    return minidis.ManualClock(1000.0)


@pytest.fixture
def timed(clock: minidis.ManualClock) -> Iterator[Minidis[bytes]]:
    with minidis.open(clock=clock) as db:
        yield db


def filled(db: Minidis[Any], count: int = 3, key: str = "s") -> None:
    for number in range(1, count + 1):
        db.xadd(key, {"n": number}, f"{number}-0")


def found(reply: Any) -> list[bytes]:
    """The ids of entries."""
    return [entry[0] for entry in reply]


# adding -------------------------------------------------------------------------------------------


def test_ids_follow_the_clock_and_never_go_back(
    timed: Minidis[bytes], clock: minidis.ManualClock
) -> None:
    assert [timed.xadd("s", {"a": 1}) for _ in range(2)] == [b"1000000-0", b"1000000-1"]
    clock.advance(2)
    assert timed.xadd("s", {"a": 1}) == b"1002000-0"
    assert timed.xadd("s", {"a": 1}, "5000000-7") == b"5000000-7"
    assert timed.xadd("s", {"a": 1}) == b"5000000-8"


def test_fields_as_mapping_or_pairs(db: Minidis[bytes]) -> None:
    db.xadd("s", {"a": 1, "b": 2.5}, 1)
    db.xadd("s", [("a", 1), ("a", 2)], "2")
    assert db.xrange("s") == [
        [b"1-0", [b"a", b"1", b"b", b"2.5"]],
        [b"2-0", [b"a", b"1", b"a", b"2"]],
    ]
    with pytest.raises(ResponseError, match="wrong number of arguments for 'xadd'"):
        db.xadd("s", {})


def test_options_of_xadd(db: Minidis[bytes]) -> None:
    assert db.xadd("s", {"a": 1}, nomkstream=True) is None
    filled(db, 5)
    db.xadd("s", {"n": 6}, "6-0", maxlen=2, approximate=False)
    assert found(db.xrange("s")) == [b"5-0", b"6-0"]
    db.xadd("s", {"n": 7}, "7-0", minid="6-0", approximate=False)
    assert found(db.xrange("s")) == [b"6-0", b"7-0"]
    db.xadd("s", {"n": 8}, "8-0", maxlen=0)  # about: a whole node or nothing
    assert db.xlen("s") == 0
    for options in ({"maxlen": 1, "minid": 2}, {"maxlen": 1, "approximate": False, "limit": 3}):
        with pytest.raises(ResponseError, match="syntax error, "):
            db.xadd("s", {"a": 1}, **options)  # type: ignore[arg-type]
    with pytest.raises(ResponseError, match="syntax error"):
        db.xadd("s", {"a": 1}, ref_policy="SOME")


def test_nodes_of_a_hundred_are_trimmed_as_a_whole(db: Minidis[bytes]) -> None:
    filled(db, 250)
    assert db.xtrim("s", maxlen=120) == 100
    assert db.xtrim("s", maxlen=50, limit=99) == 0
    assert db.xtrim("s", minid="201-0") == 100
    assert db.xtrim("s", minid="240-0") == 0
    assert db.xtrim("s", minid="240-0", approximate=False) == 39
    assert db.config_set("stream-node-max-entries", 10) == "OK"
    filled(db, 30, "t")
    assert db.xtrim("t", maxlen=11) == 10


def test_an_empty_stream_is_a_key(db: Minidis[bytes]) -> None:
    filled(db, 1)
    assert (db.xdel("s", "1-0"), db.exists("s"), db.xlen("s"), db.type("s")) == (1, 1, 0, "stream")
    assert db.xtrim("s", maxlen=0) == 0
    db.copy("s", "t")
    db.rename("t", "u")
    assert db.xinfo_stream("u")[b"last-generated-id"] == b"1-0"
    db.space.check()


def test_text_answers() -> None:
    with minidis.open(decode_responses=True) as db:
        assert db.xadd("s", {"a": 1}, "1-1") == "1-1"
        db.xgroup_create("s", "g", 0)
        assert db.xreadgroup("g", "c", {"s": ">"}) == {"s": [["1-1", ["a", "1"]]]}
        assert db.xinfo_groups("s")[0]["name"] == "g"
        assert db.xpending("s", "g") == [1, "1-1", "1-1", [["c", "1"]]]


# reading ------------------------------------------------------------------------------------------


def test_ranges(db: Minidis[bytes]) -> None:
    filled(db)
    assert found(db.xrange("s", 2)) == [b"2-0", b"3-0"]
    assert found(db.xrange("s", "(1-0", "(3-0")) == [b"2-0"]
    assert found(db.xrange("s", count=2)) == [b"1-0", b"2-0"]
    assert found(db.xrevrange("s", max=2)) == [b"2-0", b"1-0"]
    assert found(db.xrevrange("s", count=1)) == [b"3-0"]
    assert db.xrange("s", count=0) is None
    assert db.xrange("missing") == []


def test_reading_several_streams(db: Minidis[bytes]) -> None:
    filled(db)
    filled(db, 2, "t")
    reply = db.xread({"s": "2-0", "t": 0, "missing": 0}, count=5)
    assert reply is not None
    assert {key: found(entries) for key, entries in reply.items()} == {
        b"s": [b"3-0"],
        b"t": [b"1-0", b"2-0"],
    }
    assert db.xread({"s": "$"}) is None
    assert db.xread({"s": 9}) is None
    with pytest.raises(ResponseError, match="wrong number of arguments for 'xread'"):
        db.xread({})
    db.set("x", 1)
    with pytest.raises(WrongTypeError):
        db.xread({"s": 0, "x": 0})


def test_what_a_reply_may_hold(db: Minidis[bytes]) -> None:
    filled(db, 5)
    filled(db, 5, "t")
    sizes: list[tuple[Any, list[int]]] = [
        ({"max_count": 7}, [5, 2]),
        ({"max_count": 4, "count": 3}, [3, 1]),
        ({"max_size": 1}, [1]),
        ({"max_size": 10**6}, [5, 5]),
    ]
    for options, expected in sizes:
        reply = db.xread({"s": 0, "t": 0}, **options)
        assert reply is not None
        assert list(map(len, reply.values())) == expected


def test_waiting_for_an_entry(db: Minidis[bytes]) -> None:
    filled(db)
    waiting = blocked(db, lambda: db.session().xread({"s": "$", "t": "$"}, block=0))
    again = blocked(db, lambda: db.session().xread({"s": "3-0"}, block=60_000))
    late = blocked(db, lambda: db.session().xread({"s": "4-0"}, block=0, count=1))
    db.xdel("s", "1-0")
    db.xadd("s", {"n": 4}, "4-0")
    assert waiting.over() == again.over() == {b"s": [[b"4-0", [b"n", b"4"]]]}
    db.xadd("s", {"n": 5}, "5-0")
    assert late.over() == {b"s": [[b"5-0", [b"n", b"5"]]]}


def test_the_last_id_is_the_one_when_the_waiting_began(db: Minidis[bytes]) -> None:
    waiting = blocked(db, lambda: db.session().xread({"s": "$"}, block=0))
    db.xgroup_create("s", "g", mkstream=True)  # a stream, but no entry
    db.xadd("s", {"n": 1}, "1-0")
    assert waiting.over() == {b"s": [[b"1-0", [b"n", b"1"]]]}


def test_waiting_ends(db: Minidis[bytes]) -> None:
    filled(db)
    db.xgroup_create("s", "g", "$")
    assert db.xread({"s": "$"}, block=1) is None
    assert db.xreadgroup("g", "ann", {"s": ">"}, block=1) is None
    for block in (-1, "x"):
        with pytest.raises(ResponseError, match="timeout is"):
            db.xread({"s": 0}, block=block)


def test_waiting_in_a_group(db: Minidis[bytes]) -> None:
    db.xgroup_create("s", "g", mkstream=True)
    one = blocked(db, lambda: db.session().xreadgroup("g", "ann", {"s": ">"}, block=0, count=1))
    two = blocked(db, lambda: db.session().xreadgroup("g", "bob", {"s": ">"}, block=0))
    db.xadd("s", {"n": 1}, "1-0")
    assert one.over() == {b"s": [[b"1-0", [b"n", b"1"]]]}
    db.xadd("s", {"n": 2}, "2-0")
    assert two.over() == {b"s": [[b"2-0", [b"n", b"2"]]]}
    assert db.xpending("s", "g")[3] == [[b"ann", b"1"], [b"bob", b"1"]]


def test_a_consumer_that_goes_on_waiting_is_created_again(db: Minidis[bytes]) -> None:
    db.xgroup_create("s", "g", mkstream=True)
    waiting = blocked(db, lambda: db.session().xreadgroup("g", "ann", {"s": ">"}, block=0))
    assert [one[b"name"] for one in db.xinfo_consumers("s", "g")] == [b"ann"]
    recorder = Recorder(db.engine)
    with db.transaction() as pipe:
        pipe.xadd("s", {"n": 1}, "1-0")
        pipe.xgroup_setid("s", "g", "$")
        pipe.xgroup_delconsumer("s", "g", "ann")
    assert [one[b"name"] for one in db.xinfo_consumers("s", "g")] == [b"ann"]
    *_, batch = recorder.taken()
    assert batch[-1] == (0, [b"XGROUP", b"CREATECONSUMER", b"s", b"g", b"ann"])
    db.xadd("s", {"n": 2}, "2-0")
    assert waiting.over() == {b"s": [[b"2-0", [b"n", b"2"]]]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda db: db.delete("s"), "NOGROUP No such key 's' or consumer group 'g' in XREADGROUP"),
        (lambda db: db.xgroup_destroy("s", "g"), "NOGROUP No such key 's'"),
        (lambda db: db.set("s", 1), "WRONGTYPE "),
        (lambda db: db.flushall(), "NOGROUP No such key 's'"),
    ],
)
def test_the_group_goes_while_somebody_waits(
    db: Minidis[bytes], change: Callable[[Minidis[bytes]], Any], message: str
) -> None:
    db.xgroup_create("s", "g", mkstream=True)
    waiting = blocked(db, lambda: db.session().xreadgroup("g", "ann", {"s": ">"}, block=0))
    change(db)
    answer = waiting.over()
    assert isinstance(answer, ResponseError)
    assert str(answer).startswith(message)


# groups -------------------------------------------------------------------------------------------


def test_idle_times(timed: Minidis[bytes], clock: minidis.ManualClock) -> None:
    filled(timed)
    timed.xgroup_create("s", "g", 0)
    timed.xreadgroup("g", "ann", {"s": ">"}, count=2)
    clock.advance(5)
    timed.xreadgroup("g", "bob", {"s": ">"})
    assert timed.xpending_range("s", "g", "-", "+", 9) == [
        [b"1-0", b"ann", 5000, 1],
        [b"2-0", b"ann", 5000, 1],
        [b"3-0", b"bob", 0, 1],
    ]
    assert timed.xpending_range("s", "g", "-", "+", 9, idle=1) == [
        [b"1-0", b"ann", 5000, 1],
        [b"2-0", b"ann", 5000, 1],
    ]
    assert timed.xpending_range("s", "g", "-", "+", 9, "bob", idle=1) == []
    assert [one[b"idle"] for one in timed.xinfo_consumers("s", "g")] == [5000, 0]
    assert timed.xclaim("s", "g", "bob", 5001, ["1-0"], justid=True) == []
    assert timed.xclaim("s", "g", "bob", 5000, ["1-0", "3-0"], justid=True) == [b"1-0"]
    assert timed.xautoclaim("s", "g", "cat", 1, justid=True) == [b"0-0", [b"2-0"], []]


def test_claiming_while_reading(timed: Minidis[bytes], clock: minidis.ManualClock) -> None:
    filled(timed)
    timed.xgroup_create("s", "g", 0)
    timed.xreadgroup("g", "ann", {"s": ">"}, count=2)
    clock.advance(4)
    timed.xclaim("s", "g", "ann", 0, ["1-0"], justid=True)
    clock.advance(5)
    read = timed.xreadgroup
    assert read("g", "bob", {"s": ">"}, count=2, noack=True, claim_min_idle_time=5000) == {
        b"s": [[b"2-0", [b"n", b"2"], 9000, 1], [b"1-0", [b"n", b"1"], 5000, 1]]
    }
    assert read("g", "bob", {"s": ">"}, noack=True, claim_min_idle_time=5000) == {
        b"s": [[b"3-0", [b"n", b"3"], 0, 0]]
    }
    assert read("g", "bob", {"s": ">"}, noack=True, claim_min_idle_time=5000) is None
    assert timed.xpending_range("s", "g", "-", "+", 9) == [
        [b"1-0", b"bob", 0, 2],
        [b"2-0", b"bob", 0, 2],
    ]


def test_what_xnack_gives_back_is_taken_first(
    timed: Minidis[bytes], clock: minidis.ManualClock
) -> None:
    filled(timed)
    timed.xgroup_create("s", "g", 0)
    timed.xreadgroup("g", "ann", {"s": ">"})
    clock.advance(1)
    assert timed.xnack("s", "g", "SILENT", "3-0") == 1
    reply = timed.xreadgroup("g", "bob", {"s": ">"}, claim_min_idle_time=1000)
    assert reply is not None
    assert found(reply[b"s"]) == [b"3-0", b"1-0", b"2-0"]
    assert [entry[3] for entry in reply[b"s"]] == [0, 1, 1]


def test_a_refused_read_of_several_streams_has_not_happened(db: Minidis[bytes]) -> None:
    filled(db)
    db.xgroup_create("s", "g", 0)
    with pytest.raises(ResponseError, match="NOGROUP"):
        db.xreadgroup("g", "ann", {"s": ">", "missing": ">"})
    assert db.xinfo_groups("s")[0][b"consumers"] == 0


def test_groups_refuse(db: Minidis[bytes]) -> None:
    filled(db)
    db.xgroup_create("s", "g")
    errors: list[tuple[Callable[[], Any], str]] = [
        (lambda: db.xgroup_create("s", "g"), "BUSYGROUP"),
        (lambda: db.xgroup_create("missing", "g"), "requires the key to exist"),
        (lambda: db.xgroup_create("s", "h", entries_read=-2), "must be positive or -1"),
        (lambda: db.xgroup_setid("s", "h", 0), "NOGROUP No such consumer group 'h'"),
        (lambda: db.xclaim("s", "h", "c", 0, ["1-0"]), "NOGROUP No such key 's'"),
        (lambda: db.xclaim("s", "g", "c", 0, ["x"]), "Invalid stream ID"),
        (lambda: db.xautoclaim("s", "g", "c", 0, count=0), "COUNT must be > 0"),
        (lambda: db.xpending("s", "h"), "NOGROUP"),
        (lambda: db.xpending("s", "g", min="-"), "syntax error"),
        (lambda: db.xinfo_stream("missing"), "no such key"),
        (lambda: db.xack("s", "g"), "wrong number of arguments"),
    ]
    for call, message in errors:
        with pytest.raises(ResponseError, match=message):
            call()
    db.set("x", 1)
    for call in (db.xlen, db.xrange, db.xinfo_groups, lambda key: db.xadd(key, {"a": 1})):
        with pytest.raises(WrongTypeError):
            call("x")


def test_events_in_their_order(db: Minidis[bytes]) -> None:
    names: list[str] = []
    done = threading.Event()

    def listen(event: minidis.Event) -> None:
        names.append(event.name)
        if event.key == b"end":
            done.set()

    db.listen(listen)
    filled(db)
    db.xadd("s", {"n": 4}, "4-0", maxlen=1, approximate=False)
    db.xgroup_create("s", "g", 0)
    db.xreadgroup("g", "ann", {"s": ">"})
    db.xdelex("s", "4-0", "9-9")
    db.set("end", 1)
    assert done.wait(PATIENCE)
    assert names == [
        *["xadd"] * 4, "xtrim", "xgroup-create", "xgroup-createconsumer", "xdel", "set",
    ]  # fmt: skip
