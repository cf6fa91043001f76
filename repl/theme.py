"""Colours, by the class of what is shown. ANSI names follow the palette of the terminal.

Few and quiet: what a person typed stays in the colour of the terminal, names stand out a little,
mistakes are underlined, everything that only helps is grey.
"""

from __future__ import annotations

THEME: dict[str, str] = {
    # what is typed
    "pygments.keyword": "bold",  # the command
    "pygments.keyword.pseudo": "bold ansiblue",  # a word of the shell
    "pygments.keyword.type": "ansiblue",  # an option
    "pygments.name.variable": "ansicyan",  # a key
    "pygments.name.attribute": "",  # a field, a member
    "pygments.literal.number": "ansimagenta",
    "pygments.literal.string": "",
    "pygments.literal.string.regex": "ansimagenta",  # a pattern
    "pygments.error": "underline ansired",
    "pygments.generic.deleted": "bold underline ansiyellow",  # a command that is not there
    # what is answered
    "pygments.comment": "ansibrightblack",  # numbers of lines, counts, (nil)
    "pygments.literal.string.double": "ansigreen",
    "pygments.generic.error": "ansired",
    "pygments.operator": "ansibrightblack",
    # around it
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
