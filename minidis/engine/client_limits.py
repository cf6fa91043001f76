"""Limits of the RESP server for its clients: settings, changed by CONFIG SET.

They are kept here, and not in the room of the doors, so that they can be set before there is one.
"""

from __future__ import annotations

from collections.abc import Callable

#: Classes of clients that have output limits of their own.
CLASSES = ("normal", "replica", "pubsub")
#: How many bytes of answers may wait for a client at any moment, how many for `seconds` on end;
#: 0: no limit.
Bounds = tuple[int, int, int]


class ClientLimits:
    """Limits of all doors of a database."""

    def __init__(self) -> None:
        #: clients at the same time
        self.clients = 10_000
        #: seconds without a command until a client is sent away; 0: never
        self.idle = 0
        #: seconds of silence until the system asks if the other side is still there; 0: never
        self.keepalive = 300
        #: bytes of a command, or of commands that wait for their turn
        self.query = 1024**3
        self.output: dict[str, Bounds] = {
            "normal": (0, 0, 0),
            "replica": (256 * 1024**2, 64 * 1024**2, 60),
            "pubsub": (32 * 1024**2, 8 * 1024**2, 60),
        }
        #: refuse clients from elsewhere while the default user needs no password
        self.protected = True
        #: called when one of these has changed: whoever watches the clock
        self.changed: Callable[[], object] | None = None

    def set(self, name: str, value: object) -> None:
        """Set one of them."""
        setattr(self, name, value)
        if self.changed is not None:
            self.changed()

    def output_text(self) -> str:
        """The output limits as CONFIG GET shows them."""
        return " ".join(
            f"{'slave' if name == 'replica' else name} {hard} {soft} {seconds}"
            for name, (hard, soft, seconds) in self.output.items()
        )

    def set_output(self, changed: dict[str, Bounds]) -> None:
        """Set the output limits of some classes."""
        self.output = {**self.output, **changed}


def parse_output(text: str, memory: Callable[[str], int]) -> dict[str, Bounds]:
    """Output limits from "pubsub 32mb 8mb 60 ..."; ValueError with the words of Redis."""
    words = text.split()
    if len(words) % 4:
        raise ValueError("Wrong number of arguments in buffer limit configuration.")
    limits: dict[str, Bounds] = {}
    for at in range(0, len(words), 4):
        name = {"slave": "replica"}.get(words[at].lower(), words[at].lower())
        if name not in CLASSES:
            raise ValueError("Invalid client class specified in buffer limit configuration.")
        try:
            limits[name] = memory(words[at + 1]), memory(words[at + 2]), int(words[at + 3])
            if limits[name][2] < 0:
                raise ValueError
        except ValueError:
            raise ValueError(
                "Error in hard, soft or soft_seconds setting in buffer limit configuration."
            ) from None
    return limits
