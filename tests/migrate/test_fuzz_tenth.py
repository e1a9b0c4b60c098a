"""A tenth of the fuzz suite, in parts that may run beside each other: the whole is in tests/upstream."""

import pytest

from tests.fuzz.fuzz_worker import check


@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.long) for part in (1, 2, 3))])
def test_no_input_ends_in_a_traceback_a_hang_or_a_secret(part):
    check(12, range(500 * part, 500 * (part + 1)), validated=18, migrated=7, workers=1)
