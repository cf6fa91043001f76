"""Reads the tables of tests/tables, and runs a session with typed keys."""

from __future__ import annotations

import io
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from prompt_toolkit.data_structures import Size
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output

from repl.backend import Backend
from repl.session import ShellSession

TABLES = Path(__file__).resolve().parent.parent / "tables"


def rows(name: str, bar: str = "¦") -> list[tuple[str, str]]:
    """The rows of a table with two columns; ¶ stands for a newline."""
    found = []
    for line in (TABLES / name).read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            left, _, right = line.partition(bar)
            found.append((left.replace("¶", "\n"), right))
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`@pytest.mark.table("hints.txt")` gives a test each row as `typed` and `expected`."""
    mark = metafunc.definition.get_closest_marker("table")
    if mark is not None:
        found = rows(*mark.args)
        metafunc.parametrize(("typed", "expected"), found, ids=[repr(left) for left, _ in found])


#: (text to wait for on the screen, keys to type then or a function to call)
Step = tuple[str, str | Callable[[], object]]
_CODES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b\][^\x07]*\x07|\x1b[=>]")
#: Seconds to wait for a text, on a busy machine too.
_PATIENCE = 60.0


class Terminal(Vt100_Output):
    """A terminal that replies to requests for the cursor position, as prompt_toolkit expects."""

    def __init__(self, screen: io.StringIO, typed: PipeInput) -> None:
        super().__init__(screen, lambda: Size(rows=40, columns=160), term="xterm")
        self.typed = typed

    @property
    def responds_to_cpr(self) -> bool:
        return True

    def ask_for_cpr(self) -> None:
        self.typed.send_text("\x1b[1;1R")


def play(backend: Backend, *steps: Step, history: tuple[str, ...] = ()) -> str:
    """Run a session step by step; return everything the screen has shown.

    Each step searches the output after the match of the step before.
    """
    screen = io.StringIO()
    missing: list[str] = []

    def shown() -> str:
        return _CODES.sub("", screen.getvalue()).replace("\r", "")

    with create_pipe_input() as typed:

        def perform() -> None:
            seen = 0
            for wanted, action in steps:
                until = time.monotonic() + _PATIENCE
                while (at := shown().find(wanted, seen)) < 0:
                    if time.monotonic() > until:
                        missing.append(f"{wanted!r} did not come:\n{shown()[seen:]}")
                        typed.close()
                        return
                    time.sleep(0.005)
                seen = at + len(wanted)
                if isinstance(action, str):
                    typed.send_text(action)
                else:
                    action()

        output = Terminal(screen, typed)
        known = InMemoryHistory(list(history))
        session = ShellSession(backend, input=typed, output=output, history=known)
        actor = threading.Thread(target=perform)
        actor.start()
        session.run_loop()
        actor.join()
    assert not missing, missing[0]
    return shown()
