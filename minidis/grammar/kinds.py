"""The vocabulary of arguments: what each argument name of a syntax line means.

A kind converts a word (bytes from the shell, a socket, a file) or a Python object (from the typed
API) to the value that the body uses, or raises Redis's error. `decrement`, `count` and `score` mean
the same in every line. A command that converts a word later, in its body, declares the kind RAW and
calls the same functions there.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from minidis import errors
from minidis.errors import DataError

#: Types accepted for a key, field, member, element or value.
Key: TypeAlias = bytes | str | int | float | bytearray | memoryview
Field: TypeAlias = Key
Value: TypeAlias = Key
Integer: TypeAlias = int | str | bytes
Float: TypeAlias = float | int | str | bytes
#: One or several of something: `db.delete("a", "b")` and `db.delete(["a", "b"])` are the same.
Many: TypeAlias = Key | Iterable[Key]

I64_MIN, I64_MAX = -(2**63), 2**63 - 1

#: Most elements that one call of SRANDMEMBER, HRANDFIELD or ZRANDMEMBER returns with repetitions.
#: Redis has no such limit: SRANDMEMBER s -5000000000000000000 exhausts its memory.
MOST_REPEATED = 2**24


def encode(value: Any) -> bytes:
    """Return the bytes that Redis would get for a Python object; DataError if there are none."""
    kind = value.__class__
    if kind is bytes:
        return value  # type: ignore[no-any-return]
    if kind is str:
        return _encode_text(value)
    if kind is int:
        return b"%d" % value
    if kind is float:
        return repr(value).encode()
    if isinstance(value, bool) or not isinstance(
        value, (bytes, str, int, float, bytearray, memoryview)
    ):
        raise DataError(
            f"{type(value).__name__} {value!r} has no form in Redis; "
            "give bytes, str, int or float (convert it first)"
        )
    if isinstance(value, (bytearray, memoryview, bytes)):
        return bytes(value)
    return encode(str(value) if isinstance(value, str) else value + 0)


def _encode_text(text: str) -> bytes:
    """Encode as UTF-8; escaped surrogates become the bytes they stand for."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise DataError(f"{text!r} cannot be written as UTF-8: {error.reason}") from None


def integer(value: Any) -> int:
    """Convert a signed 64-bit integer, written exactly as Redis writes it."""
    if value.__class__ is int:
        if I64_MIN <= value <= I64_MAX:
            return value
        raise errors.error(errors.NOT_INTEGER)
    word = encode(value)
    try:
        number = int(word)
    except ValueError:
        raise errors.error(errors.NOT_INTEGER) from None
    if b"%d" % number != word or not I64_MIN <= number <= I64_MAX:
        raise errors.error(errors.NOT_INTEGER)
    return number


def positive(value: Any) -> int:
    """Convert a count of elements: a non-negative integer, with its own error message."""
    try:
        number = integer(value)
    except errors.ResponseError:
        raise errors.error(errors.NOT_POSITIVE) from None
    if number < 0:
        raise errors.error(errors.NOT_POSITIVE)
    return number


def to_timeout(value: Any) -> int:
    """Convert a timeout in milliseconds: a non-negative integer, with its own error messages."""
    try:
        number = integer(value)
    except errors.ResponseError:
        raise errors.error(errors.TIMEOUT_NOT_INTEGER) from None
    if number < 0:
        raise errors.error(errors.TIMEOUT_NEGATIVE)
    return number


_HEXADECIMAL = re.compile(rb"[+-]?0[xX]", re.A)


def to_float(word: bytes) -> float | None:
    """Parse a number as C's strtod; None where Redis rejects it (NaN, out of range, blanks)."""
    if word.isdigit() and len(word) < 300:
        return float(word)
    if not word or b"_" in word or word != word.strip() or b"\0" in word:
        return None
    try:
        number = float.fromhex(word.decode()) if _HEXADECIMAL.match(word) else float(word)
    except (ValueError, OverflowError):
        return None
    if number != number:
        return None
    if math.isinf(number) and b"i" not in word.lower():
        return None
    if number == 0 and re.search(rb"[1-9]", re.split(rb"[eEpP]", word)[0]):
        return None  # underflow: ERANGE in C
    return number


#: Integers up to here are floats without rounding.
_EXACT = 2**53


def float_or(message: str) -> Callable[[Any], float]:
    """Return a converter to float whose error message is `message`."""

    def convert(value: Any) -> float:
        if value.__class__ is float and value == value:
            return value
        if value.__class__ is int and -_EXACT <= value <= _EXACT:
            return float(value)
        number = to_float(encode(value))
        if number is None:
            raise errors.error(message)
        return number

    return convert


number = float_or(errors.NOT_FLOAT)


#: What C's strtoull accepts.
_UNSIGNED = re.compile(rb"[ \t-\r]*([+-]?)0*([0-9]{1,20})", re.A)


def cursor(value: Any) -> int:
    """Convert a SCAN cursor, an unsigned 64-bit decimal. As in Redis, a zero byte ends it."""
    word = encode(value).partition(b"\0")[0]
    match = _UNSIGNED.fullmatch(word)
    number = int(match[2]) if match else 2**64
    # A negative number as it is usually written is an error; other spellings wrap around.
    if number >= 2**64 or (0 < number <= 2**63 and word == b"-%d" % number):
        raise errors.error(errors.INVALID_CURSOR)
    return -number % 2**64 if match and match[1] == b"-" else number


def ranged(value: Any) -> int:
    """Convert a count that may be negative: an integer whose negation fits into 64 bits."""
    number = integer(value)
    if number < -I64_MAX:
        raise errors.error(errors.COUNT_OUT_OF_RANGE)
    return number


def units(value: Any, unit: int) -> Any:
    """Convert a timedelta or datetime to seconds (unit 1000) or milliseconds (unit 1)."""
    if isinstance(value, (int, str, bytes)):
        return value
    from datetime import datetime, timedelta  # who passes one has imported it: others save 2 ms

    if isinstance(value, timedelta):
        return value // timedelta(milliseconds=unit)
    if isinstance(value, datetime):
        return int(value.timestamp() * 1000) // unit
    return value


def raw(value: Any) -> Any:
    """Return the value unchanged; the body converts it."""
    return value


class Kind(NamedTuple):
    """How an argument is converted, described and completed."""

    convert: Callable[[Any], Any]
    #: what the shell completes: key, field, member, pattern, ... or "" for nothing
    offers: str = ""
    #: a hint of one line
    about: str = ""
    #: the class of a converted argument, if a class test shows that it is converted
    exact: type | None = None


def at_least(least: int, message: str, about: str = "how many") -> Kind:
    """Return the kind of an integer from `least` upward; `message` is its error message."""

    def convert(value: Any) -> int:
        try:
            number = integer(value)
        except errors.ResponseError:
            raise errors.error(message) from None
        if number < least:
            raise errors.error(message)
        return number

    return Kind(convert, "", about)


def _text(offers: str = "", about: str = "") -> Kind:
    return Kind(encode, offers, about, bytes)


def _integer(about: str) -> Kind:
    return Kind(integer, "", about)


KEY = _text("key", "name of a key")
TEXT = _text()
RAW = Kind(raw)
INTEGER = _integer("an integer")
RANGED = Kind(ranged, "", "how many; negative: repetitions allowed")
TIMEOUT = Kind(to_timeout, "", "milliseconds to wait; 0: for ever")
SCORE = Kind(number, "", "a number, inf or -inf", float)

KINDS: dict[str, Kind] = {
    **dict.fromkeys(("key", "newkey", "source", "destination", "src", "dst", "key1", "key2"), KEY),
    "field": _text("field", "a field of the hash"),
    "member": _text("member", "a member of the set or sorted set"),
    "element": _text("member", "an element of the list"),
    "value": _text("", "any bytes"),
    "message": _text("", "any bytes"),
    "pivot": _text("member", "an element of the list"),
    "pattern": _text("pattern", "a glob pattern: * ? [abc] [^a] \\*"),
    "parameter": _text("parameter", "a configuration parameter, or a glob pattern"),
    "command-name": _text("command", "the name of a command"),
    "command": _text("command", "the name of a command"),
    "category": _text("category", "an ACL category"),
    "module-name": _text(),
    "arg": _text("", "a word"),
    "type": _text("type", "string, list, set, zset, hash"),
    "serialized-value": _text("", "bytes that DUMP returned"),
    "cursor": Kind(cursor, "cursor", "0 to start, then the cursor of the last reply"),
    "start": _integer("first position; negative counts from the end"),
    "stop": _integer("last position, included; negative counts from the end"),
    "end": _integer("last position, included; negative counts from the end"),
    "offset": _integer("how many to leave out, or a byte position"),
    "count": _integer("how many"),
    "index": RAW,
    "db": RAW,
    "increment": _integer("an integer to add"),
    "decrement": _integer("an integer to subtract"),
    "seconds": _integer("seconds"),
    "milliseconds": _integer("milliseconds"),
    "unix-time-seconds": _integer("seconds since 1970"),
    "unix-time-milliseconds": _integer("milliseconds since 1970"),
    "score": SCORE,
    "weight": Kind(
        float_or(errors.WEIGHT_NOT_FLOAT), "", "a number to multiply scores with", float
    ),
    "min": Kind(encode, "bound", "lower bound: 1, (1, -inf; [a, (a, - for text", bytes),
    "max": Kind(encode, "bound", "upper bound: 9, (9, +inf; [z, (z, + for text", bytes),
    "numkeys": _integer("how many keys follow"),
    "numids": _integer("how many ids follow"),
    "ttl": _integer("milliseconds to live; 0 for no expiry"),
}


def kind_of(name: str) -> Kind:
    """Return the kind of an argument; names without an entry are any bytes."""
    return KINDS.get(name, TEXT)


def holds_key(name: str) -> bool:
    """Return whether an argument of this name is a key. A pattern is not."""
    return kind_of(name).offers == "key"


def many(values: Iterable[Any]) -> list[Any]:
    """Flatten `("a", ["b", "c"])` to `["a", "b", "c"]`: one level of lists, sets and the like."""
    flat: list[Any] = []
    for value in values:
        if isinstance(value, (bytes, str, int, float, bytearray, memoryview)):
            flat.append(value)
        elif isinstance(value, Iterable):
            flat.extend(value)
        else:
            flat.append(value)  # encode() names the type
    return flat


def encode_all(values: Iterable[Any]) -> list[bytes]:
    """Encode each of the values; lists among them are flattened."""
    return [encode(value) for value in many(values)]


def pairs(value: Any) -> list[tuple[Any, Any]]:
    """Return the pairs of a mapping, or of an iterable of pairs."""
    if value.__class__ is dict or isinstance(value, Mapping):
        return list(value.items())
    return [(first, second) for first, second in value]
