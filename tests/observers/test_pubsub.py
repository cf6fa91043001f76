"""Channels, the commands of pub/sub as a connection sees them, and the iterators for Python."""

from __future__ import annotations

import gc
import queue
import signal
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import minidis
from minidis import Minidis
from minidis.api import subscription
from minidis.api.subscription import Message, MessageQueue, MonitoredCommand
from minidis.clients.client import Client
from minidis.errors import ClosedError, ResponseError, SlowSubscriberError
from minidis.observers import channels
from minidis.observers.channels import Channels
from minidis.replies import NO_REPLY, Push
from tests.faults import Fault, interrupted

#: How long another thread may take, in seconds; it usually takes microseconds.
PATIENCE = 10


class Ear(Client):
    """A client that keeps what it is told."""

    takes_messages = True

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[list[Any]] = []

    def deliver(self, message: Any) -> None:
        self.heard.append(list(message))


class Connection:
    """A session that takes messages, as one at a server."""

    def __init__(self, db: Minidis[bytes]) -> None:
        self.ear = Ear()
        self.session = Minidis[bytes](db.engine, client=self.ear)

    def __call__(self, line: str) -> list[Any]:
        """Run a command; everything that comes: messages, and the reply if there is one."""
        self.ear.heard.clear()
        reply = self.session.execute(*line.split())
        return [*self.ear.heard, *([] if reply is NO_REPLY else [reply])]


@pytest.fixture
def connection(db: Minidis[bytes]) -> Connection:
    return Connection(db)


def in_thread(work: Callable[[], Any]) -> queue.SimpleQueue[Any]:
    """Run it in a thread; the queue gets its answer or what it raised."""
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put(work())
        except Exception as error:
            answers.put(error)

    threading.Thread(target=run, daemon=True).start()
    return answers


def until_asleep(message_queue: MessageQueue[Any]) -> None:
    """Wait until a reader waits at the queue."""
    for _ in range(10_000_000):
        if message_queue._readers:
            return
    raise AssertionError("no reader waits")


# channels ----------------------------------------------------------------------------------------


def test_a_message_finds_channel_then_patterns() -> None:
    channels, one, two = Channels(), Ear(), Ear()
    channels.subscribe_pattern(one, b"n*")
    channels.subscribe(one, b"news")
    channels.subscribe(two, b"news")
    channels.subscribe(two, b"other")
    assert channels.publish(b"news", b"hi") == 3
    assert one.heard == [[b"message", b"news", b"hi"], [b"pmessage", b"n*", b"news", b"hi"]]
    assert two.heard == [[b"message", b"news", b"hi"]]
    assert channels.publish(b"now", b"x") == 1
    assert channels.publish(b"weather", b"x") == 0


def test_shard_channels_are_a_world_of_their_own() -> None:
    channels, ear = Channels(), Ear()
    channels.subscribe_shard(ear, b"s")
    channels.subscribe_pattern(ear, b"*x")
    assert (channels.publish(b"s", b"1"), channels.publish_shard(b"s", b"2")) == (0, 1)
    assert channels.publish_shard(b"xx", b"3") == 0
    assert ear.heard == [[b"smessage", b"s", b"2"]]


def test_the_empty_channel_matches_the_empty_pattern_only() -> None:
    channels, ear = Channels(), Ear()
    for pattern in (b"*", b"**", b""):
        channels.subscribe_pattern(ear, pattern)
    assert channels.publish(b"", b"x") == 1
    assert ear.heard == [[b"pmessage", b"", b"", b"x"]]


def test_the_empty_channel_is_listed_without_a_star(db: Minidis[bytes]) -> None:
    with db.subscribe("", "a"):
        lists = [db.pubsub_channels(), db.pubsub_channels("*"), db.pubsub_channels("")]
        assert lists == [[b"", b"a"], [b"a"], [b""]]


def test_forgetting_leaves_nothing() -> None:
    channels, ear, other = Channels(), Ear(), Ear()
    for client in (ear, other):
        channels.subscribe(client, b"a")
        channels.subscribe_pattern(client, b"a*")
        channels.subscribe_shard(client, b"s")
    channels.forget(ear)
    assert (channels.publish(b"a", b""), channels.publish_shard(b"s", b"")) == (2, 1)
    assert not ear.heard and not ear.listening
    channels.forget(other)
    assert not channels._channels and not channels._patterns
    assert not channels._shards and not channels._matchers


def test_a_client_may_be_sent_away_while_it_is_told() -> None:
    channels, other = Channels(), Ear()

    class Touchy(Ear):
        def deliver(self, message: Any) -> None:
            channels.forget(self)

    touchy = Touchy()
    for client in (touchy, other):
        channels.subscribe(client, b"a")
    channels.subscribe_pattern(touchy, b"a")
    assert channels.publish(b"a", b"x") == 2
    assert other.heard == [[b"message", b"a", b"x"]]


# the commands of a connection --------------------------------------------------------------------

CONVERSATION: list[tuple[str, list[Any]]] = [
    ("SUBSCRIBE x y x", [["subscribe", "x", 1], ["subscribe", "y", 2], ["subscribe", "x", 2]]),
    ("PSUBSCRIBE x*", [["psubscribe", "x*", 3]]),
    ("SSUBSCRIBE s t", [["ssubscribe", "s", 1], ["ssubscribe", "t", 2]]),
    ("PUBLISH x hi", [["message", "x", "hi"], ["pmessage", "x*", "x", "hi"], 2]),
    ("SPUBLISH s hi", [["smessage", "s", "hi"], 1]),
    ("PUBSUB CHANNELS", [["x", "y"]]),
    ("PUBSUB CHANNELS ?", [["x", "y"]]),
    ("PUBSUB CHANNELS x*", [["x"]]),
    ("PUBSUB NUMPAT", [1]),
    ("PUBSUB NUMSUB x z", [["x", 1, "z", 0]]),
    ("PUBSUB NUMSUB", [[]]),
    ("PUBSUB SHARDCHANNELS", [["s", "t"]]),
    ("PUBSUB SHARDNUMSUB s x", [["s", 1, "x", 0]]),
    ("UNSUBSCRIBE nothing", [["unsubscribe", "nothing", 3]]),
    ("UNSUBSCRIBE", [["unsubscribe", "x", 2], ["unsubscribe", "y", 1]]),
    ("UNSUBSCRIBE", [["unsubscribe", None, 1]]),
    ("PUNSUBSCRIBE", [["punsubscribe", "x*", 0]]),
    ("PUNSUBSCRIBE", [["punsubscribe", None, 0]]),
    ("SUNSUBSCRIBE t", [["sunsubscribe", "t", 1]]),
    ("SUNSUBSCRIBE", [["sunsubscribe", "s", 0]]),
    ("SUNSUBSCRIBE", [["sunsubscribe", None, 0]]),
    ("PUBLISH x hi", [0]),
]


def encoded(value: Any) -> Any:
    if isinstance(value, list):
        return [encoded(item) for item in value]
    return value.encode() if isinstance(value, str) else value


def test_the_answers_of_a_connection(connection: Connection) -> None:
    for line, answers in CONVERSATION:
        assert connection(line) == encoded(answers), line


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("SUBSCRIBE", "ERR wrong number of arguments for 'subscribe' command"),
        ("PUBSUB", "ERR wrong number of arguments for 'pubsub' command"),
        ("PUBSUB no", "ERR unknown subcommand 'no'. Try PUBSUB HELP."),
        ("PUBSUB NUMPAT x", "ERR wrong number of arguments for 'pubsub|numpat' command"),
        (
            "PUBSUB channels a b",
            "ERR unknown subcommand or wrong number of arguments for 'channels'. Try PUBSUB HELP.",
        ),
    ],
)
def test_errors(connection: Connection, line: str, sentence: str) -> None:
    with pytest.raises(ResponseError) as refused:
        connection(line)
    assert str(refused.value) == sentence


def test_a_session_of_the_program_takes_no_messages(db: Minidis[bytes]) -> None:
    for line in ("SUBSCRIBE a", "PSUBSCRIBE a", "SSUBSCRIBE a", "UNSUBSCRIBE"):
        with pytest.raises(ResponseError, match=r"use db\.subscribe"):
            db.execute(*line.split())
    assert db.pubsub_channels() == []


def test_the_end_of_a_connection_is_the_end_of_its_subscriptions(db: Minidis[bytes]) -> None:
    connection = Connection(db)
    connection("SUBSCRIBE a")
    connection.session.end()
    assert db.publish("a", 1) == 0


# the iterator ------------------------------------------------------------------------------------


def test_messages_of_all_three_kinds(db: Minidis[bytes]) -> None:
    with db.subscribe("a", patterns=["b*"], shards=["a"]) as messages:
        assert (db.publish("a", 1), db.publish("bb", 2), db.spublish("a", 3)) == (1, 1, 1)
        assert [next(messages) for _ in range(3)] == [
            Message("message", b"a", None, b"1"),
            Message("pmessage", b"bb", b"b*", b"2"),
            Message("smessage", b"a", None, b"3"),
        ]
        assert messages.get(timeout=0) is None


def test_text() -> None:
    with minidis.open(decode_responses=True) as db, db.subscribe(patterns=["ü*"]) as messages:
        db.publish("über", b"\xff")
        assert next(messages) == Message("pmessage", "über", "ü*", "\udcff")


def test_more_and_fewer_channels(db: Minidis[bytes]) -> None:
    with db.subscribe("a") as messages:
        messages.subscribe(["b", "c"], "d")
        messages.psubscribe("p*")
        messages.ssubscribe("s")
        assert sorted(db.pubsub_channels()) == [b"a", b"b", b"c", b"d"]
        messages.unsubscribe("a", "d")
        assert sorted(db.pubsub_channels()) == [b"b", b"c"]
        messages.unsubscribe()
        assert (db.pubsub_channels(), db.pubsub_numpat(), db.spublish("s", 1)) == ([], 1, 1)
        messages.punsubscribe()
        messages.sunsubscribe()
        assert (db.pubsub_numpat(), db.spublish("s", 1)) == (0, 0)
    with pytest.raises(ClosedError):
        messages.subscribe("a")
    assert db.pubsub_channels() == []


def test_closing_ends_a_loop_that_waits(db: Minidis[bytes]) -> None:
    messages = db.subscribe("a")
    answers = in_thread(lambda: list(messages))
    db.publish("a", 1)
    until_asleep(messages._queue)
    messages.close()
    assert answers.get(timeout=PATIENCE) == [Message("message", b"a", None, b"1")]


def test_closing_the_database_ends_it() -> None:
    db = minidis.open()
    messages = db.subscribe("a")
    db.publish("a", 1)
    answers = in_thread(lambda: list(messages))
    until_asleep(messages._queue)
    db.close()
    assert len(answers.get(timeout=PATIENCE)) == 1
    with pytest.raises(ClosedError):
        messages.get(timeout=PATIENCE)
    with pytest.raises(ClosedError):
        db.subscribe("a")


def test_what_has_come_before_the_end_is_still_there(db: Minidis[bytes]) -> None:
    messages = db.subscribe("a")
    db.publish("a", 1)
    messages.close()
    assert db.publish("a", 2) == 0
    assert [message.data for message in messages] == [b"1"]
    assert messages.closed


def test_killing_its_client_ends_it(db: Minidis[bytes]) -> None:
    messages = db.subscribe("a")
    client = db.engine.clients.get(messages.id)
    assert client is not None
    client.kill()
    assert list(messages) == [] and db.publish("a", 1) == 0


def test_a_slow_one_is_closed(db: Minidis[bytes]) -> None:
    messages = db.subscribe("a", limit=2)
    assert [db.publish("a", number) for number in range(4)] == [1, 1, 1, 0]
    assert (next(messages).data, next(messages).data) == (b"0", b"1")
    for _ in range(2):
        with pytest.raises(SlowSubscriberError, match="2 messages"):
            next(messages)
    with pytest.raises(SlowSubscriberError):
        messages.get(timeout=0)
    assert db.pubsub_channels() == []


def test_a_slow_one_drops_the_oldest(db: Minidis[bytes]) -> None:
    with db.subscribe("a", limit=2, when_full="drop") as messages:
        for number in range(5):
            assert db.publish("a", number) == 1
        assert messages.dropped == 3
        assert (next(messages).data, next(messages).data) == (b"3", b"4")
        db.publish("a", 5)
        assert (messages.dropped, next(messages).data) == (3, b"5")


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"when_full": "wait"}])
def test_a_policy_has_to_exist(db: Minidis[bytes], wrong: Any) -> None:
    with pytest.raises(ValueError, match="limit must be at least 1"):
        db.subscribe("a", **wrong)
    assert len(db.engine.clients) == 1


def test_a_message_that_comes_while_a_reader_begins_to_wait() -> None:
    message_queue: MessageQueue[int] = MessageQueue(10, "close")

    class LateReaders(deque[threading.Lock]):
        def append(self, lock: threading.Lock) -> None:
            message_queue._items.append(1)  # too early to release this lock
            super().append(lock)

    message_queue._readers = LateReaders()
    assert in_thread(lambda: message_queue.take(None)).get(timeout=PATIENCE) == 1


def test_several_threads_share_the_messages(db: Minidis[bytes]) -> None:
    messages = db.subscribe("a")
    answers = [in_thread(lambda: list(messages)) for _ in range(4)]
    for number in range(2000):
        db.publish("a", number)
    messages.close()
    found = [int(one.data) for answer in answers for one in answer.get(timeout=PATIENCE)]
    assert sorted(found) == list(range(2000))


def test_the_forgotten_end_by_themselves(db: Minidis[bytes]) -> None:
    messages = db.subscribe("a", patterns=["a*"])
    number = messages.id
    del messages
    gc.collect()
    assert (db.publish("a", 1), db.pubsub_numpat()) == (0, 0)
    assert db.engine.clients.get(number) is None


def test_one_that_is_forgotten_amid_a_publish(db: Minidis[bytes]) -> None:
    """Garbage may be collected anywhere, in the thread that publishes, too."""
    held = [db.subscribe("a")]
    connection = Connection(db)

    def forget(message: Any) -> None:
        held.clear()
        gc.collect()

    connection.ear.deliver = forget  # type: ignore[method-assign]
    connection("SUBSCRIBE a")
    later = db.subscribe("a")
    assert db.publish("a", 1) == 2
    assert (next(later).data, db.publish("a", 2)) == (b"1", 2)


# callbacks ---------------------------------------------------------------------------------------


def test_a_callback_hears_all_in_order_and_without_the_lock(db: Minidis[bytes]) -> None:
    heard: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def callback(message: Message[bytes]) -> None:
        heard.put((message.data, in_thread(lambda: db.get("free")).get(timeout=PATIENCE)))

    db.subscribe("a", callback=callback)  # no other reference
    gc.collect()
    for number in range(3):
        db.publish("a", number)
    found = [heard.get(timeout=PATIENCE) for _ in range(3)]
    assert found == [(b"0", None), (b"1", None), (b"2", None)]


def test_a_failing_callback_is_reported(
    db: Minidis[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    reports: queue.SimpleQueue[Any] = queue.SimpleQueue()
    monkeypatch.setattr(threading, "excepthook", lambda report: reports.put(report.exc_value))
    heard: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def callback(message: Message[bytes]) -> None:
        heard.put(message.data)
        if message.data == b"0":
            raise RuntimeError("no")

    db.subscribe("a", callback=callback)
    db.publish("a", 0)
    db.publish("a", 1)
    assert [heard.get(timeout=PATIENCE) for _ in range(2)] == [b"0", b"1"]
    assert str(reports.get(timeout=PATIENCE)) == "no"


def test_a_callback_that_is_too_slow_is_reported(
    db: Minidis[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    reports: queue.SimpleQueue[Any] = queue.SimpleQueue()
    monkeypatch.setattr(threading, "excepthook", lambda report: reports.put(report.exc_value))
    go_on = threading.Event()
    begun = threading.Event()

    def callback(message: Message[bytes]) -> None:
        begun.set()
        assert go_on.wait(PATIENCE)

    db.subscribe("a", limit=1, callback=callback)
    db.publish("a", 0)
    assert begun.wait(PATIENCE)
    assert [db.publish("a", number) for number in range(3)] == [1, 1, 0]
    go_on.set()
    assert isinstance(reports.get(timeout=PATIENCE), SlowSubscriberError)


def test_the_thread_of_a_callback_ends_with_the_database() -> None:
    db = minidis.open()
    before = set(threading.enumerate())
    db.subscribe("a", callback=print)
    (thread,) = set(threading.enumerate()) - before
    db.close()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_the_thread_of_a_callback_ends_with_a_forgotten_database() -> None:
    db = minidis.open()
    before = set(threading.enumerate())
    db.subscribe("a", callback=print)
    (thread,) = set(threading.enumerate()) - before
    del db
    gc.collect()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_event_loops_are_told(db: Minidis[bytes]) -> None:
    told: list[int] = []
    with db.subscribe("a") as messages:
        messages.on_message(lambda: told.append(len(messages._queue._items)))
        db.publish("a", 1)
        db.publish("a", 2)
    assert told == [0, 1, 2, 2]


def test_an_event_loop_that_has_ended_does_no_harm(db: Minidis[bytes]) -> None:
    told: list[int] = []

    def tell() -> None:
        told.append(1)
        if len(told) > 1:
            raise RuntimeError("Event loop is closed")

    with db.subscribe("a") as messages:
        messages.on_message(tell)
        assert [db.publish("a", number) for number in range(3)] == [1, 1, 1]
        assert len(told) == 2
        assert [next(messages).data for _ in range(3)] == [b"0", b"1", b"2"]


# interruptions -----------------------------------------------------------------------------------


TRACED = (channels.__file__, subscription.__file__)


def interrupted_at(work: Callable[[], Any], at: int) -> tuple[Any, str]:
    """What the work answers if it is interrupted at the n-th bytecode, and at which; "" if not."""
    fault = Fault(at, TRACED)
    answers: list[Any] = []
    interrupted(fault, lambda: answers.append(work()))
    return answers[0] if answers else None, fault.instruction


def test_an_interruption_loses_no_message() -> None:
    at = 0
    while True:
        at += 1
        message_queue: MessageQueue[int] = MessageQueue(10, "close")
        message_queue.put(1)
        message_queue.put(2)
        answer, opname = interrupted_at(partial(message_queue.take, 1), at)
        taken = [] if answer is None else [answer]
        if opname != "RETURN_VALUE":  # there it has been handed out; CPython does not look there
            message_queue.close()
            assert taken + _rest(message_queue) == [1, 2], (at, opname)
        if not opname:
            break
    assert at > 20


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signals for threads")
def test_control_c_ends_the_sleep(db: Minidis[bytes]) -> None:
    messages = db.subscribe("a")
    main = threading.main_thread().ident
    assert main is not None

    awake = threading.Event()

    def interrupt() -> None:
        until_asleep(messages._queue)
        while not awake.is_set():
            # Python misses a signal that comes just before the system call that sleeps.
            signal.pthread_kill(main, signal.SIGINT)
            awake.wait(PATIENCE / 10)

    answers = in_thread(interrupt)
    with pytest.raises(KeyboardInterrupt):
        try:
            next(messages)
        finally:
            awake.set()
    assert answers.get(timeout=PATIENCE) is None
    db.publish("a", 1)
    assert next(messages).data == b"1"


def _rest(message_queue: MessageQueue[int]) -> list[int]:
    found: list[int] = []
    while True:
        try:
            item = message_queue.take(0)
        except ClosedError:
            return found
        assert item is not None
        found.append(item)


def test_an_interruption_of_subscribe_leaves_no_subscriber(db: Minidis[bytes]) -> None:
    at = 0
    while True:
        at += 1
        messages, opname = interrupted_at(lambda: db.subscribe("a", patterns=["a"]), at)
        if not opname:
            break
        del messages
        assert db.pubsub_channels() == [], (at, opname)
        assert db.publish("a", 1) == 0, (at, opname)
        assert len(db.engine.clients) == 1
    assert at > 50 and db.publish("a", 1) == 2


# monitors ----------------------------------------------------------------------------------------


def test_a_monitor_sees_typed_calls_and_words() -> None:
    with minidis.open(clock=minidis.ManualClock(5)) as db:
        other = db.session(3)
        with db.monitor() as seen:
            db.set("a", 1)
            other.execute("get", "a")
            assert next(seen) == MonitoredCommand(5.0, 0, "in-process:0", [b"SET", b"a", b"1"])
            assert next(seen) == MonitoredCommand(5.0, 3, "in-process:0", [b"get", b"a"])
        db.set("a", 2)
        assert list(seen) == []
        assert not db.engine.clients.monitors and not db.needs_checks


def test_a_forgotten_monitor_ends_by_itself(db: Minidis[bytes]) -> None:
    seen = db.monitor()
    assert db.needs_checks
    del seen
    gc.collect()
    db.set("a", 1)
    assert not db.engine.clients.monitors and not db.needs_checks


def test_a_slow_monitor_is_closed(db: Minidis[bytes]) -> None:
    seen = db.monitor(limit=1)
    db.set("a", 1)
    db.set("a", 2)
    assert next(seen).words == [b"SET", b"a", b"1"]
    with pytest.raises(SlowSubscriberError):
        next(seen)
    assert not db.engine.clients.monitors


def test_the_line_of_a_monitor() -> None:
    seen = MonitoredCommand(1.5, 9, "unix:0", [b"SET", b"\x00\xff\n\r\t\a\b\\\"' ", b""])
    assert seen.line() == r'1.500000 [9 unix:0] "SET" "\x00\xff\n\r\t\a\b\\\"' + "' \"" + ' ""'


def test_other_pushes_are_no_messages() -> None:
    assert subscription._bytes_message(Push((b"invalidate", [b"a"]))) is None
