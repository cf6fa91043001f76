"""Every command, method and option has help."""

from __future__ import annotations

import inspect

import minidis
from minidis.grammar.command import COMMANDS
from repl import help, shell_commands
from repl.lookup import groups
from repl.main import parser

WORDS = {one.name: (one.syntax, one.about) for one in shell_commands.SHELL_COMMANDS.values()}


def test_every_command_has_help() -> None:
    for name, command in COMMANDS.items():
        page = help.page(name.lower().split(), WORDS)
        assert f"since       {command.since}" in page
        assert command.complexity in page
        assert len(command.summary) > 10, name
        assert f"db.{command.method}()" in page


def test_every_group_has_help() -> None:
    for group, commands in groups().items():
        page = help.page(["@" + group], WORDS)
        assert all(command.name in page for command in commands)


def test_every_public_method_has_help() -> None:
    for name, method in inspect.getmembers(minidis.Minidis, callable):
        if not name.startswith("_"):
            assert inspect.getdoc(method), name


def test_everything_public_has_help() -> None:
    for name in minidis.__all__:
        if name not in ("OK",):
            assert inspect.getdoc(getattr(minidis, name)), name


def test_the_overview_names_every_command() -> None:
    page = help.page([], WORDS)
    for name in (*COMMANDS, *WORDS):
        assert name in page.replace("\n" + " " * 16, " ")
    assert max(map(len, page.splitlines())) <= 80


def test_help_for_unknown_names_suggests() -> None:
    assert "did you mean HGETALL?" in help.page(["hgetal"], WORDS)
    assert "did you mean @hash?" in help.page(["@hahs"], WORDS)
    assert "did you mean DEL?" in help.page(["delete"], WORDS)
    assert "it has no cluster" in help.page(["cluster"], WORDS)
    assert "ZADD" in help.page(["@SORTED_SET"], WORDS)
    assert "HSET" in help.page(["hash"], WORDS)
    assert "SET" in help.page(["config"], WORDS)
    assert ".read file" in help.page([".read"], WORDS)


def test_every_option_of_the_command_line_has_help() -> None:
    for action in parser()._actions:
        assert action.help
