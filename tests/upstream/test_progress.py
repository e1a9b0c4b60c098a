"""What releases print and log of their steps is what a report reads: the code of each runs, from its wheel."""

import os
import subprocess
from pathlib import Path

import pytest

from launch.run.logs import Pump
from launch.run.reporter import Reporter
from launch.timing import foreign
from launch.timing.stamps import STAMPS
from launch.timing.stamps import read
from launch.timing.steps import steps
from tests.upstream.oracle import ROOT
from tools.extract.wheel import fetch

CACHE = Path.home() / ".cache" / "rollout-split"


@pytest.fixture(scope="module", params=["3.10.0", "4.0.0", "4.5.2"])
def run(request, tmp_path_factory):
    """The folder of a run of some steps; its output passed a launcher's pump."""
    folder = tmp_path_factory.mktemp(request.param)
    fetch("ms-swift", request.param, CACHE).archive.extractall(folder / "overlay")
    environment = ".venv-upstream-oldest" if request.param.startswith("3.") else ".venv-upstream"
    program = subprocess.Popen(
        [ROOT / environment / "bin/python", ROOT / "tests/upstream/progress.py", folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"PYTHONPATH": str(folder / "overlay"), "PYTHONUNBUFFERED": "1"},
    )
    assert program.stdout
    pump = Pump(program.stdout, folder / "output.log", show=False, report=Reporter("learner"))
    pump.start()
    assert program.wait(timeout=900) == 0, (folder / "output.log").read_text()
    pump.join()
    program.stdout.close()
    return folder


def test_stamps_tell_the_steps(run):
    found = list(steps(read(run / STAMPS), [], overlapped=False))
    assert [step.number for step in found] == [1, 2, 3, 4]
    assert [step.seconds for step in found] == pytest.approx([0.2, 0.4, 0.6, 0.8], abs=0.15)
    assert [step.logged["completions/mean_length"] for step in found] == [9, 10, 11, 12]


def test_logging_jsonl_tells_them_too(run):
    found, stamped = foreign.steps(run, []), list(steps(read(run / STAMPS), [], overlapped=False))
    assert [step.number for step in found] == [1, 2, 3, 4]
    assert [step.seconds for step in found] == pytest.approx([step.seconds for step in stamped], abs=0.1)
    assert all(step.logged["completions/clipped_ratio"] == 0.5 for step in found)
