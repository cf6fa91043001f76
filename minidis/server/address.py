"""Addresses of servers: parsing, and the sockets that listen there.

    "127.0.0.1:6379"   "localhost:0"   "[::1]:6379"   ":6379"   "0.0.0.0:6379"   "unix:app.sock"

Port 0 takes any free port; without a host the server listens on the loopback interface. A socket
file has mode 0600. A socket file without a listening server is replaced; other files are errors.
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

#: Connections that the system may queue before they are accepted.
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
    """Parse an address; AddressError if it is not valid."""
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
            text, "not an address", "write host:port, [IPv6 address]:port or unix:path"
        )
    return Address(text, host=bare or "127.0.0.1", port=int(port))


def listen(address: Address) -> tuple[socket.socket, str]:
    """Return a listening socket, and its actual address."""
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
    # A name such as localhost may have addresses of IPv4 and IPv6; nearly all clients try IPv4.
    family, _, _, _, endpoint = min(found, key=lambda one: one[0] != socket.AF_INET)
    # asyncio disables Nagle's algorithm (40 ms for each reply) only if the protocol is given.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # a port with connections in TIME_WAIT
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        elif hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        listener.bind(endpoint)
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
            _remove_stale(address)
            listener.bind(address.path)
        # Before listen(): no client can connect while the file still has the default mode.
        os.chmod(address.path, UNIX_MODE)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise AddressError(address.text, _reason(error), _remedy(error)) from None
    except BaseException:
        listener.close()
        raise
    return listener


def _remove_stale(address: Address) -> None:
    """Remove a socket file on which no server listens any more; AddressError for anything else."""
    if not stat.S_ISSOCK(os.lstat(address.path).st_mode):
        raise AddressError(
            address.text, "the file exists and is not a socket", "choose another path, or remove it"
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
            pass  # a server exists, but is busy, or belongs to another user
    raise AddressError(
        address.text, "another server listens there", "choose another path, or stop that server"
    )


def remove(address: Address, identity: tuple[int, int] | None) -> None:
    """Remove the socket file of a server, unless another server has replaced it."""
    if address.path and identity == identity_of(address):
        with contextlib.suppress(OSError):
            os.unlink(address.path)


def abandon(sock: Any) -> None:
    """In the child of a fork: release a socket of the parent without closing the connection.

    The file descriptor is redirected to /dev/null, so that closing it later has no effect on the
    parent's socket, nor on another file of the child with the same descriptor.
    """
    with contextlib.suppress(OSError, AttributeError, ValueError):  # closed already
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, sock.fileno(), inheritable=False)
        os.close(null)


def identity_of(address: Address) -> tuple[int, int] | None:
    """Return device and inode of the socket file, or None if there is none."""
    try:
        found = os.lstat(address.path)
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def is_loopback(peer: object) -> bool:
    """Return whether the client is on this machine. `peer` is the result of getpeername()."""
    if not isinstance(peer, tuple):
        return True
    host = str(peer[0])
    return host.startswith(("127.", "::ffff:127.")) or host == "::1"


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _remedy(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "use another port (0: any free port), or stop the program that listens there"
    if error.errno == errno.EACCES:
        return "use a port above 1023, or a directory in which you may write"
    if error.errno == errno.EADDRNOTAVAIL:
        return "use an address of this machine, such as 127.0.0.1"
    return "choose another address; the path of a socket may have about 100 bytes"
