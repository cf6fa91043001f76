"""redis-cli with a minidis server: what people type, pipe and script."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.calls import PATIENCE
from tests.clients.backends import Backend, program
from tests.oracle.resp import pack

pytestmark = pytest.mark.slow

#: No file in a home directory, and no password from the environment.
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name != "REDISCLI_AUTH"},
    "REDISCLI_HISTFILE": os.devnull,
}
MANY = 2000


def run(place: Backend, *words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Start redis-cli with these arguments and let it end."""
    return subprocess.run(
        [program("redis-cli"), "-h", place.host, "-p", str(place.port), *words],
        input=given,
        capture_output=True,
        timeout=PATIENCE,
        env=ENVIRONMENT,
        check=False,
    )


def cli(place: Backend, *words: str, given: str = "") -> str:
    """What it prints; it must end well."""
    done = run(place, *words, given=given.encode())
    assert done.returncode == 0, done
    return done.stdout.decode().rstrip("\n")


@contextmanager
def running(place: Backend, *words: str) -> Iterator[subprocess.Popen[str]]:
    """redis-cli in the background, killed at the end."""
    process = subprocess.Popen(
        [program("redis-cli"), "-h", place.host, "-p", str(place.port), *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def lines(process: subprocess.Popen[str], number: int) -> list[str]:
    """The next lines that it prints."""
    assert process.stdout is not None
    return [process.stdout.readline().rstrip("\n") for _ in range(number)]


ONE_SHOT = [
    ("SET a 1", "OK"),
    ("INCR n", "1"),
    ("GET nothing", ""),
    ("RPUSH l a b c", "3"),
    ("--csv LRANGE l 0 -1", '"a","b","c"'),
    ("-d , LRANGE l 0 -1", "a,b,c"),
    ("--no-raw LRANGE l 0 -1", '1) "a"\n2) "b"\n3) "c"'),
    ("--no-raw GET nothing", "(nil)"),
    ("HSET h f v g 1", "2"),
    ("--no-raw HGETALL h", '1) "f"\n2) "v"\n3) "g"\n4) "1"'),
    ("-3 --no-raw HGETALL h", '1# "f" => "v"\n2# "g" => "1"'),
    ("ZADD z 1.5 m 2 n", "2"),
    ("-3 --no-raw ZSCORE z m", "(double) 1.5"),
    ("-3 --no-raw ZRANGE z 1 1 WITHSCORES", '1) 1) "n"\n   2) (double) 2'),
    ("SADD s x", "1"),
    ("-3 --no-raw SMEMBERS s", '1~ "x"'),
    ("-n 3 DBSIZE", "0"),
    ("--quoted-input SET \"\\x00a\" b", "OK"),
    ("--quoted-input STRLEN \"\\x00a\"", "1"),
    ("OBJECT ENCODING a", "int"),
    ("-r 3 INCR n", "2\n3\n4"),
]  # fmt: skip


def test_one_command_each(place: Backend) -> None:
    assert [cli(place, *words.split(" ")) for words, _ in ONE_SHOT] == [out for _, out in ONE_SHOT]


def test_json(place: Backend) -> None:
    cli(place, given="HSET h f v\nZADD z 1.5 m\nRPUSH l a 1\nSADD s x\n")
    commands = ["HGETALL h", "ZRANGE z 0 -1 WITHSCORES", "LRANGE l 0 -1", "SMEMBERS s", "GET no"]
    answers = [json.loads(cli(place, "--json", *words.split())) for words in commands]
    assert answers == [{"f": "v"}, [["m", 1.5]], ["a", "1"], ["x"], None]


def test_database_address_and_unix_socket(place: Backend) -> None:
    assert cli(place, "-n", "3", "SET", "in", "three") == "OK"
    assert cli(place, "-u", f"{place.url}/3", "GET", "in") == "three"
    assert cli(place, "-s", place.path, "-n", "3", "GET", "in") == "three"
    refused = run(place, "-n", "99", "PING")
    assert b"DB index is out of range" in refused.stdout + refused.stderr


def test_value_from_standard_input(place: Backend) -> None:
    assert cli(place, "-x", "SET", "k", given="all of this\nand that") == "OK"
    assert place.execute("GET", "k") == b"all of this\nand that"
    assert cli(place, "-X", "TAG", "SET", "TAG", "name", given="key") == "OK"
    assert place.execute("GET", "key") == b"name"


def test_commands_from_standard_input(place: Backend) -> None:
    shown = cli(place, given="SET x 1\nGET x\nBAD\nINCR x\nSELECT 2\nGET x\n")
    assert shown.splitlines() == [
        "OK", "1", "ERR unknown command 'BAD', with args beginning with: ", "", "2", "OK",
    ]  # fmt: skip


def test_transaction_from_standard_input(place: Backend) -> None:
    shown = cli(place, given="MULTI\nSET m 1\nINCR m\nEXEC\nMULTI\nSET m\nEXEC\nMULTI\nDISCARD\n")
    assert shown.splitlines() == [
        "OK", "QUEUED", "QUEUED", "OK", "2",
        "OK", "ERR wrong number of arguments for 'set' command", "",
        "EXECABORT Transaction discarded because of previous errors.", "",
        "OK", "OK",
    ]  # fmt: skip


def test_mass_insertion(place: Backend) -> None:
    commands = [[b"SET", b"key:%d" % n, b"v" * (n % 50)] for n in range(MANY)]
    done = run(place, "--pipe", given=pack([*commands, [b"LPUSH", b"key:0", b"v"]]))
    assert done.returncode == 1  # since there was an error
    assert b"errors: 1, replies: %d" % (MANY + 1) in done.stdout
    assert place.execute("DBSIZE") == MANY
    done = run(place, "--pipe", given=b"SET inline 1\r\nGET inline\r\n")
    assert b"errors: 0, replies: 2" in done.stdout


def test_scan(place: Backend) -> None:
    place.control.ask([[b"SET", b"key:%d" % n, b"v"] for n in range(MANY)])
    found = cli(place, "--scan", "--pattern", "key:1*").split()
    assert sorted(found) == sorted(f"key:{n}" for n in range(MANY) if str(n)[0] == "1")
    assert len(set(cli(place, "--scan").split())) == MANY


def test_biggest_keys(place: Backend) -> None:
    place.control.ask([[b"SET", b"key:%d" % n, b"v"] for n in range(50)])
    place.control.ask([[b"RPUSH", b"long", *[b"x"] * 9], [b"RPUSH", b"short", b"x"]])
    place.control.ask([[b"HSET", b"h", b"f", b"v"], [b"XADD", b"x", b"*", b"f", b"v"]])
    place.control.ask([[b"SADD", b"s", b"a", b"b"], [b"ZADD", b"z", b"1", b"a"]])
    shown = cli(place, "--bigkeys")
    assert "Sampled 56 keys in the keyspace!" in shown
    assert "Biggest   list found '\"long\"' has 9 items" in shown
    assert "Biggest    set found '\"s\"' has 2 members" in shown
    assert "1 streams with 1 entries" in shown


def test_subscribe(place: Backend) -> None:
    with running(place, "--csv", "SUBSCRIBE", "news") as listener:
        assert lines(listener, 2)[1] == '"subscribe","news",1'
        assert cli(place, "PUBLISH", "news", "hello") == "1"
        assert lines(listener, 1) == ['"message","news","hello"']
    assert cli(place, "-3", "PUBLISH", "other", "hello") == "0"


def test_pattern_with_pushes(place: Backend) -> None:
    with running(place, "-3", "--csv", "PSUBSCRIBE", "n*") as listener:
        place.wait_for(1, psub="1")
        place.execute("PUBLISH", "news", "hello")
        received = ['"psubscribe","n*",1', '"pmessage","n*","news","hello"']
        assert lines(listener, 3)[1:] == received


def test_monitor(place: Backend) -> None:
    with running(place, "MONITOR") as watcher:
        assert lines(watcher, 1) == ["OK"]
        assert cli(place, "SET", "a", 'b "c"\n') == "OK"
        # redis-cli itself asks for COMMAND DOCS only when it talks to a person.
        (line,) = lines(watcher, 1)
    assert re.fullmatch(r'\d+\.\d{6} \[0 127\.0\.0\.1:\d+\] "SET" "a" "b \\"c\\"\\n"', line)


def test_who_one_is(place: Backend) -> None:
    place.execute("ACL", "SETUSER", "ann", "on", ">secret", "~*", "+get", "+set", "+acl|whoami")
    ann = ["--no-auth-warning", "--user", "ann", "--pass", "secret"]
    assert cli(place, *ann, "ACL", "WHOAMI") == "ann"
    assert "NOPERM" in cli(place, *ann, "DEL", "k")
    place.execute("CONFIG", "SET", "requirepass", "hidden")
    assert "NOAUTH Authentication required." in cli(place, "PING")
    assert cli(place, "--no-auth-warning", "-a", "hidden", "PING") == "PONG"
    assert cli(place, "-3", "--no-auth-warning", "-a", "hidden", "PING") == "PONG"
    assert cli(place, "--no-auth-warning", "-u", f"redis://ann:secret@127.0.0.1:{place.port}",
               "ACL", "WHOAMI") == "ann"  # fmt: skip
    wrong = run(place, "--no-auth-warning", "-a", "wrong", "PING")
    assert b"WRONGPASS" in wrong.stdout + wrong.stderr


def test_exit_status(place: Backend) -> None:
    assert run(place, "NOSUCH").returncode == 0
    assert run(place, "-e", "NOSUCH").returncode == 1
    assert run(place, "-e", "PING").returncode == 0
    stopped = subprocess.run(
        [program("redis-cli"), "-s", f"{place.path}.not", "PING"],
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert stopped.returncode == 1


def test_help(place: Backend) -> None:
    helped = run(place, "--help")
    assert b"Usage: redis-cli" in helped.stdout + helped.stderr
    shown = re.sub(r"\x1b\[\d+m", "", cli(place, "help", "zadd"))
    assert "ZADD key [NX|XX] [GT|LT] [CH] [INCR] score member [score member ...]" in shown
    assert "group: sorted-set" in shown


def test_latency_for_a_moment(place: Backend) -> None:
    """Without a terminal it measures for a second, or as long as -i says, and ends."""
    shown = cli(place, "-i", "0.1", "--latency").split()
    least, most, mean, samples = map(float, shown)
    assert 0 <= least <= mean <= most and samples > 1


def test_statistics_line(place: Backend) -> None:
    place.execute("SET", "a", "1")
    with running(place, "-i", "0.01", "--stat") as watcher:
        _, heads, first, second = lines(watcher, 4)
    assert heads.split() == ["keys", "mem", "clients", "blocked", "requests", "connections"]
    assert [line.split()[0] for line in (first, second)] == ["1", "1"]
    if place.is_real:  # we count no requests
        assert int(first.split()[4]) < int(second.split()[4])


def test_information(place: Backend) -> None:
    shown = cli(place, "INFO", "server")
    assert shown.startswith("# Server\r\nredis_version:7.4.")
    assert f"tcp_port:{place.port}" in cli(place, "INFO")


def test_command_table(place: Backend) -> None:
    """What the help and the hints of redis-cli are made from."""
    count = int(cli(place, "COMMAND", "COUNT"))
    docs = json.loads(cli(place, "--json", "COMMAND", "DOCS"))
    assert count > 150 and len(docs) > 150
    assert {"summary", "since", "group", "arguments"} <= docs["set"].keys()


def test_copy_of_the_data(place: Backend, tmp_path: Path) -> None:
    """A real server sends its dump; who cannot says so and leaves no file that looks like one."""
    target = tmp_path / "dump.rdb"
    place.execute("SET", "a", "1")
    place.execute("CONFIG", "SET", "repl-diskless-sync-delay", "0")  # which only a real one knows
    done = run(place, "--rdb", str(target))
    if place.is_real:
        assert done.returncode == 0 and target.read_bytes().startswith(b"REDIS")
        return
    assert done.returncode == 1
    assert b"ERR unknown command 'SYNC'" in done.stdout + done.stderr
    assert not target.exists() or not target.read_bytes()
    assert cli(place, "GET", "a") == "1"


@pytest.mark.parametrize("words", [["EVAL", "return 1", "0"], ["--eval", os.devnull]])
def test_scripts_are_refused_in_the_usual_way(place: Backend, words: list[str]) -> None:
    done = run(place, *words)
    shown = done.stdout + done.stderr
    assert place.is_real or b"ERR unknown command 'EVAL'" in shown
    assert done.returncode == 0
