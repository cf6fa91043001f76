"""What rules allow: the commands, keys and channels of one selector.

    ACL SETUSER ann  on >secret   ~app:* %R~log:* &news   +@read -keys +config|get   (+set ~tmp:*)
                     the user     keys            channels commands                    a selector
                     (acl.py)     └────────────── the root selector ────────────┘    of its own

A call is allowed if one of the selectors allows all of it. Which commands a selector allows is a
number with a bit for each command and subcommand of the catalogue; "all" is -1, so that commands
that do not exist yet are among them, as Redis has it. A category is a number, too, and a rule about
it one operation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache, cached_property, lru_cache
from itertools import accumulate

from minidis.grammar import describe
from minidis.grammar.command import COMMANDS, Command
from minidis.grammar.describe import is_key
from minidis.grammar.slots import COUNTERS
from minidis.grammar.syntax import Argument, Repeat, arguments
from minidis.grammar.walk import keys_of
from minidis.structures.glob import compile_pattern

READ, WRITE = 1, 2
ALL = -1

#: In the order in which Redis lists them, and prefers them where several describe a user equally.
CATEGORIES = (
    b"keyspace", b"read", b"write", b"set", b"sortedset", b"list", b"hash", b"string", b"bitmap",
    b"hyperloglog", b"geo", b"stream", b"pubsub", b"admin", b"fast", b"slow", b"blocking",
    b"dangerous", b"connection", b"transaction", b"scripting",
)  # fmt: skip

SYNTAX = "Syntax error"
UNKNOWN = "Unknown command or category name in ACL"
NESTED = "Allowing first-arg of a subcommand is not supported"
AFTER_ALL = (
    "Adding a pattern after the * pattern (or the 'all{0}' flag) is not valid and does not have "
    "any effect. Try 'reset{0}' to start with an empty list of {1}"
)

#: How much of a call was wrong: where several selectors refuse, the one that came furthest counts.
COMMAND, KEY, CHANNEL = 1, 2, 4

_SPACE = re.compile(rb"[\s\0]")
_KEYS = re.compile(rb"(?:~|%(r|w|rw|wr)(?:~|\Z))(.*)", re.IGNORECASE | re.DOTALL)
_PERMISSIONS = {b"r": READ, b"w": WRITE}
_SIGNS = {READ: b"%R~", WRITE: b"%W~", READ | WRITE: b"~"}


class RuleError(ValueError):
    """A rule that cannot be applied; the text is the reason Redis gives."""


class Catalogue:
    """Every command that rules can name, as a bit of its own.

    `rows` are names such as `config|get`, a container before its subcommands, each with its
    categories.
    """

    def __init__(self, rows: Iterable[tuple[bytes, Iterable[bytes]]]) -> None:
        #: name -> its bit
        self.bits: dict[bytes, int] = {}
        #: name -> its bit and those of its subcommands
        self.reach: dict[bytes, int] = {}
        #: category -> bits of its commands
        self.members = dict.fromkeys(CATEGORIES, 0)
        for at, (name, categories) in enumerate(rows):
            bit = 1 << at
            self.bits[name] = self.reach[name] = bit
            self.reach[name.partition(b"|")[0]] |= bit
            for category in categories:
                self.members[category] |= bit
        #: category -> what a rule about it changes: a container takes its subcommands along
        self.touched = {category: self._touched(bits) for category, bits in self.members.items()}

    def _touched(self, bits: int) -> int:
        reached = [self.reach[name] for name, bit in self.bits.items() if bit & bits]
        return list(accumulate(reached, int.__or__, initial=0))[-1]

    def names(self, category: bytes) -> list[bytes]:
        """The commands and subcommands of a category."""
        return [name for name, bit in self.bits.items() if bit & self.members[category]]

    def divided(self, name: bytes) -> bool:
        """Does the command have subcommands?"""
        return self.reach[name] != self.bits[name]


@cache
def our_catalogue() -> Catalogue:
    """The catalogue of the commands that are declared; made when the first rule needs it."""
    return Catalogue(_rows())


def _rows() -> Iterator[tuple[bytes, list[bytes]]]:
    for name in describe.top_level():
        entry = describe.entry(name)
        assert entry is not None
        for row in (entry, *entry[9]):
            yield row[0], [category.removeprefix("@").encode() for category in row[6]]


@lru_cache(maxsize=1024)
def name_of(full: str) -> bytes:
    """How rules call the command of that full name: `CONFIG GET` is config|get, DEBUG is whole."""
    words = full.lower().split()
    return "|".join(words[:1] if COMMANDS[full].undivided else words).encode()


# calls -------------------------------------------------------------------------------------------


class Call:
    """A command and its words, and what they would touch; found out when a selector asks."""

    def __init__(self, command: Command, words: list[bytes]) -> None:
        self.command = command
        self.words = words
        self.name = name_of(command.name)

    @cached_property
    def keys(self) -> list[tuple[int, int]]:
        """Positions of the keys, each with the permissions it takes."""
        if self.command.access in ((), ("NOT_KEY",)):
            return []
        return [
            (at, _permissions_of(self.command.access_of(self.words, number)))
            for number, at in enumerate(_key_places(self.command, self.words))
        ]

    @cached_property
    def channels(self) -> range:
        """Positions of the channels."""
        if not self.command.channels:
            return range(0)
        return range(len(self.words))[1 : 2 if self.command.channels == "PUBLISH" else None]


@lru_cache(maxsize=64)
def _permissions_of(use: str) -> int:
    """What a key is needed for, from the words of its specification."""
    words = set(use.split())
    reads = READ if "ACCESS" in words else 0
    return reads | (WRITE if words & {"INSERT", "DELETE", "UPDATE"} else 0)


def _key_places(command: Command, words: list[bytes]) -> Iterable[int]:
    """Positions of the keys; none where their number is wrong: then the command will fail."""
    fixed = _fixed_places(command.name)
    if fixed is not None:
        return range(len(words))[fixed]
    for at, item in enumerate(command.line.items, len(command.name.split())):
        if not isinstance(item, Argument):
            break
        if item.name == "numkeys" and not _is_count(words[at], len(words) - at - 1):
            return ()
    return keys_of(command, words)


@cache
def _fixed_places(name: str) -> slice | None:
    """Where the keys are, if that is the same in every call; walking along the line takes longer.

    SET key value [GET] ...   the first word      DEL key [key ...]   all words
    """
    first = len(name.split())
    items = COMMANDS[name].line.items
    at = [place for place, item in enumerate(items) if any(map(is_key, arguments(item)))]
    if len(at) != 1 or not all(isinstance(item, Argument) for item in items[: at[0]]):
        return None
    place, item = first + at[0], items[at[0]]
    if isinstance(item, Argument):
        return slice(place, place + 1)
    alone = isinstance(item, Repeat) and len(item.body.items) == 1 and items[at[0]] is items[-1]
    counted = any(str(before) in COUNTERS for before in items[: at[0]])
    return slice(place, None) if alone and not counted else None


def _is_count(word: bytes, most: int) -> bool:
    return word.isdigit() and word[:1] != b"0" and int(word) <= most


#: Options of SORT, and how many words each of them takes.
_SORT_OPTIONS = {
    b"ASC": 1, b"DESC": 1, b"ALPHA": 1, b"LIMIT": 3, b"STORE": 2, b"BY": 2, b"GET": 2,
}  # fmt: skip


def follows_patterns(words: list[bytes]) -> str | None:
    """The first option of a SORT that leads to keys which only its elements name: BY, GET."""
    at = 2
    while at < len(words):
        option = words[at].upper()
        if option == b"GET" or (option == b"BY" and b"*" in b"".join(words[at + 1 : at + 2])):
            return option.decode()
        at += _SORT_OPTIONS.get(option, len(words))
    return None


# selectors ---------------------------------------------------------------------------------------


class Selector:
    """Commands, keys and channels that go together."""

    def __init__(self, catalogue: Catalogue | None = None, *, all_channels: bool = False) -> None:
        self._catalogue = catalogue
        self.commands = 0
        #: command -> first arguments with which it is allowed although its bit is not set
        self.first_arguments: dict[bytes, list[bytes]] = {}
        #: pattern -> permissions; None: every key
        self.keys: dict[bytes, int] | None = {}
        #: patterns, in their order; None: every channel
        self.channels: dict[bytes, None] | None = None if all_channels else {}

    @property
    def catalogue(self) -> Catalogue:
        """The commands that rules can name. Who may do everything needs none."""
        return self._catalogue or our_catalogue()

    def copy(self) -> Selector:
        """A selector that can be changed without this one."""
        twin = Selector(self._catalogue)
        twin.commands = self.commands
        twin.first_arguments = {name: list(some) for name, some in self.first_arguments.items()}
        twin.keys = None if self.keys is None else dict(self.keys)
        twin.channels = None if self.channels is None else dict(self.channels)
        return twin

    # rules ----------------------------------------------------------------------------------

    def apply(self, rule: bytes) -> None:
        """Change what is allowed; RuleError for a rule that cannot be."""
        simple = SELECTOR_WORDS.get(cut(rule).lower())
        if simple is not None:
            simple(self)
        elif rule[:1] in (b"~", b"%"):
            self._add_keys(rule)
        elif rule[:1] == b"&":
            self._add_channels(rule[1:])
        elif rule[:2] in (b"+@", b"-@"):
            self._change_category(cut(rule[2:]).lower(), allow=rule[:1] == b"+")
        elif rule[:1] == b"+" and b"|" in rule:
            self._allow_part(cut(rule[1:]))
        elif rule[:1] in (b"+", b"-"):
            self._change(cut(rule[1:]).lower(), allow=rule[:1] == b"+")
        else:
            raise RuleError(SYNTAX)

    def allow_all_commands(self) -> None:
        self.commands, self.first_arguments = ALL, {}

    def allow_no_commands(self) -> None:
        self.commands, self.first_arguments = 0, {}

    def allow_all_keys(self) -> None:
        self.keys = None

    def allow_no_keys(self) -> None:
        self.keys = {}

    def allow_all_channels(self) -> None:
        self.channels = None

    def allow_no_channels(self) -> None:
        self.channels = {}

    def _add_keys(self, rule: bytes) -> None:
        if self.keys is None:
            raise RuleError(AFTER_ALL.format("keys", "patterns"))
        match = _KEYS.fullmatch(rule)
        if match is None or _SPACE.search(match[2]):
            raise RuleError(SYNTAX)
        letters = (match[1] or b"rw").lower()
        permissions = sum(_PERMISSIONS[letters[at : at + 1]] for at in range(len(letters)))
        self.keys[match[2]] = self.keys.get(match[2], 0) | permissions

    def _add_channels(self, pattern: bytes) -> None:
        if self.channels is None:
            raise RuleError(AFTER_ALL.format("channels", "channels"))
        if _SPACE.search(pattern):
            raise RuleError(SYNTAX)
        self.channels[pattern] = None

    def _change_category(self, category: bytes, *, allow: bool) -> None:
        touched = self.catalogue.touched.get(category)
        if touched is None:
            raise RuleError(UNKNOWN)
        for name in [*self.first_arguments]:
            if self.catalogue.bits[name] & self.catalogue.members[category]:
                del self.first_arguments[name]
        self.commands = changed(self.commands, touched, allow=allow)

    def _change(self, name: bytes, *, allow: bool) -> None:
        reach = self.catalogue.reach.get(name)
        if reach is None:
            raise RuleError(UNKNOWN)
        self.first_arguments.pop(name, None)
        self.commands = changed(self.commands, reach, allow=allow)

    def _allow_part(self, text: bytes) -> None:
        """+config|get, a subcommand; or +select|0, a command with this first argument."""
        parent, _, argument = text.rpartition(b"|")
        name = parent.lower()
        if name not in self.catalogue.bits:
            raise RuleError(UNKNOWN)
        if b"|" in name:
            raise RuleError(NESTED)
        if not argument or has_space(argument):  # Redis takes blanks, and cannot load them again
            raise RuleError(SYNTAX)
        if self.catalogue.divided(name):
            self._change(text.lower(), allow=True)
            return
        known = self.first_arguments.setdefault(name, [])
        if argument.lower() not in map(bytes.lower, known):
            known.append(argument)

    # questions ------------------------------------------------------------------------------

    @property
    def unrestricted(self) -> bool:
        """Is everything allowed?"""
        return self.commands == ALL and self.keys is None and self.channels is None

    def denial(self, call: Call) -> tuple[int, int] | None:
        """What is not allowed of a call, and the position of the word; None: all of it is."""
        if not self._allows_command(call):
            return COMMAND, 0
        if self.keys is not None:
            for at, permissions in call.keys:
                if not self._allows_key(call.words[at], permissions):
                    return KEY, at
        literal = "PATTERN" in call.command.channels
        for at in call.channels:
            if not self.allows_channel(call.words[at], literal=literal):
                return CHANNEL, at
        return None

    def _allows_command(self, call: Call) -> bool:
        if self.commands == ALL or self.commands & self.catalogue.bits[call.name]:
            return True
        if "no_auth" in call.command.flags:
            return True
        some = self.first_arguments.get(call.name, ())
        return bool(some) and b"".join(call.words[1:2]).lower() in map(bytes.lower, some)

    def _allows_key(self, key: bytes, permissions: int) -> bool:
        return any(
            granted & permissions == permissions and _matches(pattern, key)
            for pattern, granted in (self.keys or {}).items()
        )

    def allows_channel(self, channel: bytes, *, literal: bool) -> bool:
        """May it be published to, or listened to? `literal`: a pattern, which has to be granted."""
        if self.channels is None:
            return True
        if literal:
            return channel in self.channels
        return any(_matches(pattern, channel) for pattern in self.channels)

    @property
    def reads_all_keys(self) -> bool:
        """May any key be read? Not every key that matches: every key there will ever be."""
        return self.keys is None or bool(self.keys.get(b"*", 0) & READ)

    # descriptions ---------------------------------------------------------------------------

    def describe(self) -> bytes:
        """All rules in one text, as ACL LIST gives it."""
        return b" ".join(self.rules())

    def rules(self) -> list[bytes]:
        """All rules, keys first."""
        channels = [] if self.channels is None else [b"resetchannels"]
        return [*self.key_rules(), *channels, *self.channel_rules(), *self.command_rules()]

    def exact_rules(self) -> list[bytes]:
        """The rules for a file. ~* that stands beside other patterns would not be told from all."""
        return [b"%RW~*" if rule == b"~*" and self.keys else rule for rule in self.rules()]

    def key_rules(self) -> list[bytes]:
        if self.keys is None:
            return [b"~*"]
        return [_SIGNS[granted] + pattern for pattern, granted in self.keys.items()]

    def channel_rules(self) -> list[bytes]:
        return [b"&*"] if self.channels is None else [b"&" + name for name in self.channels]

    def command_rules(self) -> list[bytes]:
        """The fewest rules that lead to the commands: everything or nothing, categories, commands.

        Redis does not keep the rules that were given either. It takes the category that describes
        the most and errs the least until none is more right than wrong, and mends the rest one by
        one. What has been described is taken out of `left`, so that it speaks against the
        categories that follow.
        """
        allow = self.commands >= 0
        rules = [b"-@all" if allow else b"+@all"]
        left, reached = self.commands, 0 if allow else ALL
        categories = list(CATEGORIES)
        while (best := self._best(categories, left, allow=allow)) is not None:
            categories.remove(best)
            rules.append((b"+@" if allow else b"-@") + best)
            touched = self.catalogue.touched[best]
            left = changed(left, touched, allow=not allow)
            reached = changed(reached, touched, allow=allow)
        return [*rules, *self._single_rules(reached)]

    def _best(self, categories: list[bytes], left: int, *, allow: bool) -> bytes | None:
        """The category that errs least; the one that says more of two; the first of equal ones."""
        found = None
        for category in categories:
            members = self.catalogue.members[category]
            right = (members & (left if allow else ~left)).bit_count()
            wrong = members.bit_count() - right
            if right > wrong and (found is None or (wrong, -right) < found[0]):
                found = (wrong, -right), category
        return None if found is None else found[1]

    def _single_rules(self, reached: int) -> Iterator[bytes]:
        """What is still to be said after the categories."""
        for name, bit in self.catalogue.bits.items():
            allowed = bool(self.commands & bit)
            if bool(reached & bit) != allowed:
                yield (b"+" if allowed else b"-") + name
                reached = changed(reached, self.catalogue.reach[name], allow=allowed)
            if not allowed:
                for argument in self.first_arguments.get(name, ()):
                    yield b"+%b|%b" % (name, argument)


SELECTOR_WORDS: dict[bytes, Callable[[Selector], None]] = {
    b"allcommands": Selector.allow_all_commands,
    b"+@all": Selector.allow_all_commands,
    b"nocommands": Selector.allow_no_commands,
    b"-@all": Selector.allow_no_commands,
    b"allkeys": Selector.allow_all_keys,
    b"~*": Selector.allow_all_keys,
    b"resetkeys": Selector.allow_no_keys,
    b"allchannels": Selector.allow_all_channels,
    b"&*": Selector.allow_all_channels,
    b"resetchannels": Selector.allow_no_channels,
}


def changed(bits: int, some: int, *, allow: bool) -> int:
    """The bits with some of them set, or cleared."""
    return bits | some if allow else bits & ~some


def cut(text: bytes) -> bytes:
    """The text as C sees it: up to the first zero byte."""
    return text.partition(b"\0")[0]


def has_space(text: bytes) -> bool:
    """Is there a blank or a zero byte in it?"""
    return _SPACE.search(text) is not None


def _matches(pattern: bytes, text: bytes) -> bool:
    """Does the pattern match? A star does not match the empty text: only `allkeys` grants that."""
    return bool(text) if pattern == b"*" else compile_pattern(pattern)(text)
