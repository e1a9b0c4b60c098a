"""Signals that end a launcher: each raises an exception, so that every wait ends and the launcher cleans up."""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
#: Seconds in which several signals count as one: a closed terminal, a batch system or a script sends several at
#: once, and a second exception would interrupt the clean-up that the first one began.
BURST = 1.0
#: The signals received while they are held back; None while they are not.
_held: list[int] | None = None
#: The signals received during a clean-up.
_late: list[int] = []
_stopped = -BURST


class Stopped(BaseException):
    """A signal ends the launcher; its exit code is 128 plus the number of the signal."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(signal.Signals(number).name)


def catch() -> None:
    """Makes signals raise Stopped.

    A script that starts a launcher with & makes it inherit an ignored SIGINT and SIGQUIT, which must end it all
    the same; nohup makes it inherit an ignored SIGHUP, which stays ignored.
    """
    for number in ENDING:
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


@contextmanager
def held() -> Iterator[None]:
    """Holds signals back while the launcher starts a process, so that it knows every process that it started.

    Raises:
        Stopped: a signal came meanwhile; raised at the end of the block.
    """
    global _held  # noqa: PLW0603 - signal handlers are the process's own, too
    _held = []
    try:
        yield
    finally:
        received, _held = _held, None
    if received:
        _raise(received[0])


def ignore() -> None:
    """Lets only SIGKILL interrupt the clean-up; SIGINT hastens it."""
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _remember)


@contextmanager
def ignored() -> Iterator[None]:
    """Ignores signals as `ignore` does, until the end of the block."""
    previous = {number: signal.getsignal(number) for number in ENDING}
    ignore()
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def raise_late() -> None:
    """Ends a launcher that would go on after a clean-up.

    Raises:
        Stopped: a signal came during the clean-up.
    """
    if _late:
        _raise(_late[0])


def hastened() -> bool:
    """Whether the operator pressed Ctrl-C again during the clean-up, and so will not wait."""
    return signal.SIGINT in _late


def _remember(number: int, _frame: FrameType | None) -> None:
    _late.append(number)


def _stop(number: int, _frame: FrameType | None) -> None:
    if _held is None:
        _raise(number)
    else:
        _held.append(number)


def _raise(number: int) -> None:
    global _stopped  # noqa: PLW0603
    now = time.monotonic()
    if now - _stopped >= BURST:
        _stopped = now
        raise Stopped(number)
