"""Keyspace notifications: which events of keys are published, on which channels.

    notify-keyspace-events "KE$x"         touched: (0, "set", b"name")
              │ parse                              │ class of the event: $
              v                                    v
            flags ────────────────────────> messages
                                              __keyspace@0__:name   set
                                              __keyevent@0__:set    name

A class of events is a bit. Nothing is published without K or E and a class.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from minidis.keyspace.unit import UNNAMED, KeyEvent
from minidis.observers.batch import Batch, Observer
from minidis.observers.channels import Channels

#: The letters of CONFIG SET, in the order in which CONFIG GET shows them.
CLASSES = "g$lshzxetd"
LETTERS = CLASSES + "nKEm"
_FLAG = {letter: 1 << number for number, letter in enumerate(LETTERS)}
#: What the letter A stands for; key misses and new keys are asked for by name only.
ALL = sum(_FLAG[letter] for letter in CLASSES)
KEYSPACE, KEYEVENT = _FLAG["K"], _FLAG["E"]

#: Class -> its events. An event that is not here is of the general class.
EVENTS = {
    "g": "del expire persist rename_from rename_to copy_to move_from move_to restore",
    "$": "set append setrange setbit incrby incrbyfloat pfadd",
    "l": "lpush rpush lpop rpop lset linsert lrem ltrim sortstore",
    "s": "sadd srem spop sinterstore sunionstore sdiffstore",
    "h": "hset hincrby hincrbyfloat hdel hexpire hpersist hexpired",
    "z": "zadd zincr zrem zremrangebyscore zremrangebyrank zremrangebylex zpopmin zpopmax "
    "zunionstore zinterstore zdiffstore zrangestore georadiusstore geosearchstore",
    "x": "expired",
    "e": "evicted",
    "t": "xadd xtrim xdel xsetid xgroup-create xgroup-setid xgroup-destroy "
    "xgroup-createconsumer xgroup-delconsumer",
    "m": "keymiss",
    "n": "new",
}
#: Event -> class, as a bit.
CLASS_OF = {event: _FLAG[letter] for letter, events in EVENTS.items() for event in events.split()}


def parse(text: str) -> int:
    """The flags of `notify-keyspace-events`; ValueError with the words of Redis."""
    flags = 0
    for letter in text:
        flag = ALL if letter == "A" else _FLAG.get(letter)
        if flag is None:
            raise ValueError("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")
        flags |= flag
    return flags


def flags_text(flags: int) -> str:
    """The letters of the flags, A for all classes at once.

    7.0 does not show n beside A; here it is flags_text, so that what is read can be set again.

    >>> flags_text(parse("EAxn")), flags_text(parse("x$K"))
    ('AEn', '$xK')
    """
    if flags & ALL == ALL:
        new = _FLAG["n"]
        return "A" + _letters(flags & ~ALL & ~new) + _letters(flags & new)
    return _letters(flags)


def _letters(flags: int) -> str:
    return "".join(letter for letter, flag in _FLAG.items() if flags & flag)


def announces_new(flags: int) -> bool:
    """Is it published that a key comes to be?"""
    return bool(flags & CLASS_OF["new"] and flags & (KEYSPACE | KEYEVENT))


def announces_misses(flags: int) -> bool:
    """Is it published that a key which is not there has been asked for?"""
    return bool(flags & CLASS_OF["keymiss"] and flags & (KEYSPACE | KEYEVENT))


def messages(flags: int, events: Iterable[KeyEvent]) -> Iterator[tuple[bytes, bytes]]:
    """Channel and message of each notification for events: (database, event, key)."""
    general = _FLAG["g"]
    for number, event, key in events:
        if event in UNNAMED or not flags & CLASS_OF.get(event, general):
            continue
        name = event.encode()
        if flags & KEYSPACE:
            yield b"__keyspace@%d__:%b" % (number, key), name
        if flags & KEYEVENT:
            yield b"__keyevent@%d__:%b" % (number, name), key


class Notifications(Observer):
    """Publishes events of keys, as far as `notify-keyspace-events` asks for them."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels
        #: the classes that are published
        self.flags = 0

    def __bool__(self) -> bool:
        return bool(self.flags)

    def command_committed(self, batch: Batch) -> None:
        if self.flags:
            for channel, message in messages(self.flags, batch.events):
                self._channels.publish(channel, message)
