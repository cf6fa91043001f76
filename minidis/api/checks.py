"""The slow path before a command: a table of checks, in the order of Redis.

A session has the checks that may apply to it just now in `session.checks`; most sessions have none,
and their calls go straight to the body. Later work adds rows here (memory, disk error, read-only
replica, busy script).

A check raises the error of a command that may not run, returns a reply in its place (QUEUED,
Wait), or returns None.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from minidis import errors
from minidis.acl.denials import Context
from minidis.clients.blocked import RETRY, Wait
from minidis.errors import ClosedError, ResponseError
from minidis.grammar.call import Call, words_of

Session: TypeAlias = Any
Applies: TypeAlias = Callable[[Session], Any]
Run: TypeAlias = Callable[[Session, Call], Any]


class Check(NamedTuple):
    """One row: whether it may apply to a session, and what it says of a call."""

    applies: Applies
    run: Run
    #: an error of it makes EXEC fail, if the command was to be queued
    aborts: bool = True


def _authenticated(session: Session, call: Call) -> None:
    if "no_auth" not in call[0].flags:
        raise ResponseError(errors.NO_AUTH)


def _permitted(session: Session, call: Call, context: Context | None = None) -> None:
    client = session.client
    if "no_auth" not in call[0].flags and not client.user.unrestricted:
        context = context or ("toplevel" if client.queue is None else "multi")
        session.engine.users.admit(client, call[0], words_of(call), context)


def _not_monitoring(session: Session, call: Call) -> None:
    if call[0].writes or "readonly" in call[0].flags:
        raise errors.error(errors.MONITORS_ONLY)


def _not_subscribed(session: Session, call: Call) -> None:
    if not call[0].while_subscribed:
        raise errors.error(errors.only_while_listening(call[0].display_name))


def _allowed_in_multi(session: Session, call: Call) -> None:
    if "no_multi" in call[0].flags and call[3] is not None and session.client.queue is not None:
        raise errors.error(errors.NOT_IN_MULTI)


def _open(session: Session, call: Call) -> None:
    if session.engine.closed:
        raise ClosedError


def _not_paused(session: Session, call: Call) -> Wait | None:
    pause, now = session.engine.pause, session.engine.clock.now()
    if call[0].pause_exempt or not pause:
        return None
    calls = [call, *(session.client.queue or ())] if call[0].runs_queue else [call]
    if not pause.holds(now, writes=any(one[0].changes for one in calls)):
        return None
    seconds = (pause.until - now + 1) / 1000
    return Wait((), max(seconds, 0.001), timeout_reply=RETRY, resumes=True)


def _queued(session: Session, call: Call) -> Any:
    is_queued = session.client.queue is not None and not call[0].immediate
    return session.enqueue(call) if is_queued else None


CHECKS = (
    Check(lambda session: not session.client.trusted and session.client.user is None,
          _authenticated),
    Check(lambda session: session.client.is_restricted, _permitted),
    Check(lambda session: session.client.monitors, _not_monitoring),
    Check(lambda session: session.client.protocol == 2 and session.client.listening,
          _not_subscribed),
    Check(lambda session: session.client.queue is not None, _allowed_in_multi),
    Check(lambda session: session.engine.closed, _open, aborts=False),
    Check(lambda session: session.engine.pause, _not_paused, aborts=False),
    Check(lambda session: session.client.queue is not None, _queued, aborts=False),
)  # fmt: skip


#: Those that may apply to an embedded session.
EMBEDDED_CHECKS = CHECKS[-4:]


def checks_of(session: Session) -> tuple[Check, ...]:
    """The checks that may apply to the calls of the session now."""
    return tuple(check for check in CHECKS if check.applies(session))


def check_nested(session: Session, call: Call) -> None:
    """The checks of one command of EXEC: permissions may have changed since it was queued."""
    client = session.client
    if not client.trusted:
        if client.user is None:
            _authenticated(session, call)
        elif client.is_restricted:
            _permitted(session, call, "exec")
