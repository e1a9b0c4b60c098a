"""Starts launchers as an operator does, waits for what they say, and ends them; looks at the GPUs meanwhile."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import ClassVar
from typing import NamedTuple

from preset import ROOT

from launch.machine import processes

SCRIPTS = {"server": "grpo_rollout_server.sh", "learner": "grpo_train_server_mode.sh", "colocate": "train.sh"}
#: Seconds that a server of a 4.4 B model gets to load, and a learner to make its steps.
LOADS, LEARNS = 420, 420


class Ended(NamedTuple):
    """How a launcher ended: its exit code, seconds since something was done to it, and what it printed."""

    code: int
    seconds: float
    said: str


class Launcher:
    """A launcher in a session of its own, as in a terminal of its own."""

    started: ClassVar[list["Launcher"]] = []

    def __init__(self, kind: str, preset: Path, gpus: str, *words: str, log: Path) -> None:
        self.log = log
        command = ["bash", f"scripts/{SCRIPTS[kind]}", f"config={preset}", f"gpus={gpus}", *words]
        print("$", *command, flush=True)
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
            )
        self.begun = time.monotonic()
        self.started.append(self)

    def said(self) -> str:
        """All that it and what it started have printed."""
        return self.log.read_text("utf-8", "replace")

    def until(self, words: str, seconds: float) -> float:
        """Waits until it says some words; returns the seconds since it was started.

        Raises:
            RuntimeError: it ended, or did not say them in time.
        """
        while words not in self.said():
            if self.process.poll() is not None or time.monotonic() - self.begun > seconds:
                raise RuntimeError(f"{self.log}: no {words!r}\n{self.said()[-4000:]}")
            time.sleep(0.5)
        return time.monotonic() - self.begun

    def end(self, number: int = signal.SIGTERM) -> Ended:
        """Sends it a signal and waits."""
        os.kill(self.process.pid, number)
        return self.wait(60)

    def wait(self, seconds: float, since: float | None = None) -> Ended:
        """Waits for its end; `since` is when its end began, by default now.

        Raises:
            subprocess.TimeoutExpired: it did not end in time.
        """
        begun = since or time.monotonic()
        return Ended(self.process.wait(seconds), time.monotonic() - begun, self.said())


def end_all() -> None:
    """Ends every launcher that still runs."""
    for launcher in Launcher.started:
        if launcher.process.poll() is None:
            launcher.end()


class Gpus:
    """Looks at the memory of some GPUs once a second; others' jobs may have the rest."""

    def __init__(self, ours: set[str]) -> None:
        self.ours, self.peak = ours, {}
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while True:
            for gpu, used in self.used().items():
                self.peak[gpu] = max(used, self.peak.get(gpu, 0))
            time.sleep(1)

    def used(self) -> dict[str, int]:
        """MiB in use, by index."""
        question = ["nvidia-smi", "--query-gpu=index,memory.used", "--format=csv,noheader,nounits"]
        said = subprocess.run(question, capture_output=True, text=True, check=True).stdout
        everyone = dict(line.split(", ") for line in said.splitlines())
        return {gpu: int(used) for gpu, used in everyone.items() if gpu in self.ours}

    def free(self, seconds: float = 30, idle: int = 1024) -> dict[str, int]:
        """Waits until all memory is given back; returns what is in use then, or after so many seconds."""
        deadline = time.monotonic() + seconds
        while max((now := self.used()).values()) > idle and time.monotonic() < deadline:
            time.sleep(1)
        return now


def memory() -> float:
    """GiB of the smallest GPU."""
    question = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    said = subprocess.run(question, capture_output=True, text=True, check=True).stdout
    return min(map(int, said.split())) / 1024


class Kin:
    """All that the launchers started, and what that started, whoever its parent is by now."""

    def __init__(self) -> None:
        self.seen: set[tuple[int, int]] = set()
        self.lock = threading.Lock()
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        while True:
            self.look()
            time.sleep(0.5)

    def look(self) -> list[int]:
        """The ids of those that live now, launchers included."""
        with self.lock:
            found = {launcher.process.pid for launcher in Launcher.started if launcher.process.poll() is None}
            for process in sorted(processes.all_processes(), key=lambda process: (process.started, process.pid)):
                known = (process.pid, process.started)
                if process.is_alive and (
                    known in self.seen or not found.isdisjoint({process.pid, process.parent})
                ):
                    found.add(process.pid)
                    self.seen.add(known)
            return [pid for pid, started in sorted(self.seen) if processes.is_alive(pid, started)]

    def left(self) -> list[str]:
        """Those that live, for a message."""
        return [processes.description(pid) for pid in self.look()]

    def named(self, name: str) -> int:
        """The id of the one whose command line begins so."""
        return next(pid for pid in self.look() if " ".join(processes.command(pid)).startswith(name))


def make(what: str, which: str, folder: Path, python: str) -> Path:
    """Makes a model or prompts, once."""
    if not folder.exists():
        begun = time.monotonic()
        program = Path(__file__).with_name("material.py")
        try:
            subprocess.run([python, program, what, which, folder], check=True, cwd=ROOT)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)  # half of it would be taken for the whole
            raise
        print(f"{folder}: made in {time.monotonic() - begun:.0f} s", file=sys.stderr)
    return folder
