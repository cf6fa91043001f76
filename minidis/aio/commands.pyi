"""Written by `python -m tests.aio_stub` from the signatures of the sync classes."""

import builtins
from collections.abc import Generator, Iterable, Mapping
from typing import Any, Generic, Literal, TypeVar, overload

from minidis.aio.pipeline import AsyncPipeline
from minidis.api.session import Session
from minidis.commands.shared.expiry_options import Moment, Span
from minidis.commands.shared.group import T
from minidis.commands.streams.entries import Fields
from minidis.commands.streams.ids import Id
from minidis.grammar.kinds import Field, Float, Integer, Key, Many, Value
from minidis.replies import NoReply, Status

R = TypeVar("R")

class AsyncCommands(Generic[T]):
    """Every command as a coroutine function."""

    _session: Session[T]

    async def lmove(
        self, source: Key, destination: Key, src: str = ..., dest: str = ...
    ) -> T | None:
        """Move an element from one end of list `source` to one end of list `destination`."""
    async def rpoplpush(self, source: Key, destination: Key) -> T | None:
        """Move the last element of list `source` to the head of list `destination`."""
    async def lmovem(
        self,
        source: Key,
        destination: Key,
        src: str = ...,
        dest: str = ...,
        count: Integer | None = ...,
        exactly: Integer | None = ...,
        ordering: str | None = ...,
    ) -> list[T] | None:
        """Move several elements from one end of list `source` to one end of list `destination`."""
    async def lpush(self, key: Key, *values: Many) -> int:
        """Insert `values` at the head of the list stored at `key`, one after another."""
    async def rpush(self, key: Key, *values: Many) -> int:
        """Append `values` to the tail of the list stored at `key` and return its new length."""
    async def lpushx(self, key: Key, *values: Many) -> int:
        """Insert `values` at the head of the list stored at `key`, only if the list exists."""
    async def rpushx(self, key: Key, *values: Many) -> int:
        """Append `values` to the tail of the list stored at `key`, only if the list exists."""
    @overload
    async def lpop(self, key: Key, count: None = ...) -> T | None:
        """Remove and return the first element of the list stored at `key`."""
    @overload
    async def lpop(self, key: Key, count: Integer) -> list[T] | None: ...
    @overload
    async def rpop(self, key: Key, count: None = ...) -> T | None:
        """Remove and return the last element of the list stored at `key`."""
    @overload
    async def rpop(self, key: Key, count: Integer) -> list[T] | None: ...
    async def lmpop(
        self, num_keys: Integer, *keys: Many, direction: str, count: Integer | None = ...
    ) -> list[Any] | None:
        """Remove and return elements of the first of `keys` that exists."""
    async def llen(self, key: Key) -> int:
        """Return the number of elements of the list stored at `key`."""
    async def lrange(self, key: Key, start: Integer, end: Integer) -> list[T]:
        """Return the elements of the list stored at `key` from index `start` to `end` inclusive."""
    async def lindex(self, key: Key, index: Integer) -> T | None:
        """Return the element at `index` in the list stored at `key`."""
    @overload
    async def lpos(
        self,
        key: Key,
        value: Value,
        rank: Integer | None = ...,
        count: None = ...,
        maxlen: Integer | None = ...,
    ) -> int | None:
        """Return the index of the first element equal to `value` in the list stored at `key`."""
    @overload
    async def lpos(
        self,
        key: Key,
        value: Value,
        rank: Integer | None = ...,
        count: Integer = ...,
        maxlen: Integer | None = ...,
    ) -> list[int]: ...
    async def lset(self, key: Key, index: Integer, value: Value) -> Status:
        """Replace the element at `index` in the list stored at `key` by `value`."""
    async def linsert(self, key: Key, where: str, refvalue: Value, value: Value) -> int:
        """Insert `value` before or after the first element equal to `refvalue`."""
    async def lrem(self, key: Key, count: Integer, value: Value) -> int:
        """Remove elements equal to `value` from the list stored at `key`."""
    async def ltrim(self, key: Key, start: Integer, end: Integer) -> Status:
        """Keep the elements from index `start` to `end` inclusive and remove all others."""
    async def zadd(
        self,
        key: Key,
        mapping: Mapping[Any, Float],
        nx: bool = ...,
        xx: bool = ...,
        ch: bool = ...,
        incr: bool = ...,
        gt: bool = ...,
        lt: bool = ...,
    ) -> int | float | None:
        """Set the scores of members and return the number of new members."""
    async def zincrby(self, key: Key, amount: Float, member: Field) -> float:
        """Add `amount` to the score of `member` and return the new score."""
    async def zrem(self, key: Key, *members: Many) -> int:
        """Remove `members` and return how many of them existed."""
    @overload
    async def zpopmin(self, key: Key, count: None = ...) -> list[Any]:
        """Remove the member with the lowest score and return it as [member, score]."""
    @overload
    async def zpopmin(self, key: Key, count: Integer) -> list[tuple[T, float]]: ...
    @overload
    async def zpopmax(self, key: Key, count: None = ...) -> list[Any]:
        """Remove the member with the highest score and return it as [member, score]."""
    @overload
    async def zpopmax(self, key: Key, count: Integer) -> list[tuple[T, float]]: ...
    async def zmpop(
        self,
        num_keys: Integer,
        keys: Many,
        min: bool = ...,
        max: bool = ...,
        count: Integer | None = ...,
    ) -> list[Any] | None:
        """Pop members from the first non-empty sorted set among `keys`."""
    async def zcard(self, key: Key) -> int:
        """Return the number of members."""
    async def zscore(self, key: Key, member: Field) -> float | None:
        """Return the score of `member` as float, or None if the member does not exist."""
    async def zmscore(self, key: Key, *members: Many) -> list[float | None]:
        """Return the scores of `members` as a list of floats, with None for each missing member."""
    @overload
    async def zrank(self, key: Key, member: Field, withscore: Literal[False] = ...) -> int | None:
        """Return the rank of `member`, counted from the lowest score, starting at 0."""
    @overload
    async def zrank(
        self, key: Key, member: Field, withscore: Literal[True]
    ) -> list[Any] | None: ...
    @overload
    async def zrank(self, key: Key, member: Field, withscore: bool) -> int | list[Any] | None: ...
    @overload
    async def zrevrank(
        self, key: Key, member: Field, withscore: Literal[False] = ...
    ) -> int | None:
        """Return the rank of `member`, counted from the highest score, starting at 0."""
    @overload
    async def zrevrank(
        self, key: Key, member: Field, withscore: Literal[True]
    ) -> list[Any] | None: ...
    @overload
    async def zrevrank(
        self, key: Key, member: Field, withscore: bool
    ) -> int | list[Any] | None: ...
    @overload
    async def zrandmember(self, key: Key, count: None = ...) -> T | None:
        """Return a random member, or None if the key does not exist."""
    @overload
    async def zrandmember(
        self, key: Key, count: Integer, withscores: Literal[False] = ...
    ) -> list[T]: ...
    @overload
    async def zrandmember(
        self, key: Key, count: Integer, withscores: Literal[True]
    ) -> list[tuple[T, float]]: ...
    @overload
    async def zrandmember(self, key: Key, count: Integer, withscores: bool) -> list[Any]: ...
    async def zscan(
        self,
        key: Key,
        cursor: Integer = ...,
        match: Value | None = ...,
        count: Integer | None = ...,
    ) -> list[Any]:
        """Iterate over the members step by step: return [next cursor, [(member, score), ...]]."""
    async def blpop(self, keys: Many, timeout: Float = ...) -> list[T] | None:
        """Pop the first element of the first list among `keys`, blocking until there is one."""
    async def brpop(self, keys: Many, timeout: Float = ...) -> list[T] | None:
        """Pop the last element of the first list among `keys`, blocking until there is one."""
    async def blmpop(
        self,
        timeout: Float,
        numkeys: Integer,
        *keys: Many,
        direction: str,
        count: Integer | None = ...,
    ) -> list[Any] | None:
        """Pop elements of the first list among `keys`, blocking until there is one."""
    async def blmove(
        self, source: Key, destination: Key, timeout: Float, src: str = ..., dest: str = ...
    ) -> T | None:
        """Move an element between the ends of two lists; block until there is one."""
    async def brpoplpush(self, source: Key, destination: Key, timeout: Float = ...) -> T | None:
        """Move the last element of `source` to the head of `destination`, blocking for it."""
    async def blmovem(
        self,
        source: Key,
        destination: Key,
        timeout: Float,
        src: str = ...,
        dest: str = ...,
        count: Integer | None = ...,
        exactly: Integer | None = ...,
        ordering: str | None = ...,
    ) -> list[T] | None:
        """Move several elements between the ends of two lists; block until `source` has enough."""
    async def bzpopmin(self, keys: Many, timeout: Float = ...) -> list[Any] | None:
        """Pop the member with the lowest score, blocking until there is one."""
    async def bzpopmax(self, keys: Many, timeout: Float = ...) -> list[Any] | None:
        """Pop the member with the highest score, blocking until there is one."""
    async def bzmpop(
        self,
        timeout: Float,
        numkeys: Integer,
        keys: Many,
        min: bool = ...,
        max: bool = ...,
        count: Integer | None = ...,
    ) -> list[Any] | None:
        """Pop members of the first sorted set among `keys`, blocking until there is one."""
    async def incr(self, key: Key, amount: Integer = ...) -> int:
        """Increment the integer stored at `key` by `amount` (default 1) and return the result."""
    async def incrby(self, key: Key, amount: Integer = ...) -> int:
        """Increment the integer stored at `key` by `amount` (default 1) and return the result."""
    async def decr(self, key: Key, amount: Integer = ...) -> int:
        """Decrement the integer stored at `key` by `amount` (default 1) and return the result."""
    async def decrby(self, key: Key, amount: Integer = ...) -> int:
        """Decrement the integer stored at `key` by `amount` (default 1) and return the result."""
    async def incrbyfloat(self, key: Key, amount: Float = ...) -> float:
        """Increment the number stored at `key` by the float `amount` and return the new value."""
    async def increx(
        self,
        key: Key,
        byint: Integer | None = ...,
        byfloat: Float | None = ...,
        saturate: bool = ...,
        lbound: Value | None = ...,
        ubound: Value | None = ...,
        ex: Span | None = ...,
        px: Span | None = ...,
        exat: Moment | None = ...,
        pxat: Moment | None = ...,
        persist: bool = ...,
        enx: bool = ...,
    ) -> list[Any]:
        """Increment the number stored at `key`, within bounds."""
    async def hset(
        self,
        key: Key,
        field: Field | None = ...,
        value: Value | None = ...,
        mapping: Mapping[Any, Value] | None = ...,
        items: Iterable[Any] | None = ...,
    ) -> int:
        """Set fields of the hash stored at `key`, overwriting existing values."""
    async def hmset(self, key: Key, mapping: Mapping[Any, Value]) -> Status:
        """Set all fields of `mapping` in the hash stored at `key`; superseded by HSET."""
    async def hsetnx(self, key: Key, field: Field, value: Value) -> int:
        """Set `field` of the hash stored at `key`, only if the field does not exist."""
    async def hget(self, key: Key, field: Field) -> T | None:
        """Return the value of `field` in the hash stored at `key`."""
    async def hmget(self, key: Key, *fields: Many) -> list[T | None]:
        """Return the values of `fields` in the hash stored at `key`, in order."""
    async def hgetall(self, key: Key) -> dict[T, T]:
        """Return all fields and values of the hash stored at `key` as a dict."""
    async def hkeys(self, key: Key) -> list[T]:
        """Return the names of all fields of the hash stored at `key` as a list."""
    async def hvals(self, key: Key) -> list[T]:
        """Return the values of all fields of the hash stored at `key` as a list."""
    async def hlen(self, key: Key) -> int:
        """Return the number of fields of the hash stored at `key`."""
    async def hexists(self, key: Key, field: Field) -> int:
        """Check whether the hash stored at `key` has `field`."""
    async def hstrlen(self, key: Key, field: Field) -> int:
        """Return the length in bytes of the value of `field` in the hash stored at `key`."""
    async def hdel(self, key: Key, *fields: Many) -> int:
        """Delete `fields` from the hash stored at `key`."""
    async def hgetdel(self, key: Key, *fields: Many) -> list[T | None]:
        """Return the values of `fields` in the hash stored at `key` and delete these fields."""
    async def hincrby(self, key: Key, field: Field, amount: Integer = ...) -> int:
        """Increment the integer in `field` by `amount` (default 1) and return the result."""
    async def hincrbyfloat(self, key: Key, field: Field, amount: Float = ...) -> float:
        """Increment the number in `field` by the float `amount` and return the new value."""
    @overload
    async def hrandfield(self, key: Key, count: None = ...) -> T | None:
        """Return one or more random fields of the hash stored at `key`."""
    @overload
    async def hrandfield(
        self, key: Key, count: Integer, withvalues: Literal[False] = ...
    ) -> list[T]: ...
    @overload
    async def hrandfield(
        self, key: Key, count: Integer, withvalues: Literal[True]
    ) -> list[tuple[T, T]]: ...
    @overload
    async def hrandfield(self, key: Key, count: Integer, withvalues: bool) -> list[Any]: ...
    async def hscan(
        self,
        key: Key,
        cursor: Integer = ...,
        match: Value | None = ...,
        count: Integer | None = ...,
        no_values: bool = ...,
    ) -> list[Any]:
        """Return one step of an iteration over the fields of the hash stored at `key`."""
    async def himport_prepare(self, fieldset_name: Key, *fields: Many) -> Status:
        """Define a named list of fields for HIMPORT SET in this session."""
    async def himport_set(self, key: Key, fieldset_name: Key, *values: Many) -> Status:
        """Store a hash with the fields of a prepared list and the given `values`."""
    async def himport_discard(self, fieldset_name: Key) -> int:
        """Delete the list of fields named `fieldset_name` from this session."""
    async def himport_discardall(self) -> int:
        """Delete all prepared lists of fields of this session and return their number."""
    async def delete(self, *keys: Many) -> int:
        """Delete `keys`, whatever type they hold."""
    async def unlink(self, *keys: Many) -> int:
        """Delete `keys`, whatever type they hold; the same as DEL."""
    async def exists(self, *keys: Many) -> int:
        """Return the number of `keys` that exist."""
    async def touch(self, *keys: Many) -> int:
        """Set the last access time of `keys` to now (see OBJECT IDLETIME)."""
    async def type(self, key: Key) -> Status:
        """Return the name of the type that `key` holds."""
    async def rename(self, key: Key, newkey: Key) -> Status:
        """Rename `key` to `newkey`, keeping its expiry and replacing an existing `newkey`."""
    async def renamenx(self, key: Key, newkey: Key) -> int:
        """Rename `key` to `newkey`, only if `newkey` does not exist."""
    async def copy(
        self,
        source: Key,
        destination: Key,
        destination_db: Integer | None = ...,
        replace: bool = ...,
    ) -> int:
        """Copy the value and expiry of key `source` to key `destination`."""
    async def move(self, key: Key, db: Integer) -> int:
        """Move `key` from the selected database to the database with number `db`."""
    async def expire(
        self, key: Key, time: Span, nx: bool = ..., xx: bool = ..., gt: bool = ..., lt: bool = ...
    ) -> int:
        """Let `key` expire after `time` seconds (or a timedelta)."""
    async def pexpire(
        self, key: Key, time: Span, nx: bool = ..., xx: bool = ..., gt: bool = ..., lt: bool = ...
    ) -> int:
        """Let `key` expire after `time` milliseconds (or a timedelta)."""
    async def expireat(
        self, key: Key, when: Moment, nx: bool = ..., xx: bool = ..., gt: bool = ..., lt: bool = ...
    ) -> int:
        """Let `key` expire at `when`, a Unix time in seconds (or a datetime)."""
    async def pexpireat(
        self, key: Key, when: Moment, nx: bool = ..., xx: bool = ..., gt: bool = ..., lt: bool = ...
    ) -> int:
        """Let `key` expire at `when`, a Unix time in milliseconds (or a datetime)."""
    async def persist(self, key: Key) -> int:
        """Remove the expiry of `key`."""
    async def ttl(self, key: Key) -> int:
        """Return the number of seconds until `key` expires, rounded."""
    async def pttl(self, key: Key) -> int:
        """Return the number of milliseconds until `key` expires."""
    async def expiretime(self, key: Key) -> int:
        """Return the Unix time in seconds at which `key` expires."""
    async def pexpiretime(self, key: Key) -> int:
        """Return the Unix time in milliseconds at which `key` expires."""
    async def keys(self, pattern: Value = ...) -> list[T]:
        """Return all keys that match the glob `pattern`, in no particular order."""
    async def scan(
        self,
        cursor: Integer = ...,
        match: Value | None = ...,
        count: Integer | None = ...,
        _type: Value | None = ...,
    ) -> list[Any]:
        """Return one step of an iteration over all keys of the database."""
    async def randomkey(self) -> T | None:
        """Return a random key of the database; all keys are equally likely."""
    async def object_encoding(self, key: Key) -> T | None:
        """Return the name of the encoding that Redis 7.4 would use for the value at `key`."""
    async def object_refcount(self, key: Key) -> int | None:
        """Return the reference count that Redis would report for the value at `key`."""
    async def object_idletime(self, key: Key) -> int | None:
        """Return the number of seconds since the last access to `key`."""
    async def object_freq(self, key: Key) -> int | None:
        """Return the access frequency of `key`, which only an LFU maxmemory policy records."""
    async def object_help(self) -> list[Status]:
        """Return the list of OBJECT subcommands as lines of text."""
    async def dump(self, key: Key) -> T | None:
        """Return the value stored at `key` in the serialized form that RESTORE reads."""
    async def restore(
        self,
        key: Key,
        ttl: Integer,
        value: Value,
        replace: bool = ...,
        absttl: bool = ...,
        idletime: Integer | None = ...,
        frequency: Integer | None = ...,
    ) -> Status:
        """Store `value`, the serialized form returned by DUMP, at `key`."""
    async def sort(
        self,
        key: Key,
        start: Integer | None = ...,
        num: Integer | None = ...,
        by: Value | None = ...,
        get: Value | list[Value] | None = ...,
        desc: bool = ...,
        alpha: bool = ...,
        store: Key | None = ...,
    ) -> list[T | None] | int:
        """Return the elements of the list, set or sorted set stored at `key`, sorted as numbers."""
    async def sort_ro(
        self,
        key: Key,
        start: Integer | None = ...,
        num: Integer | None = ...,
        by: Value | None = ...,
        get: Value | list[Value] | None = ...,
        desc: bool = ...,
        alpha: bool = ...,
    ) -> list[T | None]:
        """Return the sorted elements of a list, set or sorted set: SORT without STORE."""
    async def publish(self, channel: Key, message: Value) -> int:
        """Publish `message` to `channel` and return the number of deliveries."""
    async def spublish(self, shardchannel: Key, message: Value) -> int:
        """Publish `message` to a shard channel and return the number of deliveries."""
    async def subscribe_channels(self, *channels: Many) -> NoReply:
        """Subscribe the current connection to `channels`."""
    async def psubscribe_patterns(self, *patterns: Many) -> NoReply:
        """Subscribe the current connection to all channels that match one of `patterns`."""
    async def ssubscribe_channels(self, *shardchannels: Many) -> NoReply:
        """Subscribe the current connection to shard channels."""
    async def unsubscribe_channels(self, *channels: Many) -> NoReply:
        """Unsubscribe the current connection from `channels`, or from all channels."""
    async def punsubscribe_patterns(self, *patterns: Many) -> NoReply:
        """Unsubscribe the current connection from `patterns`, or from all patterns."""
    async def sunsubscribe_channels(self, *shardchannels: Many) -> NoReply:
        """Unsubscribe the current connection from shard channels, or from all of them."""
    async def pubsub_channels(self, pattern: Key | None = ...) -> list[T]:
        """Return the names of channels with at least one subscriber."""
    async def pubsub_numpat(self) -> int:
        """Return the number of distinct patterns that clients are subscribed to."""
    async def pubsub_numsub(self, *channels: Many) -> list[Any]:
        """Return the number of subscribers of each of `channels`: [channel, number, ...]."""
    async def pubsub_shardchannels(self, pattern: Key | None = ...) -> list[T]:
        """Return the names of shard channels with at least one subscriber."""
    async def pubsub_shardnumsub(self, *shardchannels: Many) -> list[Any]:
        """Return the number of subscribers of each shard channel: [channel, number, ...]."""
    async def pubsub_help(self) -> list[Status]:
        """Return the help text of PUBSUB as a list of lines."""
    async def acl_setuser(self, username: Key, *rules: Many) -> Status:
        """Create the user `username`, or change it, by applying access rules in order."""
    async def acl_deluser(self, *usernames: Many) -> int:
        """Delete users and close their connections."""
    async def acl_getuser(self, username: Key) -> dict[T, Any] | None:
        """Return the rules of a user as a dict, or None if the user does not exist."""
    async def acl_list(self) -> list[T]:
        """Return the rules of all users."""
    async def acl_users(self) -> list[T]:
        """Return the names of all users."""
    async def acl_whoami(self) -> T:
        """Return the name of the user that the current session is authenticated as."""
    async def acl_cat(self, category: Value | None = ...) -> list[T]:
        """Return the names of all command categories, or of the commands in one category."""
    async def acl_genpass(self, bits: Integer | None = ...) -> T:
        """Generate a random password as hexadecimal digits."""
    async def acl_log(self, count: Integer | None = ...) -> list[dict[T, Any]] | Status:
        """Return the latest denied commands and failed authentications, or clear the log."""
    async def acl_dryrun(self, username: Key, name: Key, *args: Key) -> Status | T:
        """Check whether a user may run a command, without running it."""
    async def acl_save(self) -> Status:
        """Write all users to the ACL file, replacing it atomically."""
    async def acl_load(self) -> Status:
        """Replace all users with those in the ACL file."""
    async def acl_help(self) -> list[Status]:
        """Return the help text of ACL as a list of lines."""
    async def ping(self, message: Value | None = ...) -> Status | T:
        """Return PONG, or `message` if it is given."""
    async def echo(self, message: Value) -> T:
        """Return `message`."""
    async def select(self, index: Integer) -> Status:
        """Select the database `index` for the current session."""
    async def hello(
        self,
        protover: Integer | None = ...,
        username: Key | None = ...,
        password: Key | None = ...,
        clientname: Key | None = ...,
    ) -> dict[T, Any]:
        """Switch the protocol version, optionally authenticate, and return server information."""
    async def auth(self, password: Key, username: Key | None = ...) -> Status:
        """Authenticate the current session."""
    async def reset(self) -> Status:
        """Reset the state of the current session."""
    async def quit(self, *args: Key) -> Status:
        """Close the current connection after replying OK; arguments are ignored."""
    async def monitor_commands(self) -> Any:
        """Send every command that the database runs to the current connection, as lines of text."""
    async def client_id(self) -> int:
        """Return the id of the current client."""
    async def client_getname(self) -> T | None:
        """Return the name of the current client set by CLIENT SETNAME, or None."""
    async def client_setname(self, name: Key) -> Status:
        """Set the name of the current client, which CLIENT LIST shows."""
    async def client_setinfo(self, attr: Key, value: Value) -> Status:
        """Set the name or the version of the client library, which CLIENT LIST shows."""
    async def client_no_evict(self, mode: str) -> Status:
        """Exempt the current connection from client eviction, or end the exemption."""
    async def client_no_touch(self, mode: str) -> Status:
        """Stop counting commands of the current client as use of keys, or count them again."""
    async def client_reply(self, reply: str) -> Any:
        """Switch the replies to the current connection on or off."""
    async def client_info(self) -> T:
        """Return the line of CLIENT LIST about the current client."""
    async def client_list(self, _type: str | None = ..., client_id: Many | None = ...) -> T:
        """Return information about clients as text, one line per client."""
    async def client_kill(
        self,
        address: Key | None = ...,
        *,
        id: Integer | None = ...,
        type: str | None = ...,
        user: Key | None = ...,
        addr: Key | None = ...,
        laddr: Key | None = ...,
        skipme: bool | str | None = ...,
        maxage: Integer | None = ...,
    ) -> int | Status:
        """Close the connection at an address, or all connections that match every filter."""
    async def client_unblock(self, client_id: Integer, error: bool = ...) -> int:
        """Unblock a client that is waiting in a blocking command."""
    async def client_pause(self, timeout: Integer, all: bool = ...) -> Status:
        """Suspend the commands of all clients for `timeout` milliseconds."""
    async def client_unpause(self) -> Status:
        """End a pause; suspended commands run now."""
    async def client_help(self) -> list[Status]:
        """Return the help text of CLIENT as a list of lines."""
    async def dbsize(self) -> int:
        """Return the number of keys in the selected database."""
    async def flushdb(self, asynchronous: bool = ..., sync: bool = ...) -> Status:
        """Delete all keys of the selected database."""
    async def flushall(self, asynchronous: bool = ..., sync: bool = ...) -> Status:
        """Delete all keys of all databases."""
    async def swapdb(self, index1: Integer, index2: Integer) -> Status:
        """Exchange the contents of two databases; all sessions see it at once."""
    async def time(self) -> list[T]:
        """Return the current time as [Unix time in seconds, microseconds of this second]."""
    async def config_get(self, *parameters: Many) -> dict[T, T]:
        """Return the names and values of configuration parameters as a dict."""
    async def config_set(
        self,
        name: Value | None = ...,
        value: Value | None = ...,
        mapping: dict[str, Value] | None = ...,
    ) -> Status:
        """Set configuration parameters."""
    async def config_resetstat(self) -> Status:
        """Set the counters of hits, misses and expired keys that INFO shows to 0."""
    async def config_help(self) -> list[Status]:
        """Return the help text of CONFIG as a list of lines."""
    async def save(self) -> Status:
        """Write a snapshot of all databases to the RDB file."""
    async def lastsave(self) -> int:
        """Return the time of the last snapshot as Unix time in seconds."""
    async def debug_object(self, key: Key) -> Status:
        """Describe how the value at `key` is stored, as text."""
    async def debug_sleep(self, seconds: Float) -> Status:
        """Block the whole database for `seconds` (a decimal number)."""
    async def debug_digest(self) -> Status:
        """Return a digest of all data as 40 hexadecimal digits."""
    async def debug_digest_value(self, *keys: Many) -> list[Status]:
        """Return a digest of the value at each of `keys`; zeros if the key does not exist."""
    async def debug_reload(
        self, nosave: bool = ..., noflush: bool = ..., merge: bool = ...
    ) -> Status:
        """Save all data and load it again, which recomputes all encodings."""
    async def info(self, *sections: Many) -> T:
        """Return information and statistics about the database, as text."""
    async def shutdown(
        self,
        save: bool = ...,
        nosave: bool = ...,
        now: bool = ...,
        force: bool = ...,
        abort: bool = ...,
    ) -> Any:
        """Stop the process that serves the database with `minidis serve`; the connection closes."""
    async def wait(self, num_replicas: Integer, timeout: Integer) -> Any:
        """Wait until `num_replicas` replicas have received the writes of the current session."""
    async def waitaof(self, num_local: Integer, num_replicas: Integer, timeout: Integer) -> Any:
        """Wait until the writes of the current session are synced to append-only files."""
    async def command(self) -> list[Any]:
        """Return information about all commands."""
    async def command_count(self) -> int:
        """Return the number of commands, not counting subcommands."""
    async def command_info(self, *names: Many) -> list[Any]:
        """Return information about the named commands, or all commands without names."""
    async def command_docs(self, *names: Many) -> dict[Any, Any]:
        """Return documentation of the named commands, or all commands without names."""
    async def command_list(
        self, module: Value | None = ..., category: Value | None = ..., pattern: Value | None = ...
    ) -> list[T]:
        """Return the names of all commands and subcommands."""
    async def command_getkeys(self, name: Key, *args: Key) -> list[T]:
        """Return the keys among the words of a command."""
    async def command_getkeysandflags(self, name: Key, *args: Key) -> list[Any]:
        """Return the keys among the words of a command, with the access flags of each."""
    async def command_help(self) -> list[Status]:
        """Return the help text of COMMAND as a list of lines."""
    async def client_tracking(
        self,
        switch: Value,
        redirect: Integer | None = ...,
        prefixes: Any = ...,
        bcast: bool = ...,
        optin: bool = ...,
        optout: bool = ...,
        noloop: bool = ...,
    ) -> Status:
        """Enable or disable invalidation messages for keys that the current client has read."""
    async def client_caching(self, mode: Value) -> Status:
        """Track the keys of the next command or transaction, or do not."""
    async def client_getredir(self) -> int:
        """Return the id of the client that receives the invalidations of the current client."""
    async def client_trackinginfo(self) -> dict[T, Any]:
        """Return the tracking options of the current client."""
    async def sadd(self, key: Key, *members: Many) -> int:
        """Add `members` to the set stored at `key`."""
    async def srem(self, key: Key, *members: Many) -> int:
        """Remove `members` from the set stored at `key`."""
    async def smove(self, source: Key, destination: Key, member: Value) -> int:
        """Move `member` from set `source` to set `destination`."""
    async def sismember(self, key: Key, member: Value) -> int:
        """Check whether the set stored at `key` contains `member`."""
    async def smismember(self, key: Key, *members: Many) -> list[int]:
        """Check for each of `members` whether the set stored at `key` contains it."""
    async def scard(self, key: Key) -> int:
        """Return the number of members of the set stored at `key`."""
    async def smembers(self, key: Key) -> builtins.set[T]:
        """Return all members of the set stored at `key` as a set."""
    @overload
    async def spop(self, key: Key, count: None = ...) -> T | None:
        """Remove and return a random member of the set stored at `key`."""
    @overload
    async def spop(self, key: Key, count: Integer) -> builtins.set[T]: ...
    @overload
    async def srandmember(self, key: Key, number: None = ...) -> T | None:
        """Return one or more random members of the set stored at `key`."""
    @overload
    async def srandmember(self, key: Key, number: Integer) -> list[T]: ...
    async def sscan(
        self,
        key: Key,
        cursor: Integer = ...,
        match: Value | None = ...,
        count: Integer | None = ...,
    ) -> list[Any]:
        """Return one step of an iteration over the members of the set stored at `key`."""
    async def sunion(self, *keys: Many) -> builtins.set[T]:
        """Return the union of the sets stored at `keys`: the members of at least one of them."""
    async def sinter(self, *keys: Many) -> builtins.set[T]:
        """Return the intersection of the sets stored at `keys`: the members of all of them."""
    async def sdiff(self, *keys: Many) -> builtins.set[T]:
        """Return the difference of the sets stored at `keys`: the members only in the first."""
    async def sunionstore(self, destination: Key, *keys: Many) -> int:
        """Store the union of the sets stored at `keys` in `destination`."""
    async def sinterstore(self, destination: Key, *keys: Many) -> int:
        """Store the intersection of the sets stored at `keys` in `destination`."""
    async def sdiffstore(self, destination: Key, *keys: Many) -> int:
        """Store the difference of the sets stored at `keys` (see SDIFF) in `destination`."""
    async def sintercard(self, numkeys: Integer, keys: Iterable[Key], limit: Integer = ...) -> int:
        """Return the number of members of the intersection of the sets stored at `keys`."""
    async def sunioncard(
        self, numkeys: Integer, keys: Iterable[Key], limit: Integer = ..., approx: bool = ...
    ) -> int:
        """Return the number of members of the union of the sets stored at `keys`."""
    async def sdiffcard(self, numkeys: Integer, keys: Iterable[Key], limit: Integer = ...) -> int:
        """Return the number of members of the difference of the sets stored at `keys` (SDIFF)."""
    async def zunion(
        self,
        keys: Many | Mapping[Any, Float],
        aggregate: str | None = ...,
        withscores: bool = ...,
        weights: Many | None = ...,
    ) -> list[Any]:
        """Return the union of the sorted sets at `keys`, lowest score first."""
    async def zunionstore(
        self,
        destination: Key,
        keys: Many | Mapping[Any, Float],
        aggregate: str | None = ...,
        weights: Many | None = ...,
    ) -> int:
        """Store the union of the sorted sets at `keys` in `destination`."""
    async def zinter(
        self,
        keys: Many | Mapping[Any, Float],
        aggregate: str | None = ...,
        withscores: bool = ...,
        weights: Many | None = ...,
    ) -> list[Any]:
        """Return the intersection of the sorted sets at `keys`, lowest score first."""
    async def zinterstore(
        self,
        destination: Key,
        keys: Many | Mapping[Any, Float],
        aggregate: str | None = ...,
        weights: Many | None = ...,
    ) -> int:
        """Store the intersection of the sorted sets at `keys` in `destination`."""
    async def zintercard(self, numkeys: Integer, keys: Many, limit: Integer = ...) -> int:
        """Return the number of members in the intersection of the sorted sets at `keys`."""
    async def zdiff(self, keys: Many, withscores: bool = ...) -> list[Any]:
        """Return the members of the first set at `keys` that are in none of the other sets."""
    async def zdiffstore(self, destination: Key, keys: Many) -> int:
        """Store the difference of the sorted sets at `keys` in `destination`."""
    async def zrangestore(
        self,
        destination: Key,
        source: Key,
        start: Value,
        end: Value,
        byscore: bool = ...,
        bylex: bool = ...,
        desc: bool = ...,
        offset: Integer | None = ...,
        num: Integer | None = ...,
    ) -> int:
        """Store a range of the sorted set at `source` in `destination`."""
    async def zcount(self, key: Key, min: Value, max: Value) -> int:
        """Return the number of members with a score between `min` and `max`, inclusive."""
    async def zlexcount(self, key: Key, min: Value, max: Value) -> int:
        """Return the number of members between `min` and `max` in byte order."""
    @overload
    async def zrange(
        self,
        key: Key,
        start: Value,
        end: Value,
        desc: bool = ...,
        withscores: Literal[False] = ...,
        byscore: bool = ...,
        bylex: bool = ...,
        offset: Integer | None = ...,
        num: Integer | None = ...,
    ) -> list[T]:
        """Return the members from `start` to `end`, inclusive, lowest score first."""
    @overload
    async def zrange(
        self,
        key: Key,
        start: Value,
        end: Value,
        desc: bool = ...,
        withscores: Literal[True] = ...,
        byscore: bool = ...,
        bylex: bool = ...,
        offset: Integer | None = ...,
        num: Integer | None = ...,
    ) -> list[tuple[T, float]]: ...
    @overload
    async def zrange(
        self,
        key: Key,
        start: Value,
        end: Value,
        desc: bool = ...,
        withscores: bool = ...,
        byscore: bool = ...,
        bylex: bool = ...,
        offset: Integer | None = ...,
        num: Integer | None = ...,
    ) -> list[Any]: ...
    @overload
    async def zrevrange(
        self, key: Key, start: Integer, end: Integer, withscores: Literal[False] = ...
    ) -> list[T]:
        """Return the members from rank `start` to `end`, inclusive, highest score first."""
    @overload
    async def zrevrange(
        self, key: Key, start: Integer, end: Integer, withscores: Literal[True]
    ) -> list[tuple[T, float]]: ...
    @overload
    async def zrevrange(
        self, key: Key, start: Integer, end: Integer, withscores: bool
    ) -> list[Any]: ...
    @overload
    async def zrangebyscore(
        self,
        key: Key,
        min: Value,
        max: Value,
        start: Integer | None = ...,
        num: Integer | None = ...,
        withscores: Literal[False] = ...,
    ) -> list[T]:
        """Return the members with a score between `min` and `max`, lowest score first."""
    @overload
    async def zrangebyscore(
        self,
        key: Key,
        min: Value,
        max: Value,
        start: Integer | None = ...,
        num: Integer | None = ...,
        withscores: Literal[True] = ...,
    ) -> list[tuple[T, float]]: ...
    @overload
    async def zrangebyscore(
        self,
        key: Key,
        min: Value,
        max: Value,
        start: Integer | None = ...,
        num: Integer | None = ...,
        withscores: bool = ...,
    ) -> list[Any]: ...
    @overload
    async def zrevrangebyscore(
        self,
        key: Key,
        max: Value,
        min: Value,
        start: Integer | None = ...,
        num: Integer | None = ...,
        withscores: Literal[False] = ...,
    ) -> list[T]:
        """Return the members with a score between `max` and `min`, highest score first."""
    @overload
    async def zrevrangebyscore(
        self,
        key: Key,
        max: Value,
        min: Value,
        start: Integer | None = ...,
        num: Integer | None = ...,
        withscores: Literal[True] = ...,
    ) -> list[tuple[T, float]]: ...
    @overload
    async def zrevrangebyscore(
        self,
        key: Key,
        max: Value,
        min: Value,
        start: Integer | None = ...,
        num: Integer | None = ...,
        withscores: bool = ...,
    ) -> list[Any]: ...
    async def zrangebylex(
        self,
        key: Key,
        min: Value,
        max: Value,
        start: Integer | None = ...,
        num: Integer | None = ...,
    ) -> list[T]:
        """Return the members between `min` and `max` in byte order."""
    async def zrevrangebylex(
        self,
        key: Key,
        max: Value,
        min: Value,
        start: Integer | None = ...,
        num: Integer | None = ...,
    ) -> list[T]:
        """Return the members between `max` and `min` in reverse byte order."""
    async def zremrangebyrank(self, key: Key, start: Integer, stop: Integer) -> int:
        """ZREMRANGEBYRANK: see its help."""
    async def zremrangebyscore(self, key: Key, min: Value, max: Value) -> int:
        """Remove the members with a score between `min` and `max` and return their number."""
    async def zremrangebylex(self, key: Key, min: Value, max: Value) -> int:
        """Remove the members between `min` and `max` in byte order and return their number."""
    async def xadd(
        self,
        key: Key,
        fields: Fields = ...,
        id: Id = ...,
        maxlen: Integer | None = ...,
        approximate: bool = ...,
        nomkstream: bool = ...,
        minid: Id | None = ...,
        limit: Integer | None = ...,
        ref_policy: str | None = ...,
    ) -> T | None:
        """Append an entry to the stream at `key` and return its id, such as b"5-1"."""
    async def xsetid(
        self,
        key: Key,
        last_id: Id,
        entries_added: Integer | None = ...,
        max_deleted_id: Id | None = ...,
    ) -> Status:
        """XSETID: see its help."""
    async def xlen(self, key: Key) -> int:
        """Return the number of entries in the stream at `key`, 0 if it does not exist."""
    async def xrange(
        self, key: Key, min: Id = ..., max: Id = ..., count: Integer | None = ...
    ) -> list[Any] | None:
        """Return the entries with ids from `min` to `max`, inclusive, lowest id first."""
    async def xrevrange(
        self, key: Key, max: Id = ..., min: Id = ..., count: Integer | None = ...
    ) -> list[Any] | None:
        """Return the entries with ids from `max` down to `min`, inclusive, highest id first."""
    async def xread(
        self,
        streams: Mapping[Key, Id],
        count: Integer | None = ...,
        block: Integer | None = ...,
        max_count: Integer | None = ...,
        max_size: Integer | None = ...,
    ) -> dict[T, list[Any]] | None:
        """Read the entries after a given id from one or more streams, optionally blocking."""
    async def xdel(self, key: Key, *ids: Many) -> int:
        """Delete the entries with these `ids` and return how many existed."""
    async def xdelex(self, key: Key, *ids: Many, ref_policy: str | None = ...) -> list[int]:
        """Delete the entries with these `ids`, with a policy for consumer groups."""
    async def xtrim(
        self,
        key: Key,
        maxlen: Integer | None = ...,
        approximate: bool = ...,
        minid: Id | None = ...,
        limit: Integer | None = ...,
        ref_policy: str | None = ...,
    ) -> int:
        """Remove the oldest entries of the stream at `key` and return their number."""
    async def xgroup_create(
        self,
        key: Key,
        groupname: Key,
        id: Id = ...,
        mkstream: bool = ...,
        entries_read: Integer | None = ...,
    ) -> Status:
        """Create a consumer group that reads the stream at `key` after `id`."""
    async def xgroup_setid(
        self, key: Key, groupname: Key, id: Id, entries_read: Integer | None = ...
    ) -> Status:
        """Set the id after which a consumer group goes on reading."""
    async def xgroup_destroy(self, key: Key, groupname: Key) -> int:
        """Delete a consumer group with its consumers and pending entries."""
    async def xgroup_createconsumer(self, key: Key, groupname: Key, consumername: Key) -> int:
        """Create a consumer in a group."""
    async def xgroup_delconsumer(self, key: Key, groupname: Key, consumername: Key) -> int:
        """Delete a consumer of a group with its pending entries."""
    async def xgroup_help(self) -> list[Status]:
        """Return the help text of XGROUP as a list of lines."""
    async def xreadgroup(
        self,
        groupname: Key,
        consumername: Key,
        streams: Mapping[Key, Id],
        count: Integer | None = ...,
        block: Integer | None = ...,
        noack: bool = ...,
        claim_min_idle_time: Integer | None = ...,
        max_count: Integer | None = ...,
        max_size: Integer | None = ...,
    ) -> dict[T, list[Any]] | None:
        """Read streams as a consumer of a group; each entry is delivered to one consumer."""
    async def xack(self, key: Key, groupname: Key, *ids: Many) -> int:
        """Acknowledge entries, so that they are no longer pending in the group."""
    async def xackdel(
        self, key: Key, groupname: Key, *ids: Many, ref_policy: str | None = ...
    ) -> list[int]:
        """Acknowledge entries in a group and delete them from the stream."""
    async def xnack(
        self,
        key: Key,
        groupname: Key,
        mode: str,
        *ids: Many,
        retrycount: Integer | None = ...,
        force: bool = ...,
    ) -> int:
        """Release pending entries so that other consumers can claim them at once."""
    async def xclaim(
        self,
        key: Key,
        groupname: Key,
        consumername: Key,
        min_idle_time: Integer,
        message_ids: Iterable[Value],
        idle: Integer | None = ...,
        time: Integer | None = ...,
        retrycount: Integer | None = ...,
        force: bool = ...,
        justid: bool = ...,
        lastid: Id | None = ...,
    ) -> list[Any]:
        """Make a consumer the owner of pending entries that have been idle long enough."""
    async def xautoclaim(
        self,
        key: Key,
        groupname: Key,
        consumername: Key,
        min_idle_time: Integer,
        start_id: Id = ...,
        count: Integer | None = ...,
        justid: bool = ...,
    ) -> list[Any]:
        """Make a consumer the owner of idle pending entries, scanning them from `start_id`."""
    async def xpending(
        self,
        key: Key,
        groupname: Key,
        min: Id | None = ...,
        max: Id | None = ...,
        count: Integer | None = ...,
        consumername: Key | None = ...,
        idle: Integer | None = ...,
    ) -> list[Any]:
        """Return the pending entries of a consumer group: a summary, or a list of entries."""
    async def xinfo_stream(
        self, key: Key, full: bool = ..., count: Integer | None = ...
    ) -> dict[T, Any]:
        """Return information about the stream at `key` as a dict."""
    async def xinfo_groups(self, key: Key) -> list[dict[T, Any]]:
        """Return information about the consumer groups of the stream at `key`."""
    async def xinfo_consumers(self, key: Key, groupname: Key) -> list[dict[T, Any]]:
        """Return information about the consumers of a group."""
    async def xinfo_help(self) -> list[Status]:
        """Return the help text of XINFO as a list of lines."""
    async def append(self, key: Key, value: Value) -> int:
        """Append `value` to the string stored at `key` and return the new length in bytes."""
    async def setrange(self, key: Key, offset: Integer, value: Value) -> int:
        """Overwrite the string stored at `key` from byte `offset` on, and return its new length."""
    async def getrange(self, key: Key, start: Integer, end: Integer) -> T:
        """Return the bytes of the string at `key` from index `start` to `end`, both included."""
    async def substr(self, key: Key, start: Integer, end: Integer = ...) -> T:
        """Return a part of the string stored at `key`: GETRANGE under its former name."""
    async def lcs(
        self,
        key1: Key,
        key2: Key,
        len: bool = ...,
        idx: bool = ...,
        minmatchlen: Integer | None = ...,
        withmatchlen: bool = ...,
    ) -> Any:
        """Return the longest common subsequence of the strings stored at `key1` and `key2`."""
    async def get(self, key: Key) -> T | None:
        """Return the string stored at `key`."""
    async def set(
        self,
        key: Key,
        value: Value,
        ex: Span | None = ...,
        px: Span | None = ...,
        nx: bool = ...,
        xx: bool = ...,
        keepttl: bool = ...,
        get: bool = ...,
        exat: Moment | None = ...,
        pxat: Moment | None = ...,
        ifeq: Value | None = ...,
        ifne: Value | None = ...,
        ifdeq: Value | None = ...,
        ifdne: Value | None = ...,
    ) -> Status | T | None:
        """Store the string `value` at `key`, replacing any previous value and its expiry."""
    async def setnx(self, key: Key, value: Value) -> int:
        """Store `value` at `key`, only if the key does not exist; return 1 if stored, 0 if not."""
    async def setex(self, key: Key, time: Span, value: Value) -> Status:
        """Store `value` at `key` and let the key expire after `time` seconds (or a timedelta)."""
    async def psetex(self, key: Key, time_ms: Span, value: Value) -> Status:
        """The same as SETEX, with `time_ms` in milliseconds instead of seconds."""
    async def getset(self, key: Key, value: Value) -> T | None:
        """Store `value` at `key` and return the previous string, as SET with `get` does."""
    async def getdel(self, key: Key) -> T | None:
        """Return the string stored at `key`, as GET does, and delete the key."""
    async def getex(
        self,
        key: Key,
        ex: Span | None = ...,
        px: Span | None = ...,
        exat: Moment | None = ...,
        pxat: Moment | None = ...,
        persist: bool = ...,
    ) -> T | None:
        """Return the string stored at `key`, as GET does, and set or remove its expiry."""
    async def mget(self, *keys: Many) -> list[T | None]:
        """Return the strings stored at `keys`, with None for a missing key or another type."""
    async def mset(self, mapping: Mapping[Any, Value]) -> Status:
        """Set all keys of `mapping` in one step, replacing previous values and their expiries."""
    async def msetnx(self, mapping: Mapping[Any, Value]) -> int:
        """Store the values of `mapping` if none of the keys exists; return 1 if stored, else 0."""
    async def msetex(
        self,
        mapping: Mapping[Any, Value],
        nx: bool = ...,
        xx: bool = ...,
        ex: Span | None = ...,
        px: Span | None = ...,
        exat: Moment | None = ...,
        pxat: Moment | None = ...,
        keepttl: bool = ...,
    ) -> int:
        """Store each value of `mapping` at its key, with the same expiry for all keys."""
    async def strlen(self, key: Key) -> int:
        """Return the length in bytes of the string stored at `key`."""
    async def digest(self, key: Key) -> T | None:
        """Return the XXH3 hash of the string stored at `key` as 16 hexadecimal digits."""
    async def delex(
        self,
        key: Key,
        ifeq: Value | None = ...,
        ifne: Value | None = ...,
        ifdeq: Value | None = ...,
        ifdne: Value | None = ...,
    ) -> int:
        """Delete `key`, only if its value meets the condition."""
    async def multi(self) -> Status:
        """Start a transaction: the following commands of this session are queued until EXEC."""
    async def exec(self) -> list[Any] | None:
        """Run the queued commands atomically and return their results as a list."""
    async def discard(self) -> Status:
        """Cancel the transaction: discard the queued commands and the watched keys."""
    async def watch(self, *keys: Many) -> Status:
        """Watch `keys`: the next EXEC of this session returns None if one of them has changed."""
    async def unwatch(self) -> Status:
        """Stop watching all keys."""

class QueuedCommands(Generic[T]):
    """Every command that a pipeline can queue."""

    _session: Session[T]

    def lmove(
        self, source: Key, destination: Key, src: str = ..., dest: str = ...
    ) -> QueuedCall[T, T | None]: ...
    def rpoplpush(self, source: Key, destination: Key) -> QueuedCall[T, T | None]: ...
    def lmovem(
        self,
        source: Key,
        destination: Key,
        src: str = ...,
        dest: str = ...,
        count: Integer | None = ...,
        exactly: Integer | None = ...,
        ordering: str | None = ...,
    ) -> QueuedCall[T, list[T] | None]: ...
    def lpush(self, key: Key, *values: Many) -> QueuedCall[T, int]: ...
    def rpush(self, key: Key, *values: Many) -> QueuedCall[T, int]: ...
    def lpushx(self, key: Key, *values: Many) -> QueuedCall[T, int]: ...
    def rpushx(self, key: Key, *values: Many) -> QueuedCall[T, int]: ...
    @overload
    def lpop(self, key: Key, count: None = ...) -> QueuedCall[T, T | None]: ...
    @overload
    def lpop(self, key: Key, count: Integer) -> QueuedCall[T, list[T] | None]: ...
    @overload
    def rpop(self, key: Key, count: None = ...) -> QueuedCall[T, T | None]: ...
    @overload
    def rpop(self, key: Key, count: Integer) -> QueuedCall[T, list[T] | None]: ...
    def lmpop(
        self, num_keys: Integer, *keys: Many, direction: str, count: Integer | None = ...
    ) -> QueuedCall[T, list[Any] | None]: ...
    def llen(self, key: Key) -> QueuedCall[T, int]: ...
    def lrange(self, key: Key, start: Integer, end: Integer) -> QueuedCall[T, list[T]]: ...
    def lindex(self, key: Key, index: Integer) -> QueuedCall[T, T | None]: ...
    @overload
    def lpos(
        self,
        key: Key,
        value: Value,
        rank: Integer | None = ...,
        count: None = ...,
        maxlen: Integer | None = ...,
    ) -> QueuedCall[T, int | None]: ...
    @overload
    def lpos(
        self,
        key: Key,
        value: Value,
        rank: Integer | None = ...,
        count: Integer = ...,
        maxlen: Integer | None = ...,
    ) -> QueuedCall[T, list[int]]: ...
    def lset(self, key: Key, index: Integer, value: Value) -> QueuedCall[T, Status]: ...
    def linsert(
        self, key: Key, where: str, refvalue: Value, value: Value
    ) -> QueuedCall[T, int]: ...
    def lrem(self, key: Key, count: Integer, value: Value) -> QueuedCall[T, int]: ...
    def ltrim(self, key: Key, start: Integer, end: Integer) -> QueuedCall[T, Status]: ...
    def zadd(
        self,
        key: Key,
        mapping: Mapping[Any, Float],
        nx: bool = ...,
        xx: bool = ...,
        ch: bool = ...,
        incr: bool = ...,
        gt: bool = ...,
        lt: bool = ...,
    ) -> QueuedCall[T, int | float | None]: ...
    def zincrby(self, key: Key, amount: Float, member: Field) -> QueuedCall[T, float]: ...
    def zrem(self, key: Key, *members: Many) -> QueuedCall[T, int]: ...
    @overload
    def zpopmin(self, key: Key, count: None = ...) -> QueuedCall[T, list[Any]]: ...
    @overload
    def zpopmin(self, key: Key, count: Integer) -> QueuedCall[T, list[tuple[T, float]]]: ...
    @overload
    def zpopmax(self, key: Key, count: None = ...) -> QueuedCall[T, list[Any]]: ...
    @overload
    def zpopmax(self, key: Key, count: Integer) -> QueuedCall[T, list[tuple[T, float]]]: ...
    def zmpop(
        self,
        num_keys: Integer,
        keys: Many,
        min: bool = ...,
        max: bool = ...,
        count: Integer | None = ...,
    ) -> QueuedCall[T, list[Any] | None]: ...
    def zcard(self, key: Key) -> QueuedCall[T, int]: ...
    def zscore(self, key: Key, member: Field) -> QueuedCall[T, float | None]: ...
    def zmscore(self, key: Key, *members: Many) -> QueuedCall[T, list[float | None]]: ...
    @overload
    def zrank(
        self, key: Key, member: Field, withscore: Literal[False] = ...
    ) -> QueuedCall[T, int | None]: ...
    @overload
    def zrank(
        self, key: Key, member: Field, withscore: Literal[True]
    ) -> QueuedCall[T, list[Any] | None]: ...
    @overload
    def zrank(
        self, key: Key, member: Field, withscore: bool
    ) -> QueuedCall[T, int | list[Any] | None]: ...
    @overload
    def zrevrank(
        self, key: Key, member: Field, withscore: Literal[False] = ...
    ) -> QueuedCall[T, int | None]: ...
    @overload
    def zrevrank(
        self, key: Key, member: Field, withscore: Literal[True]
    ) -> QueuedCall[T, list[Any] | None]: ...
    @overload
    def zrevrank(
        self, key: Key, member: Field, withscore: bool
    ) -> QueuedCall[T, int | list[Any] | None]: ...
    @overload
    def zrandmember(self, key: Key, count: None = ...) -> QueuedCall[T, T | None]: ...
    @overload
    def zrandmember(
        self, key: Key, count: Integer, withscores: Literal[False] = ...
    ) -> QueuedCall[T, list[T]]: ...
    @overload
    def zrandmember(
        self, key: Key, count: Integer, withscores: Literal[True]
    ) -> QueuedCall[T, list[tuple[T, float]]]: ...
    @overload
    def zrandmember(
        self, key: Key, count: Integer, withscores: bool
    ) -> QueuedCall[T, list[Any]]: ...
    def zscan(
        self,
        key: Key,
        cursor: Integer = ...,
        match: Value | None = ...,
        count: Integer | None = ...,
    ) -> QueuedCall[T, list[Any]]: ...
    def blpop(self, keys: Many, timeout: Float = ...) -> QueuedCall[T, list[T] | None]: ...
    def brpop(self, keys: Many, timeout: Float = ...) -> QueuedCall[T, list[T] | None]: ...
    def blmpop(
        self,
        timeout: Float,
        numkeys: Integer,
        *keys: Many,
        direction: str,
        count: Integer | None = ...,
    ) -> QueuedCall[T, list[Any] | None]: ...
    def blmove(
        self, source: Key, destination: Key, timeout: Float, src: str = ..., dest: str = ...
    ) -> QueuedCall[T, T | None]: ...
    def brpoplpush(
        self, source: Key, destination: Key, timeout: Float = ...
    ) -> QueuedCall[T, T | None]: ...
    def blmovem(
        self,
        source: Key,
        destination: Key,
        timeout: Float,
        src: str = ...,
        dest: str = ...,
        count: Integer | None = ...,
        exactly: Integer | None = ...,
        ordering: str | None = ...,
    ) -> QueuedCall[T, list[T] | None]: ...
    def bzpopmin(self, keys: Many, timeout: Float = ...) -> QueuedCall[T, list[Any] | None]: ...
    def bzpopmax(self, keys: Many, timeout: Float = ...) -> QueuedCall[T, list[Any] | None]: ...
    def bzmpop(
        self,
        timeout: Float,
        numkeys: Integer,
        keys: Many,
        min: bool = ...,
        max: bool = ...,
        count: Integer | None = ...,
    ) -> QueuedCall[T, list[Any] | None]: ...
    def incr(self, key: Key, amount: Integer = ...) -> QueuedCall[T, int]: ...
    def incrby(self, key: Key, amount: Integer = ...) -> QueuedCall[T, int]: ...
    def decr(self, key: Key, amount: Integer = ...) -> QueuedCall[T, int]: ...
    def decrby(self, key: Key, amount: Integer = ...) -> QueuedCall[T, int]: ...
    def incrbyfloat(self, key: Key, amount: Float = ...) -> QueuedCall[T, float]: ...
    def increx(
        self,
        key: Key,
        byint: Integer | None = ...,
        byfloat: Float | None = ...,
        saturate: bool = ...,
        lbound: Value | None = ...,
        ubound: Value | None = ...,
        ex: Span | None = ...,
        px: Span | None = ...,
        exat: Moment | None = ...,
        pxat: Moment | None = ...,
        persist: bool = ...,
        enx: bool = ...,
    ) -> QueuedCall[T, list[Any]]: ...
    def hset(
        self,
        key: Key,
        field: Field | None = ...,
        value: Value | None = ...,
        mapping: Mapping[Any, Value] | None = ...,
        items: Iterable[Any] | None = ...,
    ) -> QueuedCall[T, int]: ...
    def hmset(self, key: Key, mapping: Mapping[Any, Value]) -> QueuedCall[T, Status]: ...
    def hsetnx(self, key: Key, field: Field, value: Value) -> QueuedCall[T, int]: ...
    def hget(self, key: Key, field: Field) -> QueuedCall[T, T | None]: ...
    def hmget(self, key: Key, *fields: Many) -> QueuedCall[T, list[T | None]]: ...
    def hgetall(self, key: Key) -> QueuedCall[T, dict[T, T]]: ...
    def hkeys(self, key: Key) -> QueuedCall[T, list[T]]: ...
    def hvals(self, key: Key) -> QueuedCall[T, list[T]]: ...
    def hlen(self, key: Key) -> QueuedCall[T, int]: ...
    def hexists(self, key: Key, field: Field) -> QueuedCall[T, int]: ...
    def hstrlen(self, key: Key, field: Field) -> QueuedCall[T, int]: ...
    def hdel(self, key: Key, *fields: Many) -> QueuedCall[T, int]: ...
    def hgetdel(self, key: Key, *fields: Many) -> QueuedCall[T, list[T | None]]: ...
    def hincrby(self, key: Key, field: Field, amount: Integer = ...) -> QueuedCall[T, int]: ...
    def hincrbyfloat(self, key: Key, field: Field, amount: Float = ...) -> QueuedCall[T, float]: ...
    @overload
    def hrandfield(self, key: Key, count: None = ...) -> QueuedCall[T, T | None]: ...
    @overload
    def hrandfield(
        self, key: Key, count: Integer, withvalues: Literal[False] = ...
    ) -> QueuedCall[T, list[T]]: ...
    @overload
    def hrandfield(
        self, key: Key, count: Integer, withvalues: Literal[True]
    ) -> QueuedCall[T, list[tuple[T, T]]]: ...
    @overload
    def hrandfield(
        self, key: Key, count: Integer, withvalues: bool
    ) -> QueuedCall[T, list[Any]]: ...
    def hscan(
        self,
        key: Key,
        cursor: Integer = ...,
        match: Value | None = ...,
        count: Integer | None = ...,
        no_values: bool = ...,
    ) -> QueuedCall[T, list[Any]]: ...
    def himport_prepare(self, fieldset_name: Key, *fields: Many) -> QueuedCall[T, Status]: ...
    def himport_set(self, key: Key, fieldset_name: Key, *values: Many) -> QueuedCall[T, Status]: ...
    def himport_discard(self, fieldset_name: Key) -> QueuedCall[T, int]: ...
    def himport_discardall(self) -> QueuedCall[T, int]: ...
    def delete(self, *keys: Many) -> QueuedCall[T, int]: ...
    def unlink(self, *keys: Many) -> QueuedCall[T, int]: ...
    def exists(self, *keys: Many) -> QueuedCall[T, int]: ...
    def touch(self, *keys: Many) -> QueuedCall[T, int]: ...
    def type(self, key: Key) -> QueuedCall[T, Status]: ...
    def rename(self, key: Key, newkey: Key) -> QueuedCall[T, Status]: ...
    def renamenx(self, key: Key, newkey: Key) -> QueuedCall[T, int]: ...
    def copy(
        self,
        source: Key,
        destination: Key,
        destination_db: Integer | None = ...,
        replace: bool = ...,
    ) -> QueuedCall[T, int]: ...
    def move(self, key: Key, db: Integer) -> QueuedCall[T, int]: ...
    def expire(
        self, key: Key, time: Span, nx: bool = ..., xx: bool = ..., gt: bool = ..., lt: bool = ...
    ) -> QueuedCall[T, int]: ...
    def pexpire(
        self, key: Key, time: Span, nx: bool = ..., xx: bool = ..., gt: bool = ..., lt: bool = ...
    ) -> QueuedCall[T, int]: ...
    def expireat(
        self, key: Key, when: Moment, nx: bool = ..., xx: bool = ..., gt: bool = ..., lt: bool = ...
    ) -> QueuedCall[T, int]: ...
    def pexpireat(
        self, key: Key, when: Moment, nx: bool = ..., xx: bool = ..., gt: bool = ..., lt: bool = ...
    ) -> QueuedCall[T, int]: ...
    def persist(self, key: Key) -> QueuedCall[T, int]: ...
    def ttl(self, key: Key) -> QueuedCall[T, int]: ...
    def pttl(self, key: Key) -> QueuedCall[T, int]: ...
    def expiretime(self, key: Key) -> QueuedCall[T, int]: ...
    def pexpiretime(self, key: Key) -> QueuedCall[T, int]: ...
    def keys(self, pattern: Value = ...) -> QueuedCall[T, list[T]]: ...
    def scan(
        self,
        cursor: Integer = ...,
        match: Value | None = ...,
        count: Integer | None = ...,
        _type: Value | None = ...,
    ) -> QueuedCall[T, list[Any]]: ...
    def randomkey(self) -> QueuedCall[T, T | None]: ...
    def object_encoding(self, key: Key) -> QueuedCall[T, T | None]: ...
    def object_refcount(self, key: Key) -> QueuedCall[T, int | None]: ...
    def object_idletime(self, key: Key) -> QueuedCall[T, int | None]: ...
    def object_freq(self, key: Key) -> QueuedCall[T, int | None]: ...
    def object_help(self) -> QueuedCall[T, list[Status]]: ...
    def dump(self, key: Key) -> QueuedCall[T, T | None]: ...
    def restore(
        self,
        key: Key,
        ttl: Integer,
        value: Value,
        replace: bool = ...,
        absttl: bool = ...,
        idletime: Integer | None = ...,
        frequency: Integer | None = ...,
    ) -> QueuedCall[T, Status]: ...
    def sort(
        self,
        key: Key,
        start: Integer | None = ...,
        num: Integer | None = ...,
        by: Value | None = ...,
        get: Value | list[Value] | None = ...,
        desc: bool = ...,
        alpha: bool = ...,
        store: Key | None = ...,
    ) -> QueuedCall[T, list[T | None] | int]: ...
    def sort_ro(
        self,
        key: Key,
        start: Integer | None = ...,
        num: Integer | None = ...,
        by: Value | None = ...,
        get: Value | list[Value] | None = ...,
        desc: bool = ...,
        alpha: bool = ...,
    ) -> QueuedCall[T, list[T | None]]: ...
    def publish(self, channel: Key, message: Value) -> QueuedCall[T, int]: ...
    def spublish(self, shardchannel: Key, message: Value) -> QueuedCall[T, int]: ...
    def subscribe_channels(self, *channels: Many) -> QueuedCall[T, NoReply]: ...
    def psubscribe_patterns(self, *patterns: Many) -> QueuedCall[T, NoReply]: ...
    def ssubscribe_channels(self, *shardchannels: Many) -> QueuedCall[T, NoReply]: ...
    def unsubscribe_channels(self, *channels: Many) -> QueuedCall[T, NoReply]: ...
    def punsubscribe_patterns(self, *patterns: Many) -> QueuedCall[T, NoReply]: ...
    def sunsubscribe_channels(self, *shardchannels: Many) -> QueuedCall[T, NoReply]: ...
    def pubsub_channels(self, pattern: Key | None = ...) -> QueuedCall[T, list[T]]: ...
    def pubsub_numpat(self) -> QueuedCall[T, int]: ...
    def pubsub_numsub(self, *channels: Many) -> QueuedCall[T, list[Any]]: ...
    def pubsub_shardchannels(self, pattern: Key | None = ...) -> QueuedCall[T, list[T]]: ...
    def pubsub_shardnumsub(self, *shardchannels: Many) -> QueuedCall[T, list[Any]]: ...
    def pubsub_help(self) -> QueuedCall[T, list[Status]]: ...
    def acl_setuser(self, username: Key, *rules: Many) -> QueuedCall[T, Status]: ...
    def acl_deluser(self, *usernames: Many) -> QueuedCall[T, int]: ...
    def acl_getuser(self, username: Key) -> QueuedCall[T, dict[T, Any] | None]: ...
    def acl_list(self) -> QueuedCall[T, list[T]]: ...
    def acl_users(self) -> QueuedCall[T, list[T]]: ...
    def acl_whoami(self) -> QueuedCall[T, T]: ...
    def acl_cat(self, category: Value | None = ...) -> QueuedCall[T, list[T]]: ...
    def acl_genpass(self, bits: Integer | None = ...) -> QueuedCall[T, T]: ...
    def acl_log(
        self, count: Integer | None = ...
    ) -> QueuedCall[T, list[dict[T, Any]] | Status]: ...
    def acl_dryrun(self, username: Key, name: Key, *args: Key) -> QueuedCall[T, Status | T]: ...
    def acl_save(self) -> QueuedCall[T, Status]: ...
    def acl_load(self) -> QueuedCall[T, Status]: ...
    def acl_help(self) -> QueuedCall[T, list[Status]]: ...
    def ping(self, message: Value | None = ...) -> QueuedCall[T, Status | T]: ...
    def echo(self, message: Value) -> QueuedCall[T, T]: ...
    def select(self, index: Integer) -> QueuedCall[T, Status]: ...
    def hello(
        self,
        protover: Integer | None = ...,
        username: Key | None = ...,
        password: Key | None = ...,
        clientname: Key | None = ...,
    ) -> QueuedCall[T, dict[T, Any]]: ...
    def auth(self, password: Key, username: Key | None = ...) -> QueuedCall[T, Status]: ...
    def monitor_commands(self) -> QueuedCall[T, Any]: ...
    def client_id(self) -> QueuedCall[T, int]: ...
    def client_getname(self) -> QueuedCall[T, T | None]: ...
    def client_setname(self, name: Key) -> QueuedCall[T, Status]: ...
    def client_setinfo(self, attr: Key, value: Value) -> QueuedCall[T, Status]: ...
    def client_no_evict(self, mode: str) -> QueuedCall[T, Status]: ...
    def client_no_touch(self, mode: str) -> QueuedCall[T, Status]: ...
    def client_reply(self, reply: str) -> QueuedCall[T, Any]: ...
    def client_info(self) -> QueuedCall[T, T]: ...
    def client_list(
        self, _type: str | None = ..., client_id: Many | None = ...
    ) -> QueuedCall[T, T]: ...
    def client_kill(
        self,
        address: Key | None = ...,
        *,
        id: Integer | None = ...,
        type: str | None = ...,
        user: Key | None = ...,
        addr: Key | None = ...,
        laddr: Key | None = ...,
        skipme: bool | str | None = ...,
        maxage: Integer | None = ...,
    ) -> QueuedCall[T, int | Status]: ...
    def client_unblock(self, client_id: Integer, error: bool = ...) -> QueuedCall[T, int]: ...
    def client_pause(self, timeout: Integer, all: bool = ...) -> QueuedCall[T, Status]: ...
    def client_unpause(self) -> QueuedCall[T, Status]: ...
    def client_help(self) -> QueuedCall[T, list[Status]]: ...
    def dbsize(self) -> QueuedCall[T, int]: ...
    def flushdb(self, asynchronous: bool = ..., sync: bool = ...) -> QueuedCall[T, Status]: ...
    def flushall(self, asynchronous: bool = ..., sync: bool = ...) -> QueuedCall[T, Status]: ...
    def swapdb(self, index1: Integer, index2: Integer) -> QueuedCall[T, Status]: ...
    def time(self) -> QueuedCall[T, list[T]]: ...
    def config_get(self, *parameters: Many) -> QueuedCall[T, dict[T, T]]: ...
    def config_set(
        self,
        name: Value | None = ...,
        value: Value | None = ...,
        mapping: dict[str, Value] | None = ...,
    ) -> QueuedCall[T, Status]: ...
    def config_resetstat(self) -> QueuedCall[T, Status]: ...
    def config_help(self) -> QueuedCall[T, list[Status]]: ...
    def save(self) -> QueuedCall[T, Status]: ...
    def lastsave(self) -> QueuedCall[T, int]: ...
    def debug_object(self, key: Key) -> QueuedCall[T, Status]: ...
    def debug_sleep(self, seconds: Float) -> QueuedCall[T, Status]: ...
    def debug_digest(self) -> QueuedCall[T, Status]: ...
    def debug_digest_value(self, *keys: Many) -> QueuedCall[T, list[Status]]: ...
    def debug_reload(
        self, nosave: bool = ..., noflush: bool = ..., merge: bool = ...
    ) -> QueuedCall[T, Status]: ...
    def info(self, *sections: Many) -> QueuedCall[T, T]: ...
    def shutdown(
        self,
        save: bool = ...,
        nosave: bool = ...,
        now: bool = ...,
        force: bool = ...,
        abort: bool = ...,
    ) -> QueuedCall[T, Any]: ...
    def wait(self, num_replicas: Integer, timeout: Integer) -> QueuedCall[T, Any]: ...
    def waitaof(
        self, num_local: Integer, num_replicas: Integer, timeout: Integer
    ) -> QueuedCall[T, Any]: ...
    def command(self) -> QueuedCall[T, list[Any]]: ...
    def command_count(self) -> QueuedCall[T, int]: ...
    def command_info(self, *names: Many) -> QueuedCall[T, list[Any]]: ...
    def command_docs(self, *names: Many) -> QueuedCall[T, dict[Any, Any]]: ...
    def command_list(
        self, module: Value | None = ..., category: Value | None = ..., pattern: Value | None = ...
    ) -> QueuedCall[T, list[T]]: ...
    def command_getkeys(self, name: Key, *args: Key) -> QueuedCall[T, list[T]]: ...
    def command_getkeysandflags(self, name: Key, *args: Key) -> QueuedCall[T, list[Any]]: ...
    def command_help(self) -> QueuedCall[T, list[Status]]: ...
    def client_tracking(
        self,
        switch: Value,
        redirect: Integer | None = ...,
        prefixes: Any = ...,
        bcast: bool = ...,
        optin: bool = ...,
        optout: bool = ...,
        noloop: bool = ...,
    ) -> QueuedCall[T, Status]: ...
    def client_caching(self, mode: Value) -> QueuedCall[T, Status]: ...
    def client_getredir(self) -> QueuedCall[T, int]: ...
    def client_trackinginfo(self) -> QueuedCall[T, dict[T, Any]]: ...
    def sadd(self, key: Key, *members: Many) -> QueuedCall[T, int]: ...
    def srem(self, key: Key, *members: Many) -> QueuedCall[T, int]: ...
    def smove(self, source: Key, destination: Key, member: Value) -> QueuedCall[T, int]: ...
    def sismember(self, key: Key, member: Value) -> QueuedCall[T, int]: ...
    def smismember(self, key: Key, *members: Many) -> QueuedCall[T, list[int]]: ...
    def scard(self, key: Key) -> QueuedCall[T, int]: ...
    def smembers(self, key: Key) -> QueuedCall[T, builtins.set[T]]: ...
    @overload
    def spop(self, key: Key, count: None = ...) -> QueuedCall[T, T | None]: ...
    @overload
    def spop(self, key: Key, count: Integer) -> QueuedCall[T, builtins.set[T]]: ...
    @overload
    def srandmember(self, key: Key, number: None = ...) -> QueuedCall[T, T | None]: ...
    @overload
    def srandmember(self, key: Key, number: Integer) -> QueuedCall[T, list[T]]: ...
    def sscan(
        self,
        key: Key,
        cursor: Integer = ...,
        match: Value | None = ...,
        count: Integer | None = ...,
    ) -> QueuedCall[T, list[Any]]: ...
    def sunion(self, *keys: Many) -> QueuedCall[T, builtins.set[T]]: ...
    def sinter(self, *keys: Many) -> QueuedCall[T, builtins.set[T]]: ...
    def sdiff(self, *keys: Many) -> QueuedCall[T, builtins.set[T]]: ...
    def sunionstore(self, destination: Key, *keys: Many) -> QueuedCall[T, int]: ...
    def sinterstore(self, destination: Key, *keys: Many) -> QueuedCall[T, int]: ...
    def sdiffstore(self, destination: Key, *keys: Many) -> QueuedCall[T, int]: ...
    def sintercard(
        self, numkeys: Integer, keys: Iterable[Key], limit: Integer = ...
    ) -> QueuedCall[T, int]: ...
    def sunioncard(
        self, numkeys: Integer, keys: Iterable[Key], limit: Integer = ..., approx: bool = ...
    ) -> QueuedCall[T, int]: ...
    def sdiffcard(
        self, numkeys: Integer, keys: Iterable[Key], limit: Integer = ...
    ) -> QueuedCall[T, int]: ...
    def zunion(
        self,
        keys: Many | Mapping[Any, Float],
        aggregate: str | None = ...,
        withscores: bool = ...,
        weights: Many | None = ...,
    ) -> QueuedCall[T, list[Any]]: ...
    def zunionstore(
        self,
        destination: Key,
        keys: Many | Mapping[Any, Float],
        aggregate: str | None = ...,
        weights: Many | None = ...,
    ) -> QueuedCall[T, int]: ...
    def zinter(
        self,
        keys: Many | Mapping[Any, Float],
        aggregate: str | None = ...,
        withscores: bool = ...,
        weights: Many | None = ...,
    ) -> QueuedCall[T, list[Any]]: ...
    def zinterstore(
        self,
        destination: Key,
        keys: Many | Mapping[Any, Float],
        aggregate: str | None = ...,
        weights: Many | None = ...,
    ) -> QueuedCall[T, int]: ...
    def zintercard(
        self, numkeys: Integer, keys: Many, limit: Integer = ...
    ) -> QueuedCall[T, int]: ...
    def zdiff(self, keys: Many, withscores: bool = ...) -> QueuedCall[T, list[Any]]: ...
    def zdiffstore(self, destination: Key, keys: Many) -> QueuedCall[T, int]: ...
    def zrangestore(
        self,
        destination: Key,
        source: Key,
        start: Value,
        end: Value,
        byscore: bool = ...,
        bylex: bool = ...,
        desc: bool = ...,
        offset: Integer | None = ...,
        num: Integer | None = ...,
    ) -> QueuedCall[T, int]: ...
    def zcount(self, key: Key, min: Value, max: Value) -> QueuedCall[T, int]: ...
    def zlexcount(self, key: Key, min: Value, max: Value) -> QueuedCall[T, int]: ...
    @overload
    def zrange(
        self,
        key: Key,
        start: Value,
        end: Value,
        desc: bool = ...,
        withscores: Literal[False] = ...,
        byscore: bool = ...,
        bylex: bool = ...,
        offset: Integer | None = ...,
        num: Integer | None = ...,
    ) -> QueuedCall[T, list[T]]: ...
    @overload
    def zrange(
        self,
        key: Key,
        start: Value,
        end: Value,
        desc: bool = ...,
        withscores: Literal[True] = ...,
        byscore: bool = ...,
        bylex: bool = ...,
        offset: Integer | None = ...,
        num: Integer | None = ...,
    ) -> QueuedCall[T, list[tuple[T, float]]]: ...
    @overload
    def zrange(
        self,
        key: Key,
        start: Value,
        end: Value,
        desc: bool = ...,
        withscores: bool = ...,
        byscore: bool = ...,
        bylex: bool = ...,
        offset: Integer | None = ...,
        num: Integer | None = ...,
    ) -> QueuedCall[T, list[Any]]: ...
    @overload
    def zrevrange(
        self, key: Key, start: Integer, end: Integer, withscores: Literal[False] = ...
    ) -> QueuedCall[T, list[T]]: ...
    @overload
    def zrevrange(
        self, key: Key, start: Integer, end: Integer, withscores: Literal[True]
    ) -> QueuedCall[T, list[tuple[T, float]]]: ...
    @overload
    def zrevrange(
        self, key: Key, start: Integer, end: Integer, withscores: bool
    ) -> QueuedCall[T, list[Any]]: ...
    @overload
    def zrangebyscore(
        self,
        key: Key,
        min: Value,
        max: Value,
        start: Integer | None = ...,
        num: Integer | None = ...,
        withscores: Literal[False] = ...,
    ) -> QueuedCall[T, list[T]]: ...
    @overload
    def zrangebyscore(
        self,
        key: Key,
        min: Value,
        max: Value,
        start: Integer | None = ...,
        num: Integer | None = ...,
        withscores: Literal[True] = ...,
    ) -> QueuedCall[T, list[tuple[T, float]]]: ...
    @overload
    def zrangebyscore(
        self,
        key: Key,
        min: Value,
        max: Value,
        start: Integer | None = ...,
        num: Integer | None = ...,
        withscores: bool = ...,
    ) -> QueuedCall[T, list[Any]]: ...
    @overload
    def zrevrangebyscore(
        self,
        key: Key,
        max: Value,
        min: Value,
        start: Integer | None = ...,
        num: Integer | None = ...,
        withscores: Literal[False] = ...,
    ) -> QueuedCall[T, list[T]]: ...
    @overload
    def zrevrangebyscore(
        self,
        key: Key,
        max: Value,
        min: Value,
        start: Integer | None = ...,
        num: Integer | None = ...,
        withscores: Literal[True] = ...,
    ) -> QueuedCall[T, list[tuple[T, float]]]: ...
    @overload
    def zrevrangebyscore(
        self,
        key: Key,
        max: Value,
        min: Value,
        start: Integer | None = ...,
        num: Integer | None = ...,
        withscores: bool = ...,
    ) -> QueuedCall[T, list[Any]]: ...
    def zrangebylex(
        self,
        key: Key,
        min: Value,
        max: Value,
        start: Integer | None = ...,
        num: Integer | None = ...,
    ) -> QueuedCall[T, list[T]]: ...
    def zrevrangebylex(
        self,
        key: Key,
        max: Value,
        min: Value,
        start: Integer | None = ...,
        num: Integer | None = ...,
    ) -> QueuedCall[T, list[T]]: ...
    def zremrangebyrank(self, key: Key, start: Integer, stop: Integer) -> QueuedCall[T, int]: ...
    def zremrangebyscore(self, key: Key, min: Value, max: Value) -> QueuedCall[T, int]: ...
    def zremrangebylex(self, key: Key, min: Value, max: Value) -> QueuedCall[T, int]: ...
    def xadd(
        self,
        key: Key,
        fields: Fields = ...,
        id: Id = ...,
        maxlen: Integer | None = ...,
        approximate: bool = ...,
        nomkstream: bool = ...,
        minid: Id | None = ...,
        limit: Integer | None = ...,
        ref_policy: str | None = ...,
    ) -> QueuedCall[T, T | None]: ...
    def xsetid(
        self,
        key: Key,
        last_id: Id,
        entries_added: Integer | None = ...,
        max_deleted_id: Id | None = ...,
    ) -> QueuedCall[T, Status]: ...
    def xlen(self, key: Key) -> QueuedCall[T, int]: ...
    def xrange(
        self, key: Key, min: Id = ..., max: Id = ..., count: Integer | None = ...
    ) -> QueuedCall[T, list[Any] | None]: ...
    def xrevrange(
        self, key: Key, max: Id = ..., min: Id = ..., count: Integer | None = ...
    ) -> QueuedCall[T, list[Any] | None]: ...
    def xread(
        self,
        streams: Mapping[Key, Id],
        count: Integer | None = ...,
        block: Integer | None = ...,
        max_count: Integer | None = ...,
        max_size: Integer | None = ...,
    ) -> QueuedCall[T, dict[T, list[Any]] | None]: ...
    def xdel(self, key: Key, *ids: Many) -> QueuedCall[T, int]: ...
    def xdelex(
        self, key: Key, *ids: Many, ref_policy: str | None = ...
    ) -> QueuedCall[T, list[int]]: ...
    def xtrim(
        self,
        key: Key,
        maxlen: Integer | None = ...,
        approximate: bool = ...,
        minid: Id | None = ...,
        limit: Integer | None = ...,
        ref_policy: str | None = ...,
    ) -> QueuedCall[T, int]: ...
    def xgroup_create(
        self,
        key: Key,
        groupname: Key,
        id: Id = ...,
        mkstream: bool = ...,
        entries_read: Integer | None = ...,
    ) -> QueuedCall[T, Status]: ...
    def xgroup_setid(
        self, key: Key, groupname: Key, id: Id, entries_read: Integer | None = ...
    ) -> QueuedCall[T, Status]: ...
    def xgroup_destroy(self, key: Key, groupname: Key) -> QueuedCall[T, int]: ...
    def xgroup_createconsumer(
        self, key: Key, groupname: Key, consumername: Key
    ) -> QueuedCall[T, int]: ...
    def xgroup_delconsumer(
        self, key: Key, groupname: Key, consumername: Key
    ) -> QueuedCall[T, int]: ...
    def xgroup_help(self) -> QueuedCall[T, list[Status]]: ...
    def xreadgroup(
        self,
        groupname: Key,
        consumername: Key,
        streams: Mapping[Key, Id],
        count: Integer | None = ...,
        block: Integer | None = ...,
        noack: bool = ...,
        claim_min_idle_time: Integer | None = ...,
        max_count: Integer | None = ...,
        max_size: Integer | None = ...,
    ) -> QueuedCall[T, dict[T, list[Any]] | None]: ...
    def xack(self, key: Key, groupname: Key, *ids: Many) -> QueuedCall[T, int]: ...
    def xackdel(
        self, key: Key, groupname: Key, *ids: Many, ref_policy: str | None = ...
    ) -> QueuedCall[T, list[int]]: ...
    def xnack(
        self,
        key: Key,
        groupname: Key,
        mode: str,
        *ids: Many,
        retrycount: Integer | None = ...,
        force: bool = ...,
    ) -> QueuedCall[T, int]: ...
    def xclaim(
        self,
        key: Key,
        groupname: Key,
        consumername: Key,
        min_idle_time: Integer,
        message_ids: Iterable[Value],
        idle: Integer | None = ...,
        time: Integer | None = ...,
        retrycount: Integer | None = ...,
        force: bool = ...,
        justid: bool = ...,
        lastid: Id | None = ...,
    ) -> QueuedCall[T, list[Any]]: ...
    def xautoclaim(
        self,
        key: Key,
        groupname: Key,
        consumername: Key,
        min_idle_time: Integer,
        start_id: Id = ...,
        count: Integer | None = ...,
        justid: bool = ...,
    ) -> QueuedCall[T, list[Any]]: ...
    def xpending(
        self,
        key: Key,
        groupname: Key,
        min: Id | None = ...,
        max: Id | None = ...,
        count: Integer | None = ...,
        consumername: Key | None = ...,
        idle: Integer | None = ...,
    ) -> QueuedCall[T, list[Any]]: ...
    def xinfo_stream(
        self, key: Key, full: bool = ..., count: Integer | None = ...
    ) -> QueuedCall[T, dict[T, Any]]: ...
    def xinfo_groups(self, key: Key) -> QueuedCall[T, list[dict[T, Any]]]: ...
    def xinfo_consumers(self, key: Key, groupname: Key) -> QueuedCall[T, list[dict[T, Any]]]: ...
    def xinfo_help(self) -> QueuedCall[T, list[Status]]: ...
    def append(self, key: Key, value: Value) -> QueuedCall[T, int]: ...
    def setrange(self, key: Key, offset: Integer, value: Value) -> QueuedCall[T, int]: ...
    def getrange(self, key: Key, start: Integer, end: Integer) -> QueuedCall[T, T]: ...
    def substr(self, key: Key, start: Integer, end: Integer = ...) -> QueuedCall[T, T]: ...
    def lcs(
        self,
        key1: Key,
        key2: Key,
        len: bool = ...,
        idx: bool = ...,
        minmatchlen: Integer | None = ...,
        withmatchlen: bool = ...,
    ) -> QueuedCall[T, Any]: ...
    def get(self, key: Key) -> QueuedCall[T, T | None]: ...
    def set(
        self,
        key: Key,
        value: Value,
        ex: Span | None = ...,
        px: Span | None = ...,
        nx: bool = ...,
        xx: bool = ...,
        keepttl: bool = ...,
        get: bool = ...,
        exat: Moment | None = ...,
        pxat: Moment | None = ...,
        ifeq: Value | None = ...,
        ifne: Value | None = ...,
        ifdeq: Value | None = ...,
        ifdne: Value | None = ...,
    ) -> QueuedCall[T, Status | T | None]: ...
    def setnx(self, key: Key, value: Value) -> QueuedCall[T, int]: ...
    def setex(self, key: Key, time: Span, value: Value) -> QueuedCall[T, Status]: ...
    def psetex(self, key: Key, time_ms: Span, value: Value) -> QueuedCall[T, Status]: ...
    def getset(self, key: Key, value: Value) -> QueuedCall[T, T | None]: ...
    def getdel(self, key: Key) -> QueuedCall[T, T | None]: ...
    def getex(
        self,
        key: Key,
        ex: Span | None = ...,
        px: Span | None = ...,
        exat: Moment | None = ...,
        pxat: Moment | None = ...,
        persist: bool = ...,
    ) -> QueuedCall[T, T | None]: ...
    def mget(self, *keys: Many) -> QueuedCall[T, list[T | None]]: ...
    def mset(self, mapping: Mapping[Any, Value]) -> QueuedCall[T, Status]: ...
    def msetnx(self, mapping: Mapping[Any, Value]) -> QueuedCall[T, int]: ...
    def msetex(
        self,
        mapping: Mapping[Any, Value],
        nx: bool = ...,
        xx: bool = ...,
        ex: Span | None = ...,
        px: Span | None = ...,
        exat: Moment | None = ...,
        pxat: Moment | None = ...,
        keepttl: bool = ...,
    ) -> QueuedCall[T, int]: ...
    def strlen(self, key: Key) -> QueuedCall[T, int]: ...
    def digest(self, key: Key) -> QueuedCall[T, T | None]: ...
    def delex(
        self,
        key: Key,
        ifeq: Value | None = ...,
        ifne: Value | None = ...,
        ifdeq: Value | None = ...,
        ifdne: Value | None = ...,
    ) -> QueuedCall[T, int]: ...
    def unwatch(self) -> QueuedCall[T, Status]: ...

class QueuedCall(AsyncPipeline[T], Generic[T, R]):
    """A pipeline to which a call has been added; or the reply, to be awaited, after watch()."""

    def __await__(self) -> Generator[Any, Any, R]: ...
