"""Information about streams, groups and consumers: XPENDING and XINFO."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from minidis import errors
from minidis.commands.shared.group import Group, T
from minidis.commands.streams.ids import Id, end_of, entries, entry, start_of
from minidis.grammar.command import declarations
from minidis.grammar.cursor import WordCursor
from minidis.grammar.kinds import INTEGER, RAW, Integer, Key, encode, integer
from minidis.keyspace.keyspace import no_such_key
from minidis.protocol.shapes import last_null_array
from minidis.replies import Status
from minidis.structures.stream_groups import NEVER, UNKNOWN, Consumer, ConsumerGroup, Ids
from minidis.structures.streams import Stream, id_text

command = declarations(group="stream", parent="XINFO")

#: Default COUNT of XINFO STREAM FULL.
_USUAL_COUNT = 10
_HELP = (
    "XINFO <subcommand> [<arg> ...]. Subcommands are:",
    "CONSUMERS <key> <group>",
    "    The consumers of a group.",
    "GROUPS <key>",
    "    The groups of a stream.",
    "STREAM <key> [FULL [COUNT <count>]]",
    "    The stream.",
    "HELP",
    "    This text.",
)


def _parse_xpending(words: WordCursor) -> None:
    """Two to six words or none; Redis ignores the last ones where IDLE is missing."""
    if not words.left:
        return
    if not 3 <= words.left <= 6:
        raise errors.error(errors.SYNTAX)
    if words.skip(b"IDLE"):
        words.read("IDLE")
    if words.left < 3:
        raise errors.error(errors.SYNTAX)
    for name in ("start", "end", "count", "consumer")[: words.left]:
        words.read(name)
    words.skip_all()


def _parse_xinfo_stream(words: WordCursor) -> None:
    """COUNT belongs to FULL, and nothing follows it."""
    if not words.skip(b"FULL"):
        return
    words.values["full"] = True
    if words.left not in (0, 2):
        raise errors.error(errors.SYNTAX)
    words.read_options()


class StreamInfo(Group[T]):
    """XPENDING and XINFO."""

    # pending -----------------------------------------------------------------------------------

    @command(
        "XPENDING key group [[IDLE min-idle-time] start end count [consumer]]",
        "readonly",
        since="5.0.0",
        complexity="O(log n + m) for n pending entries and m returned; O(c) for c consumers",
        access="RO ACCESS",
        names={"group": "groupname", "start": "min", "end": "max", "consumer": "consumername",
               "IDLE": "idle"},
        kinds={"start": RAW, "end": RAW, "count": RAW, "min-idle-time": INTEGER},
        parse=_parse_xpending,
        resp2=last_null_array,
    )  # fmt: skip
    def xpending(
        self,
        key: Key,
        groupname: Key,
        min: Id | None = None,
        max: Id | None = None,
        count: Integer | None = None,
        consumername: Key | None = None,
        idle: Integer | None = None,
    ) -> list[Any]:
        """Return the pending entries of a consumer group: a summary, or a list of entries.

        min, max, count: list at most `count` entries with ids in this range (bounds as in XRANGE).
        consumername: only entries of this consumer. idle: only entries not delivered for this many
        milliseconds.

        Without a range returns [number, lowest id, highest id, [[consumer, number], ...]]; with
        one, a list of [id, consumer, milliseconds since delivery, deliveries]. Raises ResponseError
        if the stream or the group does not exist, WrongTypeError if `key` holds another type.

        >>> db.xadd("log", {"a": 1}, "5-1"), db.xgroup_create("log", "team", 0)
        (b'5-1', OK)
        >>> _ = db.xreadgroup("team", "ann", {"log": ">"})
        >>> db.xpending("log", "team")
        [1, b'5-1', b'5-1', [[b'ann', b'1']]]
        """
        span = self._span(min, max, count, consumername, idle)
        held: Any = key
        name: Any = groupname
        stream = self.space.read(held, Stream)
        if stream is None or name not in stream.groups:
            raise errors.no_key_or_group(held, name)
        group = stream.groups[name]
        if span is None:
            return _summary(group)
        limit, first, last = span
        return list(islice(self._matching(group, first, last, consumername, idle), limit))

    @staticmethod
    def _span(
        min: Any, max: Any, count: Any, consumername: Any, idle: Any
    ) -> tuple[int, int, int] | None:
        """Parse the range of XPENDING in Redis's order: (count, first id, last id), or None."""
        given = [part is not None for part in (min, max, count)]
        if not any(given) and consumername is None and idle is None:
            return None
        if not all(given):
            raise errors.error(errors.SYNTAX)
        limit = integer(count)
        first = start_of(min)
        return limit if limit > 0 else 0, first, end_of(max)

    def _matching(
        self, group: ConsumerGroup, first: int, last: int, consumername: Any, idle: Any
    ) -> Iterator[list[Any]]:
        """Yield the pending entries from `first` to `last` as XPENDING lists them."""
        ids: Ids[Any] = group.pending
        if consumername is not None:
            consumer = group.consumers.get(encode(consumername))
            ids = Ids() if consumer is None else consumer.ids
        now = self.unit.now()
        for number in ids.upward(first, last):
            owner, time, count = group.pending[number]
            if not idle or now - time >= idle:
                name = b"" if owner is None else owner.name
                passed = -1 if owner is None else now - time if now > time else 0
                yield [id_text(number), name, passed, count]

    def xpending_range(
        self,
        key: Key,
        groupname: Key,
        min: Id,
        max: Id,
        count: Integer,
        consumername: Key | None = None,
        idle: Integer | None = None,
    ) -> list[Any]:
        """List pending entries of a consumer group; the name of this form of XPENDING in redis-py.

        Arguments, result and errors are those of `xpending` with `min`, `max` and `count`.

        >>> db.xadd("log", {"a": 1}, "5-1"), db.xgroup_create("log", "team", 0)
        (b'5-1', OK)
        >>> _ = db.xreadgroup("team", "ann", {"log": ">"})
        >>> db.xpending_range("log", "team", "-", "+", 10, "bob")
        []
        """
        return self.xpending(key, groupname, min, max, count, consumername, idle)

    # XINFO -------------------------------------------------------------------------------------

    @command(
        "XINFO STREAM key [FULL [COUNT count]]",
        "readonly",
        since="5.0.0",
        complexity="O(1), FULL O(n) for n entries shown",
        access="RO ACCESS",
        parse=_parse_xinfo_stream,
        deferred_errors=True,
        form_error="XINFO",
    )
    def xinfo_stream(
        self,
        key: Key,
        full: bool = False,
        count: Integer | None = None,
        _option_error: Exception | None = None,
    ) -> dict[T, Any]:
        """Return information about the stream at `key` as a dict.

        full: include all entries, groups, consumers and pending entries. count: with full, include
        at most this many of each (default 10; 0 for all).

        Fields: length, last-generated-id, max-deleted-entry-id, entries-added, groups, first-entry,
        last-entry and others. Raises ResponseError if the key does not exist, WrongTypeError if it
        holds another type.

        >>> db.xadd("log", {"a": 1}, "5-1"), db.xinfo_stream("log")[b"last-generated-id"]
        (b'5-1', b'5-1')
        """
        stream = self._stream(key)
        if _option_error is not None:
            raise _option_error
        reply: dict[Any, Any] = {
            b"length": len(stream),
            b"radix-tree-keys": len(stream.nodes),
            b"radix-tree-nodes": stream.tree_nodes(),
            b"last-generated-id": id_text(stream.last_id),
            b"max-deleted-entry-id": id_text(stream.max_deleted),
            b"entries-added": stream.added,
            b"recorded-first-entry-id": id_text(stream.first_id),
        }
        if full:
            wanted: Any = _USUAL_COUNT if count is None or count < 0 else count  # type: ignore[operator]
            limit = wanted or None
            reply[b"entries"] = entries(islice(stream, limit))
            groups = sorted(stream.groups.items())
            reply[b"groups"] = [_full_group(stream, name, group, limit) for name, group in groups]
            return reply
        reply[b"groups"] = len(stream.groups)
        reply[b"first-entry"] = entry(stream.nodes[0].rows[0]) if len(stream) else None
        reply[b"last-entry"] = entry(stream.nodes[-1].rows[-1]) if len(stream) else None
        return reply

    def _stream(self, key: Any) -> Stream:
        """Return the stream at the key, which must exist."""
        stream = self.space.read(key, Stream)
        if stream is None:
            raise no_such_key()
        return stream

    @command(
        "XINFO GROUPS key",
        "readonly",
        since="5.0.0",
        complexity="O(n log n) for n groups",
        access="RO ACCESS",
    )
    def xinfo_groups(self, key: Key) -> list[dict[T, Any]]:
        """Return information about the consumer groups of the stream at `key`.

        Returns a list with one dict per group: name, consumers, pending, last-delivered-id,
        entries-read, lag. lag is the number of entries not yet delivered, None if unknown. Raises
        ResponseError if the key does not exist, WrongTypeError if it holds another type.

        >>> db.xgroup_create("log", "team", mkstream=True), db.xinfo_groups("log")[0][b"name"]
        (OK, b'team')
        """
        stream = self._stream(key)
        reply: Any = [
            {
                b"name": name,
                b"consumers": len(group.consumers),
                b"pending": len(group.pending),
                **_progress(stream, group),
            }
            for name, group in sorted(stream.groups.items())
        ]
        return reply

    @command(
        "XINFO CONSUMERS key group",
        "readonly",
        since="5.0.0",
        complexity="O(n log n) for n consumers",
        access="RO ACCESS",
        names={"group": "groupname"},
    )
    def xinfo_consumers(self, key: Key, groupname: Key) -> list[dict[T, Any]]:
        """Return information about the consumers of a group.

        Returns a list with one dict per consumer: name, pending (number of entries), idle
        (milliseconds since its last command), inactive (milliseconds since entries were last
        delivered to it, -1 if never). Raises ResponseError if the stream or the group does not
        exist.

        >>> db.xgroup_create("log", "team", mkstream=True)
        OK
        >>> db.xgroup_createconsumer("log", "team", "ann"), db.xinfo_consumers("log", "team")
        (1, [{b'name': b'ann', b'pending': 0, b'idle': ..., b'inactive': -1}])
        """
        stream = self._stream(key)
        name: Any = groupname
        if name not in stream.groups:
            raise errors.no_group(encode(key), name)
        now = self.unit.now()
        consumers = sorted(stream.groups[name].consumers.items())
        reply: Any = [
            {
                b"name": who,
                b"pending": len(consumer.ids),
                b"idle": max(now - consumer.seen, 0),
                b"inactive": _since(consumer.active, now),
            }
            for who, consumer in consumers
        ]
        return reply

    @command("XINFO HELP", "loading stale", since="5.0.0", complexity="O(1)")
    def xinfo_help(self) -> list[Status]:
        """Return the help text of XINFO as a list of lines.

        >>> db.xinfo_help()[1]
        CONSUMERS <key> <group>
        """
        return [Status(line) for line in _HELP]


def _since(moment: int, now: int) -> int:
    """Return the milliseconds since a moment, NEVER if it has not come."""
    return NEVER if moment == NEVER else max(now - moment, 0)


def _summary(group: ConsumerGroup) -> list[Any]:
    """Return XPENDING's reply without a range."""
    if not group.pending:
        return [0, None, None, None]
    ids = group.pending.sorted()
    owners = [
        [name, b"%d" % len(consumer.ids)]
        for name, consumer in sorted(group.consumers.items())
        if consumer.ids
    ]
    return [len(ids), id_text(ids[0]), id_text(ids[-1]), owners]


def _progress(stream: Stream, group: ConsumerGroup) -> dict[bytes, Any]:
    """Return the fields that tell how far a group has read."""
    return {
        b"last-delivered-id": id_text(group.last_id),
        b"entries-read": None if group.read == UNKNOWN else group.read,
        b"lag": stream.lag(group),
    }


def _full_group(
    stream: Stream, name: bytes, group: ConsumerGroup, limit: int | None
) -> dict[bytes, Any]:
    """Return a group for XINFO STREAM FULL."""
    pending = []
    for number in islice(group.pending.sorted(), limit):
        owner, time, count = group.pending[number]
        pending.append([id_text(number), b"" if owner is None else owner.name, time, count])
    consumers = [consumer for _, consumer in sorted(group.consumers.items())]
    return {
        b"name": name,
        **_progress(stream, group),
        b"pel-count": len(group.pending),
        b"pending": pending,
        b"consumers": [_full_consumer(group, consumer, limit) for consumer in consumers],
    }


def _full_consumer(group: ConsumerGroup, consumer: Consumer, limit: int | None) -> dict[bytes, Any]:
    """Return a consumer for XINFO STREAM FULL."""
    ids = islice(consumer.ids.sorted(), limit)
    return {
        b"name": consumer.name,
        b"seen-time": consumer.seen,
        b"active-time": consumer.active,
        b"pel-count": len(consumer.ids),
        b"pending": [[id_text(number), *group.pending[number][1:]] for number in ids],
    }
