"""How long a step takes in a plan, from the timings of runs of the same work."""

from __future__ import annotations

import operator
from statistics import median
from typing import TYPE_CHECKING
from typing import NamedTuple

from launch.timing import summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from launch.planning.candidates import Candidate
    from launch.planning.work import Work
    from launch.timing.run import Run

#: How far a step may be off where two runs tell its costs apart, as a share.
BAND = 0.15


class Range(NamedTuple):
    """Seconds, and between what they lie."""

    value: float
    low: float
    high: float

    def __add__(self, other: object) -> Range:
        """The sum of two ranges."""
        if not isinstance(other, Range):
            return NotImplemented
        return Range(*(mine + its for mine, its in zip(self, other, strict=True)))

    def largest(self, other: Range) -> Range:
        """The larger of two, at each end."""
        return Range(*map(max, self, other))


class Cost(NamedTuple):
    """Seconds of something that is done `times` times, of `size` each: times x (once + size x each).

    Attributes:
        once: seconds of each time, whatever its size.
        each: seconds for each of the size.
    """

    once: float
    each: float

    def of(self, times: float, size: float) -> float:
        """The seconds of all of it."""
        return times * (self.once + size * self.each)


class Sample(NamedTuple):
    """How long something took that was done some times, of some size each."""

    times: float
    size: float
    seconds: float


class Step(NamedTuple):
    """Seconds of a step and of its parts."""

    seconds: Range
    rollout: Range
    sync: float
    learn: Range


class Calibration(NamedTuple):
    """What runs tell of the costs of a step.

    Attributes:
        runs: names of the runs.
        learn: micro-steps, by completions on one GPU.
        decode: tokens of an engine, by sequences at once.
        around: seconds of each step in which weights move and neither side works.
        length: tokens of the longest completion of a rollout, which ends it.
        mean: tokens of a completion on average.
    """

    runs: tuple[str, ...]
    learn: tuple[Sample, ...]
    decode: tuple[Sample, ...]
    around: float
    length: float
    mean: float


def calibration(runs: Sequence[Run]) -> Calibration | None:
    """What some runs tell; None if none tells all that is needed."""
    told = [run for run in runs if _is_whole(run)]
    if not told:
        return None
    lengths = [summary.typical(run, summary.LONGEST) or summary.typical(run, summary.MEAN) or 0.0 for run in told]
    return Calibration(
        runs=tuple(run.folder.name for run in told),
        learn=tuple(map(_learned, told)),
        decode=tuple(_decoded(run, length) for run, length in zip(told, lengths, strict=True)),
        around=median(_around(run) for run in told),
        length=median(lengths),
        mean=median(summary.typical(run, summary.MEAN) or 0.0 for run in told),
    )


def _is_whole(run: Run) -> bool:
    made = run.made_of
    numbers = (made.micro_steps, made.per_device_train_batch_size, made.completions, made.engines)
    return run.has_parts and all(numbers) and summary.typical(run, summary.MEAN) is not None


def _parts(run: Run) -> dict[str, summary.Part]:
    return summary.parts(summary.settled(run))


def _learned(run: Run) -> Sample:
    made = run.made_of
    return Sample(made.micro_steps or 1, made.per_device_train_batch_size or 1, _parts(run)["learn"].mean)


def _decoded(run: Run, length: float) -> Sample:
    made = run.made_of
    return Sample(length * (made.rollouts or 1), made.at_once or 1, _parts(run)["generating"].mean)


def _around(run: Run) -> float:
    parts = _parts(run)
    return parts["prepare"].mean + parts["sync"].mean


def predicted(samples: Sequence[Sample], times: float, size: float) -> Range:
    """Seconds of something, from what was seen.

    Where samples of two sizes tell what each time costs and what its size does, those two are used. One size alone
    leaves both open: all of it is for each time, or all of it goes by size, and the truth lies between.
    """
    if cost := _fitted(samples):
        value = cost.of(times, size)
        return Range(value, value * (1 - BAND), value * (1 + BAND))
    once = times * median(sample.seconds / sample.times for sample in samples)
    ends = sorted((once, once * size / samples[0].size))
    if ends[0] == ends[1]:
        return Range(once, once * (1 - BAND), once * (1 + BAND))
    return Range((ends[0] + ends[1]) / 2, *ends)


def _fitted(samples: Sequence[Sample]) -> Cost | None:
    """The two costs by least squares of what one time took; None where sizes are alike. Neither is below zero."""
    sizes = [sample.size for sample in samples]
    if max(sizes) == min(sizes):
        return None
    took = [sample.seconds / sample.times for sample in samples]
    middle, mean = sum(sizes) / len(sizes), sum(took) / len(took)
    spread = sum((size - middle) ** 2 for size in sizes)
    each = sum((size - middle) * (one - mean) for size, one in zip(sizes, took, strict=True)) / spread
    once = mean - each * middle
    if each < 0:
        return Cost(mean, 0.0)
    if once < 0:
        return Cost(0.0, sum(map(operator.mul, sizes, took)) / sum(size**2 for size in sizes))
    return Cost(once, each)


def step(known: Calibration, work: Work, plan: Candidate, held: float | None) -> Step:
    """How long a step of a plan takes.

    In turn, it is the sum of its parts. With async_generate both sides work at the same time, and only what moves
    weights comes to the longer of them (ms-swift 4.5.2, rlhf_trainers/rollout_mixin.py:1182).

    Args:
        known: what runs tell.
        work: what the preset asks.
        plan: how the node is divided.
        held: completions of typical length that an engine's KV cache holds; None if that is not known.
    """
    rollouts = plan.gradient_accumulation_steps / plan.steps_per_generation
    sequences = work.rollout / plan.data_parallel
    waves = max(1.0, sequences / held) if held else 1.0
    made = predicted(known.decode, known.length * rollouts * waves, sequences / waves)
    learns = predicted(known.learn, plan.gradient_accumulation_steps, plan.per_device_train_batch_size)
    around = Range(known.around, known.around, known.around)
    both = made.largest(learns) if plan.async_generate else made + learns
    return Step(both + around, made, known.around, learns)
