"""KeyboardInterrupt at every bytecode of every writing command: the data is as before or as after.

CPython delivers asynchronous exceptions at some bytecodes only; a trace function can raise at each
of them, which is stricter. It even raises where the lock's `with` is being left and CPython never
delivers: there the test gives the lock back itself, after making sure that it was such a place.
"""

from __future__ import annotations

import dis
import gc
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
import sortedcontainers

import minidis
from minidis.command import COMMANDS
from repl.words import split

TABLE = Path(__file__).parent.parent / "tables" / "interrupts.txt"
OURS = (os.path.dirname(minidis.__file__), os.path.dirname(sortedcontainers.__file__), "<door")
#: The instructions between the end of a `with` body and the call of __exit__, and the one that a
#: `try:` becomes: CPython looks for pending exceptions at none of them.
LEAVING = {
    "NOP",
    "LOAD_CONST",
    "PRECALL",
    "CALL",
    "SWAP",
    "COPY",
    "LOAD_FAST",
    "POP_TOP",
    "RETURN_VALUE",
}


class Strike:
    """Raises KeyboardInterrupt at the n-th traced bytecode."""

    def __init__(self, at: int) -> None:
        self.left = at
        self.struck = ""

    def __call__(self, frame: FrameType, event: str, arg: Any) -> Any:
        if event == "call" and not frame.f_code.co_filename.startswith(OURS):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            self.left -= 1
            if self.left == 0:
                self.struck = _opname(frame.f_code, frame.f_lasti)
                raise KeyboardInterrupt
        return self


def _opname(code: CodeType, offset: int) -> str:
    return dis.opname[code.co_code[offset]]


def words_of(text: str) -> list[bytes]:
    return [word.value for word in split(text)[0]] if text.strip() else []


def cases() -> list[tuple[list[list[bytes]], list[bytes]]]:
    found = []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            before, _, command = line.partition("|")
            setup = [words_of(part) for part in before.split(" ; ") if part.strip()]
            found.append((setup, words_of(command)))
    return found


def shown(words: list[bytes]) -> str:
    return b" ".join(words).decode("ascii", "backslashreplace")


def prepared(setup: list[list[bytes]]) -> minidis.Minidis[bytes]:
    db = minidis.open(clock=minidis.ManualClock(), databases=2)
    db.engine.randbelow = lambda n: n - 1
    for words in setup:
        db.execute(*words)
    return db


def state(db: minidis.Minidis[bytes]) -> Any:
    """Data, deadlines and encodings."""
    spaces = db.engine.databases
    return (
        db.debug_digest(),
        [dict(space.deadlines) for space in spaces],
        [{key: getattr(value, "wide", None) for key, value in space.values.items()}
         for space in spaces],
    )  # fmt: skip


def struck_at(db: minidis.Minidis[bytes], words: list[bytes], at: int) -> Strike | None:
    """Run the words and strike; None if the command was over before."""
    strike = Strike(at)
    return strike if interrupted(strike, partial(db.execute, *words)) else None


def interrupted(strike: Strike, call: Callable[[], Any]) -> bool:
    """Make the call under the trace function; was it struck? A coverage tracer is put back."""
    before = sys.gettrace()
    sys.settrace(strike)
    try:
        call()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def release(db: minidis.Minidis[bytes], strike: Strike) -> None:
    lock: Any = db.engine.lock
    if lock._is_owned():
        assert strike.struck in LEAVING, strike.struck
        lock.release()
    assert not lock._is_owned()


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    """An interrupt is to strike the command, not a weak reference's callback in between."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize(("setup", "words"), cases(), ids=[shown(words) for _, words in cases()])
def test_before_or_after(setup: list[list[bytes]], words: list[bytes]) -> None:
    db = prepared(setup)
    before = state(db)
    db.execute(*words)
    after = state(db)
    assert before != after, "the case changes nothing"
    at = 0
    seen = set()
    while True:
        at += 1
        db = prepared(setup)
        strike = struck_at(db, words, at)
        if strike is None:
            break
        now = state(db)
        assert now in (before, after), f"torn at bytecode {at} ({strike.struck})"
        seen.add(now == after)
        release(db, strike)
        for space in db.engine.databases:
            space.check()
        assert not db.engine.undo
    assert at > 20
    assert seen  # at least one strike hit


def test_every_writing_command_is_in_the_table() -> None:
    known = {shown(words[:2]).upper() for _, words in cases()}
    known |= {shown(words[:1]).upper() for _, words in cases()}
    missing = [name for name, command in COMMANDS.items() if command.writes and name not in known]
    assert not missing


def test_a_typed_call_is_as_safe() -> None:
    """The doors of the typed API have the same gate as words."""
    at = 0
    while True:
        at += 1
        db = prepared([[b"SET", b"a", b"1", b"EX", b"10"], [b"SCAN", b"0"]])
        before = state(db)
        strike = Strike(at)
        if not interrupted(strike, lambda db=db: db.mset({"a": 2, "b": 3})):  # type: ignore[misc]
            break
        release(db, strike)
        assert state(db) == before or (db.get("b") == b"3" and db.ttl("a") == -1)
        db.space.check()
    assert at > 50
