"""The interactive session, with input from a pipe; and SIGINT to a process on a terminal."""

from __future__ import annotations

import asyncio
import io
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from prompt_toolkit.application import set_app
from prompt_toolkit.data_structures import Size
from prompt_toolkit.document import Document
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput
from prompt_toolkit.output.vt100 import Vt100_Output

import minidis
from repl import session as session_module
from repl.backend import LocalBackend
from repl.session import ShellSession
from tests.oracle.server import RealServer

from .conftest import play

ROOT = Path(__file__).resolve().parent.parent.parent
_CODES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b\][^\x07]*\x07|\x1b[=>]")


def run_session(
    db: minidis.Minidis[bytes], keys: str, *later: str, history: tuple[str, ...] = ()
) -> str:
    """Type `keys`, then `later` with a pause before each. Returns the screen without colours."""
    screen = io.StringIO()
    output = Vt100_Output(screen, lambda: Size(rows=40, columns=120), term="xterm")
    with create_pipe_input() as typed:
        typed.send_text(keys)
        shell = ShellSession(
            LocalBackend(db), input=typed, output=output, history=InMemoryHistory(list(history))
        )
        typist = threading.Thread(target=type_slowly, args=(typed, later))
        typist.start()
        shell.run_loop()
        typist.join()
    return _CODES.sub("", screen.getvalue()).replace("\r", "")


def type_slowly(typed: PipeInput, parts: tuple[str, ...]) -> None:
    """Type parts with pauses, as after a menu or suggestion has appeared."""
    for part in parts:
        time.sleep(0.5)
        typed.send_text(part)


@pytest.fixture
def db() -> minidis.Minidis[bytes]:
    return minidis.open()


def test_commands_and_exit(db: minidis.Minidis[bytes]) -> None:
    shown = run_session(db, "SET name 张三\rGET name\rrpush l a b\rlrange l 0 -1\rexit\r")
    assert "OK\n" in shown
    assert '"张三"\n' in shown
    assert '1) "a"' in shown and '2) "b"' in shown
    assert "(2 elements, " in shown
    assert db.get("name") == "张三".encode()


def test_dummy_output_is_enough(db: minidis.Minidis[bytes]) -> None:
    with create_pipe_input() as typed:
        typed.send_text("SET a 1\r\x04")
        ShellSession(
            LocalBackend(db), input=typed, output=DummyOutput(), history=InMemoryHistory()
        ).run_loop()
    assert db.get("a") == b"1"


def test_mistakes_are_explained(db: minidis.Minidis[bytes]) -> None:
    shown = run_session(db, "gett a\rSET a 1 EXX 3\r\x04")
    assert "did you mean GET?" in shown
    assert "^^^ did you mean EX?" in shown


def test_control_characters_are_escaped(db: minidis.Minidis[bytes]) -> None:
    shown = run_session(db, '"\\x1b[2J\\xff" 1\rSET a "\\x1b]0;x\\x07"\rGET a\r\x04')
    assert "unknown command '\\x1b[2J\\xff'" in shown
    assert '"\\x1b]0;x\\a"' in shown


def test_a_quote_goes_on_in_the_next_line(db: minidis.Minidis[bytes]) -> None:
    run_session(db, 'SET a "one\rtwo"\r\x04')
    assert db.get("a") == b"one\ntwo"


def test_several_lines_are_pasted(db: minidis.Minidis[bytes]) -> None:
    shown = run_session(db, "\x1b[200~SET a 1\nINCR a\nGET a\n\x1b[201~\r\x04")
    assert db.get("a") == b"2"
    assert "> INCR a" in shown


def test_commands_of_a_paste_that_did_not_run_are_reported(db: minidis.Minidis[bytes]) -> None:
    shown = run_session(db, "\x1b[200~SET a 1\nGETT a\nINCR a\nINCR a\n\x1b[201~\r\x04")
    assert "(stopped here: 2 commands not run)" in shown
    assert db.get("a") == b"1"


def test_ctrl_c_clears_the_line(db: minidis.Minidis[bytes]) -> None:
    run_session(db, "SET a wrong\x03SET a right\r\x04")
    assert db.get("a") == b"right"


def test_history_is_suggested_and_taken(db: minidis.Minidis[bytes]) -> None:
    run_session(db, "SET a", "\x05\r", "\x04", history=("SET a 12345",))
    assert db.get("a") == b"12345"


def test_the_hint_gives_way_to_the_suggestion(db: minidis.Minidis[bytes]) -> None:
    typed, end = ("memory> ", "ZCOUNT k "), "\x03\x04"
    play(LocalBackend(db), typed, ("min max", end))
    play(LocalBackend(db), typed, ("· min max", end), history=("ZCOUNT k 1 2",))


def test_tab_completes(db: minidis.Minidis[bytes]) -> None:
    db.set("a long key", "12345")
    shown = run_session(db, "STRLEN a", "\t", "\r", "\x04")
    assert 'STRLEN "a long key"' in shown
    assert "(integer) 10" not in shown and "(integer) 5" in shown


def test_help_and_reading_a_file(db: minidis.Minidis[bytes], tmp_path: Path) -> None:
    (tmp_path / "load.txt").write_text("SET a 1\nINCR a\n", "utf-8")
    shown = run_session(db, f"help incr\r.read {tmp_path / 'load.txt'}\r.read nothing\rclear\r\x04")
    assert "since       1.0.0" in shown
    assert db.get("a") == b"2"
    assert "nothing: cannot be read" in shown


def test_exit_warns_about_unsaved_changes(tmp_path: Path) -> None:
    path = tmp_path / "x.rdb"
    with minidis.open(path) as db:
        shown = run_session(db, "MSET a 1 b 2 c 3\rexit\r\x04")
        assert "3 changes are not saved; SAVE writes them to" in shown
        assert not path.exists()
    with minidis.open(path) as db:
        shown = run_session(db, "SET a 1\rexit\rSAVE\rexit\r")
        assert "1 change is not saved" in shown
        assert path.exists()


def test_the_prompt_names_the_database(tmp_path: Path) -> None:
    with minidis.open(tmp_path / "data") as db:
        shown = run_session(db, "SELECT 2\rexit\r")
        assert "data> " in shown and "data[2]> " in shown
    with minidis.open(tmp_path / "dump.rdb") as db:
        shown = run_session(db, "SET a 1\rSAVE\rexit\r")
        assert "dump.rdb> " in shown and "does not exist yet; SAVE creates it" in shown
    with minidis.open(tmp_path / "dump.rdb") as db:
        assert "dump.rdb: 1 key. It is written by SAVE only" in run_session(db, "exit\r")
    with minidis.open() as db:
        assert "nothing is kept" in run_session(db, "exit\r")


def test_an_interrupted_command_keeps_the_session(
    db: minidis.Minidis[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ShellSession, "_execute", interrupted)
    assert "(interrupted)" in run_session(db, "GET a\rexit\r")


def test_completions_replace_the_typed_word(db: minidis.Minidis[bytes]) -> None:
    db.set("two words", "x")
    found = list(
        session_module.LiveCompleter(LocalBackend(db)).get_completions(Document('GET "tw'), None)
    )  # type: ignore[arg-type]
    assert [(one.text, one.start_position) for one in found] == [('"two words"', -3)]


def test_the_history_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert session_module.history_file() == tmp_path / "minidis" / "history"
    session_module.open_history().append_string("GET a")
    assert "+GET a" in (tmp_path / "minidis" / "history").read_text()
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null/nowhere")
    assert isinstance(session_module.open_history(), InMemoryHistory)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo terminal")
def test_sigint_keeps_the_session(tmp_path: Path) -> None:
    import pty

    terminal, inner = pty.openpty()
    environment = {"PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "TERM": "xterm"}
    with subprocess.Popen(
        [sys.executable, "-m", "repl"], stdin=inner, stdout=inner, stderr=inner,
        env=environment, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            read_until(terminal, "memory>")
            os.write(terminal, b"DEBUG SLEEP 30\r")
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            read_until(terminal, "interrupted")
            for round_ in range(10):  # the signal arrives at any point of the loop
                os.write(terminal, b"INCR n\r")
                time.sleep(0.004 * round_)
                process.send_signal(signal.SIGINT)
            time.sleep(0.3)
            os.write(terminal, b"SET n 41\rINCR n\r")
            read_until(terminal, "42")
            os.write(terminal, b"exit\r")
            assert process.wait(60) == 0
        finally:
            process.kill()
            os.close(terminal)
            os.close(inner)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo terminal")
def test_sigint_leaves_a_blocked_command_of_a_server(
    real_server: RealServer, tmp_path: Path
) -> None:
    import pty

    real_server.execute("FLUSHALL")
    terminal, inner = pty.openpty()
    environment = {"PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "TERM": "xterm"}
    with subprocess.Popen(
        [sys.executable, "-m", "repl", f"unix:{real_server.path}"],
        stdin=inner, stdout=inner, stderr=inner, env=environment, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            read_until(terminal, "redis.sock>")
            os.write(terminal, b"BLPOP queue 0\r")
            until = time.monotonic() + 20
            while b"blocked_clients:1\r" not in real_server.execute("INFO", "clients"):
                assert time.monotonic() < until
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            read_until(terminal, "interrupted")
            os.write(terminal, b"RPUSH queue x\rexit\r")
            assert process.wait(60) == 0
        finally:
            process.kill()
            os.close(terminal)
            os.close(inner)
    assert real_server.execute("LRANGE", "queue", 0, -1) == [b"x"]


def read_until(terminal: int, wanted: str, seconds: float = 20) -> None:
    """Read the output until `wanted` appears; replies to requests for the cursor position."""
    until, shown = time.monotonic() + seconds, ""
    while wanted not in _CODES.sub("", shown):
        ready, _, _ = select.select([terminal], [], [], max(0.0, until - time.monotonic()))
        assert ready, f"{wanted!r} did not come: {shown[-2000:]!r}"
        got = os.read(terminal, 65536).decode("utf-8", "replace")
        if "\x1b[6n" in got:
            os.write(terminal, b"\x1b[1;1R")
        shown += got


def test_text_is_printed_while_a_prompt_ends(db: minidis.Minidis[bytes]) -> None:
    """The prompt still counts as open, but its event loop runs no more callbacks."""
    screen = io.StringIO()
    with create_pipe_input() as typed:
        output = Vt100_Output(screen, lambda: Size(rows=40, columns=160))
        session = ShellSession(
            LocalBackend(db), input=typed, output=output, history=InMemoryHistory()
        )
        app = session.prompt.app
        app.loop = asyncio.new_event_loop()
        try:
            with set_app(app):
                session.write_note("still here")
        finally:
            app.loop.close()
    assert "still here\r\n" in screen.getvalue()
