"""Waits until an ended run has released its GPUs and its port, because scripts start one run after another."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from launch import preflight

if TYPE_CHECKING:
    from launch.run.start import Start
    from schema.findings import Finding

#: Seconds between two checks of the machine.
POLL = 1.0


def findings(start: Start) -> list[Finding]:
    """The findings about a start, once none will pass by itself any more, or the time for that is up."""
    started = time.monotonic()
    announced = False
    while True:
        snapshot = replace(start.snapshot(), waited=time.monotonic() - started)
        found = preflight.findings(snapshot, start.request.allow)
        transient = preflight.transient(snapshot, found)
        remaining = start.request.release_wait - snapshot.waited
        if not transient or remaining <= 0:
            return found
        if not announced:
            start.report(
                f"waiting for at most {start.request.release_wait:g} s until an ended run releases"
                f" {', '.join(transient)}"
            )
            announced = True
        time.sleep(min(POLL, remaining))
