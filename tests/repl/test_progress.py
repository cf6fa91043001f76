"""The progress bar: on terminals only, and only for long work."""

from __future__ import annotations

import io

from repl.progress import ProgressBar, progress_bar


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


def test_a_pipe_gets_no_bar() -> None:
    with progress_bar("loading", io.StringIO()) as shown:
        assert shown is None
