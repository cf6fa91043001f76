"""Interruptions at any bytecode: a call is struck at its first, second, ... one.

    strike = Strike(17)
    if interrupted(strike, call):    KeyboardInterrupt came out at the 17th bytecode
        strike.struck                the instruction, strike.function where it was

Bytecodes are counted by a trace function, or, from Python 3.12 on, by sys.monitoring: there trace
functions miss the bytecodes of code that runs for the first time.
"""

from __future__ import annotations

import dis
import os
import sys
import threading
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

import sortedcontainers

import minidis

OURS = (os.path.dirname(minidis.__file__), os.path.dirname(sortedcontainers.__file__), "<door")


class Strike:
    """Raises an error, as a rule KeyboardInterrupt, at the n-th bytecode of the files that begin
    with `where`, in the thread that has begun it. All strikes of a test name the same files."""

    error: type[BaseException] = KeyboardInterrupt

    def __init__(self, at: int, where: tuple[str, ...] = OURS) -> None:
        self.at = at
        self.where = where
        #: the instruction, and the function it was in
        self.struck = ""
        self.function = ""

    def strike(self, code: CodeType, offset: int) -> None:
        """The moment has come."""
        self.struck = dis.opname[code.co_code[offset]]
        self.function = code.co_name
        raise self.error

    if sys.version_info >= (3, 12):

        def begin(self) -> Any:
            """Count from now on; returns what end() puts back."""
            monitoring = sys.monitoring
            if monitoring.get_tool(TOOL) is None:
                monitoring.use_tool_id(TOOL, "strikes")
            if monitoring.get_events(TOOL) == 0:
                monitoring.restart_events()
                # Until rest(): to prepare all code anew for each strike would take much longer.
                monitoring.set_events(TOOL, monitoring.events.INSTRUCTION)
            monitoring.register_callback(TOOL, monitoring.events.INSTRUCTION, self._counter())
            return None

        def _counter(self) -> Callable[[CodeType, int], Any]:
            left, where, this_thread = self.at, self.where, threading.get_ident
            disable, thread = sys.monitoring.DISABLE, this_thread()

            def count(code: CodeType, offset: int) -> Any:
                nonlocal left
                if not code.co_filename.startswith(where):
                    return disable
                if this_thread() == thread:
                    left -= 1
                    if not left:
                        self.strike(code, offset)
                return None

            return count

        @staticmethod
        def end(before: Any) -> None:
            """Count no more."""
            sys.monitoring.register_callback(TOOL, sys.monitoring.events.INSTRUCTION, None)

    else:

        def begin(self) -> Any:
            """Count from now on; returns what end() puts back: perhaps a coverage tracer."""
            before = sys.gettrace()
            trace = self._counter()

            def called(frame: FrameType, event: str, arg: Any) -> Any:
                if not frame.f_code.co_filename.startswith(self.where):
                    return None
                frame.f_trace_opcodes = True
                frame.f_trace_lines = False
                return trace

            sys.settrace(called)
            return before

        def _counter(self) -> Callable[[FrameType, str, Any], Any]:
            """A closure, since it runs some hundred million times."""
            left = self.at

            def trace(frame: FrameType, event: str, arg: Any) -> Any:
                nonlocal left
                if event == "opcode":
                    left -= 1
                    if not left:
                        self.strike(frame.f_code, frame.f_lasti)
                return trace

            return trace

        @staticmethod
        def end(before: Any) -> None:
            """Count no more."""
            sys.settrace(before)


#: A tool of sys.monitoring that no debugger, profiler or coverage uses.
TOOL = 4


def rest() -> None:
    """After a test: let code run again as if nothing had been counted."""
    if sys.version_info >= (3, 12) and sys.monitoring.get_tool(TOOL) is not None:
        sys.monitoring.set_events(TOOL, 0)


def interrupted(strike: Strike, call: Callable[[], Any]) -> bool:
    """Make the call; was it struck?"""
    before = strike.begin()
    try:
        call()
    except strike.error:
        return True
    finally:
        strike.end(before)
    return bool(strike.struck)  # then where Python swallows it: a generator that is forgotten
