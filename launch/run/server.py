"""Runs a rollout server, and watches it while it loads, while it serves, and when it ends."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING
from typing import NamedTuple

from launch.machine import processes
from launch.machine import tcp
from launch.machine.rollout import Server
from launch.run import child
from launch.run import record
from launch.run.child import TICK
from launch.run.codes import Code
from launch.state import Note
from launch.timing.sampling import sampled
from launch.timing.stamps import OUTPUT

if TYPE_CHECKING:
    from launch.machine.processes import Process
    from launch.run.child import Child
    from launch.run.start import Start
    from launch.state import Job

#: Ports that ms-swift tries after the preset's (4.5.2, utils/utils.py:299 find_free_port).
RETRIES = 100
#: Seconds between two checks of all processes.
CHECK_INTERVAL = 0.5
#: How often `/get_world_size/` may fail to answer while `/health/` answers.
MAX_UNANSWERED = 10

_ARGUMENTS = re.compile(r"\bargs: RolloutArguments\(.*\bport=(\d+)\b")
_LISTENS = re.compile(r"Uvicorn running on https?://\S*:(\d+)")


class Fault(NamedTuple):
    """Why a launcher ends its program: its own exit code, what happened, and the lines of the log that show it."""

    code: Code
    message: str
    lines: tuple[str, ...] = ()


def run_server(start: Start) -> int:
    """Starts the server and stays until it ends; returns the exit code."""
    folder = record.create(start)
    loading = start.job("loading", folder / OUTPUT)
    loading.claim()
    try:
        with child.started(start, folder) as program, sampled(start.plan.gpus, program.pump.stamper):
            return _Watch(start, program, loading).until_end()
    finally:
        loading.remove()


class _Watch:
    """Watches a running server."""

    def __init__(self, start: Start, program: Child, loading: Job) -> None:
        self.start, self.program, self.loading = start, program, loading
        self.port = loading.server.port
        self.started = self.checked_at = time.monotonic()
        self.unanswered = 0
        self.note: Note | None = None
        self.engines: list[Process] = []

    def until_end(self) -> int:
        """Watches the server until it ends, and then removes its note; returns the exit code."""
        try:
            while (code := self.program.code()) is None:
                if fault := self._check():
                    return self._stop(fault)
                time.sleep(TICK)
            return self._report_end(code)
        finally:
            if self.note is not None:
                self.note.job.remove()

    def _check(self) -> Fault | None:
        fault = self._check_moved() if self.note is None else None
        if fault or time.monotonic() - self.checked_at < CHECK_INTERVAL:
            return fault
        self.checked_at = time.monotonic()
        return self._check_loading() if self.note is None else self._check_serving()

    def _check_moved(self) -> Fault | None:
        """A fault if ms-swift says that it took another port: when it reads its arguments, or when it listens."""
        for line in self.program.pump.new_lines():
            match = _ARGUMENTS.search(line) or _LISTENS.search(line)
            if match and int(match[1]) != self.port:
                return self._port_lost(
                    f"the server moved to port {match[1]}: {self.port} was taken when it started"
                )
        return None

    def _port_lost(self, reason: str) -> Fault:
        return Fault(Code.PORT_LOST, f"{reason}; a learner would connect to whatever holds {self.port}")

    def _check_loading(self) -> Fault | None:
        members = [process.pid for process in self.program.family.members()]
        if self.port not in tcp.listens_on(members):
            return self._check_port_owner(members)
        server = self.start.server
        if not server.healthy():
            return None
        size, expected = server.world_size(), self.loading.server.world_size
        self.unanswered += size is None
        if size != expected and (size is not None or self.unanswered > MAX_UNANSWERED):
            return Fault(Code.UNFIT, f"the server has world size {size}, but the preset says TP x DP = {expected}")
        if size is None:
            return None
        if probeable(self.start) and (error := server.generation_error()) and self.program.code() is None:
            return Fault(Code.UNFIT, f"the server answers /health/, but generates nothing: {error}")
        self._announce(members)
        return None

    def _check_port_owner(self, members: list[int]) -> Fault | None:
        """A fault if another process has the port, or the server has another port."""
        is_taken, owners = bool(tcp.listeners(self.port)), tcp.owners(self.port)
        if is_taken and not set(owners) & set(members):
            holder = processes.descriptions(owners[:1])
            return self._port_lost(f"{holder} took port {self.port} while the server loaded")
        for port in tcp.listens_on(members) & set(range(self.port + 1, self.port + RETRIES)):
            if Server(self.start.server.host, port).healthy(TICK):
                return self._port_lost(f"the server moved to port {port}: {self.port} was taken when it started")
        return None

    def _announce(self, members: list[int]) -> None:
        listening = next((pid for pid in tcp.owners(self.port) if pid in members), None)
        if listening is None:
            return
        self.engines = [
            process for pid in members if _is_engine(pid, listening) and (process := processes.read(pid))
        ]
        group = self.program.family.group or 0
        job = self.start.job("server", Path(self.loading.log), pid=listening, group=group)
        self.note = Note(job, self.start.report)
        job.write()
        self.start.report(
            f"ready after {time.monotonic() - self.started:.0f} s: {self.start.server.url()} generates, world size"
            f" {self.loading.server.world_size}; a learner may start"
        )
        self.loading.remove()  # last: whoever sees it go finds the server announced

    def _check_serving(self) -> Fault | None:
        if self.note is not None:
            self.note.renew()
        lost = [engine for engine in self.engines if not processes.is_alive(engine.pid, engine.started)]
        if not lost or self._ends_in_time():
            return None
        self.program.grace = self.start.times.ends  # a broken server has nothing left to finish
        return Fault(
            Code.ENGINE_LOST,
            f"process {lost[0].pid}, which holds an engine, has died; the server would go on answering /health/",
        )

    def _ends_in_time(self) -> bool:
        deadline = time.monotonic() + self.start.times.ends
        while self.program.code() is None and time.monotonic() < deadline:
            time.sleep(TICK)
        return self.program.code() is not None

    def _stop(self, fault: Fault) -> int:
        self.start.report(fault.message)
        self._show_lines()
        return fault.code

    def _report_end(self, code: int) -> int:
        if self.note is None:
            self.start.report(f"ended with {code} before it was ready; its last lines are in {self.loading.log}")
        else:
            self.start.report(f"ended with {code}")
        self._show_lines()
        return code

    def _show_lines(self) -> None:
        if not self.start.request.live:
            for line in self.program.pump.last_lines():
                self.start.report(f"| {line}")


def probeable(start: Start) -> bool:
    """Whether the server answers a bare prompt; a scheduler or a gym needs more than a prompt."""
    return not start.context.preset.served("multi_turn_scheduler") and not start.context.values.gym_of_server


def stuck(start: Start) -> str | None:
    """Why a ready server that no learner uses generates nothing, or None: `/health/` answers all the same.

    A learner that ends while it connects, or during a weight sync, leaves the server's workers waiting for it: for
    the 300 s of their store (vLLM 0.32.0, distributed/utils.py StatelessProcessGroup.create), or for ever in NCCL.
    """
    error = start.server.generation_error(start.times.answer) if probeable(start) else None
    if error is None:
        return None
    return (
        f"it answers /health/, but generates nothing: {error}; a learner that ended while it connected or"
        " synchronised weights leaves its server waiting, for minutes or for ever: restart the server"
    )


def _is_engine(pid: int, listening: int) -> bool:
    """Whether a process holds an engine, or is a worker of ms-swift that drives one.

    vLLM names its processes VLLM::..., and ms-swift's server spawns its workers (4.5.2,
    pipelines/infer/rollout.py:758 _start_data_parallel_workers).
    """
    words = processes.command(pid)
    if words and words[0].startswith("VLLM::"):
        return True
    process = processes.read(pid)
    spawned = any("spawn_main" in word for word in words)
    return process is not None and process.parent == listening and spawned
