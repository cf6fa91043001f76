"""What comes unasked: the messages of SUBSCRIBE, the lines of MONITOR.

A source is read by a thread of its own (Feed) and shown in batches, so that a flood is a number at
the end of a batch and not a frozen terminal:

    source ──> at most _MOST items wait, older ones are dropped and counted ──> show(items, dropped)

A source ends when it is closed, by whatever thread.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from minidis.api.subscription import Message, MonitoredCommand
from minidis.errors import MinidisError
from minidis.grammar.command import COMMANDS
from repl.render import as_json, scalar
from repl.words import printable, quote, shortened

#: Command that begins a stream -> the one that ends it.
ENDINGS = {
    command.name: command.ended_by for command in COMMANDS.values() if command.ended_by is not None
}
BEGINNINGS = {ending: beginning for beginning, ending in ENDINGS.items() if ending}


def begins(words: Sequence[bytes]) -> bool:
    """Does the command begin a stream?"""
    return words[0].decode("latin-1").upper() in ENDINGS


def ends(words: Sequence[bytes]) -> bool:
    """Does the command end one?"""
    return words[0].decode("latin-1").upper() in BEGINNINGS


def is_about(words: Sequence[bytes]) -> bool:
    """Is the command about streams? Then it does not go the way of the others."""
    return begins(words) or ends(words)


#: Items that wait to be shown; what is older is dropped.
_MOST = 50
#: Seconds between two batches.
_PAUSE = 0.2
#: Columns that one line may take.
_WIDTH = 2000

Fragments: TypeAlias = list[tuple[str, str]]
Item: TypeAlias = "Message[Any] | MonitoredCommand"


class Source(Protocol):
    """Where messages come from."""

    #: SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE or MONITOR
    kind: str
    #: what is listened to
    names: dict[bytes, None]

    def __iter__(self) -> Iterator[Any]:
        """What comes, as it comes, until close(); MinidisError when the source is lost."""

    def read(self, raw: Any) -> Item | None:
        """What it means; None when it is nothing to be shown. Only done for what is shown."""

    def drop(self, names: Collection[bytes]) -> None:
        """Listen to some names no more."""

    def close(self) -> None:
        """End it; a thread that waits for the next message wakes up."""


# what it looks like ------------------------------------------------------------------------------


def fragments(item: Item) -> Fragments:
    """One line, as (class of colour, text)."""
    if isinstance(item, MonitoredCommand):
        when = datetime.fromtimestamp(item.time).strftime("%H:%M:%S.%f")[:-3]
        who = printable(f"{when} [{item.database} {item.address}] ")
        return [("class:note", who), ("", _short(" ".join(map(quote, item.words))))]
    front = "" if item.pattern is None else quote(item.pattern) + " "
    data = scalar(item.data) if isinstance(item.data, (bytes, str)) else as_json(item.data)
    return [
        ("class:note", _short(front)),
        ("class:pygments.name.variable", _short(quote(item.channel))),
        ("class:note", " => "),
        ("class:pygments.literal.string.double", _short(data)),
    ]


def text(item: Item) -> str:
    """The same line without colours."""
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
    return as_json(found)


def _short(line: str) -> str:
    return shortened(line, _WIDTH)


# reading beside the prompt -----------------------------------------------------------------------


class BackgroundStream:
    """Reads a source and shows what comes, both in threads of their own."""

    def __init__(
        self,
        source: Source,
        show: Callable[[list[Item], int], None],
        lost: Callable[[BackgroundStream, str], None],
    ) -> None:
        self.source = source
        self.heard = 0
        self.ended = False
        self._show = show
        self._lost = lost
        self._waiting: deque[Any] = deque()
        self._dropped = 0
        self._change = threading.Condition()
        self._pause = threading.Event()
        self._threads = [
            threading.Thread(target=work, name=f"minidis {work.__name__}", daemon=True)
            for work in (self._read, self._hand_on)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def title(self) -> str:
        """What it is: SUBSCRIBE news"""
        return " ".join([self.source.kind, *map(quote, self.source.names)])

    def stop(self) -> None:
        """End the stream; what has come is shown."""
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
                    self._waiting.append(raw)
                    if len(self._waiting) > _MOST:
                        self._waiting.popleft()
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

    def _hand_on(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._waiting or self.ended)
                raw, dropped = list(self._waiting), self._dropped
                self._waiting.clear()
                self._dropped = 0
            if not raw and self.ended:
                return
            items = [item for item in map(self.source.read, raw) if item is not None]
            self.heard += len(items) + dropped
            if items:
                self._show(items, dropped)
            self._pause.wait(_PAUSE)
