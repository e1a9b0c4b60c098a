"""Processes of this machine, read from /proc."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from typing import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator


class Process(NamedTuple):
    """One process.

    `state` is one letter of ps, of which Z and X are dead; `started` are clock ticks between boot and its start.
    Another process may have the same pid later, but pid and start together name one process for ever.
    """

    pid: int
    state: str
    parent: int
    group: int
    session: int
    started: int

    @property
    def is_alive(self) -> bool:
        """Whether it runs. A zombie does not; it stays if process 1 of a container reaps no children."""
        return self.state not in "XZ"


def read(pid: int) -> Process | None:
    """A process, or None if no process has this id."""
    try:
        words = _content(pid, "stat").rpartition(b")")[2].split()
    except OSError:
        return None
    return Process(pid, words[0].decode(), int(words[1]), int(words[2]), int(words[3]), int(words[19]))


def _content(pid: int, name: str) -> bytes:
    # A look reads hundreds of these files; a Path and a buffer for each would cost more than the reading.
    with open(f"/proc/{pid}/{name}", "rb", buffering=0) as file:  # noqa: PTH123
        return file.read()


def all_processes() -> Iterator[Process]:
    """All processes, zombies included."""
    for pid in pids():
        if (process := read(pid)) is not None:
            yield process


def pids() -> list[int]:
    """The ids of all processes."""
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]  # noqa: PTH208


def started(pid: int) -> int:
    """When a process started, in clock ticks after boot; 0 if no process has this id."""
    process = read(pid)
    return 0 if process is None else process.started


def is_alive(pid: int, started: int | None = None) -> bool:
    """Whether a process with this id runs; where `started` is given, that one, and none that got its id later."""
    process = read(pid)
    return process is not None and process.is_alive and started in (None, process.started)


def command(pid: int) -> tuple[str, ...]:
    """The words of its command line; none if this user may not read it."""
    try:
        text = _content(pid, "cmdline")
    except OSError:
        return ()
    return tuple(word.decode("utf-8", "replace") for word in text.rstrip(b"\0").split(b"\0"))


def has_variable(pid: int, variable: str) -> bool:
    """Whether it was started with this variable, a NAME=VALUE, in its environment."""
    try:
        return variable.encode() in _content(pid, "environ").split(b"\0")
    except OSError:
        return False


def description(pid: int) -> str:
    """A process for a message: its id and its command."""
    words = command(pid)
    text = " ".join(words)
    return f"process {pid} ({text[:60]}{'...' if len(text) > 60 else ''})" if words else f"process {pid}"


def descriptions(pids: Iterable[int]) -> str:
    """The same of those that listen on a port; of another user's none is seen."""
    return ", ".join(map(description, pids)) or "a process of another user"
