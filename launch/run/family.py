"""All processes of one start: none of them may outlive it, and the launcher never signals any other process."""

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

#: Seconds in which a killed process may vanish: one in a call of the driver does not vanish at once.
KILL_WAIT = 5.0
_PR_SET_CHILD_SUBREAPER = 36


@dataclass
class Family:
    """The processes of one start.

    A process belongs to it by its group or session, by the mark in its environment (torchrun gives each worker
    a session of its own), or as a descendant (vLLM's engines overwrite their environment when they rename
    themselves).

    Attributes:
        mark: NAME=VALUE in the environment of all its processes.
        group: the process group, and session, of the program that was started; None before that.
        root: the process whose descendants belong to it, too; None for the guard, which has none.
        excluded: descendants of root that do not belong to it.
        since: when this process started, in clock ticks after boot; nothing that is older carries the mark.
    """

    mark: str
    group: int | None = None
    root: int | None = None
    excluded: set[int] = field(default_factory=set)
    since: int = field(default_factory=lambda: processes.started(os.getpid()))

    def members(self) -> list[Process]:
        """The living processes. Zombies that are children of this process are reaped."""
        by_pid = {process.pid: process for process in processes.all_processes()}
        members = {pid for pid, process in by_pid.items() if self._is_member(process)}
        while children := {pid for pid, process in by_pid.items() if process.parent in members} - members:
            members |= children
        members -= {os.getpid(), *self.excluded}
        _reap([by_pid[pid] for pid in members if pid != self.group])
        return [by_pid[pid] for pid in sorted(members) if by_pid[pid].is_alive]

    def _is_member(self, process: Process) -> bool:
        if process.pid == os.getpid() or process.pid in self.excluded:
            return False
        if self.group is not None and self.group in (process.group, process.session):
            return True
        if process.parent == self.root:
            return True
        return process.started >= self.since and processes.has_variable(process.pid, self.mark)

    def signal_all(self, number: int) -> None:
        """Signals the whole group, or each living process if the group has none."""
        alive = self.members()
        if any(process.group == self.group for process in alive) and self.group is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.group, number)
        else:
            _signal(alive, number)

    def wait_until_gone(self, seconds: float, *, kill: bool = False) -> bool:
        """Waits until no process lives; false if one still does after that time.

        Args:
            seconds: how long to wait; without `kill` the wait also ends when the operator presses Ctrl-C again.
            kill: whether to kill every process that is seen meanwhile.
        """
        deadline = time.monotonic() + seconds
        while alive := self.members():
            if kill:
                _signal(alive, signal.SIGKILL)
            if time.monotonic() > deadline or (signals.hastened() and not kill):
                return False
            time.sleep(0.05)
        return True

    def end(self, grace: float, report: Callable[[str], None]) -> None:
        """Sends SIGTERM to all processes, and SIGKILL to those that have not ended after `grace` seconds.

        If only `swift rollout` gets the signal, its engines keep their GPUs; a signalled group ends within 11 s.
        """
        alive = self.members()
        if not alive:
            return
        report(f"ending its processes within {grace:g} s: {_pids(alive)}")
        self.signal_all(signal.SIGTERM)
        if self.wait_until_gone(grace):
            return
        report(f"killing the processes that have not ended: {_pids(self.members())}")
        if not self.wait_until_gone(KILL_WAIT, kill=True):
            report(f"these processes cannot be killed: {_pids(self.members())}")


def adopt_orphans() -> None:
    """Makes orphaned descendants of this process its own children, not children of process 1."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _signal(targets: list[Process], number: int) -> None:
    for process in targets:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # this user may not signal a setuid program
            os.kill(process.pid, number)


def _reap(candidates: list[Process]) -> None:
    for process in candidates:
        if process.state == "Z" and process.parent == os.getpid():
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process.pid, os.WNOHANG)


def _pids(targets: list[Process]) -> str:
    return " ".join(str(process.pid) for process in targets)
