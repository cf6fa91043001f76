"""Long sequences of commands by chance, always the same ones: what one leaves, the next one finds.

The calls of mistakes.py start on fresh keys; here a few keys of a group go through dozens of
commands, mostly well-formed, while the limits of the compact encodings change, with a look at
encodings and deadlines now and then.
"""

from __future__ import annotations

from tests.oracle.cases import Scenario
from tests.oracle.facts import Fact
from tests.oracle.mistakes import (
    Chance,
    Shape,
    by_chance,
    facts_to_try,
    take_apart,
    without_waiting,
    write,
)
from tests.oracle.resp import Words

#: For each group: sequences, and commands in each.
SEQUENCES, LENGTH = 60, 40
GROUPS = ("string", "list", "hash", "set", "sorted-set", "stream", "generic")
#: The two sides would not stay together after a random choice; SAVE is slow.
LEFT_OUT = frozenset(["SPOP", "RANDOMKEY", "SAVE", "CONFIG"])

#: What the compact encodings are limited to at first; sequences change it, and put it back.
LIMITS = {
    b"hash-max-listpack-entries": b"512",
    b"hash-max-listpack-value": b"64",
    b"set-max-intset-entries": b"512",
    b"zset-max-listpack-entries": b"128",
    b"zset-max-listpack-value": b"64",
}
RESET: Words = (b"CONFIG", b"SET", *(word for limit in LIMITS.items() for word in limit))


def scenarios_of(group: str) -> list[Scenario]:
    """Sequences of the commands of a group, sprinkled with generic ones."""
    facts = [fact for fact in facts_to_try() if fact.name.split()[0] not in LEFT_OUT]
    own = [take_apart(fact) for fact in facts if fact.group == group or group == "generic"]
    others = [take_apart(fact) for fact in facts if fact.group == "generic"]
    chance = Chance(f"sequences of {group}")
    return [
        Scenario(f"{group} sequence {number}", _sequence(own, others, chance))
        for number in range(SEQUENCES)
    ]


def _sequence(own: list[Shape], others: list[Shape], chance: Chance) -> tuple[Words, ...]:
    commands: list[Words] = []
    while len(commands) < LENGTH:
        if chance.happens(0.05):
            limit = chance.of((b"0", b"1", b"2", b"3", b"64"))
            commands.append((b"CONFIG", b"SET", chance.of(LIMITS), limit))
        shape = chance.of(others if chance.happens(0.1) else own)
        keys = [chance.of(("k1", "k2", "k3")) for _ in range(4)]
        words = write(shape, by_chance(shape, chance, odd=0.03), keys)
        if _writes(shape.fact) or chance.happens(0.6):
            commands += without_waiting(shape.fact, tuple(words))
        if chance.happens(0.2):
            commands.append((b"OBJECT", b"ENCODING", keys[0].encode()))
        if chance.happens(0.1):
            commands.append((b"PEXPIRETIME", keys[0].encode()))
    return (*commands, RESET)


def _writes(fact: Fact) -> bool:
    return "write" in fact.flags
