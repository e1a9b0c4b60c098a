"""The report of a run: the parts of its steps, both sides side by side, and what would help most."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING
from typing import Any

from launch.timing import drawing
from launch.timing import summary
from launch.timing.around import ENGINE
from launch.timing.findings import findings
from schema.errors import InputError
from schema.place import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from launch.timing.run import Run
    from launch.timing.summary import Part

#: What of `learn` wandb and swanlab tell.
_WITHIN = {"rewards": "reward functions", "batches": "encoding, and log-probabilities before the passes"}
#: What is said of a side, where all of it was seen.
_SAID = (
    ({"gib", "total_gib"}, "{gib:.1f} of {total_gib:.0f} GiB in use on one of them"),
    ({"reserved_gib"}, "torch has reserved {reserved_gib:.1f} GiB"),
    ({"kv_percent"}, "KV cache at most {kv_percent:.0f}% full"),
    ({"running", "waiting"}, "at most {running:.0f} completions at once, {waiting:.0f} waiting"),
)
#: Columns of what a run is made of.
_WIDTH = 100


def as_json(run: Run) -> Iterator[str]:
    """The report for other programs."""
    steps, parts = summary.settled(run), summary.parts(summary.settled(run))
    document = {
        "run": str(run.folder),
        "made_of": run.made_of.document(),
        "steps": len(run.steps),
        "parts": {name: part._asdict() for name, part in parts.items() if run.has_parts or name == "step"},
        "waits": drawing.waits(steps) if run.has_parts else None,
        "tokens_per_second": summary.tokens(run),
        "sides": {side: dict(_side(run, side)) for side in ("learner", "server")},
        "findings": [each._asdict() for each in findings(run)],
        "missing": run.missing,
    }
    yield from json.dumps(document, indent=2).splitlines()


def svg(run: Run) -> Iterator[str]:
    """The drawing of both sides as an SVG image.

    Raises:
        InputError: nothing tells the parts of the steps.
    """
    if not run.has_parts:
        raise InputError("cannot be drawn, because nothing tells the parts of its steps", Place(run.folder))
    yield from drawing.svg(summary.settled(run)[-drawing.DRAWN :], run.folder.name).splitlines()


def text(run: Run) -> Iterator[str]:
    """The report for a person, line by line."""
    count = f"{len(run.steps)} step{'s' if run.steps[1:] else ''}"
    yield f"{run.folder.name}: {count}, {sum(step.seconds for step in run.steps):.1f} s"
    if made := run.made_of.document():
        words = ", ".join(f"{name} {value}" for name, value in made.items())
        yield from textwrap.wrap(
            words, _WIDTH, initial_indent="  ", subsequent_indent="  ", break_long_words=False
        )
    yield ""
    yield from _table(run)
    yield from _sides(run)
    if run.has_parts:
        yield ""
        yield from drawing.text(summary.settled(run)[-drawing.DRAWN :])
    for each in findings(run):
        yield ""
        yield from textwrap.wrap(each.what, _WIDTH)
        yield from textwrap.wrap(each.change, _WIDTH, initial_indent="    ", subsequent_indent="    ")
    if run.missing:
        yield ""
    for what in run.missing:
        yield f"missing: {what}"


def _table(run: Run) -> Iterator[str]:
    title = f"{'part':<10}{'median':>10}{'90 %':>10}{'share':>8}"
    yield title + ("   (without the first step)" if run.steps[1:] else "")
    parts = summary.parts(summary.settled(run))
    generating = parts.pop("generating")
    yield from (
        _row(name, part) for name, part in parts.items() if name == "step" or (part.share and run.has_parts)
    )
    for name, what in _WITHIN.items():
        if (seconds := summary.typical(run, name)) is not None:
            yield f"{name:<10}{seconds:>8.2f} s   {what}, within learn, as ms-swift told its tracker"
    if generating.share > parts["rollout"].share:
        yield _row("server", generating) + "   makes completions, whoever waits"


def _row(name: str, part: Part) -> str:
    return f"{name:<10}{part.median:>8.2f} s{part.high:>8.2f} s{part.share:>7.0%}"


def _sides(run: Run) -> Iterator[str]:
    if (speed := summary.tokens(run)) is not None:
        yield f"{speed:.0f} tokens of completions a second"
    for side, idle in drawing.waits(summary.settled(run)).items():
        seen = dict(_side(run, side))
        words = [f"waits {idle:.0%} of the time"] if run.has_parts else []
        if "use" in seen:
            words.append(f"its GPUs work {seen['use']:.0f}%" + (" while it learns" if side == "learner" else ""))
        words += [said.format(**seen) for names, said in _SAID if seen.keys() >= names]
        if words:
            yield f"{side}: {', '.join(words)}"


def _side(run: Run, side: str) -> Iterator[tuple[str, Any]]:
    """What was seen of a side, by name: percent of work at the median, and the most of all else."""
    if (use := summary.typical(run, f"{side}_use")) is not None:
        yield "use", use
    names = {"gib": f"{side}_gib", "total_gib": f"{side}_total_gib"}
    names |= {"reserved_gib": summary.RESERVED} if side == "learner" else {name: name for name in ENGINE}
    for name, source in names.items():
        if (value := summary.most(run, source)) is not None:
            yield name, value
