"""minidis serve: a database behind a door, so that other programs and shells can use it.

    minidis serve data --port 6379                       TCP, this machine only
    minidis serve data --unixsocket app.sock             a Unix socket
    minidis serve dump.rdb --port 0 --requirepass x      any free port, with a password

Only the arguments are read here; minidis.server does the work.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from minidis.errors import MinidisError
from repl.places import Here, Place

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


def read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """The options of `minidis serve`; ends the program with a message if they cannot be used."""
    reader = parser()
    options = reader.parse_args(arguments)
    if options.port is None and not options.unixsocket:
        reader.error("a door needs --port N or --unixsocket SOCKET")
    if options.port is not None and not 0 <= options.port < 65536:
        reader.error("a port is a number from 0 to 65535")
    pairs = dict(_pair(reader, text) for text in options.config)
    if options.requirepass is not None:
        pairs["requirepass"] = options.requirepass
    options.config, options.database = pairs, 0
    return options


def _pair(reader: argparse.ArgumentParser, text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        reader.error(f"--config {text}: NAME=VALUE")
    return name.replace("-", "_"), value


def serve(place: Place, options: argparse.Namespace) -> int:
    """Serve until told to stop; the exit code."""
    assert isinstance(place, Here)
    # TO BE WIRED: the one call into the server's room.
    from minidis.server.door import serve_forever

    try:
        serve_forever(place.db, host=options.bind, port=options.port, unixsocket=options.unixsocket)
    except KeyboardInterrupt:
        return 0
    except (MinidisError, OSError) as error:
        sys.stderr.write(f"minidis: {error}\n")
        return 2
    return 0
