"""Malicious or broken clients: other clients are not affected.

The server has a process of its own, so that its memory and processor time can be measured, and
nothing that a test does is counted. What others suffer is how long a PING takes meanwhile.
"""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from tests.calls import PATIENCE, eventually
from tests.clients.backends import Backend
from tests.oracle.resp import Error, pack

pytestmark = pytest.mark.slow

resource = pytest.importorskip("resource", reason="Unix alone counts what a process uses")
if not Path("/proc/self/status").exists():
    pytest.skip("only Linux tells the memory of another process", allow_module_level=True)

PROGRAM = (
    "import sys; from minidis.server.program import serve_forever; "
    "sys.exit(serve_forever(None, sys.argv[1:]))"
)
MB = 1024 * 1024
#: How long a PING of another client may take, in seconds.
PROMPT = 1.0


class Victim:
    """The process with the server, and a well-behaved client of it."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port
        self.friend = self.connect()
        self.ping()
        self.begin = self._memory("VmRSS")

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE)

    def ask(self, *words: bytes | str) -> bytes:
        """One command of the well-behaved client; the reply, to the end of its last line."""
        coded = [word if isinstance(word, bytes) else word.encode() for word in words]
        self.friend.sendall(pack([coded]))
        return one_reply(self.friend)

    def ping(self) -> float:
        """How long a PING takes, in seconds."""
        begin = time.monotonic()
        assert self.ask("PING") == b"+PONG\r\n"
        return time.monotonic() - begin

    def fence(self) -> None:
        """Wait until everybody is in who has come before: they are let in one after the other."""
        with closing(self.connect()) as last:
            last.sendall(b"PING\r\n")
            assert one_reply(last) == b"+PONG\r\n"

    def clients(self) -> int:
        """How many are connected."""
        lines = self.ask("CLIENT", "LIST").split(b"\r\n", 1)[1].splitlines()
        return sum(b" addr=127.0.0.1:" in line for line in lines)

    def growth(self) -> float:
        """By how much memory has grown since the start, at its peak, in MB."""
        return (self._memory("VmHWM") - self.begin) / 1024

    def _memory(self, name: str) -> int:
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(rf"^{name}:\s+(\d+) kB$", text, re.MULTILINE)
        assert found is not None
        return int(found[1])

    def used(self) -> float:
        """Processor time so far, in seconds."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def files(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


@pytest.fixture
def victim() -> Iterator[Victim]:
    """A new server; at the end it has written nothing to stderr, and exits normally."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert process.stdout is not None
        victim = Victim(process, int(process.stdout.readline().rpartition(":")[2]))
        with closing(victim.friend):
            yield victim
            assert victim.ping() < PROMPT
        process.send_signal(signal.SIGTERM)
        _, complaints = process.communicate(timeout=PATIENCE)
        assert (process.returncode, complaints) == (0, "")
    finally:
        process.kill()
        process.communicate()


def one_reply(client: socket.socket) -> bytes:
    """A status, a number, an error, or a bulk string."""
    data = b""
    while not data.endswith(b"\r\n"):
        data += received(client)
    head = data.split(b"\r\n", 1)[0]
    if head[:1] == b"$" and head != b"$-1":
        while len(data) < len(head) + int(head[1:]) + 4:
            data += received(client)
    return data


def received(client: socket.socket) -> bytes:
    data = client.recv(MB)
    assert data, "closed"
    return data


def until_closed(client: socket.socket) -> bytes:
    """All that comes until the server closes the connection."""
    data = b""
    try:
        while part := client.recv(MB):
            data += part
    except ConnectionResetError:
        pass
    return data


def poured(client: socket.socket, data: bytes, most: int, still: float = 0.3) -> int:
    """Send again and again until nothing is taken for a while; how many bytes went out."""
    client.settimeout(still)
    sent = 0
    try:
        while sent < most:
            sent += client.send(data)
    except (TimeoutError, ConnectionError):
        pass
    return sent


@contextmanager
def many(victim: Victim, number: int) -> Iterator[list[socket.socket]]:
    """So many connections at the same time."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < number + 200:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(number + 200, hard), hard))
    with ExitStack() as stack:
        yield [stack.enter_context(closing(victim.connect())) for _ in range(number)]


# what is no command -------------------------------------------------------------------------------

GARBAGE = {
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n": b"",
    "POST / HTTP/1.1\r\nHost: x\r\n\r\nFLUSHALL\r\n": b"",
    "*1\r\n+PING\r\n": b"-ERR Protocol error: expected '$', got '+'\r\n",
    "*1\r\n*1\r\n$4\r\nPING\r\n": b"-ERR Protocol error: expected '$', got '*'\r\n",
    "*9999999999\r\n": b"-ERR Protocol error: invalid multibulk length\r\n",
    "*1\r\n$-5\r\n": b"-ERR Protocol error: invalid bulk length\r\n",
    "*1\r\n$99999999999\r\n": b"-ERR Protocol error: invalid bulk length\r\n",
    "*one\r\n": b"-ERR Protocol error: invalid multibulk length\r\n",
    'SET "a\r\n': b"-ERR Protocol error: unbalanced quotes in request\r\n",
    "x" * 70_000: b"-ERR Protocol error: too big inline request\r\n",
    "*" + "1" * 70_000: b"-ERR Protocol error: too big mbulk count string\r\n",
    "*1\r\n$" + "1" * 70_000: b"-ERR Protocol error: too big bulk count string\r\n",
}


@pytest.mark.parametrize(("sent", "reply"), GARBAGE.items(), ids=[text[:16] for text in GARBAGE])
def test_nonsense_is_refused_and_closed(place: Backend, sent: str, reply: bytes) -> None:
    with closing(socket.create_connection((place.host, place.port), PATIENCE)) as client:
        client.sendall(sent.encode())
        assert until_closed(client).endswith(reply)
    assert place.execute("PING") == "PONG"


def test_random_bytes(victim: Victim) -> None:
    chance = random.Random(7)
    victim.ask("SET", "a", "1")
    for number in range(300):
        data = chance.randbytes(chance.randrange(1, 2000))
        if number % 3 == 0:
            data = b"*2\r\n$4\r\nECHO\r\n" + data
        elif number % 3 == 1:
            data = bytes(chance.choice(b"*$0123456789\r\nPING -") for _ in range(500))
        with closing(victim.connect()) as client:
            client.sendall(data)
    victim.fence()
    eventually(lambda: victim.clients() == 1, "the end of all others")
    assert victim.ask("GET", "a") == b"$1\r\n1\r\n" and victim.growth() < 30


def test_half_commands(victim: Victim) -> None:
    command = pack([[b"SET", b"a", b"1"]])
    for length in range(len(command)):
        with closing(victim.connect()) as client:
            client.sendall(command[:length])
    victim.fence()
    eventually(lambda: victim.clients() == 1, "the end of all others")
    assert victim.ask("EXISTS", "a") == b":0\r\n"


# too much -----------------------------------------------------------------------------------------


def test_a_line_without_end(victim: Victim) -> None:
    with closing(victim.connect()) as client:
        sent = poured(client, b"x" * 4096, 100 * MB)
        assert sent < 20 * MB  # what the system holds on both sides
    assert victim.growth() < 10


DECLARATIONS = {
    "512 MB": b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\nabc",
    "a million words": b"*1000000\r\n$1\r\na\r\n",
}


@pytest.mark.parametrize("declared", DECLARATIONS.values(), ids=list(DECLARATIONS))
def test_large_declarations(victim: Victim, declared: bytes) -> None:
    with many(victim, 100) as clients:
        for client in clients:
            client.sendall(declared)
        assert victim.ping() < PROMPT
        eventually(lambda: victim.clients() == 101, "all of them")
        assert victim.growth() < 20


def test_a_password_keeps_large_declarations_away(victim: Victim) -> None:
    victim.ask("CONFIG", "SET", "requirepass", "secret")
    for declared, what in ((b"*11\r\n", b"multibulk"), (b"*1\r\n$16385\r\n", b"bulk")):
        with closing(victim.connect()) as client:
            client.sendall(declared)
            told = b"-ERR Protocol error: unauthenticated %b length\r\n" % what
            assert until_closed(client) == told


def test_replies_that_are_not_read(victim: Victim) -> None:
    """100 MB of GETs of a large value: they are not run before there is room for their replies."""
    victim.ask("SET", "big", b"x" * MB)
    with closing(victim.connect()) as client:
        poured(client, pack([[b"GET", b"big"]]) * 1000, 100 * MB)
        assert victim.ping() < PROMPT
        assert victim.growth() < 150
    eventually(lambda: victim.clients() == 1, "the end of the other")


def test_a_pipeline_is_sent_before_its_answers_are_read(place: Backend) -> None:
    """Many libraries work like this, so much more is read than replies may wait."""
    number = 20_000
    with closing(socket.create_connection((place.host, place.port), PATIENCE)) as client:
        client.sendall(pack([[b"ECHO", b"x" * 1000]]) * number)
        missing = number * len(b"$1000\r\n\r\n") + number * 1000
        while missing > 0:
            missing -= len(received(client))
        assert missing == 0


def test_small_replies_that_are_not_read_for_long(victim: Victim) -> None:
    """Much has been read ahead when the client begins to read: others have their turn all the same.

    Nor is it all taken apart at once, which would need many times the room.
    """
    with closing(victim.connect()) as client:
        sent = poured(client, b"*1\r\n$4\r\nPING\r\n" * 1000, 40 * MB, still=1.0)
        worst: list[float] = []
        stop = threading.Event()
        pings = threading.Thread(target=lambda: keep_asking(victim, stop, worst))
        pings.start()
        client.settimeout(PATIENCE)
        begin, read = time.monotonic(), 0
        # A busy machine may need more than a second for the first part.
        while read < sent // 2 and (time.monotonic() < begin + 1.0 or read <= 100_000):
            read += len(received(client))
        stop.set()
        pings.join(PATIENCE)
        assert read > 100_000 and max(worst) < PROMPT
    assert victim.growth() < 200


def keep_asking(victim: Victim, stop: threading.Event, times: list[float]) -> None:
    while not stop.is_set():
        times.append(victim.ping())


def test_much_behind_a_command_that_waits(victim: Victim) -> None:
    """What comes while a client waits is kept as it is, and run in turns when it waits no more."""
    with closing(victim.connect()) as client:
        client.sendall(pack([[b"BLPOP", b"q", b"0"]]))
        client.settimeout(PATIENCE)
        sender = threading.Thread(target=client.sendall, args=(b"PING\r\n" * 3_000_000,))
        sender.start()
        sender.join(PATIENCE)
        assert not sender.is_alive() and victim.ping() < PROMPT
        assert victim.ask("RPUSH", "q", "x") == b":1\r\n"
        assert max(victim.ping() for _ in range(20)) < PROMPT
        assert victim.growth() < 150


def test_messages_that_nobody_reads(victim: Victim) -> None:
    """Who does not read is sent away; who reads gets everything."""
    number, message = 100, b"x" * MB
    with closing(victim.connect()) as lazy, closing(victim.connect()) as eager:
        for client in (lazy, eager):
            client.sendall(b"SUBSCRIBE news\r\n")
        eventually(lambda: victim.ask("PUBLISH", "news", "-") == b":2\r\n", "two listeners")
        count = [0]
        reader = threading.Thread(target=lambda: count_bytes(eager, count, number * MB))
        reader.start()
        receivers = [victim.ask("PUBLISH", "news", message) for _ in range(number)]
        reader.join(PATIENCE)
        assert count[0] > number * MB
        assert receivers[0] == b":2\r\n" and receivers[-1] == b":1\r\n"
        assert victim.clients() == 2 and victim.growth() < 150


def count_bytes(client: socket.socket, count: list[int], enough: int) -> None:
    while count[0] < enough:
        count[0] += len(received(client))


# too many -----------------------------------------------------------------------------------------


def test_many_that_send_byte_by_byte(victim: Victim) -> None:
    command = pack([[b"SET", b"a", b"1"]])
    with many(victim, 500) as clients:
        worst = 0.0
        for at in range(len(command)):
            for client in clients:
                client.sendall(command[at : at + 1])
            worst = max(worst, victim.ping())
        assert [one_reply(client) for client in clients] == [b"+OK\r\n"] * 500
        assert worst < PROMPT and victim.growth() < 30


def test_storms_of_connections(victim: Victim) -> None:
    before = victim.files()
    abrupt = struct.pack("ii", 1, 0)
    for number in range(1500):
        with closing(victim.connect()) as client:
            if number % 3 == 0:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, abrupt)
            elif number % 3 == 1:
                client.sendall(b"PING\r\nBLPOP q 0\r\n")
    victim.fence()
    eventually(lambda: victim.clients() == 1, "the end of all others")
    assert victim.ask("RPUSH", "q", "x") == b":1\r\n" and victim.ask("LLEN", "q") == b":1\r\n"
    eventually(lambda: victim.files() == before, "no socket left open")
    assert victim.growth() < 30


def test_most_clients(place: Backend) -> None:
    taken = sum(one["addr"] != "in-process:0" for one in place.clients())
    place.execute("CONFIG", "SET", "maxclients", taken + 9)
    try:
        with ExitStack() as stack:
            for _ in range(9):
                one = socket.create_connection((place.host, place.port), PATIENCE)
                stack.enter_context(closing(one)).sendall(b"PING\r\n")
                assert one_reply(one) == b"+PONG\r\n"
            with closing(socket.create_connection((place.host, place.port), PATIENCE)) as late:
                assert until_closed(late) == b"-ERR max number of clients reached\r\n"
            address = f"127.0.0.1:{one.getsockname()[1]}"
            one.close()
            eventually(lambda: not place.clients(addr=address), "the end of one")
            one = socket.create_connection((place.host, place.port), PATIENCE)
            stack.enter_context(closing(one)).sendall(b"PING\r\n")
            assert one_reply(one) == b"+PONG\r\n"
    finally:
        assert not isinstance(place.execute("CONFIG", "SET", "maxclients", 5000), Error)


def test_a_thousand_who_say_nothing(victim: Victim) -> None:
    with many(victim, 1000) as clients:
        for client in clients[:300]:
            client.sendall(b"SUBSCRIBE news\r\n")
        for client in clients[300:600]:
            client.sendall(b"BLPOP q 0\r\n")
        eventually(lambda: victim.ask("PUBLISH", "no", "") == b":0\r\n", "a reply")
        eventually(lambda: victim.clients() == 1001, "all of them")
        before = victim.used()
        time.sleep(1.0)
        assert victim.used() - before < 0.05
        assert victim.ping() < PROMPT and victim.growth() < 60


def test_waiting_clients_that_vanish_take_nothing(victim: Victim) -> None:
    with many(victim, 300) as clients:
        for client in clients:
            client.sendall(b"BLPOP q 0\r\n")
        eventually(lambda: b"blocked_clients:300" in victim.ask("INFO"), "300 who wait")
    victim.fence()
    eventually(lambda: victim.clients() == 1, "the end of all others")
    assert victim.ask("RPUSH", "q", "x") == b":1\r\n" and victim.ask("LLEN", "q") == b":1\r\n"


# configured limits ------------------------------------------------------------------------------


@contextmanager
def setting(place: Backend, name: str, value: str) -> Iterator[None]:
    """A parameter for a while."""
    found = place.execute("CONFIG", "GET", name)
    before = found[0][1]
    assert place.execute("CONFIG", "SET", name, value) == "OK"
    try:
        yield
    finally:
        place.execute("CONFIG", "SET", name, before)


def test_hard_limit_of_answers(place: Backend) -> None:
    """A client that does not read what it receives."""
    with (
        setting(place, "client-output-buffer-limit", "normal 8mb 0 0"),
        closing(socket.create_connection((place.host, place.port), PATIENCE)) as lazy,
    ):
        lazy.sendall(b"CLIENT SETNAME lazy\r\nMONITOR\r\n")
        place.wait_for(name="lazy", cmd="monitor")
        for _ in range(30):
            place.execute("SET", "k", b"x" * MB)
        eventually(lambda: not place.clients(name="lazy"), "the end of the lazy one")


def test_soft_limit_of_messages(place: Backend) -> None:
    """A little too much, for too long."""
    with (
        setting(place, "client-output-buffer-limit", "pubsub 0 1mb 1"),
        closing(socket.create_connection((place.host, place.port), PATIENCE)) as lazy,
    ):
        lazy.sendall(b"CLIENT SETNAME lazy\r\nSUBSCRIBE news\r\n")
        place.wait_for(name="lazy", sub="1")
        for _ in range(20):
            assert place.execute("PUBLISH", "news", b"x" * MB) == 1
        eventually(lambda: not place.clients(name="lazy"), "the end of the lazy one")


def test_limit_of_commands_that_wait(place: Backend) -> None:
    with (
        setting(place, "client-query-buffer-limit", "1mb"),
        closing(socket.create_connection((place.host, place.port), PATIENCE)) as client,
    ):
        client.sendall(b"CLIENT SETNAME hasty\r\nBLPOP q 0\r\n")
        place.wait_for(name="hasty", flags="b")
        poured(client, b"PING\r\n" * 10_000, 4 * MB)
        eventually(lambda: not place.clients(name="hasty"), "the end of the hasty one")
    assert place.execute("RPUSH", "q", "x") == 1 and place.execute("LLEN", "q") == 1
