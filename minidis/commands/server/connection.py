"""Connection commands: PING, SELECT, HELLO, AUTH, RESET, QUIT, MONITOR.

An in-process session has no connection: HELLO, AUTH and RESET do what makes sense without one, QUIT
and MONITOR raise an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minidis import errors
from minidis.commands.shared.group import Group, T
from minidis.errors import ResponseError
from minidis.grammar.command import declarations
from minidis.grammar.cursor import WordCursor
from minidis.grammar.facts import all_arguments, credentials
from minidis.grammar.kinds import Integer, Key, Kind, Value, encode, integer
from minidis.replies import NO_REPLY, OK, PONG, Status
from minidis.version import REDIS_VERSION

if TYPE_CHECKING:
    from minidis.acl.denials import Context

command = declarations(group="connection", stateful=True)

DONE = Status("RESET")
_HANDSHAKE = "noscript loading stale fast no_auth allow_busy"


def client_name(value: Any) -> bytes:
    """Convert a client name: printable ASCII without spaces; empty for no name."""
    name = encode(value)
    if not is_printable(name):
        raise errors.error(errors.NAME_WITH_BLANKS)
    return name


def is_printable(word: bytes) -> bool:
    """Return whether the word consists of the characters from ! to ~ only."""
    return all(33 <= byte <= 126 for byte in word)


def _protocol(value: Any) -> int:
    """Convert the protocol version of HELLO."""
    try:
        version = integer(value)
    except ResponseError:
        raise errors.error(errors.PROTOCOL_NOT_INTEGER) from None
    if version not in (2, 3):
        raise ResponseError(errors.NO_SUCH_PROTOCOL)
    return version


def _parse_hello(words: WordCursor) -> None:
    """Options need the version before them."""
    if words.left:
        words.read("protover")
        words.read_options()


class ConnectionCommands(Group[T]):
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
        """Return PONG, or `message` if it is given.

        A RESP2 connection with subscriptions receives [b"pong", message].

        >>> db.ping(), db.ping("hello")
        (PONG, b'hello')
        """
        client = self.client
        reply: Any = PONG if message is None else encode(message)
        if client.protocol == 2 and client.listening:
            # With subscriptions, a RESP2 connection receives all replies as messages.
            reply = [b"pong", b"" if message is None else reply]
        return reply

    @command("ECHO message", "loading stale fast", since="1.0.0", complexity="O(1)")
    def echo(self, message: Value) -> T:
        """Return `message`.

        >>> db.echo("hello")
        b'hello'
        """
        reply: Any = message
        return reply

    @command("SELECT index", "loading stale fast", since="1.0.0", complexity="O(1)")
    def select(self, index: Integer) -> Status:
        """Select the database `index` for the current session.

        Other sessions keep theirs. Returns OK. Raises ResponseError if there is no such database.

        >>> db.select(1), db.set("here", 1), db.select(0), db.exists("here")
        (OK, OK, OK, 0)
        """
        number = integer(index)
        databases = self.engine.databases
        if not -(2**31) <= number < 2**31:
            raise errors.error(errors.out_of_range(-(2**31), 2**31 - 1))
        if not 0 <= number < len(databases):
            raise errors.error(errors.DB_OUT_OF_RANGE)
        self.select_database(number)
        return OK

    # protocol and user -------------------------------------------------------------------------

    @command(
        "HELLO [protover [AUTH username password] [SETNAME clientname]]",
        _HANDSHAKE,
        since="6.0.0",
        complexity="O(1)",
        names={"SETNAME": "clientname"},
        kinds={"protover": Kind(_protocol), "clientname": Kind(client_name)},
        parse=_parse_hello,
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
        """Switch the protocol version, optionally authenticate, and return server information.

        protover: 2 or 3; an in-process session supports only 3. username, password: authenticate,
        as AUTH does. clientname: set the client name, as CLIENT SETNAME does.

        Returns a dict: server, version, proto, id, mode, role, modules. Raises ResponseError:
        NOPROTO for another version, WRONGPASS for a wrong password.

        >>> db.hello(3)[b"server"], db.hello()[b"proto"]
        (b'redis', 3)
        """
        client = self.client
        if _option_error is not None:
            raise _option_error
        if username is not None:
            self._authenticate(username, password, b"HELLO")
        if client.user is None and not client.trusted:
            raise ResponseError(errors.NO_HELLO_BEFORE_AUTH)
        if client.trusted and protover == 2:
            raise ResponseError(f"{errors.NO_SUCH_PROTOCOL}: an in-process session has RESP3")
        if clientname is not None:
            client.name = encode(clientname)
        client.protocol = client.protocol if protover is None else int(protover)
        self.update_checks()
        return self._introduction()

    def _introduction(self) -> Any:
        """Return the reply of HELLO; client libraries expect a server named redis."""
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
        """Authenticate the current session.

        username: name of the user (default: the default user). An in-process session may run every
        command, whatever its user is.

        Returns OK. Raises ResponseError: WRONGPASS for a wrong name or password; ERR without
        `username` if the default user has no password.

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
        """Set the user of the client, or log the failure and raise an error."""
        users = self.engine.users
        user = users.authenticate(username, password)
        if user is None:
            context: Context = "toplevel" if self.client.queue is None else "exec"
            users.note(self.client, "auth", how, username, context)
            raise ResponseError(errors.WRONG_PASSWORD)
        self.client.user = user
        self.update_checks()

    @command(
        "RESET", _HANDSHAKE, since="6.2.0", complexity="O(1)", immediate=True, while_subscribed=True
    )
    def reset(self) -> Status:
        """Reset the state of the current session.

        Ends the transaction, watches, subscriptions, tracking, MONITOR and prepared HIMPORT
        fieldsets, removes the client name, and selects database 0. A connection also returns to
        RESP2 and to the default user, so it may have to authenticate again.

        Returns RESET.

        >>> db.select(1), db.client_setname("ann"), db.reset(), db.client_getname() is None
        (OK, OK, RESET, True)
        """
        client, engine = self.client, self.engine
        self.leave_transaction()
        engine.observers.channels.forget(client)
        engine.observers.tracking.stop(client)
        if client.monitors:
            self._stop_monitoring()
        self.select_database(0)
        client.fieldsets = None
        client.name = b""
        if client.reply_mode != "skip":  # the reply of RESET itself may have to be skipped
            client.reply_mode = "on"
        client.no_evict = client.no_touch = False
        client.user = None if client.trusted else engine.users.of_newcomers
        client.protocol = 3 if client.trusted else 2
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
        """Close the current connection after replying OK; arguments are ignored.

        Raises ResponseError in an in-process session: use close() to close the database.

        >>> db.quit()
        Traceback (most recent call last):
        ...
        minidis.errors.ResponseError: ERR QUIT needs a connection; use close() to close the database
        """
        if self.client.trusted:
            raise errors.error("QUIT needs a connection; use close() to close the database")
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
        """Send every command that the database runs to the current connection, as lines of text.

        Raises ResponseError in an in-process session: use `db.monitor()`.

        >>> db.execute("MONITOR")
        Traceback (most recent call last):
        ...
        minidis.errors.ResponseError: ERR MONITOR needs a connection; in Python use db.monitor()
        """
        client, engine = self.client, self.engine
        if client.queue is not None:  # EXEC runs; the commands that it still has would be shown
            raise errors.error("MONITOR isn't allowed for DENY BLOCKING client")
        if not client.takes_messages:
            raise errors.error("MONITOR needs a connection; in Python use db.monitor()")
        if client.monitors:
            return NO_REPLY
        client.monitors = True
        engine.clients.monitors[client] = None
        engine.clients.update_all_checks()
        return OK

    def _stop_monitoring(self) -> None:
        """End MONITOR for the current client."""
        self.client.monitors = False
        self.engine.clients.monitors.pop(self.client, None)
        self.engine.clients.update_all_checks()
