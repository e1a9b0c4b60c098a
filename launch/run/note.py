"""The note of a job that may run for weeks: it is written again each hour, as /tmp is cleaned of old files."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from schema.errors import InputError

if TYPE_CHECKING:
    from launch.run.voice import Voice
    from launch.state import Job

#: Seconds between two renewals.
RENEW = 3600.0


class Note:
    """A note that stays as long as its job runs.

    Attributes:
        job: whose it is.
    """

    def __init__(self, job: Job, voice: Voice) -> None:
        self.job, self._voice = job, voice
        self._renewed = time.monotonic()

    def renew(self) -> None:
        """Writes it again once an hour; a full disk is no reason to end what runs."""
        if time.monotonic() - self._renewed <= RENEW:
            return
        self._renewed = time.monotonic()
        try:
            self.job.write()
        except InputError as error:
            self._voice(f"its note cannot be renewed: {error}")
