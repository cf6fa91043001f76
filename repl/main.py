"""The command `minidis`: parses the arguments, opens the database and runs commands or the shell.

    minidis data                              interactive shell
    minidis redis://localhost:6379/1          shell connected to a server
    minidis unix:app.sock                     shell connected to a program that serves its database
    minidis data zrange rank 0 -1             one command, given as words
    minidis data -c "SET a 1" -c "GET a"      commands, given as lines
    minidis data < commands.txt               commands from a file or a pipe
    minidis serve data --port 6379            serve a database (see serve.py)

All arguments after the first word of a command belong to it, so that -1 is a number, not an option.
prompt_toolkit is imported by the interactive shell only: the import takes a tenth of a second.
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
from repl.progress import progress_bar

USAGE_ERROR = 2
COMMAND_FAILED = 1
INTERRUPTED = 130
#: Signals that end the program; Windows has no SIGHUP.
_EXIT_SIGNALS = (signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))

#: Options followed by a value.
_OPTIONS_WITH_VALUE = ("-c", "--command", "-f", "--file", "-n", "--database")

_EPILOG = """\
PATH is a directory (created if needed, saved at exit) or a dump file ending in .rdb (written by
SAVE only). Without PATH, or with :memory:, the database is in memory and is lost at exit. PATH can
be the address of a server: redis://[[user]:password@]host[:port][/database], rediss:// for TLS,
unix:SOCKET. `minidis serve --help` describes how to serve a database; for a directory named serve,
write ./serve. SIGTERM and SIGHUP (a closed terminal) save a directory as exit does; SIGKILL loses
unsaved changes.

Options precede the first word of a command; all arguments after it belong to the command.
The first failed command ends the run. Exit codes: 0 success, 1 a command failed, 2 the arguments
or the PATH are invalid.
"""


def parser() -> argparse.ArgumentParser:
    """The argument parser; --help and the tests use it as well."""
    found = argparse.ArgumentParser(
        prog="minidis",
        usage="%(prog)s [options] [PATH] [COMMAND [ARGUMENT ...]]",
        description="Open a minidis database (an embedded Redis), or connect to a server.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = found.add_argument
    add(
        "path",
        nargs="?",
        metavar="PATH",
        help="directory, .rdb file or server address (default: in memory)",
    )
    add("words", nargs="*", metavar="COMMAND", help="one command, given as words")
    add("-c", "--command", action="append", default=[], metavar="LINE",
        help="run a line of commands; can be repeated")  # fmt: skip
    add("-f", "--file", action="append", default=[], metavar="FILE",
        help="run the commands in a file, after those of -c; - is standard input")  # fmt: skip
    add("-n", "--database", type=int, default=0, metavar="N", help="select database N")
    forms = found.add_mutually_exclusive_group()
    forms.add_argument("--json", dest="form", action="store_const", const="json",
                       help="print each reply as one line of JSON")  # fmt: skip
    forms.add_argument("--raw", dest="form", action="store_const", const="raw",
                       help="print values unquoted, one per line")  # fmt: skip
    add("--version", action="version", version=f"minidis {minidis.__version__}")
    found.set_defaults(form="text")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point. Returns the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["serve"]:
        return serve.main(given[1:])
    options = read_arguments(given)
    problem = _check_path(options)
    if problem:
        return _fail(problem)
    try:
        backend = _open_backend(options)
    except (MinidisError, OSError) as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    try:
        _exit_on_signals()
        code = _run(backend, options)
    except SystemExit as exit_:
        code = int(exit_.code or 0)
    _ignore(signal.SIGINT)  # Ctrl-C must not interrupt the save
    if isinstance(backend, LocalBackend):
        return _close_local(backend, code)
    backend.close()
    return code


def _open_backend(options: argparse.Namespace) -> Backend:
    """Open the database at PATH, or connect to the server at that address."""
    if options.path is not None and is_address(options.path):
        from repl.remote_backend import RemoteBackend  # imports sockets and TLS

        address = parse_address(options.path)
        return RemoteBackend(replace(address, database=options.database or address.database))
    path = None if options.path in (None, serve.MEMORY) else options.path
    with progress_bar("loading") as progress:
        db = minidis.open(path, progress=progress)
    if options.database:
        db.execute("SELECT", options.database)
    return LocalBackend(db)


def _exit_on_signals() -> None:
    """Make SIGTERM and SIGHUP exit as `exit` does, which closes and saves the database."""

    def handler(number: int, _: object) -> None:
        for one in _EXIT_SIGNALS:
            _ignore(one)
        raise SystemExit(128 + number)

    for one in _EXIT_SIGNALS:
        if signal.getsignal(one) is signal.SIG_DFL:  # nohup ignores SIGHUP
            signal.signal(one, handler)


def _ignore(number: signal.Signals) -> None:
    signal.signal(number, signal.SIG_IGN)


def read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the options before the first word of a command; the rest is the command."""
    front, words = _split_arguments(arguments)
    options = parser().parse_args(front)
    options.words = words
    return options


def _split_arguments(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split before the second positional argument: the first one is PATH."""
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
    """The error message for `minidis get a`, which would create a directory named get; else ""."""
    path = options.path
    known = path is not None and path.upper() in COMMANDS.keys() | PARENT_COMMANDS
    if not known or os.path.exists(path) or (not options.words and options.command):
        return ""
    return (
        f"{path!r} is a command, but the first argument is the PATH of the database. "
        f"Write: minidis PATH {' '.join([path, *options.words])} (for a directory: ./{path})"
    )


def _run(backend: Backend, options: argparse.Namespace) -> int:
    """Run the shell, or the commands given by the arguments. Returns the exit code."""
    alone = not (options.words or options.command or options.file)
    if alone and sys.stdin is not None and sys.stdin.isatty():
        from repl.session import run_shell  # imports prompt_toolkit

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


def _close_local(backend: LocalBackend, code: int) -> int:
    """Close the database; save it if it is a directory, otherwise warn about unsaved changes."""
    db = backend.db
    lost, file = backend.unsaved_changes()
    try:
        if db.engine.store.directory.saved_on_close and db.engine.store.dirty > 0:
            with progress_bar("saving") as progress:
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
