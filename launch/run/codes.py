"""Exit codes of the launchers, besides those of all commands and those of the programs that they start."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """Why a launcher ended its program, where the program's own exit code cannot say it."""

    PORT_LOST = 81
    """The server came up on another port than the preset's, or another process took that port while it loaded."""
    UNFIT = 82
    """The server answers /health/, but has another world size, or generates nothing."""
    ENGINE_LOST = 83
    """A process of the server that holds an engine died, and the server went on answering /health/."""
    SERVER_LOST = 84
    """The rollout server died while the learner trained."""
    WEIGHTS_FAILED = 85
    """The rollout server failed to load the learner's weights, which ms-swift only logs."""
    WEIGHTS_STALE = 86
    """The learner finished, and the server's weights never changed."""
    ROLLOUT_FAILED = 87
    """Completions of `async_generate` failed, and ms-swift went on waiting for them."""
