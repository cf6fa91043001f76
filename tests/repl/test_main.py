"""The command line, run as a child process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.oracle.server import RealServer

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent.parent


def minidis(*words: str, stdin: str | bytes = "", cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "repl", *words],
        input=stdin if isinstance(stdin, str) else stdin.decode("utf-8", "surrogateescape"),
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        cwd=cwd,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "HOME": str(cwd)},
        timeout=60,
    )


def test_words_and_negative_numbers(tmp_path: Path) -> None:
    assert (
        minidis("data", "zadd", "rank", "1", "ann", "-2", "bob", cwd=tmp_path).stdout
        == "(integer) 2\n"
    )
    result = minidis("data", "zrange", "rank", "0", "-1", cwd=tmp_path)
    assert result.stdout == '1) "bob"\n2) "ann"\n'
    assert (result.returncode, result.stderr) == (0, "")


def test_lines_of_c(tmp_path: Path) -> None:
    result = minidis("data", "-c", "SET a '张 三'", "-c", "GET a\nINCR n", cwd=tmp_path)
    assert result.stdout == 'OK\n"张 三"\n(integer) 1\n'


def test_options_may_stand_before_the_path(tmp_path: Path) -> None:
    assert minidis("--raw", "-c", "SET a 1", "-c", "GET a", cwd=tmp_path).stdout == "OK\n1\n"
    assert minidis("--json", ":memory:", "set", "--raw", "-1", cwd=tmp_path).stdout == '"OK"\n'


def test_json_and_raw(tmp_path: Path) -> None:
    minidis("data", "hset", "h", "name", "张三", "n", "1", cwd=tmp_path)
    result = minidis("data", "--json", "hgetall", "h", cwd=tmp_path)
    assert json.loads(result.stdout) == {"name": "张三", "n": "1"}
    assert minidis("data", "--raw", "hgetall", "h", cwd=tmp_path).stdout == "name\n张三\nn\n1\n"


def test_a_pipe_stops_at_the_first_error(tmp_path: Path) -> None:
    result = minidis("data", stdin='SET a "1\n2"\n# remark\nINCR a\nSET b 1\n', cwd=tmp_path)
    assert result.stdout == "OK\n"
    assert result.returncode == 1
    assert "(error) ERR value is not an integer" in result.stderr
    assert "standard input, line 4: stopped here" in result.stderr
    assert minidis("data", "exists", "b", cwd=tmp_path).stdout == "(integer) 0\n"


def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "load.txt").write_text("SET a 1\nINCR a\nexit\nbad", "utf-8")
    result = minidis("-f", "load.txt", "data", cwd=tmp_path)
    assert (result.stdout, result.returncode) == ("OK\n(integer) 2\n", 0)
    missing = minidis("-f", "nothing.txt", cwd=tmp_path)
    assert (missing.returncode, "nothing.txt" in missing.stderr) == (2, True)


def test_a_failed_command(tmp_path: Path) -> None:
    result = minidis("data", "gett", "a", cwd=tmp_path)
    assert result.returncode == 1
    assert result.stdout == ""
    assert "did you mean GET?" in result.stderr
    assert minidis("data", "-c", "bad", "-c", "SET a 1", cwd=tmp_path).returncode == 1
    assert minidis("data", "exists", "a", cwd=tmp_path).stdout == "(integer) 0\n"
    assert "a quote is not closed" in minidis("data", "-c", "SET a 'b", cwd=tmp_path).stderr


def test_unsaved_changes_of_a_dump_are_reported(tmp_path: Path) -> None:
    result = minidis("x.rdb", "mset", "a", "1", "b", "2", cwd=tmp_path)
    assert result.returncode == 0
    assert "2 changes were not saved; the command SAVE writes x.rdb" in result.stderr
    assert minidis("x.rdb", "-c", "SET a 1", "-c", "SAVE", cwd=tmp_path).stderr == ""
    assert minidis("x.rdb", "get", "a", cwd=tmp_path).stdout == '"1"\n'


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("nowhere/x.rdb", "get", "a"), "there is no directory"),
        (("broken.rdb", "get", "a"), "broken.rdb"),
        (("file", "get", "a"), "is a file"),
        (("", "get", "a"), "the path is empty"),
        (("get", "a"), "minidis PATH get a"),
        (("--nonsense",), "unrecognized arguments"),
        (("-n", "99", "data"), "DB index is out of range"),
    ],
)
def test_a_bad_path_is_one_clear_line(tmp_path: Path, words: tuple[str, ...], text: str) -> None:
    (tmp_path / "broken.rdb").write_bytes(b"REDIS0011\xff\x00garbage")
    (tmp_path / "file").write_text("x")
    result = minidis(*words, cwd=tmp_path)
    assert result.returncode == 2
    assert text in result.stderr
    assert "Traceback" not in result.stderr


def test_help_of_the_command_line(tmp_path: Path) -> None:
    result = minidis("--help", cwd=tmp_path)
    assert result.returncode == 0
    assert "PATH is a directory" in result.stdout
    assert "HGETALL" in minidis("data", "help", "@hash", cwd=tmp_path).stdout


def test_database_number(tmp_path: Path) -> None:
    minidis("-n", "3", "data", "set", "a", "1", cwd=tmp_path)
    assert minidis("data", "-c", "SELECT 3", "-c", "GET a", cwd=tmp_path).stdout == 'OK\n"1"\n'


def test_one_command_does_not_import_prompt_toolkit() -> None:
    code = "import sys, repl.main; sys.exit('prompt_toolkit' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={"PYTHONPATH": str(ROOT)})
    assert done.returncode == 0


def test_files_written_on_windows(tmp_path: Path) -> None:
    given = b'\xef\xbb\xbfSET a "x\r\ny"\r\n\r\nGET a\r\n'
    (tmp_path / "load.txt").write_bytes(given)
    for result in (
        minidis(stdin=given, cwd=tmp_path),
        minidis("-f", "load.txt", cwd=tmp_path),
        minidis("-c", ".read load.txt", cwd=tmp_path),
    ):
        assert (result.stdout, result.stderr) == ('OK\n"x\\r\\ny"\n', "")


def test_long_lines_and_long_quotes_take_no_time(tmp_path: Path) -> None:
    lines = "".join(f'{{"number": {number}}},\n' for number in range(100_000))
    given = f"SET a {'x' * 5_000_000}\nSET b '{lines}'\nMGET a b\n"
    began = time.monotonic()
    assert minidis("--raw", stdin=given, cwd=tmp_path).stdout.endswith(lines + "\n")
    assert time.monotonic() - began < 10


def test_a_file_that_reads_itself(tmp_path: Path) -> None:
    (tmp_path / "load.txt").write_text(".read load.txt\n")
    result = minidis("-c", ".read load.txt", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (1, "(error) load.txt reads itself\n")


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
)
def test_a_directory_is_saved_at_a_signal(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "repl", "data"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
    ) as process:  # fmt: skip
        assert process.stdin and process.stdout
        process.stdin.write(b"SET a 1\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"OK\n"
        process.send_signal(number)
        assert process.wait(60) == code
    assert minidis("data", "get", "a", cwd=tmp_path).stdout == '"1"\n'


def test_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    result = minidis("--raw", stdin=b'SET a "\\xff"\nGET a\nSET b \xfe\nGET b\n', cwd=tmp_path)
    assert result.stdout.encode("utf-8", "surrogateescape") == b"OK\n\xff\nOK\n\xfe\n"


@contextmanager
def running(words: list[str], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """A process that is killed when the test ends, also when it fails."""
    with subprocess.Popen(words, stdout=subprocess.PIPE, **options) as process:
        try:
            yield process
        finally:
            process.kill()


# servers -----------------------------------------------------------------------------------------


@pytest.fixture
def address(real_server: RealServer) -> str:
    real_server.execute("FLUSHALL")
    return f"unix:{real_server.path}"


def test_a_server_is_used_like_a_database(address: str, tmp_path: Path) -> None:
    assert minidis(address, "zadd", "rank", "1", "张", "-2", "bob", cwd=tmp_path).stdout == (
        "(integer) 2\n"
    )
    pairs = minidis("--json", address, "zrange", "rank", "0", "-1", "withscores", cwd=tmp_path)
    assert json.loads(pairs.stdout) == [["bob", -2], ["张", 1]]
    result = minidis(address, "-n", "3", "-c", "SET a 1", "-c", "CLIENT INFO", cwd=tmp_path)
    assert result.stdout.startswith("OK\nid=") and " db=3 " in result.stdout
    assert minidis("--raw", address + "?db=3", "get", "a", cwd=tmp_path).stdout == "1\n"
    queue = minidis(address, stdin="MULTI\nHSET h f v\nHGETALL h\nEXEC\n", cwd=tmp_path)
    assert queue.stdout.endswith(
        'QUEUED\n1) HSET h f v\n   (integer) 1\n2) HGETALL h\n   1) "f" => "v"\n'
    )
    assert (queue.returncode, queue.stderr, os.listdir(tmp_path)) == (0, "", [])


def test_an_error_of_a_server(address: str, tmp_path: Path) -> None:
    result = minidis(address, stdin="SET a x\nINCR a\nSET b 1\n", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (1, "OK\n")
    assert "(error) ERR value is not an integer" in result.stderr
    assert minidis(address, "exists", "b", cwd=tmp_path).stdout == "(integer) 0\n"
    assert "did you mean GET?" in minidis(address, "gett", "a", cwd=tmp_path).stderr


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("redis://ann:secret@127.0.0.1:1", "ping"), "cannot connect to 127.0.0.1:1: "),
        (("redis://u:secret@h/x", "ping"), "the database in an address must be a number"),
        (("redis://u:secret@h:p", "ping"), "the address cannot be read"),
        (("unix:nothing.sock", "ping"), "cannot connect to unix:nothing.sock: No such file"),
        (("serve",), "--port N or --unixsocket SOCKET is required"),
        (("serve", "--port", "0", "--config", "x"), "NAME=VALUE"),
    ],
)
def test_a_bad_address_is_one_clear_line(tmp_path: Path, words: tuple[str, ...], text: str) -> None:
    result = minidis(*words, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert text in result.stderr
    assert "secret" not in result.stderr and "Traceback" not in result.stderr


def test_a_database_that_is_not_there(address: str, tmp_path: Path) -> None:
    result = minidis(address, "-n", "99", "ping", cwd=tmp_path)
    assert (result.returncode, "DB index is out of range" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("SUBSCRIBE", "news"), b'news => "h\xc3\xa9"\n'),
        (("--raw", "SUBSCRIBE", "news"), "hé\n".encode()),
        (("--json", "PSUBSCRIBE", "n*"),
         '{"channel": "news", "data": "hé", "pattern": "n*"}\n'.encode()),
    ],
)  # fmt: skip
def test_a_stream_without_a_terminal(
    real_server: RealServer, tmp_path: Path, words: tuple[str, ...], wanted: bytes
) -> None:
    form = [word for word in words if word.startswith("--")]
    line = " ".join(word for word in words if word not in form)
    with running(
        [sys.executable, "-m", "repl", *form, f"unix:{real_server.path}", "-c", line],
        stdin=subprocess.DEVNULL, cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
    ) as process:  # fmt: skip
        assert process.stdout
        until = time.monotonic() + 20
        while not real_server.execute("PUBLISH", "news", "hé"):
            assert time.monotonic() < until
            time.sleep(0.01)
        assert process.stdout.readline() == wanted
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130


def test_serve_and_connect(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "repl", "serve", "data", "--unixsocket", "s", "--port", "0"]
    with running(
        [*words, "--requirepass", "pw", "--config", "hash-max-listpack-entries=7"],
        text=True, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)},
    ) as process:  # fmt: skip
        assert process.stdout
        tcp, unix = process.stdout.readline().split()[-1], process.stdout.readline().split()[-1]
        assert unix.endswith("/s")
        result = minidis(f"redis://:pw@{tcp}", "set", "a", "1", cwd=tmp_path)
        assert (result.stdout, result.stderr) == ("OK\n", "")
        lines = ("-c", "GET a", "-c", "CONFIG GET hash-max-listpack-e*")
        result = minidis(f"unix://:pw@{tmp_path}/s", *lines, cwd=tmp_path)
        assert result.stdout.startswith('"1"\n') and '=> "7"' in result.stdout
        assert "NOAUTH" in minidis("unix:s", "get", "a", cwd=tmp_path).stderr
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert minidis("data", "get", "a", cwd=tmp_path).stdout == '"1"\n'


def test_a_directory_may_be_called_serve(tmp_path: Path) -> None:
    assert minidis("./serve", "set", "a", "1", cwd=tmp_path).stdout == "OK\n"
    assert (tmp_path / "serve" / "dump.rdb").exists()
