"""The sizes up to which Redis keeps a value in its compact encoding.

Our containers have one representation; they only remember on which side of these limits they
are, because OBJECT ENCODING tells it and the files are written in the same encodings.
"""

from __future__ import annotations


class Limits:
    """The defaults of Redis 7.0; CONFIG SET stores other numbers into the attributes.

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
