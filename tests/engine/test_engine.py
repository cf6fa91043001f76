"""The life of a database: open, sessions, threads, time, files, close."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
import weakref
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import minidis
from minidis.engine.engine import _DURABLE
from minidis.grammar.command import COMMANDS

PATIENCE = 10
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


# opening ------------------------------------------------------------------------------------------


def test_a_directory_keeps_its_data(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    with minidis.open(home) as db:
        db.set("a", 1)
        db.zadd("z", {"m": 1.5})
        db.session(3).set("elsewhere", 2, ex=1000)
    with minidis.open(str(home)) as db:
        assert db.get("a") == b"1"
        assert db.zscore("z", "m") == 1.5
        assert 0 < db.session(3).ttl("elsewhere") <= 1000
        assert db.engine.store.dirty == 0


def test_a_dump_is_written_by_save_only(tmp_path: Path) -> None:
    path = tmp_path / "prod.rdb"
    with minidis.open(path) as db:
        db.set("a", 1)
        assert db.engine.store.dirty == 1
    assert not path.exists()
    with minidis.open(path) as db:
        db.set("a", 2)
        db.save()
        db.set("a", 3)
    with minidis.open(path) as db:
        assert db.get("a") == b"2"
        db.set("a", 4)
        db.close(save=True)
    assert minidis.open(path).get("a") == b"4"


def test_memory_cannot_be_saved(db: minidis.Minidis[bytes]) -> None:
    with pytest.raises(minidis.ResponseError, match="memory only"):
        db.save()


def test_one_open_at_a_time(tmp_path: Path) -> None:
    with minidis.open(tmp_path), pytest.raises(minidis.LockedError, match="in use"):
        minidis.open(tmp_path)
    minidis.open(tmp_path).close()


@pytest.mark.parametrize("name", ["file.txt", "file.txt/below", "missing/dump.rdb"])
def test_bad_paths_are_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file.txt").write_text("hello")
    with pytest.raises(minidis.FileError, match=r"file\.txt|missing"):
        minidis.open(tmp_path / name)


def test_a_damaged_dump_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "dump.rdb"
    with minidis.open(tmp_path) as db:
        db.set("key", "value")
    damaged = bytearray(path.read_bytes())
    damaged[-12] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(minidis.RdbError, match=r"dump\.rdb: offset \d+.*Remedy"):
        minidis.open(tmp_path)
    assert path.read_bytes() == damaged
    path.unlink()
    minidis.open(tmp_path).close()  # the lock was given back


def test_parameters_at_open() -> None:
    with minidis.open(hash_max_listpack_entries=1, rdbcompression="no") as db:
        db.hset("h", mapping={"a": 1, "b": 2})
        assert db.object_encoding("h") == b"hashtable"
        assert db.config_get("rdbcompression") == {b"rdbcompression": b"no"}
    with pytest.raises(minidis.ResponseError, match="maxmemory"):
        minidis.open(maxmemory=100)
    with pytest.raises(ValueError, match="databases"):
        minidis.open(databases=0)


def test_limits_of_saved_files_are_judged_again(tmp_path: Path) -> None:
    with minidis.open(tmp_path) as db:
        db.hset("h", mapping={"a": 1, "b": 2})
        assert db.object_encoding("h") == b"listpack"
    with minidis.open(tmp_path, hash_max_listpack_entries=1) as db:
        assert db.object_encoding("h") == b"hashtable"


# sessions and threads -----------------------------------------------------------------------------


def test_sessions_share_data_not_the_selected_database(db: minidis.Minidis[bytes]) -> None:
    other = db.session()
    db.select(1)
    db.set("a", 1)
    assert other.get("a") is None
    assert db.session(1).get("a") == b"1"
    db.swapdb(0, 1)
    assert other.get("a") == b"1"


def test_threads_lose_nothing(db: minidis.Minidis[bytes]) -> None:
    def work(number: int) -> None:
        for turn in range(500):
            db.incr("total")
            db.rpush("list", f"{number}:{turn}")
            db.execute("HINCRBY", "hash", number % 2, 1)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert db.get("total") == b"4000"
    assert db.llen("list") == len(set(db.lrange("list", 0, -1))) == 4000
    assert db.hgetall("hash") == {b"0": b"2000", b"1": b"2000"}


def test_closing_closes_all_sessions(db: minidis.Minidis[bytes]) -> None:
    other = db.session(2)
    db.close()
    db.close()
    for call in (lambda: db.get("a"), lambda: other.set("a", 1), lambda: db.execute("DBSIZE")):
        with pytest.raises(minidis.ClosedError):
            call()
    with pytest.raises(minidis.ClosedError):
        db.session()
    with pytest.raises(minidis.ClosedError):
        db.listen(print)
    assert "closed" in repr(db)


@pytest.mark.parametrize("number", [-1, 16])
def test_sessions_are_of_databases_that_exist(db: minidis.Minidis[bytes], number: int) -> None:
    with pytest.raises(minidis.ResponseError, match="out of range"):
        db.session(number)


def test_forgotten_databases_go_away() -> None:
    db = minidis.open()
    db.set("a", 1, ex=1000)
    engine = weakref.ref(db.engine)
    del db
    gc.collect()
    assert engine() is None


def test_forgotten_databases_take_their_threads_along() -> None:
    before = set(threading.enumerate())
    db = minidis.open()
    db.listen(lambda event: None)
    db.set("a", 1, ex=1000)
    started = set(threading.enumerate()) - before
    assert {thread.name for thread in started} == {"minidis-expire", "minidis-events"}
    del db
    gc.collect()
    for thread in started:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_nothing_keeps_what_could_not_be_opened(tmp_path: Path) -> None:
    with pytest.raises(minidis.ResponseError):
        minidis.open(tmp_path, nonsense=1)
    assert not [engine for engine in _DURABLE if engine.store.directory.path == str(tmp_path)]


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    root = str(Path(minidis.__file__).parent.parent)
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": root},
        check=False,
    )


def test_an_open_directory_is_saved_at_exit(tmp_path: Path) -> None:
    program = "import minidis, sys; minidis.open(sys.argv[1]).set('a', 1)"
    assert run(program, str(tmp_path)).returncode == 0
    with minidis.open(tmp_path) as db:
        assert db.get("a") == b"1"


def test_one_that_cannot_be_saved_at_exit_does_not_stop_the_others(tmp_path: Path) -> None:
    program = """
import minidis, os, sys
homes = [os.path.join(sys.argv[1], str(number)) for number in range(6)]
for home in homes:
    minidis.open(home).set("a", 1)
for home in homes[::2]:
    os.mkdir(os.path.join(home, "dump.rdb"))  # nothing can be renamed over it
"""
    result = run(program, str(tmp_path))
    assert "FileError" in result.stderr
    for number in (1, 3, 5):
        with minidis.open(tmp_path / str(number)) as db:
            assert db.get("a") == b"1"


@needs_fork
def test_a_forked_child_takes_nothing_with_it(tmp_path: Path) -> None:
    """Neither the lock of the directory, nor a command that another thread was amid."""
    program = """
import minidis, os, sys, threading
db = minidis.open(sys.argv[1])
db.set("a", 1, ex=1000)
db.listen(lambda event: None)
amid, over, born = threading.Event(), threading.Event(), os.pipe()

def command():
    with db.engine.lock:
        db.space.remove(b"a")
        amid.set()
        over.wait()

thread = threading.Thread(target=command)
thread.start()
amid.wait()
child = os.fork()
if child == 0:
    os.read(born[0], 1)  # the parent has closed the directory by now
    told, heard = [], threading.Event()
    db.listen(lambda event: (told.append(event.name), event.name == "expired" and heard.set()))
    print(db.get("a"), db.ttl("a") > 0)
    db.set("b", 1, px=20)
    print(heard.wait(10), told)
    db.close()
    sys.stdout.flush()
    os._exit(0)
over.set()
thread.join()
db.close(save=False)
with minidis.open(sys.argv[1]) as again:
    os.write(born[1], b"!")
    os.waitpid(child, 0)
    try:
        minidis.open(sys.argv[1])
    except minidis.LockedError:
        print("locked")
"""
    result = run(program, str(tmp_path))
    assert result.stdout.splitlines() == [
        "b'1' True", "True ['set', 'expire', 'expired']", "locked",
    ], result.stderr  # fmt: skip


@needs_fork
def test_a_forked_child_works_but_never_writes(tmp_path: Path) -> None:
    program = """
import minidis, os, sys
db = minidis.open(sys.argv[1])
db.set("a", "parent")
child = os.fork()
if child == 0:
    db.set("a", "child")
    try:
        db.save()
    except minidis.FileError as error:
        print(error)
    sys.exit()
os.waitpid(child, 0)
print(db.get("a"))
"""
    result = run(program, str(tmp_path))
    assert result.returncode == 0, result.stderr
    assert "forked" in result.stdout
    assert "b'parent'" in result.stdout
    with minidis.open(tmp_path) as db:
        assert db.get("a") == b"parent"


# time ---------------------------------------------------------------------------------------------


def test_moving_the_clock() -> None:
    clock = minidis.ManualClock(1_000_000)
    with minidis.open(clock=clock) as db:
        db.set("a", 1, ex=10)
        db.set("b", 1, px=10_000)
        clock.advance(10)
        assert (db.ttl("a"), db.pttl("a"), db.exists("a", "b")) == (0, 0, 2)
        clock.advance(milliseconds=1)
        assert db.space.values == {}
        assert db.engine.databases[0].expired == 2
        db.set("c", 1, exat=1_000_020)
        clock.set(1_000_030)
        assert db.dbsize() == 0


@pytest.mark.slow
def test_a_clock_moved_by_many_threads_loses_no_time() -> None:
    clock = minidis.ManualClock(0)

    def move() -> None:
        for _ in range(500):
            clock.advance(1)
            minidis.open(clock=clock, databases=1)

    threads = [threading.Thread(target=move) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.now() == 2_000_000


class Hurrying(minidis.Clock):
    """Every question finds it later."""

    runs = False
    moment = 1_000

    def now(self) -> int:
        self.moment += 600
        return self.moment


def test_a_key_does_not_expire_in_the_middle_of_a_command() -> None:
    with minidis.open(clock=Hurrying()) as db:
        db.set("a", 1, px=1000)
        assert db.mget("a", "a", "a", "a") == [b"1"] * 4


def test_time_stands_still_in_a_transaction() -> None:
    with minidis.open(clock=Hurrying()) as db, db.transaction() as tx:
        tx.set("a", 1, px=1000)
        for _ in range(3):
            tx.pttl("a")
    assert tx.results == ["OK", 1000, 1000, 1000]


def test_due_keys_go_by_themselves() -> None:
    with minidis.open() as db:
        for number in range(500):
            db.set(f"k{number}", 1, px=1 + number % 30)
        give_up = time.monotonic() + PATIENCE
        while db.space.values and time.monotonic() < give_up:
            threading.Event().wait(0.01)
        assert db.space.values == {}
        assert db.space.next_deadline() is None and db.space.due == []


def test_an_earlier_deadline_is_not_missed() -> None:
    with minidis.open() as db:
        gone = threading.Event()
        db.set("late", 1, ex=1000)
        db.listen(lambda event: event.name == "expired" and gone.set())
        db.set("soon", 1, px=10)
        assert gone.wait(PATIENCE)
        assert list(db.space.values) == [b"late"]


def test_overwritten_deadlines_do_not_pile_up() -> None:
    with minidis.open(clock=minidis.ManualClock()) as db:
        for number in range(10_000):
            db.set("k", number, ex=100 + number)
        assert len(db.space.due) + len(db.space.fresh) < 200
        db.space.check()


@pytest.mark.parametrize("spans", [(10, 100), (100, 10), (10, 100, 50), (50, 10, 100, 20)])
def test_a_key_expires_at_its_last_deadline(spans: tuple[int, ...]) -> None:
    clock = minidis.ManualClock()
    with minidis.open(clock=clock) as db:
        for span in spans:
            db.set("k", span, ex=span)
        for second in range(spans[-1]):
            assert db.space.values, second
            db.space.check()
            clock.advance(1)
        clock.advance(0.002)
        assert not db.space.values and db.space.next_deadline() is None


def test_spans_and_moments_as_python_has_them(db: minidis.Minidis[bytes]) -> None:
    db.set("a", 1, ex=timedelta(minutes=1))
    assert db.ttl("a") == 60
    moment = datetime.now(UTC) + timedelta(hours=1)
    db.set("a", 1, pxat=moment)
    assert db.pexpiretime("a") == int(moment.timestamp() * 1000)


def test_idle_time_is_counted_from_the_first_question_on() -> None:
    clock = minidis.ManualClock()
    with minidis.open(clock=clock) as db:
        db.set("a", 1)
        assert db.object_idletime("a") == 0
        clock.advance(100)
        assert db.object_idletime("a") == 100
        db.get("a")
        assert db.object_idletime("a") == 0


# replies ------------------------------------------------------------------------------------------


def test_str_comes_back_when_asked_for() -> None:
    with minidis.open(decode_responses=True) as db:
        db.set("name", "张三")
        db.hset("h", mapping={"f": "ü"})
        db.sadd("s", "x")
        db.zadd("z", {"m": 1})
        assert db.get("name") == "张三"
        assert db.hgetall("h") == {"f": "ü"}
        assert db.smembers("s") == {"x"}
        assert db.zrange("z", 0, -1, withscores=True) == [("m", 1.0)]
        assert db.execute("MGET", "name", "nothing") == ["张三", None]
        assert db.session(1).set("a", b"\xff") == "OK"
        assert db.session(1).get("a").encode("utf-8", "surrogateescape") == b"\xff"


@pytest.mark.parametrize("value", [None, True, [1], {"a": 1}, object(), 1j, "\ud800"])
def test_what_has_no_form_in_redis_is_refused(db: minidis.Minidis[bytes], value: object) -> None:
    with pytest.raises(minidis.DataError):
        db.set("a", value)  # type: ignore[arg-type]
    with pytest.raises(minidis.DataError):
        db.execute("SET", "a", value)  # type: ignore[arg-type]
    assert db.dbsize() == 0


def test_every_kind_of_value_comes_back_as_bytes(db: minidis.Minidis[bytes]) -> None:
    values = [b"\x00\xff", "text", 12, -1.5, bytearray(b"x"), memoryview(b"y"), "\udcff"]
    for value in values:
        db.set("a", value)
        assert db.execute("GET", "a") == db.get("a")
    assert db.mget("a", b"a", bytearray(b"a")) == [db.get("a")] * 3


def test_the_name_of_a_command_may_be_any_kind_of_text(db: minidis.Minidis[bytes]) -> None:
    for name in ("ping", b"PING", "Ping", bytearray(b"ping"), memoryview(b"PING")):
        assert db.execute(name) == "PONG"


def test_failed_commands_leave_no_trace(db: minidis.Minidis[bytes]) -> None:
    db.mset({"text": "x", "number": 5})
    db.rpush("list", 1, 2)
    before = db.debug_digest(), db.engine.store.dirty
    for words in (
        ["INCR", "text"], ["LPUSH", "text", "1"], ["HSET", "list", "a", "1"], ["SET", "a"],
        ["MSET", "a", "1", "b"], ["RENAME", "missing", "x"], ["SELECT", "99"],
        ["LMOVE", "list", "text", "LEFT", "LEFT"],
        ["ZADD", "z", "x", "m"], ["SETRANGE", "text", "-1", "x"], ["NOSUCH"],
    ):  # fmt: skip
        with pytest.raises(minidis.ResponseError):
            db.execute(*words)
    assert (db.debug_digest(), db.engine.store.dirty) == before
    assert not db.engine.unit.undo


def test_every_command_is_reachable_by_words_and_by_name(db: minidis.Minidis[bytes]) -> None:
    for name, command in COMMANDS.items():
        assert callable(getattr(db, command.method))
        if command.line.arity > 0 and name != "COMMAND":  # COMMAND x is a subcommand
            with pytest.raises(minidis.ResponseError, match="wrong number of arguments"):
                db.execute(*name.split(), *["x"] * 40)
