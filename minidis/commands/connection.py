"""Connection commands: the little that makes sense without a connection."""

from __future__ import annotations

from typing import Any

from minidis import errors
from minidis.command import command
from minidis.commands.group import Group, T
from minidis.kinds import Integer, Value, encode, integer
from minidis.replies import OK, PONG, Status


class Connection(Group[T]):
    """PING, ECHO, SELECT."""

    @command(
        "PING [message]", "fast", group="connection", since="1.0.0", complexity="O(1)", strict=True
    )
    def ping(self, message: Value | None = None) -> Status | T:
        """Answer PONG, or the message.

        >>> db.ping(), db.ping("hello")
        (PONG, b'hello')
        """
        answer: Any = PONG if message is None else encode(message)
        return answer

    @command(
        "ECHO message", "loading stale fast", group="connection", since="1.0.0", complexity="O(1)"
    )
    def echo(self, message: Value) -> T:
        """Answer the message.

        >>> db.echo("hello")
        b'hello'
        """
        answer: Any = message
        return answer

    @command(
        "SELECT index", "loading stale fast", group="connection", since="1.0.0", complexity="O(1)"
    )
    def select(self, index: Integer) -> Status:
        """Make `index` the selected database of this session; others keep theirs.

        ResponseError when there is no database of that number.

        >>> db.select(1), db.set("here", 1), db.select(0), db.exists("here")
        (OK, OK, OK, 0)
        """
        number = integer(index)
        databases = self.engine.databases
        if not -(2**31) <= number < 2**31:
            raise errors.error(errors.out_of_range(-(2**31), 2**31 - 1))
        if not 0 <= number < len(databases):
            raise errors.error(errors.DB_OUT_OF_RANGE)
        self.space = databases[number]
        return OK
