"""When a learner is taken to wait in vain for completions that failed."""

import pytest

from launch.run.codes import Code
from launch.run.overlap import OverlapWatch
from launch.run.times import Times

QUIET = Times().quiet
#: As ms-swift 4.5.2 logs it.
FAILED = [
    "[ERROR:swift] Inference task failed: Server 0 failed: 500, no",
    "[ERROR:swift] Error in async_generate_rollout callback: Server 0 failed: 500, no",
]
STEP = ["Train:  33%|###3      | 2/6 [00:01<00:02,  1.44it/s]"]


def fault_after(*seen):
    """What the last of several looks finds, each at a time and with new lines; the others find nothing."""
    watch = OverlapWatch(0, QUIET)
    *before, (now, lines) = seen
    assert not any(watch.check(lines, now) for now, lines in before)
    return watch.check(lines, now)


def test_completions_that_failed():
    fault = fault_after((1, STEP), (2, FAILED), (3, STEP), (3 + QUIET, []), (4 + QUIET, []))
    assert fault.code is Code.ROLLOUT_FAILED
    assert (
        "ms-swift only logged it: Server 0 failed: 500, no; the learner has been silent for 31 s" in fault.message
    )


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param([(1, STEP), (1000, [])], id="nothing failed"),
        pytest.param([(1, STEP), (2, FAILED[:1]), (1000, [])], id="4.6.0 raises after its message"),
        pytest.param([(1, STEP), (2, FAILED), (30, STEP), (59, STEP), (80, [])], id="it goes on"),
        pytest.param([(1, STEP), (201, STEP), (202, FAILED), (600, [])], id="its steps take minutes"),
    ],
)
def test_a_learner_that_may_still_work(seen):
    assert fault_after(*seen) is None


def test_patience_follows_the_steps():
    assert fault_after((1, STEP), (201, STEP), (202, FAILED), (603, []))
