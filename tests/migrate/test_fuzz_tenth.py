"""A tenth of the fuzz suite, in parts that may run beside each other: the whole is in tests/upstream."""

import pytest

from tests.fuzz.fuzz_worker import check


@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.long) for part in range(1, 8))])
def test_no_input_ends_in_a_traceback_a_hang_or_a_secret(part):
    check(12, range(250 * part, 250 * (part + 1)), validated=7, migrated=3, workers=1)
