"""Whether a server waits for a learner that is gone: it answers `/health/` all the while, only a prompt tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from launch.run.server import probeable

if TYPE_CHECKING:
    from launch.run.start import Start


def told(start: Start) -> str | None:
    """What is wrong with a server that was ready and that no learner uses, or None.

    A learner that ends while it connects, or amid a weight sync, leaves the server's workers waiting for it: for
    the 300 s of their store (vLLM 0.32.0, distributed/utils.py StatelessProcessGroup.create), or for ever in NCCL.
    """
    refusal = start.server.refusal(start.times.answer) if probeable(start) else None
    if refusal is None:
        return None
    return (
        f"it answers /health/, but generates nothing: {refusal}; a learner that ended while it connected or"
        " synchronised weights leaves its server waiting, for minutes or for ever: restart the server"
    )
