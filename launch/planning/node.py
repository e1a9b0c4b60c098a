"""Who works on which GPU of a node, drawn with characters and as an image."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from launch.picture import WIDTH
from launch.picture import Picture

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence

    from launch.planning.candidates import Candidate
    from launch.planning.plans import Plan

#: GPUs that a terminal, and an image for words, has room for.
_DRAWN = 16
#: What a GPU's memory is used for, and in which colour.
KINDS = {
    "engine's weights": "#2f6690",
    "set aside by vLLM": "#8fb8d9",
    "KV cache": "#cfe3f3",
    "learner's tensors": "#d9822b",
    "torch's cache, context": "#f3d3ad",
    "free": "#f1f1f1",
}
_ROW, _HIGH, _TOP, _LEFT, _BAR = 150, 96, 40, 16, 22
_TEXT = 330


def roles(plan: Candidate, gpus: int) -> list[str]:
    """What each GPU does: engines (R) and learners (L) by number; empty where it does nothing."""
    engines = [f"R{number // plan.tensor_parallel}" for number in range(plan.rollout_gpus)]
    learners = [f"L{number}" for number in range(plan.train_gpus)]
    if plan.mode == "colocate":
        return [f"{engine}+{learner}" for engine, learner in zip(engines, learners, strict=True)]
    return [*engines, *learners, *[""] * (gpus - len(engines) - len(learners))]


def text(named: Mapping[str, Plan], gpus: int) -> Iterator[str]:
    """The node for a terminal, a line for each plan; nothing for a node of too many GPUs."""
    if gpus > _DRAWN:
        return
    rows = [
        ("GPU", [str(number) for number in range(gpus)]),
        *((name, roles(plan.candidate, gpus)) for name, plan in named.items()),
    ]
    width = max(len(cell) for _, cells in rows for cell in cells) + 2
    for name, cells in rows:
        yield f"{name:<7}{''.join(f'{cell:<{width}}' for cell in cells)}".rstrip()


def svg(named: Mapping[str, Plan], best: Sequence[Plan], gpus: int, gib: float, title: str) -> str:
    """The node as an image: the GPUs of the named plans with their memory, and the seconds of the best ones."""
    timed = [plan for plan in best if plan.step]
    height = _TOP + _ROW * len(named) + 30 + (_BAR * len(timed) + 40 if timed else 0)
    image = Picture(height, title)
    image.word(_LEFT, 24, title)
    for number, (name, plan) in enumerate(named.items()):
        image.word(_LEFT, _TOP + _ROW * number + 14, f"{name}: {words(plan)}")
        _node(image, plan, _TOP + _ROW * number, gpus, gib)
    top = _TOP + _ROW * len(named)
    for number, (kind, colour) in enumerate(KINDS.items()):
        left = _LEFT + 158 * number
        image.box(colour, x=left, y=top, width=14, height=14)
        image.word(left + 20, top + 12, kind)
    if timed:
        _seconds(image, timed, top + 40)
    return image.rendered()


def _node(image: Picture, plan: Plan, top: float, gpus: int, gib: float) -> None:
    step = (WIDTH - 2 * _LEFT) / gpus
    for number, role in enumerate(roles(plan.candidate, gpus)):
        left, base = _LEFT + number * step, top + 24 + _HIGH
        image.box(KINDS["free"], f"GPU {number}", x=left, y=base - _HIGH, width=step - 6, height=_HIGH)
        used = list(_used(plan, role))
        ends = accumulate((size for _, size in used), initial=0.0)
        for (kind, size), begin in zip(used, ends, strict=False):
            shown = max(0.0, min(size, gib - begin)) / gib * _HIGH
            place = {"x": left, "y": base - begin / gib * _HIGH - shown, "width": step - 6, "height": shown}
            image.box(KINDS[kind], f"{kind}: {size:.1f} GiB", **place)
        if gpus <= _DRAWN:
            image.word(left + (step - 6) / 2, base + 14, f"{number}: {role}", anchor="middle")


def _used(plan: Plan, role: str) -> Iterator[tuple[str, float]]:
    """What a GPU's memory is used for, in GiB, from the bottom up."""
    server, learner, engine = plan.memory.server, plan.memory.learner, plan.memory.engine_gib
    if "R" in role:
        yield "engine's weights", server.weights_gib
        yield "set aside by vLLM", server.aside_gib
        yield "KV cache", max(0.0, engine - server.weights_gib - server.aside_gib)
    if "L" in role:
        beside = engine if "R" in role else 0.0
        yield "learner's tensors", learner.held_gib
        yield "torch's cache, context", max(0.0, learner.gib - beside - learner.held_gib)


def _seconds(image: Picture, plans: Sequence[Plan], top: float) -> None:
    """A bar for each plan, and a line from its low to its high end."""
    longest = max(plan.step.seconds.high for plan in plans if plan.step)
    scale = (WIDTH - _TEXT - 80) / longest
    for number, plan in enumerate(plans):
        if plan.step is None:
            continue
        seconds, base = plan.step.seconds, top + number * _BAR
        image.word(_LEFT, base + 12, f"{'own: ' if plan.is_own else ''}{words(plan)}")
        colour = KINDS["learner's tensors" if plan.is_own else "set aside by vLLM"]
        image.box(colour, x=_TEXT, y=base, width=seconds.value * scale, height=_BAR - 6)
        middle = base + (_BAR - 6) / 2
        image.line(x1=_TEXT + seconds.low * scale, x2=_TEXT + seconds.high * scale, y1=middle, y2=middle)
        image.word(_TEXT + seconds.high * scale + 6, base + 12, f"{seconds.value:.1f} s")


def words(plan: Plan) -> str:
    """A plan in a few words."""
    each = plan.candidate
    where = (
        f"colocate on {each.train_gpus}" if each.mode == "colocate" else f"{each.rollout_gpus} + {each.train_gpus}"
    )
    overlap = ", async_generate" if each.async_generate else ""
    return f"{where}, TP {each.tensor_parallel}, batch {each.per_device_train_batch_size}{overlap}"
