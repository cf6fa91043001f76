"""Redis commands that minidis does not implement, for a clear message instead of a correction."""

from __future__ import annotations

_PARTS: dict[str, str] = {
    "bitmaps": "BITCOUNT BITFIELD BITFIELD_RO BITOP BITPOS GETBIT SETBIT",
    "geo indexes": """GEOADD GEODIST GEOHASH GEOPOS GEORADIUS GEORADIUSBYMEMBER GEORADIUSBYMEMBER_RO
        GEORADIUS_RO GEOSEARCH GEOSEARCHSTORE""",
    "HyperLogLog": "PFADD PFCOUNT PFDEBUG PFMERGE PFSELFTEST",
    "scripts": "EVAL EVALSHA EVALSHA_RO EVAL_RO FCALL FCALL_RO FUNCTION SCRIPT",
    "expiry of fields": """HEXPIRE HEXPIREAT HEXPIRETIME HGETEX HPERSIST HPEXPIRE HPEXPIREAT
        HPEXPIRETIME HPTTL HSETEX HTTL""",
    "cluster": "ASKING CLUSTER READONLY READWRITE",
    "replication": "FAILOVER MIGRATE PSYNC REPLICAOF ROLE SLAVEOF SYNC",
    "saving in the background": "BACKUP BGREWRITEAOF BGSAVE",
    "modules": "MODULE",
    "reports of that kind": "HOTKEYS LATENCY LOLWUT MEMORY SLOWLOG",
    "arrays": """ARCOUNT ARDEL ARDELRANGE ARGET ARGETRANGE ARGREP ARINFO ARINSERT ARLASTITEMS ARLEN
        ARMGET ARMSET ARNEXT AROP ARRING ARSCAN ARSEEK ARSET""",
    "vector sets": """VADD VCARD VDIM VEMB VGETATTR VINFO VISMEMBER VLINKS VRANDMEMBER VRANGE VREM
        VSETATTR VSIM""",
    "idempotent producers": "XCFGSET XIDMPRECORD",
}
#: Command -> the missing feature
UNSUPPORTED: dict[str, str] = {
    name: part for part, names in _PARTS.items() for name in names.split()
}


def unsupported_message(name: str) -> str:
    """The message for a command that only Redis has; "" for any other name.

    >>> unsupported_message("geoadd")
    'Redis has GEOADD, minidis does not: it has no geo indexes'
    """
    part = UNSUPPORTED.get(name.upper())
    return f"Redis has {name.upper()}, minidis does not: it has no {part}" if part else ""
