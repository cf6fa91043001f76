"""Help texts, made of what the commands say of themselves.

help            the groups, and how to go on
help @hash      the commands of a group
help HSET       syntax, meaning, since when, cost, an example
help config     the subcommands of a container
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from textwrap import wrap

from minidis.grammar.command import COMMANDS, PARENT_COMMANDS, Command
from repl.advice import WIDTH, closest, nearest, wrap_syntax
from repl.lookup import LOCAL_COMMANDS, CommandSet, groups, subcommands
from repl.unsupported import unsupported_message

#: Words of the shell -> (syntax, what they do)
ShellHelp = Mapping[str, tuple[str, str]]


def page(words: list[str], shell_help: ShellHelp, available: CommandSet = LOCAL_COMMANDS) -> str:
    """The page for what was asked; a page that says so when there is none."""
    if not words:
        return overview(shell_help)
    name = " ".join(words).upper()
    group = name.removeprefix("@").lower().replace("_", "-")
    if name.startswith("@") or (group in groups() and name not in COMMANDS):
        return group_page(group)
    if name in COMMANDS:
        return command_page(COMMANDS[name], available)
    if name in PARENT_COMMANDS:
        return _table(f"{name}, its subcommands", subcommands(name))
    if name.lower() in shell_help:
        syntax, about = shell_help[name.lower()]
        return f"  {' '.join(filter(None, (name.lower(), syntax)))}\n\n  {about}\n"
    if available.has(name):
        return f"{name} is a command of this server that minidis does not know"
    near = f"did you mean {nearest(name)}?" if nearest(name) else ""
    return "; ".join(
        filter(None, (f"no help for {' '.join(words)!r}", unsupported_message(name) or near))
    )


def overview(shell_help: ShellHelp) -> str:
    """The page without a question."""
    lines = ["  help SET       a command", "  help @hash     the commands of a group", ""]
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
    lines += ["", "  the shell itself:"]
    for name, (syntax, about) in shell_help.items():
        lines.append(f"  {' '.join(filter(None, (name, syntax))):<24} {about}")
    lines += ["", "  Tab completes, Right takes the grey suggestion, Ctrl-R searches the"]
    lines += ["  history, Ctrl-C stops a command or clears the line, in an empty line it"]
    lines += ["  ends SUBSCRIBE and MONITOR, Ctrl-D leaves."]
    return "\n".join(lines).replace("\N{NO-BREAK SPACE}", " ") + "\n"


def group_page(group: str) -> str:
    """One line for each command of a group."""
    found = groups()
    if group not in found:
        known = "  ".join("@" + name for name in found)
        return f"there is no group @{group}" + _near(group, found, "@") + f"\n  {known}\n"
    return _table(f"@{group}", found[group])


def command_page(command: Command, available: CommandSet = LOCAL_COMMANDS) -> str:
    """Everything about one command."""
    document = inspect.getdoc(command.body) or ""
    lines = wrap_syntax(str(command.line))
    lines += ["", *("  " + line if line else "" for line in document.splitlines()), ""]
    newer = ", newer than the server minidis compares itself with" if command.newer else ""
    if available.lacks(command.name):
        lines.append("  not on this server")
    lines.append(f"  since {command.since}{newer}")
    lines.append(f"  cost  {command.complexity}")
    lines.append(f"  group @{command.group}, in Python db.{command.method}()")
    return "\n".join(lines) + "\n"


def _table(title: str, commands: list[Command]) -> str:
    """Names and first sentences in two columns."""
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


def _near(name: str, known: list[str] | Mapping[str, object], mark: str = "") -> str:
    near = closest(name, known)
    return f"; did you mean {mark}{near}?" if near else ""


def _unbreakable(names: list[str]) -> list[str]:
    """Names of two words are not to be broken between them."""
    return [name.replace(" ", "\N{NO-BREAK SPACE}") for name in names]
