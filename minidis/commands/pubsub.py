"""Pub/sub: PUBLISH, SUBSCRIBE and its variants, PUBSUB; subscribe() and monitor() for Python.

On a connection, SUBSCRIBE replies with one message per channel, in the same stream as the messages
of the channels. An in-process session has no such stream: db.subscribe() returns an iterator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from minidis import errors
from minidis.clients.client import Client
from minidis.commands.shared.group import Group, T
from minidis.grammar.command import declarations
from minidis.grammar.kinds import Key, Many, Value
from minidis.replies import NO_REPLY, NoReply, Push, Status
from minidis.structures.glob import compile_pattern

command = declarations(group="pubsub", parent="PUBSUB", stateful=True)

PUBSUB_HELP = (
    "PUBSUB <subcommand> [<arg> ...]. Subcommands are:",
    "CHANNELS [<pattern>]",
    "    List the channels with subscribers.",
    "NUMPAT",
    "    Show the number of patterns with subscribers.",
    "NUMSUB [<channel> ...]",
    "    Show the number of subscribers of each channel, without patterns.",
    "SHARDCHANNELS [<pattern>]",
    "    List the shard channels with subscribers.",
    "SHARDNUMSUB [<shardchannel> ...]",
    "    Show the number of subscribers of each shard channel.",
    "HELP",
    "    This text.",
)
_FLAGS = "pubsub loading stale"
_SUBSCRIBE = "pubsub noscript loading stale"
_UNSUBSCRIBE = "pubsub noscript loading stale"
_WRONG_LENGTH = "unknown subcommand or wrong number of arguments for '{}'. Try PUBSUB HELP."
_ONE_BY_ONE = "O(n) for n channels"


class PubSub(Group[T]):
    """PUBLISH, SUBSCRIBE, PUBSUB; subscribe() and monitor() for Python."""

    # publishing ------------------------------------------------------------------------------

    @command(
        "PUBLISH channel message",
        "pubsub loading stale fast",
        since="2.0.0",
        complexity="O(n+m) for n subscribers of the channel and m patterns",
        may_replicate=True,
        channels="PUBLISH",
    )
    def publish(self, channel: Key, message: Value) -> int:
        """Publish `message` to `channel` and return the number of deliveries.

        A client subscribed to the channel and to matching patterns receives the message once for
        each. Publishers never block.

        >>> db.publish("news", "no receiver")
        0
        """
        name: Any = channel
        data: Any = message
        return self.engine.observers.channels.publish(name, data)

    @command(
        "SPUBLISH shardchannel message",
        "pubsub loading stale fast",
        since="7.0.0",
        complexity="O(n) for n subscribers of the channel",
        access="NOT_KEY",
        may_replicate=True,
        channels="PUBLISH",
    )
    def spublish(self, shardchannel: Key, message: Value) -> int:
        """Publish `message` to a shard channel and return the number of deliveries.

        Shard channels have a namespace of their own, without patterns.

        >>> with db.subscribe(shards=["news"]) as messages:
        ...     db.publish("news", 1), db.spublish("news", 2), next(messages).data
        (0, 1, b'2')
        """
        name: Any = shardchannel
        data: Any = message
        return self.engine.observers.channels.publish_shard(name, data)

    # subscribing -----------------------------------------------------------------------------

    @command(
        "SUBSCRIBE channel [channel ...]",
        _SUBSCRIBE,
        since="2.0.0",
        complexity=_ONE_BY_ONE,
        while_subscribed=True,
        channels="SUBSCRIBE",
        ended_by="UNSUBSCRIBE",
    )
    def subscribe_channels(self, *channels: Many) -> NoReply:
        """Subscribe the current connection to `channels`.

        Each channel is confirmed by a message. Raises ResponseError in an in-process session: use
        subscribe().

        >>> db.subscribe_channels("news")
        Traceback (most recent call last):
        ...
        minidis.errors.ResponseError: ERR this session takes no messages; use db.subscribe(...)
        """
        return self._hear(b"subscribe", channels, self.engine.observers.channels.subscribe)

    @command(
        "PSUBSCRIBE pattern [pattern ...]",
        _SUBSCRIBE,
        since="2.0.0",
        complexity="O(n) for n patterns",
        while_subscribed=True,
        channels="SUBSCRIBE PATTERN",
        ended_by="PUNSUBSCRIBE",
    )
    def psubscribe_patterns(self, *patterns: Many) -> NoReply:
        """Subscribe the current connection to all channels that match one of `patterns`.

        Each pattern is confirmed by a message. Raises ResponseError in an in-process session: use
        subscribe(patterns=...).

        >>> db.psubscribe_patterns("news.*")
        Traceback (most recent call last):
        ...
        minidis.errors.ResponseError: ERR this session takes no messages; use db.subscribe(...)
        """
        return self._hear(b"psubscribe", patterns, self.engine.observers.channels.subscribe_pattern)

    @command(
        "SSUBSCRIBE shardchannel [shardchannel ...]",
        _SUBSCRIBE,
        since="7.0.0",
        complexity=_ONE_BY_ONE,
        access="NOT_KEY",
        while_subscribed=True,
        channels="SUBSCRIBE",
        ended_by="SUNSUBSCRIBE",
    )
    def ssubscribe_channels(self, *shardchannels: Many) -> NoReply:
        """Subscribe the current connection to shard channels.

        Each channel is confirmed by a message. Raises ResponseError in an in-process session: use
        subscribe(shards=...).

        >>> db.ssubscribe_channels("news")
        Traceback (most recent call last):
        ...
        minidis.errors.ResponseError: ERR this session takes no messages; use db.subscribe(...)
        """
        if self.client.queue is not None:
            raise errors.error("SSUBSCRIBE isn't allowed for a DENY BLOCKING client")
        return self._hear(
            b"ssubscribe", shardchannels, self.engine.observers.channels.subscribe_shard
        )

    @command(
        "UNSUBSCRIBE [channel [channel ...]]",
        _UNSUBSCRIBE,
        since="2.0.0",
        complexity=_ONE_BY_ONE,
        while_subscribed=True,
    )
    def unsubscribe_channels(self, *channels: Many) -> NoReply:
        """Unsubscribe the current connection from `channels`, or from all channels.

        Each channel is confirmed by a message. Raises ResponseError in an in-process session.

        >>> db.unsubscribe_channels()
        Traceback (most recent call last):
        ...
        minidis.errors.ResponseError: ERR this session takes no messages; use db.subscribe(...)
        """
        names = channels or sorted(self.client.channels) or (None,)
        return self._hear(b"unsubscribe", names, self.engine.observers.channels.unsubscribe)

    @command(
        "PUNSUBSCRIBE [pattern [pattern ...]]",
        _UNSUBSCRIBE,
        since="2.0.0",
        complexity="O(n) for n patterns",
        while_subscribed=True,
    )
    def punsubscribe_patterns(self, *patterns: Many) -> NoReply:
        """Unsubscribe the current connection from `patterns`, or from all patterns.

        Each pattern is confirmed by a message. Raises ResponseError in an in-process session.

        >>> db.punsubscribe_patterns()
        Traceback (most recent call last):
        ...
        minidis.errors.ResponseError: ERR this session takes no messages; use db.subscribe(...)
        """
        names = patterns or tuple(self.client.patterns) or (None,)
        return self._hear(
            b"punsubscribe", names, self.engine.observers.channels.unsubscribe_pattern
        )

    @command(
        "SUNSUBSCRIBE [shardchannel [shardchannel ...]]",
        _UNSUBSCRIBE,
        since="7.0.0",
        complexity=_ONE_BY_ONE,
        access="NOT_KEY",
        while_subscribed=True,
    )
    def sunsubscribe_channels(self, *shardchannels: Many) -> NoReply:
        """Unsubscribe the current connection from shard channels, or from all of them.

        Each channel is confirmed by a message. Raises ResponseError in an in-process session.

        >>> db.sunsubscribe_channels()
        Traceback (most recent call last):
        ...
        minidis.errors.ResponseError: ERR this session takes no messages; use db.subscribe(...)
        """
        names = shardchannels or sorted(self.client.shard_channels) or (None,)
        return self._hear(b"sunsubscribe", names, self.engine.observers.channels.unsubscribe_shard)

    def _hear(
        self, kind: bytes, names: Iterable[Any], change: Callable[[Client, bytes], None]
    ) -> NoReply:
        """Subscribe to or unsubscribe from each name, and confirm it with the subscriptions left.

        A name of None stands for unsubscribing without a subscription.
        """
        client = self.client
        if not client.takes_messages:
            raise errors.error("this session takes no messages; use db.subscribe(...)")
        of_shards = kind in (b"ssubscribe", b"sunsubscribe")
        for name in names:
            if name is not None:
                change(client, name)
            left = len(client.shard_channels) if of_shards else client.subscriptions
            client.deliver(Push((kind, name, left)))
        self.update_checks()
        return NO_REPLY

    # numbers ---------------------------------------------------------------------------------

    @command(
        "PUBSUB CHANNELS [pattern]",
        _FLAGS,
        since="2.8.0",
        complexity=_ONE_BY_ONE,
        lengths=(2, 3),
        length_error=_WRONG_LENGTH,
    )
    def pubsub_channels(self, pattern: Key | None = None) -> list[T]:
        """Return the names of channels with at least one subscriber.

        pattern: only names that match this glob pattern. Subscribers of patterns do not count.

        >>> with db.subscribe("news", "weather"):
        ...     db.pubsub_channels("n*")
        [b'news']
        """
        return _matching(self.engine.observers.channels.names(), pattern)

    @command("PUBSUB NUMPAT", _FLAGS, since="2.8.0", complexity="O(1)")
    def pubsub_numpat(self) -> int:
        """Return the number of distinct patterns that clients are subscribed to.

        >>> with db.subscribe(patterns=["n*", "w*"]):
        ...     db.pubsub_numpat()
        2
        """
        return self.engine.observers.channels.pattern_count()

    @command(
        "PUBSUB NUMSUB [channel [channel ...]]",
        _FLAGS,
        since="2.8.0",
        complexity=_ONE_BY_ONE,
    )
    def pubsub_numsub(self, *channels: Many) -> list[Any]:
        """Return the number of subscribers of each of `channels`: [channel, number, ...].

        Subscribers of patterns do not count.

        >>> with db.subscribe("news"):
        ...     db.pubsub_numsub("news", "weather")
        [b'news', 1, b'weather', 0]
        """
        names: Any = channels
        return [
            part for name in names for part in (name, self.engine.observers.channels.count(name))
        ]

    @command(
        "PUBSUB SHARDCHANNELS [pattern]",
        _FLAGS,
        since="7.0.0",
        complexity=_ONE_BY_ONE,
        lengths=(2, 3),
        length_error=_WRONG_LENGTH,
    )
    def pubsub_shardchannels(self, pattern: Key | None = None) -> list[T]:
        """Return the names of shard channels with at least one subscriber.

        pattern: only names that match this glob pattern.

        >>> with db.subscribe(shards=["news"]):
        ...     db.pubsub_shardchannels(), db.pubsub_channels()
        ([b'news'], [])
        """
        return _matching(self.engine.observers.channels.shard_names(), pattern)

    @command(
        "PUBSUB SHARDNUMSUB [shardchannel [shardchannel ...]]",
        _FLAGS,
        since="7.0.0",
        complexity=_ONE_BY_ONE,
    )
    def pubsub_shardnumsub(self, *shardchannels: Many) -> list[Any]:
        """Return the number of subscribers of each shard channel: [channel, number, ...].

        >>> with db.subscribe(shards=["news"]):
        ...     db.pubsub_shardnumsub("news")
        [b'news', 1]
        """
        names: Any = shardchannels
        return [
            part
            for name in names
            for part in (name, self.engine.observers.channels.shard_count(name))
        ]

    @command("PUBSUB HELP", "loading stale", since="6.2.0", complexity="O(1)", categories="")
    def pubsub_help(self) -> list[Status]:
        """Return the help text of PUBSUB as a list of lines.

        >>> db.pubsub_help()[3]
        NUMPAT
        """
        return [Status(line) for line in PUBSUB_HELP]


def _matching(names: Iterable[bytes], pattern: Any) -> Any:
    """Return the names that match the pattern, if any; as in Redis, * does not match ""."""
    if pattern is None:
        return list(names)
    match = compile_pattern(pattern)
    return [name for name in names if match(name) and (name or not pattern)]
