"""The session of a connection: runs commands in batches, and never blocks the server's thread.

A batch runs and writes its replies while it holds the engine's lock. Messages that other sessions
send to the client (pub/sub, invalidations) come before or after the replies of a batch, never
between them.
"""

from __future__ import annotations

from typing import Any

from minidis.api.session import Session
from minidis.clients.blocked import RETRY, BlockedCall, Wait
from minidis.errors import MinidisError, report
from minidis.grammar.call import Call, words_of
from minidis.grammar.command import SPELLINGS, Command
from minidis.protocol.replies import LARGE, Encoded, error_line, write, write_each
from minidis.protocol.shapes import NULL_ARRAY
from minidis.replies import NO_REPLY, OK, QUEUED
from minidis.server.remote_client import RemoteClient

#: Commands that run while the lock is held once; fewer when the reply has this many parts.
BATCH = 32
MANY_PARTS = 4096
#: First words of HTTP requests, which a web page can make a browser send to this port.
ATTACKS = frozenset((b"post", b"host:"))


class Disconnect(Exception):
    """Close the connection without a reply."""


class ClientSession(Session[bytes]):
    """One connection's session."""

    client: RemoteClient
    #: EXEC runs HELLO: each reply is encoded in the protocol that is valid when its command has run
    changes_protocol = False

    def sleep(self, blocked: BlockedCall) -> Any:
        """Return the blocked call: the connection waits for it, the thread goes on."""
        return blocked

    def enqueue(self, call: Call) -> Any:
        """Queue a command for EXEC, unless EXEC is going to fail anyway."""
        client = self.client
        if client.aborted or (client.watch is not None and client.watch.dirty):
            return QUEUED
        return super().enqueue(call)

    def run_queued(self, call: Call) -> Any:
        """Run one command of EXEC. Confirmations that it sends become its part of the reply."""
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

    def update_checks(self) -> None:
        """Recompute the checks, and whether permissions are all there is to be checked."""
        super().update_checks()
        restricted = self.client.is_restricted and not self.client.listening
        self.only_permissions = restricted and len(self.checks) == 1 and not self.follows

    def _is_permitted(self, command: Command, words: list[bytes]) -> bool:
        """Whether the user may run the command; False if that takes the slow path to know."""
        user = self.client.user
        if not self.only_permissions or user is None or not command.accepts(len(words)):
            return False
        grant = user.grant(command)
        if isinstance(grant, bool):
            return grant
        if command.has_one_key:
            return grant(words[1])
        return all(map(grant, command.keys_of_words(words)))

    def run_batch(self, commands: list[list[bytes]], at: int, out: list[bytes]) -> int:
        """Run commands from index `at` on and return the index of the first that did not run.

        Stops at a command that needs the slow path, and when there is much to send. Under the lock.
        """
        # Frequent replies are encoded here, as in replies.write: this loop determines the latency.
        run, known, append = self.engine.run, SPELLINGS.get, out.append
        for words in commands[at : at + BATCH]:
            command = known(words[0])
            if command is None or not command.batchable:
                return at
            if self.needs_checks and not self._is_permitted(command, words):
                return at
            at += 1
            try:
                if len(words) == command.plain:
                    reply = run(command, self, words[1:])
                else:
                    args, options = command.parse(words[:])
                    reply = run(command, self, args, options)
            except BaseException as error:
                append(_error_reply(error))
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
        """Run one command of any kind and return its blocked call, if it blocks. Under the lock.

        Disconnect when the connection has to be closed without a reply.
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
                out.append(_error_reply(error))
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
        """Send the reply of a blocked call that is done; return a new one if it blocks again."""
        words = words_of(blocked.call)
        again, queue = blocked.reply is RETRY, self.client.queue
        try:
            reply = self.resume(blocked)
        except BaseException as error:
            if self.client.reply_mode == "on":
                out.append(_error_reply(error))
            return None
        if reply.__class__ is BlockedCall:
            return reply
        # After a timeout the reply is a null array, whatever the command.
        reply = NULL_ARRAY if reply is None and not again else reply
        self._reply(reply, words, queue, out)
        return None


def _error_reply(error: BaseException) -> bytes:
    """Return the reply for an error. Unexpected exceptions are reported to the operator, too."""
    if not isinstance(error, MinidisError):
        report(error)
        error = MinidisError(f"internal error: {error.__class__.__name__}")
    return error_line(error)
