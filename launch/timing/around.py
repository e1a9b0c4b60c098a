"""What was seen around a step: the work of the GPUs of both sides, and of the engines."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from collections.abc import Sequence

    from launch.timing.stamps import Stamp

#: Seconds over which nvidia-smi says how much a GPU worked, at the most.
_LOOKS_BACK = 1.0
#: What of an engine's lines a step has, and how several lines make one number.
ENGINE: dict[str, Callable[[Sequence[float]], float]] = {
    "generation_tps": fmean,
    "running": max,
    "waiting": max,
    "kv_percent": max,
    "preemptions": sum,
}


def seen(learner: Sequence[Stamp], server: Sequence[Stamp], learns: float) -> dict[str, float]:
    """What was seen in a step by the stamps of both sides, by name.

    `learner_use` and `server_use` are percent of the time in which the GPUs of a side worked, the learner's while
    it learned, from the second `learns` on. `learner_gib` and `server_gib` are the most memory in use on one of
    them, and `learner_total_gib` and `server_total_gib` what it has. What engines log (running, waiting and
    kv_percent at their most, generation_tps on average over the lines, preemptions in all) has its own names.
    """
    while_learning = [each for each in learner if each.at >= learns + _LOOKS_BACK]
    return dict([*_gpus("learner", learner, while_learning), *_gpus("server", server, server), *_engines(server)])


def _gpus(side: str, all_of_it: Sequence[Stamp], working: Sequence[Stamp]) -> Iterator[tuple[str, float]]:
    for name, told in (("gib", "used_gib"), ("total_gib", "total_gib")):
        if values := _values("gpu", told, all_of_it):
            yield f"{side}_{name}", max(values)
    if use := _values("gpu", "use", working):
        yield f"{side}_use", fmean(use)


def _engines(server: Sequence[Stamp]) -> Iterator[tuple[str, float]]:
    for name, summary in ENGINE.items():
        if values := _values("engine", name, server):
            yield name, summary(values)


def _values(what: str, name: str, stamps: Sequence[Stamp]) -> list[float]:
    return [each.logged[name] for each in stamps if each.what == what and each.logged and name in each.logged]
