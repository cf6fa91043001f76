"""A bar on stderr while a large dump is loaded or saved and a person waits for it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

#: Shorter waits need no bar.
_DELAY = 0.5
_BETWEEN = 0.1
_CELLS = 30


class ProgressBar:
    """Told now and then how far the work is; draws itself once it has taken long enough."""

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
        if now - self.began < _DELAY or now - self.drawn_at < _BETWEEN:
            return
        share = min(done / total, 1.0) if total else 1.0
        full = round(share * _CELLS)
        bar = "━" * full + "─" * (_CELLS - full)
        left = (now - self.began) * (1 - share) / share if share else 0.0
        self.stream.write(f"\r{self.title} {bar} {share:4.0%}  {left:.0f} s left \x1b[K")
        self.stream.flush()
        self.drawn_at, self.drawn = now, True

    def finish(self) -> None:
        """Take the bar away; what was long is worth a line no more."""
        if self.drawn:
            self.stream.write("\r\x1b[K")
            self.stream.flush()


@contextmanager
def bar(title: str, stream: TextIO | None = None) -> Iterator[ProgressBar | None]:
    """A bar for the work inside of `with`; None where nobody watches."""
    stream = stream if stream is not None else sys.stderr
    if stream is None or not stream.isatty():
        yield None
        return
    shown = ProgressBar(title, stream)
    try:
        yield shown
    finally:
        shown.finish()
