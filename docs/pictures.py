"""Draws the plots of docs/ from measured numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from launch.picture import Picture

DOCS = Path(__file__).parent
#: Seconds of a step, by run; the tests of `rollout-split plan` predict them.
RUNS = DOCS.parent / "tests/launch/planning/measured.jsonl"
#: Memory in use, by run.
MEMORY = DOCS / "pictures.json"
#: Of one H100.
_HELD = 80
_LEFT, _MIDDLE, _TOP, _ROW = 270, 630, 64, 34
_TITLE = "Four H100, 4.4 B parameters, 32 completions of 512 tokens for each step, one run each"
_LEGEND = "grey: colocate; blue: server mode, rollout GPUs + learner GPUs"
#: What a name says of the host.
_HOSTS = {"H100, second": "", "H100, first": ", another host"}
_COLOURS = {True: "#3b6ea8", False: "#9aa5b1"}


class Run(NamedTuple):
    """A run of the plot: seconds of a step, and the memory in use on a learner's GPU in GiB."""

    name: str
    server: bool
    seconds: float
    learner: float


def runs() -> list[Run]:
    """The runs whose memory is known, in the order of the memory's file."""
    lines = map(json.loads, RUNS.read_text(encoding="utf-8").splitlines())
    measured = {(line["host"], line["name"]): line for line in lines}
    return [
        Run(
            f"{name}{_HOSTS[host]}", measured[host, name]["mode"] == "server", measured[host, name]["seconds"], gib
        )
        for host, known in json.loads(MEMORY.read_text(encoding="utf-8"))["gib"].items()
        for name, gib in known.items()
    ]


def pictures() -> dict[str, str]:
    """The pictures by their names below docs/."""
    return {"pictures/split.svg": split(runs())}


def split(drawn: list[Run]) -> str:
    """Seconds of a step, and memory of a learner's GPU: a row a run, as an SVG image.

    Args:
        drawn: the runs, in their order.
    """
    height = _TOP + _ROW * len(drawn) + 40
    image = Picture(height, _TITLE)
    image.word(16, 28, _TITLE)
    image.word(_LEFT, 54, "seconds of a step (less is better)")
    image.word(_MIDDLE, 54, f"GiB in use on a learner's GPU, of {_HELD}")
    longest = max(run.seconds for run in drawn)
    for number, run in enumerate(drawn):
        top = _TOP + number * _ROW
        image.word(16, top + 18, run.name)
        _bar(image, (_LEFT, top), 270 * run.seconds / longest, run, f"{run.seconds:.1f} s")
        _bar(image, (_MIDDLE, top), 260 * run.learner / _HELD, run, f"{run.learner:.1f} GiB")
    image.word(16, height - 14, _LEGEND)
    return image.rendered() + "\n"


def _bar(image: Picture, corner: tuple[int, int], length: float, run: Run, value: str) -> None:
    left, top = corner
    image.box(_COLOURS[run.server], x=left, y=top, width=length, height=26)
    image.word(left + length + 6, top + 18, value)
