"""The command `minidis`: reads its arguments, opens the database, and hands over.

    minidis data                              a session with a person
    minidis redis://localhost:6379/1          the same with a server
    minidis unix:app.sock                     the same with a running program that has opened a door
    minidis data zrange rank 0 -1             one command, given as words
    minidis data -c "SET a 1" -c "GET a"      commands, given as lines
    minidis data < commands.txt               commands from a file or a pipe
    minidis serve data --port 6379            a server on a database (see serve.py)

Everything after the first word of a command belongs to it, so that -1 is a number and no option.
prompt_toolkit is imported for a session only: it costs a tenth of a second.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace

import minidis
from minidis.errors import MinidisError
from minidis.grammar.command import COMMANDS, PARENT_COMMANDS
from repl import serve
from repl.address import is_address, parse_address
from repl.backend import Backend, LocalBackend
from repl.batch import FORMATS, Batch, silence_stdout
from repl.progress import bar

USAGE_ERROR = 2
COMMAND_FAILED = 1
INTERRUPTED = 130
#: Signals that ask to leave; Windows has no SIGHUP.
_EXIT_SIGNALS = (signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))

#: Options that take the word after them.
_OPTIONS_WITH_VALUE = ("-c", "--command", "-f", "--file", "-n", "--database")

_EPILOG = """\
PATH is a directory (made if needed, saved when it is closed) or a dump ending in .rdb (written by
SAVE only). Without PATH, or with :memory:, everything lives in memory and is gone at the end. PATH
may be the address of a server: redis://[[user]:password@]host[:port][/database], rediss:// for TLS,
unix:SOCKET. `minidis serve --help` tells how to open a door; a directory named serve is ./serve.
SIGTERM and a closed terminal (SIGHUP) end it as exit does; only SIGKILL leaves changes unsaved.

Options stand before the first word of a command; after it, everything belongs to the command.
The first refused command ends the run. Exit code: 0 done, 1 a command was refused, 2 the arguments
or the PATH cannot be used.
"""


def parser() -> argparse.ArgumentParser:
    """The options, for reading them and for --help."""
    found = argparse.ArgumentParser(
        prog="minidis",
        usage="%(prog)s [options] [PATH] [COMMAND [ARGUMENT ...]]",
        description="Explore and use a minidis database: Redis inside a Python process.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = found.add_argument
    add("path", nargs="?", metavar="PATH", help="directory, .rdb file or address; none: memory")
    add("words", nargs="*", metavar="COMMAND", help="one command, given as words")
    add("-c", "--command", action="append", default=[], metavar="LINE",
        help="run a line of commands; may be given several times")  # fmt: skip
    add("-f", "--file", action="append", default=[], metavar="FILE",
        help="run the commands in a file, after those of -c; - is standard input")  # fmt: skip
    add("-n", "--database", type=int, default=0, metavar="N", help="select database N")
    forms = found.add_mutually_exclusive_group()
    forms.add_argument("--json", dest="form", action="store_const", const="json",
                       help="print each reply as one line of JSON")  # fmt: skip
    forms.add_argument("--raw", dest="form", action="store_const", const="raw",
                       help="print the values as they are, one in a line")  # fmt: skip
    add("--version", action="version", version=f"minidis {minidis.__version__}")
    found.set_defaults(form="text")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["serve"]:
        return serve.main(given[1:])
    options = read_arguments(given)
    mistake = _check_path(options)
    if mistake:
        return _fail(mistake)
    try:
        backend = _open_backend(options)
    except (MinidisError, OSError) as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    try:
        _exit_on_signals()
        code = _run(backend, options)
    except SystemExit as told:
        code = int(told.code or 0)
    _ignore(signal.SIGINT)  # what is saved now is saved
    if isinstance(backend, LocalBackend):
        return _closed(backend, code)
    backend.close()
    return code


def _open_backend(options: argparse.Namespace) -> Backend:
    """The database at PATH, or the server at that address."""
    if options.path is not None and is_address(options.path):
        from repl.remote_backend import RemoteBackend  # sockets and TLS come with it

        address = parse_address(options.path)
        return RemoteBackend(replace(address, database=options.database or address.database))
    path = None if options.path in (None, serve.MEMORY) else options.path
    with bar("loading") as progress:
        db = minidis.open(path, progress=progress)
    if options.database:
        db.execute("SELECT", options.database)
    return LocalBackend(db)


def _exit_on_signals() -> None:
    """SIGTERM, and SIGHUP when the terminal is closed, end the work as `exit` does: by closing."""

    def told(number: int, _: object) -> None:
        for one in _EXIT_SIGNALS:
            _ignore(one)
        raise SystemExit(128 + number)

    for one in _EXIT_SIGNALS:
        if signal.getsignal(one) is signal.SIG_DFL:  # nohup ignores SIGHUP
            signal.signal(one, told)


def _ignore(number: signal.Signals) -> None:
    signal.signal(number, signal.SIG_IGN)


def read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Options up to the first word of a command; the rest is that command."""
    front, words = _split_arguments(arguments)
    options = parser().parse_args(front)
    options.words = words
    return options


def _split_arguments(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Cut before the second argument that is no option: the first one is PATH."""
    at = seen = 0
    while at < len(arguments):
        if arguments[at] in _OPTIONS_WITH_VALUE:
            at += 1
        elif not arguments[at].startswith("-") or arguments[at] == "-":
            seen += 1
        if seen == 2:
            break
        at += 1
    return list(arguments[:at]), list(arguments[at:])


def _check_path(options: argparse.Namespace) -> str:
    """`minidis get a` would make a directory named get; that is not what was meant."""
    path = options.path
    known = path is not None and path.upper() in COMMANDS.keys() | PARENT_COMMANDS
    if not known or os.path.exists(path) or (not options.words and options.command):
        return ""
    return (
        f"{path!r} is a command, but the first word is the PATH of the database: "
        f"minidis PATH {' '.join([path, *options.words])} (./{path} if you mean a directory)"
    )


def _run(backend: Backend, options: argparse.Namespace) -> int:
    """Do what the arguments ask for."""
    alone = not (options.words or options.command or options.file)
    if alone and sys.stdin is not None and sys.stdin.isatty():
        from repl.session import run_shell  # prompt_toolkit comes with it

        return run_shell(backend)
    if alone:
        options.file = ["-"]
    try:
        return _batch(backend, options)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        silence_stdout()
        return COMMAND_FAILED
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))


def _batch(backend: Backend, options: argparse.Namespace) -> int:
    out = sys.stdout.buffer
    batch = Batch(backend, FORMATS[options.form], out, sys.stderr)
    done = (
        all(batch.run(line) for line in options.command)
        and all(_run_file(batch, name) for name in options.file)
        and (not options.words or batch.run_words([os.fsencode(word) for word in options.words]))
    )
    out.flush()
    return 0 if done else COMMAND_FAILED


def _run_file(batch: Batch, name: str) -> bool:
    if name == "-":
        return batch.run_stream(sys.stdin.buffer, "standard input") if sys.stdin else True
    with open(name, "rb") as file:
        return batch.run_stream(file, name)


def _closed(backend: LocalBackend, code: int) -> int:
    """Close the database, saving it if it is a directory; say what is not saved."""
    db = backend.db
    lost, file = backend.unsaved_changes()
    try:
        if db.engine.home.durable and db.engine.dirty > 0:
            with bar("saving") as progress:
                db.engine.save(progress)
        db.close()
    except (MinidisError, OSError) as error:
        db.close(save=False)
        return _fail(f"not saved: {error}")
    if lost and code != INTERRUPTED:
        changes = "1 change was" if lost == 1 else f"{lost:,} changes were"
        sys.stderr.write(f"minidis: {changes} not saved; the command SAVE writes {file}\n")
    return code


def _fail(text: str) -> int:
    sys.stderr.write(f"minidis: {text}\n")
    return USAGE_ERROR


if __name__ == "__main__":
    sys.exit(main())
