"""Pub/sub channels: which clients are subscribed, and the delivery of messages to them.

    channel        ->  its subscribers, in the order of subscription
    pattern        ->  its compiled matcher, and its subscribers
    shard channel  ->  its subscribers; a namespace of its own, without patterns

A message goes first to the subscribers of its channel, then, pattern by pattern, to those of each
matching pattern; a client that subscribes twice receives it twice. `Client.deliver` never blocks.

All of this happens under the engine's lock. A subscriber may be garbage-collected at any time, also
during a publish of the same thread: its finalizer only adds it to `gone`, and the next operation
removes it.
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
        #: subscribers that have been garbage-collected
        self.gone: deque[Client] = deque()

    # subscribing -----------------------------------------------------------------------------

    def subscribe(self, client: Client, channel: bytes) -> None:
        """Subscribe the client to a channel; a second time has no effect."""
        # The client's side first, here and below: what is recorded there can be undone.
        client.channels.add(channel)
        self._channels.setdefault(channel, {})[client] = None

    def unsubscribe(self, client: Client, channel: bytes) -> None:
        """Unsubscribe the client from a channel."""
        _remove(self._channels, channel, client)
        client.channels.discard(channel)

    def subscribe_pattern(self, client: Client, pattern: bytes) -> None:
        """Subscribe the client to all channels that match the pattern."""
        client.patterns[pattern] = None
        self._matchers[pattern] = compile_pattern(pattern)
        self._patterns.setdefault(pattern, {})[client] = None

    def unsubscribe_pattern(self, client: Client, pattern: bytes) -> None:
        """Unsubscribe the client from a pattern."""
        _remove(self._patterns, pattern, client)
        if pattern not in self._patterns:
            self._matchers.pop(pattern, None)
        client.patterns.pop(pattern, None)

    def subscribe_shard(self, client: Client, channel: bytes) -> None:
        """Subscribe the client to a shard channel."""
        client.shard_channels.add(channel)
        self._shards.setdefault(channel, {})[client] = None

    def unsubscribe_shard(self, client: Client, channel: bytes) -> None:
        """Unsubscribe the client from a shard channel."""
        _remove(self._shards, channel, client)
        client.shard_channels.discard(channel)

    def forget(self, client: Client) -> None:
        """Remove all subscriptions of a client that has ended or was reset."""
        for channel in list(client.channels):
            self.unsubscribe(client, channel)
        for pattern in list(client.patterns):
            self.unsubscribe_pattern(client, pattern)
        for channel in list(client.shard_channels):
            self.unsubscribe_shard(client, channel)

    def forget_gone(self) -> None:
        """Remove the subscribers that have been garbage-collected."""
        while self.gone:
            self.forget(self.gone[0])
            self.gone.popleft()

    # publishing ------------------------------------------------------------------------------

    def publish(self, channel: bytes, message: bytes) -> int:
        """Deliver a message to the subscribers of a channel and of matching patterns.

        Returns the number of receivers.
        """
        self.forget_gone()
        count = 0
        if channel in self._channels:
            push = Push((b"message", channel, message))
            count += _deliver(self._channels[channel], push)
        # In KEYS the pattern * matches the empty string, but here only the empty pattern does.
        for pattern, clients in list(self._patterns.items()):
            matches = self._matchers.get(pattern)  # None: its last client was closed meanwhile
            if matches is not None and matches(channel) and (channel or not pattern):
                push = Push((b"pmessage", pattern, channel, message))
                count += _deliver(clients, push)
        return count

    def publish_shard(self, channel: bytes, message: bytes) -> int:
        """Deliver a message to the subscribers of a shard channel; return their number."""
        self.forget_gone()
        clients = self._shards.get(channel)
        return _deliver(clients, Push((b"smessage", channel, message))) if clients else 0

    # numbers ---------------------------------------------------------------------------------

    def names(self) -> Iterable[bytes]:
        """Return the channels that have subscribers."""
        self.forget_gone()
        return self._channels

    def shard_names(self) -> Iterable[bytes]:
        """Return the shard channels that have subscribers."""
        self.forget_gone()
        return self._shards

    def count(self, channel: bytes) -> int:
        """Return the number of subscribers of a channel, patterns not included."""
        self.forget_gone()
        return len(self._channels.get(channel, ()))

    def shard_count(self, channel: bytes) -> int:
        """Return the number of subscribers of a shard channel."""
        self.forget_gone()
        return len(self._shards.get(channel, ()))

    def pattern_count(self) -> int:
        """Return the number of patterns that have subscribers."""
        self.forget_gone()
        return len(self._patterns)


def _remove(listeners: Listeners, name: bytes, client: Client) -> None:
    clients = listeners.get(name)
    if clients is not None:
        clients.pop(client, None)
        if not clients:
            del listeners[name]


def _deliver(clients: dict[Client, None], push: Push) -> int:
    """Deliver to each client. It iterates over a copy: a client that is too slow may be closed."""
    receivers = list(clients)
    for client in receivers:
        client.deliver(push)
    return len(receivers)
