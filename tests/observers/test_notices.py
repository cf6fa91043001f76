"""Keyspace notifications: letters, classes of events, channels, and when they are sent."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import minidis
from minidis import Minidis
from minidis.errors import ResponseError
from minidis.observers import notifications
from tests.oracle import events
from tests.oracle.resp import Connection, Error
from tests.oracle.server import RealServer

COMMANDS = Path(minidis.__file__).parent / "commands"
#: What may be given to touch() and drop() under these names is an event.
TELLING = frozenset(("changed", "delete_emptied"))


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("", ""),
        ("A", "A"),
        ("KEA", "AKE"),
        ("Kg$", "g$K"),
        ("KEAm", "AKEm"),
        ("En$", "$nE"),
        ("g$lshzxetdK", "AK"),
        ("mKn", "nKm"),
        ("KEKE", "KE"),
        ("KEAmn", "AKEmn"),
    ],
)
def test_letters(given: str, shown: str) -> None:
    assert notifications.shown(notifications.parse(given)) == shown
    assert notifications.parse(shown) == notifications.parse(given)


@pytest.mark.parametrize("wrong", ["Q", "Kq", "kea", "A ", "é"])
def test_other_letters_are_refused(db: Minidis[bytes], wrong: str) -> None:
    db.config_set("notify-keyspace-events", "Kx")
    with pytest.raises(ResponseError) as refused:
        db.config_set("notify-keyspace-events", wrong)
    assert str(refused.value) == (
        "ERR CONFIG SET failed (possibly related to argument 'notify-keyspace-events') - "
        "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."
    )
    assert db.config_get("notify-keyspace-events") == {b"notify-keyspace-events": b"xK"}


def test_channels_and_their_order() -> None:
    touched = [(0, "set", b"a"), (3, "expire", b"b:c"), (0, "lpush", b"l")]
    assert list(notifications.messages(notifications.parse("KEg$"), touched)) == [
        (b"__keyspace@0__:a", b"set"),
        (b"__keyevent@0__:set", b"a"),
        (b"__keyspace@3__:b:c", b"expire"),
        (b"__keyevent@3__:expire", b"b:c"),
    ]
    assert list(notifications.messages(notifications.parse("El"), touched)) == [
        (b"__keyevent@0__:lpush", b"l")
    ]
    for nothing in ("A", "KE", "KEx", ""):
        assert list(notifications.messages(notifications.parse(nothing), touched)) == []


def test_an_event_without_class_is_general() -> None:
    touched = [(0, "something new", b"a")]
    assert list(notifications.messages(notifications.parse("Eg"), touched))
    assert not list(notifications.messages(notifications.parse("E$lshzxetdnm"), touched))


@pytest.mark.parametrize(
    ("given", "new", "misses"),
    [("KEA", 0, 0), ("KEAn", 1, 0), ("Em", 0, 1), ("nm", 0, 0), ("Knm", 1, 1)],
)
def test_what_is_asked_for_by_name(given: str, new: bool, misses: bool) -> None:
    flags = notifications.parse(given)
    assert (notifications.announces_new(flags), notifications.announces_misses(flags)) == (
        new,
        misses,
    )


def named_events() -> set[str]:
    """Names of events as they stand in the commands."""
    found = set()
    for path in COMMANDS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in TELLING:
                found |= {
                    inner.value
                    for argument in node.args[1:2]
                    for inner in ast.walk(argument)
                    if isinstance(inner, ast.Constant) and isinstance(inner.value, str)
                }
    return found


def test_every_event_of_minidis_has_a_class() -> None:
    known = named_events()
    assert len(known) > 20
    for row in events.expected().values():
        known |= {part.split()[0] for part in row.split(", ") if part}
    assert known - notifications.CLASS_OF.keys() == set()


@pytest.mark.parametrize("letter", list("g$lshz"))
def test_the_classes_are_those_of_a_server(real_server: RealServer, letter: str) -> None:
    """All cases with one class on: a server publishes the events of this class, and no others."""
    listener, caller = Connection(real_server.path, 2), Connection(real_server.path, 3)
    try:
        caller.execute("CONFIG", "SET", "notify-keyspace-events", "E" + letter)
        listener.execute("PSUBSCRIBE", "__keyevent@*__:*")
        expected = []
        for line, setup, words in events.cases():
            known = events.expected().get(line)
            if known is not None:
                told = [part.split()[0] for part in known.split(", ") if part]
                expected.append(sorted(one for one in told if is_of(letter, one)))
                found = fired(listener, caller, setup, words)
                assert sorted(found) == expected[-1], line
        assert any(expected)
    finally:
        caller.execute("CONFIG", "SET", "notify-keyspace-events", "")
        caller.execute("CONFIG", "SET", "stream-node-max-entries", "100")
        caller.execute("FLUSHALL")
        caller.close()
        listener.close()


def is_of(letter: str, event: str) -> bool:
    return bool(notifications.CLASS_OF[event] & notifications.parse(letter))


def fired(
    listener: Connection, caller: Connection, setup: list[list[bytes]], words: list[bytes]
) -> list[str]:
    """Names of the events that the command fires."""
    mark = [b"PUBLISH", b"__keyevent@0__:mark", b""]
    before = [[b"FLUSHALL"], [b"SELECT", b"0"], *setup, mark]
    answers = caller.ask([*before, words, mark])
    assert not any(isinstance(answer, Error) for answer in answers)
    found: list[list[str]] = [[]]
    while len(found) < 3:
        name = listener.receive()[2].split(b":", 1)[1].decode()
        if name == "mark":
            found.append([])
        else:
            found[-1].append(name)
    return found[1]


# in a database -----------------------------------------------------------------------------------


def heard(messages: minidis.Subscription[bytes]) -> list[str]:
    """What has come, without the beginnings of the channels."""
    found = []
    while (message := messages.get(timeout=0)) is not None:
        channel, _, name = message.channel.partition(b"__:")
        found.append(f"{channel[5:].decode()} {name.decode()} {message.data.decode()}")
    return found


def test_they_are_published_while_they_are_on(db: Minidis[bytes]) -> None:
    with db.subscribe(patterns=["__key*"]) as messages:
        db.set("a", 1)
        db.config_set("notify-keyspace-events", "KEA")
        db.set("a", 1, ex=10)
        db.lpush("a" * 2, 1)
        db.session(1).set("b", 1)
        observed = [db.engine.observed]
        db.config_set("notify-keyspace-events", "")
        db.set("a", 1)
        observed.append(db.engine.observed)
        assert heard(messages) == [
            "space@0 a set",
            "event@0 set a",
            "space@0 a expire",
            "event@0 expire a",
            "space@0 aa lpush",
            "event@0 lpush aa",
            "space@1 b set",
            "event@1 set b",
        ]
        assert observed == [True, False]


def test_they_may_be_on_from_the_beginning() -> None:
    with minidis.open(notify_keyspace_events="E$") as db:
        messages = db.subscribe("__keyevent@0__:set")
        db.mset({"a": 1, "b": 2})
        assert heard(messages) == ["event@0 set a", "event@0 set b"]


def test_expired_keys_are_told_when_the_clock_says_so() -> None:
    clock = minidis.ManualClock(100)
    with minidis.open(clock=clock, notify_keyspace_events="Ex") as db:
        messages = db.subscribe(patterns=["*"])
        db.set("a", 1, ex=10)
        clock.advance(20)
        assert heard(messages) == ["event@0 expired a"]


def test_new_keys_and_misses_if_asked_for(db: Minidis[bytes]) -> None:
    db.config_set("notify-keyspace-events", "Enm")
    with db.subscribe(patterns=["*"]) as messages:
        db.set("a", 1)
        db.set("a", 2)
        db.get("a")
        db.get("b")
        db.rename("a", "c")
        assert heard(messages) == ["event@0 new a", "event@0 keymiss b", "event@0 new c"]


def test_a_refused_command_publishes_nothing(db: Minidis[bytes]) -> None:
    db.config_set("notify-keyspace-events", "KEA")
    db.set("a", "text")
    with db.subscribe(patterns=["*"]) as messages:
        with pytest.raises(ResponseError):
            db.incr("a")
        assert heard(messages) == []


def test_the_queue_of_a_transaction_is_told_at_its_end(db: Minidis[bytes]) -> None:
    db.config_set("notify-keyspace-events", "K$g")
    with db.subscribe(patterns=["*"]) as messages:
        db.multi()
        db.set("a", 1)
        db.delete("a")
        assert heard(messages) == []
        db.exec()
        assert heard(messages) == ["space@0 a set", "space@0 a del"]
