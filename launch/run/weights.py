"""Whether the learner's weights reached the server, by its log and its answers before and after training."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from launch.run.codes import Code
from launch.run.server import Fault

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence

#: ms-swift's worker logs a failure and goes on (4.5.2, pipelines/infer/rollout.py:672 and :711); all calls that
#: move weights are collective_rpc, and no other calls are.
_FAILED = re.compile(r"Method execution failed: collective_rpc\b")
#: One POST per sync, after its last bucket (4.5.2, rlhf_trainers/rollout_mixin.py:714).
_SYNC = re.compile(r'"POST /reset_prefix_cache/ HTTP/[\d.]+" 200')
#: A line that begins another record of the log, and so ends a traceback.
_RECORD = re.compile(r"^(\[?(INFO|WARNING|ERROR|DEBUG)\b|\(\w+ pid=\d+\) (INFO|WARNING))")
_LONGEST = 40


def is_failed_load(line: str) -> bool:
    """Whether a line of the server's log says that the server failed to load weights."""
    return _FAILED.search(line) is not None


def is_sync(line: str) -> bool:
    """Whether a line of the server's log ends a weight sync."""
    return _SYNC.search(line) is not None


def traceback(lines: Sequence[str]) -> list[str]:
    """The lines of a failure up to the next record; of a long one, the first and the last lines."""
    end = next((number for number, line in enumerate(lines) if number and _RECORD.match(line)), len(lines))
    record = [line for line in lines[:end] if line.strip()]
    return record if len(record) <= _LONGEST else [*record[:2], "...", *record[3 - _LONGEST :]]


def judge(before: str | None, after: str | None, syncs: int | None, report: Callable[[str], None]) -> Fault | None:
    """Judges by the server's answers to one greedy prompt, before training and after it, whether weights arrived.

    The first sync brings the weights that the server loaded itself, and none follows the last step, so only a
    second one can change anything. `syncs` are those in the server's log, None if there is no log.
    """
    if before is None or after is None:
        report("the weights were not checked: the server did not answer the probe")
        return None
    if before != after:
        report("the server's weights have changed, as they should")
        return None
    if syncs == 1:
        report("the weights were not checked: the learner ended before its second sync")
        return None
    evidence = "" if syncs is None else f" (its log shows {syncs} weight syncs)"
    return Fault(
        Code.WEIGHTS_STALE,
        "the learner finished, but the server answers exactly as before: no trained weights arrived"
        f"{evidence}, or the steps were too small to show; --no-weights-check turns this check off",
    )
