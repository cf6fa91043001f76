"""INFO, SHUTDOWN, WAIT, WAITAOF.

INFO contains only fields with a real value; fields of Redis that minidis would have to invent are
left out.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from itertools import islice
from typing import Any

from minidis import errors
from minidis.clients.blocked import Wait
from minidis.clients.info import watched_keys
from minidis.commands.shared.group import Group, T
from minidis.engine.engine import Engine
from minidis.errors import MinidisError
from minidis.grammar.command import declarations
from minidis.grammar.kinds import TIMEOUT, Integer, Kind, Many, integer, positive
from minidis.keyspace.keyspace import Keyspace
from minidis.replies import NO_REPLY, Verbatim
from minidis.version import REDIS_VERSION, __version__

command = declarations(group="server")

#: Number of expiring keys in the sample for avg_ttl.
_SAMPLE = 100
#: Names for all sections.
_ALL = frozenset((b"all", b"default", b"everything"))

Fields = dict[str, object]


def _server(engine: Engine) -> Fields:
    import platform  # compiles a dozen regular expressions

    uptime = max(engine.clock.now() - engine.clients.opened_at, 0) // 1000
    return {
        "redis_version": REDIS_VERSION,
        "redis_mode": "standalone",
        "minidis_version": __version__,
        "python_version": platform.python_version(),
        "os": f"{platform.system()} {platform.release()} {platform.machine()}",
        "arch_bits": struct.calcsize("P") * 8,
        "process_id": os.getpid(),
        "tcp_port": _tcp_port(engine),
        "server_time_usec": engine.clock.now_us(),
        "uptime_in_seconds": uptime,
        "uptime_in_days": uptime // 86400,
    }


def _tcp_port(engine: Engine) -> int:
    """Return the port of the first TCP listener, 0 if there is none."""
    addresses = [] if engine.server is None else engine.server.addresses()
    ports = [one.rpartition(":")[2] for one in addresses if not one.startswith("unix:")]
    return int(ports[0]) if ports else 0


def _clients(engine: Engine) -> Fields:
    """Fields of the section Clients."""
    clients = list(engine.clients)
    connected = [client for client in clients if client.kind != "embedded"]
    watched = [watched_keys(client) for client in clients]
    timed, blocking, on_nokey = engine.observers.blocked.counts
    return {
        "connected_clients": len(connected),
        "embedded_sessions": len(clients) - len(connected),
        "maxclients": engine.settings.clients.clients,
        "blocked_clients": len(engine.observers.blocked),
        "tracking_clients": engine.observers.tracking.clients,
        "pubsub_clients": sum(client.listening for client in clients),
        "watching_clients": sum(map(bool, watched)),
        "clients_in_timeout_table": timed,
        "total_watched_keys": len(set().union(*watched)),
        "total_blocking_keys": blocking,
        "total_blocking_keys_on_nokey": on_nokey,
    }


def _memory(engine: Engine) -> Fields:
    """Fields of the section Memory."""
    return {"maxmemory": 0, "maxmemory_human": "0B", "maxmemory_policy": "noeviction"}


def _persistence(engine: Engine) -> Fields:
    """Fields of the section Persistence."""
    # Loading is finished before the database is open for commands.
    return {
        "loading": 0,
        "async_loading": 0,
        "rdb_changes_since_last_save": engine.store.dirty,
        "rdb_bgsave_in_progress": 0,
        "rdb_last_save_time": engine.store.saved_at,
        "aof_enabled": 0,
    }


def _stats(engine: Engine) -> Fields:
    """Fields of the section Stats."""
    denied = engine.users.denied
    return {
        "expired_keys": sum(space.expired for space in engine.databases),
        "evicted_keys": 0,
        "keyspace_hits": sum(space.hits for space in engine.databases),
        "keyspace_misses": sum(space.misses for space in engine.databases),
        "pubsub_channels": sum(1 for _ in engine.observers.channels.names()),
        "pubsub_patterns": engine.observers.channels.pattern_count(),
        "pubsubshard_channels": sum(1 for _ in engine.observers.channels.shard_names()),
        "tracking_total_keys": len(engine.observers.tracking),
        "acl_access_denied_auth": denied["auth"],
        "acl_access_denied_cmd": denied["command"],
        "acl_access_denied_key": denied["key"],
        "acl_access_denied_channel": denied["channel"],
    }


def _replication(engine: Engine) -> Fields:
    """Fields of the section Replication."""
    return {"role": "master", "connected_slaves": 0}


def _cpu(engine: Engine) -> Fields:
    """Fields of the section CPU."""
    times = os.times()
    return {"used_cpu_sys": f"{times.system:.6f}", "used_cpu_user": f"{times.user:.6f}"}


def _modules(engine: Engine) -> Fields:
    """Fields of the section Modules."""
    return {}


def _cluster(engine: Engine) -> Fields:
    """Fields of the section Cluster."""
    return {"cluster_enabled": 0}


def _keyspace(engine: Engine) -> Fields:
    """Fields of the section Keyspace."""
    return {
        f"db{space.number}": f"keys={len(space.values)},expires={len(space.deadlines)},"
        # subexpiry counts hashes with fields that expire, which minidis does not have.
        f"avg_ttl={_average_ttl(space, engine.unit.now())},subexpiry=0"
        for space in engine.databases
        if space.values
    }


def _average_ttl(space: Keyspace, now: int) -> int:
    """Return the average time to live in milliseconds, from a sample as in Redis."""
    spans = [max(moment - now, 0) for moment in islice(space.deadlines.values(), _SAMPLE)]
    return sum(spans) // len(spans) if spans else 0


#: Section -> its fields, in the order of INFO.
SECTIONS: dict[str, Callable[[Engine], Fields]] = {
    "Server": _server,
    "Clients": _clients,
    "Memory": _memory,
    "Persistence": _persistence,
    "Stats": _stats,
    "Replication": _replication,
    "CPU": _cpu,
    "Modules": _modules,
    "Cluster": _cluster,
    "Keyspace": _keyspace,
}


def _section(name: str, engine: Engine) -> str:
    """Format a section."""
    lines = [f"# {name}"] + [f"{field}:{value}" for field, value in SECTIONS[name](engine).items()]
    return "".join(line + "\r\n" for line in lines)


def _one_or_none(value: Any) -> int:
    """Convert numlocal of WAITAOF: 0 or 1."""
    number = integer(value)
    if number not in (0, 1):
        raise errors.error(errors.out_of_range(0, 1))
    return number


class Information(Group[T]):
    """INFO, SHUTDOWN, WAIT, WAITAOF."""

    @command(
        "INFO [section [section ...]]",
        "loading stale",
        since="1.0.0",
        complexity="O(n) for n clients",
        categories="dangerous",
    )
    def info(self, *sections: Many) -> T:
        r"""Return information and statistics about the database, as text.

        sections: server, clients, memory, persistence, stats, replication, cpu, modules, cluster,
        keyspace; all of them by default, unknown names are ignored.

        Each section has a heading and lines `field:value`. Fields that minidis does not measure are
        missing.

        >>> db.set("a", 1), db.info("keyspace")
        (OK, b'# Keyspace\r\ndb0:keys=1,expires=0,avg_ttl=0,subexpiry=0\r\n')
        """
        asked: Any = sections
        names = {word.lower() for word in asked} or _ALL
        chosen = [name for name in SECTIONS if _ALL & names or name.lower().encode() in names]
        text = "\r\n".join(_section(name, self.engine) for name in chosen)
        reply: Any = Verbatim(text.encode())
        return reply

    @command(
        "SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]",
        "admin noscript loading stale no_multi allow_busy",
        since="1.0.0",
        complexity="O(n) for n keys when saving",
    )
    def shutdown(
        self,
        save: bool = False,
        nosave: bool = False,
        now: bool = False,
        force: bool = False,
        abort: bool = False,
    ) -> Any:
        """Stop the process that serves the database with `minidis serve`; the connection closes.

        Saves first if data has changed. save: always save. nosave: never save. force: stop even if
        saving fails. now: accepted, there are no replicas to wait for. abort: raises ResponseError,
        as there is no shutdown in progress.

        Raises ResponseError if the database is embedded in a program, which closes it with close();
        FileError if saving fails.
        >>> db.shutdown()
        Traceback (most recent call last):
        ...
        minidis.errors.ResponseError: ERR SHUTDOWN needs `minidis serve`; use close() instead
        """
        engine = self.engine
        if abort:
            others = save or nosave or now or force
            raise errors.error(errors.SYNTAX if others else "No shutdown in progress.")
        if engine.on_shutdown is None:
            raise errors.error("SHUTDOWN needs `minidis serve`; use close() instead")
        store = engine.store
        if save or (store.directory.saved_on_close and store.dirty > 0 and not nosave):
            try:
                engine.save()
            except MinidisError:
                if not force:
                    raise
        engine.on_shutdown(False if nosave else None)
        self.client.close_after_reply = True
        return NO_REPLY

    # replicas ----------------------------------------------------------------------------------

    @command(
        "WAIT numreplicas timeout",
        "blocking",
        group="generic",
        since="3.0.0",
        complexity="O(1)",
        names={"numreplicas": "num_replicas"},
        kinds={"numreplicas": Kind(integer), "timeout": TIMEOUT},
        categories="connection",
    )
    def wait(self, num_replicas: Integer, timeout: Integer) -> Any:
        """Wait until `num_replicas` replicas have received the writes of the current session.

        timeout: milliseconds; 0 waits forever. There are no replicas: returns 0, at once if
        `num_replicas` is 0, otherwise after `timeout`.

        >>> db.wait(0, 0), db.wait(2, 1)
        (0, 0)
        """
        seconds = self._seconds(timeout)
        return Wait((), seconds, timeout_reply=0) if integer(num_replicas) > 0 else 0

    @command(
        "WAITAOF numlocal numreplicas timeout",
        "blocking",
        group="generic",
        since="7.2.0",
        complexity="O(1)",
        names={"numlocal": "num_local", "numreplicas": "num_replicas"},
        kinds={
            "numlocal": Kind(_one_or_none),
            "numreplicas": Kind(positive),
            "timeout": TIMEOUT,
        },
        categories="connection",
    )
    def waitaof(self, num_local: Integer, num_replicas: Integer, timeout: Integer) -> Any:
        """Wait until the writes of the current session are synced to append-only files.

        num_local: 1 to wait for the local file. num_replicas: number of replicas to wait for.
        timeout: milliseconds; 0 waits forever.

        There are no append-only files and no replicas: returns [0, 0], at once if `num_replicas` is
        0, otherwise after `timeout`. Raises ResponseError if `num_local` is 1.

        >>> db.waitaof(0, 0, 0)
        [0, 0]
        """
        seconds = self._seconds(timeout)
        if integer(num_local):
            raise errors.error(
                "WAITAOF cannot be used when numlocal is set but appendonly is disabled."
            )
        return Wait((), seconds, timeout_reply=[0, 0]) if integer(num_replicas) else [0, 0]
