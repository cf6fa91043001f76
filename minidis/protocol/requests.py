"""The server's ear: bytes in any portions -> commands, each a list of words. No socket anywhere.

A command is an array of bulk strings, `*2 $3 GET $1 k` with CRLF after each part, or an inline line
for people with telnet. What is wrong with it is said in the sentences of Redis.
"""

from __future__ import annotations

import re
from typing import Any

from minidis.protocol.replies import LARGE, NUMBER, ProtocolError
from minidis.structures import quotes

try:
    import hiredis
except ImportError:  # an extra: it reads faster what Requests can read by itself
    hiredis = None  # type: ignore[assignment]

#: A line may be this long (bytes) while its end has not come.
LONGEST_LINE = 64 * 1024
#: Most words of a command, and of one from a client that has not authenticated yet.
MOST_WORDS = 2**31 - 1
MOST_WORDS_OF_STRANGERS = 10
#: Longest word (bytes) of a client that has not authenticated yet.
LONGEST_WORD_OF_STRANGERS = 16 * 1024
#: So much (bytes) is read at once, and so many commands the careful way.
WINDOW = 256 * 1024
MOST_AT_ONCE = 256
#: From this size (bytes) on hiredis is no slower than _split with commands of two or three words,
#: and twice as fast with longer ones. Below, its guards cost more than it gains.
HIREDIS_PAYS = 1024


class _Sizes(dict[bytes, int]):
    """b"$3" -> 3. The usual ones are there; others are read, and KeyError if they are strange."""

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

#: hiredis readers that nobody uses at the moment; several threads may ask for one.
_READERS: list[Any] = []


class Requests:
    """Reads commands. `feed` it with whatever has arrived, then `take` what is complete.

    What nearly all clients send is read the quick way (_split, or hiredis): whole commands whose
    words hold no line break. All else (half commands, inline commands, large words, mistakes) goes
    to the careful way, which remembers how far it has come, looks at no byte twice and believes no
    length: room is made for what has arrived, not for what is announced.

    `stranger`: the client has not authenticated yet; commands come one at a time, since the next
    one may be read under other rules, and must be small. `longest_word` in bytes.
    """

    __slots__ = (
        "_at", "_buffer", "_due", "_error", "_held", "_large", "_missing", "_size", "_words",
        "longest_word", "stranger",
    )  # fmt: skip

    def __init__(self, longest_word: int = 512 * 1024 * 1024, *, stranger: bool = False) -> None:
        self.longest_word = longest_word
        self.stranger = stranger
        #: what has not been read begins at `_at`
        self._buffer = b""
        self._at = 0
        #: of the command that is being read: its words so far, how many are missing, and the size
        #: of the next one (-1: its line has not come)
        self._words: list[bytes] | None = None
        self._missing = 0
        self._size = -1
        #: parts of a large word, how many bytes of it are due, and how many bytes are held here
        self._large: list[bytes] = []
        self._due = 0
        self._held = 0
        self._error: ProtocolError | None = None

    @property
    def is_empty(self) -> bool:
        """Has all that has arrived been taken?"""
        return not self._buffer

    @property
    def pending(self) -> int:
        """Bytes that have arrived and belong to no complete command yet."""
        return len(self._buffer) - self._at + self._held

    def feed(self, data: bytes) -> None:
        """Take what has arrived."""
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
        """Some of the commands that are complete, in their order; [] when there is none left.

        ProtocolError, once everything before the mistake has been taken.
        """
        if self._error is not None:
            raise self._error
        buffer = self._buffer
        if self._at == len(buffer):
            self._buffer, self._at = b"", 0  # an idle client holds nothing
            return []
        if self._words is None and buffer[self._at] == 42 and not self.stranger:
            commands = self._take_quickly()
            if commands:
                if self._at == len(buffer):
                    self._buffer, self._at = b"", 0
                return commands
        return self._take_carefully()

    # the quick way

    def _take_quickly(self) -> list[list[bytes]]:
        """Commands that are as most are."""
        data = self._buffer
        if self._at or len(data) > WINDOW:
            data = data[self._at : self._at + WINDOW]
        if not data.endswith(b"\r\n"):
            end = data.rfind(b"\r\n*")
            if end < 0:
                return []
            data = data[: end + 2]
        if hiredis is not None and HIREDIS_PAYS < len(data) <= self.longest_word:
            commands = _read_with_hiredis(data)
            if commands is not None:
                self._at += len(data)
                return commands
        commands, size = _split(data)
        self._at += size
        return commands

    def _take_carefully(self) -> list[list[bytes]]:
        """One command, or as many as do not look usual, of whatever kind."""
        commands: list[list[bytes]] = []
        try:
            while (words := self._next()) is not None:
                if words:
                    commands.append(words)
                    if self.stranger or len(commands) >= MOST_AT_ONCE:
                        break
        except ProtocolError as error:
            self._error = error
            if not commands:
                raise
        return commands

    # the careful way

    def _next(self) -> list[bytes] | None:
        """The next command; [] for one without words, None when there is none yet."""
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
        """The rest of a line behind its first byte; None when its end has not come."""
        buffer, at = self._buffer, self._at
        end = buffer.find(b"\r", at)
        if end < 0 or buffer.find(b"\0", at, end) >= 0:  # a NUL ends what Redis can see
            if len(buffer) - at > LONGEST_LINE:
                raise ProtocolError(f"too big {what} count string")
            return None
        if end + 2 > len(buffer):
            return None
        self._at = end + 2  # Redis does not look at what follows the CR either
        return buffer[at + 1 : end]

    def _count(self, line: bytes) -> int:
        count = int(line) if NUMBER.fullmatch(line) else MOST_WORDS + 1
        if not -(2**63) <= count <= MOST_WORDS:
            raise ProtocolError("invalid multibulk length")
        if self.stranger and count > MOST_WORDS_OF_STRANGERS:
            raise ProtocolError("unauthenticated multibulk length")
        return count

    def _word(self) -> bool:
        """Read one more word; False when it has not come yet."""
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
        """Length of the next word, from its line; -1 when that has not come."""
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
        if self.stranger and size > LONGEST_WORD_OF_STRANGERS:
            raise ProtocolError("unauthenticated bulk length")
        return size

    def _begin_large(self, begun: bytes) -> bool:
        """A large word has begun: its parts are kept apart until all have come."""
        self._large = [begun]
        self._due = self._size - len(begun)
        self._held += len(begun)
        self._buffer, self._at = b"", 0
        return False

    def _inline(self) -> list[bytes] | None:
        """A line as people type it."""
        buffer, at = self._buffer, self._at
        end = buffer.find(b"\n", at)
        if end < 0 or buffer.find(b"\0", at, end) >= 0:
            if len(buffer) - at > LONGEST_LINE:
                raise ProtocolError("too big inline request")
            return None
        self._at = end + 1
        return split_inline(buffer[at:end].removesuffix(b"\r"))


def _split(data: bytes) -> tuple[list[list[bytes]], int]:
    """Commands at the beginning of `data`, and how many bytes they are.

    Lines are the parts of commands as long as no word holds a line break, and that is known: each
    line must be as long as the one before it says. Stops at the first that is not.
    """
    parts = data.split(b"\r\n")
    commands = []
    at, end = 0, len(parts) - 1
    counts, sizes = _COUNTS, _SIZES
    try:
        while at < end:
            head = parts[at]
            if head == b"*2":  # GET and SET written out: half the time
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
                announced = [sizes[size] for size in parts[at + 1 : following : 2]]
                if announced != [len(word) for word in words]:
                    break
            if following > end:
                break
            commands.append(words)
            at = following
    except (KeyError, IndexError):
        pass
    return commands, sum(map(len, parts[:at])) + 2 * at if at < end else len(data)


def _read_with_hiredis(data: bytes) -> list[list[bytes]] | None:
    """The same by hiredis: all of `data`, or None when something about it is not usual.

    It reads replies, and those may be more than commands are: some kinds of them would pass for
    words, so none may be there; and it makes room for what is announced, so that must be little.
    Nothing else that is not a word can be joined. An empty array is put behind the data: only when
    that comes out as it is, and last, all was complete.
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
    """The words of an inline command; ProtocolError when quotes are not in balance."""
    try:
        return quotes.split(line)
    except ValueError:
        raise ProtocolError("unbalanced quotes in request") from None
