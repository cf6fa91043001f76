"""Servers: addresses, start and end, and that closing leaves nothing behind."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

import minidis
from minidis.errors import AddressError, ClosedError, MinidisError
from minidis.server.address import Address, is_loopback, parse_address
from minidis.server.resp_server import serve
from tests.calls import eventually
from tests.server.conftest import Wire, server_threads

DB = minidis.Minidis[bytes]
Dial = Callable[[str], Wire]

ADDRESSES = [
    ("127.0.0.1:6379", "127.0.0.1", 6379),
    ("localhost:0", "localhost", 0),
    (":6379", "127.0.0.1", 6379),
    ("[::1]:80", "::1", 80),
    ("0.0.0.0:1", "0.0.0.0", 1),
]


@pytest.mark.parametrize(("text", "host", "port"), ADDRESSES)
def test_addresses(text: str, host: str, port: int) -> None:
    assert parse_address(text) == Address(text, host=host, port=port)


@pytest.mark.parametrize("text", ["unix:app.sock", "unix://app.sock"])
def test_paths_do_not_depend_on_the_directory_later(text: str) -> None:
    assert parse_address(text).path == os.path.abspath("app.sock")


@pytest.mark.parametrize(
    "text", ["", "6379", "localhost", "host:", "host:x", "host:65536", "host:-1", "::1:80", "unix:"]
)
def test_what_is_no_address_is_refused_with_a_remedy(db: DB, text: str) -> None:
    before = server_threads()
    with pytest.raises(AddressError, match="Remedy: write "):
        serve(db, text)
    assert server_threads() == before


def test_loopback() -> None:
    assert is_loopback("") and is_loopback(("127.8.9.1", 5)) and is_loopback(("::1", 5, 0, 0))
    assert is_loopback(("::ffff:127.0.0.1", 5, 0, 0))
    assert not is_loopback(("192.168.0.1", 5))
    assert not is_loopback(("2001:db8::1", 5, 0, 0))


def test_a_free_port_and_one_in_use(db: DB, dial: Dial) -> None:
    with serve(db, ":0") as server:
        host, port = server.address.split(":")
        assert host == "127.0.0.1" and int(port) > 0
        with pytest.raises(MinidisError, match=r"in use. Remedy: use another port"):
            serve(db, server.address)
        assert dial(server.address).ask("PING") == "PONG"


def test_a_name_and_ipv6(db: DB, dial: Dial) -> None:
    with serve(db, "localhost:0") as server:
        assert server.address.startswith("127.0.0.1:")
    if socket.has_ipv6:
        try:
            server = serve(db, "[::1]:0")
        except AddressError:
            pytest.skip("no IPv6 on this machine")
        with server:
            assert server.address.startswith("[::1]:")
            wire = dial(server.address)
            assert f"addr=[::1]:{wire.socket.getsockname()[1]}" in wire.ask("CLIENT INFO").decode()
            wire.close()


def test_an_address_of_another_machine(db: DB) -> None:
    with pytest.raises(AddressError, match="Remedy: use an address of this machine"):
        serve(db, "192.0.2.1:0")


def test_a_socket_file_is_private_and_goes_with_the_server(
    db: DB, tmp_path: Path, dial: Dial
) -> None:
    path = tmp_path / "app.sock"
    with serve(db, f"unix:{path}") as server:
        assert server.address == f"unix:{path}"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        wire = dial(server.address)
        assert f"addr={path}:0 laddr={path}:0" in wire.ask("CLIENT INFO").decode()
        wire.close()
    assert not path.exists()


def test_the_file_of_a_dead_server_is_replaced(db: DB, tmp_path: Path, dial: Dial) -> None:
    path = tmp_path / "app.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with serve(db, f"unix:{path}") as server:
        assert dial(server.address).ask("PING") == "PONG"


def test_the_file_of_a_living_server_and_other_files_stay(
    db: DB, tmp_path: Path, dial: Dial
) -> None:
    path, other = tmp_path / "app.sock", tmp_path / "notes.txt"
    other.write_text("precious")
    with pytest.raises(AddressError, match=r"not a socket. Remedy: choose another path"):
        serve(db, f"unix:{other}")
    assert other.read_text() == "precious"
    with serve(db, f"unix:{path}") as server, minidis.open() as second:
        with pytest.raises(AddressError, match="another server listens there"):
            serve(second, f"unix:{path}")
        assert dial(server.address).ask("PING") == "PONG"


@pytest.mark.parametrize("path", ["no/such/directory/app.sock", "x" * 200])
def test_paths_that_cannot_be(db: DB, tmp_path: Path, path: str) -> None:
    with pytest.raises(AddressError, match="Remedy: "):
        serve(db, f"unix:{tmp_path / path}")


def test_a_file_that_another_has_put_there_stays(db: DB, tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    with serve(db, f"unix:{path}"):
        path.unlink()
        path.write_text("mine")
    assert path.read_text() == "mine"


def test_one_thread_for_all_servers_and_none_without(db: DB, tmp_path: Path, dial: Dial) -> None:
    before = len(server_threads())
    one, two = serve(db, ":0"), serve(db, f"unix:{tmp_path}/a.sock")
    assert len(server_threads()) == before + 1
    wires = [dial(server.address) for server in (one, two)]
    assert [wire.ask("PING") for wire in wires] == ["PONG", "PONG"]
    one.close()
    assert wires[0].rest() == b""
    assert wires[1].ask("PING") == "PONG"
    two.close()
    two.close()
    assert len(server_threads()) == before
    assert db.set("k", "v") == "OK"
    with serve(db, ":0") as again:
        assert dial(again.address).ask("GET k") == b"v"


def test_closing_the_database_closes_its_servers(tmp_path: Path, dial: Dial) -> None:
    before = len(server_threads())
    db = minidis.open(tmp_path / "data")
    server = serve(db, f"unix:{tmp_path}/a.sock")
    busy, waiting = dial(server.address), dial(server.address)
    busy.ask("SET k v")
    waiting.say("BLPOP l 0")
    eventually(lambda: len(db.engine.observers.blocked) == 1)
    db.close()
    assert (busy.rest(), waiting.rest()) == (b"", b"")
    assert not (tmp_path / "a.sock").exists()
    assert len(server_threads()) == before
    with pytest.raises(ClosedError):
        serve(db, ":0")
    with minidis.open(tmp_path / "data") as again:
        assert again.get("k") == b"v"


def run(program: str) -> str:
    """What a program prints."""
    text = textwrap.dedent(program)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-c", text],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout


def test_a_program_may_end_without_closing(tmp_path: Path) -> None:
    run(f"""
        import minidis
        from minidis.server.resp_server import serve
        db = minidis.open()
        serve(db, "unix:{tmp_path}/a.sock")
    """)
    assert not (tmp_path / "a.sock").exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_leaves_the_server_to_its_parent(tmp_path: Path) -> None:
    """The child does not listen: once the parent has closed, connecting fails, though the child
    lives; a client of the parent sees the end; and the child may open a server of its own."""
    found = run(f"""
        import os, socket
        import minidis
        from minidis.server.resp_server import serve
        db = minidis.open()
        server = serve(db, "127.0.0.1:0")
        host, port = server.address.split(":")
        client = socket.create_connection((host, int(port)))
        client.sendall(b"PING\\r\\n")
        assert client.recv(99) == b"+PONG\\r\\n"
        here, there = socket.socketpair()
        child = os.fork()
        if child == 0:
            client.close()
            with serve(db, "unix:{tmp_path}/child.sock") as own:
                with socket.socket(socket.AF_UNIX) as visitor:
                    visitor.connect("{tmp_path}/child.sock")
                    visitor.sendall(b"PING\\r\\n")
                    there.sendall(visitor.recv(99))
            there.recv(1)
            os._exit(0)
        print(here.recv(99))
        client.sendall(b"PING\\r\\n")
        print(client.recv(99))
        server.close()
        print(client.recv(99))
        try:
            socket.create_connection((host, int(port)))
        except ConnectionRefusedError:
            print("refused")
        here.sendall(b".")
        print(os.waitpid(child, 0)[1])
        for one in (client, here, there):
            one.close()
    """)
    assert found.splitlines() == ["b'+PONG\\r\\n'", "b'+PONG\\r\\n'", "b''", "refused", "0"]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals are sent as on POSIX")
@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "SIGHUP", "SHUTDOWN", "SHUTDOWN NOSAVE"])
def test_a_served_directory_is_saved_at_the_end(tmp_path: Path, how: str, dial: Dial) -> None:
    import signal

    program = (
        "import sys; from minidis.server.program import serve_forever; "
        f"sys.exit(serve_forever({str(tmp_path / 'data')!r}, ['unix:{tmp_path}/a.sock'], "
        "{'requirepass': 'secret'}))"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == f"serving {tmp_path}/data at unix:{tmp_path}/a.sock\n"
        wire = dial(f"unix:{tmp_path}/a.sock")
        assert wire.ask("PING", "AUTH secret", "SET k v") == [
            "NOAUTH Authentication required.", "OK", "OK",
        ]  # fmt: skip
        if how.startswith("SHUTDOWN"):
            wire.say(how)
        else:
            process.send_signal(getattr(signal, how))
        assert wire.rest() == b""
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
    with minidis.open(tmp_path / "data") as db:
        assert db.get("k") == (None if how.endswith("NOSAVE") else b"v")


def test_a_program_says_why_it_cannot_serve(tmp_path: Path) -> None:
    program = "from minidis.server.program import serve_forever as serve; exit(serve(None, ['x']))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr.startswith("minidis: x: not an address. Remedy: ")


def test_connecting_is_possible_from_many_threads_at_once(
    connect: Callable[[], Wire], db: DB
) -> None:
    wires = [connect() for _ in range(200)]
    for wire in wires:
        wire.say("INCR n")
    assert sorted(wire.receive() for wire in wires) == list(range(1, 201))
