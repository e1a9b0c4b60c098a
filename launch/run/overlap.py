"""Completions of `async_generate`: if they fail, ms-swift only logs it, and then waits for them."""

from __future__ import annotations

import re

from launch.run.codes import Code
from launch.run.server import Fault

#: The log line for completions that failed, and for which the next step waits (ms-swift 3.10.0,
#: trainers/rlhf_trainer/rollout_mixin.py:1049, to 4.5.2, rlhf_trainers/rollout_mixin.py:1634; 4.6.0 raises).
_FAILED = re.compile(r"Error in async_generate_rollout callback: (.*)")


class OverlapWatch:
    """Watches a learner's output for completions of `async_generate` for which it will wait in vain.

    The current step needs other completions, and may be the last one, or the one after which the learner saves.
    So the launcher ends the learner only when it has been silent for twice as long as ever before, and for no less
    than `quiet` seconds. `now` are seconds on a clock that only goes forward.
    """

    def __init__(self, now: float, quiet: float) -> None:
        self._quiet = quiet
        self._last_output = now
        self._longest_silence = 0.0
        self._error: str | None = None

    def check(self, lines: list[str], now: float) -> Fault | None:
        """A fault if the learner, which printed these lines since the last check, waits in vain."""
        if lines:
            self._longest_silence = max(self._longest_silence, now - self._last_output)
            self._last_output = now
        for line in lines:
            if match := _FAILED.search(line):
                self._error = match[1]
        silent = now - self._last_output
        if self._error is None or silent <= max(self._quiet, 2 * self._longest_silence):
            return None
        return Fault(
            Code.ROLLOUT_FAILED,
            f"completions of async_generate failed, and ms-swift only logged it: {self._error};"
            f" the learner has been silent for {silent:.0f} s, and would wait for them for ever",
        )
