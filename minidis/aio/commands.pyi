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

    async def multi(self) -> Status:
        """Begin to queue the commands of this session until EXEC or DISCARD."""
    async def exec(self) -> list[Any] | None:
        """Run the queued commands as one; their answers, refusals among them as exceptions."""
    async def discard(self) -> Status:
        """Forget the queued commands and the watched keys."""
    async def watch(self, *keys: Many) -> Status:
        """Let the next EXEC of this session answer None if one of `keys` is touched before it."""
    async def unwatch(self) -> Status:
        """Forget the watched keys."""
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
        """Give every member of `mapping` its score; how many members are new."""
    async def zincrby(self, key: Key, amount: Float, member: Field) -> float:
        """Add `amount` to the score of `member` and return the new score; missing counts as 0."""
    async def zrem(self, key: Key, *members: Many) -> int:
        """Remove `members`; how many of them were there."""
    @overload
    async def zpopmin(self, key: Key, count: None = ...) -> list[Any]:
        """Remove the member with the lowest score and return it: [member, score]."""
    @overload
    async def zpopmin(self, key: Key, count: Integer) -> list[tuple[T, float]]: ...
    @overload
    async def zpopmax(self, key: Key, count: None = ...) -> list[Any]:
        """Remove the member with the highest score and return it: [member, score]."""
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
        """Pop from the first of `keys` that is a sorted set: [key, [[member, score], ...]]."""
    async def zcard(self, key: Key) -> int:
        """Number of members; 0 when the key is missing."""
    async def zscore(self, key: Key, member: Field) -> float | None:
        """Score of `member`; None when the member or the key is missing."""
    async def zmscore(self, key: Key, *members: Many) -> list[float | None]:
        """The scores of `members`, None for those that are missing."""
    @overload
    async def zrank(self, key: Key, member: Field, withscore: Literal[False] = ...) -> int | None:
        """How many members come before `member`; with `withscore` [rank, score]."""
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
        """How many members come after `member`; with `withscore` [rank, score]."""
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
        """Return a random member, None when the key is missing."""
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
        """A step of a walk: [next cursor, [(member, score), ...]]; cursor 0 begins and ends it."""
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
        """Return the name of the encoding that Redis 7.0 would use for the value at `key`."""
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
        """Send `message` to everybody who listens to `channel`; how many got it."""
    async def spublish(self, shardchannel: Key, message: Value) -> int:
        """Send `message` to everybody who listens to the shard channel; how many got it."""
    async def subscribe_channels(self, *channels: Many) -> NoReply:
        """Let this connection hear `channels`; a message confirms each."""
    async def psubscribe_patterns(self, *patterns: Many) -> NoReply:
        """Let this connection hear all channels that match a pattern."""
    async def ssubscribe_channels(self, *shardchannels: Many) -> NoReply:
        """Let this connection hear shard channels."""
    async def unsubscribe_channels(self, *channels: Many) -> NoReply:
        """Let this connection hear `channels` no more, or none at all."""
    async def punsubscribe_patterns(self, *patterns: Many) -> NoReply:
        """Let this connection hear `patterns` no more, or no pattern at all."""
    async def sunsubscribe_channels(self, *shardchannels: Many) -> NoReply:
        """Let this connection hear the shard channels no more, or none at all."""
    async def pubsub_channels(self, pattern: Key | None = ...) -> list[T]:
        """Channels that somebody listens to, those that match `pattern` if it is given."""
    async def pubsub_numpat(self) -> int:
        """Number of patterns that somebody listens to; a pattern of two counts once."""
    async def pubsub_numsub(self, *channels: Many) -> list[Any]:
        """How many listen to each of `channels`: channel, number, channel, number and so on."""
    async def pubsub_shardchannels(self, pattern: Key | None = ...) -> list[T]:
        """Shard channels that somebody listens to, those that match `pattern` if it is given."""
    async def pubsub_shardnumsub(self, *shardchannels: Many) -> list[Any]:
        """How many listen to each of the shard channels: channel, number and so on."""
    async def pubsub_help(self) -> list[Status]:
        """The subcommands of PUBSUB."""
    async def acl_setuser(self, username: Key, *rules: Many) -> Status:
        """Make the user `username`, or change it, by rules; all of them are applied, or none."""
    async def acl_deluser(self, *usernames: Many) -> int:
        """Remove users, end their connections, and return how many there were."""
    async def acl_getuser(self, username: Key) -> dict[T, Any] | None:
        """What a user may do: flags, passwords (SHA-256), commands, keys, channels, selectors."""
    async def acl_list(self) -> list[T]:
        """All users, each as a line of the file that ACL LOAD reads."""
    async def acl_users(self) -> list[T]:
        """Names of all users."""
    async def acl_whoami(self) -> T:
        """Name of the user that the caller has authenticated as."""
    async def acl_cat(self, category: Value | None = ...) -> list[T]:
        """The categories of commands; or the commands and subcommands of one `category`."""
    async def acl_genpass(self, bits: Integer | None = ...) -> T:
        """A random password in hexadecimal digits, four of the `bits` (256) in each."""
    async def acl_log(self, count: Integer | None = ...) -> list[dict[T, Any]] | Status:
        """The last `count` (10) refusals, the latest first; "RESET" forgets them all."""
    async def acl_dryrun(self, username: Key, name: Key, *args: Key) -> Status | T:
        """OK if the user may run the command with these arguments; else the reason why not."""
    async def acl_save(self) -> Status:
        """Write all users to the file of the parameter `aclfile`, in place of the old one."""
    async def acl_load(self) -> Status:
        """Replace all users by those of the file of the parameter `aclfile`; all, or none."""
    async def acl_help(self) -> list[Status]:
        """The subcommands of ACL."""
    async def ping(self, message: Value | None = ...) -> Status | T:
        """Answer PONG, or the message."""
    async def echo(self, message: Value) -> T:
        """Answer the message."""
    async def select(self, index: Integer) -> Status:
        """Make `index` the selected database of this session; others keep theirs."""
    async def hello(
        self,
        protover: Integer | None = ...,
        username: Key | None = ...,
        password: Key | None = ...,
        clientname: Key | None = ...,
    ) -> dict[T, Any]:
        """Introduce the caller, choose the protocol version 2 or 3; answers what serves it."""
    async def auth(self, password: Key, username: Key | None = ...) -> Status:
        """Authenticate the caller as `username`; without a name as the default user."""
    async def reset(self) -> Status:
        """Make the session as new: outside of MULTI, on database 0, without a name."""
    async def quit(self, *args: Key) -> Status:
        """Close the connection, after the answer."""
    async def monitor_commands(self) -> Any:
        """Let the connection see every command that the database runs, as lines of text."""
    async def client_id(self) -> int:
        """The id of this caller; no two have the same, and later ones are greater."""
    async def client_getname(self) -> T | None:
        """The name that CLIENT SETNAME gave to this caller, or None."""
    async def client_setname(self, name: Key) -> Status:
        """Give this caller a name, for CLIENT LIST; an empty one takes it away."""
    async def client_setinfo(self, attr: Key, value: Value) -> Status:
        """Tell which client library speaks: `attr` is "LIB-NAME" or "LIB-VER"."""
    async def client_no_evict(self, mode: str) -> Status:
        """Mark this connection, "ON" or "OFF", as one that is kept when memory is short."""
    async def client_no_touch(self, mode: str) -> Status:
        """With "ON", what this caller does is no use of the keys: OBJECT IDLETIME goes on."""
    async def client_reply(self, reply: str) -> Any:
        """Whether commands of this connection are answered: "ON", "OFF", or "SKIP" the next one."""
    async def client_info(self) -> T:
        """What CLIENT LIST says of this caller, as text."""
    async def client_list(self, _type: str | None = ..., client_id: Many | None = ...) -> T:
        """A line of text for each client: those of a type, or those with the ids."""
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
        """End the connection from an `address`; or all that pass every filter, and count them."""
    async def client_unblock(self, client_id: Integer, error: bool = ...) -> int:
        """End the wait of a blocked client: as by its timeout, or with an `error`."""
    async def client_pause(self, timeout: Integer, all: bool = ...) -> Status:
        """Let all commands of all callers wait for `timeout` milliseconds."""
    async def client_unpause(self) -> Status:
        """End a pause: commands that waited for it run now."""
    async def client_help(self) -> list[Status]:
        """The subcommands of CLIENT."""
    async def dbsize(self) -> int:
        """Number of keys in the selected database."""
    async def flushdb(self, asynchronous: bool = ..., sync: bool = ...) -> Status:
        """Delete all keys of the selected database."""
    async def flushall(self, asynchronous: bool = ..., sync: bool = ...) -> Status:
        """Delete all keys of all databases."""
    async def swapdb(self, index1: Integer, index2: Integer) -> Status:
        """Exchange the contents of two databases; every session sees it at once."""
    async def time(self) -> list[T]:
        """The clock: seconds since 1970 and the microseconds of the current second."""
    async def config_get(self, *parameters: Many) -> dict[T, T]:
        """Values of the parameters that match any of the glob patterns; of all without any."""
    async def config_set(
        self,
        name: Value | None = ...,
        value: Value | None = ...,
        mapping: dict[str, Value] | None = ...,
    ) -> Status:
        """Set one parameter, `config_set(name, value)`, or several with `mapping`; all or none."""
    async def config_resetstat(self) -> Status:
        """Set the counters of hits, misses and expired keys to 0."""
    async def config_help(self) -> list[Status]:
        """The subcommands of CONFIG."""
    async def save(self) -> Status:
        """Write all databases to the dump: to a temporary file, then renamed over the old one."""
    async def lastsave(self) -> int:
        """When the dump was last written: seconds since 1970; before that, when it was opened."""
    async def debug_object(self, key: Key) -> Status:
        """How the value at `key` is kept: encoding, bytes it needs in a dump, idle seconds."""
    async def debug_sleep(self, seconds: Float) -> Status:
        """Hold the lock for `seconds` (a decimal number), so that all other callers wait."""
    async def debug_digest(self) -> Status:
        """Fingerprint of all data: equal data, equal digest, also in a real server."""
    async def debug_digest_value(self, *keys: Many) -> list[Status]:
        """Fingerprint of the value at each of `keys`; zeros for a missing one."""
    async def debug_reload(
        self, nosave: bool = ..., noflush: bool = ..., merge: bool = ...
    ) -> Status:
        """Save all data and load it again, so that encodings are judged from scratch."""
    async def info(self, *sections: Many) -> T:
        """What the database says of itself, as text: sections of lines `field:value`."""
    async def shutdown(
        self,
        save: bool = ...,
        nosave: bool = ...,
        now: bool = ...,
        force: bool = ...,
        abort: bool = ...,
    ) -> Any:
        """SHUTDOWN: see its help."""
    async def wait(self, num_replicas: Integer, timeout: Integer) -> Any:
        """Wait until so many replicas have what this session has written: 0 after `timeout`."""
    async def waitaof(self, num_local: Integer, num_replicas: Integer, timeout: Integer) -> Any:
        """WAITAOF: see its help."""
    async def command(self) -> list[Any]:
        """Entries of all commands, as COMMAND INFO gives them."""
    async def command_count(self) -> int:
        """Number of commands, subcommands not counted."""
    async def command_info(self, *names: Many) -> list[Any]:
        """COMMAND INFO: see its help."""
    async def command_docs(self, *names: Many) -> dict[Any, Any]:
        """What each command does, since when, at which cost, and its arguments."""
    async def command_list(
        self, module: Value | None = ..., category: Value | None = ..., pattern: Value | None = ...
    ) -> list[T]:
        """Names of the commands, all of them or those of an ACL category or glob pattern."""
    async def command_getkeys(self, name: Key, *args: Key) -> list[T]:
        """The keys among the words of a command."""
    async def command_getkeysandflags(self, name: Key, *args: Key) -> list[Any]:
        """The keys among the words of a command, each with what the command does to it."""
    async def command_help(self) -> list[Status]:
        """The subcommands of COMMAND."""
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
        """Switch "on" or "off" that this connection is told when keys change that it has read."""
    async def client_caching(self, mode: Value) -> Status:
        """Let the next command, or transaction, be remembered ("yes") or not ("no")."""
    async def client_getredir(self) -> int:
        """Id of the connection that is told in place of this one; 0: none, -1: not tracking."""
    async def client_trackinginfo(self) -> dict[T, Any]:
        """How this connection tracks: flags, the redirection as CLIENT GETREDIR, and prefixes."""
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
        """Return the members of all sets at `keys`, lowest score first."""
    async def zunionstore(
        self,
        destination: Key,
        keys: Many | Mapping[Any, Float],
        aggregate: str | None = ...,
        weights: Many | None = ...,
    ) -> int:
        """Store what ZUNION answers at `destination`, whatever was there; the number of members."""
    async def zinter(
        self,
        keys: Many | Mapping[Any, Float],
        aggregate: str | None = ...,
        withscores: bool = ...,
        weights: Many | None = ...,
    ) -> list[Any]:
        """Return the members that are in every set at `keys`, lowest score first."""
    async def zinterstore(
        self,
        destination: Key,
        keys: Many | Mapping[Any, Float],
        aggregate: str | None = ...,
        weights: Many | None = ...,
    ) -> int:
        """Store what ZINTER answers at `destination`, whatever was there; the number of members."""
    async def zintercard(self, numkeys: Integer, keys: Many, limit: Integer = ...) -> int:
        """Number of members that are in every set at `keys`; counts no further than `limit`."""
    async def zdiff(self, keys: Many, withscores: bool = ...) -> list[Any]:
        """Return the members of the first set at `keys` that are in none of the others."""
    async def zdiffstore(self, destination: Key, keys: Many) -> int:
        """Store what ZDIFF answers at `destination`, whatever was there; the number of members."""
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
        """Store at `destination` what ZRANGE answers for `source`; the number of members."""
    async def zcount(self, key: Key, min: Value, max: Value) -> int:
        """Number of members with scores from `min` to `max`."""
    async def zlexcount(self, key: Key, min: Value, max: Value) -> int:
        """Number of members from text `min` to text `max` (all scores equal)."""
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
        """Return the members from `start` to `end`, both included, lowest score first."""
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
        """The old way to say zrange(..., desc=True)."""
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
        """The old way to say zrange(..., byscore=True); `start` is its `offset`."""
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
        """The old way to say zrange(..., byscore=True, desc=True); `start` is its `offset`."""
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
        """The old way to say zrange(..., bylex=True); `start` is its `offset`."""
    async def zrevrangebylex(
        self,
        key: Key,
        max: Value,
        min: Value,
        start: Integer | None = ...,
        num: Integer | None = ...,
    ) -> list[T]:
        """The old way to say zrange(..., bylex=True, desc=True); `start` is its `offset`."""
    async def zremrangebyrank(self, key: Key, start: Integer, stop: Integer) -> int:
        """Remove the members from rank `start` to rank `stop`; how many they were."""
    async def zremrangebyscore(self, key: Key, min: Value, max: Value) -> int:
        """Remove the members with scores from `min` to `max`; how many they were."""
    async def zremrangebylex(self, key: Key, min: Value, max: Value) -> int:
        """ZREMRANGEBYLEX: see its help."""
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
        """Append an entry of `fields` (a mapping or pairs) to the stream at `key`; its id."""
    async def xsetid(
        self,
        key: Key,
        last_id: Id,
        entries_added: Integer | None = ...,
        max_deleted_id: Id | None = ...,
    ) -> Status:
        """Set what the stream at `key` remembers of its past; for those who copy streams."""
    async def xlen(self, key: Key) -> int:
        """Number of entries in the stream at `key`; 0 when missing."""
    async def xrange(
        self, key: Key, min: Id = ..., max: Id = ..., count: Integer | None = ...
    ) -> list[Any] | None:
        """Return entries from id `min` to `max`, both included, at most `count` of them."""
    async def xrevrange(
        self, key: Key, max: Id = ..., min: Id = ..., count: Integer | None = ...
    ) -> list[Any] | None:
        """Return entries from id `max` down to `min`; see XRANGE."""
    async def xread(
        self,
        streams: Mapping[Key, Id],
        count: Integer | None = ...,
        block: Integer | None = ...,
        max_count: Integer | None = ...,
        max_size: Integer | None = ...,
    ) -> dict[T, list[Any]] | None:
        """XREAD: see its help."""
    async def xdel(self, key: Key, *ids: Many) -> int:
        """Delete the entries with these `ids`; how many there were."""
    async def xdelex(self, key: Key, *ids: Many, ref_policy: str | None = ...) -> list[int]:
        """XDEL that looks after consumer groups: for each id 1 deleted, -1 not there, 2 refused."""
    async def xtrim(
        self,
        key: Key,
        maxlen: Integer | None = ...,
        approximate: bool = ...,
        minid: Id | None = ...,
        limit: Integer | None = ...,
        ref_policy: str | None = ...,
    ) -> int:
        """Remove the oldest entries of the stream at `key`; how many."""
    async def xgroup_create(
        self,
        key: Key,
        groupname: Key,
        id: Id = ...,
        mkstream: bool = ...,
        entries_read: Integer | None = ...,
    ) -> Status:
        """XGROUP CREATE: see its help."""
    async def xgroup_setid(
        self, key: Key, groupname: Key, id: Id, entries_read: Integer | None = ...
    ) -> Status:
        """Let a group go on with what comes after `id`; "$" is the last one."""
    async def xgroup_destroy(self, key: Key, groupname: Key) -> int:
        """Delete a group with its consumers and all that is pending; 1, or 0 when there is none."""
    async def xgroup_createconsumer(self, key: Key, groupname: Key, consumername: Key) -> int:
        """Make a consumer in a group; 1, or 0 when it exists."""
    async def xgroup_delconsumer(self, key: Key, groupname: Key, consumername: Key) -> int:
        """Delete a consumer of a group; how many entries were pending for it, and are no more."""
    async def xgroup_help(self) -> list[Status]:
        """The subcommands of XGROUP."""
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
        """Read streams for a consumer of a group; each entry goes to one consumer: see XREAD."""
    async def xack(self, key: Key, groupname: Key, *ids: Many) -> int:
        """Acknowledge entries: they are no longer pending in the group; how many were."""
    async def xackdel(
        self, key: Key, groupname: Key, *ids: Many, ref_policy: str | None = ...
    ) -> list[int]:
        """XACK and then XDELEX: for each id 1 deleted, 2 acknowledged only, -1 was not pending."""
    async def xnack(
        self,
        key: Key,
        groupname: Key,
        mode: str,
        *ids: Many,
        retrycount: Integer | None = ...,
        force: bool = ...,
    ) -> int:
        """Give pending entries back, so that others can claim them at once; how many."""
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
        """Make a consumer the owner of pending entries; those it now owns, as XRANGE gives them."""
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
        """XCLAIM of whatever has been pending for `min_idle_time` milliseconds, from an id on."""
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
        """What a group has given out and nobody has acknowledged."""
    async def xinfo_stream(
        self, key: Key, full: bool = ..., count: Integer | None = ...
    ) -> dict[T, Any]:
        """What the stream at `key` is like: length, ids, groups, first and last entry."""
    async def xinfo_groups(self, key: Key) -> list[dict[T, Any]]:
        """What each group of the stream at `key` is like: how far it has read, what is pending."""
    async def xinfo_consumers(self, key: Key, groupname: Key) -> list[dict[T, Any]]:
        """What each consumer of a group is like: how much is pending, milliseconds of silence."""
    async def xinfo_help(self) -> list[Status]:
        """The subcommands of XINFO."""
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

class QueuedCommands(Generic[T]):
    """Every command that a pipeline can queue."""

    _session: Session[T]

    def unwatch(self) -> QueuedCall[T, Status]: ...
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
    def digest(self, key: Key) -> QueuedCall[T, T | None]: ...
    def delex(
        self,
        key: Key,
        ifeq: Value | None = ...,
        ifne: Value | None = ...,
        ifdeq: Value | None = ...,
        ifdne: Value | None = ...,
    ) -> QueuedCall[T, int]: ...

class QueuedCall(AsyncPipeline[T], Generic[T, R]):
    """A pipeline to which a call has been added; or the answer, to be awaited, after watch()."""

    def __await__(self) -> Generator[Any, Any, R]: ...
