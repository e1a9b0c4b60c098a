"""The page of what is predicted beside what was measured: KV tokens, a learner's memory, seconds of a step.

All figures are those of the tests (tests/launch/sizing/measured/ and tests/launch/planning/measured.jsonl).
"""

from __future__ import annotations

from math import floor
from math import log10
from statistics import median
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

from launch.picture import WIDTH
from launch.picture import Picture
from launch.sizing import learner
from launch.sizing import server
from tests.launch.planning import cases as steps
from tests.launch.sizing import cases as sizes
from tests.launch.sizing.test_learner import MEASURES
from tests.launch.sizing.test_learner import learning
from tests.launch.sizing.test_learner import lines_of
from tests.launch.sizing.test_server import engine

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator


IMAGE = "predicted.svg"
_HEIGHT, _TOP, _SIDE, _GAP, _POINT = 340, 34, 250, 60, 6
_ESTIMATED, _CALIBRATED = "#d9822b", "#2f6690"


class Pair(NamedTuple):
    """What was measured, and what is predicted.

    Attributes:
        name: of the setting.
        measured: what was seen.
        predicted: what is told without seeing it.
        colour: of its point.
    """

    name: str
    measured: float
    predicted: float
    colour: str = _CALIBRATED

    @property
    def error(self) -> float:
        """How far the prediction is off, as a share."""
        return self.predicted / self.measured - 1


def kv_tokens() -> Iterator[Pair]:
    """Tokens of an engine's KV cache."""
    for told in sizes.ENGINES:
        found = server.fit(sizes.model(told["model"]), engine(told), told.get("gpu_mib", sizes.H200) / 1024)
        said = f"utilization {told['utilization']}, {told['length']} tokens{', eager' * told.get('eager', False)}"
        said += f", TP {told['tensor']}" if told.get("tensor", 1) > 1 else ""
        said += f", {told['cache']} cache" if told.get("cache", "auto") != "auto" else ""
        yield Pair(f"{told['model']}: {said}", told["kv_tokens"], found.kv_tokens or 0)


def memory() -> Iterator[Pair]:
    """GiB of a learner's GPU: held by torch, reserved by it, in use."""
    for measure, predicts in MEASURES.items():
        for told in lines_of(measure):
            found = getattr(learner.fit(sizes.model(told["model"]), learning(told), 80), predicts)
            yield Pair(f"{_learner(told)}: {measure.partition('_')[0]}", told[measure], found)


def _learner(told: dict[str, Any]) -> str:
    """The settings of a learner that was measured."""
    kind = "DoRA" if told["dora"] else "all parameters" if told.get("full") else "LoRA"
    stage = "no ZeRO" if told["deepspeed"] is None else f"ZeRO-{told['deepspeed']}"
    said = f"{kind}, {stage}, batch {told['batch']}, {told['completion']} tokens"
    more = {
        "no checkpointing": not told.get("checkpointing", True),
        "frozen ViT": not told["vision"],
        f"move_model_batches {told.get('batches')}": told.get("batches"),
    }
    return ", ".join([said, *(name for name, there in more.items() if there)])


def estimated() -> Iterator[Pair]:
    """Seconds of a step without runs."""
    return (_step(told, None, _ESTIMATED) for told in steps.MEASURED)


def calibrated() -> Iterator[Pair]:
    """Seconds of a step from two runs on such a GPU, without these two."""
    for gpu, runs in steps.CALIBRATING.items():
        known = steps.calibration(runs)
        for told in steps.MEASURED:
            if told["gpu"] == gpu and told not in runs:
                yield _step(told, known, _CALIBRATED)


def _step(told: dict[str, Any], known: Any, colour: str) -> Pair:  # noqa: ANN401
    name = f"{told['host']} host: {told['name']}"
    return Pair(name, told["seconds"], steps.step(told, known).seconds.value, colour)


def page() -> str:
    """The page, in Markdown."""
    sections = (
        ("Seconds of a step, estimated without any run", estimated(), 1),
        ("Seconds of a step, from two runs: batch 2 and 8", calibrated(), 1),
        ("KV tokens of an engine", kv_tokens(), 0),
        ("GiB of a learner's GPU", memory(), 1),
    )
    head = f"# Predicted against measured\n\nWhat was run is in [gpu-runs.md](gpu-runs.md).\n\n![]({IMAGE})\n"
    return "\n".join([head, *(_table(title, list(pairs), digits) for title, pairs, digits in sections)])


def _table(title: str, pairs: list[Pair], digits: int) -> str:
    off = [abs(each.error) for each in pairs]
    rows = [
        f"| {each.name} | {each.measured:,.{digits}f} | {each.predicted:,.{digits}f} | {each.error:+.1%} |"
        for each in pairs
    ]
    head = "| setting | measured | predicted | error |\n| --- | --- | --- | --- |"
    said = f"Median error {median(off):.1%}, worst {max(off):.1%}."
    return "\n".join([f"## {title}\n", f"{said}\n", head, *rows, ""])


def svg() -> str:
    """Three squares with a point for each setting; on the line, the prediction is what was measured."""
    image = Picture(_HEIGHT, "Predicted against measured")
    panels = (
        ("KV tokens of an engine, millions", [_scaled(pair) for pair in kv_tokens()]),
        ("GiB of a learner's GPU", list(memory())),
        ("seconds of a step", [*estimated(), *calibrated()]),
    )
    for number, (title, pairs) in enumerate(panels):
        _panel(image, title, pairs, _GAP + number * (_SIDE + _GAP))
    image.word(_GAP, _HEIGHT - 9, "to the right: measured; upwards: predicted; on the line, both are the same")
    for number, (name, colour) in enumerate({"without runs": _ESTIMATED, "from two runs": _CALIBRATED}.items()):
        left = WIDTH - _SIDE - 30 + 120 * number
        image.box(colour, x=left, y=_HEIGHT - 18, width=10, height=10)
        image.word(left + 16, _HEIGHT - 9, name)
    return image.rendered()


def _scaled(pair: Pair) -> Pair:
    return pair._replace(measured=pair.measured / 1e6, predicted=pair.predicted / 1e6)


def _panel(image: Picture, title: str, pairs: list[Pair], left: float) -> None:
    """A square whose axes count in powers: what was measured to the right, what is predicted upwards."""
    numbers = [number for pair in pairs for number in (pair.measured, pair.predicted)]
    low, high = log10(min(numbers)) - 0.05, log10(max(numbers)) + 0.05
    scale, bottom = _SIDE / (high - low), _TOP + _SIDE
    image.box("#f1f1f1", x=left, y=_TOP, width=_SIDE, height=_SIDE)
    image.line(x1=left, y1=bottom, x2=left + _SIDE, y2=_TOP)
    image.word(left, _TOP - 10, title)
    for tick in _ticks(low, high):
        at = (log10(tick) - low) * scale
        image.word(left + at, bottom + 16, f"{tick:g}", anchor="middle")
        image.word(left - 6, bottom - at + 4, f"{tick:g}", anchor="end")
    for pair in pairs:
        right, up = ((log10(number) - low) * scale for number in (pair.measured, pair.predicted))
        place = {"x": left + right - _POINT / 2, "y": bottom - up - _POINT / 2}
        image.box(pair.colour, f"{pair.name}: {pair.error:+.1%}", **place, width=_POINT, height=_POINT)


def _ticks(low: float, high: float) -> Iterable[float]:
    """Round numbers between two logarithms, fewer where there is more between them."""
    times = (1, 2, 5) if high - low > 1 else (1, 1.5, 2, 3, 5, 7)
    found = (each * 10.0**power for power in range(floor(low), floor(high) + 1) for each in times)
    return (tick for tick in found if low <= log10(tick) <= high)
