"""How long a step takes in a plan: what the model and the GPU tell, corrected by the timings of runs."""

from __future__ import annotations

from functools import cache
from operator import add
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

from launch.planning import rollout
from launch.planning.micro import Micro
from launch.planning.micro import micro
from launch.sizing.learning import trainable

if TYPE_CHECKING:
    from launch.planning.candidates import Candidate
    from launch.planning.devices import Device
    from launch.planning.settings import Sides
    from launch.planning.work import Work

#: How far a step may be off, as a share: without runs, and with them; more than the worst that was measured.
ESTIMATED, CALIBRATED = 0.35, 0.2
#: How much longer the processor needs for a micro-step with an engine in its process (docs/gpu-runs.md, four H100:
#: 1.24 and 1.27), and learning takes while completions are made (two H200: 1.08, twice).
_BESIDE, _MEANWHILE = 1.25, 1.08


class Range(NamedTuple):
    """A number, and between what it lies."""

    value: float
    low: float
    high: float

    def plus(self, other: Range) -> Range:
        """The sum of two ranges."""
        return Range(*map(add, self, other))

    def times(self, factor: float) -> Range:
        """All of it some times."""
        return Range(*(factor * each for each in self))

    def largest(self, other: Range) -> Range:
        """The larger of two, at each end."""
        return Range(*map(max, self, other))

    def widened(self, band: float) -> Range:
        """A range whose ends are a share further away."""
        return Range(self.value, self.low * (1 - band), self.high * (1 + band))


def exactly(value: float) -> Range:
    """A number that is known."""
    return Range(value, value, value)


class Basis(NamedTuple):
    """What all seconds rest on: a GPU's data sheet, and tokens of completions.

    `mean` are those of a completion on average, `longest` those of the longest one of a rollout, which ends it.
    """

    device: Device
    mean: float
    longest: float


class Parts(NamedTuple):
    """Seconds of a step, as the model and the GPU tell them.

    `around` are those in which weights move and neither side works.
    """

    learn: Micro
    rollout: float
    around: float


class Step(NamedTuple):
    """Seconds of a step and of its parts."""

    seconds: Range
    rollout: Range
    sync: float
    learn: Range


class Calibration(NamedTuple):
    """What is known of seconds besides the model and the GPU.

    Attributes:
        runs: names of the runs that tell it; none if all is estimated.
        basis: what all seconds rest on.
        host: how many times as long the learner's processor needs.
        gpu: the same of its GPU.
        rollout: the same of rollouts.
        around: the same of what is around both.
        of: what the runs trained, and how.
    """

    runs: tuple[str, ...]
    basis: Basis
    host: Range = exactly(1.0)
    gpu: Range = exactly(1.0)
    rollout: float = 1.0
    around: float = 1.0
    of: str = ""

    @property
    def band(self) -> float:
        """How far a step may be off, as a share."""
        return CALIBRATED if self.runs else ESTIMATED

    def document(self) -> dict[str, Any]:
        """What it is, for other programs."""
        factors = {"host": self.host.value, "gpu": self.gpu.value, "rollout": self.rollout, "around": self.around}
        rests = self.basis._asdict() | {"device": self.basis.device.name}
        return {"analytic": not self.runs, "runs": self.runs, "band": self.band, **rests, "factors": factors}


def padded(rows: int, completions: int, basis: Basis) -> float:
    """Tokens to which each completion of a micro-step is padded, that of its longest one, as is to be expected.

    All are as long as the longest in a micro-step as large as the rollout, and as the mean in one of a single
    completion; in between it grows as the largest of so many lengths does where each token is as likely as any
    other to be the last (ms-swift 4.5.2, rlhf_trainers/grpo_trainer.py:758 collates one micro-step at a time).
    """
    if min(rows, completions) <= 1:
        return basis.mean
    share = _grown(min(rows, completions)) / _grown(completions)
    return basis.mean + (basis.longest - basis.mean) * share


@cache
def _grown(count: int) -> float:
    """How much the largest of so many lengths is above their mean, in means."""
    return sum(1 / each for each in range(2, count + 1))


def parts(work: Work, plan: Candidate, sides: Sides, basis: Basis, waves: float = 1.0) -> Parts:
    """The seconds of a step of a plan before anything is measured.

    `waves` says how often an engine fills its KV cache in a rollout.
    """
    rows = plan.per_device_train_batch_size
    width = padded(rows, work.rollout, basis) if sides.pads else basis.mean
    learning, beside = sides.learning._replace(completion=round(width)), plan.mode == "colocate"
    # How many learners there are changes nothing, and what is asked twice is not computed again.
    one = micro(work.shape, learning._replace(world=1), basis.device, old=sides.old)
    sequences = work.rollout / plan.data_parallel / waves
    prompts = sequences / (work.generations if sides.shares_prompts else 1)
    asked = rollout.Asked(sequences, waves, prompts, work.prompt, basis.mean, basis.longest)
    made = rollout.rollout(work.shape, sides.engine, basis.device, asked, work.stored)
    steps = plan.gradient_accumulation_steps
    meanwhile = steps * (_MEANWHILE if plan.async_generate else 1)
    learn = Micro(meanwhile * one.host * (_BESIDE if beside else 1), meanwhile * one.gpu)
    moved = trainable(work.shape, learning) if sides.moves_adapters else 0
    return Parts(learn, made * steps / plan.steps_per_generation, rollout.around(work.shape, moved))


def step(known: Calibration, plan: Candidate, estimate: Parts) -> Step:
    """How long a step of a plan takes, by its estimated parts and by what is known besides.

    In turn, it is the sum of its parts. With async_generate both sides work at the same time, and only what moves
    weights comes to the longer of them (ms-swift 4.5.2, rlhf_trainers/rollout_mixin.py:1182).
    """
    made, moves = exactly(known.rollout * estimate.rollout), known.around * estimate.around
    learns = known.host.times(estimate.learn.host).largest(known.gpu.times(estimate.learn.gpu))
    both = made.largest(learns) if plan.async_generate else made.plus(learns)
    band = known.band
    return Step(both.plus(exactly(moves)).widened(band), made.widened(band), moves, learns.widened(band))
