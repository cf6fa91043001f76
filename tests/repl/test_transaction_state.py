"""The state of MULTI and WATCH, compared with a real server."""

from __future__ import annotations

import pytest

from minidis.errors import ResponseError
from minidis.replies import Status
from repl.transaction_state import TransactionState
from tests.oracle.resp import Connection, Error
from tests.oracle.server import RealServer

#: commands -> state after them: open, aborted, queued, watched
CASES = {
    "GET a": (False, False, 0, 0),
    "MULTI": (True, False, 0, 0),
    "MULTI | SET a 1 | INCR a": (True, False, 2, 0),
    "MULTI | SET a 1 | EXEC": (False, False, 0, 0),
    "WATCH a b | WATCH b c": (False, False, 0, 3),
    "WATCH a | UNWATCH": (False, False, 0, 0),
    "WATCH a | MULTI | UNWATCH": (True, False, 1, 1),
    "WATCH a | MULTI | EXEC": (False, False, 0, 0),
    "WATCH a | MULTI | DISCARD": (False, False, 0, 0),
    "MULTI | GETT a | SET a 1": (True, True, 1, 0),
    "MULTI | SET a | EXEC": (False, False, 0, 0),
    "MULTI | MULTI | WATCH a": (True, False, 0, 0),
    "MULTI | MULTI x": (True, True, 0, 0),
    "MULTI | EXEC x": (False, False, 0, 0),
    "MULTI | DISCARD x": (True, True, 0, 0),
    "MULTI | SET a 1 | RESET": (False, False, 0, 0),
    "EXEC | DISCARD": (False, False, 0, 0),
}


@pytest.mark.parametrize("line", CASES)
def test_state_follows_the_server(real_server: RealServer, line: str) -> None:
    server, state = Connection(real_server.path), TransactionState()
    for command in line.split(" | "):
        words = [word.encode() for word in command.split()]
        reply = server.execute(*words)
        if isinstance(reply, Error):
            state.on_error(str(reply))
        else:
            state.on_reply(words, reply)
    assert (state.open, state.aborted, len(state.queued), len(state.watched)) == CASES[line]
    # EXEC shows whether the server agrees about open and aborted.
    final = server.execute("EXEC")
    assert str(final).startswith("ERR EXEC without MULTI") != state.open
    assert str(final).startswith("EXECABORT") == state.aborted
    server.close()


def test_replies_belong_to_commands() -> None:
    state = TransactionState()
    queued = [[b"SET", b"a", b"1"], [b"GET", b"a"]]
    state.on_reply([b"multi"], Status("OK"))
    for words in queued:
        state.on_reply(words, Status("QUEUED"))
    reply = [Status("OK"), b"1"]
    state.on_reply([b"exec"], reply)
    assert state.commands_of(reply) == queued
    assert state.commands_of([b"another", b"list"]) == []


def test_a_string_that_says_queued_is_not_the_status() -> None:
    state = TransactionState()
    state.on_reply([b"MULTI"], Status("OK"))
    state.on_reply([b"ECHO", b"QUEUED"], b"QUEUED")
    assert state.queued == []
    state.on_error(str(ResponseError("EXECABORT Transaction discarded")))
    assert not state.open
