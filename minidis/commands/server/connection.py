"""Connection commands: who speaks, in which protocol, to which database, and until when.

A session that lives in the program has no connection. HELLO, AUTH and RESET do for it what makes
sense there; what needs a connection is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minidis import errors
from minidis.commands.shared.group import Group, T
from minidis.engine.engine import REDIS_VERSION
from minidis.errors import ResponseError
from minidis.grammar.command import declarations
from minidis.grammar.facts import all_arguments, credentials
from minidis.grammar.kinds import Integer, Key, Kind, Value, encode, integer
from minidis.replies import NO_REPLY, OK, PONG, Status

if TYPE_CHECKING:
    from minidis.acl.users import Context
    from minidis.api.session import Session

command = declarations(group="connection", stateful=True)

DONE = Status("RESET")
_HANDSHAKE = "noscript loading stale fast no_auth allow_busy"


def client_name(value: Any) -> bytes:
    """A name that CLIENT LIST can show: printable ASCII without blanks. Empty: no name."""
    name = encode(value)
    if not is_printable(name):
        raise errors.error(errors.NAME_WITH_BLANKS)
    return name


def is_printable(word: bytes) -> bool:
    """Does it consist of the characters from ! to ~ alone?"""
    return all(33 <= byte <= 126 for byte in word)


def _protocol(value: Any) -> int:
    try:
        version = integer(value)
    except ResponseError:
        raise errors.error(errors.PROTOCOL_NOT_INTEGER) from None
    if version not in (2, 3):
        raise ResponseError(errors.NO_SUCH_PROTOCOL)
    return version


class Connection(Group[T]):
    """PING, ECHO, SELECT, HELLO, AUTH, RESET, QUIT, MONITOR."""

    @command(
        "PING [message]",
        "fast",
        since="1.0.0",
        complexity="O(1)",
        strict=True,
        while_subscribed=True,
    )
    def ping(self, message: Value | None = None) -> Status | T:
        """Answer PONG, or the message.

        >>> db.ping(), db.ping("hello")
        (PONG, b'hello')
        """
        client = self.client
        reply: Any = PONG if message is None else encode(message)
        if client.protocol == 2 and client.listening:
            # Who can only take messages gets a message.
            reply = [b"pong", b"" if message is None else reply]
        return reply

    @command("ECHO message", "loading stale fast", since="1.0.0", complexity="O(1)")
    def echo(self, message: Value) -> T:
        """Answer the message.

        >>> db.echo("hello")
        b'hello'
        """
        reply: Any = message
        return reply

    @command("SELECT index", "loading stale fast", since="1.0.0", complexity="O(1)")
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

    # who and how -------------------------------------------------------------------------------

    @command(
        "HELLO [protover [AUTH username password] [SETNAME clientname]]",
        _HANDSHAKE,
        since="6.0.0",
        complexity="O(1)",
        names={"SETNAME": "clientname"},
        kinds={"protover": Kind(_protocol), "clientname": Kind(client_name)},
        unknown_error="Syntax error in HELLO option '{}'",
        deferred_errors=True,
        changes_protocol=True,
        secret=credentials,
    )
    def hello(
        self,
        protover: Integer | None = None,
        username: Key | None = None,
        password: Key | None = None,
        clientname: Key | None = None,
        _option_error: ResponseError | None = None,
    ) -> dict[T, Any]:
        """Introduce the caller, choose the protocol version 2 or 3; answers what serves it.

        `username` and `password` do what AUTH does, `clientname` what CLIENT SETNAME does. A
        session of the program speaks as RESP3 does: version 2 is refused there.

        ResponseError with code NOPROTO for another version, WRONGPASS for a wrong password.

        >>> db.hello(3)[b"server"], db.hello()[b"proto"]
        (b'redis', 3)
        """
        client = self.client
        if username is not None:
            self._authenticate(username, password, b"HELLO")
        if _option_error is not None:
            raise _option_error
        if client.user is None and not client.trusted:
            raise ResponseError(errors.NO_HELLO_BEFORE_AUTH)
        if client.trusted and protover == 2:
            raise ResponseError(f"{errors.NO_SUCH_PROTOCOL}: a session of the program has RESP3")
        if clientname is not None:
            client.name = encode(clientname)
        client.protocol = client.protocol if protover is None else int(protover)
        self.update_checks()
        return self._introduction()

    def _introduction(self) -> Any:
        """What HELLO answers. Client libraries look for a server that calls itself redis."""
        return {
            b"server": b"redis",
            b"version": REDIS_VERSION.encode(),
            b"proto": self.client.protocol,
            b"id": self.client.id,
            b"mode": b"standalone",
            b"role": b"master",
            b"modules": [],
        }

    @command(
        "AUTH [username] password",
        _HANDSHAKE,
        since="1.0.0",
        complexity="O(n) for n passwords of the user",
        secret=all_arguments,
    )
    def auth(self, password: Key, username: Key | None = None) -> Status:
        """Authenticate the caller as `username`; without a name as the default user.

        What a user may do is asked of connections: a session of the program may do everything,
        whoever it says it is.

        ResponseError with code WRONGPASS for a wrong pair; without a name also when the default
        user has no password.

        >>> db.auth("anything", "default")
        OK
        >>> db.auth("anything")
        Traceback (most recent call last):
        ...
        minidis.errors.ResponseError: ERR AUTH <password> called without any password configured \
for the default user. Are you sure your configuration is correct?
        """
        if username is None:
            if self.engine.users.default.nopass:
                raise errors.error(errors.NO_PASSWORD_NEEDED)
            username = b"default"
        self._authenticate(username, password, b"AUTH")
        return OK

    def _authenticate(self, username: Any, password: Any, how: bytes) -> None:
        users = self.engine.users
        user = users.authenticate(username, password)
        if user is None:
            context: Context = "toplevel" if self.queue is None else "exec"
            users.note(self.client, "auth", how, username, context)
            raise ResponseError(errors.WRONG_PASSWORD)
        self.client.user = user
        self.update_checks()

    @command(
        "RESET", _HANDSHAKE, since="6.2.0", complexity="O(1)", immediate=True, while_subscribed=True
    )
    def reset(self) -> Status:
        """Make the session as new: outside of MULTI, on database 0, without a name.

        Watches, subscriptions, tracking, MONITOR, and the fieldsets of HIMPORT end. A connection
        goes back to RESP2 and to the default user, and has to authenticate if that needs a
        password; a session of the program keeps its protocol.

        >>> db.select(1), db.client_setname("ann"), db.reset(), db.client_getname() is None
        (OK, OK, RESET, True)
        """
        session: Session[Any] = self  # type: ignore[assignment]
        client, engine = self.client, self.engine
        session.leave_transaction()
        engine.channels.forget(client)
        engine.tracking.stop(client)
        if client.monitors:
            self._stop_monitoring()
        self.space = engine.databases[0]
        session.fieldsets = None
        client.name = b""
        if client.reply_mode != "skip":  # RESET itself may be what is not to be answered
            client.reply_mode = "on"
        client.no_evict = client.no_touch = False
        client.user = None if client.trusted else engine.users.of_newcomers
        client.protocol = 3 if client.trusted else 2
        engine.update_observers()
        self.update_checks()
        return DONE

    @command(
        "QUIT [arg [arg ...]]",
        _HANDSHAKE,
        since="1.0.0",
        complexity="O(1)",
        immediate=True,
        while_subscribed=True,
        hidden=True,
    )
    def quit(self, *args: Key) -> Status:
        """Close the connection, after the answer. The words after QUIT mean nothing.

        ResponseError for a session of the program, which has none.

        >>> db.quit()
        Traceback (most recent call last):
        ...
        minidis.errors.ResponseError: ERR QUIT ends a connection, and a session of the program has \
none; close() closes the database
        """
        if self.client.trusted:
            raise errors.error(
                "QUIT ends a connection, and a session of the program has none; "
                "close() closes the database"
            )
        self.client.close_after_reply = True
        return OK

    @command(
        "MONITOR",
        "admin noscript loading stale",
        group="server",
        since="1.0.0",
        complexity="O(1)",
        ended_by="",
    )
    def monitor_commands(self) -> Any:
        """Let the connection see every command that the database runs, as lines of text.

        ResponseError for a session of the program: `db.monitor()` shows them there.

        >>> db.execute("MONITOR")
        Traceback (most recent call last):
        ...
        minidis.errors.ResponseError: ERR MONITOR writes to a connection, and a session of the \
program has none; db.monitor() shows the same
        """
        session: Session[Any] = self  # type: ignore[assignment]
        client, engine = self.client, self.engine
        if session.queue is not None:  # EXEC runs; the commands that it still has would be shown
            raise errors.error("MONITOR isn't allowed for DENY BLOCKING client")
        if not client.takes_messages:
            raise errors.error(
                "MONITOR writes to a connection, and a session of the program has none; "
                "db.monitor() shows the same"
            )
        if client.monitors:
            return NO_REPLY
        client.monitors = True
        engine.monitors[client] = None
        engine.update_all_checks()
        return OK

    def _stop_monitoring(self) -> None:
        self.client.monitors = False
        self.engine.monitors.pop(self.client, None)
        self.engine.update_all_checks()
