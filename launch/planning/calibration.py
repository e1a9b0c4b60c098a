"""What the timings of runs tell of the seconds of plans: how much longer things take than the numbers say."""

from __future__ import annotations

from math import log
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING
from typing import NamedTuple

from launch.planning import seconds
from launch.planning.candidates import Candidate
from launch.planning.micro import Micro
from launch.planning.settings import sides
from launch.timing import summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from launch.planning.devices import Device
    from launch.planning.work import Work
    from launch.timing.made_of import MadeOf
    from launch.timing.run import Run
    from schema.context import Context

#: No completion has so many tokens.
_LONGEST = 1 << 24


class Sample(NamedTuple):
    """What one run took, beside what its model and its GPUs tell.

    Attributes:
        name: of the run.
        estimate: what they tell.
        learn: seconds of learning in a step.
        rollout: seconds of rollouts, also of those that nothing waited for.
        around: seconds in which weights move and neither side works.
        mean: tokens of its completions.
        longest: tokens of the longest one of a rollout.
        of: what it trained, and how.
    """

    name: str
    estimate: seconds.Parts
    learn: float
    rollout: float
    around: float
    mean: float
    longest: float
    of: str = ""


class _Factors(NamedTuple):
    """How many times as long as estimated the processor and the GPU need.

    `error` says how far samples are off with these, all together, and `far` how far these are from the estimate.
    """

    host: seconds.Range
    gpu: seconds.Range
    error: float
    far: float


def calibration(context: Context, work: Work, runs: Sequence[Run], device: Device) -> seconds.Calibration | None:
    """What runs tell that did the preset's work on such GPUs; None if none tells all that is needed."""
    samples = [sample for run in runs if (sample := _sample(context, work, run, device))]
    return calibrated(samples, device) if samples else None


def calibrated(samples: Sequence[Sample], device: Device) -> seconds.Calibration:
    """What one or more samples tell."""
    found = _factors(samples)
    return seconds.Calibration(
        runs=tuple(sample.name for sample in samples),
        basis=seconds.Basis(
            device, median(each.mean for each in samples), median(each.longest for each in samples)
        ),
        host=found.host,
        gpu=found.gpu,
        rollout=median(each.rollout / each.estimate.rollout for each in samples),
        around=median(each.around / each.estimate.around for each in samples),
        of=", ".join(dict.fromkeys(each.of for each in samples)),
    )


def _factors(samples: Sequence[Sample]) -> _Factors:
    """The division into runs that waited for their processor and runs that waited for their GPU that fits best.

    Where two fit alike, within a percent, the one that needs the smaller correction is taken.
    """
    ordered = sorted(samples, key=lambda each: each.estimate.learn.gpu / each.estimate.learn.host)
    found = (_divided(ordered[:count], ordered[count:]) for count in range(len(ordered) + 1))
    return min(found, key=lambda each: (round(each.error, 2), each.far))


def _divided(host: Sequence[Sample], gpu: Sequence[Sample]) -> _Factors:
    """The factors, if the first samples waited for their processor, and the others for their GPU."""
    hosts, gpus = ([_ratios(each) for each in group] for group in (host, gpu))
    guess = median([each.host for each in hosts] + [each.gpu for each in gpus])
    one = _factor([each.host for each in hosts], [each.host for each in gpus], guess)
    other = _factor([each.gpu for each in gpus], [each.gpu for each in hosts], guess)
    error = sum(
        abs(log(max(one.value * each.estimate.learn.host, other.value * each.estimate.learn.gpu) / each.learn))
        for each in (*host, *gpu)
    )
    return _Factors(one, other, error, abs(log(guess)))


def _ratios(sample: Sample) -> Micro:
    """How much longer than estimated the processor and the GPU took, if either was what learning waited for."""
    return Micro(sample.learn / sample.estimate.learn.host, sample.learn / sample.estimate.learn.gpu)


def _factor(waited: Sequence[float], others: Sequence[float], guess: float) -> seconds.Range:
    """A factor: the median of samples that waited for it; else a guess, within what the others had for it."""
    if waited:
        return seconds.exactly(median(waited))
    most = min(others)
    return seconds.Range(min(guess, most), 0.0, most)


def _sample(context: Context, work: Work, run: Run, device: Device) -> Sample | None:
    """What a run took; None if it does not tell all parts."""
    made, mean = run.made_of, summary.typical(run, summary.MEAN)
    plan = _plan(made)
    took = {name: part.mean for name, part in summary.parts(summary.settled(run)).items()}
    if plan is None or mean is None or not (run.has_parts and took["learn"] and mean < _LONGEST):
        return None
    basis = seconds.Basis(device, mean, summary.typical(run, summary.LONGEST) or mean)
    rollout = round((made.at_once or 0) * plan.data_parallel)
    asked = work._replace(rollout=rollout, generations=made.num_generations or work.generations)
    estimate = seconds.parts(asked, plan, sides(context, asked, plan), basis)
    around = took["prepare"] + took["sync"]
    return Sample(run.folder.name, estimate, took["learn"], took["generating"], around, *basis[1:], _of(made))


def _of(made: MadeOf) -> str:
    """What a run trained, and how, as far as it tells."""
    tuner = "dora" if made.use_dora else made.tuner_type or "an unknown tuner"
    return f"{Path(made.model).name if made.model else 'an unknown model'} with {tuner}"


def _plan(made: MadeOf) -> Candidate | None:
    """How a run divided its node; None if it does not tell."""
    engines, learners, size = made.engines, made.learners, made.per_device_train_batch_size
    if not (engines and learners and size and made.micro_steps and made.at_once):
        return None
    rollout = made.rollout_gpus or engines
    fed = made.steps_per_generation or made.micro_steps
    batch = (size, made.micro_steps, fed, made.async_generate)
    return Candidate("server", rollout, learners, max(1, rollout // engines), engines, *batch)
