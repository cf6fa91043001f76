"""Styles of the shell. ANSI colour names follow the palette of the terminal.

Typed values keep the colour of the terminal, names stand out a little, errors are underlined, and
hints and notes are grey.
"""

from __future__ import annotations

THEME: dict[str, str] = {
    # typed commands
    "pygments.keyword": "bold",  # the command
    "pygments.keyword.pseudo": "bold ansiblue",  # a shell command
    "pygments.keyword.type": "ansiblue",  # an option
    "pygments.name.variable": "ansicyan",  # a key
    "pygments.name.attribute": "",  # a field, a member
    "pygments.literal.number": "ansimagenta",
    "pygments.literal.string": "",
    "pygments.literal.string.regex": "ansimagenta",  # a pattern
    "pygments.error": "underline ansired",
    "pygments.generic.deleted": "bold underline ansiyellow",  # a command that the server lacks
    # replies
    "pygments.comment": "ansibrightblack",  # line numbers, counts, (nil)
    "pygments.literal.string.double": "ansigreen",
    "pygments.generic.error": "ansired",
    "pygments.operator": "ansibrightblack",
    # prompt, menu, toolbar
    "prompt": "bold ansiblue",
    "transaction": "bold ansiyellow",
    "hint": "ansibrightblack",
    "auto-suggestion": "ansibrightblack italic",
    "note": "ansibrightblack",
    "bottom-toolbar": "noreverse ansibrightblack",
    "bottom-toolbar.unsaved": "ansiyellow",
    "completion-menu": "noinherit",
    "completion-menu.completion": "bg:default",
    "completion-menu.completion.current": "noreverse bold ansiblue bg:default",
    "completion-menu.meta.completion": "ansibrightblack bg:default",
    "completion-menu.meta.completion.current": "ansibrightblack bg:default",
    "scrollbar.background": "bg:default",
    "scrollbar.button": "bg:ansibrightblack",
}
