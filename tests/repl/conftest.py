"""Reading the tables of tests/tables, and playing a session: keys in, screen out."""

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
from repl.session import Session

TABLES = Path(__file__).resolve().parent.parent / "tables"


def rows(name: str, bar: str = "¦") -> list[tuple[str, str]]:
    """The rows of a table of two columns; ¶ becomes a line end."""
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


#: (what has to stand on the screen first, keys to type or something to do then)
Step = tuple[str, str | Callable[[], object]]
_CODES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b\][^\x07]*\x07|\x1b[=>]")
#: Seconds until the screen has to show what is waited for, on a busy machine too.
_PATIENCE = 60.0


class Terminal(Vt100_Output):
    """A terminal that says where its cursor is when it is asked, as prompt_toolkit expects."""

    def __init__(self, screen: io.StringIO, typed: PipeInput) -> None:
        super().__init__(screen, lambda: Size(rows=40, columns=160), term="xterm")
        self.typed = typed

    @property
    def responds_to_cpr(self) -> bool:
        return True

    def ask_for_cpr(self) -> None:
        self.typed.send_text("\x1b[1;1R")


def play(place: Backend, *steps: Step, history: tuple[str, ...] = ()) -> str:
    """A session in which each step waits for the screen; what the screen has shown in the end.

    Text counts only from where the step before found its own.
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
        session = Session(place, input=typed, output=output, history=known)
        actor = threading.Thread(target=perform)
        actor.start()
        session.converse()
        actor.join()
    assert not missing, missing[0]
    return shown()
