"""Waits for what an ended run gives back late: runs that follow each other are chained in scripts."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from launch import preflight

if TYPE_CHECKING:
    from launch.run.start import Start
    from schema.findings import Finding

#: Seconds between two looks at the machine.
POLL = 1.0


def findings(start: Start) -> list[Finding]:
    """What speaks against a start, once nothing of it goes by itself any more, or the time for that is up."""
    begun = time.monotonic()
    told = False
    while True:
        look = replace(start.look(), waited=time.monotonic() - begun)
        found = preflight.findings(look, start.request.allow)
        late = preflight.late(look, found)
        left = start.request.release_wait - look.waited
        if not late or left <= 0:
            return found
        if not told:
            start.voice(
                f"waiting {start.request.release_wait:g} s at most for what an ended run gives back late:"
                f" {', '.join(late)}"
            )
            told = True
        time.sleep(min(POLL, left))
