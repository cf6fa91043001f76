"""The bar: only for people, only when it takes long."""

from __future__ import annotations

import io

from repl.progress import ProgressBar, bar


def test_a_bar_appears_after_half_a_second() -> None:
    now = [0.0]
    stream = io.StringIO()
    shown = ProgressBar("loading", stream, lambda: now[0])
    shown(1, 100)
    assert stream.getvalue() == ""
    now[0] = 1.0
    shown(50, 100)
    assert "loading" in stream.getvalue() and " 50%" in stream.getvalue()
    shown.finish()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_nobody_watches_a_pipe() -> None:
    with bar("loading", io.StringIO()) as shown:
        assert shown is None
