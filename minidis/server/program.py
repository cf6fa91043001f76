"""The command `minidis serve`: open a database, start its servers, wait for the end, save.

It is a program and not the library, so it may handle signals: Ctrl-C, SIGTERM and SIGHUP end it, as
the command SHUTDOWN does.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from minidis.api.database import open as open_database
from minidis.errors import MinidisError
from minidis.server.resp_server import serve

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
ENDING = tuple(getattr(signal, name) for name in _NAMES if hasattr(signal, name))


def serve_forever(
    path: str | os.PathLike[str] | None,
    addresses: Iterable[str],
    config: Mapping[str, Any] | None = None,
) -> int:
    """Serve the database at `path` until Ctrl-C, SIGTERM or SHUTDOWN; return the exit status.

    `path` and `config` are those of minidis.open(). The status is 0 after a normal end, with a
    directory saved; 1 if opening, serving or saving failed, with a message on stderr.
    """
    with _Signals() as signals:
        try:
            with open_database(path, **dict(config or {})) as database:
                database.engine.on_shutdown = signals.shut_down
                for address in addresses:
                    server = serve(database, address)
                    print(f"serving {path or 'memory'} at {server.address}", flush=True)
                signals.wait()
                database.close(save=signals.save)
        except MinidisError as error:
            print(f"minidis: {error}", file=sys.stderr)
            return 1
    return 0


class _Signals:
    """Waits for a signal without polling: Python writes the signal's number to a socket."""

    #: argument of close(): False after SHUTDOWN NOSAVE, None otherwise
    save: bool | None = None

    def __enter__(self) -> _Signals:
        self._near, self._far = socket.socketpair()
        self._far.setblocking(False)
        self._wakeup = signal.set_wakeup_fd(self._far.fileno(), warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, _noted) for number in ENDING}
        return self

    def wait(self) -> None:
        """Sleep until one of the signals arrives."""
        while self._near.recv(1)[0] not in ENDING:
            pass

    def shut_down(self, save: bool | None) -> None:
        """SHUTDOWN: wake the main thread. Called by the server's thread, under the lock."""
        self.save = save
        self._far.send(bytes([ENDING[0]]))

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        self._near.close()
        self._far.close()


def _noted(number: int, frame: object) -> None:
    """Do nothing: Python has written the number to the socket."""
