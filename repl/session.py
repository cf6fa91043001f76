"""The conversation: a prompt, what is typed, what is answered. Alone imports prompt_toolkit.

    what                    who decides             what                     who decides
    where words end         words.py                what is grey             hint.py, the history
    what may come           complete.py             what is coloured         highlight.py, theme.py
    how replies look        render.py               what was wrong           check.py

While a suggestion from the history stands behind the cursor, the hint moves into the toolbar.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

from prompt_toolkit import PromptSession, print_formatted_text
from prompt_toolkit.application import get_app
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
from prompt_toolkit.styles import Style

from minidis.database import Minidis
from minidis.errors import MinidisError
from minidis.replies import OK
from repl import dots
from repl.batch import is_paired, type_of, unsaved
from repl.check import advise
from repl.check import lines as advice_lines
from repl.complete import candidates
from repl.highlight import CommandLexer, ReplyLexer
from repl.hint import hint
from repl.progress import bar
from repl.render import counted, footer, lines, scalar
from repl.theme import THEME
from repl.words import Typed, columns, is_open, quote, shortened, split

#: Replies are coloured and printed so many lines at a time, so that Ctrl-C is heard in between.
_PAGE = 200
#: Longer replies go on without colours: those cost more than the rest together.
_COLOURED = 2000


def history_file() -> Path:
    """Where typed lines are kept from one session to the next."""
    home = os.environ.get("XDG_STATE_HOME") or os.path.join("~", ".local", "state")
    if sys.platform == "win32":
        home = os.environ.get("LOCALAPPDATA", "~")
    return Path(home).expanduser() / "minidis" / "history"


def open_history() -> History:
    """The history file; without a place to write, a history of this session only."""
    path = history_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(path))


class LiveCompleter(Completer):
    """Candidates from the commands and from the data as they are now."""

    def __init__(self, db: Minidis[Any]) -> None:
        self.db = db

    def get_completions(self, document: Document, _: CompleteEvent) -> Iterable[Completion]:
        before = document.text_before_cursor
        for one in candidates(before, self.db):
            about = shortened(one.about, 60)
            yield Completion(
                one.text,
                one.start - len(before),
                display=shortened(one.text, 40),
                display_meta=about,
            )


class InlineHint(Processor):
    """Shows what is left to type behind the cursor, cut to the width of the line."""

    def __init__(self, indent: Callable[[], int]) -> None:
        #: columns that the prompt takes; the lines of a paste are indented as far
        self.indent = indent

    def apply_transformation(self, given: TransformationInput) -> Transformation:
        fragments = given.fragments
        if given.lineno == given.document.line_count - 1:
            text = inline_hint(given.document, given.buffer_control.buffer.suggestion is not None)
            taken = self.indent() + columns(given.document.current_line)
            room = given.width - taken - 1
            if text and room > 8:
                fragments = [*fragments, ("class:hint", shortened(text, room))]
        return Transformation(fragments)


def inline_hint(document: Document, suggested: bool) -> str:
    """The hint behind the cursor: none while a suggestion stands there, or after Enter."""
    if suggested or not document.is_cursor_at_the_end or get_app().is_done:
        return ""
    return hint(document.text)


class Session:
    """One conversation about one database."""

    def __init__(
        self,
        db: Minidis[Any],
        *,
        input: Input | None = None,
        output: Output | None = None,
        history: History | None = None,
    ) -> None:
        self.db = db
        self.output = output
        self.style = Style.from_dict(THEME)
        self.depth = ColorDepth.DEPTH_1_BIT if os.environ.get("NO_COLOR") else None
        self.done = False
        self.busy = False
        self.reminded = False
        self.prompt: PromptSession[str] = PromptSession(
            self.message,
            lexer=PygmentsLexer(CommandLexer),
            completer=LiveCompleter(db),
            complete_in_thread=True,
            auto_suggest=AutoSuggestFromHistory(),
            history=history if history is not None else open_history(),
            input_processors=[InlineHint(lambda: fragment_list_width(self.message()))],
            multiline=Condition(lambda: is_open(get_app().current_buffer.text)),
            prompt_continuation=lambda width, *_: "· ".rjust(width),
            bottom_toolbar=self.toolbar,
            style=self.style,
            include_default_pygments_style=False,
            color_depth=self.depth,
            reserve_space_for_menu=6,
            input=input,
            output=output,
        )

    # around the line ---------------------------------------------------------------------------

    def place(self) -> str:
        """A short name of the database."""
        home = self.db.engine.home
        if home.directory is None:
            return "memory"
        path = home.directory if home.durable else home.dump
        return os.path.basename(os.path.abspath(str(path)))

    def message(self) -> StyleAndTextTuples:
        number = self.db.space.number
        selected = f"[{number}]" if number else ""
        return [("class:prompt", f"{self.place()}{selected}> ")]

    def toolbar(self) -> StyleAndTextTuples:
        """Where we are and what is not saved; the hint, if a suggestion has taken its place."""
        engine = self.db.engine
        keys = counted(len(self.db.space.values), "key")
        parts: StyleAndTextTuples = [
            ("", f" {self.place() if engine.home.dump else 'in memory, gone at the end'}"),
            ("", f" · database {self.db.space.number} · {keys}"),
        ]
        if engine.home.dump is not None and engine.dirty > 0:
            # Yellow where leaving loses them; a directory is saved then.
            style = "" if engine.home.durable else "class:bottom-toolbar.unsaved"
            parts.append((style, f" · {counted(engine.dirty, 'change')} not saved yet"))
        buffer = get_app().current_buffer
        if buffer.suggestion is not None and (text := hint(buffer.text).strip()):
            parts.append(("", f" · {text}"))
        return parts

    def greeting(self) -> str:
        """The first lines."""
        home = self.db.engine.home
        keys = counted(sum(len(one.values) for one in self.db.engine.databases), "key")
        if home.dump is None:
            where = "In memory: nothing is kept after the session. minidis PATH opens a database."
        elif not home.durable and not os.path.exists(home.dump):
            where = f"{home.dump} does not exist yet; SAVE makes it."
        elif home.durable:
            where = f"{home.directory}: {keys}. It is saved when you leave."
        else:
            where = f"{home.dump}: {keys}. SAVE writes it."
        return f"{where}\nhelp explains, Tab completes, Ctrl-D leaves."

    # the shell's own words ---------------------------------------------------------------------

    def say(self, text: str) -> None:
        """Print a text as it is."""
        self._print([("", text.rstrip("\n") + "\n")])

    def note(self, text: str) -> None:
        """Print something that only helps, in grey."""
        self._print([("class:note", text + "\n")])

    def clear(self) -> None:
        """Empty the screen."""
        output = self.prompt.output
        output.erase_screen()
        output.cursor_goto(0, 0)
        output.flush()

    def leave(self) -> None:
        """End the session; the first time remind of changes that would be lost."""
        lost, file = unsaved(self.db)
        if lost and not self.reminded:
            self.reminded = True
            what, them = ("is", "it") if lost == 1 else ("are", "them")
            self.say(f"{counted(lost, 'change')} {what} not saved; SAVE writes {them} to {file}.")
            self.say("Exit again to leave without.")
            return
        self.done = True

    # the conversation --------------------------------------------------------------------------

    def converse(self) -> None:
        """Prompt and answer until the person leaves."""
        self.note(self.greeting())
        with self._hearing_ctrl_c():
            while not self.done:
                try:
                    text = self.prompt.prompt()
                except KeyboardInterrupt:
                    continue  # the line is dropped, the session stays
                except EOFError:
                    self.leave()
                    continue
                self._run_interruptible(text)

    def _run_interruptible(self, text: str) -> None:
        """Run what was typed; Ctrl-C ends it, and nothing else."""
        try:
            self.busy = True
            self.run(text)
            self.busy = False
        except KeyboardInterrupt:
            self.busy = False
            self.note("(interrupted)")

    @contextmanager
    def _hearing_ctrl_c(self) -> Iterator[None]:
        """Ctrl-C counts while a command runs, and only once.

        prompt_toolkit hears it while a person types. In between, Python would raise
        KeyboardInterrupt at whatever line the loop is at, outside of every `try`, and the session
        would end with a traceback.
        """

        def heard(*_: object) -> None:
            if self.busy:
                self.busy = False
                raise KeyboardInterrupt

        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, heard)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def run(self, text: str) -> bool:
        """Run the commands of a text; False when one was refused."""
        commands = split(text)
        for left, command in zip(range(len(commands) - 1, -1, -1), commands, strict=True):
            if len(commands) > 1:
                self.note(shortened("> " + " ".join(quote(word.value) for word in command), 78))
            if not self._run_one(command):
                if left:
                    self.note(f"(stopped here: {counted(left, 'command')} not run)")
                return False
            if self.done:
                break
        return True

    def _run_one(self, typed: list[Typed]) -> bool:
        dot = dots.DOTS.get(typed[0].text.lower())
        self.reminded = self.reminded and dot is not None
        trouble = next((word.trouble for word in typed if word.trouble), "")
        if trouble:
            self._show([f"(error) {trouble}"])
            return False
        if dot is not None:
            return dot.act(self, [word.text for word in typed[1:]])
        words = [word.value for word in typed]
        began = perf_counter()
        try:
            reply = self._execute(words)
        except MinidisError as error:
            self._refused(typed, error)
            return False
        seconds = perf_counter() - began
        self._show(lines(reply, paired=is_paired(words)))
        if below := footer(reply, seconds):
            self.note(below)
        return True

    def _execute(self, words: list[bytes]) -> Any:
        """Run the command. SAVE goes around its door, to show how far it is with much data."""
        if len(words) == 1 and words[0].upper() == b"SAVE":
            with bar("saving") as progress:
                self.db.engine.save(progress)
                return OK
        return self.db.execute(*words)

    def _refused(self, typed: list[Typed], error: MinidisError) -> None:
        self._show([scalar(error)])
        for line in advice_lines(typed, advise(typed, error, type_of(self.db))):
            self.note(line)

    # printing ----------------------------------------------------------------------------------

    def _show(self, found: Iterable[str]) -> None:
        """Print the lines of a reply, coloured unless they are very many."""
        rest, printed = iter(found), 0
        while page := list(islice(rest, _PAGE)):
            text = "\n".join(page) + "\n"
            if printed < _COLOURED:
                self._print(
                    PygmentsTokens(list(ReplyLexer(stripnl=False, ensurenl=False).get_tokens(text)))
                )
            else:
                self.prompt.output.write(text)
                self.prompt.output.flush()
            printed += len(page)

    def _print(self, text: Any) -> None:
        if isinstance(text, list):
            text = FormattedText(text)
        print_formatted_text(
            text,
            end="",
            style=self.style,
            include_default_pygments_style=False,
            color_depth=self.depth,
            output=self.prompt.output,
        )


def converse(db: Minidis[Any]) -> int:
    """A session at the terminal; its exit code."""
    Session(db).converse()
    return 0
