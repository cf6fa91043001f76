"""Streams: the messages of SUBSCRIBE and the lines of MONITOR.

BackgroundStream reads a source in a thread and shows its items in batches. If they arrive faster
than they can be shown, older ones are dropped and counted, so that the terminal stays responsive:

    source ──> queue of _MAX_QUEUED items, older ones dropped ──> show(items, dropped)

A source ends when it is closed, which any thread may do.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from minidis.api.subscription import Message
from minidis.clients.monitored import MonitoredCommand
from minidis.errors import MinidisError
from minidis.grammar.command import COMMANDS
from repl.render import scalar, to_json
from repl.words import printable, quote, truncate

#: Command that starts a stream -> the one that ends it.
ENDINGS = {
    command.name: command.ended_by for command in COMMANDS.values() if command.ended_by is not None
}
BEGINNINGS = {ending: beginning for beginning, ending in ENDINGS.items() if ending}


def starts_stream(words: Sequence[bytes]) -> bool:
    """Return whether the command starts a stream."""
    return words[0].decode("latin-1").upper() in ENDINGS


def ends_stream(words: Sequence[bytes]) -> bool:
    """Return whether the command ends a stream."""
    return words[0].decode("latin-1").upper() in BEGINNINGS


def is_stream_command(words: Sequence[bytes]) -> bool:
    """Return whether the command starts or ends a stream; the shell handles these itself."""
    return starts_stream(words) or ends_stream(words)


#: Maximum number of items waiting to be shown; older ones are dropped.
_MAX_QUEUED = 50
#: Seconds between two batches.
_BATCH_SECONDS = 0.2
#: Maximum width of a line, in columns.
_WIDTH = 2000

Fragments: TypeAlias = list[tuple[str, str]]
Item: TypeAlias = "Message[Any] | MonitoredCommand"


class Source(Protocol):
    """Yields messages or monitored commands."""

    #: SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE or MONITOR
    kind: str
    #: channels or patterns
    names: dict[bytes, None]

    def __iter__(self) -> Iterator[Any]:
        """Yield raw items until close(). Raises MinidisError if the source is lost."""

    def read(self, raw: Any) -> Item | None:
        """Parse a raw item; None if it is not to be shown. Called only for items not dropped."""

    def unsubscribe(self, names: Collection[bytes]) -> None:
        """Unsubscribe from some of the names."""

    def close(self) -> None:
        """End the source; a thread that waits for the next item wakes up."""


# formatting --------------------------------------------------------------------------------------


def fragments(item: Item) -> Fragments:
    """The item as one line of (style class, text)."""
    if isinstance(item, MonitoredCommand):
        when = datetime.fromtimestamp(item.time).strftime("%H:%M:%S.%f")[:-3]
        origin = printable(f"{when} [{item.database} {item.address}] ")
        return [("class:note", origin), ("", _short(" ".join(map(quote, item.words))))]
    front = "" if item.pattern is None else quote(item.pattern) + " "
    data = scalar(item.data) if isinstance(item.data, (bytes, str)) else to_json(item.data)
    return [
        ("class:note", _short(front)),
        ("class:pygments.name.variable", _short(quote(item.channel))),
        ("class:note", " => "),
        ("class:pygments.literal.string.double", _short(data)),
    ]


def text(item: Item) -> str:
    """The item as one line without styles."""
    return "".join(part for _, part in fragments(item))


def for_json(item: Item) -> str:
    """The item as one line of JSON."""
    if isinstance(item, MonitoredCommand):
        found: dict[str, Any] = {
            "time": item.time,
            "database": item.database,
            "address": item.address,
            "words": item.words,
        }
    else:
        found = {"channel": item.channel, "data": item.data}
        if item.pattern is not None:
            found["pattern"] = item.pattern
    return to_json(found)


def _short(line: str) -> str:
    return truncate(line, _WIDTH)


# background threads ------------------------------------------------------------------------------


class BackgroundStream:
    """Reads a source in one thread and shows its items in another."""

    def __init__(
        self,
        source: Source,
        show: Callable[[list[Item], int], None],
        lost: Callable[[BackgroundStream, str], None],
    ) -> None:
        self.source = source
        self.received = 0
        self.ended = False
        self._show = show
        self._lost = lost
        self._queue: deque[Any] = deque()
        self._dropped = 0
        self._change = threading.Condition()
        self._pause = threading.Event()
        self._threads = [
            threading.Thread(target=work, name=f"minidis {work.__name__}", daemon=True)
            for work in (self._read, self._show_batches)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def title(self) -> str:
        """The command: SUBSCRIBE news"""
        return " ".join([self.source.kind, *map(quote, self.source.names)])

    def stop(self) -> None:
        """End the stream; items received so far are shown."""
        self.ended = True
        self.source.close()
        self._pause.set()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(2)

    def _read(self) -> None:
        try:
            for raw in self.source:
                with self._change:
                    self._queue.append(raw)
                    if len(self._queue) > _MAX_QUEUED:
                        self._queue.popleft()
                        self._dropped += 1
                    self._change.notify()
        except (MinidisError, OSError, ValueError) as error:
            if not self.ended:
                self._lost(self, str(error))
        finally:
            self.source.close()
            with self._change:
                self.ended = True
                self._change.notify()

    def _show_batches(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._queue or self.ended)
                raw, dropped = list(self._queue), self._dropped
                self._queue.clear()
                self._dropped = 0
            if not raw and self.ended:
                return
            items = [item for item in map(self.source.read, raw) if item is not None]
            self.received += len(items) + dropped
            if items:
                self._show(items, dropped)
            self._pause.wait(_BATCH_SECONDS)
