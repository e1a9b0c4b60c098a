"""Standard input, output and error of a launcher: if one is closed, broken or stuck, the launcher goes on."""

from __future__ import annotations

import contextlib
import io
import os
import select
import stat
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer

#: Seconds to wait for a terminal or a pipe that takes no more, before the text is dropped.
PATIENCE = 1.0


def prepare() -> None:
    """Makes the standard streams safe to use, whatever the operator's shell did to them."""
    for number in range(3):
        _open_if_closed(number)
    # Paths need not be UTF-8; a command is shown with the bytes that it runs with.
    sys.stdout = sys.stdout or open(1, "w", closefd=False, encoding="utf-8")  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")
    encoding = sys.stderr.encoding if sys.stderr else "utf-8"
    sys.stderr = io.TextIOWrapper(Lenient(2), encoding, "backslashreplace", write_through=True)


def _open_if_closed(number: int) -> None:
    # The next file or pipe would get its number, and a dup2 onto it would break that.
    try:
        os.fstat(number)
    except OSError:
        os.open(os.devnull, os.O_RDWR)
        os.set_inheritable(number, True)  # noqa: FBT003


class Outlet:
    """A descriptor on which no write blocks for long: what a stuck terminal does not take is dropped.

    Ctrl-S, a pager that is not scrolled or a dead ssh connection would stop the launcher in a write, so that it
    would neither read its program's output nor act on signals.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = _unblocked(descriptor)
        self._patience = PATIENCE

    def put(self, data: bytes) -> None:
        """Writes data, or as much of it as the descriptor takes.

        Raises:
            OSError: the descriptor is broken: the reader is gone, or the disk is full.
        """
        while data and self._is_writable():
            with contextlib.suppress(BlockingIOError):
                data = data[os.write(self._descriptor, data) :]

    def _is_writable(self) -> bool:
        ready = bool(select.select([], [self._descriptor], [], self._patience)[1])
        self._patience = PATIENCE if ready else 0.0
        return ready


def _unblocked(descriptor: int) -> int:
    """The same terminal or pipe, opened again, because all who share a descriptor share whether it blocks."""
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISFIFO(mode) or os.isatty(descriptor):
        with contextlib.suppress(OSError):
            return os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    return descriptor


class Lenient(io.RawIOBase):
    """An outlet for messages; it drops them if it is broken."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._number = descriptor
        self._outlet = Outlet(descriptor)

    def writable(self) -> bool:
        """Always true."""
        return True

    def fileno(self) -> int:
        """The number of the descriptor."""
        return self._number

    def write(self, data: Buffer, /) -> int:
        """Writes data, and reports that all of it was written."""
        chunk = bytes(data)
        with contextlib.suppress(OSError):
            self._outlet.put(chunk)
        return len(chunk)
