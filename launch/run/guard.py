"""A process that outlives the launcher for a moment: if the launcher is killed, it ends what that started."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from launch.run import signals
from launch.run.family import Family

if TYPE_CHECKING:
    from typing import NoReturn

_DONE = b"done\n"


@dataclass
class Guard:
    """The launcher's end of the guard.

    Attributes:
        pid: of the guard.
        pipe: the guard sees its end close when the launcher is gone, however it went.
    """

    pid: int
    pipe: int

    def tell(self, group: int) -> None:
        """Says which process group was started."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self.pipe, b"%d\n" % group)

    def dismiss(self) -> None:
        """Ends it: there is nothing left to guard."""
        with contextlib.suppress(BrokenPipeError):  # somebody has killed it
            os.write(self.pipe, _DONE)
        os.close(self.pipe)
        os.waitpid(self.pid, 0)


def post(mark: str, grace: float) -> Guard:
    """Starts a guard; to be called before there are threads.

    Args:
        mark: as in Family.
        grace: seconds between TERM and KILL.
    """
    reading, writing = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        os.close(writing)
        _watch(reading, mark, grace)
    os.close(reading)
    return Guard(pid, writing)


def _watch(pipe: int, mark: str, grace: float) -> NoReturn:
    try:
        os.setsid()  # what is sent to the launcher's group does not reach it
        signals.ignore()
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, 0)
        os.dup2(nowhere, 1)
        said = b""
        while chunk := os.read(pipe, 4096):
            said += chunk
        if not said.endswith(_DONE):
            group = int(said.split()[-1]) if said.split() else None
            Family(mark, group).end(grace, _say)
    finally:
        os._exit(0)


def _say(text: str) -> None:
    print(f"the launcher was killed: {text}", file=sys.stderr)
