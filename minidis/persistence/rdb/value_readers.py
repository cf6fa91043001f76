"""Reading values from a dump: a function per form, from (source, limits) to a value.

The form in the file does not decide whether a value is compact: the limits may have changed since
it was written. Of a form that is compact in the file only the number of elements counts, as in
Redis.
"""

from __future__ import annotations

from minidis.persistence.rdb.corrupt import FIELD_EXPIRY, CorruptError, unsupported_type
from minidis.persistence.rdb.packed import read_intset, read_listpack, read_ziplist, read_zipmap
from minidis.persistence.rdb.source import Source, not_nan, score_of_text
from minidis.persistence.rdb.type_bytes import HASH_LISTPACK_EX, HASH_METADATA, PACKED, PLAIN
from minidis.structures.limits import Limits
from minidis.structures.lists import List
from minidis.structures.sorted_set import SortedSet
from minidis.structures.tables import Hash, Set
from minidis.structures.text import is_canonical_int

#: Bytes of the longest 64-bit integer: its digits and a sign.
LONGEST_INT64 = 20


def as_string(text: bytes | int) -> bytes | int:
    """A string as the keyspace stores it: an int if its text is a canonical integer."""
    if isinstance(text, bytes) and len(text) <= LONGEST_INT64 and is_canonical_int(text):
        return int(text)
    return text


def read_string(source: Source, limits: Limits) -> bytes | int:
    """A string; canonical integers become ints."""
    return as_string(source.string_or_int())


# --------------------------------------------------------------------------------------- lists


def read_list(source: Source, limits: Limits) -> List:
    """A list of strings."""
    return List.stored([source.string() for _ in range(source.count())], limits)


def read_list_ziplist(source: Source, limits: Limits) -> List:
    """A list in one ziplist."""
    return List.stored(read_ziplist(source.string()), limits)


def read_quicklist(source: Source, limits: Limits) -> List:
    """A list of ziplists."""
    nodes = [read_ziplist(source.string()) for _ in range(source.count())]
    return List.of_nodes(nodes, limits)


def read_quicklist_2(source: Source, limits: Limits) -> List:
    """A list of listpacks and large elements."""
    nodes: list[list[bytes]] = []
    for _ in range(source.count()):
        container = source.length()
        if container not in (PLAIN, PACKED):
            raise CorruptError(f"list: invalid kind {container} of a node")
        blob = source.string()
        nodes.append(read_listpack(blob) if container == PACKED else [blob])
    return List.of_nodes(nodes, limits)


# ---------------------------------------------------------------------------------------- sets


def _make_set(members: list[bytes], limits: Limits, *, listpack: bool = False) -> Set:
    loaded = Set.load(members, limits, listpack=listpack)
    if len(loaded) != len(members):
        raise CorruptError("set: a member appears twice")
    return loaded


def read_set(source: Source, limits: Limits) -> Set:
    """A set of strings."""
    return _make_set([source.string() for _ in range(source.count())], limits)


def read_set_intset(source: Source, limits: Limits) -> Set:
    """A set of integers."""
    return _make_set(read_intset(source.string()), limits)


def read_set_listpack(source: Source, limits: Limits) -> Set:
    """A set in a listpack."""
    return _make_set(read_listpack(source.string()), limits, listpack=True)


# -------------------------------------------------------------------------------------- hashes


def _fields(words: list[bytes]) -> dict[bytes, bytes]:
    """A dict of field, value, field, value, ..."""
    word = iter(words)
    fields = dict(zip(word, word, strict=False))
    if len(fields) * 2 != len(words):
        raise CorruptError("hash: a field appears twice or lacks its value")
    return fields


def _make_hash(words: list[bytes], limits: Limits) -> Hash:
    return Hash.load(_fields(words), limits)


def _make_packed_hash(words: list[bytes], limits: Limits) -> Hash:
    loaded = Hash()
    loaded.update(_fields(words))
    loaded.expanded = len(loaded) > limits.hash_max_listpack_entries
    return loaded


def read_hash(source: Source, limits: Limits) -> Hash:
    """A hash of strings."""
    return _make_hash([source.string() for _ in range(2 * source.count())], limits)


def read_hash_zipmap(source: Source, limits: Limits) -> Hash:
    """A hash in a zipmap."""
    return _make_hash(read_zipmap(source.string()), limits)


def read_hash_ziplist(source: Source, limits: Limits) -> Hash:
    """A hash in a ziplist."""
    return _make_packed_hash(read_ziplist(source.string()), limits)


def read_hash_listpack(source: Source, limits: Limits) -> Hash:
    """A hash in a listpack."""
    return _make_packed_hash(read_listpack(source.string()), limits)


def read_hash_metadata(source: Source, limits: Limits) -> Hash:
    """A hash of strings with deadlines, of Redis 7.4."""
    source.integer64()  # the earliest deadline
    words: list[bytes] = []
    for _ in range(source.count()):
        if source.length():
            raise unsupported_type(HASH_METADATA, FIELD_EXPIRY)
        words += (source.string(), source.string())
    return _make_hash(words, limits)


def read_hash_listpack_ex(source: Source, limits: Limits) -> Hash:
    """A hash with deadlines in a listpack, of Redis 7.4. After HPERSIST all of them are 0."""
    source.integer64()  # the earliest deadline there was
    words = read_listpack(source.string())
    deadlines = words[2::3]
    del words[2::3]
    if len(words) != 2 * len(deadlines) or not all(map(is_canonical_int, deadlines)):
        raise CorruptError("hash: a field lacks its deadline")
    if any(deadline != b"0" for deadline in deadlines):
        raise unsupported_type(HASH_LISTPACK_EX, FIELD_EXPIRY)
    return _make_packed_hash(words, limits)


# --------------------------------------------------------------------------------- sorted sets


def _make_sorted_set(members: list[bytes], scores: list[float], limits: Limits) -> SortedSet:
    loaded = dict(zip(members, scores, strict=False))
    if len(loaded) != len(members) or len(members) != len(scores):
        raise CorruptError("sorted set: a member appears twice or lacks its score")
    return SortedSet.load(loaded, limits)


def read_zset(source: Source, limits: Limits) -> SortedSet:
    """A sorted set with scores as text."""
    pairs = [(source.string(), _text_score(source)) for _ in range(source.count())]
    return _make_sorted_set([member for member, _ in pairs], [score for _, score in pairs], limits)


_ODD_SCORES = {253: float("nan"), 254: float("inf"), 255: float("-inf")}


def _text_score(source: Source) -> float:
    length = source.byte()
    if length in _ODD_SCORES:
        return not_nan(_ODD_SCORES[length])
    return score_of_text(source.take(length))


def read_zset_2(source: Source, limits: Limits) -> SortedSet:
    """A sorted set with binary scores."""
    pairs = [(source.string(), source.double()) for _ in range(source.count())]
    return _make_sorted_set([member for member, _ in pairs], [score for _, score in pairs], limits)


def _make_packed_zset(words: list[bytes], limits: Limits) -> SortedSet:
    loaded = _make_sorted_set(words[::2], [score_of_text(word) for word in words[1::2]], limits)
    loaded.expanded = len(loaded) > limits.zset_max_listpack_entries
    return loaded


def read_zset_ziplist(source: Source, limits: Limits) -> SortedSet:
    """A sorted set in a ziplist."""
    return _make_packed_zset(read_ziplist(source.string()), limits)


def read_zset_listpack(source: Source, limits: Limits) -> SortedSet:
    """A sorted set in a listpack."""
    return _make_packed_zset(read_listpack(source.string()), limits)
