"""Stream commands without consumer groups: add, read, delete, trim.

An entry in a reply is [id, [field, value, field, value, ...]]. Fields keep their order and may
repeat. Consumer groups are in groups.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from minidis import errors
from minidis.clients.blocked import Wait
from minidis.commands.shared.group import Group, T
from minidis.commands.streams.ids import (
    END,
    ENTRY,
    NEW,
    START,
    TRIM_KINDS,
    TRIM_NAMES,
    Id,
    end_of,
    entries,
    ids_of,
    new_id,
    start_of,
    strict_id,
    trim_of,
)
from minidis.grammar.command import Shortcut, declarations
from minidis.grammar.kinds import (
    RAW,
    TIMEOUT,
    Field,
    Integer,
    Key,
    Kind,
    Many,
    Value,
    at_least,
    encode,
    integer,
)
from minidis.keyspace.keyspace import no_such_key
from minidis.protocol.shapes import stream_pairs
from minidis.replies import OK, Status
from minidis.structures.streams import MOST_ID, SEQUENCE, SHIFT, Row, Stream, Trim, id_text

command = declarations(group="stream")

#: The fields of an entry: a mapping, or pairs if a field appears more than once.
Fields = Mapping[Field, Value] | Iterable[tuple[Field, Value]]

ARITY_OF_XADD = "wrong number of arguments for 'xadd' command"
_TRIM = "<MAXLEN | MINID> [= | ~] threshold [LIMIT count]"
_POLICY = "[KEEPREF | DELREF | ACKED]"
POLICIES = dict.fromkeys(("KEEPREF", "DELREF", "ACKED"), "ref_policy=")

#: Options of XREAD and XREADGROUP in their declarations.
CAPS = "[COUNT count] [MAXCOUNT maxcount] [MAXSIZE maxsize] [BLOCK milliseconds]"
CAP_NAMES = {"MAXCOUNT": "max_count", "MAXSIZE": "max_size"}
CAP_KINDS = {
    "milliseconds": TIMEOUT,
    "maxcount": at_least(1, "MAXCOUNT must be a positive integer"),
    "maxsize": at_least(1, "MAXSIZE must be a positive integer"),
}
#: Approximate protocol overhead in bytes of an entry and of each of its words.
_ENTRY_BYTES, _WORD_BYTES = 40, 9


def _entries_added(value: Any) -> int:
    """Convert ENTRIESADDED of XSETID."""
    number = integer(value)
    if number < 0:
        raise errors.error(errors.ENTRIES_ADDED_NEGATIVE)
    return number


class Caps:
    """Limits of one reply: COUNT per stream, MAXCOUNT and MAXSIZE for all streams together."""

    def __init__(self, count: Any, max_count: Any, max_size: Any) -> None:
        self.count: int = max(count or 0, 0)
        self.left: int | None = max_count
        self.bytes: int | None = max_size
        self.given = 0
        if max_count is not None and self.count > max_count:
            raise errors.error("MAXCOUNT must be greater than or equal to COUNT")

    def room_after(self, given: int = 0) -> int | None:
        """Return how many entries a stream may still give after `given`; None means no limit."""
        most = max(self.count - given, 0) if self.count else None
        known = [number for number in (most, self.left) if number is not None]
        return min(known, default=None)

    @property
    def full(self) -> bool:
        """Whether the reply is full."""
        return self.left == 0 or (self.given > 0 and self.bytes is not None and self.bytes <= 0)

    def take(self, rows: list[Row]) -> list[Row]:
        """Return the leading rows that fit into the reply; its first entry always fits."""
        if self.bytes is not None:
            rows = rows[: self._fitting(rows)]
        self.given += len(rows)
        if self.left is not None:
            self.left -= len(rows)
        return rows

    def _fitting(self, rows: list[Row]) -> int:
        """Count the leading rows that fit into MAXSIZE."""
        assert self.bytes is not None
        for at, row in enumerate(rows):
            size = _ENTRY_BYTES + sum(len(word) + _WORD_BYTES for word in row[1:])
            if size > self.bytes and self.given + at:
                self.bytes = 0
                return at
            self.bytes -= size
        return len(rows)


def _append_entry(self: Any, key: bytes, fields: Any) -> Any:
    """XADD without options to a stream that exists."""
    unit = self.unit
    stream = self.space.write(key, Stream)
    if stream is None or unit.recording or stream.last_id == MOST_ID:
        return Streams.xadd(self, key, fields)
    words = [word for pair in fields for word in pair]
    number = max(unit.now() << SHIFT, stream.last_id + 1)
    self.space.changed(key, "xadd")
    stream.append(number, words, self.engine.settings.limits)
    return id_text(number)


class Streams(Group[T]):
    """XADD, XRANGE, XREAD, XDEL, XTRIM and the other commands without groups."""

    # adding ------------------------------------------------------------------------------------

    @command(
        f"XADD key [NOMKSTREAM] {_POLICY} [{_TRIM}] <* | id> field value [field value ...]",
        "write denyoom fast",
        since="5.0.0",
        complexity="O(1), and O(n) for n entries that are trimmed",
        access="RW UPDATE",
        names={"field": "fields", **TRIM_NAMES, "LIMIT": "limit"},
        kinds={"id": NEW, **TRIM_KINDS},
        bounds_error=errors.MAXLEN_AND_MINID,
        bare_error=errors.STREAM_ID,
        uneven_error=ARITY_OF_XADD,
        deferred_errors=True,
        single_step=True,
        shortcuts=(Shortcut("key fields", _append_entry),),
    )
    def xadd(
        self,
        key: Key,
        fields: Fields = (),
        id: Id = "*",
        maxlen: Integer | None = None,
        approximate: bool = True,
        nomkstream: bool = False,
        minid: Id | None = None,
        limit: Integer | None = None,
        ref_policy: str | None = None,
        _option_error: Exception | None = None,
    ) -> T | None:
        """Append an entry to the stream at `key` and return its id, such as b"5-1".

        fields: a mapping, or (field, value) pairs if a field repeats. id: "*" (default) generates
        one from the clock, "5-*" takes the next sequence number of millisecond 5; any other id must
        be greater than the last one.
        nomkstream: do not create a missing stream; return None instead.
        maxlen, minid: trim to this many entries, or remove entries with a lower id.
        approximate: trim whole nodes of about 100 entries only (default; `~` in Redis syntax).
        limit: remove at most this many entries; only with approximate.
        ref_policy: for trimmed entries in consumer groups: "KEEPREF" (default) leaves them pending,
        "DELREF" removes them from all groups, "ACKED" trims only what all groups have acknowledged.

        Raises ResponseError for an invalid or too small id, WrongTypeError if `key` holds another
        type.

        >>> db.xadd("log", {"who": "ann"}, "5-1"), db.xadd("log", {"who": "bob"}, "5-*")
        (b'5-1', b'5-2')
        """
        if _option_error is not None and ARITY_OF_XADD not in str(_option_error):
            raise _option_error
        trim = trim_of(self.engine, maxlen, minid, approximate, limit)
        if trim is None and limit is not None:
            raise errors.error(errors.LIMIT_OF_EXACT)
        if _option_error is not None:
            raise _option_error
        wanted = new_id(id)
        if wanted == (0, True):
            raise errors.error(errors.STREAM_ID_NOT_POSITIVE)
        stream = self.space.write(key, Stream)
        if stream is None and nomkstream:
            return None
        pairs: Any = fields
        words = [word for pair in pairs for word in pair]
        number = self._next_id(Stream() if stream is None else stream, wanted)
        grown = self._append(key, stream, number, words, trim, ref_policy)
        if self.unit.recording:
            trims = _exact(grown, trim, ref_policy)
            self._effect("XADD", key, fields, id_text(number), nomkstream=nomkstream, **trims)
        reply: Any = id_text(number)
        return reply

    def _next_id(self, stream: Stream, wanted: tuple[int, bool] | None) -> int:
        """Return the id of a new entry."""
        last = stream.last_id
        if last == MOST_ID:
            raise errors.error(errors.STREAM_EXHAUSTED)
        if wanted is None:
            return max(self.unit.now() << SHIFT, last + 1)
        number, complete = wanted
        if not complete and number >> SHIFT == last >> SHIFT:
            if last & SEQUENCE == SEQUENCE:
                raise errors.error(errors.STREAM_ID_NOT_NEWER)
            number = last + 1
        if number <= last:
            raise errors.error(errors.STREAM_ID_NOT_NEWER)
        return number

    def _append(
        self,
        key: Any,
        stream: Stream | None,
        number: int,
        words: list[bytes],
        trim: Trim | None,
        policy: Any,
    ) -> Stream:
        """Append the entry and trim, and return the stream; an interruption rolls back both."""
        space, engine = self.space, self.engine
        space.changed(key, "xadd")
        if stream is not None:
            if trim is not None:
                self.unit.on_rollback(stream.undo_append, *stream.append_state(number))
            stream.append(number, words, engine.settings.limits)
            self._trim(key, stream, trim, policy)
            return stream
        stream = Stream()
        stream.append(number, words, engine.settings.limits)
        self._trim(key, stream, trim, policy)
        space.put(key, stream)
        return stream

    def _trim(self, key: bytes, stream: Stream, trim: Trim | None, policy: Any) -> int:
        """Trim the stream and return the number of entries removed."""
        if trim is None:
            return 0
        spared = policy is not None and encode(policy) == b"ACKED" and stream.groups
        cut = stream.trimming(trim, stream.is_referenced if spared else None)
        if cut is None:
            return 0
        self.space.changed(key, "xtrim", len(cut.gone))
        if policy is not None and encode(policy) == b"DELREF":
            self._forget(key, stream, cut.gone)
        self.unit.on_rollback(stream.undo_cut, cut, stream.max_deleted)
        stream.apply(cut)
        return len(cut.gone)

    def _forget(self, key: bytes, stream: Stream, ids: Sequence[int]) -> None:
        """Remove these entries from the pending entries of all groups."""
        for group in stream.groups.values():
            pending = [number for number in ids if number in group.pending]
            if pending:
                self.unit.on_rollback(group.restore, *group.memo(pending))
                self.space.changed(key, None, len(pending))
                for number in pending:
                    group.drop(number)

    @command(
        "XSETID key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]",
        "write denyoom fast",
        since="5.0.0",
        complexity="O(1)",
        access="RW UPDATE",
        names={"ENTRIESADDED": "entries_added", "MAXDELETEDID": "max_deleted_id"},
        kinds={
            "last-id": ENTRY,
            "max-deleted-id": ENTRY,
            "entries-added": Kind(_entries_added, "", "how many entries there have been"),
        },
        deferred_errors=True,
    )
    def xsetid(
        self,
        key: Key,
        last_id: Id,
        entries_added: Integer | None = None,
        max_deleted_id: Id | None = None,
        _option_error: Exception | None = None,
    ) -> Status:
        """Set the last id of the stream at `key`, and optionally its counters; for copying streams.

        last_id: greatest id that has ever been added. entries_added: number of entries ever added.
        max_deleted_id: greatest id that has been deleted.

        Returns OK. Raises ResponseError if the key does not exist or the values contradict its
        entries, WrongTypeError if `key` holds another type.

        >>> db.xadd("log", {"a": 1}, "5-1"), db.xsetid("log", "7-0")
        (b'5-1', OK)
        >>> db.xadd("log", {"a": 1}, "7-*")
        b'7-1'
        """
        last = strict_id(last_id)
        deleted = 0 if max_deleted_id is None else strict_id(max_deleted_id)
        added: Any = entries_added
        if deleted > last:
            raise errors.error(errors.SETID_BELOW_DELETED)
        if _option_error is not None:
            raise _option_error
        stream = self.space.write(key, Stream)
        if stream is None:
            raise no_such_key()
        if last < stream.max_deleted:
            raise errors.error(errors.SETID_BELOW_CURRENT_DELETED)
        if len(stream) and last < stream.top_id:
            raise errors.error(errors.SETID_BELOW_TOP)
        if len(stream) and added is not None and added < len(stream):
            raise errors.error(errors.SETID_BELOW_LENGTH)
        self.space.changed(key, "xsetid")
        past = stream.last_id, stream.added, stream.max_deleted
        self.unit.on_rollback(stream.set_past, *past)
        added = stream.added if added is None else added
        stream.set_past(last, added, deleted or stream.max_deleted)
        return OK

    # looking -----------------------------------------------------------------------------------

    @command(
        "XLEN key",
        "readonly fast",
        since="5.0.0",
        complexity="O(1)",
        access="RO",
    )
    def xlen(self, key: Key) -> int:
        """Return the number of entries in the stream at `key`, 0 if it does not exist.

        Raises WrongTypeError if `key` holds another type.

        >>> db.xadd("log", {"a": 1}, "5-1"), db.xlen("log"), db.xlen("missing")
        (b'5-1', 1, 0)
        """
        stream = self.space.read(key, Stream)
        return 0 if stream is None else len(stream)

    @command(
        "XRANGE key start end [COUNT count]",
        "readonly",
        since="5.0.0",
        complexity="O(log n + m) for n entries and m returned",
        access="RO ACCESS",
        names={"start": "min", "end": "max"},
        kinds={"start": START, "end": END},
    )
    def xrange(
        self, key: Key, min: Id = "-", max: Id = "+", count: Integer | None = None
    ) -> list[Any] | None:
        """Return the entries with ids from `min` to `max`, inclusive, lowest id first.

        min, max: "-" and "+" are the lowest and the highest id; "5" stands for all ids of
        millisecond 5; "(5-1" excludes 5-1. count: return at most this many entries.

        Returns a list of [id, [field, value, ...]], empty if the key does not exist, or None if
        `count` is 0. Raises ResponseError for an invalid id, WrongTypeError if `key` holds another
        type.

        >>> db.xadd("log", {"a": 1}, "5-1"), db.xadd("log", {"a": 2, "b": 3}, "6-1")
        (b'5-1', b'6-1')
        >>> db.xrange("log", "(5-1")
        [[b'6-1', [b'a', b'2', b'b', b'3']]]
        """
        return self._entries(key, start_of(min), end_of(max), count, down=False)

    @command(
        "XREVRANGE key end start [COUNT count]",
        "readonly",
        since="5.0.0",
        complexity="O(log n + m) for n entries and m returned",
        access="RO ACCESS",
        names={"start": "min", "end": "max"},
        kinds={"start": RAW, "end": RAW},
        deferred_errors=True,
    )
    def xrevrange(
        self,
        key: Key,
        max: Id = "+",
        min: Id = "-",
        count: Integer | None = None,
        _option_error: Exception | None = None,
    ) -> list[Any] | None:
        """Return the entries with ids from `max` down to `min`, inclusive, highest id first.

        Bounds, `count`, result and errors are those of XRANGE.

        >>> db.xadd("log", {"a": 1}, "5-1"), db.xadd("log", {"a": 2}, "6-1")
        (b'5-1', b'6-1')
        >>> db.xrevrange("log", count=1)
        [[b'6-1', [b'a', b'2']]]
        """
        first = start_of(min)  # an error in the lower bound is reported first
        last = end_of(max)
        if _option_error is not None:
            raise _option_error
        return self._entries(key, first, last, count, down=True)

    def _entries(self, key: Any, first: int, last: int, count: Any, *, down: bool) -> Any:
        """Body of XRANGE and XREVRANGE."""
        stream = self.space.read(key, Stream)
        if stream is None:
            return []
        if count is not None and count <= 0:
            return None
        if down:
            return entries(stream.range_down(last, first, count))
        return entries(stream.range(first, last, count))

    @command(
        f"XREAD {CAPS} STREAMS key [key ...] id [id ...]",
        "readonly blocking movablekeys",
        since="5.0.0",
        complexity="O(log n + m) for n entries and m returned, for each stream",
        access="RO ACCESS",
        names={"key": "streams", **CAP_NAMES},
        kinds={"id": RAW, **CAP_KINDS},
        uneven_error=errors.XREAD_UNBALANCED,
        undocumented="[GROUP group consumer] [NOACK]",
        on_undocumented=lambda options: _reject_group(options),
        resp2=stream_pairs,
    )
    def xread(
        self,
        streams: Mapping[Key, Id],
        count: Integer | None = None,
        block: Integer | None = None,
        max_count: Integer | None = None,
        max_size: Integer | None = None,
    ) -> dict[T, list[Any]] | None:
        """Read the entries after a given id from one or more streams, optionally blocking.

        streams: {key: id}; "$" stands for the current last id, "+" returns the last entry. count:
        at most this many entries per stream. max_count: at most this many in total. max_size: limit
        the reply to about this many bytes.
        block: wait up to this many milliseconds for an entry; 0 waits forever.

        Returns {key: [[id, [field, value, ...]], ...]}, or None if there is nothing to read. Raises
        ResponseError for an invalid id, WrongTypeError if a key holds another type.

        >>> db.xadd("log", {"a": 1}, "5-1"), db.xadd("log", {"a": 2}, "6-1")
        (b'5-1', b'6-1')
        >>> db.xread({"log": "5-1", "other": 0})
        {b'log': [[b'6-1', [b'a', b'2']]]}
        """
        pairs: Any = streams
        seconds = None if block is None else self._seconds(block)
        wanted = [(key, self._after(key, word)) for key, word in pairs]
        caps = Caps(count, max_count, max_size)
        reply: Any = {}
        for key, after in wanted:
            stream = self.space.read(key, Stream)  # a second lookup, as in Redis: INFO counts both
            if stream is not None and stream.top_id > after and not caps.full:
                rows = caps.take(stream.range(after + 1, MOST_ID, caps.room_after()))
                if rows:
                    reply.setdefault(key, []).extend(entries(rows))
        if reply or seconds is None:
            return reply or None
        again = [(key, id_text(after)) for key, after in wanted]
        wait: Any = Wait(
            [key for key, _ in wanted],
            seconds,
            kind=Stream,
            args=(again, count, block, max_count, max_size),
            options={},
        )
        return wait

    def _after(self, key: bytes, word: Any) -> int:
        """Return the id after which XREAD reads the stream."""
        stream = self.space.read(key, Stream)
        word = encode(word)
        if word == b">":
            raise errors.error(errors.XREAD_NEW)
        if word == b"$":
            return 0 if stream is None else stream.last_id
        if word == b"+":
            if stream is not None and stream.last_id == 0:
                raise errors.error(errors.XREAD_NO_LAST)
            # As in Redis 7.4: nothing, if the last entry has been deleted.
            return 0 if stream is None else stream.last_id - 1
        return strict_id(word)

    # removing ----------------------------------------------------------------------------------

    @command(
        "XDEL key id [id ...]",
        "write fast",
        since="5.0.0",
        complexity="O(log n) for each id, in a stream of n entries",
        access="RW DELETE",
        names={"id": "ids"},
        kinds={"id": RAW},
    )
    def xdel(self, key: Key, *ids: Many) -> int:
        """Delete the entries with these `ids` and return how many existed.

        The stream remains even if it becomes empty; consumer groups keep deleted entries as
        pending. Returns 0 if the key does not exist. Raises ResponseError for an invalid id,
        WrongTypeError if `key` holds another type.

        >>> db.xadd("log", {"a": 1}, "5-1"), db.xdel("log", "5-1", "9-9"), db.xlen("log")
        (b'5-1', 1, 0)
        """
        stream = self.space.write(key, Stream)
        if stream is None:
            return 0
        found = [number for number in dict.fromkeys(ids_of(ids)) if stream.get(number)]
        if found:
            self.space.changed(key, "xdel", len(found))
            self._delete_entries(stream, found)
        return len(found)

    def _delete_entries(self, stream: Stream, ids: list[int]) -> None:
        """Delete existing entries; an interruption rolls back all of them."""
        for number in ids:
            cut = stream.deletion(number)
            self.unit.on_rollback(stream.undo_cut, cut, stream.max_deleted)
            stream.apply(cut)

    @command(
        f"XDELEX key {_POLICY} IDS numids id [id ...]",
        "write fast",
        since="8.2.0",
        complexity="O(log n) for each id, in a stream of n entries",
        access="RW DELETE",
        names={"id": "ids", **POLICIES},
        kinds={"id": RAW},
        count_error=errors.NUMIDS_NOT_POSITIVE,
        overflow_error=errors.NUMIDS_DIFFERENT,
        left_error=errors.NUMIDS_DIFFERENT,
    )
    def xdelex(self, key: Key, *ids: Many, ref_policy: str | None = None) -> list[int]:
        """Delete the entries with these `ids`, with a policy for consumer groups.

        ref_policy: "KEEPREF" (default) leaves deleted entries pending, "DELREF" removes them from
        all groups, "ACKED" deletes only entries that all groups have acknowledged.

        Returns a list with one int per id: 1 deleted, -1 not found, 2 kept because of "ACKED".
        Raises ResponseError for an invalid id, WrongTypeError if `key` holds another type.

        >>> db.xadd("log", {"a": 1}, "5-1"), db.xdelex("log", "5-1", "9-9")
        (b'5-1', [1, -1])
        """
        wanted = ids_of(ids)
        stream = self.space.write(key, Stream)
        if stream is None:
            return [-1] * len(wanted)
        policy = encode(ref_policy or b"KEEPREF")
        replies = {number: self._verdict(stream, number, policy) for number in wanted}
        self._carry_out(key, stream, replies, wanted if policy == b"DELREF" else [])
        return [replies.pop(number, -1) for number in wanted]

    def _carry_out(
        self, key: Any, stream: Stream, replies: dict[int, int], forgotten: list[int]
    ) -> None:
        """Delete the entries whose reply is 1, and make `forgotten` pending nowhere."""
        found = [number for number, reply in replies.items() if reply == 1]
        if found:
            self.space.changed(key, "xdel", len(found))
        self._forget(key, stream, forgotten)
        self._delete_entries(stream, found)

    @staticmethod
    def _verdict(stream: Stream, number: int, policy: bytes) -> int:
        """Return the reply of XDELEX for one id."""
        if stream.get(number) is None:
            return -1
        if policy == b"ACKED" and (not stream.groups or stream.is_referenced(number)):
            return 2
        return 1

    @command(
        f"XTRIM key {_TRIM} {_POLICY}",
        "write",
        since="5.0.0",
        complexity="O(n) for n entries removed",
        access="RW DELETE",
        names={**TRIM_NAMES, "LIMIT": "limit"},
        kinds=TRIM_KINDS,
        bounds_error=errors.MAXLEN_AND_MINID,
    )
    def xtrim(
        self,
        key: Key,
        maxlen: Integer | None = None,
        approximate: bool = True,
        minid: Id | None = None,
        limit: Integer | None = None,
        ref_policy: str | None = None,
    ) -> int:
        """Remove the oldest entries of the stream at `key` and return their number.

        maxlen, minid: keep this many entries, or remove entries with a lower id; exactly one is
        needed.
        approximate: remove whole nodes of about 100 entries only (default; `~` in Redis syntax).
        limit: remove at most this many entries; only with approximate. ref_policy: see XADD.

        Returns 0 if the key does not exist. Raises ResponseError if options are missing or exclude
        each other, WrongTypeError if `key` holds another type.

        >>> db.xadd("log", {"a": 1}, "5-1"), db.xadd("log", {"a": 2}, "6-1")
        (b'5-1', b'6-1')
        >>> db.xtrim("log", maxlen=1, approximate=False), db.xrange("log")
        (1, [[b'6-1', [b'a', b'2']]])
        """
        trim = trim_of(self.engine, maxlen, minid, approximate, limit)
        if trim is None:
            raise errors.error(errors.NO_TRIM)
        stream = self.space.write(key, Stream)
        if stream is None:
            return 0
        count = self._trim(key, stream, trim, ref_policy)  # type: ignore[arg-type]
        if count:
            self._effect("XTRIM", key, **_exact(stream, trim, ref_policy))
        return count


def _exact(stream: Stream, trim: Trim | None, policy: Any) -> dict[str, Any]:
    """Return the options that trim to what is left now, for the effects of XADD and XTRIM.

    How many entries `~` removes depends on how they are stored.
    """
    if trim is None:
        return {}
    options: dict[str, Any] = {"approximate": False, "ref_policy": policy}
    if trim.maxlen is not None:
        options["maxlen"] = len(stream) if trim.approximate else trim.maxlen
    else:
        options["minid"] = id_text((trim.approximate and stream.first_id) or trim.minid)
    return options


def _reject_group(options: dict[str, Any]) -> None:
    """Reject the options that only XREADGROUP accepts."""
    if "group" in options:
        raise errors.error(errors.XREAD_GROUP)
    if "noack" in options:
        raise errors.error(errors.XREAD_NOACK)
