"""Whether the learner's weights reached the server: what its log says, and what it answers before and after."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from launch.run.codes import Code
from launch.run.server import Fault

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence

#: ms-swift's worker logs what fails and goes on (4.5.2, pipelines/infer/rollout.py:672 and :711); every call that
#: moves weights is a collective_rpc, and nothing else is.
_FAILED = re.compile(r"Method execution failed: collective_rpc\b")
#: One POST a sync, after its last bucket (4.5.2, rlhf_trainers/rollout_mixin.py:714).
_SYNC = re.compile(r'"POST /reset_prefix_cache/ HTTP/[\d.]+" 200')
#: A line that begins another record of the log, and so ends a traceback.
_RECORD = re.compile(r"^(\[?(INFO|WARNING|ERROR|DEBUG)\b|\(\w+ pid=\d+\) (INFO|WARNING))")
_LONGEST = 40


def is_failed_load(line: str) -> bool:
    """Whether a line of the server's log says that weights were not taken."""
    return _FAILED.search(line) is not None


def is_sync(line: str) -> bool:
    """Whether a line of the server's log ends a weight sync."""
    return _SYNC.search(line) is not None


def traceback(lines: Sequence[str]) -> list[str]:
    """A failure's lines up to the next record: the first ones and, if it is long, the last ones."""
    end = next((number for number, line in enumerate(lines) if number and _RECORD.match(line)), len(lines))
    whole = [line for line in lines[:end] if line.strip()]
    return whole if len(whole) <= _LONGEST else [*whole[:2], "...", *whole[3 - _LONGEST :]]


def judge(before: str | None, after: str | None, syncs: int | None, say: Callable[[str], None]) -> Fault | None:
    """What the server's answers to one greedy prompt, before training and after, prove.

    The first sync brings the weights that the server loaded itself, and none follows the last step, so only a
    second one can change anything.

    Args:
        before: its answer before the learner started.
        after: its answer after the learner ended.
        syncs: weight syncs in its log, or None if there is no log to look at.
        say: tells the operator what was found.
    """
    if before is None or after is None:
        say("the weights were not checked: the server did not answer the probe")
        return None
    if before != after:
        say("the server's weights have changed, as they should")
        return None
    if syncs == 1:
        say("the weights were not checked: the learner ended before its second sync")
        return None
    seen = "" if syncs is None else f" (its log shows {syncs} weight syncs)"
    return Fault(
        Code.WEIGHTS_STALE,
        "the learner finished, but the server answers exactly as before: no trained weights arrived"
        f"{seen}, or the steps were too small to show; --no-weights-check turns this check off",
    )
