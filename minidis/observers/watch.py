"""WATCH: who wants to know whether a key is touched before an EXEC.

A Watch belongs to a session. It is spoiled as soon as one of its keys is touched, expires, is
flushed or swapped away; EXEC of a spoiled watch answers None. A key that had already expired when
it was watched (but was still there) may be deleted without spoiling anything: nothing changes by
that.

A session that nobody holds any more may vanish at any time. Its watch leaves a note of its keys,
and they are forgotten when somebody looks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

if TYPE_CHECKING:
    from minidis.keyspace.keyspace import Keyspace
    from minidis.observers.blocking import KeyId


class Watch:
    """The keys that one session watches."""

    __slots__ = ("__weakref__", "gone", "places", "spoiled")

    def __init__(self, gone: deque[Any]) -> None:
        self.gone = gone
        #: place -> it had expired already when it was watched
        self.places: dict[KeyId, bool] = {}
        self.spoiled = False

    def __del__(self) -> None:
        places = getattr(self, "places", None)  # an interruption may strike before it has any
        if places:
            self.gone.append(places)

    def expired_meanwhile(self, spaces: list[Keyspace], now: int) -> bool:
        """Has a watched key reached its deadline without anybody having noticed?"""
        return any(
            not gone and is_due(spaces[number], key, now)
            for (number, key), gone in self.places.items()
        )


class Watchers:
    """All watches of an engine, by places; held weakly, as sessions need no closing."""

    def __init__(self) -> None:
        self._by_place: dict[KeyId, WeakSet[Watch]] = {}
        #: what was watched by sessions that have vanished
        self.gone: deque[dict[KeyId, bool]] = deque()

    def __bool__(self) -> bool:
        return bool(self._by_place)

    def add(self, watch: Watch, space: Keyspace, key: bytes, now: int) -> None:
        """Watch a key; twice is once."""
        place = (space.number, key)
        if place not in watch.places:
            watch.places[place] = is_due(space, key, now)
            self._by_place.setdefault(place, WeakSet()).add(watch)

    def adopt(self, watch: Watch | None) -> None:
        """Watch what it watched before a fork."""
        if watch is not None:
            watch.gone = self.gone
            for place in watch.places:
                self._by_place.setdefault(place, WeakSet()).add(watch)

    def forget(self, watch: Watch) -> None:
        """The session watches nothing any more."""
        for place in watch.places:
            others = self._by_place.get(place)
            if others is not None:
                others.discard(watch)
                if not others:
                    del self._by_place[place]
        watch.places.clear()
        watch.spoiled = False

    def forget_gone(self) -> None:
        """Forget the keys of sessions that have vanished."""
        while self.gone:
            self._drop_unwatched(self.gone[0])
            self.gone.popleft()

    def _drop_unwatched(self, places: Iterable[KeyId]) -> None:
        for place in places:
            if not self._by_place.get(place, True):
                del self._by_place[place]

    def touched(self, space: Keyspace, key: bytes) -> None:
        """A command has changed the key, or it has expired."""
        place = (space.number, key)
        watches = self._by_place.get(place)
        if watches is None:
            return
        whole = False
        for watch in watches:
            if watch.places[place] and key not in space.values:
                watch.places[place] = False  # what had expired has been deleted: no change
                whole = True
            else:
                watch.spoiled = True
        if not whole:
            del self._by_place[place]  # what happens to the key later makes no difference to them

    def emptied(self, space: Keyspace, following: Keyspace | None = None) -> None:
        """All keys of a database go, or are replaced by those of the following one."""
        for (number, key), watches in self._by_place.items():
            if number != space.number:
                continue
            if key in space.values or (following is not None and key in following.values):
                for watch in watches:
                    watch.spoiled = True


def is_due(space: Keyspace, key: bytes, now: int) -> bool:
    """Is the key past its deadline, though still there?"""
    return key in space.values and now > space.deadlines.get(key, now)
