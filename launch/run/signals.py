"""Signals that end a launcher: each becomes an exception, so that every wait ends and everything is cleaned up."""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
#: Seconds in which signals count as one: a closed terminal, a batch system or a script sends several at once, and
#: a second exception would end the cleaning up that the first one began.
BURST = 1.0
#: Those that came while they were held back; None while they are not.
_held: list[int] | None = None
_haste = False
_stopped = -BURST


class Stopped(BaseException):
    """The launcher was told to end; its exit code is 128 and the signal's number.

    Attributes:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(signal.Signals(number).name)


def catch() -> None:
    """Makes signals raise Stopped.

    A script that starts a launcher with & hands an ignored SIGINT and SIGQUIT on, which must end it all the same;
    an ignored SIGHUP is nohup's, and stays ignored.
    """
    for number in ENDING:
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


@contextmanager
def held() -> Iterator[None]:
    """Holds them back while a process is made, so that none is made and not known; raises at its end.

    Raises:
        Stopped: one came meanwhile.
    """
    global _held  # noqa: PLW0603 - signal handlers are the process's own, too
    _held = []
    try:
        yield
    finally:
        came, _held = _held, None
    if came:
        _raise(came[0])


def ignore() -> None:
    """Lets nothing but SIGKILL interrupt the cleaning up; a SIGINT hastens it."""
    for number in ENDING:
        signal.signal(number, _hasten if number == signal.SIGINT else signal.SIG_IGN)


@contextmanager
def ignored() -> Iterator[None]:
    """As `ignore`, until the block is left."""
    before = {number: signal.getsignal(number) for number in ENDING}
    ignore()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def hastened() -> bool:
    """Whether SIGINT came while it was cleaned up: Ctrl-C again, from somebody who will not wait."""
    return _haste


def _hasten(_number: int, _frame: FrameType | None) -> None:
    global _haste  # noqa: PLW0603
    _haste = True


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
