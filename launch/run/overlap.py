"""Completions that ms-swift makes while the learner learns: where that fails, it only logs it, and then waits."""

from __future__ import annotations

import re

from launch.run.codes import Code
from launch.run.server import Fault

#: What is logged instead of the completions that the next step waits for (ms-swift 3.10.0,
#: trainers/rlhf_trainer/rollout_mixin.py:1049, to 4.5.2, rlhf_trainers/rollout_mixin.py:1634; 4.6.0 raises).
_FAILED = re.compile(r"Error in async_generate_rollout callback: (.*)")


class OverlapWatch:
    """A learner's output, looked at for completions of `async_generate` that it will wait for in vain.

    The step that it is in needs other completions, and may be the last, or the one after which it saves. So it is
    ended only when it has been silent for twice as long as ever before, and for no less than it was given.

    Args:
        now: seconds on a clock that only goes forward.
        quiet: the shortest silence that tells.
    """

    def __init__(self, now: float, quiet: float) -> None:
        self._quiet = quiet
        self._heard = now
        self._longest = 0.0
        self._error: str | None = None

    def look(self, lines: list[str], now: float) -> Fault | None:
        """Whether the learner waits in vain.

        Args:
            lines: what it printed since the last look.
            now: seconds on the same clock.
        """
        if lines:
            self._longest = max(self._longest, now - self._heard)
            self._heard = now
        for line in lines:
            if found := _FAILED.search(line):
                self._error = found[1]
        silent = now - self._heard
        if self._error is None or silent <= max(self._quiet, 2 * self._longest):
            return None
        return Fault(
            Code.ROLLOUT_FAILED,
            f"completions that were made while it learned failed, and ms-swift only logged it: {self._error};"
            f" the learner has been silent for {silent:.0f} s, and would wait for them for ever",
        )
