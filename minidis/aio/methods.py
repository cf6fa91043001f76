"""The methods of the async classes: each calls the sync method, and awaits if the call blocks.

A method is compiled from a template when it is first used, with the parameters of its command:
passing on `*args, **options` costs twice as much. `_session` is the sync session that runs the
commands.
"""

from __future__ import annotations

import functools
import inspect
from asyncio import to_thread
from typing import Any

from minidis.aio.parking import reply_of
from minidis.api.session import Session
from minidis.clients.blocked import BlockedCall
from minidis.grammar.command import COMMANDS, Command
from minidis.grammar.methods import public_signature

_RETURN = """
    if reply.__class__ is BlockedCall:
        reply = await reply_of(self._session, reply)
    return reply
"""

#: A call that runs immediately, in the thread of the loop.
INLINE = (
    """
async def {name}{signature}:
    reply = self._session.{name}({arguments})"""
    + _RETURN
)

#: A call that may take long, and runs in a worker thread.
IN_THREAD = (
    """
async def {name}{signature}:
    reply = await to_thread(self._session.{name}, {arguments})"""
    + _RETURN
)

#: A call of a pipeline: queued, or an awaitable while the pipeline runs calls immediately.
QUEUED = """
def {name}{signature}:
    if self._session.client.queue is None:
        return run_now(self, self._session.{name}, {arguments})
    self._session.{name}({arguments})
    return self
"""

#: First words of slow commands, in the usual spellings, for execute().
SLOW_WORDS = frozenset(
    form
    for word in {command.name.split()[0] for command in COMMANDS.values() if command.slow}
    for text in (word, word.lower(), word.capitalize())
    for form in (text, text.encode())
)


class LazyAsyncMethod:
    """Stands for a method until it is first used, as grammar.methods.LazyMethod does."""

    def __init__(self, template: str, command: Command, owner: type[Any]) -> None:
        self.template = template
        self.command = command
        self.owner = owner

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        method = _compile(self.template, self.command)
        setattr(self.owner, self.command.method, method)
        return method if instance is None else getattr(instance, self.command.method)


def install_awaited(cls: type[Any]) -> None:
    """Add a coroutine function for each command to the class."""
    for command in COMMANDS.values():
        template = IN_THREAD if command.slow else INLINE
        setattr(cls, command.method, LazyAsyncMethod(template, command, cls))


def install_queued(cls: type[Any]) -> None:
    """Add a method for each command that a pipeline can queue to the class."""
    for command in COMMANDS.values():
        if not command.immediate:
            setattr(cls, command.method, LazyAsyncMethod(QUEUED, command, cls))


async def completed(session: Any, reply: Any) -> Any:
    """Return the reply of a call, after waiting if the call is blocked."""
    return await reply_of(session, reply) if reply.__class__ is BlockedCall else reply


async def _run_now(pipeline: Any, call: Any, /, *args: Any, **options: Any) -> Any:
    return await completed(pipeline._session, call(*args, **options))


class _Name(str):
    """A string that a signature shows without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _compile(template: str, command: Command) -> Any:
    """Compile the method of one command."""
    whole = public_signature(command.body)
    params = list(whole.parameters.values())
    space: dict[str, Any] = {
        "BlockedCall": BlockedCall,
        "reply_of": reply_of,
        "run_now": _run_now,
        "to_thread": to_thread,
    }
    space |= {f"default_{param.name}": param.default for param in params}
    text = template.format(
        name=command.method,
        signature=whole.replace(
            parameters=[_bare(param) for param in params], return_annotation=whole.empty
        ),
        arguments=", ".join(_passed(param) for param in params[1:]),
    )
    exec(compile(text, f"<minidis async {command.name}>", "exec"), space)
    method = functools.update_wrapper(space[command.method], getattr(Session, command.method))
    method.__signature__ = whole  # type: ignore[attr-defined]
    return method


def _bare(param: inspect.Parameter) -> inspect.Parameter:
    """Return the parameter without annotation, its default by its name in the source."""
    if param.default is param.empty:
        return param.replace(annotation=param.empty)
    return param.replace(annotation=param.empty, default=_Name(f"default_{param.name}"))


def _passed(param: inspect.Parameter) -> str:
    """Return the argument that passes the parameter on."""
    if param.kind is param.VAR_POSITIONAL:
        return f"*{param.name}"
    return f"{param.name}={param.name}" if param.kind is param.KEYWORD_ONLY else param.name
