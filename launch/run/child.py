"""The program that a launcher starts: in a session of its own, watched, logged, and ended with all it started."""

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
from launch.run.family import KILLED
from launch.run.family import Family
from launch.run.family import adopt_orphans
from launch.run.logs import OUTPUT
from launch.run.logs import Pump
from launch.run.start import unrunnable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from launch.run.start import Start

#: Seconds between two looks at it.
TICK = 0.2
#: The variable by which all that was started is known.
MARK = "ROLLOUT_SPLIT_LAUNCH"


@dataclass
class Child:
    """A running program.

    Attributes:
        process: the program itself.
        family: it and all that it started.
        pump: its output.
        grace: seconds between TERM and KILL when it is ended.
    """

    process: subprocess.Popen[bytes]
    family: Family
    pump: Pump
    grace: float

    def code(self) -> int | None:
        """Its exit code as a shell would say it, or None while it runs."""
        said = self.process.poll()
        return said if said is None or said >= 0 else 128 - said


@contextmanager
def started(start: Start, folder: Path) -> Iterator[Child]:
    """Starts a program, and ends it with everything that it started when the block is left.

    Its output is unbuffered, so that logs tell what happened last.

    Args:
        start: what is started.
        folder: gets its output.

    Raises:
        InputError: it cannot be run.
    """
    family = Family(f"{MARK}={uuid.uuid4()}", root=os.getpid())
    adopt_orphans()
    watchman = child = None
    try:
        with signals.held():
            watchman = guard.post(family.mark, start.times.grace)
            family.apart.add(watchman.pid)
            child = _spawn(start, folder, family)
            watchman.tell(child.process.pid)
        yield child
    finally:
        with signals.ignored():
            family.end(start.times.grace if child is None else child.grace, start.voice)
            if child is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):  # a driver call may hold it for ever
                    child.process.wait(timeout=KILLED)
                child.pump.join(timeout=5)
            if watchman is not None:
                watchman.dismiss()


def _spawn(start: Start, folder: Path, family: Family) -> Child:
    process = _run(start, family.mark)
    family.group = process.pid
    stdout = cast("IO[bytes]", process.stdout)  # a pipe, as `_run` asks
    pump = Pump(stdout, folder / OUTPUT, show=start.request.live, voice=start.voice)
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
            env={"PYTHONUNBUFFERED": "1", **start.environment, name: value},
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise unrunnable(start.argv[0], error) from error
