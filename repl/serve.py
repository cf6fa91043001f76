"""minidis serve: serves a database to other programs and shells.

    minidis serve data --port 6379                       TCP, local connections only
    minidis serve data --unixsocket app.sock             a Unix socket
    minidis serve dump.rdb --port 0 --requirepass x      any free port, with a password

This module parses the arguments; minidis.server implements the server.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

MEMORY = ":memory:"

_EPILOG = """\
PATH is a directory, saved when the server stops, or a dump file ending in .rdb, written by SAVE
only; without PATH the database is in memory. SIGTERM, SIGINT and SIGHUP (a closed terminal) stop
the server. Any Redis client can connect, and so can the shell: `minidis redis://localhost:PORT` or
`minidis unix:SOCKET`.
"""


def parser() -> argparse.ArgumentParser:
    """The argument parser."""
    found = argparse.ArgumentParser(
        prog="minidis serve",
        description="Serve a database to Redis clients.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = found.add_argument
    add("path", nargs="?", metavar="PATH", help="directory or .rdb file (default: in memory)")
    add("--port", type=int, metavar="N", help="TCP port; 0 picks a free one")
    add("--bind", default="127.0.0.1", metavar="HOST",
        help="address to listen on (default: 127.0.0.1)")  # fmt: skip
    add("--unixsocket", metavar="SOCKET", help="path of a Unix socket to listen on")
    add("--requirepass", metavar="PASSWORD", help="password that clients must send with AUTH")
    add("--config", action="append", default=[], metavar="NAME=VALUE",
        help="a parameter of CONFIG SET; can be repeated")  # fmt: skip
    return found


def main(arguments: Sequence[str]) -> int:
    """Serve until a signal arrives. Returns the exit code."""
    reader = parser()
    options = reader.parse_args(arguments)
    config = dict(_pair(reader, text) for text in options.config)
    if options.requirepass is not None:
        config["requirepass"] = options.requirepass
    addresses = _addresses(reader, options)
    from minidis.server.program import serve_forever  # imports asyncio

    return serve_forever(None if options.path == MEMORY else options.path, addresses, config)


def _addresses(reader: argparse.ArgumentParser, options: argparse.Namespace) -> list[str]:
    """The addresses to listen on, as minidis.server expects them."""
    found = []
    if options.port is not None:
        host = f"[{options.bind}]" if ":" in options.bind else options.bind
        found.append(f"{host}:{options.port}")
    if options.unixsocket:
        found.append(f"unix:{options.unixsocket}")
    if not found:
        reader.error("--port N or --unixsocket SOCKET is required")
    return found


def _pair(reader: argparse.ArgumentParser, text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        reader.error(f"--config {text}: expected NAME=VALUE")
    return name.replace("-", "_"), value
