"""Value types of a dump: the table from a type byte to the function that reads its body.

Whatever the type in the file, the value judges by itself whether it stays compact: the limits in
force now may be others than when the file was written. Of what was compact there only the number
of elements is looked at, as in Redis.
"""

from __future__ import annotations

from collections.abc import Callable

from minidis.persistence.rdb.corrupt import CorruptError, UnsupportedError
from minidis.persistence.rdb.packed import read_intset, read_listpack, read_ziplist, read_zipmap
from minidis.persistence.rdb.source import Source, not_nan, score_of_text
from minidis.persistence.rdb.streams import STREAM, STREAM_2, STREAM_3, read_stream
from minidis.structures.limits import Limits
from minidis.structures.lists import List
from minidis.structures.sorted_set import SortedSet
from minidis.structures.streams import Stream
from minidis.structures.tables import Hash, Set
from minidis.structures.text import is_canonical_int

#: What a key can hold. A string is bytes or, when its text is one, an int; changed in place it
#: is a bytearray.
Value = bytes | int | bytearray | List | Hash | Set | SortedSet | Stream

STRING = 0
LIST_QUICKLIST_2 = 18
SET, SET_INTSET = 2, 11
HASH, HASH_LISTPACK = 4, 16
ZSET_2, ZSET_LISTPACK = 5, 17

_STRINGS = (bytes, int, bytearray)

#: Containers of a node of LIST_QUICKLIST_2.
PLAIN, PACKED = 1, 2

#: Digits and sign of the longest 64-bit integer.
LONGEST_INTEGER = 20


def as_string(text: bytes | int) -> bytes | int:
    """A string as the keyspace keeps it: an int when its text is a canonical one."""
    if isinstance(text, bytes) and len(text) <= LONGEST_INTEGER and is_canonical_int(text):
        return int(text)
    return text


def _read_string(source: Source, limits: Limits) -> Value:
    return as_string(source.string_or_int())


# --------------------------------------------------------------------------------------- lists


def _read_list(source: Source, limits: Limits) -> Value:
    return List.load([source.string() for _ in range(source.count())])


def _read_list_ziplist(source: Source, limits: Limits) -> Value:
    return List.load(read_ziplist(source.string()))


def _read_quicklist(source: Source, limits: Limits) -> Value:
    elements: list[bytes] = []
    for _ in range(source.count()):
        elements += read_ziplist(source.string())
    return List.load(elements)


def _read_quicklist_2(source: Source, limits: Limits) -> Value:
    elements: list[bytes] = []
    for _ in range(source.count()):
        container = source.length()
        if container not in (PLAIN, PACKED):
            raise CorruptError(f"list: no node is of kind {container}")
        blob = source.string()
        elements += read_listpack(blob) if container == PACKED else [blob]
    return List.load(elements)


# ---------------------------------------------------------------------------------------- sets


def _set(members: list[bytes], limits: Limits) -> Value:
    loaded = Set.load(members, limits)
    if len(loaded) != len(members):
        raise CorruptError("set: a member appears twice")
    return loaded


def _read_set(source: Source, limits: Limits) -> Value:
    return _set([source.string() for _ in range(source.count())], limits)


def _read_set_intset(source: Source, limits: Limits) -> Value:
    return _set(read_intset(source.string()), limits)


def _read_set_listpack(source: Source, limits: Limits) -> Value:
    return _set(read_listpack(source.string()), limits)


# -------------------------------------------------------------------------------------- hashes


def _fields(words: list[bytes]) -> dict[bytes, bytes]:
    """The fields of field, value, field, value..."""
    word = iter(words)
    fields = dict(zip(word, word, strict=False))
    if len(fields) * 2 != len(words):
        raise CorruptError("hash: a field appears twice or lacks its value")
    return fields


def _hash(words: list[bytes], limits: Limits) -> Value:
    return Hash.load(_fields(words), limits)


def _packed_hash(words: list[bytes], limits: Limits) -> Value:
    loaded = Hash()
    loaded.update(_fields(words))
    loaded.expanded = len(loaded) > limits.hash_max_listpack_entries
    return loaded


def _read_hash(source: Source, limits: Limits) -> Value:
    return _hash([source.string() for _ in range(2 * source.count())], limits)


def _read_hash_zipmap(source: Source, limits: Limits) -> Value:
    return _hash(read_zipmap(source.string()), limits)


def _read_hash_ziplist(source: Source, limits: Limits) -> Value:
    return _packed_hash(read_ziplist(source.string()), limits)


def _read_hash_listpack(source: Source, limits: Limits) -> Value:
    return _packed_hash(read_listpack(source.string()), limits)


# --------------------------------------------------------------------------------- sorted sets


def _sorted_set(members: list[bytes], scores: list[float], limits: Limits) -> SortedSet:
    loaded = dict(zip(members, scores, strict=False))
    if len(loaded) != len(members) or len(members) != len(scores):
        raise CorruptError("sorted set: a member appears twice or lacks its score")
    return SortedSet.load(loaded, limits)


def _read_zset(source: Source, limits: Limits) -> Value:
    """The old form, scores as text."""
    pairs = [(source.string(), _text_score(source)) for _ in range(source.count())]
    return _sorted_set([member for member, _ in pairs], [score for _, score in pairs], limits)


_ODD_SCORES = {253: float("nan"), 254: float("inf"), 255: float("-inf")}


def _text_score(source: Source) -> float:
    length = source.byte()
    if length in _ODD_SCORES:
        return not_nan(_ODD_SCORES[length])
    return score_of_text(source.take(length))


def _read_zset_2(source: Source, limits: Limits) -> Value:
    pairs = [(source.string(), source.double()) for _ in range(source.count())]
    return _sorted_set([member for member, _ in pairs], [score for _, score in pairs], limits)


def _packed_zset(words: list[bytes], limits: Limits) -> Value:
    loaded = _sorted_set(words[::2], [score_of_text(word) for word in words[1::2]], limits)
    loaded.expanded = len(loaded) > limits.zset_max_listpack_entries
    return loaded


def _read_zset_ziplist(source: Source, limits: Limits) -> Value:
    return _packed_zset(read_ziplist(source.string()), limits)


def _read_zset_listpack(source: Source, limits: Limits) -> Value:
    return _packed_zset(read_listpack(source.string()), limits)


# ------------------------------------------------------------------------------------- streams


def _read_stream(source: Source, limits: Limits) -> Value:
    return read_stream(source, STREAM)


def _read_stream_2(source: Source, limits: Limits) -> Value:
    return read_stream(source, STREAM_2)


def _read_stream_3(source: Source, limits: Limits) -> Value:
    return read_stream(source, STREAM_3)


# --------------------------------------------------------------------------------------- table

READERS: dict[int, Callable[[Source, Limits], Value]] = {
    STRING: _read_string,
    1: _read_list,
    SET: _read_set,
    3: _read_zset,
    HASH: _read_hash,
    ZSET_2: _read_zset_2,
    9: _read_hash_zipmap,
    10: _read_list_ziplist,
    SET_INTSET: _read_set_intset,
    12: _read_zset_ziplist,
    13: _read_hash_ziplist,
    14: _read_quicklist,
    STREAM: _read_stream,
    HASH_LISTPACK: _read_hash_listpack,
    ZSET_LISTPACK: _read_zset_listpack,
    LIST_QUICKLIST_2: _read_quicklist_2,
    STREAM_2: _read_stream_2,
    20: _read_set_listpack,
    STREAM_3: _read_stream_3,
}

#: Types that exist, but cannot be held here.
UNSUPPORTED = {
    6: "module value of a release candidate",
    7: "module value",
    22: "hash with field expiry of a release candidate",
    23: "hash with field expiry of a release candidate",
    24: "hash with field expiry",
    25: "hash with field expiry",
    26: "stream of Redis 8.6 or newer",
    27: "stream of Redis 8.8 or newer",
    28: "array",
}


def check_kind(kind: int) -> None:
    """Before the key is read: refuse a byte that no known dump has in this place."""
    if kind not in READERS and kind not in UNSUPPORTED:
        raise CorruptError(f"{kind} is neither a type nor an opcode of a dump")


def read_value(source: Source, kind: int, limits: Limits) -> Value:
    """The value of type `kind` that stands at the source."""
    reader = READERS.get(kind)
    if reader is not None:
        return reader(source, limits)
    check_kind(kind)
    raise UnsupportedError(
        f"type {kind} ({UNSUPPORTED[kind]}) is not supported yet",
        "open the file with a newer minidis, or delete this key on the server and save again",
    )


def is_empty(value: Value) -> bool:
    """A collection without elements, which no key can hold; strings and streams can be empty."""
    return not isinstance(value, (*_STRINGS, Stream)) and not len(value)
