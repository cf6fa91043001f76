"""Keyspace events of a real server, as a table: which events a command fires, in which order.

    SET a 1 EX 10 | DEL a -> del a

The cases are those of tables/interrupts.txt: every writing command is among them. Running this
module with a server writes tables/events.txt again: `python -m tests.oracle.events`.
"""

from __future__ import annotations

from pathlib import Path

from repl.words import split
from tests.oracle.resp import Connection, Error
from tests.oracle.server import RealServer

TABLES = Path(__file__).parent.parent / "tables"
CASES = TABLES / "interrupts.txt"
EVENTS = TABLES / "events.txt"
CHANNEL = b"__keyevent@"
HEADER = "# before ; before | command -> events with their keys, as a real server fires them\n"


def words_of(text: str) -> list[bytes]:
    return [word.value for word in split(text)[0]] if text.strip() else []


def cases() -> list[tuple[str, list[list[bytes]], list[bytes]]]:
    """(the line, what goes before, the command)."""
    found = []
    for line in CASES.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            before, _, command = line.partition("|")
            setup = [words_of(part) for part in before.split(" ; ") if part.strip()]
            found.append((line, setup, words_of(command)))
    return found


def expected() -> dict[str, str]:
    """Line of a case -> its events."""
    rows = EVENTS.read_text(encoding="utf-8").splitlines()
    return dict(row.rsplit(" -> ", 1) for row in rows if row and not row.startswith("#"))


def fired(server: RealServer, setup: list[list[bytes]], words: list[bytes]) -> str | None:
    """The events of the command on a server; None when it does not know a command."""
    server.execute("CONFIG", "SET", "notify-keyspace-events", "KEA")
    server.execute("FLUSHALL")
    server.execute("SELECT", "0")
    listener = Connection(server.path, 2)
    try:
        if any(isinstance(server.execute(*before), Error) for before in setup):
            return None
        listener.execute("PSUBSCRIBE", "__keyevent@*__:*")
        if isinstance(server.execute(*words), Error):
            return None
        server.execute("PUBLISH", "__keyevent@0__:that is all", "")
        found = []
        while True:
            _, _, channel, key = listener.receive()
            name = channel.split(b":", 1)[1].decode()
            if name == "that is all":
                return ", ".join(found)
            found.append(f"{name} {key.decode()}")
    finally:
        listener.close()
        server.execute("CONFIG", "SET", "notify-keyspace-events", "")
        server.execute("CONFIG", "SET", "stream-node-max-entries", "100")
        server.execute("FLUSHALL")


def write() -> None:
    """Ask a server for all cases and write the table."""
    server = RealServer()
    try:
        rows = [(line, fired(server, setup, words)) for line, setup, words in cases()]
    finally:
        server.stop()
    text = "".join(f"{line} -> {events}\n" for line, events in rows if events is not None)
    EVENTS.write_text(HEADER + text, encoding="utf-8")


if __name__ == "__main__":
    write()
