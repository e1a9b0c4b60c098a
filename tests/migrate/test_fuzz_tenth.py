"""A tenth of the fuzz suite, in parts that may run beside each other: the whole is in tests/upstream."""

import pytest

from tests.fuzz.fuzz_worker import check

QUICK, *LONG = [range(60), range(60, 250), *(range(first, first + 250) for first in range(250, 2000, 250))]


@pytest.mark.parametrize(
    "numbers", [QUICK, *(pytest.param(numbers, marks=pytest.mark.long) for numbers in LONG)], ids=str
)
def test_no_input_ends_in_a_traceback_a_hang_or_a_secret(numbers):
    check(12, numbers, validated=len(numbers) // 60, migrated=len(numbers) // 80, workers=1)
