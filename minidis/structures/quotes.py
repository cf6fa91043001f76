r"""A command line as words: blanks in between, and quotes where a word holds some.

    SET greeting "two\x20words\n" 'it\'s'
    └─┘ └──────┘ └──────────────┘ └─────┘

    "..."   \n \r \t \b \a, \xHH for a byte, \ before anything else for that itself
    '...'   everything as it is; only \' for the quote

Quotes may open in the middle of a word, too; what follows the closing one is a blank. A vertical
tab or form feed amid a plain word belongs to it. Inline requests and ACL rules are such lines.
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
    r"""The words of a line; ValueError when quotes are not in balance.

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
