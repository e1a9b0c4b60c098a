"""What all tests share: how many examples Hypothesis makes, and how many processes run tests."""

import gc
import os

import pytest
from hypothesis import settings

from tests import amounts  # noqa: F401 - registers the profiles

settings.load_profile("repeatable")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """Half as many again as there are cores: who tests a launcher mostly waits for it."""
    return min(24, len(os.sched_getaffinity(0)) * 3 // 2)


def pytest_collection_finish():
    """Thousands of tests stay as they are to the end: the garbage collector need not look at them each time."""
    gc.collect()
    gc.freeze()
