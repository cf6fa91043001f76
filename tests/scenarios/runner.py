"""Plays a scenario on a server behind a Unix socket, and writes down who received what.

    stage        a server, and a control connection of ours to it that is not part of the play
    session      a client of the play
    transcript   letter -> everything that this session received, as text; and `data`, a digest

A step ends when what it causes has arrived for sure: the answers it waits for, and then an answer
on the control connection. That is exact on a server with one thread; for all others the end of the
play makes it so: each session says PING and reads until the answer, or, blocked, is released by
CLIENT UNBLOCK. What goes wrong (silence, an answer too early) becomes part of the transcript, in
brackets: nothing waits longer than PATIENCE.

The server is asked by a user of our own, `runner`, so that scenarios may do as they like with the
others; afterwards everything is put back.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha1

from minidis.replies import Status
from tests.oracle.resp import (
    BigNumber,
    Buffer,
    Error,
    Map,
    Members,
    NullArray,
    Push,
    Reply,
    Verbatim,
    pack,
)
from tests.scenarios.language import Run, Step
from tests.scenarios.permitted import masked, tidied

#: How long anything may take, in seconds, on a busy machine too.
PATIENCE = 20.0
#: How long a command without an answer may take to be seen, in seconds.
SEEN = 0.05
#: What the last PING says.
BARRIER = b"barrier"
#: Longer strings are shown by their beginning, length and digest.
LONGEST = 4000
DATA = "data"
HUNG_UP = "the server hung up"

_CONFIRMATIONS = tuple(
    head + tail for head in (b"", b"p", b"s") for tail in (b"subscribe", b"unsubscribe")
)


class Trouble(str):
    """What should not have happened, as an entry of a transcript."""

    __slots__ = ()


class Fact(str):
    """What was found out about a session, as an entry of a transcript."""

    __slots__ = ()


class Session:
    """A client that keeps what it receives."""

    def __init__(self, path: str, letter: str = "") -> None:
        self.letter = letter
        self.id = 0
        self.closed = False
        self.last_words: set[tuple[bytes, ...]] = set()
        #: answers that the last step asks for, and how many have been written down
        self.wanted = self.answered = 0
        self.received: list[Reply | Trouble | Fact] = []
        self._buffer = Buffer()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(PATIENCE)
        try:
            self._socket.connect(path)
        except OSError:
            self._socket.close()
            raise

    def send(self, data: bytes) -> None:
        """Send; a closed connection swallows it."""
        try:
            self._socket.sendall(data)
        except OSError:
            self._hung_up()

    def collect(self, timeout: float = 0.0) -> bool:
        """Take what has arrived, or arrives in time; False if there was nothing."""
        if self.closed or not select.select([self._socket], [], [], timeout)[0]:
            return False
        try:
            data = self._socket.recv(1 << 20)
        except OSError:
            data = b""
        if not data:
            self._hung_up()
            return True
        try:
            self.received += self._buffer.feed(data)
        except ValueError as error:
            self.received.append(Trouble(str(error)))
            self.close()
        return True

    def wait(self, enough: Callable[[], bool]) -> bool:
        """Collect until it is enough, or the connection is closed. False: patience is at an end."""
        give_up = time.monotonic() + PATIENCE
        while not enough() and not self.closed:
            if not self.collect(max(0.0, give_up - time.monotonic())):
                return False
        return True

    def ask(self, *words: bytes) -> Reply:
        """Send a command and return the next reply, which is not kept; None for silence."""
        begin = len(self.received)
        self.send(pack([words]))
        if not self.wait(lambda: len(self.received) > begin):
            return None
        reply = self.received[-1]
        del self.received[begin:]
        return reply

    def close(self) -> None:
        """Hang up."""
        self._socket.close()
        self.closed = True

    def _hung_up(self) -> None:
        if not self.closed:
            if rest := self._buffer.rest():
                self.received.append(Trouble(f"half a reply: {rest[:80]!r}"))
            self.received.append(Fact(HUNG_UP))
            self.close()


# the stage ----------------------------------------------------------------------------------------


class Stage:
    """A server, and what a play needs of it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._control: Session | None = None
        self.sessions: dict[str, Session] = {}
        self.ask("ACL", "SETUSER", "runner", "on", "nopass", "~*", "&*", "+@all")
        self._rules = self._default_rules()
        # The next question makes another connection, as `runner`.
        self.close()

    def close(self) -> None:
        """Close the control connection."""
        if self._control is not None:
            self._control.close()
            self._control = None

    def ask(self, *words: str | bytes) -> Reply:
        """Ask on the control connection, which a scenario may have killed."""
        parts = [word if isinstance(word, bytes) else word.encode() for word in words]
        for _ in range(2):
            if self._control is None or self._control.closed:
                self._control = Session(self.path)
                self._control.ask(b"AUTH", b"runner", b"x")
            reply = self._control.ask(*parts)
            if not self._control.closed:
                return reply
        return None

    def connect(self, letter: str, protocol: int | None) -> None:
        """A new session; without a protocol it says nothing, and others find out its id."""
        known = self._connected()
        session = self.sessions[letter] = Session(self.path, letter)
        if protocol is None:
            session.id = self._newcomer(known)
            return
        if protocol == 3:
            session.ask(b"HELLO", b"3")
        number = session.ask(b"CLIENT", b"ID")
        session.id = number if isinstance(number, int) else 0

    def _connected(self) -> set[int]:
        """The ids of all connections."""
        lines = text_of(self.ask("CLIENT", "LIST")).splitlines()
        return {int(line.split()[0][3:]) for line in lines}

    def _newcomer(self, known: set[int]) -> int:
        """The id of a connection that the server may still have to accept."""
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            if found := self._connected() - known:
                return max(found)
        return 0

    def hang_up(self, *sessions: Session) -> None:
        """Close connections, and wait until the server has seen it."""
        for session in sessions:
            session.close()
        ids = {session.id for session in sessions}
        give_up = time.monotonic() + PATIENCE
        while ids & self._connected() and time.monotonic() < give_up:
            time.sleep(0.001)

    def client(self, session: Session) -> dict[str, str]:
        """What CLIENT LIST says of a session."""
        line = text_of(self.ask("CLIENT", "LIST", "ID", str(session.id)))
        return dict(part.split("=", 1) for part in line.split() if "=" in part)

    def ids(self) -> dict[int, str]:
        """Id of a connection -> letter."""
        return {session.id: letter for letter, session in self.sessions.items()}

    def leave(self, parameters: Iterable[tuple[bytes, bytes]]) -> None:
        """Put back everything a scenario may have changed."""
        self.ask("CLIENT", "UNPAUSE")
        self.hang_up(*self.sessions.values())
        self.sessions.clear()
        for name, value in parameters:
            self.ask("CONFIG", "SET", name, value)
        users = self.ask("ACL", "USERS")
        for user in users if isinstance(users, list) else []:
            if user not in (b"default", b"runner"):
                self.ask("ACL", "DELUSER", user)
        if self._default_rules() != self._rules:
            self.ask(
                *("ACL", "SETUSER", "default", "on", "nopass", "resetkeys", "~*"),
                *("resetchannels", "&*", "+@all", "clearselectors"),
            )
        self.ask("ACL", "LOG", "RESET")
        self.ask("FLUSHALL")
        if self._default_rules() != self._rules:
            raise RuntimeError(f"the default user is not as before: {self._default_rules()}")

    def _default_rules(self) -> list[bytes]:
        rules = self.ask("ACL", "LIST")
        rules = rules if isinstance(rules, list) else []
        return [rule for rule in rules if rule.startswith(b"user default ")]

    def values_of(self, parameters: Iterable[bytes]) -> list[tuple[bytes, bytes]]:
        """Parameters with their values of now."""
        found = []
        for name in parameters:
            reply = self.ask("CONFIG", "GET", name)
            if isinstance(reply, list) and len(reply) == 2:
                found.append((reply[0], reply[1]))
        return found

    def digest(self) -> str:
        """The digest of all data, without what is past its deadline."""
        self.ask("SCAN", "0", "COUNT", "1000000")
        return str(self.ask("DEBUG", "DIGEST"))


def text_of(reply: Reply) -> str:
    """A text; nothing else is one."""
    return reply.decode("latin-1") if isinstance(reply, bytes) else ""


# a play -------------------------------------------------------------------------------------------


@dataclass
class Transcript:
    """Who received what; `story` tells it step by step, for people."""

    received: dict[str, list[str]] = field(default_factory=dict)
    story: list[str] = field(default_factory=list)

    def troubles(self) -> list[str]:
        """What should not have happened on any side."""
        return [
            f"{letter}: {entry}"
            for letter, entries in self.received.items()
            for entry in entries
            if entry.startswith("[trouble: ")
        ]


class Play:
    """One run of one scenario on one stage."""

    def __init__(self, run: Run, stage: Stage) -> None:
        self.run, self.stage = run, stage
        self.transcript = Transcript({letter: [] for letter in run.scenario.sessions})

    def perform(self) -> Transcript:
        """Play all of it, and leave the stage as it was."""
        scenario = self.run.scenario
        parameters = self.stage.values_of(scenario.parameters())
        try:
            for letter in scenario.sessions:
                if letter not in scenario.connecting:
                    self.stage.connect(letter, self.run.protocol_of(letter))
            for step in scenario.steps:
                self._step(step)
            self._end()
        finally:
            self.stage.leave(parameters)
        return self.transcript

    def _step(self, step: Step) -> None:
        self.transcript.story.append(step.line)
        if step.manner == "wait":
            time.sleep(step.milliseconds / 1000)
        elif step.manner == "+":
            self.stage.connect(step.session, None)
        else:
            MANNERS[step.manner](self, step, self.stage.sessions[step.session])
        self._finish_calls()

    def _finish_calls(self) -> None:
        """What the step has sent to others has arrived when a later question is answered."""
        # Twice: with the first question a server may find others that spoke before it.
        for _ in range(2):
            self.stage.ask("CLIENT", "LIST", "ID", "0")
        for session in self.stage.sessions.values():
            while session.collect():
                pass
            self._write_down(session)

    def _write_down(self, session: Session) -> None:
        """Move what the session has received to the transcript."""
        ids = self.stage.ids()
        session.answered += answers_in(session)
        for entry in session.received:
            text = rendered(masked(entry, ids, session.last_words))
            if not _is_ours(text):
                self.transcript.received[session.letter].append(text)
                self.transcript.story.append(f"        {session.letter} > {text}")
        session.received.clear()

    # the manners of a step

    def _speak(self, step: Step, session: Session) -> None:
        self._send(step, session)
        if not session.wait(lambda: answers_in(session) >= session.wanted):
            session.received.append(Trouble(f"no answer within {PATIENCE} s"))

    def _block(self, step: Step, session: Session) -> None:
        self._send(step, session)
        give_up = time.monotonic() + PATIENCE
        while "b" not in self.stage.client(session).get("flags", ""):
            if session.collect(0.001) or time.monotonic() > give_up:
                session.received.insert(0, Trouble("was to wait, but does not"))
                return
        if session.collect():
            session.received.insert(0, Trouble("was to wait in silence"))

    def _whisper(self, step: Step, session: Session) -> None:
        self._send(step, session)
        name = b"|".join(step.commands[-1][:2]).decode("latin-1").lower() if step.commands else ""
        give_up = time.monotonic() + SEEN
        while time.monotonic() < give_up:
            seen = self.stage.client(session).get("cmd", "")
            if not name or seen in (name, name.split("|")[0]):
                break
            time.sleep(0.001)
        # A server may write its reply to this client after that to the one who has asked.
        self.stage.client(session)
        if session.collect():
            session.received.insert(0, Trouble("was to get no answer"))

    def _await(self, step: Step, session: Session) -> None:
        missing = session.wanted - session.answered
        if not session.wait(lambda: answers_in(session) >= missing):
            session.received.append(Trouble(f"nothing came within {PATIENCE} s"))

    def _hang_up(self, step: Step, session: Session) -> None:
        self.stage.hang_up(session)

    def _send(self, step: Step, session: Session) -> None:
        session.last_words = {tuple(map(bytes.upper, words)) for words in step.commands}
        session.wanted, session.answered = len(step.commands) or 1, 0
        commands = [[self._word(word) for word in words] for words in step.commands]
        session.send(step.raw or pack(commands))

    def _word(self, word: bytes) -> bytes:
        """`$A` is the id of A."""
        letter = word[1:].decode("latin-1")
        if word.startswith(b"$") and letter in self.stage.sessions:
            return b"%d" % self.stage.sessions[letter].id
        return word

    # the end

    def _end(self) -> None:
        """Make sure that nothing is on its way any more, and look at the data."""
        for session in self.stage.sessions.values():
            if not session.closed:
                self._last_word(session)
            self._write_down(session)
        self.transcript.received = {
            letter: tidied(entries) for letter, entries in self.transcript.received.items()
        }
        self.transcript.received[DATA] = [self.stage.digest()]

    def _last_word(self, session: Session) -> None:
        if self.stage.ask("CLIENT", "UNBLOCK", str(session.id), "ERROR") == 1:
            session.received.append(Fact("was still waiting"))
            session.wait(lambda: any(map(_released, session.received)))
            return
        session.send(pack([[b"PING", BARRIER]]))
        if not session.wait(lambda: any(map(_is_barrier, session.received))):
            session.received.append(Trouble("PING at the end remains without an answer"))
        session.received = [
            Fact("is in a transaction") if entry == "QUEUED" else entry
            for entry in session.received
            if entry == "QUEUED" or not _is_barrier(entry)
        ]


MANNERS: dict[str, Callable[[Play, Step, Session], None]] = {
    ":": Play._speak,
    "<": Play._speak,
    "...": Play._block,
    "-": Play._whisper,
    "<-": Play._whisper,
    "?": Play._await,
    "!": Play._hang_up,
}


def answers_in(session: Session) -> int:
    """How many of the entries can be answers: all but pushes that are no confirmations."""
    return sum(
        not isinstance(entry, Push) or (bool(entry) and entry[0] in _CONFIRMATIONS)
        for entry in session.received
    )


def _is_barrier(entry: Reply) -> bool:
    """The answer to the PING at the end, in whatever state the session is."""
    if isinstance(entry, Error):
        return entry.startswith(("NOAUTH", "NOPERM"))
    return entry in (BARRIER, [b"pong", BARRIER]) or (
        isinstance(entry, Status) and entry == "QUEUED"
    )


def _released(entry: Reply) -> bool:
    return isinstance(entry, Error) and entry.startswith("UNBLOCKED")


def _is_ours(text: str) -> bool:
    """A line of MONITOR about the PING at the end."""
    return text.endswith('"PING" "barrier"')


def play(run: Run, stage: Stage) -> Transcript:
    """Play a scenario, and return who received what."""
    return Play(run, stage).perform()


# text ---------------------------------------------------------------------------------------------


def rendered(reply: Reply) -> str:
    """One line that tells every kind of reply from every other. Sets and maps have no order."""
    for kind, show in KINDS:
        if isinstance(reply, kind):
            return show(reply)
    raise TypeError(f"{reply!r} is no reply")


def _quoted(text: bytes) -> str:
    if len(text) > LONGEST:
        digest = sha1(text, usedforsecurity=False).hexdigest()[:8]
        return f"{_quoted(text[:20])}...({len(text)} bytes, {digest})"
    shown = text.decode("latin-1").encode("unicode_escape").decode().replace('"', '\\"')
    return f'"{shown}"'


def _several(before: str, parts: Iterable[str], after: str) -> str:
    return before + ", ".join(parts) + after


KINDS: tuple[tuple[type, Callable[[Reply], str]], ...] = (
    (Trouble, lambda note: f"[trouble: {note}]"),
    (Fact, lambda note: f"[{note}]"),
    (Error, lambda text: f"-{text}"),
    (Status, lambda text: f"+{text}"),
    (Verbatim, lambda text: "=" + _quoted(text)),
    (bytes, _quoted),
    (bool, lambda truth: "#t" if truth else "#f"),
    (BigNumber, lambda number: f"({int(number)}"),
    (int, str),
    (float, lambda number: f",{number!r}"),
    (NullArray, lambda _: "nil array"),
    (type(None), lambda _: "nil"),
    (Push, lambda items: _several(">[", map(rendered, items), "]")),
    (
        Map,
        lambda pairs: _several(
            "{", sorted(f"{rendered(name)}: {rendered(value)}" for name, value in pairs), "}"
        ),
    ),
    (Members, lambda items: _several("~{", sorted(map(rendered, items)), "}")),
    (list, lambda items: _several("[", map(rendered, items), "]")),
)
