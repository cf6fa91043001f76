"""The sizes up to which Redis uses its compact encodings.

Containers here have one representation. They only record whether they have exceeded these limits,
because OBJECT ENCODING reports that and dumps are written in the same encodings.
"""

from __future__ import annotations

#: list-max-listpack-size -> bytes, where it limits bytes.
_LIST_BYTES = {-1: 4096, -2: 8192, -3: 16384, -4: 32768, -5: 65536}
#: Most bytes where it limits elements.
_SAFE_BYTES = 8192


class Limits:
    """The defaults of Redis 7.4; CONFIG SET changes the attributes.

    >>> Limits().hash_max_listpack_entries
    512
    """

    __slots__ = (
        "_list_size",
        "hash_max_listpack_entries",
        "hash_max_listpack_value",
        "list_bytes",
        "list_unchecked",
        "set_max_intset_entries",
        "set_max_listpack_entries",
        "set_max_listpack_value",
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
        self.set_max_listpack_entries = 128
        self.set_max_listpack_value = 64
        self.stream_node_max_bytes = 4096
        self.stream_node_max_entries = 100
        self.zset_max_listpack_entries = 128
        self.zset_max_listpack_value = 64

    @property
    def list_max_listpack_size(self) -> int:
        """Negative: a number of bytes, see below; positive: a number of elements."""
        return self._list_size

    @list_max_listpack_size.setter
    def list_max_listpack_size(self, size: int) -> None:
        self._list_size = size
        #: most bytes of a list with the encoding listpack, or of a node of a quicklist
        self.list_bytes = _LIST_BYTES.get(max(size, -5), _SAFE_BYTES)
        #: most bytes of a list whose size needs no further check
        self.list_unchecked = self.list_bytes if size < 0 else 0

    @property
    def list_entries(self) -> int | None:
        """Most elements of such a list or node; None: their bytes alone limit them."""
        size = self._list_size
        return None if size < 0 else max(size, 1)
