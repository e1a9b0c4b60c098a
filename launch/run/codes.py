"""Exit codes of the launchers, besides those of all commands and those of the programs that they start."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """Why a launcher ended its program, where the program's own exit code cannot say it: its help tells each."""

    PORT_LOST = 81
    UNFIT = 82
    ENGINE_LOST = 83
    SERVER_LOST = 84
    WEIGHTS_FAILED = 85
    WEIGHTS_STALE = 86
    ROLLOUT_FAILED = 87
