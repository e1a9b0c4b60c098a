"""A tenth of the fuzz suite; the whole is in tests/upstream."""

import os

from fuzz_worker import run

SEED = 12


def test_no_input_ends_in_a_traceback_a_hang_or_a_secret(capsys):
    found = run(SEED, range(2000), workers=min(2, os.cpu_count() or 1))
    with capsys.disabled():
        print(f"\n{found}")
    assert found.inputs == 2000
    assert not found.failures, "\n".join(found.failures)
    # Not all is refused: each end is reached often enough to mean something.
    assert min(found.codes[f"validate-config {code}"] for code in (0, 1, 2)) > 100
    assert min(found.codes[f"migrate-config {code}"] for code in (0, 1, 2)) > 30
