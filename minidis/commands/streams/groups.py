"""Consumer groups of streams: XGROUP, XREADGROUP, XACK, XACKDEL.

Entries delivered to a consumer are *pending* until they are acknowledged. Every change of a group
first saves the previous state of its entries and consumer in the undo log (_note), so that a read
of several streams is atomic. Claims are in claims.py; XPENDING and XINFO, which only read, are in
info.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from minidis import errors
from minidis.clients.blocked import Wait
from minidis.commands.shared.group import T
from minidis.commands.streams.entries import CAP_KINDS, CAP_NAMES, CAPS, POLICIES, Caps, Streams
from minidis.commands.streams.ids import Id, entry, idle_kind, ids_of, loose_id, strict_id
from minidis.grammar.command import declarations
from minidis.grammar.kinds import I64_MAX, RAW, Integer, Key, Kind, Many, encode, integer
from minidis.keyspace.unit import CHANGED
from minidis.protocol.shapes import stream_pairs
from minidis.replies import OK, Status
from minidis.structures.stream_groups import UNKNOWN, Consumer, ConsumerGroup
from minidis.structures.streams import MOST_ID, Row, Stream, id_text

command = declarations(group="stream", parent="XGROUP")

GROUP_NAMES = {"group": "groupname", "consumer": "consumername"}
_HELP = (
    "XGROUP <subcommand> [<arg> ...]. Subcommands are:",
    "CREATE <key> <group> <id|$> [MKSTREAM] [ENTRIESREAD <number>]",
    "    Create a group that reads the stream after an id.",
    "CREATECONSUMER <key> <group> <consumer>",
    "    Create a consumer.",
    "DELCONSUMER <key> <group> <consumer>",
    "    Delete a consumer and its pending entries.",
    "DESTROY <key> <group>",
    "    Delete a group.",
    "SETID <key> <group> <id|$> [ENTRIESREAD <number>]",
    "    Set the id after which a group goes on reading.",
    "HELP",
    "    This text.",
)


def _entries_read(value: Any) -> int:
    """Convert ENTRIESREAD: the number of entries a group has read, -1 if unknown."""
    number = integer(value)
    if number < UNKNOWN:
        raise errors.error(errors.ENTRIES_READ_NEGATIVE)
    return number


_READ = Kind(_entries_read, "", "how many entries there have been up to that id; -1: unknown")


class StreamGroups(Streams[T]):
    """XGROUP, XREADGROUP, XACK, XACKDEL."""

    # groups and consumers ----------------------------------------------------------------------

    @command(
        "XGROUP CREATE key group <id | $> [MKSTREAM] [ENTRIESREAD entries-read]",
        "write denyoom",
        since="5.0.0",
        complexity="O(1)",
        access="RW INSERT",
        names={**GROUP_NAMES, "ENTRIESREAD": "entries_read"},
        kinds={"id": RAW, "entries-read": _READ},
        deferred_errors=True,
        form_error="XGROUP",
        lengths=(5, 6, 7, 8),
    )
    def xgroup_create(
        self,
        key: Key,
        groupname: Key,
        id: Id = "$",
        mkstream: bool = False,
        entries_read: Integer | None = None,
        _option_error: Exception | None = None,
    ) -> Status:
        """Create a consumer group that reads the stream at `key` after `id`.

        id: "$" (default) is the last entry, 0 reads the whole stream. mkstream: create an empty
        stream if the key does not exist. entries_read: number of entries up to that id, from which
        XINFO computes the lag.

        Returns OK. Raises ResponseError if the key does not exist or the group exists,
        WrongTypeError if `key` holds another type.

        >>> db.xadd("log", {"a": 1}, "5-1"), db.xgroup_create("log", "team", 0)
        (b'5-1', OK)
        """
        held, name = both(key, groupname)
        deferred_errors = _after_options(_option_error)
        stream = self.space.write(held, Stream)
        if stream is None and not mkstream:
            raise errors.error(errors.XGROUP_NO_KEY)
        if deferred_errors:
            raise errors.wrong_subcommand("XGROUP", "CREATE")
        word, target = encode(id), Stream() if stream is None else stream
        last_id = target.last_id if word == b"$" else strict_id(word)
        if name in target.groups:
            raise errors.ResponseError(errors.GROUP_EXISTS)
        read: Any = UNKNOWN if entries_read is None else entries_read
        self.space.changed(held, "xgroup-create")
        target.groups[name] = ConsumerGroup(last_id, read)
        if stream is None:
            self.space.changed(held, CHANGED, 0)
            self.space.put(held, target)
        return OK

    @command(
        "XGROUP SETID key group <id | $> [ENTRIESREAD entries-read]",
        "write",
        since="5.0.0",
        complexity="O(1)",
        access="RW UPDATE",
        names={**GROUP_NAMES, "ENTRIESREAD": "entries_read"},
        kinds={"id": RAW, "entries-read": _READ},
        deferred_errors=True,
        form_error="XGROUP",
        lengths=(5, 7),
    )
    def xgroup_setid(
        self,
        key: Key,
        groupname: Key,
        id: Id,
        entries_read: Integer | None = None,
        _option_error: Exception | None = None,
    ) -> Status:
        """Set the id after which a consumer group goes on reading.

        id: "$" is the last entry. entries_read: number of entries up to that id, from which XINFO
        computes the lag.

        Returns OK. Raises ResponseError if the stream or the group does not exist.

        >>> db.xgroup_create("log", "team", mkstream=True), db.xgroup_setid("log", "team", "7-0")
        (OK, OK)
        """
        held, name = both(key, groupname)
        deferred_errors = _after_options(_option_error)
        stream, group = self._existing(held, name)
        if deferred_errors:
            raise errors.wrong_subcommand("XGROUP", "SETID")
        word = encode(id)
        last_id = stream.last_id if word == b"$" else loose_id(word)
        self.space.changed(held, "xgroup-setid")
        self._save_undo(group, ())
        read: Any = UNKNOWN if entries_read is None else entries_read
        group.last_id, group.read = last_id, read
        return OK

    @command(
        "XGROUP DESTROY key group",
        "write",
        since="5.0.0",
        complexity="O(n) for n pending entries",
        access="RW DELETE",
        names=GROUP_NAMES,
    )
    def xgroup_destroy(self, key: Key, groupname: Key) -> int:
        """Delete a consumer group with its consumers and pending entries.

        Returns 1, or 0 if the group does not exist. Raises ResponseError if the key does not exist.

        >>> db.xgroup_create("log", "team", mkstream=True), db.xgroup_destroy("log", "team")
        (OK, 1)
        """
        held, name = both(key, groupname)
        stream = self.space.write(held, Stream)
        if stream is None:
            raise errors.error(errors.XGROUP_NO_KEY)
        if name not in stream.groups:
            return 0
        self.space.changed(held, "xgroup-destroy")
        stream.groups.pop(name)
        return 1

    @command(
        "XGROUP CREATECONSUMER key group consumer",
        "write denyoom",
        since="6.2.0",
        complexity="O(1)",
        access="RW INSERT",
        names=GROUP_NAMES,
    )
    def xgroup_createconsumer(self, key: Key, groupname: Key, consumername: Key) -> int:
        """Create a consumer in a group.

        Returns 1, or 0 if the consumer exists. XREADGROUP also creates missing consumers. Raises
        ResponseError if the stream or the group does not exist.

        >>> db.xgroup_create("log", "team", mkstream=True)
        OK
        >>> db.xgroup_createconsumer("log", "team", "ann")
        1
        """
        held, name = both(key, groupname)
        _, group = self._existing(held, name)
        made: Any = consumername
        if made in group.consumers:
            return 0
        self._consumer(held, group, made)
        return 1

    @command(
        "XGROUP DELCONSUMER key group consumer",
        "write",
        since="5.0.0",
        complexity="O(n) for n pending entries of the consumer",
        access="RW DELETE",
        names=GROUP_NAMES,
    )
    def xgroup_delconsumer(self, key: Key, groupname: Key, consumername: Key) -> int:
        """Delete a consumer of a group with its pending entries.

        Returns the number of entries that were pending for the consumer, 0 if it does not exist.
        Raises ResponseError if the stream or the group does not exist.

        >>> db.xgroup_create("log", "team", mkstream=True)
        OK
        >>> db.xgroup_delconsumer("log", "team", "ann")
        0
        """
        held, name = both(key, groupname)
        _, group = self._existing(held, name)
        gone: Any = consumername
        consumer = group.consumers.get(gone)
        if consumer is None:
            return 0
        ids = list(consumer.ids)
        self.space.changed(held, "xgroup-delconsumer")
        self._save_undo(group, ids, gone)
        for number in ids:
            group.drop(number)
        del group.consumers[gone]
        return len(ids)

    @command("XGROUP HELP", "loading stale", since="5.0.0", complexity="O(1)")
    def xgroup_help(self) -> list[Status]:
        """Return the help text of XGROUP as a list of lines.

        >>> db.xgroup_help()[1]
        CREATE <key> <group> <id|$> [MKSTREAM] [ENTRIESREAD <number>]
        """
        return [Status(line) for line in _HELP]

    def _existing(self, key: bytes, name: bytes) -> tuple[Stream, ConsumerGroup]:
        """Return the stream and the group for XGROUP; both must exist."""
        stream = self.space.write(key, Stream)
        if stream is None:
            raise errors.error(errors.XGROUP_NO_KEY)
        if name not in stream.groups:
            raise errors.no_group(key, name)
        return stream, stream.groups[name]

    def _save_undo(self, group: ConsumerGroup, ids: Iterable[int], *names: bytes) -> None:
        """Save these entries and consumers of the group in the undo log, before a change."""
        self.unit.on_rollback(group.restore, *group.memo(ids, *names))

    def _state_claim(
        self, key: bytes, names: tuple[bytes, bytes], group: ConsumerGroup, number: int
    ) -> None:
        """State as an effect that an entry is now pending."""
        if self.unit.recording:
            _, time, count = group.pending[number]
            options = {"time": time, "retrycount": count, "lastid": id_text(group.last_id)}
            ids = [id_text(number)]
            self._effect("XCLAIM", key, *names, 0, ids, force=True, justid=True, **options)

    def _state_progress(self, key: bytes, name: bytes, group: ConsumerGroup) -> None:
        """State as an effect how far the group has read."""
        last_id = id_text(group.last_id)
        self._effect("XGROUP SETID", key, name, last_id, entries_read=group.read)

    def _consumer(self, key: bytes, group: ConsumerGroup, name: bytes) -> Consumer:
        """Return the consumer of that name, created if missing, and mark it as seen now."""
        consumer = group.consumers.get(name)
        if consumer is None:
            self.space.changed(key, "xgroup-createconsumer")
            consumer = Consumer(name, 0)
        self._save_undo(group, (), name)
        group.consumers[name] = consumer
        consumer.seen = self.unit.now()
        return consumer

    def _state_consumer(
        self, key: bytes, names: tuple[bytes, bytes], group: ConsumerGroup, *, made: bool
    ) -> None:
        """State as an effect that a consumer was created, unless a claim does it."""
        if made and not group.consumers[names[1]].ids:
            self._effect("XGROUP CREATECONSUMER", key, *names)

    # reading -----------------------------------------------------------------------------------

    @command(
        f"XREADGROUP GROUP group consumer {CAPS} [CLAIM min-idle-time] [NOACK] "
        "STREAMS key [key ...] id [id ...]",
        "write blocking movablekeys",
        since="5.0.0",
        complexity="O(m) for m entries returned, and O(n) for n pending ones with CLAIM",
        access="RO ACCESS",
        names={**GROUP_NAMES, **CAP_NAMES, "key": "streams", "CLAIM": "claim_min_idle_time"},
        kinds={"id": RAW, "min-idle-time": idle_kind("XREADGROUP"), **CAP_KINDS},
        uneven_error=errors.XREADGROUP_UNBALANCED,
        floating="GROUP",
        missing_error=errors.XREADGROUP_NO_GROUP,
        resp2=stream_pairs,
    )
    def xreadgroup(
        self,
        groupname: Key,
        consumername: Key,
        streams: Mapping[Key, Id],
        count: Integer | None = None,
        block: Integer | None = None,
        noack: bool = False,
        claim_min_idle_time: Integer | None = None,
        max_count: Integer | None = None,
        max_size: Integer | None = None,
    ) -> dict[T, list[Any]] | None:
        """Read streams as a consumer of a group; each entry is delivered to one consumer.

        streams: {key: id}; ">" reads entries not yet delivered to the group, any other id re-reads
        this consumer's pending entries after it (fields are None if an entry has been deleted).
        count, block, max_count, max_size: see XREAD. noack: do not add the entries to the pending
        ones.
        claim_min_idle_time: first claim entries pending for this many milliseconds, longest first;
        entries are then [id, fields, idle milliseconds, previous deliveries].

        Creates the consumer if missing. Returns {key: [[id, fields], ...]}, or None if there is
        nothing to read. Raises ResponseError if the stream or the group does not exist.

        >>> db.xadd("log", {"a": 1}, "5-1"), db.xgroup_create("log", "team", 0)
        (b'5-1', OK)
        >>> db.xreadgroup("team", "ann", {"log": ">"})
        {b'log': [[b'5-1', [b'a', b'1']]]}
        """
        pairs: Any = streams
        name: Any = groupname
        seconds = None if block is None else self._seconds(block)
        wanted = [(key, *self._wanted(key, name, word)) for key, word in pairs]
        caps = Caps(count, max_count, max_size)
        reply: dict[Any, list[Any]] = {}
        reader = _Reader(self, (name, consumername), noack, claim_min_idle_time, caps)
        for key, stream, group, after in wanted:
            given = reader.read(key, stream, group, after)
            if given is not None:
                reply.setdefault(key, []).extend(given)
        self.unit.no_effect()  # but for those that the reader has stated
        result: Any = reply or None
        if seconds is not None and not reply:
            result = Wait([key for key, _ in pairs], seconds, kind=Stream, on_delete=True)
        return result

    def _wanted(
        self, key: bytes, name: bytes, word: Any
    ) -> tuple[Stream, ConsumerGroup, int | None]:
        """Return (stream, group, id after which to re-read pending entries; None for new ones)."""
        stream = self.space.read(key, Stream)
        if stream is None or name not in stream.groups:
            raise errors.no_key_or_group(key, name, " in XREADGROUP with GROUP option")
        word = encode(word)
        if word == b"$":
            raise errors.error(errors.XREADGROUP_LAST)
        if word == b"+":
            raise errors.error(errors.XREADGROUP_TOP)
        number = MOST_ID if word == b">" else strict_id(word)
        return stream, stream.groups[name], None if number == MOST_ID else number

    # acknowledging -----------------------------------------------------------------------------

    @command(
        "XACK key group id [id ...]",
        "write fast",
        since="5.0.0",
        complexity="O(1) for each id",
        access="RW UPDATE",
        names={**GROUP_NAMES, "id": "ids"},
        kinds={"id": RAW},
    )
    def xack(self, key: Key, groupname: Key, *ids: Many) -> int:
        """Acknowledge entries, so that they are no longer pending in the group.

        Returns the number of entries that were pending; 0 if the stream or the group does not
        exist. Raises ResponseError for an invalid id, WrongTypeError if `key` holds another type.

        >>> db.xadd("log", {"a": 1}, "5-1"), db.xgroup_create("log", "team", 0)
        (b'5-1', OK)
        >>> _ = db.xreadgroup("team", "ann", {"log": ">"})
        >>> db.xack("log", "team", "5-1", "6-1")
        1
        """
        group = self._group_if_any(key, groupname)
        if group is None:
            return 0
        found = [number for number in dict.fromkeys(ids_of(ids)) if number in group.pending]
        self._acknowledge(key, group, found)
        return len(found)

    def _group_if_any(self, key: Any, groupname: Any) -> ConsumerGroup | None:
        stream = self.space.read(key, Stream)
        return None if stream is None else stream.groups.get(groupname)

    def _acknowledge(self, key: Any, group: ConsumerGroup, ids: list[int]) -> None:
        if ids:
            self._save_undo(group, ids)
            self.space.changed(key, None, len(ids))
            for number in ids:
                group.drop(number)

    @command(
        "XACKDEL key group [KEEPREF | DELREF | ACKED] IDS numids id [id ...]",
        "write fast",
        since="8.2.0",
        complexity="O(log n) for each id, in a stream of n entries",
        access="RW UPDATE DELETE",
        names={**GROUP_NAMES, **POLICIES, "id": "ids"},
        kinds={"id": RAW},
        count_error=errors.NUMIDS_NOT_POSITIVE,
        overflow_error=errors.NUMIDS_DIFFERENT,
        left_error=errors.NUMIDS_DIFFERENT,
    )
    def xackdel(
        self, key: Key, groupname: Key, *ids: Many, ref_policy: str | None = None
    ) -> list[int]:
        """Acknowledge entries in a group and delete them from the stream.

        ref_policy: what happens in other groups; see XDELEX.

        Returns a list with one int per id: 1 acknowledged and deleted, 2 acknowledged but kept
        because of "ACKED", -1 not pending in the group.

        >>> db.xadd("log", {"a": 1}, "5-1"), db.xgroup_create("log", "team", 0)
        (b'5-1', OK)
        >>> _ = db.xreadgroup("team", "ann", {"log": ">"})
        >>> db.xackdel("log", "team", "5-1", "6-1"), db.xlen("log")
        ([1, -1], 0)
        """
        wanted = ids_of(ids)
        held: Any = key
        stream = self.space.write(held, Stream)
        name: Any = groupname
        if stream is None or name not in stream.groups:
            return [-1] * len(wanted)
        group = stream.groups[name]
        pending = [number for number in dict.fromkeys(wanted) if number in group.pending]
        self._acknowledge(held, group, pending)
        policy = encode(ref_policy or b"KEEPREF")
        replies = {number: self._verdict(stream, number, policy) for number in pending}
        self._carry_out(held, stream, replies, pending if policy == b"DELREF" else [])
        return [replies.pop(number, -1) for number in wanted]


class _Reader:
    """The read of one XREADGROUP call for its consumer, stream by stream."""

    def __init__(
        self, commands: StreamGroups[Any], names: Any, noack: bool, claim: Any, caps: Caps
    ) -> None:
        self.commands = commands
        #: of the group and of the consumer
        self.names: tuple[bytes, bytes] = names
        self.noack = noack
        #: claim entries that have been pending for this many milliseconds
        self.claim: int | None = claim
        self.caps = caps
        self.now = commands.unit.now()

    def read(
        self, key: bytes, stream: Stream, group: ConsumerGroup, after: int | None
    ) -> list[Any] | None:
        """Return the entries of one stream; None if there is nothing to read."""
        made = self.names[1] not in group.consumers
        consumer = self.commands._consumer(key, group, self.names[1])
        found = None if self.caps.full else self._found(key, stream, group, consumer, after)
        self.commands._state_consumer(key, self.names, group, made=made)
        return found

    def _found(
        self,
        key: bytes,
        stream: Stream,
        group: ConsumerGroup,
        consumer: Consumer,
        after: int | None,
    ) -> list[Any] | None:
        if after is not None:
            return self._history(key, stream, group, consumer, after)
        idle = [] if self.claim is None else self._idle(stream, group)
        if not idle and stream.top_id <= group.last_id:
            return None
        self.commands.space.changed(key, None)
        taken = self._take_over(key, stream, group, consumer, idle)
        given = self._new(key, stream, group, consumer, len(taken))
        if self.claim is None:
            return [entry(row) for row in given]
        return taken + [[*entry(row), 0, 0] for row in given]

    def _deliver(
        self, key: bytes, group: ConsumerGroup, number: int, consumer: Consumer, count: int
    ) -> None:
        group.put(number, (consumer, self.now, min(count, I64_MAX)))  # see XNACK FATAL
        self.commands._state_claim(key, self.names, group, number)

    def _history(
        self, key: bytes, stream: Stream, group: ConsumerGroup, consumer: Consumer, after: int
    ) -> list[Any]:
        """What the consumer has not acknowledged; it counts as delivered once more."""
        ids = list(islice(consumer.ids.upward(after + 1), self.caps.room_after()))
        self.commands._save_undo(group, ids)
        found = self.caps.take([stream.get(number) or (number,) for number in ids])
        self.commands.space.changed(key, None, any(len(row) > 1 for row in found))
        for row in found:
            if len(row) > 1:
                _, _, count = group.pending[row[0]]
                self._deliver(key, group, row[0], consumer, count + 1)
        return [entry(row) if len(row) > 1 else [id_text(row[0]), None] for row in found]

    def _idle(self, stream: Stream, group: ConsumerGroup) -> list[int]:
        """Return the ids of entries that have been pending long enough, longest first."""
        assert self.claim is not None
        until = self.now - self.claim
        records = group.pending
        found = [number for number in records if records[number][1] <= until]
        found.sort(key=lambda number: (records[number][1], number))
        return [number for number in found if stream.get(number) is not None][
            : self.caps.room_after()
        ]

    def _take_over(
        self,
        key: bytes,
        stream: Stream,
        group: ConsumerGroup,
        consumer: Consumer,
        ids: list[int],
    ) -> list[Any]:
        self.commands._save_undo(group, ids)
        rows = self.caps.take([row for row in map(stream.get, ids) if row is not None])
        taken: list[Any] = []
        for row in rows:
            _, time, count = group.pending[row[0]]
            taken.append([*entry(row), self.now - time, count])
            consumer.active = self.now
            self._deliver(key, group, row[0], consumer, count + 1)
        return taken

    def _new(
        self, key: bytes, stream: Stream, group: ConsumerGroup, consumer: Consumer, taken: int
    ) -> list[Row]:
        """Deliver new entries of the group; COUNT includes the `taken` ones."""
        room = self.caps.room_after(taken)
        if self.caps.full or room == 0:
            return []
        rows = self.caps.take(stream.range(group.last_id + 1, MOST_ID, room))
        self.commands._save_undo(group, () if self.noack else [row[0] for row in rows])
        for row in rows:
            stream.advance(group, row[0])
            if not self.noack:
                consumer.active = self.now
                self._deliver(key, group, row[0], consumer, 1)
        if rows:
            self.commands._state_progress(key, self.names[0], group)
        return rows


def both(key: Any, groupname: Any) -> tuple[bytes, bytes]:
    """Return the same two, typed: they have been converted to bytes by dispatch."""
    return key, groupname


def _after_options(mistake: Exception | None) -> bool:
    """Raise an error in the options of XGROUP; return whether only their number is wrong."""
    if mistake is not None and "wrong number of arguments for 'xgroup|" not in str(mistake):
        raise mistake
    return mistake is not None
