"""ACL: users, their permissions, and the log of denied commands."""

from __future__ import annotations

import os
from typing import Any

from minidis import errors
from minidis.acl.denials import AccessDenied, Entry
from minidis.acl.rules import CATEGORIES, Selector, our_catalogue
from minidis.acl.users import DEFAULT, User, Users, one_line_text
from minidis.commands.shared.group import Group, T
from minidis.engine.engine import Engine
from minidis.errors import FileError
from minidis.grammar.command import PARENT_COMMANDS, Command, declarations, find
from minidis.grammar.facts import password_rules
from minidis.grammar.kinds import RAW, Integer, Key, Many, Value, encode, integer
from minidis.replies import OK, Status

command = declarations(group="server", parent="ACL")

ACL_HELP = (
    "ACL <subcommand> [<arg> ...]. Subcommands are:",
    "CAT [<category>]",
    "    List the categories of commands, or the commands in one.",
    "DELUSER <username> [<username> ...]",
    "    Delete users and close their connections.",
    "DRYRUN <username> <command> [<arg> ...]",
    "    Check whether a user may run a command, without running it.",
    "GENPASS [<bits>]",
    "    Generate a random password (default 256 bits).",
    "GETUSER <username>",
    "    Show the rules of a user.",
    "LIST",
    "    List all users in the format of the ACL file.",
    "LOAD",
    "    Replace all users with those in the ACL file.",
    "LOG [<count> | RESET]",
    "    List the latest denied commands, or clear the log.",
    "SAVE",
    "    Write all users to the ACL file.",
    "SETUSER <username> [<rule> ...]",
    "    Create or change a user.",
    "USERS",
    "    List the names of all users.",
    "WHOAMI",
    "    Show the user of the current connection.",
    "HELP",
    "    This text.",
)
NO_FILE = (
    "This Redis instance is not configured to use an ACL file. You may want to specify users via "
    "the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis "
    "configuration file set) in order to store users in the Redis configuration."
)
NOT_SAVED = (
    "There was an error trying to save the ACLs. Please check the server logs for more information"
)
BITS = (
    "ACL GENPASS argument must be the number of bits for the output password, a positive number "
    "up to 4096"
)
MOST_BITS = 4096
_FLAGS = "noscript loading stale"
_ADMIN = "admin noscript loading stale"


class Acl(Group[T]):
    """ACL and its subcommands."""

    @command(
        "ACL SETUSER username [rule [rule ...]]",
        _ADMIN,
        since="6.0.0",
        complexity="O(n) for n rules",
        secret=password_rules,
    )
    def acl_setuser(self, username: Key, *rules: Many) -> Status:
        """Create the user `username`, or change it, by applying access rules in order.

        State: on, off, reset. Passwords: >password, <password, nopass, resetpass.
        Keys: ~pattern, %R~pattern (read), %W~pattern (write), allkeys, resetkeys. Channels:
        &pattern, allchannels, resetchannels.
        Commands: +command, -command, +command|subcommand, +@category, -@category, allcommands,
        nocommands. Selectors: (rules), clearselectors.

        Only connections are checked, not in-process sessions. Connections subscribed to a channel
        that the user may no longer access are closed.

        Returns OK. Raises ResponseError for an invalid name or rule; then no rule is applied.

        >>> db.acl_setuser("ann", "on", ">secret", "~app:*", "+@read", "-keys")
        OK
        >>> db.acl_getuser("ann")[b"commands"]
        b'-@all +@read -keys'
        """
        some: Any = rules
        name = encode(username)
        known = self.engine.users.get(name)
        had_channels = known is not None and known.has_channels
        user = self._changing([name]).set(name, some)
        if had_channels:
            self._see_channels(user)
        self.engine.clients.update_all_checks()
        return OK

    @command(
        "ACL DELUSER username [username ...]",
        _ADMIN,
        since="6.0.0",
        complexity="O(n) for n users",
    )
    def acl_deluser(self, *usernames: Many) -> int:
        """Delete users and close their connections.

        Returns the number of users deleted. Raises ResponseError if the default user is among them;
        then none is deleted.

        >>> db.acl_setuser("ann"), db.acl_deluser("ann", "bob")
        (OK, 1)
        """
        names: Any = usernames
        gone = self._changing(names).delete(names)
        self._end_connections(gone)
        return len(gone)

    @command(
        "ACL GETUSER username",
        _ADMIN,
        since="6.0.0",
        complexity="O(n) for n rules of the user",
    )
    def acl_getuser(self, username: Key) -> dict[T, Any] | None:
        """Return the rules of a user as a dict, or None if the user does not exist.

        Fields: flags, passwords (SHA-256, hexadecimal), commands, keys, channels, selectors.

        >>> db.acl_getuser("default")[b"keys"], db.acl_getuser("unknown")
        (b'~*', None)
        """
        user = self.engine.users.get(encode(username))
        if user is None:
            return None
        reply: Any = {b"flags": set(user.flags), b"passwords": list(user.passwords)}
        reply |= _rules(user.selectors[0])
        reply[b"selectors"] = [_rules(selector) for selector in user.selectors[1:]]
        return reply

    @command("ACL LIST", _ADMIN, since="6.0.0", complexity="O(n) for n users")
    def acl_list(self) -> list[T]:
        """Return the rules of all users.

        Returns one line per user, in the format of the ACL file.

        >>> db.acl_list()
        [b'user default on nopass sanitize-payload ~* &* +@all']
        """
        reply: Any = [user.describe() for user in self.engine.users]
        return reply

    @command("ACL USERS", _ADMIN, since="6.0.0", complexity="O(n) for n users")
    def acl_users(self) -> list[T]:
        """Return the names of all users.

        >>> db.acl_users()
        [b'default']
        """
        reply: Any = [user.name for user in self.engine.users]
        return reply

    @command("ACL WHOAMI", _FLAGS, since="6.0.0", complexity="O(1)")
    def acl_whoami(self) -> T:
        """Return the name of the user that the current session is authenticated as.

        >>> db.acl_whoami()
        b'default'
        """
        user = self.client.user
        reply: Any = DEFAULT if user is None else user.name
        return reply

    @command(
        "ACL CAT [category]",
        _FLAGS,
        since="6.0.0",
        complexity="O(n) for n commands",
        form_error="ACL",
    )
    def acl_cat(self, category: Value | None = None) -> list[T]:
        """Return the names of all command categories, or of the commands in one category.

        category: list the commands and subcommands in this category. Raises ResponseError if it
        does not exist.

        >>> db.acl_cat()[:2], b"swapdb" in db.acl_cat("dangerous")
        ([b'keyspace', b'read'], True)
        """
        reply: Any = list(CATEGORIES)
        if category is not None:
            name = encode(category)
            if name.lower() not in CATEGORIES:
                raise errors.error(f"Unknown category '{one_line_text(name)}'")
            reply = our_catalogue().names(name.lower())
        return reply

    @command(
        "ACL GENPASS [bits]",
        _FLAGS,
        since="6.0.0",
        complexity="O(1)",
        kinds={"bits": RAW},
        form_error="ACL",
    )
    def acl_genpass(self, bits: Integer | None = None) -> T:
        """Generate a random password as hexadecimal digits.

        bits: strength of the password, rounded up to a multiple of 4 (default 256: 64 digits).
        Raises ResponseError unless it is from 1 to 4096.

        >>> len(db.acl_genpass()), len(db.acl_genpass(5))
        (64, 2)
        """
        count = 256 if bits is None else integer(bits)
        if not 1 <= count <= MOST_BITS:
            raise errors.error(BITS)
        digits = (count + 3) // 4
        reply: Any = os.urandom((digits + 1) // 2).hex()[:digits].encode()
        return reply

    @command(
        "ACL LOG [count | RESET]",
        _ADMIN,
        since="6.0.0",
        complexity="O(n) for n entries",
        kinds={"count": RAW},
        form_error="ACL",
    )
    def acl_log(self, count: Integer | None = None) -> list[dict[T, Any]] | Status:
        """Return the latest denied commands and failed authentications, or clear the log.

        count: return at most this many entries (default 10), latest first; "RESET" clears the log
        and returns OK.

        Returns a list of dicts: count (repetitions, merged within one minute), reason, context,
        object, username, age-seconds, client-info, entry-id, and timestamps (Unix time in
        milliseconds).

        >>> db.acl_log(), db.acl_log("RESET")
        ([], OK)
        """
        log = self.engine.users.log
        if count is not None and encode(count).upper() == b"RESET":
            log.clear()
            return OK
        most = 10 if count is None else max(integer(count), 0)
        now = self.unit.now()
        reply: Any = [_entry(entry, now) for entry in log.entries[:most]]
        return reply

    def acl_log_reset(self) -> Status:
        """Clear the log of denied commands, as ACL LOG RESET does.

        >>> db.acl_log_reset()
        OK
        """
        reply: Any = self.acl_log("RESET")
        return reply

    @command(
        "ACL DRYRUN username command [arg [arg ...]]",
        _ADMIN,
        since="7.0.0",
        complexity="O(n) for n words",
        names={"command": "name"},
    )
    def acl_dryrun(self, username: Key, name: Key, *args: Key) -> Status | T:
        """Check whether a user may run a command, without running it.

        Returns OK, or the reason why the command is denied. Raises ResponseError if the user or the
        command does not exist or the number of arguments is wrong.

        >>> db.acl_setuser("ann", "+get", "~a*"), db.acl_dryrun("ann", "GET", "a1")
        (OK, OK)
        >>> db.acl_dryrun("ann", "GET", "b1")
        b"User ann has no permissions to access the 'b1' key"
        """
        words: Any = [name, *args]
        user = self.engine.users.get(encode(username))
        if user is None:
            raise errors.error(f"User '{one_line_text(encode(username))}' not found")
        error = user.denial(_known(words), words)
        return OK if error is None else _explained(error, user.name)

    @command("ACL SAVE", _ADMIN, since="6.0.0", complexity="O(n) for n users")
    def acl_save(self) -> Status:
        """Write all users to the ACL file, replacing it atomically.

        The parameter `aclfile` sets the file. Raises ResponseError if it is not set or the file
        cannot be written.

        >>> db.acl_save()
        Traceback (most recent call last):
        ...
        minidis.errors.ResponseError: ERR This Redis instance is not configured to use an ACL \
file. You may want ...
        """
        users = self.engine.users
        if not users.file:
            raise errors.error(NO_FILE)
        from minidis.commands.server import acl_file  # loads pathlib, secrets and shutil

        try:
            acl_file.write(users.file, users.text())
        except OSError:
            raise errors.error(NOT_SAVED) from None
        return OK

    @command("ACL LOAD", _ADMIN, since="6.0.0", complexity="O(n) for n users")
    def acl_load(self) -> Status:
        """Replace all users with those in the ACL file.

        Connections of the previous users are closed, except those of the default user. Raises
        ResponseError if the parameter `aclfile` is not set or the file has errors, all of which are
        listed; then nothing changes.

        >>> db.acl_load()
        Traceback (most recent call last):
        ...
        minidis.errors.ResponseError: ERR This Redis instance is not configured to use an ACL \
file. You may want ...
        """
        if not self.engine.users.file:
            raise errors.error(NO_FILE)
        self._end_connections(_load(self._changing(None)))
        return OK

    @command("ACL HELP", "loading stale", since="6.0.0", complexity="O(1)")
    def acl_help(self) -> list[Status]:
        """Return the help text of ACL as a list of lines.

        >>> db.acl_help()[1]
        CAT [<category>]
        """
        return [Status(line) for line in ACL_HELP]

    def _changing(self, names: list[bytes] | None) -> Users:
        """Return the users, after saving the state of these names (None: all) in the undo log."""
        users = self.engine.users
        self.unit.on_rollback(self.engine.clients.update_all_checks)
        self.unit.on_rollback(users.restore, users.snapshot(names))  # the last comes first
        return users

    # connections ------------------------------------------------------------------------------

    def _see_channels(self, user: User) -> None:
        """Close connections subscribed to channels that the user may no longer access."""
        for client in list(self.engine.clients):
            if client.user is user and not client.trusted:
                channels = [*client.channels, *client.shard_channels]
                if not user.may_listen(channels, client.patterns):
                    client.kill()

    def _end_connections(self, gone: list[User]) -> None:
        """Close the connections of deleted users."""
        for client in list(self.engine.clients):
            if any(client.user is user for user in gone):
                if client.trusted:
                    client.user = None
                else:
                    client.kill()
        self.engine.clients.update_all_checks()


def load_users(engine: Engine) -> None:
    """Load the ACL file, if the parameter `aclfile` is set, when a database is opened.

    Raises FileError if the file does not exist or has errors: opening without the users would be
    insecure.
    """
    if engine.users.file:
        try:
            _load(engine.users)
        except errors.ResponseError as error:
            reason = str(error).removeprefix("ERR ")
            raise FileError(f"{reason}; an empty file defines the default user only") from None


def _load(users: Users) -> list[User]:
    """Replace all users with those in the file; return the users that were replaced."""
    try:
        with open(users.file, "rb") as file:
            text = file.read()
    except OSError as error:
        raise errors.error(
            f"Error loading ACLs, opening file '{users.file}': {error.strerror}"
        ) from None
    return users.load(text, users.file)


def _rules(selector: Selector) -> dict[bytes, bytes]:
    """Return the rules of a selector for ACL GETUSER."""
    return {
        b"commands": b" ".join(selector.command_rules()),
        b"keys": b" ".join(selector.key_rules()),
        b"channels": b" ".join(selector.channel_rules()),
    }


def _entry(entry: Entry, now: int) -> dict[bytes, Any]:
    """Return an entry of the log for ACL LOG."""
    return {
        b"count": entry.count,
        b"reason": entry.reason.encode(),
        b"context": entry.context.encode(),
        b"object": entry.object,
        b"username": entry.username,
        b"age-seconds": (now - entry.updated) / 1000,
        b"client-info": entry.client_info,
        b"entry-id": entry.number,
        b"timestamp-created": entry.created,
        b"timestamp-last-updated": entry.updated,
    }


def _explained(error: AccessDenied, user: bytes) -> Any:
    """Return the reason of a denial in the words of ACL DRYRUN."""
    return error.message(user, "dryrun").encode("utf-8", "surrogateescape")


def _known(words: list[bytes]) -> Command:
    """Return the command that the words name, if their number is valid."""
    known = find(words)
    if known is None:
        if len(words) == 1 and words[0].upper().decode("latin-1") in PARENT_COMMANDS:
            raise errors.wrong_arity(words[0].decode().lower())
        raise errors.error(f"Command '{one_line_text(words[0])}' not found")
    if not known.accepts(len(words)):
        raise errors.wrong_arity(known.display_name)
    return known
