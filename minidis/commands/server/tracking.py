"""CLIENT TRACKING, CACHING, GETREDIR, TRACKINGINFO: support for client-side caching.

Tracked keys and invalidations are in observers/tracking.py; this module parses the options and
checks which of them exclude each other.
"""

from __future__ import annotations

from typing import Any

from minidis import errors
from minidis.clients.client import Client
from minidis.clients.tracking import TrackingState
from minidis.commands.shared.group import Group, T
from minidis.errors import ResponseError
from minidis.grammar.command import declarations
from minidis.grammar.kinds import INTEGER, RAW, Integer, Value, encode
from minidis.replies import OK, Status

command = declarations(group="connection", parent="CLIENT", stateful=True)

_FLAGS = "noscript loading stale"
#: Error messages.
_REDIRECT_TWICE = "A client can only redirect to a single other client"
_NO_SUCH_CLIENT = "The client ID you want redirect to does not exist"
_NO_MESSAGES = "this session takes no messages; give `redirect` the id of a connection"
_PREFIX_WITHOUT_BCAST = "PREFIX option requires BCAST mode to be enabled"
_OPT_WITH_BCAST = "OPTIN and OPTOUT are not compatible with BCAST"
_OPTIN_AND_OPTOUT = "You can't specify both OPTIN mode and OPTOUT mode"
_SWITCH = (
    "You can't switch {} mode{} before disabling tracking for this client, "
    "and then re-enabling it with a different mode."
)
_OVERLAP = (
    "Prefix '{}' overlaps with {} prefix '{}'. Prefixes for a single client must not overlap."
)
_NOT_TRACKING = (
    "CLIENT CACHING can be called only when the client is in tracking mode "
    "with OPTIN or OPTOUT mode enabled"
)
_CACHING_MODE = "CLIENT CACHING {} is only valid when tracking is enabled in {} mode."


class TrackingCommands(Group[T]):
    """CLIENT TRACKING, CACHING, GETREDIR, TRACKINGINFO."""

    @command(
        "CLIENT TRACKING <ON | OFF> [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] "
        "[BCAST] [OPTIN] [OPTOUT] [NOLOOP]",
        _FLAGS,
        since="6.0.0",
        complexity="O(1)",
        choices="switch",
        names={"REDIRECT": "redirect", "PREFIX": "prefixes"},
        kinds={"client-id": INTEGER, "switch": RAW},
        once="REDIRECT",
        once_error=_REDIRECT_TWICE,
        deferred_errors=True,
    )
    def client_tracking(
        self,
        switch: Value,
        redirect: Integer | None = None,
        prefixes: Any = None,
        bcast: bool = False,
        optin: bool = False,
        optout: bool = False,
        noloop: bool = False,
        _option_error: ResponseError | None = None,
    ) -> Status:
        """Enable or disable invalidation messages for keys that the current client has read.

        switch: "on" or "off". redirect: id of the connection that receives the messages instead.
        bcast: report all changed keys that begin with one of `prefixes` (default: all keys). optin:
        track only keys read after CLIENT CACHING YES. optout: track all keys except those read
        after CLIENT CACHING NO. noloop: do not report changes made by this client.

        Returns OK. Raises ResponseError if options exclude each other, the `redirect` client does
        not exist, or an in-process session does not redirect.

        >>> db.client_tracking("on")
        Traceback (most recent call last):
        ...
        minidis.errors.ResponseError: ERR this session takes no messages; give `redirect` the id \
of a connection
        """
        table = self.engine.observers.tracking
        target: Any = redirect
        if target is not None and self.engine.clients.get(target) is None:
            raise errors.error(_NO_SUCH_CLIENT)
        if _option_error is not None:
            raise _option_error
        word, names = encode(switch).upper(), list(prefixes or ())
        if word == b"ON":
            _check_modes(self.client, names, bcast=bcast, optin=optin, optout=optout)
            if not self.client.takes_messages and target is None:
                raise errors.error(_NO_MESSAGES)
            tracking = table.start(self.client, target or 0)
            tracking.set_mode(broadcasts=bcast, opt_in=optin, opt_out=optout, no_loop=noloop)
            for prefix in (names or [b""]) if bcast else ():
                table.broadcast(self.client, prefix)
        elif word == b"OFF":
            table.stop(self.client)
        else:
            raise errors.error(errors.SYNTAX)
        self.update_checks()
        return OK

    @command(
        "CLIENT CACHING <YES | NO>",
        _FLAGS,
        since="6.0.0",
        complexity="O(1)",
        choices="mode",
        kinds={"mode": RAW},
    )
    def client_caching(self, mode: Value) -> Status:
        """Track the keys of the next command or transaction, or do not.

        mode: "yes" with CLIENT TRACKING ON OPTIN, "no" with OPTOUT. Returns OK. Raises
        ResponseError in another tracking mode.

        >>> db.client_caching("yes")
        Traceback (most recent call last):
        ...
        minidis.errors.ResponseError: ERR CLIENT CACHING can be called only when the client is in \
tracking mode with OPTIN or OPTOUT mode enabled
        """
        tracking = self.client.tracking
        if tracking is None:
            raise errors.error(_NOT_TRACKING)
        word = encode(mode).upper()
        if word == b"YES" and not tracking.opt_in:
            raise errors.error(_CACHING_MODE.format("YES", "OPTIN"))
        if word == b"NO" and not tracking.opt_out:
            raise errors.error(_CACHING_MODE.format("NO", "OPTOUT"))
        if word not in (b"YES", b"NO"):
            raise errors.error(errors.SYNTAX)
        tracking.caching = True
        return OK

    @command("CLIENT GETREDIR", _FLAGS, since="6.0.0", complexity="O(1)")
    def client_getredir(self) -> int:
        """Return the id of the client that receives the invalidations of the current client.

        Returns 0 without redirection, -1 if tracking is off.

        >>> db.client_getredir()
        -1
        """
        tracking = self.client.tracking
        return -1 if tracking is None else tracking.redirect

    @command("CLIENT TRACKINGINFO", _FLAGS, since="6.2.0", complexity="O(1)")
    def client_trackinginfo(self) -> dict[T, Any]:
        """Return the tracking options of the current client.

        Returns a dict: flags (a set), redirect (see CLIENT GETREDIR), prefixes (a list).

        >>> db.client_trackinginfo()
        {b'flags': {b'off'}, b'redirect': -1, b'prefixes': []}
        """
        tracking = self.client.tracking
        prefixes = [] if tracking is None else sorted(tracking.prefixes)
        reply: Any = {
            b"flags": _flags(tracking),
            b"redirect": TrackingCommands.client_getredir(self),
            b"prefixes": prefixes,
        }
        return reply


def _flags(tracking: TrackingState | None) -> set[bytes]:
    """Return the tracking modes as flags of CLIENT TRACKINGINFO."""
    if tracking is None:
        return {b"off"}
    on = {
        b"on": True,
        b"bcast": tracking.broadcasts,
        b"optin": tracking.opt_in,
        b"caching-yes": tracking.opt_in and tracking.caching,
        b"optout": tracking.opt_out,
        b"caching-no": tracking.opt_out and tracking.caching,
        b"noloop": tracking.no_loop,
        b"broken_redirect": tracking.broken,
    }
    return {flag for flag, is_on in on.items() if is_on}


def _check_modes(
    client: Client, prefixes: list[bytes], *, bcast: bool, optin: bool, optout: bool
) -> None:
    """Raise an error if options exclude each other or the current tracking mode."""
    before = client.tracking
    if prefixes and not bcast:
        raise errors.error(_PREFIX_WITHOUT_BCAST)
    if before is not None and before.broadcasts != bcast:
        raise errors.error(_SWITCH.format("BCAST", " on/off"))
    if bcast and (optin or optout):
        raise errors.error(_OPT_WITH_BCAST)
    if optin and optout:
        raise errors.error(_OPTIN_AND_OPTOUT)
    if before is not None and ((optin and before.opt_out) or (optout and before.opt_in)):
        raise errors.error(_SWITCH.format("OPTIN/OPTOUT", ""))
    if bcast:
        _check_prefixes(prefixes, sorted(before.prefixes) if before is not None else [])


def _check_prefixes(prefixes: list[bytes], existing: list[bytes]) -> None:
    """Raise an error if a prefix begins another: its keys would be reported twice."""
    for number, prefix in enumerate(prefixes):
        for other in existing:
            _check_pair(prefix, other, "an existing")
        for other in prefixes[number + 1 :]:
            _check_pair(prefix, other, "another provided")


def _check_pair(one: bytes, other: bytes, which: str) -> None:
    """Raise an error if one of two prefixes begins the other."""
    if one.startswith(other) or other.startswith(one):
        raise errors.error(_OVERLAP.format(errors.shown(one), which, errors.shown(other)))
