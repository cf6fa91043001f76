"""What Python iterates over: the messages of channels, and the commands that a monitor sees.

    publish ──> Listener.deliver ──> MessageQueue ──> for message in subscription
                under the lock       at most   a callback, in a thread of its own
                                     `limit`   an event loop, told by on_message()

An inbox has no lock of its own, for whoever delivers holds the engine's lock and must not wait: it
is made of deques, whose single steps are complete or have not happened. Who finds nothing hangs up
a bell (a held lock), looks once more, and sleeps until somebody releases it. Items are put in under
the engine's lock only; `closed` comes after the last of them.

A feed that nobody holds any more ends by itself. One with a callback is held by the database.
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

#: How many messages may wait, and what happens when there is one more.
LIMIT = 10_000
Policy: TypeAlias = Literal["close", "drop"]


class Message(NamedTuple, Generic[T]):
    """A message of a channel: `Message("message", b"news", None, b"hello")`.

    `kind` is "message", "pmessage" for one that came by a pattern, "smessage" of a shard channel.
    """

    kind: str
    channel: T
    pattern: T | None
    data: T


class MessageQueue(Generic[M]):
    """A bounded queue that nobody has to wait for to put something in."""

    def __init__(self, limit: int, when_full: Policy) -> None:
        if limit < 1 or when_full not in ("close", "drop"):
            raise ValueError("limit must be at least 1, and when_full 'close' or 'drop'")
        self.limit = limit
        self.drops = when_full == "drop"
        #: how many items were let go because there were too many
        self.dropped = 0
        self.closed = False
        #: it was closed because there were too many
        self.overflowed = False
        #: called when there may be something new; it must return at once
        self.tell: Callable[[], object] | None = None
        self._items: deque[M] = deque()
        self._bells: deque[threading.Lock] = deque()

    def put(self, item: M) -> bool:
        """Put an item in; False when that was one too many, and the inbox is closed."""
        if self.closed:
            return False
        if len(self._items) >= self.limit:
            if not self.drops:
                self.overflowed = True
                self.close()
                return False
            self._drop()
        self._items.append(item)
        self._ring()
        return True

    def _drop(self) -> None:
        """Let the oldest item go."""
        with contextlib.suppress(IndexError):  # all of them have been taken meanwhile
            self._items.popleft()
            self.dropped += 1

    def close(self) -> None:
        """Nothing more comes; what is there can still be taken."""
        self.closed = True
        self._ring()

    def _ring(self) -> None:
        """Wake all who sleep: one of them takes the item, the others look in vain."""
        with contextlib.suppress(IndexError):  # a sleeper took its bell down meanwhile
            while self._bells:
                self._bells.popleft().release()
        if self.tell is not None:
            # Its event loop may have ended; whoever delivers has nothing to do with it.
            try:
                self.tell()
            except Exception:
                self.tell = None

    def take(self, timeout: float | None) -> M | None:
        """The next item; None after `timeout` seconds. ClosedError when nothing more will come.

        An interruption puts an item back that has not reached the caller.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        taken: list[M] = []
        try:
            while not self._move_to(taken):
                if not self._sleep(deadline):
                    return None
            return taken[0]
        except BaseException:
            if taken:
                self._items.appendleft(taken[0])
                self._ring()
            raise

    def _move_to(self, taken: list[M]) -> bool:
        # One call from beginning to end: an item is in the queue, or in the list.
        try:
            taken.extend(map(deque.popleft, (self._items,)))
        except IndexError:
            return False
        return True

    def _sleep(self, deadline: float | None) -> bool:
        """Sleep until something may be there; False when it is too late."""
        bell = threading.Lock()
        bell.acquire()
        self._bells.append(bell)
        # The bell hangs. Whatever has come before that is seen now, whatever comes later rings.
        closed = self.closed
        if self._items:
            return True
        if closed:
            raise SlowSubscriberError(self.limit) if self.overflowed else ClosedError(_CLOSED)
        left = -1 if deadline is None else min(max(deadline - time.monotonic(), 0), _LONGEST)
        if bell.acquire(timeout=left):
            return True
        with contextlib.suppress(ValueError):  # somebody is about to ring it
            self._bells.remove(bell)
        return bool(self._items)


_CLOSED = "this subscription is closed, or its database is"
_LONGEST = threading.TIMEOUT_MAX


class Listener(Client, Generic[M]):
    """The outside of a feed, among the clients: what is delivered goes to the inbox."""

    takes_messages = True

    def __init__(
        self, engine: Engine, inbox: MessageQueue[M], understand: Callable[[Any], M | None]
    ) -> None:
        super().__init__()
        self._engine = engine
        self._queue = inbox
        self._understand = understand

    def deliver(self, message: Any) -> None:
        item = self._understand(message)
        if item is not None and not self._queue.put(item):
            self._engine.forget_client(self)

    def kill(self) -> None:
        with self._engine.lock:
            self._engine.forget_client(self)
            self._queue.close()

    def forked(self) -> None:
        self._queue.tell = None  # its event loop is the parent's
        self._queue.close()


class MessageStream(Generic[M]):
    """An iterator of what is delivered; a context manager that closes it."""

    def __init__(
        self,
        engine: Engine,
        understand: Callable[[Any], M | None],
        limit: int,
        when_full: Policy,
        callback: Callable[[M], object] | None,
    ) -> None:
        self._engine = engine
        self._queue: MessageQueue[M] = MessageQueue(limit, when_full)
        self._client = Listener(engine, self._queue, understand)
        # Before anybody knows of it: whatever strikes, it does not stay.
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
        """Its id among the clients, as CLIENT LIST shows it."""
        return self._client.id

    @property
    def closed(self) -> bool:
        """Will nothing more come? What has come before can still be taken."""
        return self._queue.closed

    @property
    def dropped(self) -> int:
        """How many were let go because more than `limit` waited (when_full="drop")."""
        return self._queue.dropped

    def get(self, timeout: float | None = None) -> M | None:
        """The next one; None if there is none within `timeout` seconds (None: wait for ever).

        ClosedError when nothing more will come; SlowSubscriberError when that is because too many
        had to wait.
        """
        return self._queue.take(timeout)

    def on_message(self, callback: Callable[[], object] | None) -> None:
        """Call `callback()` whenever there may be something to get, and at the end.

        For event loops. It is called under the engine's lock, from any thread, and must do no more
        than `loop.call_soon_threadsafe(...)`; get(timeout=0) then tells what there is.
        """
        with self._engine.lock:
            self._queue.tell = callback
            if callback is not None:
                callback()

    def close(self) -> None:
        """End it: whoever iterates gets what has come before, and then the end."""
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
        super().__init__(engine, _text if decode else _bytes, limit, when_full, callback)
        self.subscribe(wanted[0])
        self.psubscribe(wanted[1])
        self.ssubscribe(wanted[2])

    def subscribe(self, *channels: Many) -> None:
        """Listen to more channels. ClosedError when the subscription is closed."""
        self._each(self._engine.observers.channels.subscribe, channels)

    def psubscribe(self, *patterns: Many) -> None:
        """Listen to all channels that match a glob pattern."""
        self._each(self._engine.observers.channels.subscribe_pattern, patterns)

    def ssubscribe(self, *shards: Many) -> None:
        """Listen to more shard channels."""
        self._each(self._engine.observers.channels.subscribe_shard, shards)

    def unsubscribe(self, *channels: Many) -> None:
        """Listen to `channels` no more; without any, to no channel."""
        self._each(
            self._engine.observers.channels.unsubscribe, channels or tuple(self._client.channels)
        )

    def punsubscribe(self, *patterns: Many) -> None:
        """Listen to `patterns` no more; without any, to no pattern."""
        found = patterns or tuple(self._client.patterns)
        self._each(self._engine.observers.channels.unsubscribe_pattern, found)

    def sunsubscribe(self, *shards: Many) -> None:
        """Listen to the shard channels no more; without any, to none."""
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
        super().__init__(engine, _seen, limit, when_full, callback)
        with engine.lock:
            self._client.monitors = True
            engine.clients.monitors[self._client] = None
            engine.clients.update_all_checks()


# what is delivered -------------------------------------------------------------------------------


def _bytes(message: Any) -> Message[Any] | None:
    """A push as a message; None for pushes about other things."""
    match message:
        case [(b"message" | b"smessage") as kind, channel, data]:
            return Message(kind.decode(), channel, None, data)
        case [b"pmessage", pattern, channel, data]:
            return Message("pmessage", channel, pattern, data)
    return None


def _text(message: Any) -> Message[Any] | None:
    found = _bytes(message)
    if found is None:
        return None
    return Message(found.kind, *decoded([found.channel, found.pattern, found.data]))


def _seen(message: Any) -> MonitoredCommand | None:
    return message if isinstance(message, MonitoredCommand) else None


# ending, and callbacks ---------------------------------------------------------------------------


def _abandon(inbox: MessageQueue[Any], client: Client, gone: deque[Client]) -> None:
    """Nobody holds the feed. Garbage is collected anywhere, so it only leaves notes."""
    inbox.tell = None
    inbox.close()
    gone.append(client)


def _start(inbox: MessageQueue[M], callback: Callable[[M], object]) -> None:
    threading.Thread(
        target=_call_back, args=(inbox, callback), name="minidis-messages", daemon=True
    ).start()


def _call_back(inbox: MessageQueue[M], callback: Callable[[M], object]) -> None:
    """Call back with each item, in their order, never under the lock."""
    try:
        while True:
            item: Any = inbox.take(None)
            call_safely(callback, item)
            del item
    except ClosedError:
        pass
    except SlowSubscriberError as error:
        report(error)
