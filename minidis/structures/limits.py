"""The sizes up to which Redis uses its compact encodings.

Containers here have one representation. They only record whether they have exceeded these limits,
because OBJECT ENCODING reports that and dumps are written in the same encodings.
"""

from __future__ import annotations


class Limits:
    """The defaults of Redis 7.0; CONFIG SET changes the attributes.

    >>> Limits().hash_max_listpack_entries
    512
    """

    __slots__ = (
        "hash_max_listpack_entries",
        "hash_max_listpack_value",
        "list_max_listpack_size",
        "set_max_intset_entries",
        "stream_node_max_bytes",
        "stream_node_max_entries",
        "zset_max_listpack_entries",
        "zset_max_listpack_value",
    )

    def __init__(self) -> None:
        self.hash_max_listpack_entries = 512
        self.hash_max_listpack_value = 64
        self.list_max_listpack_size = -2
        self.set_max_intset_entries = 512
        self.stream_node_max_bytes = 4096
        self.stream_node_max_entries = 100
        self.zset_max_listpack_entries = 128
        self.zset_max_listpack_value = 64
