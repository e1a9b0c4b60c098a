"""Plans as a person and as other programs read them."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING
from typing import Any

from launch.planning import node
from launch.planning.plans import distinct
from schema.place import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from launch.planning.plans import Plan
    from launch.planning.plans import Planned
    from launch.planning.seconds import Calibration
    from launch.planning.seconds import Range
    from launch.planning.seconds import Step
    from schema.rules.base import Problem

#: Rows of another batch that a person is shown, and columns of sentences.
_OTHERS, _WIDTH = 3, 110
_FITS = {"yes": "fits", "close": "close", "no": "too large", None: "not known"}


def as_json(planned: Planned) -> Iterator[str]:
    """All plans for other programs, the best first, and those that only another optimizer step allows."""
    known = planned.known
    document = {
        "model": planned.work.model,
        "parameters": planned.work.shape.parameters,
        "plans": [_object(plan, known) for plan in planned.plans],
        "other_batches": [_object(plan, known) for plan in planned.others],
        "own": planned.plans.index(planned.own),
        "best": 0,
        "calibration": known.document() if known else None,
        "hint": planned.hint,
        "findings": [_finding(each) for each in planned.problems],
        "missing": list(planned.work.shape.missing),
    }
    yield from json.dumps(document, indent=2).splitlines()


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
        "step": step and _seconds_of(step),
        "tokens_per_second": step and known and plan.completions * known.basis.mean / step.seconds.value,
        "valid": plan.valid,
    }


def _seconds_of(step: Step) -> dict[str, float]:
    seconds, low, high = step.seconds
    parts = {"rollout": step.rollout.value, "sync": step.sync, "learn": step.learn.value}
    return {"seconds": seconds, "low": low, "high": high, **parts}


def _finding(problem: Problem) -> dict[str, Any]:
    place = {"file": shown(problem.place.file), "line": problem.place.line, "column": problem.place.column}
    return {**place, "message": problem.message, "consequence": problem.consequence, "fix": problem.fix}


def svg(planned: Planned) -> Iterator[str]:
    """The node GPU by GPU, and the seconds of the best plans, as an SVG image."""
    title = f"{planned.title} on {planned.gpus} GPUs of {planned.gib:.0f} GiB"
    yield from node.svg(planned.named, planned.best, planned.gpus, planned.gib, title).splitlines()


def text(planned: Planned) -> Iterator[str]:
    """The ten best plans and the preset's own for a person, on one screen."""
    work = planned.work
    yield planned.title
    yield (
        f"{work.step} completions for each optimizer step, {work.rollout} for each rollout"
        f" ({work.generations} for each prompt), of at most {work.prompt} + {work.completion} tokens"
    )
    parameters = work.shape.parameters
    yield f"{work.model}: {parameters / 1e9:.2f} billion parameters" if parameters else work.model
    yield ""
    if drawn := list(node.text(planned.named, planned.gpus)):
        yield from [*drawn, ""]
    yield (
        f"    {'mode':<9}{'rollout':>8}{'learn':>7}{'TP':>4}{'batch':>7}{'steps':>7}{'async':>7}"
        f"{'KV tokens':>12}{'GiB':>6}  {'fits':<10}{'seconds':>9}"
    )
    yield from map(_row, planned.best)
    if best := distinct(planned.others)[:_OTHERS]:
        yield ""
        yield "with another effective batch, the fastest for each completion first:"
        yield from (f"{_row(plan)}  {plan.completions} completions" for plan in best)
    yield ""
    for each in planned.problems:
        yield from _problem(each)
    yield from _notes(planned)


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


def _problem(problem: Problem) -> Iterator[str]:
    yield from textwrap.wrap(f"own plan: {problem.place}: {problem.message}", _WIDTH, break_long_words=False)
    yield f"    {problem.consequence}"
    yield f"    fix: {problem.fix}"


def _notes(planned: Planned) -> Iterator[str]:
    yield "batch and steps: per_device_train_batch_size and gradient_accumulation_steps; GiB: of a learner's GPU."
    yield from textwrap.wrap(_source(planned), _WIDTH)
    if planned.hint:
        yield "to get the first:"
        yield from (f"    {step}" for step in planned.hint)
    for what in planned.work.shape.missing:
        yield f"missing: {what}"


def _source(planned: Planned) -> str:
    """Where the seconds come from."""
    known, work = planned.known, planned.work
    more = "pass --runs FOLDER, the folder of a learner's start, for runs of this work."
    if known is None:
        reason = f"no GPU of {planned.gib:.0f} GiB is" if work.shape.layers else "the layers of the model are not"
        return f"seconds are not known, because {reason} known here: {more}"
    if known.runs:
        return (
            f"seconds: from {', '.join(known.runs)} ({known.of}); completions of {known.basis.mean:.0f} tokens on"
            f" average, the longest of {known.basis.longest:.0f}."
        )
    return (
        f"seconds: estimated for {known.basis.device.name}, no run measured, for prompts of {work.prompt} tokens"
        f" and completions of {work.completion}, the longest ones. For better ones {more}"
    )
