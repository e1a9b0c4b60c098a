"""The timings of one run: written when its learner ends, read by `rollout-split report`."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

from launch.timing import foreign
from launch.timing import stamps
from launch.timing import trackers
from launch.timing.made_of import MadeOf
from launch.timing.steps import Step
from launch.timing.steps import steps
from schema import jsontext
from schema.errors import InputError
from schema.place import Place
from schema.place import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: A line a step, beside the learner's output.
TIMINGS = "timings.jsonl"
#: The record of a start.
PLAN = "plan.json"


class Run(NamedTuple):
    """A run of a learner: the folder of its start, its steps, and for a person what could not be read."""

    folder: Path
    made_of: MadeOf
    steps: list[Step]
    missing: list[str]

    @property
    def has_parts(self) -> bool:
        """Whether something tells the parts of its steps."""
        return any({"rollout", "wait", "sync"} & set(step.lines) for step in self.steps)


def write(folder: Path, server: Path | None, *, overlapped: bool) -> None:
    """Writes the timings of a run into the folder of its start; `server` is that of its server's start, or None.

    Raises:
        OSError: they cannot be written.
    """
    found = _steps(folder, server, overlapped=overlapped)
    lines = (
        {name: round(value, 3) if isinstance(value, float) else value for name, value in step._asdict().items()}
        for step in found
    )
    (folder / TIMINGS).write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")


def _steps(folder: Path, server: Path | None, *, overlapped: bool) -> Iterator[Step]:
    learner = stamps.read(folder / stamps.STAMPS)
    wanted = stamps.between(learner[0].at, learner[-1].at) if learner else stamps.between(0, 0)
    served = stamps.read(server / stamps.STAMPS, wanted=wanted) if server is not None else []
    logged = trackers.parts(folder / stamps.OUTPUT)
    for step in steps(learner, served, overlapped=overlapped):
        yield step._replace(around=step.around | logged.get(step.number, {}))


def read(folder: Path, server_log: Path | None = None) -> Run:
    """Reads a run: of a launcher, also one that was killed before it wrote its timings, or of ms-swift alone.

    The folder is that of a learner's start, or ms-swift's output folder of a run, whose server left a log.

    Raises:
        InputError: the folder is neither, or nothing tells of a step.
    """
    try:
        folder = folder.resolve()
        started = (folder / PLAN).exists() or not (folder / foreign.LOGGING).exists()
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError(f"cannot be read: {error}", Place(folder)) from error
    if started and server_log is not None:
        raise InputError("is of a launcher; only a run that none started takes --server-log", Place(folder))
    run = _launched(folder) if started else _foreign(folder, server_log)
    run = run._replace(steps=[step for step in run.steps if step.seconds > 0])
    if not run.steps:
        reason = "tells of no step that took time: the learner ended before its first one, or its log is cut"
        raise InputError(reason, Place(folder))
    return run


def _foreign(folder: Path, server_log: Path | None) -> Run:
    missing = ["the launchers' stamps, which tell the parts of a step"]
    if server_log is None:
        missing.append("the server's log; pass --server-log FILE for the work of its engines")
    served = foreign.served(server_log)
    return Run(folder, foreign.made_of(folder, served), foreign.steps(folder, served), missing)


def _launched(folder: Path) -> Run:
    plan = _plan(folder)
    if plan.get("side") != "learner":
        raise InputError("is the record of a server; name the folder of the learner that used it", Place(folder))
    made, server, missing = _made_of(folder, plan), plan.get("server_logs"), []
    found, lines = list(stamps.read_lines(folder / TIMINGS, Step)), _count(folder / TIMINGS)
    if len(found) < lines or not found:
        path = folder.parent / server if isinstance(server, str) else None
        found = max(found, list(_steps(folder, path, overlapped=made.async_generate)), key=len)
        missing = [f"{lines - len(found)} lines of {TIMINGS} that cannot be read"] if len(found) < lines else []
    run = Run(folder, made, found, missing)
    if not run.has_parts:
        missing.append("the server's stamps, which tell the parts of a step")
    if not any(step.logged for step in found):
        missing.append("the lines that the learner logs of its steps: lengths of completions are unknown")
    return run


def _plan(folder: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        if isinstance(plan := jsontext.load(folder / PLAN), dict):
            return plan
    if not folder.is_dir():
        raise InputError(f"{shown(folder)} is no folder of a start; --logs names where starts make theirs")
    raise InputError(f"{shown(folder)} holds no readable {PLAN} of a start, nor ms-swift's own {foreign.LOGGING}")


def _made_of(folder: Path, plan: dict[str, Any]) -> MadeOf:
    document = plan.get("steps_are_made_of")
    known = document if isinstance(document, dict) else {}
    try:
        return MadeOf.model_validate({name: known[name] for name in MadeOf.model_fields if name in known})
    except ValueError as error:
        raise InputError(f"{PLAN} does not say what its steps are made of", Place(folder)) from error


def _count(file: Path) -> int:
    with contextlib.suppress(OSError), file.open("rb") as lines:
        return sum(1 for _ in lines)
    return 0
