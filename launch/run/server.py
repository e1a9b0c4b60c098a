"""Sees a rollout server through: until it is ready, while it serves, and when it ends."""

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
from launch.run import logs
from launch.run import record
from launch.run.child import TICK
from launch.run.codes import Code
from launch.run.note import Note

if TYPE_CHECKING:
    from launch.machine.processes import Process
    from launch.run.child import Child
    from launch.run.start import Start
    from launch.state import Job

#: Ports that ms-swift tries after the configured one (4.5.2, utils/utils.py:299 find_free_port).
RETRIES = 100
#: Seconds between two looks at all processes.
LOOK = 0.5
#: How often `/get_world_size/` may not answer where `/health/` does.
SILENT = 10

_ARGUMENTS = re.compile(r"\bargs: RolloutArguments\(.*\bport=(\d+)\b")
_LISTENS = re.compile(r"Uvicorn running on https?://\S*:(\d+)")


class Fault(NamedTuple):
    """Why a start is ended from here.

    Attributes:
        code: the launcher's exit code.
        message: what happened, and what would have.
        lines: of the log that show it.
    """

    code: Code
    message: str
    lines: tuple[str, ...] = ()


def serve(start: Start) -> int:
    """Starts the server and stays until it ends; returns the exit code."""
    folder = record.opened(start)
    loading = start.job("loading", folder / logs.OUTPUT)
    loading.claim()
    try:
        with child.started(start, folder) as program:
            return _Watch(start, program, loading).until_end()
    finally:
        loading.remove()


class _Watch:
    """A server that runs."""

    def __init__(self, start: Start, program: Child, loading: Job) -> None:
        self.start, self.program, self.loading = start, program, loading
        self.port = loading.server.port
        self.begun = self.looked = time.monotonic()
        self.silent = 0
        self.note: Note | None = None
        self.engines: list[Process] = []

    def until_end(self) -> int:
        """Watches; the note of a ready server goes with it."""
        try:
            while (code := self.program.code()) is None:
                if fault := self._look():
                    return self._end(fault)
                time.sleep(TICK)
            return self._ended(code)
        finally:
            if self.note is not None:
                self.note.job.remove()

    def _look(self) -> Fault | None:
        fault = self._moved() if self.note is None else None
        if fault or time.monotonic() - self.looked < LOOK:
            return fault
        self.looked = time.monotonic()
        return self._loading() if self.note is None else self._serving()

    def _moved(self) -> Fault | None:
        """Whether ms-swift says that it took another port: when it has read its arguments, or when it listens."""
        for line in self.program.pump.new_lines():
            found = _ARGUMENTS.search(line) or _LISTENS.search(line)
            if found and int(found[1]) != self.port:
                return self._port_lost(
                    f"the server moved to port {found[1]}: {self.port} was taken when it started"
                )
        return None

    def _port_lost(self, what: str) -> Fault:
        return Fault(Code.PORT_LOST, f"{what}; a learner would talk to whatever holds {self.port}")

    def _loading(self) -> Fault | None:
        members = [process.pid for process in self.program.family.members()]
        if self.port not in tcp.listens_on(members):
            return self._strange(members)
        server = self.start.server
        if not server.healthy():
            return None
        size, wanted = server.world_size(), self.loading.server.world_size
        self.silent += size is None
        if size != wanted and (size is not None or self.silent > SILENT):
            return Fault(Code.UNFIT, f"the server has world size {size}, but the preset means TP x DP = {wanted}")
        if size is None:
            return None
        if probeable(self.start) and (refusal := server.refusal()) and self.program.code() is None:
            return Fault(Code.UNFIT, f"the server answers /health/, but generates nothing: {refusal}")
        self._ready(members)
        return None

    def _strange(self, members: list[int]) -> Fault | None:
        """Whether the port went to another process, or the server to another port."""
        taken, owners = bool(tcp.listeners(self.port)), tcp.owners(self.port)
        if taken and not set(owners) & set(members):
            holder = processes.named(owners[0]) if owners else "a process of another user"
            return self._port_lost(f"{holder} took port {self.port} while the server loaded")
        for port in tcp.listens_on(members) & set(range(self.port + 1, self.port + RETRIES)):
            if Server(self.start.server.host, port).healthy(TICK):
                return self._port_lost(f"the server moved to port {port}: {self.port} was taken when it started")
        return None

    def _ready(self, members: list[int]) -> None:
        listening = next((pid for pid in tcp.owners(self.port) if pid in members), None)
        if listening is None:
            return
        self.engines = [process for pid in members if _engine(pid, listening) and (process := processes.read(pid))]
        group = self.program.family.group or 0
        job = self.start.job("server", Path(self.loading.log), pid=listening, group=group)
        self.note = Note(job, self.start.voice)
        job.write()
        self.loading.remove()
        self.start.voice(
            f"ready after {time.monotonic() - self.begun:.0f} s: {self.start.server.url()} generates, world size"
            f" {self.loading.server.world_size}; a learner may start"
        )

    def _serving(self) -> Fault | None:
        if self.note is not None:
            self.note.renew()
        lost = [engine for engine in self.engines if not processes.alive(engine.pid, engine.started)]
        if not lost or self._ends():
            return None
        self.program.grace = self.start.times.ends  # it is broken; nothing in it needs time
        return Fault(
            Code.ENGINE_LOST,
            f"process {lost[0].pid}, which holds an engine, has died; the server would go on answering /health/",
        )

    def _ends(self) -> bool:
        deadline = time.monotonic() + self.start.times.ends
        while self.program.code() is None and time.monotonic() < deadline:
            time.sleep(TICK)
        return self.program.code() is not None

    def _end(self, fault: Fault) -> int:
        self.start.voice(fault.message)
        self._show_lines()
        return fault.code

    def _ended(self, code: int) -> int:
        if self.note is None:
            self.start.voice(f"ended with {code} before it was ready; its last lines are in {self.loading.log}")
        else:
            self.start.voice(f"ended with {code}")
        self._show_lines()
        return code

    def _show_lines(self) -> None:
        if not self.start.request.live:
            for line in self.program.pump.last_lines():
                self.start.voice(f"| {line}")


def probeable(start: Start) -> bool:
    """Whether a bare prompt is a request that the server understands; a scheduler or a gym asks for more."""
    return not start.context.preset.served("multi_turn_scheduler") and not start.context.values.gym_of_server


def _engine(pid: int, listening: int) -> bool:
    """Whether a process holds an engine, or is ms-swift's worker that talks to one.

    vLLM names its processes VLLM::..., ms-swift's workers are what its server spawned (4.5.2,
    pipelines/infer/rollout.py:758 _start_data_parallel_workers).
    """
    words = processes.command(pid)
    if words and words[0].startswith("VLLM::"):
        return True
    process = processes.read(pid)
    spawned = any("spawn_main" in word for word in words)
    return process is not None and process.parent == listening and spawned
