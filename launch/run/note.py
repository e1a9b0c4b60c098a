"""The note of a job that may run for weeks: it is written again each hour, because cleaners delete old files."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from schema.errors import InputError

if TYPE_CHECKING:
    from launch.run.reporter import Reporter
    from launch.state import Job

#: Seconds between two renewals.
RENEW = 3600.0


class Note:
    """A note that stays in place while its job runs.

    Attributes:
        job: the job that the note describes.
    """

    def __init__(self, job: Job, report: Reporter) -> None:
        self.job, self._report = job, report
        self._renewed = time.monotonic()

    def renew(self) -> None:
        """Writes the note again once per hour; if that fails, the job runs on."""
        if time.monotonic() - self._renewed <= RENEW:
            return
        self._renewed = time.monotonic()
        try:
            self.job.write()
        except InputError as error:
            self._report(f"cannot write its note again: {error}")
