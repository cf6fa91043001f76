"""The table of configuration parameters: each has its effect, any other name is an error.

CONFIG GET, CONFIG SET and the keywords of minidis.open() use the table. A parameter without a
setter is read-only.
"""

import os
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from minidis import errors
from minidis.engine.client_limits import parse_output
from minidis.engine.engine import Engine
from minidis.grammar.kinds import I64_MAX, I64_MIN
from minidis.observers import notifications
from minidis.persistence.rdb import versions
from minidis.structures.glob import compile_pattern

MEMORY_UNITS = {
    "": 1, "b": 1, "k": 1000, "kb": 1024, "m": 1000**2, "mb": 1024**2, "g": 1000**3, "gb": 1024**3,
}  # fmt: skip


class Parameter(NamedTuple):
    """One parameter: description, getter, setter, and the parser of its text."""

    name: str
    about: str
    get: Callable[[Engine], str]
    set: Callable[[Engine, Any], None] | None = None
    #: text -> value for set(), or ValueError with the message of Redis
    parse: Callable[[str], Any] = str
    aliases: tuple[str, ...] = ()
    #: open() can set it, CONFIG SET cannot
    at_open: bool = False


def _number(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise ValueError("argument couldn't be parsed into an integer") from None
        if str(value) != text or not I64_MIN <= value <= I64_MAX:
            raise ValueError("argument couldn't be parsed into an integer")
        if not low <= value <= high:
            raise ValueError(f"argument must be between {low} and {high} inclusive")
        return value

    return parse


def _memory(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        digits = text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
        unit = MEMORY_UNITS.get(text[len(digits) :].lower())
        digital = text.isascii() and digits.removeprefix("-").isdigit()
        if unit is None or not digital or len(digits) > 127:
            raise ValueError("argument must be a memory value")
        value = int(digits) * unit
        if not low <= value <= high:
            raise ValueError(f"argument must be between {low} and {high} inclusive")
        return value

    return parse


def _yes_no(text: str) -> bool:
    if text.lower() not in ("yes", "no"):
        raise ValueError("argument must be 'yes' or 'no'")
    return text.lower() == "yes"


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"argument(s) must be one of the following: {', '.join(choices)}")
        return text.lower()

    return parse


def _limit(
    name: str, about: str, alias: str = "", *, size: bool = False, low: int = 0
) -> Parameter:
    """Declare a threshold of structures.limits."""
    attribute = name.replace("-", "_")
    high = 2**31 - 1 if low < 0 else I64_MAX
    return Parameter(
        name,
        about,
        lambda engine: str(getattr(engine.settings.limits, attribute)),
        lambda engine, value: setattr(engine.settings.limits, attribute, value),
        _memory(low, high) if size else _number(low, high),
        (alias,) if alias else (),
    )


def _flag(name: str, about: str, attribute: str) -> Parameter:
    return Parameter(
        name,
        about,
        lambda engine: "yes" if getattr(engine.settings, attribute) else "no",
        lambda engine, value: setattr(engine.settings, attribute, value),
        _yes_no,
    )


def _client_limit(name: str, about: str, attribute: str, parse: Callable[[str], Any]) -> Parameter:
    """Declare a limit of ClientLimits."""
    return Parameter(
        name,
        about,
        lambda engine: str(getattr(engine.settings.clients, attribute)),
        lambda engine, value: engine.settings.clients.set(attribute, value),
        parse,
    )


def _attribute(name: str, about: str, get: Callable[[Engine], Any]) -> Parameter:
    return Parameter(name, about, lambda engine: str(get(engine)))


_SECONDS = _number(0, 2**31 - 1)

PARAMETERS: dict[str, Parameter] = {
    parameter.name: parameter
    for parameter in (
        _limit(
            "hash-max-listpack-entries",
            "a hash with more fields is a hashtable",
            "hash-max-ziplist-entries",
        ),
        _limit(
            "hash-max-listpack-value",
            "a hash with a longer field or value (bytes) is a hashtable",
            "hash-max-ziplist-value",
            size=True,
        ),
        _limit("set-max-intset-entries", "a set of more integers is a hashtable"),
        _limit(
            "set-max-listpack-entries", "a set of more members, not all integers, is a hashtable"
        ),
        _limit(
            "set-max-listpack-value",
            "a set with a longer member (bytes) is a hashtable",
            size=True,
        ),
        _limit(
            "zset-max-listpack-entries",
            "a sorted set with more members is a skiplist",
            "zset-max-ziplist-entries",
        ),
        _limit(
            "zset-max-listpack-value",
            "a sorted set with a longer member (bytes) is a skiplist",
            "zset-max-ziplist-value",
            size=True,
        ),
        _limit(
            "list-max-listpack-size",
            "elements in a listpack list, or node of a list; -1 to -5: 4, 8, 16, 32, 64 KiB",
            "list-max-ziplist-size",
            low=-(2**31),
        ),
        _limit(
            "stream-node-max-bytes",
            "size of a node of a stream; trimming with ~ takes whole nodes; 0: no limit",
            size=True,
        ),
        _limit("stream-node-max-entries", "entries in a node of a stream; 0: no limit"),
        Parameter(
            "proto-max-bulk-len",
            "longest string, in bytes",
            lambda engine: str(engine.settings.max_string),
            lambda engine, value: setattr(engine.settings, "max_string", value),
            _memory(1024 * 1024, I64_MAX),
        ),
        _flag("rdbcompression", "compress strings in dumps", "compression"),
        _flag("rdbchecksum", "end dumps with a CRC64", "checksum"),
        Parameter(
            "rdb-version",
            "version of dumps: 10 for Redis 7.0 and newer, 11 for 7.2 and newer, both for Valkey",
            lambda engine: str(engine.settings.rdb_version),
            lambda engine, value: setattr(engine.settings, "rdb_version", value),
            _number(versions.DEFAULT, versions.NEWEST_WRITTEN),
        ),
        Parameter(
            "requirepass",
            "password of the default user; empty: it needs none",
            lambda engine: engine.users.required_password,
            lambda engine, value: engine.users.require(value),
        ),
        Parameter(
            "acl-pubsub-default",
            "channels of new users: allchannels or resetchannels",
            lambda engine: "allchannels" if engine.users.all_channels else "resetchannels",
            lambda engine, value: setattr(engine.users, "all_channels", value == "allchannels"),
            _one_of("allchannels", "resetchannels"),
        ),
        Parameter(
            "acllog-max-len",
            "entries of ACL LOG",
            lambda engine: str(engine.users.log.longest),
            lambda engine, value: setattr(engine.users.log, "longest", value),
            _number(0, I64_MAX),
        ),
        Parameter(
            "aclfile",
            "file with the users, for ACL LOAD and ACL SAVE",
            lambda engine: engine.users.file,
            lambda engine, value: setattr(engine.users, "file", value and os.path.abspath(value)),
            at_open=True,
        ),
        Parameter(
            "notify-keyspace-events",
            "key events that are published: K E and g $ l s h z x e t d n m, or A",
            lambda engine: notifications.flags_text(engine.observers.notifications.flags),
            lambda engine, value: engine.observers.notify(value),
            notifications.parse,
        ),
        Parameter(
            "tracking-table-max-keys",
            "keys that CLIENT TRACKING remembers; 0: no limit",
            lambda engine: str(engine.observers.tracking.max_keys),
            lambda engine, value: setattr(engine.observers.tracking, "max_keys", value),
            _number(0, I64_MAX),
        ),
        _client_limit("maxclients", "greatest number of clients", "clients", _number(1, 2**32 - 1)),
        _client_limit(
            "timeout", "seconds until an idle client is closed; 0: never", "idle", _SECONDS
        ),
        _client_limit(
            "tcp-keepalive",
            "seconds without data until a client is probed; 0: never",
            "keepalive",
            _SECONDS,
        ),
        _client_limit(
            "client-query-buffer-limit",
            "bytes of received commands that have not run yet",
            "query",
            _memory(1024 * 1024, I64_MAX),
        ),
        Parameter(
            "client-output-buffer-limit",
            "bytes of unread replies: class, hard limit, soft limit, seconds, ...",
            lambda engine: engine.settings.clients.output_text(),
            lambda engine, value: engine.settings.clients.set_output(value),
            lambda text: parse_output(text, _memory(0, I64_MAX)),
        ),
        Parameter(
            "protected-mode",
            "reject clients from other machines while the default user has no password",
            lambda engine: "yes" if engine.settings.clients.protected else "no",
            lambda engine, value: engine.settings.clients.set("protected", value),
            _yes_no,
        ),
        _attribute("databases", "number of databases", lambda engine: len(engine.databases)),
        _attribute(
            "dir", "directory of the dump", lambda engine: engine.store.directory.path or ""
        ),
        # redis-benchmark reads both. There are no save points, and there is no append-only file.
        _attribute("save", "save points: none", lambda engine: ""),
        _attribute("appendonly", "write changes to an append-only file", lambda engine: "no"),
        _attribute(
            "dbfilename", "file name of the dump", lambda engine: engine.store.directory.dump_name
        ),
    )
}
ALIASES = {alias: p.name for p in PARAMETERS.values() for alias in p.aliases}


def get_parameters(engine: Engine, patterns: Iterable[bytes]) -> dict[bytes, bytes]:
    """Return names and values of all parameters that match one of the patterns."""
    found: dict[bytes, bytes] = {}
    for pattern in patterns:
        match = compile_pattern(pattern, nocase=True)
        for name in [*PARAMETERS, *ALIASES]:
            if match(name.encode()):
                # A name without glob characters is returned in the case in which it was given.
                spelling = pattern if pattern.lower() == name.encode() else name.encode()
                value = PARAMETERS[ALIASES.get(name, name)].get(engine)
                found.setdefault(spelling, value.encode("utf-8", "surrogateescape"))
    return found


def set_parameters(
    engine: Engine, pairs: Iterable[tuple[bytes, bytes]], *, opening: bool = False
) -> None:
    """Set all parameters, or none if one value is invalid."""
    ready: dict[str, tuple[Parameter, Any]] = {}
    for name, value in pairs:
        text = name.decode("utf-8", "backslashreplace")
        lower = text.lower()
        parameter = PARAMETERS.get(ALIASES.get(lower, lower))
        if parameter is None:
            raise errors.error(f"Unknown option or number of arguments for CONFIG SET - '{text}'")
        if parameter.set is None or (parameter.at_open and not opening):
            raise _failed(text, "can't set immutable config")
        if parameter.name in ready:
            raise _failed(text, "duplicate parameter")
        try:
            ready[parameter.name] = (parameter, parameter.parse(_decoded(value)))
        except ValueError as error:
            raise _failed(text, str(error)) from None
    for parameter, setting in ready.values():
        assert parameter.set is not None
        before = parameter.parse(parameter.get(engine))
        engine.unit.on_rollback(parameter.set, engine, before)
        parameter.set(engine, setting)


def _decoded(value: bytes) -> str:
    """Decode a value; a password may contain any bytes."""
    return value.decode("utf-8", "surrogateescape")


def _failed(name: str, why: str) -> errors.ResponseError:
    return errors.error(f"CONFIG SET failed (possibly related to argument '{name}') - {why}")
