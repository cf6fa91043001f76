"""redis-benchmark with a minidis server: every usual test ends, with a figure (not judged)."""

from __future__ import annotations

import csv
import io
import subprocess

import pytest

from tests.clients.backends import Backend, program

pytestmark = pytest.mark.slow

TESTS = [
    "ping", "get", "set", "incr", "lpush", "rpush", "lpop", "rpop", "sadd", "hset", "spop", "zadd",
    "zpopmin", "lrange", "mset",
]  # fmt: skip
#: What it calls them.
TITLES = {
    "PING_INLINE", "PING_MBULK", "GET", "SET", "INCR", "LPUSH", "RPUSH", "LPOP", "RPOP", "SADD",
    "HSET", "SPOP", "ZADD", "ZPOPMIN", "LPUSH (needed to benchmark LRANGE)",
    "LRANGE_100 (first 100 elements)", "LRANGE_300 (first 300 elements)",
    "LRANGE_500 (first 500 elements)", "LRANGE_600 (first 600 elements)", "MSET (10 keys)",
}  # fmt: skip


def benchmark(place: Backend, *words: str) -> dict[str, float]:
    """Run it; requests per second by test."""
    done = subprocess.run(
        [program("redis-benchmark"), "-p", str(place.port), "--csv", *words],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done
    shown = done.stdout + done.stderr
    assert "Error" not in shown and "Could not fetch" not in shown
    rows = csv.DictReader(io.StringIO(done.stdout))
    return {row["test"]: float(row["rps"]) for row in rows}


@pytest.mark.parametrize("pipeline", ["1", "16"])
def test_every_usual_test(place: Backend, pipeline: str) -> None:
    words = ["-t", ",".join(TESTS), "-n", "320", "-c", "50", "-P", pipeline, "-r", "100"]
    figures = benchmark(place, *words)
    assert figures.keys() == TITLES
    assert all(figure > 0 for figure in figures.values())


@pytest.mark.parametrize(
    "words",
    [
        ["--threads", "2"],
        ["-3"],
        ["-d", "100000"],
        ["-k", "0", "-n", "100"],
        ["--dbnum", "5"],
        ["-r", "1000"],
    ],
    ids=" ".join,
)
def test_ways_to_connect(place: Backend, words: list[str]) -> None:
    figures = benchmark(place, "-t", "get,set", "-n", "500", "-c", "50", "-P", "4", *words)
    assert figures.keys() == {"GET", "SET"} and min(figures.values()) > 0


def test_random_keys_arrive(place: Backend) -> None:
    benchmark(place, "-t", "set", "-n", "2000", "-r", "20", "-P", "16", "-q")
    keys = place.execute("KEYS", "*")
    assert 2 < len(keys) <= 20 and all(key.startswith(b"key:0000000000") for key in keys)


def test_a_command_of_its_own_choice(place: Backend) -> None:
    figures = benchmark(place, "-n", "200", "-r", "10", "hset", "h:__rand_int__", "f", "v")
    assert len(figures) == 1 and 1 < place.execute("DBSIZE") <= 10


def test_with_a_password(place: Backend) -> None:
    place.execute("CONFIG", "SET", "requirepass", "secret")
    assert benchmark(place, "-t", "set", "-n", "100", "-a", "secret").keys() == {"SET"}
    place.execute("ACL", "SETUSER", "ann", "on", ">pw", "~*", "+@all")
    assert benchmark(place, "-t", "set", "-n", "100", "--user", "ann", "-a", "pw").keys() == {"SET"}
