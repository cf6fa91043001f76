"""Access rules: the commands, keys and channels of one selector.

    ACL SETUSER ann  on >secret   ~app:* %R~log:* &news   +@read -keys +config|get   (+set ~tmp:*)
                     the user     keys            channels commands                a selector
                     (users.py)   └────────────── the root selector ────────────┘

A command is allowed if one selector allows all of it. The commands of a selector are a bit mask
with one bit per command and subcommand of the catalogue. "all" is -1, which includes commands that
do not exist yet, as in Redis. A category is a bit mask, too, so a rule about it is one operation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache, cached_property, lru_cache
from itertools import accumulate
from typing import TypeAlias

from minidis.grammar import describe
from minidis.grammar.command import COMMANDS, Command
from minidis.grammar.syntax import Argument
from minidis.structures.glob import compile_pattern

READ, WRITE = 1, 2
ALL = -1

#: In Redis's order, in which it also prefers categories that describe a user equally well.
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

#: What was denied; with several selectors, the greatest is reported.
COMMAND, KEY, CHANNEL = 1, 2, 4

_SPACE = re.compile(rb"[\s\0]")
_PREFIX = re.compile(rb"[^*?\[\\]+\*", re.DOTALL)
_KEYS = re.compile(rb"(?:~|%(r|w|rw|wr)(?:~|\Z))(.*)", re.IGNORECASE | re.DOTALL)
_PERMISSIONS = {b"r": READ, b"w": WRITE}
_SIGNS = {READ: b"%R~", WRITE: b"%W~", READ | WRITE: b"~"}


#: See Selector.grant.
Grant: TypeAlias = bool | Callable[[bytes], bool]


class RuleError(ValueError):
    """A rule that cannot be applied; the text is Redis's reason."""


class Catalogue:
    """The commands that rules can name, each with its own bit.

    `rows` are (name, categories), such as `config|get`; a parent command precedes its subcommands.
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
        #: category -> bits that a rule about it changes; a parent command includes its subcommands
        self.touched = {category: self._touched(bits) for category, bits in self.members.items()}

    def _touched(self, bits: int) -> int:
        """Return the bits of these commands and of their subcommands."""
        reached = [self.reach[name] for name, bit in self.bits.items() if bit & bits]
        return list(accumulate(reached, int.__or__, initial=0))[-1]

    def names(self, category: bytes) -> list[bytes]:
        """Return the commands and subcommands of a category."""
        return [name for name, bit in self.bits.items() if bit & self.members[category]]

    def divided(self, name: bytes) -> bool:
        """Return whether the command has subcommands."""
        return self.reach[name] != self.bits[name]


@cache
def our_catalogue() -> Catalogue:
    """Return the catalogue of all declared commands, created on first use."""
    return Catalogue(_rows())


def _rows() -> Iterator[tuple[bytes, list[bytes]]]:
    """Yield each command and subcommand with its categories."""
    for name in describe.top_level():
        entry = describe.entry(name)
        assert entry is not None
        for row in (entry, *entry[9]):
            yield row[0], [category.removeprefix("@").encode() for category in row[6]]


@lru_cache(maxsize=1024)
def name_of(full: str) -> bytes:
    """Return the name of a command in rules: config|get for `CONFIG GET`, but debug for DEBUG."""
    words = full.lower().split()
    return "|".join(words[:1] if COMMANDS[full].undivided else words).encode()


# checked calls -----------------------------------------------------------------------------------


class CheckedCall:
    """A command with its words; the keys and channels it accesses are computed on demand."""

    def __init__(self, command: Command, words: list[bytes]) -> None:
        self.command = command
        self.words = words
        self.name = name_of(command.name)

    @cached_property
    def keys(self) -> list[tuple[bytes, int]]:
        """The keys, each with the required permissions."""
        if self.command.access in ((), ("NOT_KEY",)):
            return []
        return [
            (key, _permissions_of(self.command.access_of(self.words, number)))
            for number, key in enumerate(_keys(self.command, self.words))
        ]

    @cached_property
    def channels(self) -> range:
        """Positions of the channels."""
        if not self.command.channels:
            return range(0)
        return range(len(self.words))[1 : 2 if self.command.channels == "PUBLISH" else None]


@lru_cache(maxsize=64)
def _permissions_of(use: str) -> int:
    """Return the permissions required by a key specification."""
    words = set(use.split())
    reads = READ if "ACCESS" in words else 0
    return reads | (WRITE if words & {"INSERT", "DELETE", "UPDATE"} else 0)


def _keys(command: Command, words: list[bytes]) -> list[bytes]:
    """Return the keys; none if numkeys is wrong, since the command will fail."""
    for at, item in enumerate(command.line.items, len(command.name.split())):
        if not isinstance(item, Argument):
            break
        if item.name == "numkeys" and not _is_count(words[at], len(words) - at - 1):
            return []
    return command.keys_of_words(words)


def _is_count(word: bytes, most: int) -> bool:
    """Return whether the word is an integer from 1 to `most`."""
    return word.isdigit() and word[:1] != b"0" and int(word) <= most


#: Options of SORT, and the number of words of each, including its name.
_SORT_OPTIONS = {
    b"ASC": 1, b"DESC": 1, b"ALPHA": 1, b"LIMIT": 3, b"STORE": 2, b"BY": 2, b"GET": 2,
}  # fmt: skip


def follows_patterns(words: list[bytes]) -> str | None:
    """Return the first option of a SORT that reads keys named by elements: BY or GET."""
    at = 2
    while at < len(words):
        option = words[at].upper()
        if option == b"GET" or (option == b"BY" and b"*" in b"".join(words[at + 1 : at + 2])):
            return option.decode()
        at += _SORT_OPTIONS.get(option, len(words))
    return None


# selectors ---------------------------------------------------------------------------------------


class Selector:
    """A set of permissions: commands, keys and channels."""

    def __init__(self, catalogue: Catalogue | None = None, *, all_channels: bool = False) -> None:
        self._catalogue = catalogue
        self.commands = 0
        #: the rules about commands since +@all or -@all, without those that later ones replace
        self.given: list[bytes] = []
        #: command -> first arguments with which it is allowed, although its bit is not set
        self.first_arguments: dict[bytes, list[bytes]] = {}
        #: pattern -> permissions; None: all keys
        self.keys: dict[bytes, int] | None = {}
        #: patterns, in the order of the rules; None: all channels
        self.channels: dict[bytes, None] | None = None if all_channels else {}

    @property
    def catalogue(self) -> Catalogue:
        """The commands that rules can name; created only if a rule needs it."""
        return self._catalogue or our_catalogue()

    def copy(self) -> Selector:
        """Return an independent selector with the same rules."""
        twin = Selector(self._catalogue)
        twin.commands = self.commands
        twin.given = list(self.given)
        twin.first_arguments = {name: list(some) for name, some in self.first_arguments.items()}
        twin.keys = None if self.keys is None else dict(self.keys)
        twin.channels = None if self.channels is None else dict(self.channels)
        return twin

    # rules ----------------------------------------------------------------------------------

    def apply(self, rule: bytes) -> None:
        """Change the permissions by one rule; raise RuleError if it cannot be applied."""
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
        self.commands, self.given, self.first_arguments = ALL, [], {}

    def allow_no_commands(self) -> None:
        self.commands, self.given, self.first_arguments = 0, [], {}

    def allow_all_keys(self) -> None:
        self.keys = None

    def allow_no_keys(self) -> None:
        self.keys = {}

    def allow_all_channels(self) -> None:
        self.channels = None

    def allow_no_channels(self) -> None:
        self.channels = {}

    def _add_keys(self, rule: bytes) -> None:
        """Apply ~pattern and %RW~pattern."""
        if self.keys is None:
            raise RuleError(AFTER_ALL.format("keys", "patterns"))
        match = _KEYS.fullmatch(rule)
        if match is None or _SPACE.search(match[2]):
            raise RuleError(SYNTAX)
        letters = (match[1] or b"rw").lower()
        permissions = sum(_PERMISSIONS[letters[at : at + 1]] for at in range(len(letters)))
        self.keys[match[2]] = self.keys.get(match[2], 0) | permissions

    def _add_channels(self, pattern: bytes) -> None:
        """Apply &pattern."""
        if self.channels is None:
            raise RuleError(AFTER_ALL.format("channels", "channels"))
        if _SPACE.search(pattern):
            raise RuleError(SYNTAX)
        self.channels[pattern] = None

    def _change_category(self, category: bytes, *, allow: bool) -> None:
        """Apply +@category and -@category."""
        touched = self.catalogue.touched.get(category)
        if touched is None:
            raise RuleError(UNKNOWN)
        for name in [*self.first_arguments]:
            if self.catalogue.bits[name] & self.catalogue.members[category]:
                del self.first_arguments[name]
        self.commands = changed(self.commands, touched, allow=allow)
        self._give(b"@" + category, allow=allow)

    def _give(self, name: bytes, *, allow: bool) -> None:
        """Remember a rule; it replaces those about the same command, or about a part of it."""
        part = name + b"|"
        kept = [rule for rule in self.given if rule[1:] != name and not rule[1:].startswith(part)]
        self.given = [*kept, (b"+" if allow else b"-") + name]

    def _change(self, name: bytes, *, allow: bool) -> None:
        """Apply +command and -command."""
        reach = self.catalogue.reach.get(name)
        if reach is None:
            raise RuleError(UNKNOWN)
        self.first_arguments.pop(name, None)
        self.commands = changed(self.commands, reach, allow=allow)
        self._give(name, allow=allow)

    def _allow_part(self, text: bytes) -> None:
        """Apply +config|get (a subcommand) or +select|0 (a command with this first argument)."""
        parent, _, argument = text.rpartition(b"|")
        name = parent.lower()
        if name not in self.catalogue.bits:
            raise RuleError(UNKNOWN)
        if b"|" in name:
            raise RuleError(NESTED)
        if not argument or has_space(argument):  # Redis accepts spaces, but cannot load them again
            raise RuleError(SYNTAX)
        if self.catalogue.divided(name):
            self._change(text.lower(), allow=True)
            return
        known = self.first_arguments.setdefault(name, [])
        if argument.lower() not in map(bytes.lower, known):
            known.append(argument)
        self._give(text.lower(), allow=True)

    # checks ---------------------------------------------------------------------------------

    @property
    def unrestricted(self) -> bool:
        """Whether everything is allowed."""
        return self.commands == ALL and self.keys is None and self.channels is None

    def denial(self, call: CheckedCall) -> tuple[int, int, bytes] | None:
        """Return what is denied, the position, and the word; None if the call is allowed."""
        if not self._allows_command(call):
            return COMMAND, 0, call.name
        if self.keys is not None:
            for number, (key, permissions) in enumerate(call.keys):
                if not self._allows_key(key, permissions):
                    return KEY, number, key
        literal = "PATTERN" in call.command.channels
        for at in call.channels:
            if not self.allows_channel(call.words[at], literal=literal):
                return CHANNEL, at, call.words[at]
        return None

    def grant(self, command: Command) -> Grant:
        """Return how calls of a command can be permitted without looking at their words.

        True: all are; False: it takes denial() to know; a function: it accepts permitted keys.
        """
        name = name_of(command.name)
        allowed = self.commands == ALL or self.commands & self.catalogue.bits[name]
        if not allowed or command.channels or command.follows_patterns:
            return False
        if self.keys is None or command.access in ((), ("NOT_KEY",)):
            return True
        full = [pattern for pattern, granted in self.keys.items() if granted == READ | WRITE]
        # The usual pattern is a prefix: app:*
        prefixes = tuple(pattern[:-1] for pattern in full if _PREFIX.fullmatch(pattern))
        if len(prefixes) == len(full):
            return lambda key: key.startswith(prefixes)
        return lambda key: any(_matches(pattern, key) for pattern in full)

    def _allows_command(self, call: CheckedCall) -> bool:
        """Return whether the command is allowed."""
        if self.commands == ALL or self.commands & self.catalogue.bits[call.name]:
            return True
        if "no_auth" in call.command.flags:
            return True
        some = self.first_arguments.get(call.name, ())
        return bool(some) and b"".join(call.words[1:2]).lower() in map(bytes.lower, some)

    def _allows_key(self, key: bytes, permissions: int) -> bool:
        """Return whether a pattern grants these permissions on the key."""
        return any(
            granted & permissions == permissions and _matches(pattern, key)
            for pattern, granted in (self.keys or {}).items()
        )

    def allows_channel(self, channel: bytes, *, literal: bool) -> bool:
        """Return whether the channel is allowed; a `literal` pattern must be granted as is."""
        if self.channels is None:
            return True
        if literal:
            return channel in self.channels
        return any(_matches(pattern, channel) for pattern in self.channels)

    @property
    def reads_all_keys(self) -> bool:
        """Whether every key may be read, including keys that do not exist yet."""
        return self.keys is None or bool(self.keys.get(b"*", 0) & READ)

    # descriptions ---------------------------------------------------------------------------

    def describe(self) -> bytes:
        """Return all rules as text, for ACL LIST."""
        return b" ".join(self.rules())

    def rules(self) -> list[bytes]:
        """Return all rules, keys first."""
        channels = [] if self.channels is None else [b"resetchannels"]
        return [*self.key_rules(), *channels, *self.channel_rules(), *self.command_rules()]

    def exact_rules(self) -> list[bytes]:
        """Return the rules for a file; ~* beside other patterns must not become allkeys."""
        return [b"%RW~*" if rule == b"~*" and self.keys else rule for rule in self.rules()]

    def key_rules(self) -> list[bytes]:
        """Return the rules about keys."""
        if self.keys is None:
            return [b"~*"]
        return [_SIGNS[granted] + pattern for pattern, granted in self.keys.items()]

    def channel_rules(self) -> list[bytes]:
        """Return the rules about channels."""
        return [b"&*"] if self.channels is None else [b"&" + name for name in self.channels]

    def command_rules(self) -> list[bytes]:
        """Return the rules about commands as they were given, after the last +@all or -@all."""
        return [b"+@all" if self.commands < 0 else b"-@all", *self.given]


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
    """Return the bits with some of them set or cleared."""
    return bits | some if allow else bits & ~some


def cut(text: bytes) -> bytes:
    """Return the text up to the first NUL byte, as C reads it."""
    return text.partition(b"\0")[0]


def has_space(text: bytes) -> bool:
    """Return whether the text contains whitespace or a NUL byte."""
    return _SPACE.search(text) is not None


def _matches(pattern: bytes, text: bytes) -> bool:
    """Match a pattern; * does not match the empty text, which only `allkeys` grants."""
    return bool(text) if pattern == b"*" else compile_pattern(pattern)(text)
