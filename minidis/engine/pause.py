"""CLIENT PAUSE: calls wait until a given time; all of them, or those that write."""

from __future__ import annotations

from collections.abc import Callable


class Pause:
    """The pause of an engine. The engine's lock is held by the caller."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        #: milliseconds since 1970; None: no pause
        self.until: int | None = None
        self.writes_only = False
        self._on_change = on_change

    def __bool__(self) -> bool:
        return self.until is not None

    def begin(self, until: int, *, writes_only: bool) -> None:
        """Pause until then. A longer pause stays, and one of all calls does."""
        if self.until is not None:
            until, writes_only = max(until, self.until), writes_only and self.writes_only
        self.until, self.writes_only = until, writes_only
        self._on_change()

    def end(self) -> None:
        """Calls need not wait any longer."""
        self.until = None
        self._on_change()

    def holds(self, now: int, *, writes: bool) -> bool:
        """Whether a call has to wait; `writes`: it may write."""
        return self.until is not None and now <= self.until and (writes or not self.writes_only)
