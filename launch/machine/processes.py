"""Processes of this machine, read from /proc."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from typing import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Process(NamedTuple):
    """One process.

    Attributes:
        pid: its id, which another process may have later.
        state: one letter of ps; Z and X are dead.
        parent: process id of its parent.
        group: its process group.
        session: its session.
        started: clock ticks between boot and its start; together with pid this names one process for ever.
    """

    pid: int
    state: str
    parent: int
    group: int
    session: int
    started: int

    @property
    def lives(self) -> bool:
        """Whether it runs; a zombie does not, and where process 1 of a container reaps nobody, it stays."""
        return self.state not in "XZ"


def read(pid: int) -> Process | None:
    """A process, or None if there is none of that id."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return Process(pid, words[0], int(words[1]), int(words[2]), int(words[3]), int(words[19]))


def everyone() -> Iterator[Process]:
    """All processes, zombies included."""
    for pid in pids():
        if (process := read(pid)) is not None:
            yield process


def pids() -> list[int]:
    """The ids of all processes."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def lives(pid: int) -> bool:
    """Whether a process of that id runs."""
    process = read(pid)
    return process is not None and process.lives


def alive(pid: int, started: int) -> bool:
    """Whether that very process lives, and not another one that got its id."""
    process = read(pid)
    return process is not None and process.lives and process.started == started


def command(pid: int) -> tuple[str, ...]:
    """The words of its command line; none if it may not be read."""
    try:
        text = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ()
    return tuple(word.decode("utf-8", "replace") for word in text.rstrip(b"\0").split(b"\0"))


def carries(pid: int, mark: str) -> bool:
    """Whether it was started with an environment that holds `mark`, a NAME=VALUE."""
    try:
        return mark.encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def named(pid: int) -> str:
    """A process for a message: its id and how it was called."""
    words = command(pid)
    text = " ".join(words)
    return f"process {pid} ({text[:60]}{'...' if len(text) > 60 else ''})" if words else f"process {pid}"
