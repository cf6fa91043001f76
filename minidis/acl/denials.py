"""Denied commands: the messages, and the log of ACL LOG."""

from itertools import islice
from typing import Literal, NamedTuple

from minidis.acl.rules import CHANNEL, COMMAND, KEY

#: Context -> what was denied -> message; {} is the command, key or channel, {user} the user.
MESSAGES: dict[str, dict[int, str]] = {
    "toplevel": {
        COMMAND: "NOPERM User {user} has no permissions to run the '{}' command",
        KEY: "NOPERM No permissions to access a key",
        CHANNEL: "NOPERM No permissions to access a channel",
    },
    "exec": {
        COMMAND: "no permission to execute the command or subcommand",
        KEY: "no permission to touch the specified keys",
        CHANNEL: "no permission to access one of the channels used as arguments",
    },
    "lua": {
        COMMAND: "run this command or subcommand",
        KEY: "access at least one of the keys mentioned in the command arguments",
        CHANNEL: "publish to the channel mentioned in the command",
    },
    "dryrun": {
        COMMAND: "User {user} has no permissions to run the '{}' command",
        KEY: "User {user} has no permissions to access the '{}' key",
        CHANNEL: "User {user} has no permissions to access the '{}' channel",
    },
}
#: Context -> beginning of the message.
PREFIXES = {
    "exec": "NOPERM ACLs rules changed between the moment the transaction was accumulated and the "
    "EXEC call. This command is no longer allowed for the following reason: ",
    "lua": "ERR The user executing the script can't ",
}
MESSAGES["multi"] = MESSAGES["toplevel"]
REASONS = {COMMAND: "command", KEY: "key", CHANNEL: "channel"}
#: Where a command comes from: a client, a client inside MULTI, EXEC, a script.
Context = Literal["toplevel", "multi", "exec", "lua"]


class AccessDenied(NamedTuple):
    """The reason why a user may not run a command."""

    what: int
    #: the command, the key or the channel
    object: bytes

    @property
    def reason(self) -> str:
        """The reason in the words of ACL LOG."""
        return REASONS[self.what]

    def message(self, user: bytes, context: Context | Literal["dryrun"] = "toplevel") -> str:
        """Return the error message of a command run in that context, or of ACL DRYRUN."""
        message = PREFIXES.get(context, "") + MESSAGES[context][self.what]
        name, what = (word.decode("utf-8", "surrogateescape") for word in (user, self.object))
        return message.format(what, user=name)


class Entry(NamedTuple):
    """A denied command or failed authentication in the log, with its repetitions."""

    number: int
    reason: str
    context: str
    object: bytes
    username: bytes
    client_info: bytes
    created: int
    updated: int
    count: int = 1  # type: ignore[assignment]  # tuples have a method of this name

    def is_like(self, other: "Entry") -> bool:
        """Return whether this repeats the other entry less than a minute later."""
        same = (self.reason, self.context, self.object, self.username)
        before = (other.reason, other.context, other.object, other.username)
        return same == before and abs(self.updated - other.updated) <= ALIKE_WITHIN


#: Milliseconds within which equal entries are merged, and how many entries Redis compares.
ALIKE_WITHIN = 60_000
LOOKS_BACK = 10


class Log:
    """The log of denied commands and failed authentications, latest first."""

    def __init__(self) -> None:
        self.longest = 128
        self.entries: list[Entry] = []
        self._number = 0

    def add(
        self, reason: str, context: str, what: bytes, username: bytes, client_info: bytes, now: int
    ) -> None:
        """Add an entry, or count it as a repetition of a recent one.

        `reason`: auth, command, key or channel; `context`: toplevel, multi or lua; `what`: the
        command, key or channel; `now`: Unix time in milliseconds.
        """
        entry = Entry(self._number, reason, context, what, username, client_info, now, now)
        for at, known in enumerate(islice(self.entries, LOOKS_BACK)):
            if entry.is_like(known):
                again = known._replace(count=known.count + 1, client_info=client_info, updated=now)
                self.entries = [again, *self.entries[:at], *self.entries[at + 1 :]]
                return
        self._number += 1
        self.entries = [entry, *self.entries][: self.longest]

    def clear(self) -> None:
        """Delete all entries."""
        self.entries = []
