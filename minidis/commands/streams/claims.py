"""Transfer of pending entries between consumers: XNACK, XCLAIM, XAUTOCLAIM."""

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
from minidis.grammar.cursor import WordCursor
from minidis.grammar.kinds import I64_MAX, RAW, Integer, Key, Kind, Many, Value, encode, integer
from minidis.structures.stream_groups import Consumer, ConsumerGroup
from minidis.structures.streams import Stream, id_text

command = declarations(group="stream")

#: Default COUNT of XAUTOCLAIM, and the number of entries it examines for each one.
_USUAL_COUNT, _ATTEMPTS = 100, 10
#: Greatest COUNT of XAUTOCLAIM.
_MOST_COUNT = I64_MAX // 16


def _claim_count(value: Any) -> int:
    """Convert COUNT of XAUTOCLAIM."""
    try:
        number = integer(value)
    except errors.ResponseError:
        number = 0
    if not 1 <= number <= _MOST_COUNT:
        raise errors.error(errors.XAUTOCLAIM_COUNT)
    return number


def _parse_xclaim(words: WordCursor) -> None:
    """The first word that is no id begins the options."""
    words.read_while_valid("id")
    words.read_options()


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
        """Release pending entries so that other consumers can claim them at once.

        The entries stay pending, without an owner.
        mode: how the number of deliveries changes: "SILENT" decreases it by one, "FAIL" keeps it,
        "FATAL" sets it to the maximum.
        retrycount: set the number of deliveries. force: also make entries pending that were not.

        Returns the number of entries released. Raises ResponseError if the stream or the group does
        not exist.

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
        self._save_undo(stream.groups[name], found)
        for number in found:
            count = pending[number][2] if number in pending else 1 if how == b"SILENT" else 0
            count = I64_MAX if how == b"FATAL" else max(count - (how == b"SILENT"), 0)
            stream.groups[name].put(number, (None, 0, count if fixed is None else fixed))
        self.space.changed(held, None, len(found))
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
        parse=_parse_xclaim,
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
        """Make a consumer the owner of pending entries that have been idle long enough.

        min_idle_time: only claim entries not delivered for this many milliseconds.
        idle, time: set the last delivery to this many milliseconds ago, to this Unix time in
        milliseconds (default: now).
        retrycount: set the number of deliveries (default: add one). force: claim entries that are
        not pending, too.
        justid: return only ids, and do not count a delivery. lastid: raise the last id of the group
        to this.

        Returns the claimed entries as [[id, [field, value, ...]], ...]. Raises ResponseError if the
        stream or the group does not exist.

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
        self._save_undo(group, ids)
        last_id = 0 if lastid is None else strict_id(lastid)
        if last_id > group.last_id:
            group.last_id = last_id
            self.space.changed(held, None)
            self._state_progress(held, name, group)
        names = name, encode(consumername)
        claim = _Claim(self, held, stream, group, names, least, not justid)
        claim.deliver_at(idle, time)
        claim.retries = retrycount
        claimed = [number for number in ids if claim.take(number, force=force)]
        claim.complete()
        return self._claimed(stream, claimed, justid)

    @staticmethod
    def _claimed(stream: Stream, ids: list[int], justid: bool) -> list[Any]:
        """Build the entries, or ids, in the reply of XCLAIM and XAUTOCLAIM."""
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
        """Make a consumer the owner of idle pending entries, scanning them from `start_id`.

        min_idle_time: only claim entries not delivered for this many milliseconds. count: claim at
        most this many entries (default 100). justid: return only ids, and do not count a delivery.

        Returns [next start id, claimed entries, ids of deleted entries, which are no longer
        pending]; the next id is "0-0" when the scan is complete. Raises ResponseError if the stream
        or the group does not exist.

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
        names = name, encode(consumername)
        claim = _Claim(self, held, stream, group, names, least, not justid)
        ids = list(islice(group.pending.upward(start_of(start_id)), most * _ATTEMPTS + 1))
        self._save_undo(group, ids)
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
        claim.complete()
        following = id_text(ids[seen] if seen < len(ids) else 0)
        return [following, self._claimed(stream, claimed, justid), list(map(id_text, gone))]


class _Claim:
    """The conditions and effects of one claim: consumer, idle time, delivery time and count."""

    def __init__(
        self,
        commands: StreamClaims[Any],
        key: bytes,
        stream: Stream,
        group: ConsumerGroup,
        names: tuple[bytes, bytes],
        least: int,
        counts: bool,
    ) -> None:
        self.commands = commands
        self.key, self.stream, self.group = key, stream, group
        #: of the group and of the consumer
        self.names = names
        self.least = least
        #: whether the number of deliveries increases, and the number given by RETRYCOUNT
        self.counts = counts
        self.retries: Any = None
        self.now = self.moment = commands.unit.now()
        #: the consumer exists from now on, even if it gets nothing
        self.made = names[1] not in group.consumers
        self.consumer: Consumer = commands._consumer(key, group, names[1])

    def deliver_at(self, idle: Any, time: Any) -> None:
        """Set the delivery time; a time in the future or before 1970 is replaced by now."""
        moment = self.now - idle if idle is not None else time
        # A replayed log states times that are past, but its clock is at 0.
        if moment is not None and moment >= 0 and (moment <= self.now or not self.now):
            self.moment = moment

    def complete(self) -> None:
        """State the effects that the claimed entries do not have."""
        self.commands._state_consumer(self.key, self.names, self.group, made=self.made)

    def take(self, number: int, *, force: bool = False) -> bool:
        """Claim an entry if it exists, is pending and has been idle for long enough."""
        group, space = self.group, self.commands.space
        record = group.pending.get(number)
        if self.stream.get(number) is None:
            if record is not None:
                group.drop(number)
                space.changed(self.key, None)
                self.commands._effect("XACK", self.key, self.names[0], id_text(number))
            return False
        if record is None and not force:
            return False
        owner, time, count = record or (None, self.now, 1)
        if owner is not None and self.least and self.now - time < self.least:
            return False
        if self.retries is not None and self.retries >= 0:
            count = self.retries
        elif self.counts:
            count = min(count + 1, I64_MAX)  # where XNACK FATAL has put it
        self.consumer.active = self.now
        group.put(number, (self.consumer, self.moment, count))
        space.changed(self.key, None)
        self.commands._state_claim(self.key, self.names, group, number)
        return True
