"""Recorded histories of several threads, and the decision whether they are linearizable.

    operation     call ──────────────── return        thread 1
                        call ─── return               thread 2

A history is linearizable when its operations, in some order that keeps to the times at which they
did not overlap, give the same replies one after the other (Herlihy and Wing 1990). The order is
searched for as Wing and Gong (1993) do it, with a memory of what has been tried. Model is what the
operations do one after the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from minidis.keyspace.unit import Unit
from minidis.structures.text import is_canonical_int

#: The reply of a call that is blocked in the model.
WAITS: Any = object()


@dataclass(frozen=True)
class Operation:
    """A call of the typed API; "exec" has operations as its arguments."""

    name: str
    args: tuple[Any, ...]
    #: the time of its call and of its return
    called: int = 0
    returned: int = 0
    reply: Any = None


class ModelError(Exception):
    """An error reply; its text is the name of the exception of the API."""


class Model:
    """What the commands do, one after the other. Values are immutable: (type, content)."""

    def __init__(self) -> None:
        self.values: dict[bytes, tuple[str, Any]] = {}
        #: seconds to live; no time passes
        self.spans: dict[bytes, int] = {}
        #: blocked calls, by their number, first come first served
        self.waiting: tuple[int, ...] = ()

    def copy(self) -> Model:
        twin = Model()
        twin.values, twin.spans = self.values.copy(), self.spans.copy()
        twin.waiting = self.waiting
        return twin

    def frozen(self) -> Any:
        return frozenset(self.values.items()), frozenset(self.spans.items()), self.waiting

    def run(self, operation: Operation) -> Any:
        """The reply, as normal() has it."""
        try:
            return getattr(self, operation.name)(*operation.args)
        except ModelError as error:
            return str(error)

    def _find(self, key: bytes, kind: str, empty: Any) -> Any:
        """The content of a value of this type, as a collection that may be changed."""
        found, content = self.values.get(key, (kind, empty))
        if found != kind:
            raise ModelError("WrongTypeError")
        return content

    def _store(self, key: bytes, kind: str, content: Any) -> None:
        if content:
            self.values[key] = (kind, content)
        else:
            self._drop(key)

    def _drop(self, key: bytes) -> None:
        self.values.pop(key, None)
        self.spans.pop(key, None)

    # reads

    def get(self, key: bytes) -> Any:
        return self._find(key, "string", None)

    def strlen(self, key: bytes) -> int:
        return len(self._find(key, "string", b""))

    def exists(self, key: bytes) -> int:
        return int(key in self.values)

    def type(self, key: bytes) -> str:
        return self.values.get(key, ("none",))[0]

    def ttl(self, key: bytes) -> int:
        return self.spans.get(key, -1) if key in self.values else -2

    def hget(self, key: bytes, name: bytes) -> Any:
        return dict(self._find(key, "hash", ())).get(name)

    def sismember(self, key: bytes, member: bytes) -> int:
        return int(member in self._find(key, "set", ()))

    def zscore(self, key: bytes, member: bytes) -> Any:
        return dict(self._find(key, "zset", ())).get(member)

    # writes

    def set(self, key: bytes, value: bytes) -> str:
        self.spans.pop(key, None)
        self.values[key] = ("string", value)
        return "OK"

    def setex(self, key: bytes, seconds: int, value: bytes) -> str:
        self.values[key] = ("string", value)
        self.spans[key] = seconds
        return "OK"

    set_ex = setex

    def incr(self, key: bytes) -> int:
        text = self._find(key, "string", b"0")
        if not is_canonical_int(text):  # "0" after an append of "31" is "031"
            raise ModelError("ResponseError")
        self._store(key, "string", b"%d" % (int(text) + 1))
        return int(text) + 1

    def setnx(self, key: bytes, value: bytes) -> int:
        if key in self.values:
            return 0
        self.values[key] = ("string", value)
        return 1

    def append(self, key: bytes, value: bytes) -> int:
        whole = self._find(key, "string", b"") + value
        self._store(key, "string", whole)
        return len(whole)

    def mset(self, *pairs: tuple[bytes, bytes]) -> str:
        for key, value in pairs:
            self.set(key, value)
        return "OK"

    def hset(self, key: bytes, *pairs: tuple[bytes, bytes]) -> int:
        before = dict(self._find(key, "hash", ()))
        self._store(key, "hash", frozenset((before | dict(pairs)).items()))
        return len(dict(pairs).keys() - before.keys())

    def hset_one(self, key: bytes, name: bytes, value: bytes) -> int:
        return self.hset(key, (name, value))

    def hdel(self, key: bytes, *names: bytes) -> int:
        before = dict(self._find(key, "hash", ()))
        left = frozenset(pair for pair in before.items() if pair[0] not in names)
        self._store(key, "hash", left)
        return len(before) - len(left)

    def sadd(self, key: bytes, *members: bytes) -> int:
        before = self._find(key, "set", frozenset())
        self._store(key, "set", before | {*members})
        return len({*members} - before)

    def srem(self, key: bytes, *members: bytes) -> int:
        before = self._find(key, "set", frozenset())
        self._store(key, "set", before - {*members})
        return len(before & {*members})

    def zadd(self, key: bytes, *pairs: tuple[bytes, float]) -> int:
        before = dict(self._find(key, "zset", ()))
        self._store(key, "zset", frozenset((before | dict(pairs)).items()))
        return len(dict(pairs).keys() - before.keys())

    def zrem(self, key: bytes, *members: bytes) -> int:
        before = dict(self._find(key, "zset", ()))
        left = frozenset(pair for pair in before.items() if pair[0] not in members)
        self._store(key, "zset", left)
        return len(before) - len(left)

    def delete(self, *keys: bytes) -> int:
        there = {*keys} & self.values.keys()
        for key in there:
            self._drop(key)
        return len(there)

    def rename(self, key: bytes, newkey: bytes) -> str:
        if key not in self.values:
            raise ModelError("ResponseError")
        value, span = self.values[key], self.spans.get(key)
        self._drop(key)
        self._drop(newkey)
        self.values[newkey] = value
        if span is not None:
            self.spans[newkey] = span
        return "OK"

    def expire(self, key: bytes, seconds: int) -> int:
        if key not in self.values:
            return 0
        self.spans[key] = seconds
        return 1

    def persist(self, key: bytes) -> int:
        return int(self.spans.pop(key, None) is not None)

    def flushdb(self) -> str:
        self.values.clear()
        self.spans.clear()
        return "OK"

    def rpush(self, key: bytes, *elements: bytes) -> int:
        row = (*self._find(key, "list", ()), *elements)
        self._store(key, "list", row)
        return len(row)

    def lpush(self, key: bytes, *elements: bytes) -> int:
        row = (*reversed(elements), *self._find(key, "list", ()))
        self._store(key, "list", row)
        return len(row)

    def lpop(self, key: bytes) -> Any:
        row = self._find(key, "list", ())
        if row:
            self._store(key, "list", row[1:])
        return row[0] if row else None

    def rpop(self, key: bytes) -> Any:
        row = self._find(key, "list", ())
        if row:
            self._store(key, "list", row[:-1])
        return row[-1] if row else None

    def blpop(self, key: bytes) -> Any:
        row = self._find(key, "list", ())
        if not row:
            return WAITS
        self._store(key, "list", row[1:])
        return [key, row[0]]

    def exec(self, *operations: Operation) -> list[Any]:
        return [self.run(operation) for operation in operations]


@dataclass
class Search:
    """The search for an order of the operations; `tried` has what led nowhere."""

    operations: list[Operation]
    tried: set[Any] = field(default_factory=set)

    def succeeds(self) -> bool:
        return self._goes_on(Model(), (1 << len(self.operations)) - 1, 0)

    def _goes_on(self, model: Model, left: int, entered: int) -> bool:
        """Whether the operations that are left (bits) can follow; some have entered a queue."""
        if not left:
            return True
        known = (left, entered, model.frozen())
        if known in self.tried:
            return False
        self.tried.add(known)
        remaining = [at for at in range(len(self.operations)) if left >> at & 1]
        end = min(self.operations[at].returned for at in remaining)
        return any(
            self._step(model, left, entered, at)
            for at in remaining
            if not entered >> at & 1 and self.operations[at].called < end
        )

    def _step(self, model: Model, left: int, entered: int, at: int) -> bool:
        """Whether the operation can be the next one."""
        operation, after = self.operations[at], model.copy()
        reply = after.run(operation)
        if reply is WAITS:
            after.waiting += (at,)
            return self._goes_on(after, left, entered | 1 << at)
        if reply != operation.reply:
            return False
        left &= ~(1 << at)
        while after.waiting:  # a command serves blocked calls when it is complete
            first = after.waiting[0]
            reply = after.run(self.operations[first])
            if reply is WAITS:
                break
            if reply != self.operations[first].reply:
                return False
            after.waiting = after.waiting[1:]
            left &= ~(1 << first)
        return self._goes_on(after, left, entered)


def is_linearizable(history: Iterable[Operation]) -> bool:
    """Whether some order of the operations explains all replies."""
    return Search(sorted(history, key=lambda operation: operation.called)).succeeds()


class UnitWithoutVersion(Unit):
    """Readers never see that a change of several steps is running."""

    __slots__ = ()
    version: Any = property(lambda self: WAITS, lambda self, value: None)  # type: ignore[assignment]
