"""All plans of a node, the best first: what fits, and then what is fast; and which of them a person is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

from launch.planning import candidates
from launch.planning.memory import memory
from launch.planning.seconds import parts
from launch.planning.seconds import step
from launch.planning.settings import sides

if TYPE_CHECKING:
    from collections.abc import Sequence

    from launch.planning.candidates import Candidate
    from launch.planning.memory import Memory
    from launch.planning.seconds import Calibration
    from launch.planning.seconds import Step
    from launch.planning.work import Work
    from schema.context import Context
    from schema.rules.base import Problem

#: In which order plans stand whose fit is known, close, unknown or none.
_ORDER = ("yes", "close", None, "no")
#: Rows that a person is shown.
_SHOWN = 10
#: Plans that take less than this share longer are as fast.
_ALIKE = 1.01


class Plan(NamedTuple):
    """A plan, judged.

    Attributes:
        candidate: how the node is divided.
        memory: what both sides take.
        step: how long a step takes; None if nothing tells.
        completions: of one optimizer step.
        valid: whether it keeps the preset's batches on the node's GPUs.
        is_own: whether the preset says so itself.
        keeps_batch: whether its batch is the preset's.
    """

    candidate: Candidate
    memory: Memory
    step: Step | None
    completions: int
    valid: bool
    is_own: bool
    keeps_batch: bool

    @property
    def rank(self) -> tuple[Any, ...]:
        """The best one has the least: it fits, and is fast.

        Where nothing tells seconds, more learners come first, and then fewer micro-steps: the learner's work is
        most of a step in all runs of docs/gpu-runs.md. Of plans that are as fast, the preset's batch comes first.
        """
        each, fits = self.candidate, _ORDER.index(self.memory.fits)
        last = 0 if self.step else each.gradient_accumulation_steps
        return (not self.valid, fits, self.cost, last, not self.keeps_batch, -each.rollout_gpus)

    @property
    def cost(self) -> float:
        """Seconds for each completion; where nothing tells them, the share of completions that a learner takes."""
        each = self.candidate
        taken = each.gradient_accumulation_steps * each.per_device_train_batch_size
        return (self.step.seconds.value if self.step else taken) / self.completions


class Planned(NamedTuple):
    """The plans of a preset on a node.

    Attributes:
        title: the preset, as the operator named it.
        gpus: of the node.
        gib: memory of each, as nvidia-smi tells it.
        work: what the preset asks.
        plans: all plans that keep its batches, and its own, the best first.
        others: those that only another optimizer step allows, the best first.
        known: what runs tell of seconds; None if there are none.
        problems: what is wrong with the preset's own plan.
        hint: what to type for the first plan, a line each.
    """

    title: str
    gpus: int
    gib: float
    work: Work
    plans: list[Plan]
    others: list[Plan]
    known: Calibration | None
    problems: list[Problem]
    hint: list[str]

    @property
    def own(self) -> Plan:
        """The preset's own plan."""
        return next(plan for plan in self.plans if plan.is_own)

    @property
    def best(self) -> list[Plan]:
        """The plans that a person is shown: the ten best, and the preset's own."""
        found = distinct(self.plans)
        return [*found[:_SHOWN], *(plan for plan in found[_SHOWN:] if plan.is_own)]

    @property
    def named(self) -> dict[str, Plan]:
        """The first plan, if it is known to fit and is not the preset's own; and that one, if it can be."""
        first = {"first": self.plans[0]} if is_better(self.plans[0]) else {}
        return first | ({"own": self.own} if self.own.candidate.gpus <= self.gpus else {})


def plans(context: Context, work: Work, gpus: int, gib: float, known: Calibration | None) -> list[Plan]:
    """All plans of a node with GPUs of `gib` GiB, the best first."""
    found = (_judged(context, work, each, (gpus, gib), known) for each in candidates.candidates(work, gpus))
    return sorted(found, key=lambda plan: plan.rank)


def other_batches(context: Context, work: Work, gpus: int, gib: float, known: Calibration | None) -> list[Plan]:
    """Plans that only another optimizer step allows, the best first; see `plans`."""
    found = [
        _judged(context, asked, each, (gpus, gib), known)
        for asked, group in candidates.other_batches(work, gpus)
        for each in group
    ]
    return sorted(found, key=lambda plan: plan.rank)


def _judged(
    context: Context, work: Work, plan: Candidate, node: tuple[int, float], known: Calibration | None
) -> Plan:
    gpus, gib = node
    taken = memory(context, work, plan, gib)
    valid = plan.keeps(work) and plan.gpus <= gpus
    seconds = _step(context, work, plan, taken, known)
    keeps = plan.per_device_train_batch_size == work.own.per_device_train_batch_size
    return Plan(plan, taken, seconds, work.step, valid, plan == work.own, keeps)


def _step(context: Context, work: Work, plan: Candidate, taken: Memory, known: Calibration | None) -> Step | None:
    """How long a step takes; an engine whose cache does not hold all of a rollout makes it in waves."""
    if known is None:
        return None
    held = taken.server.held(work.prompt + known.basis.mean)
    waves = max(1.0, work.rollout / plan.data_parallel / held) if held else 1.0
    estimate = parts(work, plan, sides(context, work, plan), known.basis, waves)
    return step(known, plan, estimate)


def is_better(first: Plan) -> bool:
    """Whether the first plan is one to take instead of the preset's own."""
    return first.valid and not first.is_own and first.memory.fits in {"yes", "close"}


def distinct(plans: Sequence[Plan]) -> list[Plan]:
    """The plans without those that divide the node as a better one does, with a TP or batch that gains nothing.

    The preset's own plan is always one.
    """
    found: list[Plan] = []
    for plan in plans:
        if plan.is_own or not any(_gains_nothing(plan, better) for better in found):
            found.append(plan)
    return found


def _gains_nothing(plan: Plan, better: Plan) -> bool:
    mine, other = plan.candidate, better.candidate
    if mine.split != other.split or mine.tensor_parallel != other.tensor_parallel:
        return mine.split == other.split
    longer = plan.cost / better.cost
    is_as_fast = longer <= _ALIKE if plan.memory.fits == better.memory.fits else longer * _ALIKE >= 1
    return plan.step is not None and is_as_fast
