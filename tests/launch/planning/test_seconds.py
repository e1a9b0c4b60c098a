"""Seconds of a step, predicted from runs of other splits, beside what was measured."""

import json
from itertools import pairwise
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import pytest

from launch.planning.candidates import Candidate
from launch.planning.seconds import BAND
from launch.planning.seconds import Calibration
from launch.planning.seconds import Sample
from launch.planning.seconds import predicted
from launch.planning.seconds import step

MEASURED = json.loads(Path(__file__).with_name("measured.json").read_text())
COMPLETIONS, TOKENS = 32, 512
WORK: Any = SimpleNamespace(rollout=COMPLETIONS, step=COMPLETIONS)


def plan(run):
    steps = COMPLETIONS // (run["learn"] * run["batch"])
    return Candidate(
        run["mode"], run["rollout"], run["learn"], 1, run["rollout"], run["batch"], steps, steps, run["async"]
    )


def known(*runs):
    plans = [plan(run) for run in runs]
    return Calibration(
        runs=tuple(run["name"] for run in runs),
        learn=tuple(
            Sample(each.gradient_accumulation_steps, run["batch"], run["learning"])
            for run, each in zip(runs, plans, strict=True)
        ),
        decode=tuple(Sample(TOKENS, COMPLETIONS / run["rollout"], run["generating"]) for run in runs),
        around=median(run["sync"] for run in runs),
        length=TOKENS,
        mean=TOKENS,
    )


def test_steps_of_other_splits():
    told = known(*MEASURED["runs"])
    off = {
        run["name"]: abs(step(told, WORK, plan(run), None).seconds.value / run["seconds"] - 1)
        for run in MEASURED["others"]
    }
    assert len(off) == 8
    assert median(off.values()) <= 0.10, off
    assert max(off.values()) <= 0.28, (
        off
    )  # on another host; the same work took 11.2 s on one and 13.0 s on another


def test_the_order_of_the_plans_is_that_of_the_runs():
    told = known(*MEASURED["runs"])
    pairs = [
        (one, other)
        for one in MEASURED["others"]
        for other in MEASURED["others"]
        if one["seconds"] < 0.8 * other["seconds"]
    ]
    assert len(pairs) > 10
    for faster, slower in pairs:
        first, second = (step(told, WORK, plan(run), None).seconds.value for run in (faster, slower))
        assert first < second, (faster["name"], slower["name"])


@pytest.mark.parametrize("run", MEASURED["runs"], ids=lambda run: run["name"])
def test_what_was_measured_is_told_again(run):
    found = step(known(*MEASURED["runs"]), WORK, plan(run), None)
    assert found.seconds.value == pytest.approx(run["seconds"], rel=0.03)
    assert found.seconds.low < run["seconds"] < found.seconds.high


def test_one_run_leaves_open_what_its_size_costs():
    """All for each time, or all by size: what was measured with another batch lies between."""
    first, second = MEASURED["runs"]
    found = step(known(first), WORK, plan(second), None).learn
    assert found.low < second["learning"] < found.high
    assert found.high == pytest.approx(first["learning"])


@pytest.mark.parametrize(
    ("samples", "value"),
    [
        ([Sample(8, 2, 8 * (1 + 2 * 0.5)), Sample(2, 8, 2 * (1 + 8 * 0.5))], 4 * (1 + 4 * 0.5)),
        ([Sample(1, 2, 3.0), Sample(1, 4, 2.0)], 4 * 2.5),  # larger ones took less time: size costs nothing
        ([Sample(1, 1, 0.5), Sample(1, 10, 10.0)], 4 * 4 * 100.5 / 101),  # once would be below zero
    ],
)
def test_costs(samples, value):
    found = predicted(samples, 4, 4)
    assert found.value == pytest.approx(value)
    assert (found.low, found.high) == pytest.approx((value * (1 - BAND), value * (1 + BAND)))


def test_waves_take_longer_than_one():
    told, run = known(*MEASURED["runs"]), MEASURED["runs"][0]
    seconds = [step(told, WORK, plan(run), held).rollout.value for held in (16, 8, 4)]
    assert all(one < other for one, other in pairwise(seconds))
