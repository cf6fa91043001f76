r"""A command line as words: separated by whitespace, and quoted if a word contains some.

    SET greeting "two\x20words\n" 'it\'s'
    └─┘ └──────┘ └──────────────┘ └─────┘

    "..."   \n \r \t \b \a, \xHH for a byte; \ before any other character is that character
    '...'   no escapes, except \' for the quote

A quote may open in the middle of a word, but whitespace must follow the closing quote. A vertical
tab or form feed inside an unquoted word is part of it. Inline requests and ACL rules use this
syntax.
"""

from __future__ import annotations

import re

_BLANKS = re.compile(rb"[ \t\n\v\f\r]*+")
_WORD = re.compile(
    rb"""([^ \t\n\r\0"']*+)
    (?: "((?:[^"\\]|\\.)*+)" | '((?:\\'|[^'])*+)' )?
    (?![^ \t\n\v\f\r])""",
    re.DOTALL | re.VERBOSE,
)
_ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"a": b"\a"}


def split(line: bytes) -> list[bytes]:
    r"""The words of a line. Raises ValueError if the quotes are unbalanced.

    >>> split(b'SET "a\\x21 b" plain')
    [b'SET', b'a! b', b'plain']
    """
    words = []
    at = _behind_blanks(line, 0)
    while at < len(line):
        match = _WORD.match(line, at)
        if match is None:
            raise ValueError("unbalanced quotes")
        plain, double, single = match.groups(default=b"")
        words.append(plain + _ESCAPE.sub(_unescaped, double) + single.replace(rb"\'", b"'"))
        at = _behind_blanks(line, match.end())
    return words


def _behind_blanks(line: bytes, at: int) -> int:
    blanks = _BLANKS.match(line, at)
    return at if blanks is None else blanks.end()


def _unescaped(escape: re.Match[bytes]) -> bytes:
    digits, letter = escape.groups()
    return bytes.fromhex(digits.decode()) if digits else _LETTERS.get(letter, letter)
