"""What a run's timings say: the parts of its steps, both sides side by side, and what would help most."""

from __future__ import annotations

import math
from statistics import median
from statistics import quantiles
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

from launch.timing.steps import PARTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

    from launch.timing.run import Run
    from launch.timing.steps import Step

#: Steps that are drawn, and columns for them.
_DRAWN, _COLUMNS = 4, 72
#: Shares of a step from which on a part is worth a word.
_MOST, _MUCH = 0.5, 0.25
_CLIPPED = "completions/clipped_ratio"
_MEAN = "completions/mean_length"
_RESERVED = "memory(GiB)"


class Part(NamedTuple):
    """A part of the steps: its median and its 90th percentile, in seconds, and its share of all of them."""

    name: str
    median: float
    high: float
    share: float


class Advice(NamedTuple):
    """What takes the time, with its arithmetic, and the change of a preset that would help."""

    what: str
    change: str


def parts(steps: Sequence[Step]) -> list[Part]:
    """The parts of a run's steps, and the steps as a whole."""
    whole = sum(step.seconds for step in steps)
    return [_part(name, [getattr(step, name) for step in steps], whole) for name in (*PARTS, "seconds")]


def _part(name: str, values: Sequence[float], whole: float) -> Part:
    high = quantiles(values, n=10, method="inclusive")[-1] if len(values) > 1 else values[0]
    return Part(name, median(values), high, sum(values) / whole)


def settled(run: Run) -> list[Step]:
    """The steps without the first one, in which kernels are compiled and caches filled, if there are others."""
    return run.steps[1:] or run.steps


def tokens(run: Run) -> float | None:
    """Tokens of completions a second, or None if the learner did not log their lengths."""
    made: float | None = run.made_of.get("completions")
    steps = settled(run)
    lengths = [step.logged[_MEAN] for step in steps if _MEAN in step.logged]
    if made is None or not lengths:
        return None
    return made * (sum(lengths) / len(lengths)) / median(step.seconds for step in steps)


def as_json(run: Run) -> dict[str, Any]:
    """The report for other programs."""
    return {
        "run": str(run.folder),
        "made_of": run.made_of,
        "steps": len(run.steps),
        "parts": {part.name: part._asdict() for part in parts(settled(run))},
        "tokens_per_second": tokens(run),
        "advice": [each._asdict() for each in advice(run)],
        "missing": run.missing,
    }


def text(run: Run) -> Iterator[str]:
    """The report for a person, line by line."""
    steps, made = settled(run), run.made_of
    yield f"{run.folder.name}: {len(run.steps)} steps, {sum(step.seconds for step in run.steps):.1f} s"
    if made:
        yield "  " + ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in made.items())
    yield ""
    yield f"{'part':<10}{'median':>10}{'90 %':>10}{'share':>8}" + (
        "   (without the first step)" if run.steps[1:] else ""
    )
    for part in parts(steps):
        name = "step" if part.name == "seconds" else part.name
        yield f"{name:<10}{part.median:>8.2f} s{part.high:>8.2f} s{part.share:>7.0%}"
    if (speed := tokens(run)) is not None:
        yield f"{speed:.0f} tokens of completions a second"
    yield ""
    yield from drawing(steps[-_DRAWN:])
    for each in advice(run):
        yield ""
        yield each.what
        yield f"    {each.change}"
    for what in run.missing:
        yield f"missing: {what}"


def drawing(steps: Sequence[Step]) -> Iterator[str]:
    """Both sides over some steps: what each works on in every column, and where it waits."""
    scale = sum(step.seconds for step in steps) / _COLUMNS
    sides = [_drawn(step, scale) for step in steps]
    which = f"steps {steps[0].number} to {steps[-1].number}"
    yield f"{which}; a column is {scale:.2g} s; # works, = syncs weights, . waits"
    yield f"  learner  {'|'.join(learner for learner, _ in sides)}"
    yield f"  server   {'|'.join(server for _, server in sides)}"


def _drawn(step: Step, scale: float) -> tuple[str, str]:
    """The learner and the server in one step."""
    prepare, wait, sync, rollout, learn = (round(getattr(step, part) / scale) for part in PARTS)
    # While the learner waits for it, the server ends what it began in the step before.
    made = min(round(step.generating / scale), rollout + learn)
    learner = "#" * prepare + "." * wait + "=" * sync + "." * rollout + "#" * learn
    server = "." * prepare + "#" * wait + "=" * sync + "#" * made + "." * (rollout + learn - made)
    return learner, server


def advice(run: Run) -> list[Advice]:
    """At most three changes that would help, the greatest part first."""
    found = {part.name: part for part in parts(settled(run))}
    ranked = sorted(_advice(run, found), key=lambda each: -each[0])
    return [each for _, each in ranked[:3]]


def _advice(run: Run, found: dict[str, Part]) -> Iterator[tuple[float, Advice]]:
    step, learn = found["seconds"].median, found["learn"]
    waits = found["rollout"].median + found["wait"].median
    share = found["rollout"].share + found["wait"].share
    made = run.made_of | _memory(run)
    if learn.share >= _MOST:
        yield learn.share, _learner_bound(made, learn, step)
    if share >= _MOST:
        yield share, _rollout_bound(made, waits, learn.median, found["sync"].median, step)
    if found["sync"].share >= _MUCH:
        what = (
            f"Weight sync takes {found['sync'].median:.2f} of {step:.2f} s per step ({found['sync'].share:.0%})."
        )
        yield (
            found["sync"].share,
            Advice(what, "make more completions per optimizer step, so that weights move less often"),
        )
    clipped = [each.logged[_CLIPPED] for each in settled(run) if _CLIPPED in each.logged]
    if clipped and median(clipped) >= 0.99:
        limit = made.get("max_completion_length", "their limit")
        what = f"All completions are cut off at {limit} tokens, so none shows how it would have ended."
        yield 0.0, Advice(what, "raise max_completion_length, or look at what the model writes")


def _memory(run: Run) -> dict[str, float]:
    """The most memory that torch reserved on a learner's GPU, where that is logged."""
    reserved = [step.logged[_RESERVED] for step in run.steps if _RESERVED in step.logged]
    return {_RESERVED: max(reserved)} if reserved else {}


def _learner_bound(made: dict[str, Any], learn: Part, step: float) -> Advice:
    what = f"The learner takes {learn.median:.2f} of {step:.2f} s per step ({learn.share:.0%})"
    micro, batch = made.get("micro_steps"), made.get("per_device_train_batch_size")
    if not micro or micro < 2 or not batch:
        return Advice(f"{what}.", "give the learner more GPUs (migrate-config --rollout-gpus N --train-gpus M)")
    each = learn.median / micro
    what = f"{what}: {micro} micro-steps of {each:.2f} s, of {batch} completions on each GPU."
    fewer = math.ceil(micro / 2)
    reserved = f" (torch has reserved {made[_RESERVED]:.1f} GiB)" if _RESERVED in made else ""
    times = f"{fewer} micro-step{'s' if fewer > 1 else ''}"
    return Advice(what, f"try per_device_train_batch_size {2 * batch}: {times}, if memory allows it{reserved}")


def _rollout_bound(made: dict[str, Any], waits: float, learn: float, sync: float, step: float) -> Advice:
    what = f"The learner waits for completions in {waits:.2f} of {step:.2f} s per step ({waits / step:.0%})."
    if made.get("async_generate"):
        return Advice(what, "give the server more GPUs (migrate-config --rollout-gpus N --train-gpus M)")
    overlapped = max(waits, learn) + sync
    change = (
        f"async_generate: true would overlap both: about max({waits:.2f}, {learn:.2f}) + {sync:.2f} ="
        f" {overlapped:.2f} s per step, with completions from weights that are one step old"
    )
    return Advice(what, change)
