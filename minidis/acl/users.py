"""Users: passwords, permissions, and the log of denied commands.

    user ann on #2bd806c9... ~app:* resetchannels &news -@all +@read (+set ~tmp:* ...)
             │  │            └── root selector ─────────────────────┘ └ further selectors
             │  SHA-256 of a password
             enabled

This module neither reads files nor knows connections. For an unrestricted user a command costs one
test (`User.unrestricted`); the rules of other users are in rules.py.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from minidis import errors
from minidis.acl.denials import AccessDenied, Context, Log
from minidis.acl.rules import (
    UNKNOWN,
    Catalogue,
    CheckedCall,
    Grant,
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
#: Characters that need quoting in a selector.
_ODD = re.compile(rb"""["')]""")


class User:
    """A user. `become` replaces all rules in one step, so sessions can keep a reference."""

    def __init__(self, name: bytes, selector: Selector) -> None:
        self.name = name
        self.enabled = False
        self.nopass = False
        #: the rule about payloads of RESTORE; they are always checked
        self.sanitize = b"sanitize-payload"
        #: SHA-256 of each password in hexadecimal digits, in the order of the rules
        self.passwords: dict[bytes, None] = {}
        #: the root selector, and those in parentheses
        self.selectors = [selector]
        self.unrestricted = False
        #: what grant() has found out
        self._grants: dict[str, Grant] = {}

    def copy(self) -> User:
        """Return an independent user with the same name and rules."""
        twin = User(self.name, self.selectors[0])
        vars(twin).update(vars(self))
        twin.passwords = dict(self.passwords)
        twin.selectors = [selector.copy() for selector in self.selectors]
        return twin

    def become(self, other: User) -> None:
        """Take over the state of another user in one step."""
        vars(self).update(vars(other.copy()) | {"_grants": {}})

    def grant(self, command: Command) -> Grant:
        """Return how calls of a command can be permitted at once; see Selector.grant."""
        grant = self._grants.get(command.name)
        if grant is None:
            grant = len(self.selectors) == 1 and self.selectors[0].grant(command)
            self._grants[command.name] = grant
        return grant

    # rules ----------------------------------------------------------------------------------

    def apply(self, rule: bytes, make: Callable[[], Selector]) -> None:
        """Change the user by one rule; raise RuleError if it cannot be applied.

        `make` creates a selector.
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
        self._grants = {}

    def _reset(self, selector: Selector) -> None:
        """Return to the state of a new user."""
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

    # checks ---------------------------------------------------------------------------------

    def has_password(self, password: bytes) -> bool:
        """Return whether it is a password of the user; compares in constant time."""
        from hmac import compare_digest  # loads the library of OpenSSL

        given = hash_of(password)
        found = [compare_digest(given, known) for known in self.passwords]
        return self.nopass or any(found)

    def denial(self, command: Command, words: list[bytes]) -> AccessDenied | None:
        """Return what forbids the command, or None if it is allowed.

        `words` are all words, including the command's name; their number is valid.
        """
        if self.unrestricted:
            return None
        call = CheckedCall(command, words)
        worst = (0, 0, b"")
        for selector in self.selectors:
            denial = selector.denial(call)
            if denial is None:
                return None
            worst = max(worst, denial)
        what, _, word = worst
        return AccessDenied(what, word)

    def reads_all_keys(self, command: Command, words: list[bytes]) -> bool:
        """Return whether the command may read any key, as SORT does with BY and GET."""
        call = CheckedCall(command, words)
        return self.unrestricted or any(
            selector.reads_all_keys and selector.denial(call) is None for selector in self.selectors
        )

    def may_listen(self, channels: Iterable[bytes], patterns: Iterable[bytes]) -> bool:
        """Return whether the user may subscribe to all of these."""
        wanted = [(name, False) for name in channels] + [(name, True) for name in patterns]
        return all(
            any(selector.allows_channel(name, literal=literal) for selector in self.selectors)
            for name, literal in wanted
        )

    @property
    def has_channels(self) -> bool:
        """Whether the user may access any channel."""
        return any(selector.channels != {} for selector in self.selectors)

    # descriptions ---------------------------------------------------------------------------

    @property
    def flags(self) -> list[bytes]:
        """on or off, nopass, and the rule about payloads."""
        state = b"on" if self.enabled else b"off"
        return [flag for flag in (state, b"nopass" * self.nopass, self.sanitize) if flag]

    def describe(self) -> bytes:
        """Return the user's line in ACL LIST."""
        root, *others = [selector.describe() for selector in self.selectors]
        return self._line(root, *[b"(%b)" % text for text in others])

    def text(self) -> bytes:
        """Return the user's line in the ACL file, from which the same user can be created."""
        root, *others = [selector.exact_rules() for selector in self.selectors]
        extra = [b"(%b)" % b" ".join(map(quoted_rule, rules)) for rules in others]
        return self._line(*root, *extra)

    def _line(self, *rules: bytes) -> bytes:
        """Join the parts of a line."""
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
    """Return the SHA-256 of a password in hexadecimal digits."""
    from hashlib import sha256  # loads the library of OpenSSL

    return sha256(password).hexdigest().encode()


def _checked(digits: bytes) -> bytes:
    """Return the hash if it is valid."""
    if not _HASH.fullmatch(digits):
        raise RuleError(BAD_HASH)
    return digits


def split(text: bytes) -> list[bytes]:
    """Split the text of a selector into rules, with quoting; [] if a quote is not closed.

    >>> split(b'+get "~two\\x20words"')
    [b'+get', b'~two words']
    """
    try:
        return quotes.split(text)
    except ValueError:
        return []


def quoted_rule(word: bytes) -> bytes:
    """Quote a rule inside a selector, for `split` and `merged`."""
    if not _ODD.search(word):
        return word
    return b'"%b"' % re.sub(rb'(["\\])', rb"\\\1", word)


def merged(rules: Iterable[bytes]) -> list[bytes]:
    """Join the words of each selector; raise ValueError with the first word of an open one.

    >>> merged([b"on", b"(+get", b"~a*)"])
    [b'on', b'(+get ~a*)']
    """
    found: list[bytes] = []
    selector: list[bytes] = []
    for rule in rules:
        if rule[:1] == b"(" and rule[-1:] != b")":
            selector = [rule]  # as in Redis, a second open selector replaces the first
        elif not selector:
            found.append(rule)
        else:
            selector.append(rule)
            if rule[-1:] == b")":
                found.append(b" ".join(selector))
                selector = []
    if selector:
        raise ValueError(one_line_text(selector[0]))
    return found


def one_line_text(word: bytes) -> str:
    """Return a word for an error message that has to be a single line."""
    return re.sub(r"[\r\n]", " ", errors.shown(word))


# all users ---------------------------------------------------------------------------------------


#: Names of users (None: all), and their previous state.
Snapshot = tuple[frozenset[bytes] | None, list[tuple[User, User]]]


class Authenticated(Protocol):
    """A client, as far as its permissions matter."""

    @property
    def user(self) -> User | None: ...


class Users:
    """The users of a database; `default` is the user of new connections."""

    def __init__(self, clock: Clock | None = None, catalogue: Catalogue | None = None) -> None:
        self._clock = clock or Clock()
        self._catalogue = catalogue
        #: returns the CLIENT LIST line of a client running a command, for the log
        self.describe_client: Callable[[Any, str], bytes] = lambda client, running: b""
        #: acl-pubsub-default: whether new users and selectors may access all channels
        self.all_channels = False
        #: current value of requirepass
        self.required_password = ""
        #: path of the ACL file; empty if not set
        self.file = ""
        self.log = Log()
        #: reason ("auth", "command", "key", "channel") -> how often, for INFO
        self.denied: Counter[str] = Counter()
        self.default = self._make(DEFAULT)
        self._open_to_all(self.default)
        self._users = {DEFAULT: self.default}

    def __iter__(self) -> Iterator[User]:
        """Iterate in the order of the names."""
        return iter([user for _, user in sorted(self._users.items())])

    def get(self, name: bytes) -> User | None:
        """Return the user of that name, or None."""
        return self._users.get(name)

    def authenticate(self, name: bytes, password: bytes) -> User | None:
        """Return the user if it is enabled and this is one of its passwords, else None."""
        user = self._users.get(name)
        if user is None or not user.enabled or not user.has_password(password):
            return None
        return user

    @property
    def of_newcomers(self) -> User | None:
        """The user of new connections; None if they have to authenticate first."""
        return self.default if self.default.nopass and self.default.enabled else None

    def admit(
        self,
        client: Authenticated,
        command: Command,
        words: list[bytes],
        context: Context = "toplevel",
    ) -> None:
        """Raise and log an error if the client's user may not run the command.

        The number of words is valid. `context` is where the command comes from.
        """
        user = client.user
        if user is None or user.unrestricted:
            return
        error = user.denial(command, words)
        if error is not None:
            running = name_of(command.name).decode()
            self.note(client, error.reason, error.object, user.name, context, running)
            raise ResponseError(error.message(user.name, context))
        if command.follows_patterns and context != "multi":
            option = follows_patterns(words)
            if option is not None and not user.reads_all_keys(command, words):
                raise errors.error(PATTERNS.format(option))

    def note(
        self,
        client: Authenticated,
        reason: str,
        what: bytes,
        username: bytes,
        context: Context,
        running: str = "",
    ) -> None:
        """Log a denied command; for a failed authentication `reason` is "auth", `what` AUTH or
        HELLO.

        `running` is the command that the client runs, if it is neither `what` nor EXEC.
        """
        self.denied[reason] += 1
        running = running or one_line_text(what).lower()
        where, running = ("multi", "exec") if context == "exec" else (context, running)
        about = self.describe_client(client, running)
        self.log.add(reason, where, what, username, about, self._clock.now())

    def set(self, name: bytes, rules: Iterable[bytes]) -> User:
        """Create or change a user: apply all rules, or raise ResponseError and change nothing."""
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
                message = f"Error in ACL SETUSER modifier '{one_line_text(rule)}': {error}"
                raise errors.error(message) from None
        if user is None:
            user = self._users[name] = draft
        else:
            user.become(draft)
        return user

    def delete(self, names: Iterable[bytes]) -> list[User]:
        """Delete users and return those that existed; none if the default user is among them."""
        unique = dict.fromkeys(names)
        if DEFAULT in unique:
            raise errors.error(DEFAULT_STAYS)
        return [self._users.pop(name) for name in unique if name in self._users]

    def require(self, password: str) -> None:
        """Set requirepass: the only password of the default user; empty for no password."""
        if password != self.required_password:
            self.required_password = password
            self._ask_for_password(self.default)

    def _ask_for_password(self, user: User) -> None:
        """Give the user the password of requirepass, or none."""
        draft = user.copy()  # become() switches in one step: never without a password
        draft.need_no_password()
        if self.required_password:
            draft.add_password(self.required_password.encode("utf-8", "surrogateescape"))
        user.become(draft)

    def _selector(self) -> Selector:
        """Create a selector."""
        return Selector(self._catalogue, all_channels=self.all_channels)

    def _make(self, name: bytes) -> User:
        """Create a user."""
        return User(name, self._selector())

    def _open_to_all(self, user: User) -> None:
        """Allow the user everything, without a password."""
        for rule in (b"on", b"nopass", b"~*", b"&*", b"+@all"):
            user.apply(rule, self._selector)

    # the whole state ------------------------------------------------------------------------

    def snapshot(self, names: Iterable[bytes] | None = None) -> Snapshot:
        """Save the state of some users, or all, for `restore`."""
        chosen = self._users if names is None else set(names)
        found = [self._users[name] for name in chosen if name in self._users]
        others = None if names is None else frozenset(chosen)
        return others, [(user, user.copy()) for user in found]

    def restore(self, snapshot: Snapshot) -> None:
        """Restore the users of a snapshot; may be repeated."""
        names, state = snapshot
        users = {name: user for name, user in self._users.items() if names and name not in names}
        for user, was in state:
            user.become(was)
            users[user.name] = user
        self._users = users

    def text(self) -> bytes:
        """Return the content of an ACL file with all users."""
        return b"".join(user.text() + b"\n" for user in self)

    def load(self, text: bytes, path: str) -> list[User]:
        """Replace all users with those in an ACL file; return the previous ones, without the
        default.

        Raises ResponseError with the errors in each line of `path`; then nothing changes.
        """
        reader = _Reader(self._make, self._selector, path)
        for number, line in enumerate(text.split(b"\n"), 1):
            reader.read(number, line.strip(b" \t\r\n"))
        if reader.errors:
            raise errors.error("".join(reader.errors) + NOTHING_CHANGED)
        new_default = reader.users.pop(DEFAULT, None)
        if new_default is None:
            # Redis drops requirepass here, which would silently remove the password.
            new_default = self._make(DEFAULT)
            self._open_to_all(new_default)
            self._ask_for_password(new_default)
        gone = [user for user in self if user is not self.default]
        self.default.become(new_default)
        self._users = {DEFAULT: self.default, **reader.users}
        return gone


class _Reader:
    """Reads the lines of an ACL file; continues after an error to find all of them."""

    def __init__(
        self, make_user: Callable[[bytes], User], make_selector: Callable[[], Selector], path: str
    ) -> None:
        self.users: dict[bytes, User] = {}
        self.errors: list[str] = []
        self._make_user = make_user
        self._make_selector = make_selector
        self._path = path

    def read(self, number: int, line: bytes) -> None:
        """Read one line: empty, or a user with its rules."""
        words = line.split(b" ")
        place = f"{self._path}:{number}"
        if not line:
            return
        if words[0] != b"user" or len(words) < 2:
            beginning = "should start with user keyword followed by the username. "
            self.errors.append(f"{place} {beginning}")
        elif has_space(words[1]):
            name = one_line_text(words[1])
            self.errors.append(f"'{place}: username '{name}' contains invalid characters. ")
        elif words[1] in self.users:
            self.errors.append(
                f"WARNING: Duplicate user '{one_line_text(words[1])}' found on line {number}. "
            )
        else:
            self.users[words[1]] = user = self._make_user(words[1])
            self._apply(user, words[2:], place)

    def _apply(self, user: User, rules: list[bytes], place: str) -> None:
        """Apply the rules of a line, collecting errors."""
        try:
            wanted = merged(rules)
        except ValueError:
            self.errors.append(f"{place}: Unmatched parenthesis in selector definition.")
            return
        complained = False  # report one error per user, but every unknown command
        for rule in (rule.strip(b"\t\r\n") for rule in wanted):
            try:
                user.apply(rule, self._make_selector)
            except RuleError as error:
                if str(error) == UNKNOWN:
                    text = f"Error in applying operation '{one_line_text(rule)}': {error}"
                    self.errors.append(f"{place}: {text}. ")
                elif not complained:
                    self.errors.append(f"{place}: {error}. ")
                    complained = True
