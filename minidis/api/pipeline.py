"""Pipelines and transactions: db.pipeline(), db.transaction(), db.transact().

    with db.pipeline() as pipe:                       with db.transaction(watch=["stock"]) as tx:
        pipe.incr("a").incr("b")                          if int(db.get("stock")) > 0:
        pipe.execute()  # [1, 1]                              tx.decr("stock")
                                                      tx.results  # [4]

A pipeline is a session of its own. Its typed calls are queued and return the pipeline. After
watch() they run immediately until multi(), as in redis-py; execute() runs the queued calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self

from minidis.api.checks import EMBEDDED_CHECKS
from minidis.api.session import Session, install_methods
from minidis.commands.shared.group import T
from minidis.engine.engine import Engine
from minidis.errors import MinidisError, WatchError, error
from minidis.grammar.call import Call
from minidis.grammar.command import COMMANDS
from minidis.grammar.kinds import Key, many
from minidis.keyspace.unit import CHECKED
from minidis.replies import OK, Status, decoded


class Pipeline(Session[T]):
    """Typed calls are queued and return the pipeline itself; `execute()` returns all replies.

    A queued call returns the pipeline, although its declared type is that of the reply, so that
    calls can be chained.
    """

    # What most of them never change is an attribute of the class: they are made often.
    #: run the commands as one; otherwise other sessions may come in between
    is_transaction = True
    #: its block has ended: nothing would run what is queued now
    over = False
    follows = False

    def __init__(self, engine: Engine, database: int = 0, *, transaction: bool = True) -> None:
        super().__init__(engine, database)
        if not transaction:
            self.is_transaction = False
        self.client.queue = []

    def _register(self) -> None:
        """Not yet: a pipeline that only queues calls is no client that others may ask for."""
        if self.engine.clients.monitors:
            self.follows = True

    def _begin(self, queue: list[Call] | None) -> None:
        self.client.queue, self.client.aborted = queue, False

    def update_checks(self) -> None:
        """A pipeline has all checks of an embedded session all the time."""
        client, monitors = self.client, self.engine.clients.monitors
        self.follows = bool(monitors or client.tracking is not None or client.no_touch)

    checks = EMBEDDED_CHECKS
    direct_unit = None
    reads = CHECKED

    def enqueue(self, call: Call) -> Any:
        if self.over:
            raise error("this transaction has ended with its block; begin another one")
        super().enqueue(call)
        return self

    def call(self, call: Call) -> Any:
        if self.client.queue is not None and not call[0].immediate:
            return self.enqueue(call)  # here and now: a pause holds up execute()
        if not self.client.id:
            super()._register()
        return super().call(call)

    def watch(self, *keys: Any) -> Status:
        """Watch keys; calls run immediately until multi(). ResponseError after queued calls."""
        if self.client.queue:
            raise error("WATCH after commands have been queued; watch first")
        self._begin(None)
        return super().watch(*many(keys))

    def at_once(self) -> None:
        """Run calls immediately until multi(), as after watch(), but without watched keys."""
        self._begin(None)

    def multi(self) -> Status:
        """Queue calls from here on."""
        if self.client.queue:
            raise error("MULTI calls can not be nested")
        self._begin([])
        return OK

    def execute(self, *words: Key, raise_on_error: bool = True) -> Any:
        """Run the queued calls and return their replies in a list. With `words`: queue a command.

        Raises WatchError if a watched key was changed, and the first error reply, after all calls
        have run; with `raise_on_error=False` error replies stay in the list.
        """
        if words:
            return super().execute(*words)
        try:
            replies = self._run_all()
        finally:
            if self.client.queue != [] or self.client.watch is not None:
                self.reset()
        if raise_on_error or self._decode:
            return self.answered(replies, raise_on_error=raise_on_error)
        return replies

    def answered(self, replies: list[Any], *, raise_on_error: bool) -> Any:
        """Return the replies, decoded if necessary, or raise the first error reply."""
        if raise_on_error and any(
            issubclass(kind, BaseException) for kind in set(map(type, replies))
        ):
            number, reply = next(
                (at, one) for at, one in enumerate(replies, 1) if isinstance(one, BaseException)
            )
            reply.add_note(f"command {number} of {len(replies)} in a pipeline")
            raise reply
        return decoded(replies) if self._decode else replies

    def _run_all(self) -> list[Any]:
        calls, engine = self.client.queue, self.engine
        if not calls:
            return []
        direct = not (
            self.follows
            or engine.clients.monitors
            or self.client.watch
            or engine.pause.until is not None
            or engine.closed
        )
        if not self.is_transaction:
            self.client.queue = None
            if direct and not any(call[0].waits for call in calls):
                return engine.run_batch(self, calls)
            return [self._reply(call) for call in calls]
        if direct and (direct_replies := engine.run_transaction(self, calls)) is not None:
            self.client.queue = []
            return direct_replies
        replies = self.call((COMMANDS["EXEC"], (), {}, None))
        if replies is None:
            raise WatchError
        return list(replies)

    def _reply(self, call: Call) -> Any:
        try:
            return self.call(call)
        except MinidisError as error:
            return error

    def unwatch(self) -> Status:
        """Unwatch all keys; calls are queued again."""
        with self.engine.lock:
            reply = super().unwatch()
        self._begin([])
        return reply

    def exec(self) -> list[Any] | None:
        """The same as `execute()`."""
        replies: list[Any] = self.execute()
        return replies

    def discard(self) -> Status:
        """Discard the queued calls and unwatch all keys."""
        return self.reset()

    def reset(self) -> Status:
        """Discard the queued calls and unwatch all keys."""
        with self.engine.lock:
            self.leave_transaction()
        return OK

    def leave_transaction(self) -> None:
        """Discard the queued calls and unwatch all keys, as EXEC does; later calls are queued."""
        self.unwatch_all()
        self._begin([])

    def __len__(self) -> int:
        """Return the number of queued calls."""
        return len(self.client.queue or ())

    def __bool__(self) -> bool:
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.reset()


class Transaction(Pipeline[T]):
    """The block of db.transaction(): its calls run as one transaction at the end, see `results`."""

    _watched_keys: Sequence[Any] = ()

    def __init__(
        self,
        engine: Engine,
        database: int = 0,
        *,
        watch: Iterable[Any] = (),
        raise_on_error: bool = True,
    ) -> None:
        super().__init__(engine, database)
        #: the replies, after the block
        self.results: list[Any] = []
        self._raises = raise_on_error
        if watch:
            self._watched_keys = [watch] if isinstance(watch, (str, bytes)) else list(watch)

    def __enter__(self) -> Self:
        self.over = False
        if self._watched_keys:
            self.watch(*self._watched_keys)
            self.multi()
        return self

    def __exit__(self, *raised: object) -> None:
        self.over = True
        if raised[0] is not None:
            self.reset()
            return
        self.results = self.execute(raise_on_error=False)
        if self._raises:
            for reply in self.results:
                if isinstance(reply, Exception):
                    raise reply


class PipelineText(Pipeline[str]):
    """A pipeline that returns bulk strings as str."""

    _decode = True


class TransactionText(Transaction[str]):
    """A transaction that returns bulk strings as str."""

    _decode = True


install_methods(Pipeline, decode=False, queued=True)
install_methods(PipelineText, decode=True, queued=True)
install_methods(TransactionText, decode=True, queued=True)
