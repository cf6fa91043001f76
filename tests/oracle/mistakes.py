"""Generated calls: for every command each mistake a caller can make, alone and together.

From the syntax line of a command come its well-formed sentences, and from these

    arity      every word missing, one and two too many
    keys       every key of the pool at every place of a key
    options    alone, twice, each pair in both orders, in small letters, without its argument, with
               an unknown word before and behind
    numbers    each odd number at each numeric place, with a key of the right type, of another,
               missing
    sentences  put together by chance (always the same chance), several mistakes at once

Each is a scenario of its own on a small pool of keys, so that the data can be compared afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import TypeVar

from minidis.grammar.syntax import (
    Argument,
    Choice,
    Node,
    Optional,
    Repeat,
    Sequence,
    Word,
    parse_line,
)
from tests.oracle.cases import Scenario, split
from tests.oracle.facts import Fact, in_scope
from tests.oracle.permitted import NEWER_WORDS
from tests.oracle.resp import Words

POOL = tuple(
    tuple(split(line))
    for line in (
        "SET str hello EXAT 9999999999",
        "SET num 10",
        "RPUSH list a b c a",
        "RPUSH list2 3 1 2",
        "HSET hash a 1 b hello",
        "HSET hash2 a 1.5",
        "SADD set a b c",
        "SADD set2 1 2 3",
        "ZADD zset 1 a 2 b 3 c",
        "ZADD zset2 0 a 0 b 0 c",
        "PEXPIREAT zset2 9999999999999",
        "XADD stream 9999999999999-1 a 1 b 2",
        "XADD stream 9999999999999-2 a 3",
        "XGROUP CREATE stream a 0",
        "XREADGROUP GROUP a a COUNT 1 STREAMS stream >",
        "XADD stream2 1-1 f v",
        "XADD stream2 5-5 f w",
        "XGROUP CREATE stream2 a 0",
    )
)
KEYS = (
    *("str", "num", "list", "list2", "hash", "hash2", "set", "set2", "zset", "zset2", "stream"),
    "missing",
)

#: group -> the two keys that its commands work on
RIGHT_KEYS = {
    "string": ("str", "num"),
    "list": ("list", "list2"),
    "hash": ("hash", "hash2"),
    "set": ("set", "set2"),
    "sorted-set": ("zset", "zset2"),
    "stream": ("stream", "stream2"),
}

#: Other commands are asked by hand, in the tables: these would change the server or the
#: connection, or end them.
BY_HAND = frozenset(
    ("CONFIG SET", "DEBUG", "COMMAND", "CLIENT", "HELLO", "AUTH", "RESET", "QUIT", "MONITOR",
     "INFO", "SHUTDOWN", "WAIT", "ACL", "MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH",
     "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE",
     "PUBSUB")
)  # fmt: skip

#: The payload of a string `v`, of version 10, which all servers read.
PAYLOAD = b"\x00\x01v\n\x00\x91\x08\xce\xb2\x198\x8a\xce"

KEY_NAMES = frozenset(["key", "key1", "key2", "newkey", "source", "destination", "src", "dst"])
ODD_NUMBERS = (
    *b"x|1.5||9223372036854775808|-1|0| 1|+1|01|1 |-0|1e3|0x10|inf|-inf|nan|1e400|5e-324".split(
        b"|"
    ),
    *b"9223372036854775807|-9223372036854775808|2|(1|[a|1\0".split(b"|"),
    b"9" * 5000,
)
_INTEGERS = (b"1", b"2", b"0", b"-1", b"-2", b"3", b"100", b"-100")
_MOMENTS = (b"9999999999", b"1000000", b"0", b"-1")
_BOUNDS = tuple(b"-inf|+inf|1|(1|2|(2|3|-|+|[a|(a|[b|(c|[|(|a".split(b"|"))
_TEXTS = (b"a", b"b", b"zz", b"", b"1", b"10", b"1.5")
#: Ids of entries; the last ones of the stream lie beyond all clocks, so that * is always the same.
_LAST = b"9999999999999-2"
_IDS = (
    *b"9999999999999-1|9999999999999-3|1-1|5|0|9999999999999-*|9999999999999|-|+|$|>".split(b"|"),
    *b"*|x|(1|18446744073709551615-18446744073709551615|1-18446744073709551616".split(b"|"),
)

#: argument name -> what to write there; the first is the usual one
WORDS: dict[str, tuple[bytes, ...]] = {
    **dict.fromkeys(("start", "stop", "end", "index", "offset"), (b"0", *_INTEGERS)),
    **dict.fromkeys(("count", "num-matches", "len", "limit", "rank", "min-match-len"), _INTEGERS),
    **dict.fromkeys(("increment", "decrement", "score", "weight"), (b"2", b"1.5", b"-1", b"inf")),
    **dict.fromkeys(("seconds", "milliseconds", "unix-time-seconds"), (b"9999999", *_MOMENTS)),
    "unix-time-milliseconds": (b"9999999999999", *_MOMENTS),
    **dict.fromkeys(("min", "max"), _BOUNDS),
    **dict.fromkeys(("db", "destination-db", "index1", "index2"), (b"1", b"0", b"15", b"16")),
    "numkeys": (b"1", b"2", b"3", b"0", b"-1"),
    "cursor": (b"0", b"5"),
    "ttl": (b"0", b"9999999", b"-1"),
    "frequency": (b"0", b"255", b"256", b"-1"),
    "pattern": (b"*", b"a*", b"[ab]", b"w_*", b"#", b"nothing"),
    "type": (b"string", b"zset", b"nothing", b"hash"),
    "serialized-value": (PAYLOAD, b"x", b"", PAYLOAD[:-1] + b"x"),
    "parameter": (b"hash-max-listpack-entries", b"zset-max-listpack-*", b"nothing"),
    "message": (b"hello", b""),
    "id": _IDS,
    **dict.fromkeys(("last-id", "lastid", "max-deleted-id"), (_LAST, *_IDS)),
    "threshold": (b"1", b"0", b"5", _LAST, b"-1"),
    **dict.fromkeys(("group", "consumer"), (b"a", b"b", b"")),
    **dict.fromkeys(("min-idle-time", "ms"), (b"0", b"1000000", b"-1")),
    **dict.fromkeys(("entries-added", "entries-read"), (b"10", b"0", b"-1", b"-2")),
}
NUMBERS = frozenset(
    (
        *("start", "stop", "end", "index", "offset", "count", "num-matches", "len", "limit"),
        *("rank", "min-match-len", "increment", "decrement", "score", "weight", "seconds"),
        *("milliseconds", "unix-time-seconds", "unix-time-milliseconds", "min", "max", "db"),
        *("destination-db", "index1", "index2", "numkeys", "cursor", "ttl", "frequency"),
        *("id", "last-id", "lastid", "max-deleted-id", "threshold", "min-idle-time", "ms"),
        *("entries-added", "entries-read"),
    )
)

#: Times from now on.
SPANS = frozenset(("seconds", "milliseconds", "ttl"))

#: Sentences made by chance, for each command.
BY_CHANCE = 120
UNKNOWN = b"FOO"

#: Options that would let the server wait.
WAITING = frozenset((b"BLOCK",))

T = TypeVar("T")


@dataclass(frozen=True)
class Token:
    """One word of a sentence, and the argument it stands for ("" for a fixed word)."""

    text: bytes
    name: str = ""


Sentence = tuple[Token, ...]


@dataclass(frozen=True)
class Shape:
    """A command, taken apart: what has to be there, and the options with their alternatives."""

    fact: Fact
    #: one list of alternatives for each item of the line; `None` among them: may be left out
    items: tuple[tuple[Sentence | None, ...], ...]

    @property
    def name(self) -> tuple[bytes, ...]:
        return tuple(self.fact.name.encode().split())

    def usual(self, changed: dict[int, Sentence] | None = None) -> Sentence:
        """The plainest sentence, with some items replaced."""
        changed = changed or {}
        return tuple(
            token
            for place, choices in enumerate(self.items)
            for token in (changed.get(place, () if None in choices else choices[0] or ()))
        )

    @property
    def options(self) -> list[tuple[int, Sentence]]:
        """(place, alternative) of everything that may be left out."""
        return [
            (place, choice)
            for place, choices in enumerate(self.items)
            if None in choices
            for choice in choices
            if choice is not None
        ]


def take_apart(fact: Fact) -> Shape:
    """The shape of a command, from its line."""
    name = fact.name
    line = parse_line(fact.syntax, frozenset(name.split()[:1]) if " " in name else frozenset())
    newer = NEWER_WORDS.get(name, frozenset()) | WAITING
    items = []
    for node in line.items:
        choices: list[Sentence | None] = [
            sentence
            for sentence in _sentences(node)
            if not newer & {token.text for token in sentence if not token.name}
        ]
        if isinstance(node, Optional):
            choices = [None, *choices]
        items.append(tuple(choices))
    return Shape(fact, tuple(items))


def _sentences(node: Node) -> list[Sentence]:
    """The ways to write a node: every alternative, with and without what may be left out inside."""
    match node:
        case Word(text):
            return [(Token(text.encode()),)]
        case Argument(name):
            return [(Token(_usual_word(name), name),)]
        case Optional(body):
            return _sentences(body)
        case Choice(options):
            return [sentence for option in options for sentence in _sentences(option)]
        case Repeat(body):
            once = _sentences(body)
            return once + [sentence * 2 for sentence in once[:1]]
        case Sequence(items):
            inner = [
                [*_sentences(item), *([()] if isinstance(item, Optional) else [])] for item in items
            ]
            return [tuple(t for part in parts for t in part) for parts in product(*inner)]


def _usual_word(name: str) -> bytes:
    return WORDS.get(name, _TEXTS)[0]


def write(shape: Shape, sentence: Sentence, keys: Iterable[str] = ()) -> list[bytes]:
    """The words of a sentence: keys filled in, numkeys counted."""
    given, defaults = list(keys), RIGHT_KEYS.get(shape.fact.group, ("str", "num"))
    words = list(shape.name)
    filled = 0
    for place, token in enumerate(sentence):
        if token.name in KEY_NAMES and token.text != b"=":
            key = given[filled] if filled < len(given) else defaults[filled % 2]
            filled += 1
            words.append(key.encode())
        elif token.name == "numkeys" and token.text == b"1":
            words.append(b"%d" % _following_keys(sentence[place + 1 :]))
        else:
            words.append(token.text)
    return words


def _following_keys(rest: Sentence) -> int:
    count = 0
    for token in rest:
        if token.name != "key":
            break
        count += 1
    return count


def calls(fact: Fact) -> list[Words]:
    """All calls for one command, each once."""
    shape = take_apart(fact)
    made: dict[tuple[bytes, ...], None] = {}
    for family in (_arity, _keys, _options, _numbers, _by_chance):
        for words in family(shape):
            made.setdefault(tuple(words))
    return [words for words in made if not _endless(words)]


def _endless(words: Words) -> bool:
    """Would a real server answer with more than fits into memory?"""
    return b"-9223372036854775807" in words


def _arity(shape: Shape) -> Iterator[Words]:
    words = write(shape, shape.usual())
    yield [words[0].lower(), *words[1:]]
    for size in range(1, len(words) + 1):
        yield words[:size]
    yield [*words, b"extra"]
    yield [*words, b"extra", b"more"]
    for place, choices in enumerate(shape.items):
        for choice in choices:
            if choice is not None:
                yield write(shape, shape.usual({place: choice}))


def _keys(shape: Shape) -> Iterator[Words]:
    sentences = [shape.usual()]
    for place, choices in enumerate(shape.items):
        sentences += [shape.usual({place: choice}) for choice in choices if choice]
    for sentence in dict.fromkeys(sentences):
        places = sum(token.name in KEY_NAMES for token in sentence)
        for keys in product(KEYS, repeat=min(places, 2)):
            yield write(shape, sentence, keys)


def _typed_keys(shape: Shape) -> list[tuple[str, ...]]:
    """Right type, another type, missing: for the first key."""
    wrong = "str" if shape.fact.group != "string" else "list"
    return [(), (wrong,), ("missing",)]


def _options(shape: Shape) -> Iterator[Words]:
    options = shape.options
    for place, choice in options:
        sentence = shape.usual({place: choice})
        for keys in _typed_keys(shape):
            words = write(shape, sentence, keys)
            yield words
            yield [*words, UNKNOWN]
            yield [*words, b"1"]
            yield words[:-1]
        yield write(shape, shape.usual({place: _lower(choice)}))
        yield write(shape, shape.usual({place: (Token(UNKNOWN), *choice)}))
        yield write(shape, shape.usual({place: (*choice, Token(UNKNOWN), *choice)}))
    for (place1, one), (place2, two) in product(options, repeat=2):
        both = {place1: one + two} if place1 == place2 else {place1: one, place2: two}
        yield write(shape, shape.usual(both))
        yield [*write(shape, shape.usual()), *(token.text for token in one + two)]
        yield write(shape, shape.usual(both), _typed_keys(shape)[1])


def _lower(sentence: Sentence) -> Sentence:
    return tuple(token if token.name else Token(token.text.lower()) for token in sentence)


def _numbers(shape: Shape) -> Iterator[Words]:
    sentences = [shape.usual()]
    for place, choices in enumerate(shape.items):
        sentences += [shape.usual({place: choice}) for choice in choices if choice]
    for sentence in dict.fromkeys(sentences):
        places = [i for i, token in enumerate(sentence) if token.name in NUMBERS]
        for place, odd in product(places, ODD_NUMBERS):
            for keys in _typed_keys(shape):
                yield write(shape, _with(sentence, place, odd), keys)
            yield [*write(shape, _with(sentence, place, odd)), UNKNOWN]
        for one, two in product(places, repeat=2):
            if one != two:
                for pair in ((b"x", b"1.5"), (b"-1", b"x"), (b"2", b"1"), (b"0", b"-1")):
                    yield write(shape, _with(_with(sentence, one, pair[0]), two, pair[1]))


def _with(sentence: Sentence, place: int, text: bytes) -> Sentence:
    token = _number(sentence[place].name, text)
    return (*sentence[:place], token, *sentence[place + 1 :])


def _number(name: str, text: bytes) -> Token:
    """A number to try. Whether one or two milliseconds have passed is up to the machine: nothing is
    to expire while the two sides are compared, and no entry becomes idle for long enough."""
    if text in (b"1", b"2") and name in SPANS:
        return Token(WORDS[name][-1], name)
    if text in (b"1", b"2") and name == "min-idle-time":
        return Token(WORDS[name][1], name)
    return Token(text, name)


class Chance:
    """Choices that are the same in every run and every version of Python."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)

    def of(self, choices: Iterable[T]) -> T:
        items = list(choices)
        return items[int(self._random.random() * len(items))]

    def happens(self, probability: float) -> bool:
        return self._random.random() < probability


def _by_chance(shape: Shape) -> Iterator[Words]:
    chance = Chance(shape.fact.name)
    for _ in range(BY_CHANCE if shape.items else 0):
        sentence = by_chance(shape, chance)
        rights = RIGHT_KEYS.get(shape.fact.group, KEYS)
        keys = [chance.of(KEYS if chance.happens(0.3) else rights) for _ in range(4)]
        words = write(shape, sentence, keys)
        if chance.happens(0.1):
            words.append(chance.of((UNKNOWN, b"1", b"", b"WITHSCORES")))
        yield words


def by_chance(shape: Shape, chance: Chance, odd: float = 0.15) -> Sentence:
    """A sentence with some of the options; a number is odd with the given probability."""
    changed = {
        place: chance.of(choice for choice in choices if choice is not None)
        for place, choices in enumerate(shape.items)
        if None not in choices or chance.happens(0.4)
        if any(choice is not None for choice in choices)
    }
    return tuple(_by_chance_word(token, chance, odd) for token in shape.usual(changed))


def _by_chance_word(token: Token, chance: Chance, odd: float) -> Token:
    if not token.name or token.name in KEY_NAMES or chance.happens(0.3):
        return token
    if token.name in NUMBERS and chance.happens(odd):
        return _number(token.name, chance.of(ODD_NUMBERS))
    return Token(chance.of(WORDS.get(token.name, _TEXTS)), token.name)


def scenarios_of(fact: Fact) -> list[Scenario]:
    """The calls as scenarios on the pool; after a write the encoding is looked at too."""
    size = len(fact.name.split())
    scenarios = []
    for number, words in enumerate(calls(fact)):
        probes: list[Words] = []
        if "write" in fact.flags and len(words) > size:
            probes = [(b"OBJECT", b"ENCODING", words[size])]
            if fact.group == "stream":
                looks = (b"stream", b"stream2", b"missing")
                probes += [(b"XINFO", b"STREAM", key, b"FULL") for key in looks]
        asked = (*POOL, *without_waiting(fact, words), *probes)
        scenarios.append(Scenario(f"{fact.name} {number}", asked, len(POOL), len(probes)))
    return scenarios


def without_waiting(fact: Fact, words: Words) -> tuple[Words, ...]:
    """What may wait does not in a transaction; scenarios of several sessions let it wait."""
    waits = "blocking" in fact.flags and fact.group != "stream"  # BLOCK is never generated
    return ((b"MULTI",), words, (b"EXEC",)) if waits else (words,)


def facts_to_try() -> list[Fact]:
    """The commands whose calls are generated."""
    return [
        fact
        for fact in in_scope()
        if not fact.newer and fact.name not in BY_HAND and fact.name.split()[0] not in BY_HAND
    ]
