"""TCP ports of this machine: who listens, which connections linger, and whether ms-swift could bind a port."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING
from typing import NamedTuple

from launch.machine import processes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator

#: States of /proc/net/tcp (Linux, include/net/tcp_states.h).
LISTEN, TIME_WAIT = "0A", "06"


class Socket(NamedTuple):
    """One line of /proc/net/tcp or tcp6.

    Attributes:
        port: the local port.
        state: two hexadecimal digits; see LISTEN and TIME_WAIT.
        inode: of the socket; 0 where no process holds it any more.
    """

    port: int
    state: str
    inode: int


def sockets(port: int | None = None) -> list[Socket]:
    """Sockets of this network namespace, IPv4 and IPv6; of one local port, or of all."""
    return [entry for table in ("tcp", "tcp6") for entry in _table(table) if port in (None, entry.port)]


def _table(name: str) -> Iterator[Socket]:
    with contextlib.suppress(OSError):  # no IPv6, or no /proc
        for line in Path("/proc/net", name).read_text(encoding="ascii").splitlines()[1:]:
            words = line.split()
            yield Socket(int(words[1].rpartition(":")[2], 16), words[3], int(words[9]))


def listeners(port: int) -> list[Socket]:
    """The sockets that listen on a port, on any address."""
    return [entry for entry in sockets(port) if entry.state == LISTEN]


def lingers(port: int) -> bool:
    """Whether a port has connections in TIME_WAIT only, which pass within a minute."""
    states = {entry.state for entry in sockets(port)}
    return states == {TIME_WAIT}


def owners(port: int) -> list[int]:
    """The processes that listen on a port, as far as this user may see them."""
    inodes = {entry.inode for entry in listeners(port)}
    return [pid for pid in processes.pids() if inodes & _inodes(pid)] if inodes else []


def listens_on(pids: Iterable[int]) -> set[int]:
    """The ports on which some of these processes listen."""
    ports = {entry.inode: entry.port for entry in sockets() if entry.state == LISTEN}
    return {ports[inode] for pid in pids for inode in _inodes(pid) if inode in ports}


def _inodes(pid: int) -> set[int]:
    inodes = set()
    with contextlib.suppress(OSError):
        for entry in os.scandir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                link = os.readlink(entry)  # noqa: PTH115 - a launcher looks at thousands of them
                if link.startswith("socket:["):
                    inodes.add(int(link[8:-1]))
    return inodes


def holders(port: int) -> str:
    """For a message: what holds a port that is not `bindable`."""
    if listeners(port):
        return processes.descriptions(owners(port))
    if _bind(port, reuse=True) == errno.EACCES:
        return "the system: this user may not open ports so low"
    return "a connection that uses it as its own port"


def bindable(port: int, *, reuse: bool = False) -> bool:
    """Whether a server could bind this port.

    Without `reuse` this is the test by which ms-swift decides whether to silently move to the next port (4.5.2,
    utils/utils.py:299 find_free_port): bind on all addresses, without SO_REUSEADDR, so that a listener on any
    address and a lingering TIME_WAIT both count as taken.
    """
    return _bind(port, reuse=reuse) == 0


def _bind(port: int, *, reuse: bool) -> int:
    """The error number of an attempt to bind a port, 0 if it succeeds."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if reuse:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return error.errno
            raise
    return 0
