r"""Formats replies: as text, as JSON, or raw.

    (integer) 3        1) "ann"    3          1) "name" => "张三"
    (nil)              2) "bobby"  12.5       2) "city" => "Köln"
    "text \x00"        scores in a column     fields and values

UTF-8 strings are shown as text in any script. Other bytes and control characters are escaped, so
that a printed string can be typed in again.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from minidis.replies import Cursor, Decimal, Status, Verbatim
from repl.words import display_width, double_quoted, printable

#: Characters that JSON does not escape although terminals treat them as control characters.
_CONTROL_CHARACTERS = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
#: Wider names do not move the column of values to the right.
_MAX_NAME_WIDTH = 32
#: The width of the column is taken from this many names.
_MEASURED_NAMES = 1000


def reply_lines(reply: Any, *, paired: bool = False) -> Iterator[str]:
    """The reply as lines of text. `paired`: it is from HSCAN, a flat list of fields and values.

    >>> list(reply_lines([b"a", 1, None, [b"b"]]))
    ['1) "a"', '2) (integer) 1', '3) (nil)', '4) 1) "b"']
    """
    match reply:
        case [cursor, [*flat]] if paired and len(flat) % 2 == 0:
            reply = [cursor, dict(zip(flat[::2], flat[1::2], strict=True))]
    return _lines(reply)


def _lines(reply: Any) -> Iterator[str]:
    """The lines of any reply; elements of a collection are numbered."""
    if isinstance(reply, Verbatim):
        return map(printable, reply.decode("utf-8", "surrogateescape").splitlines())
    if isinstance(reply, Mapping) and reply:
        return _pair_lines(reply.items(), len(reply), " => ")
    if isinstance(reply, (set, frozenset)) and reply:
        return _item_lines(sorted(reply, key=_sort_key), len(reply))
    if isinstance(reply, (list, tuple)) and reply:
        if isinstance(reply, list) and all(map(_is_pair, reply)):
            return _pair_lines(reply, len(reply), "  ")
        return _item_lines(reply, len(reply))
    return iter((scalar(reply),))


def labelled_lines(parts: Iterable[tuple[str, Iterable[str]]], size: int) -> Iterator[str]:
    """`1) label` and its lines below: the replies of EXEC with their commands.

    >>> list(labelled_lines([("INCR a", ["(integer) 1"]), ("GET a", ['"1"'])], 2))
    ['1) INCR a', '   (integer) 1', '2) GET a', '   "1"']
    """
    width = len(str(size))
    for at, (label, below) in enumerate(parts, 1):
        yield f"{at:>{width}}) {label}"
        yield from (" " * (width + 2) + line for line in below)


def scalar(value: Any) -> str:
    """One value, or an empty collection, in one line."""
    match value:
        case None:
            return "(nil)"
        case Status():
            return str(value)
        case bytes() | bytearray():
            return double_quoted(bytes(value))
        case str():
            return double_quoted(value.encode("utf-8", "surrogateescape"))
        case bool():
            return "(true)" if value else "(false)"
        case Cursor():
            return f'"{value}"'
        case int():
            return f"(integer) {value}"
        case float():
            return f"(double) {number(value)}"
        case BaseException():
            return f"(error) {printable(str(value))}"
        case Mapping():
            return "(empty hash)"
        case set() | frozenset():
            return "(empty set)"
        case _:
            return "(empty array)"


def number(value: float) -> str:
    """A float as Redis writes it: 3 for 3.0, inf, 17 digits at most.

    >>> number(3.0), number(0.1), number(float("-inf")), number(1e30), number(1e-7)
    ('3', '0.1', '-inf', '1e+30', '1e-7')
    """
    if isinstance(value, Decimal):
        return value.text.decode()
    if math.isfinite(value) and value == int(value) and abs(value) < 1e17:
        return "-0" if value == 0 and math.copysign(1, value) < 0 else str(int(value))
    return repr(float(value)).replace("e-0", "e-")


def summary(reply: Any) -> str:
    """The number of elements or fields: "3 elements"; "" for a single value."""
    if isinstance(reply, Mapping):
        return counted(len(reply), "field")
    if isinstance(reply, (list, set, frozenset)):
        return counted(len(reply), "element")
    return ""


def footer(reply: Any, seconds: float) -> str:
    """The line below a reply: count and time; for a single value only a time over 10 ms."""
    count = summary(reply)
    if not count and seconds < 0.01:
        return ""
    return f"({', '.join(filter(None, (count, format_duration(seconds))))})"


def format_duration(seconds: float) -> str:
    """A duration with its unit: 24 µs, 0.2 ms, 35 ms, 1.84 s."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    if seconds < 0.0001:
        return f"{seconds * 1_000_000:.0f} µs"
    milliseconds = seconds * 1000
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.1f} ms"


# collections -------------------------------------------------------------------------------------


def _item_lines(items: Iterable[Any], size: int) -> Iterator[str]:
    """`1) item`; the lines of a nested item are indented below the first one."""
    width = len(str(size))
    blank = " " * (width + 2)
    for at, item in enumerate(items, 1):
        head = f"{at:>{width}}) "
        for line in _lines(item):
            yield head + line
            head = blank


def _pair_lines(items: Iterable[tuple[Any, Any]], size: int, separator: str) -> Iterator[str]:
    """`1) name => value`, the values aligned; a nested value goes below its name."""
    pairs = list(items)
    width = len(str(size))
    column = _column(name for name, _ in islice(pairs, _MEASURED_NAMES))
    for at, (name, value) in enumerate(pairs, 1):
        label = scalar(name)
        head = f"{at:>{width}}) {label}"
        if _is_nested(value):
            yield f"{head}{separator}".rstrip()
            yield from (" " * (width + 2) + line for line in _lines(value))
        else:
            shown = number(value) if isinstance(value, float) else scalar(value)
            yield head + " " * (column - display_width(label)) + separator + shown


def _column(names: Iterable[Any]) -> int:
    """The width of the widest name up to _MAX_NAME_WIDTH."""
    widths = (display_width(scalar(name)) for name in names)
    return max((width for width in widths if width <= _MAX_NAME_WIDTH), default=0)


def _is_pair(item: Any) -> bool:
    """Return whether `item` is a pair, or a list of member and score as in ZMPOP."""
    if isinstance(item, list):
        return len(item) == 2 and isinstance(item[0], bytes) and isinstance(item[1], float)
    return isinstance(item, tuple) and len(item) == 2


def _is_nested(value: Any) -> bool:
    return isinstance(value, (list, tuple, set, frozenset, Mapping)) and len(value) > 0


def _sort_key(value: Any) -> tuple[int, Any]:
    """Sort key for members of a set: numbers by value, then strings."""
    if isinstance(value, bytes):
        return (0, int(value)) if value.isdigit() and len(value) < 20 else (1, value)
    return (0, value) if isinstance(value, (int, float)) else (2, repr(value))


def counted(size: int, noun: str) -> str:
    """`3 keys`, `1 key`."""
    return f"{size:,} {noun}{'' if size == 1 else 's'}"


# machine-readable formats ------------------------------------------------------------------------


def raw(reply: Any) -> Iterator[bytes]:
    """The values unquoted, one per line; nil is an empty line, an empty collection no line."""
    if isinstance(reply, Mapping):
        for name, value in reply.items():
            yield from raw(name)
            yield from raw(value)
    elif isinstance(reply, (set, frozenset)):
        for item in sorted(reply, key=_sort_key):
            yield from raw(item)
    elif isinstance(reply, (list, tuple)):
        for item in reply:
            yield from raw(item)
    elif isinstance(reply, (bytes, bytearray)):
        yield bytes(reply)
    elif isinstance(reply, float):
        yield number(reply).encode()
    else:
        yield b"" if reply is None else str(reply).encode("utf-8", "surrogateescape")


def to_json(reply: Any) -> str:
    r"""The reply as JSON in one line.

    >>> print(to_json({b"name": "张三".encode(), b"raw": b"\xff", b"far": float("inf")}))
    {"name": "张三", "raw": "\\xff", "far": "inf"}
    """
    text = json.dumps(_json_value(reply), ensure_ascii=False)
    return _CONTROL_CHARACTERS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _json_value(value: Any) -> Any:
    """The value converted to the types of JSON."""
    match value:
        case bytes() | bytearray():
            return bytes(value).decode("utf-8", "backslashreplace")
        case str():
            # Surrogates stand for bytes that are not UTF-8; JSON parsers reject them.
            return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        case float() if not math.isfinite(value):
            return str(value)
        case float():
            return int(value) if value == int(value) and abs(value) < 2**53 else float(value)
        case None | bool() | int():
            return value
        case Mapping():
            return {_json_name(name): _json_value(item) for name, item in value.items()}
        case set() | frozenset():
            return [_json_value(item) for item in sorted(value, key=_sort_key)]
        case list() | tuple():
            return [_json_value(item) for item in value]
        case BaseException():
            return {"error": str(value)}
        case _:
            return str(value)


def _json_name(name: Any) -> str:
    """The name of a field as a string, as JSON requires."""
    plain = _json_value(name)
    return plain if isinstance(plain, str) else json.dumps(plain)
