"""The session of a connection: it runs words as fast as may be, and does not sleep.

A batch of commands runs in one hold of the engine's lock, replies included: what others send to the
same client meanwhile (messages, invalidations) comes before or after, never in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minidis.api.session import Session, find_command
from minidis.clients.blocked import RETRY, BlockedCall, Wait
from minidis.errors import MinidisError, report
from minidis.grammar.call import Call, words_of
from minidis.grammar.command import SPELLINGS
from minidis.protocol.replies import LARGE, Encoded, error_line, write, write_each
from minidis.protocol.shapes import NULL_ARRAY
from minidis.replies import NO_REPLY, OK, QUEUED

if TYPE_CHECKING:
    from minidis.server.connection import RemoteClient

#: So many commands run in one hold of the lock; fewer when there are so many parts to send.
BATCH = 32
MANY_PARTS = 4096
#: First words of people who think that this is a web server. Browsers can be made to send them.
ATTACKS = frozenset((b"post", b"host:"))


class Disconnect(Exception):
    """Close the connection without an answer."""


class ClientSession(Session[bytes]):
    """One connection's session."""

    client: RemoteClient
    #: HELLO is among what EXEC runs: each answer is in the protocol of its moment
    changes_protocol = False

    def sleep(self, blocked: BlockedCall) -> Any:
        """Whoever serves the connection waits, for all of them."""
        return blocked

    def enqueue(self, call: Call) -> Any:
        """Keep a command for EXEC, if EXEC has a chance to run it."""
        client = self.client
        if client.aborted or (client.watch is not None and client.watch.dirty):
            return QUEUED
        return super().enqueue(call)

    def run_queued(self, call: Call) -> Any:
        """One command of EXEC. Confirmations that it sends are its place in the reply."""
        later = self.client.connection.later_messages
        before = len(later)
        reply = super().run_queued(call)
        if reply is NO_REPLY:
            reply = Encoded(later[before:])
            del later[before:]
        elif self.changes_protocol and reply.__class__ is not Wait:
            parts = Encoded()
            write(parts, reply, self.client.protocol, words_of(call))
            return parts
        return reply

    def run_batch(self, commands: list[list[bytes]], at: int, out: list[bytes]) -> int:
        """Run commands from number `at` on, as long as they are usual; how far it came.

        Ends early, too, when there is much to send. Under the lock.
        """
        # The lines of replies.write for the usual replies: this loop is what a client waits for.
        run, known, append = self.engine.run, SPELLINGS.get, out.append
        for words in commands[at : at + BATCH]:
            command = known(words[0])
            if command is None or not command.batchable or self.needs_checks:
                return at
            at += 1
            try:
                if len(words) == command.plain:
                    reply = run(command, self, words[1:])
                else:
                    args, options = command.parse(words[:])
                    reply = run(command, self, args, options)
            except BaseException as error:
                append(_refusal(error))
                continue
            kind = reply.__class__
            if kind is bytes and len(reply) < LARGE:
                append(b"$%d\r\n%b\r\n" % (len(reply), reply))
            elif reply is OK:
                append(b"+OK\r\n")
            elif kind is int:
                append(b":%d\r\n" % reply)
            else:
                write(out, reply, self.client.protocol, words)
                if kind is bytes or len(out) > MANY_PARTS:
                    break
        return at

    def run_one(self, words: list[bytes], out: list[bytes]) -> BlockedCall | None:
        """Run one command of any kind; its blocked if it waits. Under the lock.

        Leave when there is to be no answer, but an end.
        """
        if words[0].lower() in ATTACKS:
            raise Disconnect
        client = self.client
        queue = self.client.queue if words[0].upper() == b"EXEC" else None
        self.changes_protocol = any(call[0].changes_protocol for call in queue or ())
        try:
            reply = self.execute_checked(words)
        except BaseException as error:
            if client.reply_mode == "on":
                out.append(_refusal(error))
            return None
        if reply.__class__ is BlockedCall:
            return reply
        self._reply(reply, words, queue, out)
        return None

    def _reply(
        self, reply: Any, words: list[bytes], queue: list[Call] | None, out: list[bytes]
    ) -> None:
        """Send the reply to a command; `queue` is what EXEC has run."""
        client = self.client
        if reply is NO_REPLY or client.reply_mode != "on":
            return
        if queue is not None and reply.__class__ is list:
            write_each(out, reply, client.protocol, [words_of(call) for call in queue])
        else:
            write(out, reply, client.protocol, words)

    def reply_to_blocked(self, blocked: BlockedCall, out: list[bytes]) -> BlockedCall | None:
        """The answer of a blocked that is done; another one if it has to wait again."""
        words = words_of(blocked.call)
        again, queue = blocked.reply is RETRY, self.client.queue
        try:
            reply = self.resume(blocked)
        except BaseException as error:
            if self.client.reply_mode == "on":
                out.append(_refusal(error))
            return None
        if reply.__class__ is BlockedCall:
            return reply
        # Who has waited for nothing misses an array, whatever the command.
        reply = NULL_ARRAY if reply is None and not again else reply
        self._reply(reply, words, queue, out)
        return None


def display_name_of(words: list[bytes]) -> str:
    """The name of a command as CLIENT LIST writes it."""
    try:
        return find_command(words).display_name
    except MinidisError:
        return "NULL"


def _refusal(error: BaseException) -> bytes:
    """An error as its reply. What nobody meant to raise is for the operator, too."""
    if not isinstance(error, MinidisError):
        report(error)
        error = MinidisError(f"internal error: {error.__class__.__name__}")
    return error_line(error)
