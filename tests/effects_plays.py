"""Random plays on a database: words, typed calls, transactions, blocked calls, a moving clock."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from random import Random
from typing import Any

import minidis
from minidis.api.session import Session
from minidis.clients.blocked import BlockedCall
from minidis.clients.client import Client
from minidis.errors import MinidisError
from minidis.grammar.command import Command, find
from tests.effects import Logged, SilentClock
from tests.oracle.facts import Fact, in_scope
from tests.oracle.mistakes import BY_HAND, Chance, Token, by_chance, take_apart, write

#: Calls that chance alone would rarely write. {a|b} is one of the alternatives; t: a time
#: in milliseconds that comes soon; ID: an id of x1; OTHER: the other database.
TEMPLATES = [
    line
    for line in """
SET {s1|s2} {1|a|2.5}
SET {s1|s2} 5 {PX {5|50|500}|EX 1|PXAT t|NX|XX|KEEPTTL|GET|NX PX 50}
SETEX s1 {1|5} 3
PSETEX s1 {5|50} 3
GETEX {s1|s2} {PX 50|PERSIST|PXAT t|PXAT 1}
MSETEX 2 s1 1 s2 2 {PX 50|KEEPTTL|NX PX 5|XX}
INCREX s1 {PX 50|PERSIST|PXAT 1|BYINT 3 UBOUND 9 SATURATE|BYFLOAT 0.1|PX 5 ENX}
INCRBYFLOAT {s1|s2} {0.1|1e3|-5}
DELEX {s1|s2} {IFEQ 5|IFNE 5}
{PEXPIRE|EXPIRE} {s1|l1|h1|x1|z1} {1|5|50|-1} {NX|XX|GT|LT}
PEXPIREAT {s1|l1|h1|x1|z1|e1} {t|1}
PERSIST {s1|l1|h1|x1|z1}
RENAME {s1|l1|x1} {s1|l1|x1}
COPY {s1|l1|x1|z1} {s2|l2|x2|z2} {REPLACE|DB 1 REPLACE}
MOVE {h1|h2|s1|l1|x1|z1} OTHER
SWAPDB 0 1
{FLUSHDB|FLUSHALL|DBSIZE|DBSIZE|DBSIZE}
RENAMENX {s1|l1|x1} {s2|l2|x2}
LINSERT {l1|l2} {BEFORE|AFTER} {a|c} x
LREM {l1|l2} {0|1|-1} {a|c}
LTRIM {l1|l2} {0|1} {1|-2}
LSET l1 0 y
RPUSHX {l1|l2} z
LPUSHX {l1|l2} z
SREM {e1|e2} a 1 4
SMOVE {e1|e2} {e1|e2} {a|b|1|2}
{SUNIONSTORE|SINTERSTORE|SDIFFSTORE} {e1|e2} e1 e2
{ZUNIONSTORE|ZINTERSTORE|ZDIFFSTORE} {z1|z2} 2 {z1|e1} z2
ZRANGESTORE z2 z1 0 -1
ZREM {z1|z2} {a|b}
ZREMRANGEBYLEX z1 - +
ZREMRANGEBYSCORE z1 -inf 2
ZREMRANGEBYRANK z1 0 0
ZPOPMIN z1
RANDOMKEY
SCAN 0
RPUSH {l1|l2} c a b
LPUSH {l1|l2} {c d e f|g}
LMPOP 2 l1 l2 {LEFT|RIGHT} COUNT {1|2|9}
LMOVEM {l1|l2} {l1|l2} {LEFT|RIGHT} {LEFT|RIGHT} {COUNT|EXACTLY} 2 {OBO|BULK}
SORT {l1|e1|z1} {ALPHA|BY w_* ALPHA|BY nosort|BY w_*} STORE {l2|e2}
SADD {e1|e2} {1 2 3|a b c d e|4}
SPOP e1 {1|2|9}
SPOP {e1|e2}
HSET {h1|h2} f 1 {g 2|f 2}
HINCRBYFLOAT h1 f {0.1|5}
HGETDEL h1 FIELDS 2 {f g|x f}
HIMPORT SET {h1|h2} fs 1 2
ZADD {z1|z2} {NX|XX|GT|LT|CH|CH} {1|2.5|inf} a {0.1|3} b
ZADD z1 INCR 0.1 a
ZMPOP 2 z1 z2 {MIN|MAX} COUNT {1|2|9}
BLPOP l1 l2 0
BRPOP l2 l1 0
BLMPOP 0 2 l1 l2 {LEFT|RIGHT} COUNT 2
BLMOVE l1 {l1|l2} {LEFT|RIGHT} {LEFT|RIGHT} 0
BRPOPLPUSH l2 {l1|l2} 0
BLMOVEM l1 l2 LEFT RIGHT 0 {COUNT|EXACTLY} 2 OBO
BZPOPMIN z1 z2 0
BZPOPMAX z2 z1 0
BZMPOP 0 2 z1 z2 {MIN|MAX} COUNT 2
XADD {x1|x2} * f v g w
XADD {x1|x2} {*|5-*} f v
XADD x1 {NOMKSTREAM|MAXLEN ~ 2|MAXLEN = 3|MINID ~ t|MAXLEN ~ 1 LIMIT 2} * f v
XADD x1 {DELREF|ACKED} MAXLEN {~|=} {1|3} * f v
XTRIM x1 MAXLEN {~|=} {0|2|4} {KEEPREF|DELREF|ACKED}
XTRIM x1 MINID {~|=} {t|5}
XGROUP CREATE {x1|x2} {a|b} {0|$} MKSTREAM
XGROUP CREATE x1 a 0 ENTRIESREAD 1
XGROUP SETID x1 {a|b} {0|$}
XGROUP CREATECONSUMER x1 a {c|d|e}
XGROUP DELCONSUMER x1 a {c|d}
{XGROUP DESTROY|XLEN|XLEN|XLEN} x1 {a|b}
XREADGROUP GROUP {a|b} {c|d} COUNT 2 STREAMS x1 >
XREADGROUP GROUP {a|b} {c|d} STREAMS x1 >
XREADGROUP GROUP {a|b} {c|d} STREAMS x1 >
XREADGROUP GROUP a {c|d} STREAMS x1 x2 > >
XREADGROUP GROUP {a|b} {c|d|e} NOACK STREAMS x1 >
XREADGROUP GROUP a {c|d|f} COUNT 2 STREAMS x1 0
XREADGROUP GROUP a {c|d} CLAIM 5 STREAMS x1 >
XREADGROUP GROUP a {c|d} BLOCK 0 STREAMS x1 >
XCLAIM x1 a {c|d} {0|5} ID ID {IDLE 50|TIME t|RETRYCOUNT 7|FORCE|JUSTID|LASTID ID}
XAUTOCLAIM x1 a {c|d} {0|5} 0 COUNT 2
XACK x1 {a|b} ID ID
XNACK x1 a {SILENT|FAIL|FATAL} IDS 2 ID ID
XDEL x1 ID
XDELEX x1 {KEEPREF|DELREF|ACKED} IDS 2 ID ID
XACKDEL x1 a {KEEPREF|DELREF|ACKED} IDS 2 ID ID
XSETID x1 t
""".splitlines()
    if line
]
#: What a play begins with.
SETUP = """
HIMPORT PREPARE fs a b
RPUSH l1 a b c a
SADD e1 a b c d
ZADD z1 1 a 2 b 3 c
XADD x1 * f v g w
XGROUP CREATE x1 a 0
XADD x1 * f v
XGROUP CREATE x1 b 0
XADD x2 * f v
XGROUP CREATE x2 a 0
""".strip().splitlines()
KEYS = [kind + number for kind in ("s", "l", "h", "e", "z", "x") for number in "12"]
OF_GROUP = {"string": "s", "list": "l", "hash": "h", "set": "e", "sorted-set": "z", "stream": "x"}
#: Words whose time is to come soon.
SPANS = frozenset(("seconds", "milliseconds", "ttl"))
MOMENTS = frozenset(("unix-time-seconds", "unix-time-milliseconds"))
LEFT_OUT = frozenset(("SAVE", "HIMPORT SET", "HIMPORT PREPARE", "FLUSHALL", "FLUSHDB"))
STEPS = 150


def facts() -> list[Fact]:
    """The commands that chance writes: those that write, and a few that read."""
    found = [fact for fact in in_scope() if not {fact.name, fact.name.split()[0]} & BY_HAND]
    return [fact for fact in found if "write" in fact.flags and fact.name not in LEFT_OUT]


SHAPES = [take_apart(fact) for fact in facts()]


class Play:
    """A play: its database, its clock, and the commands that have changed something so far."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.chance = Chance(f"effects {seed}")
        self.clock = SilentClock()
        self.db = minidis.open(clock=self.clock, databases=2)
        self.db.engine.settings.randbelow = self.random.randrange
        self.limits = [
            ("stream-node-max-entries", self.random.choice((1, 2, 3, 100))),
            ("hash-max-listpack-entries", self.random.choice((1, 2, 128))),
            ("zset-max-listpack-entries", self.random.choice((1, 2, 128))),
        ]
        for limit in self.limits:
            self.db.execute("CONFIG", "SET", *limit)
        self.sessions = [self.db, self.db.session(1)]
        self.waiting: list[BlockedCall] = []
        self.changed: set[str] = set()

    def steps(self) -> Iterator[Any]:
        """Make one step after the other, and say what it was."""
        for session in self.sessions:
            for line in SETUP:
                session.execute(*line.split())
        yield "setup"
        for _ in range(STEPS):
            yield self._step()
        while self.waiting:
            yield self._cancel(self.waiting.pop())

    def _step(self) -> Any:
        part = self.random.random()
        if part < 0.1:
            return self._move_clock()
        if part < 0.2:
            return self._transaction()
        if part < 0.23 and self.waiting:
            blocked = self.waiting.pop(self.random.randrange(len(self.waiting)))
            return self._cancel(blocked)
        if part < 0.26:
            self.sessions.reverse()
        return self._call(self._words())

    def _cancel(self, blocked: BlockedCall) -> Any:
        """A call that was served puts back what its client does not receive any more."""
        with contextlib.suppress(MinidisError):  # the key has another type by now
            blocked.cancel()
        return "cancel", blocked.call[3]

    def _move_clock(self) -> str:
        step = self.random.choice((1, 3, 10, 60, 600, 2000))
        if self.random.random() < 0.5:
            self.clock.slip(step)
        else:
            self.clock.advance(milliseconds=step)
        return f"clock {step}"

    # calls ------------------------------------------------------------------------------------

    def _call(self, words: list[bytes]) -> Any:
        session = self.sessions[0]
        command = find(words)
        try:
            if command is not None and command.waits:
                self._wait(session, command, words)
            elif command is not None and self.random.random() < 0.3:
                self._typed(session, command, words)
            else:
                session.execute(*words)
        except MinidisError:
            return None
        return words

    def _typed(self, session: Any, command: Command, words: list[bytes]) -> None:
        """The same call by the method; its containers are emptied afterwards."""
        args, options = command.parse(list(words))
        if "_option_error" in options:
            return
        if command.name == "ZADD":
            args = [args[0], dict(options.pop("mapping") if "mapping" in options else args[1])]
        getattr(session, command.method)(*args, **options)
        for value in [*args, *options.values()]:
            if isinstance(value, (dict, list)):
                value.clear()

    def _wait(self, session: Session[Any], command: Command, words: list[bytes]) -> None:
        """A client of its own makes a call that may wait; the thread does not wait for it."""
        caller = Session[Any](session.engine, session.space.number, Client())
        call = (command, (), {}, words)
        blocked = BlockedCall(session.engine.observers.blocked, caller.client, caller, call)
        if caller._dispatch(call, blocked) is blocked:
            self.waiting.append(blocked)

    def _transaction(self) -> Any:
        session = self.sessions[0]
        session.execute("MULTI")
        queued = [self._words() for _ in range(self.random.randrange(5))]
        try:
            for words in queued:
                session.execute(*words)
            if self.random.random() < 0.3:
                session.execute("SELECT", 1 - session.space.number)
                session.execute("INCR", "s1")
                session.execute("SELECT", session.space.number)
            session.execute("EXEC")
        except MinidisError:
            session.execute("RESET") if session.client.queue is not None else None
        return queued

    def note(self, step: Any, batches: list[list[Logged]]) -> None:
        """Remember which commands have changed something."""
        for blocked in self.waiting:
            if blocked.done and not isinstance(blocked.reply, Exception):
                self.changed.add(blocked.command.name)
        if batches and isinstance(step, list) and step and isinstance(step[0], bytes):
            command = find(step)
            assert command is not None
            self.changed.add(command.name)

    # words ------------------------------------------------------------------------------------

    def _words(self) -> list[bytes]:
        return self._of_template() if self.random.random() < 0.6 else self._of_shape()

    def _of_shape(self) -> list[bytes]:
        shape = self.chance.of(SHAPES)
        sentence = [self._timely(token) for token in by_chance(shape, self.chance, odd=0.02)]
        kind = OF_GROUP.get(shape.fact.group)
        keys = [kind + str(n) for n in (1, 2)] if kind else KEYS
        keys = [self.chance.of(KEYS if self.chance.happens(0.05) else keys) for _ in range(6)]
        return write(shape, tuple(sentence), keys)

    def _timely(self, token: Token) -> Token:
        if token.name in SPANS:
            return Token(b"%d" % self.random.choice((1, 5, 50, 500)), token.name)
        if token.name in MOMENTS:
            unit = 1000 if token.name == "unix-time-seconds" else 1
            return Token(b"%d" % (self._soon() // unit), token.name)
        return token

    def _soon(self) -> int:
        return self.clock.now() + self.random.choice((-5, 1, 5, 50, 500))

    def _of_template(self) -> list[bytes]:
        line = self.random.choice(TEMPLATES)
        while "{" in line:
            begin = line.rindex("{")
            end = line.index("}", begin)
            chosen = self.random.choice(line[begin + 1 : end].split("|"))
            line = line[:begin] + chosen + line[end + 1 :]
        words = []
        for word in line.split():
            if word == "t":
                word = str(self._soon())
            elif word == "ID":
                word = self._id()
            elif word == "OTHER":
                word = str(1 - self.sessions[0].space.number)
            words.append(word.encode())
        return words

    def _id(self) -> str:
        """The id of an entry that exists, or existed perhaps."""
        rows = self.sessions[0].execute("XRANGE", "x1", "-", "+") if self._is_stream() else []
        return self.random.choice([row[0].decode() for row in rows] or ["5-1"])

    def _is_stream(self) -> bool:
        return bool(self.sessions[0].client.queue is None) and (
            self.sessions[0].execute("TYPE", "x1") == "stream"
        )
