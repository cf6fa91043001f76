"""The request parser: received bytes -> commands, each a list of words. It uses no sockets.

A command is an array of bulk strings, `*2 $3 GET $1 k` with CRLF after each part, or an inline
command, one line of text. Protocol errors have the messages of Redis.
"""

from __future__ import annotations

import re
from typing import Any

from minidis.protocol.replies import LARGE, NUMBER, ProtocolError
from minidis.structures import quotes

try:
    import hiredis
except ImportError:  # an optional dependency: parses faster what Requests can parse by itself
    hiredis = None  # type: ignore[assignment]

#: A line may have this length (bytes) while its end has not been received.
LONGEST_LINE = 64 * 1024
#: Most words of a command, and of one from a client that has not authenticated yet.
MOST_WORDS = 2**31 - 1
MOST_WORDS_UNAUTHENTICATED = 10
#: Longest word (bytes) of a client that has not authenticated yet.
LONGEST_WORD_UNAUTHENTICATED = 16 * 1024
#: Most bytes that are parsed at once, and most commands on the slow path.
WINDOW = 256 * 1024
MOST_AT_ONCE = 256
#: From this size (bytes) on hiredis is no slower than _split with commands of two or three words,
#: and twice as fast with longer ones. Below, the necessary checks cost more than it saves.
HIREDIS_THRESHOLD = 1024


class _Sizes(dict[bytes, int]):
    """b"$3" -> 3. Small numbers are precomputed, others parsed; KeyError if they are not valid."""

    def __init__(self, sign: bytes, usual: int) -> None:
        super().__init__((b"%b%d" % (sign, number), number) for number in range(1, usual))
        self._valid = re.compile(re.escape(sign) + rb"[1-9][0-9]{0,5}")

    def __missing__(self, text: bytes) -> int:
        if self._valid.fullmatch(text) is None:
            raise KeyError(text)
        return int(text[1:])


_COUNTS = _Sizes(b"*", 100)
_SIZES = _Sizes(b"$", 1024)
_SIZES[b"$0"] = 0

#: hiredis readers that are not in use; several threads may take one.
_READERS: list[Any] = []


class Requests:
    """Parses commands: `feed` it with received data, then `take` the commands that are complete.

    The fast path (_split, or hiredis) parses what nearly all clients send: complete commands whose
    words contain no line break. The slow path parses everything else (incomplete commands, inline
    commands, large words, errors). It keeps its state, examines no byte twice, and never allocates
    from a declared length.

    `unauthenticated`: the client has not authenticated yet; commands are taken one at a time, since
    other limits may hold for the next one, and must be small. `longest_word` in bytes.
    """

    __slots__ = (
        "_at", "_buffer", "_due", "_error", "_held", "_large", "_missing", "_size", "_words",
        "longest_word", "unauthenticated",
    )  # fmt: skip

    def __init__(
        self, longest_word: int = 512 * 1024 * 1024, *, unauthenticated: bool = False
    ) -> None:
        self.longest_word = longest_word
        self.unauthenticated = unauthenticated
        #: unparsed data begins at `_at`
        self._buffer = b""
        self._at = 0
        #: of the command that is being parsed: its words so far, how many are missing, and the
        #: size of the next one (-1: its line has not been received)
        self._words: list[bytes] | None = None
        self._missing = 0
        self._size = -1
        #: parts of a large word, how many bytes of it are missing, and how many bytes are held here
        self._large: list[bytes] = []
        self._due = 0
        self._held = 0
        self._error: ProtocolError | None = None

    @property
    def is_empty(self) -> bool:
        """Whether all received data has been taken."""
        return not self._buffer

    @property
    def pending(self) -> int:
        """Number of received bytes that belong to no complete command yet."""
        return len(self._buffer) - self._at + self._held

    def feed(self, data: bytes) -> None:
        """Add received data."""
        if self._due:
            due = self._due
            self._large.append(data[:due] if len(data) > due else data)
            self._due = max(0, due - len(data))
            self._held += min(due, len(data))
            data = data[due:]
        if self._at < len(self._buffer):
            self._buffer = self._buffer[self._at :] + data
        else:
            self._buffer = data
        self._at = 0

    def take(self) -> list[list[bytes]]:
        """Return some of the complete commands, in their order; [] when there is none left.

        Raises ProtocolError once everything before the error has been taken.
        """
        if self._error is not None:
            raise self._error
        buffer = self._buffer
        if self._at == len(buffer):
            self._buffer, self._at = b"", 0  # an idle client uses no memory
            return []
        if self._words is None and buffer[self._at] == 42 and not self.unauthenticated:
            commands = self._take_fast()
            if commands:
                if self._at == len(buffer):
                    self._buffer, self._at = b"", 0
                return commands
        return self._take_slow()

    # fast path

    def _take_fast(self) -> list[list[bytes]]:
        """Return complete commands without line breaks in their words."""
        data = self._buffer
        if self._at or len(data) > WINDOW:
            data = data[self._at : self._at + WINDOW]
        if not data.endswith(b"\r\n"):
            end = data.rfind(b"\r\n*")
            if end < 0:
                return []
            data = data[: end + 2]
        if hiredis is not None and HIREDIS_THRESHOLD < len(data) <= self.longest_word:
            commands = _read_with_hiredis(data)
            if commands is not None:
                self._at += len(data)
                return commands
        commands, size = _split(data)
        self._at += size
        return commands

    def _take_slow(self) -> list[list[bytes]]:
        """Return commands of any kind."""
        commands: list[list[bytes]] = []
        try:
            while (words := self._next()) is not None:
                if words:
                    commands.append(words)
                    if self.unauthenticated or len(commands) >= MOST_AT_ONCE:
                        break
        except ProtocolError as error:
            self._error = error
            if not commands:
                raise
        return commands

    # slow path

    def _next(self) -> list[bytes] | None:
        """Return the next command; [] for one without words, None when it is not complete."""
        if self._words is None:
            if self._at == len(self._buffer):
                return None
            if self._buffer[self._at] != 42:
                return self._inline()
            line = self._line("mbulk")
            if line is None:
                return None
            self._missing = self._count(line)
            self._words = []
        while self._missing > 0:
            if not self._word():
                return None
        words, self._words, self._held = self._words, None, 0
        return words

    def _line(self, what: str) -> bytes | None:
        """Return a line without its first byte; None when it is not complete."""
        buffer, at = self._buffer, self._at
        end = buffer.find(b"\r", at)
        if end < 0 or buffer.find(b"\0", at, end) >= 0:  # Redis stops searching at a NUL
            if len(buffer) - at > LONGEST_LINE:
                raise ProtocolError(f"too big {what} count string")
            return None
        if end + 2 > len(buffer):
            return None
        self._at = end + 2  # Redis does not check the byte after the CR either
        return buffer[at + 1 : end]

    def _count(self, line: bytes) -> int:
        count = int(line) if NUMBER.fullmatch(line) else MOST_WORDS + 1
        if not -(2**63) <= count <= MOST_WORDS:
            raise ProtocolError("invalid multibulk length")
        if self.unauthenticated and count > MOST_WORDS_UNAUTHENTICATED:
            raise ProtocolError("unauthenticated multibulk length")
        return count

    def _word(self) -> bool:
        """Parse one more word; return False when it is not complete."""
        if self._size < 0:
            self._size = self._next_size()
            if self._size < 0:
                return False
        buffer, at, size = self._buffer, self._at, self._size
        if self._large:
            word = b"".join(self._large)
        else:
            word = buffer[at : at + size]
            if len(word) < size and size > LARGE:
                return self._begin_large(word)
            at += size
        if at + 2 > len(buffer):
            return False
        assert self._words is not None
        self._words.append(word)
        self._held += 0 if self._large else size
        self._large = []
        self._at, self._size = at + 2, -1
        self._missing -= 1
        return True

    def _next_size(self) -> int:
        """Return the length of the next word, from its line; -1 when the line is not complete."""
        start = self._at
        line = self._line("bulk")
        if line is None:
            return -1
        if self._buffer[start] != 36:
            got = self._buffer[start : start + 1].decode("utf-8", "surrogateescape")
            raise ProtocolError(f"expected '$', got '{got}'")
        size = int(line) if NUMBER.fullmatch(line) else -1
        if not 0 <= size <= self.longest_word:
            raise ProtocolError("invalid bulk length")
        if self.unauthenticated and size > LONGEST_WORD_UNAUTHENTICATED:
            raise ProtocolError("unauthenticated bulk length")
        return size

    def _begin_large(self, begun: bytes) -> bool:
        """Begin a large word: its parts are joined when all have been received."""
        self._large = [begun]
        self._due = self._size - len(begun)
        self._held += len(begun)
        self._buffer, self._at = b"", 0
        return False

    def _inline(self) -> list[bytes] | None:
        """Return the next inline command; None when its line is not complete."""
        buffer, at = self._buffer, self._at
        end = buffer.find(b"\n", at)
        if end < 0 or buffer.find(b"\0", at, end) >= 0:
            if len(buffer) - at > LONGEST_LINE:
                raise ProtocolError("too big inline request")
            return None
        self._at = end + 1
        return split_inline(buffer[at:end].removesuffix(b"\r"))


def _split(data: bytes) -> tuple[list[list[bytes]], int]:
    """Return the commands at the beginning of `data`, and their size in bytes.

    As long as no word contains a line break, the lines are the parts of the commands. This is
    checked: each word must have the length that the line before it declares. Parsing stops at the
    first that has not.
    """
    parts = data.split(b"\r\n")
    commands = []
    at, end = 0, len(parts) - 1
    counts, sizes = _COUNTS, _SIZES
    try:
        while at < end:
            head = parts[at]
            if head == b"*2":  # commands like GET and SET, unrolled: half the time
                words = [parts[at + 2], parts[at + 4]]
                if sizes[parts[at + 1]] != len(words[0]) or sizes[parts[at + 3]] != len(words[1]):
                    break
                following = at + 5
            elif head == b"*3":
                words = [parts[at + 2], parts[at + 4], parts[at + 6]]
                if (
                    sizes[parts[at + 1]] != len(words[0])
                    or sizes[parts[at + 3]] != len(words[1])
                    or sizes[parts[at + 5]] != len(words[2])
                ):
                    break
                following = at + 7
            else:
                following = at + 1 + 2 * counts[head]
                words = parts[at + 2 : following : 2]
                declared = [sizes[size] for size in parts[at + 1 : following : 2]]
                if declared != [len(word) for word in words]:
                    break
            if following > end:
                break
            commands.append(words)
            at = following
    except (KeyError, IndexError):
        pass
    return commands, sum(map(len, parts[:at])) + 2 * at if at < end else len(data)


def _read_with_hiredis(data: bytes) -> list[list[bytes]] | None:
    """Parse all of `data` with hiredis; return None when the slow path has to parse it.

    hiredis parses replies, which have more types than commands: the types that it returns as bytes
    must not occur. It allocates from declared lengths, so they must be small. The join() finds all
    other types. An empty array is appended to the data: only when it is the last result, all
    commands were complete.
    """
    if data[1:5].isdigit() or _MANY(data) or any(sign in data for sign in _MISLEADING):
        return None
    reader = _READERS.pop() if _READERS else hiredis.Reader()
    commands = []
    try:
        reader.feed(data)
        reader.feed(_END)
        while words := reader.gets():
            if not b"".join(words):
                return None
            commands.append(words)
    except (hiredis.HiredisError, TypeError):
        return None
    if words != [] or reader.has_data():
        return None
    _READERS.append(reader)
    return commands


_END = b"*0\r\n"
_MANY = re.compile(rb"\*\d{4}").search
_MISLEADING = (b"\r\n+", b"\r\n=", b"\r\n(", b"\r\n~", b"\r\n>")


def split_inline(line: bytes) -> list[bytes]:
    """Return the words of an inline command; ProtocolError when quotes are unbalanced."""
    try:
        return quotes.split(line)
    except ValueError:
        raise ProtocolError("unbalanced quotes in request") from None
