"""ACL: users, what they may do, and what they have been refused."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from pathlib import Path
from typing import Any

from minidis import errors
from minidis.acl.rules import CATEGORIES, Selector, our_catalogue
from minidis.acl.users import DEFAULT, Entry, Refusal, User, Users, shown
from minidis.commands.shared.group import Group, T
from minidis.engine.engine import Engine
from minidis.errors import FileError
from minidis.grammar.command import PARENT_COMMANDS, Command, declarations, find
from minidis.grammar.facts import password_rules
from minidis.grammar.kinds import RAW, Integer, Key, Many, Value, encode, integer
from minidis.persistence.snapshot import sync_directory
from minidis.replies import OK, Status

command = declarations(group="server", parent="ACL")

ACL_HELP = (
    "ACL <subcommand> [<arg> ...]. Subcommands are:",
    "CAT [<category>]",
    "    The categories of commands, or the commands of one.",
    "DELUSER <username> [<username> ...]",
    "    Remove users, and end their connections.",
    "DRYRUN <username> <command> [<arg> ...]",
    "    Whether a user may run a command, without running it.",
    "GENPASS [<bits>]",
    "    A random password, of 256 bits or as many as are asked for.",
    "GETUSER <username>",
    "    What a user may do.",
    "LIST",
    "    All users, each as the line of the file.",
    "LOAD",
    "    Replace all users by those of the file.",
    "LOG [<count> | RESET]",
    "    What has been refused of late.",
    "SAVE",
    "    Write all users to the file.",
    "SETUSER <username> [<rule> ...]",
    "    Make or change a user.",
    "USERS",
    "    Names of all users.",
    "WHOAMI",
    "    Name of the caller's user.",
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
        """Make the user `username`, or change it, by rules; all of them are applied, or none.

        `on` `off` switch it; `>password` `<password` `nopass` `resetpass`; `~pattern`
        `%R~pattern` `%W~pattern` `allkeys` `resetkeys`; `&pattern` `allchannels`
        `resetchannels`; `+command` `-command` `+command|subcommand` `+@category` `-@category`
        `allcommands` `nocommands`; `(rules)` for a selector, `clearselectors`; `reset`. What
        a user may do is asked of connections only. Those that listen to a channel which they may
        not listen to any longer end.

        ResponseError for a name with blanks, or a rule that cannot be applied.

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
        self.engine.update_all_checks()
        return OK

    @command(
        "ACL DELUSER username [username ...]",
        _ADMIN,
        since="6.0.0",
        complexity="O(n) for n users",
    )
    def acl_deluser(self, *usernames: Many) -> int:
        """Remove users, end their connections, and return how many there were.

        ResponseError, and none is removed, if the default user is among them.

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
        """What a user may do: flags, passwords (SHA-256), commands, keys, channels, selectors.

        None if there is no such user.

        >>> db.acl_getuser("default")[b"keys"], db.acl_getuser("nobody")
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
        """All users, each as a line of the file that ACL LOAD reads.

        >>> db.acl_list()
        [b'user default on nopass ~* &* +@all']
        """
        reply: Any = [user.describe() for user in self.engine.users]
        return reply

    @command("ACL USERS", _ADMIN, since="6.0.0", complexity="O(n) for n users")
    def acl_users(self) -> list[T]:
        """Names of all users.

        >>> db.acl_users()
        [b'default']
        """
        reply: Any = [user.name for user in self.engine.users]
        return reply

    @command("ACL WHOAMI", _FLAGS, since="6.0.0", complexity="O(1)")
    def acl_whoami(self) -> T:
        """Name of the user that the caller has authenticated as.

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
        """The categories of commands; or the commands and subcommands of one `category`.

        ResponseError for an unknown category.

        >>> db.acl_cat()[:2], b"swapdb" in db.acl_cat("dangerous")
        ([b'keyspace', b'read'], True)
        """
        reply: Any = list(CATEGORIES)
        if category is not None:
            name = encode(category)
            if name.lower() not in CATEGORIES:
                raise errors.error(f"Unknown category '{shown(name)}'")
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
        """A random password in hexadecimal digits, four of the `bits` (256) in each.

        ResponseError unless there are 1 to 4096 bits.

        >>> len(db.acl_genpass()), len(db.acl_genpass(5))
        (64, 2)
        """
        count = 256 if bits is None else integer(bits)
        if not 1 <= count <= MOST_BITS:
            raise errors.error(BITS)
        digits = (count + 3) // 4
        reply: Any = secrets.token_hex((digits + 1) // 2)[:digits].encode()
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
        """The last `count` (10) refusals, the latest first; "RESET" forgets them all.

        Refusals that repeat one of the last minute are one entry, with a `count`. `age-seconds`
        and the timestamps (milliseconds since 1970) say when.

        >>> db.acl_log(), db.acl_log("RESET")
        ([], OK)
        """
        log = self.engine.users.log
        if count is not None and encode(count).upper() == b"RESET":
            log.clear()
            return OK
        most = 10 if count is None else max(integer(count), 0)
        now = self.engine.now()
        reply: Any = [_entry(entry, now) for entry in log.entries[:most]]
        return reply

    def acl_log_reset(self) -> Status:
        """Forget what has been refused, as ACL LOG RESET does.

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
        """OK if the user may run the command with these arguments; else the reason why not.

        ResponseError for an unknown user or command, or a wrong number of arguments.

        >>> db.acl_setuser("ann", "+get", "~a*"), db.acl_dryrun("ann", "GET", "a1")
        (OK, OK)
        >>> db.acl_dryrun("ann", "GET", "b1")
        b"This user has no permissions to access the 'b1' key"
        """
        words: Any = [name, *args]
        user = self.engine.users.get(encode(username))
        if user is None:
            raise errors.error(f"User '{shown(encode(username))}' not found")
        error = user.refusal(_known(words), words)
        return OK if error is None else _explained(error)

    @command("ACL SAVE", _ADMIN, since="6.0.0", complexity="O(n) for n users")
    def acl_save(self) -> Status:
        """Write all users to the file of the parameter `aclfile`, in place of the old one.

        ResponseError if there is no such parameter, or the file cannot be written.

        >>> db.acl_save()
        Traceback (most recent call last):
        ...
        minidis.errors.ResponseError: ERR This Redis instance is not configured to use an ACL \
file. You may want ...
        """
        users = self.engine.users
        if not users.file:
            raise errors.error(NO_FILE)
        try:
            _write(Path(users.file), users.text())
        except OSError:
            raise errors.error(NOT_SAVED) from None
        return OK

    @command("ACL LOAD", _ADMIN, since="6.0.0", complexity="O(n) for n users")
    def acl_load(self) -> Status:
        """Replace all users by those of the file of the parameter `aclfile`; all, or none.

        Connections of the users that there were end, those of the default user excepted.

        ResponseError if there is no such parameter, or with everything that is wrong in the file.

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
        """The subcommands of ACL.

        >>> db.acl_help()[1]
        CAT [<category>]
        """
        return [Status(line) for line in ACL_HELP]

    def _changing(self, names: list[bytes] | None) -> Users:
        """The users; those of these names come back as they are now if we are interrupted."""
        users, engine = self.engine.users, self.engine
        snapshot = users.snapshot(names)
        engine.undo += [
            (engine.update_all_checks,),
            (users.restore, snapshot),
        ]  # the last comes first
        engine.unsettled = True
        return users

    # connections ------------------------------------------------------------------------------

    def _see_channels(self, user: User) -> None:
        """End connections of the user that listen to what they may not listen to any longer."""
        for client in list(self.engine.clients):
            if client.user is user and not client.trusted:
                channels = [*client.channels, *client.shard_channels]
                if not user.may_listen(channels, client.patterns):
                    client.kill()

    def _end_connections(self, gone: list[User]) -> None:
        """End the connections of users that there are no longer."""
        for client in list(self.engine.clients):
            if any(client.user is user for user in gone):
                if client.trusted:
                    client.user = None
                else:
                    client.kill()
        self.engine.update_all_checks()


def load_users(engine: Engine) -> None:
    """Make the users of the file of the parameter `aclfile`, when a database is opened.

    FileError if the file is not there, or something is wrong in it: an open door would be worse.
    """
    if engine.users.file:
        try:
            _load(engine.users)
        except errors.ResponseError as error:
            reason = str(error).removeprefix("ERR ")
            raise FileError(f"{reason}; an empty file has the default user alone") from None


def _load(users: Users) -> list[User]:
    """Replace all users by those of the file; the ones that have gone."""
    try:
        text = Path(users.file).read_bytes()
    except OSError as error:
        raise errors.error(
            f"Error loading ACLs, opening file '{users.file}': {error.strerror}"
        ) from None
    return users.load(text, users.file)


def _write(path: Path, text: bytes) -> None:
    """Write the file beside the old one, and put it in its place; who may read that, may read it.

    A new one is for the owner alone.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f"{target.name}.{os.getpid()}-{secrets.token_hex(8)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        with contextlib.suppress(OSError):
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
        sync_directory(target.parent)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _rules(selector: Selector) -> dict[bytes, bytes]:
    return {
        b"commands": b" ".join(selector.command_rules()),
        b"keys": b" ".join(selector.key_rules()),
        b"channels": b" ".join(selector.channel_rules()),
    }


def _entry(entry: Entry, now: int) -> dict[bytes, Any]:
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


def _explained(error: Refusal) -> Any:
    return error.sentence("dryrun").encode("utf-8", "surrogateescape")


def _known(words: list[bytes]) -> Command:
    """The command that the words name, if there are enough of them and not too many."""
    known = find(words)
    if known is None:
        if len(words) == 1 and words[0].upper().decode("latin-1") in PARENT_COMMANDS:
            raise errors.wrong_arity(words[0].decode().lower())
        raise errors.error(f"Command '{shown(words[0])}' not found")
    if not known.accepts(len(words)):
        raise errors.wrong_arity(known.display_name)
    return known
