"""RESP: requests in any portions, replies in both protocols, and the client's side of them."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from minidis.errors import MinidisError, ResponseError, WrongTypeError
from minidis.protocol import requests
from minidis.protocol.replies import (
    DEEPEST,
    INCOMPLETE,
    NULL_ARRAY,
    ProtocolError,
    ReplyReader,
    double,
    encode,
    write_each,
)
from minidis.protocol.requests import Requests, split_inline
from minidis.replies import OK, Cursor, Decimal, Push, Status, Verbatim
from tests.oracle import wire
from tests.oracle.resp import pack

READERS = ["split", "hiredis"] if requests.hiredis is not None else ["split"]
INFINITY = float("inf")


@pytest.fixture(params=READERS)
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each test runs with hiredis, if it is there, also where it would not pay, and without."""
    name: str = request.param
    if name == "split":
        monkeypatch.setattr(requests, "hiredis", None)
    else:
        monkeypatch.setattr(requests, "HIREDIS_PAYS", 0)
    return name


def heard(chunks: Iterable[bytes], **rules: Any) -> list[Any]:
    """The commands in what arrives; the sentence of a mistake as a str at the end."""
    ear = Requests(**rules)
    found: list[Any] = []
    try:
        for chunk in chunks:
            ear.feed(chunk)
            while commands := ear.take():
                found += commands
    except ProtocolError as error:
        found.append(str(error))
    return found


def single_bytes(data: bytes) -> Iterator[bytes]:
    return (data[at : at + 1] for at in range(len(data)))


# requests ----------------------------------------------------------------------------------------

SLOW = b"x" * 70_000
WELL_FORMED: list[tuple[bytes, list[list[bytes]]]] = [
    (b"*1\r\n$4\r\nPING\r\n", [[b"PING"]]),
    (b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n$4\r\nPING\r\n", [[b"GET", b"k"], [b"PING"]]),
    (b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\na\r\nb\r\n", [[b"SET", b"k", b"a\r\nb"]]),
    (b"*2\r\n$3\r\nGET\r\n$5\r\n\r\n*1\r\r\n", [[b"GET", b"\r\n*1\r"]]),
    (b"*2\r\n$3\r\nGET\r\n$0\r\n\r\n", [[b"GET", b""]]),
    (b"*0\r\n*-1\r\n\r\n  \r\n*1\r\n$4\r\nPING\r\n", [[b"PING"]]),
    (b"*4\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$0\r\n\r\n", [[b"a", b"b", b"c", b""]]),
    (b"PING\r\nPING\n", [[b"PING"], [b"PING"]]),
    (b"PING\r\n*1\r\n$4\r\nPING\r\nPING a\r\n", [[b"PING"], [b"PING"], [b"PING", b"a"]]),
    (b"*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n", [[b"PING"], [b"PING"]]),
    (b"*2\r\n$3\r\nGET\r\n$70000\r\n" + SLOW + b"\r\nPING\r\n", [[b"GET", SLOW], [b"PING"]]),
    (pack([[b"GET", b"k%d" % n] for n in range(300)]), [[b"GET", b"k%d" % n] for n in range(300)]),
]  # fmt: skip


@pytest.mark.parametrize(("data", "commands"), WELL_FORMED, ids=lambda case: repr(case)[:40])
def test_commands_in_any_portions(reader: str, data: bytes, commands: Any) -> None:
    assert heard([data]) == commands
    assert heard([data[:7], data[7:]]) == commands
    if len(data) < 5_000:
        assert heard(single_bytes(data)) == commands


MISTAKES = [
    (b"*x\r\n", "invalid multibulk length"),
    (b"*\r\n", "invalid multibulk length"),
    (b"*02\r\n", "invalid multibulk length"),
    (b"*2147483648\r\n", "invalid multibulk length"),
    (b"*-9999999999999999999\r\n", "invalid multibulk length"),
    (b"*1\r\n$-1\r\n", "invalid bulk length"),
    (b"*1\r\n$+3\r\nGET\r\n", "invalid bulk length"),
    (b"*1\r\n$1001\r\n", "invalid bulk length"),
    (b"*1\r\n$99999999999999999999\r\n", "invalid bulk length"),
    (b"*1\r\nPING\r\n", "expected '$', got 'P'"),
    (b"*2\r\n$3\r\nGET\r\n:1\r\n", "expected '$', got ':'"),
    (b"*2\r\n$3\r\nGET\r\n+k\r\n", "expected '$', got '+'"),
    (b"*2\r\n$3\r\nGET\r\n=5\r\ntxt:k\r\n", "expected '$', got '='"),
    (b"*2\r\n$3\r\nGET\r\n(12\r\n", "expected '$', got '('"),
    (b"*1\r\n*1\r\n$4\r\nPING\r\n", "expected '$', got '*'"),
    (b"*1\r\n~1\r\n$4\r\nPING\r\n", "expected '$', got '~'"),
    (b"*1\r\n\r\n", "expected '$', got '\r'"),
    (b'GET "a\r\n', "unbalanced quotes in request"),
    (b"GET 'a\r\n", "unbalanced quotes in request"),
    (b'GET "a"b\r\n', "unbalanced quotes in request"),
    (b"x" * 65537, "too big inline request"),
    (b"*" + b"1" * 65537, "too big mbulk count string"),
    (b"*1\r\n$" + b"1" * 65537, "too big bulk count string"),
]


@pytest.mark.parametrize(("data", "reason"), MISTAKES, ids=lambda case: repr(case)[:40])
def test_mistakes_have_the_sentences_of_redis(reader: str, data: bytes, reason: str) -> None:
    sentence = f"ERR Protocol error: {reason}"
    before = b"*1\r\n$4\r\nPING\r\n"
    assert heard([data], longest_word=1000) == [sentence]
    assert heard([before + data], longest_word=1000) == [[b"PING"], sentence]
    if len(data) < 100:
        assert heard(single_bytes(before + data), longest_word=1000) == [[b"PING"], sentence]


def test_a_mistake_is_final(reader: str) -> None:
    ear = Requests()
    ear.feed(b"*x\r\n")
    for _ in range(2):
        with pytest.raises(ProtocolError):
            ear.take()
        ear.feed(b"*1\r\n$4\r\nPING\r\n")


def test_lines_of_exactly_the_longest_size_wait_for_their_end(reader: str) -> None:
    assert heard([b"x" * 65536]) == []
    assert heard([b"x" * 65536, b"\r\n"]) == [[b"x" * 65536]]


STRANGERS = [
    (b"*11\r\n", ["ERR Protocol error: unauthenticated multibulk length"]),
    (b"*1\r\n$16385\r\n", ["ERR Protocol error: unauthenticated bulk length"]),
    (b"*2\r\n$4\r\nAUTH\r\n$16384\r\n" + b"p" * 16384 + b"\r\n", [[b"AUTH", b"p" * 16384]]),
]


@pytest.mark.parametrize(("data", "found"), STRANGERS, ids=lambda case: repr(case)[:40])
def test_strangers_may_send_little(reader: str, data: bytes, found: Any) -> None:
    assert heard([data], stranger=True) == found
    assert heard([data]) == ([] if isinstance(found[0], str) else found)


def test_strangers_are_read_one_command_at_a_time(reader: str) -> None:
    ear = Requests(stranger=True)
    ear.feed(pack([[b"AUTH", b"p"], [b"MGET", *[b"k"] * 20]]))
    assert ear.take() == [[b"AUTH", b"p"]]
    ear.stranger = False
    assert ear.take() == [[b"MGET", *[b"k"] * 20]]


def test_inline_words() -> None:
    assert split_inline(rb'SET a "b\x20c"') == [b"SET", b"a", b"b c"]
    with pytest.raises(ProtocolError, match="unbalanced quotes in request"):
        split_inline(b'SET "a')


def test_nothing_is_allocated_for_a_length_that_is_only_announced(reader: str) -> None:
    for data in (b"*2147483647\r\n", b"*1\r\n$500000000\r\nx", b"*1\r\n*2147483647\r\n"):
        tracemalloc.start()
        heard([data])
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 200_000


def test_a_large_word_is_not_copied_with_every_portion(reader: str) -> None:
    """Its parts stay apart until the last one has come: no buffer grows."""
    size = 8 * 1024 * 1024
    chunk = b"v" * 65536
    ear = Requests()
    ear.feed(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n" % size)
    assert ear.take() == []
    tracemalloc.start()
    for _ in range(size // len(chunk)):
        ear.feed(chunk)
        assert ear.take() == []
    assert tracemalloc.get_traced_memory()[1] < 300_000  # the chunks themselves are shared
    tracemalloc.stop()
    assert ear.pending >= size
    ear.feed(b"\r\n*1\r\n$4\r\nPING\r\n")
    (words, ping) = [*ear.take(), *ear.take()]
    assert words[2] == b"v" * size
    assert (ping, ear.pending) == ([b"PING"], 0)


def test_pending_counts_what_belongs_to_no_complete_command(reader: str) -> None:
    ear = Requests()
    ear.feed(b"*2\r\n$3\r\nGET\r\n$100\r\nabc")
    assert ear.take() == []
    assert 3 <= ear.pending <= 23
    ear.feed(b"x" * 97 + b"\r\n")
    assert ear.take() == [[b"GET", b"abc" + b"x" * 97]]
    assert ear.pending == 0


PIECES = some.sampled_from(
    [
        *(b"\r\n", b"*1", b"*2\r\n", b"*3\r\n", b"$3\r\nGET\r\n", b"$0\r\n\r\n", b"$1\r\na\r\n"),
        *(b"+a\r\n", b"=5\r\ntxt:a\r\n", b"(1\r\n", b"~1\r\n", b":1\r\n", b"_\r\n", b"*0\r\n"),
        *(b"*-1\r\n", b"$-1\r\n", b"*12345\r\n", b"'", b'"', b" ", b"\0", b"\r", b"a", b"%0\r\n"),
        *(b">1\r\n", b"*1\r\n$4\r\nPING\r\n"),
    ]
)


@settings(max_examples=300, deadline=None)
@given(some.lists(PIECES, max_size=12), some.integers(1, 9), some.booleans())
def test_the_quick_ways_never_change_what_is_heard(
    pieces: list[bytes], portion: int, stranger: bool
) -> None:
    data = b"".join(pieces)
    chunks = [data[at : at + portion] for at in range(0, len(data), portion)]
    kept = requests.hiredis, requests.HIREDIS_PAYS
    try:
        requests.HIREDIS_PAYS = 0
        with_hiredis = heard([data], stranger=stranger)
        requests.hiredis = None
        whole = heard([data], stranger=stranger)
        assert with_hiredis == whole == heard(chunks, stranger=stranger)
    finally:
        requests.hiredis, requests.HIREDIS_PAYS = kept


@settings(max_examples=100, deadline=None)
@given(
    some.lists(some.lists(some.binary(max_size=20), min_size=1, max_size=5), max_size=20),
    some.data(),
)
def test_what_is_packed_is_heard(commands: list[list[bytes]], chance: some.DataObject) -> None:
    data = pack(commands)
    cut = chance.draw(some.integers(0, len(data)))
    assert heard([data[:cut], data[cut:]]) == commands


# replies -----------------------------------------------------------------------------------------

REPLIES: list[tuple[Any, bytes, bytes]] = [
    (b"x", b"$1\r\nx\r\n", b"$1\r\nx\r\n"),
    (bytearray(b"x"), b"$1\r\nx\r\n", b"$1\r\nx\r\n"),
    (OK, b"+OK\r\n", b"+OK\r\n"),
    (Status("a\r\nb"), b"+a  b\r\n", b"+a  b\r\n"),
    (7, b":7\r\n", b":7\r\n"),
    (True, b":1\r\n", b":1\r\n"),
    (2**63, b"(9223372036854775808\r\n", b"$19\r\n9223372036854775808\r\n"),
    (None, b"_\r\n", b"$-1\r\n"),
    (NULL_ARRAY, b"_\r\n", b"*-1\r\n"),
    (1.5, b",1.5\r\n", b"$3\r\n1.5\r\n"),
    (-INFINITY, b",-inf\r\n", b"$4\r\n-inf\r\n"),
    (Decimal(b"10.60"), b"$5\r\n10.60\r\n", b"$5\r\n10.60\r\n"),
    (Cursor(5), b"$1\r\n5\r\n", b"$1\r\n5\r\n"),
    ([], b"*0\r\n", b"*0\r\n"),
    ([None, [1]], b"*2\r\n_\r\n*1\r\n:1\r\n", b"*2\r\n$-1\r\n*1\r\n:1\r\n"),
    ([(b"a", 2.0)], b"*1\r\n*2\r\n$1\r\na\r\n,2\r\n", b"*2\r\n$1\r\na\r\n$1\r\n2\r\n"),
    ([[b"a", 2.0]], b"*1\r\n*2\r\n$1\r\na\r\n,2\r\n", b"*1\r\n*2\r\n$1\r\na\r\n$1\r\n2\r\n"),
    ({b"a": {b"b": 1}}, b"%1\r\n$1\r\na\r\n%1\r\n$1\r\nb\r\n:1\r\n",
     b"*2\r\n$1\r\na\r\n*2\r\n$1\r\nb\r\n:1\r\n"),
    ({b"a"}, b"~1\r\n$1\r\na\r\n", b"*1\r\n$1\r\na\r\n"),
    (Push([b"message", 1]), b">2\r\n$7\r\nmessage\r\n:1\r\n", b"*2\r\n$7\r\nmessage\r\n:1\r\n"),
    (Verbatim(b"hi"), b"=6\r\ntxt:hi\r\n", b"$2\r\nhi\r\n"),
    (WrongTypeError("WRONGTYPE a\r\nb"), b"-WRONGTYPE a  b\r\n", b"-WRONGTYPE a  b\r\n"),
    (MinidisError("closed"), b"-ERR closed\r\n", b"-ERR closed\r\n"),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "resp3", "resp2"), REPLIES, ids=lambda case: repr(case)[:30])
def test_encode(reply: Any, resp3: bytes, resp2: bytes) -> None:
    assert encode(reply, 3) == resp3
    assert encode(reply, 2) == resp2


def test_large_texts_and_what_is_no_reply() -> None:
    large = b"v" * 100_000
    assert encode(large) == b"$100000\r\n" + large + b"\r\n"
    assert encode([large], 2) == b"*1\r\n$100000\r\n" + large + b"\r\n"
    with pytest.raises(TypeError, match="object is no reply"):
        encode([object()])


OTHERWISE: list[tuple[str, Any, bytes, bytes]] = [
    ("GET k", None, b"_\r\n", b"$-1\r\n"),
    ("blpop k 0", None, b"_\r\n", b"*-1\r\n"),
    ("LMPOP 1 k LEFT", None, b"_\r\n", b"*-1\r\n"),
    ("LPOP k", None, b"_\r\n", b"$-1\r\n"),
    ("LPOP k 2", None, b"_\r\n", b"*-1\r\n"),
    ("ZRANK k m", None, b"_\r\n", b"$-1\r\n"),
    ("ZRANK k m WITHSCORE", None, b"_\r\n", b"*-1\r\n"),
    ("EXEC", None, b"_\r\n", b"*-1\r\n"),
    ("EXEC", [None], b"*1\r\n_\r\n", b"*1\r\n$-1\r\n"),
    ("GEOPOS k a b", [None, None], b"*2\r\n_\r\n_\r\n", b"*2\r\n*-1\r\n*-1\r\n"),
    ("XPENDING k g", [0, None, None, None], b"*4\r\n:0\r\n_\r\n_\r\n_\r\n",
     b"*4\r\n:0\r\n$-1\r\n$-1\r\n*-1\r\n"),
    ("XREAD STREAMS k 0", {b"k": []}, b"%1\r\n$1\r\nk\r\n*0\r\n", b"*1\r\n*2\r\n$1\r\nk\r\n*0\r\n"),
    ("XREADGROUP GROUP g c STREAMS k 0", {b"k": [[b"1-1", None]]},
     b"%1\r\n$1\r\nk\r\n*1\r\n*2\r\n$3\r\n1-1\r\n_\r\n",
     b"*1\r\n*2\r\n$1\r\nk\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*-1\r\n"),
    ("ZSCAN k 0", [Cursor(0), [(b"m", Decimal(b"1"))]],
     *[b"*2\r\n$1\r\n0\r\n*2\r\n$1\r\nm\r\n$1\r\n1\r\n"] * 2),
    ("BLPOP k 0", WrongTypeError("WRONGTYPE x"), b"-WRONGTYPE x\r\n", b"-WRONGTYPE x\r\n"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "reply", "resp3", "resp2"), OTHERWISE, ids=repr)
def test_commands_that_answer_otherwise(line: str, reply: Any, resp3: bytes, resp2: bytes) -> None:
    words = line.encode().split()
    assert encode(reply, 3, words) == resp3
    assert encode(reply, 2, words) == resp2


def test_each_answer_of_exec_has_the_form_of_its_command() -> None:
    out: list[bytes] = []
    write_each(out, [None, None], 2, [[b"GET", b"k"], [b"BLPOP", b"k", b"0"]])
    assert b"".join(out) == b"*2\r\n$-1\r\n*-1\r\n"


DOUBLES = [
    (0.0, b"0"), (-0.0, b"-0"), (3.0, b"3"), (-17.0, b"-17"), (0.1, b"0.1"), (1e-5, b"0.00001"),
    (1e-6, b"0.000001"), (1e-7, b"1e-7"), (1.5e-7, b"1.5e-7"), (123456.789, b"123456.789"),
    (1e15, b"1000000000000000"), (2.0**52, b"4503599627370496"), (1e20, b"1e+20"),
    (1.5e300, b"1.5e+300"), (12345678901234567000.0, b"12345678901234567000"),
    (-1.25e-10, b"-1.25e-10"), (INFINITY, b"inf"), (float("nan"), b"nan"), (5e-324, b"5e-324"),
]  # fmt: skip


@pytest.mark.parametrize(("number", "text"), DOUBLES)
def test_doubles(number: float, text: bytes) -> None:
    assert double(number) == text


@given(some.floats(allow_nan=False))
def test_doubles_mean_what_they_were(number: float) -> None:
    assert float(double(number)) == number


# the client's side -------------------------------------------------------------------------------

NATURAL = some.recursive(
    some.none() | some.binary(max_size=9) | some.integers(-(2**70), 2**70)
    | some.floats(allow_nan=False) | some.builds(Status, some.sampled_from(["OK", "QUEUED"])),
    lambda inner: some.lists(inner, max_size=4)
    | some.dictionaries(some.binary(max_size=3), inner, max_size=3)
    | some.sets(some.binary(max_size=3), max_size=3),
    max_leaves=10,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(some.lists(NATURAL, max_size=3), some.integers(1, 7))
def test_what_is_encoded_is_read(replies: list[Any], portion: int) -> None:
    data = b"".join(encode(reply) for reply in replies)
    assert replies_in([data]) == replies
    assert replies_in(data[at : at + portion] for at in range(0, len(data), portion)) == replies


def replies_in(chunks: Iterable[bytes]) -> list[Any]:
    ear = ReplyReader()
    found = []
    for chunk in chunks:
        ear.feed(chunk)
        while (reply := ear.gets()) is not INCOMPLETE:
            found.append(reply)
    return found


def test_kinds_of_replies() -> None:
    data = (
        b"+OK\r\n-ERR no\r\n#t\r\n#f\r\n=7\r\ntxt:a\r\n\r\n>1\r\n+hi\r\n$-1\r\n*-1\r\n_\r\n"
        b"|1\r\n+ttl\r\n:3\r\n:5\r\n!5\r\nERR x\r\n(12345678901234567890\r\n"
        b"~1\r\n*1\r\n:1\r\n%1\r\n*0\r\n:1\r\n|0\r\n*0\r\n,inf\r\n"
    )
    for found in (replies_in([data]), replies_in(single_bytes(data))):
        ok, no, *others, failed, big, members, pairs, none, inf = found
        assert (ok.__class__, ok) == (Status, "OK")
        assert (no.__class__, str(no), str(failed)) == (ResponseError, "ERR no", "ERR x")
        assert others == [True, False, b"a\r\n", Push(["hi"]), None, None, None, 5]
        assert [other.__class__ for other in others[:4]] == [bool, bool, Verbatim, Push]
        assert (big, members, pairs, none, inf) == (
            12345678901234567890,
            [[1]],
            [([], 1)],
            [],
            INFINITY,
        )


def test_errors_inside_of_arrays_are_values() -> None:
    (reply,) = replies_in([b"*2\r\n+OK\r\n-ERR x\r\n"])
    assert reply[0] == OK
    assert isinstance(reply[1], ResponseError)


@pytest.mark.parametrize("data", [b"x\r\n", b"\r\n", b"$x\r\n", b"*1x\r\n", b":x\r\n", b"#x\r\n"])
def test_what_is_no_reply_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        replies_in([data])


def test_nesting_is_limited_not_the_stack() -> None:
    (reply,) = replies_in([b"*1\r\n" * DEEPEST + b":1\r\n"])
    for _ in range(DEEPEST):
        (reply,) = reply
    assert reply == 1
    with pytest.raises(ProtocolError, match="nested more than 128 deep"):
        replies_in([b"*1\r\n" * 100_000])


def test_a_long_reply_is_not_copied_with_every_portion() -> None:
    ear = ReplyReader()
    ear.feed(b"$8388608\r\n")
    chunk = b"v" * 65536
    tracemalloc.start()
    for _ in range(128):
        ear.feed(chunk)
        assert ear.gets() is INCOMPLETE
    assert tracemalloc.get_traced_memory()[1] < 300_000
    tracemalloc.stop()
    ear.feed(b"\r\n:1\r\n")
    assert ear.gets() == b"v" * 8388608
    assert ear.gets() == 1


COMPARED = (b"x", OK, 7, True, None, 1.5, Decimal(b"10.60"), Cursor(5), [b"a", None, [1]],
            [(b"a", 2.0)], {b"a": {b"b": 1}}, {b"a"}, WrongTypeError())  # fmt: skip


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("reply", COMPARED, ids=repr)
def test_the_oracle_sees_the_same(reply: Any, protocol: int) -> None:
    """What the comparison with a server says of a reply, and what is sent, agree."""
    (found,) = replies_in([encode(reply, protocol)])
    assert _plain(found) == _plain(wire.on_the_wire(reply, protocol))


def _plain(value: Any) -> Any:
    """Without the classes of the oracle."""
    if isinstance(value, Exception):
        return str(value)
    if isinstance(value, dict):
        return [[_plain(part) for part in pair] for pair in value.items()]
    if isinstance(value, (list, tuple, set)):
        return [_plain(item) for item in value]
    return value
