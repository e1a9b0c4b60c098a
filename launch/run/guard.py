"""The guard: a process that ends all processes of a launcher if the launcher itself is killed."""

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
    """The launcher's end of the guard: a pipe, which closes whenever the launcher ends; the guard sees that."""

    pid: int
    pipe: int

    def watch_group(self, group: int) -> None:
        """Tells the guard which process group was started."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self.pipe, b"%d\n" % group)

    def dismiss(self) -> None:
        """Ends the guard, because there is nothing left to guard."""
        with contextlib.suppress(BrokenPipeError):  # the guard was killed
            os.write(self.pipe, _DONE)
        os.close(self.pipe)
        os.waitpid(self.pid, 0)


def start(mark: str, grace: float) -> Guard:
    """Starts a guard of the processes with a mark, which get `grace` seconds between SIGTERM and SIGKILL.

    Call this before there are threads, because it forks.
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
        os.setsid()  # so that signals to the launcher's group do not reach the guard
        signals.ignore()
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        devnull = os.open(os.devnull, os.O_RDWR)
        os.dup2(devnull, 0)
        os.dup2(devnull, 1)
        received = b""
        while chunk := os.read(pipe, 4096):
            received += chunk
        if not received.endswith(_DONE):
            group = int(received.split()[-1]) if received.split() else None
            Family(mark, group).end(grace, _report)
    finally:
        os._exit(0)


def _report(text: str) -> None:
    print(f"the launcher was killed: {text}", file=sys.stderr)
