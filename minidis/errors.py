"""Exceptions, and the texts of error replies.

MinidisError
├── ResponseError          a command failed; str() is the text of Redis, error code included
│   ├── WrongTypeError     the key holds another type
│   └── BusyKeyError       RESTORE to a key that exists
├── WatchError             a watched key has changed: the transaction has not run
├── DataError              a Python object that is not a valid argument
├── ClosedError            the database has been closed
├── SlowSubscriberError    a subscription ended because too many messages were waiting
├── AddressError           a server cannot listen at an address: the reason and the remedy
└── FileError              a file cannot be used: its name, the reason and the remedy
    ├── LockedError        the directory is open in another process, or twice in this one
    └── RdbError           a dump is damaged, truncated or too new
        └── RestoreError   the same for the payload of RESTORE
"""

from __future__ import annotations

import threading
import typing

if typing.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Item = typing.TypeVar("Item")


class MinidisError(Exception):
    """Base class of all exceptions that minidis raises deliberately."""


class ResponseError(MinidisError):
    """A command failed. `str(error)` is the error reply of Redis, error code included."""


class WrongTypeError(ResponseError):
    """The key holds a value of another type than the command works on."""

    def __init__(self, text: str = "") -> None:
        super().__init__(
            text or "WRONGTYPE Operation against a key holding the wrong kind of value"
        )


class BusyKeyError(ResponseError):
    """RESTORE without REPLACE to a key that exists."""

    def __init__(self) -> None:
        super().__init__("BUSYKEY Target key name already exists.")


class WatchError(MinidisError):
    """A watched key has changed before EXEC; no command of the transaction has run."""

    def __init__(self) -> None:
        super().__init__("a watched key was changed before the transaction; nothing has run")


class DataError(MinidisError, TypeError):
    """An argument has a Python type that no command accepts, or arguments contradict each other."""


class ClosedError(MinidisError):
    """The database or the subscription has been closed."""

    def __init__(
        self, text: str = "this database is closed; open it again with minidis.open(...)"
    ) -> None:
        super().__init__(text)


class SlowSubscriberError(MinidisError):
    """A subscription has ended because too many messages were waiting to be read."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"subscription closed: more than {limit} messages were waiting; "
            "read them faster, raise the limit, or use when_full='drop'"
        )


class AddressError(MinidisError):
    """A server cannot listen at this address; the message has the reason and the remedy."""

    def __init__(self, address: str, reason: str, remedy: str) -> None:
        super().__init__(f"{address}: {reason}. Remedy: {remedy}")


class FileError(MinidisError):
    """A file or directory cannot be used; the message has its name, the reason and the remedy."""


class LockedError(FileError):
    """The directory is open in another process, or twice in this one."""


class RdbError(FileError):
    """A dump cannot be read; the message has position, version, key, reason and remedy."""

    def __init__(
        self,
        reason: str,
        *,
        remedy: str = "",
        offset: int | None = None,
        path: str | None = None,
        version: int | None = None,
        database: int | None = None,
        key: bytes | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy
        self.offset = offset
        self.path = path
        #: version of the format; Valkey counts from 80
        self.version = version
        self.database = database
        self.key = key

    def __str__(self) -> str:
        """Join the known parts: path, offset, version, database, key, reason, remedy."""
        where = [
            self.path,
            None if self.offset is None else f"offset {self.offset}",
            ", ".join(self._record()),
            self.reason,
        ]
        text = ": ".join(part for part in where if part)
        return f"{text}. Remedy: {self.remedy}" if self.remedy else text

    def _record(self) -> Iterator[str]:
        if self.version is not None:
            yield f"version {self.version}" + (" of Valkey" if self.version >= 80 else "")
        if self.database is not None:
            yield f"database {self.database}"
        if self.key is not None:
            yield f"key {quoted(self.key)}"


class RestoreError(RdbError):
    """A serialized value cannot be restored.

    kind: "checksum" or "format"; RESTORE has an error message for each.
    """

    def __init__(
        self,
        kind: typing.Literal["checksum", "format"],
        reason: str,
        *,
        remedy: str = "",
        offset: int | None = None,
        version: int | None = None,
    ) -> None:
        super().__init__(reason, remedy=remedy, offset=offset, version=version)
        self.kind = kind


#: Longer keys are cut in messages, in bytes.
_LONGEST_QUOTED = 100


def quoted(text: bytes) -> str:
    r"""Bytes as text for a message: in double quotes, with escapes for what is not printable.

    >>> print(quoted("clé".encode()), quoted(b'a"b\\c\n\x00\xff'))
    "clé" "a\"b\\c\n\x00\xff"
    """
    shown = text[:_LONGEST_QUOTED].decode("utf-8", "surrogateescape")
    cut = "..." if len(text) > _LONGEST_QUOTED else ""
    return '"' + "".join(map(_escaped, shown)) + '"' + cut


def _escaped(character: str) -> str:
    if "\udc80" <= character <= "\udcff":  # a byte that is not UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    if character == '"':
        return '\\"'
    if character != "\\" and character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")


def error(text: str) -> ResponseError:
    """A ResponseError with the generic code ERR."""
    return ResponseError("ERR " + text)


SYNTAX = "syntax error"
NOT_INTEGER = "value is not an integer or out of range"
NOT_FLOAT = "value is not a valid float"
NOT_POSITIVE = "value is out of range, must be positive"
OUT_OF_RANGE = "value is out of range"
COUNT_OUT_OF_RANGE = f"{OUT_OF_RANGE}, value must between {1 - 2**63} and {2**63 - 1}"
NAN_OR_INFINITY = "value is NaN or Infinity"
NUMFIELDS_DIFFERENT = "The `numfields` parameter must match the number of arguments"
NO_SUCH_KEY = "no such key"
SAME_OBJECT = "source and destination objects are the same"
INDEX_OUT_OF_RANGE = "index out of range"
OFFSET_OUT_OF_RANGE = "offset is out of range"
STRING_TOO_LONG = "string exceeds maximum allowed size (proto-max-bulk-len)"
OVERFLOW = "increment or decrement would overflow"
NOT_A_NUMBER = "increment would produce NaN or Infinity"
DB_OUT_OF_RANGE = "DB index is out of range"
INVALID_CURSOR = "invalid cursor"
HASH_NOT_INTEGER = "hash value is not an integer"
HASH_NOT_FLOAT = "hash value is not a float"
MIN_MAX_NOT_FLOAT = "min or max is not a float"
MIN_MAX_NOT_STRING = "min or max not valid string range item"
LIMIT_OF_RANKS = "syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"
SCORES_OF_TEXTS = "syntax error, WITHSCORES not supported in combination with BYLEX"
NX_AND_XX = "XX and NX options at the same time are not compatible"
GT_LT_NX = "GT, LT, and/or NX options at the same time are not compatible"
ONE_INCREMENT = "INCR option supports a single increment-element pair"
WEIGHT_NOT_FLOAT = "weight value is not a float"
SCORE_NAN = "resulting score is not a number (NaN)"
NUMKEYS_NOT_POSITIVE = "numkeys should be greater than 0"
COUNT_NOT_POSITIVE = "count should be greater than 0"
NUMKEYS_TOO_LARGE = "Number of keys can't be greater than number of args"
LIMIT_NEGATIVE = "LIMIT can't be negative"
TIMEOUT_NOT_FLOAT = "timeout is not a float or out of range"
TIMEOUT_OUT_OF_RANGE = "timeout is out of range"
TIMEOUT_NEGATIVE = "timeout is negative"
MULTI_NESTED = "MULTI calls can not be nested"
EXEC_WITHOUT_MULTI = "EXEC without MULTI"
EXEC_ABORTED = "EXECABORT Transaction discarded because of previous errors."
DISCARD_WITHOUT_MULTI = "DISCARD without MULTI"
WATCH_IN_MULTI = "WATCH inside MULTI is not allowed"
NOT_IN_MULTI = "Command not allowed inside a transaction"
NO_AUTH = "NOAUTH Authentication required."
WRONG_PASSWORD = "WRONGPASS invalid username-password pair or user is disabled."
NO_PASSWORD_NEEDED = (
    "AUTH <password> called without any password configured for the default user. "
    "Are you sure your configuration is correct?"
)
NO_HELLO_BEFORE_AUTH = (
    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO "
    "<proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP "
    "protocol version at the same time"
)
NO_SUCH_PROTOCOL = "NOPROTO unsupported protocol version"
PROTOCOL_NOT_INTEGER = "Protocol version is not an integer or out of range"
NAME_WITH_BLANKS = "Client names cannot contain spaces, newlines or special characters."
TIMEOUT_NOT_INTEGER = "timeout is not an integer or out of range"
MONITORS_ONLY = "Replica can't interact with the keyspace"
EMPTY_COMMAND = "a command needs at least one word"


def exec_aborted(error: ResponseError) -> str:
    """The message if EXEC itself fails."""
    why = str(error).removeprefix("ERR ")
    return f"EXECABORT Transaction discarded because of: {why}"


def only_while_listening(command: str) -> str:
    """The message if a RESP2 connection with subscriptions sends another command."""
    return (
        f"Can't execute '{command}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET"
        " are allowed in this context"
    )


STREAM_ID = "Invalid stream ID specified as stream command argument"
STREAM_START = "invalid start ID for the interval"
STREAM_END = "invalid end ID for the interval"
STREAM_ID_NOT_POSITIVE = "The ID specified in XADD must be greater than 0-0"
STREAM_ID_NOT_NEWER = "The ID specified in XADD is equal or smaller than the target stream top item"
STREAM_EXHAUSTED = "The stream has exhausted the last possible ID, unable to add more items"
MAXLEN_NEGATIVE = "The MAXLEN argument must be >= 0."
TRIM_LIMIT_NEGATIVE = "The LIMIT argument must be >= 0."
MAXLEN_AND_MINID = "syntax error, MAXLEN and MINID options at the same time are not compatible"
LIMIT_WITHOUT_TRIM = "syntax error, LIMIT cannot be used without specifying a trimming strategy"
LIMIT_OF_EXACT = "syntax error, LIMIT cannot be used without the special ~ option"
NO_TRIM = "syntax error, XTRIM must be called with a trimming strategy"
SETID_BELOW_DELETED = "The ID specified in XSETID is smaller than the provided max_deleted_entry_id"
SETID_BELOW_CURRENT_DELETED = (
    "The ID specified in XSETID is smaller than current max_deleted_entry_id"
)
SETID_BELOW_TOP = "The ID specified in XSETID is smaller than the target stream top item"
SETID_BELOW_LENGTH = (
    "The entries_added specified in XSETID is smaller than the target stream length"
)
ENTRIES_ADDED_NEGATIVE = "entries_added must be positive"
ENTRIES_READ_NEGATIVE = "value for ENTRIESREAD must be positive or -1"
NO_KEY_ARGUMENTS = "The command has no key arguments"
XREAD_UNBALANCED = (
    "Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified."
)
XREADGROUP_UNBALANCED = (
    "Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified."
)
XREAD_GROUP = "The GROUP option is only supported by XREADGROUP. You called XREAD instead."
XREAD_NOACK = "The NOACK option is only supported by XREADGROUP. You called XREAD instead."
XREAD_NO_LAST = "the stream last element ID is 0-0"
XREAD_NEW = (
    "The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> "
    "option."
)
XREADGROUP_NO_GROUP = "Missing GROUP option for XREADGROUP"
XREADGROUP_LAST = (
    "The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this "
    "consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just "
    "return an empty result set."
)
XREADGROUP_TOP = XREADGROUP_LAST.replace("$", "+")
GROUP_EXISTS = "BUSYGROUP Consumer Group name already exists"
XGROUP_NO_KEY = (
    "The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use "
    "the MKSTREAM option to create an empty stream automatically."
)
XAUTOCLAIM_COUNT = "COUNT must be > 0"
NUMIDS_NOT_POSITIVE = "Number of IDs must be a positive integer"
NUMIDS_DIFFERENT = "The `numids` parameter must match the number of arguments"


def no_key_or_group(key: bytes, group: bytes, where: str = "") -> ResponseError:
    """The error if the stream or its group does not exist."""
    names = f"'{shown(key)}' or consumer group '{shown(group)}'"
    return ResponseError(f"NOGROUP No such key {names}{where}")


def no_group(key: bytes, group: bytes) -> ResponseError:
    """The error if the stream has no such group."""
    return ResponseError(
        f"NOGROUP No such consumer group '{shown(group)}' for key name '{shown(key)}'"
    )


def wrong_subcommand(container: str, subcommand: str) -> ResponseError:
    """The error for wrong arguments after a subcommand."""
    return error(
        f"unknown subcommand or wrong number of arguments for '{subcommand}'. Try {container} HELP."
    )


def out_of_range(low: int, high: int) -> str:
    """The message if an integer is not between these two."""
    return f"value is out of range, value must between {low} and {high}"


def invalid_expire(command: str) -> ResponseError:
    """The error if the expiry of `command` (lower case) is not positive, or too large."""
    return error(f"invalid expire time in '{command}' command")


def wrong_arity(command: str) -> ResponseError:
    """The error for a wrong number of arguments; subcommands are written `config|get`."""
    return error(f"wrong number of arguments for '{command}' command")


def unknown_command(words: list[bytes]) -> ResponseError:
    """The error for an unknown command; quotes the first 128 bytes of arguments."""
    arguments = ""
    for word in words[1:]:
        if len(arguments) >= 128:
            break
        arguments += f"'{shown(word, 128 - len(arguments))}' "
    name = shown(words[0], 128)
    return error(f"unknown command '{name}', with args beginning with: {arguments}")


def shown(word: bytes, limit: int | None = None) -> str:
    """Return a word for a message as C prints it: up to a NUL, at most `limit` bytes."""
    return word[:limit].split(b"\0")[0].decode("utf-8", "surrogateescape")


def unknown_subcommand(container: str, word: bytes) -> ResponseError:
    """The error for an unknown subcommand of `container`."""
    name = shown(word, 128)
    return error(f"unknown subcommand '{name}'. Try {container.upper()} HELP.")


def report(error: BaseException) -> None:
    """Report an error that no caller receives, through threading.excepthook.

    For callbacks and connections, whose threads have no caller.
    """
    thread = threading.current_thread()
    threading.excepthook(
        threading.ExceptHookArgs((type(error), error, error.__traceback__, thread))
    )


def call_safely(callback: Callable[[Item], object], item: Item) -> None:
    """Call back; an exception is reported, and the caller goes on."""
    try:
        callback(item)
    except Exception as error:
        report(error)
