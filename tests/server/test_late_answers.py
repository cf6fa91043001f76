"""Answers that come late, after a pause or a wait, and clients killed meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

import minidis
from tests.calls import eventually, until_waiting
from tests.server.conftest import Wire

Bytes = minidis.Minidis[bytes]


@pytest.mark.parametrize("reply", ["RPUSH q a", "DEL none", "CLIENT UNBLOCK {id} ERROR"])
@pytest.mark.parametrize("mode", ["SKIP", "OFF"])
def test_a_late_answer_is_skipped_as_any_other(
    db: Bytes, wire: Wire, connect: Callable[[], Wire], mode: str, reply: str
) -> None:
    number = wire.ask("CLIENT ID")
    wire.say(f"CLIENT REPLY {mode}", "BLPOP q 0" if "DEL" not in reply else "BLPOP q 0.01")
    until_waiting(db, 1)
    connect().ask(reply.format(id=number))
    until_waiting(db, 0)
    wire.say(*["CLIENT REPLY ON"] * (mode == "OFF"), "ECHO next")
    if mode == "OFF":
        assert wire.receive() == "OK"
    assert wire.receive() == b"next"


def test_a_paused_answer_is_skipped(db: Bytes, wire: Wire) -> None:
    db.client_pause(3_600_000, all=False)
    wire.say("CLIENT REPLY SKIP", "SET a 1", "ECHO next")
    until_waiting(db, 1)
    db.client_unpause()
    assert wire.receive() == b"next"
    assert db.get("a") == b"1"


def test_who_was_paused_hears_of_its_own_change(db: Bytes, wire: Wire) -> None:
    wire.ask("HELLO 3", "CLIENT TRACKING ON", "GET a")
    db.client_pause(3_600_000, all=False)
    wire.say("SET a 1")
    until_waiting(db, 1)
    db.client_unpause()
    assert [wire.receive(), wire.receive()] == ["OK", [b"invalidate", [b"a"]]]


@pytest.mark.parametrize("words", ["BLPOP q 0", "SUBSCRIBE c", "MONITOR", "WATCH a", "SET a 1"])
def test_who_is_sent_away_before_its_command_runs(db: Bytes, wire: Wire, words: str) -> None:
    """The server's thread waits for the lock while another thread ends the session."""
    client = db.engine.clients.get(wire.ask("CLIENT ID"))
    assert client is not None
    begun = threading.Event()
    connection = client.connection  # type: ignore[attr-defined]
    read = connection._read
    connection._read = lambda: read() and (begun.set() or True)
    with db.engine.lock:
        wire.say(words)
        assert begun.wait(60)
        client.kill()
    assert wire.rest() == b""
    eventually(lambda: connection not in connection.thread.connections)
    assert db.rpush("q", "x") == 1
    assert db.lrange("q", 0, -1) == [b"x"]
    assert db.publish("c", "x") == 0
    assert db.get("a") is None
    assert not (
        len(db.engine.observers.blocked)
        or db.engine.clients.monitors
        or db.engine.unit.observed
        or db.engine.unit.interest
    )
    assert not db.needs_checks
