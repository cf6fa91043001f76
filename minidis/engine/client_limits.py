"""Limits of the RESP server for its clients: settings, changed by CONFIG SET.

They belong to the engine, so that they can be set before a server is started.
"""

from __future__ import annotations

from collections.abc import Callable

#: Classes of clients that have output limits of their own.
CLASSES = ("normal", "replica", "pubsub")
#: Output buffer limits in bytes: hard limit, soft limit, and the seconds for which a client may
#: exceed the soft limit; 0: no limit.
Bounds = tuple[int, int, int]


class ClientLimits:
    """Limits of the clients of all servers of a database."""

    def __init__(self) -> None:
        #: greatest number of connected clients
        self.clients = 10_000
        #: seconds after which an idle client is closed; 0: never
        self.idle = 0
        #: seconds without data after which the system probes a client; 0: never
        self.keepalive = 300
        #: bytes of received commands that have not run yet
        self.query = 1024**3
        self.output: dict[str, Bounds] = {
            "normal": (0, 0, 0),
            "replica": (256 * 1024**2, 64 * 1024**2, 60),
            "pubsub": (32 * 1024**2, 8 * 1024**2, 60),
        }
        #: reject clients from other machines while the default user has no password
        self.protected = True
        #: called when a limit was changed: restarts the timer for idle clients
        self.changed: Callable[[], object] | None = None

    def set(self, name: str, value: object) -> None:
        """Set one of the limits."""
        setattr(self, name, value)
        if self.changed is not None:
            self.changed()

    def output_text(self) -> str:
        """Return the output buffer limits as CONFIG GET shows them."""
        return " ".join(
            f"{'slave' if name == 'replica' else name} {hard} {soft} {seconds}"
            for name, (hard, soft, seconds) in self.output.items()
        )

    def set_output(self, changed: dict[str, Bounds]) -> None:
        """Set the output buffer limits of some classes."""
        self.output = {**self.output, **changed}


def parse_output(text: str, memory: Callable[[str], int]) -> dict[str, Bounds]:
    """Parse output buffer limits: "pubsub 32mb 8mb 60 ...". ValueError has the message of Redis."""
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
