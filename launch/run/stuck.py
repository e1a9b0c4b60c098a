"""Whether a server waits for a learner that is gone: only a prompt shows it, because `/health/` still answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from launch.run.server import probeable

if TYPE_CHECKING:
    from launch.run.start import Start


def diagnosis(start: Start) -> str | None:
    """What is wrong with a ready server that no learner uses, or None.

    A learner that ends while it connects, or during a weight sync, leaves the server's workers waiting for it: for
    the 300 s of their store (vLLM 0.32.0, distributed/utils.py StatelessProcessGroup.create), or for ever in NCCL.
    """
    error = start.server.generation_error(start.times.answer) if probeable(start) else None
    if error is None:
        return None
    return (
        f"it answers /health/, but generates nothing: {error}; a learner that ended while it connected or"
        " synchronised weights leaves its server waiting, for minutes or for ever: restart the server"
    )
