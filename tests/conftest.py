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


#: Files with tests that take many seconds each: whoever began one last would keep all others waiting.
LONGEST = {
    "test_fuzz_tenth",
    "test_kill",
    "test_flat_any",
    "test_power",
    "test_engine_keeps",
    "test_there_and_back",
}


def pytest_collection_modifyitems(items):
    """The longest tests come first in the share that xdist gives each process."""
    shares = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    longest = [item for item in items if item.path.stem in LONGEST]
    others = [item for item in items if item.path.stem not in LONGEST]
    size = -(-len(others) // shares)
    items[:] = [
        item
        for share in range(shares)
        for item in (*longest[share::shares], *others[share * size : (share + 1) * size])
    ]


def pytest_collection_finish():
    """Thousands of tests stay as they are to the end: the garbage collector need not look at them each time."""
    gc.collect()
    gc.freeze()
