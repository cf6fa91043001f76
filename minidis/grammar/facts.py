"""Facts about commands beside their syntax lines: the keywords of @command.

    @command("PUBLISH channel message", "pubsub fast", ..., channels="PUBLISH", may_replicate=True)

Each is an attribute of Command, so that no module has to list commands by name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

#: How ACL rules with a password begin: added, removed, and the same by their hashes.
_PASSWORD_SIGNS = (b">", b"<", b"#", b"!")
#: Configuration parameters that are passwords; most of them are those of other servers.
_PASSWORDS = frozenset(
    (b"requirepass", b"masterauth", b"primaryauth", b"tls-key-file-pass",
     b"tls-client-key-file-pass")
)  # fmt: skip


class Facts:
    """What the syntax line cannot say of a command. Each is a keyword of @command."""

    # A plain class: to define a dataclass takes a millisecond.

    #: runs at once inside MULTI; a pipeline does not queue it
    immediate: bool = False
    #: may hold the lock for long: coroutines run it in a thread
    slow: bool = False
    #: allowed on a RESP2 connection that is subscribed to channels
    while_subscribed: bool = False
    #: monitors do not see it, though its flags do not say so
    hidden: bool = False
    #: reaches other clients or replicas without the flag write: waits while writes are paused
    may_replicate: bool = False
    #: CLIENT PAUSE does not delay it
    pause_exempt: bool = False
    #: counts as use of its keys even after CLIENT NO-TOUCH
    counts_as_use: bool = False
    #: runs the queued commands: EXEC
    runs_queue: bool = False
    #: may change the protocol of the connection: HELLO
    changes_protocol: bool = False
    #: changes the state of the connection, or runs other commands: always takes the slow path there
    stateful: bool = False
    #: ACL categories in place of the one of the group: "keyspace dangerous"; flags add theirs
    categories: str | None = None
    #: also reads keys that its elements name, by patterns after BY and GET: SORT
    follows_patterns: bool = False
    #: what it does to the channels among its words: "PUBLISH" to the first one, "SUBSCRIBE" to all,
    #: "SUBSCRIBE PATTERN" to all that match; "" also where ACL rules allow every channel
    channels: str = ""
    #: `access` of one call, where options decide it (VARIABLE_FLAGS)
    access_by_words: Callable[[Sequence[bytes]], str] | None = None
    #: (words, reply) -> the reply as RESP2 has it, where it differs from the rule of replies.py
    resp2: Callable[[Sequence[bytes], Any], Any] | None = None
    #: the same for RESP3
    resp3: Callable[[Sequence[bytes], Any], Any] | None = None
    #: positions of its words that are secret, those that are still to be typed included
    secret: Callable[[Sequence[bytes]], Collection[int]] | None = None
    #: types of the keys it works on, where the group does not say it: "zset set"
    key_types: str = ""
    #: messages follow it until this command; "": until the connection ends; None: none follow
    ended_by: str | None = None
    #: COMMAND INFO and ACL rules know the parent command only: DEBUG
    undivided: bool = False


FACTS = frozenset(Facts.__annotations__)


# facts that depend on the words of a call -------------------------------------------------------


def set_access(words: Sequence[bytes]) -> str:
    """SET reads the old value only if asked to; Redis looks for GET anywhere behind the value."""
    return "RW ACCESS UPDATE" if b"GET" in {word.upper() for word in words[3:]} else "OW UPDATE"


def all_arguments(words: Sequence[bytes]) -> Collection[int]:
    """AUTH: every word after the name is secret."""
    return range(1, len(words))


def credentials(words: Sequence[bytes]) -> Collection[int]:
    """HELLO 3 AUTH username password: the two words after AUTH are secret."""
    for at, word in enumerate(words):
        if at and word.upper() == b"AUTH":
            return range(at + 1, at + 3)
    return ()


def password_rules(words: Sequence[bytes]) -> Collection[int]:
    """ACL SETUSER name >password: rules with a password or its hash are secret."""
    return [at for at, word in enumerate(words) if at > 2 and word[:1] in _PASSWORD_SIGNS]


def password_settings(words: Sequence[bytes]) -> Collection[int]:
    """CONFIG SET requirepass password: the values of parameters that are passwords are secret."""
    return [at + 1 for at in range(2, len(words)) if words[at].lower() in _PASSWORDS]
