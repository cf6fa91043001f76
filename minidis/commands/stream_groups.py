"""Consumer groups of streams: who reads, who has acknowledged, who takes over; and XINFO.

What a group has given to a consumer is *pending* until it is acknowledged. Every change of a group
first notes in `engine.undo` how the entries and the consumer it concerns were before (_note), so
that a read of several streams is done or has not happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from minidis import errors
from minidis.command import command
from minidis.commands.group import Group as Commands
from minidis.commands.group import T
from minidis.commands.stream_ids import ENTRY, START, Id, entry, idle_kind, ids_of, said, strict_id
from minidis.commands.streams import CAP_KINDS, CAP_NAMES, CAPS, POLICIES, Caps, Streams
from minidis.keyspace import no_such_key
from minidis.kinds import I64_MAX, RAW, Integer, Key, Kind, Many, Value, encode, integer, ranged
from minidis.replies import OK, Status
from minidis.structures.stream_groups import UNKNOWN, Consumer, Group, Record
from minidis.structures.streams import MOST_ID, Stream, id_text
from minidis.waiting import Wait
