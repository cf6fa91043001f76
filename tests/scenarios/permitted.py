"""The two tables of permitted differences between a real server and the RESP server of minidis.

MASKS hide values that differ in every run (ids, addresses, ages); they are applied to both sides.
DIFFERENCES name intended differences. A scenario refers to one with `because` and states the reply
of minidis.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import groupby

from minidis.replies import Status
from tests.oracle.resp import Map, Reply, Verbatim

Ids = Mapping[int, str]  # id of a connection -> letter of the session


@dataclass(frozen=True)
class Mask:
    """A name, the reason, and the function that replaces the varying values."""

    name: str
    why: str
    apply: Callable[[Reply, Ids], Reply]


#: name -> why. docs/compatibility.md contains this table.
DIFFERENCES: dict[str, str] = {
    "tracking ended": (
        "When the last client stops tracking, the table of tracked keys is cleared; Redis keeps "
        "it for clients that start tracking again."
    ),
    "overwritten": (
        "A call blocked on a list (or sorted set) returns as soon as the key holds an element; "
        "when STORE replaces a key of another type with a list, Redis does not serve the call "
        "before the next push."
    ),
    "broadcast at once": (
        "Invalidations in broadcast mode are sent after each command; Redis collects them until "
        "its event loop is idle."
    ),
    "flags in full": "CONFIG GET shows the flag n (new keys) in addition to A; 7.4.1 omits it.",
    "NUL in a name": "CLIENT SETNAME refuses a NUL as other odd characters; 7.4.1 accepts it.",
}

#: Fields of a line of CLIENT LIST whose values depend on time, place and memory.
_VARYING = frozenset(
    (
        *("addr", "laddr", "fd", "age", "idle", "qbuf", "qbuf-free", "argv-mem", "multi-mem"),
        *("rbs", "rbp", "obl", "oll", "omem", "tot-mem"),
    )
)
#: Fields that came after 7.4.
_NEWER_FIELDS = frozenset(("tot-net-in", "tot-net-out", "tot-cmds", "io-thread"))
#: Entries of HELLO and ACL LOG whose values depend on version and time, and on the log before.
_VARYING_ENTRIES = frozenset(
    (b"version", b"age-seconds", b"entry-id", b"timestamp-created", b"timestamp-last-updated")
)
_CLIENT_LINE = re.compile(rb"id=\d+ addr=")
_PAYLOAD_END = re.compile(rb"[\x0a\x0c]\x00.{8}\Z", re.DOTALL)
_MONITOR_LINE = re.compile(r"\d+\.\d{6} \[(\d+) [^\]]*\] ")
_PATTERN_MESSAGE = re.compile(r'(>?)\["pmessage", "(?:[^"\\]|\\.)*"(, .*)$')
_INFO = re.compile(rb"# \w+\r\n\w+:")


#: Commands whose answers may contain ids of connections.
_ABOUT_CLIENTS = frozenset((b"CLIENT", b"HELLO", b"EXEC", b"ACL"))
#: First words of the commands whose lists are read from a hash table.
_UNORDERED = (
    (b"ACL", b"CAT"), (b"COMMAND", b"LIST"), (b"PUBSUB", b"CHANNELS"), (b"KEYS",), (b"SMEMBERS",),
)  # fmt: skip


def masked(reply: Reply, ids: Ids, asked: set[tuple[bytes, ...]]) -> Reply:
    """The reply with everything hidden that varies.

    `asked` is what the session has just said, in capitals: numbers may be ids of connections, and
    lists may have no order.
    """
    about_clients = any(words[:1] and words[0] in _ABOUT_CLIENTS for words in asked)
    if any(words[:1] == (b"DUMP",) for words in asked):
        reply = _without_version(reply)
    if reply.__class__ is list and asked and all(map(_without_order, asked)):
        reply = sorted(reply)
    return _hidden(reply, ids, about_clients)


def _without_version(reply: Reply) -> Reply:
    """A payload of DUMP without its version and checksum: ours is one that all servers read."""
    return reply[:-10] if isinstance(reply, bytes) and _PAYLOAD_END.search(reply) else reply


def _without_order(words: tuple[bytes, ...]) -> bool:
    return any(words[: len(head)] == head for head in _UNORDERED)


def _hidden(reply: Reply, ids: Ids, about_clients: bool) -> Reply:
    for mask in MASKS:
        if mask.name != "id" or about_clients:
            reply = mask.apply(reply, ids)
    if isinstance(reply, Map):
        return Map([_hidden(part, ids, about_clients) for part in pair] for pair in reply)
    if isinstance(reply, list):
        return reply.__class__(_hidden(item, ids, about_clients) for item in reply)
    return reply


def _id(reply: Reply, ids: Ids) -> Reply:
    if reply.__class__ is int and reply in ids:
        return Status(f"<id of {ids[reply]}>")
    return reply


def _client_lines(reply: Reply, ids: Ids) -> Reply:
    if not isinstance(reply, bytes) or not _CLIENT_LINE.search(reply[:40]):
        return reply
    kind, text = (reply[:4], reply[4:]) if isinstance(reply, Verbatim) else (b"", bytes(reply))
    lines = [_client_line(line, ids) for line in text.decode("latin-1").split("\n")]
    return reply.__class__(kind + "\n".join(line for line in lines if line is not None).encode())


def _client_line(line: str, ids: Ids) -> str | None:
    """A line with its varying values hidden; None for a connection that is not in the play."""
    if not line:
        return line
    parts = [part.partition("=") for part in line.split(" ")]
    values = {name: value for name, _, value in parts}
    if int(values["id"]) not in ids:
        return None
    shown = []
    for name, value in values.items():
        if name in _NEWER_FIELDS:
            continue
        if name == "id" or (name == "redir" and value.isdigit()):
            value = ids.get(int(value), value)
        shown.append(f"{name}={'*' if name in _VARYING else value}")
    return " ".join(shown)


def _monitor(reply: Reply, ids: Ids) -> Reply:
    if isinstance(reply, Status) and _MONITOR_LINE.match(reply):
        return Status(_MONITOR_LINE.sub(r"* [\1 *] ", reply, count=1))
    return reply


def _command_entry(reply: Reply, ids: Ids) -> Reply:
    """An entry of COMMAND INFO: name, arity, flags, ..."""
    if reply.__class__ is list and len(reply) == 10 and isinstance(reply[2], list):
        return [sorted(part) if _is_statuses(part) else part for part in reply]
    if (
        reply.__class__ is list
        and len(reply) > 1
        and reply[0] == b"flags"
        and _is_statuses(reply[1])
    ):
        return [reply[0], sorted(reply[1]), *reply[2:]]
    return reply


def _is_statuses(part: Reply) -> bool:
    return isinstance(part, list) and bool(part) and all(isinstance(one, Status) for one in part)


def _info(reply: Reply, ids: Ids) -> Reply:
    if not isinstance(reply, bytes) or not _INFO.search(reply[:80]):
        return reply
    kind = reply[:4] if isinstance(reply, Verbatim) else b""
    names = [name for name in re.findall(rb"(?:^|\n|txt:)# (\w+)", reply) if name != b"Errorstats"]
    return reply.__class__(kind + b" ".join(names))


def _entries(reply: Reply, ids: Ids) -> Reply:
    """Entries of maps (and of flat maps) that vary."""
    if isinstance(reply, Map):
        return Map([name, _entry(name, value)] for name, value in reply)
    if reply.__class__ is list and reply and len(reply) % 2 == 0 and reply[0] in _HEADS:
        pairs = zip(reply[::2], reply[1::2], strict=True)
        return [part for name, value in pairs for part in (name, _entry(name, value))]
    return reply


#: The first names of the flat maps that HELLO and ACL LOG answer in RESP2.
_HEADS = (b"server", b"count", b"flags")


def _entry(name: Reply, value: Reply) -> Reply:
    if name == b"flags" and isinstance(value, list):
        return value.__class__(sorted(value))  # a set, which RESP2 cannot say
    return b"*" if isinstance(name, bytes) and name in _VARYING_ENTRIES else value


def tidied(lines: list[str]) -> list[str]:
    """One message that comes through several patterns: Redis asks a hash table for their order."""
    found: list[str] = []
    for place, group in groupby(lines, _place):
        same = list(group)
        found += same if place is None else sorted(same)
    return found


def _place(line: str) -> tuple[str, ...] | None:
    """What the same message through another pattern has in common with this line."""
    match = _PATTERN_MESSAGE.match(line)
    return match.groups() if match else None


MASKS = (
    Mask("client line", "Ids, addresses, ages and memory are of the process.", _client_lines),
    Mask("monitor", "Time and address of a line of MONITOR.", _monitor),
    Mask(
        "info",
        "What INFO tells is of the process; its sections but Errorstats are compared.",
        _info,
    ),
    Mask("command", "Flags and categories are sets, which RESP2 cannot say.", _command_entry),
    Mask("entry", "The version in HELLO; ages, times and numbers in ACL LOG.", _entries),
    Mask("id", "Ids of connections are numbered as they come.", _id),
)
