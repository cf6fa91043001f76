"""Where a door is: what an address means, and the socket that listens there.

    "127.0.0.1:6379"   "localhost:0"   "[::1]:6379"   ":6379"   "0.0.0.0:6379"   "unix:app.sock"

Port 0 is any free one, no host is the loopback. A socket file is for its owner alone (mode 0600).
The file of a server that is dead is replaced; nothing else is.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from dataclasses import dataclass
from typing import Any

from minidis.errors import AddressError

#: Clients that may wait to be let in.
BACKLOG = 511
UNIX_MODE = 0o600


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed address: host and port, or the path of a socket file."""

    text: str
    host: str = ""
    port: int = 0
    path: str = ""


def parse_address(text: str) -> Address:
    """What the words mean; AddressError if nothing."""
    scheme, _, path = text.partition(":")
    if scheme == "unix":
        path = path.removeprefix("//")
        if not path:
            raise AddressError(text, "the path is missing", "write unix:app.sock")
        return Address(text, path=os.path.abspath(path))
    host, colon, port = text.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    valid = port.isascii() and port.isdigit() and int(port) < 65536
    if not colon or not valid or (":" in bare and bare == host):
        raise AddressError(
            text, "this is no address", "write host:port, [IPv6 address]:port or unix:path"
        )
    return Address(text, host=bare or "127.0.0.1", port=int(port))


def listen(address: Address) -> tuple[socket.socket, str]:
    """A socket that listens, and the address at which it really is."""
    if address.path:
        return _listen_unix(address), f"unix:{address.path}"
    listener = _listen_tcp(address)
    host, port = listener.getsockname()[:2]
    return listener, f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _listen_tcp(address: Address) -> socket.socket:
    try:
        found = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        raise AddressError(address.text, _reason(error), "use a name of this machine") from None
    # A name such as localhost may mean both worlds; nearly all clients try this one.
    family, _, _, _, place = min(found, key=lambda one: one[0] != socket.AF_INET)
    # asyncio switches off Nagle's delay (40 ms an answer) only where the protocol is named.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # a port whose last connections are still dying
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        elif hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        listener.bind(place)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise AddressError(address.text, _reason(error), _remedy(error)) from None
    return listener


def _listen_unix(address: Address) -> socket.socket:
    if not hasattr(socket, "AF_UNIX"):
        raise AddressError(
            address.text, "this system has no Unix sockets", "use an address such as 127.0.0.1:6379"
        )
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        try:
            listener.bind(address.path)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            _remove_dead(address)
            listener.bind(address.path)
        # Nobody can connect before listen(), so nobody slips in before the file is closed to all.
        os.chmod(address.path, UNIX_MODE)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise AddressError(address.text, _reason(error), _remedy(error)) from None
    except BaseException:
        listener.close()
        raise
    return listener


def _remove_dead(address: Address) -> None:
    """Remove the file of a server that does not live any more; AddressError for anything else."""
    if not stat.S_ISSOCK(os.lstat(address.path).st_mode):
        raise AddressError(
            address.text, "there is a file that is no socket", "choose another path, or remove it"
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(address.path)
        except (ConnectionRefusedError, FileNotFoundError):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(address.path)
            return
        except OSError:
            pass  # it is there, and busy or not ours
    raise AddressError(
        address.text, "another server listens there", "choose another path, or stop that server"
    )


def remove(address: Address, identity: tuple[int, int] | None) -> None:
    """Remove the socket file of a door that closes, unless somebody else's has taken its place."""
    if address.path and identity == identity_of(address):
        with contextlib.suppress(OSError):
            os.unlink(address.path)


def abandon(sock: Any) -> None:
    """In the child of a fork: let go of a socket that is the parent's, and leave it as it is.

    Its number goes to another file: whoever closes the number later does no harm, neither to the
    parent nor to a file of the child that would have got the number anew.
    """
    with contextlib.suppress(OSError, AttributeError, ValueError):  # it has just been closed
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, sock.fileno(), inheritable=False)
        os.close(null)


def identity_of(address: Address) -> tuple[int, int] | None:
    """Device and inode of the socket file, if there is one."""
    try:
        found = os.lstat(address.path)
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def is_loopback(peer: object) -> bool:
    """Is the other side on this machine? `peer` is what getpeername() says."""
    if not isinstance(peer, tuple):
        return True
    host = str(peer[0])
    return host.startswith(("127.", "::ffff:127.")) or host == "::1"


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _remedy(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "use another port (0: any free one), or stop what listens there"
    if error.errno == errno.EACCES:
        return "use a port above 1023, or a directory in which you may write"
    if error.errno == errno.EADDRNOTAVAIL:
        return "use an address of this machine, such as 127.0.0.1"
    return "choose another address; the path of a socket may have about 100 bytes"
