"""INFO, SHUTDOWN, WAIT and WAITAOF."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

import minidis
from minidis import Minidis, ResponseError
from minidis.grammar.command import COMMANDS
from minidis.observers.blocking import Wait
from minidis.replies import NO_REPLY, Verbatim
from minidis.server.resp_server import serve
from tests.commands.callers import Blocked, connect
from tests.commands.test_connection import error_of


def fields(text: bytes) -> dict[str, str]:
    return dict(
        line.split(":", 1) for line in text.decode().splitlines() if line and line[0] != "#"
    )


def headings(text: bytes) -> list[str]:
    return [line[2:] for line in text.decode().split("\r\n") if line.startswith("# ")]


# INFO --------------------------------------------------------------------------------------------


def test_sections_stand_apart_and_in_order(db: Minidis[bytes]) -> None:
    text = db.info()
    assert text.__class__ is Verbatim
    names = headings(text)
    assert names == [
        "Server", "Clients", "Memory", "Persistence", "Stats", "Replication", "CPU", "Modules",
        "Cluster", "Keyspace",
    ]  # fmt: skip
    assert text.startswith(b"# Server\r\n") and text.count(b"\r\n\r\n# ") == len(names) - 1
    for words in (["all"], ["default"], ["EVERYTHING"], ["server", "all"], ["nothing", "default"]):
        assert headings(db.execute("INFO", *words)) == names
    assert headings(db.execute("INFO", "keyspace", "nothing", "SERVER")) == ["Server", "Keyspace"]
    assert db.execute("INFO", "nothing") == b""


def test_text_for_a_database_of_texts() -> None:
    with minidis.open(decode_responses=True) as db:
        assert db.info("cluster") == "# Cluster\r\ncluster_enabled:0\r\n"


def test_what_clients_look_for(db: Minidis[bytes]) -> None:
    found = fields(db.info())
    expected = {
        "loading": "0", "redis_version": "7.4.1", "redis_mode": "standalone", "role": "master",
        "connected_slaves": "0", "cluster_enabled": "0", "maxmemory_policy": "noeviction",
        "process_id": str(os.getpid()), "minidis_version": minidis.__version__,
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected
    assert found["redis_version"] == minidis.REDIS_VERSION


def test_the_port_is_that_of_a_server(db: Minidis[bytes]) -> None:
    assert fields(db.info("server"))["tcp_port"] == "0"
    with serve(db, "127.0.0.1:0") as server:
        assert fields(db.info("server"))["tcp_port"] == server.address.rpartition(":")[2]
    assert fields(db.info("server"))["tcp_port"] == "0"


def test_redis_py_reads_it(db: Minidis[bytes]) -> None:
    parsers = pytest.importorskip("redis._parsers.helpers")
    db.set("a", 1, ex=100)
    found = parsers.parse_info(db.info())
    assert found["uptime_in_seconds"] == 0
    assert found["db0"] == {
        "keys": 1, "expires": 1, "avg_ttl": found["db0"]["avg_ttl"], "subexpiry": 0,
    }  # fmt: skip
    assert 90_000 < found["db0"]["avg_ttl"] <= 100_000


def test_keyspace_has_the_databases_that_hold_something() -> None:
    with minidis.open(clock=minidis.ManualClock()) as db:
        assert db.info("keyspace") == b"# Keyspace\r\n"
        db.mset({"a": 1, "b": 2, "c": 3})
        db.pexpire("a", 1000)
        db.pexpire("b", 3000)
        db.select(9)
        db.set("d", 4)
        assert fields(db.info("keyspace")) == {
            "db0": "keys=3,expires=2,avg_ttl=2000,subexpiry=0",
            "db9": "keys=1,expires=0,avg_ttl=0,subexpiry=0",
        }


def test_numbers_follow_what_happens(tmp_path: Path) -> None:
    clock = minidis.ManualClock()
    with minidis.open(tmp_path / "data", clock=clock) as db:
        before = fields(db.info())
        db.set("a", 1, px=10)
        db.get("a")
        db.get("missing")
        clock.advance(86_400 * 2 + 5)
        session, client = connect(db)
        db.engine.observers.channels.subscribe(client, b"news")
        db.engine.observers.channels.subscribe_pattern(client, b"n*")
        db.engine.observers.tracking.start(client)
        after = fields(db.info())
        changed = {
            name: after[name]
            for name in after
            if after[name] != before[name] and not name.startswith(("used_cpu_", "server_time_"))
        }
        assert changed == {
            "uptime_in_seconds": str(86_400 * 2 + 5), "uptime_in_days": "2",
            "connected_clients": "1", "pubsub_clients": "1", "tracking_clients": "1",
            "expired_keys": "1", "keyspace_hits": "1", "keyspace_misses": "1",
            "pubsub_channels": "1", "pubsub_patterns": "1",
            "rdb_changes_since_last_save": "2",
        }  # fmt: skip
        db.save()
        saved = fields(db.info("persistence"))
        assert saved["rdb_changes_since_last_save"] == "0"
        assert saved["rdb_last_save_time"] == str(clock.now() // 1000)
        session.end()


def test_blocked_clients_are_counted(db: Minidis[bytes]) -> None:
    waiting = db.session()
    call = Blocked(waiting, lambda: waiting.blpop("q"))
    found = fields(db.info("clients"))
    assert (found["blocked_clients"], found["embedded_sessions"]) == ("1", "2")
    db.rpush("q", 1)
    call.over()
    assert fields(db.info("clients"))["blocked_clients"] == "0"


# SHUTDOWN ----------------------------------------------------------------------------------------


@pytest.fixture
def served(tmp_path: Path) -> Any:
    """A directory that a program serves; `.ends` has what the program was told."""
    with minidis.open(tmp_path / "data") as db:
        db.ends = []  # type: ignore[attr-defined]
        db.engine.on_shutdown = db.ends.append  # type: ignore[attr-defined]
        db.set("a", 1)
        yield db


@pytest.mark.parametrize(
    ("words", "saves", "told"),
    [
        ("", True, None),
        ("SAVE", True, None),
        ("NOSAVE", False, False),
        ("NOW FORCE nosave", False, False),
        ("now", True, None),
    ],
)
def test_shutdown_saves_and_ends_the_program(
    served: Any, words: str, saves: bool, told: bool | None
) -> None:
    session, client = connect(served)
    assert session.execute("SHUTDOWN", *words.split()) is NO_REPLY
    assert (served.engine.store.dirty == 0) is saves
    assert served.ends == [told] and client.close_after_reply


def test_a_dump_that_cannot_be_written_stops_the_shutdown_unless_forced(
    served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise minidis.FileError("no room")

    monkeypatch.setattr(served.engine, "save", fail)
    session, client = connect(served)
    with pytest.raises(minidis.FileError, match="no room"):
        session.execute("SHUTDOWN")
    assert served.ends == [] and not client.close_after_reply
    assert session.execute("SHUTDOWN", "FORCE") is NO_REPLY
    assert served.ends == [None]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("FOO", "ERR syntax error"),
        ("SAVE NOSAVE", "ERR syntax error"),
        ("ABORT NOW", "ERR syntax error"),
        ("SAVE ABORT", "ERR syntax error"),
        ("ABORT", "ERR No shutdown in progress."),
    ],
)
def test_shutdowns_that_are_refused(served: Any, words: str, message: str) -> None:
    session, client = connect(served)
    assert error_of(session, "SHUTDOWN", *words.split()) == message
    assert served.ends == [] and not client.close_after_reply


def test_a_program_of_its_own_is_not_ended(db: Minidis[bytes]) -> None:
    assert error_of(db, "SHUTDOWN", "NOSAVE").endswith("use close() instead")
    assert db.ping() == "PONG"


# WAIT and WAITAOF --------------------------------------------------------------------------------


def test_nothing_asked_for_is_answered_at_once(db: Minidis[bytes]) -> None:
    assert [db.wait(0, 0), db.execute("WAIT", -5, 0), db.waitaof(0, 0, 0)] == [0, 0, [0, 0]]
    db.multi()
    db.execute("WAIT", 1, 0)
    db.execute("WAITAOF", 0, 1, 0)
    assert db.exec() == [0, [0, 0]]


def test_replicas_that_do_not_exist_are_waited_for(db: Minidis[bytes]) -> None:
    wait = COMMANDS["WAIT"].body(db, 1, 1500)
    assert wait.__class__ is Wait
    assert (list(wait.keys), wait.timeout, wait.timeout_reply) == ([], 1.5, 0)
    wait = COMMANDS["WAITAOF"].body(db, 0, 2, 0)
    assert (list(wait.keys), wait.timeout, wait.timeout_reply) == ([], 0, [0, 0])
    assert [db.wait(1, 1), db.waitaof(0, 1, 1)] == [0, [0, 0]]


def test_a_wait_ends_when_the_clock_is_moved() -> None:
    clock = minidis.ManualClock()
    with minidis.open(clock=clock) as db:
        waiting = db.session()
        call = Blocked(waiting, lambda: waiting.wait(1, 60_000))
        clock.advance(59)
        assert waiting.client.blocked is not None
        clock.advance(2)
        assert call.over() == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("WAIT x y", "ERR value is not an integer or out of range"),
        ("WAIT 0 x", "ERR timeout is not an integer or out of range"),
        ("WAIT 0 1.5", "ERR timeout is not an integer or out of range"),
        ("WAIT 0 -1", "ERR timeout is negative"),
        ("WAIT 1 9223372036854775807", "ERR timeout is out of range"),
        ("WAITAOF x 0 0", "ERR value is not an integer or out of range"),
        ("WAITAOF 2 0 0", "ERR value is out of range, value must between 0 and 1"),
        ("WAITAOF -1 0 0", "ERR value is out of range, value must between 0 and 1"),
        ("WAITAOF 1 x 0", "ERR value is out of range, must be positive"),
        ("WAITAOF 1 0 -5", "ERR timeout is negative"),
        ("WAITAOF 0 0 x", "ERR timeout is not an integer or out of range"),
        ("WAITAOF 1 0 0",
         "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled."),
    ],
)  # fmt: skip
def test_waits_that_are_refused(db: Minidis[bytes], words: str, message: str) -> None:
    with pytest.raises(ResponseError) as caught:
        db.execute(*words.split())
    assert str(caught.value) == message


# COMMAND -----------------------------------------------------------------------------------------


def test_flags_come_in_the_order_of_redis(db: Minidis[bytes]) -> None:
    with db.serve("127.0.0.1:0") as server:
        host, port = server.address.rsplit(":", 1)
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(b"COMMAND INFO bzpopmin\r\n")
            reply = b""
            while b"$9\r\nfind_keys" not in reply:
                reply += connection.recv(4096)
    assert b"+write\r\n+blocking\r\n+fast\r\n" in reply
    assert b"+@write\r\n+@sortedset\r\n+@fast\r\n+@blocking\r\n" in reply
    assert b"+RW\r\n+access\r\n+delete\r\n" in reply


def test_optional_arguments_that_repeat_are_documented_so(db: Minidis[bytes]) -> None:
    docs = db.command_docs("INFO")[b"info"]
    assert docs[b"arguments"][0][b"flags"] == ["optional", "multiple"]
