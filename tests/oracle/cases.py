"""What is asked: scenarios, each a list of commands that start on empty databases.

Scenarios come from the text tables of tests/tables (read here) and from mistakes.py. In a table
each line is a command, a blank line begins a new scenario, and `#` opens a comment. Words are
written as for redis-cli, with two abbreviations for long words:

    "two words"  'raw \\n'  "\\x00 \\n"   quoted as in redis-cli
    =65:x                              x, 65 times
    @3:f%d,v%d                         f0 v0 f1 v1 f2 v2
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.oracle.resp import Words

TABLES = Path(__file__).resolve().parent.parent / "tables"

#: group -> name of its table
GROUPS = {
    "string": "strings",
    "hash": "hashes",
    "list": "lists",
    "set": "sets",
    "sorted-set": "sorted_sets",
    "stream": "streams",
    "generic": "generic",
    "connection": "connection",
    "server": "server",
}

_ESCAPES = {"n": b"\n", "r": b"\r", "t": b"\t", "a": b"\a", "b": b"\b"}
_WORD = re.compile(r"""\s*(?:"((?:\\.|[^"\\])*)"|'((?:\\'|[^'])*)'|(\S+))""")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|.)|([^\\]+)")


@dataclass(frozen=True)
class Scenario:
    """Commands on empty databases.

    The first `setup` of them only prepare and are not compared; the last `probes` look at what the
    others have done, and count only if they find something.
    """

    name: str
    commands: tuple[Words, ...]
    setup: int = 0
    probes: int = 0


def split(line: str) -> list[bytes]:
    """The words of a line of a table."""
    words: list[bytes] = []
    for match in _WORD.finditer(line):
        double, single, plain = match.groups()
        if double is not None:
            words.append(_unescaped(double))
        elif single is not None:
            words.append(single.replace("\\'", "'").encode())
        else:
            words += _expanded(plain)
    return words


def _unescaped(text: str) -> bytes:
    parts = []
    for escape, plain in _ESCAPE.findall(text):
        if plain:
            parts.append(plain.encode())
        elif len(escape) == 3:
            parts.append(bytes([int(escape[1:], 16)]))
        else:
            parts.append(_ESCAPES.get(escape, escape.encode()))
    return b"".join(parts)


def _expanded(word: str) -> list[bytes]:
    """An unquoted word; the abbreviations stand for a long one or for several."""
    if match := re.fullmatch(r"=(\d+):(.+)", word):
        return [match[2].encode() * int(match[1])]
    if match := re.fullmatch(r"@(\d+):(.+)", word):
        templates = match[2].split(",")
        return [
            template.replace("%d", str(number)).encode()
            for number in range(int(match[1]))
            for template in templates
        ]
    return [word.encode()]


def scenarios_of(table: str) -> list[Scenario]:
    """The scenarios of tests/tables/<table>.txt."""
    path = TABLES / f"{table}.txt"
    return list(_scenarios(table, path.read_text(encoding="utf-8")))


def _scenarios(table: str, text: str) -> Iterator[Scenario]:
    commands: list[Words] = []
    begin = 1
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if not line.strip():
            if commands:
                yield Scenario(f"{table}.txt:{begin}", tuple(commands))
            commands, begin = [], number + 1
        elif not line.startswith("#"):
            commands.append(split(line))
