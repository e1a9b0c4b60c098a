"""All processes that come from one start: nothing of them may outlive it, and nothing else is ever signalled."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING

from launch.machine import processes
from launch.run import signals

if TYPE_CHECKING:
    from collections.abc import Callable

    from launch.machine.processes import Process

#: Seconds that what was killed gets to vanish: a process in a driver call does not at once.
KILLED = 5.0
_PR_SET_CHILD_SUBREAPER = 36


@dataclass
class Family:
    """What was started.

    A process belongs to it by its group or session, by the mark in its environment (torchrun gives each worker
    a session of its own), or as a descendant (vLLM's engines write over their environment when they rename
    themselves).

    Attributes:
        mark: NAME=VALUE in the environment of everything that was started.
        group: the process group, and session, of the program that was started; None before that.
        root: the process whose descendants belong to it, too; None for the guard, which has none.
        apart: descendants of root that do not.
    """

    mark: str
    group: int | None = None
    root: int | None = None
    apart: set[int] = field(default_factory=set)

    def members(self) -> list[Process]:
        """Those that live. Zombies are reaped where they are this process's."""
        everyone = {process.pid: process for process in processes.everyone()}
        mine = {pid for pid, process in everyone.items() if self._own(process)}
        while more := {pid for pid, process in everyone.items() if process.parent in mine} - mine:
            mine |= more
        mine -= {os.getpid(), *self.apart}
        _reap([everyone[pid] for pid in mine if pid != self.group])
        return [everyone[pid] for pid in sorted(mine) if everyone[pid].lives]

    def _own(self, process: Process) -> bool:
        if process.pid == os.getpid() or process.pid in self.apart:
            return False
        if self.group is not None and self.group in (process.group, process.session):
            return True
        return process.parent == self.root or processes.carries(process.pid, self.mark)

    def tell(self, number: int) -> None:
        """Signals the whole group; where none of it lives, each one that does."""
        alive = self.members()
        if any(process.group == self.group for process in alive) and self.group is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.group, number)
        else:
            _signal(alive, number)

    def gone(self, seconds: float, *, kill: bool = False) -> bool:
        """Waits until none lives, and kills whom it sees if wanted; false if one still does.

        A wait without killing ends at once when the operator presses Ctrl-C again.
        """
        deadline = time.monotonic() + seconds
        while alive := self.members():
            if kill:
                _signal(alive, signal.SIGKILL)
            if time.monotonic() > deadline or (signals.hastened() and not kill):
                return False
            time.sleep(0.05)
        return True

    def end(self, grace: float, say: Callable[[str], None]) -> None:
        """TERM to all, KILL to what has not ended after `grace` seconds.

        `swift rollout` ended alone leaves engines that hold their GPUs; told as a group it ends within 11 s.
        """
        alive = self.members()
        if not alive:
            return
        say(f"ending what it started, within {grace:g} s: {_pids(alive)}")
        self.tell(signal.SIGTERM)
        if self.gone(grace):
            return
        say(f"killing what has not ended: {_pids(self.members())}")
        if not self.gone(KILLED, kill=True):
            say(f"cannot be killed: {_pids(self.members())}")


def adopt_orphans() -> None:
    """Makes orphans of this process's descendants its own children, not those of process 1."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _signal(found: list[Process], number: int) -> None:
    for process in found:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # a setuid program is not ours to signal
            os.kill(process.pid, number)


def _reap(candidates: list[Process]) -> None:
    for process in candidates:
        if process.state == "Z" and process.parent == os.getpid():
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process.pid, os.WNOHANG)


def _pids(found: list[Process]) -> str:
    return " ".join(str(process.pid) for process in found)
