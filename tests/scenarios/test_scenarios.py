"""Scenarios of several sessions: a minidis server behaves like a real one. Tests of the tools."""

from __future__ import annotations

from pathlib import Path

import pytest

from minidis.replies import Status
from tests.oracle.resp import (
    BigNumber,
    Buffer,
    Error,
    Map,
    Members,
    NullArray,
    Push,
    Reply,
    Verbatim,
)
from tests.sampling import sampled
from tests.scenarios.compare import (
    Live,
    Recorded,
    Source,
    StaleRecording,
    differences,
    outdated,
    save,
)
from tests.scenarios.language import LanguageError, Run, all_runs, parse
from tests.scenarios.permitted import DIFFERENCES, MASKS, masked, tidied
from tests.scenarios.runner import DATA, Stage, Transcript, play, rendered

RUNS = all_runs()
by_name = pytest.mark.parametrize("run", sampled(RUNS, every=10), ids=lambda run: run.name)


# the comparison -----------------------------------------------------------------------------------


@by_name
def test_scenario(run: Run, real: Source, minidis_server: Stage) -> None:
    theirs = real.transcript(run)
    found = differences(run, play(run, minidis_server), theirs)
    assert not found, "\n".join([run.name, *found])


@by_name
def test_scenario_makes_sense(run: Run, real: Source) -> None:
    """On a real server nothing remains unanswered, and what is permitted is needed."""
    theirs = real.transcript(run)
    assert not theirs.troubles()
    assert not outdated(run, theirs)
    assert theirs.received[DATA]


@pytest.mark.slow
def test_recorded_answers_are_those_of_a_server(live: Live) -> None:
    recorded = Recorded()
    assert set(recorded.plays) == {run.name for run in RUNS}
    stale = [run.name for run in RUNS if not recorded.fits(run)]
    assert not stale, f"run python -m tests.scenarios.report --record: {stale}"
    for run in RUNS:
        assert recorded.transcript(run).received == live.transcript(run).received, run.name


def test_titles_are_unique_and_reasons_are_given() -> None:
    names = [run.name for run in RUNS]
    assert len(set(names)) == len(names) > 500
    reasons = {run.scenario.because for run in RUNS} - {""}
    assert reasons == set(DIFFERENCES)
    for run in RUNS:
        assert bool(run.scenario.because) == bool(run.scenario.expected), run.name
        assert run.scenario.expected.keys() <= set(run.scenario.sessions)
    assert all(why.endswith(".") for why in [*DIFFERENCES.values(), *(mask.why for mask in MASKS)])


# the tools ----------------------------------------------------------------------------------------


def run_of(text: str, protocol: int = 2) -> Run:
    (scenario,) = parse("made up", text)
    return Run(scenario, protocol)


def test_language() -> None:
    run = run_of(
        "# title\n# a comment\nprotocol 3\nA2:\nB... BLPOP q 0\nA: SET a $B | GET a\n"
        'C+\nC< "*1\\r\\n" x\nwait 5ms\nA!\nbecause overwritten\nA => "x"\nA => +OK\n'
    )
    scenario = run.scenario
    assert (scenario.title, scenario.protocols, scenario.pins) == ("title", (3,), {"A": 2})
    assert [step.manner for step in scenario.steps] == ["...", ":", "+", "<", "wait", "!"]
    assert scenario.steps[1].commands == ((b"SET", b"a", b"$B"), (b"GET", b"a"))
    assert scenario.steps[3].raw == b"*1\r\nx"
    assert (scenario.sessions, scenario.connecting) == (["A", "B", "C"], {"C"})
    assert scenario.expected == {"A": ['"x"', "+OK"]}
    assert (run.protocol_of("A"), Run(scenario, 3).protocol_of("B")) == (2, 3)


@pytest.mark.parametrize(
    "text", ["A: PING", "# t\nPING", "# t\nA:", "# t\nA? PING", "# t\nwait long", "# t\nA2"]
)
def test_lines_that_are_not_of_the_language(text: str) -> None:
    with pytest.raises(LanguageError):
        parse("made up", text)


def test_parameters_that_have_to_be_put_back() -> None:
    text = "# t\nA: CONFIG SET a 1 b 2 | config set c 3 | CONFIG GET d | SET e 1\nB: CONFIG SET a 9"
    assert run_of(text).scenario.parameters() == [b"a", b"b", b"c"]


REPLIES: list[tuple[bytes, Reply, str]] = [
    (b"+OK\r\n", Status("OK"), "+OK"),
    (b"-ERR x\r\n", Error("ERR x"), "-ERR x"),
    (b":-5\r\n", -5, "-5"),
    (b"$3\r\na\n\xff\r\n", b"a\n\xff", '"a\\n\\xff"'),
    (b"$0\r\n\r\n", b"", '""'),
    (b"$-1\r\n", None, "nil"),
    (b"_\r\n", None, "nil"),
    (b"*-1\r\n", NullArray(), "nil array"),
    (b"*2\r\n:1\r\n$1\r\na\r\n", [1, b"a"], '[1, "a"]'),
    (b"%2\r\n+b\r\n:1\r\n+a\r\n:2\r\n", Map([["b", 1], ["a", 2]]), "{+a: 2, +b: 1}"),
    (b"~2\r\n:2\r\n:1\r\n", Members([2, 1]), "~{1, 2}"),
    (b">2\r\n+x\r\n:1\r\n", Push(["x", 1]), ">[+x, 1]"),
    (b",1.5\r\n", 1.5, ",1.5"),
    (b",-inf\r\n", float("-inf"), ",-inf"),
    (b"#t\r\n", True, "#t"),
    (b"#f\r\n", False, "#f"),
    (b"(123456789012345678901\r\n", BigNumber(123456789012345678901), "(123456789012345678901"),
    (b"=7\r\ntxt:abc\r\n", Verbatim(b"txt:abc"), '="txt:abc"'),
    (b"|1\r\n+ttl\r\n:5\r\n:1\r\n", 1, "1"),
    (b"*2\r\n|1\r\n+ttl\r\n:5\r\n:1\r\n:2\r\n", [1, 2], "[1, 2]"),
]


@pytest.mark.parametrize(("wire", "reply", "shown"), REPLIES, ids=lambda value: repr(value)[:20])
def test_replies_whole_and_byte_by_byte(wire: bytes, reply: Reply, shown: str) -> None:
    (whole,) = Buffer().feed(wire)
    assert (type(whole), rendered(whole)) == (type(reply), shown)
    assert isinstance(reply, NullArray) or whole == reply
    slow = Buffer()
    pieces = [found for byte in wire + b":7\r\n" for found in slow.feed(bytes([byte]))]
    assert [rendered(found) for found in pieces] == [shown, "7"]
    assert slow.rest() == b""


def test_what_is_no_resp() -> None:
    with pytest.raises(ValueError, match="no reply begins like this"):
        Buffer().feed(b"HTTP/1.1 400\r\n")
    half = Buffer()
    assert half.feed(b"*2\r\n:1\r\n") == []
    assert half.rest() == b"*2\r\n:1\r\n"


LINE = b"id=7 addr=/x:0 laddr=/x:0 fd=8 name=me age=3 redir=9 lib-name=py user=default\n"

MASKED: list[tuple[Reply, str, str]] = [
    (LINE + LINE.replace(b"id=7", b"id=5"), "CLIENT LIST", '"id=A addr=* laddr=* fd=* name=me '),
    (Status('1700000000.123456 [3 unix:/x] "GET" "a"'), "MONITOR", '+* [3 *] "GET" "a"'),
    (b"# Server\r\nredis_version:7\r\n\r\n# CPU\r\nx:1\r\n", "INFO", '"Server CPU"'),
    (Verbatim(b"txt:# CPU\r\nx:1\r\n"), "INFO", '="txt:CPU"'),
    (7, "CLIENT ID", "+<id of A>"),
    (7, "LLEN l", "7"),
    ([b"b", b"a"], "ACL CAT", '["a", "b"]'),
    ([b"b", b"a"], "LRANGE l 0 -1", '["b", "a"]'),
    (
        Map([[b"age-seconds", b"1.5"], [b"entry-id", 4]]),
        "ACL LOG",
        '{"age-seconds": "*", "entry-id": "*"}',
    ),
    ([b"count", 7, b"age-seconds", b"2"], "ACL", '["count", +<id of A>, "age-seconds", "*"]'),
]


@pytest.mark.parametrize(("reply", "asked", "shown"), MASKED, ids=lambda value: repr(value)[:20])
def test_masks(reply: Reply, asked: str, shown: str) -> None:
    words = tuple(word.encode() for word in asked.split())
    found = rendered(masked(reply, {7: "A", 9: "B"}, {words}))
    assert found.startswith(shown) if isinstance(reply, bytes) else found == shown
    if reply is MASKED[0][0]:
        assert found.endswith('redir=B lib-name=py user=default\\n"') and "id=5" not in found


def test_messages_through_several_patterns_have_no_order() -> None:
    line = '["pmessage", "{}", "channel", "{}"]'.format
    lines = [line("b", 1), line("a", 1), line("a", 2), "+OK", line("b", 3), line("a", 3)]
    expected = [line("a", 1), line("b", 1), line("a", 2), "+OK", line("a", 3), line("b", 3)]
    assert tidied(lines) == expected


def test_differences_are_seen() -> None:
    run = run_of('# t\nA: X\nB: X\nbecause overwritten\nB => "ours"\n')
    real = Transcript({"A": ["1", "2"], "B": ['"theirs"'], DATA: ["d"]})
    same = {"A": ["1", "2"], "B": ['"ours"'], DATA: ["d"]}
    assert differences(run, Transcript(same), real) == []
    for letter, entries in [("A", ["2", "1"]), ("A", ["1"]), ("B", ['"theirs"']), (DATA, ["e"])]:
        found = differences(run, Transcript({**same, letter: entries}), real)
        assert found and found[0].startswith(f"{letter} should have received")
    assert outdated(run, real) == []
    assert outdated(run, Transcript(same)) == ["B"]


def test_recordings(tmp_path: Path) -> None:
    path = tmp_path / "recorded.json.gz"
    run, other = run_of("# t\nA: PING"), run_of("# t\nA: PONG")
    save({run: Transcript({"A": ["+PONG"]})}, path)
    assert Recorded(path).transcript(run).received == {"A": ["+PONG"]}
    with pytest.raises(StaleRecording, match="--record"):
        Recorded(path).transcript(other)


#: Plays that go wrong, and what the transcript says of it.
WRONG = [
    ("# t\nA... PING", "was to wait, but does not"),
    ("# t\nA- PING", "was to get no answer"),
    ("# t\nA: BLPOP q 0", "no answer within"),
    ('# t\nA<- "*1\\r\\n$100\\r\\n"', "PING at the end"),
    ("# t\nA: PING\nA... BLPOP q 0\nA?", "nothing came within"),
]


@pytest.mark.parametrize(("text", "trouble"), WRONG)
def test_troubles_are_told(
    text: str, trouble: str, live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.scenarios.runner.PATIENCE", 0.05)
    (told,) = live.transcript(run_of(text)).troubles()
    assert trouble in told


def test_the_stage_is_left_as_it_was(live: Live) -> None:
    text = (
        "# t\nC... BLPOP q 0\nA: CONFIG SET notify-keyspace-events KEA requirepass x\n"
        "A: ACL SETUSER bob on | ACL SETUSER default -get resetkeys ~b resetchannels\n"
        "A: CLIENT PAUSE 100000 WRITE\nB... SET b 1"
    )
    ask = live.stage.ask
    before = [ask("ACL", "LIST"), ask("CONFIG", "GET", "notify*"), ask("DBSIZE")]
    transcript = live.transcript(run_of(text))
    assert "[was still waiting]" in transcript.received["C"]
    assert [ask("ACL", "LIST"), ask("CONFIG", "GET", "notify*"), ask("DBSIZE")] == before
    assert ask("SET", "b", "1") == "OK"
    ask("FLUSHALL")


#: What DEBUG PROTOCOL writes in RESP3.
EVERY_TYPE = {
    "string": '"Hello World"',
    "integer": "12345",
    "double": ",3.141",
    "null": "nil",
    "array": "[0, 1, 2]",
    "set": "~{0, 1, 2}",
    "map": "{0: #f, 1: #t, 2: #f}",
    "true": "#t",
    "false": "#f",
    "bignum": "(1234567999999999999999999999999999999",
    "verbatim": '="txt:This is a verbatim\\nstring"',
    "attrib": '"Some real reply following the attribute"',
    "push": '>["server-cpu-usage", 42]',
}


@pytest.mark.parametrize(("kind", "shown"), EVERY_TYPE.items())
def test_every_type_as_a_server_writes_it(kind: str, shown: str, live: Live) -> None:
    run = run_of(f"# t\nA: DEBUG PROTOCOL {kind}", 3)
    assert shown in live.transcript(run).received["A"]
