"""Pub/sub channels: which clients are subscribed, and the delivery of messages to them.

    channel        ->  its subscribers, in the order in which they came
    pattern        ->  what matches it, and its subscribers
    shard channel  ->  its subscribers: names of their own, without patterns

A message goes first to the subscribers of its channel, then pattern by pattern to those of each
that matches; who listens twice hears it twice. Subscribers take it with `deliver`, which never
waits.

All of this happens under the engine's lock. A subscriber that is garbage collected may vanish at
any time, also amid a publish of the same thread: it only leaves a note in `gone`, and is forgotten
when somebody looks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

from minidis.replies import Push
from minidis.structures.glob import Matcher, compile_pattern

if TYPE_CHECKING:
    from minidis.clients.client import Client

#: Channel or pattern -> its subscribers; a dict, because they have an order.
Listeners: TypeAlias = "dict[bytes, dict[Client, None]]"


class Channels:
    """All subscriptions of an engine."""

    def __init__(self) -> None:
        self._channels: Listeners = {}
        self._patterns: Listeners = {}
        self._shards: Listeners = {}
        self._matchers: dict[bytes, Matcher] = {}
        #: subscribers that nobody holds any more
        self.gone: deque[Client] = deque()

    # subscribing -----------------------------------------------------------------------------

    def subscribe(self, client: Client, channel: bytes) -> None:
        """Let the client hear the channel; twice is once."""
        # The client's side first, here and below: what it knows of can be taken back.
        client.channels.add(channel)
        self._channels.setdefault(channel, {})[client] = None

    def unsubscribe(self, client: Client, channel: bytes) -> None:
        """Let it hear the channel no more."""
        _remove(self._channels, channel, client)
        client.channels.discard(channel)

    def subscribe_pattern(self, client: Client, pattern: bytes) -> None:
        """Let the client hear all channels that match the pattern."""
        client.patterns[pattern] = None
        self._matchers[pattern] = compile_pattern(pattern)
        self._patterns.setdefault(pattern, {})[client] = None

    def unsubscribe_pattern(self, client: Client, pattern: bytes) -> None:
        """The counterpart of subscribe_pattern()."""
        _remove(self._patterns, pattern, client)
        if pattern not in self._patterns:
            self._matchers.pop(pattern, None)
        client.patterns.pop(pattern, None)

    def subscribe_shard(self, client: Client, channel: bytes) -> None:
        """Let the client hear the shard channel."""
        client.shard_channels.add(channel)
        self._shards.setdefault(channel, {})[client] = None

    def unsubscribe_shard(self, client: Client, channel: bytes) -> None:
        """The counterpart of subscribe_shard()."""
        _remove(self._shards, channel, client)
        client.shard_channels.discard(channel)

    def forget(self, client: Client) -> None:
        """The client has gone, or begins anew: it hears nothing more."""
        for channel in list(client.channels):
            self.unsubscribe(client, channel)
        for pattern in list(client.patterns):
            self.unsubscribe_pattern(client, pattern)
        for channel in list(client.shard_channels):
            self.unsubscribe_shard(client, channel)

    def forget_gone(self) -> None:
        """Forget the subscribers that nobody holds any more."""
        while self.gone:
            self.forget(self.gone[0])
            self.gone.popleft()

    # publishing ------------------------------------------------------------------------------

    def publish(self, channel: bytes, message: bytes) -> int:
        """Send a message to the channel's subscribers and to the patterns; how many got it."""
        self.forget_gone()
        count = 0
        if channel in self._channels:
            push = Push((b"message", channel, message))
            count += _deliver(self._channels[channel], push)
        # A star matches the empty text for KEYS, but not here; nothing but "" does.
        for pattern, clients in list(self._patterns.items()):
            matches = self._matchers.get(pattern)  # None: its last client was just sent away
            if matches is not None and matches(channel) and (channel or not pattern):
                push = Push((b"pmessage", pattern, channel, message))
                count += _deliver(clients, push)
        return count

    def publish_shard(self, channel: bytes, message: bytes) -> int:
        """Send a message to the shard channel's subscribers; how many got it."""
        self.forget_gone()
        clients = self._shards.get(channel)
        return _deliver(clients, Push((b"smessage", channel, message))) if clients else 0

    # numbers ---------------------------------------------------------------------------------

    def names(self) -> Iterable[bytes]:
        """Channels that somebody listens to."""
        self.forget_gone()
        return self._channels

    def shard_names(self) -> Iterable[bytes]:
        """Shard channels that somebody listens to."""
        self.forget_gone()
        return self._shards

    def count(self, channel: bytes) -> int:
        """Subscribers of a channel; patterns do not count."""
        self.forget_gone()
        return len(self._channels.get(channel, ()))

    def shard_count(self, channel: bytes) -> int:
        """Subscribers of a shard channel."""
        self.forget_gone()
        return len(self._shards.get(channel, ()))

    def pattern_count(self) -> int:
        """Patterns that somebody listens to; several may listen to one."""
        self.forget_gone()
        return len(self._patterns)


def _remove(listeners: Listeners, name: bytes, client: Client) -> None:
    clients = listeners.get(name)
    if clients is not None:
        clients.pop(client, None)
        if not clients:
            del listeners[name]


def _deliver(clients: dict[Client, None], push: Push) -> int:
    """The same message to each; a copy, for a client that is too slow may be sent away."""
    receivers = list(clients)
    for client in receivers:
        client.deliver(push)
    return len(receivers)
