"""Version numbers, in one place."""

__version__ = "0.1.0"

#: The Redis version that replies, encodings and INFO correspond to.
REDIS_VERSION = "7.4.1"
