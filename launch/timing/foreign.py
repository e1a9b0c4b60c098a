"""A run that no launcher of ours started: what ms-swift's own output folder tells of it."""

from __future__ import annotations

import contextlib
import re
from itertools import pairwise
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

from launch.timing import around
from launch.timing.made_of import MadeOf
from launch.timing.made_of import memory
from launch.timing.made_of import text
from launch.timing.stamps import finite
from launch.timing.stamps import number
from launch.timing.stamps import numbers
from launch.timing.stamps import stamps
from launch.timing.steps import Step
from schema import jsontext
from schema.checkpoint import count
from schema.errors import InputError
from schema.place import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence
    from pathlib import Path

    from launch.timing.stamps import Stamp

#: What ms-swift writes into the output folder of a run: a line for each step that it logs, and its arguments.
LOGGING, _ARGUMENTS = "logging.jsonl", "args.json"
_TIME = re.compile(r"(\d{1,9})([dhms])")
_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


class _Line(NamedTuple):
    """A line of logging.jsonl: the step after which it was logged, seconds of the training so far, its numbers."""

    step: int
    elapsed: float
    logged: dict[str, float]


def steps(folder: Path, server: Sequence[Stamp]) -> list[Step]:
    """The steps of a run; nothing tells the parts of one, so all of it is `learn`.

    What the engines logged of their work stands at the first step, whichever it was in: that log has no times that
    could be held against those of the learner.

    Times are averages since the training began, of which the differences are taken: seconds a step from ms-swift
    4.0 on (4.6.0, trainers/patcher.py:30), steps a second before (3.10.0, trainers/callback.py:46).
    """
    found = list(_steps(list(_lines(folder / LOGGING))))
    seen = around.seen([], server, 0.0)
    return [step._replace(around=seen) for step in found[:1]] + found[1:]


def _steps(lines: list[_Line]) -> Iterator[Step]:
    for before, after in pairwise(lines):
        seconds = (after.elapsed - before.elapsed) / (after.step - before.step)
        for step in range(before.step + 1, after.step + 1):
            begin = before.elapsed + (step - before.step - 1) * seconds
            yield Step(
                number=step,
                begin=begin,
                seconds=seconds,
                logged=after.logged,
                around={},
                lines={"seconds": f"train_speed in {LOGGING}"},
                learn=seconds,
            )


def _lines(file: Path) -> Iterator[_Line]:
    """The beginning, and then the lines as far as they can be read."""
    rows = [logged for text in _text(file).splitlines() if (logged := _mapping(text)) and number(logged)]
    start = last = _start(rows[-1]) if rows else 0
    yield _Line(start, 0.0, {})
    for logged in rows:
        step, elapsed = number(logged) or 0, _elapsed(logged, start)
        if step > last and elapsed is not None:
            yield _Line(step, elapsed, numbers(logged))
            last = step


def _elapsed(logged: dict[str, Any], start: int) -> float | None:
    each, rate = finite(logged.get("train_speed(s/it)")), finite(logged.get("train_speed(iter/s)"))
    step = number(logged) or 0
    if each is not None and each > 0:
        return each * (step - start)
    return step / rate if rate is not None and rate > 0 else None


def _start(logged: dict[str, Any]) -> int:
    """The step from which a run began: not 0 if it went on from a checkpoint, for its times begin there.

    The last line tells the whole seconds since then, and the seconds a step.
    """
    each, step = finite(logged.get("train_speed(s/it)")), number(logged) or 0
    seconds = sum(int(count) * _SECONDS[unit] for count, unit in _TIME.findall(str(logged.get("elapsed_time"))))
    if each is None or each <= 0 or step * each < seconds + 1.5:
        return 0
    return step - round((seconds + 0.5) / each)


def made_of(folder: Path, server: Sequence[Stamp]) -> MadeOf:
    """What the steps are made of, as far as args.json and the server's log tell."""
    arguments = _mapping(_text(folder / _ARGUMENTS)) or {}
    learners, batch = count(arguments, "global_world_size"), count(arguments, "per_device_train_batch_size")
    steps, size = count(arguments, "gradient_accumulation_steps"), count(arguments, "generation_batch_size")
    micro = learners * batch if learners and batch else None
    return MadeOf(
        model=text(arguments.get("model")),
        tuner_type=text(arguments.get("tuner_type") or arguments.get("train_type")),
        use_dora=True if arguments.get("use_dora") is True else None,
        learners=learners,
        per_device_train_batch_size=batch,
        micro_steps=steps,
        steps_per_generation=count(arguments, "steps_per_generation")
        or (size // micro if size and micro else steps),
        num_iterations=count(arguments, "num_iterations"),
        completions=steps * micro if steps and micro else None,
        num_generations=count(arguments, "num_generations"),
        max_completion_length=count(arguments, "max_completion_length"),
        async_generate=arguments.get("async_generate") is True,
        **memory(server),
    )


def served(log: Path | None) -> list[Stamp]:
    """What a server's log tells; its lines have no time.

    Raises:
        InputError: it cannot be read.
    """
    if log is None:
        return []
    try:
        printed = log.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", Place(log)) from error
    return [stamp for line in printed.replace("\r", "\n").splitlines() for stamp in stamps(line, 0.0)]


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _mapping(text: str) -> dict[str, Any]:
    with contextlib.suppress(ValueError):
        if isinstance(value := jsontext.loads(text), dict):
            return value
    return {}
