"""CLIENT: what callers tell of themselves, what they may know of each other, and how they end.

Callers are connections, sessions of the program, and its subscriptions; client_line.py says what is
told of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from minidis import errors
from minidis.clients.client import Client
from minidis.clients.info import as_bytes, describe, type_of, user_of
from minidis.commands.server.connection import client_name, is_printable
from minidis.commands.shared.group import Group, T
from minidis.errors import ResponseError
from minidis.grammar.command import declarations
from minidis.grammar.kinds import (
    I64_MAX,
    RAW,
    Integer,
    Key,
    Kind,
    Many,
    Value,
    at_least,
    encode,
    integer,
    to_timeout,
)
from minidis.replies import NO_REPLY, OK, Status, Verbatim

command = declarations(group="connection", parent="CLIENT", stateful=True)

CLIENT_HELP = (
    "CLIENT <subcommand> [<arg> ...]. Subcommands are:",
    "CACHING <YES|NO>",
    "    Remember the keys of the next command for tracking, or do not.",
    "GETNAME",
    "    The name of this caller.",
    "GETREDIR",
    "    The id of the client that gets this one's invalidations.",
    "ID",
    "    The id of this caller.",
    "INFO",
    "    What LIST says of this caller.",
    "KILL <ip:port>",
    "    End the connection from that address.",
    "KILL <filter> <value> [<filter> <value> ...]",
    "    End all that pass: ID, TYPE, USER, ADDR, LADDR, MAXAGE <seconds>; SKIPME <YES|NO>.",
    "LIST [TYPE <NORMAL|MASTER|REPLICA|PUBSUB>] [ID <id> [<id> ...]]",
    "    A line for each client.",
    "NO-EVICT <ON|OFF>",
    "    Keep this connection when memory is short.",
    "NO-TOUCH <ON|OFF>",
    "    Do not count what this caller does as use of the keys.",
    "PAUSE <milliseconds> [WRITE|ALL]",
    "    Let writes, or all commands, wait.",
    "REPLY <ON|OFF|SKIP>",
    "    Answer, do not answer, do not answer the next command.",
    "SETINFO <LIB-NAME|LIB-VER> <value>",
    "    Tell which library speaks.",
    "SETNAME <name>",
    "    Give this caller a name.",
    "TRACKING <ON|OFF> [<option> ...]",
    "    Hear when keys change that this caller has read.",
    "TRACKINGINFO",
    "    What tracking is set to.",
    "UNBLOCK <id> [TIMEOUT|ERROR]",
    "    End the wait of a blocked client.",
    "UNPAUSE",
    "    End a pause.",
    "HELP",
    "    This text.",
)
_FLAGS = "noscript loading stale"
_ADMIN = "admin noscript loading stale"
_WRONG_LENGTH = "unknown subcommand or wrong number of arguments for '{}'. Try CLIENT HELP."

#: The published line has empty filters as well; here at least one has to be there, as in Redis.
_FILTER = (
    "<ID client-id | TYPE <NORMAL | MASTER | SLAVE | REPLICA | PUBSUB> | USER username | "
    "ADDR ip:port | LADDR ip:port | SKIPME <YES | NO> | MAXAGE maxage>"
)

#: Filter of CLIENT KILL -> what it compares.
PROPERTIES: dict[str, Callable[[Client], Any]] = {
    "id": lambda client: client.id,
    "type": type_of,
    "user": user_of,
    "addr": lambda client: as_bytes(client.address),
    "laddr": lambda client: as_bytes(client.local_address),
}


def _client_type(value: Any) -> bytes:
    """The type of clients: normal, master, replica, pubsub."""
    word = encode(value)
    kind = {b"slave": b"replica"}.get(word.lower(), word.lower())
    if kind not in (b"normal", b"master", b"replica", b"pubsub"):
        raise errors.error(f"Unknown client type '{errors.shown(word)}'")
    return kind


def _yes_no(value: Any) -> bytes:
    word = (b"NO", b"YES")[value] if isinstance(value, bool) else encode(value).upper()
    if word not in (b"YES", b"NO"):
        raise errors.error(errors.SYNTAX)
    return word


def _age(value: Any) -> int:
    try:
        seconds = integer(value)
    except ResponseError:
        raise errors.error("maxage is not an integer or out of range") from None
    if seconds < 1:
        raise errors.error("maxage should be greater than 0")
    return seconds


_TYPE = Kind(_client_type, "", "normal, master, replica or pubsub")


class ClientCommands(Group[T]):
    """CLIENT and its subcommands; those about tracking are in tracking.py."""

    # about oneself -----------------------------------------------------------------------------

    @command("CLIENT ID", _FLAGS, since="5.0.0", complexity="O(1)")
    def client_id(self) -> int:
        """The id of this caller; no two have the same, and later ones are greater.

        >>> db.client_id() < db.session().client_id()
        True
        """
        return self.client.id

    @command("CLIENT GETNAME", _FLAGS, since="2.6.9", complexity="O(1)")
    def client_getname(self) -> T | None:
        """The name that CLIENT SETNAME gave to this caller, or None.

        >>> db.client_getname() is None, db.client_setname("worker"), db.client_getname()
        (True, OK, b'worker')
        """
        reply: Any = self.client.name or None
        return reply

    @command(
        "CLIENT SETNAME connection-name",
        _FLAGS,
        since="2.6.9",
        complexity="O(1)",
        names={"connection-name": "name"},
    )
    def client_setname(self, name: Key) -> Status:
        """Give this caller a name, for CLIENT LIST; an empty one takes it away.

        ResponseError for blanks and other characters that would not fit into a line of the list.

        >>> db.client_setname("worker"), db.client_setname("two words")
        Traceback (most recent call last):
        ...
        minidis.errors.ResponseError: ERR Client names cannot contain spaces, newlines or special \
characters.
        """
        self.client.name = client_name(name)
        return OK

    @command(
        "CLIENT SETINFO <LIB-NAME libname | LIB-VER libver>",
        _FLAGS,
        since="7.2.0",
        complexity="O(1)",
        choices="attr value",
        unknown_error="Unrecognized option '{}'",
    )
    def client_setinfo(self, attr: Key, value: Value) -> Status:
        """Tell which client library speaks: `attr` is "LIB-NAME" or "LIB-VER".

        ResponseError for another `attr`, and for blanks in the value.

        >>> db.client_setinfo("LIB-NAME", "mine"), b"lib-name=mine" in db.client_info()
        (OK, True)
        """
        text, told = encode(value), encode(attr)
        if not is_printable(text):
            raise errors.error(
                f"{errors.shown(told)} cannot contain spaces, newlines or special characters."
            )
        if told.upper() == b"LIB-NAME":
            self.client.library = text
        else:
            self.client.library_version = text
        return OK

    @command(
        "CLIENT NO-EVICT <ON | OFF>",
        _ADMIN,
        since="7.0.0",
        complexity="O(1)",
        choices="mode",
    )
    def client_no_evict(self, mode: str) -> Status:
        """Mark this connection, "ON" or "OFF", as one that is kept when memory is short.

        >>> db.client_no_evict("ON")
        OK
        """
        chosen: Any = mode
        self.client.no_evict = chosen == b"ON"
        return OK

    @command(
        "CLIENT NO-TOUCH <ON | OFF>",
        _FLAGS,
        since="7.2.0",
        complexity="O(1)",
        choices="mode",
    )
    def client_no_touch(self, mode: str) -> Status:
        """With "ON", what this caller does is no use of the keys: OBJECT IDLETIME goes on.

        TOUCH still touches.

        >>> db.client_no_touch("ON")
        OK
        """
        chosen: Any = mode
        self.client.no_touch = chosen == b"ON"
        self.update_checks()
        return OK

    @command(
        "CLIENT REPLY <ON | OFF | SKIP>",
        _FLAGS,
        since="3.2.0",
        complexity="O(1)",
        choices="reply",
    )
    def client_reply(self, reply: str) -> Any:
        """Whether commands of this connection are answered: "ON", "OFF", or "SKIP" the next one.

        Only ON itself is answered. ResponseError for OFF and SKIP in a session of the program,
        whose calls always have an answer.

        >>> db.client_reply("ON")
        OK
        """
        client, chosen = self.client, encode(reply)
        if chosen == b"ON":
            client.reply_mode = "on"
            return OK
        if client.trusted:
            raise errors.error("a session of the program has an answer to every call")
        if chosen == b"OFF":
            client.reply_mode = "off"
        elif client.reply_mode != "off":
            client.reply_mode = "skip next"
        return NO_REPLY

    # about others ------------------------------------------------------------------------------

    @command("CLIENT INFO", _FLAGS, since="6.2.0", complexity="O(1)")
    def client_info(self) -> T:
        """What CLIENT LIST says of this caller, as text.

        >>> db.client_setname("me"), b" name=me " in db.client_info()
        (OK, True)
        """
        return self._client_lines([self.client], "client|info")

    @command(
        "CLIENT LIST [TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [ID client-id [client-id ...]]",
        _ADMIN,
        since="2.4.0",
        complexity="O(n) for n clients",
        names={"TYPE": "_type", "ID": "client_id"},
        kinds={"TYPE": Kind(encode), "client-id": RAW},
        once=True,
    )
    def client_list(self, _type: str | None = None, client_id: Many | None = None) -> T:
        """A line of text for each client: those of a type, or those with the ids.

        `_type`: normal, master, replica, pubsub. A line has fields `name=value` with blanks in
        between. Buffers are not measured: their sizes are 0.

        ResponseError for another type, an id that is no integer, and for both filters at once.

        >>> db.client_list(client_id=[db.client_id()]).split()[1]
        b'addr=in-process:0'
        """
        ids: Any = client_id
        if ids is not None and (not ids or _type is not None):
            raise errors.error(errors.SYNTAX)
        if ids is not None:
            return self._client_lines(self._clients_with(ids), "client|list")
        wanted = None if _type is None else _client_type(_type)
        found = [one for one in self.engine.clients if wanted in (None, type_of(one))]
        return self._client_lines(found, "client|list")

    def _clients_with(self, ids: Iterable[Any]) -> list[Client]:
        """The clients with the ids, as far as there are any; an id given twice is found twice."""
        try:
            numbers = [integer(number) for number in ids]
        except ResponseError:
            raise errors.error("Invalid client ID") from None
        found = [self.engine.clients.get(number) for number in numbers]
        return [client for client in found if client is not None]

    def _client_lines(self, clients: Iterable[Client], running: str) -> Any:
        """The lines of CLIENT LIST; the caller itself is `running` this command, or EXEC."""
        now = self.engine.now()
        running = running if self.queue is None else "exec"
        lines = [
            describe(client, now, running if client is self.client else "") + b"\n"
            for client in clients
        ]
        return Verbatim(b"".join(lines))

    @command(
        f"CLIENT KILL <ip:port | {_FILTER} [{_FILTER} ...]>",
        _ADMIN,
        since="2.4.0",
        complexity="O(n) for n clients",
        names={"ip:port": "address"},
        kinds={
            "client-id": at_least(1, "client-id should be greater than 0", "id of a client"),
            "TYPE": _TYPE,
            "SKIPME": Kind(_yes_no, "", "yes or no"),
            "maxage": Kind(_age, "", "seconds"),
        },
        deferred_errors=True,
    )
    def client_kill(
        self,
        address: Key | None = None,
        *,
        id: Integer | None = None,
        type: str | None = None,
        user: Key | None = None,
        addr: Key | None = None,
        laddr: Key | None = None,
        skipme: bool | str | None = None,
        maxage: Integer | None = None,
        _option_error: ResponseError | None = None,
    ) -> int | Status:
        """End the connection from an `address`; or all that pass every filter, and count them.

        `id` of a client, `type` (normal, master, replica, pubsub), name of the `user`, its address
        `addr`, the one it came to `laddr`, at least `maxage` seconds old. `skipme`: not the caller
        itself, True unless it is given. A session of the program that waits leaves its call with
        an error; one that does not wait has nothing to end, and is not counted.

        ResponseError when nobody has the `address`, and when there is no such `user`.

        >>> db.client_kill(type="pubsub"), db.client_kill(id=db.client_id())
        (0, 0)
        """
        name: Any = user
        if name is not None and self.engine.users.get(name) is None:
            raise errors.error(f"No such user '{errors.shown(name)}'")
        if _option_error is not None:
            raise _option_error
        filters = {"id": id, "type": type, "user": user, "addr": addr, "laddr": laddr}
        wanted = {name: value for name, value in filters.items() if value is not None}
        given = bool(wanted) or skipme is not None or maxage is not None
        if address is not None and given:
            raise errors.error(errors.SYNTAX)
        if address is not None:
            return self._kill_address(address)
        if not given:
            raise errors.wrong_arity("client|kill")
        latest = I64_MAX if maxage is None else self.engine.now() - integer(maxage) * 1000
        spared = None if encode(skipme or b"YES") == b"NO" else self.client
        return self._kill(
            client
            for client in self.engine.clients
            if all(PROPERTIES[name](client) == value for name, value in wanted.items())
            and client.created <= latest
            and client is not spared
        )

    def _kill_address(self, address: Any) -> Status:
        clients = self.engine.clients
        if not self._kill(one for one in clients if as_bytes(one.address) == address):
            raise errors.error("No such client")
        return OK

    def _kill(self, clients: Iterator[Client]) -> int:
        """End the clients, and count them; the caller itself has its answer first."""
        doomed = [
            one
            for one in clients
            if not one.trusted or one.takes_messages or one.waiter is not None
        ]
        for client in doomed:
            if client is self.client:
                client.close_after_reply = True
            else:
                client.kill()
        return len(doomed)

    @command(
        "CLIENT UNBLOCK client-id [TIMEOUT | ERROR]",
        _ADMIN,
        since="5.0.0",
        complexity="O(log n) for n waiting clients",
        names={"TIMEOUT": "not error"},
        kinds={"client-id": RAW},
        unknown_error="CLIENT UNBLOCK reason should be TIMEOUT or ERROR",
        lengths=(3, 4),
        length_error=_WRONG_LENGTH,
    )
    def client_unblock(self, client_id: Integer, error: bool = False) -> int:
        """End the wait of a blocked client: as by its timeout, or with an `error`.

        1, or 0 when there is no such client or it does not wait.

        >>> db.client_unblock(db.client_id())
        0
        """
        client = self.engine.clients.get(integer(client_id))
        if client is None:
            return 0
        return int(self.engine.waiters.unblock(client, error=error))

    # everybody ---------------------------------------------------------------------------------

    @command(
        "CLIENT PAUSE timeout [WRITE | ALL]",
        _ADMIN,
        since="3.0.0",
        complexity="O(1)",
        names={"WRITE": "not all"},
        kinds={"timeout": RAW},
        unknown_error="CLIENT PAUSE mode must be WRITE or ALL",
        lengths=(3, 4),
        length_error=_WRONG_LENGTH,
        pause_exempt=True,
    )
    def client_pause(self, timeout: Integer, all: bool = True) -> Status:
        """Let all commands of all callers wait for `timeout` milliseconds.

        `all=False`: only those that write or publish. Keys do not expire meanwhile. CLIENT UNPAUSE
        ends it sooner; a longer pause is not shortened by a second one.

        ResponseError when `timeout` is negative or no integer.

        >>> db.client_pause(60_000, all=False), db.client_unpause(), db.set("a", 1)
        (OK, OK, OK)
        """
        until = min(self.engine.now() + to_timeout(timeout), I64_MAX)
        self.engine.pause_clients(until, writes_only=not all)
        return OK

    @command(
        "CLIENT UNPAUSE", _ADMIN, since="6.2.0", complexity="O(n) for n waiting", pause_exempt=True
    )
    def client_unpause(self) -> Status:
        """End a pause: commands that waited for it run now.

        >>> db.client_unpause()
        OK
        """
        self.engine.unpause()
        return OK

    @command("CLIENT HELP", "loading stale", since="5.0.0", complexity="O(1)")
    def client_help(self) -> list[Status]:
        """The subcommands of CLIENT.

        >>> db.client_help()[7]
        ID
        """
        return [Status(line) for line in CLIENT_HELP]
