"""List commands through the typed API and as words."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

import minidis
from minidis import ResponseError, WrongTypeError

Db = minidis.Minidis[bytes]


@pytest.fixture
def db() -> Iterator[Db]:
    with minidis.open() as opened:
        yield opened
        for space in opened.engine.databases:
            space.check()


def row(db: Db, key: str) -> bytes:
    """The list as one string, elements being single letters."""
    return b"".join(db.lrange(key, 0, -1))


# pushing and popping -----------------------------------------------------------------------------


def test_pushes_take_elements_and_lists_of_them(db: Db) -> None:
    assert db.rpush("l", "a", ["b", "c"]) == 3
    assert db.lpush("l", "x", "y") == 5
    assert row(db, "l") == b"yxabc"


def test_push_onto_a_missing_key_keeps_the_order(db: Db) -> None:
    db.lpush("left", "a", "b", "c")
    db.rpush("right", "a", "b", "c")
    assert (row(db, "left"), row(db, "right")) == (b"cba", b"abc")


def test_pushx_needs_a_list(db: Db) -> None:
    assert (db.lpushx("l", 1), db.rpushx("l", 1), db.exists("l")) == (0, 0, 0)
    db.rpush("l", "a")
    assert (db.lpushx("l", "b", "c"), db.rpushx("l", "d")) == (3, 4)
    assert row(db, "l") == b"cbad"


def test_a_push_keeps_the_expiry_and_an_emptied_list_loses_its_key(db: Db) -> None:
    db.rpush("l", "a")
    db.expire("l", 100)
    db.rpush("l", "b")
    assert db.ttl("l") == 100
    assert db.lpop("l", 2) == [b"a", b"b"]
    assert db.exists("l") == 0


def test_pop_without_and_with_count(db: Db) -> None:
    db.rpush("l", *"abcdef")
    assert (db.lpop("l"), db.rpop("l")) == (b"a", b"f")
    assert (db.lpop("l", 2), db.rpop("l", 9)) == ([b"b", b"c"], [b"e", b"d"])
    assert (db.lpop("l"), db.lpop("l", 1), db.rpop("l", 0)) == (None, None, None)


def test_pop_nothing_from_a_list(db: Db) -> None:
    db.rpush("l", "a")
    assert db.lpop("l", 0) == []
    assert db.llen("l") == 1


def test_lmpop_takes_from_the_first_list(db: Db) -> None:
    db.rpush("b", *"xyz")
    assert db.lmpop(2, "a", "b", direction="LEFT") == [b"b", [b"x"]]
    assert db.lmpop(2, ["a", "b"], direction="right", count=5) == [b"b", [b"z", b"y"]]
    assert db.lmpop(2, "a", "b", direction="LEFT") is None


def test_lmpop_counts_its_keys(db: Db) -> None:
    with pytest.raises(ResponseError, match="syntax error"):
        db.lmpop(1, "a", "b", direction="LEFT")
    with pytest.raises(ResponseError, match="numkeys should be greater than 0"):
        db.lmpop(0, direction="LEFT")


# moving ------------------------------------------------------------------------------------------

# from, to, LMOVEM's words, what is moved (from abcd, to xy), then both lists
MOVES = [
    ("LEFT RIGHT", "a", "bcd", "xya"),
    ("RIGHT LEFT", "d", "abc", "dxy"),
    ("LEFT LEFT COUNT 2 OBO", "ba", "cd", "baxy"),
    ("LEFT LEFT COUNT 2 BULK", "ab", "cd", "abxy"),
    ("LEFT RIGHT COUNT 2 OBO", "ab", "cd", "xyab"),
    ("LEFT RIGHT COUNT 2 BULK", "ab", "cd", "xyab"),
    ("RIGHT RIGHT COUNT 3 OBO", "dcb", "a", "xydcb"),
    ("RIGHT RIGHT COUNT 3 BULK", "bcd", "a", "xybcd"),
    ("RIGHT LEFT EXACTLY 2 OBO", "cd", "ab", "cdxy"),
    ("RIGHT LEFT EXACTLY 4 BULK", "abcd", "", "abcdxy"),
    ("left right count 100 bulk", "abcd", "", "xyabcd"),
]


@pytest.mark.parametrize(("words", "moved", "source", "destination"), MOVES)
def test_lmovem(db: Db, words: str, moved: str, source: str, destination: str) -> None:
    db.rpush("s", *"abcd")
    db.rpush("d", *"xy")
    assert db.execute("LMOVEM", "s", "d", *words.split()) == [letter.encode() for letter in moved]
    assert (row(db, "s"), row(db, "d")) == (source.encode(), destination.encode())
    assert db.exists("s") == bool(source)


# the same list on both sides (abcd)
ROTATIONS = [
    ("LEFT RIGHT", "bcda"),
    ("RIGHT LEFT", "dabc"),
    ("LEFT LEFT", "abcd"),
    ("LEFT RIGHT COUNT 3 BULK", "dabc"),
    ("LEFT RIGHT COUNT 9 OBO", "abcd"),
    ("RIGHT LEFT COUNT 2 OBO", "cdab"),
    ("LEFT LEFT EXACTLY 2 OBO", "bacd"),
    ("LEFT LEFT EXACTLY 2 BULK", "abcd"),
    ("RIGHT RIGHT COUNT 9 OBO", "dcba"),
]


@pytest.mark.parametrize(("words", "after"), ROTATIONS)
def test_lmovem_within_a_list(db: Db, words: str, after: str) -> None:
    db.rpush("l", *"abcd")
    db.expire("l", 100)
    db.execute("LMOVEM", "l", "l", *words.split())
    assert (row(db, "l"), db.ttl("l")) == (after.encode(), 100)


def test_lmovem_exactly_moves_all_or_nothing(db: Db) -> None:
    db.rpush("s", *"ab")
    assert db.lmovem("s", "d", exactly=3, ordering="BULK") is None
    assert (row(db, "s"), db.exists("d")) == (b"ab", 0)
    assert db.lmovem("s", "d", exactly=2, ordering="BULK") == [b"a", b"b"]


def test_lmovem_without_a_source(db: Db) -> None:
    assert db.lmovem("s", "d") == []
    assert db.lmovem("s", "d", count=5, ordering="BULK") == []
    assert db.lmovem("s", "d", exactly=5, ordering="BULK") is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("LEFT", "wrong number of arguments for 'lmovem' command"),
        ("LEFT RIGHT COUNT 2", "syntax error"),
        ("LEFT RIGHT COUNT 2 OBO more", "syntax error"),
        ("LEFT RIGHT SOME 2 OBO", "syntax error"),
        ("LEFT RIGHT COUNT 2 ALL", "syntax error"),
        ("UP RIGHT COUNT 2 OBO", "syntax error"),
        ("LEFT RIGHT COUNT 0 BULK", "count should be greater than 0"),
        ("LEFT RIGHT EXACTLY -1 BULK", "count should be greater than 0"),
        ("LEFT RIGHT COUNT x BULK", "count should be greater than 0"),
    ],
)
def test_lmovem_refuses(db: Db, words: str, message: str) -> None:
    db.rpush("s", *"abc")
    with pytest.raises(ResponseError, match=message):
        db.execute("LMOVEM", "s", "d", *words.split())
    assert row(db, "s") == b"abc"


def test_lmovem_typed_options_belong_together(db: Db) -> None:
    for options in ({"count": 1}, {"ordering": "OBO"}):
        with pytest.raises(ResponseError, match="syntax error"):
            db.lmovem("s", "d", **options)
    with pytest.raises(ResponseError, match="syntax error"):
        db.lmovem("s", "d", count=1, exactly=1, ordering="OBO")


def test_a_move_to_another_type_moves_nothing(db: Db) -> None:
    db.rpush("s", *"ab")
    db.set("d", "text")
    with pytest.raises(WrongTypeError):
        db.lmove("s", "d")
    assert (row(db, "s"), db.get("d")) == (b"ab", b"text")
    assert db.lmove("missing", "d") is None  # the destination is not even looked at


def test_lmove_has_redis_py_defaults(db: Db) -> None:
    db.rpush("s", *"ab")
    assert (db.lmove("s", "d"), db.rpoplpush("s", "d"), row(db, "d")) == (b"a", b"b", b"ba")


# looking and changing ----------------------------------------------------------------------------


def test_lindex_converts_late(db: Db) -> None:
    assert db.execute("LINDEX", "missing", "no number") is None
    db.rpush("l", *"abc")
    assert (db.lindex("l", 0), db.lindex("l", "-1"), db.lindex("l", 3)) == (b"a", b"c", None)
    with pytest.raises(ResponseError, match="not an integer"):
        db.lindex("l", "x")


def test_lpos(db: Db) -> None:
    db.rpush("l", *"abcabca")
    assert (db.lpos("l", "a"), db.lpos("l", "a", rank=2), db.lpos("l", "a", rank=-1)) == (0, 3, 6)
    assert db.lpos("l", "a", count=0) == [0, 3, 6]
    assert db.lpos("l", "a", rank=-1, count=2) == [6, 3]
    assert db.lpos("l", "c", maxlen=2) is None
    assert (db.lpos("missing", "a"), db.lpos("missing", "a", count=1)) == (None, [])
    with pytest.raises(ResponseError, match="RANK can't be zero"):
        db.lpos("l", "a", rank=0)


def test_lset_linsert_lrem_ltrim(db: Db) -> None:
    db.rpush("l", *"abcabc")
    db.lset("l", -1, "z")
    assert db.linsert("l", "after", "b", "-") == 7
    assert (db.linsert("l", "BEFORE", "?", "-"), db.linsert("missing", "BEFORE", "a", "b")) == (
        -1,
        0,
    )
    assert row(db, "l") == b"ab-cabz"
    assert (db.lrem("l", 1, "a"), db.lrem("l", -1, "b"), db.lrem("l", 0, "?")) == (1, 1, 0)
    assert row(db, "l") == b"b-caz"
    db.ltrim("l", 1, -2)
    assert row(db, "l") == b"-ca"
    db.ltrim("l", 5, 9)
    assert db.exists("l") == 0


@pytest.mark.parametrize("count", [0, 3, 9, -3])
def test_lrem_of_everything_deletes_the_key(db: Db, count: int) -> None:
    db.rpush("l", "a", "a", "a")
    assert (db.lrem("l", count, "a"), db.exists("l")) == (3, 0)


def test_another_type(db: Db) -> None:
    db.set("s", "x")
    for words in ("LLEN s", "LPOP s", "RPUSH s 1", "LPUSHX s 1", "LRANGE s 0 1", "LTRIM s 0 1",
                  "LREM s 0 a", "LINSERT s BEFORE a b", "LSET s 0 a", "LPOS s a",
                  "LMPOP 1 s LEFT", "LMOVE s d LEFT LEFT", "LMOVEM s d LEFT LEFT"):  # fmt: skip
        with pytest.raises(WrongTypeError):
            db.execute(*words.split())


def test_text_in_text_out() -> None:
    with minidis.open(decode_responses=True) as db:
        db.rpush("l", "ä", "b")
        assert db.lrange("l", 0, -1) == ["ä", "b"]
        assert db.lmpop(1, "l", direction="LEFT") == ["l", ["ä"]]


# growth ------------------------------------------------------------------------------------------


def seconds(call: Callable[[], object], times: int = 200) -> float:
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        for _ in range(times):
            call()
        best = min(best, time.perf_counter() - start)
    return best / times


def test_the_ends_do_not_feel_the_length(db: Db) -> None:
    db.rpush("small", *range(1000))
    db.rpush("large", *range(300_000))
    calls: list[Callable[[str], object]] = [
        lambda key: (db.lpop(key), db.lpush(key, "x")),
        lambda key: (db.rpop(key), db.rpush(key, "x")),
        lambda key: db.lmove(key, key),
        lambda key: db.rpoplpush(key, key),
        lambda key: db.lrange(key, 0, 9),
        lambda key: db.lrange(key, -10, -1),
        lambda key: db.lindex(key, 500),
        lambda key: (db.rpush(key, "x"), db.ltrim(key, 0, -2)),
    ]
    for call in calls:
        small, large = (seconds(lambda call=call, key=key: call(key)) for key in ("small", "large"))
        assert large < 10 * small + 50e-6
