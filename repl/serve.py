"""minidis serve: a database behind a door, so that other programs and shells can use it.

    minidis serve data --port 6379                       TCP, this machine only
    minidis serve data --unixsocket app.sock             a Unix socket
    minidis serve dump.rdb --port 0 --requirepass x      any free port, with a password

Only the arguments are read here; minidis.server does the work.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

MEMORY = ":memory:"

_EPILOG = """\
PATH is a directory, saved when the server ends, or a dump ending in .rdb, written by SAVE only;
without it everything lives in memory. SIGTERM, SIGINT and a closed terminal end the server. Any
client of Redis can connect, and `minidis redis://localhost:PORT` or `minidis unix:SOCKET`.
"""


def parser() -> argparse.ArgumentParser:
    """The options, for reading them and for --help."""
    found = argparse.ArgumentParser(
        prog="minidis serve",
        description="Serve a database to clients of Redis.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = found.add_argument
    add("path", nargs="?", metavar="PATH", help="directory or .rdb file; none: memory")
    add("--port", type=int, metavar="N", help="TCP port; 0: any that is free")
    add("--bind", default="127.0.0.1", metavar="HOST",
        help="address of this machine to listen on (default: 127.0.0.1)")  # fmt: skip
    add("--unixsocket", metavar="SOCKET", help="path of a Unix socket to listen on")
    add("--requirepass", metavar="PASSWORD", help="what clients have to send with AUTH")
    add("--config", action="append", default=[], metavar="NAME=VALUE",
        help="a parameter, as for CONFIG SET; may be given several times")  # fmt: skip
    return found


def main(arguments: Sequence[str]) -> int:
    """Serve until told to stop; the exit code."""
    reader = parser()
    options = reader.parse_args(arguments)
    config = dict(_pair(reader, text) for text in options.config)
    if options.requirepass is not None:
        config["requirepass"] = options.requirepass
    addresses = _addresses(reader, options)
    from minidis.server.program import serve_forever  # an event loop comes with it

    return serve_forever(None if options.path == MEMORY else options.path, addresses, config)


def _addresses(reader: argparse.ArgumentParser, options: argparse.Namespace) -> list[str]:
    """Where to listen, in the words of minidis.server."""
    found = []
    if options.port is not None:
        host = f"[{options.bind}]" if ":" in options.bind else options.bind
        found.append(f"{host}:{options.port}")
    if options.unixsocket:
        found.append(f"unix:{options.unixsocket}")
    if not found:
        reader.error("a door needs --port N or --unixsocket SOCKET")
    return found


def _pair(reader: argparse.ArgumentParser, text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        reader.error(f"--config {text}: NAME=VALUE")
    return name.replace("-", "_"), value
