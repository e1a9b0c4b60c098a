"""What a launcher says: on standard error, and in its log."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_NAMES = {"server": "rollout server", "learner": "learner", "train": "learner"}


@dataclass
class Voice:
    """Says things in the name of one side.

    Attributes:
        side: whose launcher speaks.
        log: the file that gets it, too, once there is one.
    """

    side: str
    log: Path | None = None

    def __call__(self, text: str) -> None:
        """Says one thing; a terminal that is gone, or a full disk, ends nothing."""
        try:
            print(f"{_NAMES[self.side]}: {text}", file=sys.stderr, flush=True)
        except OSError:
            _mute()
        if self.log is not None:
            with contextlib.suppress(OSError), self.log.open("a", encoding="utf-8") as file:
                file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")


def _mute() -> None:
    # What stays in Python's buffer would fail again at exit, and turn the exit code into 120.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stderr.fileno())
    os.close(nowhere)
