"""Runs a learner, watches its server while it trains, and checks that the weights arrived."""

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
from launch.run import weights
from launch.run.child import TICK
from launch.run.codes import Code
from launch.run.logs import Tail
from launch.run.overlap import OverlapWatch
from launch.run.server import Fault
from launch.run.server import probeable
from launch.run.server import stuck
from launch.state import Note
from launch.timing import run as timings
from launch.timing.sampling import sampled
from launch.timing.stamps import OUTPUT

if TYPE_CHECKING:
    from launch.run.start import Start
    from launch.state import Job

#: Seconds between two checks of the server; a server of unknown process id is lost after three misses.
CHECK_INTERVAL, MISSES = 1.0, 3


def run_learner(start: Start) -> int:
    """Runs the learner beside its server; returns the exit code."""
    folder = record.create(start)
    if not start.request.health_check:
        return _run(start, folder)
    note = Note(start.job("learner", folder / OUTPUT), start.report)
    note.job.claim()
    server = state.job("server", start.server.port)
    try:
        return _beside_server(start, folder, note)
    finally:
        note.job.remove()
        _keep_timings(start, folder, Path(server.log).parent if server else None)


def _keep_timings(start: Start, folder: Path, server: Path | None) -> None:
    try:
        timings.write(folder, server, overlapped=start.context.trainer.config.async_generate)
    except Exception as error:  # whatever a log says, the learner's own end counts
        start.report(f"{timings.TIMINGS} cannot be written: {error}")


def _beside_server(start: Start, folder: Path, note: Note) -> int:
    watch = ServerWatch(start)
    checked = start.request.weights_check and probeable(start)
    before = start.server.fingerprint() if checked else None
    try:
        code = _run(start, folder, watch, note)
        if code == 0:
            signals.raise_late()
    except signals.Stopped:
        _report_stuck_server(start)
        raise
    if watch.fault is None and (fault := watch.final_check(failed=code != 0)):
        return _report(start, fault)
    if code != 0 and watch.fault is None:
        _report_stuck_server(start)
    if code != 0 or not checked:
        return code
    fault = weights.judge(before, start.server.fingerprint(), watch.syncs, start.report)
    return code if fault is None else _report(start, fault)


def _report_stuck_server(start: Start) -> None:
    """Reports it if a learner that was ended left its server unable to generate."""
    if start.server.healthy() and (problem := stuck(start)):
        start.report(f"the rollout server is left behind: {problem}")


def _run(start: Start, folder: Path, watch: ServerWatch | None = None, note: Note | None = None) -> int:
    """Runs the learner until it ends, or ends it once it or its server has failed."""
    overlap = OverlapWatch(time.monotonic(), start.times.quiet)
    with child.started(start, folder) as program, sampled(start.plan.gpus, program.pump.stamper):
        while (code := program.code()) is None:
            fault = watch.check() if watch is not None else None
            if fault := fault or overlap.check(program.pump.new_lines(), time.monotonic()):
                program.grace = min(program.grace, start.times.hurry)
                return _report(start, fault)
            if note is not None:
                note.renew()
            time.sleep(TICK)
        if code and not start.request.live:
            for line in program.pump.last_lines():
                start.report(f"| {line}")
        return code


def _report(start: Start, fault: Fault) -> int:
    start.report(fault.message)
    for line in fault.lines:
        start.report(f"server| {line}")
    return fault.code


class ServerWatch:
    """Watches the server while the learner trains.

    It sends no HTTP request meanwhile: `/health/` does not answer while the server generates, and a launcher's
    `/infer/` would take an answer that belongs to the learner (ms-swift 4.5.2, pipelines/infer/rollout.py:
    handlers share one pipe to a worker).

    Attributes:
        fault: what went wrong, or None.
        syncs: weight syncs that the server's log shows, or None if there is no log.
    """

    def __init__(self, start: Start) -> None:
        self._port = start.server.port
        self._settle = start.times.settle
        self._job: Job | None = None if start.request.trust_server else state.job("server", self._port)
        self._tail = Tail(Path(self._job.log)) if self._job else None
        self._checked_at = time.monotonic()
        self._misses = 0
        self._failed_lines: list[str] = []
        self.syncs: int | None = 0 if self._job else None
        self.fault: Fault | None = None

    def check(self) -> Fault | None:
        """What is wrong with the server, or None; it is checked once per second at most."""
        if time.monotonic() - self._checked_at >= CHECK_INTERVAL:
            self._checked_at = time.monotonic()
            self.fault = self._check_alive() or self._check_loads()
        return self.fault

    def final_check(self, *, failed: bool) -> Fault | None:
        """What went wrong just before the learner ended, because a learner fails at once when its server dies."""
        self._check_loads()
        if self._failed_lines:
            return self._failed_load()
        deadline = time.monotonic() + self._settle
        while failed and time.monotonic() < deadline:
            if fault := self._check_alive():
                return fault
            time.sleep(TICK)
        return None

    def _check_alive(self) -> Fault | None:
        if self._job is None:
            self._misses = 0 if tcp.listeners(self._port) else self._misses + 1
            lost = self._misses >= MISSES
        else:
            lost = not self._job.is_alive
        if not lost:
            return None
        lines = tuple(logs.last_lines(Path(self._job.log))) if self._job else ()
        reason = (
            f"process {self._job.pid} has ended" if self._job else f"nothing listens on port {self._port} any more"
        )
        return Fault(Code.SERVER_LOST, f"the rollout server is lost: {reason}", lines)

    def _check_loads(self) -> Fault | None:
        """Whether the log shows a failed load; reported one check later, when the log has the whole traceback."""
        is_complete = bool(self._failed_lines)
        for line in self._tail.new_lines() if self._tail else ():
            if weights.is_sync(line):
                self.syncs = (self.syncs or 0) + 1
            if self._failed_lines or weights.is_failed_load(line):
                self._failed_lines.append(line)
        return self._failed_load() if is_complete else None

    def _failed_load(self) -> Fault:
        log = self._job.log if self._job else ""
        return Fault(
            Code.WEIGHTS_FAILED,
            f"the rollout server failed to load weights, and ms-swift only logged it ({log})",
            tuple(weights.traceback(self._failed_lines)),
        )
