"""GPUs are looked at while a program runs: how much they work, and what memory is in use."""

import os
import time

import pytest

from launch.timing.sampling import sampled
from launch.timing.stamps import Stamper
from launch.timing.stamps import read

NVIDIA_SMI = """#!/bin/sh
printf '0, GPU-aa11, 1024, 81920, 7\\n1, GPU-bb22, 30000, 81920, [N/A]\\n2, GPU-cc33, 30720, 81920, 93\\n'
"""


@pytest.fixture
def nvidia_smi(tmp_path, monkeypatch):
    """Puts an nvidia-smi first on PATH."""

    def install(script):
        (tmp_path / "nvidia-smi").write_text(script)
        (tmp_path / "nvidia-smi").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    return install


def seen(tmp_path, gpus):
    """What was stamped of some GPUs when the first look was over."""
    stamper = Stamper(tmp_path / "stamps", print)
    with sampled(gpus, stamper):
        deadline = time.monotonic() + 10
        while not read(tmp_path / "stamps") and time.monotonic() < deadline:
            time.sleep(0.01)
    stamper.close()
    return [each.logged for each in read(tmp_path / "stamps") if each.what == "gpu"]


def test_gpus_of_this_side_alone(tmp_path, nvidia_smi):
    """By number or UUID; one that does not tell how much it works is left out."""
    nvidia_smi(NVIDIA_SMI)
    assert seen(tmp_path, ("1", "GPU-cc")) == [{"use": 93, "used_gib": 30, "total_gib": 80}]


def test_a_look_is_one_line_whatever_the_number_of_gpus(tmp_path, nvidia_smi):
    """Their work on average, and the memory of the one that has most in use: a run of days writes little."""
    nvidia_smi(NVIDIA_SMI)
    assert seen(tmp_path, ("0", "1", "2")) == [{"use": 50, "used_gib": 30, "total_gib": 80}]


def test_a_program_runs_on_where_no_gpu_can_be_seen(tmp_path, nvidia_smi):
    nvidia_smi("#!/bin/sh\nexit 9\n")
    stamper = Stamper(tmp_path / "stamps", print)
    with sampled(("0",), stamper):
        pass
    stamper.close()
    assert read(tmp_path / "stamps") == []
