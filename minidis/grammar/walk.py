"""Walks along a syntax line: the role of each typed word, what may follow, what is left to type.

The state of a walk is the part of the line that is still ahead. Each word makes it smaller; hints,
completion and errors are read off the state:

    ZADD        key [NX | XX] [CH] score member [score member ...]
    ZADD k      [NX | XX] [CH] score member [score member ...]
    ZADD k CH   [NX | XX] score member [score member ...]
    ZADD k CH 1 member [score member ...]

As in Redis, a word is matched against the fixed words within reach first, and is an argument
otherwise. Adjacent brackets may come in any order. Where a line is ambiguous (`BLPOP key [key ...]
timeout`), the number of words decides; in a command that is still being typed, the last word is the
timeout only if it looks like one.

Nothing here raises, whatever the words or the line.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Row
from typing import NamedTuple, TypeAlias

from minidis.errors import MinidisError
from minidis.grammar import syntax
from minidis.grammar.kinds import holds_key, kind_of, to_float
from minidis.grammar.slots import COUNTERS
from minidis.grammar.syntax import Argument, Choice, Line, Node, Optional, Repeat, Sequence, Word
from minidis.structures.record import Record

#: Counts longer than this are not counts.
_MOST_DIGITS = 18
#: So many groups of a counted list are spelled out.
_SPELLED_OUT = 3


class Mistake(Record):
    """A word that does not fit: what was expected, and the word that it conflicts with, if any."""

    __slots__ = __match_args__ = ("expected", "conflict")

    def __init__(self, expected: tuple[Word | Argument, ...], conflict: str = "") -> None:
        self.expected = expected
        self.conflict = conflict


Role: TypeAlias = Word | Argument | Mistake


class Walk(NamedTuple):
    """The result of a walk."""

    #: for each word: the Word or Argument of the line that it stands for, or a Mistake
    roles: tuple[Role, ...]
    #: what may come next, required or not, in the order of the line
    next: tuple[Word | Argument, ...]
    #: the text of what is left
    remaining: str
    #: the command could end here
    complete: bool


class Counted(Repeat):
    """A repetition with exactly `left` rounds to come: the keys after numkeys."""

    __slots__ = ("left",)
    __match_args__ = ("body", "left")

    def __init__(self, body: Sequence, left: int) -> None:
        super().__init__(body)
        self.left = left

    def __str__(self) -> str:
        if self.left <= _SPELLED_OUT:
            return " ".join([str(self.body)] * self.left)
        group = f"({self.body})" if len(self.body.items) > 1 else str(self.body)
        return f"{group} ×{self.left}"


class More(Record):
    """A repetition that may continue or end, after `seen` rounds."""

    __slots__ = __match_args__ = ("body", "seen")

    def __init__(self, body: Sequence, seen: int = 1) -> None:
        self.body = body
        self.seen = seen

    def __str__(self) -> str:
        return f"[{self.body} ...]"


class Spent(Record):
    """A bracket that has been used: it is not offered again; to repeat the option is no error."""

    __slots__ = __match_args__ = ("body", "chosen")

    def __init__(self, body: Choice, chosen: Sequence) -> None:
        self.body = body
        self.chosen = chosen

    def __str__(self) -> str:
        return ""


Pending: TypeAlias = Node | More | Spent
State: TypeAlias = tuple[Pending, ...]
#: what the word was, and what is ahead after it
Step: TypeAlias = tuple[Role, State]


def walk(line: Line, words: Row[str | bytes], *, complete: bool = False) -> Walk:
    """Walk along `line` with the words after the command's name.

    `complete`: these are all words of the command.

    >>> from minidis.grammar.syntax import parse_line
    >>> line = parse_line("SET key value [NX | XX] [GET] [EX seconds | KEEPTTL]")
    >>> walk(line, ["k", "v", "ex"]).remaining
    'seconds [NX | XX] [GET]'
    """
    state: State = line.items
    roles: list[Role] = []
    for at, word in enumerate(words):
        text = word if isinstance(word, str) else word.decode("utf-8", "surrogateescape")
        role, state = _step(state, text, len(words) - at, complete)
        roles.append(role)
    remaining = " ".join(filter(None, map(_show, state)))
    return Walk(tuple(roles), _unique(_first(state)), remaining, _least(state) == 0)


def keys_of(line: Line, words: Row[str | bytes]) -> list[int]:
    """Return the positions of the keys among all words of a call, its name included.

    >>> from minidis.grammar.syntax import parse_line
    >>> keys_of(parse_line("MSET key value [key value ...]"), ["MSET", "a", "1", "b", "2"])
    [1, 3]
    """
    size = len(line.name.split())
    roles = walk(line, words[size:], complete=True).roles
    return [size + at for at, role in enumerate(roles) if is_key(role)]


def is_key(role: Role) -> bool:
    """Return whether the word is a key. A pattern is not."""
    return isinstance(role, Argument) and holds_key(role.name)


# one word ----------------------------------------------------------------------------------------


def _step(state: State, text: str, left: int, complete: bool) -> Step:
    """Return the role of the word and the state after it; `left` counts words from this one on."""
    found = _by_word(state, text.upper()) or _by_argument(state, text, left, complete)
    if found is not None:
        return found
    # The word is skipped. Where exactly one word of a few had to stand, it counts as that one, so
    # that the words after it find their places.
    mistake = Mistake(_unique(_first(state)))
    return mistake, state[1:] if state and _only_words(state[0]) else state


def _by_word(state: State, word: str) -> Step | None:
    """The step if `word` is one of the fixed words within reach."""
    if not state:
        return None
    match state[0]:
        case Word(text):
            return (state[0], state[1:]) if text == word else None
        case Argument():
            return None
        case Choice(options):
            for option in options:
                if found := _by_word((*option.items, *state[1:]), word):
                    return found
            return None
        case Optional() | Spent() | More():
            return _group_by_word(*_group(state), word)
        case node:
            return _by_word((*_opened(node), *state[1:]), word)


def _group_by_word(group: State, rest: State, word: str) -> Step | None:
    """The step if `word` begins one of the brackets that stand together, or stands after them."""
    for at, node in enumerate(group):
        if isinstance(node, Optional):
            for option in node.body.options:
                if found := _by_word(option.items, word):
                    others = (*group[:at], *group[at + 1 :], Spent(node.body, option))
                    return found[0], (*found[1], *others, *rest)
        elif isinstance(node, More) and (found := _by_word(node.body.items, word)):
            return found[0], (*found[1], *group, *rest)
    return _again(group, rest, word) or _by_word(rest, word)


def _again(group: State, rest: State, word: str) -> Step | None:
    """The step if `word` begins a bracket that has been used: fine once more, else a conflict."""
    for node in group:
        for option in node.body.options if isinstance(node, Spent) else ():
            assert isinstance(node, Spent)
            if found := _by_word(option.items, word):
                if option == node.chosen:
                    return found[0], (*found[1], *group, *rest)
                chosen = next(iter(syntax.words(node.chosen)), "")
                return Mistake(_unique(_first((*group, *rest))), chosen), (*group, *rest)
    return None


def _by_argument(state: State, text: str, left: int, complete: bool) -> Step | None:
    """The step if something the caller chooses may stand here."""
    if not state:
        return None
    match state[0]:
        case Argument(name):
            return state[0], _counted(name, text, state[1:])
        case Word():
            return None
        case Choice(options):
            for option in options:
                if found := _by_argument((*option.items, *state[1:]), text, left, complete):
                    return found
            return None
        case Optional() | Spent() | More():
            group, rest = _group(state)
            inside = _group_by_argument(group, rest, text, left, complete)
            after = _by_argument(rest, text, left, complete)
            enough = left > _needed(group, rest) or (not complete and not _fits(rest, text))
            return (inside or after) if enough else (after or inside)
        case node:
            return _by_argument((*_opened(node), *state[1:]), text, left, complete)


def _group_by_argument(
    group: State, rest: State, text: str, left: int, complete: bool
) -> Step | None:
    """The step if one of the brackets begins with an argument."""
    for at, node in enumerate(group):
        if isinstance(node, Optional):
            for option in node.body.options:
                if found := _by_argument(option.items, text, left, complete):
                    return found[0], (*found[1], *group[:at], *group[at + 1 :], *rest)
        elif isinstance(node, More) and (
            found := _by_argument(node.body.items, text, left, complete)
        ):
            more = More(node.body, node.seen + 1)
            return found[0], (*found[1], more, *group[at + 1 :], *rest)
    return None


def _needed(group: State, rest: State) -> int:
    """How many words are to be left for what follows the brackets."""
    # key [key ...] id [id ...]: as many of the one as of the other
    rounds = [node.seen for node in group if isinstance(node, More)]
    if rounds and rest and isinstance(rest[0], Repeat) and not isinstance(rest[0], Counted):
        return rounds[0]
    return _least(rest)


def _counted(name: str, text: str, rest: State) -> State:
    """After `numkeys 2` the list has two keys, and `WEIGHTS weight [weight ...]` two weights."""
    if name not in COUNTERS or not rest or not isinstance(rest[0], Repeat):
        return rest
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS and int(text)):
        return rest
    left = int(text)
    return (Counted(rest[0].body, left), *(_counted_option(node, left) for node in rest[1:]))


def _counted_option(node: Pending, left: int) -> Pending:
    if isinstance(node, Optional) and len(node.body.options) == 1:
        match node.body.options[0].items:
            case (Word() as word, Repeat(body)):
                return Optional(Choice((Sequence((word, Counted(body, left))),)))
    return node


# reading a state ---------------------------------------------------------------------------------


def _group(state: State) -> tuple[State, State]:
    """The brackets at the front that may come in any order, and what follows them."""
    size = 0
    while size < len(state) and isinstance(state[size], (Optional, Spent, More)):
        size += 1
    return state[:size], state[size:]


def _opened(node: Pending) -> State:
    """The inside of a Sequence or a repetition: its first round, and the rounds to come."""
    match node:
        case Counted(body, left):
            return (*body.items, Counted(body, left - 1)) if left else ()
        case Repeat(body):
            return (*body.items, More(body))
        case Sequence(items):
            return items
        case _:
            return ()


def _first(state: State) -> Iterator[Word | Argument]:
    """Every Word and Argument that the next word may be."""
    for node in state:
        match node:
            case Word() | Argument():
                yield node
            case Choice(options) | Optional(Choice(options)):
                for option in options:
                    yield from _first(option.items)
            case More(body) | Repeat(body):
                if not isinstance(node, Counted) or node.left:
                    yield from _first(body.items)
            case Sequence(items):
                yield from _first(items)
        if _least((node,)):
            return


def _least(state: State) -> int:
    """The least number of words that the state needs."""
    total = 0
    for node in state:
        match node:
            case Word() | Argument():
                total += 1
            case Counted(body, left):
                total += left * _least(body.items)
            case Repeat(body):
                total += _least(body.items)
            case Choice(options):
                total += min(_least(option.items) for option in options)
            case Sequence(items):
                total += _least(items)
    return total


def _fits(state: State, text: str) -> bool:
    """Does the word look like the argument at the front of the state? Text fits everywhere."""
    if not state or not isinstance(state[0], Argument):
        return False
    word = text.encode("utf-8", "surrogateescape")
    if state[0].name == "timeout":
        return to_float(word) is not None
    try:
        kind_of(state[0].name).convert(word)
    except MinidisError:
        return False
    return True


def _only_words(node: Pending) -> bool:
    """Is the node one required fixed word, or a choice of such?"""
    if isinstance(node, Choice):
        return all(
            len(option.items) == 1 and isinstance(option.items[0], Word) for option in node.options
        )
    return isinstance(node, Word)


def _show(node: Pending) -> str:
    return str(node) if isinstance(node, (More, Spent)) else syntax.show(node)


def _unique(nodes: Iterator[Word | Argument]) -> tuple[Word | Argument, ...]:
    return tuple(dict.fromkeys(nodes))
