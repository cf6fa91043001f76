"""Fault injection: a call is interrupted at its first, second, ... bytecode.

    fault = Fault(17)
    if interrupted(fault, call):     KeyboardInterrupt was raised at the 17th bytecode
        fault.instruction            the instruction, fault.function the function it belongs to

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

OURS = (os.path.dirname(minidis.__file__), os.path.dirname(sortedcontainers.__file__), "<minidis ")


class Fault:
    """Raises an error, by default KeyboardInterrupt, at the n-th bytecode of the files whose names
    begin with `where`, in the thread that called begin(). All faults of a test name the same files.
    """

    error: type[BaseException] = KeyboardInterrupt

    def __init__(self, at: int, where: tuple[str, ...] = OURS) -> None:
        self.at = at
        self.where = where
        #: where the error was raised: the instruction, and its function; "" before that
        self.instruction = ""
        self.function = ""

    def inject(self, code: CodeType, offset: int) -> None:
        """Raise the error, in front of this instruction."""
        self.instruction = dis.opname[code.co_code[offset]]
        self.function = code.co_name
        raise self.error

    if sys.version_info >= (3, 12):

        def begin(self) -> Any:
            """Start counting; returns what end() restores."""
            monitoring = sys.monitoring
            if monitoring.get_tool(TOOL) is None:
                monitoring.use_tool_id(TOOL, "fault injection")
            if monitoring.get_events(TOOL) == 0:
                monitoring.restart_events()
                # Until stop(): instrumenting all code again for each fault would take much longer.
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
                        self.inject(code, offset)
                return None

            return count

        @staticmethod
        def end(before: Any) -> None:
            """Stop counting."""
            sys.monitoring.register_callback(TOOL, sys.monitoring.events.INSTRUCTION, None)

    else:

        def begin(self) -> Any:
            """Start counting; returns what end() restores, for example the tracer of coverage."""
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
                        self.inject(frame.f_code, frame.f_lasti)
                return trace

            return trace

        @staticmethod
        def end(before: Any) -> None:
            """Stop counting."""
            sys.settrace(before)


#: A tool of sys.monitoring that no debugger, profiler or coverage uses.
TOOL = 4


def stop() -> None:
    """Remove the instrumentation, after a test."""
    if sys.version_info >= (3, 12) and sys.monitoring.get_tool(TOOL) is not None:
        sys.monitoring.set_events(TOOL, 0)


def interrupted(fault: Fault, call: Callable[[], Any]) -> bool:
    """Make the call; was the error raised in it?"""
    before = fault.begin()
    try:
        call()
    except fault.error:
        return True
    finally:
        fault.end(before)
    # An error at the end of a generator that is garbage collected is swallowed by Python.
    return bool(fault.instruction)
