"""Glob patterns of Redis, translated to equality, bytes.find or a regular expression.

    *      any number of bytes            [abc]    one of these; [a-c] a range, [^a] none of these
    ?      one byte                       \\x      the byte x itself

As in Redis, a class that is not closed ends with the pattern, "[]" matches nothing, a range may
be reversed and may end with "]", and a backslash at the end is a backslash.

Apart from stars each token matches exactly one byte. So a pattern is a sequence of segments of
fixed length with gaps between them, and it is enough to find each segment at the first position
where it matches: no earlier position can help later. So matching never backtracks into a gap.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

Matcher = Callable[[bytes], bool]
#: The byte values that one token accepts.
Token = frozenset[int]

ANY: Token = frozenset(range(256))
_SINGLE: list[Token] = [frozenset((byte,)) for byte in range(256)]
_FOLDED: list[Token] = [frozenset(bytes((byte,)).lower() + bytes((byte,)).upper()) for byte in ANY]
_LOWER = bytes(range(256)).lower()

_STAR, _QUESTION, _OPEN, _CLOSE, _BACKSLASH, _CARET, _DASH = b"*?[]\\^-"
#: Longer patterns are not cached, which bounds the memory of the cache.
_LONGEST_CACHED = 1024


def compile_pattern(pattern: bytes, nocase: bool = False) -> Matcher:
    """A function that returns whether a string matches the whole pattern.

    >>> [compile_pattern(b"h[a-e]ll*")(text) for text in (b"hello", b"hall", b"hill")]
    [True, True, False]
    """
    compiler = _compile_cached if len(pattern) <= _LONGEST_CACHED else _compile
    return compiler(pattern, nocase)


def _compile(pattern: bytes, nocase: bool) -> Matcher:
    if not pattern.strip(b"*"):
        return _only_stars(pattern)
    segments = _segments(pattern, nocase)
    if all(len(token) == 1 for segment in segments for token in segment):
        return _literals([bytes(byte for (byte,) in segment) for segment in segments])
    return _regular(segments)


_compile_cached = lru_cache(maxsize=512)(_compile)


def _only_stars(pattern: bytes) -> Matcher:
    """In KEYS and SCAN "*" matches the empty string, but "**" does not (as in Redis)."""
    if pattern == b"":
        return b"".__eq__
    return bool if len(pattern) > 1 else _everything


def _everything(_: bytes) -> bool:
    return True


def _segments(pattern: bytes, nocase: bool) -> list[list[Token]]:
    """The tokens between the stars."""
    segments: list[list[Token]] = [[]]
    for token in _tokens(pattern, nocase):
        if token is None:
            segments.append([])
        else:
            segments[-1].append(token)
    # Several stars in a row are one star.
    return [segments[0], *filter(None, segments[1:-1]), *segments[1:][-1:]]


def _tokens(pattern: bytes, nocase: bool) -> Iterator[Token | None]:
    """The tokens of a pattern; None for a star."""
    literal = _FOLDED if nocase else _SINGLE
    at = 0
    while at < len(pattern):
        byte = pattern[at]
        at += 1
        if byte == _STAR:
            yield None
        elif byte == _QUESTION:
            yield ANY
        elif byte == _OPEN:
            token, at = _class(pattern, at, nocase)
            yield token
        else:
            if byte == _BACKSLASH and at < len(pattern):
                byte = pattern[at]
                at += 1
            yield literal[byte]


def _class(pattern: bytes, at: int, nocase: bool) -> tuple[Token, int]:
    """The bytes that the class at `at` accepts, and the position behind it."""
    inverted = pattern[at : at + 1] == b"^"
    at += inverted
    accepted: set[int] = set()
    while at < len(pattern) and pattern[at] != _CLOSE:
        left = len(pattern) - at
        if pattern[at] == _BACKSLASH and left >= 2:
            # An escaped byte is case-sensitive even with nocase.
            accepted.add(pattern[at + 1])
            at += 2
        elif left >= 3 and pattern[at + 1] == _DASH:
            accepted |= _range(pattern[at], pattern[at + 2], nocase)
            at += 3
        else:
            accepted |= _FOLDED[pattern[at]] if nocase else _SINGLE[pattern[at]]
            at += 1
    return (ANY - accepted if inverted else frozenset(accepted)), at + 1


def _range(first: int, last: int, nocase: bool) -> Token:
    low, high = sorted((first, last))
    if not nocase:
        return frozenset(range(low, high + 1))
    # Redis orders the ends first and folds their case afterwards, so [Z-a] is empty.
    return frozenset(byte for byte in ANY if _LOWER[low] <= _LOWER[byte] <= _LOWER[high])


def _literals(segments: list[bytes]) -> Matcher:
    """A matcher for literal strings with gaps between them."""
    first, *middle = segments
    if not middle:
        return first.__eq__
    last = middle.pop()
    if middle:
        return _spread(first, middle, last)
    if not last:
        return lambda text: text.startswith(first)
    if not first:
        return lambda text: text.endswith(last)
    return _spread(first, middle, last)


def _spread(first: bytes, middle: list[bytes], last: bytes) -> Matcher:
    def matches(text: bytes) -> bool:
        at = len(first)
        end = len(text) - len(last)
        if at > end or not (text.startswith(first) and text.endswith(last)):
            return False
        for part in middle:
            at = text.find(part, at, end)
            if at < 0:
                return False
            at += len(part)
        return True

    return matches


def _regular(segments: list[list[Token]]) -> Matcher:
    """A matcher for segments with classes, with atomic groups against backtracking.

    The last segment must match at the end: consume all the rest, at least as long as the segment,
    and look behind.
    """
    first, *middle = segments
    parts = [_expression(first)]
    if middle:
        last = middle.pop()
        parts += [b"(?>.*?%s)" % _expression(segment) for segment in middle]
        parts.append(b".{%d,}+(?<=%s)" % (len(last), _expression(last)))
    fullmatch = re.compile(b"".join(parts), re.DOTALL).fullmatch
    return lambda text: fullmatch(text) is not None


def _expression(segment: list[Token]) -> bytes:
    return b"".join(map(_one, segment))


@lru_cache(maxsize=512)
def _one(token: Token) -> bytes:
    """The regular expression for one token."""
    if token == ANY:
        return b"."
    if not token:
        return b"(?!)"
    return b"[%s]" % b"".join(b"\\x%02x" % byte for byte in sorted(token))
