"""What minidis answers, as the wire would carry it; and how two replies can be equal.

A natural reply (bytes, dict, set, tuple, Status, Decimal, ...) becomes the value that resp.py makes
of the bytes of a server, for RESP3 and for RESP2:

    natural           RESP3                    RESP2
    dict              Map of pairs             Flat: array, pairs in any order
    set               Members                  Loose: array, in any order
    tuple in a list   array of its own         flattened into the list
    Decimal, Cursor   bulk string              bulk string
    Verbatim          bulk string (no kind)    bulk string
    float             double                   bulk string
    bool              integer                  integer
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from minidis.errors import ResponseError
from minidis.replies import Cursor, Decimal, Status, Verbatim
from minidis.structures.doubles import double
from tests.oracle.resp import Error, Map, Members, Reply


class Flat(list[Any]):
    """A map as RESP2 writes it: names and values in turn. The order of pairs is free."""


class Loose(list[Any]):
    """A set as RESP2 writes it. The order is free."""


#: Commands whose pairs are flat in RESP3, too: the reply is the one of RESP2.
FLAT_PAIRS = frozenset((b"ZSCAN",))
#: Commands whose map is an array of pairs in RESP2, in the order of the keys.
PAIRS_IN_RESP2 = frozenset((b"XREAD", b"XREADGROUP"))


def reply_to(words: Sequence[bytes], reply: Any, protocol: int = 3) -> Reply:
    """The natural reply to a command as a client would receive it."""
    if words and words[0].upper() in FLAT_PAIRS:
        protocol = 2
    if protocol == 2 and isinstance(reply, dict) and words[0].upper() in PAIRS_IN_RESP2:
        reply = [list(pair) for pair in reply.items()]
    return on_the_wire(reply, protocol)


def on_the_wire(reply: Any, protocol: int = 3) -> Reply:
    """The natural reply as a client would receive it."""
    if isinstance(reply, ResponseError):
        return Error(one_line(str(reply)))
    if isinstance(reply, Status):
        return Status(one_line(reply))
    if isinstance(reply, Decimal):
        return reply.text
    if isinstance(reply, Cursor):
        return b"%d" % reply
    if isinstance(reply, bool):
        return int(reply)
    if isinstance(reply, Verbatim):
        return bytes(reply)
    if reply is None or isinstance(reply, (bytes, int)):
        return reply
    if isinstance(reply, float):
        return reply if protocol == 3 else double(reply)
    if isinstance(reply, dict):
        pairs = [
            [on_the_wire(key, protocol), on_the_wire(value, protocol)]
            for key, value in reply.items()
        ]
        return Map(pairs) if protocol == 3 else Flat(part for pair in pairs for part in pair)
    if isinstance(reply, (set, frozenset)):
        members = [on_the_wire(member, protocol) for member in reply]
        return Members(members) if protocol == 3 else Loose(members)
    if isinstance(reply, (list, tuple)):
        return _array(reply, protocol)
    raise TypeError(f"{reply!r} is no reply")


def _array(reply: list[Any] | tuple[Any, ...], protocol: int) -> list[Reply]:
    items: list[Reply] = []
    for item in reply:
        if isinstance(item, tuple) and protocol == 2:
            items += [on_the_wire(part, protocol) for part in item]
        else:
            items.append(on_the_wire(item, protocol))
    return items


def one_line(text: str) -> str:
    """A simple string or error has no line breaks; Redis puts blanks."""
    return text.replace("\r", " ").replace("\n", " ")


def same(ours: Reply, real: Reply) -> bool:
    """Equal in kind and value. Maps and sets have no order, doubles are compared by value."""
    if isinstance(ours, Flat) and real.__class__ is list:
        return len(ours) == len(real) and same(paired(ours), paired(real))
    if isinstance(ours, Loose) and real.__class__ is list:
        return unordered(ours, real)
    if ours.__class__ is not real.__class__:
        return False
    if isinstance(real, Map) and len(ours) == len(real):
        return _same_pairs(ours, real)
    if isinstance(real, Members):
        return unordered(ours, real)
    if isinstance(real, list):
        return len(ours) == len(real) and all(map(same, ours, real))
    return bool(ours == real)


def _same_pairs(ours: Map, real: Map) -> bool:
    """Maps with the same keys, and the same value for each."""
    left, right = (sorted(pairs, key=lambda pair: repr(pair[0])) for pairs in (ours, real))
    return all(map(same, left, right))


def frozen(reply: Reply) -> Any:
    """A hashable form of a reply, for counting; the order of maps and sets does not matter."""
    if isinstance(reply, (Map, Members)):
        return reply.__class__, frozenset(Counter(map(frozen, reply)).items())
    if isinstance(reply, list):
        return tuple(map(frozen, reply))
    return reply.__class__, reply


def without_digests(reply: Reply) -> Reply:
    """The reply with "digest" in the place of each reply of DEBUG DIGEST."""
    if isinstance(reply, Status) and re.fullmatch("[0-9a-f]{40}", reply):
        return Status("digest")
    return [without_digests(item) for item in reply] if type(reply) is list else reply


def unordered(ours: Reply, real: Reply) -> bool:
    """Two arrays with the same elements."""
    return (
        isinstance(ours, list)
        and isinstance(real, list)
        and Counter(map(frozen, ours)) == Counter(map(frozen, real))
    )


def paired(reply: Reply) -> Reply:
    """A flat array of RESP2 as the map that RESP3 would make of it."""
    return Map(list(reply[i : i + 2]) for i in range(0, len(reply), 2))


def shape(reply: Reply) -> Any:
    """Kinds and lengths without the contents."""
    if isinstance(reply, list):
        kind = list if isinstance(reply, (Flat, Loose)) else reply.__class__
        return kind, tuple(map(shape, reply))
    return reply if isinstance(reply, Error) else reply.__class__


def strings(reply: Reply) -> list[bytes]:
    """All bulk strings of a reply."""
    if isinstance(reply, list):
        return [text for item in reply for text in strings(item)]
    return [reply] if isinstance(reply, bytes) else []


# Replies as JSON, for the recorded answers --------------------------------------------------------


def to_json(reply: Reply) -> Any:
    """Bulk strings are JSON strings (latin-1), what JSON does not have a one-entry object."""
    if isinstance(reply, Error):
        return {"error": str(reply)}
    if isinstance(reply, Status):
        return {"status": str(reply)}
    if isinstance(reply, bytes):
        return reply.decode("latin-1")
    if isinstance(reply, float):
        return {"double": repr(reply)}
    if isinstance(reply, (Map, Members)):
        return {"map" if isinstance(reply, Map) else "set": [to_json(item) for item in reply]}
    if isinstance(reply, list):
        return [to_json(item) for item in reply]
    return reply


def from_json(data: Any) -> Reply:
    """The counterpart of to_json."""
    if isinstance(data, str):
        return data.encode("latin-1")
    if isinstance(data, list):
        return [from_json(item) for item in data]
    if isinstance(data, dict):
        ((kind, content),) = data.items()
        return JSON_KINDS[kind](content)
    return data


JSON_KINDS: dict[str, Any] = {
    "error": Error,
    "status": Status,
    "double": float,
    "map": lambda items: Map(map(from_json, items)),
    "set": lambda items: Members(map(from_json, items)),
}
