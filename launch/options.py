"""What an operator asks for when starting one side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from schema.split.gpus import Gpus
    from schema.swift.address import Address

#: Seconds that a learner waits for its server, and a start until an ended run has released its resources: a closed
#: connection keeps a port for 60.
WAIT_TIMEOUT, RELEASE_WAIT = 300, 75
LOGS = Path("logs/rollout-split")


@dataclass(frozen=True)
class Request:
    """What one call of `rollout-split server`, `learner` or `train` asks for; the help of the options explains it.

    `train` is a learner that no launcher watches.
    """

    side: str
    config: Path
    gpus: Gpus
    entry: str | None = None
    wait_timeout: float = WAIT_TIMEOUT
    health_check: bool = True
    weights_check: bool = True
    trust_server: Address | None = None
    dry_run: bool = False
    preflight_only: bool = False
    release_wait: float = RELEASE_WAIT
    allow: frozenset[str] = frozenset()
    logs: Path = LOGS
    show: str = "live"
    swift: str | None = None
    python: str | None = None

    @property
    def live(self) -> bool:
        """Whether output is shown."""
        return self.show == "live"
