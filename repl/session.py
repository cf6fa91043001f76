"""The interactive shell. The only module that imports prompt_toolkit.

    feature                 module                  feature                  module
    splitting into words    words.py                hints                    hint.py
    completion              complete.py             highlighting             highlight.py, theme.py
    formatting of replies   render.py               advice after errors      advice.py

While a suggestion from the history is shown after the cursor, the hint moves into the toolbar.
Messages of SUBSCRIBE and MONITOR are printed above the prompt by another thread.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.application.run_in_terminal import run_in_terminal
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import FormattedText, PygmentsTokens, StyleAndTextTuples
from prompt_toolkit.formatted_text.utils import fragment_list_width
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.input import Input
from prompt_toolkit.layout.processors import Processor, Transformation, TransformationInput
from prompt_toolkit.lexers import PygmentsLexer
from prompt_toolkit.output import ColorDepth, Output
from prompt_toolkit.renderer import print_formatted_text
from prompt_toolkit.styles import Style, default_ui_style, merge_styles

from minidis.errors import MinidisError
from repl import shell_commands, streams
from repl.advice import advice_lines, advise
from repl.backend import Backend
from repl.batch import command_line, format_replies, stream_in_multi_error
from repl.complete import candidates
from repl.highlight import ReplyLexer, lexer_for
from repl.hint import hint
from repl.lookup import CommandSet
from repl.render import counted, footer, scalar, to_json
from repl.secrets import holds_secret
from repl.streams import BackgroundStream, Item
from repl.theme import THEME
from repl.words import TypedWord, display_width, has_open_quote, printable, quote, split, truncate

#: Replies are printed this many lines at a time, so that Ctrl-C can interrupt in between.
_LINES_PER_PRINT = 200
#: Lines after these are printed without colours, which cost more than everything else.
_MAX_COLOURED_LINES = 2000
#: The toolbar names at most this many queued commands and watched keys.
_MAX_LISTED = 8
#: Seconds to wait for the prompt's event loop before printing without it.
_PRINT_TIMEOUT = 1.0


def history_file() -> Path:
    """The path of the history file."""
    home = os.environ.get("XDG_STATE_HOME") or os.path.join("~", ".local", "state")
    if sys.platform == "win32":
        home = os.environ.get("LOCALAPPDATA", "~")
    return Path(home).expanduser() / "minidis" / "history"


def open_history() -> History:
    """Open the history file; if it cannot be written, use a history in memory."""
    path = history_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError:
        return _MemoryHistory()
    return _FileHistory(str(path))


class _PasswordSafeHistory(History):
    """A history that does not store commands with passwords."""

    def append_string(self, string: str) -> None:
        if not holds_secret(string):
            super().append_string(string)


class _FileHistory(_PasswordSafeHistory, FileHistory):
    """A history kept in a file."""


class _MemoryHistory(_PasswordSafeHistory, InMemoryHistory):
    """A history kept in memory."""


class LiveCompleter(Completer):
    """Completion from the commands and the current data."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def get_completions(self, document: Document, _: CompleteEvent) -> Iterable[Completion]:
        before = document.text_before_cursor
        for one in candidates(before, self.backend):
            about = truncate(one.about, 60)
            yield Completion(
                one.text,
                one.start - len(before),
                display=truncate(one.text, 40),
                display_meta=about,
            )


class InlineHint(Processor):
    """Shows the hint after the cursor, cut to the width of the line."""

    def __init__(self, indent: Callable[[], int]) -> None:
        #: width of the prompt; continuation lines are indented as far
        self.indent = indent

    def apply_transformation(self, given: TransformationInput) -> Transformation:
        fragments = given.fragments
        if given.lineno == given.document.line_count - 1:
            text = inline_hint(given.document, given.buffer_control.buffer.suggestion is not None)
            taken = self.indent() + display_width(given.document.current_line)
            room = given.width - taken - 1
            if text and room > 8:
                fragments = [*fragments, ("class:hint", truncate(text, room))]
        return Transformation(fragments)


def inline_hint(document: Document, suggested: bool) -> str:
    """The hint after the cursor; "" while a suggestion is shown there, and after Enter."""
    if suggested or not document.is_cursor_at_the_end or get_app().is_done:
        return ""
    return hint(document.text)


class ShellSession:
    """One interactive session with one backend."""

    def __init__(
        self,
        backend: Backend,
        *,
        input: Input | None = None,
        output: Output | None = None,
        history: History | None = None,
    ) -> None:
        self.backend = backend
        self.output = output
        self.style = Style.from_dict(THEME)
        self._printed = merge_styles([default_ui_style(), self.style])
        self.color_depth = ColorDepth.DEPTH_1_BIT if os.environ.get("NO_COLOR") else None
        self.done = False
        self.command_running = False
        self.warned = False
        #: running SUBSCRIBE and MONITOR
        self.background_streams: list[BackgroundStream] = []
        self._printing = threading.RLock()
        self.prompt: PromptSession[str] = PromptSession(
            self.message,
            lexer=PygmentsLexer(lexer_for(lambda: backend.command_set)),
            completer=LiveCompleter(backend),
            complete_in_thread=True,
            auto_suggest=AutoSuggestFromHistory(),
            history=history if history is not None else open_history(),
            input_processors=[InlineHint(lambda: fragment_list_width(self.message()))],
            multiline=Condition(lambda: has_open_quote(get_app().current_buffer.text)),
            prompt_continuation=lambda width, *_: "· ".rjust(width),
            bottom_toolbar=self.toolbar,
            style=self.style,
            include_default_pygments_style=False,
            color_depth=self.color_depth,
            reserve_space_for_menu=6,
            input=input,
            output=output,
        )

    # prompt and toolbar ------------------------------------------------------------------------

    def message(self) -> StyleAndTextTuples:
        """The prompt: `data> `, `data[2]> `, `data[2](TX)> `."""
        number = self.backend.database
        selected = f"[{number}]" if number else ""
        parts: StyleAndTextTuples = [("class:prompt", f"{self.backend.name}{selected}")]
        if self.backend.transaction.open:
            parts.append(("class:transaction", "(TX)"))
        return [*parts, ("class:prompt", "> ")]

    def toolbar(self) -> StyleAndTextTuples:
        """The toolbar: pending work, status, and the hint if a suggestion is shown."""
        buffer = get_app().current_buffer
        rest = hint(buffer.text).strip() if buffer.suggestion is not None else ""
        status = [] if self.backend.transaction.open else self.backend.status()
        parts = [*self._pending_parts(), *status, *([("", rest)] if rest else [])]
        found: StyleAndTextTuples = [("", " ")]
        for style, text in parts:
            found += [("", " · "), (style, printable(text))]
        return [found[0], *found[2:]]

    def _pending_parts(self) -> Iterator[tuple[str, str]]:
        """Toolbar parts for MULTI and its queue, WATCH and streams."""
        transaction = self.backend.transaction
        if transaction.open:
            first = transaction.queued[:_MAX_LISTED]
            queued = "; ".join(truncate(command_line(words), 24) for words in first)
            state = (
                "EXEC will fail" if transaction.aborted else "EXEC runs them, DISCARD drops them"
            )
            count = f"{len(transaction.queued)} queued"
            yield "class:transaction", f"{count}: {truncate(queued, 60)}" if queued else count
            yield "class:transaction", state
        if transaction.watched:
            keys = " ".join(map(quote, islice(transaction.watched, _MAX_LISTED)))
            yield "", f"watching {truncate(keys, 30)}"
        for stream in self.background_streams:
            yield "", f"{truncate(stream.title, 30)}: {stream.received:,}"
        if self.background_streams:
            yield "", "Ctrl-C stops it"

    @property
    def command_set(self) -> CommandSet:
        """The commands that the backend has."""
        return self.backend.command_set

    # shell commands ----------------------------------------------------------------------------

    def write(self, text: str) -> None:
        """Print text."""
        self._print([("", text.rstrip("\n") + "\n")])

    def write_note(self, text: str) -> None:
        """Print a note in grey."""
        self._print([("class:note", text + "\n")])

    def clear(self) -> None:
        """Clear the screen."""
        output = self.prompt.output
        output.erase_screen()
        output.cursor_goto(0, 0)
        output.flush()

    def exit(self) -> None:
        """End the session. If changes would be lost, only warn the first time."""
        lost, file = self.backend.unsaved_changes()
        if lost and not self.warned:
            self.warned = True
            what, them = ("is", "it") if lost == 1 else ("are", "them")
            self.write(f"{counted(lost, 'change')} {what} not saved; SAVE writes {them} to {file}.")
            self.write("To exit without saving, repeat exit.")
            return
        self.done = True

    # the loop ----------------------------------------------------------------------------------

    def run_loop(self) -> None:
        """Prompt, run and print until exit."""
        self.write_note(f"{self.backend.greeting()}\nhelp: commands. Tab: complete. Ctrl-D: exit.")
        try:
            with self._handle_sigint():
                while not self.done:
                    self._prompt_once()
        finally:
            for stream in self.background_streams:
                stream.stop()

    def _prompt_once(self) -> None:
        """Read one line and run it."""
        self.backend.refresh()
        for push in self.backend.take_pushes():
            self.write_note(f"┊ {to_json(push)}")
        try:
            text = self.prompt.prompt()
        except KeyboardInterrupt:  # drop the line, keep the session
            if not self.prompt.default_buffer.text and self.background_streams:
                self.stop()
        except EOFError:
            self.exit()
        else:
            self._run_interruptible(text)

    def _run_interruptible(self, text: str) -> None:
        """Run what was typed; Ctrl-C interrupts it and keeps the session."""
        try:
            self.command_running = True
            self.run(text)
            self.command_running = False
        except KeyboardInterrupt:
            self.command_running = False
            self.write_note("(interrupted)")

    @contextmanager
    def _handle_sigint(self) -> Iterator[None]:
        """Raise KeyboardInterrupt only while a command runs, and once per command.

        prompt_toolkit handles Ctrl-C at the prompt. Between the two, Python would raise
        KeyboardInterrupt somewhere in the loop, outside of every `try`, and the session would end
        with a traceback.
        """

        def handler(*_: object) -> None:
            if self.command_running:
                self.command_running = False
                raise KeyboardInterrupt

        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, handler)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def run(self, text: str) -> bool:
        """Run the commands in a text. Returns False if one failed."""
        commands = split(text)
        for left, command in zip(range(len(commands) - 1, -1, -1), commands, strict=True):
            if len(commands) > 1:
                self.write_note("> " + command_line([word.value for word in command]))
            if not self._run_one(command):
                if left:
                    self.write_note(f"(stopped here: {counted(left, 'command')} not run)")
                return False
            if self.done:
                break
        return True

    def _run_one(self, typed: list[TypedWord]) -> bool:
        shell_command = shell_commands.SHELL_COMMANDS.get(typed[0].text.lower())
        self.warned = self.warned and shell_command is not None
        problem = next((word.problem for word in typed if word.problem), "")
        if problem:
            self._show([f"(error) {problem}"])
            return False
        if shell_command is not None:
            return shell_command.run(self, [word.text for word in typed[1:]])
        words = [word.value for word in typed]
        try:
            if streams.is_stream_command(words):
                return self._run_stream_command(words)
            self._execute(words)
        except MinidisError as error:
            self._print_error(typed, error)
            return False
        return True

    def _execute(self, words: list[bytes]) -> None:
        """Run the command and print its reply."""
        began = perf_counter()
        reply = self.backend.run(words)
        seconds = perf_counter() - began
        self._show(format_replies(reply, words, self.backend.transaction.commands_of(reply)))
        if reply is None and words[0].upper() == b"EXEC":
            self.write_note("(a watched key has changed: no command was run)")
        elif below := footer(reply, seconds):
            self.write_note(below)

    def _print_error(self, typed: list[TypedWord], error: MinidisError) -> None:
        self._show([scalar(error)])
        advice = advise(typed, error, self.backend.type_of, self.backend.command_set)
        for line in advice_lines(typed, advice):
            self.write_note(line)

    # streams -----------------------------------------------------------------------------------

    def _run_stream_command(self, words: list[bytes]) -> bool:
        """Run MONITOR, SUBSCRIBE, UNSUBSCRIBE and their variants."""
        if self.backend.transaction.open:
            self._show([stream_in_multi_error(words)])
            return False
        name = words[0].decode("latin-1").upper()
        running = [one for one in self.background_streams if one.source.kind == name]
        if streams.ends_stream(words):
            self._unsubscribe(streams.BEGINNINGS[name], words[1:])
        elif name == "MONITOR" and running:
            self.write_note("(MONITOR is running already; .stop ends it)")
        else:
            self.background_streams.append(
                BackgroundStream(self.backend.stream(words), self._show_items, self._lost)
            )
            self.write_note("(shown above the prompt; Ctrl-C in an empty line ends it)")
        return True

    def _unsubscribe(self, kind: str, names: list[bytes]) -> None:
        """Unsubscribe from names; without names, from all of this kind."""
        running = [one for one in self.background_streams if one.source.kind == kind]
        affected = [
            one for one in running if not names or not one.source.names.keys().isdisjoint(names)
        ]
        if not affected:
            self.write_note("(no such subscription)")
        for one in affected:
            gone = one.source.names.keys() & names
            if not names or gone == one.source.names.keys():
                self._stop_one(one)
            else:
                one.source.unsubscribe(gone)
                self.write_note(f"({truncate(one.title, 60)} continues)")

    def stop(self) -> None:
        """Stop all streams."""
        if not self.background_streams:
            self.write_note("(no SUBSCRIBE or MONITOR is running)")
        for one in list(self.background_streams):
            self._stop_one(one)

    def _stop_one(self, one: BackgroundStream) -> None:
        one.stop()
        if one in self.background_streams:
            self.background_streams.remove(one)
        received = counted(one.received, "line" if one.source.kind == "MONITOR" else "message")
        self.write_note(f"({truncate(one.title, 60)} has ended: {received})")

    def _lost(self, one: BackgroundStream, why: str) -> None:
        """Report a lost stream. Called in the thread of the stream."""
        if one in self.background_streams:
            self.background_streams.remove(one)
        note = f"({truncate(one.title, 60)} has ended: {printable(why)})\n"
        self._print_above([("class:note", note)])

    def _show_items(self, items: list[Item], dropped: int) -> None:
        """Print messages. Called in the thread of the stream."""
        text: StyleAndTextTuples = []
        if dropped:
            text.append(
                ("class:note", f"┊ ({counted(dropped, 'line')} dropped: too fast to show)\n")
            )
        for item in items:
            text += [("class:note", "┊ "), *streams.fragments(item), ("", "\n")]
        self._print_above(text)

    def _print_above(self, text: StyleAndTextTuples) -> None:
        """Print above the prompt, if one is open. May be called in any thread.

        The event loop of the prompt prints the text. If it ends before that, this thread prints;
        the lock makes sure that only one of them does.
        """
        first = threading.Lock()
        printed = threading.Event()

        def show() -> None:
            if first.acquire(blocking=False):
                self._print(text)
                printed.set()

        app = self.prompt.app
        loop = app.loop
        if loop is not None and app.is_running:
            with suppress(RuntimeError):  # the loop has just been closed
                loop.call_soon_threadsafe(lambda: run_in_terminal(show), context=app.context)
                printed.wait(_PRINT_TIMEOUT)
        show()

    # printing ----------------------------------------------------------------------------------

    def _show(self, found: Iterable[str]) -> None:
        """Print the lines of a reply, the first _MAX_COLOURED_LINES in colour."""
        rest, printed = iter(found), 0
        while page := list(islice(rest, _LINES_PER_PRINT)):
            text = "\n".join(page) + "\n"
            if printed < _MAX_COLOURED_LINES:
                self._print(
                    PygmentsTokens(list(ReplyLexer(stripnl=False, ensurenl=False).get_tokens(text)))
                )
            else:
                self.prompt.output.write(text)
                self.prompt.output.flush()
            printed += len(page)

    def _print(self, text: Any) -> None:
        # Not prompt_toolkit's public print_formatted_text: while a prompt is open, that schedules
        # the output in its event loop, and if the loop is about to end, nothing is printed.
        if isinstance(text, list):
            text = FormattedText(text)
        with self._printing:
            print_formatted_text(
                self.prompt.output, text, self._printed, color_depth=self.color_depth
            )


def run_shell(backend: Backend) -> int:
    """Run an interactive session. Returns the exit code."""
    ShellSession(backend).run_loop()
    return 0
