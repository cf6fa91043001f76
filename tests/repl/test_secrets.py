"""Passwords stay out of the history."""

from __future__ import annotations

from pathlib import Path

import pytest

from repl import session as session_module
from repl.secrets import holds_secret, masked


@pytest.mark.parametrize(
    "line",
    [
        "AUTH secret",
        "auth ann secret",
        "HELLO 3 AUTH ann secret",
        "hello 3 setname x auth ann 'secret",
        "CONFIG SET maxmemory 1 requirepass secret",
        "ACL SETUSER ann on >secret ~*",
        "MIGRATE h 1 k 0 10 AUTH secret",
        "GET a\nAUTH secret",
    ],
)
def test_secret(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(session_module.sys, "platform", "linux")
    assert holds_secret(line)
    history = session_module.open_history()
    history.append_string("GET b")
    history.append_string(line)
    assert "secret" not in (tmp_path / "minidis" / "history").read_text()
    assert list(history.get_strings()) == ["GET b"]


@pytest.mark.parametrize("line", ["GET auth", "AUTH", "HELLO 3", "CONFIG SET a b", "ACL LIST", ""])
def test_not_secret(line: str) -> None:
    assert not holds_secret(line)


def test_a_secret_command_is_masked() -> None:
    assert masked([b"AUTH", b"secret"]) == "AUTH ***"
    assert masked([b"SET", b"a b", b"1"]) == 'SET "a b" 1'
