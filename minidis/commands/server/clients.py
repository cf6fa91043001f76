"""CLIENT: names, lists, pauses and ends clients.

Clients are connections, in-process sessions and subscriptions; clients/info.py formats their lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from minidis import errors
from minidis.clients.client import Client
from minidis.clients.info import as_bytes, client_line, type_of, user_of
from minidis.commands.server.connection import client_name, is_printable
from minidis.commands.shared.group import Group, T
from minidis.errors import ResponseError
from minidis.grammar.command import declarations
from minidis.grammar.cursor import WordCursor
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
    "    Track the keys of the next command, or do not.",
    "GETNAME",
    "    Show the name of the current client.",
    "GETREDIR",
    "    Show the id of the client that receives the invalidations.",
    "ID",
    "    Show the id of the current client.",
    "INFO",
    "    Show the line of LIST about the current client.",
    "KILL <ip:port>",
    "    Close the connection from that address.",
    "KILL <filter> <value> [<filter> <value> ...]",
    "    Close clients by ID, TYPE, USER, ADDR, LADDR, MAXAGE <seconds>; SKIPME <YES|NO>.",
    "LIST [TYPE <NORMAL|MASTER|REPLICA|PUBSUB>] [ID <id> [<id> ...]]",
    "    List the clients, one line each.",
    "NO-EVICT <ON|OFF>",
    "    Exempt this connection from client eviction.",
    "NO-TOUCH <ON|OFF>",
    "    Do not count commands of this client as use of keys.",
    "PAUSE <milliseconds> [WRITE|ALL]",
    "    Suspend writes, or all commands.",
    "REPLY <ON|OFF|SKIP>",
    "    Switch replies on, off, or off for the next command.",
    "SETINFO <LIB-NAME|LIB-VER> <value>",
    "    Set the name or version of the client library.",
    "SETNAME <name>",
    "    Set the name of the current client.",
    "TRACKING <ON|OFF> [<option> ...]",
    "    Receive invalidations of keys that this client has read.",
    "TRACKINGINFO",
    "    Show the tracking options.",
    "UNBLOCK <id> [TIMEOUT|ERROR]",
    "    Unblock a blocked client.",
    "UNPAUSE",
    "    End a pause.",
    "HELP",
    "    This text.",
)
_FLAGS = "noscript loading stale"
_ADMIN = "admin noscript loading stale"
_WRONG_LENGTH = "unknown subcommand or wrong number of arguments for '{}'. Try CLIENT HELP."

#: Redis's published syntax makes each filter optional; its server requires at least one.
_FILTER = (
    "<ID client-id | TYPE <NORMAL | MASTER | SLAVE | REPLICA | PUBSUB> | USER username | "
    "ADDR ip:port | LADDR ip:port | SKIPME <YES | NO> | MAXAGE maxage>"
)

#: Filter of CLIENT KILL -> the property that it compares.
PROPERTIES: dict[str, Callable[[Client], Any]] = {
    "id": lambda client: client.id,
    "type": type_of,
    "user": user_of,
    "addr": lambda client: as_bytes(client.address),
    "laddr": lambda client: as_bytes(client.local_address),
}


def _client_type(value: Any) -> bytes:
    """Convert a type of clients: normal, master, replica, pubsub."""
    word = encode(value)
    kind = {b"slave": b"replica"}.get(word.lower(), word.lower())
    if kind not in (b"normal", b"master", b"replica", b"pubsub"):
        raise errors.error(f"Unknown client type '{errors.shown(word)}'")
    return kind


def _yes_no(value: Any) -> bytes:
    """Convert YES or NO, or a bool."""
    word = (b"NO", b"YES")[value] if isinstance(value, bool) else encode(value).upper()
    if word not in (b"YES", b"NO"):
        raise errors.error(errors.SYNTAX)
    return word


def _age(value: Any) -> int:
    """Convert MAXAGE of CLIENT KILL."""
    try:
        seconds = integer(value)
    except ResponseError:
        raise errors.error("maxage is not an integer or out of range") from None
    if seconds < 1:
        raise errors.error("maxage should be greater than 0")
    return seconds


_TYPE = Kind(_client_type, "", "normal, master, replica or pubsub")


def _library_attribute(value: Any) -> bytes:
    """LIB-NAME or LIB-VER, spelled as it came."""
    name = encode(value)
    if name.upper() not in (b"LIB-NAME", b"LIB-VER"):
        raise errors.error(f"Unrecognized option '{errors.shown(name)}'")
    return name


def _parse_setinfo(words: WordCursor) -> None:
    words.read("attr")
    words.read("value")


def _parse_kill(words: WordCursor) -> None:
    """One word is an address, more words are filters."""
    if words.left == 1:
        words.read("ip:port")
    else:
        words.read_options()


class ClientCommands(Group[T]):
    """CLIENT and its subcommands; those about tracking are in tracking.py."""

    # the current client ------------------------------------------------------------------------

    @command("CLIENT ID", _FLAGS, since="5.0.0", complexity="O(1)")
    def client_id(self) -> int:
        """Return the id of the current client.

        Ids are unique and increase with time.

        >>> db.client_id() < db.session().client_id()
        True
        """
        return self.client.id

    @command("CLIENT GETNAME", _FLAGS, since="2.6.9", complexity="O(1)")
    def client_getname(self) -> T | None:
        """Return the name of the current client set by CLIENT SETNAME, or None.

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
        """Set the name of the current client, which CLIENT LIST shows.

        An empty name removes it. Returns OK. Raises ResponseError if the name contains spaces or
        unprintable characters.

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
        kinds={"attr": Kind(_library_attribute)},
        parse=_parse_setinfo,
    )
    def client_setinfo(self, attr: Key, value: Value) -> Status:
        """Set the name or the version of the client library, which CLIENT LIST shows.

        attr: "LIB-NAME" or "LIB-VER". Returns OK. Raises ResponseError for another `attr`, or if
        `value` contains spaces or unprintable characters.

        >>> db.client_setinfo("LIB-NAME", "mine"), b"lib-name=mine" in db.client_info()
        (OK, True)
        """
        text, option = encode(value), encode(attr)
        if not is_printable(text):
            raise errors.error(
                f"{errors.shown(option)} cannot contain spaces, newlines or special characters."
            )
        if option.upper() == b"LIB-NAME":
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
        """Exempt the current connection from client eviction, or end the exemption.

        mode: "ON" or "OFF". minidis does not evict clients; CLIENT LIST shows the flag. Returns OK.

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
        """Stop counting commands of the current client as use of keys, or count them again.

        mode: "ON" or "OFF". While it is on, OBJECT IDLETIME is not reset; TOUCH still resets it.
        Returns OK.

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
        """Switch the replies to the current connection on or off.

        reply: "ON", "OFF", or "SKIP" for the next command only. Only ON is itself replied to, with
        OK. Raises ResponseError for OFF and SKIP in an in-process session, whose calls always
        return.

        >>> db.client_reply("ON")
        OK
        """
        client, chosen = self.client, encode(reply)
        if chosen == b"ON":
            client.reply_mode = "on"
            return OK
        if client.trusted:
            raise errors.error("CLIENT REPLY needs a connection; in-process calls always return")
        if chosen == b"OFF":
            client.reply_mode = "off"
        elif client.reply_mode != "off":
            client.reply_mode = "skip next"
        return NO_REPLY

    # other clients -----------------------------------------------------------------------------

    @command("CLIENT INFO", _FLAGS, since="6.2.0", complexity="O(1)")
    def client_info(self) -> T:
        """Return the line of CLIENT LIST about the current client.

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
        """Return information about clients as text, one line per client.

        _type: only clients of this type: normal, master, replica or pubsub. client_id: only the
        clients with these ids.

        Lines consist of name=value fields. Buffer sizes are not measured and shown as 0. Raises
        ResponseError for an unknown type, an invalid id, or both filters at once.

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
        """Return the existing clients among these ids; a repeated id is returned repeatedly."""
        try:
            numbers = [integer(number) for number in ids]
        except ResponseError:
            raise errors.error("Invalid client ID") from None
        found = [self.engine.clients.get(number) for number in numbers]
        return [client for client in found if client is not None]

    def _client_lines(self, clients: Iterable[Client], running: str) -> Any:
        """Format the lines of CLIENT LIST; the current client is running `running`, or EXEC."""
        now = self.unit.now()
        running = running if self.client.queue is None else "exec"
        lines = [
            client_line(client, now, running if client is self.client else "") + b"\n"
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
        parse=_parse_kill,
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
        """Close the connection at an address, or all connections that match every filter.

        address: "ip:port" of one connection; excludes all filters.
        id: client id. type: normal, master, replica or pubsub. user: user name. addr, laddr:
        remote, local address. maxage: minimum age in seconds. skipme: spare the current client
        (default True).

        With `address` returns OK, otherwise the number of clients closed. An in-process session is
        only counted if it is blocked: its call then raises an error. Raises ResponseError if no
        client has the address or the user does not exist.

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
        latest = I64_MAX if maxage is None else self.unit.now() - integer(maxage) * 1000
        spared = None if encode(skipme or b"YES") == b"NO" else self.client
        return self._kill(
            client
            for client in self.engine.clients
            if all(PROPERTIES[name](client) == value for name, value in wanted.items())
            and client.created <= latest
            and client is not spared
        )

    def _kill_address(self, address: Any) -> Status:
        """Close the connection at an address."""
        clients = self.engine.clients
        if not self._kill(one for one in clients if as_bytes(one.address) == address):
            raise errors.error("No such client")
        return OK

    def _kill(self, clients: Iterator[Client]) -> int:
        """Close the clients and return their number; the current one gets its reply first."""
        doomed = [
            one
            for one in clients
            if not one.trusted or one.takes_messages or one.blocked is not None
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
        """Unblock a client that is waiting in a blocking command.

        error: False (default) ends the call as if it timed out, True with an UNBLOCKED error.

        Returns 1, or 0 if the client does not exist or is not blocked.

        >>> db.client_unblock(db.client_id())
        0
        """
        client = self.engine.clients.get(integer(client_id))
        if client is None:
            return 0
        return int(self.engine.observers.blocked.unblock(client, error=error))

    # all clients -------------------------------------------------------------------------------

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
        """Suspend the commands of all clients for `timeout` milliseconds.

        all: False suspends only commands that write or publish. Keys do not expire during a pause.
        CLIENT UNPAUSE ends it; a second pause does not shorten a longer one.

        Returns OK. Raises ResponseError if `timeout` is negative or not an integer.

        >>> db.client_pause(60_000, all=False), db.client_unpause(), db.set("a", 1)
        (OK, OK, OK)
        """
        until = min(self.unit.now() + to_timeout(timeout), I64_MAX)
        self.engine.pause_clients(until, writes_only=not all)
        return OK

    @command(
        "CLIENT UNPAUSE", _ADMIN, since="6.2.0", complexity="O(n) for n waiting", pause_exempt=True
    )
    def client_unpause(self) -> Status:
        """End a pause; suspended commands run now.

        >>> db.client_unpause()
        OK
        """
        self.engine.unpause()
        return OK

    @command("CLIENT HELP", "loading stale", since="5.0.0", complexity="O(1)")
    def client_help(self) -> list[Status]:
        """Return the help text of CLIENT as a list of lines.

        >>> db.client_help()[7]
        ID
        """
        return [Status(line) for line in CLIENT_HELP]
