"""Commands of Redis that minidis does not have. Who types one is told so, not corrected."""

from __future__ import annotations

_PARTS: dict[str, str] = {
    "streams": """XACK XACKDEL XADD XAUTOCLAIM XCLAIM XDEL XDELEX XGROUP XINFO XLEN XPENDING XRANGE
        XREAD XREADGROUP XREVRANGE XSETID XTRIM""",
    "bitmaps": "BITCOUNT BITFIELD BITFIELD_RO BITOP BITPOS GETBIT SETBIT",
    "geo indexes": """GEOADD GEODIST GEOHASH GEOPOS GEORADIUS GEORADIUSBYMEMBER GEORADIUSBYMEMBER_RO
        GEORADIUS_RO GEOSEARCH GEOSEARCHSTORE""",
    "HyperLogLog": "PFADD PFCOUNT PFDEBUG PFMERGE PFSELFTEST",
    "transactions": "DISCARD EXEC MULTI UNWATCH WATCH",
    "blocking calls": """BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN WAIT
        WAITAOF""",
    "pub/sub": """PSUBSCRIBE PUBLISH PUBSUB PUNSUBSCRIBE SPUBLISH SSUBSCRIBE SUBSCRIBE
        SUNSUBSCRIBE UNSUBSCRIBE""",
    "scripts": "EVAL EVALSHA EVALSHA_RO EVAL_RO FCALL FCALL_RO FUNCTION SCRIPT",
    "expiry of fields": """HEXPIRE HEXPIREAT HEXPIRETIME HGETEX HPERSIST HPEXPIRE HPEXPIREAT
        HPEXPIRETIME HPTTL HSETEX HTTL""",
    "server": """ACL ASKING AUTH BGREWRITEAOF BGSAVE CLIENT CLUSTER FAILOVER
        HELLO INFO LATENCY LOLWUT MEMORY MIGRATE MODULE MONITOR PSYNC READONLY READWRITE REPLICAOF
        RESET ROLE SHUTDOWN SLAVEOF SLOWLOG SYNC""",
}
#: Name -> the part of Redis that it belongs to
ELSEWHERE: dict[str, str] = {name: part for part, names in _PARTS.items() for name in names.split()}


def elsewhere(name: str) -> str:
    """What to say of a command that only Redis has; "" for any other name.

    >>> elsewhere("xadd")
    'Redis has XADD, minidis does not: it has no streams'
    """
    part = ELSEWHERE.get(name.upper())
    return f"Redis has {name.upper()}, minidis does not: it has no {part}" if part else ""
