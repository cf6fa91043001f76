"""The database as a program: what it says of itself, how it is ended, whether it has copies.

INFO says what is known and nothing else: a field of Redis that could only be invented is not there.
"""

from __future__ import annotations

import os
import platform
import struct
from collections.abc import Callable
from itertools import islice
from typing import Any

import minidis
from minidis import errors
from minidis.commands.shared.group import Group, T
from minidis.engine.engine import REDIS_VERSION, Engine
from minidis.errors import MinidisError
from minidis.grammar.command import declarations
from minidis.grammar.kinds import I64_MAX, TIMEOUT, Integer, Kind, Many, integer, positive
from minidis.keyspace.keyspace import Keyspace
from minidis.observers.blocking import Wait
from minidis.replies import NO_REPLY, Verbatim

command = declarations(group="server")

#: So many deadlines of a database are looked at for its average.
_SAMPLE = 100
#: Words that stand for all sections.
_ALL = frozenset((b"all", b"default", b"everything"))

Fields = dict[str, object]


def _server(engine: Engine) -> Fields:
    uptime = max(engine.clock.now() - engine.opened_at, 0) // 1000
    return {
        "redis_version": REDIS_VERSION,
        "redis_mode": "standalone",
        "minidis_version": minidis.__version__,
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
    """The port of the first door that has one; 0: there is none."""
    doors = [] if engine.doors is None else engine.doors.doors
    addresses = [door.address for door in doors if not door.address.startswith("unix:")]
    return int(addresses[0].rpartition(":")[2]) if addresses else 0


def _clients(engine: Engine) -> Fields:
    clients = list(engine.clients)
    connected = [client for client in clients if client.kind != "embedded"]
    return {
        "connected_clients": len(connected),
        "embedded_sessions": len(clients) - len(connected),
        "maxclients": engine.client_limits.clients,
        "blocked_clients": len(engine.waiters),
        "tracking_clients": engine.tracking.clients,
        "pubsub_clients": sum(client.listening for client in clients),
    }


def _memory(engine: Engine) -> Fields:
    return {"maxmemory": 0, "maxmemory_human": "0B", "maxmemory_policy": "noeviction"}


def _persistence(engine: Engine) -> Fields:
    # Nobody can ask while a dump is loaded: the database is not open before.
    return {
        "loading": 0,
        "async_loading": 0,
        "rdb_changes_since_last_save": engine.dirty,
        "rdb_bgsave_in_progress": 0,
        "rdb_last_save_time": engine.saved_at,
        "aof_enabled": 0,
    }


def _stats(engine: Engine) -> Fields:
    return {
        "expired_keys": engine.expired_keys,
        "evicted_keys": 0,
        "keyspace_hits": sum(space.hits for space in engine.databases),
        "keyspace_misses": sum(space.misses for space in engine.databases),
        "pubsub_channels": sum(1 for _ in engine.channels.names()),
        "pubsub_patterns": engine.channels.pattern_count(),
        "pubsubshard_channels": sum(1 for _ in engine.channels.shard_names()),
        "tracking_total_keys": len(engine.tracking),
    }


def _replication(engine: Engine) -> Fields:
    return {"role": "master", "connected_slaves": 0}


def _cpu(engine: Engine) -> Fields:
    times = os.times()
    return {"used_cpu_sys": f"{times.system:.6f}", "used_cpu_user": f"{times.user:.6f}"}


def _modules(engine: Engine) -> Fields:
    return {}


def _cluster(engine: Engine) -> Fields:
    return {"cluster_enabled": 0}


def _keyspace(engine: Engine) -> Fields:
    return {
        f"db{space.number}": f"keys={len(space.values)},expires={len(space.deadlines)},"
        f"avg_ttl={_average_ttl(space, engine.now())}"
        for space in engine.databases
        if space.values
    }


def _average_ttl(space: Keyspace, now: int) -> int:
    """Milliseconds until keys with a deadline expire, on average; Redis samples, too."""
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
    lines = [f"# {name}"] + [f"{field}:{value}" for field, value in SECTIONS[name](engine).items()]
    return "".join(line + "\r\n" for line in lines)


def _one_or_none(value: Any) -> int:
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
        r"""What the database says of itself, as text: sections of lines `field:value`.

        Sections: server, clients, memory, persistence, stats, replication, cpu, modules, cluster,
        keyspace; all of them without an argument. Fields of Redis that nobody measures here are
        left out. A section that does not exist says nothing.

        >>> db.set("a", 1), db.info("keyspace")
        (OK, b'# Keyspace\r\ndb0:keys=1,expires=0,avg_ttl=0\r\n')
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
        """End the program that serves the database: `minidis serve` stops, and this has no answer.

        What has changed is saved first, as close() does; always with `save`, never with `nosave`.
        With `force` the program ends even if it cannot be saved. `now`: do not wait for replicas;
        there are none. `abort`: there is never a shutdown under way that one could end.

        ResponseError where the database belongs to a program of its own: close() closes it.

        >>> db.shutdown()
        Traceback (most recent call last):
        ...
        minidis.errors.ResponseError: ERR SHUTDOWN ends a program that serves a database, and this \
is none; close() closes the database
        """
        engine = self.engine
        if abort:
            others = save or nosave or now or force
            raise errors.error(errors.SYNTAX if others else "No shutdown in progress.")
        if engine.on_shutdown is None:
            raise errors.error(
                "SHUTDOWN ends a program that serves a database, and this is none; "
                "close() closes the database"
            )
        if save or (engine.home.durable and engine.dirty > 0 and not nosave):
            try:
                engine.save()
            except MinidisError:
                if not force:
                    raise
        engine.on_shutdown(False if nosave else None)
        self.client.close_after_reply = True
        return NO_REPLY

    # copies elsewhere --------------------------------------------------------------------------

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
        """Wait until so many replicas have what this session has written: 0 after `timeout`.

        There are no replicas; the answer comes at once when none are asked for. `timeout` in
        milliseconds, 0 waits for ever.

        >>> db.wait(0, 0), db.wait(2, 1)
        (0, 0)
        """
        if integer(num_replicas) <= 0:
            return 0
        return Wait((), self._seconds(timeout), timeout_reply=0)

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
        """Wait until what this session has written is in append-only files: here, and of replicas.

        There is no such file and there are no replicas: [0, 0] after `timeout` milliseconds, at
        once when nothing is asked for. ResponseError with `num_local` 1.

        >>> db.waitaof(0, 0, 0)
        [0, 0]
        """
        seconds = self._seconds(timeout)
        if integer(num_local):
            raise errors.error(
                "WAITAOF cannot be used when numlocal is set but appendonly is disabled."
            )
        return Wait((), seconds, timeout_reply=[0, 0]) if integer(num_replicas) else [0, 0]

    def _seconds(self, timeout: Integer) -> float:
        """Milliseconds as the seconds of a Wait; the moment must be one that has a number."""
        span = integer(timeout)
        if self.engine.now() + span > I64_MAX:
            raise errors.error(errors.TIMEOUT_OUT_OF_RANGE)
        return span / 1000
