"""Base of small classes that are compared by their content.

A dataclass does the same with less text, but takes a millisecond to define, and the module
`dataclasses` some more to import. What a program needs at its start uses this class, or NamedTuple
where the object may be a tuple.
"""

from __future__ import annotations

from typing import Any


class Record:
    """Equality, hash and repr of the attributes in `__match_args__`.

    >>> class Point(Record):
    ...     __slots__ = __match_args__ = ("x", "y")
    ...
    ...     def __init__(self, x: int, y: int) -> None:
    ...         self.x, self.y = x, y
    >>> Point(1, 2) == Point(1, 2), Point(1, 2)
    (True, Point(x=1, y=2))
    """

    __slots__ = ()
    __match_args__: tuple[str, ...] = ()

    def _content(self) -> tuple[Any, ...]:
        return tuple([getattr(self, name) for name in self.__match_args__])

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self is other or self._content() == other._content()

    def __hash__(self) -> int:
        return hash((self.__class__, self._content()))

    def __repr__(self) -> str:
        pairs = zip(self.__match_args__, self._content(), strict=True)
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in pairs)})"
