"""The versions of the format: those of Redis, and from 80 on those of Valkey.

A file begins with REDIS0012 or VALKEY080. A DUMP payload has the number only.
"""

#: Written by default: every Redis from 7.0 on and every Valkey can read it.
DEFAULT = 10
#: Written at most; Redis from 7.2 on and every Valkey can read it.
NEWEST_WRITTEN = 11

NEWEST_OF_REDIS = 12
#: The oldest version of Valkey's own format; before it, Valkey wrote that of Redis.
VALKEY = 80
NEWEST_OF_VALKEY = 80


def is_readable(version: int) -> bool:
    """Whether minidis reads dumps of this version.

    >>> [is_readable(version) for version in (0, 12, 13, 79, 80, 81)]
    [True, True, False, False, True, False]
    """
    return version <= NEWEST_OF_REDIS or VALKEY <= version <= NEWEST_OF_VALKEY
