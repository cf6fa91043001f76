"""Generated methods show their source: in tracebacks, in debuggers, to `inspect`."""

from __future__ import annotations

import inspect
import linecache
import sys
import traceback
from typing import Any

import pytest

import minidis
from minidis.grammar.command import COMMANDS


def failed(call: Any) -> str:
    """The traceback of a call that raises, as a program would log it."""
    with pytest.raises(minidis.MinidisError):
        try:
            call()
        except minidis.MinidisError:
            text = traceback.format_exc()
            raise
    return text


def test_a_traceback_shows_the_line_that_called_the_body(db: minidis.Minidis[bytes]) -> None:
    db.rpush("l", "a")
    text = failed(lambda: db.hget("l", "f"))
    assert "in hget\n    reply = body(self, key, field)\n" in text
    assert 'File "<minidis HGET' in text


def test_the_method_for_options_shows_its_own_source(db: minidis.Minidis[bytes]) -> None:
    """A call with options goes through two methods of the same name."""
    db.rpush("l", "a")
    text = failed(lambda: db.set("l", "v", get=True))
    assert "in set\n    return full_method(self, key, value, ex, " in text
    assert "in set\n    reply = body(self, key, value, ex, " in text


def test_an_error_of_a_conversion_shows_its_line(db: minidis.Minidis[bytes]) -> None:
    assert "    key = encode(key)\n" in failed(lambda: db.get(object()))  # type: ignore[arg-type]


def test_the_source_outlives_a_check_of_the_cache(db: minidis.Minidis[bytes]) -> None:
    """Debuggers and tracebacks discard lines of files that are gone; there is no file here."""
    db.rpush("l", "a")
    linecache.checkcache()
    assert "reply = body(self, key)" in failed(lambda: db.incr("l"))
    assert "value = space.values.get(key)" in inspect.getsource(type(db).get.__code__)


def test_a_debugger_finds_the_lines_of_a_frame(db: minidis.Minidis[bytes]) -> None:
    """`pdb` lists the lines around a frame by inspect.getsourcelines()."""
    db.rpush("l", "a")
    with pytest.raises(minidis.WrongTypeError) as caught:
        db.hget("l", "f")
    [entry] = [entry for entry in caught.traceback if entry.name == "hget"][:1]
    lines, first = inspect.getsourcelines(entry.frame.raw)
    assert lines[0] == "def hget(self, key, field):\n"
    assert lines[entry.lineno + 1 - first].strip() == "reply = body(self, key, field)"


def test_every_method_has_its_source() -> None:
    for command in COMMANDS.values():
        code = getattr(minidis.Minidis, command.method).__code__
        assert f"def {command.method}(" in inspect.getsource(code)
        by_hand = code.co_filename.endswith(".py")
        assert by_hand or code.co_filename.startswith(f"<minidis {command.name} ")


def test_the_source_of_a_method_is_the_body_of_its_command() -> None:
    """What help and an editor show is the declaration, not the template."""
    assert '@command(\n        "GET key",' in inspect.getsource(minidis.Minidis.get)


def test_a_debugger_steps_through_its_lines(db: minidis.Minidis[bytes]) -> None:
    seen = []

    def trace(frame: Any, event: str, arg: Any) -> Any:
        code = frame.f_code
        if event == "line" and code.co_filename.startswith("<minidis GET"):
            seen.append(linecache.getline(code.co_filename, frame.f_lineno).strip())
        return trace

    db.set("a", "1")
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        db.get("a")
    finally:
        sys.settrace(before)
    assert "version = unit.version" in seen
    assert "value = space.values.get(key)" in seen
    assert seen[-1] == "return reply"
