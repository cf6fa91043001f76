"""The conversation: a prompt, what is typed, what is answered. Alone imports prompt_toolkit.

    what                    who decides             what                     who decides
    where words end         words.py                what is grey             hint.py, the history
    what may come           complete.py             what is coloured         highlight.py, theme.py
    how replies look        render.py               what was wrong           check.py

While a suggestion from the history stands behind the cursor, the hint moves into the toolbar. What
SUBSCRIBE and MONITOR bring is printed above the prompt while a person types, by another thread.
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
from repl.backend import Backend
from repl.batch import answer_lines, command_line, refuse_in_multi
from repl.check import advise
from repl.check import lines as advice_lines
from repl.complete import candidates
from repl.highlight import ReplyLexer, lexer_for
from repl.hint import hint
from repl.lookup import CommandSet
from repl.render import as_json, counted, footer, scalar
from repl.secrets import holds_secret
from repl.streams import BackgroundStream, Item
from repl.theme import THEME
from repl.words import Typed, columns, is_open, printable, quote, shortened, split

#: Replies are coloured and printed so many lines at a time, so that Ctrl-C is heard in between.
_PAGE = 200
#: Longer replies go on without colours: those cost more than the rest together.
_COLOURED = 2000
#: So many queued commands and watched keys are named in the toolbar, as far as there is room.
_NAMED = 8
#: Seconds until something is printed even though the prompt does not make room for it.
_ROOM = 1.0


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
        return _Remembered()
    return _Written(str(path))


class _PasswordSafeHistory(History):
    """A history that learns no passwords."""

    def append_string(self, string: str) -> None:
        if not holds_secret(string):
            super().append_string(string)


class _Written(_PasswordSafeHistory, FileHistory):
    """One that is kept."""


class _Remembered(_PasswordSafeHistory, InMemoryHistory):
    """One of this session."""


class LiveCompleter(Completer):
    """Candidates from the commands and from the data as they are now."""

    def __init__(self, place: Backend) -> None:
        self.place = place

    def get_completions(self, document: Document, _: CompleteEvent) -> Iterable[Completion]:
        before = document.text_before_cursor
        for one in candidates(before, self.place):
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
    """One conversation with one place."""

    def __init__(
        self,
        place: Backend,
        *,
        input: Input | None = None,
        output: Output | None = None,
        history: History | None = None,
    ) -> None:
        self.place = place
        self.output = output
        self.style = Style.from_dict(THEME)
        self._printed = merge_styles([default_ui_style(), self.style])
        self.depth = ColorDepth.DEPTH_1_BIT if os.environ.get("NO_COLOR") else None
        self.done = False
        self.busy = False
        self.reminded = False
        #: what is shown beside the prompt
        self.beside: list[BackgroundStream] = []
        self._printing = threading.RLock()
        self.prompt: PromptSession[str] = PromptSession(
            self.message,
            lexer=PygmentsLexer(lexer_for(lambda: place.repertoire)),
            completer=LiveCompleter(place),
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

    def message(self) -> StyleAndTextTuples:
        """The prompt: `data> `, `data[2]> `, `data[2](TX)> `."""
        number = self.place.database
        selected = f"[{number}]" if number else ""
        parts: StyleAndTextTuples = [("class:prompt", f"{self.place.name}{selected}")]
        if self.place.transaction.open:
            parts.append(("class:transaction", "(TX)"))
        return [*parts, ("class:prompt", "> ")]

    def toolbar(self) -> StyleAndTextTuples:
        """Where we are and what is not finished; the hint, if a suggestion has taken its place."""
        buffer = get_app().current_buffer
        rest = hint(buffer.text).strip() if buffer.suggestion is not None else ""
        place = [] if self.place.transaction.open else self.place.status()
        parts = [*self._unfinished(), *place, *([("", rest)] if rest else [])]
        found: StyleAndTextTuples = [("", " ")]
        for style, text in parts:
            found += [("", " · "), (style, printable(text))]
        return [found[0], *found[2:]]

    def _unfinished(self) -> Iterator[tuple[str, str]]:
        """What has been begun: MULTI and its queue, WATCH, streams."""
        transaction = self.place.transaction
        if transaction.open:
            first = transaction.queued[:_NAMED]
            queued = "; ".join(shortened(command_line(words), 24) for words in first)
            state = "EXEC will be refused" if transaction.spoiled else "EXEC runs, DISCARD forgets"
            count = f"{len(transaction.queued)} queued"
            yield "class:transaction", f"{count}: {shortened(queued, 60)}" if queued else count
            yield "class:transaction", state
        if transaction.watched:
            keys = " ".join(map(quote, islice(transaction.watched, _NAMED)))
            yield "", f"watching {shortened(keys, 30)}"
        for beside in self.beside:
            yield "", f"{shortened(beside.title, 30)}: {beside.heard:,}"
        if self.beside:
            yield "", "Ctrl-C ends it"

    @property
    def repertoire(self) -> CommandSet:
        """The commands that can be run."""
        return self.place.repertoire

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
        lost, file = self.place.unsaved()
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
        self.note(f"{self.place.greeting()}\nhelp explains, Tab completes, Ctrl-D leaves.")
        try:
            with self._hearing_ctrl_c():
                while not self.done:
                    self._turn()
        finally:
            for beside in self.beside:
                beside.stop()

    def _turn(self) -> None:
        """One line, and what it does."""
        self.place.refresh()
        for pushed in self.place.unasked():
            self.note(f"┊ {as_json(pushed)}")
        try:
            text = self.prompt.prompt()
        except KeyboardInterrupt:  # the line is dropped, the session stays
            if not self.prompt.default_buffer.text and self.beside:
                self.stop()
        except EOFError:
            self.leave()
        else:
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
                self.note("> " + command_line([word.value for word in command]))
            if not self._run_one(command):
                if left:
                    self.note(f"(stopped here: {counted(left, 'command')} not run)")
                return False
            if self.done:
                break
        return True

    def _run_one(self, typed: list[Typed]) -> bool:
        dot = shell_commands.DOTS.get(typed[0].text.lower())
        self.reminded = self.reminded and dot is not None
        trouble = next((word.trouble for word in typed if word.trouble), "")
        if trouble:
            self._show([f"(error) {trouble}"])
            return False
        if dot is not None:
            return dot.act(self, [word.text for word in typed[1:]])
        words = [word.value for word in typed]
        try:
            if streams.is_about(words):
                return self._begin_or_end(words)
            self._execute(words)
        except MinidisError as error:
            self._refused(typed, error)
            return False
        return True

    def _execute(self, words: list[bytes]) -> None:
        """Run the command and show its answer."""
        began = perf_counter()
        reply = self.place.run(words)
        seconds = perf_counter() - began
        self._show(answer_lines(reply, words, self.place.transaction.commands_of(reply)))
        if reply is None and words[0].upper() == b"EXEC":
            self.note("(a watched key has changed: nothing was run)")
        elif below := footer(reply, seconds):
            self.note(below)

    def _refused(self, typed: list[Typed], error: MinidisError) -> None:
        self._show([scalar(error)])
        advice = advise(typed, error, self.place.type_of, self.place.repertoire)
        for line in advice_lines(typed, advice):
            self.note(line)

    # beside the prompt -------------------------------------------------------------------------

    def _begin_or_end(self, words: list[bytes]) -> bool:
        """SUBSCRIBE, UNSUBSCRIBE and the like."""
        if self.place.transaction.open:
            self._show([refuse_in_multi(words)])
            return False
        name = words[0].decode("latin-1").upper()
        running = [one for one in self.beside if one.source.kind == name]
        if streams.ends(words):
            self._end(streams.BEGINNINGS[name], words[1:])
        elif name == "MONITOR" and running:
            self.note("(it is running already; .stop ends it)")
        else:
            self.beside.append(
                BackgroundStream(self.place.stream(words), self._show_items, self._lost)
            )
            self.note("(what comes is shown above the prompt; Ctrl-C in an empty line ends it)")
        return True

    def _end(self, kind: str, names: list[bytes]) -> None:
        """Listen to some names no more; to none of that kind, if none are given."""
        running = [one for one in self.beside if one.source.kind == kind]
        concerned = [
            one for one in running if not names or not one.source.names.keys().isdisjoint(names)
        ]
        if not concerned:
            self.note("(nothing of that is listened to)")
        for one in concerned:
            gone = one.source.names.keys() & names
            if not names or gone == one.source.names.keys():
                self._stop_one(one)
            else:
                one.source.drop(gone)
                self.note(f"({shortened(one.title, 60)} goes on)")

    def stop(self) -> None:
        """End everything that runs beside the prompt."""
        if not self.beside:
            self.note("(nothing is running beside the prompt)")
        for one in list(self.beside):
            self._stop_one(one)

    def _stop_one(self, one: BackgroundStream) -> None:
        one.stop()
        if one in self.beside:
            self.beside.remove(one)
        heard = counted(one.heard, "line" if one.source.kind == "MONITOR" else "message")
        self.note(f"({shortened(one.title, 60)} has ended: {heard})")

    def _lost(self, one: BackgroundStream, why: str) -> None:
        """A stream has ended by itself. In its thread."""
        if one in self.beside:
            self.beside.remove(one)
        note = f"({shortened(one.title, 60)} has ended: {printable(why)})\n"
        self._print_above([("class:note", note)])

    def _show_items(self, items: list[Item], dropped: int) -> None:
        """Print what has come. In the thread of the stream."""
        text: StyleAndTextTuples = []
        if dropped:
            text.append(("class:note", f"┊ ({counted(dropped, 'line')} too fast to be shown)\n"))
        for item in items:
            text += [("class:note", "┊ "), *streams.fragments(item), ("", "\n")]
        self._print_above(text)

    def _print_above(self, text: StyleAndTextTuples) -> None:
        """Print above the prompt, if there is one; in any thread.

        The event loop of the prompt makes room for it. It may end before it comes to that: then
        this thread prints, and whoever comes second has nothing left to do.
        """
        mine = threading.Lock()
        printed = threading.Event()

        def show() -> None:
            if mine.acquire(blocking=False):
                self._print(text)
                printed.set()

        app = self.prompt.app
        loop = app.loop
        if loop is not None and app.is_running:
            with suppress(RuntimeError):  # it has just ended
                loop.call_soon_threadsafe(lambda: run_in_terminal(show), context=app.context)
                printed.wait(_ROOM)
        show()

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
        # Here and now: the function of that name in prompt_toolkit leaves it to the event loop of a
        # prompt that is open, and when that is just about to end nothing is printed at all.
        if isinstance(text, list):
            text = FormattedText(text)
        with self._printing:
            print_formatted_text(self.prompt.output, text, self._printed, color_depth=self.depth)


def converse(place: Backend) -> int:
    """A session at the terminal; its exit code."""
    Session(place).converse()
    return 0
