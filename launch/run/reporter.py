"""A launcher's messages: on standard error, and in its log."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schema.exits import tell

if TYPE_CHECKING:
    from pathlib import Path

_NAMES = {"server": "rollout server", "learner": "learner", "train": "learner"}


@dataclass
class Reporter:
    """Prints messages of one side's launcher.

    Attributes:
        side: the side, which begins each message.
        log: the file that gets the messages, too, once there is one.
        midway: whether the output shown last, such as a progress bar, has not ended its line.
    """

    side: str
    log: Path | None = None
    midway: bool = False

    def __call__(self, text: str) -> None:
        """Prints and logs one message; a full disk ends nothing."""
        line_break = "\n" if self.midway and os.path.sameopenfile(1, 2) else ""
        self.midway = False
        tell(f"{line_break}{_NAMES[self.side]}: {text}")
        if self.log is not None:
            line = f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n"
            with contextlib.suppress(OSError), self.log.open("ab") as file:
                file.write(line.encode("utf-8", "surrogateescape"))
