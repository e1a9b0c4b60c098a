"""What a report says of a real run, against the times that ms-swift's own parts took."""

import json
import re
import subprocess
from statistics import median

import pytest

from launch.timing.run import read
from tests.upstream.cpu.node import ROOT

#: Seconds by which a part may be off, and its share of a part.
OFF, SHARE = 0.2, 0.05
#: What the plugin calls a part, and what a step does.
PARTS = {"step": "seconds", "sync": "sync", "generate": "generating"}


def truth(said):
    """The seconds of each part, by its name, in the order of the steps."""
    found = {}
    for name, seconds in re.findall(r"smoke-time (\w+) ([\d.]+)", said):
        found.setdefault(name, []).append(float(seconds))
    return found


@pytest.mark.parametrize(
    ("release", "overlapped"), [("4.6.0", False), ("4.6.0", True), ("4.5.2", False), ("4.5.2", True)]
)
def test_parts_are_those_of_the_run(node, faults, release, overlapped):
    """The first step is left out, as in a report: much of it is done only once."""
    preset = node.write("timed.yaml", max_steps=6, async_generate=overlapped)
    ended = node.learner(preset=preset, **(node.older() if release == "4.5.2" else {})).end()
    faults.judge(f"none: a timed learner, {release}, async_generate {overlapped}", node, ended, 0, "have changed")
    folder = node.home / "logs/rollout-split/latest-learner"
    took, run = truth((folder / "output.log").read_text(errors="replace")), read(folder)
    assert [step.number for step in run.steps] == [1, 2, 3, 4, 5, 6]
    if overlapped:
        took["generate"] = took["generate"][1:]  # the very first completions are those of the first step itself
    for name, part in PARTS.items():
        pairs = [(getattr(step, part), took[name][step.number - 1]) for step in run.steps[1:]]
        off = median(abs(mine - theirs) - SHARE * theirs for mine, theirs in pairs)
        assert off < OFF, f"{name}: {pairs}"
    accounted = sum(step.seconds for step in run.steps[1:]) / sum(took["step"][1:])
    assert accounted >= 0.98
    assert run.made_of["async_generate"] is overlapped
    assert all(step.said["completions/mean_length"] > 0 for step in run.steps)
    report = [ROOT / ".venv/bin/rollout-split", "report", folder, "--format", "json"]
    assert json.loads(subprocess.run(report, check=True, capture_output=True).stdout)["steps"] == 6
