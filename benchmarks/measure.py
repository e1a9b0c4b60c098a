"""Runs commands in turn, so that all of them meet the same weather, and says what each took."""

from __future__ import annotations

import os
import subprocess
import time
from random import Random
from statistics import median
from typing import TYPE_CHECKING
from typing import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence

#: How commands end that did their work: some find something, or would change files.
_DONE = (0, 1)


class Cost(NamedTuple):
    """Medians of a command's processes.

    Attributes:
        wall: seconds from start to end.
        cpu: seconds on a core, in the program and the kernel.
        memory: the most memory that a process held, in MB (10^6 bytes).
        runs: how many there were.
    """

    wall: float
    cpu: float
    memory: float
    runs: int = 1


def alternating(commands: Mapping[str, Sequence[str]], repeats: int) -> dict[str, Cost]:
    """The cost of each command: one run of each in turn, after one that fills the caches.

    Each round has an order of its own, because a large program leaves little in the caches for the next one.

    Raises:
        RuntimeError: a command fails.
    """
    for argv in commands.values():
        _run(argv)
    orders = (Random(number).sample(list(commands), len(commands)) for number in range(repeats))  # noqa: S311
    rounds = [{name: _run(commands[name]) for name in order} for order in orders]
    return {name: _median([each[name] for each in rounds]) for name in commands}


def _median(costs: Sequence[Cost]) -> Cost:
    wall, cpu, memory, _ = (median(numbers) for numbers in zip(*costs, strict=True))
    return Cost(wall, cpu, memory, len(costs))


def _run(argv: Sequence[str]) -> Cost:
    started = time.monotonic()
    # Modules are compiled once, as they are where a tool is installed.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    with subprocess.Popen(
        argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment, text=True
    ) as process:
        said = process.stderr.read() if process.stderr else ""
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in _DONE:
        raise RuntimeError(f"{' '.join(argv[:3])} ... ends with {process.returncode}: {said[-500:]}")
    return Cost(time.monotonic() - started, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6)
