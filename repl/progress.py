"""A progress bar on stderr while a large dump is loaded or saved, if stderr is a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

#: The bar appears after this many seconds, and is drawn again at most this often.
_DELAY = 0.5
_INTERVAL = 0.1
_CELLS = 30


class ProgressBar:
    """Called with the bytes done and the total; draws the bar once the work takes long enough."""

    def __init__(
        self, title: str, stream: TextIO, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.title = title
        self.stream = stream
        self.clock = clock
        self.began = clock()
        self.drawn_at = 0.0
        self.drawn = False

    def __call__(self, done: int, total: int) -> None:
        now = self.clock()
        if now - self.began < _DELAY or now - self.drawn_at < _INTERVAL:
            return
        share = min(done / total, 1.0) if total else 1.0
        full = round(share * _CELLS)
        bar = "━" * full + "─" * (_CELLS - full)
        left = (now - self.began) * (1 - share) / share if share else 0.0
        self.stream.write(f"\r{self.title} {bar} {share:4.0%}  {left:.0f} s left \x1b[K")
        self.stream.flush()
        self.drawn_at, self.drawn = now, True

    def finish(self) -> None:
        """Erase the bar."""
        if self.drawn:
            self.stream.write("\r\x1b[K")
            self.stream.flush()


@contextmanager
def progress_bar(title: str, stream: TextIO | None = None) -> Iterator[ProgressBar | None]:
    """A progress bar for the body of `with`, or None if the stream is not a terminal."""
    stream = stream if stream is not None else sys.stderr
    if stream is None or not stream.isatty():
        yield None
        return
    shown = ProgressBar(title, stream)
    try:
        yield shown
    finally:
        shown.finish()
