"""The timings of one run: written when its learner ends, read by `rollout-split report`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

from launch.timing import stamps
from launch.timing.steps import Step
from launch.timing.steps import steps
from schema.errors import InputError
from schema.place import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: A line a step, beside the learner's output.
TIMINGS = "timings.jsonl"
#: The record of a start.
PLAN = "plan.json"


class Run(NamedTuple):
    """A run of a learner.

    Attributes:
        folder: the folder of its start.
        made_of: what its steps are made of: GPUs, batch numbers, model and tuner, by name.
        steps: its steps.
        missing: what could not be read, for a person.
    """

    folder: Path
    made_of: dict[str, Any]
    steps: list[Step]
    missing: list[str]


def write(folder: Path, server: Path | None, *, overlapped: bool) -> None:
    """Writes the timings of a run beside its logs.

    Args:
        folder: of the learner's start.
        server: of its server's start, or None if no launcher on this node started it.
        overlapped: see `steps`.

    Raises:
        OSError: they cannot be written.
    """
    found = _steps(folder, server, overlapped=overlapped)
    lines = [json.dumps({name: _rounded(value) for name, value in step._asdict().items()}) for step in found]
    (folder / TIMINGS).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _rounded(value: object) -> object:
    return round(value, 3) if isinstance(value, float) else value


def _steps(folder: Path, server: Path | None, *, overlapped: bool) -> Iterator[Step]:
    served = stamps.read(server / stamps.STAMPS) if server is not None else []
    return steps(stamps.read(folder / stamps.STAMPS), served, overlapped=overlapped)


def read(folder: Path) -> Run:
    """Reads a run, also one whose launcher was killed before it wrote its timings.

    Raises:
        InputError: the folder is none of a learner's start, or nothing tells of a step.
    """
    plan = _plan(folder)
    if plan.get("side") != "learner":
        raise InputError("is the record of a server; name the folder of the learner that used it", Place(folder))
    made_of = plan.get("steps_are_made_of") or {}
    found, missing = _timings(folder), []
    if not found:
        server = plan.get("server_logs")
        path = folder.parent / server if server else None
        found = list(_steps(folder, path, overlapped=bool(made_of.get("async_generate"))))
    if not sum(step.seconds for step in found):
        reason = "tells of no step that took time: the learner ended before its first one, or its log is cut"
        raise InputError(reason, Place(folder))
    if not any("rollout" in step.lines or "wait" in step.lines for step in found):
        missing.append("the server's log: rollout and sync are counted as learn")
    if not any(step.logged for step in found):
        missing.append("the lines that the learner logs of its steps: lengths of completions are unknown")
    return Run(folder, made_of, found, missing)


def _plan(folder: Path) -> dict[str, Any]:
    try:
        plan = json.loads((folder / PLAN).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"holds no readable {PLAN}, so it is not the folder of a start", Place(folder)) from error
    return plan if isinstance(plan, dict) else {}


def _timings(folder: Path) -> list[Step]:
    try:
        text = (folder / TIMINGS).read_text(encoding="utf-8")
    except OSError:
        return []
    return list(stamps.read_lines(text, Step))
