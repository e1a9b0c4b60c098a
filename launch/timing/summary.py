"""The numbers of a run's steps in short: medians, shares, tokens a second."""

from __future__ import annotations

from statistics import fmean
from statistics import median
from statistics import quantiles
from typing import TYPE_CHECKING
from typing import NamedTuple

from launch.timing.steps import PARTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from launch.timing.run import Run
    from launch.timing.steps import Step

MEAN, LONGEST, SHORTEST = "completions/mean_length", "completions/max_length", "completions/min_length"
CLIPPED, RESERVED = "completions/clipped_ratio", "memory(GiB)"


class Part(NamedTuple):
    """A part of the steps: seconds at the median, in nine of ten steps and on average, and its share of all."""

    name: str
    median: float
    high: float
    mean: float
    share: float


def settled(run: Run) -> list[Step]:
    """The steps without the first one, in which kernels are compiled and caches filled, if there are others."""
    return run.steps[1:] or run.steps


def parts(steps: Sequence[Step]) -> dict[str, Part]:
    """The parts of some steps by name, and `step`, the steps as a whole."""
    whole = sum(step.seconds for step in steps)
    values = {name: [getattr(step, name) for step in steps] for name in (*PARTS, "generating")}
    values["step"] = [step.seconds for step in steps]
    return {name: _part(name, each, whole) for name, each in values.items()}


def _part(name: str, values: Sequence[float], whole: float) -> Part:
    high = quantiles(values, n=10, method="inclusive")[-1] if len(values) > 1 else values[0]
    return Part(name, median(values), high, fmean(values), sum(values) / whole)


def typical(run: Run, name: str) -> float | None:
    """The median of what was logged or seen under a name, or None if it never was."""
    values = _values(settled(run), name)
    return median(values) if values else None


def most(run: Run, name: str) -> float | None:
    """The most of what was logged or seen under a name, over all steps, or None if it never was."""
    return max(_values(run.steps, name), default=None)


def _values(steps: Sequence[Step], name: str) -> list[float]:
    return [seen[name] for step in steps if name in (seen := step.logged | step.around)]


def tokens(run: Run) -> float | None:
    """Tokens of completions a second, or None if nothing tells their number and length."""
    length, made = typical(run, MEAN), run.made_of
    if made.completions is None or length is None:
        return None
    return made.completions / (made.num_iterations or 1) * length / fmean(step.seconds for step in settled(run))
