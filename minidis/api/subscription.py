"""Message streams: iterators over the messages of channels, and over monitored commands.

    publish ──> Listener.deliver ──> MessageQueue ──> for message in subscription
                under the lock       at most   a callback, in a thread of its own
                                     `limit`   an event loop, through on_message()

A MessageQueue has no lock of its own: the thread that delivers holds the engine's lock and must not
block. It consists of deques, whose operations are atomic. A reader that finds nothing adds a held
lock to `_readers`, checks the queue again, and waits until a writer releases the lock. Items are
added under the engine's lock only; `closed` is set after the last of them.

A stream without references is garbage-collected, which ends it. The database holds a reference to a
stream with a callback.
"""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, TypeAlias, TypeVar

from minidis.clients.client import Client
from minidis.clients.monitored import MonitoredCommand
from minidis.errors import ClosedError, SlowSubscriberError, call_safely, report
from minidis.grammar.kinds import Key, Many, encode, many
from minidis.replies import decoded

if TYPE_CHECKING:
    from minidis.engine.engine import Engine

T = TypeVar("T")
M = TypeVar("M")
F = TypeVar("F", bound="MessageStream[Any]")

#: Greatest number of messages waiting to be read.
LIMIT = 10_000
#: What happens at the limit.
Policy: TypeAlias = Literal["close", "drop"]


class Message(NamedTuple, Generic[T]):
    """A message of a channel: `Message("message", b"news", None, b"hello")`.

    `kind` is "message"; "pmessage" if a pattern matched; "smessage" for a shard channel.
    """

    kind: str
    channel: T
    pattern: T | None
    data: T


class MessageQueue(Generic[M]):
    """A bounded queue whose writers never block."""

    def __init__(self, limit: int, when_full: Policy) -> None:
        if limit < 1 or when_full not in ("close", "drop"):
            raise ValueError("limit must be at least 1, and when_full 'close' or 'drop'")
        self.limit = limit
        self.drops = when_full == "drop"
        #: number of items discarded at the limit
        self.dropped = 0
        self.closed = False
        #: it was closed because the limit was reached
        self.overflowed = False
        #: called when there may be a new item; must not block
        self.on_item: Callable[[], object] | None = None
        self._items: deque[M] = deque()
        #: locks of waiting readers
        self._readers: deque[threading.Lock] = deque()

    def put(self, item: M) -> bool:
        """Add an item; return False if the queue is closed, or closes because it is full."""
        if self.closed:
            return False
        if len(self._items) >= self.limit:
            if not self.drops:
                self.overflowed = True
                self.close()
                return False
            self._drop()
        self._items.append(item)
        self._wake()
        return True

    def _drop(self) -> None:
        """Discard the oldest item."""
        with contextlib.suppress(IndexError):  # all items have been taken meanwhile
            self._items.popleft()
            self.dropped += 1

    def close(self) -> None:
        """Accept no more items; those in the queue can still be taken."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        """Wake all waiting readers: one of them takes the item, the others wait again."""
        with contextlib.suppress(IndexError):  # a reader removed its lock meanwhile
            while self._readers:
                self._readers.popleft().release()
        if self.on_item is not None:
            # Its event loop may be closed; that must not disturb the writer.
            try:
                self.on_item()
            except Exception:
                self.on_item = None

    def take(self, timeout: float | None) -> M | None:
        """Return the next item, or None after `timeout` seconds.

        Raises ClosedError when the queue is closed and empty. After KeyboardInterrupt an item that
        the caller has not received is back in the queue.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        taken: list[M] = []
        try:
            while not self._move_to(taken):
                if not self._wait(deadline):
                    return None
            return taken[0]
        except BaseException:
            if taken:
                self._items.appendleft(taken[0])
                self._wake()
            raise

    def _move_to(self, taken: list[M]) -> bool:
        # A single call of a C function: at any time an item is in the queue, or in the list.
        try:
            taken.extend(map(deque.popleft, (self._items,)))
        except IndexError:
            return False
        return True

    def _wait(self, deadline: float | None) -> bool:
        """Wait until there may be an item; return False at the deadline."""
        lock = threading.Lock()
        lock.acquire()
        self._readers.append(lock)
        # Items from before the append are seen below; items from now on release the lock.
        closed = self.closed
        if self._items:
            return True
        if closed:
            raise SlowSubscriberError(self.limit) if self.overflowed else ClosedError(_CLOSED)
        left = -1 if deadline is None else min(max(deadline - time.monotonic(), 0), _LONGEST)
        if lock.acquire(timeout=left):
            return True
        with contextlib.suppress(ValueError):  # a writer has just taken it out
            self._readers.remove(lock)
        return bool(self._items)


_CLOSED = "this subscription is closed, or its database is"
_LONGEST = threading.TIMEOUT_MAX


class Listener(Client, Generic[M]):
    """The client of a message stream: puts delivered messages into the queue."""

    takes_messages = True

    def __init__(
        self, engine: Engine, queue: MessageQueue[M], convert: Callable[[Any], M | None]
    ) -> None:
        super().__init__()
        self._engine = engine
        self._queue = queue
        self._convert = convert

    def deliver(self, message: Any) -> None:
        item = self._convert(message)
        if item is not None and not self._queue.put(item):
            self._engine.forget_client(self)

    def kill(self) -> None:
        with self._engine.lock:
            self._engine.forget_client(self)
            self._queue.close()

    def forked(self) -> None:
        self._queue.on_item = None  # its event loop belongs to the parent
        self._queue.close()


class MessageStream(Generic[M]):
    """An iterator over delivered messages, and a context manager that closes it."""

    def __init__(
        self,
        engine: Engine,
        convert: Callable[[Any], M | None],
        limit: int,
        when_full: Policy,
        callback: Callable[[M], object] | None,
    ) -> None:
        self._engine = engine
        self._queue: MessageQueue[M] = MessageQueue(limit, when_full)
        self._client = Listener(engine, self._queue, convert)
        # Before the client is registered: an interruption at any point leaves nothing behind.
        self._end: weakref.finalize[Any, Any]
        if callback is None:
            gone = engine.observers.channels.gone
            self._end = weakref.finalize(self, _abandon, self._queue, self._client, gone)
        else:
            self._end = weakref.finalize(engine, self._queue.close)
        self._end.atexit = False
        with engine.lock:
            if engine.closed:
                raise ClosedError
            engine.observers.channels.forget_gone()
            engine.clients.enter(self._client, engine.clock.now())
        if callback is not None:
            _start(self._queue, callback)

    @property
    def id(self) -> int:
        """Its client id, as CLIENT LIST shows it."""
        return self._client.id

    @property
    def closed(self) -> bool:
        """Whether it is closed. Messages received before can still be read."""
        return self._queue.closed

    @property
    def dropped(self) -> int:
        """Number of messages discarded because `limit` was reached (when_full="drop")."""
        return self._queue.dropped

    def get(self, timeout: float | None = None) -> M | None:
        """Return the next message; None if there is none within `timeout` seconds.

        timeout: None waits without limit, 0 does not wait.

        Raises ClosedError when the stream is closed and has no more messages; SlowSubscriberError
        if it was closed because `limit` was reached.
        """
        return self._queue.take(timeout)

    def on_message(self, callback: Callable[[], object] | None) -> None:
        """Call `callback()` whenever there may be a new message, and when the stream is closed.

        For event loops. The callback runs under the engine's lock, in any thread, and must do no
        more than `loop.call_soon_threadsafe(...)`; get(timeout=0) then returns the message.
        """
        with self._engine.lock:
            self._queue.on_item = callback
            if callback is not None:
                callback()

    def close(self) -> None:
        """Close it: iterating yields the messages received before, and then ends."""
        self._client.kill()
        self._end.detach()

    def __iter__(self: F) -> F:
        return self

    def __next__(self) -> M:
        try:
            return self._queue.take(None)  # type: ignore[return-value]
        except ClosedError:
            raise StopIteration from None

    def __enter__(self: F) -> F:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = ", closed" if self.closed else ""
        return f"<minidis {type(self).__name__.lower()} {self.id}{state}>"


class Subscription(MessageStream[Message[T]]):
    """The messages of channels; see Minidis.subscribe."""

    def __init__(
        self,
        engine: Engine,
        channels: Iterable[Any] = (),
        patterns: Iterable[Key] = (),
        shards: Iterable[Key] = (),
        *,
        limit: int = LIMIT,
        when_full: Policy = "close",
        callback: Callable[[Message[T]], object] | None = None,
        decode: bool = False,
    ) -> None:
        wanted = [[encode(name) for name in many(names)] for names in (channels, patterns, shards)]
        convert = _text_message if decode else _bytes_message
        super().__init__(engine, convert, limit, when_full, callback)
        self.subscribe(wanted[0])
        self.psubscribe(wanted[1])
        self.ssubscribe(wanted[2])

    def subscribe(self, *channels: Many) -> None:
        """Subscribe to more channels. Raises ClosedError when the subscription is closed."""
        self._each(self._engine.observers.channels.subscribe, channels)

    def psubscribe(self, *patterns: Many) -> None:
        """Subscribe to all channels that match one of the glob patterns."""
        self._each(self._engine.observers.channels.subscribe_pattern, patterns)

    def ssubscribe(self, *shards: Many) -> None:
        """Subscribe to more shard channels."""
        self._each(self._engine.observers.channels.subscribe_shard, shards)

    def unsubscribe(self, *channels: Many) -> None:
        """Unsubscribe from `channels`; without arguments from all channels."""
        self._each(
            self._engine.observers.channels.unsubscribe, channels or tuple(self._client.channels)
        )

    def punsubscribe(self, *patterns: Many) -> None:
        """Unsubscribe from `patterns`; without arguments from all patterns."""
        found = patterns or tuple(self._client.patterns)
        self._each(self._engine.observers.channels.unsubscribe_pattern, found)

    def sunsubscribe(self, *shards: Many) -> None:
        """Unsubscribe from shard channels; without arguments from all of them."""
        found = shards or tuple(self._client.shard_channels)
        self._each(self._engine.observers.channels.unsubscribe_shard, found)

    def _each(self, change: Callable[[Client, bytes], None], names: Iterable[Any]) -> None:
        found = [encode(name) for name in many(names)]
        with self._engine.lock:
            if self.closed:
                raise ClosedError(_CLOSED)
            for name in found:
                change(self._client, name)


class Monitoring(MessageStream[MonitoredCommand]):
    """The commands of all sessions; see Minidis.monitor."""

    def __init__(
        self,
        engine: Engine,
        *,
        limit: int = LIMIT,
        when_full: Policy = "close",
        callback: Callable[[MonitoredCommand], object] | None = None,
    ) -> None:
        super().__init__(engine, _monitored_command, limit, when_full, callback)
        with engine.lock:
            self._client.monitors = True
            engine.clients.monitors[self._client] = None
            engine.clients.update_all_checks()


# conversion of delivered messages ----------------------------------------------------------------


def _bytes_message(message: Any) -> Message[Any] | None:
    """Return a push as a Message; None for pushes of other kinds."""
    match message:
        case [(b"message" | b"smessage") as kind, channel, data]:
            return Message(kind.decode(), channel, None, data)
        case [b"pmessage", pattern, channel, data]:
            return Message("pmessage", channel, pattern, data)
    return None


def _text_message(message: Any) -> Message[Any] | None:
    found = _bytes_message(message)
    if found is None:
        return None
    return Message(found.kind, *decoded([found.channel, found.pattern, found.data]))


def _monitored_command(message: Any) -> MonitoredCommand | None:
    return message if isinstance(message, MonitoredCommand) else None


# end of a stream, and callbacks ------------------------------------------------------------------


def _abandon(queue: MessageQueue[Any], client: Client, gone: deque[Client]) -> None:
    """End a stream that was garbage-collected. A command may be running: only mark the client."""
    queue.on_item = None
    queue.close()
    gone.append(client)


def _start(queue: MessageQueue[M], callback: Callable[[M], object]) -> None:
    threading.Thread(
        target=_call_back, args=(queue, callback), name="minidis-messages", daemon=True
    ).start()


def _call_back(queue: MessageQueue[M], callback: Callable[[M], object]) -> None:
    """Call `callback` with each item in order, without the engine's lock."""
    try:
        while True:
            item: Any = queue.take(None)
            call_safely(callback, item)
            del item
    except ClosedError:
        pass
    except SlowSubscriberError as error:
        report(error)
