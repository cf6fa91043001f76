"""Users: who they are, what they may do, and what they have been refused.

    user ann on #2bd806c9... ~app:* resetchannels &news -@all +@read (+set ~tmp:* ...)
             │  │            └── root selector ─────────────────────┘ └ further selectors
             │  SHA-256 of a password
             switched on

Nothing here reads files or knows connections. A call of an ordinary program costs one test, the one
for `User.unrestricted`; only users of whom that is not true are looked at by acl_rules.py.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Literal

from minidis import errors
from minidis.acl.rules import (
    CHANNEL,
    COMMAND,
    KEY,
    UNKNOWN,
    Call,
    Catalogue,
    RuleError,
    Selector,
    cut,
    follows_patterns,
    has_space,
    name_of,
)
from minidis.clock import Clock
from minidis.errors import ResponseError
from minidis.grammar.command import Command
from minidis.structures import quotes

if TYPE_CHECKING:
    from minidis.clients.client import Client

DEFAULT = b"default"

BAD_HASH = (
    "The password hash must be exactly 64 characters and contain only lowercase hexadecimal "
    "characters"
)
NO_SUCH_PASSWORD = "The password you are trying to remove from the user does not exist"
PATTERNS = "{} option of SORT denied due to insufficient ACL permissions."
NO_SPACES = "Usernames can't contain spaces or null characters"
DEFAULT_STAYS = "The 'default' user cannot be removed"
NOTHING_CHANGED = (
    "WARNING: ACL errors detected, no change to the previously active ACL rules was performed"
)

_HASH = re.compile(rb"[0-9a-f]{64}")
#: What would end a word or a selector too early.
_ODD = re.compile(rb"""["')]""")

#: Where -> what was refused -> the sentence; {} is the command, the key or the channel.
SENTENCES: dict[str, dict[int, str]] = {
    "toplevel": {
        COMMAND: "NOPERM this user has no permissions to run the '{}' command",
        KEY: "NOPERM this user has no permissions to access one of the keys used as arguments",
        CHANNEL: "NOPERM this user has no permissions to access one of the channels used as "
        "arguments",
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
        COMMAND: "This user has no permissions to run the '{}' command",
        KEY: "This user has no permissions to access the '{}' key",
        CHANNEL: "This user has no permissions to access the '{}' channel",
    },
}
#: What such a sentence begins with.
BEGINNINGS = {
    "exec": "NOPERM ACLs rules changed between the moment the transaction was accumulated and the "
    "EXEC call. This command is no longer allowed for the following reason: ",
    "lua": "ERR The user executing the script can't ",
}
SENTENCES["multi"] = SENTENCES["toplevel"]
REASONS = {COMMAND: "command", KEY: "key", CHANNEL: "channel"}
#: How a call came: by itself, for the queue of MULTI, out of that queue, by a script.
Context = Literal["toplevel", "multi", "exec", "lua"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that a user may not make."""

    what: int
    #: the command, the key or the channel
    object: bytes

    @property
    def reason(self) -> str:
        """The word for it in ACL LOG."""
        return REASONS[self.what]

    def sentence(self, context: Context | Literal["dryrun"] = "toplevel") -> str:
        """The refusal of a call that came in that way, or in ACL DRYRUN's words."""
        sentence = BEGINNINGS.get(context, "") + SENTENCES[context][self.what]
        return sentence.format(self.object.decode("utf-8", "surrogateescape"))


class User:
    """A user. Its rules change all at once (`become`), so sessions may hold on to it."""

    def __init__(self, name: bytes, selector: Selector) -> None:
        self.name = name
        self.enabled = False
        self.nopass = False
        #: what was said about the payloads of RESTORE, if anything; they are always checked
        self.sanitize = b""
        #: SHA-256 of each password in hexadecimal digits, in their order
        self.passwords: dict[bytes, None] = {}
        #: the root selector, and those in parentheses
        self.selectors = [selector]
        self.unrestricted = False

    def copy(self) -> User:
        """A user of the same name that can be changed without this one."""
        twin = User(self.name, self.selectors[0])
        vars(twin).update(vars(self))
        twin.passwords = dict(self.passwords)
        twin.selectors = [selector.copy() for selector in self.selectors]
        return twin

    def become(self, other: User) -> None:
        """Take over what the other one is, in one step."""
        vars(self).update(vars(other.copy()))

    # rules ----------------------------------------------------------------------------------

    def apply(self, rule: bytes, make: Callable[[], Selector]) -> None:
        """Change the user by one rule; RuleError for one that cannot be applied.

        `make` gives a new selector.
        """
        word = cut(rule).lower()
        if word in USER_WORDS:
            USER_WORDS[word](self)
        elif word == b"reset":
            self._reset(make())
        elif rule[:1] in PASSWORD_RULES:
            PASSWORD_RULES[rule[:1]](self, rule[1:])
        elif rule[:1] == b"(" and rule[-1:] == b")":
            selector = make()
            for inner in split(cut(rule[1:-1])):
                selector.apply(inner)
            self.selectors.append(selector)
        elif rule:
            self.selectors[0].apply(rule)
        self.unrestricted = any(selector.unrestricted for selector in self.selectors)

    def _reset(self, selector: Selector) -> None:
        """As a new user is."""
        self.forget_passwords()
        self.disable()
        self.sanitize = b"sanitize-payload"
        self.selectors = [selector]

    def enable(self) -> None:
        self.enabled = True

    def disable(self) -> None:
        self.enabled = False

    def need_no_password(self) -> None:
        self.nopass, self.passwords = True, {}

    def forget_passwords(self) -> None:
        self.nopass, self.passwords = False, {}

    def forget_selectors(self) -> None:
        del self.selectors[1:]

    def say_sanitize(self) -> None:
        self.sanitize = b"sanitize-payload"

    def say_skip_sanitize(self) -> None:
        self.sanitize = b"skip-sanitize-payload"

    def add_password(self, password: bytes) -> None:
        self.add_hash(hash_of(password))

    def add_hash(self, digits: bytes) -> None:
        self.passwords[_checked(digits)] = None
        self.nopass = False

    def remove_password(self, password: bytes) -> None:
        self.remove_hash(hash_of(password))

    def remove_hash(self, digits: bytes) -> None:
        if _checked(digits) not in self.passwords:
            raise RuleError(NO_SUCH_PASSWORD)
        del self.passwords[digits]

    # questions ------------------------------------------------------------------------------

    def has_password(self, password: bytes) -> bool:
        """Is it one of the passwords? Takes as long for one that is nearly right."""
        given = hash_of(password)
        found = [hmac.compare_digest(given, known) for known in self.passwords]
        return self.nopass or any(found)

    def refusal(self, command: Command, words: list[bytes]) -> Refusal | None:
        """What forbids the call, whose number of words is right; None: nothing does.

        `words` are all words, the command's name included.
        """
        if self.unrestricted:
            return None
        call = Call(command, words)
        worst = (0, 0)
        for selector in self.selectors:
            denial = selector.denial(call)
            if denial is None:
                return None
            worst = max(worst, denial)
        what, at = worst
        return Refusal(what, call.name if what == COMMAND else words[at])

    def reads_all_keys(self, command: Command, words: list[bytes]) -> bool:
        """May the call go on to read any key, as SORT does with BY and GET?"""
        call = Call(command, words)
        return self.unrestricted or any(
            selector.reads_all_keys and selector.denial(call) is None for selector in self.selectors
        )

    def may_listen(self, channels: Iterable[bytes], patterns: Iterable[bytes]) -> bool:
        """May it be subscribed to all of these?"""
        wanted = [(name, False) for name in channels] + [(name, True) for name in patterns]
        return all(
            any(selector.allows_channel(name, literal=literal) for selector in self.selectors)
            for name, literal in wanted
        )

    @property
    def has_channels(self) -> bool:
        """May it use any channel?"""
        return any(selector.channels != {} for selector in self.selectors)

    # descriptions ---------------------------------------------------------------------------

    @property
    def flags(self) -> list[bytes]:
        """on or off, nopass, and what was said about payloads."""
        state = b"on" if self.enabled else b"off"
        return [flag for flag in (state, b"nopass" * self.nopass, self.sanitize) if flag]

    def describe(self) -> bytes:
        """The line of ACL LIST."""
        root, *others = [selector.describe() for selector in self.selectors]
        return self._line(root, *[b"(%b)" % text for text in others])

    def text(self) -> bytes:
        """The line of the file, from which exactly this user can be made again."""
        root, *others = [selector.exact_rules() for selector in self.selectors]
        extra = [b"(%b)" % b" ".join(map(quoted, rules)) for rules in others]
        return self._line(*root, *extra)

    def _line(self, *rules: bytes) -> bytes:
        hashes = [b"#" + digits for digits in self.passwords]
        return b" ".join([b"user", self.name, *self.flags, *hashes, *rules])


USER_WORDS: dict[bytes, Callable[[User], None]] = {
    b"on": User.enable,
    b"off": User.disable,
    b"nopass": User.need_no_password,
    b"resetpass": User.forget_passwords,
    b"sanitize-payload": User.say_sanitize,
    b"skip-sanitize-payload": User.say_skip_sanitize,
    b"clearselectors": User.forget_selectors,
}
PASSWORD_RULES: dict[bytes, Callable[[User, bytes], None]] = {
    b">": User.add_password,
    b"#": User.add_hash,
    b"<": User.remove_password,
    b"!": User.remove_hash,
}


def hash_of(password: bytes) -> bytes:
    """What is kept of a password."""
    return sha256(password).hexdigest().encode()


def _checked(digits: bytes) -> bytes:
    if not _HASH.fullmatch(digits):
        raise RuleError(BAD_HASH)
    return digits


def split(text: bytes) -> list[bytes]:
    """The words of a selector, quoted as on a command line; none if a quote is not closed.

    >>> split(b'+get "~two\\x20words"')
    [b'+get', b'~two words']
    """
    try:
        return quotes.split(text)
    except ValueError:
        return []


def quoted(word: bytes) -> bytes:
    """The word as it has to stand in a selector, for `split` and `merged`."""
    if not _ODD.search(word):
        return word
    return b'"%b"' % re.sub(rb'(["\\])', rb"\\\1", word)


def merged(rules: Iterable[bytes]) -> list[bytes]:
    """Rules with each selector in one piece again; ValueError names the first of an open one.

    >>> merged([b"on", b"(+get", b"~a*)"])
    [b'on', b'(+get ~a*)']
    """
    found: list[bytes] = []
    selector: list[bytes] = []
    for rule in rules:
        if rule[:1] == b"(" and rule[-1:] != b")":
            selector = [rule]  # of two opened ones Redis forgets the first
        elif not selector:
            found.append(rule)
        else:
            selector.append(rule)
            if rule[-1:] == b")":
                found.append(b" ".join(selector))
                selector = []
    if selector:
        raise ValueError(shown(selector[0]))
    return found


def shown(word: bytes) -> str:
    """A word as it stands in a sentence that has to be one line."""
    return re.sub(r"[\r\n]", " ", errors.shown(word))


# all users ---------------------------------------------------------------------------------------


#: Names of users, None for all, and what they were.
Snapshot = tuple[frozenset[bytes] | None, list[tuple[User, User]]]


class Users:
    """The users of a database; `default` is who everybody is before authenticating."""

    def __init__(self, clock: Clock | None = None, catalogue: Catalogue | None = None) -> None:
        self._clock = clock or Clock()
        self._catalogue = catalogue
        #: the line of CLIENT LIST about a client at a command, for the log
        self.describe_client: Callable[[Client, str], bytes] = lambda client, running: b""
        #: acl-pubsub-default: new users and selectors may use all channels
        self.all_channels = False
        #: requirepass, as it was last set
        self.required_password = ""
        #: where ACL SAVE and LOAD find their file; empty: nowhere
        self.file = ""
        self.log = Log()
        self.default = self._make(DEFAULT)
        self._open_to_all(self.default)
        self._users = {DEFAULT: self.default}

    def __iter__(self) -> Iterator[User]:
        """In the order of their names."""
        return iter([user for _, user in sorted(self._users.items())])

    def get(self, name: bytes) -> User | None:
        """The user of that name."""
        return self._users.get(name)

    def authenticate(self, name: bytes, password: bytes) -> User | None:
        """The user, if it is switched on and this is one of its passwords."""
        user = self._users.get(name)
        if user is None or not user.enabled or not user.has_password(password):
            return None
        return user

    @property
    def of_newcomers(self) -> User | None:
        """Who a connection is before it authenticates: nobody, if the default user needs that."""
        return self.default if self.default.nopass and self.default.enabled else None

    def admit(
        self, client: Client, command: Command, words: list[bytes], context: Context = "toplevel"
    ) -> None:
        """Refuse, and log, what the client's user may not do; the number of words is right.

        `context` says how the call came: by itself, for the queue of MULTI, out of it, by a script.
        """
        user = client.user
        if user is None or user.unrestricted:
            return
        error = user.refusal(command, words)
        if error is not None:
            running = name_of(command.name).decode()
            self.note(client, error.reason, error.object, user.name, context, running)
            raise ResponseError(error.sentence(context))
        if command.follows_patterns and context != "multi":
            option = follows_patterns(words)
            if option is not None and not user.reads_all_keys(command, words):
                raise errors.error(PATTERNS.format(option))

    def note(
        self,
        client: Client,
        reason: str,
        what: bytes,
        username: bytes,
        context: Context,
        running: str = "",
    ) -> None:
        """Log a refusal; `reason` "auth", with AUTH or HELLO as `what`, for a wrong password.

        `running` is the command the client is at, if it is neither `what` nor EXEC.
        """
        running = running or shown(what).lower()
        where, running = ("multi", "exec") if context == "exec" else (context, running)
        about = self.describe_client(client, running)
        self.log.add(reason, where, what, username, about, self._clock.now())

    def set(self, name: bytes, rules: Iterable[bytes]) -> User:
        """Make or change a user: all rules are applied, or ResponseError and nothing happens."""
        if has_space(name):
            raise errors.error(NO_SPACES)
        try:
            wanted = merged(rules)
        except ValueError as error:
            message = f"Unmatched parenthesis in acl selector starting at '{error}'."
            raise errors.error(message) from None
        user = self._users.get(name)
        draft = self._make(name) if user is None else user.copy()
        for rule in wanted:
            try:
                draft.apply(rule, self._selector)
            except RuleError as error:
                message = f"Error in ACL SETUSER modifier '{shown(rule)}': {error}"
                raise errors.error(message) from None
        if user is None:
            user = self._users[name] = draft
        else:
            user.become(draft)
        return user

    def delete(self, names: Iterable[bytes]) -> list[User]:
        """Remove users and say which have been there; none if the default user is among them."""
        unique = dict.fromkeys(names)
        if DEFAULT in unique:
            raise errors.error(DEFAULT_STAYS)
        return [self._users.pop(name) for name in unique if name in self._users]

    def require(self, password: str) -> None:
        """requirepass: the one password of the default user; an empty one: it needs none."""
        if password != self.required_password:
            self.required_password = password
            self._ask_for_password(self.default)

    def _ask_for_password(self, user: User) -> None:
        draft = user.copy()  # nobody is to find the door open in between
        draft.need_no_password()
        if self.required_password:
            draft.add_password(self.required_password.encode("utf-8", "surrogateescape"))
        user.become(draft)

    def _selector(self) -> Selector:
        return Selector(self._catalogue, all_channels=self.all_channels)

    def _make(self, name: bytes) -> User:
        return User(name, self._selector())

    def _open_to_all(self, user: User) -> None:
        for rule in (b"on", b"nopass", b"~*", b"&*", b"+@all"):
            user.apply(rule, self._selector)

    # the whole state ------------------------------------------------------------------------

    def snapshot(self, names: Iterable[bytes] | None = None) -> Snapshot:
        """What `restore` needs to bring back some users, or all, as they are now."""
        chosen = self._users if names is None else set(names)
        found = [self._users[name] for name in chosen if name in self._users]
        others = None if names is None else frozenset(chosen)
        return others, [(user, user.copy()) for user in found]

    def restore(self, snapshot: Snapshot) -> None:
        """Bring back the users of a snapshot. May be repeated."""
        names, state = snapshot
        users = {name: user for name, user in self._users.items() if names and name not in names}
        for user, was in state:
            user.become(was)
            users[user.name] = user
        self._users = users

    def text(self) -> bytes:
        """The file that ACL LOAD makes the same users from."""
        return b"".join(user.text() + b"\n" for user in self)

    def load(self, text: bytes, path: str) -> list[User]:
        """Replace all users by those of a file; the old ones, except the default user, which stays.

        ResponseError, with what is wrong in which line of `path`, and nothing has happened.
        """
        reader = _Reader(self._make, self._selector, path)
        for number, line in enumerate(text.split(b"\n"), 1):
            reader.read(number, line.strip(b" \t\r\n"))
        if reader.errors:
            raise errors.error("".join(reader.errors) + NOTHING_CHANGED)
        new_default = reader.users.pop(DEFAULT, None)
        if new_default is None:
            # Redis forgets requirepass here; that would open the door without a word.
            new_default = self._make(DEFAULT)
            self._open_to_all(new_default)
            self._ask_for_password(new_default)
        gone = [user for user in self if user is not self.default]
        self.default.become(new_default)
        self._users = {DEFAULT: self.default, **reader.users}
        return gone


class _Reader:
    """Reads the lines of a file with users, and goes on after mistakes to find them all."""

    def __init__(
        self, make_user: Callable[[bytes], User], make_selector: Callable[[], Selector], path: str
    ) -> None:
        self.users: dict[bytes, User] = {}
        self.errors: list[str] = []
        self._make_user = make_user
        self._make_selector = make_selector
        self._path = path

    def read(self, number: int, line: bytes) -> None:
        """One line: nothing, or a user with its rules."""
        words = line.split(b" ")
        place = f"{self._path}:{number}"
        if not line:
            return
        if words[0] != b"user" or len(words) < 2:
            beginning = "should start with user keyword followed by the username. "
            self.errors.append(f"{place} {beginning}")
        elif has_space(words[1]):
            name = shown(words[1])
            self.errors.append(f"'{place}: username '{name}' contains invalid characters. ")
        elif words[1] in self.users:
            self.errors.append(
                f"WARNING: Duplicate user '{shown(words[1])}' found on line {number}. "
            )
        else:
            self.users[words[1]] = user = self._make_user(words[1])
            self._apply(user, words[2:], place)

    def _apply(self, user: User, rules: list[bytes], place: str) -> None:
        try:
            wanted = merged(rules)
        except ValueError:
            self.errors.append(f"{place}: Unmatched parenthesis in selector definition.")
            return
        complained = False  # one mistake may lead to others; but every unknown command is named
        for rule in (rule.strip(b"\t\r\n") for rule in wanted):
            try:
                user.apply(rule, self._make_selector)
            except RuleError as error:
                if str(error) == UNKNOWN:
                    text = f"Error in applying operation '{shown(rule)}': {error}"
                    self.errors.append(f"{place}: {text}. ")
                elif not complained:
                    self.errors.append(f"{place}: {error}. ")
                    complained = True


# ACL LOG -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that was refused, and how often of late."""

    number: int
    reason: str
    context: str
    object: bytes
    username: bytes
    client_info: bytes
    created: int
    updated: int
    count: int = 1

    def is_like(self, other: Entry) -> bool:
        """Does it repeat the other one, less than a minute later?"""
        same = (self.reason, self.context, self.object, self.username)
        before = (other.reason, other.context, other.object, other.username)
        return same == before and abs(self.updated - other.updated) <= ALIKE_WITHIN


#: Milliseconds within which equal entries are one, and how many entries back Redis looks for it.
ALIKE_WITHIN = 60_000
LOOKS_BACK = 10


class Log:
    """What has been refused, the latest first."""

    def __init__(self) -> None:
        self.longest = 128
        self.entries: list[Entry] = []
        self._number = 0

    def add(
        self, reason: str, context: str, what: bytes, username: bytes, client_info: bytes, now: int
    ) -> None:
        """Note a refusal.

        `reason`: auth, command, key or channel; `context`: toplevel, multi or lua; `what`: the
        object of it; `now` in milliseconds since 1970.
        """
        entry = Entry(self._number, reason, context, what, username, client_info, now, now)
        for at, known in enumerate(islice(self.entries, LOOKS_BACK)):
            if entry.is_like(known):
                again = replace(known, count=known.count + 1, client_info=client_info, updated=now)
                self.entries = [again, *self.entries[:at], *self.entries[at + 1 :]]
                return
        self._number += 1
        self.entries = [entry, *self.entries][: self.longest]

    def clear(self) -> None:
        """Forget all entries."""
        self.entries = []
