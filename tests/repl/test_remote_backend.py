"""The shell at a real server: running, learning, completion from live data, lost connections."""

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
from repl.backend import MOST
from repl.check import advise
from repl.complete import FOREIGN, MISSING, candidates
from repl.highlight import lexer_for
from repl.remote import Lost, Unreachable
from repl.remote_backend import RemoteBackend
from repl.shaped import shaped
from repl.words import split
from tests.calls import eventually
from tests.oracle.server import RealServer


@pytest.fixture
def there(real_server: RealServer) -> Iterator[RemoteBackend]:
    real_server.execute("FLUSHALL")
    real_server.execute("CONFIG", "RESETSTAT")
    place = RemoteBackend(Address(path=real_server.path))
    yield place
    place.close()


def run(place: RemoteBackend, line: str) -> object:
    """Run a line; a refusal is an answer."""
    try:
        return place.run([word.value for word in split(line)[0]])
    except MinidisError as error:
        return str(error)


def offered(place: RemoteBackend, typed: str) -> list[str]:
    return [one.text for one in candidates(typed, place)]


# running -----------------------------------------------------------------------------------------


def test_answers_have_our_shapes(there: RemoteBackend) -> None:
    run(there, "HSET h f v")
    run(there, "ZADD z 1 a 2.5 b")
    run(there, "SADD s x")
    assert run(there, "HGETALL h") == {b"f": b"v"}
    assert run(there, "ZRANGE z 0 -1 WITHSCORES") == [(b"a", 1.0), (b"b", 2.5)]
    assert run(there, "HRANDFIELD h 1 WITHVALUES") == [(b"f", b"v")]
    assert run(there, "SMEMBERS s") == {b"x"}
    assert run(there, "ZPOPMAX z") == [(b"b", 2.5)]
    assert run(there, "GET nothing") is None
    assert run(there, "INCR h").startswith("WRONGTYPE")  # type: ignore[attr-defined]


def test_the_selected_database_is_learnt(there: RemoteBackend) -> None:
    run(there, "SELECT 2")
    run(there, "SET in-two 1")
    assert (there.database, offered(there, "GET ")) == (2, ["in-two"])
    run(there, "SELECT 99")
    assert there.database == 2
    for line in ("MULTI", "SELECT 3", "SET a 1", "SELECT 4"):
        run(there, line)
    assert there.database == 2
    run(there, "EXEC")
    assert there.database == 4
    run(there, "RESET")
    assert there.database == 0
    assert run(there, "CONFIG GET maxmemory") == {b"maxmemory": b"0"}  # RESP3 again


def test_what_would_leave_the_shell_waiting_is_refused(there: RemoteBackend) -> None:
    assert "CLIENT REPLY" in str(run(there, "client reply off"))
    assert run(there, "CLIENT REPLY ON") == "OK"
    assert str(run(there, "CLIENT REPLY x")).startswith("ERR syntax error")


def test_pushes_do_not_confuse(there: RemoteBackend, real_server: RealServer) -> None:
    run(there, "SET a 1")
    run(there, "CLIENT TRACKING ON")
    run(there, "GET a")
    real_server.execute("SET", "a", "2")
    assert run(there, "GET a") == b"2"
    pushed = there.unasked()
    assert pushed == [[b"invalidate", [b"a"]]] and isinstance(pushed[0], Push)
    assert there.unasked() == []


# connections -------------------------------------------------------------------------------------


def client_id(place: RemoteBackend) -> bytes:
    return b"%d" % place.run([b"CLIENT", b"ID"])


def test_an_idle_connection_that_was_closed_is_made_again(
    there: RemoteBackend, real_server: RealServer
) -> None:
    run(there, "SELECT 5")
    run(there, "SET a 1")
    real_server.execute("CLIENT", "KILL", "ID", client_id(there))
    assert run(there, "GET a") == b"1"


def test_what_was_begun_is_lost_with_the_connection(
    there: RemoteBackend, real_server: RealServer
) -> None:
    run(there, "WATCH a")
    number = client_id(there)
    run(there, "MULTI")
    run(there, "SET a 1")
    real_server.execute("CLIENT", "KILL", "ID", number)
    told = str(run(there, "SET b 1"))
    assert "lost" in told and "MULTI and WATCH are gone with it" in told
    assert not there.transaction.open and not there.transaction.watched
    assert run(there, "EXISTS a b") == 0


def test_a_connection_lost_amid_a_command(there: RemoteBackend, real_server: RealServer) -> None:
    number = client_id(there)
    killer = threading.Thread(target=kill_when_blocked, args=(real_server, number))
    killer.start()
    with pytest.raises(Lost, match="the next command connects again"):
        there.run([b"BLPOP", b"queue", b"0"])
    killer.join()
    assert run(there, "PING") == "PONG"


def kill_when_blocked(server: RealServer, number: bytes) -> None:
    wait_until_blocked(server)
    server.execute("CLIENT", "KILL", "ID", number)


def wait_until_blocked(server: RealServer) -> None:
    eventually(lambda: b"blocked_clients:1\r" in server.execute("INFO", "clients"), "a call")


def test_ctrl_c_leaves_a_blocked_command(there: RemoteBackend, real_server: RealServer) -> None:
    def strike() -> None:
        wait_until_blocked(real_server)
        os.kill(os.getpid(), signal.SIGINT)

    run(there, "SELECT 1")
    before = client_id(there)
    striker = threading.Thread(target=strike)
    striker.start()
    with pytest.raises(KeyboardInterrupt):
        there.run([b"BLPOP", b"queue", b"0"])
    striker.join()
    real_server.execute("RPUSH", "queue", "x")
    assert run(there, "LLEN queue") == 0  # that is database 1
    assert client_id(there) != before
    assert real_server.execute("LLEN", "queue") == 1


def test_nobody_answers(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"cannot connect to unix:.*nothing"):
        RemoteBackend(Address(path=str(tmp_path / "nothing")))


def test_another_kind_of_server() -> None:
    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=answer)
        server.start()
        with pytest.raises(Lost, match="not the language of Redis"):
            RemoteBackend(Address(port=listener.getsockname()[1]))
        server.join()


# who we are --------------------------------------------------------------------------------------


def test_a_password_in_the_address(real_server: RealServer) -> None:
    with protected(real_server) as path:
        place = RemoteBackend(Address(path=path, password="secret", database=1))
        assert run(place, "SET a 1") == "OK"
        assert offered(place, "GET ") == ["a"]
        place.close()
        with pytest.raises(ResponseError, match="WRONGPASS") as caught:
            RemoteBackend(Address(path=path, password="guess-me"))
        assert "guess-me" not in str(caught.value)


def test_a_password_typed_later(real_server: RealServer) -> None:
    with protected(real_server) as path:
        place = RemoteBackend(Address(path=path))
        assert "asks for a password" in place.greeting()
        assert str(run(place, "GET a")).startswith("NOAUTH")
        assert offered(place, "GET ") == []
        assert str(run(place, "AUTH wrong")).startswith("WRONGPASS")
        assert run(place, "AUTH secret") == "OK"
        run(place, "SET b 1")
        assert offered(place, "GET ") == ["b"]
        assert run(place, "CONFIG GET requirepass") == {b"requirepass": b"secret"}  # RESP3 by now
        real_server.execute("CLIENT", "KILL", "ID", client_id(place))
        assert run(place, "GET b") == b"1"
        assert "secret" not in place.greeting() + str(place.status())
        place.close()


def test_a_password_need_not_be_text(there: RemoteBackend, real_server: RealServer) -> None:
    real_server.execute("ACL", "SETUSER", "ann", "on", b">\xff\xfe", "~*", "&*", "+@all")
    try:
        assert run(there, 'AUTH ann "\\xff\\xfe"') == "OK"
        real_server.execute("CLIENT", "KILL", "ID", client_id(there))
        assert run(there, "ACL WHOAMI") == b"ann"
    finally:
        real_server.execute("ACL", "DELUSER", "ann")


def test_becoming_somebody_else(there: RemoteBackend, real_server: RealServer) -> None:
    real_server.execute("ACL", "SETUSER", "ann", "on", ">pw", "~a*", "&*", "+@all", "-command")
    try:
        assert isinstance(run(there, "HELLO 3 SETNAME x AUTH ann pw"), dict)
        real_server.execute("CLIENT", "KILL", "ID", client_id(there))
        assert run(there, "ACL WHOAMI") == b"ann"
        assert there.repertoire.names is None  # it may not ask
        assert offered(there, "HGETA") == ["HGETALL"]
    finally:
        real_server.execute("ACL", "DELUSER", "ann")


@contextlib.contextmanager
def protected(server: RealServer) -> Iterator[str]:
    """The server asks for a password as long as this lasts; its own connection is in already."""
    server.execute("FLUSHALL")
    server.execute("CONFIG", "SET", "requirepass", "secret")
    try:
        yield server.path
    finally:
        server.execute("CONFIG", "SET", "requirepass", "")


def test_a_server_that_does_not_know_hello(real_server: RealServer, tmp_path: Path) -> None:
    with protected(real_server) as path, older(path, str(tmp_path / "older")) as door:
        place = RemoteBackend(Address(path=door, password="secret"))
        for line in ("HSET h f v", "ZADD z 1 a", "SADD s x"):
            run(place, line)
        assert run(place, "HGETALL h") == {b"f": b"v"}
        assert run(place, "ZRANGE z 0 -1 WITHSCORES") == [(b"a", 1.0)]
        assert run(place, "ZRANGEBYSCORE z 0 1 WITHSCORES") == [(b"a", 1.0)]
        assert run(place, "ZSCORE z a") == 1.0
        assert run(place, "SMEMBERS s") == {b"x"}
        assert run(place, "CONFIG GET maxmemory") == {b"maxmemory": b"0"}
        assert offered(place, "ZREM z ") == ["a"]
        stream = place.stream([b"SUBSCRIBE", b"news"])
        place.run([b"PUBLISH", b"news", b"hello"])
        assert next(filter(None, map(stream.read, stream))).data == b"hello"  # type: ignore
        stream.close()
        place.close()


@contextlib.contextmanager
def older(path: str, door: str) -> Iterator[str]:
    """A door to the server behind which HELLO and COMMAND LIST are not known."""

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
        listener.bind(door)
        listener.listen()
        threading.Thread(target=accept, daemon=True).start()
        try:
            yield door
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            for end in ends:
                end.close()


def test_shapes_leave_alone_what_they_do_not_know() -> None:
    assert shaped([b"HGETALL", b"h"], [b"odd"]) == [b"odd"]
    assert shaped([b"FT.SEARCH"], [1, [b"a"]]) == [1, [b"a"]]
    assert shaped([b"ZRANGE", b"k", b"0", b"1", b"WITHSCORES"], [b"a", b"x"]) == [b"a", b"x"]
    assert shaped([b"ECHO", b"withscores"], [b"a", b"1"]) == [b"a", b"1"]


# what is there -----------------------------------------------------------------------------------


def test_completion_from_live_data(there: RemoteBackend) -> None:
    for line in (
        "MSET greeting hello page:1 a page:2 b",
        "SET 'two words' x",
        "HSET user:1 name Ann city Köln 姓名 张三",
        "ZADD rank 1 ann 2 bob",
        "SADD colours red blue",
        "RPUSH queue a b",
        "SET a*b x",
    ):
        assert not isinstance(run(there, line), str) or run(there, line) == "OK"
    assert offered(there, "GET p") == ["page:1", "page:2"]
    assert offered(there, "GET ag") == ["page:1", "page:2"]
    assert offered(there, 'GET "tw') == ['"two words"']
    assert offered(there, "GET *") == ["a*b"]
    assert offered(there, "HGET ") == ["user:1"]
    assert offered(there, "HGET user:1 ") == ["city", "name", "姓名"]
    assert offered(there, "ZUNION 1 ") == ["colours", "rank"]
    assert offered(there, "ZREM rank b") == ["bob"]
    assert offered(there, "SREM colours ") == ["blue", "red"]
    assert offered(there, "KEYS p") == ["*", "page:*"]
    about = {one.text: one.about for one in candidates("DEL ", there)}
    assert (about["rank"], about["queue"]) == ("zset", "list")
    assert candidates("HGET user:1 n", there)[0].about == '"Ann"'


def test_what_was_just_written_is_offered(there: RemoteBackend) -> None:
    assert offered(there, "GET ") == []
    run(there, "SET a 1")
    assert offered(there, "GET ") == ["a"]


def test_completion_goes_on_inside_multi(there: RemoteBackend) -> None:
    run(there, "SET a 1")
    run(there, "MULTI")
    assert offered(there, "GET ") == ["a"]
    assert run(there, "EXEC") == []


def test_many_keys_cost_no_time(there: RemoteBackend, real_server: RealServer) -> None:
    real_server.execute("DEBUG", "POPULATE", "300000")
    for typed in ("GET ", "GET key:29999", "GET nothing", "HGET ", "KEYS k", "DEL "):
        began = time.perf_counter()
        found = offered(there, typed)
        assert time.perf_counter() - began < 1.0, typed
        assert len(found) <= MOST
    assert len(offered(there, "GET ")) == MOST


def test_a_server_that_does_not_answer_questions(
    there: RemoteBackend, real_server: RealServer
) -> None:
    there.run([b"SET", b"a", b"1"])
    assert there.repertoire.names
    real_server._process.send_signal(signal.SIGSTOP)
    try:
        began = time.perf_counter()
        assert offered(there, "GET ") == []
        assert offered(there, "GET a") == []  # not asked again so soon
        there.refresh()
        assert time.perf_counter() - began < 2.0
    finally:
        real_server._process.send_signal(signal.SIGCONT)
    assert run(there, "GET a") == b"1"


def test_commands_that_are_not_everywhere(there: RemoteBackend) -> None:
    assert there.repertoire.lacks("MSETEX") and not there.repertoire.lacks("MSET")
    about = {one.text: one.about for one in candidates("MSET", there)}
    assert about["MSETEX"] == MISSING and about["MSET"] != MISSING
    foreign = next(name for name in there.repertoire.foreign if " " not in name)
    assert candidates(foreign, there)[0].about == FOREIGN
    assert candidates("CLUSTER KEYS", there)[0].text == "KEYSLOT"

    tokens = {text: str(token) for token, text in lexer_for(
        lambda: there.repertoire)().get_tokens(f"MSETEX 1 a b\n{foreign} x\nMSET")}  # fmt: skip
    assert tokens["MSETEX"] == "Token.Generic.Deleted"
    assert tokens[foreign] == tokens["MSET"] == "Token.Keyword"

    assert "not on this server" in pages.page(["msetex"], {}, there.repertoire)
    assert "not on this server" not in pages.page(["mset"], {}, there.repertoire)
    assert "a command of this server" in pages.page([foreign.lower()], {}, there.repertoire)


@pytest.mark.parametrize(
    ("line", "note"),
    [
        ("MSETEX 1 a b", "this server does not have MSETEX"),
        ("gett a", "did you mean GET?"),
        ("CLUSTER NOSUCH", ""),
        ("CLUSTER", ""),
    ],
)
def test_advice_is_about_this_server(there: RemoteBackend, line: str, note: str) -> None:
    typed = split(line)[0]
    with pytest.raises(ResponseError) as caught:
        there.run([word.value for word in typed])
    assert advise(typed, caught.value, there.type_of, there.repertoire).note == note


def test_what_is_said_of_it(there: RemoteBackend, real_server: RealServer) -> None:
    run(there, "MSET a 1 b 2")
    assert "redis 7.0." in there.greeting() and "2 keys" in there.greeting()
    there.refresh()
    assert [text for _, text in there.status()][2:] == ["database 0", "2 keys"]
    assert (there.name, there.unsaved()) == (os.path.basename(real_server.path), (0, ""))
