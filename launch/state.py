"""What launchers leave for each other on one node: who runs, where, on which GPUs, with which settings."""

from __future__ import annotations

import contextlib
import json
import os
import stat
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
    from collections.abc import Iterator

#: Where the notes lie; not below TMPDIR or XDG_RUNTIME_DIR, which differ between two shells of one person.
VARIABLE = "ROLLOUT_SPLIT_STATE"
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
        pid: the process whose life the note stands for: of a ready server the one that listens, else the launcher.
        started: when that process started, so that no later process of the same id is taken for it.
        launcher: process id of the launcher.
        group: the process group of what it started, 0 where nothing is started yet.
        gpus: the GPUs of this side, as the operator named them.
        server: what the server is started with.
        log: the file that gets the output of what was started.
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
    def alive(self) -> bool:
        """Whether the process that it stands for lives."""
        return processes.alive(self.pid, self.started)

    @property
    def file(self) -> Path:
        """Its note."""
        return folder() / f"{self.kind}-{self.server.port}.json"

    def claim(self) -> None:
        """Leaves the note unless another job that lives has left one: of two that start together, one is refused.

        Raises:
            ClaimedError: there is such a job.
            InputError: the folder belongs to someone else, or cannot be written.
        """
        self._leave(alone=True)

    def write(self) -> None:
        """Leaves the note, whole or not at all, for this user's eyes only.

        Raises:
            InputError: the folder belongs to someone else, or cannot be written.
        """
        self._leave(alone=False)

    def _leave(self, *, alone: bool) -> None:
        new = self.file.with_suffix(f".{os.getpid()}")
        try:
            _own(folder())
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(json.dumps(self.model_dump(), indent=1) + "\n")
            if alone:
                self._link(new)
            else:
                new.replace(self.file)
        except OSError as error:
            raise InputError(
                f"{self.file}: {error.strerror}; {VARIABLE} names another folder for notes"
            ) from error
        finally:
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)

    def _link(self, new: Path) -> None:
        other = _read(self.file)
        if other is None or not other.alive:
            self.file.unlink(missing_ok=True)
        try:
            self.file.hardlink_to(new)
        except FileExistsError:
            if (held := _read(self.file)) is not None:
                raise ClaimedError(held) from None
            raise

    def remove(self) -> None:
        """Takes the note away, if it is still this job's own."""
        if _read(self.file) == self:
            self.file.unlink(missing_ok=True)

    def named(self) -> str:
        """The job for a message."""
        return (
            f"{KINDS[self.kind]} of launcher {self.launcher}, port {self.server.port}, GPUs {','.join(self.gpus)},"
            f" {self.server.model} ({self.file})"
        )


class ClaimedError(Exception):
    """Another job has what a start needs.

    Attributes:
        job: the other one.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        super().__init__(job.named())


def folder() -> Path:
    """Where the notes of this user lie."""
    return Path(os.environ.get(VARIABLE) or f"/tmp/rollout-split-{os.getuid()}")  # noqa: S108 - see _own


def jobs(kind: str | None = None, port: int | None = None) -> Iterator[Job]:
    """The jobs that live; other notes are leftovers, and do not count.

    Raises:
        InputError: others may write in the folder, so that the notes may be theirs.
    """
    _refuse_shared(folder())
    for file in sorted(folder().glob(f"{kind or '*'}-{'*' if port is None else port}.json")):
        job = _read(file)
        if job is not None and job.alive:
            yield job


def job(kind: str, port: int) -> Job | None:
    """The one that lives on a port, if there is one."""
    return next(jobs(kind, port), None)


def _own(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    _refuse_shared(path)


def _refuse_shared(path: Path) -> None:
    """Refuses a folder, or a link to one, that another user made or may write in."""
    with contextlib.suppress(FileNotFoundError):
        found = path.lstat()
        others = stat.S_IWGRP | stat.S_IWOTH
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & others:
            raise InputError(
                f"{path} is not a folder that you alone may write in; {VARIABLE} names another folder for notes"
            )


def _read(file: Path) -> Job | None:
    """A note, or None where there is none, or not one that this version writes."""
    try:
        return Job.model_validate(jsontext.load(file))
    except (OSError, ValueError):
        return None
