"""Glob patterns: a table, a plain matcher as a model, and a real server if there is one."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minidis.structures.glob import compile_pattern

# pattern, what it matches, what it does not match; "." is the empty text.
TABLE = r"""
*               . a ab             -
**              a ab               .
?               a ?                . ab
a*              a ab               . ba
*a              a ba               . ab
*a*             a bab              . b
a*b             ab aab axb         a b abx
ab*ba           abba abxba         aba ab
a*b*c           abc axbxc abbcc    acb ab
a**b            ab axb             a b
***a***         a bab              . b
?*              a ab               .
*?              a ab               .
**?**           a ab               .
[abc]           a b                . d ab
[a-c]x          ax cx              dx ax-
[c-a]           a b c              d
[^a]            b ^                a .
[^a-c]          d ^                b
[a-]            a ` ^ ]            - b
[a-             a -                [
[-a]            - a                b
[]              -                  . ] []
[]a]            -                  ] a ]a] []a]
[^]             a ]                . [^]
[^]a]           ba] ]a]            b a
[\]]            ] -                \ [
[\^a]           ^ a                \ b
[a^]            a ^                b
[               -                  . [
[^              a ^ [              . ab
[a              a                  [ [a
[\              \                  [ .
[a\             a \                [
[a-z]*[0-9]     a1 zz9 a11         a 1a A1
h[ae]llo*       hello hallox       hillo
\*              *                  a \*
\a              a                  \a
\               \                  . a
a\              a\                 a a\\
\\              \                  \\ .
\[a]            [a]                a
*[b]*           b abc              . ac
*a?c            abc xxabc aaac     ac abcx
*[ab]*[ab]      ab xaxb bb         a xax
[*]             *                  a
[?]             ?                  a
"""

NOCASE = r"""
abc             abc ABC aBc        abd
A?C*            abc AXCd           ab
[a-c]           a B C              d D
[A-C]           a B C              d D
[^A]            b B                a A
[\A]            A                  a b
\A              a A                b
[Z-a]           -                  Z a z A
_*              _ _a               ? \
"""


def rows(table: str) -> Iterator[tuple[bytes, bytes, bool]]:
    for line in table.strip().splitlines():
        pattern, *texts = line.encode().split()
        yes, no = (part.split() for part in line.encode()[16:].ljust(19).split(b"\0"[:0] or b"   ", 1))
        for text in yes:
            yield pattern, text, True
        for text in no:
            yield pattern, text, False
