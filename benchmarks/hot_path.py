"""What does a call cost, compared with a dictionary and a lock, fakeredis, and a real server?

The same statement runs on the hand-written floor, minidis (typed), fakeredis and redis-py over a
Unix socket, because all have the method names of redis-py. "words" calls execute(). A second part
compares a sorted set of 100,000 members with plain sortedcontainers.
"""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass
from typing import Any

import minidis
from benchmarks import picture
from benchmarks.measure import (
    Candidate,
    Check,
    Options,
    Report,
    Table,
    clear_progress,
    duration,
    options,
    progress,
    ratio,
    side_by_side,
)
from benchmarks.peers import Bare, Floor, fake_client, running_server

FLOOR, TYPED, WORDS, SERVER, FAKE = "floor", "typed", "words", "real server", "fakeredis"
SERIES = (FLOOR, TYPED, WORDS, SERVER, FAKE)

#: Limits of typed / floor and words / floor, for the commands that do little more than the floor.
FLOOR_LIMITS = {"GET": (1.5, 4.0), "SET": (1.5, 4.0)}
#: Limits of fakeredis / typed and fakeredis / words (at least), for the same two commands. For the
#: others the table shows fakeredis / floor: where that is below 50 (ZADD), Python code cannot be
#: 50 times as fast as fakeredis.
FAKE_LIMITS = {TYPED: 50.0, WORDS: 20.0}
#: Limit of typed / plain sortedcontainers.
SORTED_LIMIT = 1.5


@dataclass(frozen=True, slots=True)
class Operation:
    """A call, which runs for each of a hundred keys. `before` creates the data it needs."""

    name: str
    typed: str
    words: str
    before: str = ""
    #: runs before every turn, untimed: deletes what would grow from turn to turn
    setup: str = "pass"
    calls: int = 1


OPERATIONS = (
    Operation("GET", "get(key)", '"GET", key', "db.set(key, 'a value of some length')"),
    Operation(
        "GET, keys expire",
        "get(key)",
        '"GET", key',
        "db.set(key, 'a value of some length', ex=10_000)",
    ),
    Operation("SET", "set(key, 'a value')", '"SET", key, "a value"'),
    Operation("SET EX", "set(key, 'a value', ex=9)", '"SET", key, "a value", "EX", 9'),
    Operation("EXISTS", "exists(key)", '"EXISTS", key', "db.set(key, 'value')"),
    Operation("INCR", "incr(key)", '"INCR", key'),
    Operation("HSET", "hset('h', key, 'a value')", '"HSET", "h", key, "a value"'),
    Operation("HGET", "hget('h', key)", '"HGET", "h", key', "db.hset('h', key, 'a value')"),
    Operation("SADD", "sadd('s', key)", '"SADD", "s", key', setup="db.delete('s')"),
    Operation("SISMEMBER", "sismember('s', key)", '"SISMEMBER", "s", key', "db.sadd('s', key)"),
    Operation(
        "ZADD, scores change",
        "zadd('z', {key: 1}); db.zadd('z', {key: 2})",
        '"ZADD", "z", 1, key); db.execute("ZADD", "z", 2, key',
        "db.zadd('z', {key: 2}); db.zrange('z', 0, 0)",
        calls=2,
    ),
    Operation("ZSCORE", "zscore('z', key)", '"ZSCORE", "z", key', "db.zadd('z', {key: 1})"),
    Operation("LPUSH", "lpush('l', key)", '"LPUSH", "l", key', setup="db.delete('l')"),
    Operation(
        "LPUSH, LPOP",
        "lpush('l', key); db.lpop('l')",
        '"LPUSH", "l", key); db.execute("LPOP", "l"',
        "db.lpush('l', key)",
        calls=2,
    ),
)


def candidates(operation: Operation, clients: dict[str, Any]) -> list[Candidate]:
    """The operation for each client, on empty databases."""
    keys = [f"key:{number}" for number in range(100)]
    found = []
    for name, client in clients.items():
        space = {"db": client, "keys": keys}
        call = f"db.execute({operation.words})" if name == WORDS else f"db.{operation.typed}"
        if operation.before:
            exec(f"for key in keys:\n    {operation.before}", dict(space))
        found.append(
            Candidate(
                name,
                f"for key in keys:\n    {call}",
                space,
                operation.setup,
                operation.calls * len(keys),
            )
        )
    return found


def new_clients(server: Any, fake: bool) -> dict[str, Any]:
    """Clients with empty databases, in the order of SERIES."""
    clients: dict[str, Any] = {FLOOR: Floor(), TYPED: minidis.open(), WORDS: minidis.open()}
    if server is not None:
        server.flushall()
        clients[SERVER] = server
    if fake and (client := fake_client()) is not None:
        clients[FAKE] = client
    return clients


def measure_operations(server: Any, chosen: Options) -> dict[str, dict[str, float]]:
    """Operation -> candidate -> seconds per call."""
    rounds, seconds = (2, 0.002) if chosen.quick else (15, 0.02)
    results = {}
    for operation in OPERATIONS:
        progress(operation.name)
        clients = new_clients(server, fake=True)
        results[operation.name] = side_by_side(
            candidates(operation, clients), rounds=rounds, seconds=seconds
        )
    return results


@dataclass(frozen=True, slots=True)
class Ordered:
    """The same statement on a large sorted set for each candidate; `bare` has no key to look up."""

    name: str
    bare: str
    typed: str
    words: str
    setup: tuple[str, str] = ("pass", "pass")
    loops: int | None = None
    calls: int = 1


#: `moves` are members with two new scores each, `news` are members that the set does not have
ORDERED = (
    Ordered(
        "ZADD, new members",
        "for m, s in news: z.zadd(m, s)",
        "for m, s in news: z.zadd(b'z', {m: s})",
        "for m, s in news: z.execute(b'ZADD', b'z', s, m)",
        ("z.zrem(*gone)", "z.zrem(b'z', *gone)"),
        loops=1,
    ),
    Ordered(
        "ZADD, scores change",
        "for m, a, b in moves: z.zadd(m, a); z.zadd(m, b)",
        "for m, a, b in moves: z.zadd(b'z', {m: a}); z.zadd(b'z', {m: b})",
        "for m, a, b in moves: z.execute(b'ZADD', b'z', a, m); z.execute(b'ZADD', b'z', b, m)",
        calls=2,
    ),
    Ordered(
        "ZRANK",
        "for m, a, b in moves: z.zrank(m)",
        "for m, a, b in moves: z.zrank(b'z', m)",
        "for m, a, b in moves: z.execute(b'ZRANK', b'z', m)",
    ),
    Ordered(
        "ZRANGE, 10 members",
        "for at in ranks: z.zrange(at, at + 9)",
        "for at in ranks: z.zrange(b'z', at, at + 9)",
        "for at in ranks: z.execute(b'ZRANGE', b'z', at, at + 9)",
    ),
    Ordered(
        "ZRANGE, 100 members",
        "for at in ranks: z.zrange(at, at + 99)",
        "for at in ranks: z.zrange(b'z', at, at + 99)",
        "for at in ranks: z.execute(b'ZRANGE', b'z', at, at + 99)",
    ),
)


def measure_ordered(chosen: Options) -> dict[str, dict[str, float]]:
    """Statement -> candidate -> seconds per call, on 100,000 members."""
    size, sample = (2_000, 50) if chosen.quick else (100_000, 500)
    rounds, seconds = (2, 0.002) if chosen.quick else (25, 0.02)
    chance = random.Random(7)
    scores = {b"member:%d" % number: chance.random() for number in range(size)}
    news = [(b"new:%d" % number, chance.random()) for number in range(sample)]
    space = {
        "news": news,
        "gone": [member for member, _ in news],
        "moves": [
            (m, chance.random(), chance.random()) for m in chance.sample(list(scores), sample)
        ],
        "ranks": [chance.randrange(size - 100) for _ in range(sample)],
    }
    db = minidis.open()
    db.zadd("z", scores)
    db.zrange("z", 0, 0)
    peers = {FLOOR: Bare(scores), TYPED: db, WORDS: db}
    results = {}
    for one in ORDERED:
        progress(one.name)
        texts = {FLOOR: one.bare, TYPED: one.typed, WORDS: one.words}
        turns = [
            Candidate(
                name,
                texts[name],
                {**space, "z": peer},
                one.setup[name != FLOOR],
                one.calls * sample,
                one.loops,
            )
            for name, peer in peers.items()
        ]
        results[one.name] = side_by_side(turns, rounds=rounds, seconds=seconds)
    return results


def operations_table(results: dict[str, dict[str, float]]) -> Table:
    """Time per call. The column "/floor" is the ratio of the column before it and the floor."""
    table = Table(
        "A call, and its ratios",
        [
            *("", FLOOR, TYPED, "/floor", WORDS, "/floor", SERVER, "/typed"),
            *(FAKE, "/floor", "/typed", "/words"),
        ],
    )
    for name, row in results.items():
        floor, typed, words = row[FLOOR], row[TYPED], row[WORDS]
        server, fake = row.get(SERVER), row.get(FAKE)
        cells = [duration(floor), duration(typed), ratio(typed, floor)]
        cells += [duration(words), ratio(words, floor), duration(server), ratio(server, typed)]
        cells += [duration(fake), ratio(fake, floor), ratio(fake, typed), ratio(fake, words)]
        table.rows.append([name, *cells])
    return table


def ordered_table(results: dict[str, dict[str, float]]) -> Table:
    """Time per call on the sorted set, and its ratio to plain sortedcontainers."""
    columns = ["", "bare", TYPED, "/bare", WORDS, "/bare"]
    table = Table("A sorted set of 100,000 members, compared with plain sortedcontainers", columns)
    for name, row in results.items():
        bare, typed, words = row[FLOOR], row[TYPED], row[WORDS]
        cells = [duration(bare), duration(typed), ratio(typed, bare)]
        table.rows.append([name, *cells, duration(words), ratio(words, bare)])
    return table


def checks(
    operations: dict[str, dict[str, float]], ordered: dict[str, dict[str, float]]
) -> list[Check]:
    """All limits of this benchmark."""
    found = []
    for name, (typed, words) in FLOOR_LIMITS.items():
        row = operations[name]
        found.append(Check(f"{name}, typed / floor", ratio(row[TYPED], row[FLOOR]), typed))
        found.append(Check(f"{name}, words / floor", ratio(row[WORDS], row[FLOOR]), words))
    for name, row in ordered.items():
        found.append(Check(f"{name}, typed / bare", ratio(row[TYPED], row[FLOOR]), SORTED_LIMIT))
    for name in FLOOR_LIMITS:
        row = operations[name]
        for series, limit in FAKE_LIMITS.items():
            times = ratio(row.get(FAKE), row[series])
            found.append(Check(f"{name}, fakeredis / {series}", times, limit, at_least=True))
    return found


def main() -> int:
    chosen = options(__doc__)
    report = Report("hot_path", "Time per call", chosen)
    with clear_progress(), running_server() as server:
        client = server.client() if server else None
        operations = measure_operations(client, chosen)
        ordered = measure_ordered(chosen)
    report.tables = [operations_table(operations), ordered_table(ordered)]
    report.checks = checks(operations, ordered)
    if client is None:
        report.notes.append("redis-server or redis-py is not installed, so not measured")
    drawn = [(name, row) for name, row in operations.items()]
    return report.finish(picture.dots("Time per call", drawn, SERIES, duration))


if __name__ == "__main__":
    sys.exit(main())
