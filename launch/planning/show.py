"""Plans as a person and as other programs read them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from typing import Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

    from launch.planning.plans import Plan
    from launch.planning.seconds import Calibration
    from launch.planning.seconds import Range
    from launch.planning.work import Work

#: Rows that a person is shown, and those of another batch.
_SHOWN, _OTHERS = 10, 3
_FITS = {"yes": "fits", "close": "close", "no": "too large", None: "not known"}


def as_json(work: Work, plans: Sequence[Plan], others: Sequence[Plan], known: Calibration | None) -> Iterator[str]:
    """All plans for other programs, the best first, and those that only another optimizer step allows."""
    told = {
        "model": work.model,
        "parameters": work.shape.parameters,
        "plans": [_object(plan, known) for plan in plans],
        "other_batches": [_object(plan, known) for plan in others],
        "own": next(number for number, plan in enumerate(plans) if plan.is_own),
        "best": 0,
        "calibration": known._asdict() if known else None,
        "missing": list(work.shape.missing),
    }
    yield from json.dumps(told, indent=2).splitlines()


def _object(plan: Plan, known: Calibration | None) -> dict[str, Any]:
    server, learner, step = plan.memory.server, plan.memory.learner, plan.step
    return {
        **plan.candidate._asdict(),
        "completions": plan.completions,
        "server": {
            "weights_gib": server.weights_gib,
            "kv_tokens": server.kv_tokens,
            "sequences": server.sequences,
            "fits": server.fits,
        },
        "learner": {"gib": learner.gib, "fits": learner.fits},
        "step": step and {"seconds": step.seconds.value, **_ends(step.seconds), **_values(plan)},
        "tokens_per_second": step and known and plan.completions * known.mean / step.seconds.value,
        "valid": plan.valid,
    }


def _ends(seconds: Range) -> dict[str, float]:
    return {"low": seconds.low, "high": seconds.high}


def _values(plan: Plan) -> dict[str, float]:
    step = plan.step
    return {"rollout": step.rollout.value, "sync": step.sync, "learn": step.learn.value} if step else {}


def text(
    preset: str, work: Work, plans: Sequence[Plan], others: Sequence[Plan], known: Calibration | None
) -> Iterator[str]:
    """The ten best plans and the preset's own for a person, on one screen."""
    yield (
        f"{preset}: {work.step} completions for each optimizer step, {work.rollout} for each rollout, of at most"
        f" {work.prompt} + {work.completion} tokens"
    )
    yield (
        f"{work.model}: {work.shape.parameters / 1e9:.2f} billion parameters"
        if work.shape.parameters
        else work.model
    )
    yield ""
    yield (
        f"    {'mode':<9}{'rollout':>8}{'learn':>7}{'TP':>4}{'batch':>7}{'steps':>7}{'async':>7}"
        f"{'KV tokens':>12}{'GiB':>6}  {'fits':<10}{'seconds':>9}"
    )
    distinct = _distinct(plans)
    yield from map(_row, [*distinct[:_SHOWN], *(plan for plan in distinct[_SHOWN:] if plan.is_own)])
    if best := _distinct(others)[:_OTHERS]:
        yield ""
        yield "with another effective batch, in completions for each optimizer step:"
        yield from (f"{_row(plan)}  {plan.completions} completions" for plan in best)
    yield ""
    yield from _notes(work, plans, known)


def _distinct(plans: Sequence[Plan]) -> list[Plan]:
    """The best of those that differ in TP alone, and the preset's own."""
    found: dict[tuple[object, ...], Plan] = {}
    for plan in plans:
        found.setdefault((plan.candidate._replace(tensor_parallel=0, data_parallel=0), plan.is_own), plan)
    return list(found.values())


def _row(plan: Plan) -> str:
    each, fits = plan.candidate, _FITS[plan.memory.fits] if plan.valid else "not valid"
    cells = (
        f"{'own' if plan.is_own else '':<4}{each.mode:<9}{each.rollout_gpus:>8}{each.train_gpus:>7}"
        f"{each.tensor_parallel:>4}{each.per_device_train_batch_size:>7}{each.gradient_accumulation_steps:>7}"
        f"{'yes' if each.async_generate else 'no':>7}{plan.memory.server.kv_tokens or '?':>12}"
        f"{_gib(plan):>6}  {fits:<10}"
    )
    return cells + (_seconds(plan.step.seconds) if plan.step else f"{'?':>9}")


def _gib(plan: Plan) -> str:
    return "?" if plan.memory.learner.fits is None else f"{plan.memory.learner.gib:.0f}"


def _seconds(seconds: Range) -> str:
    return f"{seconds.value:>9.1f} ({seconds.low:.1f} to {seconds.high:.1f})"


def _notes(work: Work, plans: Sequence[Plan], known: Calibration | None) -> Iterator[str]:
    yield "batch and steps: per_device_train_batch_size and gradient_accumulation_steps; GiB: of a learner's GPU."
    if known is None:
        yield "seconds are not known: pass --runs FOLDER, the folder of a learner's start, for runs of this work."
    else:
        yield f"seconds: from {', '.join(known.runs)}; completions of {known.mean:.0f} tokens on average."
    best = plans[0].candidate
    if not plans[0].is_own and best.mode == "server" and plans[0].valid:
        yield (
            f"to get the first: migrate-config --to server --rollout-gpus {best.rollout_gpus} --train-gpus"
            f" {best.train_gpus} --tensor-parallel {best.tensor_parallel} PRESET --write, then set"
            f" per_device_train_batch_size {best.per_device_train_batch_size} and async_generate"
            f" {str(best.async_generate).lower()}"
        )
    for what in work.shape.missing:
        yield f"missing: {what}"
