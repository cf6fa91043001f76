"""The byte before a key that says how its value is stored; Redis calls them RDB_TYPE_*."""

STRING = 0
LIST, LIST_ZIPLIST, LIST_QUICKLIST, LIST_QUICKLIST_2 = 1, 10, 14, 18
SET, SET_INTSET, SET_LISTPACK = 2, 11, 20
ZSET, ZSET_2, ZSET_ZIPLIST, ZSET_LISTPACK = 3, 5, 12, 17
HASH, HASH_ZIPMAP, HASH_ZIPLIST, HASH_LISTPACK = 4, 9, 13, 16
HASH_METADATA, HASH_LISTPACK_EX = 24, 25
STREAM_LISTPACKS, STREAM_LISTPACKS_2, STREAM_LISTPACKS_3 = 15, 19, 21

#: Kinds of the nodes of LIST_QUICKLIST_2: one large element, or a listpack.
PLAIN, PACKED = 1, 2

#: The version in which a type appeared, for types that minidis writes and version 10 lacks.
SINCE = {SET_LISTPACK: 11, STREAM_LISTPACKS_3: 11}

#: From here on, a byte means one type in dumps of Redis, and another in those of Valkey.
FIRST_OF_FAMILY = 22

MODULE_2 = 7
_MODULES = {
    6: "value of a module of a release candidate",
    MODULE_2: "value of module",
}
#: Types that Redis or Valkey has, but minidis does not.
UNSUPPORTED_OF_REDIS = {
    **_MODULES,
    22: "hash with field expiry, of a release candidate of Redis 7.4",
    23: "hash with field expiry, of a release candidate of Redis 7.4",
    26: "stream of Redis 8.6 or newer",
    27: "stream of Redis 8.8 or newer",
    28: "array",
}
UNSUPPORTED_OF_VALKEY = {**_MODULES, 22: "hash with field expiry, of Valkey 9"}
