"""Runs EXEC in a worker thread, because Python raises KeyboardInterrupt in the main thread only.

Most commands change their data in one step, or can undo the steps they have made. A queue of
commands can do neither in general, and it must not be torn. So EXEC in the main thread hands the
queue to this thread and sleeps. An interrupted caller finds the queue either not begun, and cancels
it, or complete. Other threads are never interrupted and run EXEC themselves.

    main thread   hands it over, sleeps .......................................... returns
    this thread                  with lock: the whole queue, commit; wakes the caller
"""

from __future__ import annotations

import queue
import threading
import weakref
from collections.abc import Callable
from threading import get_ident
from typing import Any

from minidis.keyspace.unit import Unit


class Job:
    """Something to be done in one hold of the lock, and how it went."""

    def __init__(self, work: Callable[[], Any], lock: threading.RLock) -> None:
        self.work = work
        self.lock = lock
        #: released when it is over
        self.finished = threading.Lock()
        self.finished.acquire()
        self.cancelled = False
        self.reply: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        """Run the work, unless it was cancelled."""
        with self.lock:
            if self.cancelled:
                return
            try:
                self.reply = self.work()
            except BaseException as error:
                self.error = error
        self.finished.release()

    def cancel(self) -> None:
        """The caller was interrupted: a job that has not begun never runs."""
        with self.lock:  # run() holds it from beginning to end
            self.cancelled = True

    def result(self) -> Any:
        """Return what the work has returned, or raise what it has raised."""
        if self.error is not None:
            raise self.error
        return self.reply


#: The jobs of the thread; None ends it.
Jobs = queue.SimpleQueue[Job | None]


class ExecThread:
    """The thread of an engine; it is started when it is first needed, and sleeps on a queue.

    It ends with stop(), or when the engine is garbage-collected.
    """

    def __init__(self, unit: Unit) -> None:
        self._lock: Any = unit.lock
        self._main = threading.main_thread().ident  # the child of a fork makes a new ExecThread
        self._jobs: Jobs = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._stopped = False
        #: so that a job comes before the end of the thread, or is not handed over; a finalizer may
        #: come in between
        self._changing = threading.RLock()

    def runs_here(self) -> bool:
        """Whether run() would call the work in this thread, which is not the main thread.

        A signal handler may call in while this thread holds the lock: handing the command to the
        worker would deadlock.
        """
        return get_ident() != self._main or self._lock._is_owned()

    def run(self, work: Callable[[], Any]) -> Any:
        """Run `work` in a thread without KeyboardInterrupt; return or raise its result."""
        if self.runs_here():
            return work()
        job = Job(work, self._lock)
        try:
            if not self._hand_over(job):
                return work()
            job.finished.acquire()
        except BaseException:
            try:
                job.cancel()
            except BaseException:
                job.cancel()
                raise
            raise
        return job.result()

    def later(self, work: Callable[[], Any]) -> None:
        """Run `work` soon, under the lock, without waiting for it."""
        self._hand_over(Job(work, self._lock))

    def _hand_over(self, job: Job) -> bool:
        """Give the job to the thread; return False when there is none."""
        with self._changing:
            running = not self._stopped and self._is_running()
            if running:
                self._jobs.put(job)
        return running

    def _is_running(self) -> bool:
        """Start the thread if need be; False when there can be none."""
        if self._thread is None or not self._thread.is_alive():
            weakref.finalize(self, self._jobs.put, None).atexit = False
            self._thread = threading.Thread(
                target=_work, args=(self._jobs,), name="minidis-exec", daemon=True
            )
            try:
                self._thread.start()
            except RuntimeError:  # the interpreter ends, or no thread is left
                return False
        return True

    def stop(self) -> None:
        """End the thread when it has done what it was handed; it is not waited for."""
        with self._changing:
            self._stopped = True
            self._jobs.put(None)


def _work(jobs: Jobs) -> None:
    while (job := jobs.get()) is not None:
        job.run()
        del job
