"""The help pages, generated from the declarations and docstrings of the commands.

help            all groups and their commands
help @hash      the commands of a group
help HSET       syntax, description, example, version and complexity of a command
help config     the subcommands of a parent command
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from textwrap import wrap

from minidis.grammar.command import COMMANDS, PARENT_COMMANDS, Command
from repl.advice import WIDTH, closest, nearest, wrap_syntax
from repl.lookup import LOCAL_COMMANDS, CommandSet, groups, subcommands
from repl.unsupported import unsupported_message

#: Name of a shell command -> (syntax, description)
ShellHelp = Mapping[str, tuple[str, str]]


def page(words: list[str], shell_help: ShellHelp, available: CommandSet = LOCAL_COMMANDS) -> str:
    """The help page for `words`; a short message if there is none."""
    if not words:
        return overview(shell_help)
    name = " ".join(words).upper()
    group = name.removeprefix("@").lower().replace("_", "-")
    if name.startswith("@") or (group in groups() and name not in COMMANDS):
        return group_page(group)
    if name in COMMANDS:
        return command_page(COMMANDS[name], available)
    if name in PARENT_COMMANDS:
        return _table(f"Subcommands of {name}", subcommands(name))
    if name.lower() in shell_help:
        syntax, about = shell_help[name.lower()]
        return f"  {' '.join(filter(None, (name.lower(), syntax)))}\n\n  {about}\n"
    if available.has(name):
        return f"{name} is a command of this server; minidis has no help for it"
    near = f"did you mean {nearest(name)}?" if nearest(name) else ""
    return "; ".join(
        filter(None, (f"no help for {' '.join(words)!r}", unsupported_message(name) or near))
    )


def overview(shell_help: ShellHelp) -> str:
    """The page of `help` without arguments."""
    lines = ["  help SET       help for a command", "  help @hash     the commands of a group", ""]
    for group, commands in groups().items():
        names = [command.name for command in commands]
        head = f"  @{group:<13}"
        lines += wrap(
            " ".join(_unbreakable(names)),
            WIDTH,
            initial_indent=head,
            subsequent_indent=" " * 16,
            break_on_hyphens=False,
        )
    lines += ["", "  Shell commands:"]
    for name, (syntax, about) in shell_help.items():
        lines.append(f"  {' '.join(filter(None, (name, syntax))):<24} {about}")
    lines += ["", "  Tab           complete the word", "  Right         accept the grey suggestion"]
    lines += ["  Ctrl-R        search the history"]
    lines += ["  Ctrl-C        interrupt the running command, or clear the line;"]
    lines += ["                in an empty line: end SUBSCRIBE and MONITOR"]
    lines += ["  Ctrl-D        exit"]
    return "\n".join(lines).replace("\N{NO-BREAK SPACE}", " ") + "\n"


def group_page(group: str) -> str:
    """The commands of a group, each with the first sentence of its help."""
    found = groups()
    if group not in found:
        known = "  ".join("@" + name for name in found)
        return f"there is no group @{group}" + _near(group, found, "@") + f"\n  {known}\n"
    return _table(f"@{group}", found[group])


def command_page(command: Command, available: CommandSet = LOCAL_COMMANDS) -> str:
    """The full help of one command."""
    document = inspect.getdoc(command.body) or ""
    lines = wrap_syntax(str(command.line))
    lines += ["", *("  " + line if line else "" for line in document.splitlines()), ""]
    newer = (
        " (newer than the Redis release that minidis is tested against)" if command.newer else ""
    )
    if available.lacks(command.name):
        lines.append("  not on this server")
    lines.append(f"  since       {command.since}{newer}")
    lines.append(f"  complexity  {command.complexity}")
    lines.append(f"  group       @{command.group}")
    lines.append(f"  in Python   db.{command.method}()")
    return "\n".join(lines) + "\n"


def _table(title: str, commands: list[Command]) -> str:
    """Commands and the first sentences of their help in two columns."""
    width = max((len(command.name) for command in commands), default=0)
    lines = [f"  {title}", ""]
    for command in commands:
        head = f"  {command.name:<{width}}  "
        lines += wrap(
            command.summary.replace("`", ""),
            WIDTH,
            initial_indent=head,
            subsequent_indent=" " * len(head),
        )
    return "\n".join(lines) + "\n"


def _near(name: str, known: list[str] | Mapping[str, object], prefix: str = "") -> str:
    near = closest(name, known)
    return f"; did you mean {prefix}{near}?" if near else ""


def _unbreakable(names: list[str]) -> list[str]:
    """Keep two-word names together when the text is wrapped."""
    return [name.replace(" ", "\N{NO-BREAK SPACE}") for name in names]
