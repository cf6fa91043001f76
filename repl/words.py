r"""Splits lines into words as redis-cli does, and quotes words.

    SET greeting "hello \xe4\xb8\x96 \"you\"\n" EX 10
    └─┘ └──────┘ └─────────────────────────────┘ └┘ └┘

    "..."    escapes: \n \r \t \b \a, \xHH for a byte; \ before any other character is dropped
    '...'    literal text; the only escape is \' for the quote
    newline  outside of quotes, ends the command; words are separated by ASCII white space
    #        at the beginning of a command, makes the rest of the line a comment

Nothing here raises: a malformed word has a `problem`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from unicodedata import category, east_asian_width

_SIMPLE = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "a": "\a"}
_ESCAPES = {
    "\n": r"\n",
    "\r": r"\r",
    "\t": r"\t",
    "\b": r"\b",
    "\a": r"\a",
    '"': r"\"",
    "\\": r"\\",
}
_BLANKS = " \t\n\r\v\f"
_PLAIN = re.compile(rf"[^{_BLANKS}\"']+")
#: Quote -> the literal characters inside it, and the text up to its end.
_INSIDE = {'"': re.compile(r'[^"\\]+'), "'": re.compile(r"[^'\\]+")}
_ENDING = {
    '"': re.compile(r'(?:[^"\\]++|\\.)*+"', re.DOTALL),
    "'": re.compile(r"(?:[^'\\]++|\\'|\\)*+'"),
}
_HEX = frozenset("0123456789abcdefABCDEF")
#: An incomplete escape at the end of the text, which is still being typed: it adds nothing.
_UNFINISHED = re.compile(r"\\(x[0-9a-fA-F]?)?\Z")

UNCLOSED_QUOTE = "a quote is not closed"
TEXT_AFTER_QUOTE = "a closing quote must be followed by a space"


@dataclass(frozen=True, slots=True)
class TypedWord:
    """One word: its value, and its position in the text."""

    value: bytes
    start: int
    end: int
    problem: str = ""

    @property
    def text(self) -> str:
        """The value as text; bytes that are not UTF-8 become surrogates."""
        return self.value.decode("utf-8", "surrogateescape")


def split(text: str) -> list[list[TypedWord]]:
    """Split a text into commands and words; empty lines and comments are left out.

    >>> [[word.text for word in command] for command in split("SET a 'b c'\\nGET a")]
    [['SET', 'a', 'b c'], ['GET', 'a']]
    """
    commands: list[list[TypedWord]] = [[]]
    at = 0
    while at < len(text):
        letter = text[at]
        if letter == "\n":
            commands.append([])
            at += 1
        elif letter in _BLANKS or letter == "\0":
            at += 1
        elif letter == "#" and not commands[-1]:
            at = _line_end(text, at)
        else:
            commands[-1].append(_read(text, at))
            at = commands[-1][-1].end
    return [command for command in commands if command]


def has_open_quote(text: str) -> bool:
    """Return whether the text ends inside quotes, so that the command continues."""
    commands = split(text)
    return bool(commands) and commands[-1][-1].problem == UNCLOSED_QUOTE


def open_quote(line: str, quote_mark: str = "") -> str:
    """The quote that is open at the end of the line; `quote_mark` is the one open at its start.

    Like has_open_quote, but for text read line by line, without parsing earlier lines again.
    """
    if quote_mark:
        ending = _ENDING[quote_mark].match(line)
        if ending is None:
            return quote_mark
        line = quote_mark + quote_mark + line[ending.end() :]
    commands = split(line)
    if not commands or commands[-1][-1].problem != UNCLOSED_QUOTE:
        return ""
    return next(letter for letter in line[commands[-1][-1].start :] if letter in _INSIDE)


def at_cursor(before: str) -> tuple[list[TypedWord], TypedWord]:
    """The complete words of the command at the cursor, and the word being typed."""
    commands = split(before)
    nothing = TypedWord(b"", len(before), len(before))
    if not commands or "\n" in before[commands[-1][-1].end :]:
        return [], nothing
    *finished, last = commands[-1]
    if last.end == len(before):
        return finished, last
    return [*finished, last], nothing


def quote(value: bytes) -> str:
    r"""A word that split() parses as `value`, quoted only if necessary.

    >>> print(quote(b"plain"), quote(b"two words"), quote(b"\xff"), quote("张三".encode()))
    plain "two words" "\xff" 张三
    """
    text = value.decode("utf-8", "surrogateescape")
    plain = _is_printable(text) and _PLAIN.fullmatch(text) and "\\" not in text
    return text if plain and not text.startswith("#") else double_quoted(value)


def double_quoted(value: bytes) -> str:
    """The value in double quotes: UTF-8 text as text, everything else escaped."""
    text = value.decode("utf-8", "surrogateescape")
    if _is_printable(text) and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + "".join(map(_escaped, text)) + '"'


def display_width(text: str) -> int:
    """The width of the text in terminal columns; a Chinese character takes two.

    >>> display_width("abc"), display_width("张三")
    (3, 4)
    """
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def _columns(letter: str) -> int:
    if category(letter) in ("Mn", "Me"):
        return 0  # combines with the preceding letter
    return 2 if east_asian_width(letter) in "WF" else 1


def printable(text: str) -> str:
    r"""Escape the control characters in a text.

    >>> print(printable("unknown command '\x1b[2J\udcff'"))
    unknown command '\x1b[2J\xff'
    """
    return text if _is_printable(text) else "".join(map(_visible, text))


def truncate(text: str, width: int) -> str:
    """Cut the text to at most `width` columns, ending in … if it was longer."""
    if len(text) <= 4 * width and display_width(text) <= width:
        return text
    text = text[:width]
    while display_width(text) >= width:
        text = text[:-1]
    return text + "…"


def _visible(letter: str) -> str:
    return letter if _is_printable(letter) else _escaped(letter)


def _is_printable(text: str) -> bool:
    """Return whether all characters are printable; U+3000, the space of Chinese text, is."""
    return text.isprintable() or text.replace("\u3000", "").isprintable()


def _escaped(letter: str) -> str:
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    if _is_printable(letter):
        return letter
    return "".join(f"\\x{byte:02x}" for byte in letter.encode("utf-8", "surrogateescape"))


def _line_end(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found


def _read(text: str, start: int) -> TypedWord:
    """Read the word at `start`; a quote may also begin inside it."""
    value = bytearray()
    at = start
    if plain := _PLAIN.match(text, at):
        value += plain[0].encode("utf-8", "surrogateescape")
        at = plain.end()
    if at < len(text) and text[at] in _INSIDE:
        at, closed = _read_quoted(text, at, value)
        if not closed:
            return TypedWord(bytes(value), start, at, UNCLOSED_QUOTE)
        if at < len(text) and text[at] not in _BLANKS:
            return TypedWord(bytes(value), start, _word_end(text, at), TEXT_AFTER_QUOTE)
    return TypedWord(bytes(value), start, at)


def _read_quoted(text: str, at: int, value: bytearray) -> tuple[int, bool]:
    """Read from the opening quote. Returns the end, and whether the quote was closed."""
    quote_mark = text[at]
    at += 1
    while at < len(text):
        letter = text[at]
        if letter == quote_mark:
            return at + 1, True
        if letter == "\\" and quote_mark == '"' and _UNFINISHED.match(text, at):
            return len(text), False
        if letter == "\\" and at + 1 < len(text):
            at = _escape(text, at, quote_mark, value)
        else:
            inside = _INSIDE[quote_mark].match(text, at)
            value += (inside[0] if inside else letter).encode("utf-8", "surrogateescape")
            at = inside.end() if inside else at + 1
    return at, False


def _escape(text: str, at: int, quote_mark: str, value: bytearray) -> int:
    """Read a backslash and the character after it."""
    letter = text[at + 1]
    if quote_mark == "'":
        value += b"'" if letter == "'" else b"\\"
        return at + 2 if letter == "'" else at + 1
    digits = text[at + 2 : at + 4]
    if letter == "x" and len(digits) == 2 and _HEX.issuperset(digits):
        value.append(int(digits, 16))
        return at + 4
    value += _SIMPLE.get(letter, letter).encode("utf-8", "surrogateescape")
    return at + 2


def _word_end(text: str, at: int) -> int:
    while at < len(text) and text[at] not in _BLANKS:
        at += 1
    return at
