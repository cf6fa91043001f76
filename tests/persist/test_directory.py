"""Where a database lives: leftovers, links, permissions, full disks, killed processes."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import minidis
from minidis.engine.engine import Engine
from minidis.errors import FileError, LockedError
from minidis.persistence import snapshot

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="a matter of POSIX systems")
LEFTOVER = "temp-123-0123456789abcdef.rdb"


def names(directory: Path) -> list[str]:
    return sorted(entry.name for entry in directory.iterdir())


def test_leftovers_go_when_the_directory_is_opened(tmp_path: Path) -> None:
    others = ["temp-123.rdb", "temp-123-0123456789abcdef.rdb.bak", "my-" + LEFTOVER]
    for name in [LEFTOVER, *others]:
        (tmp_path / name).touch()
    with minidis.open(tmp_path):
        assert names(tmp_path) == sorted(["minidis.lock", *others])


def test_leftovers_stay_while_somebody_else_has_the_directory(tmp_path: Path) -> None:
    with minidis.open(tmp_path):
        (tmp_path / LEFTOVER).touch()
        with pytest.raises(LockedError):
            minidis.open(tmp_path)
        assert LEFTOVER in names(tmp_path)


def test_leftovers_beside_a_dump_file_belong_to_others(tmp_path: Path) -> None:
    (tmp_path / LEFTOVER).touch()
    with minidis.open(tmp_path / "dump.rdb") as db:
        db.save()
    assert names(tmp_path) == ["dump.rdb", LEFTOVER]


@POSIX
def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "dump.rdb").symlink_to("real/dump.rdb")
    with minidis.open(tmp_path / "dump.rdb") as db:
        db.set("a", 1)
        db.save()
    assert (tmp_path / "dump.rdb").is_symlink()
    assert names(tmp_path / "real") == ["dump.rdb"]
    with minidis.open(tmp_path / "real" / "dump.rdb") as db:
        assert db.get("a") == b"1"


@POSIX
def test_a_private_dump_stays_private(tmp_path: Path) -> None:
    path = tmp_path / "dump.rdb"
    with minidis.open(path) as db:
        db.save()
        path.chmod(0o600)
        db.save()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_dump_that_cannot_be_looked_at_is_not_a_missing_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    with minidis.open(tmp_path) as db:
        db.set("a", 1)
    with monkeypatch.context() as patch:
        patch.setattr(os.path, "exists", lambda _: False)
        patch.setattr(snapshot, "open", refuse, raising=False)
        with pytest.raises(FileError, match="Permission denied"):
            minidis.open(tmp_path)


def test_a_directory_in_the_place_of_the_dump(tmp_path: Path) -> None:
    with minidis.open(tmp_path) as db:
        db.set("a", 1)
        (tmp_path / "dump.rdb").mkdir()
        with pytest.raises(FileError, match=r"dump\.rdb: cannot be written"):
            db.save()
        assert db.get("a") == b"1"
        assert names(tmp_path) == ["dump.rdb", "minidis.lock"]
        (tmp_path / "dump.rdb").rmdir()


@POSIX
def test_a_pipe_in_the_place_of_the_dump(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "dump.rdb")
    with pytest.raises(FileError, match="not a regular file"):
        minidis.open(tmp_path / "dump.rdb")


@POSIX
def test_a_directory_that_went_away(tmp_path: Path) -> None:
    with minidis.open(tmp_path / "data") as db:
        db.set("a", 1)
        shutil.rmtree(tmp_path / "data")
        with pytest.raises(FileError, match="cannot be written"):
            db.save()
        (tmp_path / "data").mkdir()
    assert (tmp_path / "data" / "dump.rdb").exists()


@POSIX
def test_a_full_disk(tmp_path: Path) -> None:
    import resource

    with minidis.open(tmp_path) as db:
        db.set("a", 1)
        db.save()
        before = (tmp_path / "dump.rdb").read_bytes()
        db.set("b", random.Random(1).randbytes(200_000))
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
        try:
            with pytest.raises(FileError, match="cannot be written"):
                db.save()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert (tmp_path / "dump.rdb").read_bytes() == before
        assert names(tmp_path) == ["dump.rdb", "minidis.lock"]
        assert db.strlen("b") == 200_000


def test_an_interrupted_open_lets_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load = Engine.load

    def interrupted(self: Engine, progress: Any = None) -> None:
        load(self, progress)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "load", interrupted)
        with pytest.raises(KeyboardInterrupt):
            minidis.open(tmp_path)
    minidis.open(tmp_path).close()


SAVING = """
import sys, minidis
db = minidis.open(sys.argv[1])
number = int(db.get("saved") or 0)
print(number, flush=True)
while True:
    number += 1
    db.mset({"saved": number} | {f"key:{n}": b"%d:" % number + b"x" * 100 for n in range(2000)})
    db.save()
    print(number, flush=True)
"""


@pytest.mark.slow
@POSIX
@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM"])
def test_a_killed_process_leaves_the_old_file_or_the_new_one(tmp_path: Path, how: str) -> None:
    generator = random.Random(how)
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", SAVING, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(generator.uniform(0.01, 0.2))
        process.send_signal(signal.Signals[how])
        told = [int(line) for line in process.communicate(timeout=60)[0].split()]
        with minidis.open(tmp_path) as db:
            assert names(tmp_path) in (["dump.rdb", "minidis.lock"], ["minidis.lock"])
            saved = int(db.get("saved") or 0)
            assert saved in (told[-1], told[-1] + 1) if told else True
            assert db.dbsize() == (2001 if saved else 0)
            assert len({value[:3] for value in db.mget(db.keys("key:*")) if value}) <= 1
