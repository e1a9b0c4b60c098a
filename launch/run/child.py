"""The program that a launcher starts: it gets a session of its own, and ends together with all that it started."""

from __future__ import annotations

import contextlib
import os
import subprocess
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO
from typing import TYPE_CHECKING
from typing import cast

from launch.run import guard
from launch.run import signals
from launch.run.family import KILL_WAIT
from launch.run.family import Family
from launch.run.family import adopt_orphans
from launch.run.logs import Pump
from launch.run.start import unrunnable
from launch.timing.stamps import OUTPUT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from launch.run.start import Start

#: Seconds between two looks at the program.
TICK = 0.2
#: The variable that marks all processes of one start.
MARK = "ROLLOUT_SPLIT_LAUNCH"
#: Variables without which logs miss lines: those written last, and those in which vLLM tells of its engines. trl
#: silences it where the second is not set (0.29.1, _compat.py), and vLLM 0.32.0 heeds that.
_LOUD = {"learner": {"PYTHONUNBUFFERED": "1"}, "server": {"PYTHONUNBUFFERED": "1", "VLLM_LOGGING_LEVEL": "INFO"}}


@dataclass
class Child:
    """A running program; it gets `grace` seconds between SIGTERM and SIGKILL when the launcher ends it."""

    process: subprocess.Popen[bytes]
    family: Family
    pump: Pump
    grace: float

    def code(self) -> int | None:
        """Its exit code as a shell reports it, or None while it runs."""
        status = self.process.poll()
        return status if status is None or status >= 0 else 128 - status


@contextmanager
def started(start: Start, folder: Path) -> Iterator[Child]:
    """Starts a program, and at the end of the block ends it with everything that it started.

    Its output goes into the folder. It is unbuffered, and vLLM tells of its engines, unless the start's own
    environment says otherwise.

    Raises:
        InputError: the program cannot be run.
    """
    family = Family(f"{MARK}={uuid.uuid4()}", root=os.getpid())
    adopt_orphans()
    watcher = child = None
    try:
        with signals.held():
            watcher = guard.start(family.mark, start.times.grace)
            family.excluded.add(watcher.pid)
            child = _spawn(start, folder, family)
            watcher.watch_group(child.process.pid)
        yield child
    finally:
        with signals.ignored():
            family.end(start.times.grace if child is None else child.grace, start.report)
            if child is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):  # a call of the driver may hold it for ever
                    child.process.wait(timeout=KILL_WAIT)
                child.pump.join(timeout=5)
            if watcher is not None:
                watcher.dismiss()


def _spawn(start: Start, folder: Path, family: Family) -> Child:
    process = _run(start, family.mark)
    family.group = process.pid
    stdout = cast("IO[bytes]", process.stdout)  # a pipe, because `_run` asks for one
    pump = Pump(stdout, folder / OUTPUT, show=start.request.live, report=start.report)
    pump.start()
    return Child(process, family, pump, start.times.grace)


def _run(start: Start, mark: str) -> subprocess.Popen[bytes]:
    name, _, value = mark.partition("=")
    try:
        return subprocess.Popen(
            start.argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**_LOUD[start.request.side], **start.environment, name: value},
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise unrunnable(start.argv[0], error) from error
