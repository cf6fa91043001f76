"""Commands collected in Python and run together: db.pipeline(), db.transaction(), db.transact().

    with db.pipeline() as pipe:                       with db.transaction(watch=["stock"]) as tx:
        pipe.incr("a").incr("b")                          if int(db.get("stock")) > 0:
        pipe.execute()  # [1, 1]                              tx.decr("stock")
                                                      tx.results  # [4]

A pipeline is a session of its own whose typed calls are queued and answer the pipeline. After
watch() they run at once until multi(), as in redis-py; execute() runs what is queued.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from minidis.api.checks import EMBEDDED_CHECKS
from minidis.api.session import Session, install_methods
from minidis.commands.shared.group import T
from minidis.commands.transactions import error_replies
from minidis.engine.engine import Engine
from minidis.errors import MinidisError, WatchError, error
from minidis.grammar.call import Call
from minidis.grammar.command import COMMANDS
from minidis.grammar.kinds import Key, many
from minidis.keyspace.unit import CHECKED
from minidis.replies import OK, Status, decoded


class Pipeline(Session[T]):
    """Typed calls are queued and answer the pipeline itself; `execute()` answers them all.

    Whatever a signature promises, a queued call returns the pipeline, so that calls can be chained.
    """

    def __init__(self, engine: Engine, database: int = 0, *, transaction: bool = True) -> None:
        #: its block has ended: nothing would run what is queued now
        self.over = False
        super().__init__(engine, database)
        #: run the commands as one; otherwise other sessions may come in between
        self.is_transaction = transaction
        self.client.queue = []

    def _begin(self, queue: list[Call] | None) -> None:
        self.client.queue, self.client.aborted = queue, False

    def update_checks(self) -> None:
        """A pipeline has all checks of an embedded session all the time."""
        client = self.client
        self.follows = bool(
            self.engine.clients.monitors or client.tracking is not None or client.no_touch
        )
        self.checks, self.needs_checks, self.reads = EMBEDDED_CHECKS, True, CHECKED

    def enqueue(self, call: Call) -> Any:
        if self.over:
            raise error("this transaction has ended with its block; begin another one")
        super().enqueue(call)
        return self

    def call(self, call: Call) -> Any:
        if self.client.queue is not None and not call[0].immediate:
            return self.enqueue(call)  # here and now: a pause holds up execute()
        return super().call(call)

    def watch(self, *keys: Any) -> Status:
        """Watch keys; calls run at once until multi(). ResponseError after queued calls."""
        if self.client.queue:
            raise error("WATCH after commands have been queued; watch first")
        self._begin(None)
        return super().watch(*many(keys))

    def at_once(self) -> None:
        """Calls run at once until multi(), as after watch(), without watching anything."""
        self._begin(None)

    def multi(self) -> Status:
        """Calls are queued from here on."""
        if self.client.queue:
            raise error("MULTI calls can not be nested")
        self._begin([])
        return OK

    def execute(self, *words: Key, raise_on_error: bool = True) -> Any:
        """Without words: run what is queued; the answers in a list. With words: queue them.

        WatchError when a watched key was touched. The first refusal is raised, after everything has
        run; with `raise_on_error=False` error_replies stay in the list.
        """
        if words:
            return super().execute(*words)
        try:
            replies = self._run_all()
        finally:
            if self.client.queue != [] or self.client.watch is not None:
                self.reset()
        return self.answered(replies, raise_on_error=raise_on_error)

    def answered(self, replies: list[Any], *, raise_on_error: bool) -> Any:
        """The answers as the caller wants them; or the first refusal is raised."""
        if raise_on_error:
            for number, reply in enumerate(replies, 1):
                if isinstance(reply, BaseException):
                    reply.add_note(f"command {number} of {len(replies)} in a pipeline")
                    raise reply
        return decoded(replies) if self._decode else replies

    def _run_all(self) -> list[Any]:
        calls, engine = self.client.queue, self.engine
        if not calls:
            return []
        direct = not (self.follows or self.client.watch or engine.pause or engine.closed)
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
        """Forget the watched keys; calls are queued again."""
        with self.engine.lock:
            reply = super().unwatch()
        self._begin([])
        return reply

    def exec(self) -> list[Any] | None:
        """The same as `execute()`."""
        replies: list[Any] = self.execute()
        return replies

    def discard(self) -> Status:
        """Forget what is queued and watched."""
        return self.reset()

    def reset(self) -> Status:
        """Forget what is queued and watched."""
        with self.engine.lock:
            self.leave_transaction()
        return OK

    def leave_transaction(self) -> None:
        """Discard what is queued and watched, as EXEC does, too; the next calls are queued."""
        self.unwatch_all()
        self._begin([])

    def __len__(self) -> int:
        """How many calls are queued."""
        return len(self.client.queue or ())

    def __bool__(self) -> bool:
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.reset()


class Transaction(Pipeline[T]):
    """The block of db.transaction(): queued calls run as one at its end, see `results`."""

    def __init__(
        self,
        engine: Engine,
        database: int = 0,
        *,
        watch: Iterable[Any] = (),
        raise_on_error: bool = True,
    ) -> None:
        super().__init__(engine, database)
        #: the answers, after the block
        self.results: list[Any] = []
        self._watched_keys = [watch] if isinstance(watch, (str, bytes)) else list(watch)
        self._raises = raise_on_error

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
        for failure in error_replies(self.results):
            if self._raises:
                raise failure


class PipelineText(Pipeline[str]):
    """A pipeline whose bulk strings come back as str."""

    _decode = True


class TransactionText(Transaction[str]):
    """A transaction whose bulk strings come back as str."""

    _decode = True


install_methods(Pipeline, decode=False, queued=True)
install_methods(PipelineText, decode=True, queued=True)
install_methods(TransactionText, decode=True, queued=True)
