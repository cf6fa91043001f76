"""The byte before a key that says how its value is stored; Redis calls them RDB_TYPE_*."""

STRING = 0
LIST, LIST_ZIPLIST, LIST_QUICKLIST, LIST_QUICKLIST_2 = 1, 10, 14, 18
SET, SET_INTSET, SET_LISTPACK = 2, 11, 20
ZSET, ZSET_2, ZSET_ZIPLIST, ZSET_LISTPACK = 3, 5, 12, 17
HASH, HASH_ZIPMAP, HASH_ZIPLIST, HASH_LISTPACK = 4, 9, 13, 16
STREAM_LISTPACKS, STREAM_LISTPACKS_2, STREAM_LISTPACKS_3 = 15, 19, 21

#: Kinds of the nodes of LIST_QUICKLIST_2: one large element, or a listpack.
PLAIN, PACKED = 1, 2

#: Types that Redis has, but minidis does not.
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
