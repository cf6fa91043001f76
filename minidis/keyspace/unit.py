"""The unit of work: the command, script or EXEC that is running.

    dispatch    unit.time = 0                     the clock is read once, by the first now()
    body        changed(), on_rollback(), effect()
    dispatch    if unit.pending: engine.commit()  or engine.rollback() after an exception

One Unit serves one engine: the lock lets one unit run at a time. `pending` says that commit has
something to do: an undo log to discard, events for observers, effects for a recorder.

`version` serves readers that do not take the lock. It is an object that is replaced by a new one
whenever a change of more than one step is complete, and None while such a change is running. A
reader that finds the same object before and after its look-up has seen no half of a change.
"""

import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from minidis.clock import Clock

#: Number of the database, and the key.
KeyId = tuple[int, bytes]
#: (number of the database, event, key): what one command has done to a key
KeyEvent = tuple[int, str, bytes]

#: Events that are no keyspace notifications: a database was emptied, or exchanged with another one
#: (without a key), a key was replaced by that, a key has changed without an event of its own.
EMPTIED, EXCHANGED, REPLACED, CHANGED = "-", "~", "^", "*"
#: A manual clock needs no thread: no deadline is scheduled.
FOREVER, NEVER = 2**63, -(2**63)
UNNAMED = frozenset((EMPTIED, EXCHANGED, REPLACED, CHANGED))


class Effect(NamedTuple):
    """A command that repeats a change, whenever it runs, on the data as they were before.

    A command is its own effect unless its body states others: where its words depend on the time,
    on chance or on the session (EXPIRE, SPOP, XADD with *, BLPOP), and where less is needed to
    repeat it (GETDEL, SET with a condition).

    `args` and `options` are the arguments of the body of that command as its parser leaves them;
    observers.batch.words_of() makes words of them. They belong to the effect: nothing changes them.
    """

    database: int
    #: its full name: "SET", "XGROUP CREATE"
    name: str
    args: Any
    options: dict[str, Any]


#: A plain SET that a buffered recorder has not been told of yet: database, key, value.
Stored = tuple[int, bytes, bytes]


def reads_need_the_lock() -> bool:
    """Return whether the interpreter runs without a GIL, which orders loads and stores."""
    return not getattr(sys, "_is_gil_enabled", lambda: True)()


class Unit:
    """What the running command has read, changed and promised to undo."""

    __slots__ = (
        "base", "buffered", "caller", "clock", "committed", "dirty", "effects", "events",
        "interest", "lock", "lock_free_reads", "nested", "new_keys", "observed", "pending",
        "recorded", "recording", "records", "replaced", "stored", "time", "undo", "version",
        "wake_at",
    )  # fmt: skip

    def __init__(self, clock: Clock) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        #: milliseconds since 1970, read once per unit; 0: not read yet
        self.time = 0
        #: how to put back what the unit has changed so far: (function, argument, ...)
        self.undo: list[tuple[Any, ...]] = []
        #: the same for a SET with EX: (database, key, value, deadline), or None
        self.replaced: tuple[Any, bytes, Any, int | None] | None = None
        #: the same for a whole EXEC in the main thread, where an interruption may strike
        #: (database, values, deadlines), or None
        self.base: tuple[Any, dict[bytes, Any], dict[bytes, int | None]] | None = None
        #: what the running command has done to keys, as far as an observer cares
        self.events: list[KeyEvent] = []
        #: events of the earlier commands of a running EXEC
        self.nested: list[KeyEvent] = []
        #: effects that the running command has stated
        self.effects: list[Effect] = []
        #: for recorders, the effects of each command of the unit that is complete
        self.records: list[list[Effect]] = []
        #: plain SETs since the last batch, if all recorders are buffered; before `records`
        self.stored: list[Stored] = []
        self.buffered = False
        #: changes since the database was opened, and how many of them are in `records` or recorded
        self.dirty = 0
        self.recorded = 0
        #: commit has something to do
        self.pending = False
        #: the body is complete: an exception from here on finds the command done
        self.committed = False
        #: an observer wants the events of all keys
        self.observed = False
        #: an observer wants to know which keys are created
        self.new_keys = False
        #: a recorder (journal, replication) wants the effects of all commands
        self.recording = False
        #: names of keys that are watched, waited for or tracked -> how often
        self.interest: dict[bytes, int] = {}
        #: the expiry thread wakes up then, or before (milliseconds since 1970): an earlier deadline
        #: has to be scheduled
        self.wake_at = FOREVER if clock.runs else NEVER
        #: the client of the command, where tracking has to know it
        self.caller: Any = None
        self.lock_free_reads = not reads_need_the_lock()
        self.version: object | None = [] if self.lock_free_reads else None

    def now(self) -> int:
        """Milliseconds since 1970, the same throughout the unit."""
        time = self.time
        if not time:
            time = self.time = self.clock.now()
        return time

    def on_rollback(self, restore: Callable[..., None], *args: Any) -> None:
        """Call `restore(*args)` if the unit does not complete. It may be called more than once."""
        self.version = None
        self.pending = True
        self.undo.append((restore, *args))

    def changed(self, database: int, event: str | None, key: bytes, count: int = 1) -> None:
        """Count changes of a key, and keep the event for observers.

        `event` is the name of the keyspace notification; None: the value of the key stays as it is
        for WATCH and for blocked clients (XACK).
        """
        self.dirty += count
        if event is not None and (self.observed or key in self.interest):
            self.events.append((database, event, key))
            self.pending = True

    def effect(self, database: int, name: str, *args: Any, **options: Any) -> None:
        """State an effect of the running command, in place of the command itself."""
        if self.recording:
            self.effects.append(Effect(database, name, args, options))

    def no_effect(self) -> None:
        """What the running command has changed so far is not worth repeating."""
        self.recorded = self.dirty

    def keep_effects(self) -> None:
        """The running command is complete, and so are its effects. May be repeated."""
        effects, records = self.effects, self.records
        if effects and (not records or records[-1] is not effects):
            records.append(effects)
        self.effects = []
        self.recorded = self.dirty

    def drop_effects(self) -> None:
        """The running command has not happened."""
        self.effects = []
        self.recorded = self.dirty

    def forget_stored(self, values: Sequence[Any], databases: Sequence[Any]) -> None:
        """After an exception: drop the last stored SET if this call did not come to store it."""
        if not self.stored:
            return
        number, key, value = self.stored[-1]
        is_this = len(values) > 1 and values[0] is key and values[1] is value
        if is_this and databases[number].values.get(key) is not value:
            self.stored.pop()

    def expired_effect(self, database: int, key: bytes) -> None:
        """Record that a key has expired, whatever becomes of the command that found it."""
        self.records.append([Effect(database, "DEL", (key,), {})])
        self.recorded += 1

    def add_interest(self, key: bytes) -> None:
        """An observer cares for changes of the key."""
        self.interest[key] = self.interest.get(key, 0) + 1

    def drop_interest(self, key: bytes) -> None:
        """The counterpart of add_interest()."""
        count = self.interest.get(key, 0)
        if count > 1:
            self.interest[key] = count - 1
        else:
            self.interest.pop(key, None)

    def begin_steps(self) -> None:
        """Make readers take the lock until the unit ends: a change of several steps begins."""
        self.version = None
        self.pending = True

    def lock_reads(self) -> None:
        """Make readers take the lock from now on."""
        self.lock_free_reads = False
        self.version = None

    def after_fork(self) -> None:
        """In the child of a fork: the lock may be held by a thread that does not exist here."""
        self.lock = threading.RLock()
        self.interest = {}
        self.records = []
        self.stored = []


class NoVersion:
    """Stands for the unit where a session may not read without the lock."""

    version = None


CHECKED = NoVersion()
