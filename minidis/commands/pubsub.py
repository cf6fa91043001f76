"""Pub/sub: PUBLISH for everybody, SUBSCRIBE and the like for connections, subscribe() for Python.

A connection answers SUBSCRIBE with messages, one for each channel, in the stream in which those of
the channels will come. A Python program has no such stream: db.subscribe() gives it an iterator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from minidis import errors
from minidis.api.subscription import (
    LIMIT,
    Message,
    MonitoredCommand,
    Monitoring,
    Policy,
    Subscription,
)
from minidis.commands.shared.group import Group, T
from minidis.grammar.command import declarations
from minidis.grammar.kinds import Key, Many, Value
from minidis.replies import NO_REPLY, NoReply, Push, Status
from minidis.structures.glob import compile_pattern

if TYPE_CHECKING:
    from minidis.clients.client import Client

command = declarations(group="pubsub", parent="PUBSUB", stateful=True)

PUBSUB_HELP = (
    "PUBSUB <subcommand> [<arg> ...]. Subcommands are:",
    "CHANNELS [<pattern>]",
    "    Channels that somebody listens to.",
    "NUMPAT",
    "    Number of patterns that somebody listens to.",
    "NUMSUB [<channel> ...]",
    "    How many listen to each channel; those of patterns do not count.",
    "SHARDCHANNELS [<pattern>]",
    "    Shard channels that somebody listens to.",
    "SHARDNUMSUB [<shardchannel> ...]",
    "    How many listen to each shard channel.",
    "HELP",
    "    This text.",
)
_FLAGS = "pubsub loading stale"
_SUBSCRIBE = "denyoom pubsub noscript loading stale"
_UNSUBSCRIBE = "pubsub noscript loading stale"
_WRONG_LENGTH = "unknown subcommand or wrong number of arguments for '{}'. Try PUBSUB HELP."
_ONE_BY_ONE = "O(n) for n channels"


class PubSub(Group[T]):
    """PUBLISH, SUBSCRIBE, PUBSUB; and subscribe() and monitor() for Python."""

    _decode: bool

    # for Python ------------------------------------------------------------------------------

    def subscribe(
        self,
        *channels: Many,
        patterns: Iterable[Key] = (),
        shards: Iterable[Key] = (),
        limit: int = LIMIT,
        when_full: Policy = "close",
        callback: Callable[[Message[T]], object] | None = None,
    ) -> Subscription[T]:
        """Listen to channels: an iterator of Message(kind, channel, pattern, data).

        `patterns` are glob patterns of channels, `shards` shard channels. At most `limit` messages
        wait to be taken. When there are more, `when_full="close"` ends the subscription: iterating
        gives what was kept and then raises SlowSubscriberError. `"drop"` lets the oldest message go
        and counts it in `.dropped`. With `callback` a thread of its own calls it with each message.

        Iterating sleeps until there is a message, and ends when the subscription or the database is
        closed. A subscription without callback that nobody holds any more ends by itself.

        >>> with db.subscribe("news", patterns=["sport.*"]) as messages:
        ...     db.publish("news", "hello"), db.publish("sport.chess", "e4")
        ...     next(messages).data, messages.get(timeout=1).channel
        (1, 1)
        (b'hello', b'sport.chess')
        """
        return Subscription(
            self.engine,
            channels,
            patterns,
            shards,
            limit=limit,
            when_full=when_full,
            callback=callback,
            decode=self._decode,
        )

    def monitor(
        self,
        *,
        limit: int = LIMIT,
        when_full: Policy = "close",
        callback: Callable[[MonitoredCommand], object] | None = None,
    ) -> Monitoring:
        """Watch all commands of all sessions: an iterator of Seen(time, database, address, words).

        `time` is in seconds since 1970. `limit`, `when_full` and `callback` are those of
        subscribe(). Everything becomes slower while somebody watches.

        >>> with db.monitor() as seen:
        ...     db.set("a", 1), next(seen).words
        (OK, [b'SET', b'a', b'1'])
        """
        return Monitoring(self.engine, limit=limit, when_full=when_full, callback=callback)

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
        """Send `message` to everybody who listens to `channel`; how many got it.

        Who listens to the channel and to patterns that match it gets it several times.

        >>> db.publish("news", "nobody hears it")
        0
        """
        name: Any = channel
        data: Any = message
        return self.engine.channels.publish(name, data)

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
        """Send `message` to everybody who listens to the shard channel; how many got it.

        Shard channels have names of their own, and no patterns.

        >>> with db.subscribe(shards=["news"]) as messages:
        ...     db.publish("news", 1), db.spublish("news", 2), next(messages).data
        (0, 1, b'2')
        """
        name: Any = shardchannel
        data: Any = message
        return self.engine.channels.publish_shard(name, data)

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
        """Let this connection hear `channels`; a message confirms each. Python uses subscribe().

        >>> db.subscribe_channels("news")
        Traceback (most recent call last):
        ...
        minidis.errors.ResponseError: ERR this session takes no messages; use db.subscribe(...)
        """
        return self._hear(b"subscribe", channels, self.engine.channels.subscribe)

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
        """Let this connection hear all channels that match a pattern. Python uses subscribe().

        >>> db.psubscribe_patterns("news.*")
        Traceback (most recent call last):
        ...
        minidis.errors.ResponseError: ERR this session takes no messages; use db.subscribe(...)
        """
        return self._hear(b"psubscribe", patterns, self.engine.channels.subscribe_pattern)

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
        """Let this connection hear shard channels. Python uses subscribe(shards=...).

        >>> db.ssubscribe_channels("news")
        Traceback (most recent call last):
        ...
        minidis.errors.ResponseError: ERR this session takes no messages; use db.subscribe(...)
        """
        if self.queue is not None:
            raise errors.error("SSUBSCRIBE isn't allowed for a DENY BLOCKING client")
        return self._hear(b"ssubscribe", shardchannels, self.engine.channels.subscribe_shard)

    @command(
        "UNSUBSCRIBE [channel [channel ...]]",
        _UNSUBSCRIBE,
        since="2.0.0",
        complexity=_ONE_BY_ONE,
        while_subscribed=True,
    )
    def unsubscribe_channels(self, *channels: Many) -> NoReply:
        """Let this connection hear `channels` no more, or none at all.

        >>> db.unsubscribe_channels()
        Traceback (most recent call last):
        ...
        minidis.errors.ResponseError: ERR this session takes no messages; use db.subscribe(...)
        """
        names = channels or sorted(self.client.channels) or (None,)
        return self._hear(b"unsubscribe", names, self.engine.channels.unsubscribe)

    @command(
        "PUNSUBSCRIBE [pattern [pattern ...]]",
        _UNSUBSCRIBE,
        since="2.0.0",
        complexity="O(n) for n patterns",
        while_subscribed=True,
    )
    def punsubscribe_patterns(self, *patterns: Many) -> NoReply:
        """Let this connection hear `patterns` no more, or no pattern at all.

        >>> db.punsubscribe_patterns()
        Traceback (most recent call last):
        ...
        minidis.errors.ResponseError: ERR this session takes no messages; use db.subscribe(...)
        """
        names = patterns or tuple(self.client.patterns) or (None,)
        return self._hear(b"punsubscribe", names, self.engine.channels.unsubscribe_pattern)

    @command(
        "SUNSUBSCRIBE [shardchannel [shardchannel ...]]",
        _UNSUBSCRIBE,
        since="7.0.0",
        complexity=_ONE_BY_ONE,
        access="NOT_KEY",
        while_subscribed=True,
    )
    def sunsubscribe_channels(self, *shardchannels: Many) -> NoReply:
        """Let this connection hear the shard channels no more, or none at all.

        >>> db.sunsubscribe_channels()
        Traceback (most recent call last):
        ...
        minidis.errors.ResponseError: ERR this session takes no messages; use db.subscribe(...)
        """
        names = shardchannels or sorted(self.client.shard_channels) or (None,)
        return self._hear(b"sunsubscribe", names, self.engine.channels.unsubscribe_shard)

    def _hear(
        self, kind: bytes, names: Iterable[Any], change: Callable[[Client, bytes], None]
    ) -> NoReply:
        """Enter or leave each channel, and confirm it with what is left; None: there was none."""
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
        """Channels that somebody listens to, those that match `pattern` if it is given.

        >>> with db.subscribe("news", "weather"):
        ...     db.pubsub_channels("n*")
        [b'news']
        """
        return _matching(self.engine.channels.names(), pattern)

    @command("PUBSUB NUMPAT", _FLAGS, since="2.8.0", complexity="O(1)")
    def pubsub_numpat(self) -> int:
        """Number of patterns that somebody listens to; a pattern of two counts once.

        >>> with db.subscribe(patterns=["n*", "w*"]):
        ...     db.pubsub_numpat()
        2
        """
        return self.engine.channels.pattern_count()

    @command(
        "PUBSUB NUMSUB [channel [channel ...]]",
        _FLAGS,
        since="2.8.0",
        complexity=_ONE_BY_ONE,
    )
    def pubsub_numsub(self, *channels: Many) -> list[Any]:
        """How many listen to each of `channels`: channel, number, channel, number and so on.

        Those who listen to patterns do not count.

        >>> with db.subscribe("news"):
        ...     db.pubsub_numsub("news", "weather")
        [b'news', 1, b'weather', 0]
        """
        names: Any = channels
        return [part for name in names for part in (name, self.engine.channels.count(name))]

    @command(
        "PUBSUB SHARDCHANNELS [pattern]",
        _FLAGS,
        since="7.0.0",
        complexity=_ONE_BY_ONE,
        lengths=(2, 3),
        length_error=_WRONG_LENGTH,
    )
    def pubsub_shardchannels(self, pattern: Key | None = None) -> list[T]:
        """Shard channels that somebody listens to, those that match `pattern` if it is given.

        >>> with db.subscribe(shards=["news"]):
        ...     db.pubsub_shardchannels(), db.pubsub_channels()
        ([b'news'], [])
        """
        return _matching(self.engine.channels.shard_names(), pattern)

    @command(
        "PUBSUB SHARDNUMSUB [shardchannel [shardchannel ...]]",
        _FLAGS,
        since="7.0.0",
        complexity=_ONE_BY_ONE,
    )
    def pubsub_shardnumsub(self, *shardchannels: Many) -> list[Any]:
        """How many listen to each of the shard channels: channel, number and so on.

        >>> with db.subscribe(shards=["news"]):
        ...     db.pubsub_shardnumsub("news")
        [b'news', 1]
        """
        names: Any = shardchannels
        return [part for name in names for part in (name, self.engine.channels.shard_count(name))]

    @command("PUBSUB HELP", "loading stale", since="6.2.0", complexity="O(1)", categories="")
    def pubsub_help(self) -> list[Status]:
        """The subcommands of PUBSUB.

        >>> db.pubsub_help()[3]
        NUMPAT
        """
        return [Status(line) for line in PUBSUB_HELP]


def _matching(names: Iterable[bytes], pattern: Any) -> Any:
    """The names that match the pattern, if there is one; the empty name matches no star."""
    if pattern is None:
        return list(names)
    match = compile_pattern(pattern)
    return [name for name in names if match(name) and (name or not pattern)]
