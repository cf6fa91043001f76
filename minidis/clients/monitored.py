"""Commands as MONITOR shows them."""

from typing import NamedTuple


class MonitoredCommand(NamedTuple):
    """A command that a client has run: time (seconds since 1970), database, address, words."""

    time: float
    database: int
    address: str
    words: list[bytes]

    def line(self) -> str:
        """Return the line that MONITOR shows.

        >>> from minidis.clients.monitored import MonitoredCommand
        >>> print(MonitoredCommand(1700000000.5, 0, "127.0.0.1:5", [b"GET", b"a"]).line())
        1700000000.500000 [0 127.0.0.1:5] "GET" "a"
        """
        words = " ".join(map(quoted_word, self.words))
        return f"{self.time:.6f} [{self.database} {self.address}] {words}"


_ESCAPES = {byte: f"\\x{byte:02x}" for byte in range(256) if not 32 <= byte < 127}
_ESCAPES |= {ord(sign): f"\\{sign}" for sign in '\\"'}
_ESCAPES |= {ord(sign): f"\\{letter}" for sign, letter in zip("\n\r\t\a\b", "nrtab", strict=True)}


def quoted_word(word: bytes) -> str:
    """Return a word in double quotes; everything but printable ASCII is escaped."""
    return '"' + word.decode("latin-1").translate(_ESCAPES) + '"'
