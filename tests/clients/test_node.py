"""Two clients for Node with a minidis server: ioredis, and node-redis in RESP2 and RESP3."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.clients.backends import Backend
from tests.oracle.run import server_is_required

pytestmark = pytest.mark.slow

#: They work with Node 18 and newer.
PACKAGES = ["ioredis@5.11.1", "redis@5.12.1"]
HERE = Path(__file__).parent
#: How long an installation, or all scenarios of a client, may take, in seconds.
PATIENCE = 120.0


@pytest.fixture(scope="session")
def modules(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the clients, installed once and kept beside the cache, if pytest has one."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("no node or npm on this machine")
    # With `-p no:cacheprovider` pytest does not even have the attribute.
    cache: pytest.Cache | None = getattr(request.config, "cache", None)
    kept = cache.mkdir("minidis-node") if cache else tmp_path_factory.mktemp("minidis-node")
    found = kept / "-".join(PACKAGES).replace("@", "-")
    if not found.exists():
        install(found)
    return found / "node_modules"


def install(target: Path) -> None:
    """Install beside the target and rename: others may do the same just now."""
    with tempfile.TemporaryDirectory(dir=target.parent) as directory:
        place = Path(directory) / "new"
        place.mkdir()
        options = ["--no-audit", "--no-fund", "--ignore-scripts", "--no-save", "--fetch-retries=1"]
        options += ["--fetch-retry-mintimeout=1000", "--fetch-timeout=30000"]
        words = ["npm", "install", *options, "--prefix", str(place), *PACKAGES]
        try:
            done = subprocess.run(
                words, capture_output=True, text=True, timeout=PATIENCE, check=False
            )
            problem = done.stderr if done.returncode else ""
        except subprocess.TimeoutExpired:
            problem = f"npm has taken more than {PATIENCE} seconds"
        if problem:
            (pytest.fail if server_is_required() else pytest.skip)(f"npm install: {problem}")
        try:
            os.replace(place, target)
        except OSError:  # another process was first
            if not target.exists():
                raise


def names_in(script: Path) -> set[str]:
    """Names of the scenarios, as they stand in the script."""
    found = re.findall(r'^  async (?:"([^"]+)"|(\w+))\(', script.read_text(), re.MULTILINE)
    return {quoted or plain for quoted, plain in found}


@pytest.mark.parametrize(
    ("client", "number"), [("ioredis", 14), ("node_redis", 21)], ids=["ioredis", "node-redis"]
)
def test_scenarios(place: Backend, modules: Path, client: str, number: int) -> None:
    script = HERE / f"{client}.cjs"
    done = subprocess.run(
        ["node", str(script), place.host, str(place.port), place.path],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, "NODE_PATH": str(modules)},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    passed = re.findall(r"^ok (.+?)(?: [23])?$", done.stdout, re.MULTILINE)
    assert set(passed) == names_in(script) and len(passed) == number, done.stdout
