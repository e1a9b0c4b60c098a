"""Sees a learner through: it waits for its server, watches it while the learner trains, and checks the weights."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from launch import state
from launch.machine import tcp
from launch.run import child
from launch.run import logs
from launch.run import record
from launch.run import signals
from launch.run import stuck
from launch.run import weights
from launch.run.child import TICK
from launch.run.codes import Code
from launch.run.logs import Tail
from launch.run.note import Note
from launch.run.overlap import OverlapWatch
from launch.run.server import Fault
from launch.run.server import probeable

if TYPE_CHECKING:
    from launch.run.start import Start
    from launch.state import Job

#: Seconds between two looks at the server; a server without a process to look at is lost after three.
LOOK, MISSES = 1.0, 3


def learn(start: Start) -> int:
    """Runs the learner beside its server; returns the exit code."""
    folder = record.opened(start)
    if not start.request.health_check:
        return _run(start, folder)
    note = Note(start.job("learner", folder / logs.OUTPUT), start.voice)
    note.job.claim()
    try:
        return _beside_server(start, folder, note)
    finally:
        note.job.remove()


def _beside_server(start: Start, folder: Path, note: Note) -> int:
    watch = ServerWatch(start)
    checked = start.request.weights_check and probeable(start)
    before = start.server.fingerprint() if checked else None
    try:
        code = _run(start, folder, watch, note)
    except signals.Stopped:
        _look_after(start)
        raise
    if watch.fault is None and (fault := watch.last_look(failed=code != 0)):
        return _tell(start, fault)
    if code != 0 and watch.fault is None:
        _look_after(start)
    if code != 0 or not checked:
        return code
    fault = weights.judge(before, start.server.fingerprint(), watch.syncs, start.voice)
    return code if fault is None else _tell(start, fault)


def _look_after(start: Start) -> None:
    """Says so where a learner that was ended leaves its server of no use to the next one."""
    if start.server.healthy() and (said := stuck.told(start)):
        start.voice(f"the rollout server is left behind: {said}")


def _run(start: Start, folder: Path, watch: ServerWatch | None = None, note: Note | None = None) -> int:
    """Runs the learner until it ends, or until it or its server is of no use any more."""
    overlap = OverlapWatch(time.monotonic(), start.times.quiet)
    with child.started(start, folder) as program:
        while (code := program.code()) is None:
            fault = watch.look() if watch is not None else None
            if fault := fault or overlap.look(program.pump.new_lines(), time.monotonic()):
                program.grace = min(program.grace, start.times.hurry)
                return _tell(start, fault)
            if note is not None:
                note.renew()
            time.sleep(TICK)
        if code and not start.request.live:
            for line in program.pump.last_lines():
                start.voice(f"| {line}")
        return code


def _tell(start: Start, fault: Fault) -> int:
    start.voice(fault.message)
    for line in fault.lines:
        start.voice(f"server| {line}")
    return fault.code


class ServerWatch:
    """What happens to the server while the learner trains.

    It is never asked over HTTP meanwhile: `/health/` does not answer while it generates, and an `/infer/` of ours
    would take an answer that belongs to the learner (ms-swift 4.5.2, pipelines/infer/rollout.py: handlers share
    one pipe to a worker).

    Attributes:
        fault: what went wrong, once it did.
        syncs: weight syncs that its log shows, or None if there is no log to look at.
    """

    def __init__(self, start: Start) -> None:
        self._port = start.server.port
        self._settle = start.times.settle
        self._job: Job | None = None if start.request.trust_server else state.job("server", self._port)
        self._tail = Tail(Path(self._job.log)) if self._job else None
        self._looked = time.monotonic()
        self._missed = 0
        self._failed: list[str] = []
        self.syncs: int | None = 0 if self._job else None
        self.fault: Fault | None = None

    def look(self) -> Fault | None:
        """What is wrong with the server; it is looked at no more than once a second."""
        if time.monotonic() - self._looked >= LOOK:
            self._looked = time.monotonic()
            self.fault = self._lost() or self._failed_load()
        return self.fault

    def last_look(self, *, failed: bool) -> Fault | None:
        """What went wrong just before the learner ended; a learner fails at once when its server dies."""
        self._failed_load()
        if self._failed:
            return self._load_fault()
        deadline = time.monotonic() + self._settle
        while failed and time.monotonic() < deadline:
            if fault := self._lost():
                return fault
            time.sleep(TICK)
        return None

    def _lost(self) -> Fault | None:
        if self._job is None:
            self._missed = 0 if tcp.listeners(self._port) else self._missed + 1
            lost = self._missed >= MISSES
        else:
            lost = not self._job.alive
        if not lost:
            return None
        lines = tuple(logs.last_lines(Path(self._job.log))) if self._job else ()
        what = (
            f"process {self._job.pid} has ended" if self._job else f"nothing listens on port {self._port} any more"
        )
        return Fault(Code.SERVER_LOST, f"the rollout server is lost: {what}", lines)

    def _failed_load(self) -> Fault | None:
        """Whether the log shows a failed load; told one look later, when the whole traceback is there."""
        whole = bool(self._failed)
        for line in self._tail.new_lines() if self._tail else ():
            if weights.is_sync(line):
                self.syncs = (self.syncs or 0) + 1
            if self._failed or weights.is_failed_load(line):
                self._failed.append(line)
        return self._load_fault() if whole else None

    def _load_fault(self) -> Fault:
        log = self._job.log if self._job else ""
        return Fault(
            Code.WEIGHTS_FAILED,
            f"the rollout server failed to take weights, and ms-swift only logged it ({log})",
            tuple(weights.traceback(self._failed)),
        )
