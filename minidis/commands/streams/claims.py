"""Who has pending entries taken from whom: XNACK, XCLAIM, XAUTOCLAIM."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from minidis import errors
from minidis.commands.shared.group import T
from minidis.commands.streams.groups import GROUP_NAMES, StreamGroups, both
from minidis.commands.streams.ids import (
    ENTRY,
    START,
    Id,
    entry,
    idle_kind,
    ids_of,
    said,
    start_of,
    strict_id,
)
from minidis.grammar.command import declarations
from minidis.grammar.kinds import I64_MAX, RAW, Integer, Key, Kind, Many, Value, encode, integer
from minidis.structures.stream_groups import Consumer, Group
from minidis.structures.streams import Stream, id_text

command = declarations(group="stream")

#: Entries that XAUTOCLAIM claims without COUNT, and how many it looks at for each.
_USUAL_COUNT, _ATTEMPTS = 100, 10
#: What XAUTOCLAIM accepts as COUNT.
_MOST_COUNT = I64_MAX // 16


def _claim_count(value: Any) -> int:
    """COUNT of XAUTOCLAIM."""
    try:
        number = integer(value)
    except errors.ResponseError:
        number = 0
    if not 1 <= number <= _MOST_COUNT:
        raise errors.error(errors.XAUTOCLAIM_COUNT)
    return number


class StreamClaims(StreamGroups[T]):
    """XNACK, XCLAIM, XAUTOCLAIM."""

    @command(
        "XNACK key group <SILENT | FAIL | FATAL> IDS numids id [id ...] [RETRYCOUNT count] [FORCE]",
        "write fast",
        since="8.8.0",
        complexity="O(1) for each id",
        access="RW UPDATE",
        names={**GROUP_NAMES, "id": "ids"},
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
        held, name = both(key, groupname)
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
        since="5.0.0",
        complexity="O(log n) for each id, in a stream of n entries",
        access="RW UPDATE",
        names={**GROUP_NAMES, "id": "message_ids"},
        kinds={
            "min-idle-time": RAW,
            "id": ENTRY,
            "ms": said("Invalid IDLE option argument for XCLAIM"),
            "unix-time-milliseconds": said("Invalid TIME option argument for XCLAIM"),
            "count": said("Invalid RETRYCOUNT option argument for XCLAIM"),
            "lastid": ENTRY,
        },
        unknown_error="Unrecognized XCLAIM option '{}'",
        deferred_errors=True,
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
        _option_error: Exception | None = None,
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
        held, name = both(key, groupname)
        stream = self.space.read(held, Stream)
        if stream is None or name not in stream.groups:
            raise errors.no_key_or_group(held, name)
        group, ids = stream.groups[name], ids_of(message_ids)
        least = idle_kind("XCLAIM").convert(min_idle_time)
        if _option_error is not None:
            raise _option_error
        self._note(group, ids)
        last_id = 0 if lastid is None else strict_id(lastid)
        if last_id > group.last_id:
            group.last_id = last_id
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
        since="6.2.0",
        complexity="O(log n) for each entry looked at, at most ten times COUNT",
        access="RW DELETE",
        names={**GROUP_NAMES, "start": "start_id"},
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
        held, name = both(key, groupname)
        stream = self.space.read(held, Stream)
        if stream is None or name not in stream.groups:
            raise errors.no_key_or_group(held, name)
        group = stream.groups[name]
        least: Any = min_idle_time
        most: Any = count or _USUAL_COUNT
        claim = _Claim(self, held, stream, group, encode(consumername), least, not justid)
        ids = list(islice(group.pending.upward(start_of(start_id)), most * _ATTEMPTS + 1))
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
        commands: StreamClaims[Any],
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
