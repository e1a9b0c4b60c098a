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
    """What one call of `rollout-split server`, `learner` or `train` asks for.

    Attributes:
        side: server, learner, or train, which is a learner that no launcher watches.
        config: the preset.
        gpus: GPUs of this side.
        entry: a training repository's module for the learner, or None for the project's own, else ms-swift's.
        wait_timeout: seconds that the learner waits for the server.
        health_check: whether the learner's launcher checks the machine and the server.
        weights_check: whether a learner fails if no weights arrived at its server.
        trust_server: the address of a server that no launcher on this node started, or None.
        dry_run: whether to print the command and start nothing.
        preflight_only: whether to check this machine and start nothing.
        release_wait: seconds in which an ended run may release the memory of its GPUs and its port.
        allow: ids of checks whose errors become warnings.
        logs: the folder in which each start makes a folder of its own.
        show: live, or quiet if the terminal shall not show the output.
        swift: the `swift` to run, or None for the one on PATH.
        python: the interpreter to run, or None for that of `swift` or `torchrun`.
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
