"""Notes by which the launchers of one node know each other's jobs: process, server, GPUs, settings, log."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Annotated
from typing import Literal
from typing import TypeAlias

from pydantic import Field

from launch.argv.facts import ServerFacts
from launch.machine import processes
from schema import jsontext
from schema.errors import InputError
from schema.models.strict import StrictModel

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator

#: The variable that names the folder of notes. TMPDIR and XDG_RUNTIME_DIR do not, because they may differ between
#: two shells of one person.
VARIABLE = "ROLLOUT_SPLIT_STATE"
#: Seconds between two renewals of a note.
RENEW = 3600.0
Kind: TypeAlias = Literal["loading", "server", "learner"]
#: What messages call each kind of job.
KINDS: dict[Kind, str] = {
    "loading": "a rollout server that is loading",
    "server": "a rollout server",
    "learner": "a learner",
}


class Job(StrictModel):
    """A server that loads, a server that is ready, or a learner that trains.

    Attributes:
        kind: loading, server or learner.
        pid: the process whose end makes the note void: the one that listens of a ready server, else the launcher.
        started: when that process started, so that no later process of the same id is taken for it.
        launcher: process id of the launcher.
        group: the process group that the launcher started, 0 before it has started one.
        gpus: the GPUs of this side, as the operator named them.
        server: what the server is started with.
        log: the file that gets the output of the started program.
    """

    kind: Kind
    pid: int
    started: int
    launcher: int
    group: int = 0
    gpus: Annotated[tuple[str, ...], Field(strict=False)]
    server: ServerFacts
    log: str

    @property
    def is_alive(self) -> bool:
        """Whether the process that the note names still runs."""
        return processes.is_alive(self.pid, self.started)

    @property
    def file(self) -> Path:
        """The file of its note."""
        return folder() / f"{self.kind}-{self.server.port}.json"

    def claim(self) -> None:
        """Writes the note unless a running job has one of this name: of two that start together, one is refused.

        Raises:
            ClaimedError: there is such a job.
            InputError: the folder belongs to someone else, or cannot be written.
        """
        self._save(exclusive=True)

    def write(self) -> None:
        """Writes the note, whole or not at all, so that only this user may read it.

        Raises:
            InputError: the folder belongs to someone else, or cannot be written.
        """
        self._save(exclusive=False)

    def _save(self, *, exclusive: bool) -> None:
        temporary = self.file.with_suffix(f".{os.getpid()}")
        try:
            folder().mkdir(mode=0o700, parents=True, exist_ok=True)
            _refuse_shared()
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(json.dumps(self.model_dump(), indent=1) + "\n")
            if exclusive:
                self._link(temporary)
            else:
                temporary.replace(self.file)
        except OSError as error:
            raise InputError(f"{self.file}: {error.strerror}; set {VARIABLE} to another folder") from error
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)

    def _link(self, temporary: Path) -> None:
        other = _read(self.file)
        if other is None or not other.is_alive:
            self.file.unlink(missing_ok=True)
        try:
            self.file.hardlink_to(temporary)
        except FileExistsError:
            if (holder := _read(self.file)) is not None:
                raise ClaimedError(holder) from None
            raise

    def remove(self) -> None:
        """Removes the note, if it is still this job's own."""
        if _read(self.file) == self:
            self.file.unlink(missing_ok=True)

    def description(self) -> str:
        """The job, for a message."""
        return (
            f"{KINDS[self.kind]} of launcher {self.launcher}, port {self.server.port}, GPUs {','.join(self.gpus)},"
            f" {self.server.model} ({self.file})"
        )


class Note:
    """The note of a job, which stays in place while the job runs, for weeks: cleaners delete old files."""

    def __init__(self, job: Job, report: Callable[[str], None]) -> None:
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


class ClaimedError(Exception):
    """Another job has claimed what a start needs."""

    def __init__(self, job: Job) -> None:
        self.job = job
        super().__init__(job.description())


def folder() -> Path:
    """The folder of this user's notes."""
    return Path(os.environ.get(VARIABLE) or f"/tmp/rollout-split-{os.getuid()}")  # noqa: S108 - see _refuse_shared


def jobs(kind: str | None = None, port: int | None = None) -> Iterator[Job]:
    """The running jobs; notes of jobs that have ended do not count.

    Raises:
        InputError: others may write in the folder, and so may have written the notes.
    """
    _refuse_shared()
    for file in sorted(folder().glob(f"{kind or '*'}-{'*' if port is None else port}.json")):
        job = _read(file)
        if job is not None and job.is_alive:
            yield job


def job(kind: str, port: int) -> Job | None:
    """The running job of this kind on a port, or None."""
    return next(jobs(kind, port), None)


def _refuse_shared() -> None:
    """Refuses a folder that another user made or may write in, and a link."""
    path = folder()
    with contextlib.suppress(FileNotFoundError):
        status = path.lstat()
        writable_by_others = stat.S_IWGRP | stat.S_IWOTH
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & writable_by_others:
            raise InputError(
                f"{path} is not a folder that you alone may write in; set {VARIABLE} to another folder"
            )


def _read(file: Path) -> Job | None:
    """A note, or None where there is none, or not one that this version writes."""
    try:
        return Job.model_validate(jsontext.load(file))
    except (OSError, ValueError):
        return None
