"""The fuzz suite: 20,000 mutations of presets, pairs, project tables and checkpoints through both commands."""

import os

from fuzz_worker import run

SEED = 4502


def test_no_input_ends_in_a_traceback_a_hang_or_a_secret(capsys):
    found = run(SEED, range(20_000), workers=min(8, os.cpu_count() or 1))
    with capsys.disabled():
        print(f"\n{found}")
    assert found.inputs == 20_000
    assert not found.failures, "\n".join(found.failures)
    assert found.memory < 1 << 20  # KiB
    assert min(found.codes[f"validate-config {code}"] for code in (0, 1, 2)) > 1000
    assert min(found.codes[f"migrate-config {code}"] for code in (0, 1, 2)) > 300
