"""Long sequences of commands by chance, always the same ones: what one leaves, the next one finds.

The calls of mistakes.py start on fresh keys; here a few keys of a group go through dozens of
commands, mostly well-formed, with a look at the encoding now and then.
"""

from __future__ import annotations

from tests.oracle.cases import Scenario
from tests.oracle.facts import Fact
from tests.oracle.mistakes import Chance, Shape, by_chance, facts_to_try, take_apart, write
from tests.oracle.resp import Words

#: For each group: sequences, and commands in each.
SEQUENCES, LENGTH = 60, 40
GROUPS = ("string", "list", "hash", "set", "sorted-set", "generic")
#: The two sides would not stay together after a random choice; SAVE is slow.
LEFT_OUT = frozenset(["SPOP", "RANDOMKEY", "SAVE", "CONFIG"])


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
        shape = chance.of(others if chance.happens(0.1) else own)
        keys = [chance.of(("k1", "k2", "k3")) for _ in range(4)]
        words = write(shape, by_chance(shape, chance, odd=0.03), keys)
        if _writes(shape.fact) or chance.happens(0.6):
            commands.append(tuple(words))
        if chance.happens(0.2):
            commands.append((b"OBJECT", b"ENCODING", keys[0].encode()))
    return tuple(commands)


def _writes(fact: Fact) -> bool:
    return "write" in fact.flags
