"""The doors of the async classes: each calls the door of the sync class, and awaits if it has to.

A door is made from a template when it is first asked for, with the parameters of its command:
handing on `*args, **options` costs twice as much. `_session` is the sync session that does the
work.
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

_ANSWER = """
    if reply.__class__ is BlockedCall:
        reply = await reply_of(self._session, reply)
    return reply
"""

#: A call that is made at once, on the thread of the loop.
INLINE = (
    """
async def {name}{signature}:
    reply = self._session.{name}({arguments})"""
    + _ANSWER
)

#: A call that may take long.
IN_THREAD = (
    """
async def {name}{signature}:
    reply = await to_thread(self._session.{name}, {arguments})"""
    + _ANSWER
)

#: A call of a pipeline: queued, or awaited while the pipeline makes its calls at once.
QUEUED = """
def {name}{signature}:
    if self._session.client.queue is None:
        return at_once(self, self._session.{name}, {arguments})
    self._session.{name}({arguments})
    return self
"""

#: How slow commands begin in the words of execute(), in the usual spellings.
SLOW_WORDS = frozenset(
    form
    for word in {command.name.split()[0] for command in COMMANDS.values() if command.slow}
    for text in (word, word.lower(), word.capitalize())
    for form in (text, text.encode())
)


class LazyAsyncMethod:
    """Stands for a door in a class until it is first asked for, as command.Door does."""

    def __init__(self, template: str, command: Command, owner: type[Any]) -> None:
        self.template = template
        self.command = command
        self.owner = owner

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        door = _compile(self.template, self.command)
        setattr(self.owner, self.command.method, door)
        return door if instance is None else getattr(instance, self.command.method)


def install_awaited(cls: type[Any]) -> None:
    """Give the class a coroutine function for each command."""
    for command in COMMANDS.values():
        template = IN_THREAD if command.slow else INLINE
        setattr(cls, command.method, LazyAsyncMethod(template, command, cls))


def install_queued(cls: type[Any]) -> None:
    """Give the class a method for each command that a pipeline can queue."""
    for command in COMMANDS.values():
        if not command.immediate:
            setattr(cls, command.method, LazyAsyncMethod(QUEUED, command, cls))


async def answered(session: Any, reply: Any) -> Any:
    """The reply of a call, which may have to wait for it."""
    return await reply_of(session, reply) if reply.__class__ is BlockedCall else reply


async def _at_once(pipeline: Any, call: Any, /, *args: Any, **options: Any) -> Any:
    return await answered(pipeline._session, call(*args, **options))


class _Name(str):
    """A text that a signature shows without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _compile(template: str, command: Command) -> Any:
    """One door."""
    whole = public_signature(command.body)
    params = list(whole.parameters.values())
    space: dict[str, Any] = {
        "BlockedCall": BlockedCall,
        "reply_of": reply_of,
        "at_once": _at_once,
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
    exec(compile(text, f"<async door {command.name}>", "exec"), space)
    door = functools.update_wrapper(space[command.method], getattr(Session, command.method))
    door.__signature__ = whole  # type: ignore[attr-defined]
    return door


def _bare(param: inspect.Parameter) -> inspect.Parameter:
    """The parameter without annotation, its default by the name it has in the door."""
    if param.default is param.empty:
        return param.replace(annotation=param.empty)
    return param.replace(annotation=param.empty, default=_Name(f"default_{param.name}"))


def _passed(param: inspect.Parameter) -> str:
    """The parameter as the door hands it on."""
    if param.kind is param.VAR_POSITIONAL:
        return f"*{param.name}"
    return f"{param.name}={param.name}" if param.kind is param.KEYWORD_ONLY else param.name
