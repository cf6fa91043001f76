"""Consumer groups of streams: who reads, who has acknowledged, who takes over.

What a group has given to a consumer is *pending* until it is acknowledged. Every change of a group
first notes in `engine.undo` how the entries and the consumer it concerns were before (_note), so
that a read of several streams is done or has not happened. XPENDING and XINFO only look; they are
in stream_info.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from minidis import errors
from minidis.command import command
from minidis.commands.group import T
from minidis.commands.stream_ids import (
    ENTRY,
    START,
    Id,
    entry,
    idle_kind,
    ids_of,
    loose_id,
    said,
    strict_id,
)
from minidis.commands.streams import CAP_KINDS, CAP_NAMES, CAPS, POLICIES, Caps, Streams
from minidis.kinds import I64_MAX, RAW, Integer, Key, Kind, Many, Value, encode, integer
from minidis.replies import OK, Status
from minidis.structures.stream_groups import UNKNOWN, Consumer, Group
from minidis.structures.streams import MOST_ID, Row, Stream, id_text
from minidis.waiting import Wait

_NAMES = {"group": "groupname", "consumer": "consumername"}
#: Entries that XAUTOCLAIM claims without COUNT, and how many it looks at for each.
_USUAL_COUNT, _ATTEMPTS = 100, 10
#: What XAUTOCLAIM accepts as COUNT.
_MOST_COUNT = I64_MAX // 16
_HELP = (
    "XGROUP <subcommand> [<arg> ...]. Subcommands are:",
    "CREATE <key> <group> <id|$> [MKSTREAM] [ENTRIESREAD <number>]",
    "    Make a group that has read the stream up to an id.",
    "CREATECONSUMER <key> <group> <consumer>",
    "    Make a consumer.",
    "DELCONSUMER <key> <group> <consumer>",
    "    Delete a consumer with all that is pending for it.",
    "DESTROY <key> <group>",
    "    Delete a group.",
    "SETID <key> <group> <id|$> [ENTRIESREAD <number>]",
    "    Let a group go on after another id.",
    "HELP",
    "    This text.",
)


def _entries_read(value: Any) -> int:
    """How many entries a group has read, -1 for unknown."""
    number = integer(value)
    if number < UNKNOWN:
        raise errors.error(errors.ENTRIES_READ_NEGATIVE)
    return number


def _claim_count(value: Any) -> int:
    """COUNT of XAUTOCLAIM."""
    try:
        number = integer(value)
    except errors.ResponseError:
        number = 0
    if not 1 <= number <= _MOST_COUNT:
        raise errors.error(errors.XAUTOCLAIM_COUNT)
    return number


_READ = Kind(_entries_read, "", "how many entries there have been up to that id; -1: unknown")


class StreamGroups(Streams[T]):
    """XGROUP, XREADGROUP, XACK, XCLAIM and their relatives."""

    # groups and consumers ----------------------------------------------------------------------

    @command(
        "XGROUP CREATE key group <id | $> [MKSTREAM] [ENTRIESREAD entries-read]",
        "write denyoom",
        group="stream",
        since="5.0.0",
        complexity="O(1)",
        access="RW INSERT",
        names={**_NAMES, "ENTRIESREAD": "entries_read"},
        kinds={"id": RAW, "entries-read": _READ},
        late=True,
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
        _mistake: Exception | None = None,
    ) -> Status:
        """Make a group on the stream at `key` that reads what comes after `id`; "$" is the last one.

        With `mkstream` a missing key becomes an empty stream. `entries_read`: how many entries
        there had been up to that id, if known, so that XINFO can tell how far behind it is.

        ResponseError when the key is missing or the group exists; WrongTypeError for another type.

        >>> db.xadd("log", {"a": 1}, "5-1"), db.xgroup_create("log", "team", 0)
        (b'5-1', OK)
        """
        held, name = _both(key, groupname)
        late = _after_options(_mistake)
        stream = self.space.write(held, Stream)
        if stream is None and not mkstream:
            raise errors.error(errors.XGROUP_NO_KEY)
        if late:
            raise errors.wrong_subcommand("XGROUP", "CREATE")
        word, target = encode(id), Stream() if stream is None else stream
        last_id = target.last_id if word == b"$" else strict_id(word)
        if name in target.groups:
            raise errors.ResponseError(errors.GROUP_EXISTS)
        read: Any = UNKNOWN if entries_read is None else entries_read
        self.space.touch(held, "xgroup-create")
        target.groups[name] = Group(last_id, read)
        if stream is None:
            self.space.put(held, target)
        return OK

    @command(
        "XGROUP SETID key group <id | $> [ENTRIESREAD entries-read]",
        "write",
        group="stream",
        since="5.0.0",
        complexity="O(1)",
        access="RW UPDATE",
        names={**_NAMES, "ENTRIESREAD": "entries_read"},
        kinds={"id": RAW, "entries-read": _READ},
        late=True,
        form_error="XGROUP",
        lengths=(5, 7),
    )
    def xgroup_setid(
        self,
        key: Key,
        groupname: Key,
        id: Id,
        entries_read: Integer | None = None,
        _mistake: Exception | None = None,
    ) -> Status:
        """Let a group go on with what comes after `id`; "$" is the last one. See XGROUP CREATE.

        ResponseError when there is no such stream or group.

        >>> db.xgroup_create("log", "team", mkstream=True), db.xgroup_setid("log", "team", "7-0")
        (OK, OK)
        """
        held, name = _both(key, groupname)
        late = _after_options(_mistake)
        stream, group = self._existing(held, name)
        if late:
            raise errors.wrong_subcommand("XGROUP", "SETID")
        word = encode(id)
        last_id = stream.last_id if word == b"$" else loose_id(word)
        self.space.touch(held, "xgroup-setid")
        self._note(group, ())
        read: Any = UNKNOWN if entries_read is None else entries_read
        group.last_id, group.read = last_id, read
        return OK

    @command(
        "XGROUP DESTROY key group",
        "write",
        group="stream",
        since="5.0.0",
        complexity="O(n) for n pending entries",
        access="RW DELETE",
        names=_NAMES,
    )
    def xgroup_destroy(self, key: Key, groupname: Key) -> int:
        """Delete a group with its consumers and all that is pending; 1, or 0 when there is none.

        ResponseError when the key is missing.

        >>> db.xgroup_create("log", "team", mkstream=True), db.xgroup_destroy("log", "team")
        (OK, 1)
        """
        held, name = _both(key, groupname)
        stream = self.space.write(held, Stream)
        if stream is None:
            raise errors.error(errors.XGROUP_NO_KEY)
        if name not in stream.groups:
            return 0
        self.space.touch(held, "xgroup-destroy")
        stream.groups.pop(name)
        return 1

    @command(
        "XGROUP CREATECONSUMER key group consumer",
        "write denyoom",
        group="stream",
        since="6.2.0",
        complexity="O(1)",
        access="RW INSERT",
        names=_NAMES,
    )
    def xgroup_createconsumer(self, key: Key, groupname: Key, consumername: Key) -> int:
        """Make a consumer in a group; 1, or 0 when it exists. XREADGROUP makes them, too.

        ResponseError when there is no such stream or group.

        >>> db.xgroup_create("log", "team", mkstream=True)
        OK
        >>> db.xgroup_createconsumer("log", "team", "ann")
        1
        """
        held, name = _both(key, groupname)
        _, group = self._existing(held, name)
        made: Any = consumername
        if made in group.consumers:
            return 0
        self._consumer(held, group, made)
        return 1

    @command(
        "XGROUP DELCONSUMER key group consumer",
        "write",
        group="stream",
        since="5.0.0",
        complexity="O(n) for n pending entries of the consumer",
        access="RW DELETE",
        names=_NAMES,
    )
    def xgroup_delconsumer(self, key: Key, groupname: Key, consumername: Key) -> int:
        """Delete a consumer of a group; how many entries were pending for it, and are no more.

        ResponseError when there is no such stream or group.

        >>> db.xgroup_create("log", "team", mkstream=True)
        OK
        >>> db.xgroup_delconsumer("log", "team", "ann")
        0
        """
        held, name = _both(key, groupname)
        _, group = self._existing(held, name)
        gone: Any = consumername
        consumer = group.consumers.get(gone)
        if consumer is None:
            return 0
        ids = list(consumer.ids)
        self.space.touch(held, "xgroup-delconsumer")
        self._note(group, ids, gone)
        for number in ids:
            group.drop(number)
        del group.consumers[gone]
        return len(ids)

    @command("XGROUP HELP", "loading stale", group="stream", since="5.0.0", complexity="O(1)")
    def xgroup_help(self) -> list[Status]:
        """The subcommands of XGROUP.

        >>> db.xgroup_help()[1]
        CREATE <key> <group> <id|$> [MKSTREAM] [ENTRIESREAD <number>]
        """
        return [Status(line) for line in _HELP]

    def _existing(self, key: bytes, name: bytes) -> tuple[Stream, Group]:
        """Stream and group for XGROUP, which have to be there."""
        stream = self.space.write(key, Stream)
        if stream is None:
            raise errors.error(errors.XGROUP_NO_KEY)
        if name not in stream.groups:
            raise errors.no_group(key, name)
        return stream, stream.groups[name]

    def _note(self, group: Group, ids: Iterable[int], *names: bytes) -> None:
        """Before a change: how to put back these entries and consumers of the group."""
        self.engine.undo.append((group.restore, *group.memo(ids, *names)))
        self.engine.unsettled = True

    def _consumer(self, key: bytes, group: Group, name: bytes) -> Consumer:
        """The consumer of that name, made if need be; it has been heard of now."""
        consumer = group.consumers.get(name)
        if consumer is None:
            self.space.touch(key, "xgroup-createconsumer")
            consumer = Consumer(name, 0)
            self._note(group, (), name)
            group.consumers[name] = consumer
        consumer.seen = self.engine.now()
        return consumer

    # reading -----------------------------------------------------------------------------------

    @command(
        f"XREADGROUP GROUP group consumer {CAPS} [CLAIM min-idle-time] [NOACK] "
        "STREAMS key [key ...] id [id ...]",
        "write blocking movablekeys",
        group="stream",
        since="5.0.0",
        complexity="O(m) for m entries returned, and O(n) for n pending ones with CLAIM",
        access="RO ACCESS",
        names={**_NAMES, **CAP_NAMES, "key": "streams", "CLAIM": "claim_min_idle_time"},
        kinds={"id": RAW, "min-idle-time": idle_kind("XREADGROUP"), **CAP_KINDS},
        uneven_error=errors.XREAD_UNBALANCED,
        anywhere="GROUP",
        missing_error=errors.XREADGROUP_NO_GROUP,
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
        """Read streams for a consumer of a group; each entry goes to one consumer: see XREAD.

        `streams` maps each key to ">" for entries that nobody of the group has been given; any id
        asks for those after it that this consumer has not acknowledged (their fields are None when
        they have been deleted). The consumer is made if need be. With `noack` nothing is pending.

        `claim_min_idle_time`: first take over what has been pending for so many milliseconds, the
        longest first; an entry is then [id, fields, milliseconds, deliveries before this one].
        `count`, `max_count`, `max_size` and `block` as in XREAD.

        None when there is nothing; ResponseError when a stream or the group is missing.

        >>> db.xadd("log", {"a": 1}, "5-1"), db.xgroup_create("log", "team", 0)
        (b'5-1', OK)
        >>> db.xreadgroup("team", "ann", {"log": ">"})
        {b'log': [[b'5-1', [b'a', b'1']]]}
        """
        pairs: Any = streams
        name: Any = groupname
        wanted = [(key, *self._wanted(key, name, word)) for key, word in pairs]
        caps, reply = Caps(count, max_count, max_size), {}
        reader = _Reader(self, consumername, noack, claim_min_idle_time, caps)
        for key, stream, group, after in wanted:
            given = None if caps.full else reader.read(key, stream, group, after)
            if given is not None:
                reply.setdefault(key, []).extend(given)
        if reply or block is None:
            answer: Any = reply or None
            return answer
        wait: Any = Wait(
            [key for key, _ in pairs], integer(block) / 1000, kind=Stream, on_delete=True
        )
        return wait

    def _wanted(self, key: bytes, name: bytes, word: Any) -> tuple[Stream, Group, int | None]:
        """(stream, group, id to read the history after; None for new entries)."""
        stream = self.space.read(key, Stream)
        if stream is None or name not in stream.groups:
            raise errors.no_key_or_group(key, name, " in XREADGROUP with GROUP option")
        word = encode(word)
        if word == b"$":
            raise errors.error(errors.XREADGROUP_LAST)
        number = MOST_ID if word == b">" else strict_id(word)
        return stream, stream.groups[name], None if number == MOST_ID else number

    # acknowledging -----------------------------------------------------------------------------

    @command(
        "XACK key group id [id ...]",
        "write fast",
        group="stream",
        since="5.0.0",
        complexity="O(1) for each id",
        access="RW DELETE",
        names={**_NAMES, "id": "ids"},
        kinds={"id": RAW},
    )
    def xack(self, key: Key, groupname: Key, *ids: Many) -> int:
        """Acknowledge entries: they are no longer pending in the group; how many were.

        0 when there is no such stream or group; WrongTypeError for another type.

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
        self._acknowledge(group, found)
        return len(found)

    def _group_if_any(self, key: Any, groupname: Any) -> Group | None:
        stream = self.space.read(key, Stream)
        return None if stream is None else stream.groups.get(groupname)

    def _acknowledge(self, group: Group, ids: list[int]) -> None:
        if ids:
            self._note(group, ids)
            self.space.dirty += len(ids)
            for number in ids:
                group.drop(number)

    @command(
        "XACKDEL key group [KEEPREF | DELREF | ACKED] IDS numids id [id ...]",
        "write fast",
        group="stream",
        since="8.2.0",
        complexity="O(log n) for each id, in a stream of n entries",
        access="RW UPDATE DELETE",
        names={**_NAMES, **POLICIES, "id": "ids"},
        kinds={"id": RAW},
        count_error=errors.NUMIDS_NOT_POSITIVE,
        overflow_error=errors.NUMIDS_DIFFERENT,
        left_error=errors.NUMIDS_DIFFERENT,
    )
    def xackdel(
        self, key: Key, groupname: Key, *ids: Many, ref_policy: str | None = None
    ) -> list[int]:
        """XACK and then XDELEX: for each id 1 deleted, 2 acknowledged only, -1 was not pending.

        `ref_policy` says what other groups have to do with it: see XDELEX.

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
        self._acknowledge(group, pending)
        policy = encode(ref_policy or b"KEEPREF")
        answers = {number: self._verdict(stream, number, policy) for number in pending}
        self._carry_out(held, stream, answers, pending if policy == b"DELREF" else [])
        return [answers.pop(number, -1) for number in wanted]

    @command(
        "XNACK key group <SILENT | FAIL | FATAL> IDS numids id [id ...] [RETRYCOUNT count] [FORCE]",
        "write fast",
        group="stream",
        since="8.8.0",
        complexity="O(1) for each id",
        access="RW UPDATE",
        names={**_NAMES, "id": "ids"},
        kinds={"id": RAW},
        choices="mode",
        count_error=errors.NUMIDS_NOT_POSITIVE,
        overflow_error=errors.NUMIDS_DIFFERENT,
    )
    def xnack(
        self,
        key: Key,
        groupname: Key,
        mode: str,
        *ids: Many,
        retrycount: Integer | None = None,
        force: bool = False,
    ) -> int:
        """Give pending entries back, so that others can claim them at once; how many.

        They stay pending, without an owner. `mode` says how the delivery counts: SILENT not at
        all, FAIL as it is, FATAL as the largest number there is; `retrycount` is a number of its
        own. With `force` entries of the stream that are not pending become so.

        ResponseError when there is no such stream or group.

        >>> db.xadd("log", {"a": 1}, "5-1"), db.xgroup_create("log", "team", 0)
        (b'5-1', OK)
        >>> _ = db.xreadgroup("team", "ann", {"log": ">"})
        >>> db.xnack("log", "team", "FAIL", "5-1"), db.xpending_range("log", "team", "-", "+", 1)
        (1, [[b'5-1', b'', -1, 1]])
        """
        held, name = _both(key, groupname)
        wanted = dict.fromkeys(ids_of(ids))
        fixed: Any = retrycount
        if fixed is not None and fixed < 0:
            raise errors.error("RETRYCOUNT must be >= 0")
        stream = self.space.write(held, Stream)
        if stream is None or name not in stream.groups:
            raise errors.no_key_or_group(held, name)
        pending, how = stream.groups[name].pending, encode(mode)
        found = [
            number
            for number in wanted
            if number in pending or (force and stream.get(number) is not None)
        ]
        self._note(stream.groups[name], found)
        for number in found:
            count = pending[number][2] if number in pending else 1 if how == b"SILENT" else 0
            count = I64_MAX if how == b"FATAL" else max(count - (how == b"SILENT"), 0)
            stream.groups[name].put(number, (None, 0, count if fixed is None else fixed))
        self.space.dirty += len(found)
        return len(found)

    # taking over -------------------------------------------------------------------------------

    @command(
        "XCLAIM key group consumer min-idle-time id [id ...] [IDLE ms] "
        "[TIME unix-time-milliseconds] [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID lastid]",
        "write fast",
        group="stream",
        since="5.0.0",
        complexity="O(log n) for each id, in a stream of n entries",
        access="RW UPDATE",
        names={**_NAMES, "id": "message_ids"},
        kinds={
            "min-idle-time": RAW,
            "id": ENTRY,
            "ms": said("Invalid IDLE option argument for XCLAIM"),
            "unix-time-milliseconds": said("Invalid TIME option argument for XCLAIM"),
            "count": said("Invalid RETRYCOUNT option argument for XCLAIM"),
            "lastid": ENTRY,
        },
        unknown_error="Unrecognized XCLAIM option '{}'",
        late=True,
    )
    def xclaim(
        self,
        key: Key,
        groupname: Key,
        consumername: Key,
        min_idle_time: Integer,
        message_ids: Iterable[Value],
        idle: Integer | None = None,
        time: Integer | None = None,
        retrycount: Integer | None = None,
        force: bool = False,
        justid: bool = False,
        lastid: Id | None = None,
        _mistake: Exception | None = None,
    ) -> list[Any]:
        """Make a consumer the owner of pending entries; those it now owns, as XRANGE gives them.

        Only entries not delivered for `min_idle_time` milliseconds. They count as delivered now,
        or `idle` milliseconds ago, or at `time` (milliseconds since 1970); and once more than
        before, or `retrycount` times. `force` makes entries pending that are not. `justid`: only
        the ids, and the number of deliveries stays. `lastid`: the group has read at least to there.

        ResponseError when there is no such stream or group.

        >>> db.xadd("log", {"a": 1}, "5-1"), db.xgroup_create("log", "team", 0)
        (b'5-1', OK)
        >>> _ = db.xreadgroup("team", "ann", {"log": ">"})
        >>> db.xclaim("log", "team", "bob", 0, ["5-1"])
        [[b'5-1', [b'a', b'1']]]
        """
        held, name = _both(key, groupname)
        stream = self.space.read(held, Stream)
        if stream is None or name not in stream.groups:
            raise errors.no_key_or_group(held, name)
        group, ids = stream.groups[name], [*message_ids]
        least = idle_kind("XCLAIM").convert(min_idle_time)
        if _mistake is not None:
            raise _mistake
        self._note(group, ids)
        if lastid is not None and lastid > group.last_id:  # type: ignore[operator]
            group.last_id = lastid  # type: ignore[assignment]
            self.space.dirty += 1
        claim = _Claim(self, held, stream, group, encode(consumername), least, not justid)
        claim.deliver_at(idle, time)
        claim.retries = retrycount
        claimed = [number for number in ids if claim.take(number, force=force)]
        return self._claimed(stream, claimed, justid)

    @staticmethod
    def _claimed(stream: Stream, ids: list[int], justid: bool) -> list[Any]:
        """The reply of XCLAIM and XAUTOCLAIM."""
        if justid:
            return list(map(id_text, ids))
        return [entry(row) for row in map(stream.get, ids) if row is not None]

    @command(
        "XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID]",
        "write fast",
        group="stream",
        since="6.2.0",
        complexity="O(log n) for each entry looked at, at most ten times COUNT",
        access="RW DELETE",
        names={**_NAMES, "start": "start_id"},
        kinds={
            "min-idle-time": idle_kind("XAUTOCLAIM"),
            "start": START,
            "count": Kind(_claim_count, "", "how many entries to claim"),
        },
    )
    def xautoclaim(
        self,
        key: Key,
        groupname: Key,
        consumername: Key,
        min_idle_time: Integer,
        start_id: Id = "0-0",
        count: Integer | None = None,
        justid: bool = False,
    ) -> list[Any]:
        """XCLAIM of whatever has been pending for `min_idle_time` milliseconds, from an id on.

        At most `count` entries (100). The answer is [id to go on from, entries, ids of entries
        that had been deleted and are no longer pending]; "0-0" says that there are no more.

        ResponseError when there is no such stream or group.

        >>> db.xadd("log", {"a": 1}, "5-1"), db.xgroup_create("log", "team", 0)
        (b'5-1', OK)
        >>> _ = db.xreadgroup("team", "ann", {"log": ">"})
        >>> db.xautoclaim("log", "team", "bob", 0)
        [b'0-0', [[b'5-1', [b'a', b'1']]], []]
        """
        held, name = _both(key, groupname)
        stream = self.space.read(held, Stream)
        if stream is None or name not in stream.groups:
            raise errors.no_key_or_group(held, name)
        group = stream.groups[name]
        least: Any = min_idle_time
        most: Any = count or _USUAL_COUNT
        first: Any = start_id
        claim = _Claim(self, held, stream, group, encode(consumername), least, not justid)
        ids = list(islice(group.pending.upward(first), most * _ATTEMPTS + 1))
        self._note(group, ids)
        claimed: list[int] = []
        gone: list[int] = []
        seen = 0
        for number in ids[: most * _ATTEMPTS]:
            if len(claimed) + len(gone) == most:
                break
            seen += 1
            if stream.get(number) is None:
                gone.append(number)
            if claim.take(number):
                claimed.append(number)
        following = id_text(ids[seen] if seen < len(ids) else 0)
        return [following, self._claimed(stream, claimed, justid), list(map(id_text, gone))]


class _Claim:
    """The terms on which a consumer takes over entries of a group."""

    def __init__(
        self,
        commands: StreamGroups[Any],
        key: bytes,
        stream: Stream,
        group: Group,
        name: bytes,
        least: int,
        counts: bool,
    ) -> None:
        self.commands = commands
        self.key, self.stream, self.group, self.name = key, stream, group, name
        self.least = least
        #: does it count as one delivery more, or as so many in all?
        self.counts = counts
        self.retries: Any = None
        self.now = self.moment = commands.engine.now()
        self.consumer: Consumer | None = None

    def deliver_at(self, idle: Any, time: Any) -> None:
        """When the entries count as delivered; nonsense is now."""
        moment = self.now - idle if idle is not None else time
        if moment is not None and 0 <= moment <= self.now:
            self.moment = moment

    def take(self, number: int, *, force: bool = False) -> bool:
        """Take an entry over, if it is there, pending, and has been for long enough."""
        group, space = self.group, self.commands.space
        record = group.pending.get(number)
        if self.stream.get(number) is None:
            if record is not None:
                group.drop(number)
                space.dirty += 1
            return False
        if record is None and not force:
            return False
        owner, time, count = record or (None, self.now, 1)
        if owner is not None and self.now - time < self.least:
            return False
        if self.consumer is None:
            self.consumer = self.commands._consumer(self.key, group, self.name)
        if self.retries is not None and self.retries >= 0:
            count = self.retries
        elif self.counts:
            count += 1
        group.put(number, (self.consumer, self.moment, count))
        space.dirty += 1
        return True


class _Reader:
    """One XREADGROUP: what it gives to its consumer, stream by stream."""

    def __init__(
        self, commands: StreamGroups[Any], name: Any, noack: bool, claim: Any, caps: Caps
    ) -> None:
        self.commands = commands
        self.name: bytes = name
        self.noack = noack
        #: pending for so many milliseconds is taken over, too
        self.claim: int | None = claim
        self.caps = caps
        self.now = commands.engine.now()

    def read(
        self, key: bytes, stream: Stream, group: Group, after: int | None
    ) -> list[Any] | None:
        """The entries of one stream; None when there is nothing to be read."""
        if after is not None:
            return self._history(key, stream, group, after)
        idle = [] if self.claim is None else self._idle(stream, group)
        if not idle and stream.top_id <= group.last_id:
            return None
        consumer = self._consumer(key, group)
        taken = self._take_over(stream, group, consumer, idle)
        given = self._new(stream, group, consumer, len(taken))
        if self.claim is None:
            return [entry(row) for row in given]
        return taken + [[*entry(row), 0, 0] for row in given]

    def _consumer(self, key: bytes, group: Group) -> Consumer:
        self.commands.space.dirty += 1
        self.commands._note(group, (), self.name)
        return self.commands._consumer(key, group, self.name)

    def _history(self, key: bytes, stream: Stream, group: Group, after: int) -> list[Any]:
        """What the consumer has not acknowledged; it counts as delivered once more."""
        consumer = self._consumer(key, group)
        ids = list(islice(consumer.ids.upward(after + 1), self.caps.room_after()))
        self.commands._note(group, ids)
        found = self.caps.take([stream.get(number) or (number,) for number in ids])
        for row in found:
            if len(row) > 1:
                _, _, count = group.pending[row[0]]
                group.put(row[0], (consumer, self.now, count + 1))
        return [entry(row) if len(row) > 1 else [id_text(row[0]), None] for row in found]

    def _idle(self, stream: Stream, group: Group) -> list[int]:
        """What has been pending for long enough, the longest first."""
        assert self.claim is not None
        until = self.now - self.claim
        records = group.pending
        found = [number for number in records if records[number][1] <= until]
        found.sort(key=lambda number: (records[number][1], number))
        return [number for number in found if stream.get(number) is not None][: self.caps.room_after()]

    def _take_over(
        self, stream: Stream, group: Group, consumer: Consumer, ids: list[int]
    ) -> list[Any]:
        self.commands._note(group, ids)
        rows = self.caps.take([row for row in map(stream.get, ids) if row is not None])
        taken: list[Any] = []
        for row in rows:
            _, time, count = group.pending[row[0]]
            taken.append([*entry(row), self.now - time, count])
            group.put(row[0], (consumer, self.now, count + 1))
        return taken

    def _new(self, stream: Stream, group: Group, consumer: Consumer, taken: int) -> list[Row]:
        """What nobody of the group has been given; COUNT holds for what has been taken, too."""
        room = self.caps.room_after(taken)
        if self.caps.full or room == 0:
            return []
        rows = self.caps.take(stream.range(group.last_id + 1, MOST_ID, room))
        self.commands._note(group, () if self.noack else [row[0] for row in rows])
        for row in rows:
            stream.advance(group, row[0])
            if not self.noack:
                group.put(row[0], (consumer, self.now, 1))
        return rows


def _both(key: Any, groupname: Any) -> tuple[bytes, bytes]:
    """The same two, converted by the door."""
    return key, groupname


def _after_options(mistake: Exception | None) -> bool:
    """Raise what is wrong with the options of XGROUP; is their number wrong, which comes later?"""
    if mistake is not None and "wrong number of arguments for 'xgroup|" not in str(mistake):
        raise mistake
    return mistake is not None
