"""COMMAND: information about the commands."""

from __future__ import annotations

import re
from typing import Any

from minidis import errors
from minidis.commands.shared.group import Group, T
from minidis.grammar import describe
from minidis.grammar.command import COMMANDS, PARENT_COMMANDS, Command, declarations, find
from minidis.grammar.kinds import Key, Many, Value, encode
from minidis.grammar.slots import COUNTERS
from minidis.grammar.syntax import Argument
from minidis.protocol.shapes import command_entries, ordered_flags
from minidis.replies import Status
from minidis.structures.glob import compile_pattern

declare = declarations(
    group="server", parent="COMMAND", categories="connection"
)  # `command` is a method here

COMMAND_HELP = (
    "COMMAND [<subcommand> [<arg> ...]]. Without a subcommand, all entries. Subcommands are:",
    "COUNT",
    "    Show the number of commands.",
    "LIST [FILTERBY MODULE <name> | ACLCAT <category> | PATTERN <pattern>]",
    "    List the names of commands.",
    "INFO [<command> ...]",
    "    Show arity, flags and key positions.",
    "DOCS [<command> ...]",
    "    Show the documentation of commands.",
    "GETKEYS <command> [<arg> ...]",
    "    List the keys among the words of a command.",
    "GETKEYSANDFLAGS <command> [<arg> ...]",
    "    List the keys and the access flags of each.",
    "HELP",
    "    This text.",
)
_FLAGS = "loading stale"


class Introspection(Group[T]):
    """COMMAND and its subcommands."""

    @declare(
        "COMMAND",
        _FLAGS,
        since="2.8.13",
        complexity="O(n) for n commands",
        resp2=ordered_flags,
        resp3=command_entries,
    )
    def command(self) -> list[Any]:
        """Return information about all commands.

        Returns a list of entries; see COMMAND INFO.

        >>> len(db.command()) == db.command_count()
        True
        """
        return [describe.entry(name) for name in describe.top_level()]

    @declare("COMMAND COUNT", _FLAGS, since="2.8.13", complexity="O(1)")
    def command_count(self) -> int:
        """Return the number of commands, not counting subcommands.

        >>> db.command_count() > 100
        True
        """
        return len(describe.top_level())

    @declare(
        "COMMAND INFO [command-name [command-name ...]]",
        _FLAGS,
        since="2.8.13",
        complexity="O(n) for n names",
        names={"command-name": "names"},
        resp2=ordered_flags,
        resp3=command_entries,
    )
    def command_info(self, *names: Many) -> list[Any]:
        """Return information about the named commands, or all commands without names.

        Returns a list of [name, arity, flags, first key, last key, step, ACL categories, tips, key
        specifications, subcommands]; None for a command that does not exist.

        >>> db.command_info("get")[0][:2]
        [b'get', 2]
        """
        wanted: Any = names
        if not wanted:
            return Introspection.command(self)
        return [describe.entry(name.decode("latin-1").upper()) for name in wanted]

    @declare(
        "COMMAND DOCS [command-name [command-name ...]]",
        _FLAGS,
        since="7.0.0",
        complexity="O(n) for n names",
        names={"command-name": "names"},
    )
    def command_docs(self, *names: Many) -> dict[Any, Any]:
        """Return documentation of the named commands, or all commands without names.

        Returns {name: {summary, since, group, complexity, arguments, ...}}; names that do not exist
        are left out.

        >>> db.command_docs("get")[b"get"][b"since"]
        b'1.0.0'
        """
        wanted: Any = names or [name.encode() for name in describe.top_level()]
        found = {}
        for name in wanted:
            entry = describe.docs_of(name.decode("latin-1").upper())
            if entry is not None:
                found[name.lower()] = entry
        return found

    @declare(
        "COMMAND LIST [FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]",
        _FLAGS,
        since="7.0.0",
        complexity="O(n) for n commands",
        names={"ACLCAT": "category"},
    )
    def command_list(
        self,
        module: Value | None = None,
        category: Value | None = None,
        pattern: Value | None = None,
    ) -> list[T]:
        """Return the names of all commands and subcommands.

        module: always gives an empty list, as there are no modules. category: only commands in this
        ACL category. pattern: only names that match this glob pattern.

        >>> db.command_list(pattern="mset*")
        [b'mset', b'msetnx', b'msetex']
        """
        reply: Any = [
            known.name.lower().replace(" ", "|").encode()
            for known in COMMANDS.values()
            if module is None
            and (
                category is None
                or "@" + encode(category).decode() in describe.acl_categories(known)
            )
        ]
        if pattern is not None:
            match = compile_pattern(encode(pattern), nocase=True)
            reply = [name for name in reply if match(name)]
        return reply

    @declare(
        "COMMAND GETKEYS command [arg [arg ...]]",
        _FLAGS,
        since="2.8.13",
        complexity="O(n) for n words",
        names={"command": "name"},
    )
    def command_getkeys(self, name: Key, *args: Key) -> list[T]:
        """Return the keys among the words of a command.

        Raises ResponseError if the command does not exist, has no keys, or has a wrong number of
        arguments.

        >>> db.command_getkeys("mset", "a", 1, "b", 2)
        [b'a', b'b']
        """
        words: Any = [name, *args]
        reply: Any = [words[at] for at in _key_places(words)]
        return reply

    @declare(
        "COMMAND GETKEYSANDFLAGS command [arg [arg ...]]",
        _FLAGS,
        since="7.0.0",
        complexity="O(n) for n words",
        names={"command": "name"},
        resp2=ordered_flags,
        resp3=ordered_flags,
    )
    def command_getkeysandflags(self, name: Key, *args: Key) -> list[Any]:
        """Return the keys among the words of a command, with the access flags of each.

        Returns a list of [key, set of flags], such as RW, access, update. Raises the errors of
        COMMAND GETKEYS.

        >>> [(key, sorted(use)) for key, use in db.command_getkeysandflags("get", "a")]
        [(b'a', [RO, access])]
        """
        words: Any = [name, *args]
        places = _key_places(words)
        known = _known(words)
        # As in Redis: a count that is no plain number is read by a function without flags.
        plain = _with_plain_count(known, words) == words
        uses = [_use(known, words, number) if plain else set() for number in range(len(places))]
        return [[words[at], use] for at, use in zip(places, uses, strict=True)]

    @declare("COMMAND HELP", _FLAGS, since="5.0.0", complexity="O(1)")
    def command_help(self) -> list[Status]:
        """Return the help text of COMMAND as a list of lines.

        >>> db.command_help()[1]
        COUNT
        """
        return [Status(line) for line in COMMAND_HELP]


def _known(words: list[bytes]) -> Command:
    """Return the command that the words name."""
    known = find(words)
    if known is None:
        alone = len(words) == 1 and words[0].upper().decode("latin-1") in PARENT_COMMANDS
        raise errors.error(errors.NO_KEY_ARGUMENTS if alone else "Invalid command specified")
    return known


def _key_places(words: list[bytes]) -> list[int]:
    """Return the positions of the keys, or raise the errors of COMMAND GETKEYS."""
    known = _known(words)
    if not known.access or known.access == describe.NOT_KEYS:
        raise errors.error(errors.NO_KEY_ARGUMENTS)
    if not known.accepts(len(words)):
        raise errors.error("Invalid number of arguments specified for command")
    from minidis.grammar.walk import keys_of  # used here alone

    places = _after_keyword(known, words)
    if places is None:
        words = _with_plain_count(known, words)
        places = keys_of(known.line, words) if _count_fits(known, words) else []
    if known.follows_patterns:
        places = places[:1] + places[1:][-1:]  # SORT: the last STORE counts
    if not places:
        raise errors.error("Invalid arguments specified for command")
    return places


def _after_keyword(known: Command, words: list[bytes]) -> list[int] | None:
    """Return the first half of the words after STREAMS, wherever that stands; None without it."""
    begin = describe.key_word(known)
    if begin is None:
        return None
    keyword, start = begin
    upper = [word.upper() for word in words[start:]]
    if keyword not in upper:
        return None
    first = start + upper.index(keyword) + 1
    return list(range(first, first + (len(words) - first) // 2))


def _count_place(known: Command) -> int | None:
    """Return the position of the count in front of the keys, if there is one."""
    at = len(known.name.split())
    for number, item in enumerate(known.line.items):
        if not isinstance(item, Argument):
            return None
        if item.name in COUNTERS:
            return at + number
    return None


def _with_plain_count(known: Command, words: list[bytes]) -> list[bytes]:
    """Return the words with the count in front of the keys as C's atoi reads it."""
    at = _count_place(known)
    if at is None or re.fullmatch(rb"[1-9][0-9]{0,8}", words[at]):
        return words
    match = re.match(rb"[ \t-\r]*([+-]?[0-9]{1,18})", words[at])
    count = int(match[1]) + 2**31 & 2**32 - 1 if match else 2**31
    return [*words[:at], b"%d" % max(count - 2**31, 0), *words[at + 1 :]]


def _count_fits(known: Command, words: list[bytes]) -> bool:
    """Return whether the count in front of the keys agrees with the number of words."""
    at = _count_place(known)
    return at is None or 1 <= int(words[at]) < len(words) - at


def _use(known: Command, words: list[bytes], number: int) -> set[Status]:
    """Return the flags of one key; the last declared ones apply to all following keys."""
    declared = known.access_of(words, number).split()
    return {Status(word if len(word) == 2 else word.lower()) for word in declared}
