"""All that a plan of a node says, before it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

from launch.planning.node import Named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from launch.planning.plans import Plan
    from launch.planning.seconds import Calibration
    from launch.planning.work import Work
    from schema.rules.base import Problem

#: Rows that a person is shown.
_SHOWN = 10


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
    """

    title: str
    gpus: int
    gib: float
    work: Work
    plans: list[Plan]
    others: list[Plan]
    known: Calibration | None
    problems: list[Problem]

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
    def named(self) -> list[Named]:
        """The first plan, and the preset's own if it is another."""
        first = [] if self.plans[0].is_own else [Named("first", self.plans[0])]
        return [*first, Named("own", self.own)]


def distinct(plans: Sequence[Plan]) -> list[Plan]:
    """The best of those that differ in TP alone, and the preset's own."""
    found: dict[tuple[object, ...], Plan] = {}
    for plan in plans:
        found.setdefault((plan.candidate._replace(tensor_parallel=0, data_parallel=0), plan.is_own), plan)
    return list(found.values())
