"""A real redis-server for the time of a test run: on a Unix socket, in a directory of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence

from tests.oracle.resp import Connection, Reply, Words
from tests.oracle.servers import BASELINE, NoServer, find_server

#: How long a server may take until the reply to its first PING, in seconds.
PATIENCE = 10.0


class RealServer:
    """Starts a server; `execute` and `ask` talk to it; `stop` ends exactly this process."""

    def __init__(self, *options: str, dump: str | None = None, kind: str = BASELINE) -> None:
        program = find_server(kind)
        self.directory = tempfile.mkdtemp(prefix="minidis-oracle-")
        if dump is not None:
            shutil.copy(dump, os.path.join(self.directory, "dump.rdb"))
        self.path = os.path.join(self.directory, "redis.sock")
        self._connections: dict[int, Connection] = {}
        with open(os.path.join(self.directory, "log"), "wb") as log:
            self._process = subprocess.Popen(
                [
                    program,
                    *("--port", "0", "--unixsocket", self.path, "--dir", self.directory),
                    *("--save", "", "--enable-debug-command", "yes", "--daemonize", "no"),
                    *options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def connection(self, protocol: int = 3) -> Connection:
        """A connection that is kept, one for each protocol version."""
        if protocol not in self._connections:
            self._connections[protocol] = Connection(self.path, protocol)
        return self._connections[protocol]

    def execute(self, *words: bytes | str | int | float) -> Reply:
        """Run one command over RESP3; errors are returned, not raised."""
        return self.connection().execute(*words)

    def ask(self, commands: Sequence[Words], protocol: int = 3) -> list[Reply]:
        """Run many commands in one go."""
        return self.connection(protocol).ask(commands)

    def stop(self) -> None:
        """End the server and remove its directory."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _wait_until_ready(self) -> None:
        give_up = time.monotonic() + PATIENCE
        while True:
            try:
                if self.execute("PING") == "PONG":
                    return
                self._connections.clear()
            except OSError:
                pass
            if self._process.poll() is not None or time.monotonic() > give_up:
                with open(os.path.join(self.directory, "log"), errors="replace") as log:
                    raise NoServer(f"redis-server did not start: {log.read()[-2000:]}")
            time.sleep(0.01)
