"""What minidis is compared with: a hand-written floor, fakeredis, redis-server with redis-py.

Floor and Bare are written to be fast, not to be complete. fakeredis and the server are used through
the API of redis-py, the server over a Unix socket. redis-py uses hiredis if it is installed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from math import inf, nextafter
from pathlib import Path
from typing import Any

from sortedcontainers import SortedList

try:
    import redis
except ImportError:  # an extra: pip install -e ".[bench]"
    redis = None  # type: ignore[assignment]
try:
    import fakeredis
except ImportError:
    fakeredis = None  # type: ignore[assignment]

#: Seconds that a server may take to load its dump.
PATIENCE = 60.0


class Floor:
    """What a program would write by hand: a dictionary, a lock, and deadlines checked on access.

    Keys and values are str or bytes; str is encoded. The methods have the names of redis-py, so
    that the same statement runs on all candidates.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.data: dict[bytes, Any] = {}
        self.deadlines: dict[bytes, float] = {}

    def find(self, key: bytes) -> Any:
        """The value, unless its deadline has passed. The caller holds the lock."""
        value = self.data.get(key)
        if value is not None and self.deadlines:
            deadline = self.deadlines.get(key)
            if deadline is not None and deadline < time.time():
                del self.data[key], self.deadlines[key]
                return None
        return value

    def get(self, key: Any) -> Any:
        if key.__class__ is str:
            key = key.encode()
        with self.lock:
            # find() inlined: its call would take a fifth of this method
            value = self.data.get(key)
            if value is not None and self.deadlines:
                deadline = self.deadlines.get(key)
                if deadline is not None and deadline < time.time():
                    del self.data[key], self.deadlines[key]
                    return None
            return value

    def set(self, key: Any, value: Any, ex: float | None = None) -> bool:
        if key.__class__ is str:
            key = key.encode()
        if value.__class__ is str:
            value = value.encode()
        with self.lock:
            self.data[key] = value
            if ex is not None:
                self.deadlines[key] = time.time() + ex
            elif self.deadlines:
                self.deadlines.pop(key, None)
        return True

    def expire(self, key: Any, seconds: float) -> int:
        if key.__class__ is str:
            key = key.encode()
        with self.lock:
            if self.find(key) is None:
                return 0
            self.deadlines[key] = time.time() + seconds
            return 1

    def mget(self, *keys: Any) -> list[Any]:
        names = [key.encode() if key.__class__ is str else key for key in keys]
        with self.lock:
            return [self.find(key) for key in names]

    def delete(self, key: Any) -> int:
        if key.__class__ is str:
            key = key.encode()
        with self.lock:
            self.deadlines.pop(key, None)
            return self.data.pop(key, None) is not None

    def exists(self, key: Any) -> int:
        if key.__class__ is str:
            key = key.encode()
        with self.lock:
            return self.find(key) is not None

    def incr(self, key: Any) -> int:
        if key.__class__ is str:
            key = key.encode()
        with self.lock:
            value = self.data[key] = int(self.find(key) or 0) + 1
            return value

    def hset(self, key: Any, field: Any, value: Any) -> int:
        if key.__class__ is str:
            key = key.encode()
        if field.__class__ is str:
            field = field.encode()
        if value.__class__ is str:
            value = value.encode()
        with self.lock:
            fields = self.find(key)
            if fields is None:
                fields = self.data[key] = {}
            before = len(fields)
            fields[field] = value
            return len(fields) - before

    def hget(self, key: Any, field: Any) -> Any:
        if key.__class__ is str:
            key = key.encode()
        if field.__class__ is str:
            field = field.encode()
        with self.lock:
            fields = self.find(key)
            return None if fields is None else fields.get(field)

    def sadd(self, key: Any, *members: Any) -> int:
        if key.__class__ is str:
            key = key.encode()
        news = [one.encode() if one.__class__ is str else one for one in members]
        with self.lock:
            present = self.find(key)
            if present is None:
                present = self.data[key] = set()
            before = len(present)
            present.update(news)
            return len(present) - before

    def sismember(self, key: Any, member: Any) -> int:
        if key.__class__ is str:
            key = key.encode()
        if member.__class__ is str:
            member = member.encode()
        with self.lock:
            present = self.find(key)
            return present is not None and member in present

    def lpush(self, key: Any, *values: Any) -> int:
        if key.__class__ is str:
            key = key.encode()
        news = [one.encode() if one.__class__ is str else one for one in values]
        with self.lock:
            row = self.find(key)
            if row is None:
                row = self.data[key] = []
            # reversed: the head is the end of the Python list
            row.extend(news)
            return len(row)

    def lpop(self, key: Any) -> Any:
        if key.__class__ is str:
            key = key.encode()
        with self.lock:
            row = self.find(key)
            if not row:
                return None
            value = row.pop()
            if not row:
                del self.data[key]
            return value

    def zadd(self, key: Any, mapping: Mapping[Any, float]) -> int:
        if key.__class__ is str:
            key = key.encode()
        news = {
            one.encode() if one.__class__ is str else one: float(score)
            for one, score in mapping.items()
        }
        with self.lock:
            ranks = self.find(key)
            if ranks is None:
                ranks = self.data[key] = Bare({})
            return sum([ranks.zadd(member, score) for member, score in news.items()])

    def zscore(self, key: Any, member: Any) -> Any:
        if key.__class__ is str:
            key = key.encode()
        if member.__class__ is str:
            member = member.encode()
        with self.lock:
            ranks = self.find(key)
            return None if ranks is None else ranks.scores.get(member)

    def zrange(self, key: Any, start: int, end: int) -> Any:
        if key.__class__ is str:
            key = key.encode()
        with self.lock:
            ranks = self.find(key)
            return [] if ranks is None else ranks.zrange(start, end)

    def zrangebyscore(self, key: Any, low: float, high: float) -> Any:
        if key.__class__ is str:
            key = key.encode()
        with self.lock:
            ranks = self.find(key)
            return [] if ranks is None else ranks.zrangebyscore(low, high)


class Bare:
    """A sorted set of a dictionary and a SortedList: no lock, no keys, no encoding."""

    def __init__(self, scores: Mapping[bytes, float]) -> None:
        self.scores = dict(scores)
        self.order = SortedList((score, member) for member, score in scores.items())

    def zadd(self, member: bytes, score: float) -> int:
        old = self.scores.get(member)
        if old == score:
            return 0
        if old is not None:
            self.order.remove((old, member))
        self.order.add((score, member))
        self.scores[member] = score
        return old is None

    def zrem(self, *members: bytes) -> None:
        for member in members:
            score = self.scores.pop(member, None)
            if score is not None:
                self.order.remove((score, member))

    def zrank(self, member: bytes) -> int | None:
        score = self.scores.get(member)
        if score is None:
            return None
        rank: int = self.order.bisect_left((score, member))
        return rank

    def zrange(self, start: int, end: int) -> list[bytes]:
        return [member for _, member in self.order[start : end + 1]]

    def zrangebyscore(self, low: float, high: float) -> list[bytes]:
        # (score,) sorts before every member of that score
        start = self.order.bisect_left((low,))
        end = self.order.bisect_left((nextafter(high, inf),))
        return [member for _, member in self.order[start:end]]


def fake_client() -> Any:
    """A fakeredis client with data of its own; None when fakeredis is not installed."""
    return None if fakeredis is None else fakeredis.FakeRedis(server=fakeredis.FakeServer())


class Server:
    """A redis-server process with its own Unix socket and directory; see running_server."""

    def __init__(self, directory: str, options: tuple[str, ...]) -> None:
        self.socket = os.path.join(directory, "redis.sock")
        self.log = Path(directory, "log")
        self.dump = Path(directory, "dump.rdb")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [
                    *("redis-server", "--port", "0", "--unixsocket", self.socket),
                    *("--dir", directory, "--save", "", "--daemonize", "no", *options),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def call(self, line: bytes) -> bytes:
        """Send one inline command and return the first line of the reply."""
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(self.socket)
            client.sendall(line + b"\r\n")
            with client.makefile("rb") as replies:
                return replies.readline().strip()

    def wait(self) -> None:
        """Wait until the server has loaded its dump and replies to PING."""
        give_up = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError):
                if self.call(b"PING") == b"+PONG":
                    return
            if self.process.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError(f"redis-server: {self.log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Terminate the process."""
        self.process.terminate()
        self.process.wait()

    def client(self) -> Any:
        """A redis-py client with default options; None when redis-py is not installed."""
        return None if redis is None else redis.Redis(unix_socket_path=self.socket)


@contextlib.contextmanager
def running_server(*options: str, dump: Path | None = None) -> Iterator[Server | None]:
    """Run redis-server during the block, loaded from `dump`; None when it is not installed."""
    if shutil.which("redis-server") is None or not hasattr(socket, "AF_UNIX"):
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="minidis-bench-") as directory:
        if dump is not None:
            shutil.copy(dump, os.path.join(directory, "dump.rdb"))
        server = Server(directory, options)
        try:
            server.wait()
            yield server
        finally:
            server.stop()
