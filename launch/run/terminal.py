"""Standard input, output and error of a launcher: a closed, broken or stuck one ends nothing and stops nothing."""

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

#: Seconds that a terminal or a pipe which takes no more gets, before what would be written is dropped.
PATIENCE = 1.0


def prepare() -> None:
    """Makes the standard streams safe to use, whatever the operator's shell did to them."""
    for number in range(3):
        _open_if_closed(number)
    # Paths need not be UTF-8; a command that is shown has the bytes that it runs with.
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
    """A descriptor that is never waited for long: what a stuck terminal does not take is dropped.

    Ctrl-S, a pager that is not scrolled or a dead ssh connection would stop the launcher in a write, and with it
    the program that it reads and every signal that it should act on.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = _unblocked(descriptor)
        self._patience = PATIENCE

    def put(self, data: bytes) -> None:
        """Writes it, or what is taken of it.

        Raises:
            OSError: it is broken: the reader is gone, the disk is full.
        """
        while data and self._takes():
            with contextlib.suppress(BlockingIOError):
                data = data[os.write(self._descriptor, data) :]

    def _takes(self) -> bool:
        ready = bool(select.select([], [self._descriptor], [], self._patience)[1])
        self._patience = PATIENCE if ready else 0.0
        return ready


def _unblocked(descriptor: int) -> int:
    """The same terminal or pipe, opened anew: not to block is a property that others who hold it would share."""
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISFIFO(mode) or os.isatty(descriptor):
        with contextlib.suppress(OSError):
            return os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    return descriptor


class Lenient(io.RawIOBase):
    """An outlet for messages, which are dropped where it is broken."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._number = descriptor
        self._outlet = Outlet(descriptor)

    def writable(self) -> bool:
        """Always."""
        return True

    def fileno(self) -> int:
        """Its number."""
        return self._number

    def write(self, data: Buffer, /) -> int:
        """Takes all of it, as far as its caller knows."""
        taken = bytes(data)
        with contextlib.suppress(OSError):
            self._outlet.put(taken)
        return len(taken)
