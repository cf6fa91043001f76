"""COMMAND: what the database knows of its own commands."""

from __future__ import annotations

from typing import Any

from minidis import errors
from minidis.commands.shared.group import Group, T
from minidis.grammar import describe
from minidis.grammar.command import COMMANDS, Command, declarations, find
from minidis.grammar.kinds import Key, Many, Value, encode
from minidis.grammar.slots import COUNTERS
from minidis.grammar.syntax import Argument
from minidis.grammar.walk import keys_of
from minidis.protocol.shapes import command_entries
from minidis.replies import Status
from minidis.structures.glob import compile_pattern

declare = declarations(
    group="server", parent="COMMAND", categories="connection"
)  # `command` is a method here

COMMAND_HELP = (
    "COMMAND [<subcommand> [<arg> ...]]. Alone: the entries of all commands. Subcommands are:",
    "COUNT",
    "    Number of commands.",
    "LIST [FILTERBY MODULE <name> | ACLCAT <category> | PATTERN <pattern>]",
    "    Names of the commands.",
    "INFO [<command> ...]",
    "    Arity, flags and key positions.",
    "DOCS [<command> ...]",
    "    What each command does, and its arguments.",
    "GETKEYS <command> [<arg> ...]",
    "    The keys among the words of a command.",
    "GETKEYSANDFLAGS <command> [<arg> ...]",
    "    The same, with what the command does to each.",
    "HELP",
    "    This text.",
)
_FLAGS = "loading stale"


class Introspection(Group[T]):
    """COMMAND and its subcommands."""

    @declare(
        "COMMAND", _FLAGS, since="2.8.13", complexity="O(n) for n commands", resp3=command_entries
    )
    def command(self) -> list[Any]:
        """Entries of all commands, as COMMAND INFO gives them.

        >>> len(db.command()) == db.command_count()
        True
        """
        return [describe.entry(name) for name in describe.top_level()]

    @declare("COMMAND COUNT", _FLAGS, since="2.8.13", complexity="O(1)")
    def command_count(self) -> int:
        """Number of commands, subcommands not counted.

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
        resp3=command_entries,
    )
    def command_info(self, *names: Many) -> list[Any]:
        """Name, arity, flags, key positions, categories and subcommands; None for an unknown name.

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
        """What each command does, since when, at which cost, and its arguments.

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
        """Names of the commands, all of them or those of an ACL category or glob pattern.

        There are no modules, so `module` gives an empty list.

        >>> db.command_list(pattern="set*")
        [b'set', b'setnx', b'setex', b'setrange']
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
        """The keys among the words of a command.

        ResponseError for an unknown command, a wrong number of words, or a command without keys.

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
    )
    def command_getkeysandflags(self, name: Key, *args: Key) -> list[Any]:
        """The keys among the words of a command, each with what the command does to it.

        >>> [(key, sorted(use)) for key, use in db.command_getkeysandflags("get", "a")]
        [(b'a', [RO, access])]
        """
        words: Any = [name, *args]
        places = _key_places(words)
        known = _known(words)
        uses = [_use(known, words, number) for number in range(len(places))]
        return [[words[at], use] for at, use in zip(places, uses, strict=True)]

    @declare("COMMAND HELP", _FLAGS, since="5.0.0", complexity="O(1)")
    def command_help(self) -> list[Status]:
        """The subcommands of COMMAND.

        >>> db.command_help()[1]
        COUNT
        """
        return [Status(line) for line in COMMAND_HELP]


def _known(words: list[bytes]) -> Command:
    """The command that the words name."""
    known = find(words)
    if known is None:
        raise errors.error("Invalid command specified")
    return known


def _key_places(words: list[bytes]) -> list[int]:
    """Positions of the keys; the refusals of COMMAND GETKEYS."""
    known = _known(words)
    if not known.access or known.access == describe.NOT_KEYS:
        raise errors.error("The command has no key arguments")
    if not known.accepts(len(words)):
        raise errors.error("Invalid number of arguments specified for command")
    places = keys_of(known, words)
    if not places or not _counts_right(known, words):
        raise errors.error("Invalid arguments specified for command")
    return places


def _counts_right(known: Command, words: list[bytes]) -> bool:
    """Does the number in front of a counted list agree with the words?"""
    at = len(known.name.split())
    for item in known.line.items:
        if not isinstance(item, Argument):
            return True
        if item.name in COUNTERS:
            count = words[at]
            return count.isdigit() and 1 <= int(count) < len(words) - at
        at += 1
    return True


def _use(known: Command, words: list[bytes], number: int) -> set[Status]:
    """Flags of the key with that number; the last declared use goes for all that follow."""
    declared = known.access_of(words, number).split()
    return {Status(word if len(word) == 2 else word.lower()) for word in declared}
