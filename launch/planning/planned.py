"""All that a plan of a node says, before it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from launch.planning.plans import Plan
    from launch.planning.seconds import Calibration
    from launch.planning.work import Work
    from schema.rules.base import Problem

#: Rows that a person is shown.
_SHOWN = 10
#: Plans that take less than this share longer are as fast.
_ALIKE = 1.01


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
