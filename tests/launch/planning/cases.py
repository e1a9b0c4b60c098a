"""Steps that were measured, a line of JSON for each, and what plans of the same work predict.

All are of the shape of Qwen3-VL-4B: adapters of rank 32 on all parts, ZeRO-2, 32 completions (or as many as a line
says) in groups of 4 for each optimizer step, a picture of 784 patches in each prompt of 470 tokens; medians
without the first step.
"""

import json
from pathlib import Path

from launch.planning import seconds
from launch.planning.calibration import Sample
from launch.planning.calibration import calibrated
from launch.planning.candidates import Candidate
from launch.planning.devices import DEVICES
from launch.planning.seconds import Basis
from launch.planning.seconds import Calibration
from launch.planning.settings import Sides
from launch.planning.work import Work
from launch.sizing.learning import Learning
from schema.models.engine import EngineConfig
from schema.split.capacity import Engine
from tests.launch.sizing import cases

MEASURED = [
    json.loads(line)
    for line in Path(__file__).with_name("measured.jsonl").read_text(encoding="utf-8").splitlines()
]
SHAPE = cases.model("qwen3-vl-4b")
GROUP, PROMPT, PATCHES = 4, 470, 784
DEVICE = {device.name: device for device in DEVICES}
#: On each kind of GPU, the two runs from which the others are predicted: one host, batch 2 and 8.
CALIBRATING = {"H100": MEASURED[:2], "H200": [line for line in MEASURED if line["host"] == "H200, first"][:2]}


def completions(line):
    """The completions of a measured step."""
    return line.get("completions", 32)


def plan(line):
    """How a measured step divided its GPUs."""
    steps = completions(line) // (line["learn"] * line["batch"])
    batch = (line["batch"], steps, steps, line["async"])
    return Candidate(line["mode"], line["rollout"], line["learn"], 1, line["rollout"], *batch)


def parts(line, **changes):
    """The seconds of its parts before anything is measured."""
    sides = Sides(
        Engine(0.6, 8192),
        Learning(
            line["batch"],
            PROMPT,
            round(line["completion"]),
            line["learn"],
            rank=32,
            dora=line["dora"],
            trained=("llm", "vit", "aligner"),
            patches=PATCHES,
        ),
    )
    own = plan(line)
    counts = (completions(line), completions(line), GROUP, PROMPT, round(line["completion"]))
    work = Work("qwen3-vl-4b", EngineConfig(), SHAPE, None, 0, *counts, overlaps=True, own=own)
    return seconds.parts(work, own, sides._replace(**changes), basis(line))


def basis(line):
    """What its seconds rest on."""
    return Basis(DEVICE[line["gpu"]], line["completion"], line.get("longest", line["completion"]))


def calibration(lines):
    """What some measured steps tell."""
    samples = [
        Sample(
            line["name"],
            parts(line),
            line["learning"],
            line["generating"],
            line["sync"],
            *basis(line)[1:],
        )
        for line in lines
    ]
    return calibrated(samples, DEVICE[lines[0]["gpu"]])


def step(line, known=None):
    """The step that is predicted: from runs, or without any."""
    return seconds.step(known or Calibration((), basis(line)), plan(line), parts(line))
