"""The shell connected to a real server: state, completion, passwords, lost connections."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from minidis.errors import MinidisError, ResponseError
from minidis.replies import Push
from repl import help as pages
from repl.address import Address
from repl.advice import advise
from repl.backend import MAX_CANDIDATES
from repl.complete import NOT_ON_SERVER, ONLY_ON_SERVER, candidates
from repl.highlight import lexer_for
from repl.remote_backend import RemoteBackend
from repl.remote_connection import ConnectionLost, Unreachable
from repl.reply_shapes import shape_reply
from repl.words import split
from tests.calls import eventually
from tests.oracle.server import RealServer


@pytest.fixture
def backend(real_server: RealServer) -> Iterator[RemoteBackend]:
    real_server.execute("FLUSHALL")
    real_server.execute("CONFIG", "RESETSTAT")
    backend = RemoteBackend(Address(path=real_server.path))
    yield backend
    backend.close()


def run(backend: RemoteBackend, line: str) -> object:
    """Run a line; return the reply or the error message."""
    try:
        return backend.run([word.value for word in split(line)[0]])
    except MinidisError as error:
        return str(error)


def offered(backend: RemoteBackend, typed: str) -> list[str]:
    return [one.text for one in candidates(typed, backend)]


# running -----------------------------------------------------------------------------------------


def test_replies_have_the_shapes_of_minidis(backend: RemoteBackend) -> None:
    run(backend, "HSET h f v")
    run(backend, "ZADD z 1 a 2.5 b")
    run(backend, "SADD s x")
    assert run(backend, "HGETALL h") == {b"f": b"v"}
    assert run(backend, "ZRANGE z 0 -1 WITHSCORES") == [(b"a", 1.0), (b"b", 2.5)]
    assert run(backend, "HRANDFIELD h 1 WITHVALUES") == [(b"f", b"v")]
    assert run(backend, "SMEMBERS s") == {b"x"}
    assert run(backend, "ZPOPMAX z") == [(b"b", 2.5)]
    assert run(backend, "GET nothing") is None
    assert run(backend, "INCR h").startswith("WRONGTYPE")  # type: ignore[attr-defined]


def test_the_selected_database_is_tracked(backend: RemoteBackend) -> None:
    run(backend, "SELECT 2")
    run(backend, "SET in-two 1")
    assert (backend.database, offered(backend, "GET ")) == (2, ["in-two"])
    run(backend, "SELECT 99")
    assert backend.database == 2
    for line in ("MULTI", "SELECT 3", "SET a 1", "SELECT 4"):
        run(backend, line)
    assert backend.database == 2
    run(backend, "EXEC")
    assert backend.database == 4
    run(backend, "RESET")
    assert backend.database == 0
    assert run(backend, "CONFIG GET maxmemory") == {b"maxmemory": b"0"}  # RESP3 again


def test_client_reply_off_is_an_error(backend: RemoteBackend) -> None:
    assert "CLIENT REPLY" in str(run(backend, "client reply off"))
    assert run(backend, "CLIENT REPLY ON") == "OK"
    assert str(run(backend, "CLIENT REPLY x")).startswith("ERR syntax error")


def test_push_messages_are_kept_apart_from_replies(
    backend: RemoteBackend, real_server: RealServer
) -> None:
    run(backend, "SET a 1")
    run(backend, "CLIENT TRACKING ON")
    run(backend, "GET a")
    real_server.execute("SET", "a", "2")
    assert run(backend, "GET a") == b"2"
    pushes = backend.take_pushes()
    assert pushes == [[b"invalidate", [b"a"]]] and isinstance(pushes[0], Push)
    assert backend.take_pushes() == []


# connections -------------------------------------------------------------------------------------


def client_id(backend: RemoteBackend) -> bytes:
    return b"%d" % backend.run([b"CLIENT", b"ID"])


def test_a_closed_idle_connection_is_reopened(
    backend: RemoteBackend, real_server: RealServer
) -> None:
    run(backend, "SELECT 5")
    run(backend, "SET a 1")
    real_server.execute("CLIENT", "KILL", "ID", client_id(backend))
    assert run(backend, "GET a") == b"1"


def test_a_transaction_is_lost_with_the_connection(
    backend: RemoteBackend, real_server: RealServer
) -> None:
    run(backend, "WATCH a")
    number = client_id(backend)
    run(backend, "MULTI")
    run(backend, "SET a 1")
    real_server.execute("CLIENT", "KILL", "ID", number)
    message = str(run(backend, "SET b 1"))
    assert "lost" in message and "MULTI and WATCH are lost with it" in message
    assert not backend.transaction.open and not backend.transaction.watched
    assert run(backend, "EXISTS a b") == 0


def test_a_connection_lost_amid_a_command(backend: RemoteBackend, real_server: RealServer) -> None:
    number = client_id(backend)
    killer = threading.Thread(target=kill_when_blocked, args=(real_server, number))
    killer.start()
    with pytest.raises(ConnectionLost, match="the next command connects again"):
        backend.run([b"BLPOP", b"queue", b"0"])
    killer.join()
    assert run(backend, "PING") == "PONG"


def kill_when_blocked(server: RealServer, number: bytes) -> None:
    wait_until_blocked(server)
    server.execute("CLIENT", "KILL", "ID", number)


def wait_until_blocked(server: RealServer) -> None:
    eventually(lambda: b"blocked_clients:1\r" in server.execute("INFO", "clients"), "a call")


def test_ctrl_c_leaves_a_blocked_command(backend: RemoteBackend, real_server: RealServer) -> None:
    def interrupt() -> None:
        wait_until_blocked(real_server)
        os.kill(os.getpid(), signal.SIGINT)

    run(backend, "SELECT 1")
    before = client_id(backend)
    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    with pytest.raises(KeyboardInterrupt):
        backend.run([b"BLPOP", b"queue", b"0"])
    interrupter.join()
    real_server.execute("RPUSH", "queue", "x")
    assert run(backend, "LLEN queue") == 0  # that is database 1
    assert client_id(backend) != before
    assert real_server.execute("LLEN", "queue") == 1


def test_no_server(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"cannot connect to unix:.*nothing"):
        RemoteBackend(Address(path=str(tmp_path / "nothing")))


def test_another_kind_of_server() -> None:
    def send_http_error() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=send_http_error)
        server.start()
        with pytest.raises(ConnectionLost, match="does not speak the Redis protocol"):
            RemoteBackend(Address(port=listener.getsockname()[1]))
        server.join()


# users and passwords -----------------------------------------------------------------------------


def test_a_password_in_the_address(real_server: RealServer) -> None:
    with protected(real_server) as path:
        backend = RemoteBackend(Address(path=path, password="secret", database=1))
        assert run(backend, "SET a 1") == "OK"
        assert offered(backend, "GET ") == ["a"]
        backend.close()
        with pytest.raises(ResponseError, match="WRONGPASS") as caught:
            RemoteBackend(Address(path=path, password="guess-me"))
        assert "guess-me" not in str(caught.value)


def test_a_password_typed_later(real_server: RealServer) -> None:
    with protected(real_server) as path:
        backend = RemoteBackend(Address(path=path))
        assert "requires a password" in backend.greeting()
        assert str(run(backend, "GET a")).startswith("NOAUTH")
        assert offered(backend, "GET ") == []
        assert str(run(backend, "AUTH wrong")).startswith("WRONGPASS")
        assert run(backend, "AUTH secret") == "OK"
        run(backend, "SET b 1")
        assert offered(backend, "GET ") == ["b"]
        assert run(backend, "CONFIG GET requirepass") == {b"requirepass": b"secret"}  # RESP3 by now
        real_server.execute("CLIENT", "KILL", "ID", client_id(backend))
        assert run(backend, "GET b") == b"1"
        assert "secret" not in backend.greeting() + str(backend.status())
        backend.close()


def test_a_password_need_not_be_text(backend: RemoteBackend, real_server: RealServer) -> None:
    real_server.execute("ACL", "SETUSER", "ann", "on", b">\xff\xfe", "~*", "&*", "+@all")
    try:
        assert run(backend, 'AUTH ann "\\xff\\xfe"') == "OK"
        real_server.execute("CLIENT", "KILL", "ID", client_id(backend))
        assert run(backend, "ACL WHOAMI") == b"ann"
    finally:
        real_server.execute("ACL", "DELUSER", "ann")


def test_authenticating_as_another_user(backend: RemoteBackend, real_server: RealServer) -> None:
    real_server.execute("ACL", "SETUSER", "ann", "on", ">pw", "~a*", "&*", "+@all", "-command")
    try:
        assert isinstance(run(backend, "HELLO 3 SETNAME x AUTH ann pw"), dict)
        real_server.execute("CLIENT", "KILL", "ID", client_id(backend))
        assert run(backend, "ACL WHOAMI") == b"ann"
        assert backend.command_set.names is None  # the user may not run COMMAND
        assert offered(backend, "HGETA") == ["HGETALL"]
    finally:
        real_server.execute("ACL", "DELUSER", "ann")


@contextlib.contextmanager
def protected(server: RealServer) -> Iterator[str]:
    """Set requirepass meanwhile; the connection of `server` is authenticated already."""
    server.execute("FLUSHALL")
    server.execute("CONFIG", "SET", "requirepass", "secret")
    try:
        yield server.path
    finally:
        server.execute("CONFIG", "SET", "requirepass", "")


def test_a_server_that_does_not_know_hello(real_server: RealServer, tmp_path: Path) -> None:
    with (
        protected(real_server) as path,
        proxy_without_hello(path, str(tmp_path / "older")) as socket_path,
    ):
        backend = RemoteBackend(Address(path=socket_path, password="secret"))
        for line in ("HSET h f v", "ZADD z 1 a", "SADD s x"):
            run(backend, line)
        assert run(backend, "HGETALL h") == {b"f": b"v"}
        assert run(backend, "ZRANGE z 0 -1 WITHSCORES") == [(b"a", 1.0)]
        assert run(backend, "ZRANGEBYSCORE z 0 1 WITHSCORES") == [(b"a", 1.0)]
        assert run(backend, "ZSCORE z a") == 1.0
        assert run(backend, "SMEMBERS s") == {b"x"}
        assert run(backend, "CONFIG GET maxmemory") == {b"maxmemory": b"0"}
        assert offered(backend, "ZREM z ") == ["a"]
        stream = backend.stream([b"SUBSCRIBE", b"news"])
        backend.run([b"PUBLISH", b"news", b"hello"])
        assert next(filter(None, map(stream.read, stream))).data == b"hello"  # type: ignore
        stream.close()
        backend.close()


@contextlib.contextmanager
def proxy_without_hello(path: str, socket_path: str) -> Iterator[str]:
    """A proxy to the server that makes HELLO and COMMAND LIST unknown, as in old releases."""

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, server = listener.accept()[0], socket.socket(socket.AF_UNIX)
                server.connect(path)
                ends.extend((client, server))
                threading.Thread(target=pump, args=(client, server), daemon=True).start()
                threading.Thread(target=pump, args=(server, client), daemon=True).start()

    def pump(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if target in ends[1::2]:
                    data = data.replace(b"HELLO", b"HELLX").replace(b"LIST", b"LISX")
                target.sendall(data)

    ends: list[socket.socket] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(socket_path)
        listener.listen()
        threading.Thread(target=accept, daemon=True).start()
        try:
            yield socket_path
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            for end in ends:
                end.close()


def test_unknown_shapes_stay_as_they_are() -> None:
    assert shape_reply([b"HGETALL", b"h"], [b"odd"]) == [b"odd"]
    assert shape_reply([b"FT.SEARCH"], [1, [b"a"]]) == [1, [b"a"]]
    assert shape_reply([b"ZRANGE", b"k", b"0", b"1", b"WITHSCORES"], [b"a", b"x"]) == [b"a", b"x"]
    assert shape_reply([b"ECHO", b"withscores"], [b"a", b"1"]) == [b"a", b"1"]


# completion --------------------------------------------------------------------------------------


def test_completion_from_live_data(backend: RemoteBackend) -> None:
    for line in (
        "MSET greeting hello page:1 a page:2 b",
        "SET 'two words' x",
        "HSET user:1 name Ann city Köln 姓名 张三",
        "ZADD rank 1 ann 2 bob",
        "SADD colours red blue",
        "RPUSH queue a b",
        "SET a*b x",
    ):
        assert not isinstance(run(backend, line), str) or run(backend, line) == "OK"
    assert offered(backend, "GET p") == ["page:1", "page:2"]
    assert offered(backend, "GET ag") == ["page:1", "page:2"]
    assert offered(backend, 'GET "tw') == ['"two words"']
    assert offered(backend, "GET *") == ["a*b"]
    assert offered(backend, "HGET ") == ["user:1"]
    assert offered(backend, "HGET user:1 ") == ["city", "name", "姓名"]
    assert offered(backend, "ZUNION 1 ") == ["colours", "rank"]
    assert offered(backend, "ZREM rank b") == ["bob"]
    assert offered(backend, "SREM colours ") == ["blue", "red"]
    assert offered(backend, "KEYS p") == ["*", "page:*"]
    about = {one.text: one.about for one in candidates("DEL ", backend)}
    assert (about["rank"], about["queue"]) == ("zset", "list")
    assert candidates("HGET user:1 n", backend)[0].about == '"Ann"'


def test_a_key_just_written_is_offered(backend: RemoteBackend) -> None:
    assert offered(backend, "GET ") == []
    run(backend, "SET a 1")
    assert offered(backend, "GET ") == ["a"]


def test_completion_goes_on_inside_multi(backend: RemoteBackend) -> None:
    run(backend, "SET a 1")
    run(backend, "MULTI")
    assert offered(backend, "GET ") == ["a"]
    assert run(backend, "EXEC") == []


def test_many_keys_cost_no_time(backend: RemoteBackend, real_server: RealServer) -> None:
    real_server.execute("DEBUG", "POPULATE", "300000")
    for typed in ("GET ", "GET key:29999", "GET nothing", "HGET ", "KEYS k", "DEL "):
        began = time.perf_counter()
        found = offered(backend, typed)
        assert time.perf_counter() - began < 1.0, typed
        assert len(found) <= MAX_CANDIDATES
    assert len(offered(backend, "GET ")) == MAX_CANDIDATES


def test_a_server_that_does_not_reply_to_queries(
    backend: RemoteBackend, real_server: RealServer
) -> None:
    backend.run([b"SET", b"a", b"1"])
    assert backend.command_set.names
    real_server._process.send_signal(signal.SIGSTOP)
    try:
        began = time.perf_counter()
        assert offered(backend, "GET ") == []
        assert offered(backend, "GET a") == []  # not queried again so soon
        backend.refresh()
        assert time.perf_counter() - began < 2.0
    finally:
        real_server._process.send_signal(signal.SIGCONT)
    assert run(backend, "GET a") == b"1"


def test_commands_that_only_one_side_has(backend: RemoteBackend) -> None:
    assert backend.command_set.lacks("MSETEX") and not backend.command_set.lacks("MSET")
    about = {one.text: one.about for one in candidates("MSET", backend)}
    assert about["MSETEX"] == NOT_ON_SERVER and about["MSET"] != NOT_ON_SERVER
    server_only = next(name for name in backend.command_set.server_only if " " not in name)
    assert candidates(server_only, backend)[0].about == ONLY_ON_SERVER
    assert candidates("CLUSTER KEYS", backend)[0].text == "KEYSLOT"

    lexer = lexer_for(lambda: backend.command_set)()
    typed = f"MSETEX 1 a b\n{server_only} x\nMSET"
    tokens = {text: str(token) for token, text in lexer.get_tokens(typed)}
    assert tokens["MSETEX"] == "Token.Generic.Deleted"
    assert tokens[server_only] == tokens["MSET"] == "Token.Keyword"

    assert "not on this server" in pages.page(["msetex"], {}, backend.command_set)
    assert "not on this server" not in pages.page(["mset"], {}, backend.command_set)
    assert "a command of this server" in pages.page([server_only.lower()], {}, backend.command_set)


@pytest.mark.parametrize(
    ("line", "note"),
    [
        ("MSETEX 1 a b", "this server does not have MSETEX"),
        ("gett a", "did you mean GET?"),
        ("CLUSTER NOSUCH", ""),
        ("CLUSTER", ""),
    ],
)
def test_advice_is_about_this_server(backend: RemoteBackend, line: str, note: str) -> None:
    typed = split(line)[0]
    with pytest.raises(ResponseError) as caught:
        backend.run([word.value for word in typed])
    assert advise(typed, caught.value, backend.type_of, backend.command_set).note == note


def test_greeting_and_status(backend: RemoteBackend, real_server: RealServer) -> None:
    run(backend, "MSET a 1 b 2")
    assert "redis 7.4." in backend.greeting() and "2 keys" in backend.greeting()
    backend.refresh()
    assert [text for _, text in backend.status()][2:] == ["database 0", "2 keys"]
    assert (backend.name, backend.unsaved_changes()) == (
        os.path.basename(real_server.path),
        (0, ""),
    )
