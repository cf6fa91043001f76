"""Commands on parts of a string: APPEND, SETRANGE, GETRANGE, LCS."""

from __future__ import annotations

from typing import Any

from minidis import errors
from minidis.commands.shared.group import Group, T
from minidis.grammar.command import declarations
from minidis.grammar.kinds import INTEGER, Integer, Key, Value, encode, integer
from minidis.keyspace.keyspace import text_of
from minidis.structures.lcs import lcs, table_size

command = declarations(group="string")


class StringRanges(Group[T]):
    """Commands on parts of strings: APPEND, SETRANGE, GETRANGE, LCS."""

    @command(
        "APPEND key value",
        "write denyoom fast",
        since="2.0.0",
        complexity="O(1) amortized",
        access="RW INSERT",
        single_step=True,
    )
    def append(self, key: Key, value: Value) -> int:
        """Append `value` to the string stored at `key` and return the new length in bytes.

        Creates the key if it does not exist. Raises WrongTypeError if it holds another type, and
        ResponseError if the string would be longer than proto-max-bulk-len (default 512 MB).

        >>> db.append("log", "one,"), db.append("log", "two"), db.get("log")
        (4, 7, b'one,two')
        """
        space, addition = self.space, encode(value)
        old = space.string_to_change(key)
        self._check_size(len(text_of(old) or b"") if old.__class__ is not bytearray else len(old),
                         len(addition))  # fmt: skip
        space.changed(key, "append")
        if old is None:
            space.put(key, addition)
            return len(addition)
        grown = self._changeable(key, old)
        grown += addition
        return len(grown)

    def _changeable(self, key: Any, old: Any) -> bytearray:
        """Return the stored string as a bytearray that can be modified in place."""
        if old.__class__ is bytearray:
            found: bytearray = old
            return found
        copy = bytearray(text_of(old) or b"")
        self.space.replace(key, copy)
        return copy

    def _check_size(self, length: int, addition: int) -> None:
        """Raise ResponseError if a string would be longer than proto-max-bulk-len."""
        if length + addition > self.engine.settings.max_string:
            raise errors.error(errors.STRING_TOO_LONG)

    @command(
        "SETRANGE key offset value",
        "write denyoom",
        since="2.2.0",
        complexity="O(1) in place, O(n) for n bytes when the string has to grow",
        access="RW UPDATE",
    )
    def setrange(self, key: Key, offset: Integer, value: Value) -> int:
        """Overwrite the string stored at `key` from byte `offset` on, and return its new length.

        A gap before `offset` is filled with zero bytes; a missing key counts as an empty string; an
        empty `value` changes nothing. Raises ResponseError if `offset` is negative or the string
        would be longer than proto-max-bulk-len, and WrongTypeError if the key holds another type.

        >>> db.set("greet", "Hello World"), db.setrange("greet", 6, "Redis"), db.get("greet")
        (OK, 11, b'Hello Redis')
        """
        start, patch = integer(offset), encode(value)
        if start < 0:
            raise errors.error(errors.OFFSET_OUT_OF_RANGE)
        old = self.space.string_to_change(key)
        length = len(old) if old.__class__ is bytearray else len(text_of(old) or b"")
        if not patch:
            return length
        self._check_size(start, len(patch))
        self.space.changed(key, "setrange")
        if old is None:
            made = bytearray(start + len(patch))
            made[start:] = patch
            self.space.put(key, made)
            return len(made)
        changed = self._changeable(key, old)
        # One slice assignment: from the end of the old string if that comes first.
        at = min(start, length)
        changed[at : start + len(patch)] = patch.rjust(start - at + len(patch), b"\0")
        return len(changed)

    @command(
        "GETRANGE key start end",
        "readonly",
        since="2.4.0",
        complexity="O(n) for n bytes returned",
        access="RO ACCESS",
    )
    def getrange(self, key: Key, start: Integer, end: Integer) -> T:
        """Return the bytes of the string at `key` from index `start` to `end`, both included.

        Negative indexes count from the end: -1 is the last byte. Returns an empty string if the key
        does not exist or the range is empty. Raises WrongTypeError if the key holds another type.

        >>> db.set("word", "Hello"), db.getrange("word", 1, 3), db.getrange("word", -2, -1)
        (OK, b'ell', b'lo')
        """
        text: Any = self.space.view(key)
        first, last = integer(start), integer(end)
        if first < 0 and last < 0 and first > last:
            return b""  # type: ignore[return-value]
        # An index before the first byte counts as 0, for `end` too: GETRANGE k 0 -100 is one byte.
        first = max(first + len(text), 0) if first < 0 else first
        last = max(last + len(text), 0) if last < 0 else last
        reply: Any = bytes(text[first : last + 1])
        return reply

    @command(
        "SUBSTR key start end",
        "readonly",
        since="1.0.0",
        complexity="O(n) for n bytes returned",
        access="RO ACCESS",
    )
    def substr(self, key: Key, start: Integer, end: Integer = -1) -> T:
        """Return a part of the string stored at `key`: GETRANGE under its former name.

        >>> db.set("word", "Hello"), db.substr("word", 0, 1)
        (OK, b'He')
        """
        return StringRanges.getrange(self, key, start, end)

    @command(
        "LCS key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]",
        "readonly",
        since="7.0.0",
        complexity="O(n*m) for strings of n and m bytes",
        access="RO ACCESS",
        kinds={"min-match-len": INTEGER},
        deferred_errors=True,
    )
    def lcs(
        self,
        key1: Key,
        key2: Key,
        len: bool = False,
        idx: bool = False,
        minmatchlen: Integer | None = None,
        withmatchlen: bool = False,
        _option_error: errors.ResponseError | None = None,
    ) -> Any:
        """Return the longest common subsequence of the strings stored at `key1` and `key2`.

        len: return only its length. idx: return a dict with the length and the matching ranges of
        both strings. minmatchlen: only ranges of at least this many bytes. withmatchlen: with their
        lengths. A missing key counts as an empty string. Raises ResponseError if a key holds
        another type, if `len` and `idx` are combined, or if the strings are too long.

        >>> db.mset({"one": "ohmytext", "two": "mynewtext"}), db.lcs("one", "two")
        (OK, b'mytext')
        """
        values = [self.space.lookup(encode(key)) for key in (key1, key2)]
        try:
            one, two = (text_of(value) or b"" for value in values)
        except errors.WrongTypeError:
            raise errors.error("The specified keys must contain string values") from None
        if _option_error is not None:
            raise _option_error
        least: Any = minmatchlen or 0
        if len and idx:
            raise errors.error("If you want both the length and indexes, please just use IDX.")
        if table_size(one, two) > self.engine.settings.max_string:
            raise errors.error(
                "Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"
            )
        length, common, matches = lcs(one, two)
        if len:
            return length
        if not idx:
            return common
        return {
            b"matches": [
                [[start1, end1], [start2, end2]] + ([size] if withmatchlen else [])
                for start1, end1, start2, end2, size in matches
                if size >= least
            ],
            b"len": length,
        }
